"""Labelled alternatives in choice data: columns of one label alone, and the data as offers of one label see them.

A formula over columns of which one labels the alternatives, as in "mode + time:mode + seat + price:mode" with labels="mode". A column may be empty wherever its label does
not have it. `x:mode` has coefficients of each label's own, parameters "x (rail)"; `x` alone has one set for all labels that have it. What a label does not have is
coded as 0, so that the constant of the label stands for it (METHODS 10).

Everything in money is about offers of one label, so it takes the data, or a fit, `seen_as` that label: its attributes under their own names, its price as the price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.estimation.formulas import AttributeColumns, attribute_columns, code_formula, terms
from wtp.estimation.price_form import LINEAR, PriceForm

Coded = TypeVar("Coded")


@dataclass(frozen=True, slots=True)
class Labels:
    """column: which labels the alternatives. names: labels in order. attributes: all columns. prices: by label how utility falls in its price, parameters and tested prices of its own.

    own_prices: whether each label has a price coefficient of its own. comparable: whether offers of two labels differ in nothing else, what a price means to them included, so that a change of label has one worth.
    """

    column: str
    names: tuple[str, ...]
    attributes: tuple[AttributeColumns, ...]
    prices: Mapping[str, PriceForm]
    own_prices: bool
    comparable: bool

    @property
    def common_price(self) -> PriceForm | None:
        """How utility falls in the price where that is the same for all labels, over all their tested prices."""
        if self.own_prices or not self.prices:
            return None
        tested = sorted({price for form in self.prices.values() for price in form.tested})
        return replace(next(iter(self.prices.values())), tested=tuple(tested))

    @property
    def price_parameters(self) -> tuple[str, ...]:
        """Names of the price parameters."""
        return tuple(dict.fromkeys(name for form in self.prices.values() for name in form.names))

    def has(self, attribute: AttributeColumns, label: str) -> bool:
        """Whether offers of a label have an attribute."""
        return not attribute.only or label in attribute.only


def code_labelled(
    table: pd.DataFrame, formula: str, labels: str, price: str | None, rows: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...], Labels]:
    """X (rows, K) of real alternatives, names, and what belongs to which label; rows: their numbers in the file.

    Raises DataError for a formula without the labels, terms that are no columns or interactions with the labels, and cells that are empty where others of the label are not.
    """
    column = table[labels].astype(str)
    names = tuple(x for x in map(str, _in_order(table[labels])) if (column == x).any())
    parts = _terms(formula, labels, set(table.columns))
    frame = pd.DataFrame({labels: pd.Categorical(column, categories=list(names))}, index=table.index)
    present: dict[str, np.ndarray] = {labels: np.ones(len(table), dtype=bool)}
    origin: dict[str, tuple[str, tuple[str, ...]]] = {labels: ("", ())}
    for term, own in parts:
        there = _having(table, term, column, names, rows)
        groups = [(f"{term} ({label})", (label,)) for label in there] if own else [(term, there)]
        for name, group in groups:
            here = column.isin(group).to_numpy()
            values = _filled(table[term], here)
            if values is not None:
                frame[name], present[name] = values, here
                origin[name] = (term if own else "", () if len(group) == len(names) else group)
    matrix, spec = code_formula(frame, " + ".join(f"`{name}`" for name in frame.columns))
    X, coded = np.ascontiguousarray(matrix.to_numpy(dtype=float)), tuple(map(str, matrix.columns))
    attributes = tuple(
        replace(columns, of=origin[columns.name][0], only=origin[columns.name][1])
        for columns in attribute_columns(frame, X, coded, spec, present)
    )
    forms = _forms(table, column, names, attributes, price)
    own_prices = any(a.numeric and a.of == price for a in attributes)
    comparable = not any(a.only for a in attributes)
    return X, coded, Labels(labels, names, attributes, forms, own_prices, comparable)


def seen_as(data: Coded, label: str) -> Coded:
    """The data as offers of a label see them: the attributes that it has, under their own names, and its price; the same data where there are no labels.

    Raises DataError for an unknown label.
    """
    labels: Labels | None = data.labels  # type: ignore[attr-defined]
    if labels is None:
        return data
    if label not in labels.names:
        raise DataError(
            f"label {label!r}: never shown; allowed: {', '.join(labels.names)}; name one of these as {labels.column!r}."
        )
    own = tuple(
        replace(columns, name=columns.of or columns.name) for columns in labels.attributes if labels.has(columns, label)
    )
    form = labels.prices.get(label)
    return replace(data, attributes=own, price_form=form, price=form.names[0] if form else None)  # type: ignore[type-var]


class SeenAs:
    """A fit of any kind as offers of one label see it: everything but its data is the fit's own."""

    def __init__(self, fit: Any, label: str) -> None:
        self._fit, self.label = fit, label
        self.data = seen_as(fit.data, label)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_fit", "data", "label"):
            raise AttributeError(name)
        return getattr(self._fit, name)


