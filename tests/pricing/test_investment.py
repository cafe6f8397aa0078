"""Invest here, save there: gains by hand, labels on studies whose answer is known, and what is withheld."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.pricing.conftest import fit_of, simulate
from tests.pricing.test_people import draws_of, fit_with
from wtp.estimation import ConditionalLogitResults, krinsky_robb
from wtp.pricing import Market, Offer, Step, competitive_worth, investment
from wtp.pricing.budget import how_low, within_budget
from wtp.pricing.investment import INDICATION, annuity_factor, expected_wrong
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT
from wtp.survey import Definition

TEXT = {"en": "x"}


def study(
    *, quick_cost: float = 5.0, known_cost: float = 2.0, leading_cost: float = 30.0, economics: bool = True
) -> Definition:
    """speed: today slow, a step up is worth 18; brand: today known, a step down loses 10, a step up is worth 4."""

    def level(name: str, cost: float, once: float) -> dict[str, object]:
        return {"id": name, "label": TEXT} | ({"unit_cost": cost, "investment": once} if economics else {})

    raw = {
        "format": 1, "title": TEXT, "offer": TEXT, "languages": ["en"], "currency": "EUR", "minutes": 5,
        "attributes": [
            {"id": "speed", "label": TEXT, "current": "slow", "by_segment": True,
             "levels": [level("slow", 0, 0), level("quick", quick_cost, 30_000)]},
            {"id": "brand", "label": TEXT, "current": "known",
             "levels": [level("new", 0, 0), level("known", known_cost, 10_000), level("leading", leading_cost, 50_000)]},
        ],
        "price": {"label": TEXT, "unit": TEXT, "current": 100, "levels": [80, 100, 120]},
        "choice_tasks": {},
        "pages": [
            {"type": "consent", "id": "consent", "title": TEXT, "text": TEXT, "agree": TEXT},
            {"type": "choice_tasks", "id": "choice", "title": TEXT, "question": TEXT, "purchase_question": TEXT},
            {"type": "thanks", "id": "thanks", "title": TEXT, "text": TEXT},
        ],
        "segments": [
            {"id": "a", "label": TEXT, "customers": 1000, "when": {"q": ["x"]}},
            {"id": "b", "label": TEXT, "customers": 3000, "when": {"q": ["y"]}},
        ],
    }  # fmt: skip
    if economics:
        raw["economics"] = {"unit_cost": 60, "purchases_per_year": 12, "planning_years": 3, "interest_rate": 0.08}
    return Definition.model_validate(raw)


def rows(table: pd.DataFrame, segment: str) -> pd.DataFrame:
    return table[table["segment"] == segment].set_index(["attribute", "direction"])


def labels(table: pd.DataFrame, segment: str) -> dict[str, str]:
    return table[table["segment"] == segment].drop_duplicates("attribute").set_index("attribute")["label"].to_dict()


@pytest.fixture(scope="module")
def other() -> ConditionalLogitResults:
    return fit_of(simulate(seed=11))


@pytest.fixture(scope="module")
def both() -> ConditionalLogitResults:
    """Everybody: the respondents of both segments."""
    more = simulate(seed=11)
    return fit_of(pd.concat([simulate(), more.assign(respondent=more["respondent"] + 1000)]))


def test_the_annuity_by_hand() -> None:
    economics = study().economics
    assert economics is not None
    assert annuity_factor(economics) == pytest.approx(0.08 / (1 - 1.08**-3))
    assert 1_000 * annuity_factor(economics) == pytest.approx(388.03, abs=0.01)
    assert annuity_factor(economics.model_copy(update={"interest_rate": 0.0})) == pytest.approx(1 / 3)


def test_the_gain_of_a_step_up_by_hand(fit: ConditionalLogitResults, other: ConditionalLogitResults) -> None:
    definition = study()
    table = rows(investment({"all": fit, "a": fit, "b": other}, definition, draws=4_000, seed=5), "a")
    draws = krinsky_robb(fit, 4_000, 5)[:, 0, :]
    names = fit.data.names
    b = {name: draws[:, names.index(name)] for name in names}
    worth = b["speed[T.quick]"] / -b["price"]
    share = 1 / (1 + np.exp(b["none"] - b["brand[T.known]"] - 100 * b["price"]))
    gain = 1000 * 12 * share * (worth - 5) - 30_000 * 0.08 / (1 - 1.08**-3)
    row = table.loc[("speed", "up")]
    assert row["gain"] == pytest.approx(np.median(gain), rel=1e-9)
    assert (row["gain_low"], row["gain_high"]) == pytest.approx(tuple(np.quantile(gain, [0.05, 0.95])), rel=1e-9)
    assert row["probability"] == (gain > 0).mean()
    assert row["break_even"] == pytest.approx(np.quantile(worth, 0.10))


def test_levels_written_best_first_are_stepped_the_other_way_round(
    both: ConditionalLogitResults, fit: ConditionalLogitResults, other: ConditionalLogitResults
) -> None:
    definition = study()
    turned = tuple(a.model_copy(update={"levels": a.levels[::-1], "best_first": True}) for a in definition.attributes)
    found = investment(
        {"all": both, "a": fit, "b": other}, definition.model_copy(update={"attributes": turned}), seed=1
    )
    assert_frame_equal(found, investment({"all": both, "a": fit, "b": other}, definition, seed=1))


def test_the_gain_of_a_step_down_by_hand(fit: ConditionalLogitResults, other: ConditionalLogitResults) -> None:
    table = rows(investment({"all": fit, "a": fit, "b": other}, study(known_cost=3.0), draws=4_000, seed=5), "a")
    draws = krinsky_robb(fit, 4_000, 5)[:, 0, :]
    names = fit.data.names
    b = {name: draws[:, names.index(name)] for name in names}
    share = 1 / (1 + np.exp(b["none"] - b["brand[T.known]"] - 100 * b["price"]))
    gain = 1000 * 12 * share * (3 - b["brand[T.known]"] / -b["price"])
    row = table.loc[("brand", "down")]
    assert row["gain"] == pytest.approx(np.median(gain), rel=1e-9)
    assert row["unit_cost"] == -3
    assert row["investment"] == 0  # sunk money does not come back


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ({}, {"speed": "invest", "brand": "keep"}),
        ({"known_cost": 25.0, "leading_cost": 60.0}, {"brand": "save"}),
        ({"quick_cost": 18.0}, {"speed": "undecided"}),
        ({"leading_cost": 2.5}, {"brand": "invest"}),
        ({"leading_cost": 4.6}, {"brand": "undecided"}),  # stepping down clearly loses, but the step up is open
    ],
)
def test_labels_follow_from_worth_and_cost(
    both: ConditionalLogitResults, fit: ConditionalLogitResults, other: ConditionalLogitResults, costs: dict[str, float], expected: dict[str, str]
) -> None:  # fmt: skip
    table = investment({"all": both, "a": fit, "b": other}, study(**costs), seed=1)
    assert expected.items() <= labels(table, "all").items()
    undecided = table[(table["label"] == "undecided") & (table["note"] == "")]
    assert undecided["more_answers"].notna().all()
    assert table.loc[table["label"] != "undecided", "more_answers"].isna().all()


def test_everybody_bears_an_investment_once_and_segments_their_part(
    fit: ConditionalLogitResults, other: ConditionalLogitResults
) -> None:
    table = investment({"all": fit, "a": fit, "b": other}, study(), draws=1_000, seed=2)
    a, b, everybody = (rows(table, name) for name in ("a", "b", "all"))
    up = ("brand", "up")  # one brand for all: the segments share its investment by their customers
    assert [t.loc[up, "investment"] for t in (a, b, everybody)] == [10_000, 30_000, 40_000]
    speed = ("speed", "up")  # may differ by segment: each bears it whole
    assert [t.loc[speed, "investment"] for t in (a, b, everybody)] == [30_000] * 3
    # the same tastes as segment a, four times its customers
    down = ("brand", "down")
    assert everybody.loc[down, "gain"] == pytest.approx(4 * a.loc[down, "gain"], rel=1e-12)


def test_everybody_is_one_market_with_one_price_and_its_premium_is_the_simulators() -> None:
    """Segment a (three quarters of the customers) has 20 of 100 respondents. Fees of everybody keep the share of all customers together; without a price move they are the segments' sum."""
    quick = np.where(np.arange(100) < 20, 0.9, 0.2)
    people = fit_with(draws_of(quick, np.full(100, -0.05), quick - 0.05 * np.arange(60.5, 160)))
    in_a = quick == 0.9
    customers = np.where(in_a, 3000 / 20, 1000 / 80)
    definition = study()
    for segment, count in zip(definition.segments, (3000, 1000), strict=True):
        object.__setattr__(segment, "customers", count)
    fits = {"all": people.segment(np.ones(100, dtype=bool), customers), "a": people.segment(in_a)}
    fits["b"] = people.segment(~in_a)
    table = investment(fits, definition, draws=1_000, seed=2)
    a, b, everybody = (rows(table, name) for name in ("a", "b", "all"))
    market = Market(fits["all"], [Offer("own", {"speed": "slow", "brand": "known"}, 100.0)], draws=1_000, seed=2)
    premium = competitive_worth(market, "own", [Step("speed", "slow", "quick")]).iloc[0]
    assert everybody.loc[("speed", "up"), "worth"] == premium["estimate"]
    assert (everybody.loc[("speed", "up"), ["worth_low", "worth_high"]] == premium[["low", "high"]].to_numpy()).all()
    worth = {name: t.loc[("speed", "up"), "worth"] for name, t in (("a", a), ("b", b), ("all", everybody))}
    assert worth["b"] + 5 < worth["all"] < worth["a"]
    down = ("brand", "down")  # no investment: at today's price the total is the sum
    together = a.loc[down, "share_gain"] + b.loc[down, "share_gain"]
    assert everybody.loc[down, "share_gain"] == pytest.approx(together, rel=1e-3)


