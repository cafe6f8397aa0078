"""Which grouping of the same respondents explains their choices best, and how much groupings agree.

Each grouping (a question, what contacts were about, latent classes) is judged on people who had no part in the fit: the logit of each group is fitted to four fifths of the
respondents, and the probability of what the others chose is taken, in the second half of their choice tasks. Declared groups are known before anybody chooses. Latent classes are
not: the first half of his own choices tells to which class somebody belongs, so they need a conversation that the others do not. A grouping without any meaning loses by this
measure, since it splits the sample.

Choices between offers tell preferences, choices between an offer and nothing tell price limits; both have a figure of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import softmax
from statsmodels.stats.weightstats import DescrStatsW

from wtp.errors import DataError
from wtp.estimation import ChoiceData, ConditionalLogit, LatentClassLogit
from wtp.estimation.diagnostics import SMALLEST_SAMPLE
from wtp.estimation.holdout import chosen_probabilities
from wtp.segments.found import adjusted_rand

OFFERS, PURCHASE = "offers", "purchase"
NO_GROUPS, CLASSES = "none", "classes"
_FOLDS = 5
_STARTS = 4
_REPLICATES = 2_000


@dataclass(frozen=True, slots=True)
class Explained:
    """scores: part (offers, purchase), grouping, groups, respondents, hit (mean probability of what was chosen), gained (in mean log-probability over no groups), low, high, explains, explains_best.

    agreement: one, other, respondents, adjusted_rand, low, high. explains: what is gained lies above 0 with its whole interval. explains_best: so, and clearly above every other grouping that is known before anybody chooses; latent classes, which know half of a person's own choices, are told beside and are never the best.
    """

    scores: pd.DataFrame
    agreement: pd.DataFrame


def explained(
    data: ChoiceData, groupings: Mapping[str, pd.Series], *, classes: int = 0, confidence: float = 0.90, seed: int = 0
) -> Explained:
    """Compare groupings (name -> group by respondent) of the respondents who are in all of them.

    classes: how many latent classes to compare with, 0 for none. Intervals are paired by respondent. A group with fewer than 30 respondents to learn from is predicted by everybody.
    Raises DataError for no grouping or fewer than 150 respondents.
    """
    known = np.all([g.reindex(data.respondents).notna().to_numpy() for g in groupings.values()], axis=0) if groupings else np.zeros(len(data.respondents), bool)  # fmt: skip
    if known.sum() < _FOLDS * SMALLEST_SAMPLE:
        raise DataError(
            f"groupings: {int(known.sum())} respondents are in all of {', '.join(groupings) or 'none'}; allowed: {_FOLDS * SMALLEST_SAMPLE} or more; ask more people or leave one out."
        )
    data = data.subset(known)
    codes = {name: pd.factorize(g.reindex(data.respondents), sort=True)[0] for name, g in groupings.items()}
    rng = np.random.default_rng([seed, 37])
    fold = rng.permutation(len(data.respondents)) % _FOLDS
    late = _second_half(data)
    parts = _parts(data)
    scores = {name: np.zeros(len(data.starts)) for name in (NO_GROUPS, *codes, *([CLASSES] if classes else []))}
    for number in range(_FOLDS):
        learn, judge = fold != number, fold == number
        train, test = data.subset(learn), data.subset(judge)
        here = judge[data.respondent]
        everybody = _beta(train)
        scores[NO_GROUPS][here] = _chosen(test, np.tile(everybody, (int(judge.sum()), 1)))
        for name, own in codes.items():
            enough = np.bincount(own[learn], minlength=own.max() + 1) >= SMALLEST_SAMPLE
            betas = [_beta(train.subset(own[learn] == g)) if there else everybody for g, there in enumerate(enough)]
            scores[name][here] = _chosen(test, np.array(betas)[own[judge]])
        if classes:
            fit = LatentClassLogit(train, classes).fit(starts=_STARTS, seed=seed)
            betas = fit.class_params.to_numpy().T
            each = np.column_stack([_chosen(test, np.tile(beta, (int(judge.sum()), 1))) for beta in betas])
            scores[CLASSES][here] = _mixed(each, fit.shares.to_numpy(), test.respondent, late[here])
    groups = {NO_GROUPS: 1, **{name: int(own.max()) + 1 for name, own in codes.items()}, CLASSES: classes}
    tables = [
        _table(part, {name: own[late & there] for name, own in scores.items()}, data.respondent[late & there], groups, confidence)
        for part, there in parts.items()
        if there.any()
    ]  # fmt: skip
    if classes:
        codes[CLASSES] = LatentClassLogit(data, classes).fit(starts=_STARTS, seed=seed).membership.to_numpy().argmax(1)
    return Explained(pd.concat(tables, ignore_index=True), _agreement(codes, confidence, rng))


def _beta(data: ChoiceData) -> np.ndarray:
    return np.asarray(ConditionalLogit(data).fit().params, dtype=float)


def _chosen(data: ChoiceData, betas: np.ndarray) -> np.ndarray:
    """(T,) log-probability of what was chosen, with the tastes (N, K) of each respondent."""
    return np.asarray(np.log(chosen_probabilities(data, betas[None])))


def _mixed(each: np.ndarray, shares: np.ndarray, respondent: np.ndarray, late: np.ndarray) -> np.ndarray:
    """(T,) log-probability when the class (C) is told by the shares and the tasks that are not late."""
    told = np.zeros((respondent.max() + 1, len(shares)))
    np.add.at(told, respondent[~late], each[~late])
    weights = softmax(told + np.log(shares), axis=1)
    return np.asarray(np.log(np.maximum((np.exp(each) * weights[respondent]).sum(axis=1), 1e-300)))


def _second_half(data: ChoiceData) -> np.ndarray:
    """(T,) whether a task is in the second half of its respondent's."""
    place = np.arange(len(data.starts)) - data.first_tasks[data.respondent]
    return np.asarray(2 * place >= np.bincount(data.respondent)[data.respondent])


