"""Simulation-based calibration of the hierarchical sampler (Talts et al. 2018): draw truth from the prior, answers from the truth, rank the truth.

If the sampler is right, the rank of every true quantity among its posterior draws is uniform. The log-likelihood is ranked too: it finds errors of the
likelihood that the parameters do not show (Modrak et al. 2023). Used by the tests and by `benchmarks/calibration.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits

from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.hierarchical import HierarchicalLogit, HierarchicalPrior, kernel
from wtp.estimation.hierarchical.problem import Problem
from wtp.estimation.hierarchical.sampler import Chain

RANKS = 99
BINS = 10
NAMES = ("x0", "x1", "x2")
QUANTITIES = (*(f"mean.{name}" for name in NAMES), *(f"log_variance.{name}" for name in NAMES), "log_likelihood", "wtp")
CRITICAL = float(stats.chi2.isf(0.001, BINS - 1))


def prior(k: int = 3) -> HierarchicalPrior:
    """Proper and moderate: A = 1, nu = K + 10, variances 0.5."""
    return HierarchicalPrior(mean_precision=1.0, degrees_of_freedom=k + 10, scale=0.5)


def simulate(
    rng: np.random.Generator, respondents: int = 40, tasks: int = 8, learned: float | None = None
) -> tuple[ChoiceData, np.ndarray]:
    """Answers of a population drawn from the prior; its true D (K), log variances (K), log-likelihood, and D_0 / D_1.

    learned: shape and rate of the factor of V, where it is not known.
    """
    k, alternatives = len(NAMES), 3
    X = rng.choice([-1.0, 0.0, 1.0], (respondents * tasks, alternatives, k))
    factor = 1.0 if learned is None else rng.gamma(learned, 1 / learned)
    covariance = stats.invwishart(k + 10, (k + 10) * 0.5 * factor * np.eye(k)).rvs(random_state=rng)
    mean = rng.multivariate_normal(np.zeros(k), covariance)
    theta = rng.multivariate_normal(mean, covariance, respondents)
    person = np.repeat(np.arange(respondents), tasks)
    v = np.einsum("tjk,tk->tj", X, theta[person])
    chosen = (v + rng.gumbel(size=v.shape)).argmax(axis=1)
    starts = np.arange(respondents * tasks) * alternatives
    data = ChoiceData(
        X=X.reshape(-1, k), starts=starts, chosen=starts + chosen, respondent=person, respondents=np.arange(respondents), names=NAMES
    )  # fmt: skip
    loglike = float((v[np.arange(len(v)), chosen] - np.log(np.exp(v).sum(axis=1))).sum())
    return data, np.r_[mean, np.log(np.diag(covariance)), loglike, mean[0] / mean[1]]


def ranks(
    seed: int,
    *,
    thin: int = 4,
    warmup: int = 200,
    plant: Callable[[Problem], Problem] = lambda problem: problem,
    learned: float | None = None,
) -> np.ndarray:
    """Ranks (Q,) of the truth of one simulated study among 99 thinned draws; `plant` puts an error into the sampler's problem.

    learned: the factor of V is drawn too; `sampler.LEARNED` must be the same.
    """
    rng = np.random.default_rng([seed, 0])
    data, truth = simulate(rng, learned=learned)
    right = HierarchicalLogit(data, prior=prior(), coding="as_given").problem
    if learned is not None:
        right = replace(right, learned=np.zeros(len(NAMES), dtype=int))
    problem = plant(right)
    chain = Chain(problem, np.random.SeedSequence([seed, 1]), warmup)
    draws = np.empty((RANKS, len(truth)))
    gradients, loglike = np.empty(chain.theta.shape), np.empty(len(chain.theta))
    with threadpool_limits(1):
        for _ in range(warmup):
            chain.sweep()
        for r in range(RANKS):
            for _ in range(thin):
                chain.sweep()
            kernel.loglikes(*right.choices, chain.theta, right.signs, gradients, right.workspace(), loglike)
            mean = chain.delta[0]
            draws[r] = np.r_[mean, np.log(np.diag(chain.covariance)), loglike.sum(), mean[0] / mean[1]]
    return np.asarray((draws < truth).sum(axis=0))


def chi_squares(all_ranks: np.ndarray) -> np.ndarray:
    """(Q,) chi-square statistics, 9 degrees of freedom, of ranks (studies, Q) in ten equal bins."""
    counts = np.stack([(all_ranks // ((RANKS + 1) // BINS) == b).sum(axis=0) for b in range(BINS)])
    expected = len(all_ranks) / BINS
    return np.asarray(((counts - expected) ** 2 / expected).sum(axis=0))


def last_task_dropped(problem: Problem) -> Problem:
    """A planted error: the last choice task of every respondent is forgotten."""
    tasks = np.diff(problem.first_task)
    kept = np.ones(len(problem.first_row) - 1, dtype=bool)
    kept[problem.first_task[1:] - 1] = False
    sizes = np.diff(problem.first_row)
    return replace(
        problem,
        rows=np.ascontiguousarray(problem.rows[:, np.repeat(kept, sizes)]),
        first_row=np.r_[0, np.cumsum(sizes[kept])],
        first_task=np.r_[0, np.cumsum(tasks - 1)],
    )


def wrong_freedom(problem: Problem) -> Problem:
    """A planted error: the degrees of freedom of the prior count K + 10 too often."""
    return replace(problem, freedom=problem.freedom + 2 * len(problem.rows) + 20)


def prior_ignored(problem: Problem) -> Problem:
    """A planted error: the prior says next to nothing."""
    k = len(problem.rows)
    return replace(problem, freedom=float(k), scale=1e-3 * np.eye(k), precision=problem.precision * 1e-6)
