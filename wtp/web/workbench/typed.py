"""From what was typed into a form to changes of the file.

What was typed is kept as typed, right or wrong: a draft may have mistakes, and nothing that an author wrote is thrown away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from wtp.survey.editing import Place
from wtp.web.workbench.entries import Entry
from wtp.web.workbench.schema import Field

Form = MultiDict[str, str]
# What a reader gives for a field that was not on the page.
_ABSENT = object()


def changes(entries: Sequence[Entry], form: Form, languages: Sequence[str], language: str) -> dict[Place, Any]:
    """What was typed that differs from the file, by place; None takes a key away. `language` is the author's: 1,5 or 1.5."""
    found: dict[Place, Any] = {}
    for entry in entries:
        if entry.field.kind in {"record", "records"}:
            continue
        if entry.field.kind == "wording":
            value = _wording(entry, form, languages)
        else:
            value = _READERS.get(entry.field.kind, _text_value)(entry, form, language)
        if value is _ABSENT or _same(entry.value, value) or (entry.value is None and _is_default(entry.field, value)):
            continue
        found[entry.place] = value
    return found


def number(typed: str) -> int | float | str:
    """The number that was typed, with a decimal comma too; whatever is none stays a text, which the check then names."""
    plain = typed.replace("\u00a0", "").replace(" ", "").replace("−", "-")
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    if re.fullmatch(r"[-+]?[0-9]{1,18}", plain):
        return int(plain)
    return float(plain) if re.fullmatch(r"[-+]?[0-9]{0,15}\.?[0-9]{1,15}", plain) else typed


def numbers(typed: str, language: str) -> list[int | float | str]:
    """Several numbers; between them stands a space, a semicolon, or a comma that is no decimal one."""
    parts = [part.strip(",") for part in re.split(r"[;\s]+", typed)]
    if len(parts) == 1 and (parts[0].count(",") > 1 or language != "de"):
        parts = parts[0].split(",")
    return [number(part) for part in parts if part]


def shown_number(value: Any, language: str) -> str:
    """A number as an author of this language types it; whatever else the file has there, as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    text = f"{value:.15g}"
    return text.replace(".", ",") if language == "de" else text


def lines(typed: str) -> str:
    """A text with plain line breaks."""
    return typed.replace("\r\n", "\n").replace("\r", "\n")


def _wording(entry: Entry, form: Form, languages: Sequence[str]) -> Any:
    names = {one: f"{entry.name}.{one}" for one in languages}
    if not any(name in form for name in names.values()):
        return _ABSENT
    before = dict(entry.value) if isinstance(entry.value, Mapping) else {}
    typed = {one: lines(form.get(name, "")) for one, name in names.items()}
    for one, text in typed.items():
        if str(before.get(one, "")).strip() == text.strip():  # blanks at the ends are nobody's intention
            typed[one] = before.get(one, text)
    whole = {**before, **{one: text for one, text in typed.items() if text or one in before}}
    said = any(str(text).strip() for text in whole.values())
    return whole if said or (entry.field.required and whole) else None if not entry.field.required else _ABSENT


def _flag(entry: Entry, form: Form, language: str) -> Any:
    return "yes" in form.getlist(entry.name) if entry.name in form else _ABSENT


def _words(entry: Entry, form: Form, language: str) -> Any:
    if entry.name not in form:
        return _ABSENT
    parts = form.getlist(entry.name) if entry.picks else re.split(r"[\s,;]+", form[entry.name])
    return _or_nothing(entry, [part for part in parts if part])


def _numbers(entry: Entry, form: Form, language: str) -> Any:
    return _or_nothing(entry, numbers(form[entry.name], language)) if entry.name in form else _ABSENT


def _number(entry: Entry, form: Form, language: str) -> Any:
    if entry.name not in form:
        return _ABSENT
    typed = form[entry.name].strip()
    if shown_number(entry.value, language) == typed:
        return entry.value if typed or not entry.field.required else ""
    return _or_nothing(entry, number(typed) if typed else "")


def _text_value(entry: Entry, form: Form, language: str) -> Any:
    return _or_nothing(entry, lines(form[entry.name]).strip()) if entry.name in form else _ABSENT


def _choice(entry: Entry, form: Form, language: str) -> Any:
    typed = _text_value(entry, form, language)
    if entry.field.name == "required" and typed in {"true", "false"}:
        return typed == "true"
    return typed


def _picked(entry: Entry, form: Form, language: str) -> Any:
    """Pick lists by question or attribute; what the file names and nobody offers is kept as long as it is ticked."""
    if entry.name not in form:
        return _ABSENT
    found: dict[str, Any] = {}
    old = entry.value if isinstance(entry.value, Mapping) else {}
    for group in dict.fromkeys([*old, *(pick[0] for pick in entry.picks)]):
        name = f"{entry.name}.{group}"
        ends = {end: form.get(f"{name}.{end}", "").strip() for end in ("from", "to")}
        if any(ends.values()):
            found[group] = {end: number(typed) for end, typed in ends.items() if typed}
        elif picked := form.getlist(name):
            found[group] = picked
    return _or_nothing(entry, found)


def _by_attribute(entry: Entry, form: Form, language: str) -> Any:
    names = {pick[0]: f"{entry.name}.{pick[0]}" for pick in entry.picks}
    if not any(name in form for name in names.values()):
        return _ABSENT
    typed = {group: form.get(name, "").strip() for group, name in names.items()}
    if entry.field.kind == "level":
        return {group: text for group, text in typed.items() if text}
    return {group: numbers(text, language) for group, text in typed.items() if text}


_READERS: dict[str, Callable[[Entry, Form, str], Any]] = {
    "flag": _flag,
    "words": _words,
    "numbers": _numbers,
    "integer": _number,
    "number": _number,
    "choice": _choice,
    "when": _picked,
    "levels": _picked,
    "level": _by_attribute,
    "worth": _by_attribute,
}


def _or_nothing(entry: Entry, value: Any) -> Any:
    """The value; where it is empty and may be, None."""
    return value if entry.field.required or value not in ("", [], {}) else None


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    return bool(old == new)


def _is_default(field: Field, value: Any) -> bool:
    return value is None or value == field.default or (field.name == "required" and value is True)
