"""What must not change the answer: the order of rows, units, base levels, constants within a task, doubled data.

One property a test (METHODS, validation B); the data sets are drawn by seed, the change by Hypothesis.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.estimation.conftest import FORMULA, simulate
from wtp.estimation import ChoiceData, ConditionalLogit, ConditionalLogitResults, importance, part_worths

seeds = st.integers(0, 10_000)
ragged = st.booleans()
property_of = settings(max_examples=15, deadline=None, derandomize=True, database=None)


def fit_of(frame: pd.DataFrame, formula: str = FORMULA, weights: str | None = None) -> ConditionalLogitResults:
    return ConditionalLogit(ChoiceData.from_long(frame, formula, weights=weights)).fit()


def assert_same(one: ConditionalLogitResults, two: ConditionalLogitResults) -> None:
    assert two.llf == pytest.approx(one.llf, rel=1e-10)
    assert np.allclose(two.params, one.params, rtol=1e-6, atol=1e-8)
    assert np.allclose(two.cov_params(), one.cov_params(), rtol=1e-6, atol=1e-10)


@given(seed=seeds, ragged=ragged)
@property_of
def test_the_order_of_rows(seed: int, ragged: bool) -> None:
    """Permutes alternatives, choice tasks and respondents at once."""
    frame = simulate(ragged=ragged, seed=seed % 7)
    shuffled = frame.sample(frac=1, random_state=seed)
    assert_same(fit_of(frame), fit_of(shuffled))


@given(seed=seeds, ragged=ragged)
@property_of
def test_a_constant_added_within_a_task(seed: int, ragged: bool) -> None:
    frame = simulate(ragged=ragged, seed=seed % 7)
    shift = np.random.default_rng(seed).integers(-50, 50, 1000)
    task = pd.factorize(pd.MultiIndex.from_frame(frame[["respondent", "choice_task"]]))[0]
    assert_same(fit_of(frame), fit_of(frame.assign(price=frame["price"] + shift[task % 1000])))


@given(unit=st.sampled_from([1e-9, 1e-2, 100.0, 1e6, 1e12]))
@property_of
def test_the_unit_of_the_price(unit: float) -> None:
    frame = simulate()
    one, two = fit_of(frame), fit_of(frame.assign(price=frame["price"] * unit))
    assert two.llf == pytest.approx(one.llf, rel=1e-12)
    assert two.params["price"] * unit == pytest.approx(one.params["price"], rel=1e-9)
    assert two.bse["price"] * unit == pytest.approx(one.bse["price"], rel=1e-9)
    money = [-fit.params["wifi[T.yes]"] / fit.params["price"] for fit in (one, two)]
    assert money[1] / unit == pytest.approx(money[0], rel=1e-9)
    assert np.allclose(importance(one, seed=1).iloc[:, 1:], importance(two, seed=1).iloc[:, 1:], rtol=1e-6)


@given(order=st.permutations(["aaa unknown", "known", "leading"]))
@property_of
def test_the_base_level(order: list[str]) -> None:
    frame = simulate()
    changed = frame.assign(brand=pd.Categorical(frame["brand"], categories=order))
    one, two = fit_of(frame), fit_of(changed)
    assert two.llf == pytest.approx(one.llf, rel=1e-12)
    tables = [part_worths(fit).set_index(["attribute", "level"]).sort_index() for fit in (one, two)]
    assert np.allclose(tables[0], tables[1], rtol=1e-7, atol=1e-9)


@given(seed=seeds, ragged=ragged)
@property_of
def test_doubled_data_with_respondents_kept(seed: int, ragged: bool) -> None:
    """Each task twice: same estimate and, since respondents stay the clusters, the same covariance but for the count of tasks."""
    frame = simulate(ragged=ragged, seed=seed % 7)
    weight = np.random.default_rng(seed).uniform(0.5, 2, 40)
    frame = frame.assign(weight=weight[frame["respondent"]])
    again = frame.assign(choice_task=frame["choice_task"] + 100, weight=frame["weight"] / 2)
    doubled = pd.concat([frame.assign(weight=frame["weight"] / 2), again])
    one, two = fit_of(frame, weights="weight"), fit_of(doubled, weights="weight")
    assert np.allclose(two.params, one.params, rtol=1e-7, atol=1e-9)
    tasks, k = one.nobs, one.df_model
    factor = (2 * tasks - 1) / (2 * tasks - k) * (tasks - k) / (tasks - 1)
    assert np.allclose(two.cov_params(), factor * one.cov_params(), rtol=1e-6, atol=1e-10)


@given(scale=st.floats(0.01, 100))
@property_of
def test_the_scale_of_weights(scale: float) -> None:
    frame = simulate().assign(weight=lambda f: scale * (1 + f["respondent"] % 3))
    fit = fit_of(frame, weights="weight")
    assert fit.data.weights is not None
    assert fit.data.weights.mean() == pytest.approx(1)
    assert_same(fit_of(frame.assign(weight=frame["weight"] / scale), weights="weight"), fit)


@given(count=st.integers(2, 4))
@property_of
def test_whole_weights_are_repeated_respondents(count: int) -> None:
    frame = simulate().assign(weight=lambda f: np.where(f["respondent"] < 10, float(count), 1.0))
    first = frame[frame["respondent"] < 10]
    copies = [first.assign(respondent=first["respondent"] + 1000 * copy) for copy in range(1, count)]
    repeated = fit_of(pd.concat([frame, *copies]))
    assert np.allclose(fit_of(frame, weights="weight").params, repeated.params, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("labels", ["text", "reversed"])
def test_the_names_of_respondents_and_tasks(labels: str) -> None:
    frame = simulate()
    if labels == "text":
        renamed = frame.assign(respondent="r" + frame["respondent"].astype(str))
    else:
        renamed = frame.assign(respondent=-frame["respondent"], choice_task=-frame["choice_task"])
    assert_same(fit_of(frame), fit_of(renamed))
