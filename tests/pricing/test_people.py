"""Everything in money from draws of respondents: medians, reservation prices, limits and demand, against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.pricing.conftest import simulate
from wtp.estimation import ChoiceData, Draws, HierarchicalPrior, HierarchicalResults
from wtp.estimation.hierarchical.results import Sampled
from wtp.estimation.hierarchical.watched import Watched
from wtp.pricing import Step, price_limits, still_buying_people, willingness_to_pay
from wtp.pricing.money import Money
from wtp.pricing.reservation_price import ABOVE, BELOW, INDICATION, NO_NONE, PRIOR, reservation_prices
from wtp.pricing.willingness_to_pay import BEYOND, DIFFERENT, NO_PRICE_EFFECT, contrast, worth_over_people

OFFER = {"speed": "quick", "brand": "known"}
TESTED = (80.0, 120.0)
PEOPLE = 100
QUICK = Step("speed", "slow", "quick")


def fit_with(
    coefficients: np.ndarray, *, none: bool = True, status: str = "final", weights: np.ndarray | None = None
) -> HierarchicalResults:
    """A finished hierarchical fit whose draws (R, N, K) are these: speed[quick], brand[known], brand[leading], price, (none)."""
    people = coefficients.shape[1]
    frame = simulate(respondents=people)
    if not none:
        frame = frame[frame["none"] == 0]
        rows = frame.groupby(["respondent", "choice_task"]).cumcount()
        frame = frame.assign(chosen=(rows == 0).astype(int))
    data = ChoiceData.from_long(frame, "speed + brand + price + none" if none else "speed + brand + price")
    if weights is not None:
        object.__setattr__(data, "weights", weights / weights.mean())
    k = coefficients.shape[2]
    return HierarchicalResults(
        data=data, sampled=Sampled((coefficients,), (np.zeros((2, k + 1, k)),), np.zeros((1, 8, 1))), coding=np.eye(k), signs=np.zeros(k),
        Z=np.ones((people, 1)), covariate_names=("1",), watched=Watched(data.names, None, data.none), prior=HierarchicalPrior(),
        status=status, warmup=0, sweeps=1, seed=1, seconds=0.0, generalise=False,
    )  # fmt: skip


def draws_of(quick: np.ndarray, price: np.ndarray, none: np.ndarray, *, count: int = 40) -> np.ndarray:
    """(R, N, 5) draws: the same respondents in each, all utilities of a draw shifted a little."""
    one = np.column_stack([quick, np.full(len(quick), 0.5), np.full(len(quick), 0.7), price, none])
    shift = np.zeros((count, 1, 5))
    shift[:, 0, 4] = np.linspace(-0.01, 0.01, count)
    return one[None] + shift


@pytest.fixture(scope="module")
def spread() -> np.ndarray:
    """Reservation prices of the offer spread evenly from 60.5 to 159.5 over a hundred respondents."""
    prices = np.arange(60.5, 160)
    sensitivity = np.full(PEOPLE, 0.05)
    quick = np.full(PEOPLE, 1.0)
    return draws_of(quick, -sensitivity, quick + 0.5 - 0.05 * prices)


def test_reservation_prices_are_the_points_of_indifference(spread: np.ndarray) -> None:
    fit = fit_with(spread)
    found = reservation_prices(fit.data, OFFER, fit.simulate())
    assert found.mean(axis=0) == pytest.approx(np.arange(60.5, 160))
    careless = spread.copy()
    careless[:, :2, 3] = 0.01
    prices = reservation_prices(fit.data, OFFER, fit_with(careless).simulate())
    # Whom a higher price does not deter buys at any price, or at none.
    assert np.isinf(prices[:, :2]).all()
    assert np.sign(prices[0, 0]) == np.sign(careless[0, 0, 0] + 0.5 - careless[0, 0, 4])


def test_the_three_prices_are_the_quartiles_of_the_respondents(spread: np.ndarray) -> None:
    row = price_limits(fit_with(spread), OFFER, (60.0, 160.0)).iloc[0]
    assert (row["safe"], row["estimate"], row["stretch"]) == pytest.approx((85, 110, 135), abs=0.6)
    assert (row["status"], row["note"]) == ("final", "")
    assert row["low"] <= row["estimate"] <= row["high"]
    demand = still_buying_people(fit_with(spread), OFFER, [80, 110, 135])
    assert demand["share"].to_numpy() == pytest.approx([0.80, 0.5, 0.25], abs=0.01)
    assert price_limits(fit_with(spread, status="preliminary"), OFFER, (60.0, 160.0)).iloc[0]["status"] == "preliminary"


def test_survey_weights_move_the_limit(spread: np.ndarray) -> None:
    heavy = np.where(np.arange(PEOPLE) >= 50, 3.0, 1.0)  # those who would pay much count three times
    row = price_limits(fit_with(spread, weights=heavy), OFFER, (60.0, 160.0)).iloc[0]
    # Half of the weight, 100 of 200, is reached after 50 of weight 1 and a third of the others.
    assert row["estimate"] == pytest.approx(60 + 50 + 50 / 3, abs=1.0)


def test_a_segment_has_its_own_limit(spread: np.ndarray) -> None:
    fit = fit_with(np.concatenate([spread, spread + 0.0], axis=1))
    members = np.arange(2 * PEOPLE) % 100 >= 60
    row = price_limits(fit.segment(members), OFFER, (60.0, 160.0)).iloc[0]
    assert fit.segment(members).respondents == 80
    assert row["estimate"] == pytest.approx(140, abs=0.6)


def test_outside_the_tested_prices_nothing_is_told_but_the_side(spread: np.ndarray) -> None:
    above = price_limits(fit_with(spread), OFFER, (60.0, 100.0)).iloc[0]
    assert np.isnan([above["estimate"], above["stretch"], above["high"]]).all()
    assert above["safe"] == pytest.approx(85, abs=0.6)
    assert (above["status"], above["note"]) == ("withheld", ABOVE)
    below = price_limits(fit_with(spread), OFFER, (120.0, 160.0)).iloc[0]
    assert (below["status"], below["note"]) == ("withheld", BELOW)
    assert np.isnan(below["safe"])
    assert below["stretch"] == pytest.approx(135, abs=0.6)


def test_too_few_respondents_or_no_none_option_give_no_limit(spread: np.ndarray) -> None:
    assert price_limits(fit_with(spread[:, :74]), OFFER, TESTED).iloc[0]["note"] == INDICATION
    without = fit_with(spread[:, :, :4], none=False)
    assert price_limits(without, OFFER, TESTED).iloc[0]["note"] == NO_NONE
    assert still_buying_people(without, OFFER, [100]).empty


def test_other_priors_widen_the_outer_prices_and_a_limit_that_moves_says_so(spread: np.ndarray) -> None:
    plain = price_limits(fit_with(spread), OFFER, (60.0, 160.0)).iloc[0]
    wider = spread.copy()
    wider[:, :, 4] = 1.5 - 0.05 * (110 + 1.5 * (np.arange(60.5, 160) - 110))  # the same middle, a wider spread
    union = price_limits(fit_with(spread), OFFER, (60.0, 160.0), sensitivity=[fit_with(wider)]).iloc[0]
    assert union[["estimate", "low", "high", "safe", "stretch"]].equals(
        plain[["estimate", "low", "high", "safe", "stretch"]]
    )
    assert union["safe_low"] == pytest.approx(72.5, abs=1.2)
    assert union["safe_high"] == pytest.approx(plain["safe_high"])
    assert union["stretch_high"] == pytest.approx(147.5, abs=1.2)
    assert union["note"] == ""
    moved = spread.copy()
    moved[:, :, 4] += 1.0
    assert price_limits(fit_with(spread), OFFER, (60.0, 160.0), sensitivity=[fit_with(moved)]).iloc[0]["note"] == PRIOR


def test_worth_is_the_median_over_respondents_and_says_where_they_differ() -> None:
    price = -np.geomspace(0.02, 0.5, PEOPLE)
    fit = fit_with(draws_of(np.full(PEOPLE, 1.0), price, np.zeros(PEOPLE)))
    row = willingness_to_pay(fit, steps=[QUICK]).iloc[0]
    assert row["estimate"] == pytest.approx(np.median(1 / -price))
    assert row["method"] == "posterior"
    assert row["note"] == DIFFERENT
    alike = fit_with(draws_of(np.full(PEOPLE, 1.0), np.full(PEOPLE, -0.05), np.zeros(PEOPLE)))
    assert willingness_to_pay(alike, steps=[QUICK]).iloc[0]["note"] == ""
    rich = fit_with(draws_of(np.full(PEOPLE, 1.0), np.full(PEOPLE, -0.001), np.zeros(PEOPLE)))
    assert willingness_to_pay(rich, steps=[QUICK]).iloc[0]["note"] == BEYOND


def test_a_few_whom_the_price_does_not_deter_would_pay_any_amount_and_many_leave_no_figure() -> None:
    price = np.full(PEOPLE, -0.05)
    price[:4] = 0.01
    quick = np.full(PEOPLE, 1.0)
    quick[0] = 0.0
    fit = fit_with(draws_of(quick, price, np.zeros(PEOPLE)))
    contrasts = contrast(fit.data, "speed", "slow", "quick")[None]
    medians, ratios, wrong = worth_over_people(fit.simulate(), contrasts, Money.of(fit.data))
    assert wrong == pytest.approx(0.04)
    assert medians == pytest.approx(np.full((40, 1), 20.0))
    assert ratios == pytest.approx(np.full((40, 1), 0.99 / 0.0476))
    price[:6] = 0.01
    row = willingness_to_pay(fit_with(draws_of(quick, price, np.zeros(PEOPLE))), steps=[QUICK]).iloc[0]
    assert np.isnan(row["estimate"])
    assert row["note"] == NO_PRICE_EFFECT


def test_what_is_worked_out_in_blocks_is_what_it_would_be_at_once(
    spread: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = fit_with(spread)
    whole = reservation_prices(fit.data, OFFER, fit.simulate())
    monkeypatch.setattr("wtp.estimation.draws._BLOCK", 3 * PEOPLE * 5)
    drawn = fit.simulate()
    assert isinstance(drawn, Draws)
    assert len(list(drawn.blocks())) == 14
    assert np.array_equal(reservation_prices(fit.data, OFFER, drawn), whole)