def test_without_costs_no_label_promises_a_profit(
    both: ConditionalLogitResults, fit: ConditionalLogitResults, other: ConditionalLogitResults
) -> None:
    table = investment({"all": both, "a": fit, "b": other}, study(economics=False), seed=1)
    assert labels(table, "all") == {"speed": "honoured", "brand": "honoured"}
    assert table[["gain", "probability", "unit_cost"]].isna().all().all()
    assert table["break_even"].notna().all()


def test_without_a_price_effect_nothing_is_decided() -> None:
    fit = fit_of(simulate(respondents=60, price=0.01, none=0.5))
    table = investment({"all": fit, "a": fit, "b": fit}, study(), seed=1)
    assert set(table["label"]) == {"undecided"}
    assert table[["worth", "gain", "probability"]].isna().all().all()
    assert table["note"].str.startswith(NO_PRICE_EFFECT).all()


def test_few_respondents_carry_no_verdict() -> None:
    few = fit_of(simulate(respondents=60))
    table = investment({"all": few, "a": few, "b": few}, study(), seed=1)
    assert set(table.loc[table["segment"] != "all", "label"]) == {"undecided"}
    assert (table.loc[table["segment"] != "all", "note"] == INDICATION).all()
    assert table["worth"].notna().all()


def test_the_seed_decides_everything(fit: ConditionalLogitResults, other: ConditionalLogitResults) -> None:
    fits = {"all": fit, "a": fit, "b": other}
    pd.testing.assert_frame_equal(investment(fits, study(), seed=4), investment(fits, study(), seed=4))
    assert not investment(fits, study(), seed=4).equals(investment(fits, study(), seed=5))


