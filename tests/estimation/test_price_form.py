"""Forms of the price: columns, inverses, and the same money from each where the truth is a straight line."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from tests.estimation.conftest import FORMULA, simulate
from wtp.errors import DataError
from wtp.estimation import ChoiceData, ConditionalLogit, price_linearity
from wtp.estimation.price_form import PriceForm
from wtp.pricing import Step, willingness_to_pay
from wtp.pricing.reservation_price import price_limit_pooled, still_buying

TESTED = np.array([80.0, 100.0, 130.0, 160.0])
FORMS: dict[str, tuple[str | Sequence[float], list[float]]] = {
    "linear": ("linear", [-0.02]),
    "log": ("log", [-2.0]),
    "one knot": ([100.0], [-0.01, -0.03]),
    "two knots": ((130.0, 100.0), [-0.01, -0.03, -0.02]),
    "part-worth": ("part-worth", [-0.3, -1.4, -1.6]),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_inverse_gives_the_price_back_and_worth_offsets_the_utility(name: str) -> None:
    form = PriceForm.of("price", FORMS[name][0], TESTED)
    coefficients = np.array([FORMS[name][1], FORMS[name][1]])
    assert len(form.names) == coefficients.shape[1]
    for price in (80.0, 91.0, 100.0, 117.0, 130.0, 159.0, 160.0):
        utility = form.utility(price, coefficients)
        assert form.inverse(utility[:, None], coefficients) == pytest.approx(np.full((2, 1), price))
        if name != "part-worth":
            assert utility == pytest.approx(coefficients @ form.code(np.array([price]))[0])
    gained = np.array([[0.1, 0.2], [0.0, -0.05]])
    worth = form.worth(gained, coefficients, 100.0)
    for r in range(2):
        for s in range(2):
            after = form.utility(100.0 + worth[r, s], coefficients[r])
            assert after == pytest.approx(form.utility(100.0, coefficients[r]) - gained[r, s])


def test_known_figures_of_each_form() -> None:
    assert PriceForm.of("p", "linear", TESTED).worth(np.array([0.5]), np.array([-0.02]), 90.0) == pytest.approx([25.0])
    logarithm = PriceForm.of("p", "log", TESTED).worth(np.array([np.log(2)]), np.array([-1.0]), 90.0)
    assert logarithm == pytest.approx([90.0])
    knot = PriceForm.of("p", [100.0], TESTED)
    assert knot.code(np.array([80.0, 100.0, 160.0])).tolist() == [[80, 0], [100, 0], [100, 60]]
    # 20 up to the knot use 0.2 of 0.5; the rest is worth 0.3 / 0.03.
    assert knot.worth(np.array([0.5]), np.array([-0.01, -0.03]), 80.0) == pytest.approx([30.0])
    levels = PriceForm.of("p", "part-worth", TESTED)
    assert levels.code(TESTED).tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert levels.names == ("p[T.100]", "p[T.130]", "p[T.160]")
    assert knot.names == ("p[..100]", "p[100..]")


def test_nothing_is_read_beyond_the_tested_prices_and_nothing_from_a_price_that_rises() -> None:
    levels = PriceForm.of("p", "part-worth", TESTED)
    falling, rising = np.array([-0.3, -1.4, -1.6]), np.array([-0.3, -0.2, -1.6])
    assert levels.inverse(np.array([-2.0, 0.1]), falling).tolist() == [np.inf, -np.inf]
    assert np.isnan(levels.inverse(np.array([-0.5]), rising)).all()
    assert [bool(levels.deters(c)) for c in (falling, rising)] == [True, False]
    assert np.isnan(PriceForm.of("p", "log", TESTED).inverse(np.array([1.0]), np.array([0.1]))).all()


@pytest.mark.parametrize(
    ("form", "prices", "words"),
    [
        ("square", TESTED, "found 'square'; allowed: linear, log, part-worth"),
        ([80.0], TESTED, "knots 80; allowed: one or two tested prices between the lowest and the highest (100, 130)"),
        ([95.0], TESTED, "knots 95"),
        ([], TESTED, "knots missing"),
        ([100.0, 130.0, 140.0], np.append(TESTED, 140.0), "knots 100, 130, 140"),
        ("log", np.append(TESTED, 0.0), "a price of 0 has no logarithm"),
        ("part-worth", np.arange(20.0), "20 tested prices; allowed: 2 to 12"),
    ],
)
def test_a_form_that_cannot_be(form: str | list[float], prices: np.ndarray, words: str) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        PriceForm.of("price", form, prices)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """400 respondents whose utility falls in a straight line: wifi is worth 0.75, whatever the form."""
    return simulate(400, 8, seed=4)


@pytest.mark.parametrize("form", ["log", "part-worth", [2.0]])
def test_every_form_is_estimated_and_worth_much_the_same(form: str | list[float], frame: pd.DataFrame) -> None:
    linear = ConditionalLogit(ChoiceData.from_long(frame, FORMULA)).fit()
    fit = ConditionalLogit(ChoiceData.from_long(frame, FORMULA, price_form=form)).fit()
    assert fit.data.price is None
    assert fit.data.attributes[-1].name == "price"
    assert fit.data.attributes[-1].levels == (1.0, 2.0, 3.0)
    step = [Step("wifi", "no", "yes")]
    table = willingness_to_pay(fit, steps=step, at=2.0).iloc[0]
    straight = willingness_to_pay(linear, steps=step).iloc[0]
    assert table["low"] < table["estimate"] < table["high"]
    assert table["note"] == "At a price of 2; with this form of the price it differs from price to price."
    assert straight["note"] == ""
    if (
        form != "log"
    ):  # three prices: one knot in the middle and a part-worth each are the same curve, near the straight one
        assert table["estimate"] == pytest.approx(straight["estimate"], rel=0.15)
        assert fit.llf >= linear.llf


def test_one_knot_in_the_middle_of_three_prices_is_the_part_worth_price(frame: pd.DataFrame) -> None:
    fits = [
        ConditionalLogit(ChoiceData.from_long(frame, FORMULA, price_form=form)).fit() for form in ([2.0], "part-worth")
    ]
    assert fits[0].llf == pytest.approx(fits[1].llf, abs=1e-8)
    worths = [willingness_to_pay(fit, at=1.5, seed=1) for fit in fits]
    pd.testing.assert_series_equal(worths[0]["estimate"], worths[1]["estimate"], rtol=1e-6)


def test_a_form_needs_the_price_alone_in_the_formula(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="price_form without a price"):
        ChoiceData.from_long(frame, "brand + wifi", price_form="log")
    with pytest.raises(DataError, match="'price' in an interaction or a function; allowed: a term of its own"):
        ChoiceData.from_long(frame, "brand * price", price_form="log")


def test_the_middle_tested_price_is_the_default_and_no_other_may_be_asked_for(frame: pd.DataFrame) -> None:
    fit = ConditionalLogit(ChoiceData.from_long(frame, FORMULA, price_form="log")).fit()
    pd.testing.assert_frame_equal(willingness_to_pay(fit), willingness_to_pay(fit, at=2.0))
    with pytest.raises(DataError, match="a price of 5 was not tested; allowed: 1 to 3"):
        willingness_to_pay(fit, at=5.0)


def test_a_worth_beyond_the_known_prices_is_withheld_and_says_so(frame: pd.DataFrame) -> None:
    fit = ConditionalLogit(ChoiceData.from_long(frame, FORMULA, price_form="part-worth")).fit()
    row = willingness_to_pay(fit, steps=[Step("brand", "aaa unknown", "leading")], at=3.0).iloc[0]
    assert np.isnan(row["estimate"])
    assert row["note"].startswith("Beyond the span of the tested prices")


def test_where_the_price_of_no_form_drove_the_answers_there_is_no_money() -> None:
    frame = simulate(60, 6, seed=2)
    rng = np.random.default_rng(0)
    blind = frame.assign(price=rng.choice([1.0, 2.0, 3.0], len(frame)))
    for form in ("log", "part-worth", [2.0]):
        table = willingness_to_pay(ConditionalLogit(ChoiceData.from_long(blind, FORMULA, price_form=form)).fit())
        assert table["estimate"].isna().all()
        assert (table["note"] == "The price did not clearly drive the answers, so no amount is shown.").all()


def test_price_limits_of_every_form_lie_close_together(frame: pd.DataFrame) -> None:
    rng = np.random.default_rng(5)
    first = frame.groupby(["respondent", "choice_task"]).head(1)
    none = first.assign(brand=None, wifi=None, price=None, none=1, chosen=0)
    with_none = pd.concat([frame.assign(none=0), none]).sort_values(
        ["respondent", "choice_task", "none"], kind="stable"
    )
    utility = (
        0.4 * (with_none["brand"] == "known") + 0.9 * (with_none["brand"] == "leading") + 0.6 * (with_none["wifi"] == "yes")
        - 0.8 * with_none["price"].fillna(0) - 0.4 * with_none["none"] + rng.gumbel(size=len(with_none))
    )  # fmt: skip
    best = utility.groupby([with_none["respondent"], with_none["choice_task"]]).transform("max")
    with_none = with_none.assign(chosen=(utility == best).astype(int)).reset_index(drop=True)
    offer = {"brand": "leading", "wifi": "yes"}
    limits, shares = [], []
    for form in ("linear", "log", "part-worth", [2.0]):
        fit = ConditionalLogit(ChoiceData.from_long(with_none, f"{FORMULA} + none", price_form=form)).fit()
        limits.append(price_limit_pooled(fit, offer, (1.0, 3.0))["estimate"].iloc[0])
        shares.append(still_buying(fit, offer, [1.0, 2.0, 3.0])["share"].to_numpy())
    # (0.9 + 0.6 + 0.4) / 0.8 = 2.375
    assert limits == pytest.approx([2.375] * 4, rel=0.06)
    assert np.ptp(shares, axis=0).max() < 0.06


def test_a_straight_price_is_told_from_a_bent_one(frame: pd.DataFrame) -> None:
    straight = ConditionalLogit(ChoiceData.from_long(frame, FORMULA, price_form="part-worth")).fit()
    statistic, freedom, p = price_linearity(straight)
    low, high = straight.params["price[T.2]"], straight.params["price[T.3]"]
    contrast = np.array([0, 0, 0, 1, -0.5])
    assert statistic == pytest.approx(
        (low - high / 2) ** 2 / float(contrast @ straight.cov_params().to_numpy() @ contrast)
    )
    assert freedom == 1
    assert p > 0.01
    # Prices of 1, 2 and 9 have the part-worths of 1, 2 and 3: a bent line.
    bent = frame.assign(price=frame["price"].replace(3.0, 9.0))
    assert (
        price_linearity(ConditionalLogit(ChoiceData.from_long(bent, FORMULA, price_form="part-worth")).fit())[2] < 1e-6
    )
    with pytest.raises(DataError, match="allowed: part-worth with three or more"):
        price_linearity(ConditionalLogit(ChoiceData.from_long(frame, FORMULA)).fit())
    with pytest.raises(DataError, match="the fit has no price"):
        price_linearity(ConditionalLogit(ChoiceData.from_long(frame, "brand + wifi")).fit())
