"""Every layout as one: a row an alternative, cells still as they were found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.imports.mapping import ALTERNATIVE, LEVEL, LONG, TASK, TASKS, Mapping
from wtp.imports.tables import Table
from wtp.imports.values import levels_of, plain
from wtp.survey.definition import Definition

SEVERAL = "several levels at once"
_CELLS = ("respondent", "task", "alternative", "chosen", "buys", "none", "available", "kind", "order", "simulated", "language")  # fmt: skip
_RANDOM_ORDER = re.compile(r"F-(\d+)-(\d+)-(\d+)")
PREFIX = "="  # before the name of an attribute, so that it is no role


def columns_of(pattern: str, columns: Sequence[str]) -> dict[tuple[int, int], str]:
    """(task, alternative) -> column for every column that a pattern stands for; 0 where the pattern has no such place."""
    if TASK not in pattern and ALTERNATIVE not in pattern:
        return {(0, 0): pattern} if pattern in columns else {}
    order = sorted((pattern.index(place), place) for place in (TASK, ALTERNATIVE) if place in pattern)
    wanted = re.escape(pattern)
    for _, place in order:
        wanted = wanted.replace(re.escape(place), r"(\d{1,4})", 1)
    found = {}
    for column in columns:
        if match := re.fullmatch(wanted, column):
            numbers = {place: int(match[n]) for n, (_, place) in enumerate(order, 1)}
            found[numbers.get(TASK, 0), numbers.get(ALTERNATIVE, 0)] = column
    return found


def column_at(pattern: str, task: int, alternative: int) -> str:
    """The column that a pattern means there, as it is called in the file."""
    return pattern.replace(TASK, str(task)).replace(ALTERNATIVE, str(alternative)).replace(LEVEL, "…")


def prepared(table: Table, definition: Definition) -> Table:
    """A table in which attributes whose order differs from respondent to respondent have columns of their own.

    Surveys that draw the order write the name of an attribute in F-task-attribute and its level in F-task-alternative-attribute (Strezhnev, Hainmueller, Hopkins and Yamamoto 2014);
    the result has F-task-alternative-id with the level of one attribute throughout.
    """
    places = {
        column: tuple(map(int, match.groups()))
        for column in table.columns
        if (match := _RANDOM_ORDER.fullmatch(column))
    }
    if not places:
        return table
    cells = table.cells
    names = {plain(label): a.id for a in definition.attributes for label in (a.id, *a.label.values())}
    names |= {plain(label): "price" for label in ("price", *definition.price.label.values())}
    made: dict[str, pd.Series] = {}
    for column, (task, alternative, attribute) in places.items():
        heading = f"F-{task}-{attribute}"
        if heading not in cells:
            continue
        which = cells[heading].map(lambda text: names.get(plain(text), ""))
        for name in sorted(set(which) - {""}):
            target = f"F-{task}-{alternative}-{name}"
            before = made.get(target, pd.Series("", index=cells.index, dtype=object))
            made[target] = before.where(which != name, cells[column])
    return Table(table.name, pd.concat([cells, pd.DataFrame(made)], axis=1), table.rows, table.heads)


def alternative_rows(table: Table, mapping: Mapping, definition: Definition) -> pd.DataFrame:
    """One row an alternative: row (in the file), t and k (numbers in the patterns, 0 without), a text column a role, and one an attribute under "=" and its id."""
    asked = {*(a.id for a in definition.attributes), "price"}
    attributes = {name: column for name, column in mapping.attributes.items() if column and name in asked}
    if mapping.layout == LONG:
        blocks = [(0, 0)]
    else:
        blocks = sorted(
            {
                place
                for pattern in attributes.values()
                for place in columns_of(_without_level(pattern, definition, table), table.columns)
            }
        )
    parts = [_block(table, mapping, attributes, definition, task, alternative) for task, alternative in blocks]
    if not parts:
        return pd.DataFrame(columns=["row", "t", "k", *_CELLS, *(f"{PREFIX}{name}" for name in attributes)])
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.sort_values(["at", "t", "k"], kind="stable", ignore_index=True)
    return _asked(rows, mapping, list(attributes))


def check_columns(table: Table, mapping: Mapping) -> None:
    """Raises DataError if the mapping names a column that is not there."""
    for role, pattern in mapping.columns().items():
        whole = LEVEL in pattern or columns_of(pattern, table.columns)
        if not whole:
            raise DataError(
                f"mapping, {role}: no column {pattern[:80]!r}; allowed: a column of the file, or a pattern of some; choose another one."
            )


def _without_level(pattern: str, definition: Definition, table: Table) -> str:
    """A pattern of 0/1 columns as that of the first level that has one."""
    if LEVEL not in pattern:
        return pattern
    ids = [level for a in definition.attributes for level in a.level_ids]
    tried = (pattern.replace(LEVEL, level) for level in ids)
    return next((one for one in tried if columns_of(one, table.columns)), pattern)


def _block(
    table: Table, mapping: Mapping, attributes: dict[str, str], definition: Definition, task: int, alternative: int
) -> pd.DataFrame:
    cells, length = table.cells, len(table.cells)
    empty = pd.Series("", index=cells.index, dtype=object)

    def cell(pattern: str) -> pd.Series:
        name = column_at(pattern, task, alternative) if pattern else ""
        return pd.Series(cells.get(name, empty))

    made: dict[str, object] = {"at": np.arange(length), "row": table.rows, "t": task, "k": alternative}
    made |= {role: cell(str(getattr(mapping, role))) for role in _CELLS}
    if mapping.layout != LONG:
        made["alternative"] = str(alternative)
        made["task"] = str(task) if mapping.layout != TASKS else made["task"]
    for name, pattern in attributes.items():
        if LEVEL not in pattern:
            made[f"{PREFIX}{name}"] = cell(pattern)
            continue
        ids = levels_of(definition, name).ids
        marks = {
            level: cell(pattern.replace(LEVEL, level))
            for level in ids
            if column_at(pattern.replace(LEVEL, level), task, alternative) in cells
        }
        rest = next((level for level in ids if level not in marks), "") if marks else ""
        value, count = pd.Series(rest, index=cells.index, dtype=object), pd.Series(0, index=cells.index)
        for level, mark in marks.items():
            there = mark.isin(["1", "1.0", "TRUE", "True"])
            value, count = value.where(~there, level), count + there
        made[f"{PREFIX}{name}"] = value.where(count < 2, SEVERAL)
    return pd.DataFrame(made)


def _asked(rows: pd.DataFrame, mapping: Mapping, attributes: list[str]) -> pd.DataFrame:
    """Without alternatives that were not available, and without those of choice tasks that somebody was not asked: nothing shown, nothing chosen."""
    if mapping.available:
        rows = rows[~rows["available"].isin(["0", "0.0", "FALSE", "False", "false", "no"])]
    if mapping.layout != LONG and attributes:
        bare = (rows[[f"{PREFIX}{name}" for name in attributes]] == "").all(axis=1)
        rows = rows[~bare]
    if mapping.layout == TASKS and not mapping.task:
        first = rows.drop_duplicates("at")
        running = first.groupby("respondent", sort=False).cumcount() + 1
        rows = rows.assign(task=rows["at"].map(dict(zip(first["at"], running.astype(str), strict=True))))
    return rows.drop(columns="at").reset_index(drop=True)


def distinct(rows: pd.DataFrame, attribute: str, most: int = 500) -> tuple[str, ...]:
    """The values of an attribute in the order found, without empty ones."""
    found: Iterator[str] = (value for value in pd.unique(rows[f"{PREFIX}{attribute}"]) if value)
    return tuple(value for value, _ in zip(found, range(most), strict=False))
