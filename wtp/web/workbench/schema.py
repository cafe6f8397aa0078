"""From the schema of a survey to what its forms need: which fields a table has, of which kind, and what a new table begins with.

Whatever the definition can say has a field here, since the fields are read from the definition itself.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from wtp.survey import Definition
from wtp.survey.attributes import Record
from wtp.survey.editing import Place, value_at
from wtp.survey.pages import Page, QuestionPage
from wtp.survey.questions import Question
from wtp.survey.texts import languages_of
from wtp.survey.wording import Language, Text

Kind = Literal[
    "wording", "text", "integer", "number", "flag", "choice", "words", "numbers", "when", "level", "levels", "worth", "record", "records"
]  # fmt: skip
# Texts that are longer than a line.
_LONG = {"text", "description", "help"}


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a table. `record` is the table of a "record" or of the entries of "records"; `least` how many entries there must be."""

    name: str
    kind: Kind
    required: bool
    default: Any = None
    choices: tuple[str, ...] = ()
    record: type[Record] | None = None
    least: int = 0
    long: bool = False
    start: Any = None


def by_type(union: Any) -> dict[str, type[Record]]:
    """The tables of a union by their type: pages or questions."""
    found = {}
    for part in _members(union):
        model = _bare(part)
        found[get_args(model.model_fields["type"].annotation)[0]] = model
    return found


def model_at(content: Any, place: Place) -> type[Record] | None:
    """The table that belongs at a place, whether it is there or not; None for places that the definition has not."""
    model: type[Record] | None = Definition
    rest = list(place)
    walked: Place = ()
    while rest:
        part = rest.pop(0)
        if model is None or not isinstance(part, str) or part not in model.model_fields:
            return None
        walked = (*walked, part)
        if walked[-1] in {"pages", "questions"}:
            types_, field = (PAGES if part == "pages" else QUESTIONS), None
        else:
            types_, field = {}, next((f for f in fields_of(model) if f.name == part), None)
        if rest and isinstance(rest[0], int):
            walked = (*walked, rest.pop(0))
            entry = value_at(content, walked)
            if entry is None:
                return None
            model = (
                types_.get(str(entry.get("type")))
                if types_ and isinstance(entry, Mapping)
                else field.record
                if field
                else None
            )
        elif field is not None and field.kind == "record":
            model = field.record
        else:
            return None if rest or types_ or field is None or field.kind != "records" else field.record
    return model


@cache
def fields_of(model: type[Record]) -> tuple[Field, ...]:
    """The fields of a table in the schema's order; its type and lists of questions have pages of their own."""
    return tuple(
        _field(name, info)
        for name, info in model.model_fields.items()
        if name != "type"
        and not (model is QuestionPage and name == "questions")
        and (model, name) != (Definition, "pages")
    )


