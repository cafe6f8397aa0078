"""Falling demand between tested prices: pooled adjacent violators, where half would still buy, and the best price on straight pieces.

All of it for many curves at once, (B, P): one a bootstrap replicate. Nothing is read beyond the tested prices.
"""

from __future__ import annotations

import numpy as np

PROFIT, REVENUE = "profit", "revenue"  # what a price may be best for


def falling(shares: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(B, P) the falling curves nearest to shares (B, P) of counts (B, P), in squares; what pool-adjacent-violators finds.

    f_k = min over i <= k of max over j >= k of the mean of i to j (Barlow, Bartholomew, Bremner and Brunk 1972, equation 1.19). A price without answers (count 0)
    takes part in no mean of its own.
    """
    sums = np.cumsum(np.pad(shares * counts, ((0, 0), (1, 0))), axis=1)
    totals = np.cumsum(np.pad(counts, ((0, 0), (1, 0))), axis=1)
    p = shares.shape[1]
    # means[b, i, j] of i..j, which only exist for i <= j and where somebody answered
    total = totals[:, None, 1:] - totals[:, :-1, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (sums[:, None, 1:] - sums[:, :-1, None]) / total
    exists = np.triu(np.ones((p, p), dtype=bool)) & (total > 1e-12)
    highest_after = np.maximum.accumulate(np.where(exists, means, -np.inf)[:, :, ::-1], axis=2)[:, :, ::-1]
    lowest = np.where(np.triu(np.ones((p, p), dtype=bool)), highest_after, np.inf)
    return np.asarray(np.minimum.accumulate(lowest, axis=1)[:, np.arange(p), np.arange(p)])


def crossing(prices: np.ndarray, curves: np.ndarray, level: float) -> np.ndarray:
    """(B,) first price at which falling curves (B, P), straight between the prices, are down to a level; -inf if below it from the start, inf if never."""
    under = curves <= level
    place = under.argmax(axis=1)
    rows = np.arange(len(curves))
    right, left = curves[rows, place], curves[rows, np.maximum(place - 1, 0)]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = prices[place - 1] + (left - level) / (left - right) * (prices[place] - prices[place - 1])
    found = np.where(place == 0, np.where(right == level, prices[0], -np.inf), found)
    return np.asarray(np.where(under.any(axis=1), found, np.inf))


def best_on_pieces(prices: np.ndarray, curves: np.ndarray, cost: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """(B,) price of the highest (p - cost) D(p), and that value, of curves (B, P) that are straight between the prices: ends and vertices of all pieces."""
    p0, p1, d0, d1 = prices[:-1], prices[1:], curves[:, :-1], curves[:, 1:]
    slope = (d1 - d0) / (p1 - p0)
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = (cost + p0 - d0 / slope) / 2
    inside = (slope < 0) & (vertex > p0) & (vertex < p1)
    at = np.where(inside, vertex, p0)
    height = np.where(inside, (at - cost) * (d0 + slope * (at - p0)), -np.inf)
    candidates = np.hstack([np.broadcast_to(prices, curves.shape), at])
    values = np.hstack([(prices - cost) * curves, height])
    # The lowest price of those that are equally good.
    order = np.argsort(candidates, axis=1, kind="stable")
    candidates, values = np.take_along_axis(candidates, order, 1), np.take_along_axis(values, order, 1)
    rows, best = np.arange(len(curves)), values.argmax(axis=1)
    return candidates[rows, best], values[rows, best]


def bootstrap_counts(people: int, replicates: int, seed: int, weights: np.ndarray | None = None) -> np.ndarray:
    """(B, N) how often each respondent is drawn, times his weight."""
    counts = np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), size=replicates).astype(float)
    return counts if weights is None else counts * weights
