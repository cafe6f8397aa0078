"""Van Westendorp (1976): a plausible price range from four open prices.

Curves at price p: too cheap and cheap fall, expensive and too expensive rise; `F` is the share of answers <= p, set to 0 at its own
lowest answer, between answers straight lines. Points are crossings: PMC too cheap x not cheap, PME too expensive x not expensive, OPP too
cheap x too expensive, IDP cheap x expensive. Where the curves lie on each other the lowest such price is the point and a note says how far
the stretch goes; all as the R package pricesensitivitymeter 1.3.3 has it. It is a range of plausible prices, never a price limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.estimation.diagnostics import Note

COLUMNS = ("too_cheap", "cheap", "expensive", "too_expensive")
POINTS = ("PMC", "OPP", "IDP", "PME")
_FLAT = "The curves lie on each other over a stretch of prices; its lowest price is shown."
_NO_CROSSING = "The curves do not cross, so there is no such price; ask more people."
_EXCLUDED = (
    "{share:.0%} of the answers are left out because their four prices do not rise ({reversed} reversed, {ties} with ties); "
    "above a fifth check the wording of the question."
)
_EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class VanWestendorpResult:
    """points: point, estimate, low, high, note. curves: price and the four shares. respondents: used in the curves."""

    points: pd.DataFrame
    curves: pd.DataFrame
    respondents: int
    excluded_reversed: int
    excluded_ties: int
    notes: tuple[Note, ...]

    @property
    def excluded(self) -> int:
        """Respondents left out of the curves."""
        return self.excluded_reversed + self.excluded_ties


def van_westendorp(
    frame: pd.DataFrame,
    *,
    validate: Literal["strict", "ties", "none"] = "strict",
    price_range: Literal["original", "narrower"] = "original",
    bootstrap: int = 1_000,
    confidence: float = 0.90,
    seed: int = 0,
) -> VanWestendorpResult:
    """The four points with percentile intervals over bootstrapped respondents, and the curves.

    frame: columns too_cheap, cheap, expensive, too_expensive, money, one row a respondent. validate: "strict" keeps
    too_cheap < cheap < expensive < too_expensive, "ties" also equal neighbours, "none" everybody. price_range "narrower": PMC too cheap x
    expensive, PME cheap x too expensive.

    >>> five = pd.DataFrame({"too_cheap": [2, 3, 4, 5, 3], "cheap": [4, 5, 6, 7, 6],
    ...                      "expensive": [6, 8, 8, 9, 9], "too_expensive": [8, 10, 11, 12, 10]})
    >>> van_westendorp(five, bootstrap=0).points.set_index("point")["estimate"].round(6).to_dict()
    {'PMC': 4.333333, 'OPP': 5.0, 'IDP': 6.5, 'PME': 8.666667}
    """
    prices, keep = valid_prices(frame, validate)
    steps = np.diff(prices, axis=1)
    is_reversed, tied = (steps < 0).any(axis=1), (steps <= 0).any(axis=1)
    kept = prices[keep]
    if len(kept) < 2:
        raise DataError(
            f"Van Westendorp: {len(kept)} usable respondents of {len(prices)}; allowed: at least 2; ask more people."
        )
    grid = np.unique(kept)
    below = kept[:, :, None] <= grid  # (n, 4, G)
    curves = _curves(np.ones((1, len(kept))), kept, below, grid)
    estimates, flats = _points(curves, grid, price_range)
    low, high = _bootstrap(kept, below, grid, price_range, bootstrap, confidence, seed)
    notes = [
        _NO_CROSSING if np.isnan(p) else _FLAT if end > p else "" for p, end in zip(estimates[0], flats[0], strict=True)
    ]
    lost_reversed, lost_ties = int((is_reversed & ~keep).sum()), int((tied & ~is_reversed & ~keep).sum())
    share = 1 - len(kept) / len(prices)
    values = {"share": share, "reversed": lost_reversed, "ties": lost_ties}
    return VanWestendorpResult(
        points=pd.DataFrame({"point": POINTS, "estimate": estimates[0], "low": low, "high": high, "note": notes}),
        curves=pd.DataFrame(curves[0].T, columns=list(COLUMNS)).assign(price=grid)[["price", *COLUMNS]],
        respondents=len(kept),
        excluded_reversed=lost_reversed,
        excluded_ties=lost_ties,
        notes=(Note("van_westendorp_excluded", "warning", _EXCLUDED, values),) if share > 0.20 else (),
    )


def valid_prices(frame: pd.DataFrame, validate: str) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4) prices, and (n,) whether they rise as `validate` asks. Raises DataError for columns that are missing and cells that are no price."""
    prices = _prices(frame)
    steps = np.diff(prices, axis=1)
    rises = {
        "strict": (steps > 0).all(axis=1),
        "ties": (steps >= 0).all(axis=1),
        "none": np.ones(len(prices), dtype=bool),
    }
    if validate not in rises:
        raise DataError(f"validate: found {validate!r}; allowed: {', '.join(rises)}; name one of these.")
    return prices, np.asarray(rises[validate])


