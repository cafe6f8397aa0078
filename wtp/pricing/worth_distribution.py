"""How differently respondents value a step: the distribution of their own WTP, the share above an amount, surcharge limits.

Within each draw quantiles and shares over respondents, across draws median and interval. The share whose WTP exceeds a cost needs no mean and no
variance, so it is the figure to decide by. Surcharge limits of one improvement (Aufpreis-Obergrenzen) are known even without a none option.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from wtp.estimation.draws import draw_quantiles, weighted_quantiles
from wtp.pricing.money import Money
from wtp.pricing.reservation_price import STILL_BUY
from wtp.pricing.willingness_to_pay import MOST_WITHOUT_PRICE, NO_PRICE_EFFECT, AnyFit, Step, contrast

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
BEYOND_SPAN = "Beyond the span of the tested prices; it is more than that."


def worth_quantiles(
    fit: AnyFit,
    steps: Sequence[Step],
    *,
    levels: Sequence[float] = QUANTILES,
    price: str = "price",
    at: float | None = None,
    draws: int = 1_000,
    confidence: float = 0.90,
) -> pd.DataFrame:
    """attribute, from_level, to_level, quantile, estimate, low, high, note: quantiles over respondents of the WTP of each step.

    For fits whose respondents differ (hierarchical, mixed, latent classes); a pooled fit has one taste, and no row. An amount beyond the span of the tested prices
    is withheld, and cut off there at the end of an interval.
    """
    found = _individual(fit, steps, price, at, draws, lambda worth, w: weighted_quantiles(worth, w, levels))
    if found is None:
        return _nothing(fit, steps, levels, "quantile")
    figures, money = found  # (R, levels, S)
    tail = (1 - confidence) / 2
    middle, low, high = draw_quantiles(figures, [0.5, tail, 1 - tail])
    table = _long(
        steps, levels, "quantile", middle, low.clip(-money.span, money.span), high.clip(-money.span, money.span)
    )
    beyond = table["estimate"].abs() > money.span
    table.loc[beyond, ["estimate", "low", "high"]] = np.nan
    return table.assign(note=np.where(beyond, BEYOND_SPAN, ""))


def share_above(
    fit: AnyFit,
    steps: Sequence[Step],
    amounts: Sequence[float],
    *,
    price: str = "price",
    at: float | None = None,
    draws: int = 1_000,
    confidence: float = 0.90,
) -> pd.DataFrame:
    """attribute, from_level, to_level, amount, share, low, high, note: share of respondents whose WTP of a step is above each amount, such as its cost."""

    def shares(worth: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.stack([(weights[:, :, None] * (worth > amount)).sum(axis=1) for amount in amounts])

    found = _individual(fit, steps, price, at, draws, shares)
    if found is None:
        return _nothing(fit, steps, amounts, "amount").rename(columns={"estimate": "share"})
    tail = (1 - confidence) / 2
    low, high = draw_quantiles(found[0], [tail, 1 - tail])
    table = _long(steps, amounts, "amount", found[0].mean(axis=0), low, high)
    return table.rename(columns={"estimate": "share"}).assign(note="")


def surcharge_limits(
    fit: AnyFit,
    steps: Sequence[Step],
    *,
    price: str = "price",
    at: float | None = None,
    draws: int = 1_000,
    confidence: float = 0.90,
) -> pd.DataFrame:
    """attribute, from_level, to_level, kind, estimate, low, high, note: the surcharge of a step that 75 (safe), 50 (limit) and 25 per cent (stretch) would pay."""
    levels = [1 - share for share in STILL_BUY.values()]
    table = worth_quantiles(fit, steps, levels=levels, price=price, at=at, draws=draws, confidence=confidence)
    names = dict(zip(levels, STILL_BUY, strict=True))
    table.insert(3, "kind", table["quantile"].map(names))
    return table.drop(columns="quantile")


def _individual(
    fit: AnyFit, steps: Sequence[Step], price: str, at: float | None, draws: int, figure: object
) -> tuple[np.ndarray, Money] | None:
    """(R, n, S) of a figure of the worths (R, N, S) and weights (R, N); None where there are no individual tastes or the price does not deter."""
    money = Money.of(fit.data, price, at)
    drawn = fit.simulate(draws)
    if drawn.values.shape[1] == 1 or hasattr(fit, "utility_params"):
        return None
    contrasts = np.array([contrast(fit.data, s.attribute, s.from_level, s.to_level) for s in steps])
    parts, wrong = [], 0.0
    for _, values, weights in drawn.blocks():
        wrong += float((weights * ~money.deters(values)).sum())
        parts.append(np.moveaxis(figure(money.worth_of_people(values, contrasts), weights), 0, 1))  # type: ignore[operator]
    if wrong / len(drawn.values) > MOST_WITHOUT_PRICE:
        return None
    return np.concatenate(parts), money


def _long(
    steps: Sequence[Step], cells: Sequence[float], name: str, estimate: np.ndarray, low: np.ndarray, high: np.ndarray
) -> pd.DataFrame:
    """Figures (n, S) as rows, steps first."""
    rows = [
        (step.attribute, step.from_level, step.to_level, cell, estimate[i, j], low[i, j], high[i, j])
        for j, step in enumerate(steps)
        for i, cell in enumerate(cells)
    ]
    return pd.DataFrame(rows, columns=["attribute", "from_level", "to_level", name, "estimate", "low", "high"])


def _nothing(fit: AnyFit, steps: Sequence[Step], cells: Sequence[float], name: str) -> pd.DataFrame:
    if hasattr(fit, "utility_params"):
        empty = np.empty((0, 0))
        return _long([], [], name, empty, empty, empty).assign(note="")
    withheld = np.full((len(cells), len(steps)), np.nan)
    return _long(steps, cells, name, withheld, withheld, withheld).assign(note=NO_PRICE_EFFECT)