def fit_of(fit: Any, label: str) -> Any:
    """The fit itself where there are no labels, else as a label sees it."""
    return fit if fit.data.labels is None else SeenAs(plain(fit), label)


def plain(fit: Any) -> Any:
    """The fit without a label's view of it."""
    return fit._fit if isinstance(fit, SeenAs) else fit


def told(data: Any) -> tuple[AttributeColumns, ...]:
    """The attributes as tables tell them: a label by its average offer, since its constant alone is about first levels and a price of 0; offers of one label have no label to tell."""
    labels: Labels | None = getattr(data, "labels", None)  # data of ratings have none
    if labels is None:
        return tuple(data.attributes)
    if len(data.attributes) != len(labels.attributes):
        return tuple(columns for columns in data.attributes if columns.name != labels.column)
    return tuple(
        replace(columns, contrasts=np.array([average_offer(labels, str(label)) for label in columns.levels]))
        if columns.name == labels.column
        else columns
        for columns in data.attributes
    )


def average_offer(labels: Labels, label: str) -> np.ndarray:
    """(K,) coded columns of the average offer of a label: all its levels alike, the middle of its tested prices."""
    row = np.zeros_like(labels.attributes[0].contrasts[0])
    for columns in labels.attributes:
        if columns.name == labels.column:
            row += columns.contrasts[list(map(str, columns.levels)).index(label)]
        elif labels.has(columns, label):
            row += columns.contrasts.mean(axis=0)
    return np.asarray(row)


def _in_order(values: pd.Series) -> list[Any]:
    """Levels in the order of a categorical, else sorted; only those that are there."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        shown = set(values.dropna())
        return [x for x in values.cat.categories if x in shown]
    return sorted(values.dropna().unique())


def _terms(formula: str, labels: str, columns: set[str]) -> list[tuple[str, bool]]:
    """(column, whether it has coefficients of each label's own) of every term but the labels themselves."""
    found, constants = [], False
    for term in terms(formula):
        known = columns.issuperset(term)
        if term == (labels,):
            constants = True
        elif known and len(term) == 1:
            found.append((term[0], False))
        elif known and len(term) == 2 and labels in term:
            found.append((next(name for name in term if name != labels), True))
        else:
            raise DataError(
                f"formula {formula!r}: the term {':'.join(term)}; allowed with labels={labels!r}: columns, and their interaction with {labels!r}; mend it."
            )
    twice = sorted({name for name, _ in found if [other for other, _ in found].count(name) > 1})
    if twice or not constants:
        problem = f"{twice[0]} alone and by label" if twice else f"no term {labels!r}"
        raise DataError(
            f"formula {formula!r}: {problem}; allowed with labels={labels!r}: the labels, and each column once, as in '{labels} + x:{labels} + price'; mend it."
        )
    return found


def _having(
    table: pd.DataFrame, column: str, label: pd.Series, names: tuple[str, ...], rows: np.ndarray
) -> tuple[str, ...]:
    """The labels that have a column: of each, every cell is filled, or none is."""
    empty = table[column].isna().to_numpy()
    found = []
    for name in names:
        here = (label == name).to_numpy()
        if not empty[here].any():
            found.append(name)
        elif not empty[here].all():
            row = rows[np.flatnonzero(here & empty)[0]]
            raise DataError(
                f"column {column!r}, row {row}: empty, while other rows of {name} are not; allowed: a value in every row of a label, or in none; fill it in."
            )
    if not found:
        raise DataError(
            f"column {column!r}: empty in every row; allowed: a value for one label at least; drop the term."
        )
    return tuple(found)


def _filled(values: pd.Series, here: np.ndarray) -> pd.Series | None:
    """The column with the value that is coded as 0 wherever it does not belong; None if there is a single level, for which the label's constant stands."""
    if pd.api.types.is_numeric_dtype(values):
        return values.where(here, 0.0).astype(float)
    levels = [str(x) for x in _in_order(values[here])]
    if len(levels) < 2:
        return None
    filled = pd.Categorical(np.where(here, values.astype(str), levels[0]), categories=levels)
    return pd.Series(filled, index=values.index)


def _forms(
    table: pd.DataFrame,
    label: pd.Series,
    names: tuple[str, ...],
    attributes: tuple[AttributeColumns, ...],
    price: str | None,
) -> dict[str, PriceForm]:
    forms = {}
    for name in names:
        for columns in attributes:
            if columns.numeric and price in (columns.name, columns.of) and (not columns.only or name in columns.only):
                tested = table.loc[(label == name).to_numpy(), str(price)].to_numpy(dtype=float)
                forms[name] = replace(PriceForm.of(str(price), LINEAR, tested), parameter=columns.name)
    return forms