def skeleton(content: Mapping[str, Any], model: type[Record], place: Place, kind: str | None = None) -> dict[str, Any]:
    """A new table for the list at a place: what must be there, empty or with a first guess, and an id that no other has."""
    found: dict[str, Any] = {"type": kind} if kind else {}
    listed = value_at(content, place)
    taken = [entry.get("id") for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    if place[-1] == "questions":
        pages = content.get("pages", [])
        taken = [q.get("id") for page in pages for q in page.get("questions", []) if isinstance(q, Mapping)]
    for field in fields_of(model):
        if field.name == "id":
            stem = kind or ("step" if place[-1] == "process" else str(place[-1]).rstrip("s"))
            number = next(n for n in range(1, len(taken) + 2) if f"{stem}_{n}" not in taken)
            found["id"] = f"{stem}_{number}"
        elif field.required:
            found[field.name] = _first(content, field, place)
    return found


def _first(content: Mapping[str, Any], field: Field, place: Place) -> Any:
    """What a field that must be there begins with."""
    attributes = [a for a in content.get("attributes", []) if isinstance(a, Mapping)]
    levels = {str(a.get("id")): [str(one.get("id")) for one in a.get("levels", [])] for a in attributes}
    prices = value_at(content, ("price", "levels"))
    guess = value_at(content, ("price", "current")) if "price" in field.name and field.start is None else field.start
    firsts: dict[str, Callable[[], Any]] = {
        "wording": lambda: dict.fromkeys(languages_of(content), ""),
        "records": lambda: _entries(content, field),
        "record": lambda: skeleton(content, field.record, (field.name,)) if field.record else {},
        "levels": lambda: {name: ids[:1] for name, ids in list(levels.items())[:1]},
        "level": lambda: {name: ids[0] for name, ids in levels.items() if ids},
        "worth": lambda: {name: [0] * len(ids) for name, ids in levels.items()},
        "numbers": lambda: list(prices) if isinstance(prices, list) else [],
        "integer": lambda: 1 if guess is None else guess,
        "number": lambda: 1 if guess is None else guess,
        "choice": lambda: field.choices[0],
        "when": dict,
        "words": list,
        "flag": lambda: False,
    }
    if field.kind == "text":
        return "level_1" if field.name == "current" else ""
    return firsts[field.kind]()


def _entries(content: Mapping[str, Any], field: Field) -> list[dict[str, Any]]:
    """As many empty entries as there must be, each with an id of its own."""
    found: list[dict[str, Any]] = []
    for _ in range(max(field.least, 1)):
        if field.record is not None:
            found.append(skeleton({**content, field.name: found}, field.record, (field.name,)))
    return found


def _field(name: str, info: Any) -> Field:
    required = info.is_required()
    annotation, metadata = _unwrapped(info.annotation, list(info.metadata))
    kind, record = _kind(name, annotation)
    choices: tuple[str, ...] = ()
    if kind == "choice":
        choices = ("true", "ask", "false") if name == "required" else tuple(map(str, get_args(annotation)))
    least = _said(metadata, "min_length") or 0
    start = _said(metadata, "ge")
    if _said(metadata, "lt") == 0:
        start = -0.1
    elif start is None and _said(metadata, "gt") is not None and "price" not in name:
        start = 1
    default = None if required else info.default
    return Field(name, kind, required, default, choices, record, least, name in _LONG, start)


def _said(metadata: Sequence[Any], bound: str) -> Any:
    """What a limit of the schema says, such as ge or min_length."""
    return next((value for one in metadata if (value := getattr(one, bound, None)) is not None), None)


def _kind(name: str, annotation: Any) -> tuple[Kind, type[Record] | None]:
    simple: dict[Any, Kind] = {bool: "flag", int: "integer", float: "number", dict[Language, Text]: "wording"}
    if name in {"when", "required"} and annotation is not bool:
        return ("when" if name == "when" else "choice"), None
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return "record", annotation
    if get_origin(annotation) is tuple:
        inner, _ = _unwrapped(get_args(annotation)[0], [])
        if isinstance(inner, type) and issubclass(inner, Record):
            return "records", inner
        return ("numbers" if inner is float else "words"), None
    if get_origin(annotation) is dict and annotation not in simple:
        value, _ = _unwrapped(get_args(annotation)[1], [])
        return ("level" if value is str else "worth" if float in get_args(value) else "levels"), None
    literal: Kind = "choice" if get_origin(annotation) is Literal else "text"
    return simple.get(annotation, literal), None


def _unwrapped(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any]]:
    """The type without Annotated and None, and all that was said about it."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            for one in more:
                metadata += getattr(one, "metadata", [one])
        elif get_origin(annotation) in {Union, types.UnionType} and type(None) in get_args(annotation):
            parts = [part for part in get_args(annotation) if part is not type(None)]
            annotation = parts[0] if len(parts) == 1 else Union[tuple(parts)]  # noqa: UP007 - made at run time
            if len(parts) > 1:
                return annotation, metadata
        else:
            return annotation, metadata


def _members(union: Any) -> Sequence[Any]:
    annotation, _ = _unwrapped(union, [])
    return get_args(annotation)


def _bare(part: Any) -> Any:
    return _unwrapped(part, [])[0]


PAGES = by_type(Page)
QUESTIONS = by_type(Question)
