"""Prices from which no firm wants to depart (Nash, Bertrand), and what other levels are worth once rivals have answered.

For each firm f and each of its offers j  S_j + sum_(k of f) (p_k - c_k) dS_k/dp_j = 0. With dS_k/dp_j = L_j [j = k] - G_jk the margins m = p - c fulfil
m_j = (sum_(k of f) G_jk m_k - S_j) / L_j, a fixed point that hardly ever runs away (Morrow and Skerlos 2011); it is polished by a root finder, and checked: no firm earns more by another price of any of its offers. With tastes that differ, an equilibrium need not exist
or be the only one; another `start` tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import root

from wtp.errors import DataError
from wtp.pricing.optimum import GRID, shares_and_derivatives, slopes_at
from wtp.pricing.simulator import Market
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT

ON_BOUND = "A price ran to the end of what was looked at: there is no equilibrium inside it."
NOT_FOUND = "No equilibrium was found: the rounds did not settle."
CAN_DEPART = "Not an equilibrium: a firm can earn more with another price."
_MOST_PEOPLE = 100_000
_WIDER = (0.8, 1.2)
_MOST_ROUNDS = 500
_EARNS_MORE = 1e-6


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """Nash prices: offers (offer, firm, price, unit_cost, share, profit), whether no firm can earn more, rounds, a note.

    residual: largest relative error of a first-order condition, in shares.
    """

    offers: pd.DataFrame
    is_equilibrium: bool
    residual: float
    rounds: int
    note: str


def nash_prices(
    market: Market,
    *,
    fixed: Sequence[str] = (),
    customers: float = 1.0,
    bounds: tuple[float, float] | None = None,
    start: Mapping[str, float] | None = None,
) -> Equilibrium:
    """Prices from which no firm wants to depart, given all unit costs; computed on mean shares over draws.

    fixed: offers whose prices stay. bounds: lowest and highest price looked at, by default 0.8 times the lowest to 1.2 times the highest tested one. Costs of rivals
    are guesses: see `nash_sensitivity`. Raises DataError for a missing unit cost or a price that did not drive the choices.
    """
    _check_costs(market, fixed)
    tested = [price for money in market.moneys for price in money.form.tested]
    low, high = bounds or (min(tested) * _WIDER[0], max(tested) * _WIDER[1])
    free = [j for j, offer in enumerate(market.offers) if offer.name not in fixed]
    costs = np.array([offer.unit_cost for offer in market.offers])
    at, same = _at_prices(market), _same_firm(market, free)
    best = _responses(at, costs, same, free)
    prices = np.array([(start or {}).get(offer.name, offer.price) for offer in market.offers], dtype=float)
    rounds, settled = 0, False
    while rounds < _MOST_ROUNDS and not settled:
        rounds += 1
        wanted = np.clip(best(prices), low, high)
        settled = bool(np.abs(wanted - prices[free]).max() < 1e-7 * (high - low))
        prices[free] = wanted
    inside = (prices[free] > low + 1e-6 * (high - low)) & (prices[free] < high - 1e-6 * (high - low))
    if settled and inside.all():
        polished = root(lambda x: best(_put(prices, free, x)) - x, prices[free], tol=1e-13)
        if np.abs(polished.x - prices[free]).max() < 1e-3 * (high - low):
            prices[free] = polished.x
    shares, _, derivatives = at(prices)
    conditions = shares[free] + (same * derivatives[free]) @ np.nan_to_num(prices - costs)
    residual = float(np.abs(conditions).max() / shares[free].max())
    holds = settled and _none_departs(at, costs, same, free, prices, (low, high))
    note = "" if holds and inside.all() else NOT_FOUND if not settled else ON_BOUND if not inside.all() else CAN_DEPART
    table = pd.DataFrame({
        "offer": [offer.name for offer in market.offers],
        "firm": [offer.seller for offer in market.offers],
        "price": prices,
        "unit_cost": costs,
        "share": shares,
        "profit": customers * shares * (prices - costs),
    })  # fmt: skip
    return Equilibrium(table, holds and bool(inside.all()), residual, rounds, note)


def nash_sensitivity(market: Market, own: str, *, change: float = 0.2, customers: float = 1.0) -> pd.DataFrame:
    """cost_change, own price, share and profit at the equilibrium if the unit costs of all rivals are that much lower, as given, higher."""
    firm = market.offer(own).seller
    rows = []
    for factor in (1 - change, 1.0, 1 + change):
        moved = market
        for offer in market.offers:
            if offer.seller != firm:
                moved = moved.change(offer.name, unit_cost=offer.unit_cost * factor)
        found = nash_prices(moved, customers=customers)
        row = found.offers.set_index("offer").loc[own]
        rows.append((factor - 1, row["price"], row["share"], row["profit"], found.note))
    return pd.DataFrame(rows, columns=["cost_change", "price", "share", "profit", "note"])


def equilibrium_value(
    market: Market, name: str, levels: Mapping[str, object], unit_cost: float, *, customers: float = 1.0
) -> pd.DataFrame:
    """The economic value of other levels of an offer (Allenby, Brazell, Howell and Rossi 2014): its firm's profit in equilibrium before and after.

    One row: profit_before, profit_after, gain, price_before, price_after, note. unit_cost: with the new levels.
    """
    firm = market.offer(name).seller
    found = []
    for situation in (market, market.change(name, levels=levels, unit_cost=unit_cost)):
        equilibrium = nash_prices(situation, customers=customers)
        mine = equilibrium.offers[equilibrium.offers["firm"] == firm]
        price = float(mine.loc[mine["offer"] == name, "price"].iloc[0])
        found.append((float(mine["profit"].sum()), price, equilibrium.note))
    (before, price_before, first), (after, price_after, second) = found
    row = {
        "profit_before": before,
        "profit_after": after,
        "gain": after - before,
        "price_before": price_before,
        "price_after": price_after,
    }
    return pd.DataFrame([row | {"note": first or second}])


def _check_costs(market: Market, fixed: Sequence[str]) -> None:
    for name in fixed:
        market.place(name)
    missing = [offer.name for offer in market.offers if np.isnan(offer.unit_cost) and offer.name not in fixed]
    if missing:
        raise DataError(
            f"offers {', '.join(missing)}: no unit_cost; allowed: a cost a purchase of every offer whose price moves; give it, or fix their prices."
        )
    if not market.price_clear:
        raise DataError(f"equilibrium prices: {NO_PRICE_EFFECT} allowed: a price that deters; check the study.")


_AtPrices = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def _at_prices(market: Market) -> _AtPrices:
    """prices (J,) -> mean shares (J,), pulls (J,) and derivatives (j, k)."""
    people = market.estimate or market.people.thinned(_MOST_PEOPLE)
    columns = sorted({column for money in market.moneys for column in money.columns})
    others = np.setdiff1d(np.arange(len(market.data.names)), columns)
    without = market.scale * (market.vectors[:, others] @ people.values[:, others].T) + market.shifts[:, None]
    coefficients = [people.values[:, list(money.columns)].T for money, _ in market.priced]

    def at(prices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        utilities = without.copy()
        for (money, places), own in zip(market.priced, coefficients, strict=True):
            utilities[places] += market.scale * (money.form.basis(prices[places]) @ own)
        found = shares_and_derivatives(people, utilities, slopes_at(market, people, prices), together=True)
        return found[0][0], found[1][0], found[2][0]

    return at


def _put(prices: np.ndarray, free: Sequence[int], values: np.ndarray) -> np.ndarray:
    moved = prices.copy()
    moved[list(free)] = values
    return moved


def _same_firm(market: Market, free: Sequence[int]) -> np.ndarray:
    """(free, J) which offers belong to the firm of each free one."""
    sellers = np.array([offer.seller for offer in market.offers])
    return np.asarray(sellers[list(free)][:, None] == sellers[None, :])


def _responses(
    at: _AtPrices, costs: np.ndarray, same: np.ndarray, free: Sequence[int]
) -> Callable[[np.ndarray], np.ndarray]:
    """prices -> what the first-order conditions ask of the free prices, given the margins that all offers of the firm have."""
    rows = list(free)

    def best(prices: np.ndarray) -> np.ndarray:
        shares, pulls, derivatives = at(prices)
        drawn = np.diag(pulls)[rows] - derivatives[rows]
        return np.asarray(costs[rows] + ((same * drawn) @ np.nan_to_num(prices - costs) - shares[rows]) / pulls[rows])

    return best


def _none_departs(
    at: _AtPrices,
    costs: np.ndarray,
    same: np.ndarray,
    free: Sequence[int],
    prices: np.ndarray,
    bounds: tuple[float, float],
) -> bool:
    """Whether no firm earns more by moving one price over a grid of what was looked at."""

    def earned(there: np.ndarray) -> np.ndarray:
        return np.asarray(at(there)[0] * np.nan_to_num(there - costs))

    base = earned(prices)
    for j, mine in zip(free, same, strict=True):
        for other in np.linspace(*bounds, GRID):
            moved = earned(_put(prices, [j], np.array([other])))
            if moved[mine].sum() > base[mine].sum() * (1 + _EARNS_MORE):
                return False
    return True
