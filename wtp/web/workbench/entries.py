"""Forms of a study's parts: what the file says, field by field, with the mistakes beside it; and back from what was typed to changes of the file.

What was typed is kept as typed, right or wrong: a draft may have mistakes, and nothing that an author wrote is thrown away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from wtp.survey import Mistake
from wtp.survey.attributes import Record
from wtp.survey.editing import Place, value_at
from wtp.survey.load import references
from wtp.survey.questions import Asked
from wtp.survey.texts import languages_of
from wtp.web.workbench import words
from wtp.web.workbench.schema import Field, fields_of

# Beside what is required, these are shown at once; all else is folded away until it is used.
_SHOWN = {
    "Level": {"unit_cost", "investment", "picture", "description"},
    "ChoiceTaskPlan": {"tasks", "alternatives", "none", "holdouts", "repeated", "versions", "method"},
    "Economics": {"illustrative", "purchases_per_year", "planning_years", "interest_rate", "route", "budget"},
    "ChoiceTaskPage": {"purchase_question"},
    "Attribute": {"description", "ordered"},
    "Scale": {"low", "high"},
    "Number": {"low", "high", "whole", "money"},
    "QuestionPage": {"text"},
    "Rating": {"measures"},
    "Prohibition": {"prices"},
    "Simulation": {"spread"},
    "Panel": {"required"},
    "Option": {"alone"},
}
_FOLDED_IN_ROWS = {"description", "picture", "alone"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One field with its value as the file has it. `picks` are the choices of pick lists: (name, words) or groups of them."""

    place: Place
    field: Field
    table: str
    value: Any
    mistakes: tuple[str, ...] = ()
    picks: tuple[Any, ...] = ()
    rows: tuple[Table, ...] = ()

    @property
    def name(self) -> str:
        """The name of its input."""
        return name_of(self.place)

    @property
    def label(self) -> str:
        """What it is called."""
        return words.label(self.table, self.field.name)

    @property
    def help(self) -> str:
        """What it means."""
        return words.help_of(self.table, self.field.name)

    @property
    def used(self) -> bool:
        """Whether the file says something here."""
        return self.value is not None or bool(self.mistakes)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the file as a form: what is shown at once, and `more`."""

    place: Place
    kind: str
    entries: tuple[Entry, ...]
    more: tuple[Entry, ...]
    mistakes: tuple[str, ...]
    title: str = ""

    @property
    def name(self) -> str:
        """The name of its place."""
        return name_of(self.place)

    @property
    def open(self) -> bool:
        """Whether something of `more` is in use."""
        return any(entry.used for entry in self.more)

    def walk(self) -> Iterator[Entry]:
        """All fields, those of inner tables included."""
        for entry in (*self.entries, *self.more):
            yield entry
            for row in entry.rows:
                yield from row.walk()


def name_of(place: Place) -> str:
    """A place as one word: attributes.0.levels.2.label."""
    return ".".join(map(str, place))


def place_of(name: str) -> Place:
    """The place that a word means."""
    return tuple(int(part) if part.isascii() and part.isdecimal() else part for part in name.split("."))


def key_of(mistake: Mistake) -> Place:
    """The place that a mistake names."""
    return place_of(re.sub(r"\[(\d+)\]", r".\1", mistake.key)) if mistake.key != "(file)" else ()


class Reader:
    """Makes forms of one draft: its content and its mistakes."""

    def __init__(self, content: Mapping[str, Any], mistakes: Sequence[Mistake]) -> None:
        self.content = content
        self.languages = languages_of(content)
        self.mistakes = [(key_of(mistake), mistake) for mistake in mistakes]
        self._known = references(dict(content))

    def table(
        self, place: Place, model: type[Record], only: Sequence[str] | None = None, *, row: bool = False
    ) -> Table:
        """The form of the table at a place, or of some of its keys."""
        value = value_at(self.content, place) if place else self.content
        value = value if isinstance(value, Mapping) else {}
        fields = [field for field in fields_of(model) if only is None or field.name in only]
        shown = _SHOWN.get(model.__name__, set())
        first: list[Entry] = []
        more: list[Entry] = []
        for field in fields:
            entry = self.entry((*place, field.name), field, model, value.get(field.name))
            folded = row and field.name in _FOLDED_IN_ROWS
            (first if (field.required or only or field.name in shown) and not folded else more).append(entry)
        inner = {entry.place for entry in (*first, *more)}
        own = [
            m for key, m in self.mistakes if key[: len(place)] == place and not any(key[: len(i)] == i for i in inner)
        ]
        mine = tuple(map(said, own)) if place and only is None else ()
        return Table(place, model.__name__, tuple(first), tuple(more), mine, self.title(value))

    def entry(self, place: Place, field: Field, model: type[Record], value: Any) -> Entry:
        """The form's field at a place."""
        table = "Asked" if issubclass(model, Asked) and field.name == "label" else model.__name__
        rows: tuple[Table, ...] = ()
        if field.kind == "records" and field.record is not None and isinstance(value, list):
            rows = tuple(self.table((*place, n), field.record, row=True) for n in range(len(value)))
        elif field.kind == "record" and field.record is not None and isinstance(value, Mapping):
            rows = (self.table(place, field.record),)
        covered = [inner.place for row in rows for inner in row.walk()] + [row.place for row in rows]
        found = tuple(
            said(mistake, self.languages, key[len(place) :])
            for key, mistake in self.mistakes
            if key[: len(place)] == place and not any(key[: len(other)] == other for other in covered)
        )
        return Entry(place, field, table, value, found, self._picks(field, model, place), rows)

    def title(self, value: Mapping[str, Any]) -> str:
        """What a table is called by people: its words, else its id."""
        for key in ("label", "title"):
            text = value.get(key)
            if isinstance(text, Mapping) and any(isinstance(t, str) and t.strip() for t in text.values()):
                return next(str(t) for t in text.values() if isinstance(t, str) and t.strip())
        return str(value.get("id") or value.get("segment") or "")

    def _picks(self, field: Field, model: type[Record], place: Place) -> tuple[Any, ...]:
        levels = self._attributes()
        if field.kind == "choice":
            return tuple((name, words.choice(name)) for name in field.choices)
        if field.kind == "when":
            return self._conditions(numbers=model.__name__ != "Segment")
        if field.kind in {"level", "levels", "worth"}:
            return levels
        name = (model.__name__, field.name)
        if name == ("Attribute", "current"):
            return self._listed((*place[:-1], "levels"))
        if name == ("SingleChoice", "attention"):
            return self._listed((*place[:-1], "options"))
        if name == ("SimulatedSegment", "segment"):
            return self._listed(("segments",))
        if name == ("ChoiceTaskPlan", "at_most_once"):
            return (*((attribute, title) for attribute, title, _ in levels), ("price", words.label("", "price")))
        return ()

    def _listed(self, place: Place) -> tuple[tuple[str, str], ...]:
        found = value_at(self.content, place)
        tables = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
        return tuple((str(one.get("id")), self.title(one)) for one in tables)

    def _attributes(self) -> tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]:
        found = self.content.get("attributes")
        tables = enumerate(found) if isinstance(found, list) else ()
        return tuple(
            (str(one.get("id")), self.title(one), self._listed(("attributes", n, "levels")))
            for n, one in tables
            if isinstance(one, Mapping)
        )

    def _conditions(self, *, numbers: bool) -> tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]:
        """Questions that conditions may ask about: with their options, or without any for a range of numbers."""
        known = self._known["conditions" if numbers else "options"]
        found = []
        pages = self.content.get("pages")
        for p, page in enumerate(pages if isinstance(pages, list) else ()):
            questions = page.get("questions") if isinstance(page, Mapping) else None
            for q, question in enumerate(questions if isinstance(questions, list) else ()):
                name = str(question.get("id")) if isinstance(question, Mapping) else ""
                if name in known:
                    options = dict(self._listed(("pages", p, "questions", q, "options")))
                    if "unsure" in known[name]:
                        options["unsure"] = (
                            next(iter(question["unsure"].values()), "unsure")
                            if isinstance(question["unsure"], Mapping)
                            else "unsure"
                        )
                    found.append((name, self.title(question), tuple(options.items())))
                elif numbers and name in self._known["numbers"]:
                    found.append((name, self.title(question), ()))
        return tuple(found)


