"""The mapping page of an import: what it offers to choose, and the mapping that its form says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from wtp.imports import File, Mapping, Table, guess
from wtp.imports.answers import column_name, items_of, options_of
from wtp.imports.guess import patterns_of
from wtp.imports.levels import none_rows
from wtp.imports.mapping import ALTERNATIVE, LAYOUTS, LEVEL, LONG, NONE, ROLES, TASK, TASKS
from wtp.imports.picks import pick_of
from wtp.imports.rows import alternative_rows, columns_of, distinct, prepared
from wtp.imports.values import levels_of, matched
from wtp.survey.definition import Definition
from wtp.survey.questions import GaborGranger, Kano, MultipleChoice, SingleChoice, TimeGrid, VanWestendorp
from wtp.web.i18n import text as said

MOST_VALUES = 30
LONGEST_LIST = 150  # more columns than that are typed, with suggestions
_DECIMALS = ("", ".", ",")


@dataclass(frozen=True, slots=True)
class Value:
    """A value found in the file and what it means now; "" if that is not known."""

    found: str
    means: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that a column can be: `name` of its field, `label`, the column now, and the values found with what they can mean."""

    name: str
    label: str
    column: str
    values: tuple[Value, ...] = ()
    means: tuple[tuple[str, str], ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with a choice of column for each of its parts."""

    label: str
    parts: tuple[Choice, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Offer:
    """Everything that the page shows."""

    mapping: Mapping
    table: Table
    columns: tuple[str, ...]
    roles: tuple[Choice, ...]
    attributes: tuple[Choice, ...]
    questions: tuple[Asked, ...]
    answers_columns: tuple[str, ...]
    preview: tuple[tuple[int, tuple[str, ...]], ...]


def layouts() -> dict[str, str]:
    """The layouts in the words of the page."""
    return {
        "long": _("A row an alternative (long; Sawtooth, Conjointly, our own)"),
        "tasks": _("A row a choice task"),
        "respondents": _("A row a respondent (Qualtrics)"),
    }


def role_names() -> dict[str, str]:
    """What a column can be, in the words of the page."""
    return {
        "respondent": _("Respondent"),
        "task": _("Choice task"),
        "alternative": _("Alternative"),
        "chosen": _("What was chosen"),
        "buys": _("Would it be bought? (asked after the choice)"),
        "none": _("None of these (the row of the none option)"),
        "available": _("Was it available?"),
        "kind": _("Kind of choice task"),
        "order": _("Place of the choice task in the interview"),
        "simulated": _("Simulated"),
        "language": _("Language of the interview"),
    }


def parsed(form: MultiDict[str, str], file: File, before: Mapping, definition: Definition) -> Mapping:
    """The mapping that was sent; whatever is no column of the file is left empty. Another layout or table is guessed anew."""
    layout, table_name = form.get("layout", ""), form.get("table", "")
    layout = layout if layout in LAYOUTS else before.layout
    names = {table.name for table in file.tables}
    table_name = table_name if table_name in names else before.table
    if layout != before.layout or table_name != before.table:
        return guess(file, definition, layout, table_name)
    table = prepared(file.table(table_name), definition)

    def column(name: str) -> str:
        typed = form.get(name, "")
        return typed if LEVEL in typed or columns_of(typed, table.columns) else ""

    answers_table = form.get("answers_table", "")
    answers_table = answers_table if answers_table in names and answers_table != table_name else ""
    there = file.table(answers_table or table_name).columns
    wanted = [column_name(q.id, item) for q in definition.questions for item in items_of(q)]
    answers = {name: typed for name in wanted if (typed := form.get(f"q-{name}", "")) in there}
    attributes = (*(a.id for a in definition.attributes), "price")
    decimal = form.get("decimal", "")
    return Mapping.model_validate(
        {
            "layout": layout,
            "table": table_name,
            "answers_table": answers_table,
            "decimal": decimal if decimal in _DECIMALS else "",
            **{role: column(f"c-{role}") for role in ROLES},
            "chosen_is": "number" if layout != LONG or form.get("chosen_is") == "number" else "mark",
            "none_option": form.get("none_option") == "yes",
            "attributes": {name: column(f"a-{name}") for name in attributes},
            "levels": {name: _pairs(form, name, levels_of(definition, name).ids) for name in attributes},
            "picks": _pairs(form, "chosen", [NONE, *(str(n) for n in range(1, 13))]),
            "answers": answers,
            "options": {
                q.id: _pairs(form, f"q-{q.id}", _options(q)[0])
                for q in definition.questions
                if isinstance(q, SingleChoice | MultipleChoice)
            },
        }
    )


def _pairs(form: MultiDict[str, str], name: str, allowed: Sequence[str]) -> dict[str, str]:
    """Value found -> what it means, of the values that have a meaning."""
    pairs = zip(form.getlist(f"v-{name}"), form.getlist(f"m-{name}"), strict=False)
    return {value: means for value, means in pairs if means in allowed}


def offer(file: File, mapping: Mapping, definition: Definition) -> Offer:
    """What can be chosen for a file as it is mapped now."""
    table = prepared(file.table(mapping.table), definition)
    columns = _columns(mapping, table)
    rows = alternative_rows(table, mapping, definition)
    names = role_names()
    wanted = [role for role in ROLES if _fits(role, mapping.layout)]
    roles = tuple(_role(role, names[role], mapping, rows) for role in wanted)
    nothing = none_rows(rows, mapping) if len(rows) else None
    attributes = tuple(
        _attribute(name, label, mapping, rows if nothing is None else rows[~nothing], definition)
        for name, label in (
            *((a.id, said(a.label)) for a in definition.attributes),
            ("price", said(definition.price.label)),
        )
    )
    answers = file.table(mapping.answers_table) if mapping.answers_table else table
    questions = tuple(
        Asked(said(q.label), tuple(_part(q, item, mapping, answers) for item in items_of(q)))
        for q in definition.questions
    )
    preview = tuple(
        zip(map(int, table.rows[:5]), (tuple(row) for row in table.cells.head(5).itertuples(index=False)), strict=False)
    )
    return Offer(mapping, table, columns, roles, attributes, questions, answers.columns, preview)


def _columns(mapping: Mapping, table: Table) -> tuple[str, ...]:
    """Columns, and before them the patterns that can stand for many."""
    used = [column for column in mapping.columns().values() if column not in table.columns]
    if mapping.layout == LONG:
        return (*dict.fromkeys(used), *table.columns)
    offered = [p for p in patterns_of(table.columns) if (TASK in p) != (mapping.layout == TASKS) or ALTERNATIVE in p]
    return (*dict.fromkeys([*used, *offered[:60]]), *table.columns)


def _fits(role: str, layout: str) -> bool:
    return layout == LONG or (role not in {"alternative"} and not (role == "task" and layout != TASKS))


def _role(role: str, label: str, mapping: Mapping, rows: pd.DataFrame) -> Choice:
    column = str(getattr(mapping, role))
    if role != "chosen" or not column or mapping.chosen_is != "number" or rows.empty:
        return Choice(f"c-{role}", label, column)
    from_file = [value for value in pd.unique(rows["chosen"]) if value]
    means = ((NONE, _("none of these")), *((str(n), _("alternative %(number)s", number=n)) for n in range(1, 13)))
    values = tuple(Value(value, _pick(value, mapping)) for value in from_file[:MOST_VALUES])
    return Choice(f"c-{role}", label, column, values, means, max(0, len(from_file) - MOST_VALUES))


def _pick(value: str, mapping: Mapping) -> str:
    found = pick_of(value, mapping.picks)
    return NONE if found == "0" else found


def _attribute(name: str, label: str, mapping: Mapping, rows: pd.DataFrame, definition: Definition) -> Choice:
    column = mapping.attributes.get(name, "")
    known = levels_of(definition, name)
    if name == "price":
        means = tuple((one, f"{one} {definition.currency}") for one in known.ids)
    else:
        means = tuple((level.id, said(level.label)) for level in definition.attribute(name).levels)
    if not column or rows.empty:
        return Choice(f"a-{name}", label, column, (), means)
    found = distinct(rows, name)
    meant = matched(found, known, mapping.levels.get(name, {}), mapping.decimal)
    values = sorted((Value(value, meant[value]) for value in found), key=lambda one: bool(one.means))
    return Choice(f"a-{name}", label, column, tuple(values[:MOST_VALUES]), means, max(0, len(values) - MOST_VALUES))


def _part(question: object, item: str, mapping: Mapping, table: Table) -> Choice:
    name = column_name(question.id, item)  # type: ignore[attr-defined]
    column = mapping.answers.get(name, "")
    label = _item_label(question, item)
    if item or not isinstance(question, SingleChoice) or column not in table.columns:
        return Choice(f"q-{name}", label, column)
    ids, labels = _options(question)
    found = [value for value in pd.unique(table.cells[column]) if value]
    known = options_of(question)
    meant = matched(found, known, mapping.options.get(question.id, {}))
    values = sorted((Value(value, meant[value]) for value in found), key=lambda one: bool(one.means))
    means = tuple(zip(ids, labels, strict=True))
    return Choice(f"q-{name}", label, column, tuple(values[:MOST_VALUES]), means, max(0, len(values) - MOST_VALUES))


def _options(question: SingleChoice | MultipleChoice) -> tuple[tuple[str, ...], tuple[str, ...]]:
    known = options_of(question)
    wordings = [said(option.label) for option in question.options]
    if isinstance(question, SingleChoice) and question.unsure:
        wordings.append(said(question.unsure))
    return known.ids, tuple(wordings)


def _item_label(question: object, item: str) -> str:
    """What a part of a question is called; "" for the question itself."""
    if not item:
        return _("several answers in one column") if isinstance(question, MultipleChoice) else ""
    if isinstance(question, Kano):
        return said(question.with_it if item == "with" else question.without_it)
    if isinstance(question, VanWestendorp):
        return said(getattr(question, item))
    if isinstance(question, GaborGranger):
        return item
    if isinstance(question, TimeGrid):
        entries = question.days
    else:
        entries = question.options if isinstance(question, MultipleChoice) else question.items  # type: ignore[attr-defined]
    return next(said(entry.label) for entry in entries if entry.id == item)
