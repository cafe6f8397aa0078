"""Competitive worth, consumer surplus, the distribution of worth, competitive limits and waterfalls, against closed forms and figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from tests.pricing.conftest import fit_of, simulate
from tests.pricing.test_people import draws_of, fit_with
from tests.pricing.test_simulator import OURS, RIVAL
from wtp.errors import DataError
from wtp.estimation import ConditionalLogitResults, HierarchicalResults
from wtp.pricing import (
    Market,
    Offer,
    Scenarios,
    Step,
    cautious,
    competitive_worth,
    consumer_surplus,
    limit_waterfall,
    overstatement,
    price_limits,
    reservation_price,
    sampled_worth,
    share_above,
    surcharge_limits,
    willingness_to_pay,
    worth_quantiles,
)
from wtp.pricing.competition import CENSORED_ABOVE, CENSORED_BELOW
from wtp.pricing.reservation_price import ABOVE
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT

LEADING, NEW, SLOW = (
    Step("brand", "known", "leading"), Step("brand", "known", "new"), Step("speed", "quick", "slow")
)  # fmt: skip
TESTED = (80.0, 120.0)


@pytest.fixture(scope="module")
def people() -> HierarchicalResults:
    """Reservation prices from 60.5 to 159.5; one half values speed at 40, the other at 10, brands at 10 and 14."""
    prices = np.arange(60.5, 160)
    quick = np.tile([2.0, 0.5], 50)
    return fit_with(draws_of(quick, np.full(100, -0.05), quick + 0.5 - 0.05 * prices))


def test_of_one_taste_the_competitive_worth_is_the_ratio(fit: ConditionalLogitResults) -> None:
    market = Market(fit, [OURS, RIVAL])
    ratio = willingness_to_pay(fit, steps=[LEADING, NEW])["estimate"].to_numpy()
    table = competitive_worth(market, "ours", [LEADING, NEW])
    assert table["estimate"].to_numpy() == pytest.approx(ratio, abs=1e-9)
    assert (table["censored"] == 0).all()
    # to a level that it has already, nothing
    assert competitive_worth(market, "ours", [Step("brand", "known", "known")])["estimate"].iloc[0] == pytest.approx(0)


def test_it_keeps_the_share_in_every_draw(people: HierarchicalResults) -> None:
    market = Market(people, [OURS, RIVAL])
    today = market.share_draws()[:, 0]
    worth = float(competitive_worth(market, "ours", [LEADING])["estimate"].iloc[0])
    moved = market.change("ours", levels={"brand": "leading"}, price=100 + worth).share_draws()[:, 0]
    assert moved.mean() == pytest.approx(today.mean(), abs=1e-4)


def test_it_is_less_than_the_trade_off_value_where_some_would_buy_anyway() -> None:
    """Half of the people buy whatever happens and value the step at 40, half are undecided and value it at 4 (Orme 2001)."""
    loyal = np.arange(100) % 2 == 0
    draws = draws_of(np.full(100, 1.0), np.full(100, -0.05), np.where(loyal, -20.0, -3.5))
    draws[:, loyal, 2] = 0.5 + 2.0  # leading beside known
    draws[:, ~loyal, 2] = 0.5 + 0.2
    fit = fit_with(draws)
    mean_worth = (40 + 4) / 2
    found = competitive_worth(Market(fit, [OURS]), "ours", [LEADING]).iloc[0]
    assert found["estimate"] == pytest.approx(4, abs=0.5)
    assert found["estimate"] < mean_worth / 2


def test_beyond_the_tested_prices_it_is_censored_and_counted(people: HierarchicalResults) -> None:
    market = Market(people, [OURS, RIVAL]).change("ours", price=115)
    up = competitive_worth(market.change("ours", levels={"speed": "slow"}), "ours", [Step("speed", "slow", "quick")])
    assert up.loc[0, "note"] == CENSORED_ABOVE
    assert np.isnan(up.loc[0, "estimate"])
    assert up.loc[0, "censored"] == 1
    down = competitive_worth(market.change("ours", price=85), "ours", [SLOW])
    assert down.loc[0, "note"] == CENSORED_BELOW
    assert np.isnan(down.loc[0, "low"])
    assert down.loc[0, "high"] == -5  # 80 is the lowest tested price, so it is 5 or more
    with pytest.raises(DataError, match="from its own levels"):
        competitive_worth(market, "ours", [Step("brand", "new", "known")])


def test_ends_of_its_interval_are_cut_off_at_the_tested_prices(fit: ConditionalLogitResults) -> None:
    estimate = float(competitive_worth(Market(fit, [OURS, RIVAL]), "ours", [LEADING])["estimate"].iloc[0])
    market = Market(fit, [OURS, RIVAL]).change("ours", price=120 - estimate - 0.1)
    wide = competitive_worth(market, "ours", [LEADING], confidence=0.999).iloc[0]
    assert wide["estimate"] == pytest.approx(estimate, abs=1e-9)
    assert wide["high"] == pytest.approx(estimate + 0.1)
    assert wide["low"] < estimate
    assert 0 < wide["censored"] < 1


def test_whether_the_price_drove_the_answers_does_not_depend_on_how_many_draws_are_asked() -> None:
    """A weak price: wrong in one draw of a few hundred, so that few draws would let it pass."""
    fit = fit_of(simulate(respondents=75, price=-0.008, none=-1.0, seed=2))
    z = float(-fit.params["price"] / fit.bse["price"])
    assert 1.96 < z < 3.09
    assert not Market(fit, [OURS, RIVAL], draws=10).price_clear
    assert sampled_worth(fit, OURS, [LEADING], draws=10)["note"].iloc[0] == NO_PRICE_EFFECT
    assert willingness_to_pay(fit, draws=10)["note"].iloc[0] == NO_PRICE_EFFECT


def test_more_rivals_lower_the_worth_and_the_seed_decides(people: HierarchicalResults) -> None:
    one, again, other = (
        sampled_worth(people, OURS, [LEADING], Scenarios(10, 3, seed), draws=20).iloc[0] for seed in (1, 1, 2)
    )
    assert one.equals(again)
    assert one["estimate"] != other["estimate"]
    assert one["low"] <= one["estimate"] <= one["high"]
    assert one["scenarios"] == 10


def test_consumer_surplus_of_a_step_is_less_than_its_worth(fit: ConditionalLogitResults) -> None:
    market = Market(fit, [OURS, RIVAL])
    b, a = fit.params, -fit.params["price"]
    v = np.array([b["speed[T.quick]"] + b["brand[T.known]"] - 100 * a, b["brand[T.leading]"] - 90 * a, b["none"]])
    after = v + np.array([b["brand[T.leading]"] - b["brand[T.known]"], 0, 0])
    expected = (np.log(np.exp(after).sum()) - np.log(np.exp(v).sum())) / a
    found = consumer_surplus(market, "ours", [LEADING]).iloc[0]
    assert found["estimate"] == pytest.approx(expected)
    assert 0 < found["estimate"] < willingness_to_pay(fit, steps=[LEADING])["estimate"].iloc[0]


def test_quantiles_shares_and_surcharges_by_hand(people: HierarchicalResults) -> None:
    quick = Step("speed", "slow", "quick")
    table = worth_quantiles(people, [quick], levels=[0.25, 0.75]).set_index("quantile")["estimate"]
    assert table.to_dict() == pytest.approx({0.25: 10, 0.75: 40})
    above = share_above(people, [quick], [0, 10.5, 39, 41]).set_index("amount")["share"]
    assert above.to_dict() == pytest.approx({0: 1.0, 10.5: 0.5, 39: 0.5, 41: 0.0})
    limits = surcharge_limits(people, [quick]).set_index("kind")["estimate"]
    assert limits["safe"] == pytest.approx(10)
    assert limits["stretch"] == pytest.approx(40)


def test_one_taste_has_no_distribution(fit: ConditionalLogitResults) -> None:
    assert worth_quantiles(fit, [LEADING]).empty
    assert share_above(fit, [LEADING], [3]).empty


def test_a_rival_lowers_the_limit_to_where_one_would_change(people: HierarchicalResults) -> None:
    offer = dict(OURS.levels)
    alone = price_limits(people, offer, TESTED).iloc[0]
    rival = Offer("rival", {"speed": "quick", "brand": "known"}, 90.0)
    against = price_limits(people, offer, TESTED, rivals=[rival]).iloc[0]
    # the same offer for 90: nobody pays more than 90 for ours, and who buys nothing at 90 keeps the own limit
    assert alone["estimate"] == pytest.approx(110, abs=0.6)
    assert against["estimate"] == pytest.approx(90, abs=1e-6)
    assert against["safe"] == pytest.approx(85, abs=0.6)


def test_the_limit_rises_step_by_step_by_what_each_is_worth(people: HierarchicalResults) -> None:
    table = limit_waterfall(people, {"speed": "quick", "brand": "new"}, [Step("brand", "new", "known")], TESTED)
    assert table["limit"].tolist() == pytest.approx([100, 110], abs=0.6)
    assert table.loc[1, "change"] == pytest.approx(10)
    steps = [Step("brand", "new", "known"), Step("brand", "new", "leading"), Step("speed", "quick", "slow")]
    longer = limit_waterfall(people, {"speed": "quick", "brand": "new"}, steps, TESTED)
    assert list(longer["to_level"]) == ["", "leading", "slow"]  # the dearest of one attribute, once
    beyond = limit_waterfall(people, {"speed": "quick", "brand": "new"}, [Step("brand", "new", "known")], (80.0, 105.0))
    assert list(beyond["note"]) == ["", ABOVE]
    assert np.isnan(beyond.loc[1, "limit"])


def test_the_reservation_price_of_any_fit(people: HierarchicalResults, fit: ConditionalLogitResults) -> None:
    offer = dict(OURS.levels)
    assert reservation_price(people, offer)["status"].iloc[0] == "final"
    pooled = reservation_price(fit, offer).iloc[0]
    assert pooled["status"] == "preliminary"
    b = fit.params
    gap = lambda p: b["speed[T.quick]"] + b["brand[T.known]"] + p * b["price"] - b["none"]  # noqa: E731
    assert pooled["estimate"] == pytest.approx(brentq(gap, 50, 200))


def test_a_known_sale_tells_by_how_much_people_overstate() -> None:
    rng = np.random.default_rng(1)
    paid = np.exp(rng.normal(np.log(95), 0.2, 100))
    factor = 1.3
    fit = fit_with(draws_of(np.full(100, 1.0), np.full(100, -0.05), 1.5 - 0.05 * factor * paid))
    at = float(np.quantile(paid, 0.6))
    found = overstatement(fit, dict(OURS.levels), at, known_share=float((paid >= at).mean())).iloc[0]
    assert found["factor"] == pytest.approx(factor, rel=0.01)
    assert found["low"] <= found["factor"] <= found["high"]
    limits = price_limits(fit, dict(OURS.levels), (80, 160))
    assert cautious(limits, own_factor=found["factor"])["cautious"].iloc[0] == pytest.approx(np.median(paid), rel=0.02)
    with pytest.raises(DataError, match="known_share"):
        overstatement(fit, dict(OURS.levels), at, known_share=1.2)
