"""Money where alternatives bear labels: each amount by the price of its own label, whole offers compared by hand, and what has no one worth withheld."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.simulated import modes
from wtp.errors import DataError
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.estimation.coding import design_levels
from wtp.estimation.conditional_logit import ConditionalLogitResults
from wtp.estimation.labelled import fit_of
from wtp.estimation.saved import FIT_FILE, fit_record, load_fit
from wtp.estimation.synthetic_study import answered_design, assumed_tastes
from wtp.pricing import (
    Market,
    Offer,
    Step,
    best_offers,
    best_price,
    competitive_worth,
    demand,
    elasticities,
    nash_prices,
    price_limit_pooled,
    reservation_price,
    still_buying,
    willingness_to_pay,
)
from wtp.pricing.money import Money
from wtp.pricing.willingness_to_pay import NO_ONE_WORTH

FORMULA = "mode + time:mode + seat + transfers + parking + price:mode"
RAIL = {"mode": "rail", "time": "h4", "seat": "open", "transfers": "one"}
CAR = {"mode": "car", "time": "h4", "parking": "street"}
BUS = {"mode": "bus", "time": "h5", "transfers": "direct"}


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    survey = modes(tmp_path_factory.mktemp("money"))
    assert survey.design is not None
    levels = design_levels(survey.design, survey.definition)
    counts = {"business": 120, "private": 120}
    return answered_design(
        survey.definition, levels, assumed_tastes(survey.definition), counts, np.random.default_rng(8)
    )


@pytest.fixture(scope="module")
def fit(frame: pd.DataFrame) -> ConditionalLogitResults:
    return ConditionalLogit(ChoiceData.from_long(frame, FORMULA, buys="buys", labels="mode")).fit()


@pytest.fixture
def market(fit: ConditionalLogitResults) -> Market:
    offers = {"ours": {**RAIL, "price": 60}, "rental": {**CAR, "price": 80}, "coach": {**BUS, "price": 40}}
    return Market(
        fit,
        [Offer(n, {k: v for k, v in o.items() if k != "price"}, o["price"], unit_cost=30.0) for n, o in offers.items()],
    )  # type: ignore[arg-type]


def utilities(fit: ConditionalLogitResults, price: float = 60.0) -> dict[str, float]:
    p = fit.params
    return {
        "ours": p["time (rail)[T.h4]"] + p["transfers[T.one]"] + p["price (rail)"] * price,
        "rental": p["mode[T.car]"] + p["time (car)[T.h4]"] + p["price (car)"] * 80,
        "coach": p["mode[T.bus]"] + p["transfers[T.direct]"] + p["price (bus)"] * 40,
        "none": p["none"],
    }


def shares(fit: ConditionalLogitResults, price: float = 60.0) -> dict[str, float]:
    odds = {name: np.exp(v) for name, v in utilities(fit, price).items()}
    return {name: value / sum(odds.values()) for name, value in odds.items()}


def test_every_amount_is_told_by_the_price_of_its_label(fit: ConditionalLogitResults) -> None:
    p = fit.params
    table = willingness_to_pay(fit, draws=2_000)
    assert list(table.columns[:3]) == ["segment", "offer_label", "parameter"]
    rows = table.set_index(["offer_label", "parameter"])
    for label, parameters in {
        "rail": ["time (rail)[T.h4]", "time (rail)[T.h3]", "seat[T.reserved]", "transfers[T.one]", "transfers[T.direct]"],
        "car": ["time (car)[T.h4]", "time (car)[T.h3]", "parking[T.garage]"],
        "bus": ["time (bus)[T.h4]", "transfers[T.one]", "transfers[T.direct]"],
    }.items():  # fmt: skip
        assert set(rows.loc[label].index) == set(parameters), "no constant, no price, nothing that the label lacks"
        for name in parameters:
            assert rows.loc[(label, name), "estimate"] == pytest.approx(p[name] / -p[f"price ({label})"])
            assert (
                rows.loc[(label, name), "low"] < rows.loc[(label, name), "estimate"] < rows.loc[(label, name), "high"]
            )


def test_steps_name_their_label_and_keep_their_order(fit: ConditionalLogitResults) -> None:
    steps = [
        Step("transfers", "one", "direct", "bus"),
        Step("mode", "rail", "bus"),
        Step("transfers", "one", "direct", "rail"),
        Step("seat", "open", "reserved", "rail"),
    ]
    table = willingness_to_pay(fit, steps=steps, draws=2_000)
    assert list(table["offer_label"]) == ["bus", "", "rail", "rail"]
    assert list(table["attribute"]) == ["transfers", "mode", "transfers", "seat"]
    change = fit.params["transfers[T.direct]"] - fit.params["transfers[T.one]"]
    assert table["estimate"].iloc[0] == pytest.approx(change / -fit.params["price (bus)"])
    assert table["estimate"].iloc[2] == pytest.approx(change / -fit.params["price (rail)"])
    assert table.loc[1, ["estimate", "low", "high"]].isna().all()
    assert table.loc[1, "note"] == NO_ONE_WORTH
    with pytest.raises(DataError, match=r"'transfers' without a label.*rail, car, bus"):
        willingness_to_pay(fit, steps=[Step("transfers", "one", "direct")])
    with pytest.raises(DataError, match=r"'seat' is not in the data"):
        willingness_to_pay(fit, steps=[Step("seat", "open", "reserved", "bus")])
    with pytest.raises(DataError, match=r"'price' has a coefficient for each label"):
        Money.of(fit.data)


def test_one_price_for_all_gives_one_amount_where_nothing_is_the_labels_own(frame: pd.DataFrame) -> None:
    simple = ConditionalLogit(ChoiceData.from_long(frame, "mode + time + price", buys="buys", labels="mode")).fit()
    plain = ConditionalLogit(ChoiceData.from_long(frame, "mode + time + price", buys="buys")).fit()
    steps = [Step("mode", "rail", "bus"), Step("time", "h4", "h3")]
    table, wanted = (willingness_to_pay(each, steps=steps, draws=2_000, seed=3) for each in (simple, plain))
    assert table["estimate"].to_numpy() == pytest.approx(wanted["estimate"].to_numpy(), rel=1e-9)
    assert table["low"].to_numpy() == pytest.approx(wanted["low"].to_numpy(), rel=1e-9)


def test_shares_of_offers_of_different_labels_by_hand(fit: ConditionalLogitResults, market: Market) -> None:
    found = market.shares().set_index("offer")["share"]
    assert found.to_dict() == pytest.approx(shares(fit), rel=1e-9)
    cheaper = market.change("ours", price=50.0).shares().set_index("offer")["share"]
    assert cheaper.to_dict() == pytest.approx(shares(fit, 50.0), rel=1e-9)
    moved = market.sensitivity("ours")
    assert set(moved["attribute"]) == {"time", "seat", "transfers", "price"}, "not what a train lacks, not its label"
    assert sorted(moved.loc[moved["attribute"] == "price", "level"]) == [40, 60, 80, 100], "its own tested prices"
    curve = demand(market, "ours", [40, 60, 100]).set_index("price")["share"]
    assert curve.to_dict() == pytest.approx({p: shares(fit, p)["ours"] for p in (40, 60, 100)}, rel=1e-9)


def test_the_worth_against_rivals_is_the_ratio_of_a_single_taste(fit: ConditionalLogitResults, market: Market) -> None:
    steps = [Step("seat", "open", "reserved"), Step("transfers", "one", "two")]
    found = competitive_worth(market, "ours", steps)
    p = fit.params
    wanted = [p["seat[T.reserved]"] / -p["price (rail)"], -p["transfers[T.one]"] / -p["price (rail)"]]
    assert found["estimate"].to_numpy() == pytest.approx(wanted, rel=1e-6)
    with pytest.raises(DataError, match="steps from its own levels"):
        competitive_worth(market, "ours", [Step("parking", "street", "garage")])


def test_elasticities_and_prices_move_by_the_price_of_each_label(fit: ConditionalLogitResults, market: Market) -> None:
    own, p = shares(fit), fit.params
    found = elasticities(market).set_index(["offer", "price_of"])["elasticity"]
    assert found["ours", "ours"] == pytest.approx(p["price (rail)"] * 60 * (1 - own["ours"]), rel=1e-9)
    assert found["ours", "coach"] == pytest.approx(-p["price (bus)"] * 40 * own["coach"], rel=1e-9)
    assert found["coach", "rental"] == pytest.approx(-p["price (car)"] * 80 * own["rental"], rel=1e-9)
    grid = np.linspace(40, 100, 60_001)
    u = utilities(fit)
    rest = sum(np.exp(u[name]) for name in ("rental", "coach", "none"))
    odds = np.exp(u["ours"] + p["price (rail)"] * (grid - 60))
    profit = odds / (odds + rest) * (grid - 30)
    assert best_price(market, "ours")["price"].iloc[0] == pytest.approx(grid[profit.argmax()], abs=0.05)
    # No firm gains by another price: the first-order condition with its label's coefficient.
    nash = nash_prices(market, bounds=(31.0, 200.0))
    prices = nash.offers.set_index("offer")["price"]
    at = dict(zip(("ours", "rental", "coach"), ("rail", "car", "bus"), strict=True))
    moved = {
        **u,
        **{n: u[n] + p[f"price ({at[n]})"] * (prices[n] - {"ours": 60, "rental": 80, "coach": 40}[n]) for n in at},
    }
    total = sum(np.exp(v) for v in moved.values())
    for name, label in at.items():
        share = np.exp(moved[name]) / total
        assert prices[name] == pytest.approx(30 + 1 / (-p[f"price ({label})"] * (1 - share)), rel=1e-5)


def test_the_best_offer_keeps_its_label(market: Market) -> None:
    found = best_offers(market, "ours", top=200)
    assert set(found["mode"]) == {"rail"}
    assert len(found) == 3 * 2 * 3 * 4, "times, seats, transfers, and four prices of a train"
    assert "parking" not in found
    with pytest.raises(DataError, match="different 'mode'"):
        best_offers(Market(market.fit, [Offer(o.name, o.levels, o.price, firm="we", unit_cost=30.0) for o in market.offers]), ["ours", "coach"])  # fmt: skip


def test_the_price_limit_is_told_by_the_labels_price(fit: ConditionalLogitResults) -> None:
    p = fit.params
    for offer, label, level in ((RAIL, "rail", "[T.h4]"), (CAR, "car", "[T.h4]")):
        u = (
            p.get(f"mode[T.{label}]", 0.0)
            + p[f"time ({label}){level}"]
            + (p["transfers[T.one]"] if label == "rail" else 0)
        )
        limit = (u - p["none"]) / -p[f"price ({label})"]
        row = price_limit_pooled(fit, offer, (0.0, 500.0)).iloc[0]
        assert row["estimate"] == pytest.approx(limit)
        assert reservation_price(fit, offer, (0.0, 500.0))["estimate"].iloc[0] == pytest.approx(limit)
        curve = still_buying(fit, offer, [limit]).iloc[0]
        assert curve["share"] == pytest.approx(0.5)
    assert price_limit_pooled(fit_of(fit, "rail"), RAIL, (0.0, 500.0))["estimate"].iloc[0] == pytest.approx(
        price_limit_pooled(fit, RAIL, (0.0, 500.0))["estimate"].iloc[0]
    )
    rival = price_limit_pooled(fit, RAIL, (0.0, 500.0), rivals=[Offer("coach", BUS, 20.0)])["estimate"].iloc[0]
    best = max(p["none"], p["mode[T.bus]"] + p["transfers[T.direct]"] + 20 * p["price (bus)"])
    u = p["time (rail)[T.h4]"] + p["transfers[T.one]"]
    assert rival == pytest.approx((u - best) / -p["price (rail)"])


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        ({k: v for k, v in RAIL.items() if k != "mode"}, "without 'mode'"),
        ({**RAIL, "mode": "ship"}, "'ship'"),
        ({k: v for k, v in RAIL.items() if k != "seat"}, "no level of seat"),
        ({**CAR, "seat": "open"}, "'seat' is not in the data"),
        ({**BUS, "time": "h3"}, "'h3' was never shown; allowed: h5, h4"),
    ],
)
def test_offers_that_cannot_be_are_named(fit: ConditionalLogitResults, offer: dict[str, str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        Market(fit, [Offer("ours", offer, 60.0)])


def test_a_saved_fit_tells_the_same(fit: ConditionalLogitResults, market: Market, tmp_path: Path) -> None:
    (tmp_path / FIT_FILE).write_text(json.dumps(fit_record(fit, "conditional")), encoding="utf-8")
    saved = load_fit(tmp_path)
    again = Market(saved, market.offers).shares().set_index("offer")["share"]
    assert again.to_dict() == pytest.approx(shares(fit), rel=1e-9)
    table = willingness_to_pay(saved, draws=500, seed=2)
    pd.testing.assert_frame_equal(table, willingness_to_pay(fit, draws=500, seed=2), check_exact=False, rtol=1e-9)
