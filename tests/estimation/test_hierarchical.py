"""The hierarchical logit as its users see it: recovery, seeds and cores, signs, covariates, interruption, memory, what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.estimation.conftest import FORMULA, simulate
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData
from wtp.estimation.coding import prior_coding
from wtp.estimation.hierarchical import (
    HierarchicalLogit,
    HierarchicalPrior,
    HierarchicalResults,
    Progress,
    kernel,
    population_kernel,
)
from wtp.estimation.hierarchical.kept_draws import KeptDraws
from wtp.estimation.hierarchical.problem import pooled_mode
from wtp.estimation.hierarchical.sampler import Chain

SHORT = {"draws": 200, "warmup": 100, "stop": None}
NAMES = ("quality", "speed", "price")


def population(respondents: int = 120, tasks: int = 16, *, seed: int = 4) -> tuple[ChoiceData, np.ndarray]:
    """Choice data with known coefficients (N, 3): two normal, the price minus log-normal."""
    rng = np.random.default_rng(seed)
    X = rng.choice([0.0, 1.0, 2.0], (respondents * tasks, 3, 3))
    tastes = np.column_stack(
        [
            0.8 + 0.7 * rng.standard_normal(respondents),
            -0.3 + 0.5 * rng.standard_normal(respondents),
            -np.exp(0.1 + 0.4 * rng.standard_normal(respondents)),
        ]
    )
    person = np.repeat(np.arange(respondents), tasks)
    utility = np.einsum("tjk,tk->tj", X, tastes[person]) + rng.gumbel(size=X.shape[:2])
    starts = np.arange(respondents * tasks) * 3
    names = [f"r{i:03d}" for i in range(respondents)]
    covariates = pd.DataFrame({"branch": np.where(np.arange(respondents) % 2, "shop", "farm")}, index=names)
    data = ChoiceData(
        X=X.reshape(-1, 3), starts=starts, chosen=starts + utility.argmax(axis=1), respondent=person, respondents=np.array(names), names=NAMES,
        price="price", covariates=covariates,
    )  # fmt: skip
    return data, tastes


@pytest.fixture(scope="module")
def people() -> tuple[ChoiceData, np.ndarray]:
    return population()


@pytest.fixture(scope="module")
def fit(people: tuple[ChoiceData, np.ndarray]) -> HierarchicalResults:
    # The default prior holds small samples to narrow tastes; these are wide.
    return HierarchicalLogit(
        people[0], signs={"price": -1}, prior=HierarchicalPrior(scale={"quality": 0.5, "speed": 0.5})
    ).fit(stop="preliminary")


def test_population_and_respondents_are_recovered(
    fit: HierarchicalResults, people: tuple[ChoiceData, np.ndarray]
) -> None:
    truth = people[1]
    table = fit.population
    assert fit.status in ("final", "preliminary")
    assert (np.abs(table.loc["mean"] - truth.mean(axis=0)) < 3 * table.loc["std_error"]).all()
    low, high = np.quantile(fit.draws.std(axis=1), [0.005, 0.995], axis=0)
    assert ((low < truth.std(axis=0)) & (truth.std(axis=0) < high)).all()
    assert ((table.loc["sd"] > low) & (table.loc["sd"] < high)).all()
    for k, name in enumerate(NAMES):
        assert np.corrcoef(fit.individual[name], truth[:, k])[0, 1] > 0.5
    inside = np.quantile(fit.draws, [0.05, 0.95], axis=0)
    covered = ((inside[0] <= truth) & (truth <= inside[1])).mean()
    assert 0.84 < covered < 0.95


def test_a_signed_coefficient_has_its_sign_in_every_draw(fit: HierarchicalResults) -> None:
    assert (fit.draws[:, :, NAMES.index("price")] < 0).all()
    assert fit.population.loc["mean", "price"] < fit.population.loc["median", "price"] < 0


def test_the_stop_rule_is_about_every_watched_quantity(fit: HierarchicalResults) -> None:
    table = fit.diagnostics
    assert list(table.index[:3]) == list(NAMES)
    assert "log_likelihood" in table.index
    reported = table[table["reported"]]
    assert {"price", "worth.quality", "worth.speed"} == set(reported.index) - {"quality", "speed"}
    assert fit.convergence == (reported["r_hat"].max(), reported[["ess_bulk", "ess_tail"]].min().min())
    assert fit.convergence[0] <= 1.02
    assert fit.convergence[1] >= 400
    assert table["r_hat"].max() <= 1.2


def test_same_seed_same_draws_whatever_the_cores(people: tuple[ChoiceData, np.ndarray]) -> None:
    model = HierarchicalLogit(people[0], signs={"price": -1})
    one, two = (model.fit(**SHORT, seed=5, cores=cores) for cores in (1, 2))
    assert np.array_equal(one.draws, two.draws)
    assert not np.array_equal(one.draws, model.fit(**SHORT, seed=6).draws)


def test_an_interrupted_fit_goes_on_to_the_same_result(
    people: tuple[ChoiceData, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = HierarchicalLogit(people[0], signs={"price": -1})
    arguments = {"draws": 500, "warmup": 200, "stop": None, "keep": 300, "seed": 2}
    whole = model.fit(**arguments)
    monkeypatch.setattr("wtp.estimation.hierarchical.logit._SAVE_EVERY", 0.0)

    def stop_at_450(progress: Progress) -> None:
        if progress.sweeps >= 450:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(**arguments, checkpoint=tmp_path, progress=stop_at_450)
    seen: list[int] = []
    again = model.fit(**arguments, checkpoint=tmp_path, progress=lambda progress: seen.append(progress.sweeps))
    assert seen[0] > 200
    assert np.array_equal(again.draws, whole.draws)
    assert np.array_equal(again.sampled.watched, whole.sampled.watched)
    assert isinstance(again.sampled.individual[0], np.memmap)
    with pytest.raises(EstimationError, match="another"):
        model.fit(**(arguments | {"seed": 3}), checkpoint=tmp_path)


@pytest.mark.parametrize("capacity", [4, 6])
def test_kept_draws_stay_evenly_spaced(tmp_path: Path, capacity: int) -> None:
    memory, file = KeptDraws((2, 1), capacity), KeptDraws((2, 1), capacity, tmp_path / "kept")
    file.begin()
    for number in range(23):
        for kept in (memory, file):
            kept.offer(np.full((2, 1), float(number)))
        numbers = memory.array()[:, 0, 0]
        assert numbers.tolist() == list(range(0, number + 1, memory.thin))
        assert np.array_equal(memory.array(), file.array())
        assert len(numbers) <= capacity


def test_covariates_move_the_mean(people: tuple[ChoiceData, np.ndarray]) -> None:
    data, tastes = people
    shop = (data.covariates["branch"] == "shop").to_numpy()
    v = np.einsum(
        "ak,ak->a",
        data.X,
        tastes[data.respondent[data.task_of_row]] + np.outer(shop, [1.5, 0, 0])[data.respondent[data.task_of_row]],
    )
    noise = np.random.default_rng(8).gumbel(size=len(v))
    chosen = data.starts + (v + noise).reshape(-1, 3).argmax(axis=1)
    fit = HierarchicalLogit(replace(data, chosen=chosen), signs={"price": -1}, covariates=["branch"]).fit(
        draws=600, warmup=300, stop=None
    )
    effects = fit.covariate_effects.set_index("parameter")
    assert effects.loc["quality", "low"] < 1.5 < effects.loc["quality", "high"]
    assert effects.loc["quality", "low"] > 0.7
    assert effects.loc["speed", "low"] < 0 < effects.loc["speed", "high"]
    with pytest.raises(DataError, match="region"):
        HierarchicalLogit(data, covariates=["region"])


def test_gradients_are_those_of_the_likelihood(people: tuple[ChoiceData, np.ndarray]) -> None:
    problem = HierarchicalLogit(people[0], signs={"price": -1}).problem
    n, k, _ = problem.shape
    theta = np.random.default_rng(0).normal(size=(n, k))
    gradients, scratch = np.empty((n, k)), np.empty((n, k))

    def values(at: np.ndarray, into: np.ndarray) -> np.ndarray:
        out = np.empty(n)
        kernel.loglikes(*problem.choices, at, problem.signs, into, problem.workspace(), out)
        return out

    plain = values(theta, gradients)
    data, coding = people[0], prior_coding(people[0])
    inside = np.column_stack([theta[:, :2], -np.exp(theta[:, 2])])
    v = np.einsum("ak,ak->a", data.X @ coding, inside[data.respondent[data.task_of_row]]).reshape(-1, 3)
    log_p = v[np.arange(len(v)), data.chosen - data.starts] - np.log(np.exp(v).sum(axis=1))
    assert plain == pytest.approx(np.add.reduceat(log_p, data.first_tasks), rel=1e-10)
    for j in range(k):
        step = 1e-6 * np.eye(k)[j]
        numeric = (values(theta + step, scratch) - values(theta - step, scratch)) / 2e-6
        assert gradients[:, j] == pytest.approx(numeric, abs=1e-6)


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6])
def test_extreme_utilities_give_finite_likelihoods(people: tuple[ChoiceData, np.ndarray], size: float) -> None:
    problem = HierarchicalLogit(people[0]).problem
    n, k, _ = problem.shape
    out, gradients = np.empty(n), np.empty((n, k))
    kernel.loglikes(*problem.choices, np.full((n, k), size), problem.signs, gradients, problem.workspace(), out)
    assert np.isfinite(out).all()
    assert np.isfinite(gradients).all()
    assert (out <= 0).all()


def test_the_moves_of_the_population_follow_their_density(people: tuple[ChoiceData, np.ndarray]) -> None:
    problem = HierarchicalLogit(people[0], signs={"price": -1}, covariates=["branch"]).problem
    chain = Chain(problem, np.random.SeedSequence(1), 50)
    for _ in range(5):
        chain.sweep()
    _, k, m = problem.shape
    standard = np.random.default_rng(0).standard_normal(chain.theta.shape)
    prior = (problem.mean, problem.precision, chain.scale, chain._power)
    state, work = [np.empty_like(chain.theta) for _ in range(2)], problem.workspace()

    def density(delta: np.ndarray, log_root: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        root, slopes = np.tril(log_root, -1) + np.diag(np.exp(np.diag(log_root))), (np.empty((m, k)), np.empty((k, k)))
        theta, gradients, loglike = *state, np.empty(len(chain.theta))
        value = population_kernel.density(
            problem.choices, problem.signs, problem.Z, prior, delta, root, standard, theta, loglike, gradients, work, *slopes
        )  # fmt: skip
        return value, *slopes

    delta, root = chain.delta, np.tril(chain.root)
    root[np.diag_indices(k)] = np.log(np.diag(root))
    _, delta_slope, root_slope = density(delta, root)
    for index in np.ndindex(m, k):
        step = np.zeros((m, k))
        step[index] = 1e-5
        numeric = (density(delta + step, root)[0] - density(delta - step, root)[0]) / 2e-5
        assert delta_slope[index] == pytest.approx(numeric, rel=1e-5, abs=1e-4)
    for index in zip(*np.tril_indices(k), strict=True):
        step = np.zeros((k, k))
        step[index] = 1e-5
        numeric = (density(delta, root + step)[0] - density(delta, root - step)[0]) / 2e-5
        assert root_slope[index] == pytest.approx(numeric, rel=1e-5, abs=1e-4)


def test_the_prior_is_fair_to_all_levels(choices: ChoiceData) -> None:
    coding = prior_coding(choices)
    brand = next(attribute for attribute in choices.attributes if attribute.name == "brand")
    contrasts = (brand.contrasts - brand.contrasts.mean(axis=0)) @ coding
    assert contrasts @ contrasts.T == pytest.approx(np.eye(3) - 1 / 3)


def test_price_in_another_unit_gives_the_same_money(people: tuple[ChoiceData, np.ndarray]) -> None:
    data = people[0]
    cents = replace(data, X=data.X * np.array([1, 1, 100.0]))
    plain, other = (HierarchicalLogit(d, signs={"price": -1}).fit(**SHORT) for d in (data, cents))
    assert other.draws * np.array([1, 1, 100]) == pytest.approx(plain.draws, rel=1e-3, abs=1e-4)


def test_separated_answers_are_no_obstacle() -> None:
    frame = simulate(respondents=40)
    best = frame.groupby(["respondent", "choice_task"])["price"].transform("min")
    cheapest = frame["price"].eq(best).astype(int)
    first = cheapest.groupby([frame["respondent"], frame["choice_task"]]).cumsum()
    data = ChoiceData.from_long(frame.assign(chosen=cheapest * first.eq(1)), FORMULA)
    fit = HierarchicalLogit(data, signs={"price": -1}).fit(**SHORT)
    assert np.isfinite(fit.draws).all()
    assert np.isfinite(fit.llf)


def test_pooled_start_solves_its_equation(people: tuple[ChoiceData, np.ndarray]) -> None:
    problem = HierarchicalLogit(people[0]).problem
    mode, information = pooled_mode(*problem.choices)
    n, k, _ = problem.shape
    gradients = np.empty((n, k))
    kernel.loglikes(*problem.choices, np.tile(mode, (n, 1)), np.zeros(k), gradients, problem.workspace(), np.empty(n))
    assert gradients.sum(axis=0) - mode / 25 == pytest.approx(np.zeros(k), abs=1e-3)
    assert np.linalg.eigvalsh(information)[0] > 0


def test_results_are_complete(fit: HierarchicalResults, people: tuple[ChoiceData, np.ndarray]) -> None:
    data = people[0]
    assert fit.individual.index.tolist() == data.respondents.tolist()
    assert fit.draws.shape[1:] == (120, 3)
    assert set(fit.chain) == {0, 1}
    assert fit.llnull == pytest.approx(-len(data.starts) * np.log(3))
    assert fit.llnull < fit.llf < 0
    assert ((fit.rlh > 0.2) & (fit.rlh < 1)).all()
    text = fit.summary().as_text()
    assert "Hierarchical Bayes logit" in text
    assert "quality" in text
    simulated = fit.simulate(100)
    assert simulated.values.shape == (100, 120, 3)
    assert simulated.weights.sum(axis=1) == pytest.approx(np.ones(100))


def test_figures_are_about_customers_or_about_the_respondents_alone(fit: HierarchicalResults) -> None:
    alone = replace(fit, generalise=False)
    assert (alone.simulate().weights == 1 / 120).all()
    assert np.array_equal(alone.simulate().values, fit.simulate().values)
    worth = [
        (d.weights * (d.values[..., 0] / -d.values[..., 2])).sum(axis=1) for d in (fit.simulate(), alone.simulate())
    ]
    own = (fit.draws[..., 0] / fit.draws[..., 2]).var(axis=1).mean()
    # Who was asked adds the variance of a mean of 120 respondents.
    assert worth[0].var() - worth[1].var() == pytest.approx(own / 120, rel=0.4)


def test_respondents_may_stand_for_more_customers_than_others(fit: HierarchicalResults) -> None:
    everybody, many = np.ones(120, dtype=bool), np.where(np.arange(120) < 30, 5.0, 1.0)
    plain, weighted = fit.segment(everybody).simulate(), fit.segment(everybody, many).simulate()
    expected = plain.weights * many
    assert weighted.weights == pytest.approx(expected / expected.sum(axis=1, keepdims=True))
    assert weighted.weights[:, :30].sum(axis=1).mean() == pytest.approx(150 / 240, abs=0.02)


def test_holdout_is_held_against_pooled_and_chance(
    fit: HierarchicalResults, people: tuple[ChoiceData, np.ndarray]
) -> None:
    data, tastes = people
    rng = np.random.default_rng(77)
    X = rng.choice([0.0, 1.0, 2.0], data.X.shape)
    v = np.einsum("ak,ak->a", X, tastes[data.respondent[data.task_of_row]]) + rng.gumbel(size=len(X))
    later = replace(data, X=X, chosen=data.starts + v.reshape(-1, 3).argmax(axis=1))
    table = fit.holdout(later).table
    assert list(table.index) == ["model", "pooled", "chance"]
    assert table["hit_rate"].is_monotonic_decreasing
    assert table["log_score"].is_monotonic_decreasing
    assert table.loc["chance", "log_score"] == pytest.approx(-np.log(3))


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"signs": {"colour": -1}}, "colour"),
        ({"signs": {"price": 2}}, "2"),
        ({"signs": {"price": 1}}, "did not drive"),
        ({"coding": "effects"}, "effects"),
        ({"prior": HierarchicalPrior(mean_precision=-1)}, "mean_precision"),
        ({"prior": HierarchicalPrior(degrees_of_freedom=2)}, "degrees_of_freedom"),
        ({"prior": HierarchicalPrior(scale={"colour": 1.0})}, "colour"),
        ({"prior": HierarchicalPrior(scale=-1.0)}, "positive"),
    ],
)
def test_what_cannot_be_is_refused(
    people: tuple[ChoiceData, np.ndarray], arguments: dict[str, object], found: str
) -> None:
    with pytest.raises((DataError, EstimationError), match=found):
        HierarchicalLogit(people[0], **arguments)


@pytest.mark.parametrize("arguments", [{"draws": 1}, {"warmup": -1}, {"chains": 0}, {"keep": 1}, {"stop": "soon"}])
def test_impossible_amounts_are_refused(people: tuple[ChoiceData, np.ndarray], arguments: dict[str, object]) -> None:
    with pytest.raises(EstimationError, match=next(iter(arguments))):
        HierarchicalLogit(people[0]).fit(**arguments)
