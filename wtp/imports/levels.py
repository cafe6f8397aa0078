"""The levels and prices of every alternative, and which of them are the none option."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.imports.mapping import LEVEL, Mapping
from wtp.imports.problems import short
from wtp.imports.rows import PREFIX, SEVERAL, column_at
from wtp.imports.values import AMBIGUOUS, NOTHING, decimal_mark, each, levels_of, matched, number_of, plain, truth_of
from wtp.survey.definition import Definition
from wtp.survey.labels import has

_EMPTY = {"", "0", "0.0", *NOTHING}


@dataclass(frozen=True, eq=False, slots=True)
class Levels:
    """none: whether a row is the none option. ids: attribute -> id of the level a row, "" where it has none. prices: NaN of the none option. usable: nothing is wrong with the row."""

    none: np.ndarray
    ids: dict[str, np.ndarray]
    prices: np.ndarray
    usable: np.ndarray


def read_levels(rows: pd.DataFrame, columns: Mapping, definition: Definition, report: Callable[..., None]) -> Levels:
    """What every row shows; each cell that is no level or price of the study is reported."""
    none = none_rows(rows, columns)
    usable = np.ones(len(rows), dtype=bool)
    ids: dict[str, np.ndarray] = {}
    prices = np.full(len(rows), np.nan)
    labelled = definition.choice_tasks.labels
    names = [a.id for a in definition.attributes]
    for name in (*sorted(names, key=lambda one: one != labelled), "price"):
        if not columns.attributes.get(name):
            ids[name] = np.full(len(rows), "", dtype=object)
            usable[:] = False
            continue
        cells = rows[f"{PREFIX}{name}"]
        known = levels_of(definition, name)
        asked = ~none
        lacks = _lacking(name, definition, ids)
        found = matched(
            [value for value in pd.unique(cells[asked]) if value], known, columns.levels.get(name, {}), columns.decimal
        )
        made = cells.map(lambda value, found=found: found.get(value, "")).to_numpy(dtype=object, copy=True)
        made[none] = ""
        wrong = asked & (made == "") & ~(lacks & cells.isin(["", "0"]).to_numpy())
        surplus = asked & lacks & ~cells.isin(["", "0"]).to_numpy()
        made[lacks] = ""
        _report(rows, name, columns, known.ids, wrong & ~surplus, surplus, definition, report)
        usable &= ~(wrong | surplus)
        ids[name] = made
    at = {f"{price:.15g}": price for price in definition.price.levels}
    prices[:] = [at.get(made, np.nan) for made in ids.pop("price")]
    ordered = {name: ids[name] for name in names}
    return Levels(none, ordered, prices, usable)


def none_rows(rows: pd.DataFrame, columns: Mapping) -> np.ndarray:
    """Rows of the none option: the file says so, or neither an attribute nor the price has anything."""
    if columns.none:
        return np.array(each(rows["none"], lambda text: truth_of(text) is True or plain(text) in NOTHING), dtype=bool)
    coded = {name for name, column in columns.attributes.items() if LEVEL in column}
    names = [str(name) for name in rows if str(name).startswith(PREFIX)]
    cells = [rows[name] for name in names if name.removeprefix(PREFIX) not in coded]
    if not cells:
        return np.zeros(len(rows), dtype=bool)
    empty = [np.array(each(cell, lambda text: plain(text) in _EMPTY), dtype=bool) for cell in cells]
    return np.asarray(np.logical_and.reduce(empty))


def _lacking(name: str, definition: Definition, ids: dict[str, np.ndarray]) -> np.ndarray:
    """Rows whose label does not have an attribute."""
    labelled = definition.choice_tasks.labels
    length = len(next(iter(ids.values()))) if ids else 0
    if not labelled or name in {"price", labelled} or labelled not in ids:
        return np.zeros(length, dtype=bool) if ids else np.array(False)
    attribute = definition.attribute(name)
    return np.array([bool(label) and not has(attribute, label) for label in ids[labelled]], dtype=bool)


def _report(
    rows: pd.DataFrame,
    name: str,
    columns: Mapping,
    allowed: tuple[str, ...],
    wrong: np.ndarray,
    surplus: np.ndarray,
    definition: Definition,
    report: Callable[..., None],
) -> None:
    low, high = definition.price.levels[0], definition.price.levels[-1]
    cells = rows[f"{PREFIX}{name}"]
    ambiguous = name == "price" and not columns.decimal and decimal_mark(cells) == AMBIGUOUS
    for at in np.nonzero(wrong | surplus)[0]:
        value, row = cells.iloc[at], rows.iloc[at]
        amount = number_of(value, columns.decimal) if name == "price" else None
        if surplus[at]:
            code = "surplus_level"
        elif not value or value == SEVERAL:
            code = "missing_level" if not value else "unknown_level"
        elif name != "price":
            code = "unknown_level"
        elif ambiguous:
            code = "price_ambiguous"
        elif amount is None:
            code = "price_unreadable"
        else:
            code = "price_between" if low <= amount <= high else "price_outside"
        place = column_at(columns.attributes[name], int(row["t"]), int(row["k"]))
        report(code, row["row"], place, value, "" if surplus[at] else short(", ".join(allowed), 200), row["respondent"])
