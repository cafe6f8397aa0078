"""The estimator itself: derivatives, covariance by plain loops, inference, and what it refuses."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.estimation.conftest import FORMULA, TRUTH, simulate
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit, ConditionalLogitResults, conditional_kernel, parameter_table


@pytest.fixture(scope="module")
def fit(choices: ChoiceData) -> ConditionalLogitResults:
    return ConditionalLogit(choices).fit()


def coded(*, ragged: bool = False, weighted: bool = False) -> ChoiceData:
    weights = np.random.default_rng(5).uniform(0.3, 3, 40)
    frame = simulate(ragged=ragged).assign(weight=lambda f: weights[f["respondent"]])
    return ChoiceData.from_long(frame, FORMULA, weights="weight" if weighted else None)


def plain_log_likelihood(data: ChoiceData, params: np.ndarray) -> float:
    """The definition, one task after the other."""
    total = 0.0
    for t, start in enumerate(data.starts):
        v = data.X[start : start + data.sizes[t]] @ params
        weight = 1.0 if data.weights is None else data.weights[data.respondent[t]]
        total += weight * (data.X[data.chosen[t]] @ params - np.log(np.exp(v).sum()))
    return float(total)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("point", range(5))
def test_derivatives_are_those_of_the_definition(point: int, ragged: bool, weighted: bool) -> None:
    data = coded(ragged=ragged, weighted=weighted)
    model = ConditionalLogit(data)
    params = np.random.default_rng(point).normal(size=len(data.names))
    h = 1e-5
    steps = h * np.eye(len(params))
    assert model.loglike(params) == pytest.approx(plain_log_likelihood(data, params), rel=1e-12)
    gradient = [
        (plain_log_likelihood(data, params + s) - plain_log_likelihood(data, params - s)) / (2 * h) for s in steps
    ]
    hessian = [(model.score(params + s) - model.score(params - s)) / (2 * h) for s in steps]
    # Both are sums over hundreds of tasks: the largest difference is taken relative to the number of tasks.
    assert np.abs(model.score(params) - gradient).max() / len(data.starts) < 1e-6
    assert np.abs(model.hessian(params) - hessian).max() / len(data.starts) < 1e-6
    assert model.score_obs(params).sum(axis=0) == pytest.approx(model.score(params), rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("cov_type", ["cluster", "robust", "nonrobust"])
def test_covariance_is_the_sandwich_by_plain_loops(cov_type: str, weighted: bool) -> None:
    data = coded(ragged=True, weighted=weighted)
    fit = ConditionalLogit(data).fit(cov_type)
    params, k, tasks = fit.params.to_numpy(), len(data.names), len(data.starts)
    bread = np.zeros((k, k))
    group_scores: dict[int, np.ndarray] = {}
    for t, start in enumerate(data.starts):
        X = data.X[start : start + data.sizes[t]]
        e = np.exp(X @ params)
        p = e / e.sum()
        weight = 1.0 if data.weights is None else data.weights[data.respondent[t]]
        bread += weight * sum(p[j] * np.outer(X[j] - p @ X, X[j] - p @ X) for j in range(len(p)))
        key = int(data.respondent[t]) if cov_type == "cluster" else t
        group_scores[key] = group_scores.get(key, np.zeros(k)) + weight * (data.X[data.chosen[t]] - p @ X)
    inverse = np.linalg.inv(bread)
    groups = len(group_scores)
    meat = sum(np.outer(g, g) for g in group_scores.values())
    factor = (tasks - 1) / (tasks - k) * (groups / (groups - 1) if cov_type == "cluster" else 1)
    expected = inverse if cov_type == "nonrobust" else factor * inverse @ meat @ inverse
    assert np.allclose(fit.cov_params(), expected, rtol=1e-7, atol=1e-12)
    assert fit.bse.to_numpy() == pytest.approx(np.sqrt(np.diag(expected)), rel=1e-8)


def test_clustered_by_respondent_unless_told_otherwise(fit: ConditionalLogitResults, choices: ChoiceData) -> None:
    assert fit.cov_type == "cluster"
    assert fit.covariance_note == "clustered by respondent, 40 respondents"
    assert not np.allclose(fit.bse, ConditionalLogit(choices).fit("nonrobust").bse, rtol=1e-3)


def test_the_figures_of_fit(fit: ConditionalLogitResults, choices: ChoiceData) -> None:
    assert (fit.respondents, fit.choice_tasks, fit.alternatives, fit.nobs) == (40, 240, 720, 240)
    assert (fit.df_model, fit.df_resid) == (4, 236)
    assert fit.llf == pytest.approx(plain_log_likelihood(choices, fit.params.to_numpy()), rel=1e-12)
    assert fit.llnull == pytest.approx(-240 * np.log(3), rel=1e-12)
    assert fit.aic == pytest.approx(2 * 4 - 2 * fit.llf, rel=1e-12)
    assert fit.bic == pytest.approx(np.log(40) * 4 - 2 * fit.llf, rel=1e-12)
    assert fit.mcfadden == pytest.approx(1 - fit.llf / fit.llnull, rel=1e-12)
    assert fit.adjusted == pytest.approx(1 - (fit.llf - 4) / fit.llnull, rel=1e-12)
    assert fit.rlh == pytest.approx(np.exp(fit.llf / 240), rel=1e-12)
    assert fit.converged
    assert fit.iterations <= 8


def test_inference_carries_names_and_few_clusters_use_t(fit: ConditionalLogitResults) -> None:
    assert list(fit.params.index) == list(TRUTH)
    assert list(fit.cov_params().index) == list(fit.cov_params().columns) == list(TRUTH)
    t = stats.t.isf(0.025, 39)
    assert fit.conf_int().loc["price"].tolist() == pytest.approx(
        [fit.params["price"] - t * fit.bse["price"], fit.params["price"] + t * fit.bse["price"]], rel=1e-9
    )
    assert fit.pvalues["price"] == pytest.approx(2 * stats.t.sf(abs(fit.tvalues["price"]), 39), rel=1e-9)
    assert any(note.code == "few_clusters" for note in fit.notes)
    test = fit.t_test("brand[T.known] - brand[T.leading] = 0")
    contrast = np.array([1, -1, 0, 0])
    assert test.sd.item() == pytest.approx(np.sqrt(contrast @ fit.cov_params().to_numpy() @ contrast), rel=1e-9)
    joint = fit.wald_test("brand[T.known] = 0, brand[T.leading] = 0", scalar=True)
    b, v = fit.params.to_numpy()[:2], fit.cov_params().to_numpy()[:2, :2]
    assert joint.statistic == pytest.approx(b @ np.linalg.solve(v, b) / 2, rel=1e-9)
    assert joint.pvalue == pytest.approx(stats.f.sf(joint.statistic, 2, 39), rel=1e-9)


def test_many_clusters_use_the_normal() -> None:
    fit = ConditionalLogit(ChoiceData.from_long(simulate(60), FORMULA)).fit()
    assert fit.pvalues["wifi[T.yes]"] == pytest.approx(2 * stats.norm.sf(abs(fit.tvalues["wifi[T.yes]"])), rel=1e-9)
    joint = fit.wald_test("brand[T.known] = 0, brand[T.leading] = 0", scalar=True)
    assert joint.pvalue == pytest.approx(stats.chi2.sf(joint.statistic, 2), rel=1e-9)
    assert fit.notes == ()


def test_summary_says_what_was_estimated_on_what(fit: ConditionalLogitResults) -> None:
    """The figures of the text, read back, are those of the results."""
    text = fit.summary().as_text()
    for label, figure in {
        "Respondents": 40,
        "Choice tasks": 240,
        "Alternatives": 720,
        "Log-likelihood": fit.llf,
        "LL, equal shares": fit.llnull,
        "McFadden R2": fit.mcfadden,
        "adjusted": fit.adjusted,
        "RLH": fit.rlh,
        "AIC": fit.aic,
        "BIC (respondents)": fit.bic,
    }.items():
        found = re.search(rf"(?:^|\s){re.escape(label)}:\s+(-?[\d.]+)", text)
        assert found, label
        assert float(found[1]) == pytest.approx(figure, abs=5e-5), label
    assert re.search(r"Model:\s+Conditional logit", text)
    assert re.search(r"Covariance:\s+clustered by respondent", text)
    assert re.search(r"Weights:\s+none", text)
    assert "Only 40 respondents" in text
    assert "Date:" not in text


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_summary_lists_every_parameter_with_its_interval(alpha: float, fit: ConditionalLogitResults) -> None:
    text = fit.summary(alpha=alpha).as_text()
    assert f"[{alpha / 2:g}" in text
    low, high = fit.conf_int(alpha=alpha).to_numpy().T
    expected = np.column_stack([fit.params, fit.bse, fit.tvalues, fit.pvalues, low, high])
    rows = [re.split(r"\s{2,}", line) for line in text.splitlines() if line.startswith(tuple(TRUTH))]
    assert [name for name, *_ in rows] == list(TRUTH)
    for (name, *cells), figures in zip(rows, expected, strict=True):
        assert [float(cell) for cell in cells] == pytest.approx(figures, abs=5e-4), name


def test_weights_are_told_by_what_they_are_worth() -> None:
    data = coded(weighted=True)
    assert data.weights is not None
    worth = data.weights.sum() ** 2 / (data.weights**2).sum()
    assert f"worth {worth:.1f} respondents" in ConditionalLogit(data).fit().summary().as_text()


def test_the_table_of_parameters(fit: ConditionalLogitResults) -> None:
    table = parameter_table(fit, confidence=0.9)
    assert list(table.columns) == ["parameter", "estimate", "std_error", "low", "high"]
    assert np.allclose(table[["low", "high"]], fit.conf_int(alpha=0.1))


def test_predictions_sum_to_one_in_each_task(fit: ConditionalLogitResults, choices: ChoiceData) -> None:
    p = fit.predict()
    assert np.add.reduceat(p, choices.starts) == pytest.approx(1, abs=1e-12)
    v = choices.X[:3] @ fit.params.to_numpy()
    assert p[:3] == pytest.approx(np.exp(v) / np.exp(v).sum(), rel=1e-10)
    some = choices.subset(np.arange(40) == 7)
    assert fit.predict(some) == pytest.approx(p[np.repeat(choices.respondent == 7, choices.sizes)], rel=1e-12)


def test_predictions_for_other_columns_are_refused(fit: ConditionalLogitResults, frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="one formula"):
        fit.predict(ChoiceData.from_long(frame, "brand + price"))


def test_utilities_of_a_thousand() -> None:
    data = ChoiceData.from_long(simulate().assign(price=lambda f: f["price"] * 1e3), FORMULA)
    model = ConditionalLogit(data)
    extreme = np.array([0.0, 0.0, 0.0, 5.0])
    assert np.isfinite(model.loglike(extreme))
    assert np.isfinite(model.score(extreme)).all()
    assert model.predict(extreme).max() == 1
    assert model.loglike(extreme) == pytest.approx(
        float((data.X[data.chosen] @ extreme - _largest(data, extreme)).sum()), rel=1e-4
    )


def _largest(data: ChoiceData, params: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum.reduceat(data.X @ params, data.starts))


@pytest.mark.parametrize("seed", [5, 593, 901])
def test_newton_arrives_where_full_steps_overshoot(seed: int) -> None:
    """Attributes of very long tails, choices nearly separated: the likelihood is concave, so a score of 0 is the optimum."""
    rng = np.random.default_rng(seed)
    tasks = int(rng.integers(12, 60))
    X = np.exp(rng.normal(size=(2 * tasks, 2)) * rng.choice([1, 2, 3])) * rng.choice([-1, 1], (2 * tasks, 2))
    utility = X @ (rng.normal(size=2) * rng.choice([0.5, 3, 10])) + rng.gumbel(size=2 * tasks)
    starts = np.arange(0, 2 * tasks, 2)
    data = ChoiceData(
        X=X, starts=starts, chosen=starts + utility.reshape(-1, 2).argmax(axis=1), respondent=np.arange(tasks) // 4,
        respondents=np.arange((tasks + 3) // 4), names=("a", "b"),
    )  # fmt: skip
    model = ConditionalLogit(data)
    fit = model.fit("nonrobust")
    assert fit.converged
    step = fit.cov_params().to_numpy() @ model.score(fit.params.to_numpy())
    assert np.abs(step / fit.bse.to_numpy()).max() < 1e-6


def test_results_and_data_cannot_be_changed(fit: ConditionalLogitResults, choices: ChoiceData) -> None:
    with pytest.raises(AttributeError, match="read-only"):
        fit.llf = 0.0
    for array in (choices.X, choices.starts, choices.chosen, choices.respondent):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_one_compiled_function_takes_arrays_that_may_be_written_and_those_that_may_not(choices: ChoiceData) -> None:
    model, params = ConditionalLogit(choices), np.zeros(len(choices.names))
    group = np.zeros(len(choices.starts), dtype=int)
    found = []
    for frozen in (False, True):
        for array in (params, group):
            array.flags.writeable = not frozen
        found.append(model._evaluate(params, group, 1))
    assert found[0].log_likelihood == found[1].log_likelihood < 0
    np.testing.assert_array_equal(found[0].scores, found[1].scores)
    assert len(conditional_kernel.evaluate.__wrapped__.signatures) == 1


def test_an_unknown_covariance_is_named(choices: ChoiceData) -> None:
    with pytest.raises(EstimationError, match="'HC1'; allowed: cluster, robust, nonrobust"):
        ConditionalLogit(choices).fit("HC1")  # type: ignore[arg-type]


def test_too_few_to_tell_the_error() -> None:
    one = ChoiceData.from_long(simulate(200), "price").subset(np.arange(200) == 3)
    with pytest.raises(EstimationError, match="1 respondent and 6 choice tasks for 1 parameter"):
        ConditionalLogit(one).fit("cluster")
    single = pd.DataFrame({"respondent": 1, "choice_task": 1, "price": [1.0, 2.0, 3.0], "chosen": [0, 1, 0]})
    with pytest.raises(EstimationError, match="1 choice tasks for 1 parameters"):
        ConditionalLogit(ChoiceData.from_long(single, "price")).fit("robust")