def _parts(data: ChoiceData) -> dict[str, np.ndarray]:
    """Which tasks (T,) are between offers, and which against buying nothing."""
    if data.none is None:
        return {OFFERS: np.ones(len(data.starts), bool)}
    buying = (np.maximum.reduceat(data.X[:, data.none], data.starts) > 0) & (data.sizes == 2)
    return {OFFERS: ~buying, PURCHASE: buying}


def _table(
    part: str, scores: Mapping[str, np.ndarray], respondent: np.ndarray, groups: Mapping[str, int], confidence: float
) -> pd.DataFrame:
    answered = np.bincount(respondent)
    there = answered > 0
    sums = {name: np.bincount(respondent, own)[there] for name, own in scores.items()}
    each = float(answered[there].mean())

    def interval(one: str, other: str) -> tuple[float, float, float]:
        stats = DescrStatsW((sums[one] - sums[other]) / each)
        low, high = stats.tconfint_mean(alpha=1 - confidence)
        return float(stats.mean), float(low), float(high)

    rows = []
    for name, own in scores.items():
        hit = float(np.exp(own).mean())
        if name == NO_GROUPS:
            rows.append((part, name, 1, int(there.sum()), hit, 0.0, np.nan, np.nan, False, False))
            continue
        gain, low, high = interval(name, NO_GROUPS)
        others = [other for other in scores if other not in (name, NO_GROUPS, CLASSES)]
        best = name != CLASSES and low > 0 and all(interval(name, other)[1] > 0 for other in others)
        rows.append((part, name, groups[name], int(there.sum()), hit, gain, low, high, low > 0, best))
    columns = ["part", "grouping", "groups", "respondents", "hit", "gained", "low", "high", "explains", "explains_best"]
    return pd.DataFrame(rows, columns=columns)


def _agreement(codes: Mapping[str, np.ndarray], confidence: float, rng: np.random.Generator) -> pd.DataFrame:
    """Adjusted Rand index of each pair with a basic bootstrap interval over respondents (Davison and Hinkley 1997)."""
    rows = []
    tail = (1 - confidence) / 2
    for one, other in combinations(codes, 2):
        table = pd.crosstab(codes[one], codes[other]).to_numpy()
        n = int(table.sum())
        drawn = rng.multinomial(n, table.ravel() / n, size=_REPLICATES).reshape(-1, *table.shape)
        low, high = np.quantile([adjusted_rand(each) for each in drawn], [tail, 1 - tail])
        index = adjusted_rand(
            table
        )  # the index of a sample drawn again is too high, so the interval is turned round it
        rows.append((one, other, n, index, max(2 * index - float(high), -1.0), min(2 * index - float(low), 1.0)))
    return pd.DataFrame(rows, columns=["one", "other", "respondents", "adjusted_rand", "low", "high"])