def _prices(frame: pd.DataFrame) -> np.ndarray:
    missing = [column for column in COLUMNS if column not in frame.columns]
    if missing:
        raise DataError(
            f"Van Westendorp: no column {', '.join(missing)}; allowed: {', '.join(COLUMNS)}; add or rename it."
        )
    try:
        prices = frame[list(COLUMNS)].to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"Van Westendorp: {error}; allowed: numbers in every cell; mend the cell.") from error
    bad = np.flatnonzero(~(np.isfinite(prices) & (prices >= 0)).all(axis=1))
    if len(bad):
        raise DataError(
            f"Van Westendorp, row {bad[0] + 1}: {prices[bad[0]].tolist()}; allowed: four prices from 0; mend or drop the row."
        )
    return prices


def _curves(weights: np.ndarray, prices: np.ndarray, below: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """(B, 4, G) curves of B weightings of the respondents (B, n)."""
    n, _, points = below.shape
    share = weights @ below.reshape(n, -1).astype(float) / weights.sum(axis=1, keepdims=True)
    rising = share.reshape(len(weights), 4, points)
    lowest = np.where(weights[:, :, None] > 0, prices, np.inf).min(axis=1)  # (B, 4)
    rising[grid[None, None, :] == lowest[:, :, None]] = 0
    rising[:, :2] = 1 - rising[:, :2]
    return np.asarray(rising)


def _points(curves: np.ndarray, grid: np.ndarray, price_range: str) -> tuple[np.ndarray, np.ndarray]:
    """(B, 4) crossings in the order of POINTS, and where a flat stretch ends."""
    too_cheap, cheap, expensive, too_expensive = np.moveaxis(curves, 1, 0)
    falling = {
        "PMC": too_cheap - (1 - cheap) if price_range == "original" else too_cheap - expensive,
        "OPP": too_cheap - too_expensive,
        "IDP": cheap - expensive,
        "PME": (1 - expensive) - too_expensive if price_range == "original" else cheap - too_expensive,
    }
    crossings = [_crossing(falling[point], grid) for point in POINTS]
    return np.column_stack([c[0] for c in crossings]), np.column_stack([c[1] for c in crossings])


def _crossing(difference: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a falling difference (B, G) of two curves passes through 0: first and last price of that, (B,) each."""
    above, under = difference > _EPSILON, difference < -_EPSILON
    zero = ~above & ~under
    rows = np.arange(len(difference))
    left = np.maximum(above.sum(axis=1) - 1, 0)
    right = np.minimum(left + 1, len(grid) - 1)
    d1, d2 = difference[rows, left], difference[rows, right]
    with np.errstate(divide="ignore", invalid="ignore"):
        between = grid[left] - d1 * (grid[right] - grid[left]) / (d2 - d1)
    between[~(above.any(axis=1) & under.any(axis=1))] = np.nan
    flat = zero.any(axis=1)
    first = np.where(flat, grid[zero.argmax(axis=1)], between)
    last = np.where(flat, grid[len(grid) - 1 - zero[:, ::-1].argmax(axis=1)], between)
    return first, last


def _bootstrap(
    prices: np.ndarray,
    below: np.ndarray,
    grid: np.ndarray,
    price_range: str,
    replicates: int,
    confidence: float,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    if replicates == 0:
        return np.full(4, np.nan), np.full(4, np.nan)
    n = len(prices)
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=replicates).astype(float)
    points = [
        _points(_curves(part, prices, below, grid), grid, price_range)[0]
        for part in np.array_split(counts, max(1, replicates // 100))
    ]
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(np.vstack(points), [tail, 1 - tail], axis=0)
    return low, high
