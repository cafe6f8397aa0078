"""What `wtp check` finds, in the words of the workbench."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

# Mistakes that forms meet most often; whatever is not here is told in the words of `wtp check`.
MISTAKES: dict[str, LazyString] = {
    "this key is required": _l("this is required"),
    "add it": _l("add it"),
    "change it to what is allowed": _l("change it"),
    "write it as allowed": _l("write it as allowed"),
    "choose one of them": _l("choose one of them"),
    "remove it, or mend its spelling": _l("remove it, or mend its spelling"),
    "nothing": _l("nothing"),
    "name one of these options": _l("name one of these options"),
    "name one of these questions": _l("name one of these questions"),
    "name the level of today's offer": _l("name the level of today's offer"),
    "rename all but one of them": _l("rename all but one of them"),
    "sort the levels and remove doubles": _l("sort the levels and remove doubles"),
    "test prices on both sides of today's price": _l("test prices on both sides of today's price"),
    "prices that rise": _l("prices that rise"),
    "a valid number, unable to parse string as a number": _l("a number"),
    "a valid integer, unable to parse string as an integer": _l("a whole number"),
    "a valid number": _l("a number"),
    "a valid integer": _l("a whole number"),
    "remove it": _l("remove it"),
    "change it": _l("change it"),
    "add or remove it": _l("add or remove it"),
    "rename it": _l("rename it"),
    "put it there": _l("upload it under Attributes and levels"),
    "ask it on an earlier page": _l("ask it on an earlier page"),
    "adjust the shares": _l("adjust the shares"),
    "a sum of 1": _l("a sum of 1"),
    "rename one": _l("rename one"),
    "give each parameter a name of its own": _l("give each parameter a name of its own"),
    "leave it out of the address, or name the added one otherwise": _l(
        "leave it out of the address, or name the added one otherwise"
    ),
}
# Patterns of the schema, in words.
PATTERNS: dict[str, LazyString] = {
    r"^[a-z][a-z0-9_]{0,39}$": _l("small letters, digits and _, a letter first, at most 40"),
    r"^[A-Z]{3}$": _l("three capital letters"),
    r"^[a-z]{2}$": _l("two small letters"),
    "String should have at least 1 character": _l("a text"),
}
