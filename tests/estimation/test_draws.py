"""Draws of a pooled fit: the estimator's normal distribution, decided by the seed, whatever the units."""

from __future__ import annotations

import numpy as np
import pytest

from tests.estimation.conftest import FORMULA, simulate
from wtp.estimation import ChoiceData, ConditionalLogit, ConditionalLogitResults, krinsky_robb


@pytest.fixture(scope="module")
def fit() -> ConditionalLogitResults:
    return ConditionalLogit(ChoiceData.from_long(simulate(100), FORMULA)).fit()


def test_draws_have_the_mean_and_covariance_of_the_estimate(fit: ConditionalLogitResults) -> None:
    draws = krinsky_robb(fit, 200_000, 3)
    assert draws.shape == (200_000, 1, 4)
    errors = fit.bse.to_numpy()
    assert np.abs((draws[:, 0].mean(axis=0) - fit.params) / errors).max() < 0.01
    ratio = np.cov(draws[:, 0].T) / np.outer(errors, errors)
    assert np.abs(ratio - fit.cov_params().to_numpy() / np.outer(errors, errors)).max() < 0.02


def test_the_seed_decides_the_draws(fit: ConditionalLogitResults) -> None:
    assert np.array_equal(krinsky_robb(fit, 50, 3), krinsky_robb(fit, 50, 3))
    assert not np.array_equal(krinsky_robb(fit, 50, 3), krinsky_robb(fit, 50, 4))


@pytest.mark.parametrize("unit", [1e-9, 100.0, 1e9])
def test_the_unit_of_the_price_changes_its_draws_alone(unit: float, fit: ConditionalLogitResults) -> None:
    frame = simulate(100).assign(price=lambda f: f["price"] * unit)
    other = krinsky_robb(ConditionalLogit(ChoiceData.from_long(frame, FORMULA)).fit(), 500, 3)
    assert np.allclose(other * [1, 1, 1, unit], krinsky_robb(fit, 500, 3), rtol=1e-6, atol=1e-9)
