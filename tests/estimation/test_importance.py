"""Importance: the definition, intervals, and a noise floor that a full refit confirms."""

from __future__ import annotations

import numpy as np
import pytest

from tests.estimation.conftest import FORMULA, simulate
from wtp.estimation import ChoiceData, ConditionalLogit, ConditionalLogitResults, importance


@pytest.fixture(scope="module")
def fit() -> ConditionalLogitResults:
    return ConditionalLogit(ChoiceData.from_long(simulate(100), FORMULA)).fit()


def test_importance_is_the_share_of_ranges(fit: ConditionalLogitResults) -> None:
    table = importance(fit, seed=1)
    assert list(table.columns) == ["attribute", "importance", "low", "high", "noise_floor"]
    b = fit.params
    brand = [0, b["brand[T.known]"], b["brand[T.leading]"]]
    ranges = np.array([max(brand) - min(brand), abs(b["wifi[T.yes]"]), abs(b["price"]) * 2])
    assert table["importance"].tolist() == pytest.approx(100 * ranges / ranges.sum(), rel=1e-12)
    assert (table["low"] < table["importance"]).all()
    assert (table["importance"] < table["high"]).all()


def test_a_wider_confidence_is_a_wider_interval(fit: ConditionalLogitResults) -> None:
    narrow, wide = (importance(fit, seed=1, confidence=c) for c in (0.5, 0.95))
    assert (wide["low"] < narrow["low"]).all()
    assert (narrow["high"] < wide["high"]).all()


def test_the_same_seed_gives_the_same_figures(fit: ConditionalLogitResults) -> None:
    assert importance(fit, seed=4).equals(importance(fit, seed=4))
    one, other = importance(fit, seed=4), importance(fit, seed=5)
    for column in ("low", "high", "noise_floor"):
        assert (one[column] != other[column]).any(), column


def test_the_noise_floor_is_that_of_refits_to_random_choices(fit: ConditionalLogitResults) -> None:
    data, rng = fit.data, np.random.default_rng(8)
    refits = [
        ConditionalLogit(data.with_chosen(data.starts + rng.integers(0, data.sizes))).fit("nonrobust").params.to_numpy()
        for _ in range(150)
    ]
    noise = [np.ptp(np.array(refits) @ a.contrasts.T, axis=1).mean() for a in data.attributes]
    ranges = np.array([np.ptp(a.contrasts @ fit.params.to_numpy()) for a in data.attributes])
    expected = 100 * np.array(noise) / (ranges.sum() - ranges + noise)
    found = importance(fit, permutations=150, seed=1)["noise_floor"]
    # Two means of 150 ranges each: their quotient has a standard error of about 8 per cent.
    assert found.tolist() == pytest.approx(expected, rel=0.25)
    assert (found < importance(fit, seed=1)["importance"]).all()


def test_more_levels_more_noise(fit: ConditionalLogitResults) -> None:
    floor = importance(fit, permutations=100, seed=2).set_index("attribute")["noise_floor"]
    assert floor["brand"] > floor["wifi"]


def test_random_choices_of_few_answers_that_separate_do_no_harm() -> None:
    """With 2 respondents and 12 tasks random choices often leave a level unchosen."""
    frame = simulate(2, 12, seed=3)
    fit = ConditionalLogit(ChoiceData.from_long(frame, FORMULA)).fit()
    assert np.isfinite(importance(fit, permutations=200, seed=0)["noise_floor"]).all()
