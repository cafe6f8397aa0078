"""The market simulator: shares by hand, what-ifs, invariances, copies, calibration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.pricing.conftest import fit_of
from tests.pricing.test_people import draws_of, fit_with
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, ConditionalLogitResults, HierarchicalResults
from wtp.pricing import Market, Offer, calibrated, scaled_to
from wtp.pricing.simulator import FIRST_CHOICE, RANDOMIZED, RED_BUS

OURS = Offer("ours", {"speed": "quick", "brand": "known"}, 100, firm="us", unit_cost=60)
RIVAL = Offer("rival", {"speed": "slow", "brand": "leading"}, 90, unit_cost=50)


@pytest.fixture(scope="module")
def market(fit: ConditionalLogitResults) -> Market:
    return Market(fit, [OURS, RIVAL])


@pytest.fixture(scope="module")
def people() -> HierarchicalResults:
    rng = np.random.default_rng(5)
    n = 100
    quick, price = rng.normal(1, 1, n), -0.05 * np.exp(rng.normal(0, 0.3, n))
    return fit_with(draws_of(quick, price, rng.normal(-4, 1, n)) + rng.normal(0, 0.05, (40, 1, 5)))


def share(market: Market, name: str = "ours") -> float:
    return float(market.shares().set_index("offer").loc[name, "share"])


def test_shares_are_what_one_finds_by_hand(fit: ConditionalLogitResults, market: Market) -> None:
    b = fit.params
    worths = np.array([
        b["speed[T.quick]"] + b["brand[T.known]"] + 100 * b["price"],
        b["brand[T.leading]"] + 90 * b["price"],
        b["none"],
    ])  # fmt: skip
    expected = np.exp(worths) / np.exp(worths).sum()
    table = market.shares()
    assert table["share"].to_numpy() == pytest.approx(expected, abs=1e-12)
    assert table["share"].sum() == pytest.approx(1, abs=1e-12)
    assert (table["low"] < table["share"]).all()
    assert (table["share"] < table["high"]).all()
    assert list(table["offer"]) == ["ours", "rival", "none"]


def test_shares_of_people_are_means_of_their_own_probabilities(people: HierarchicalResults) -> None:
    market = Market(people, [OURS, RIVAL])
    values = people.simulate(500).values
    v = np.stack([
        values[..., 0] + values[..., 1] + 100 * values[..., 3], values[..., 2] + 90 * values[..., 3], values[..., 4]
    ])  # fmt: skip
    chances = np.exp(v - v.max(axis=0))
    expected = (chances / chances.sum(axis=0)).mean(axis=2)
    assert market.share_draws() == pytest.approx(expected.T, abs=1e-12)
    assert market.shares()["share"].to_numpy() == pytest.approx(expected.mean(axis=1), abs=1e-12)
    best = (v == v.max(axis=0)).mean(axis=(1, 2))
    assert market.shares(FIRST_CHOICE)["share"].to_numpy() == pytest.approx(best, abs=1e-12)


def test_a_what_if_equals_the_market_made_anew(people: HierarchicalResults) -> None:
    market = Market(people, [OURS, RIVAL])
    market.shares()
    moved = market.change("ours", price=110, levels={"speed": "slow"}, reach=0.5)
    anew = Market(people, [replace(OURS, price=110, levels={"speed": "slow", "brand": "known"}, reach=0.5), RIVAL])
    pd.testing.assert_frame_equal(moved.shares(), anew.shares(), atol=1e-12)
    assert market.offer("ours") == OURS  # the old one stays
    assert share(moved) < share(market)


def test_the_order_of_offers_does_not_matter(people: HierarchicalResults) -> None:
    one, other = (Market(people, offers).shares().set_index("offer") for offers in ([OURS, RIVAL], [RIVAL, OURS]))
    pd.testing.assert_frame_equal(one, other.loc[one.index], atol=1e-12)


def test_neither_currency_nor_reference_level_matter(choices: pd.DataFrame, fit: ConditionalLogitResults) -> None:
    cents = fit_of(choices.assign(price=choices["price"] * 100))
    turned = choices.assign(brand=choices["brand"].cat.reorder_categories(["leading", "known", "new"]))
    here = Market(fit, [OURS, RIVAL]).shares()["share"].to_numpy()
    in_cents = Market(cents, [replace(OURS, price=10_000), replace(RIVAL, price=9_000)]).shares()["share"].to_numpy()
    assert in_cents == pytest.approx(here, abs=1e-9)
    # none rows of the data have the first brand: with a none constant its utility is taken against another base level
    assert Market(fit_of(turned), [OURS, RIVAL]).shares()["share"].to_numpy() == pytest.approx(here, abs=1e-9)


def test_a_copy_takes_from_all_in_proportion_and_the_table_says_so(market: Market) -> None:
    copied = market.with_offer(replace(OURS, name="copy"))
    table = copied.shares().set_index("offer")
    before = market.shares().set_index("offer")["share"]
    assert table.loc["copy", "share"] == pytest.approx(table.loc["ours", "share"])
    assert table.loc["rival", "share"] / table.loc["none", "share"] == pytest.approx(before["rival"] / before["none"])
    assert (table["note"] == RED_BUS).all()
    assert (market.shares()["note"] == "").all()


def test_randomized_first_choice_lets_copies_share_their_demand(market: Market) -> None:
    alone = market.shares(RANDOMIZED).set_index("offer")["share"]
    logit = market.shares().set_index("offer")["share"]
    assert alone.to_numpy() == pytest.approx(logit.to_numpy(), abs=0.02)  # without copies it is as close as tuned
    copied = market.with_offer(replace(OURS, name="copy"))
    both = copied.shares(RANDOMIZED).set_index("offer")["share"][["ours", "copy"]].sum()
    both_logit = copied.shares().set_index("offer")["share"][["ours", "copy"]].sum()
    assert both - alone["ours"] < 0.4 * (both_logit - logit["ours"])


def test_weights_of_respondents_count() -> None:
    rng = np.random.default_rng(2)
    draws = draws_of(rng.normal(1, 1, 50), np.full(50, -0.05), rng.normal(-4, 1, 50))
    twice = np.repeat(draws, [2] * 25 + [1] * 25, axis=1)
    weighted = fit_with(draws, weights=np.array([2.0] * 25 + [1.0] * 25))
    assert Market(weighted, [OURS, RIVAL]).share_draws() == pytest.approx(
        Market(fit_with(twice), [OURS, RIVAL]).share_draws(), abs=1e-12
    )


def test_reach_is_as_if_others_did_not_know_the_offer(fit: ConditionalLogitResults) -> None:
    half = Market(fit, [replace(OURS, reach=0.5), RIVAL]).shares()["share"].to_numpy()
    full = Market(fit, [OURS, RIVAL]).shares()["share"].to_numpy()
    expected = full * [0.5, 1, 1]
    assert half == pytest.approx(expected / expected.sum())


def test_sensitivity_shows_every_level_and_price(market: Market) -> None:
    table = market.sensitivity("ours")
    assert list(zip(table["attribute"], table["level"], strict=True)) == [
        ("speed", "slow"), ("speed", "quick"), ("brand", "new"), ("brand", "known"), ("brand", "leading"),
        ("price", 80.0), ("price", 100.0), ("price", 120.0),
    ]  # fmt: skip
    for _, row in table.iterrows():
        levels, price = ({}, row["level"]) if row["attribute"] == "price" else ({row["attribute"]: row["level"]}, None)
        assert row["share"] == pytest.approx(share(market.change("ours", levels=levels, price=price)), abs=1e-12)
    assert table.loc[table["level"].isin(["quick", "known", 100.0]), "change"].to_numpy() == pytest.approx([0, 0, 0])


def test_the_volume_of_a_new_offer_comes_from_somewhere(market: Market) -> None:
    wider = market.with_offer(Offer("ours too", {"speed": "slow", "brand": "known"}, 85, firm="us"))
    table = wider.source_of_volume("ours too")
    assert table["part"].sum() == pytest.approx(1)
    assert list(table["cannibalised"]) == [True, False, False]
    assert (table["before"] - table["after"]).to_numpy() == pytest.approx(table["taken"].to_numpy())
    assert table["before"].to_numpy() == pytest.approx(market.shares()["share"].to_numpy())


@pytest.mark.parametrize("known", [{"ours": 0.3}, {"ours": 0.3, "rival": 0.5}, {"ours": 0.05, "rival": 0.9}])
def test_calibration_meets_the_known_shares(
    market: Market, people: HierarchicalResults, known: dict[str, float]
) -> None:
    for start in (market, Market(people, [OURS, RIVAL])):
        found = calibrated(start, known).shares().set_index("offer")["share"]
        assert found[list(known)].to_dict() == pytest.approx(known, abs=1e-8)


def test_calibration_says_what_cannot_be(market: Market) -> None:
    with pytest.raises(DataError, match="less than 1"):
        calibrated(market, {"ours": 0.7, "rival": 0.4})
    with pytest.raises(EstimationError, match="even if everybody bought"):
        calibrated(market, {"rival": 0.9})


def test_the_scale_follows_held_out_choices(choices: pd.DataFrame, fit: ConditionalLogitResults) -> None:
    data = ChoiceData.from_long(choices, "speed + brand + price + none")
    assert scaled_to(Market(fit, [OURS, RIVAL]), data).scale == pytest.approx(1, abs=0.01)
    # People who choose at random have the scale 0; half of them, a smaller one.
    rng = np.random.default_rng(3)
    random = data.starts + rng.integers(0, 4, len(data.starts))
    some = np.where(rng.random(len(data.starts)) < 0.5, random, data.chosen)
    assert scaled_to(Market(fit, [OURS, RIVAL]), data.with_chosen(some)).scale < 0.7


@pytest.mark.parametrize(
    ("offers", "words"),
    [
        ([], "no offer"),
        ([OURS, OURS], "ours twice"),
        ([replace(OURS, levels={"speed": "quick"})], "no level of brand"),
        ([replace(OURS, levels={"speed": "quick", "brand": "nobody"})], "never shown"),
        ([replace(OURS, price=float("nan"))], "price nan"),
        ([replace(OURS, reach=0)], "reach 0"),
        ({"ours": {"speed": "quick"}}, "no 'price'"),
    ],
)
def test_a_market_that_cannot_be_is_refused(fit: ConditionalLogitResults, offers: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Market(fit, offers)


def test_unknown_names_are_refused(market: Market) -> None:
    with pytest.raises(DataError, match="'theirs' is not in the market"):
        market.change("theirs", price=3)
    with pytest.raises(DataError, match="rule 'best'"):
        market.shares("best")


def test_offers_may_be_plain_tables(fit: ConditionalLogitResults, market: Market) -> None:
    plain = Market(fit, {"ours": {**OURS.levels, "price": 100}, "rival": {**RIVAL.levels, "price": 90}})
    pd.testing.assert_frame_equal(plain.shares(), market.shares())
