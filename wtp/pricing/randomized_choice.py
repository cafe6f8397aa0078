"""Randomized first choice (Orme and Huber 2000): noise of levels, which similar offers share, and of offers, then everybody takes the best.

u_ij = m (v_ij + sum_a e_i,a,l(j) + g_ij): e normal, one for each level that is in the market, g Gumbel. The levels' noise has the share RHO of the
variance pi^2 / 6 of a logit, so that offers without a common level differ as much as in one. Offers that share levels differ by less noise; m, one
factor of all noise, is chosen so that the market without copies has shares as close to the logit ones as can be.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from wtp.pricing.share_kernel import share_sums

RHO = 0.9
_TUNED_ON = 50_000
_FEWEST = 200_000  # choices in all: a pooled fit has one respondent a draw


def randomized_first_choice(utilities: np.ndarray, weights: np.ndarray, levels: np.ndarray, seed: int) -> np.ndarray:
    """(R, J) shares of offers with utilities (J, R N) of which `levels` (J, A) tells the level of each attribute (-1: none)."""
    count, people = utilities.shape[1], weights.shape[1]
    rng = np.random.default_rng([seed, 11])
    rounds = -(-_FEWEST // count)
    factor = 0.0
    shares = np.zeros((count // people, len(utilities)))
    for again in range(rounds):
        noise = _noise(levels, count, rng)
        factor = factor if again else _factor(utilities, noise, weights, levels)
        shares += _best(utilities + factor * noise, weights) / rounds
    return shares


def _best(utilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(R, J) weighted shares of those for whom each offer is the best."""
    best = utilities.argmax(axis=0).reshape(-1, weights.shape[1])
    return np.stack([(weights * (best == j)).sum(axis=1) for j in range(len(utilities))], axis=1)


def _noise(levels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(J, M) noise of the levels and of the offers; one that buys nothing has as much, and none in common."""
    offers, attributes = levels.shape
    variance = np.pi**2 / 6
    noise = np.sqrt(1 - RHO) * rng.gumbel(size=(offers, count))
    spread = np.sqrt(RHO * variance / attributes)
    for a in range(attributes):
        shared = {level: spread * rng.standard_normal(count) for level in np.unique(levels[:, a]) if level >= 0}
        for j, level in enumerate(levels[:, a]):
            noise[j] += shared[level] if level >= 0 else spread * rng.standard_normal(count)
    return np.asarray(noise)


def _factor(utilities: np.ndarray, noise: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> float:
    """The factor at which offers that are no copies of each other have shares closest to a logit's."""
    _, first = np.unique(levels, axis=0, return_index=True)
    kept = np.sort(first)
    people = weights.shape[1]
    draws = max(1, min(utilities.shape[1], _TUNED_ON) // people)
    part, own = np.ascontiguousarray(utilities[kept, : draws * people]), weights[:draws]
    some = noise[kept, : draws * people]
    wanted = share_sums(part, own).mean(axis=0)

    def misfit(log_factor: float) -> float:
        found = _best(part + np.exp(log_factor) * some, own).mean(axis=0)
        return float(((found - wanted) ** 2).sum())

    return float(np.exp(minimize_scalar(misfit, bounds=(np.log(0.3), np.log(5.0)), method="bounded").x))
