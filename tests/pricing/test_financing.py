"""Financing: the same offer in cash and in instalments has the same utility, and amounts are the same money."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.pricing.test_simulator import OURS, RIVAL
from wtp.errors import DataError
from wtp.estimation import ConditionalLogitResults
from wtp.pricing import Market, Step, Terms, in_instalments, willingness_to_pay


def test_instalments_pay_exactly_for_the_price() -> None:
    terms = Terms(24, interest=0.06, down_payment=0.2)
    rate = float(terms.instalment(1_000.0))
    # what is owed after each month, by hand
    owed = 800.0
    for _ in range(24):
        owed = owed * (1 + 0.06 / 12) - rate
    assert owed == pytest.approx(0, abs=1e-9)
    assert terms.total(1_000.0) == pytest.approx(200 + 24 * rate)
    assert terms.cash_price(rate) == pytest.approx(1_000)
    assert Terms(10).instalment(50.0) == 5


def test_the_same_offer_in_both_views_has_the_same_utility(fit: ConditionalLogitResults) -> None:
    terms = Terms(12, interest=0.05)
    monthly = terms.offer(OURS, float(terms.instalment(OURS.price)))
    one, other = (Market(fit, [offer, RIVAL]) for offer in (OURS, monthly))
    assert other.vectors == pytest.approx(one.vectors)
    pd.testing.assert_frame_equal(one.shares(), other.shares())


def test_worth_in_cash_and_a_month(fit: ConditionalLogitResults) -> None:
    terms = Terms(12, interest=0.05)
    table = in_instalments(willingness_to_pay(fit, steps=[Step("speed", "slow", "quick")]), terms)
    for name in ("estimate", "low", "high"):
        assert terms.cash_price(table[f"{name}_per_month"].to_numpy()) == pytest.approx(table[name].to_numpy())
    with pytest.raises(DataError, match="no amount"):
        in_instalments(pd.DataFrame({"share": [0.5]}), terms)


@pytest.mark.parametrize(
    "wrong", [{"months": 0}, {"months": 12, "interest": -0.1}, {"months": 12, "down_payment": 1.0}]
)
def test_terms_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DataError, match="allowed"):
        Terms(**wrong)  # type: ignore[arg-type]


def test_prices_may_be_arrays() -> None:
    assert np.asarray(Terms(4).instalment(np.array([4.0, 8.0]))) == pytest.approx([1, 2])
