"""What if: offers with other levels and prices against today's market, segment by segment, in shares, revenue and profit, each with its interval.

The fits of an analysis are kept in a `Simulator`, apart from its tables, since they hold draws of single respondents. Today's market and the changed one are compared
within each draw. The profit's way from today to tomorrow is exact: S1 m1 - S0 m0 = S0 (p1 - p0) - S0 (c1 - c0) + (S1 - S0) m1 with share S, price p, unit cost c and margin m.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from wtp.analysis.hierarchical import HierarchicalAnalysis
from wtp.analysis.record import ALL, CONDITIONAL, LATENT, MIXED
from wtp.errors import DataError, EstimationError
from wtp.estimation import LatentClassResults, MixedLogitResults
from wtp.estimation.diagnostics import FULL_SAMPLE
from wtp.estimation.hierarchical import HierarchicalSegment
from wtp.estimation.saved import pack_fit, unpack_fit
from wtp.pricing import Market, best_offers, best_price, nash_prices
from wtp.pricing.demand_curve import PROFIT, REVENUE
from wtp.pricing.investment import OWN, todays_market
from wtp.pricing.people import summary_of
from wtp.pricing.share_kernel import share_sums
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT
from wtp.survey.definition import Definition
from wtp.survey.labels import todays_offer

DRAWS = 500
PRICE, COST, VOLUME = "price", "cost", "volume"
_MOST_NUMBERS = 8_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Simulator:
    """The fits of an analysis by segment, "all" among them, and the shift of none that a known share asks for."""

    fits: Mapping[str, Any]
    none_shift: float = 0.0
    markets: dict[tuple[str, int], Market] = field(default_factory=dict, repr=False)  # of today, made once


@dataclass(frozen=True, slots=True)
class Scenario:
    """Offers as one would have them: `levels` by offer and attribute, `prices` by offer; the own offer is called "own". without: competitors who are gone."""

    levels: Mapping[str, Mapping[str, str]]
    prices: Mapping[str, float]
    without: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class WhatIf:
    """What a scenario does in one segment.

    shares: offer, today, today_low, today_high, share, low, high, change, change_low, change_high; NaN where an offer is gone. money: figure (revenue, profit), today, tomorrow and change, each with
    its interval, a year. bridge: step (price, cost, volume), amount, low, high of the profit. note: why there is no money.
    """

    shares: pd.DataFrame
    money: pd.DataFrame
    bridge: pd.DataFrame
    note: str


def today(definition: Definition) -> Scenario:
    """The market as the survey describes it."""
    levels = {OWN: todays_offer(definition)}
    levels |= {rival.id: dict(rival.levels) for rival in definition.competitors}
    prices = {OWN: definition.price.current, **{rival.id: rival.price for rival in definition.competitors}}
    return Scenario(levels, prices)


def simulator_of(
    found: HierarchicalAnalysis | None,
    classes: Mapping[str, LatentClassResults],
    pooled: Mapping[str, Any],
    none_shift: float,
) -> Simulator | None:
    """The fits that the figures of an analysis come from, of segments with 75 respondents or more; None without any."""
    people = found.segments if found else classes
    fits = {name: people.get(name, fit) for name, fit in pooled.items()}
    fits = {name: fit for name, fit in fits.items() if fit.respondents >= FULL_SAMPLE}
    return Simulator(fits, none_shift) if fits else None


def what_if(
    simulator: Simulator,
    definition: Definition,
    scenario: Scenario,
    *,
    segment: str = ALL,
    confidence: float = 0.90,
    seed: int = 1,
) -> WhatIf:
    """A scenario against today in one segment. Raises DataError for a segment without figures, and for what no offer can be."""
    before = _today(simulator, definition, segment, seed)
    _ = before.utilities  # so that the changed market starts from them
    after = _changed(before, definition, scenario)
    drawn = before.share_draws(), after.share_draws()
    exact = None
    if before.estimate is not None:
        exact = tuple(
            share_sums(market.utilities_of(before.estimate), before.estimate.weights) for market in (before, after)
        )
    shares = _shares(before, after, drawn, exact, confidence)
    if not before.price_clear:
        return WhatIf(shares, _no_money(), _no_bridge(), NO_PRICE_EFFECT)
    purchases = _purchases(definition, segment)
    money, bridge = _money(before, after, drawn, exact, purchases, confidence)
    return WhatIf(shares, money, bridge, "")


def with_best_price(
    simulator: Simulator, definition: Definition, scenario: Scenario, *, segment: str = ALL, seed: int = 1
) -> Scenario:
    """The scenario in which the own offer has the price that is best for profit, without costs for revenue, while all others stay."""
    market = _changed(_today(simulator, definition, segment, seed), definition, scenario)
    objective = PROFIT if definition.economics else REVENUE
    found = best_price(market, OWN, objective=objective).iloc[0]
    if math.isnan(found["price"]):
        raise EstimationError(str(found["note"]))
    return replace(scenario, prices={**scenario.prices, OWN: float(found["price"])})


def with_best_offer(
    simulator: Simulator, definition: Definition, scenario: Scenario, *, segment: str = ALL, seed: int = 1
) -> Scenario:
    """The scenario in which the own offer has the levels and the tested price that earn most, while all others stay."""
    market = _changed(_today(simulator, definition, segment, seed), definition, scenario)
    costs = {a.id: {level.id: level.unit_cost or 0.0 for level in a.levels} for a in definition.attributes}
    own = definition.economics is not None
    found = best_offers(
        market, OWN, objective=PROFIT if own else REVENUE, level_costs=costs if own else None, top=1
    ).iloc[0]
    levels = {name: str(found[name]) for name in todays_offer(definition)}
    return replace(
        scenario, levels={**scenario.levels, OWN: levels}, prices={**scenario.prices, OWN: float(found["price"])}
    )


def with_answers(
    simulator: Simulator, definition: Definition, scenario: Scenario, *, segment: str = ALL, seed: int = 1
) -> Scenario:
    """The scenario in which every competitor has answered the own offer and price with the price that is best for him (Nash, the own price fixed)."""
    market = _changed(_today(simulator, definition, segment, seed), definition, scenario)
    found = nash_prices(market, fixed=[OWN])
    if not found.is_equilibrium:
        raise EstimationError(found.note)
    answers = dict(zip(found.offers["offer"], found.offers["price"].astype(float), strict=True))
    return replace(
        scenario, prices={**scenario.prices, **{name: price for name, price in answers.items() if name != OWN}}
    )


def _today(simulator: Simulator, definition: Definition, segment: str, seed: int) -> Market:
    if segment not in simulator.fits:
        known = ", ".join(simulator.fits)
        raise DataError(f"segment {segment!r}: no figures of its own; allowed: {known}; choose one of these.")
    key = (segment, seed)
    if key not in simulator.markets:
        fit, shift = simulator.fits[segment], simulator.none_shift
        simulator.markets[key] = todays_market(fit, definition, draws=DRAWS, seed=seed, none_shift=shift)
    return simulator.markets[key]


def _changed(market: Market, definition: Definition, scenario: Scenario) -> Market:
    """The market with the offers of the scenario; unit costs of the own offer follow its levels."""
    for offer in market.offers:
        if offer.name in scenario.without and offer.name != OWN:
            market = market.without(offer.name)
            continue
        levels = {**offer.levels, **scenario.levels.get(offer.name, {})}
        price = scenario.prices.get(offer.name, offer.price)
        if levels == offer.levels and price == offer.price:
            continue
        more = 0.0
        if offer.name == OWN:
            costs = (
                (_cost(definition, name, level), _cost(definition, name, offer.levels[name]))
                for name, level in levels.items()
            )
            more = sum(new - old for new, old in costs)
        market = market.change(offer.name, levels=levels, price=price, unit_cost=offer.unit_cost + more)
    return market


def _cost(definition: Definition, attribute: str, level: str) -> float:
    return definition.attribute(attribute).level(level).unit_cost or 0.0


def _purchases(definition: Definition, segment: str) -> float:
    """Purchases of the segment a year; 1 where its customers are not known."""
    customers = {each.id: each.customers for each in definition.segments}
    count = sum(customers.values()) if segment == ALL else customers[segment]
    return float(count or 1) * (definition.economics.purchases_per_year if definition.economics else 1.0)


Pair = tuple[np.ndarray, np.ndarray]  # (R, J) shares of today's offers and of the scenario's, in the same draws


def _shares(before: Market, after: Market, drawn: Pair, exact: Any, confidence: float) -> pd.DataFrame:
    names = before.labels
    there = [after.labels.index(name) if name in after.labels else None for name in names]

    def aligned(pair: Pair) -> np.ndarray:
        """(R, 3 J): today, tomorrow and the change."""
        old = pair[0]
        new = np.column_stack([np.full(len(old), np.nan) if at is None else pair[1][:, at] for at in there])
        return np.hstack([old, new, new - old])

    with np.errstate(invalid="ignore"):
        found = summary_of(aligned(drawn), None if exact is None else aligned(exact)[0], confidence).to_numpy()
    blocks = found.reshape(3, len(names), 3)
    heads = ("today", "share", "change")
    table = pd.DataFrame({"offer": names})
    for head, block in zip(heads, blocks, strict=True):
        low, high = ("low", "high") if head == "share" else (f"{head}_low", f"{head}_high")
        table[[head, low, high]] = block
    return table


def _money(
    before: Market, after: Market, drawn: Pair, exact: Any, purchases: float, confidence: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    old, new = before.offer(OWN), after.offer(OWN)
    place = before.place(OWN), after.place(OWN)

    def figures(pair: Pair) -> np.ndarray:
        """(R, 9): revenue and profit today, tomorrow and their changes, then the three steps of the profit."""
        share0, share1 = (purchases * shares[:, at] for shares, at in zip(pair, place, strict=True))
        revenue = share0 * old.price, share1 * new.price
        profit = share0 * (old.price - old.unit_cost), share1 * (new.price - new.unit_cost)
        steps = (
            share0 * (new.price - old.price),
            -share0 * (new.unit_cost - old.unit_cost),
            (share1 - share0) * (new.price - new.unit_cost),
        )
        return np.column_stack([*revenue, revenue[1] - revenue[0], *profit, profit[1] - profit[0], *steps])

    found = summary_of(figures(drawn), None if exact is None else figures(exact)[0], confidence)
    columns = ["estimate", "low", "high"]
    rows = []
    for number, figure in enumerate((REVENUE, PROFIT)):
        own = found.iloc[3 * number : 3 * number + 3][columns].to_numpy().ravel()
        if np.isfinite(own).all():
            rows.append((figure, *own))
    heads = [f"{when}{end}" for when in ("today", "tomorrow", "change") for end in ("", "_low", "_high")]
    money = pd.DataFrame(rows, columns=["figure", *heads])
    steps = found.iloc[6:][columns].reset_index(drop=True).rename(columns={"estimate": "amount"})
    steps.insert(0, "step", (PRICE, COST, VOLUME))
    return money, steps if np.isfinite(steps["amount"]).all() else _no_bridge()


def _no_money() -> pd.DataFrame:
    heads = [f"{when}{end}" for when in ("today", "tomorrow", "change") for end in ("", "_low", "_high")]
    return pd.DataFrame(columns=["figure", *heads])


def _no_bridge() -> pd.DataFrame:
    return pd.DataFrame(columns=["step", "amount", "low", "high"])


def pack_simulator(simulator: Simulator, seed: int = 1) -> str:
    """A simulator as text that a database keeps; `unpack_simulator` gives the same figures again."""
    record: dict[str, Any] = {"none_shift": simulator.none_shift}
    people = {name: fit for name, fit in simulator.fits.items() if isinstance(fit, HierarchicalSegment)}
    if people:
        whole = next(iter(people.values())).fit
        draws = max(50, min(DRAWS, _MOST_NUMBERS // (whole.respondents * len(whole.data.names))))
        record["whole"] = pack_fit(whole, "hierarchical", draws)
        record["members"] = {
            name: {
                "places": np.flatnonzero(fit.members).tolist(),
                "stands_for": None if fit.stands_for is None else fit.stands_for.tolist(),
            }
            for name, fit in people.items()
        }
    others = {name: fit for name, fit in simulator.fits.items() if name not in people}
    record["fits"] = {name: pack_fit(fit, _model_of(fit), DRAWS, seed) for name, fit in others.items()}
    record["order"] = list(simulator.fits)
    return json.dumps(record)


def _model_of(fit: Any) -> str:
    if isinstance(fit, MixedLogitResults):
        return MIXED
    return LATENT if isinstance(fit, LatentClassResults) else CONDITIONAL


def unpack_simulator(text: str) -> Simulator:
    """The simulator that `pack_simulator` wrote."""
    record = json.loads(text)
    fits: dict[str, Any] = {name: unpack_fit(packed) for name, packed in record["fits"].items()}
    if "whole" in record:
        whole: Any = unpack_fit(record["whole"])
        for name, own in record["members"].items():
            members = np.zeros(whole.respondents, dtype=bool)
            members[own["places"]] = True
            stands_for = None if own["stands_for"] is None else np.array(own["stands_for"])
            fits[name] = HierarchicalSegment(whole, members, stands_for)
    return Simulator({name: fits[name] for name in record["order"]}, record["none_shift"])
