"""Changes to the text of a survey file that leave everything else as its author wrote it: comments, order, spaces.

A place is the path to a value, such as `("attributes", 2, "levels", 0, "label", "de")`. Every change is read back: if the new text does not say
exactly what was meant, nothing comes of it.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, MutableMapping, MutableSequence
from itertools import pairwise
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, InlineTable

from wtp.errors import SurveyError
from wtp.survey.toml_text import blocks, end_of, table_text, written

Place = tuple[str | int, ...]
_MARK = "\ue000wtp\ue000"


def value_at(content: Any, place: Place) -> Any:
    """The value at a place of plain content, None if there is none."""
    for part in place:
        if isinstance(part, int):
            content = content[part] if isinstance(content, list) and 0 <= part < len(content) else None
        else:
            content = content.get(part) if isinstance(content, Mapping) else None
    return content


def applied(content: Mapping[str, Any], changes: Mapping[Place, Any]) -> dict[str, Any]:
    """Plain content with these values; None takes a key away."""
    meant = copy.deepcopy(dict(content))
    for place, value in changes.items():
        _assign(meant, place, value, plain=True)
    return meant


def edited(source: str, changes: Mapping[Place, Any]) -> str:
    """The text with these values; None takes a key away. Tables on the way to a place are added where they are missing.

    Raises SurveyError if the text cannot be changed so.
    """
    meant = tomllib.loads(source)
    new = {place: value for place, value in changes.items() if value_at(meant, place) != value}
    if not new:
        return source
    document = _parsed(source)
    for place, value in new.items():
        if value_at(meant, place) != value:  # an earlier change may have taken its table away
            _assign(meant, place, value, plain=True)
            _assign(document, place, value, plain=False)
    return _checked(document.as_string(), meant, "edit")


def inserted(source: str, place: Place, value: Mapping[str, Any]) -> str:
    """The text with one table more at the end of the list at `place`, which may not be there yet."""
    meant = tomllib.loads(source)
    if not isinstance(value_at(meant, place), list):
        _assign(meant, place, [], plain=True)
    value_at(meant, place).append(dict(value))
    header = ".".join(part for part in place if isinstance(part, str))
    if found := blocks(source, place):
        return _checked(_spliced(source, found[-1].end, table_text(header, value)), meant, "add")
    document = _parsed(source)
    if value_at(tomllib.loads(source), place):
        target: Any = document
        for part in place:
            target = target[part]
        target.append(tomlkit.value(written(value)))
        return _checked(document.as_string(), meant, "add")
    nested = len(place) == 3 and isinstance(place[0], str) and isinstance(place[1], int)
    end = len(source) if len(place) == 1 else end_of(source, (place[0], place[1])) if nested else None  # type: ignore[arg-type]
    if end is not None and value_at(tomllib.loads(source), place) is None:
        return _checked(_spliced(source, end, table_text(header, value)), meant, "add")
    return edited(source, {place: [dict(value)]})


def removed(source: str, place: Place) -> str:
    """The text without the table at `place`, an entry of a list, or without the value at any other place."""
    if not isinstance(place[-1], int):
        return edited(source, {place: None})
    meant, at = tomllib.loads(source), place[-1]
    rest: list[Any] = value_at(meant, place[:-1])
    del rest[at]
    if found := blocks(source, place[:-1]):
        if not rest:
            _assign(meant, place[:-1], None, plain=True)
        return _checked(source[: found[at].start] + source[found[at].end :], meant, "remove")
    if not rest:
        return edited(source, {place[:-1]: None})
    document = _parsed(source)
    target: Any = document
    for part in place[:-1]:
        target = target[part]
    del target[at]
    return _checked(document.as_string(), meant, "remove")


def moved(source: str, place: Place, by: int) -> str:
    """The text with an entry of a list one place earlier (-1) or later (1); at either end nothing changes."""
    meant, at = tomllib.loads(source), place[-1]
    entries: list[Any] = value_at(meant, place[:-1])
    if not isinstance(at, int) or not (0 <= at < len(entries) and 0 <= at + by < len(entries)):
        return source
    first, second = sorted((at, at + by))
    entries[first], entries[second] = entries[second], entries[first]
    if found := blocks(source, place[:-1]):
        a, b = found[first], found[second]
        above, one, between, other, below = (
            source[: a.start],
            source[a.start : a.end],
            source[a.end : b.start],
            source[b.start : b.end],
            source[b.end :],
        )
        return _checked(above + _ended(other) + between + _ended(one, last=not below) + below, meant, "move")
    return _checked(_swapped(source, place[:-1], first, second), meant, "move")


def _swapped(source: str, place: Place, first: int, second: int) -> str:
    """Two neighbours of an array change places, each with the comments above and behind it."""
    (a_start, a_end), (b_start, b_end) = (_span(source, (*place, n)) for n in (first, second))
    a_line, b_line = (source.rfind("\n", 0, start) + 1 for start in (a_start, b_start))
    alone = all(not source[line:start].strip() for line, start in ((a_line, a_start), (b_line, b_start)))
    if not alone or a_line == b_line:
        return source[:a_start] + source[b_start:b_end] + source[a_end:b_start] + source[a_start:a_end] + source[b_end:]
    a_stop, b_stop = (source.find("\n", end) for end in (a_end, b_end))
    lead = source[a_stop + 1 : b_line]  # comment lines between the two belong to the second
    a_comma, b_comma = (
        "," if "," in source[end:stop].partition("#")[0] else "" for end, stop in ((a_end, a_stop), (b_end, b_stop))
    )
    a_behind, b_behind = (
        source[end:stop].replace(",", "", 1) if "," in source[end:stop].partition("#")[0] else source[end:stop]
        for end, stop in ((a_end, a_stop), (b_end, b_stop))
    )
    above = a_line
    while (before := source.rfind("\n", 0, above - 1) + 1) < above and source[before:above].lstrip().startswith("#"):
        above = before
    return (
        source[:above]
        + lead
        + source[b_line:b_end]
        + a_comma
        + b_behind
        + "\n"
        + source[above:a_line]
        + source[a_line:a_end]
        + b_comma
        + a_behind
        + source[b_stop:]
    )


def _span(source: str, place: Place) -> tuple[int, int]:
    """Where an entry of an array is written: put a mark in its place and see where it comes out."""
    document = _parsed(source)
    target: Any = document
    for part in place[:-1]:
        target = target[part]
    if not isinstance(target, Array):
        raise _refused("move", "an array that is not written as one")
    length = len(target[place[-1]].as_string())  # type: ignore[index]
    target[place[-1]] = _MARK  # type: ignore[index]
    start = document.as_string().index(f'"{_MARK}"')
    return start, start + length


def _ended(lines: str, *, last: bool = False) -> str:
    """Lines that end with a line break, and with an empty line unless they end the file."""
    lines = lines.rstrip("\n") + "\n"
    return lines if last else lines + "\n"


def _spliced(source: str, at: int, lines: str) -> str:
    above, below = source[:at].rstrip("\n"), source[at:]
    return (above + "\n\n" if above else "") + lines + ("\n" + below if below else "")


def _assign(content: Any, place: Place, value: Any, *, plain: bool) -> None:
    for part, following in pairwise(place):
        if isinstance(content, MutableMapping) and part not in content:
            if value is None:
                return
            new: Any = [] if isinstance(following, int) else {}
            outer = len(place) == 2 and not plain and isinstance(following, str)
            content[part] = new if plain else tomlkit.table() if outer else tomlkit.value(written(new))
        content = content[part]
    key: Any = place[-1]
    there = isinstance(content, MutableSequence) or key in content
    if value is None:
        if there:
            del content[key]
    elif (
        there
        and isinstance(content[key], MutableMapping)
        and isinstance(value, Mapping)
        and not _other_names(content[key], value)
    ):
        _merge(content[key], value, plain=plain)
    else:
        content[key] = copy.deepcopy(value) if plain else _new(value, table=_is_document(content))


def _other_names(old: MutableMapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Whether names of an inline table are replaced; it is written anew then, so that the new ones stand where the old ones were."""
    return isinstance(old, InlineTable) and bool(old.keys() - value.keys()) and bool(value.keys() - old.keys())


def _merge(old: MutableMapping[str, Any], value: Mapping[str, Any], *, plain: bool) -> None:
    for gone in [name for name in old if name not in value]:
        del old[gone]
    for name, item in value.items():
        if old.get(name) != item:
            _assign(old, (name,), item, plain=plain)


def _new(value: Any, *, table: bool) -> Any:
    if not (table and isinstance(value, Mapping)):
        return tomlkit.value(written(value))
    found = tomlkit.table()
    for name, item in value.items():
        found[name] = tomlkit.value(written(item))
    return found


def _is_document(content: Any) -> bool:
    return isinstance(content, tomlkit.TOMLDocument)


def _parsed(source: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(source)
    except TOMLKitError as error:
        raise _refused("edit", str(error)) from error


def _checked(text: str, meant: Mapping[str, Any], what: str) -> str:
    """The text, if it says exactly what was meant."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _refused(what, str(error)) from error
    if said != meant:
        raise _refused(what, "the file is written in a way that this change cannot follow")
    return text


def _refused(what: str, found: str) -> SurveyError:
    return SurveyError(
        f"survey file, {what}: {found}; allowed: a change that can be written; make it in the text of the file."
    )
