"""Wilkinson formulas: from the columns of a frame to coded columns, and which levels they stand for.

Text is categorical, coded by treatment as if there were an intercept (which a choice between alternatives cannot identify, so its
column is dropped). The none option and a price that is not linear are taken out of the formula: their columns are made elsewhere.
A column whose name is no plain word stands in backquotes or in Q("..."), which a shell leaves alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula, ModelSpec, SimpleFormula
from formulaic.errors import FormulaicError

from wtp.errors import DataError

_MOST_LEVELS = 12
_QUOTED = re.compile(r"""\bQ\(\s*(["'])(.*?)\1\s*\)""")


@dataclass(frozen=True, slots=True)
class AttributeColumns:
    """An attribute and its columns: level utilities are `contrasts @ params`.

    levels: L values in order; contrasts: (L, K); numeric: the levels are points of a number line (the price is one). Where alternatives bear labels: of, the
    attribute whose columns these are for one label alone, as in "time" of "time (rail)"; only, the labels that have it, none for all.
    """

    name: str
    levels: tuple[Any, ...]
    contrasts: np.ndarray
    numeric: bool
    of: str = ""
    only: tuple[str, ...] = ()


def _parsed(formula: str) -> Formula:
    """The formula with Q("name") as `name`, so that a parameter is called by its column alone."""
    return Formula(_QUOTED.sub(r"`\2`", formula))


def variables(formula: str) -> tuple[str, ...]:
    """The columns that a formula needs, sorted. Raises DataError for what is no formula."""
    try:
        parsed = _parsed(f"1 + {formula}")
        if not isinstance(parsed, SimpleFormula):
            raise DataError(
                f"formula {formula!r}: '~' or '|' in it; allowed: terms as in 'brand + wifi + price'; drop the left side."
            )
        if not parsed.required_variables:
            raise DataError(
                f"formula {formula!r}: no column in it; allowed: terms as in 'brand + wifi + price'; add columns."
            )
        return tuple(sorted(map(str, parsed.required_variables)))
    except (FormulaicError, SyntaxError, ValueError, AttributeError, TypeError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
        raise DataError(
            f"formula {formula!r}: {reason}; allowed: Wilkinson notation as in 'brand + wifi + price'; mend it."
        ) from error


def terms(formula: str) -> tuple[tuple[str, ...], ...]:
    """The columns of each term of a formula but the intercept, functions as they are written."""
    found = (tuple(str(factor.expr) for factor in term.factors) for term in _parsed(f"1 + {formula}"))
    return tuple(term for term in found if term != ("1",))


def without(formula: str, column: str) -> str | None:
    """The formula without the term that is this column; None if nothing else is in it. Raises DataError where the column is in other terms."""
    rest = _parsed(f"1 + {formula} - `{column}`")
    if column in map(str, rest.required_variables):
        raise DataError(
            f"formula {formula!r}: {column!r} in an interaction or a function; allowed: a term of its own; write it as '+ {column}'."
        )
    return f"{formula} - `{column}`" if rest.required_variables else None


def code_formula(frame: pd.DataFrame, formula: str) -> tuple[pd.DataFrame, ModelSpec]:
    """Coded columns (rows, K) and how they came about; full-rank coding as if there were an intercept, whose column is then dropped."""
    try:
        matrix = _parsed(f"{formula} + 1").get_model_matrix(frame, na_action="ignore", context={"np": np})
    except (FormulaicError, SyntaxError, ValueError, TypeError, NameError, KeyError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise DataError(
            f"formula {formula!r}: {reason}; allowed: Wilkinson notation over the file's columns; mend it."
        ) from error
    if matrix.shape[1] < 2:
        raise DataError(
            f"formula {formula!r}: it codes to no column; allowed: columns with at least two values; mend it."
        )
    return matrix.drop(columns="Intercept"), matrix.model_spec


def attribute_columns(
    frame: pd.DataFrame,
    X: np.ndarray,
    names: Sequence[str],
    spec: ModelSpec,
    present: Mapping[str, np.ndarray] | None = None,
) -> tuple[AttributeColumns, ...]:
    """Each variable that stands alone in its terms, with its levels as they are coded in X (rows, K); interactions belong to no one attribute.

    present: (rows,) by variable where it belongs, by default everywhere.
    """
    columns: dict[str, list[int]] = {}
    for term, places in spec.term_indices.items():
        own = {str(v) for v in spec.term_variables[term] if str(v) in frame.columns}
        if len(own) == 1:
            columns.setdefault(own.pop(), []).extend(place - 1 for place in places if place > 0)
    attributes = []
    for name, places in columns.items():
        if not places:
            continue
        here = np.flatnonzero(present[name]) if present else np.arange(len(frame))
        levels, rows = shown_levels(frame[name].iloc[here])
        rows = here[rows]
        contrasts = np.zeros((len(levels), len(names)))
        contrasts[:, places] = X[rows][:, places]
        attributes.append(AttributeColumns(name, levels, contrasts, [names[k] for k in places] == [name]))
    return tuple(attributes)


def shown_levels(values: pd.Series) -> tuple[tuple[Any, ...], np.ndarray]:
    """Levels in order (categories in theirs, else sorted), each with a row where it is shown; of many numbers the lowest and the highest."""
    codes, found = pd.factorize(values, sort=True)
    first = np.full(len(found), -1)
    first[codes[::-1]] = np.arange(len(values))[::-1]
    if pd.api.types.is_numeric_dtype(values) and len(found) > _MOST_LEVELS:
        found, first = found[[0, -1]], first[[0, -1]]
    return tuple(value.item() if hasattr(value, "item") else value for value in found), first