def said(mistake: Mistake, languages: Sequence[str] = (), inner: Place = ()) -> str:
    """A mistake in the author's language: what was found, what is allowed, what to do."""
    allowed = mistake.allowed
    for pattern, text in words.PATTERNS.items():
        allowed = str(text) if pattern in allowed else allowed
    parts = [str(words.MISTAKES.get(part) or part) for part in (mistake.found, allowed, mistake.remedy)]
    where = f"{inner[-1]}: " if inner and inner[-1] in languages else ""
    found, allowed, remedy = parts
    return where + _("Found %(found)s; allowed: %(allowed)s; %(remedy)s.", found=found, allowed=allowed, remedy=remedy)


def changes(reader: Reader, entries: Sequence[Entry], form: MultiDict[str, str], language: str) -> dict[Place, Any]:
    """What was typed that differs from the file, by place; None takes a key away."""
    found: dict[Place, Any] = {}
    for entry in entries:
        if entry.field.kind in {"record", "records"}:
            continue
        posted, value = _typed(reader, entry, form, language)
        if posted and not _same(entry.value, value) and not (entry.value is None and _is_default(entry.field, value)):
            found[entry.place] = value
    return found


def _typed(reader: Reader, entry: Entry, form: MultiDict[str, str], language: str) -> tuple[bool, Any]:
    """(whether the field was on the page, its value; None where it is empty and may be)."""
    field, name, old = entry.field, entry.name, entry.value
    if field.kind == "wording":
        names = {one: f"{name}.{one}" for one in reader.languages}
        if not any(one in form for one in names.values()):
            return False, None
        before = dict(old) if isinstance(old, Mapping) else {}
        texts = {one: _text(form.get(key, "")) for one, key in names.items()}
        texts = {
            one: before[one] if str(before.get(one, "")).strip() == text.strip() else text
            for one, text in texts.items()
            if text or one in before or field.required
        }
        whole = {**before, **texts}
        empty = not any(str(text).strip() for text in whole.values())
        return True, None if empty and not field.required else _filled(whole, reader.languages, empty)
    if field.kind == "when":
        return _picked(entry, form, language, ranges=True)
    if field.kind == "levels":
        return _picked(entry, form, language, ranges=False)
    if field.kind in {"level", "worth"}:
        return _by_attribute(entry, form, language)
    if name not in form:
        return False, None
    typed = _text(form.get(name, "")).strip()
    if field.kind == "flag":
        return True, "yes" in form.getlist(name)
    if field.kind == "words":
        chosen = [one for one in form.getlist(name) if one] if entry.picks else re.split(r"[\s,;]+", typed)
        values = [one for one in chosen if one]
        return True, values if values or field.required else None
    if field.kind == "numbers":
        values = numbers(typed, language)
        return True, values if values or field.required else None
    if field.kind in {"integer", "number"}:
        if shown_number(old, language) == typed:
            return True, old
        return True, number(typed, language) if typed or field.required else None
    if field.kind == "choice" and field.name == "required" and typed in {"true", "false"}:
        return True, typed == "true"
    if field.name == "format" and typed == "1":
        return True, 1
    return True, typed if typed or field.required else None


