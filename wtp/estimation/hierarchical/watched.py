"""Which quantities tell whether the chains have converged: what is reported, and what it rests on.

Reported are the population means, and over the respondents the medians of what every column is worth in money and the quartiles of the price at which
the base offer is given up for none, as price limits are; without a signed price the means of the coefficients. Log variances and the log-likelihood are watched
too, with a wider limit: the variance of a taste that hardly varies wanders over orders of magnitude, and nothing in money follows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Watched:
    """names: of the coefficients. price, none: places of the signed price and the none constant, None without."""

    names: tuple[str, ...]
    price: int | None
    none: int | None

    @property
    def _others(self) -> list[int]:
        return [k for k in range(len(self.names)) if k not in (self.price, self.none)]

    @property
    def labels(self) -> list[str]:
        """Names of the figures over respondents."""
        if self.price is None:
            return [f"mean.{name}" for name in self.names]
        limits = [] if self.none is None else [f"limit.{100 * q:.0f}" for q in _QUARTILES]
        return [f"worth.{self.names[k]}" for k in self._others] + limits

    def figures(self, coefficients: np.ndarray) -> np.ndarray:
        """Figures over respondents with coefficients (N, K)."""
        if self.price is None:
            return np.asarray(coefficients.mean(axis=0))
        sensitivity = coefficients[:, [self.price]]
        worth = np.median(coefficients[:, self._others] / sensitivity, axis=0)
        if self.none is None:
            return np.asarray(worth)
        return np.concatenate([worth, np.quantile(coefficients[:, self.none] / sensitivity[:, 0], _QUARTILES)])
