"""Draws: the one shape that everything downstream takes, (R draws, G groups, K parameters).

A reported number is computed inside each draw, over the groups with their weights, and summarised across draws last. Every fit
delivers them by `fit.simulate(draws, seed)`: a pooled fit one group, by Krinsky and Robb (1986); latent classes one group a class;
mixed logit simulated respondents; hierarchical Bayes the respondents themselves, from the posterior.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.diagnostics import Note

_BLOCK = 2_000_000  # numbers at a time
KRINSKY_ROBB, POSTERIOR, BOOTSTRAP = "krinsky_robb", "posterior", "bootstrap"


@dataclass(frozen=True, eq=False, slots=True)
class Draws:
    """Coefficients in utility space, whatever the space of the fit: a column for each of `ChoiceData.names`.

    values: (R, G, K), an array or a memory map. weights: (R, G) or (1, G) shares of the groups, summing to 1. method: how they were drawn.
    """

    values: np.ndarray
    weights: np.ndarray
    method: str = KRINSKY_ROBB

    def of(self, members: np.ndarray) -> Draws:
        """The draws of some groups: (G,) booleans; weights sum to 1 again."""
        weights = self.weights[:, members]
        return Draws(self.values[:, members], weights / weights.sum(axis=1, keepdims=True), self.method)

    def reweighted(self, factors: np.ndarray) -> Draws:
        """The same with each group's weight times a factor, (G,) or (R, G); weights sum to 1 again."""
        weights = self.weights * factors
        return Draws(self.values, weights / weights.sum(axis=1, keepdims=True), self.method)

    def generalised(self, seed: Sequence[int]) -> Draws:
        """Figures about those whom the groups stand for: weights by a Bayesian bootstrap in each draw (Rubin 1981), times those that there are."""
        shape = self.values.shape[:2]
        return self.reweighted(np.random.default_rng([*seed, 19]).standard_exponential(shape))

    def blocks(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """First draw, values (r, G, K) and weights (r, G) of a few draws at a time: a memory map never has to be in memory as a whole."""
        size = max(1, _BLOCK // max(1, self.values.shape[1] * self.values.shape[2]))
        for start in range(0, len(self.values), size):
            values = np.asarray(self.values[start : start + size], dtype=float)
            weights = self.weights if len(self.weights) == 1 else self.weights[start : start + size]
            yield start, values, np.broadcast_to(weights, values.shape[:2])


class Fit(Protocol):
    """What any estimator's results offer to importance, part-worths and everything in money."""

    data: ChoiceData
    respondents: int
    notes: tuple[Note, ...]

    def simulate(self, draws: int = ..., seed: int = ...) -> Draws:
        """Draws of the coefficients; a posterior gives at most the draws that were kept."""
        ...


class PooledFit(Fit, Protocol):
    """A fit with one vector of coefficients and its covariance."""

    params: pd.Series

    def cov_params(self) -> Any:
        """(K, K) labelled covariance."""
        ...


def normal_draws(params: np.ndarray, covariance: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """(R, K) normal draws round params (K,) with a covariance (K, K); scaled inside, so that the unit of a column does not matter."""
    scale = np.sqrt(np.diag(covariance))
    scale = np.where(scale > 0, scale, 1.0)
    root = np.linalg.cholesky(covariance / scale[:, None] / scale + 1e-12 * np.eye(len(scale)))
    normals = np.random.default_rng(seed).standard_normal((draws, len(scale)))
    return np.asarray(params + (normals @ root.T) * scale)


def weighted_quantiles(values: np.ndarray, weights: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """(levels, R, S) quantiles over groups of values (R, G, S) with weights (R, G): the smallest value that at least so much weight does not exceed."""
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    cumulated = np.cumsum(np.take_along_axis(np.broadcast_to(weights[:, :, None], values.shape), order, axis=1), axis=1)
    found = []
    for level in levels:
        place = (cumulated < level - 1e-12).sum(axis=1, keepdims=True).clip(max=values.shape[1] - 1)
        here = np.take_along_axis(ordered, place, axis=1)[:, 0]
        # Half way between two values where their weights meet exactly at the level, as the median of an even number does.
        above = np.take_along_axis(ordered, (place + 1).clip(max=values.shape[1] - 1), axis=1)[:, 0]
        meets = np.abs(np.take_along_axis(cumulated, place, axis=1)[:, 0] - level) <= 1e-12
        with np.errstate(invalid="ignore"):
            found.append(np.where(meets, (here + above) / 2, here))
    return np.stack(found)


def draw_quantiles(figures: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Quantiles over draws, the first axis; between two draws none is infinite unless both are."""
    finite = bool(np.isfinite(figures).all())
    return np.asarray(np.quantile(figures, levels, axis=0, method="linear" if finite else "inverted_cdf"))


def krinsky_robb(fit: PooledFit, draws: int = 10_000, seed: int = 0) -> np.ndarray:
    """Draws of the parameters of a pooled fit, (R, 1, K), on the scale of `fit.params`."""
    return normal_draws(fit.params.to_numpy(), fit.cov_params().to_numpy(), draws, seed)[:, None, :]
