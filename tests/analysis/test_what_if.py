"""What-ifs: today is the market of the analysis, the bridge adds up, changes have the intervals of changes, and a kept simulator gives the same figures again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from wtp.analysis import Analysis, Scenario, Simulator, pack_simulator, today, unpack_simulator, what_if
from wtp.analysis.choice_frame import choice_frame, formula
from wtp.analysis.what_if import with_answers, with_best_offer, with_best_price
from wtp.errors import DataError
from wtp.estimation import ChoiceData, HierarchicalLogit, LatentClassLogit
from wtp.pricing import Market, Offer
from wtp.survey import Answers, Definition, Survey


@pytest.fixture(scope="module")
def definition(survey: Survey) -> Definition:
    return survey.definition


@pytest.fixture(scope="module")
def data(definition: Definition, answers: Answers) -> ChoiceData:
    return ChoiceData.from_long(choice_frame(definition, answers.respondents[:80]), formula=formula(definition))


@pytest.fixture(scope="module")
def people(data: ChoiceData) -> Simulator:
    """A hierarchical fit, far from converged, with one segment and customers who count unequally."""
    fit = HierarchicalLogit(data, signs={"price": -1}).fit(draws=120, warmup=120, chains=2, seed=3)
    members = np.arange(80) % 2 == 0
    stands_for = np.linspace(1, 3, 80)
    return Simulator({"all": fit.segment(np.ones(80, dtype=bool), stands_for), "uptime": fit.segment(members)}, 0.25)


def changed(definition: Definition, *, price: float = 105.0, **levels: str) -> Scenario:
    scenario = today(definition)
    return replace(
        scenario,
        levels={**scenario.levels, "own": {**scenario.levels["own"], **levels}},
        prices={**scenario.prices, "own": price},
    )


def test_today_is_the_market_of_the_analysis_and_the_pages_change_nothing(survey: Survey, quick: Analysis) -> None:
    found = what_if(quick.simulator, survey.definition, today(survey.definition))
    shown = quick.table("shares", "all").query("rule == 'preference'").set_index("offer")
    table = found.shares.set_index("offer")
    for name, column in (("today", "share"), ("today_low", "low"), ("today_high", "high")):
        assert table[name].to_dict() == pytest.approx(shown[column].to_dict(), abs=1e-12)
    assert (table[["change", "change_low", "change_high"]] == 0).all(axis=None)
    assert (found.bridge[["amount", "low", "high"]] == 0).all(axis=None)
    curve = quick.table("profit_curve", "all").set_index("price")
    money = found.money.set_index("figure")
    for figure in ("revenue", "profit"):
        assert money.loc[figure, "today"] == pytest.approx(curve.loc[100.0, figure])
    assert set(quick.simulator.fits) == set(quick.tables["shares"]["segment"])


def test_a_scenario_is_the_market_with_other_offers(definition: Definition, people: Simulator) -> None:
    scenario = replace(changed(definition, speed="same_day"), without=("discounter",))
    found = what_if(people, definition, scenario, segment="uptime", seed=5)
    levels = {a.id: a.current for a in definition.attributes}
    leader = next(rival for rival in definition.competitors if rival.id == "leader")
    offers = [Offer("own", {**levels, "speed": "same_day"}, 105.0), Offer("leader", leader.levels, leader.price)]
    market = Market(people.fits["uptime"], offers, draws=500, seed=5, none_shift=0.25)
    expected = market.shares().set_index("offer")
    table = found.shares.set_index("offer")
    for name in ("own", "leader", "none"):
        assert table.loc[name, ["share", "low", "high"]].tolist() == pytest.approx(
            expected.loc[name, ["share", "low", "high"]].tolist()
        )
    assert table.loc["discounter", ["share", "change"]].isna().all()
    both = table.drop(index="discounter")
    assert both["share"].sum() == pytest.approx(1)
    width, apart = both["change_high"] - both["change_low"], both["high"] - both["low"]
    assert (width < apart + both["today_high"] - both["today_low"]).all(), (
        "in the same draws, so the change is known better"
    )


def test_the_bridge_leads_exactly_from_todays_profit_to_the_new_one(definition: Definition, people: Simulator) -> None:
    found = what_if(people, definition, changed(definition, speed="same_day", design="functional"))
    profit = found.money.set_index("figure").loc["profit"]
    assert found.bridge["amount"].sum() == pytest.approx(profit["change"])
    assert profit["tomorrow"] - profit["today"] == pytest.approx(profit["change"])
    price, cost, volume = found.bridge["amount"]
    share = found.shares.set_index("offer").loc["own"]
    customers = sum(segment.customers for segment in definition.segments)
    assert definition.economics is not None
    purchases = customers * definition.economics.purchases_per_year
    assert price == pytest.approx(5.0 * purchases * share["today"])
    speed, design = (definition.attribute(name) for name in ("speed", "design"))
    more = sum((a.level(level).unit_cost or 0) - (a.level(a.current).unit_cost or 0) for a, level in ((speed, "same_day"), (design, "functional")))  # fmt: skip
    assert cost == pytest.approx(-more * purchases * share["today"])
    margin = 105.0 - definition.economics.unit_cost - more
    assert volume == pytest.approx(margin * purchases * share["change"])


def test_a_kept_simulator_gives_the_same_figures_again(
    definition: Definition, data: ChoiceData, people: Simulator, quick: Analysis
) -> None:
    latent = LatentClassLogit(data, classes=2).fit(starts=2, seed=1)
    scenario = changed(definition, speed="same_day")
    for simulator in (people, Simulator({"all": latent}), quick.simulator):
        back = unpack_simulator(pack_simulator(simulator))
        assert (list(back.fits), back.none_shift) == (list(simulator.fits), simulator.none_shift)
        for segment in simulator.fits:
            before, after = (what_if(each, definition, scenario, segment=segment) for each in (simulator, back))
            for name in ("shares", "money", "bridge"):
                pd.testing.assert_frame_equal(getattr(before, name), getattr(after, name), rtol=1e-5, atol=1e-6)


def test_what_is_searched_is_better_or_an_answer(definition: Definition, people: Simulator) -> None:
    start = changed(definition, price=125.0)

    def profit(scenario: Scenario) -> float:
        return float(what_if(people, definition, scenario).money.set_index("figure").loc["profit", "tomorrow"])

    best = with_best_price(people, definition, start)
    assert profit(best) > profit(start)
    assert best.levels == start.levels
    offer = with_best_offer(people, definition, start)
    assert profit(offer) >= profit(replace(start, prices={**start.prices, "own": 100.0}))
    assert {name: price for name, price in offer.prices.items() if name != "own"} == {
        name: price for name, price in start.prices.items() if name != "own"
    }
    answered = with_answers(people, definition, start)
    assert answered.prices["own"] == 125.0
    assert answered.prices["discounter"] != start.prices["discounter"]
    assert answered.levels == start.levels


def test_a_segment_without_figures_is_refused(definition: Definition, people: Simulator) -> None:
    with pytest.raises(DataError, match=r"segment 'growth': no figures of its own; allowed: all, uptime"):
        what_if(people, definition, today(definition), segment="growth")
