"""The market of today's offer, segment by segment: shares, demand, the best price, rivals' answers, competitive worth, what else could be offered."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from wtp.analysis.record import ALL, stacked
from wtp.errors import DataError, EstimationError
from wtp.estimation.diagnostics import FULL_SAMPLE, Note
from wtp.pricing import (
    Market,
    Offer,
    Scenarios,
    Step,
    best_offers,
    best_price,
    calibrated,
    competitive_worth,
    consumer_surplus,
    demand,
    elasticities,
    nash_prices,
    sampled_worth,
)
from wtp.pricing.budget import how_low
from wtp.pricing.demand_curve import PROFIT, REVENUE
from wtp.pricing.investment import OWN, draws_for, todays_market
from wtp.pricing.simulator import PREFERENCE, RULES
from wtp.survey.definition import Definition
from wtp.survey.labels import label_of, prices_with, todays_offer

DESCRIBED, SAMPLED, NOTHING = "described", "sampled", "nothing"
ONE_PRICE, OWN_PRICES = "one price for all", "a price for each segment"
_SCENARIOS = Scenarios(count=30, rivals=4)
_SCENARIO_DRAWS = 100
_TOP = 5
_BOUND = 0.95  # in simulated studies the one-sided 90 per cent bound of a loss held in 76 to 88 of 100 (benchmarks/recovery.py)
_NOT_MET = "The known share of today's offer is not in these figures: {reason}"


def market_tables(
    fits: Mapping[str, Any],
    definition: Definition,
    steps: tuple[Step, ...],
    *,
    confidence: float,
    seed: int,
    none_shift: float,
    full: bool,
) -> dict[str, pd.DataFrame]:
    """Tables by name, each with a column segment; segments of fewer than 75 respondents have none.

    fits: by segment. none_shift: of `known_shift`. full: also what takes its time (values against sampled rivals, where none is described).
    """
    if definition.choice_tasks.none != "dual" and not definition.competitors:
        return {}  # a market of one offer that everybody takes
    customers = {segment.id: segment.customers for segment in definition.segments}
    customers[ALL] = sum(customers.values()) or 1
    yearly = definition.economics.purchases_per_year if definition.economics else 1.0
    found: dict[str, dict[str, pd.DataFrame]] = {}
    markets = {}
    for name, fit in fits.items():
        if fit.respondents < FULL_SAMPLE:
            continue
        market = markets[name] = todays_market(fit, definition, seed=seed, none_shift=none_shift)
        purchases = customers[name] * yearly
        tables = _of_segment(market, definition, steps, purchases, confidence)
        # All draws, as the table `investment` takes them: one step has one premium everywhere.
        all_draws = todays_market(fit, definition, draws=draws_for(fit), seed=seed, none_shift=none_shift)
        tables["competitive_worth"] = competitive_worth(all_draws, OWN, steps, confidence=confidence).assign(
            against=DESCRIBED if definition.competitors else NOTHING
        )
        if full and not definition.competitors:
            offer = market.offer(OWN)
            sampled = sampled_worth(fit, offer, steps, _SCENARIOS, draws=_SCENARIO_DRAWS, confidence=confidence)
            tables["competitive_worth"] = pd.concat(
                [tables["competitive_worth"], sampled.drop(columns="scenarios").assign(against=SAMPLED)]
            )
        for table, frame in tables.items():
            found.setdefault(table, {})[name] = frame
    tables = {name: stacked(frames) for name, frames in found.items()}
    if "best_price" in tables:
        tables["price_by_segment"] = _one_or_several(markets, tables["best_price"], customers, yearly)
    return tables


def known_shift(fit: Any, definition: Definition, *, seed: int) -> tuple[float, tuple[Note, ...]]:
    """The shift of none at which the known share of today's customers buys today's offer, found on everybody and the same for every segment; 0 with a note where it cannot be."""
    known = definition.economics.known_share if definition.economics else None
    if known is None or fit is None or fit.data.none is None:
        return 0.0, ()
    try:
        return calibrated(todays_market(fit, definition, seed=seed), {OWN: known}).none_shift, ()
    except (DataError, EstimationError) as error:
        return 0.0, (Note("known_share", "warning", _NOT_MET, {"reason": str(error)}, ALL),)


def _of_segment(
    market: Market, definition: Definition, steps: tuple[Step, ...], purchases: float, confidence: float
) -> dict[str, pd.DataFrame]:
    own, label = definition.economics is not None, label_of(definition, todays_offer(definition))
    rules = (PREFERENCE,) if market.estimate else RULES  # one average taste has one first choice, which is nobody's
    tables = {
        "shares": pd.concat([market.shares(rule, confidence=confidence) for rule in rules], ignore_index=True),
        "profit_curve": demand(market, OWN, customers=purchases, confidence=confidence),
        "best_price": pd.concat(
            [
                best_price(market, OWN, objective=objective, customers=purchases, confidence=confidence)
                for objective in ([REVENUE, PROFIT] if own else [REVENUE])
            ],
            ignore_index=True,
        ),
        "elasticities": elasticities(market, confidence=confidence),
        "sensitivity": market.sensitivity(OWN, prices_with(definition, label), confidence=confidence).astype(
            {"level": str}
        ),
        "how_low": how_low(market, confidence=_BOUND),
        "consumer_surplus": consumer_surplus(market, OWN, steps, confidence=confidence),
    }
    tables |= _tried("best_offers", lambda: _best(market, definition, purchases, confidence))
    if own and definition.competitors and all(not math.isnan(offer.unit_cost) for offer in market.offers):
        tables |= _tried("equilibrium", lambda: _equilibrium(market, purchases))
    return tables


def _tried(name: str, make: Callable[[], pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """A table, or none where the price did not deter."""
    try:
        return {name: make()}
    except (DataError, EstimationError):
        return {}


def _best(market: Market, definition: Definition, purchases: float, confidence: float) -> pd.DataFrame:
    """The best profiles of the own offer for profit, without costs for revenue."""
    costs = {a.id: {level.id: level.unit_cost or 0.0 for level in a.levels} for a in definition.attributes}
    objective = PROFIT if definition.economics else REVENUE
    found = best_offers(
        market, OWN, objective=objective, level_costs=costs if definition.economics else None, customers=purchases, top=_TOP, confidence=confidence,
    )  # fmt: skip
    return found.drop(columns="offer").rename(columns={a.id: f"level.{a.id}" for a in definition.attributes})


def _equilibrium(market: Market, purchases: float) -> pd.DataFrame:
    found = nash_prices(market, customers=purchases)
    now = {offer.name: offer.price for offer in market.offers}
    return found.offers.assign(
        today=found.offers["offer"].map(now), is_equilibrium=found.is_equilibrium, note=found.note
    )


def _one_or_several(
    markets: Mapping[str, Market], best: pd.DataFrame, customers: Mapping[str, int], yearly: float
) -> pd.DataFrame:
    """What prices of its own for each segment would earn beyond one price for all: segment "all", policy, value, gain."""
    objective = PROFIT if (best["objective"] == PROFIT).any() else REVENUE
    own = best[(best["objective"] == objective) & (best["segment"] != ALL)].dropna(subset="price")
    if len(own) < 2:
        return pd.DataFrame({"segment": pd.Series(dtype=str), "policy": pd.Series(dtype=str)})
    names = list(own["segment"])
    curves = {name: demand(markets[name], OWN, customers=customers[name] * yearly) for name in names}
    together = pd.concat([curve[objective] for curve in curves.values()], axis=1).sum(axis=1)
    one = float(together.max())
    several = float(sum(curve[objective].max() for curve in curves.values()))
    price = float(curves[names[0]]["price"].iloc[int(together.to_numpy().argmax())])
    return pd.DataFrame([
        {"segment": ALL, "policy": ONE_PRICE, "objective": objective, "price": price, "value": one, "gain": 0.0},
        {"segment": ALL, "policy": OWN_PRICES, "objective": objective, "price": math.nan, "value": several, "gain": several - one},
    ])  # fmt: skip


def rivals_of(definition: Definition) -> tuple[Offer, ...]:
    """The described competitors as offers."""
    return tuple(Offer(rival.id, rival.levels, rival.price) for rival in definition.competitors)
