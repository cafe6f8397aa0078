"""What a price does: the demand curve, elasticities, and the price that is best for profit or revenue while all others stay.

Profit(p) = N S(p) (p - c) a purchase, N purchases of the market in the planning period. The headline is the price with the highest *mean* profit over
draws, the risk-neutral choice; the interval is of the best price within each draw; the flat region, all prices within 2 per cent of the highest mean
profit, is usually the useful message. Nothing is looked for beyond the tested prices. Logit elasticities rise with the price by construction: their shape
is no finding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import softmax

from wtp.errors import DataError
from wtp.pricing.demand_curve import PROFIT, REVENUE
from wtp.pricing.people import People, summary_of
from wtp.pricing.simulator import Market
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT

GRID = 41
FLAT = 0.02
AT_LOWEST = "The best price is at or below the lowest tested one."
AT_HIGHEST = "The best price is at or beyond the highest tested one."


def prices_between(market: Market, name: str, count: int = GRID) -> np.ndarray:
    """(count,) prices of an offer from the lowest to the highest tested one, the tested ones not necessarily among them."""
    tested = market.money_of(name).form.tested
    return np.linspace(tested[0], tested[-1], count)


def demand(
    market: Market,
    name: str,
    prices: Sequence[float] | np.ndarray | None = None,
    *,
    customers: float = 1.0,
    confidence: float = 0.90,
) -> pd.DataFrame:
    """price, share, low, high, revenue, revenue_low, revenue_high, profit, profit_low, profit_high, note: one offer at prices of its own.

    customers: purchases of the whole market. Profit is NaN without the offer's unit cost. All figures NaN where the price did not drive the choices.
    """
    grid = prices_between(market, name) if prices is None else np.asarray(prices, dtype=float)
    shares, exact = market.share_curve(name, grid)
    table = summary_of(shares, exact, confidence).rename(columns={"estimate": "share"})
    table.insert(0, "price", grid)
    for column, margin in (("revenue", grid), ("profit", grid - market.offer(name).unit_cost)):
        earned = _earned(table[["share", "low", "high"]].to_numpy(), customers * margin)
        table[[column, f"{column}_low", f"{column}_high"]] = earned
    if not market.price_clear:
        table.loc[:, table.columns != "price"] = np.nan
        return table.assign(note=NO_PRICE_EFFECT)
    return table.assign(note="")


def best_price(
    market: Market,
    name: str,
    *,
    objective: str = PROFIT,
    customers: float = 1.0,
    prices: Sequence[float] | np.ndarray | None = None,
    confidence: float = 0.90,
) -> pd.DataFrame:
    """One row: objective, price, low, high, flat_low, flat_high, value, value_low, value_high, share, note; all else stays as it is.

    price: with the highest mean over draws, by a parabola through the three best points of the grid. low, high: of the best price within each draw. flat: prices
    within 2 per cent of the highest mean. Raises DataError for another objective, or no unit cost for the profit.
    """
    if objective not in (PROFIT, REVENUE):
        raise DataError(f"objective {objective!r}; allowed: {PROFIT}, {REVENUE}; name one of these.")
    cost = market.offer(name).unit_cost if objective == PROFIT else 0.0
    if np.isnan(cost):
        raise DataError(f"offer {name!r}: no unit_cost; allowed: a cost a purchase; give it or ask for {REVENUE!r}.")
    columns = ["price", "low", "high", "flat_low", "flat_high", "value", "value_low", "value_high", "share"]
    if not market.price_clear:
        row: dict[str, object] = {"objective": objective, **dict.fromkeys(columns, np.nan), "note": NO_PRICE_EFFECT}
        return pd.DataFrame([row])
    grid = prices_between(market, name) if prices is None else np.unique(np.asarray(prices, dtype=float))
    shares, exact = market.share_curve(name, grid)
    tail = (1 - confidence) / 2
    mean = (shares.mean(axis=0) if exact is None else exact) * (grid - cost)
    at = float(_peaks(grid, mean[:, None])[0])
    low, high = np.quantile(_peaks(grid, (shares * (grid - cost)).T), [tail, 1 - tail])
    share = summary_of(*market.share_curve(name, [at]), confidence).to_numpy()
    value = _earned(share, np.array([customers * (at - cost)]))[0]
    found = [at, low, high, *_flat(grid, mean), *value, share[0, 0]]
    note = AT_LOWEST if at <= grid[0] else AT_HIGHEST if at >= grid[-1] else ""
    return pd.DataFrame([{"objective": objective, **dict(zip(columns, map(float, found), strict=True)), "note": note}])


def _earned(shares: np.ndarray, margins: np.ndarray) -> np.ndarray:
    """(P, 3) money, low, high of shares (P, 3) with their intervals times known margins (P,); a loss turns an interval round."""
    money = shares * margins[:, None]
    return np.column_stack([money[:, 0], np.sort(money[:, 1:], axis=1)])


def _peaks(grid: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(R,) price of the highest of values (P, R), by a parabola through the best point and its neighbours."""
    best = values.argmax(axis=0)
    if len(grid) < 3:
        return np.asarray(grid[best])
    inside = np.clip(best, 1, len(grid) - 2)
    columns = np.arange(values.shape[1])
    x0, x1, x2 = grid[inside - 1], grid[inside], grid[inside + 1]
    y0, y1, y2 = (values[inside + step, columns] for step in (-1, 0, 1))
    left, right = (y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1)
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = (x0 + x1) / 2 + left * (x2 - x0) / (2 * (left - right))
    return np.asarray(np.where(best == inside, vertex, grid[best]))


