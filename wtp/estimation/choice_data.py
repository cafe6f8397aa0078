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

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.estimation.conditional_kernel import centre
from wtp.estimation.formulas import AttributeColumns, attribute_columns, code_formula, shown_levels, variables, without
from wtp.estimation.labelled import Labels, code_labelled
from wtp.estimation.long_format import LongFrame, check_cells, check_columns, numbers, refuse_unmarked_none
from wtp.estimation.price_form import LINEAR, PriceForm

_LARGEST = 1e100  # squares and their sums stay finite
NONE = "none"


@dataclass(frozen=True, eq=False)
class ChoiceData:
    """Arrays of a set of answered choice tasks; read-only.

    X: (A, K) coded alternatives. starts: (T,) first row of each choice task. chosen: (T,) row of the chosen alternative.
    respondent: (T,) code 0..N-1, ascending. respondents: (N,) labels. names: K parameters. weights: (N,) survey weights with mean 1, or
    None. price: name of the price parameter where utility is linear in it, or None. price_form: how utility falls in the price, or None.
    covariates: one row a respondent, or None. labels: which columns belong to which label, where alternatives bear labels, or None.
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
    price_form: PriceForm | None = None
    labels: Labels | None = None

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
        none: str = NONE,
        available: str | None = None,
        buys: str | None = None,
        weights: str | None = None,
        covariates: Sequence[str] | None = None,
        price_form: str | Sequence[float] = LINEAR,
        labels: str | None = None,
    ) -> ChoiceData:
        """Code a long frame, one row an alternative.

        formula: Wilkinson notation, text is categorical, no intercept ("brand + wifi + price"). A choice-task number may repeat
        across respondents. Marks are 0/1, true/false or yes/no. chosen: exactly one a choice task. none: if the formula names it, marks the row of
        the none option, where everything else counts as 0 and cells may be empty; its parameter is called "none". available: rows not marked are left out.
        buys: dual-response none, an answer a choice task ("would you really buy it?"), empty where not asked: a second choice between the
        chosen alternative and none (Brazell et al. 2006). weights: one positive number a respondent. covariates: columns of respondents.
        price_form: "linear", "log", "part-worth", or one or two inner knots of a piecewise linear price (see `price_form`).
        labels: column that labels the alternatives, as in "mode + time:mode + seat + price:mode": columns may be empty for whole labels, and interactions with the label give
        each its own coefficients (see `labelled`).

        Raises DataError naming column, row (the first row below the header is 1), respondent and choice task.
        """
        used, keys = variables(formula), [respondent, choice_task, chosen]
        people = [*([weights] if weights else []), *(covariates or ())]
        check_columns(frame, used, [*keys, *people, *filter(None, (available, buys))], formula)
        every = np.arange(1, len(frame) + 1)
        check_cells(
            frame, sorted({*keys, *people, *((none,) if none in used else ()), *filter(None, (available,))}), every
        )
        frame = numbers(frame, [weights] if weights else [], {weights}, every)
        long = LongFrame.of(frame, respondent, choice_task)
        long, picked = _offered(long, chosen, available)
        nothing = long.truth(none) if none in used else np.zeros(len(long.rows), dtype=bool)
        long.refuse(
            np.add.reduceat(nothing.astype(int), long.starts) > 1, "two none options", "one none option a choice task"
        )
        if buys is not None and nothing.any():
            raise DataError(
                f"buys={buys!r} and a none option among the alternatives; allowed: one of the two; leave buys or the none rows out."
            )
        real = long.where(~nothing)
        attributes = [column for column in used if column != none]
        if none not in used:
            refuse_unmarked_none(real.frame, attributes, real.rows, none)
        if labels is None:
            check_cells(real.frame, attributes, real.rows)
            table = numbers(real.frame, attributes, {price}, real.rows)
            X, names, columns, form = _code(table, formula, none in used, none, price, price_form)
            labelling = None
        else:
            X, names, labelling = _labelled(real, formula, labels, none if none in used else None, price, price_form)
            columns, form = labelling.attributes, labelling.common_price
        finite = np.abs(X) < _LARGEST
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise DataError(
                f"column {names[column]!r}, row {real.rows[row]}: not a finite number; allowed: numbers below {_LARGEST:g}; mend the cell or the formula."
            )
        starts, person = long.starts, long.person
        if none in used or buys is not None:
            X, names, columns = _with_none(X, names, columns, nothing)
        if labelling is not None:
            labelling = replace(labelling, attributes=columns)
        rows = long.chosen(picked)
        if buys is not None:
            X, starts, rows, person = _dual_response(X, starts, rows, person, long.of_tasks(buys))
        return cls(
            X=X,
            starts=starts,
            chosen=rows,
            respondent=person[starts],
            respondents=long.labels,
            names=names,
            attributes=columns,
            price=price if form is not None and form.kind == LINEAR else None,
            weights=long.weights(weights) if weights else None,
            covariates=long.per_respondent(covariates) if covariates else None,
            price_form=form,
            labels=labelling,
        )

    @property
    def price_parameters(self) -> tuple[str, ...]:
        """Names of the parameters of linear prices: one, none, or one a label."""
        if self.price is not None:
            return (self.price,)
        return self.labels.price_parameters if self.labels else ()

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

    @property
    def centred(self) -> np.ndarray:
        """(A, K) X less its mean in the choice task: the likelihood sees differences alone, and they lose no digits."""
        return self._centring[0]

    @property
    def extents(self) -> tuple[np.ndarray, np.ndarray]:
        """(K,) largest |X| and largest |centred| of each column."""
        return self._centring[1], self._centring[2]

    @cached_property
    def _centring(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        X = np.ascontiguousarray(self.X, dtype=float)
        centred = np.empty_like(X)
        return centred, *centre(X, self.starts, centred)

    @cached_property
    def _products(self) -> np.ndarray:
        return np.asarray(self.centred.T @ self.centred)

    @property
    def sums_of_squares(self) -> np.ndarray:
        """(K,) of the columns of `centred`."""
        return np.diag(self._products)

    @property
    def gram(self) -> np.ndarray:
        """(K, K) sum of squares and products of `centred`, scaled to a unit diagonal; 0 where a column never varies."""
        size = np.sqrt(self.sums_of_squares)
        scale = np.divide(1, size, out=np.zeros_like(size), where=size > 0)
        return np.asarray(self._products * scale[:, None] * scale)

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


def _offered(long: LongFrame, chosen: str, available: str | None) -> tuple[LongFrame, np.ndarray]:
    """The rows that were available, and their marks of the chosen one."""
    picked = long.truth(chosen)
    if available is None:
        return long, picked
    there = long.truth(available)
    wrong = picked & ~there
    if wrong.any():
        first = np.maximum.reduceat(np.where(wrong, np.arange(len(wrong)), -1), long.starts)
        long.refuse(first >= 0, "chosen, yet not available", "a choice among the available alternatives", first)
    left = np.add.reduceat(there.astype(int), long.starts)
    long.refuse(left < 2, "fewer than two available alternatives", "two or more")
    return long.where(there), picked[there]


_Coded = tuple[np.ndarray, tuple[str, ...], tuple[AttributeColumns, ...]]


def _code(
    table: pd.DataFrame, formula: str, has_none: bool, none: str, price: str | None, price_form: str | Sequence[float]
) -> tuple[np.ndarray, tuple[str, ...], tuple[AttributeColumns, ...], PriceForm | None]:
    """Columns of the real alternatives, their names, their attributes; the none constant is not among them."""
    rest: str | None = without(formula, none) if has_none else formula
    linear = isinstance(price_form, str) and price_form == LINEAR
    if not linear:
        if price is None or rest is None or price not in variables(rest):
            raise DataError(
                f"price_form without a price: formula {formula!r} has no column {price!r}; allowed: a formula with the price; name it with price=."
            )
        rest = without(rest, price)
    X = np.empty((len(table), 0))
    names: tuple[str, ...] = ()
    attributes: tuple[AttributeColumns, ...] = ()
    if rest is not None:
        matrix, spec = code_formula(table, rest)
        X, names = np.ascontiguousarray(matrix.to_numpy(dtype=float)), tuple(map(str, matrix.columns))
        attributes = attribute_columns(table, X, names, spec)
    if price is None or (linear and price not in names):
        return X, names, attributes, None
    prices = table[price].to_numpy(dtype=float)
    form = PriceForm.of(price, price_form, pd.unique(prices))
    if linear:
        return X, names, attributes, form
    attributes = tuple(_wider(attribute, len(form.names)) for attribute in attributes)
    levels, _ = shown_levels(table[price])
    contrasts = np.hstack([np.zeros((len(levels), len(names))), form.code(np.asarray(levels))])
    attributes += (AttributeColumns(price, levels, contrasts, numeric=False),)
    return np.hstack([X, form.code(prices)]), names + form.names, attributes, form


def _labelled(
    real: LongFrame, formula: str, labels: str, none: str | None, price: str | None, price_form: str | Sequence[float]
) -> tuple[np.ndarray, tuple[str, ...], Labels]:
    """Columns of the real alternatives where they bear labels, their names, and what belongs to which label."""
    if price_form != LINEAR:
        raise DataError(
            f"price_form {price_form!r} with labels={labels!r}; allowed: {LINEAR!r}; leave one of them out."
        )
    rest = formula if none is None else without(formula, none)
    used = variables(rest or formula)
    if rest is None or labels not in used:
        raise DataError(
            f"labels={labels!r}, and formula {formula!r} without it; allowed: a column of the formula; add it as a term."
        )
    check_cells(real.frame, [labels], real.rows)
    frame = real.frame
    for column in used:
        there = frame[column].notna().to_numpy()
        if column != labels and there.any():
            read = numbers(frame[there], [column], {price}, real.rows[there])[column]
            frame = frame.assign(**{column: read.reindex(frame.index)})
    return code_labelled(frame, rest, labels, price, real.rows)


def _wider(attribute: AttributeColumns, more: int) -> AttributeColumns:
    return replace(attribute, contrasts=np.pad(attribute.contrasts, ((0, 0), (0, more))))


def _with_none(
    X: np.ndarray, names: tuple[str, ...], attributes: tuple[AttributeColumns, ...], nothing: np.ndarray
) -> _Coded:
    """The same with the none rows (A,) among them, all zero, and the none constant as last column."""
    if NONE in names:
        raise DataError(f"a parameter {NONE!r} besides the none option; allowed: any other name; rename the column.")
    wide = np.zeros((len(nothing), X.shape[1] + 1))
    wide[~nothing, :-1] = X
    wide[nothing, -1] = 1.0
    return wide, (*names, NONE), tuple(_wider(attribute, 1) for attribute in attributes)


def _dual_response(
    X: np.ndarray, starts: np.ndarray, chosen: np.ndarray, person: np.ndarray, buys: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """X, starts, chosen, person of each row, each task followed by the choice between its chosen alternative and none; buys (T,) 1, 0, -1."""
    asked = np.flatnonzero(buys >= 0)
    none_row = np.zeros(X.shape[1])
    none_row[-1] = 1.0
    task = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(X)]))
    picked = np.zeros(len(X), dtype=bool)
    picked[chosen] = True
    task = np.r_[task, asked, asked]
    stage = np.r_[np.zeros(len(X)), np.ones(2 * len(asked))]
    order = np.lexsort((stage, task))  # stable: the chosen alternative comes before none
    stacked = np.vstack([X, X[chosen[asked]], np.tile(none_row, (len(asked), 1))])[order]
    picked = np.r_[picked, buys[asked] == 1, buys[asked] == 0][order]
    new = np.r_[True, (np.diff(task[order]) != 0) | (np.diff(stage[order]) != 0)]
    return (
        stacked,
        np.flatnonzero(new),
        np.flatnonzero(picked),
        np.r_[person, person[chosen[asked]], person[chosen[asked]]][order],
    )