def test_the_share_route_by_hand(fit: ConditionalLogitResults) -> None:
    definition = study()
    table = investment({"all": fit, "a": fit, "b": fit}, definition, draws=4_000, seed=5, route="share")
    row = rows(table, "a").loc[("speed", "up")]
    draws = krinsky_robb(fit, 4_000, 5)[:, 0, :]
    b = {name: draws[:, fit.data.names.index(name)] for name in fit.data.names}
    utility = b["brand[T.known]"] + 100 * b["price"] - b["none"]
    before, after = 1 / (1 + np.exp(-utility)), 1 / (1 + np.exp(-utility - b["speed[T.quick]"]))
    gain = 1000 * 12 * (after * (40 - 5) - before * 40) - 30_000 * 0.08 / (1 - 1.08**-3)
    assert row["share_gain"] == pytest.approx(np.median(gain), rel=1e-9)
    assert row["share_probability"] == (gain > 0).mean()
    # the labels follow the route that is asked for
    assert labels(table, "a")["speed"] == "invest" if (gain > 0).mean() >= 0.9 else "undecided"
    assert row["worth_of_knowing"] >= 0


def test_how_many_labels_are_expected_to_be_wrong(fit: ConditionalLogitResults, other: ConditionalLogitResults) -> None:
    table = investment({"all": fit, "a": fit, "b": other}, study(), seed=1)
    summary = expected_wrong(table).set_index("segment")
    own = table[table["segment"] == "all"].drop_duplicates("attribute")
    assert summary.loc["all", "labels"] == own["wrong"].notna().sum() == 2
    assert summary.loc["all", "expected_wrong"] == pytest.approx(own["wrong"].sum())
    speed = own.set_index("attribute").loc["speed"]
    assert speed["wrong"] == pytest.approx(1 - speed["probability"])
    assert (summary["share"] <= 0.10).all()