def _flat(grid: np.ndarray, mean: np.ndarray) -> tuple[float, float]:
    """The connected prices round the best one within 2 per cent of the highest mean, straight between the points of the grid."""
    best = int(mean.argmax())
    floor = mean[best] - FLAT * abs(mean[best])
    ends = []
    for step in (-1, 1):
        i = best
        while 0 <= i + step < len(grid) and mean[i + step] >= floor:
            i += step
        end = grid[i]
        if 0 <= i + step < len(grid):
            end += (grid[i + step] - grid[i]) * (mean[i] - floor) / (mean[i] - mean[i + step])
        ends.append(float(end))
    return ends[0], ends[1]


def elasticities(market: Market, *, confidence: float = 0.90) -> pd.DataFrame:
    """offer, price_of, elasticity, low, high, note: per cent by which a share changes if a price rises by one per cent, all others staying.

    Exact derivatives at the prices of the market; with part-worth prices the slope between the tested prices on either side (an arc elasticity).
    """
    prices = np.array([offer.price for offer in market.offers])

    def figure(people: People, utilities: np.ndarray) -> np.ndarray:
        shares, _, derivatives = shares_and_derivatives(people, utilities, slopes_at(market, people, prices))
        ratio = prices[None, :, None] / shares[:, None, : len(prices)]
        return np.asarray((derivatives * ratio).transpose(0, 2, 1).reshape(len(shares), -1))

    table = market.summarise(figure, confidence).rename(columns={"estimate": "elasticity"})
    names = [offer.name for offer in market.offers]
    table.insert(0, "price_of", names * len(names))
    table.insert(0, "offer", np.repeat(names, len(names)))
    if not market.price_clear:
        table[["elasticity", "low", "high"]] = np.nan
        return table.assign(note=NO_PRICE_EFFECT)
    return table.assign(note="")


def shares_and_derivatives(
    people: People, utilities: np.ndarray, slopes: np.ndarray, *, together: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares (R, J), their pulls (R, J) and derivatives dS_k / dp_j (R, j, k) of J offers; of all draws together R = 1.

    The pull of an offer is the mean of slope times probability: dS_j / dp_j if nobody chose it already.

    utilities: (J or J + 1, R N), slopes: (J, R N) derivatives of the utilities by the price.
    """
    count = len(slopes)
    shape = (1, -1) if together else (people.draws, -1)
    weights = people.flat_weights.reshape(shape) * (1 if together else people.draws)
    chances = softmax(utilities, axis=0)[:count].reshape(count, *shape)
    pulled = weights * slopes.reshape(count, *shape) * chances
    derivatives = -np.einsum("jrn,krn->rjk", pulled, chances)
    own, pulls = np.arange(count), np.asarray(pulled.sum(axis=2).T)
    derivatives[:, own, own] += pulls
    return np.asarray((weights * chances).sum(axis=2).T), pulls, np.asarray(derivatives)


def slopes_at(market: Market, people: People, prices: np.ndarray) -> np.ndarray:
    """(J, R N) how fast the utility of each offer falls at these prices (J,)."""
    slopes = np.empty((len(prices), len(people.values)))
    for money, places in market.priced:
        basis = money.form.slope_basis(prices[places])
        slopes[places] = market.scale * (basis @ people.values[:, list(money.columns)].T)
    return slopes
