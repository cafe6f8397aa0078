"""The conditional logit in WTP space: the same likelihood, coefficients in money, covariance by the delta method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.estimation.conftest import golden_choices
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.pricing import willingness_to_pay
from wtp.pricing.intervals import delta_interval
from wtp.pricing.willingness_to_pay import contrast


@pytest.fixture(params=["choices", "train", "electricity"])
def data(request: pytest.FixtureRequest) -> ChoiceData:
    return request.getfixturevalue("choices") if request.param == "choices" else golden_choices(request.param)


def test_it_is_another_parametrisation_of_the_same_fit(data: ChoiceData) -> None:
    plain, money = ConditionalLogit(data).fit(), ConditionalLogit(data, space="wtp").fit()
    assert money.llf == pytest.approx(plain.llf, rel=1e-12)
    for name in data.names:
        if name != data.price:
            assert money.params[name] == pytest.approx(-plain.params[name] / plain.params[data.price], rel=1e-9)
    assert money.params["log_scale"] == pytest.approx(np.log(-plain.params[data.price]))
    assert money.predict() == pytest.approx(plain.predict())
    assert money.aic == pytest.approx(plain.aic)


def test_standard_errors_are_those_of_the_delta_method(choices: ChoiceData) -> None:
    plain, money = ConditionalLogit(choices).fit(), ConditionalLogit(choices, space="wtp").fit()
    low, high = delta_interval(plain, contrast(choices, "wifi", "no", "yes"))
    assert money.conf_int().loc["wifi[T.yes]"].to_numpy() == pytest.approx([low, high], rel=1e-9)
    back = money.utility_errors
    assert back == pytest.approx(plain.bse.to_numpy(), rel=1e-9)


def test_derivatives_in_money(choices: ChoiceData) -> None:
    model = ConditionalLogit(choices, space="wtp")
    params = np.array([0.5, 1.2, 0.7, -0.3])
    steps = 1e-5 * np.eye(4)
    gradient = [(model.loglike(params + h) - model.loglike(params - h)) / 2e-5 for h in steps]
    hessian = [(model.score(params + h) - model.score(params - h)) / 2e-5 for h in steps]
    assert model.score(params) == pytest.approx(gradient, rel=1e-6)
    assert model.hessian(params) == pytest.approx(np.array(hessian), rel=1e-5, abs=1e-4)


def test_amounts_are_the_same_from_both_spaces(data: ChoiceData) -> None:
    price = str(data.price)
    tables = [
        willingness_to_pay(ConditionalLogit(data, space).fit(), price=price, seed=3) for space in ("preference", "wtp")
    ]
    assert tables[1]["estimate"].to_numpy() == pytest.approx(tables[0]["estimate"].to_numpy(), rel=1e-9)
    width = (tables[0]["high"] - tables[0]["low"]).to_numpy()
    for end in ("low", "high"):
        # Normal in money instead of normal in utility: the intervals agree as far as the price is precise.
        assert (np.abs(tables[1][end] - tables[0][end]).to_numpy() < 0.25 * width).all()


def test_what_has_no_wtp_space_is_refused(choices: ChoiceData) -> None:
    turned = replace(choices, X=choices.X * np.where(np.array(choices.names) == "price", -1.0, 1.0))
    with pytest.raises(EstimationError, match="did not drive"):
        ConditionalLogit(turned, space="wtp").fit()
    with pytest.raises(DataError, match="price"):
        ConditionalLogit(replace(choices, price=None), space="wtp")
    with pytest.raises(EstimationError, match="money"):
        ConditionalLogit(choices, space="money")
