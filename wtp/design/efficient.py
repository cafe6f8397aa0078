"""D-, Bayesian D- and C-efficient designs of a survey: the search of `exchange`, split into versions that are balanced in themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import norm, qmc

from wtp.design.balance import assembled, holdout_tasks
from wtp.design.exchange import coordinate_exchange
from wtp.design.rules import rules_of
from wtp.estimation.columns import Columns, prior_mean
from wtp.survey.definition import Definition
from wtp.survey.tasks import Design

_DRAWS = 64
_STARTS = 10
_BALANCE = 0.5  # counts of price levels within a tenth of equal ones, for 4 per cent of D-error
_SWAPS = 20_000


def efficient_design(definition: Definition, seed: int, progress: Callable[[float], None] | None = None) -> Design:
    """The most efficient design found within the plan's seconds; same seed and enough time, same design.

    Raises DesignError if the rules leave no task.
    """
    plan, rules = definition.choice_tasks, rules_of(definition)
    rng = np.random.default_rng(seed)
    shared = holdout_tasks(plan.holdouts + plan.warm_up, rules, rng)
    columns = Columns.of(definition)
    found = coordinate_exchange(
        columns.codes,
        plan.tasks * plan.versions,
        plan.alternatives,
        rules,
        draws=prior_draws(definition),
        criterion=plan.criterion,
        valued=columns.valued,
        starts=_STARTS,
        seconds=plan.seconds,
        seed=seed,
        balance=_BALANCE,
        progress=progress,
    )
    blocks = blocked(found.levels, plan.versions, rules.codes, rng)
    return assembled(definition, [list(found.levels[block]) for block in blocks], shared, rng)


def prior_draws(definition: Definition) -> np.ndarray:
    """(R, K) part-worths to average the error over: zeros without a prior, else Sobol draws round it, the price always negative."""
    prior = definition.choice_tasks.prior
    columns = Columns.of(definition)
    if prior is None:
        return np.zeros((1, len(columns.names)))
    mean = prior_mean(definition, prior)
    if not prior.spread:
        return mean[None, :]
    z = norm.ppf(qmc.Sobol(len(mean), seed=1).random(_DRAWS).clip(1e-6, 1 - 1e-6))
    draws = mean + prior.spread * np.abs(mean) * z
    price = columns.attributes == len(definition.attributes)
    draws[:, price] = mean[price] * np.exp(0.5 * prior.spread * z[:, price])
    return np.asarray(draws)


def blocked(levels: np.ndarray, versions: int, sizes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(versions, tasks) numbers of the tasks of each version, exchanged until level counts within versions hardly improve."""
    order = rng.permutation(len(levels)).reshape(versions, -1)
    if versions == 1:
        return np.asarray(order)
    shown = np.concatenate(
        [(levels[:, :, a, None] == np.arange(size)).sum(axis=1) for a, size in enumerate(sizes)], axis=1
    ).astype(float)  # (tasks, all levels)
    counts = shown[order].sum(axis=1)
    mean = shown.sum(axis=0) / versions
    for _ in range(_SWAPS):
        (v, w), i, j = rng.choice(versions, 2, replace=False), *rng.integers(0, order.shape[1], 2)
        move = shown[order[w, j]] - shown[order[v, i]]
        gain = ((counts[[v, w]] - mean) ** 2).sum() - (
            (counts[v] + move - mean) ** 2 + (counts[w] - move - mean) ** 2
        ).sum()
        if gain > 0:
            counts[v] += move
            counts[w] -= move
            order[v, i], order[w, j] = order[w, j], order[v, i]
    return np.asarray(order)
