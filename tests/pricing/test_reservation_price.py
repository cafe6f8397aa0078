"""The preliminary demand curve of a pooled logit, against the formula by hand, and what it withholds."""

from __future__ import annotations

import numpy as np
import pytest

from tests.pricing.conftest import fit_of, simulate
from wtp.estimation import ConditionalLogitResults, Draws
from wtp.estimation.saved import Coding, SavedFit
from wtp.pricing import (
    Offer,
    Step,
    limit_waterfall,
    price_limit_pooled,
    price_limits,
    reservation_price,
    still_buying,
    still_buying_people,
)
from wtp.pricing.reservation_price import ABOVE, BELOW, INDICATION, NO_NONE
from wtp.pricing.willingness_to_pay import NO_PRICE_EFFECT

OFFER = {"speed": "quick", "brand": "known"}
TESTED = (80.0, 120.0)


def test_the_share_is_the_logit_of_the_offer_against_none(fit: ConditionalLogitResults) -> None:
    table = still_buying(fit, OFFER, [80, 100, 120])
    b = fit.params
    utility = b["speed[T.quick]"] + b["brand[T.known]"] + b["price"] * np.array([80, 100, 120]) - b["none"]
    np.testing.assert_allclose(table["share"], 1 / (1 + np.exp(-utility)), rtol=1e-12)
    assert (table["low"] < table["share"]).all()
    assert (table["share"] < table["high"]).all()
    assert table["share"].is_monotonic_decreasing


def test_the_limit_is_where_half_would_still_buy(fit: ConditionalLogitResults) -> None:
    limit = price_limit_pooled(fit, OFFER, TESTED).iloc[0]
    assert limit["status"] == "preliminary"
    assert still_buying(fit, OFFER, [limit["estimate"]])["share"].iloc[0] == pytest.approx(0.5, abs=1e-9)
    assert limit["low"] < (0.9 + 0.5 + 4.0) / 0.05 < limit["high"]


@pytest.mark.parametrize(("tested", "note"), [((20.0, 60.0), ABOVE), ((150.0, 200.0), BELOW)])
def test_outside_the_tested_prices_it_is_withheld(
    fit: ConditionalLogitResults, tested: tuple[float, float], note: str
) -> None:
    limit = price_limit_pooled(fit, OFFER, tested).iloc[0]
    assert np.isnan(limit["estimate"])
    assert (limit["status"], limit["note"]) == ("withheld", note)


def test_intervals_end_at_the_tested_prices(fit: ConditionalLogitResults) -> None:
    estimate = price_limit_pooled(fit, OFFER, TESTED)["estimate"].iloc[0]
    narrow = (estimate - 0.1, estimate + 0.1)
    limit = price_limit_pooled(fit, OFFER, narrow, confidence=0.999).iloc[0]
    assert (limit["low"], limit["high"]) == narrow


def test_without_a_none_option_there_is_no_limit() -> None:
    frame = simulate(respondents=60)
    asked = frame.groupby(["respondent", "choice_task"])["chosen"].transform(lambda c: c.iloc[:3].sum()) == 1
    fit = fit_of(frame[asked & (frame["none"] == 0)], "speed + brand + price")
    assert price_limit_pooled(fit, OFFER, TESTED).iloc[0]["note"] == NO_NONE
    assert still_buying(fit, OFFER, [100]).empty


def test_without_a_price_effect_there_is_no_limit() -> None:
    fit = fit_of(simulate(respondents=60, price=0.01, none=0.5))
    assert price_limit_pooled(fit, OFFER, TESTED).iloc[0]["note"] == NO_PRICE_EFFECT
    assert still_buying(fit, OFFER, [100]).empty


def test_a_pooled_fit_has_one_preliminary_limit_however_it_is_asked(fit: ConditionalLogitResults) -> None:
    """A rival at 90 that is as good: half would rather take it from 90 on."""
    pooled = price_limit_pooled(fit, OFFER, TESTED, confidence=0.9).iloc[0]
    limits = price_limits(fit, OFFER, TESTED).iloc[0]
    assert limits.equals(pooled)
    assert limits[["safe", "stretch"]].isna().all()
    rival = Offer("rival", OFFER, 90.0)
    against = reservation_price(fit, OFFER, TESTED, rivals=[rival]).iloc[0]
    assert against["estimate"] == pytest.approx(90.0, abs=1e-9)
    assert against["status"] == "preliminary"


def test_nothing_is_told_of_prices_that_deter_too_few(fit: ConditionalLogitResults) -> None:
    """Two classes, one of which likes higher prices."""
    params = np.asarray(fit.utility_params)
    turned = np.where(np.array(fit.data.names) == "price", -params, params)
    values = np.broadcast_to(np.array([params, turned]), (50, 2, len(params)))
    coding = Coding(
        fit.data.names, fit.data.attributes, fit.data.none, "price", fit.data.price_form, fit.data.respondents
    )
    weights = np.array([[0.9, 0.1]])
    classes = SavedFit("latent", coding, 300, "", Draws(values, weights), 1)
    assert price_limits(classes, OFFER, TESTED).iloc[0]["note"] == NO_PRICE_EFFECT
    assert still_buying_people(classes, OFFER, [100]).empty
    assert limit_waterfall(classes, OFFER, [Step("speed", "quick", "slow")], TESTED).empty


def test_few_respondents_get_no_limit() -> None:
    limit = price_limit_pooled(fit_of(simulate(respondents=60)), OFFER, TESTED).iloc[0]
    assert np.isnan(limit["estimate"])
    assert (limit["status"], limit["note"]) == ("withheld", INDICATION)
