"""Cognitive scripts: in which order customers expect events to happen, how far they agree on it, and whether segments expect another one.

The consensus is Borda's: events by their mean place. Agreement of a person with it is Kendall's tau with the consensus of all others, so that nobody agrees with himself; its interval has the error of
bootstrap samples in which all copies of a person are left out of his consensus, since where people hardly agree the consensus moves more than they do. Kendall's W of all has a jackknife interval
by the mean rank correlation of two persons, r = (N W - 1) / (N - 1). Whether there is a common order at all is Friedman's (1937) test. Segments are compared by a permutation
test of their mean places: labels of persons are shuffled. P-values are adjusted by Holm (1979) over all that is told of a study. Notation: N respondents, L events, R replicates.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import chi2, kendalltau, rankdata, t
from statsmodels.stats.multitest import multipletests

from wtp.customers.gaps import FALSE_ALARM
from wtp.errors import DataError

_BLOCK = 2_000_000  # numbers of a bootstrap or permutation at a time


def _places(orders: pd.DataFrame) -> np.ndarray:
    """(N, L) places 1 to L. Raises DataError for anything else."""
    places = orders.to_numpy(dtype=float)
    n, events = places.shape
    if n < 3 or events < 2:
        raise DataError(f"{n} orders of {events} events; allowed: three or more of two or more; collect more answers.")
    if not (np.sort(places, axis=1) == np.arange(1, events + 1)).all():
        raise DataError(f"orders that are not whole; allowed: every event in a place 1 to {events}; leave them out.")
    return places


def consensus(
    orders: pd.DataFrame, *, confidence: float = 0.90, replicates: int = 1_000, seed: int = 0
) -> pd.DataFrame:
    """item, rank with its interval, place (the mean) with its interval, the first event on top: percentiles over respondents drawn with replacement.

    orders: one row a respondent, one column an event, its place from 1 on. Raises DataError for orders that are not whole.
    """
    places = _places(orders)
    n, tail = len(places), (1 - confidence) / 2
    weights = np.random.default_rng([seed, 32]).multinomial(n, np.full(n, 1 / n), size=replicates)
    drawn = (weights @ places) / n
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    ranks = rankdata(drawn.round(12), axis=1)
    first, last = np.quantile(ranks, [tail, 1 - tail], axis=0)
    mean = places.mean(axis=0)
    table = pd.DataFrame({"item": list(orders.columns), "rank": rankdata(mean.round(12)), "rank_low": np.floor(first), "rank_high": np.ceil(last)})  # fmt: skip
    return table.assign(place=mean, place_low=low, place_high=high).sort_values(
        "place", kind="stable", ignore_index=True
    )


def agreement(
    orders: pd.DataFrame, *, confidence: float = 0.90, replicates: int = 300, seed: int = 0
) -> dict[str, float]:
    """tau and agreement (Kendall's W), each with its interval, p_value of Friedman's test, respondents. orders as in `consensus`."""
    places = _places(orders)
    n, events = places.shape
    step = float(t.ppf((1 + confidence) / 2, n - 1))
    one, other = map(list, zip(*combinations(range(events), 2), strict=True))
    apart = places[:, other] - places[:, one]
    weights = np.random.default_rng([seed, 35]).multinomial(n, np.full(n, 1 / n), size=replicates).astype(float)
    size = max(1, _BLOCK // apart.size)
    drawn = np.concatenate([_with_others(weights[k : k + size], apart) for k in range(0, replicates, size)])
    tau, half = float(_with_others(np.ones((1, n)), apart)[0]), step * float(drawn.std(ddof=1))
    w, low, high = _concordance(places, step)
    return {
        "tau": tau, "tau_low": max(tau - half, -1.0), "tau_high": min(tau + half, 1.0),
        "agreement": w, "agreement_low": low, "agreement_high": high,
        "p_value": float(chi2.sf(n * (events - 1) * w, events - 1)), "respondents": n,
    }  # fmt: skip


def _with_others(weights: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """(R,) mean Kendall's tau of persons with the consensus of all others, under weights (R, N); apart (N, P): places between the events of each pair. A tie of the consensus counts nothing."""
    others = (weights @ apart)[:, None, :] - weights[:, :, None] * apart
    taus = (np.sign(apart) * np.sign(others)).mean(axis=2)
    return np.asarray((taus * weights).sum(axis=1) / weights.sum(axis=1))


def _concordance(places: np.ndarray, step: float) -> tuple[float, float, float]:
    """Kendall's W and its interval."""
    n, events = places.shape
    own = (events**3 - events) / 12  # squared length of every person's centred places
    centred = places - (events + 1) / 2
    total = centred.sum(axis=0)
    length = float(total @ total)
    correlation = (length - n * own) / (n * (n - 1) * own)
    without = (length - 2 * centred @ total + own - (n - 1) * own) / ((n - 1) * (n - 2) * own)
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    w, low, high = ((c * (n - 1) + 1) / n for c in (correlation, correlation - step * error, correlation + step * error))  # fmt: skip
    return float(w), float(max(low, 0.0)), float(min(high, 1.0))


def segments_apart(orders: Mapping[str, pd.DataFrame], *, permutations: int = 2_000, seed: int = 0) -> pd.DataFrame:
    """segment, other, tau of their consensus orders, p_value of the permutation test that both expect the same order: one row a pair. orders: by segment, as in `consensus`."""
    rng = np.random.default_rng([seed, 33])
    rows = []
    for one, other in combinations(orders, 2):
        places, more = _places(orders[one]), _places(orders[other])
        tau = float(kendalltau(places.mean(axis=0).round(12), more.mean(axis=0).round(12)).statistic)
        rows.append((one, other, tau, _permuted(np.vstack([places, more]), len(places), permutations, rng)))
    return pd.DataFrame(rows, columns=["segment", "other", "tau", "p_value"])


def _permuted(places: np.ndarray, first: int, permutations: int, rng: np.random.Generator) -> float:
    """P-value of the distance between the mean places of the first rows and of the others."""
    n, total = len(places), places.sum(axis=0)

    def distance(sums: np.ndarray) -> np.ndarray:
        apart = sums / first - (total - sums) / (n - first)
        return np.asarray((apart**2).sum(axis=-1).round(9))

    labels = (np.arange(n) < first).astype(np.int8)
    seen, reached = distance(places[:first].sum(axis=0)), 0
    size = max(1, _BLOCK // n)
    for start in range(0, permutations, size):
        shuffled = rng.permuted(np.tile(labels, (min(size, permutations - start), 1)), axis=1)
        reached += int((distance(shuffled @ places) >= seen).sum())
    return (1 + reached) / (1 + permutations)


def adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """The table with p_adjusted, by Holm over all of its rows, and differs: whether that is at most 5 per cent."""
    if table.empty:
        return table.assign(p_adjusted=[], differs=[])
    p = multipletests(table["p_value"], method="holm")[1]
    return table.assign(p_adjusted=p, differs=p <= FALSE_ALARM)
