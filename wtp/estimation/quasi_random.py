"""Evenly spread draws for simulated likelihoods: uniform numbers (N respondents, R draws, D dimensions) between 0 and 1.

sobol: scrambled Sobol points, a block of R for each respondent (a power of two is best; Train 2009, chapter 9). halton: the plain rule of mlogit and xlogit, to compare
with them: primes 2, 3, 5, ..., radical inverses of 100, 101, ..., a block of R for each respondent; up to six dimensions or so. mlhs: modified
Latin hypercube sampling (Hess, Train and Polak 2006): R evenly spaced points a dimension and respondent, shifted and shuffled at random.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.stats import qmc

from wtp.errors import EstimationError

RULES = ("sobol", "halton", "mlhs")
_FIRST_OF_HALTON = 100


def uniform_draws(rule: str, respondents: int, draws: int, dimensions: int, seed: int) -> np.ndarray:
    """(N, R, D) points strictly between 0 and 1. Raises EstimationError for an unknown rule."""
    if rule not in RULES:
        raise EstimationError(f"rule: found {rule!r}; allowed: {', '.join(RULES)}; choose one of them.")
    if rule == "mlhs":
        rng = np.random.default_rng(seed)
        steps = np.tile(np.arange(draws)[:, None] / draws, (respondents, 1, dimensions))
        shifted = steps + rng.random((respondents, 1, dimensions)) / draws
        points = rng.permuted(shifted, axis=1)
    elif rule == "halton":
        sampler = qmc.Halton(dimensions, scramble=False)
        sampler.fast_forward(_FIRST_OF_HALTON)
        points = sampler.random(respondents * draws).reshape(respondents, draws, dimensions)
    else:
        with warnings.catch_warnings():
            # A number that is no power of two is allowed, only less even.
            warnings.filterwarnings("ignore", message="The balance properties", category=UserWarning)
            points = qmc.Sobol(dimensions, scramble=True, rng=seed).random(respondents * draws)
        points = points.reshape(respondents, draws, dimensions)
    smallest = np.finfo(float).eps
    return np.asarray(np.clip(points, smallest, 1 - smallest))
