"""Demand, elasticities, the best price, Nash prices and the search for offers, against finite differences, closed forms and exhaustive trials."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import lambertw

from tests.pricing.test_people import draws_of, fit_with
from tests.pricing.test_simulator import OURS, RIVAL
from wtp.errors import DataError
from wtp.estimation import ConditionalLogitResults, HierarchicalResults
from wtp.pricing import (
    Market,
    Offer,
    best_offers,
    best_price,
    demand,
    elasticities,
    equilibrium_value,
    nash_prices,
    nash_sensitivity,
)
from wtp.pricing.equilibrium import ON_BOUND
from wtp.pricing.optimum import AT_HIGHEST, REVENUE
from wtp.pricing.product_search import EXACT, SEARCH
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT


@pytest.fixture(scope="module")
def market(fit: ConditionalLogitResults) -> Market:
    return Market(fit, [OURS, RIVAL])


@pytest.fixture(scope="module")
def people() -> HierarchicalResults:
    rng = np.random.default_rng(6)
    n = 100
    draws = draws_of(rng.normal(1, 1, n), -0.05 * np.exp(rng.normal(0, 0.3, n)), rng.normal(-4, 1, n))
    return fit_with(draws + rng.normal(0, 0.05, (40, 1, 5)) * [1, 1, 1, 0, 1])


@pytest.fixture(scope="module")
def of_people(people: HierarchicalResults) -> Market:
    return Market(people, [OURS, RIVAL])


def test_demand_falls_and_agrees_with_what_ifs(of_people: Market) -> None:
    table = demand(of_people, "ours", [80, 95, 110], customers=1_000)
    assert (np.diff(table["share"]) < 0).all()
    for _, row in table.iterrows():
        there = of_people.change("ours", price=row["price"]).shares().set_index("offer").loc["ours"]
        assert row[["share", "low", "high"]].to_list() == pytest.approx(there[["share", "low", "high"]].to_list())
    assert table["revenue"].to_numpy() == pytest.approx(1_000 * table["share"] * table["price"])
    assert table["profit"].to_numpy() == pytest.approx(1_000 * table["share"] * (table["price"] - 60))


def test_elasticities_are_the_derivatives_of_shares(of_people: Market) -> None:
    table = elasticities(of_people).set_index(["offer", "price_of"])
    step = 1e-4
    for of in ("ours", "rival"):
        at = of_people.offer(of).price
        up, down = (of_people.change(of, price=at * (1 + s)).share_draws() for s in (step, -step))
        numeric = (np.log(up) - np.log(down)) / (np.log(1 + step) - np.log(1 - step))
        for j, name in enumerate(("ours", "rival")):
            assert table.loc[(name, of), "elasticity"] == pytest.approx(numeric[:, j].mean(), rel=1e-6)
    assert table.loc[("ours", "ours"), "elasticity"] < 0 < table.loc[("ours", "rival"), "elasticity"]


def test_the_best_price_of_a_monopolist_has_a_closed_form(fit: ConditionalLogitResults) -> None:
    market = Market(fit, [OURS])
    b = fit.params
    worth = b["speed[T.quick]"] + b["brand[T.known]"] - b["none"]
    a = -b["price"]
    # p - c = (1 + W(exp(u - n - a c - 1))) / a (Lambert)
    expected = 60 + (1 + lambertw(np.exp(worth - a * 60 - 1)).real) / a
    found = best_price(market, "ours", customers=500, prices=np.linspace(60, 120, 241)).iloc[0]
    assert found["price"] == pytest.approx(expected, abs=0.02)
    assert found["low"] < found["price"] < found["high"]
    assert found["value"] == pytest.approx(500 * found["share"] * (found["price"] - 60))
    profit = lambda p: -float(demand(market, "ours", [p])["profit"].iloc[0])  # noqa: E731
    for end in ("flat_low", "flat_high"):
        assert -profit(found[end]) == pytest.approx(
            0.98 * -minimize_scalar(profit, bounds=(60, 120), method="bounded").fun, rel=1e-3
        )


def test_the_best_price_at_the_border_says_so(market: Market) -> None:
    assert best_price(market.change("ours", unit_cost=110), "ours").iloc[0]["note"] == AT_HIGHEST
    assert best_price(market, "ours", objective=REVENUE).iloc[0]["price"] < best_price(market, "ours").iloc[0]["price"]
    with pytest.raises(DataError, match="unit_cost"):
        best_price(market.change("ours", unit_cost=np.nan), "ours")


def test_nothing_is_said_where_the_price_does_not_deter(people: HierarchicalResults) -> None:
    values = people.draws.copy()
    values[:, ::10, 3] = 0.01
    market = Market(fit_with(values), [OURS, RIVAL])
    assert best_price(market, "ours").iloc[0]["note"] == NO_PRICE_EFFECT
    assert demand(market, "ours")["share"].isna().all()
    with pytest.raises(DataError, match="did not clearly drive"):
        nash_prices(market)


def test_nash_prices_of_a_logit_duopoly_meet_the_closed_conditions(
    fit: ConditionalLogitResults, market: Market
) -> None:
    found = nash_prices(market)
    a = -fit.params["price"]
    table = found.offers
    # p_j - c_j = 1 / (a (1 - s_j)) (Anderson, de Palma and Thisse 1992)
    assert (table["price"] - table["unit_cost"]).to_numpy() == pytest.approx(
        (1 / (a * (1 - table["share"]))).to_numpy(), abs=1e-8
    )
    assert found.is_equilibrium
    assert found.residual < 1e-10
    elsewhere = nash_prices(market, start={"ours": 118, "rival": 82})
    assert elsewhere.offers["price"].to_numpy() == pytest.approx(table["price"].to_numpy(), abs=1e-8)


def test_a_firm_with_two_offers_prices_them_together(people: HierarchicalResults) -> None:
    second = Offer("ours too", {"speed": "slow", "brand": "known"}, 90, firm="us", unit_cost=45)
    together = Market(people, [OURS, second, RIVAL])
    apart = together.change("ours too", firm="other")
    joint, single = (nash_prices(m).offers.set_index("offer") for m in (together, apart))
    assert (joint.loc[["ours", "ours too"], "price"] > single.loc[["ours", "ours too"], "price"]).all()
    at_joint = together
    for name, price in joint["price"].items():
        at_joint = at_joint.change(str(name), price=float(price))

    def earned(price: float) -> float:
        moved = at_joint.change("ours", price=price)
        shares = moved.shares().set_index("offer")["share"]
        return float(shares["ours"] * (price - 60) + shares["ours too"] * (joint.loc["ours too", "price"] - 45))

    best = minimize_scalar(lambda p: -earned(p), bounds=(70, 130), method="bounded", options={"xatol": 1e-7}).x
    assert joint.loc["ours", "price"] == pytest.approx(best, abs=1e-3)


def test_a_price_that_stays_is_kept_and_rivals_costs_matter(market: Market) -> None:
    held = nash_prices(market, fixed=["rival"]).offers.set_index("offer")
    assert held.loc["rival", "price"] == 90
    table = nash_sensitivity(market, "ours")
    assert list(table["cost_change"]) == pytest.approx([-0.2, 0, 0.2])
    assert (np.diff(table["profit"]) > 0).all()
    assert nash_prices(market.change("ours", unit_cost=200)).note == ON_BOUND


def test_the_value_of_a_level_after_rivals_answered(market: Market) -> None:
    row = equilibrium_value(market, "ours", {"brand": "leading"}, 60).iloc[0]
    before, after = nash_prices(market), nash_prices(market.change("ours", levels={"brand": "leading"}))
    profit = [e.offers.set_index("offer").loc["ours", "profit"] for e in (before, after)]
    assert row["gain"] == pytest.approx(profit[1] - profit[0])
    assert row["gain"] > 0


COSTS = {"speed": {"slow": 0.0, "quick": 12.0}, "brand": {"new": 0.0, "known": 2.0, "leading": 9.0}}


@pytest.mark.parametrize("objective", ["share", "revenue", "profit"])
def test_the_best_offer_is_the_best_of_all_that_there_are(of_people: Market, objective: str) -> None:
    line = of_people.with_offer(Offer("ours too", {"speed": "slow", "brand": "new"}, 80, firm="us", unit_cost=40))
    found = best_offers(line, "ours", objective=objective, level_costs=COSTS, customers=7)
    assert (found["method"] == EXACT).all()

    def value(speed: str, brand: str, price: float) -> float:
        cost = 60 + COSTS["speed"][speed] - 12 + COSTS["brand"][brand] - 2
        moved = line.change("ours", levels={"speed": speed, "brand": brand}, price=price, unit_cost=cost)
        shares = moved.shares().set_index("offer")["share"]
        margins = {"share": (1, 1), "revenue": (7 * price, 7 * 80), "profit": (7 * (price - cost), 7 * 40)}[objective]
        return float(shares["ours"] * margins[0] + shares["ours too"] * margins[1])

    every = {p: value(*p) for p in product(("slow", "quick"), ("new", "known", "leading"), (80.0, 100.0, 120.0))}
    ranked = sorted(every, key=lambda p: -every[p])[:10]
    assert list(zip(found["speed"], found["brand"], found["price"], strict=True)) == ranked
    assert found["value"].to_numpy() == pytest.approx([every[p] for p in ranked])


def test_a_line_is_searched_and_no_single_change_is_better(of_people: Market) -> None:
    line = of_people.with_offer(Offer("ours too", {"speed": "slow", "brand": "new"}, 80, firm="us", unit_cost=40))
    found = best_offers(line, ["ours", "ours too"], level_costs=COSTS)
    assert (found["method"] == SEARCH).all()
    there = line
    for _, row in found.iterrows():
        levels = {"speed": row["speed"], "brand": row["brand"]}
        there = there.change(row["offer"], levels=levels, price=row["price"], unit_cost=row["unit_cost"])
    for name in ("ours", "ours too"):
        best = best_offers(there, name, level_costs=COSTS, top=1).iloc[0]
        assert best["value"] == pytest.approx(found["value"].iloc[0])


def test_the_search_refuses_what_cannot_be(market: Market) -> None:
    with pytest.raises(DataError, match="one firm"):
        best_offers(market, ["ours", "rival"])
    with pytest.raises(DataError, match="tested"):
        best_offers(market, "ours", prices=[300])
    with pytest.raises(DataError, match="objective"):
        best_offers(market, "ours", objective="fame")
    with pytest.raises(DataError, match="unit_cost"):
        best_offers(Market(market.fit, [replace(OURS, unit_cost=float("nan")), RIVAL]), "ours")


def test_when_only_the_price_matters_rivals_sell_near_cost() -> None:
    n = 100
    sure = draws_of(np.zeros(n), np.full(n, -0.5), np.full(n, -60.0))
    sure[:, :, 1:3] = 0
    market = Market(fit_with(sure), [replace(OURS, unit_cost=90.0), replace(RIVAL, unit_cost=90.0)])
    found = nash_prices(market).offers
    # (p - c) = 1 / (a (1 - s)), and both sell to half of the customers
    assert found["price"].to_numpy() == pytest.approx(90 + 1 / (0.5 * 0.5), abs=0.05)
