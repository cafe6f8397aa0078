"""How utility falls in the price: linear, logarithmic, piecewise linear or free at every tested price.

u(price) = f(price), falling: -a p (linear), -a ln p (log), -sum_m a_m clip(p - k_m, 0, k_{m+1} - k_m) with knots k (piecewise linear; a_m is
the slope of piece m), or a part-worth of each tested price, straight between them. Money comes back by inverting f: the worth of a
utility u at price p is the W with f(p + W) = f(p) - u. A linear price is worth the same everywhere; the others depend on p. Nothing is
read beyond the tested prices where f is only known between them: the inverse is infinite there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from wtp.errors import DataError

LINEAR, LOG, PIECEWISE, PART_WORTH = "linear", "log", "piecewise", "part-worth"
_MOST_KNOTS = 2
_MOST_PART_WORTHS = 12


@dataclass(frozen=True, slots=True)
class PriceForm:
    """Columns of a price and their inverse.

    column: the price column. tested: tested prices, ascending, in the unit of the column. knots: inner knots of a piecewise linear price. parameter: name of the parameter of a
    linear price, where it is not the column's.
    """

    column: str
    kind: str
    tested: tuple[float, ...]
    knots: tuple[float, ...] = ()
    parameter: str = ""

    @classmethod
    def of(cls, column: str, form: str | Sequence[float], prices: np.ndarray) -> PriceForm:
        """The form named "linear", "log" or "part-worth", or with one or two inner knots, for the prices of real alternatives.

        Raises DataError for another name, knots that are no tested prices between the ends, prices without a logarithm, too many prices.
        """
        tested = tuple(np.unique(np.asarray(prices, dtype=float)).tolist())
        if not isinstance(form, str):
            knots = tuple(sorted(map(float, form)))
            if not 1 <= len(knots) <= _MOST_KNOTS or not set(knots) <= set(tested[1:-1]):
                inner = ", ".join(f"{price:g}" for price in tested[1:-1][:_MOST_PART_WORTHS]) or "there is none"
                raise DataError(
                    f"price_form: knots {', '.join(f'{knot:g}' for knot in knots) or 'missing'}; allowed: one or two tested prices "
                    f"between the lowest and the highest ({inner}); choose among these."
                )
            return cls(column, PIECEWISE, tested, knots)
        if form not in (LINEAR, LOG, PART_WORTH):
            raise DataError(
                f"price_form: found {form!r}; allowed: linear, log, part-worth, or one or two inner knots as numbers; choose one."
            )
        if form == LOG and tested[0] <= 0:
            raise DataError(
                f"price_form: a price of {tested[0]:g} has no logarithm; allowed: prices above 0; use a linear price or mend column {column!r}."
            )
        if form == PART_WORTH and not 2 <= len(tested) <= _MOST_PART_WORTHS:
            raise DataError(
                f"price_form: {len(tested)} tested prices; allowed: 2 to {_MOST_PART_WORTHS} for a part-worth each; use another form."
            )
        return cls(column, form, tested)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its parameters."""
        if self.kind == LINEAR:
            return (self.parameter or self.column,)
        if self.kind == LOG:
            return (f"log({self.column})",)
        if self.kind == PART_WORTH:
            return tuple(f"{self.column}[T.{price:g}]" for price in self.tested[1:])
        ends = ["", *(f"{knot:g}" for knot in self.knots), ""]
        return tuple(f"{self.column}[{low}..{high}]" for low, high in pairwise(ends))

    def code(self, prices: np.ndarray) -> np.ndarray:
        """Columns (rows, m) of prices (rows,)."""
        prices = np.asarray(prices, dtype=float)[:, None]
        if self.kind == LINEAR:
            return prices
        if self.kind == LOG:
            return np.asarray(np.log(prices))
        if self.kind == PART_WORTH:
            return np.asarray((prices == np.asarray(self.tested[1:])).astype(float))
        below = np.r_[0.0, self.knots]
        return np.asarray(np.clip(prices - below, 0.0, np.r_[np.diff(below), np.inf]))

    def straight(self) -> np.ndarray:
        """Restrictions (tested - 2, K of the price) that hold where the part-worths of the tested prices lie on a straight line."""
        if self.kind != PART_WORTH or len(self.tested) < 3:
            raise DataError(
                f"price_form: {self.kind} with {len(self.tested)} tested prices; allowed: part-worth with three or more, to see whether they lie on a "
                'line; code the data with price_form="part-worth".'
            )
        way = np.asarray(self.tested[1:]) - self.tested[0]
        return np.asarray(np.column_stack([way[-1] * np.eye(len(way) - 1), -way[:-1]]) / way[-1])

    def deters(self, coefficients: np.ndarray) -> np.ndarray:
        """Whether a higher price is always worse, of coefficients (..., m)."""
        if self.kind == PART_WORTH:
            return np.asarray((np.diff(coefficients, axis=-1, prepend=0.0) < 0).all(axis=-1))
        return np.asarray((coefficients < 0).all(axis=-1))

    def basis(self, prices: np.ndarray) -> np.ndarray:
        """(P, m) so that f(price) = coefficients @ basis; part-worths are straight between the tested prices, and their last lines go on."""
        if self.kind != PART_WORTH:
            return self.code(prices)
        prices, tested = np.asarray(prices, dtype=float), np.asarray(self.tested)
        at, share = self._between(prices)
        levels = np.zeros((len(prices), len(tested)))
        rows = np.arange(len(prices))
        levels[rows, at], levels[rows, at + 1] = 1 - share, share
        return levels[:, 1:]

    def slope_basis(self, prices: np.ndarray) -> np.ndarray:
        """(P, m) so that f'(price) = coefficients @ slope_basis; at a knot or a tested price the slope to its right."""
        prices = np.asarray(prices, dtype=float)
        if self.kind == LINEAR:
            return np.ones((len(prices), 1))
        if self.kind == LOG:
            return np.asarray(1 / prices[:, None])
        rows = np.arange(len(prices))
        if self.kind == PIECEWISE:
            pieces = np.zeros((len(prices), len(self.knots) + 1))
            pieces[rows, np.searchsorted(self.knots, prices, side="right")] = 1
            return pieces
        at, _ = self._between(prices)
        width = np.diff(self.tested)[at]
        levels = np.zeros((len(prices), len(self.tested)))
        levels[rows, at], levels[rows, at + 1] = -1 / width, 1 / width
        return levels[:, 1:]

    def _between(self, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The tested price at or below each price, and the share of the way to the next one."""
        tested = np.asarray(self.tested)
        at = np.clip(np.searchsorted(tested, prices, side="right") - 1, 0, len(tested) - 2)
        return at, (prices - tested[at]) / (tested[at + 1] - tested[at])

    def utility(self, price: float, coefficients: np.ndarray) -> np.ndarray:
        """f(price) (...,) of coefficients (..., m)."""
        return np.asarray(coefficients @ self.basis(np.array([price]))[0])

    def inverse(self, utility: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """Prices (..., S) at which f is `utility` (..., S), of coefficients (..., m) for which a higher price is always worse, NaN for others.

        Piecewise linear prices and part-worths are infinite beyond the lowest and highest tested price.
        """
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self.kind == LINEAR:
                found = utility / coefficients
            elif self.kind == LOG:
                found = np.exp(utility / coefficients)
            else:
                nodes = sorted({self.tested[0], *self.knots, self.tested[-1]}) if self.knots else list(self.tested)
                heights = np.stack([self.utility(node, coefficients) for node in nodes], axis=-1)[..., None, :]
                found = np.where(utility > heights[..., 0], -np.inf, np.inf)
                for m in range(len(nodes) - 1):  # a handful of pieces
                    high, low = heights[..., m], heights[..., m + 1]
                    share = (high - utility) / (high - low)
                    here = (utility <= high) & (utility >= low)
                    found = np.where(here, nodes[m] + share * (nodes[m + 1] - nodes[m]), found)
        return np.where(self.deters(coefficients)[..., None], found, np.nan)

    def worth(self, utility: np.ndarray, coefficients: np.ndarray, at: float) -> np.ndarray:
        """The money (..., S) that offsets utilities (..., S) at a price; NaN where a higher price does not deter."""
        if self.kind == LINEAR:
            return self.inverse(-utility, coefficients)
        return np.asarray(self.inverse(self.utility(at, coefficients)[..., None] - utility, coefficients) - at)
