"""Importance: an attribute's share of the summed part-worth ranges, in per cent, with interval and noise floor.

I_a = range_a / sum_b range_b, range over the levels shown (the price over its tested range). A range is never negative, so noise alone
gives an attribute importance, the more the more levels it has: the noise floor is the importance that an attribute would have to which
nobody pays attention, its range taken from choices drawn at random, the other ranges as they are.
Importance depends on the levels compared and is not value; decisions use money (METHODS: importance is never used for them).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.conditional_logit import ConditionalLogit, ConditionalLogitResults, scaled_solve
from wtp.estimation.labelled import told

AnyFit = Any  # results of any estimator, see `draws.Fit`


def importance(
    fit: AnyFit,
    *,
    confidence: float = 0.95,
    draws: int = 2_000,
    permutations: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """Importance of each attribute: of the averaged part-worths of a pooled fit, else the mean over respondents or classes.

    Columns attribute, importance, low, high, noise_floor, per cent. Intervals are percentiles over draws. The noise floor is known for pooled fits (NaN else): a
    respondent's own importance is inflated by noise too, the more the fewer tasks he answered.
    """
    attributes = told(fit.data)
    drawn = fit.simulate(draws, seed)
    tail = (1 - confidence) / 2
    simulated = np.vstack([_mean_shares(fit.data, values, weights) for _, values, weights in drawn.blocks()])
    low, high = np.quantile(simulated, [tail, 1 - tail], axis=0)
    if isinstance(fit, ConditionalLogitResults):
        ranges = _ranges(fit.data, fit.utility_params[None, :])
        estimate = _shares(ranges)[0]
        floor = _noise_floor(fit.data, ranges[0], permutations, seed)
    else:
        estimate, floor = simulated.mean(axis=0), np.full(len(attributes), np.nan)
    return pd.DataFrame(
        {
            "attribute": [attribute.name for attribute in attributes],
            "importance": estimate,
            # The plug-in estimate of a range lies below most draws when the range is near 0; the interval must hold it.
            "low": np.minimum(low, estimate),
            "high": np.maximum(high, estimate),
            "noise_floor": floor,
        }
    )


def importance_draws(fit: AnyFit, draws: int = 2_000, seed: int = 0) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Attributes, importance (attributes,) and its draws (R, attributes), per cent, of a pooled fit."""
    drawn = np.asarray(fit.simulate(draws, seed).values[:, 0])
    estimate = _shares(_ranges(fit.data, fit.utility_params[None, :]))[0]
    return tuple(a.name for a in told(fit.data)), estimate, _shares(_ranges(fit.data, drawn))


def _mean_shares(data: ChoiceData, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(r, number of attributes) shares in each draw, averaged over the groups of values (r, G, K) with weights (r, G)."""
    r, g, k = values.shape
    shares = _shares(_ranges(data, values.reshape(r * g, k))).reshape(r, g, -1)
    return np.asarray(np.einsum("rg,rga->ra", weights, shares))


def _ranges(data: ChoiceData, params: np.ndarray) -> np.ndarray:
    """(R, number of attributes) ranges of part-worths, of params (R, K)."""
    return np.column_stack([np.ptp(params @ attribute.contrasts.T, axis=1) for attribute in told(data)])


def _shares(ranges: np.ndarray) -> np.ndarray:
    return np.asarray(100 * ranges / ranges.sum(axis=1, keepdims=True))


def _noise_floor(data: ChoiceData, ranges: np.ndarray, permutations: int, seed: int) -> np.ndarray:
    """Importance of each attribute if its range were that of random choices and the others' ranges (attributes,) as they are.

    Random choices are estimated by one Newton step from zero, their true value: it differs from the full fit by a term that vanishes with the
    sample, and it is finite where few answers happen to separate.
    """
    rng = np.random.default_rng([seed, 1])
    nothing = np.zeros(len(data.names))
    scores = [
        ConditionalLogit(data.with_chosen(data.starts + rng.integers(0, data.sizes))).score(nothing)
        for _ in range(permutations)
    ]
    params = scaled_solve(-ConditionalLogit(data).hessian(nothing), np.transpose(scores)).T
    noise = _ranges(data, params).mean(axis=0)
    return np.asarray(100 * noise / (ranges.sum() - ranges + noise))
