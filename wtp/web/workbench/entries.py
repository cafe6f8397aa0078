"""Forms of a study's parts: what the file says, field by field, with the mistakes beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from wtp.survey import Mistake
from wtp.survey.attributes import Record
from wtp.survey.editing import Place, value_at
from wtp.survey.load import references
from wtp.survey.questions import Asked
from wtp.survey.texts import languages_of
from wtp.web.i18n import language
from wtp.web.workbench import mistake_words, words
from wtp.web.workbench.schema import Field, fields_of

# Beside what is required, these are shown at once; all else is folded away until it is used.
_SHOWN = {
    "Level": {"unit_cost", "investment", "picture", "description"},
    "ChoiceTaskPlan": {
        "tasks",
        "alternatives",
        "none",
        "holdouts",
        "repeated",
        "warm_up",
        "versions",
        "method",
        "dominated",
        "labels",
        "at_most_once",
        "prohibited",
        "conditional_prices",
    },
    "Economics": {"illustrative", "purchases_per_year", "planning_years", "interest_rate", "route", "budget"},
    "ChoiceTaskPage": {"purchase_question"},
    "Attribute": {"description", "ordered", "best_first"},
    "Scale": {"low", "high"},
    "Number": {"low", "high", "whole", "money", "measures"},
    "MultipleChoice": {"measures"},
    "TimeGrid": {"measures"},
    "ProcessStep": {"supplier", "hours"},
    "ProcessTruth": {"steps", "windows", "hour_cost"},
    "StepTruth": {"matters", "satisfaction"},
    "QuestionPage": {"text"},
    "Rating": {"measures"},
    "Ranking": {"measures"},
    "Prohibition": {"prices"},
    "Simulation": {"spread"},
    "Panel": {"required", "sign_back", "check_links"},
    "Option": {"alone"},
    "Contacts": {"frequent_questions", "core_problem", "remedies"},
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
            if isinstance(text, Mapping):
                said_ = {one: t for one, t in text.items() if isinstance(t, str) and t.strip()}
                if said_:
                    return str(said_.get(language()) or next(iter(said_.values())))
        return str(value.get("id") or value.get("segment") or "")

    def where(self, place: Place) -> str:
        """A place in words: Attribute Speed › Level The same day › Words shown."""
        found: list[str] = []
        for n, part in enumerate(place):
            if isinstance(part, int) and n:
                table = value_at(self.content, place[: n + 1])
                title = self.title(table) if isinstance(table, Mapping) else ""
                found[-1] = f"{words.ONE_OF.get(str(place[n - 1]), place[n - 1])} {title or part + 1}"
            elif isinstance(part, str) and part in self.languages and n:
                found[-1] += f" ({part})"
            else:
                found.append(words.label("", str(part)))
        return " › ".join(found)

    def _picks(self, field: Field, model: type[Record], place: Place) -> tuple[Any, ...]:
        if field.kind == "choice":
            return tuple((name, words.choice(name)) for name in field.choices)
        if field.kind == "when":
            return self._conditions(numbers=model.__name__ != "Segment")
        if field.kind in {"level", "levels", "worth"}:
            return self._attributes()
        named = tuple((name, title) for name, title, _ in self._attributes())
        made: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
            ("ChoiceTaskPlan", "at_most_once"): (*named, ("price", words.label("", "price"))),
            ("ChoiceTaskPlan", "labels"): named,
            ("Attribute", "only"): self._labels(),
            ("LabelTaste", "label"): self._labels(),
            ("Contacts", "core_problem"): tuple(group[:2] for group in self._conditions(numbers=False)),
        }
        if (model.__name__, field.name) in made:
            return made[model.__name__, field.name]
        listed = {
            ("Attribute", "current"): (*place[:-1], "levels"),
            ("SingleChoice", "attention"): (*place[:-1], "options"),
            ("SimulatedSegment", "segment"): ("segments",),
            ("StepTruth", "step"): ("process",),
            ("Rating", "competitor"): ("competitors",),
        }.get((model.__name__, field.name))
        return self._listed(listed) if listed else ()

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

    def _labels(self) -> tuple[tuple[str, str], ...]:
        """The labels of the offers, none where no attribute labels them."""
        labels = value_at(self.content, ("choice_tasks", "labels"))
        return next((levels for name, _, levels in self._attributes() if name == labels), ())

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
    for pattern, text in mistake_words.PATTERNS.items():
        allowed = str(text) if pattern in allowed else allowed
    parts = [str(mistake_words.MISTAKES.get(part) or part) for part in (mistake.found, allowed, mistake.remedy)]
    where = f"{inner[-1]}: " if inner and inner[-1] in languages else ""
    found, allowed, remedy = parts
    return where + _("Found %(found)s; allowed: %(allowed)s; %(remedy)s.", found=found, allowed=allowed, remedy=remedy)
