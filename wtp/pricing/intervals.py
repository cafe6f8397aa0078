"""Four intervals of one WTP, side by side: delta, Krinsky-Robb, Fieller and cluster bootstrap.

They agree where the price is precise (Hole 2007). Where it is not, the delta method is symmetric and too short, Krinsky and Robb (1986) depends on
its tails, Fieller (1954) is honest and may be unbounded, and the bootstrap needs no normal estimates. If they disagree, the price carries too
little information for the figure, whichever of them one would prefer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.estimation.bootstrap import bootstrap
from wtp.estimation.conditional_logit import ConditionalLogitResults, quantile
from wtp.estimation.draws import BOOTSTRAP, KRINSKY_ROBB, draw_quantiles
from wtp.pricing.money import Money

DELTA, FIELLER = "delta", "fieller"
DISAGREE = "The methods disagree by more than a quarter of the interval: the price is imprecise, so read the widest one, or collect more answers."
_LARGEST_GAP = 0.25


def interval_methods(
    fit: ConditionalLogitResults,
    vector: np.ndarray,
    price: str = "price",
    *,
    confidence: float = 0.95,
    draws: int = 10_000,
    replicates: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Intervals of the WTP of a change `vector` (K,), see `willingness_to_pay.contrast`: method, estimate, low, high, note; one row a method.

    An interval without end is infinite. Raises DataError for a price that is not linear, EstimationError if the bootstrap has no estimates.
    """
    money = Money.of(fit.data, price)
    if money.depends_on_price:
        raise DataError(
            f"price {price!r} is not linear; allowed: a linear price, whose worth is one ratio; use willingness_to_pay."
        )
    tail = (1 - confidence) / 2
    krinsky_robb = fit.simulate(draws, seed).values[:, 0, :]
    found = {
        DELTA: delta_interval(fit, vector, price, confidence=confidence),
        KRINSKY_ROBB: _percentiles(krinsky_robb, vector, money, tail),
        FIELLER: fieller_interval(fit, vector, price, confidence=confidence),
        BOOTSTRAP: _percentiles(bootstrap(fit, replicates, seed).draws.values[:, 0, :], vector, money, tail),
    }
    table = pd.DataFrame([(name, low, high) for name, (low, high) in found.items()], columns=["method", "low", "high"])
    table.insert(1, "estimate", float(vector @ fit.utility_params / -fit.utility_params[money.columns[0]]))
    width = float((table["high"] - table["low"]).min())
    gap = max(float(np.ptp(table["low"])), float(np.ptp(table["high"])))
    return table.assign(note=DISAGREE if not gap <= _LARGEST_GAP * width else "")


def _percentiles(draws: np.ndarray, vector: np.ndarray, money: Money, tail: float) -> tuple[float, float]:
    """A draw in which a higher price does not deter makes the ratio run through infinity: no bound on the side it leaves."""
    worth = money.worth_of_people(draws, vector[None, :])[:, 0]
    low, high = draw_quantiles(worth, [tail, 1 - tail])
    return float(low), float(high)


def delta_interval(
    fit: ConditionalLogitResults, vector: np.ndarray, price: str = "price", *, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of W = vector'params / a by the delta method (Hole 2007); poor when a / se(a) is below 5."""
    u, a, v_uu, v_ua, v_aa = _moments(fit, vector, price)
    w = u / a
    half = quantile(fit, confidence) * float(np.sqrt(v_uu - 2 * w * v_ua + w**2 * v_aa)) / abs(a)
    return w - half, w + half


def fieller_interval(
    fit: ConditionalLogitResults, vector: np.ndarray, price: str = "price", *, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of W by Fieller (1954): {W: (u - W a)^2 <= z^2 Var(u - W a)}; unbounded where the price is not significant."""
    u, a, v_uu, v_ua, v_aa = _moments(fit, vector, price)
    z2 = quantile(fit, confidence) ** 2
    second, first, constant = a**2 - z2 * v_aa, -2 * (u * a - z2 * v_ua), u**2 - z2 * v_uu
    if second <= 0:
        return -np.inf, np.inf
    root = float(np.sqrt(first**2 - 4 * second * constant))
    return (-first - root) / (2 * second), (-first + root) / (2 * second)


def _moments(fit: ConditionalLogitResults, vector: np.ndarray, price: str) -> tuple[float, float, float, float, float]:
    params, covariance = fit.utility_params, fit.utility_covariance
    (k,) = Money.of(fit.data, price).columns
    return (
        float(vector @ params),
        float(-params[k]),
        float(vector @ covariance @ vector),
        float(-(covariance[k] @ vector)),
        float(covariance[k, k]),
    )
