"""One open price: the most that a respondent would pay, asked openly, or bid in the mechanism of Becker, DeGroot and Marschak (1964).

In the mechanism one states the highest price b, a price q is drawn, and one buys at q if b >= q: then the truth is the best bid. On a page without a real purchase it
is an open question like any other, and is labelled so; open questions are hypothetical, in other studies stated above what was paid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.pricing.demand_curve import PROFIT, REVENUE, bootstrap_counts
from wtp.pricing.reservation_price import STILL_BUY

REAL, HYPOTHETICAL = "real purchase (Becker-DeGroot-Marschak)", "open question, hypothetical"


@dataclass(frozen=True, slots=True)
class OpenPriceResult:
    """points: point, price, low, high, value. demand: price, share, low, high at every stated price. label: what kind of answers these are."""

    points: pd.DataFrame
    demand: pd.DataFrame
    respondents: int
    label: str


def open_price(
    prices: pd.Series | np.ndarray,
    *,
    unit_cost: float | None = None,
    weights: np.ndarray | None = None,
    real: bool = False,
    bootstrap: int = 1_000,
    confidence: float = 0.90,
    seed: int = 0,
) -> OpenPriceResult:
    """Prices at which 75, 50 and 25 per cent would still buy, and the revenue- and profit-best of the stated prices, with bootstrap intervals.

    prices: (N,) highest price of each respondent, 0 for one who would not buy. real: each bid was binding (`settle`). Raises DataError for what is no price.
    """
    bids = np.asarray(prices, dtype=float)
    bad = np.flatnonzero(~(np.isfinite(bids) & (bids >= 0)))
    if len(bad) or len(bids) < 2:
        found = f"row {bad[0] + 1}: {bids[bad[0]]}" if len(bad) else f"{len(bids)} answers"
        raise DataError(f"open price, {found}; allowed: two or more prices from 0; mend or drop the row.")
    own = np.ones(len(bids)) if weights is None else np.asarray(weights, dtype=float)
    grid = np.unique(bids)
    buys = bids[:, None] >= grid
    counts = np.vstack([own, bootstrap_counts(len(bids), bootstrap, seed, own)])
    curves = counts @ buys / counts.sum(axis=1, keepdims=True)
    tail = (1 - confidence) / 2
    rows = []
    for name, level in STILL_BUY.items():
        # The highest stated price at which at least that share still buys.
        place = len(grid) - 1 - (curves[:, ::-1] >= level - 1e-12).argmax(axis=1)
        rows.append((name, *_with_ends(grid[place], tail), level))
    for name, cost in ((REVENUE, 0.0), (PROFIT, unit_cost)):
        if cost is not None:
            values = (grid - cost) * curves
            best = values.argmax(axis=1)
            rows.append((name, *_with_ends(grid[best], tail), float(values[0, best[0]])))
    low, high = np.quantile(curves[1:], [tail, 1 - tail], axis=0) if bootstrap else np.full((2, len(grid)), np.nan)
    return OpenPriceResult(
        points=pd.DataFrame(rows, columns=["point", "price", "low", "high", "value"]),
        demand=pd.DataFrame({"price": grid, "share": curves[0], "low": low, "high": high}),
        respondents=len(bids),
        label=REAL if real else HYPOTHETICAL,
    )


def _with_ends(figures: np.ndarray, tail: float) -> tuple[float, float, float]:
    low, high = np.quantile(figures[1:], [tail, 1 - tail]) if len(figures) > 1 else (np.nan, np.nan)
    return float(figures[0]), float(low), float(high)


def settle(bid: float, lowest: float, highest: float, seed: int) -> tuple[float, bool]:
    """The price that is drawn, uniform from lowest to highest, and whether the bidder buys at it (Becker, DeGroot and Marschak 1964)."""
    if not 0 <= lowest < highest:
        raise DataError(f"prices from {lowest:g} to {highest:g}; allowed: from 0, the lowest first; mend them.")
    drawn = float(np.random.default_rng(seed).uniform(lowest, highest))
    return drawn, bid >= drawn
