"""Utility turned into money through the price of a fit, whatever the form of the price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from wtp.errors import DataError
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.diagnostics import price_note
from wtp.estimation.price_form import LINEAR, PART_WORTH, PriceForm

_MOST_WRONG_SIGNS = 0.001
_MOST_NOT_FALLING = 0.05  # part-worths of neighbouring prices, which nothing keeps in order


def any_amount(utility: np.ndarray) -> np.ndarray:
    """Money without end with the sign of a utility; nothing where somebody does not care either way."""
    return np.where(utility == 0, 0.0, np.copysign(np.inf, utility))


@dataclass(frozen=True, slots=True)
class Money:
    """How coefficients (..., K) give money. form: of the price; columns: its places among the K; at: the price at which changes are valued."""

    form: PriceForm
    columns: tuple[int, ...]
    at: float

    @classmethod
    def of(cls, data: ChoiceData, price: str = "price", at: float | None = None) -> Money:
        """at: by default the middle one of the tested prices. Raises DataError if the data have no such price or `at` was not tested."""
        form = data.price_form
        if form is None or form.column != price:
            if data.labels is not None and price in {own.column for own in data.labels.prices.values()}:
                raise DataError(
                    f"price {price!r} has a coefficient for each label ({', '.join(data.price_parameters)}); allowed: money of one label; "
                    'name the label, as in fit_of(fit, "...").'
                )
            if price not in data.names:
                raise DataError(
                    f"price {price!r} is no parameter; allowed: {', '.join(data.names)}; add the price to the formula or name it."
                )
            levels = next(attribute.levels for attribute in data.attributes if attribute.name == price)
            form = PriceForm(price, LINEAR, tuple(map(float, levels)))
        lowest, highest = form.tested[0], form.tested[-1]
        if at is None:
            at = form.tested[len(form.tested) // 2]
        elif form.kind != LINEAR and not lowest <= at <= highest:
            raise DataError(
                f"at: a price of {at:g} was not tested; allowed: {lowest:g} to {highest:g}; value changes within these."
            )
        return cls(form, tuple(data.names.index(name) for name in form.names), float(at))

    @property
    def span(self) -> float:
        """Highest less lowest tested price."""
        return self.form.tested[-1] - self.form.tested[0]

    @property
    def depends_on_price(self) -> bool:
        """Whether the worth of a change differs from price to price."""
        return self.form.kind != LINEAR

    def deters(self, values: np.ndarray) -> np.ndarray:
        """(...) whether a higher price is always worse."""
        return self.form.deters(values[..., list(self.columns)])

    def worth(self, values: np.ndarray, contrasts: np.ndarray) -> np.ndarray:
        """(..., S) money that offsets changes (S, K); NaN where a higher price does not deter, infinite where it is beyond the known prices."""
        return self.form.worth(values @ contrasts.T, values[..., list(self.columns)], self.at)

    def worth_of_people(self, values: np.ndarray, contrasts: np.ndarray) -> np.ndarray:
        """(..., S) the same of respondents, of whom each has an answer: who is not deterred by a higher price pays any amount for what he likes."""
        worth, undeterred = self.worth(values, contrasts), ~self.deters(values)
        if undeterred.any():
            worth[undeterred] = any_amount(values[undeterred] @ contrasts.T)
        return worth

    def indifferent(self, values: np.ndarray, utility: np.ndarray) -> np.ndarray:
        """(...) price at which utility (...) + f(price) = 0; where a higher price does not deter, any amount."""
        prices = self.form.inverse(-utility[..., None], values[..., list(self.columns)])[..., 0]
        return np.where(np.isnan(prices), any_amount(utility), prices)

    def drove(self, fit: Any, draws: np.ndarray) -> bool:
        """Whether money figures of a pooled fit may be shown: a higher price is clearly worse, and in hardly any draw not.

        draws: (R, K), looked at where the price has several coefficients; with one the share is that of a normal, the same for every number of draws.
        """
        allowed = _MOST_NOT_FALLING if self.form.kind == PART_WORTH else _MOST_WRONG_SIGNS
        params, errors = fit.utility_params, fit.utility_errors
        tested = self.columns[-1:] if self.form.kind == PART_WORTH else self.columns
        clear = not any(price_note(float(params[k]), float(errors[k])) for k in tested)
        if not (clear and bool(self.deters(params))):
            return False
        if len(self.columns) == 1:
            return float(norm.sf(-params[self.columns[0]] / errors[self.columns[0]])) <= allowed
        return float((~self.deters(draws)).mean()) <= allowed
