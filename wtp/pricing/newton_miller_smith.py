"""Newton, Miller and Smith (1993): demand and revenue from the four open prices and two purchase intents.

The intent (1 to 5) at one's own cheap and expensive price becomes a probability; a person's curve is straight through (too cheap, 0), (cheap, its
probability), (expensive, its probability), (too expensive, 0) and 0 outside. Reach is its mean over persons. The calibration 0.7, 0.5, 0.3, 0.1, 0 is a
convention, no law; it moves the level of the reach more than the best prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.pricing.demand_curve import REVENUE, best_on_pieces, bootstrap_counts
from wtp.pricing.van_westendorp import valid_prices

INTENTS = ("intent_cheap", "intent_expensive")
CALIBRATION: Mapping[int, float] = MappingProxyType({5: 0.7, 4: 0.5, 3: 0.3, 2: 0.1, 1: 0.0})
REACH = "reach"
_NEAR_BEST = 0.05


@dataclass(frozen=True, slots=True)
class NewtonMillerSmithResult:
    """points: best (reach, revenue), price, low, high, near_low, near_high, value. curve: price, reach, reach_low, reach_high, revenue. respondents: used.

    near: prices within 5 per cent of the highest value, which is the useful message where the curve is flat.
    """

    points: pd.DataFrame
    curve: pd.DataFrame
    respondents: int
    excluded: int


def newton_miller_smith(
    frame: pd.DataFrame,
    *,
    calibration: Mapping[int, float] = CALIBRATION,
    validate: Literal["strict", "ties", "none"] = "strict",
    between: bool = True,
    bootstrap: int = 1_000,
    confidence: float = 0.90,
    seed: int = 0,
) -> NewtonMillerSmithResult:
    """Best prices for reach and revenue, with percentile intervals over bootstrapped respondents.

    frame: too_cheap, cheap, expensive, too_expensive and intent_cheap, intent_expensive (keys of `calibration`), one row a respondent. between: look for the best revenue
    between the named prices too (it is a parabola there), not only at them, as the R package pricesensitivitymeter does. Raises DataError for other intents.
    """
    prices, keep = valid_prices(frame, validate)
    chances = _chances(frame, calibration)[keep]
    kept = prices[keep]
    if len(kept) < 2:
        raise DataError(
            f"Newton-Miller-Smith: {len(kept)} usable respondents of {len(prices)}; allowed: at least 2; ask more people."
        )
    grid = np.unique(kept)
    own = _own_curves(kept, chances, grid)
    mean = own.mean(axis=0, keepdims=True)
    counts = bootstrap_counts(len(kept), bootstrap, seed)
    drawn = counts @ own / len(kept)
    tail = (1 - confidence) / 2
    rows = []
    for name, factor in ((REACH, np.ones(len(grid))), (REVENUE, grid)):
        best, value = _best(grid, mean, factor, between and name == REVENUE)
        low, high = (
            np.quantile(_best(grid, drawn, factor, between and name == REVENUE)[0], [tail, 1 - tail])
            if bootstrap
            else (np.nan, np.nan)
        )
        near = grid[(mean[0] * factor) >= (1 - _NEAR_BEST) * value[0]]
        rows.append((name, best[0], low, high, near.min(initial=best[0]), near.max(initial=best[0]), value[0]))
    limits = np.quantile(drawn, [tail, 1 - tail], axis=0) if bootstrap else np.full((2, len(grid)), np.nan)
    curve = {
        "price": grid,
        "reach": mean[0],
        "reach_low": limits[0],
        "reach_high": limits[1],
        "revenue": grid * mean[0],
    }
    return NewtonMillerSmithResult(
        points=pd.DataFrame(rows, columns=["best", "price", "low", "high", "near_low", "near_high", "value"]),
        curve=pd.DataFrame(curve),
        respondents=len(kept),
        excluded=len(prices) - len(kept),
    )


def _chances(frame: pd.DataFrame, calibration: Mapping[int, float]) -> np.ndarray:
    """(n, 2) calibrated probabilities at the cheap and the expensive price."""
    missing = [column for column in INTENTS if column not in frame.columns]
    if missing:
        raise DataError(f"Newton-Miller-Smith: no column {', '.join(missing)}; allowed: {', '.join(INTENTS)}; add it.")
    found = frame[list(INTENTS)].apply(lambda column: column.map(calibration))
    if found.isna().any(axis=None):
        row = int(found.isna().any(axis=1).to_numpy().argmax())
        raise DataError(
            f"Newton-Miller-Smith, row {row + 1}: intents {frame[list(INTENTS)].iloc[row].tolist()}; "
            f"allowed: {', '.join(map(str, sorted(calibration)))}; mend or drop the row."
        )
    return np.asarray(found, dtype=float)


def _own_curves(prices: np.ndarray, chances: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """(n, G) probability of each person at each price."""
    nodes = np.column_stack([np.zeros(len(prices)), chances, np.zeros(len(prices))])
    curves = np.zeros((len(prices), len(grid)))
    for piece in range(3):
        x0, x1 = prices[:, [piece]], prices[:, [piece + 1]]
        y0, y1 = nodes[:, [piece]], nodes[:, [piece + 1]]
        here = (grid >= x0) & (grid <= x1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(x1 > x0, (grid - x0) / (x1 - x0), 1.0)
        curves = np.where(here, y0 + share * (y1 - y0), curves)
    return np.asarray(curves)


def _best(grid: np.ndarray, curves: np.ndarray, factor: np.ndarray, between: bool) -> tuple[np.ndarray, np.ndarray]:
    """(B,) price of the highest factor * curve, and that value."""
    if between:
        return best_on_pieces(grid, curves)
    values = curves * factor
    best = values.argmax(axis=1)
    return np.asarray(grid[best]), np.asarray(values[np.arange(len(curves)), best])
