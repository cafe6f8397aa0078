"""A long frame of choice data, one row an alternative: read, checked, and every inconsistency named where it is.

Places are told as respondent, choice task and row; the first row below the header is row 1, whatever was dropped or sorted before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from wtp.errors import DataError

_MOST_PLACES = 5
_TRUE = {"true", "yes", "1", "1.0"}
_FALSE = {"false", "no", "0", "0.0"}


@dataclass(frozen=True, eq=False, slots=True)
class LongFrame:
    """The frame with its rows sorted by respondent (in order of appearance) and choice task.

    rows: number in the file of each row. person, task: (A,) codes, ascending. labels: (N,) respondents. starts: (T,) first rows.
    """

    frame: pd.DataFrame
    rows: np.ndarray
    respondent: str
    choice_task: str
    person: np.ndarray
    task: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, frame: pd.DataFrame, respondent: str, choice_task: str) -> LongFrame:
        """Sort; a choice-task number may repeat across respondents."""
        person, labels = pd.factorize(frame[respondent])
        number, numbers = pd.factorize(frame[choice_task])
        task = pd.factorize(person * len(numbers) + number)[0]
        order = np.lexsort((np.arange(len(frame)), task, person))
        task = np.cumsum(np.r_[0, np.diff(task[order]) != 0])
        in_order = bool((np.diff(order) == 1).all())  # as most files are: no copy
        return cls(frame if in_order else frame.iloc[order], order + 1, respondent, choice_task, person[order], task, np.asarray(labels))  # fmt: skip

    @property
    def starts(self) -> np.ndarray:
        """(T,) first row of each choice task."""
        return np.flatnonzero(np.r_[True, np.diff(self.task) != 0])

    def where(self, kept: np.ndarray) -> LongFrame:
        """The rows for which `kept` (A,) holds; every respondent must keep some."""
        if kept.all():
            return self
        return replace(
            self, frame=self.frame[kept], rows=self.rows[kept], person=self.person[kept], task=self.task[kept]
        )

    def truth(self, column: str) -> np.ndarray:
        """(A,) booleans of a column of 0/1, true/false, yes/no."""
        codes, distinct = pd.factorize(self.frame[column])
        text = pd.Series(distinct).astype(str).str.strip().str.lower()
        wrong = np.flatnonzero(~text.isin(_TRUE | _FALSE).to_numpy()[codes])
        if len(wrong):
            found = str(self.frame[column].iloc[wrong[0]])[:40]
            raise DataError(
                f"column {column!r}, {_places(self.rows[wrong])}: {found!r}; allowed: 1 or 0, true or false, yes or no; mend the cells."
            )
        return np.asarray(text.isin(_TRUE).to_numpy()[codes])

    def of_tasks(self, column: str) -> np.ndarray:
        """(T,) 1 or 0 of a column with one answer a choice task, -1 where its cells are empty."""
        known = self.frame[column].notna().to_numpy()
        value = np.full(len(self.frame), -1)
        if known.any():
            value[known] = self.where(known).truth(column)
        highest, lowest = np.maximum.reduceat(value, self.starts), np.minimum.reduceat(value, self.starts)
        self.refuse(
            highest != lowest,
            f"several values of {column!r}",
            "one value in all rows of a choice task, or empty cells in all where it was not asked",
        )
        return np.asarray(highest)

    def refuse(self, wrong: np.ndarray, found: str, allowed: str, rows: np.ndarray | None = None) -> None:
        """Raise DataError if something is wrong (T,) with choice tasks; rows: (T,) the row to name, by default the first."""
        bad = np.flatnonzero(wrong)
        if not len(bad):
            return
        places = self.places((self.starts if rows is None else rows)[bad])
        raise DataError(f"{places}: {found}; allowed: {allowed}; mend or drop these choice tasks.")

    def places(self, rows: np.ndarray) -> str:
        """The first few of some rows, in words."""
        whose, which = self.frame[self.respondent], self.frame[self.choice_task]
        shown = "; ".join(
            f"respondent {whose.iloc[r]}, choice task {which.iloc[r]} (row {self.rows[r]})" for r in rows[:_MOST_PLACES]
        )
        return shown + (f" and {len(rows) - _MOST_PLACES:,} more" if len(rows) > _MOST_PLACES else "")

    def chosen(self, picked: np.ndarray) -> np.ndarray:
        """(T,) rows of the chosen alternatives, of marks (A,); two or more alternatives a choice task, one of them chosen."""
        starts = self.starts
        counts = np.add.reduceat(picked.astype(int), starts)
        self.refuse(
            np.diff(np.r_[starts, len(picked)]) < 2, "a single alternative", "two or more alternatives a choice task"
        )
        self.refuse(counts == 0, "none chosen", "exactly one chosen alternative")
        if (counts > 1).any():
            self.refuse(counts > 1, f"{counts[counts > 1][0]} chosen", "exactly one chosen alternative")
        return np.flatnonzero(picked)

    def per_respondent(self, columns: Sequence[str]) -> pd.DataFrame:
        """One row a respondent, of columns that must not vary within one."""
        grouped = self.frame.groupby(self.respondent, sort=False)[list(columns)]
        varies = grouped.nunique().gt(1)
        if varies.to_numpy().any():
            who, column = next((who, c) for c in columns for who in varies.index[varies[c]])
            raise DataError(
                f"column {column!r}, respondent {who}: several values; allowed: one value a respondent; mend the column."
            )
        return grouped.first()

    def weights(self, column: str) -> np.ndarray:
        """(N,) survey weights with mean 1."""
        values = self.per_respondent([column])[column]
        if (values <= 0).any():
            who = values.index[values <= 0][0]
            raise DataError(
                f"column {column!r}, respondent {who}: {values[who]:g}; allowed: weights above 0; mend it or drop the respondent."
            )
        return np.asarray(values / values.mean(), dtype=float)


def check_columns(frame: pd.DataFrame, used: Sequence[str], keys: Sequence[str], formula: str) -> None:
    """Every column is there, once, and there are rows."""
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


def check_cells(frame: pd.DataFrame, columns: Sequence[str], rows: np.ndarray) -> None:
    """No cell of the columns is empty; rows: their numbers in the file."""
    for column in columns:
        empty = np.flatnonzero(frame[column].isna())
        if len(empty):
            raise DataError(
                f"column {column!r}, {_places(rows[empty])}: empty; allowed: a value in every row; fill it in or drop the choice task."
            )


def refuse_unmarked_none(frame: pd.DataFrame, columns: Sequence[str], rows: np.ndarray, none: str) -> None:
    """Rows without any attribute are how many files write "none of these": say how to name them."""
    empty = np.flatnonzero(frame[list(columns)].isna().all(axis=1))
    if len(empty):
        raise DataError(
            f"{_places(rows[empty])}: empty in every column of the formula; allowed: a value in every row, but of the none option. If these are the none option, "
            f"mark them in a column {none!r} (1, all others 0) and add it to the formula, as in '+ {none}'."
        )


def numbers(frame: pd.DataFrame, columns: Sequence[str], must: set[str | None], rows: np.ndarray) -> pd.DataFrame:
    """The frame with numbers for texts of numbers in the columns that `must` be numbers.

    Text in a column of numbers would silently become a level; a column that is mostly numbers is meant as numbers.
    """
    for column in dict.fromkeys(columns):
        values = frame[column]
        if pd.api.types.is_numeric_dtype(values):
            infinite = np.flatnonzero(np.isinf(values.to_numpy(dtype=float)))
            if len(infinite):
                raise DataError(
                    f"column {column!r}, {_places(rows[infinite])}: infinite; allowed: finite numbers; mend the cells."
                )
            continue
        if isinstance(values.dtype, pd.CategoricalDtype) and column not in must:
            continue
        codes, distinct = pd.factorize(values)
        read = pd.to_numeric(pd.Series(distinct, dtype=object), errors="coerce").to_numpy(dtype=float)
        wrong = np.flatnonzero(np.isnan(read)[codes])
        if len(wrong) and (column in must or len(wrong) < len(values) / 2):
            raise DataError(
                f"column {column!r}, {_places(rows[wrong])}: {str(values.iloc[wrong[0]])[:40]!r} is not a number; "
                "allowed: numbers such as 12.5; mend the cells."
            )
        if column in must:
            frame = frame.assign(**{column: read[codes]})
    return frame


def _places(rows: np.ndarray) -> str:
    shown = ", ".join(str(row) for row in rows[:_MOST_PLACES])
    more = f" and {len(rows) - _MOST_PLACES:,} more" if len(rows) > _MOST_PLACES else ""
    return f"row{'s' * (len(rows) > 1)} {shown}{more}"
