"""Simulated answers to given choice tasks: respondents whose tastes are known, for every model, and careless ones; to test recovery.

Tastes (N, K) come from `equal_tastes` (conditional logit), `normal_tastes` (mixed and hierarchical logit, with covariates and signed
coefficients) or `class_tastes` (latent classes); `answer` lets them choose, v + Gumbel, the largest. Careless respondents do not look at the offers:
RANDOM clickers, ALWAYS_LEFT, ALWAYS_NONE; PRICE_ONLY looks for the cheapest. `SyntheticAnswers.data` holds simulated answers, never real ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wtp.errors import DataError
from wtp.estimation.choice_data import ChoiceData

BY_TASTE, RANDOM, ALWAYS_LEFT, ALWAYS_NONE, PRICE_ONLY = (
    "by taste",
    "random",
    "always left",
    "always none",
    "price only",
)
BEHAVIOURS = (BY_TASTE, RANDOM, ALWAYS_LEFT, ALWAYS_NONE, PRICE_ONLY)


@dataclass(frozen=True, eq=False, slots=True)
class SyntheticAnswers:
    """data: the tasks with simulated choices. tastes: (N, K), what the estimators should find. behaviour: (N,) one of BEHAVIOURS."""

    data: ChoiceData
    tastes: np.ndarray
    behaviour: np.ndarray


def equal_tastes(respondents: int, coefficients: np.ndarray) -> np.ndarray:
    """(N, K): everybody has the same coefficients (K,)."""
    return np.tile(np.asarray(coefficients, dtype=float), (respondents, 1))


def normal_tastes(
    respondents: int,
    mean: np.ndarray,
    covariance: np.ndarray,
    *,
    signs: np.ndarray | None = None,
    effects: np.ndarray | None = None,
    z: np.ndarray | None = None,
    seed: int = 0,
) -> np.ndarray:
    """(N, K) normal round mean (K,) + effects' z with a covariance (K, K); effects: (M, K), z: (N, M).

    signs: (K,) 1 or -1 where a coefficient is plus or minus a log-normal, whose mean and covariance are those of its logarithm; 0 elsewhere.
    """
    mean = np.asarray(mean, dtype=float)
    drawn = np.random.default_rng([seed, 1]).multivariate_normal(np.zeros(len(mean)), covariance, size=respondents)
    drawn += mean
    if effects is not None and z is not None:
        drawn += z @ effects
    if signs is None:
        return drawn
    return np.asarray(np.where(signs == 0, drawn, signs * np.exp(np.where(signs == 0, 0.0, drawn))))


def class_tastes(
    respondents: int, classes: np.ndarray, shares: np.ndarray, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """(N, K) tastes of respondents in classes (C, K) drawn with shares (C,), and (N,) the class of each."""
    shares = np.asarray(shares, dtype=float)
    member = np.random.default_rng([seed, 2]).choice(len(shares), size=respondents, p=shares / shares.sum())
    return np.asarray(classes, dtype=float)[member], member


def answer(
    data: ChoiceData, tastes: np.ndarray, *, careless: dict[str, float] | None = None, seed: int = 0
) -> SyntheticAnswers:
    """Let respondents of the given tastes (N, K) answer the tasks of `data`; whatever was chosen in it is not looked at.

    careless: share of the respondents by behaviour, as in {RANDOM: 0.1}; who is careless is drawn. Raises DataError for another behaviour, shares
    that are none, tastes of another shape, always-none without a none option, price-only without a price.
    """
    careless = careless or {}
    people, k = len(data.respondents), data.X.shape[1]
    if tastes.shape != (people, k):
        raise DataError(f"tastes of shape {tastes.shape}; allowed: {(people, k)}, respondents and parameters; mend it.")
    _check_careless(data, careless)
    rng = np.random.default_rng([seed, 3])
    utility = np.einsum("ak,ak->a", data.X, tastes[data.respondent[data.task_of_row]])
    behaviour = rng.choice(
        np.array(BEHAVIOURS, dtype=object), size=people, p=[1 - sum(careless.values()), *(careless.get(b, 0.0) for b in BEHAVIOURS[1:])]
    )  # fmt: skip
    noise = rng.gumbel(size=len(data.X))
    of_row = behaviour[data.respondent[data.task_of_row]]
    score = np.where(of_row == RANDOM, noise, utility + noise)
    score = np.where(of_row == ALWAYS_LEFT, -np.arange(len(score)), score)
    if data.none is not None:
        score = np.where(of_row == ALWAYS_NONE, data.X[:, data.none], score)
    if data.price is not None:
        price = -data.X[:, data.names.index(data.price)]
        if data.none is not None:
            price = np.where(data.X[:, data.none] == 1, -np.inf, price)
        # Equal prices are settled by chance, not by place.
        score = np.where(of_row == PRICE_ONLY, price + 1e-9 * np.abs(price[np.isfinite(price)]).max() * noise, score)
    best = np.maximum.reduceat(score, data.starts)[data.task_of_row]
    rows = np.flatnonzero(score == best)
    first = rows[
        np.r_[True, np.diff(data.task_of_row[rows]) != 0]
    ]  # a task without a none option for ALWAYS_NONE: its first
    return SyntheticAnswers(data.with_chosen(first), tastes, behaviour)


def _check_careless(data: ChoiceData, careless: dict[str, float]) -> None:
    unknown = [name for name in careless if name not in BEHAVIOURS[1:]]
    if unknown:
        raise DataError(
            f"careless: found {', '.join(map(repr, unknown))}; allowed: {', '.join(BEHAVIOURS[1:])}; name these."
        )
    if any(share < 0 for share in careless.values()) or sum(careless.values()) > 1:
        raise DataError(
            f"careless: shares {', '.join(f'{s:g}' for s in careless.values())}; allowed: 0 to 1, together at most 1; mend them."
        )
    if careless.get(ALWAYS_NONE) and data.none is None:
        raise DataError(
            "careless: always none, and the tasks have no none option; allowed: tasks with one; leave it out."
        )
    if careless.get(PRICE_ONLY) and data.price is None:
        raise DataError(
            "careless: price only, and the tasks have no linear price; allowed: tasks with one; leave it out."
        )
