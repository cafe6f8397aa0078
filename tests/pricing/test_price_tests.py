"""Gabor-Granger, Newton-Miller-Smith, open prices and triangulation, against other software, scipy and closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import isotonic_regression
from scipy.stats import norm

from wtp.errors import DataError
from wtp.pricing import cautious, gabor_granger, newton_miller_smith, open_price, triangulate
from wtp.pricing.demand_curve import best_on_pieces, crossing, falling
from wtp.pricing.gabor_granger import ABOVE, BELOW, NOBODY, interval_censored, limits_by_segment
from wtp.pricing.open_price import HYPOTHETICAL, REAL, settle

GOLDEN = Path(__file__).parents[1] / "golden" / "van_westendorp.csv.gz"
PRICES = np.array([70.0, 85.0, 100.0, 115.0, 130.0, 150.0])


def asked(limits: np.ndarray, *, segment: np.ndarray | None = None, weights: np.ndarray | None = None) -> pd.DataFrame:
    """Everybody is asked every price and answers by his limit."""
    n = len(limits)
    frame = pd.DataFrame({"respondent": np.repeat(np.arange(n), len(PRICES)), "price": np.tile(PRICES, n)})
    frame["buys"] = (np.repeat(limits, len(PRICES)) >= frame["price"]).astype(int)
    if segment is not None:
        frame["segment"] = np.repeat(segment, len(PRICES))
    if weights is not None:
        frame["weight"] = np.repeat(weights, len(PRICES))
    return frame


@pytest.fixture(scope="module")
def limits() -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.exp(rng.normal(np.log(105), 0.25, 400))


def test_falling_demand_is_scipys_isotonic_regression() -> None:
    rng = np.random.default_rng(0)
    shares, counts = rng.random((50, 7)), rng.uniform(0.5, 30, (50, 7))
    for found, y, w in zip(falling(shares, counts), shares, counts, strict=True):
        assert found == pytest.approx(isotonic_regression(y, weights=w, increasing=False).x, abs=1e-12)
    assert falling(falling(shares, counts), counts) == pytest.approx(falling(shares, counts))


def test_crossings_and_best_prices_on_straight_pieces() -> None:
    prices = np.array([1.0, 2.0, 4.0])
    curves = np.array([[0.9, 0.7, 0.1], [0.4, 0.3, 0.2], [0.9, 0.8, 0.6], [0.5, 0.4, 0.1]])
    assert crossing(prices, curves, 0.5) == pytest.approx([2 + 2 * 0.2 / 0.6, -np.inf, np.inf, 1.0])
    best, value = best_on_pieces(prices, curves, cost=0.5)
    fine = np.linspace(1, 4, 300_001)
    for row, curve in enumerate(curves):
        profit = (fine - 0.5) * np.interp(fine, prices, curve)
        assert value[row] == pytest.approx(profit.max(), rel=1e-9)
        assert best[row] == pytest.approx(fine[profit.argmax()], abs=1e-4)


def test_demand_limit_and_best_prices(limits: np.ndarray) -> None:
    found = gabor_granger(asked(limits), unit_cost=60, bootstrap=300)
    share = np.array([(limits >= p).mean() for p in PRICES])
    assert found.demand["share"].to_numpy() == pytest.approx(share)
    points = found.points.set_index("point")
    assert points.loc["limit", "price"] == pytest.approx(np.interp(-0.5, -share, PRICES))
    assert (points["low"] <= points["price"]).all()
    assert (points["price"] <= points["high"]).all()
    assert points.loc["revenue", "price"] < points.loc["profit", "price"]
    assert found.notes == ()


def test_a_ladder_says_the_same_as_all_prices(limits: np.ndarray) -> None:
    everything = asked(limits)
    # of an adaptive ladder only the last yes and the first no were asked
    low = everything[everything["buys"] == 1].groupby("respondent")["price"].max()
    high = everything[everything["buys"] == 0].groupby("respondent")["price"].min()
    ladder = everything[
        (everything["price"] == everything["respondent"].map(low))
        | (everything["price"] == everything["respondent"].map(high))
    ]
    one, other = (gabor_granger(frame, bootstrap=0) for frame in (everything, ladder))
    assert other.demand["share"].to_numpy() == pytest.approx(one.demand["share"].to_numpy())
    assert other.smooth["median"].to_numpy() == pytest.approx(one.smooth["median"].to_numpy(), rel=1e-6)


def test_reversals_are_counted_and_end_at_the_first_no() -> None:
    rows = pd.DataFrame({"respondent": [1] * 6, "price": PRICES, "buys": [1, 1, 0, 1, 1, 0]})
    others = asked(np.array([90.0, 120.0, 105.0])).assign(respondent=lambda f: f["respondent"] + 10)
    found = gabor_granger(pd.concat([rows, others], ignore_index=True), bootstrap=0)
    own = found.people.set_index("respondent").loc[1]
    assert own.to_dict() == {"low": 85.0, "high": 100.0, "reversals": 2}
    assert [note.code for note in found.notes] == ["gabor_granger_reversals"]


def test_the_smooth_distribution_is_the_one_that_answered(limits: np.ndarray) -> None:
    segment = np.where(np.arange(400) % 2, "b", "a")
    moved = np.where(segment == "b", limits * 1.2, limits)
    found = gabor_granger(asked(moved, segment=segment), segment="segment", bootstrap=0)
    table = found.smooth.set_index("segment")
    for name in ("a", "b"):
        own = np.exp(np.log(moved[segment == name]).mean())
        assert table.loc[name, "median"] == pytest.approx(own, rel=0.02)
        assert table.loc[name, "low"] < own < table.loc[name, "high"]
    assert found.sigma == pytest.approx(np.sqrt(0.25**2 + 0.091**2), abs=0.02)  # of both together
    inside = interval_censored(limits, limits * 1.0001, np.ones((400, 1)))  # as good as known exactly
    assert inside.params[0] == pytest.approx(np.log(limits * 1.00005).mean(), abs=1e-4)
    assert inside.sigma == pytest.approx(np.log(limits).std(), abs=1e-4)
    assert np.sqrt(inside.covariance[0, 0]) == pytest.approx(np.log(limits).std() / 20, rel=1e-3)


def test_its_likelihood_by_hand() -> None:
    low, high = np.array([0.0, 50.0, 80.0]), np.array([50.0, 80.0, np.inf])
    fit = interval_censored(np.repeat(low, [3, 5, 2]), np.repeat(high, [3, 5, 2]), np.ones((10, 1)))
    m, s = fit.params[0], fit.sigma
    cdf = norm.cdf((np.log([50, 80]) - m) / s)
    assert cdf == pytest.approx([0.3, 0.8], abs=1e-6)  # three cells, two parameters: the shares are met
    assert fit.llf == pytest.approx(3 * np.log(0.3) + 5 * np.log(0.5) + 2 * np.log(0.2))


def test_a_start_price_that_pulls_is_said(limits: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    start = rng.choice(PRICES, 400)
    pulled = limits * (start / 105) ** 0.4
    frame = asked(pulled).assign(start=np.repeat(start, len(PRICES)))
    found = gabor_granger(frame, start="start", bootstrap=0)
    assert found.start_effect["estimate"].iloc[0] == pytest.approx(0.4, abs=3 * found.start_effect["std_error"].iloc[0])
    assert [note.code for note in found.notes] == ["gabor_granger_start"]
    assert gabor_granger(asked(limits).assign(start=np.repeat(start, 6)), start="start", bootstrap=0).notes == ()


def test_limits_outside_of_the_prices_are_withheld(limits: np.ndarray) -> None:
    high = gabor_granger(asked(limits * 3), bootstrap=50).points.set_index("point").loc["limit"]
    low = gabor_granger(asked(limits / 3), bootstrap=50).points.set_index("point").loc["limit"]
    assert (high["note"], low["note"]) == (ABOVE, BELOW)
    assert np.isnan(high["price"])
    assert np.isnan(low["price"])


def test_a_segment_of_which_all_say_yes_has_no_median(limits: np.ndarray) -> None:
    """The curve would put it anywhere above the prices, with an interval of no width."""
    frame = pd.concat([asked(limits), asked(np.full(40, 1e6)).assign(respondent=lambda f: f["respondent"] + 10_000)])
    frame["segment"] = np.where(frame["respondent"] < 10_000, "some", "all yes")
    smooth = gabor_granger(frame, segment="segment", bootstrap=0).smooth.set_index("segment")
    assert smooth.loc["all yes", "note"] == ABOVE
    assert smooth.loc["all yes", ["median", "high"]].isna().all()
    assert smooth.loc["all yes", "low"] == frame["price"].max()
    assert smooth.loc["some", ["median", "low", "high"]].notna().all()
    assert smooth.loc["some", "note"] == ""
    nobody = gabor_granger(asked(np.full(40, 1.0)), unit_cost=1.0).points.set_index("point")
    assert nobody["price"].isna().all()
    assert nobody.loc["revenue", "note"] == NOBODY


def test_weights_and_cents_and_segments(limits: np.ndarray) -> None:
    weights = np.where(np.arange(400) < 200, 2.0, 1.0)
    weighted = gabor_granger(asked(limits, weights=weights), weights="weight", bootstrap=0)
    doubled = gabor_granger(asked(np.r_[limits, limits[:200]]), bootstrap=0)
    assert weighted.demand["share"].to_numpy() == pytest.approx(doubled.demand["share"].to_numpy())
    cents = asked(limits).assign(price=lambda f: f["price"] * 100)
    assert gabor_granger(cents, bootstrap=0).points["price"].to_numpy() == pytest.approx(
        100 * gabor_granger(asked(limits), bootstrap=0).points["price"].to_numpy()
    )
    small = np.where(np.arange(400) < 20, "few", "many")
    table = limits_by_segment(asked(limits, segment=small), "segment", bootstrap=0)
    assert set(table["segment"]) == {"all", "many"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="buys"), "no column buys"),
        (lambda f: f.assign(buys=2), "0 or 1"),
        (lambda f: f.assign(price=-1), "above 0"),
        (lambda f: pd.concat([f, f]), "twice"),
        (lambda f: f.iloc[:0], "no answers"),
    ],
)
def test_bad_answers_are_named(limits: np.ndarray, change: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        gabor_granger(change(asked(limits[:5])), bootstrap=0)  # type: ignore[operator]


def test_newton_miller_smith_equals_the_r_package() -> None:
    """pricesensitivitymeter 1.3.3 on the same 200 answers, calibration 0.7 0.5 0.3 0.1 0: best reach at 90, best revenue at 110."""
    frame = pd.read_csv(GOLDEN)
    found = newton_miller_smith(frame, bootstrap=200)
    assert found.points.set_index("best")["price"].to_dict() == {"reach": 90.0, "revenue": 110.0}
    assert newton_miller_smith(frame, between=False, bootstrap=0).points["price"].tolist() == [90.0, 110.0]
    assert (found.respondents, found.excluded) == (188, 12)
    assert (found.points["low"] <= found.points["price"]).all()


def test_newton_miller_smith_of_one_curve_by_hand() -> None:
    one = pd.DataFrame(
        [{"too_cheap": 10, "cheap": 20, "expensive": 40, "too_expensive": 50, "intent_cheap": 5, "intent_expensive": 3}]
    )
    found = newton_miller_smith(pd.concat([one, one], ignore_index=True), bootstrap=0)
    assert found.curve.set_index("price")["reach"].to_dict() == pytest.approx({10: 0, 20: 0.7, 40: 0.3, 50: 0})
    # between 20 and 40 the reach is 1.1 - 0.02 p, so the best revenue is at 27.5
    revenue = found.points.set_index("best").loc["revenue"]
    assert (revenue["price"], revenue["value"]) == pytest.approx((27.5, 27.5 * 0.55))
    with pytest.raises(DataError, match="row 1"):
        newton_miller_smith(pd.concat([one.assign(intent_cheap=7), one], ignore_index=True))


def test_open_prices_by_hand() -> None:
    bids = np.array([0, 10, 20, 20, 30, 40, 50, 60])
    found = open_price(bids, unit_cost=15, bootstrap=200)
    points = found.points.set_index("point")
    assert (
        points.loc["limit", "price"] == 30
    )  # five of eight would pay 20 or more than that, four... exactly half pay 30
    assert points.loc["safe", "price"] == 20
    assert points.loc["stretch", "price"] == 50
    revenue = {p: p * (bids >= p).mean() for p in bids}
    assert points.loc["revenue", "price"] == max(revenue, key=revenue.__getitem__)
    assert found.label == HYPOTHETICAL
    assert open_price(bids, real=True, bootstrap=0).label == REAL
    with pytest.raises(DataError, match="row 2"):
        open_price(np.array([3.0, np.nan, 4.0]))


def test_a_bid_buys_at_the_drawn_price_or_not() -> None:
    drawn = np.array([settle(50, 0, 100, seed) for seed in range(400)])
    assert ((drawn[:, 0] <= 50) == drawn[:, 1].astype(bool)).all()
    assert drawn[:, 1].mean() == pytest.approx(0.5, abs=0.08)
    assert settle(50, 0, 100, 3) == settle(50, 0, 100, 3)


def test_methods_that_agree_and_that_do_not() -> None:
    agree = triangulate({"conjoint": (112, 108, 116), "gabor_granger": (108, 100, 115)})
    assert agree.verdict == "agree"
    assert agree.sentence == "The methods agree within 4%."
    apart = triangulate({"conjoint": (150, 140, 160), "gabor_granger": (100, 95, 105)})
    assert apart.verdict == "disagree"
    assert "use the lower, gabor_granger at 100" in apart.sentence
    over = triangulate({"conjoint": (112, 108, 116), "gabor_granger": (108, 100, 115)}, too_expensive_90=105)
    assert over.verdict == "disagree"
    assert len(over.checks) == 1
    assert triangulate({"conjoint": (112, 108, 116), "open_price": (np.nan, np.nan, np.nan)}).verdict == "single"
    with pytest.raises(DataError, match="guess"):
        triangulate({"guess": (1, 1, 1)})


def test_a_pooled_figure_needs_three_methods() -> None:
    two = {"conjoint": (112.0, 108.0, 116.0), "gabor_granger": (104.0, 100.0, 108.0)}
    assert triangulate(two).pooled.empty
    row = triangulate({**two, "open_price": (98.0, 94.0, 102.0)}).pooled.iloc[0]
    assert 98 < row["estimate"] < 112
    assert row["prediction_low"] < row["low"] < row["estimate"] < row["high"] < row["prediction_high"]


def test_cautious_amounts_are_labelled_as_other_studies() -> None:
    table = cautious(pd.DataFrame({"estimate": [121.0, -12.1]}))
    assert table["cautious"].tolist() == pytest.approx([100, -10])
    assert (table["cautious_low"] <= table["cautious"]).all()
    assert table["source"].str.contains("other studies").all()
    own = cautious(pd.DataFrame({"estimate": [121.0]}), own_factor=1.1).iloc[0]
    assert own["cautious"] == pytest.approx(110)
    assert "this company" in own["source"]
    with pytest.raises(DataError):
        cautious(pd.DataFrame({"estimate": [1.0]}), own_factor=0)


def test_a_yes_that_is_not_sure_counts_as_a_no(limits: np.ndarray) -> None:
    stated = asked(limits * 1.21)
    # people are sure of what they would really pay, and less so beyond
    sure = np.where(np.repeat(limits, len(PRICES)) >= stated["price"], 9, 4)
    found = gabor_granger(stated.assign(sure=sure), certainty="sure", bootstrap=0)
    honest = gabor_granger(asked(limits), bootstrap=0)
    assert found.demand["share"].to_numpy() == pytest.approx(honest.demand["share"].to_numpy())
    with pytest.raises(DataError, match="certainty"):
        gabor_granger(stated.assign(sure=11), certainty="sure", bootstrap=0)
