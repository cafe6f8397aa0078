"""The customer's process in figures: which steps matter, which of them disappoint, when a service suits, how many a few windows serve, and what a window is worth.

Marks are 0 or 1, one row a respondent and one column a step or window (a time band of a day). Claims hold together: the chance that a table of even answers shows a single one is
at most 5 per cent. *Even* means that every respondent's marks could as well lie on any of the columns (`even_spread`), and that segments could swap their members
(`segment_differences`). Notation: N respondents, C columns, R replicates, S segments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

FALSE_ALARM = 0.05
_REPEATS = 20
_REPLICATES = 1_000
_BLOCK = 4_000_000  # numbers at a time


def even_spread(marks: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """share, low, high (Wilson 1927), even, p_value for each column of marks (N, C): how often it is marked, against an even spread of everybody's own number of marks.

    even: expected share if nothing mattered more than anything else, the same for all columns. p_value: one-sided; the sum of unequal chances has no heavier tail than the binomial
    of the same mean (Hoeffding 1956), so it never claims too much.
    """
    values = marks.to_numpy(dtype=float)
    n, columns = values.shape
    counts = values.sum(axis=0)
    even = float(values.mean())
    low, high = proportion_confint(counts, n, alpha=1 - confidence, method="wilson")
    above = binom.sf(counts - 1, n, even)
    above = np.where(counts > n * even + 1, above, np.maximum(above, 0.5))  # below that the bound does not hold
    table = {"share": counts / n, "low": low, "high": high, "even": np.full(columns, even), "p_value": above}
    return pd.DataFrame(table, index=marks.columns)


def satisfaction(ratings: pd.DataFrame, confidence: float, fewest: int) -> pd.DataFrame:
    """satisfaction, satisfaction_low, satisfaction_high (t interval), gap, p_value for each column of ratings (N, C), NaN for "do not know".

    gap: mean over respondents of the rating less the mean of their other ratings; p_value: one-sided t test that it is not below 0. NaN where fewer than `fewest` rated.
    """
    values = ratings.to_numpy(dtype=float)
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    others = known.sum(axis=1, keepdims=True) - known
    rest = (filled.sum(axis=1, keepdims=True) - filled) / np.maximum(others, 1)
    away = np.where(known & (others > 0), values - rest, np.nan)
    rows = []
    for column in range(values.shape[1]):
        own, gap = (part[np.isfinite(part)] for part in (values[:, column], away[:, column]))
        if len(own) < fewest:
            rows.append((np.nan,) * 5)
            continue
        mean = float(own.mean())
        ends = DescrStatsW(own).tconfint_mean(alpha=1 - confidence) if own.std() > 0 else (mean, mean)
        tested = len(gap) >= fewest and gap.std() > 0
        p = float(DescrStatsW(gap).ttest_mean(0.0, alternative="smaller")[1]) if tested else np.nan
        rows.append((mean, *ends, float(gap.mean()) if len(gap) else np.nan, p))
    columns = ["satisfaction", "satisfaction_low", "satisfaction_high", "gap", "p_value"]
    return pd.DataFrame(rows, columns=columns, index=ratings.columns)


def corrected(p: np.ndarray) -> np.ndarray:
    """p-values that hold together (Holm 1979); NaN stays NaN and counts for none."""
    found = np.full(len(p), np.nan)
    known = np.isfinite(p)
    if known.any():
        found[known] = multipletests(p[known], method="holm")[1]
    return found


def segment_differences(values: pd.DataFrame, groups: Sequence[str], seed: int, replicates: int = _REPLICATES) -> pd.DataFrame:  # fmt: skip
    """statistic, p_value for each column of values (N, C): whether its mean differs between the segments of `groups` (N,); NaN is missing.

    statistic: sum over segments of n (mean - all)^2 / variance: chi-square of marks, of ranks Kruskal and Wallis'. p_value: share of permutations of the segments in which the largest
    statistic of all columns is at least as large (Westfall and Young 1993), so the columns hold together, however they depend on each other.
    """
    z = values.to_numpy(dtype=float)
    known = np.isfinite(z)
    n = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, z, 0.0).sum(axis=0) / n
    centred = np.where(known, z - mean, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / n)
    centred = centred / np.where(spread > 0, spread, 1.0)
    names, codes = np.unique(np.asarray(groups), return_inverse=True)
    rng = np.random.default_rng([seed, 21])
    together = np.hstack([centred, known]).astype(float)

    def statistics(orders: np.ndarray) -> np.ndarray:
        """(R, C) of segments (R, N)."""
        total = np.zeros((len(orders), z.shape[1]))
        for segment in range(len(names)):
            own, counts = np.split((orders == segment).astype(float) @ together, 2, axis=1)
            total += own**2 / np.maximum(counts, 1)
        return total

    found = statistics(codes[None])[0]
    size = max(1, _BLOCK // len(z))
    parts = [min(size, replicates - done) for done in range(0, replicates, size)]
    largest = [statistics(rng.permuted(np.tile(codes, (part, 1)), axis=1)).max(axis=1) for part in parts]
    p = (1 + (np.concatenate(largest)[:, None] >= found - 1e-9).sum(axis=0)) / (1 + replicates)
    return pd.DataFrame({"statistic": found, "p_value": p}, index=values.columns)


@dataclass(frozen=True, slots=True)
class Coverage:
    """chosen: column numbers of the windows in the order chosen (K,). share, low, high: of respondents to whom at least one of the first k suits, told by people who had no part in
    choosing; seen: the same of those who chose, which flatters. served: (N, K) how often each respondent was served when others chose.
    """

    chosen: tuple[int, ...]
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    seen: np.ndarray
    served: np.ndarray


def coverage(marks: np.ndarray, most: int, confidence: float, seed: int) -> Coverage:
    """How many respondents the best k windows serve, k = 1 to `most`; marks (N, C), 0 or 1.

    Windows are chosen one after the other, each to serve most of those whom the earlier ones do not (greedy maximum coverage; Nemhauser, Wolsey and Fisher 1978). To choose and to judge by the
    same people would flatter: the figure comes from repeated three-fold cross-validation, in which two thirds choose and a third judges. Intervals are Wilson's for two thirds of the respondents: those of
    everybody hold too rarely (52 to 90 instead of 90 of 100), since it is chance which of two windows that are about alike is chosen; these hold in 88 to 99 of 100 (81 at worst with 30 respondents).
    """
    suits = np.asarray(marks, dtype=float)
    n = len(suits)
    most = min(most, suits.shape[1])
    everybody = np.ones((1, n))
    chosen = _greedy(suits, everybody, most)
    seen = 1 - _left(suits, everybody, chosen).sum(axis=2)[:, 0] / n
    rng = np.random.default_rng([seed, 22])
    choosers = n - n // 3
    repeats = int(np.clip(_BLOCK // (3 * most * n), 2, _REPEATS))
    fold = rng.permuted(np.tile(np.arange(n) % 3, (repeats, 1)), axis=1)
    judges = (fold[:, None, :] == np.arange(3)[:, None]).reshape(-1, n).astype(float)
    missed = _left(suits, judges, _greedy(suits, 1 - judges, most))  # (K, splits, N)
    served = 1 - missed.sum(axis=1).T / repeats
    share = served.mean(axis=0)
    low, high = proportion_confint(share * choosers, choosers, alpha=1 - confidence, method="wilson")
    return Coverage(tuple(map(int, chosen[0])), share, low, high, seen, served)


def _greedy(suits: np.ndarray, weights: np.ndarray, most: int) -> np.ndarray:
    """The windows in the order chosen (R, most), for each row of weights (R, N)."""
    left, rows = weights.copy(), np.arange(len(weights))
    taken = np.zeros((len(weights), suits.shape[1]), dtype=bool)
    chosen = np.empty((len(weights), most), dtype=int)
    for k in range(most):
        chosen[:, k] = np.where(taken, -1.0, left @ suits).argmax(axis=1)
        taken[rows, chosen[:, k]] = True
        left *= 1 - suits[:, chosen[:, k]].T
    return chosen


def _left(suits: np.ndarray, weights: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(most, R, N) the weights (R, N) of those whom the first k windows do not serve."""
    return np.asarray(weights * np.cumprod([1 - suits[:, pick].T for pick in chosen.T], axis=0))


