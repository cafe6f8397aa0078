"""The pooled logit of best-worst choices (MaxDiff), and the table of items of any fit to them.

The model, and the stacking by which every estimator can take it, are described in `best_worst_data`. Notation: N respondents,
L items, m items a task, K parameters, R draws, G groups.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import expit
from statsmodels.iolib.summary import Summary

from wtp.errors import EstimationError
from wtp.estimation.best_worst_data import BestWorstData
from wtp.estimation.conditional_logit import ConditionalLogit, ConditionalLogitResults, CovarianceType, quantile
from wtp.estimation.diagnostics import FEWEST_SHOWN, Note
from wtp.estimation.draws import Fit

_SELDOM = "{item} was shown {shown} times, fewer than {limit}; its utility is imprecise; show it more often or collect more answers."
_UNASKED = (
    "{unasked} of {tasks} tasks have no answer to how many matter and count as not asked; if an empty cell means none (some programs read "
    "the word as empty), write it out and fit again."
)


class BestWorstLogit:
    """Pooled logit of stacked best-worst choices: `ConditionalLogit` with the checks, counts and table of items.

    data: from `best_worst_choices`. Latent classes and hierarchical Bayes take the same data; `item_table` reads any of their fits.
    """

    def __init__(self, data: BestWorstData) -> None:
        if not isinstance(data, BestWorstData):
            raise EstimationError(
                f"{type(data).__name__}; allowed: BestWorstData; make it from best-worst tasks by best_worst_choices."
            )
        self.data = data

    def fit(self, cov_type: CovarianceType = "cluster") -> BestWorstResults:
        """Maximise the likelihood; covariance clustered by respondent unless told otherwise, as in `ConditionalLogit`.

        Raises EstimationError where an item is the best, or the worst, of every task that shows it, where the anchor was always answered alike,
        or where the choices separate otherwise.
        """
        data = self.data
        _check_sides(data)
        # Rows of worst choices have the opposite sign, so levels cannot be counted by their columns; `counts` does it.
        fit = ConditionalLogit(replace(data, attributes=())).fit(cov_type)
        results = fit._results
        results.data = data
        rare = data.counts[data.counts["shown"] < FEWEST_SHOWN]
        results.notes += tuple(
            Note("rare_item", "warning", _SELDOM, {"item": str(i), "shown": int(n), "limit": FEWEST_SHOWN})
            for i, n in zip(rare["item"], rare["shown"], strict=True)
        )
        asked, tasks = _anchors(data), int(data.counts["best"].sum())
        if data.anchored and asked < tasks:
            results.notes += (Note("anchor_missing", "warning", _UNASKED, {"unasked": tasks - asked, "tasks": tasks}),)
        return BestWorstResults(results)


class BestWorstResults(ConditionalLogitResults):
    """`ConditionalLogitResults` of the stacked choices (choice_tasks counts two or more of them a task), with `items`."""

    @property
    def items(self) -> pd.DataFrame:
        """`item_table` with 95 per cent intervals."""
        return item_table(self)

    def summary(self, alpha: float = 0.05) -> Summary:
        """statsmodels summary, a row a parameter."""
        summary = self._results.summary(alpha)
        summary.tables[0].title = f"Best-worst logit (Marley and Louviere 2005){', anchored' * self.data.anchored}"
        return summary


def item_table(fit: Fit, *, confidence: float = 0.95, draws: int = 2_000, seed: int = 0) -> pd.DataFrame:
    """Utilities and shares of the items, of any fit to `BestWorstData`.

    Columns item, utility, std_error, low, high, share, share_low, share_high; anchored also matters, matters_low, matters_high. utility in
    logits: zero-centred over the items, or with the threshold at 0 if anchored. share: e^v / (e^v + m - 1), the chance to be the best
    among m - 1 average items, as per cent of their sum; v zero-centred. matters: the chance to stand above the threshold, per cent.
    A pooled fit: standard errors from the covariance, shares with percentiles of Krinsky-Robb draws. Other fits: mean, standard deviation and
    percentiles over draws of the mean over respondents or classes.
    """
    data = fit.data
    if not isinstance(data, BestWorstData):
        raise EstimationError(
            f"a fit to {type(data).__name__}; allowed: a fit to BestWorstData; make it from best-worst tasks by best_worst_choices."
        )
    drawn = fit.simulate(draws, seed)
    weights = np.broadcast_to(drawn.weights, drawn.values.shape[:2])
    simulated = [np.einsum("rg,rgl->rl", weights, figures) for figures in _figures(data, np.asarray(drawn.values))]
    tail = (1 - confidence) / 2
    intervals = [np.quantile(figures, [tail, 1 - tail], axis=0) for figures in simulated]
    if isinstance(fit, ConditionalLogitResults):
        estimates = _figures(data, fit.params.to_numpy())
        contrasts = _utility_contrasts(data)
        errors = np.sqrt(np.einsum("lk,kj,lj->l", contrasts, fit.cov_params().to_numpy(), contrasts))
        half = quantile(fit, confidence) * errors
        intervals[0] = np.array([estimates[0] - half, estimates[0] + half])
    else:
        estimates = [figures.mean(axis=0) for figures in simulated]
        errors = simulated[0].std(axis=0, ddof=1)
    table = pd.DataFrame({"item": data.items, "utility": estimates[0], "std_error": errors})
    table[["low", "high"]] = intervals[0].T
    for name, estimate, interval in zip(("share", "matters"), estimates[1:], intervals[1:], strict=False):
        table[name] = estimate
        table[[f"{name}_low", f"{name}_high"]] = interval.T
    return table


def _utility_contrasts(data: BestWorstData) -> np.ndarray:
    contrasts = data.contrasts
    return contrasts if data.anchored else contrasts - contrasts.mean(axis=0)


def _figures(data: BestWorstData, params: np.ndarray) -> list[np.ndarray]:
    """Utilities, shares and, anchored, chances to matter of params (..., K); each (..., L)."""
    utilities = params @ _utility_contrasts(data).T
    centred = utilities - utilities.mean(axis=-1, keepdims=True)
    best = expit(centred - np.log(data.items_per_task - 1))
    figures = [utilities, 100 * best / best.sum(axis=-1, keepdims=True)]
    return [*figures, 100 * expit(utilities)] if data.anchored else figures


def _anchors(data: BestWorstData) -> int:
    """In how many tasks the anchor was asked: the threshold, all zeros, is among the alternatives of the first choice."""
    return int(((data.level_of_row == 0) & data.asks_best[data.task_of_row]).sum())


def _check_sides(data: BestWorstData) -> None:
    """Answers that leave no finite estimate, in plain words; what else separates is found by `ConditionalLogit`."""
    if data.anchored:
        asked = _anchors(data)
        picked = data.level_of_row[data.chosen] == 0
        for answer, times in (("none", picked & data.asks_best), ("all", picked & ~data.asks_best)):
            if times.sum() == asked:
                raise EstimationError(
                    f"all {asked} answers about how many matter are {answer!r}, so the threshold lies beyond all items; "
                    "allowed: answers that differ; fit without the anchor."
                )
        return
    counts = data.counts
    for how in ("best", "worst"):
        always = counts[counts[how] == counts["shown"]]
        if len(always):
            raise EstimationError(
                f"{', '.join(map(str, always['item']))}: always the {how} item ({always['shown'].iloc[0]} tasks), so no estimate is finite; "
                "allowed: items whose answers differ; leave it out or collect more answers."
            )
