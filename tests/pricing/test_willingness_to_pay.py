"""WTP: the ratio by hand, three intervals that agree where the price is precise, and figures withheld where it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.pricing.conftest import fit_of, simulate
from wtp.errors import DataError
from wtp.estimation import ConditionalLogitResults, krinsky_robb
from wtp.pricing import Step, willingness_to_pay
from wtp.pricing.intervals import delta_interval, fieller_interval
from wtp.pricing.willingness_to_pay import BEYOND, NO_PRICE_EFFECT, contrast

UP = Step("brand", "known", "leading")


def test_the_estimate_is_the_ratio_of_the_estimates(fit: ConditionalLogitResults) -> None:
    table = willingness_to_pay(fit, currency="EUR").set_index("parameter")
    assert list(table.index) == ["speed[T.quick]", "brand[T.known]", "brand[T.leading]"]
    for name in table.index:
        assert table.loc[name, "estimate"] == pytest.approx(-fit.params[name] / fit.params["price"], rel=1e-12)
    assert set(table["currency"]) == {"EUR"}
    assert set(table["respondents"]) == {300}
    assert (table["note"] == "").all()


def test_the_truth_is_inside(fit: ConditionalLogitResults) -> None:
    table = willingness_to_pay(fit, confidence=0.99).set_index("parameter")
    for name, utility in (("speed[T.quick]", 0.9), ("brand[T.known]", 0.5), ("brand[T.leading]", 0.7)):
        assert table.loc[name, "low"] < utility / 0.05 < table.loc[name, "high"]


def test_steps_are_differences_and_change_sign_when_turned(fit: ConditionalLogitResults) -> None:
    steps = [UP, Step("brand", "leading", "known"), Step("brand", "new", "leading"), Step("brand", "new", "known")]
    table = willingness_to_pay(fit, steps=steps)
    up, down, whole, first = table["estimate"]
    assert up == pytest.approx(-down)
    assert up == pytest.approx(whole - first)
    assert (table["low"].iloc[0], table["high"].iloc[0]) == pytest.approx(
        (-table["high"].iloc[1], -table["low"].iloc[1])
    )


def test_krinsky_robb_delta_and_fieller_agree_where_the_price_is_precise(fit: ConditionalLogitResults) -> None:
    assert abs(fit.tvalues["price"]) > 20
    vector = contrast(fit.data, "speed", "slow", "quick")
    drawn = willingness_to_pay(fit, steps=[Step("speed", "slow", "quick")], draws=50_000).iloc[0]
    width = drawn["high"] - drawn["low"]
    for low, high in (delta_interval(fit, vector), fieller_interval(fit, vector)):
        assert low == pytest.approx(drawn["low"], abs=0.03 * width)
        assert high == pytest.approx(drawn["high"], abs=0.03 * width)


def test_fieller_ends_fulfil_the_quadratic(fit: ConditionalLogitResults) -> None:
    vector = contrast(fit.data, "brand", "new", "known")
    k = fit.data.names.index("price")
    for end in fieller_interval(fit, vector):
        direction = vector.copy()
        direction[k] += end  # u - W a = (vector + W e_price)'params
        z = direction @ fit.params.to_numpy() / np.sqrt(direction @ fit.cov_params().to_numpy() @ direction)
        assert abs(z) == pytest.approx(1.959964, rel=1e-5)


def test_draws_have_the_moments_of_the_estimator(fit: ConditionalLogitResults) -> None:
    draws = krinsky_robb(fit, 40_000, seed=2)
    assert draws.shape == (40_000, 1, len(fit.params))
    scaled = (draws[:, 0, :].mean(axis=0) - fit.params) / fit.bse
    assert np.abs(scaled).max() < 0.03
    np.testing.assert_allclose(
        np.cov(draws[:, 0, :], rowvar=False) / np.outer(fit.bse, fit.bse),
        fit.cov_params() / np.outer(fit.bse, fit.bse),
        atol=0.03,
    )


@pytest.mark.parametrize("unit", [100.0, 1e-3])
def test_the_currency_unit_does_not_matter(choices: pd.DataFrame, fit: ConditionalLogitResults, unit: float) -> None:
    other = fit_of(choices.assign(price=choices["price"] * unit))
    columns = ["estimate", "low", "high"]
    np.testing.assert_allclose(willingness_to_pay(other)[columns], willingness_to_pay(fit)[columns] * unit, rtol=1e-7)


def test_the_reference_level_does_not_matter(choices: pd.DataFrame, fit: ConditionalLogitResults) -> None:
    turned = choices.assign(brand=choices["brand"].cat.reorder_categories(["leading", "known", "new"]))
    # The none row is coded at the first category, so its constant moves and nothing else does.
    other = willingness_to_pay(fit_of(turned), steps=[UP], draws=200_000)
    same = willingness_to_pay(fit, steps=[UP], draws=200_000)
    assert other["estimate"].iloc[0] == pytest.approx(same["estimate"].iloc[0], rel=1e-6)
    assert other["low"].iloc[0] == pytest.approx(same["low"].iloc[0], abs=0.05)


@pytest.mark.parametrize("price", [0.0, 0.02])
def test_nothing_is_shown_where_the_price_did_not_drive_the_answers(price: float) -> None:
    table = willingness_to_pay(fit_of(simulate(respondents=60, price=price, none=0.0)))
    assert table[["estimate", "low", "high"]].isna().all().all()
    assert (table["note"] == NO_PRICE_EFFECT).all()


def test_of_fifty_studies_without_an_effect_of_the_price_one_in_twenty_at_most_shows_money() -> None:
    studies = (fit_of(simulate(respondents=150, price=0.0, none=0.0, seed=seed)) for seed in range(50))
    shown = [willingness_to_pay(fit)["estimate"].notna().any() for fit in studies]
    assert sum(shown) <= 2


def test_fieller_is_unbounded_where_the_price_is_not_significant() -> None:
    weak = fit_of(simulate(respondents=30, price=-0.0005, none=0.0))
    assert abs(weak.tvalues["price"]) < 1.9
    assert fieller_interval(weak, contrast(weak.data, "speed", "slow", "quick")) == (-np.inf, np.inf)


def test_beyond_the_tested_prices_is_marked() -> None:
    table = willingness_to_pay(fit_of(simulate(price=-0.015, none=-2.0))).set_index("parameter")
    assert table.loc["speed[T.quick]", "estimate"] > 40
    assert table.loc["speed[T.quick]", "note"] == BEYOND


@pytest.mark.parametrize(
    ("step", "words"),
    [(Step("brand", "known", "famous"), "never shown"), (Step("colour", "a", "b"), "not in the data")],
)
def test_unknown_levels_are_named(fit: ConditionalLogitResults, step: Step, words: str) -> None:
    with pytest.raises(DataError, match=words):
        willingness_to_pay(fit, steps=[step])


def test_an_unknown_price_is_named(fit: ConditionalLogitResults) -> None:
    with pytest.raises(DataError, match="cost"):
        willingness_to_pay(fit, "cost")