def window_values(served: np.ndarray, cost: np.ndarray, hours: float, per: float, confidence: float, seed: int) -> pd.DataFrame:  # fmt: skip
    """value with its interval of what the k-th window adds, together with its interval of the first k: median cost of an hour x hours x share served x per.

    served: (N, K) as of `Coverage`; cost: (N,) what an hour of interruption costs each respondent, NaN for "do not know". An opinion, so the median. Intervals: percentiles over two thirds as
    many respondents, drawn with replacement, cost and times together; two thirds as in `coverage`.
    """
    n, k = served.shape
    shares = np.hstack([np.diff(served, axis=1, prepend=0), served])
    rng, people = np.random.default_rng([seed, 23]), n - n // 3
    size = max(1, _BLOCK // n)
    drawn = []
    for done in range(0, _REPLICATES, size):
        picked = rng.integers(0, n, (min(size, _REPLICATES - done), people))
        counts = np.bincount((picked + n * np.arange(len(picked))[:, None]).ravel(), minlength=len(picked) * n)
        drawn.append(np.nanmedian(cost[picked], axis=1)[:, None] * (counts.reshape(len(picked), n) @ shares) / people)
    low, high = np.nanquantile(np.concatenate(drawn), [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    middle = float(np.nanmedian(cost)) * shares.mean(axis=0)
    ends = {"": middle, "_low": low, "_high": high}
    table = {f"value{end}": figures[:k] for end, figures in ends.items()}
    table |= {f"together{end}": figures[k:] for end, figures in ends.items()}
    return pd.DataFrame(table) * hours * per


def joined(frames: Mapping[str, pd.DataFrame], column: str) -> pd.DataFrame:
    """Frames by segment, one below the other, with the p-values of all of them together corrected in `column`."""
    whole = pd.concat([frame.assign(segment=name) for name, frame in frames.items()])
    return whole.assign(**{column: corrected(whole["p_value"].to_numpy(dtype=float))})