def _filled(texts: dict[str, Any], languages: Sequence[str], empty: bool) -> dict[str, Any]:
    return {**dict.fromkeys(languages, ""), **texts} if empty else texts


def _picked(entry: Entry, form: MultiDict[str, str], language: str, *, ranges: bool) -> tuple[bool, Any]:
    """Pick lists by question or attribute; what the file names and nobody offers is kept as long as it is ticked."""
    if entry.name not in form:
        return False, None
    found: dict[str, Any] = {}
    old = entry.value if isinstance(entry.value, Mapping) else {}
    for group in dict.fromkeys([*old, *(pick[0] for pick in entry.picks)]):
        name = f"{entry.name}.{group}"
        low, high = (_text(form.get(f"{name}.{end}", "")).strip() for end in ("from", "to"))
        if ranges and (low or high):
            found[group] = {end: number(typed, language) for end, typed in (("from", low), ("to", high)) if typed}
        elif picked := form.getlist(name):
            found[group] = picked
    return True, found if found or entry.field.required else None


def _by_attribute(entry: Entry, form: MultiDict[str, str], language: str) -> tuple[bool, Any]:
    names = {pick[0]: f"{entry.name}.{pick[0]}" for pick in entry.picks}
    if not any(name in form for name in names.values()):
        return False, None
    typed = {group: _text(form.get(name, "")).strip() for group, name in names.items()}
    if entry.field.kind == "level":
        return True, {group: text for group, text in typed.items() if text}
    return True, {group: numbers(text, language) for group, text in typed.items() if text}


def _same(old: Any, new: Any) -> bool:
    return (type(old) is type(new) and old == new) or (
        isinstance(old, int | float)
        and isinstance(new, int | float)
        and not isinstance(old, bool)
        and not isinstance(new, bool)
        and old == new
    )


def _is_default(field: Field, value: Any) -> bool:
    return (
        value is None
        or value == field.default
        or (field.kind == "words" and value == [])
        or (field.name == "required" and value is True)
    )


def _text(typed: str) -> str:
    return typed.replace("\r\n", "\n").replace("\r", "\n")


def number(typed: str, language: str) -> int | float | str:
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
    return [number(part, language) for part in parts if part]


def shown_number(value: Any, language: str) -> str:
    """A number as an author of this language types it; whatever else the file has there, as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    text = f"{value:.15g}"
    return text.replace(".", ",") if language == "de" else text