def test_rivals_lower_what_an_improvement_earns(fit: ConditionalLogitResults) -> None:
    alone = study()
    rival = {"id": "rival", "label": TEXT, "price": 80, "levels": {"speed": "quick", "brand": "leading"}}
    beside = Definition.model_validate(alone.model_dump() | {"competitors": [rival]})
    one, two = (rows(investment({"all": fit, "a": fit, "b": fit}, d, seed=1), "a") for d in (alone, beside))
    assert two.loc[("speed", "up"), "gain"] < one.loc[("speed", "up"), "gain"]
    assert two.loc[("speed", "up"), "worth"] == pytest.approx(one.loc[("speed", "up"), "worth"], rel=0.01)  # one taste


def test_nothing_is_invested_in_when_only_the_price_matters() -> None:
    rng = np.random.default_rng(3)
    invested = 0
    for seed in range(20):
        frame = simulate(seed=seed, respondents=150)
        v = -0.05 * frame["price"] - 4.0 * frame["none"]
        noisy = (v + rng.gumbel(size=len(v))).to_numpy().reshape(-1, 4)
        frame["chosen"] = (noisy == noisy.max(axis=1, keepdims=True)).ravel().astype(int)
        fit = fit_of(frame)
        table = investment({"all": fit, "a": fit, "b": fit}, study(), draws=2_000, seed=seed)
        invested += int((table["label"] == "invest").sum())
    assert invested == 0


def candidates() -> pd.DataFrame:
    def step(segment: str, attribute: str, money: float, gain: float, label: str = "invest") -> dict[str, object]:
        return {"segment": segment, "attribute": attribute, "direction": "up", "from_level": "x", "to_level": "y", "label": label,
                "investment": money, "gain": gain, "gain_low": 0.0, "gain_high": 2 * gain, "probability": 0.95}  # fmt: skip

    return pd.DataFrame([
        step("all", "a", 100, 50), step("all", "b", 60, 40), step("all", "c", 50, 35), step("all", "d", 10, 1, "keep"),
        step("all", "s", 90, 60), step("one", "s", 45, 55), step("two", "s", 45, 10), step("one", "a", 10, 45),
    ])  # fmt: skip


@pytest.mark.parametrize("budget", [0, 45, 110, 155, 200, 1000])
def test_a_budget_is_spent_as_well_as_can_be(budget: float) -> None:
    table = candidates()
    found = within_budget(table, budget, by_segment=("s",))
    allowed = table[
        (table["label"] == "invest") & ((table["segment"] == "all") | (table["attribute"] == "s"))
    ].reset_index()
    best = 0.0
    for chosen in product([False, True], repeat=len(allowed)):
        own = allowed[list(chosen)]
        both = own[own["attribute"] == "s"]["segment"]
        if own["investment"].sum() <= budget and not ("all" in set(both) and len(both) > 1):
            best = max(best, own["gain"].sum())
    assert found["gain"].sum() == pytest.approx(best)
    assert found["investment"].sum() <= budget
    assert found["gain_per_money"].is_monotonic_decreasing
    assert list(found["cumulative"]) == list(found["investment"].cumsum())


def test_how_far_a_level_can_be_lowered(fit: ConditionalLogitResults) -> None:
    market = Market(fit, [Offer("own", {"speed": "quick", "brand": "leading"}, 100)])
    table = how_low(market, most=0.05).set_index(["attribute", "level"])
    assert set(table.index) == {("speed", "slow"), ("brand", "new"), ("brand", "known")}
    shares = {b: market.change("own", levels={"brand": b}).shares()["share"].iloc[0] for b in ("known", "leading")}
    assert table.loc[("brand", "known"), "loss"] == pytest.approx(shares["leading"] - shares["known"])
    assert (table["loss_high"] > table["loss"]).all()
    assert table["bearable"].equals(table["loss_high"] < 0.05)
