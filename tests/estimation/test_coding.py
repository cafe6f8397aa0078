"""Treatment, effects and orthonormal coding say the same; level utilities carry errors of their own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.estimation.conftest import FORMULA
from wtp.estimation import ChoiceData, ConditionalLogit, part_worths
from wtp.estimation.coding import sum_to_zero_contrasts, zero_centred


@pytest.mark.parametrize("levels", [2, 3, 5, 12])
def test_contrasts_are_orthonormal_and_sum_to_zero(levels: int) -> None:
    Q = sum_to_zero_contrasts(levels)
    assert Q.shape == (levels, levels - 1)
    assert np.allclose(Q.T @ Q, np.eye(levels - 1), atol=1e-14)
    assert np.allclose(Q.sum(axis=0), 0, atol=1e-14)
    # A prior of equal variance is then the same for every level.
    assert np.allclose(np.diag(Q @ Q.T), 1 - 1 / levels, atol=1e-14)


def test_zero_centred_keeps_differences() -> None:
    utilities = np.array([[0.0, 0.4, 0.9], [1.0, 1.0, 4.0]])
    centred = zero_centred(utilities)
    assert centred.sum(axis=1) == pytest.approx([0, 0], abs=1e-15)
    assert np.diff(centred) == pytest.approx(np.diff(utilities))


def test_every_coding_gives_the_same_part_worths_and_errors(frame: pd.DataFrame) -> None:
    """Refit with effects and with orthonormal columns in place of the treatment columns of the brand."""
    treatment = part_worths(ConditionalLogit(ChoiceData.from_long(frame, FORMULA)).fit())
    brand = treatment[treatment["attribute"] == "brand"].set_index("level")
    levels = ["aaa unknown", "known", "leading"]
    effects = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    for contrasts in (effects, sum_to_zero_contrasts(3)):
        rows = contrasts[pd.Categorical(frame["brand"], categories=levels).codes]
        fit = ConditionalLogit(
            ChoiceData.from_long(frame.assign(one=rows[:, 0], two=rows[:, 1]), "one + two + wifi + price")
        ).fit()
        utilities = contrasts @ fit.params.to_numpy()[:2]
        errors = np.sqrt(np.diag(contrasts @ fit.cov_params().to_numpy()[:2, :2] @ contrasts.T))
        assert brand.loc[levels, "estimate"].tolist() == pytest.approx(utilities, rel=1e-8, abs=1e-10)
        assert brand.loc[levels, "std_error"].tolist() == pytest.approx(errors, rel=1e-8)


def test_part_worths_sum_to_zero_and_the_price_is_per_unit(choices: ChoiceData) -> None:
    fit = ConditionalLogit(choices).fit()
    table = part_worths(fit, confidence=0.9)
    assert list(table.columns) == ["attribute", "level", "estimate", "std_error", "low", "high"]
    assert table["level"].tolist() == ["aaa unknown", "known", "leading", "no", "yes", "per unit"]
    assert table.groupby("attribute")["estimate"].sum()[["brand", "wifi"]].tolist() == pytest.approx([0, 0], abs=1e-12)
    price = table.iloc[-1]
    assert (price["estimate"], price["std_error"]) == pytest.approx((fit.params["price"], fit.bse["price"]), rel=1e-12)
    assert price[["low", "high"]].tolist() == pytest.approx(fit.conf_int(alpha=0.1).loc["price"].tolist(), rel=1e-9)
    assert (table["std_error"] > 0).all()
    # Two levels lie half their difference from 0, and so do their errors.
    wifi = table[table["attribute"] == "wifi"]
    assert wifi["std_error"].tolist() == pytest.approx([fit.bse["wifi[T.yes]"] / 2] * 2, rel=1e-12)
