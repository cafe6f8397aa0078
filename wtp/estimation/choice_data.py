"""`ChoiceData`: the one form of choice data that every estimator takes.

Stacked and ragged: alternatives are rows, sorted by respondent and choice task, so that unequal numbers of alternatives and
tasks cost nothing. Notation: N respondents, T choice tasks, A alternative rows, K parameters. Price in the currency unit of its
column, utility in logits.

`from_long` takes a frame with one row an alternative and a Wilkinson formula, and names every inconsistency with respondent,
choice task and row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula, ModelSpec, SimpleFormula
from formulaic.errors import FormulaicError

from wtp.errors import DataError

_MOST_LEVELS = 12
_MOST_PLACES = 5
_TRUE = {"true", "yes", "1", "1.0"}
_FALSE = {"false", "no", "0", "0.0"}
_LARGEST = 1e100  # squares and their sums stay finite
NONE = "none"


@dataclass(frozen=True, slots=True)
class AttributeColumns:
    """An attribute and its columns: level utilities are `contrasts @ params`.

    levels: L values in order; contrasts: (L, K); numeric: the levels are points of a number line (the price is one).
    """

    name: str
    levels: tuple[Any, ...]
    contrasts: np.ndarray
    numeric: bool


@dataclass(frozen=True, eq=False)
class ChoiceData:
    """Arrays of a set of answered choice tasks; read-only.

    X: (A, K) coded alternatives. starts: (T,) first row of each choice task. chosen: (T,) row of the chosen alternative.
    respondent: (T,) code 0..N-1, ascending. respondents: (N,) labels. names: K parameters. weights: (N,) survey weights with mean 1, or
    None. price: name of the price parameter, or None. covariates: one row a respondent, or None.
    """

    X: np.ndarray
    starts: np.ndarray
    chosen: np.ndarray
    respondent: np.ndarray
    respondents: np.ndarray
    names: tuple[str, ...]
    attributes: tuple[AttributeColumns, ...] = ()
    price: str | None = None
    weights: np.ndarray | None = None
    covariates: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        for array in (self.X, self.starts, self.chosen, self.respondent, self.respondents, self.weights):
            if array is not None:
                array.flags.writeable = False

    @classmethod
    def from_long(
        cls,
        frame: pd.DataFrame,
        formula: str,
        *,
        respondent: str = "respondent",
        choice_task: str = "choice_task",
        chosen: str = "chosen",
        price: str | None = "price",
        weights: str | None = None,
        covariates: Sequence[str] | None = None,
    ) -> ChoiceData:
        """Code a long frame, one row an alternative.

        formula: Wilkinson notation, text is categorical, no intercept ("brand + wifi + price"). A choice-task number may repeat
        across respondents. chosen: 0/1, true/false or yes/no, exactly one a choice task. weights: one positive number a respondent.

        Raises DataError naming column, row (the first row below the header is 1), respondent and choice task.
        """
        spec = _parse(formula)
        used = [*spec.required_variables]
        keys = [respondent, choice_task, chosen, *([weights] if weights else []), *(covariates or ())]
        _check_columns(frame, sorted(set(used)), keys, formula)
        _check_cells(frame, sorted(set(used) | set(keys)))
        frame = _numbers(frame, [*used, *([weights] if weights else [])], must={price, weights})
        picked = _truth(frame, chosen)

        person, labels = pd.factorize(frame[respondent])
        number, numbers = pd.factorize(frame[choice_task])
        task = pd.factorize(person * len(numbers) + number)[0]
        order = np.lexsort((np.arange(len(frame)), task, person))
        person, task, picked = person[order], task[order], picked[order]
        starts = np.flatnonzero(np.r_[True, task[1:] != task[:-1]])
        _check_tasks(frame, order, starts, picked, respondent, choice_task)

        matrix, model_spec = _code(frame, formula)
        X = np.ascontiguousarray(matrix.to_numpy(dtype=float)[order])
        names = tuple(map(str, matrix.columns))
        finite = np.abs(X) < _LARGEST
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise DataError(
                f"column {names[column]!r}, row {order[row] + 1}: not a finite number; allowed: numbers below {_LARGEST:g}; mend the cell or the formula."
            )
        return cls(
            X=X,
            starts=starts,
            chosen=np.flatnonzero(picked),
            respondent=person[starts],
            respondents=np.asarray(labels),
            names=names,
            attributes=_attributes(frame.iloc[order], X, names, model_spec),
            price=price if price in names else None,
            weights=_weights(frame, respondent, weights),
            covariates=_per_respondent(frame, respondent, list(covariates)) if covariates else None,
        )

    @property
    def none(self) -> int | None:
        """Column of the none constant, or None."""
        return self.names.index(NONE) if NONE in self.names else None

    @cached_property
    def sizes(self) -> np.ndarray:
        """(T,) number of alternatives of each choice task."""
        return np.diff(np.r_[self.starts, len(self.X)])

    @cached_property
    def task_of_row(self) -> np.ndarray:
        """(A,) choice task of each row."""
        return np.repeat(np.arange(len(self.starts)), self.sizes)

    @cached_property
    def first_tasks(self) -> np.ndarray:
        """(N,) first choice task of each respondent."""
        return np.flatnonzero(np.r_[True, self.respondent[1:] != self.respondent[:-1]])

    @cached_property
    def centred(self) -> np.ndarray:
        """(A, K) X less its mean in the choice task: the likelihood sees differences alone, and they lose no digits."""
        centred = np.repeat(np.add.reduceat(self.X, self.starts, axis=0) / -self.sizes[:, None], self.sizes, axis=0)
        centred += self.X
        return centred

    @cached_property
    def gram(self) -> np.ndarray:
        """(K, K) sum of squares and products of `centred`, scaled to a unit diagonal; 0 where a column never varies."""
        gram = self.centred.T @ self.centred
        size = np.sqrt(np.diag(gram))
        scale = np.divide(1, size, out=np.zeros_like(size), where=size > 0)
        return np.asarray(gram * scale[:, None] * scale)

    @cached_property
    def task_weights(self) -> np.ndarray:
        """(T,) survey weight of the respondent who answered, 1 without weights."""
        return np.ones(len(self.starts)) if self.weights is None else self.weights[self.respondent]

    def with_chosen(self, chosen: np.ndarray) -> ChoiceData:
        """The same tasks with other choices: (T,) rows."""
        return replace(self, chosen=chosen)

    def subset(self, respondents: np.ndarray) -> ChoiceData:
        """The choices of some respondents: (N,) booleans."""
        if not respondents.any():
            raise DataError("a subset of no respondent; allowed: at least one; choose another segment.")
        tasks = respondents[self.respondent]
        rows = np.repeat(tasks, self.sizes)
        new_row = np.cumsum(rows) - 1
        weights = None if self.weights is None else self.weights[respondents] / self.weights[respondents].mean()
        return replace(
            self,
            X=self.X[rows],
            starts=new_row[self.starts[tasks]],
            chosen=new_row[self.chosen[tasks]],
            respondent=(np.cumsum(respondents) - 1)[self.respondent[tasks]],
            respondents=self.respondents[respondents],
            weights=weights,
            covariates=None if self.covariates is None else self.covariates[respondents],
        )


def _parse(formula: str) -> Formula:
    try:
        parsed = Formula(f"1 + {formula}")
        if not isinstance(parsed, SimpleFormula):
            raise DataError(
                f"formula {formula!r}: '~' or '|' in it; allowed: terms as in 'brand + wifi + price'; drop the left side."
            )
        if not parsed.required_variables:
            raise DataError(
                f"formula {formula!r}: no column in it; allowed: terms as in 'brand + wifi + price'; add columns."
            )
        return parsed
    except (FormulaicError, SyntaxError, ValueError, AttributeError, TypeError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
        raise DataError(
            f"formula {formula!r}: {reason}; allowed: Wilkinson notation as in 'brand + wifi + price'; mend it."
        ) from error


def _code(frame: pd.DataFrame, formula: str) -> tuple[pd.DataFrame, ModelSpec]:
    """Full-rank coding as if there were an intercept, whose column is then dropped."""
    try:
        matrix = Formula(f"{formula} + 1").get_model_matrix(frame, na_action="ignore", context={"np": np})
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


def _check_columns(frame: pd.DataFrame, used: Sequence[str], keys: Sequence[str], formula: str) -> None:
    there = ", ".join(map(str, frame.columns))
    for column in keys:
        if column not in frame.columns:
            raise DataError(f"no column {column!r}; found: {there}; name the right column or add it.")
    twice = frame.columns[frame.columns.duplicated()].intersection([*keys, *used])
    if len(twice):
        raise DataError(f"column {twice[0]!r} stands there twice; found: {there}; drop or rename one of them.")
    unknown = [column for column in used if column not in frame.columns]
    if unknown:
        raise DataError(
            f"formula {formula!r}: no column {', '.join(map(repr, unknown))}; found: {there}; mend the formula."
        )
    if frame.empty:
        raise DataError("a header and no row; allowed: one row an alternative; export it again.")


def _places(rows: np.ndarray) -> str:
    shown = ", ".join(str(row + 1) for row in rows[:_MOST_PLACES])
    more = f" and {len(rows) - _MOST_PLACES:,} more" if len(rows) > _MOST_PLACES else ""
    return f"row{'s' * (len(rows) > 1)} {shown}{more}"


def _check_cells(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        empty = np.flatnonzero(frame[column].isna())
        if len(empty):
            raise DataError(
                f"column {column!r}, {_places(empty)}: empty; allowed: a value in every row; fill it in or drop the choice task."
            )


def _numbers(frame: pd.DataFrame, columns: Sequence[str], *, must: set[str | None]) -> pd.DataFrame:
    """The frame with numbers for texts of numbers in the columns that must be numbers.

    Text in a column of numbers would silently become a level; a column that is mostly numbers is meant as numbers.
    """
    for column in dict.fromkeys(columns):
        values = frame[column]
        if pd.api.types.is_numeric_dtype(values):
            infinite = np.flatnonzero(np.isinf(values.to_numpy(dtype=float)))
            if len(infinite):
                raise DataError(
                    f"column {column!r}, {_places(infinite)}: infinite; allowed: finite numbers; mend the cells."
                )
            continue
        if isinstance(values.dtype, pd.CategoricalDtype) and column not in must:
            continue
        codes, distinct = pd.factorize(values)
        read = pd.to_numeric(pd.Series(distinct, dtype=object), errors="coerce").to_numpy(dtype=float)
        wrong = np.flatnonzero(np.isnan(read)[codes])
        if len(wrong) and (column in must or len(wrong) < len(values) / 2):
            raise DataError(
                f"column {column!r}, {_places(wrong)}: {str(values.iloc[wrong[0]])[:40]!r} is not a number; "
                "allowed: numbers such as 12.5; mend the cells."
            )
        if column in must:
            frame = frame.assign(**{column: read[codes]})
    return frame


def _truth(frame: pd.DataFrame, column: str) -> np.ndarray:
    codes, distinct = pd.factorize(frame[column])
    text = pd.Series(distinct).astype(str).str.strip().str.lower()
    wrong = np.flatnonzero(~text.isin(_TRUE | _FALSE).to_numpy()[codes])
    if len(wrong):
        found = str(frame[column].iloc[wrong[0]])[:40]
        raise DataError(
            f"column {column!r}, {_places(wrong)}: {found!r}; allowed: 1 or 0, true or false, yes or no; mend the cells."
        )
    return np.asarray(text.isin(_TRUE).to_numpy()[codes])


def _check_tasks(
    frame: pd.DataFrame, order: np.ndarray, starts: np.ndarray, picked: np.ndarray, respondent: str, choice_task: str
) -> None:
    counts = np.add.reduceat(picked.astype(int), starts)
    sizes = np.diff(np.r_[starts, len(picked)])
    for wrong, found, allowed in (
        (sizes < 2, "a single alternative", "two or more alternatives a choice task"),
        (counts == 0, "none chosen", "exactly one chosen alternative"),
        (counts > 1, "{} chosen", "exactly one chosen alternative"),
    ):
        bad = np.flatnonzero(wrong)
        if not len(bad):
            continue
        rows = order[starts[bad[:_MOST_PLACES]]]
        places = "; ".join(
            f"respondent {frame[respondent].iloc[r]}, choice task {frame[choice_task].iloc[r]} (row {r + 1})"
            for r in rows
        )
        more = f" and {len(bad) - _MOST_PLACES:,} more" if len(bad) > _MOST_PLACES else ""
        raise DataError(
            f"{places}{more}: {found.format(counts[bad[0]])}; allowed: {allowed}; mend or drop these choice tasks."
        )


def _per_respondent(frame: pd.DataFrame, respondent: str, columns: list[str]) -> pd.DataFrame:
    """One row a respondent, in order of appearance, of columns that must not vary within one."""
    grouped = frame.groupby(respondent, sort=False)[columns]
    varies = grouped.nunique().gt(1)
    if varies.to_numpy().any():
        who, column = next((who, c) for c in columns for who in varies.index[varies[c]])
        raise DataError(
            f"column {column!r}, respondent {who}: several values; allowed: one value a respondent; mend the column."
        )
    return grouped.first()


def _weights(frame: pd.DataFrame, respondent: str, weights: str | None) -> np.ndarray | None:
    if weights is None:
        return None
    values = _per_respondent(frame, respondent, [weights])[weights]
    if (values <= 0).any():
        who = values.index[values <= 0][0]
        raise DataError(
            f"column {weights!r}, respondent {who}: {values[who]:g}; allowed: weights above 0; mend it or drop the respondent."
        )
    return np.asarray(values / values.mean(), dtype=float)


def _attributes(
    frame: pd.DataFrame, X: np.ndarray, names: Sequence[str], spec: ModelSpec
) -> tuple[AttributeColumns, ...]:
    """Each variable that stands alone in its terms, with its levels as they are coded; interactions belong to no one attribute."""
    columns: dict[str, list[int]] = {}
    for term, places in spec.term_indices.items():
        variables = {str(v) for v in spec.term_variables[term] if str(v) in frame.columns}
        if len(variables) == 1:
            columns.setdefault(variables.pop(), []).extend(place - 1 for place in places if place > 0)
    real = X[:, names.index(NONE)] == 0 if NONE in names else np.ones(len(X), dtype=bool)
    attributes = []
    for name, own in columns.items():
        if name == NONE or not own:
            continue
        levels, rows = _levels(frame[name][real], np.flatnonzero(real))
        contrasts = np.zeros((len(levels), len(names)))
        contrasts[:, own] = X[rows][:, own]
        numeric = [names[k] for k in own] == [name]
        attributes.append(AttributeColumns(name, levels, contrasts, numeric))
    return tuple(attributes)


def _levels(values: pd.Series, rows: np.ndarray) -> tuple[tuple[Any, ...], np.ndarray]:
    """Levels in order (categories in theirs, else sorted), each with a row where it is shown."""
    codes, found = pd.factorize(values, sort=True)
    first = np.full(len(found), -1)
    first[codes[::-1]] = rows[::-1]
    if pd.api.types.is_numeric_dtype(values) and len(found) > _MOST_LEVELS:
        found, first = found[[0, -1]], first[[0, -1]]
    return tuple(value.item() if hasattr(value, "item") else value for value in found), first
