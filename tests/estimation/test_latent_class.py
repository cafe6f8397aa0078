"""Latent classes: the likelihood and its derivatives, known optima, invariances, memberships, what happens where a class has no bounds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.tools.numdiff import approx_fprime

from benchmarks.latent_class import TASTES, coded, coverage, match, recovery, study
from tests.estimation.conftest import FORMULA, GOLDEN, golden_choices, simulate
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit, class_selection
from wtp.estimation.class_selection import NEAR, ClassSelection, select_classes
from wtp.estimation.draws import normal_draws
from wtp.estimation.latent_class import LatentClassLogit, StartProgress
from wtp.estimation.latent_results import LatentClassResults

REFERENCE: dict[str, Any] = json.loads((GOLDEN / "latent_class.json").read_text(encoding="utf-8"))
ELECTRICITY = {  # what many starts of other programs found at best
    2: (-4526.829037, [0.513580, 0.486420]),
    3: (-4298.027539, [0.393960, 0.314625, 0.291414]),
    4: (-4138.636569, [0.28205, 0.26421, 0.23476, 0.21897]),
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return study(150, 3, covariates=True)[0]


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> LatentClassResults:
    return LatentClassLogit(coded(frame), 3).fit(starts=4)


@pytest.fixture(scope="module")
def with_covariates(frame: pd.DataFrame) -> LatentClassResults:
    return LatentClassLogit(coded(frame), 2, ["company", "years"]).fit(starts=4)


@pytest.fixture(scope="module", params=[2, 3, 4])
def electricity(request: pytest.FixtureRequest) -> LatentClassResults:
    return LatentClassLogit(golden_choices("electricity"), request.param).fit(starts=10, seed=1)


@pytest.fixture(scope="module")
def selection() -> ClassSelection:
    return select_classes(coded(study(200, 8)[0]), range(1, 5), starts=4)


def ragged_model() -> LatentClassLogit:
    """Tasks of 2 to 5 alternatives, weights, a covariate."""
    frame = simulate(ragged=True, seed=2).assign(
        weight=lambda f: 1.0 + f["respondent"] % 3, age=lambda f: 20 + f["respondent"]
    )
    data = ChoiceData.from_long(frame, FORMULA, weights="weight", covariates=["age"])
    return LatentClassLogit(data, 3, ["age"])


def by_hand(model: LatentClassLogit, params: np.ndarray) -> tuple[float, np.ndarray]:
    """Log-likelihood and posterior memberships (N, C), respondent by respondent."""
    data, classes, k = model.choices, model.classes, len(model.choices.names)
    weights = np.ones(len(data.respondents)) if data.weights is None else data.weights
    total, posterior = 0.0, np.empty((len(data.respondents), classes))
    named = pd.Series(params, index=model.labels)
    for i in range(len(data.respondents)):
        mass = np.ones(classes)
        for c in range(1, classes + 1):
            own = named[named.index.get_level_values(0) == c].to_numpy()
            mass[c - 1] = np.exp(model.mixture.Z[i] @ own[k:]) if c > 1 else 1.0
        mass /= mass.sum()
        for c in range(1, classes + 1):
            beta = named[named.index.get_level_values(0) == c].to_numpy()[:k]
            for t in np.flatnonzero(data.respondent == i):
                rows = slice(data.starts[t], data.starts[t] + data.sizes[t])
                e = np.exp(data.X[rows] @ beta)
                mass[c - 1] *= e[data.chosen[t] - data.starts[t]] / e.sum()
        total += weights[i] * np.log(mass.sum())
        posterior[i] = mass / mass.sum()
    return total, posterior


def test_likelihood_written_out() -> None:
    model = ragged_model()
    params = np.random.default_rng(0).normal(scale=0.7, size=len(model.labels))
    total, posterior = by_hand(model, params)
    assert model.loglike(params) == pytest.approx(total, rel=1e-12)
    assert model._point(params).posterior == pytest.approx(posterior, rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_derivatives(seed: int) -> None:
    model = ragged_model()
    params = np.random.default_rng(seed).normal(scale=0.7, size=len(model.labels))
    assert model.score(params) == pytest.approx(approx_fprime(params, model.loglike, centered=True), rel=1e-6, abs=1e-6)
    numerical = approx_fprime(params, model.score, centered=True)
    assert model.hessian(params) == pytest.approx(numerical, rel=1e-6, abs=1e-5)


def test_derivatives_under_the_weak_prior() -> None:
    mixture = ragged_model().mixture.with_ridge()
    theta = np.random.default_rng(0).normal(size=3 * 4 + 2 * 2)

    def objective(at: np.ndarray) -> float:
        return mixture.at(*mixture.split(at)).objective

    def gradient(at: np.ndarray) -> np.ndarray:
        return mixture.gradient(mixture.at(*mixture.split(at)))

    point = mixture.at(*mixture.split(theta))
    assert point.objective < point.loglike
    assert gradient(theta) == pytest.approx(approx_fprime(theta, objective, centered=True), rel=1e-6, abs=1e-6)
    numerical = -approx_fprime(theta, gradient, centered=True)
    assert mixture.negative_hessian(point) == pytest.approx(numerical, rel=1e-6, abs=1e-5)


def test_one_class_is_the_conditional_logit(frame: pd.DataFrame) -> None:
    data = coded(frame)
    one, pooled = LatentClassLogit(data, 1).fit(), ConditionalLogit(data).fit()
    assert one.llf == pytest.approx(pooled.llf, rel=1e-12)
    assert one.bic == pytest.approx(pooled.bic, rel=1e-12)
    assert one.params.to_numpy() == pytest.approx(pooled.params.to_numpy(), rel=1e-8)
    assert one.cov_params().to_numpy() == pytest.approx(pooled.cov_params().to_numpy(), rel=1e-7)
    assert one.shares.tolist() == [1.0]
    assert one.entropy_r2 == 1
    assert {note.code for note in one.notes} == {note.code for note in pooled.notes}


def test_electricity_figures(electricity: LatentClassResults) -> None:
    loglike, shares = ELECTRICITY[len(electricity.shares)]
    assert electricity.llf == pytest.approx(loglike, abs=2e-5)
    assert electricity.llf >= loglike
    assert electricity.shares.tolist() == pytest.approx(shares, abs=2e-4)
    assert electricity.best_found >= 2
    assert electricity.converged
    assert not electricity.ridge


@pytest.mark.parametrize("program", ["biogeme", "scipy, other parametrisation"])
def test_electricity_as_other_programs_have_it(program: str, electricity: LatentClassResults) -> None:
    theirs = REFERENCE[f"{len(electricity.shares)} classes"][program]
    ours = electricity.class_params.loc[REFERENCE["names"]]
    assert electricity.llf == pytest.approx(theirs["log_likelihood"], abs=1e-5)
    assert electricity.shares.tolist() == pytest.approx(theirs["shares"], abs=1e-4)
    errors = electricity.class_errors.loc[REFERENCE["names"]]
    # They stop their search a little early: coefficients within thousandths of their standard errors.
    assert np.abs((ours.to_numpy().T - np.array(theirs["params"])) / errors.to_numpy().T).max() < 5e-3


def test_electricity_errors_as_biogeme_has_them(electricity: LatentClassResults) -> None:
    theirs = REFERENCE[f"{len(electricity.shares)} classes"]["biogeme"]
    people, tasks, count = electricity.respondents, electricity.choice_tasks, electricity.df_model
    correction = np.sqrt(people / (people - 1) * (tasks - 1) / (tasks - count))
    ours = electricity.class_errors.loc[REFERENCE["names"]].to_numpy().T
    assert ours == pytest.approx(correction * np.array(theirs["robust_std_errors"]), rel=2e-3)


def test_the_gradient_is_zero_and_the_hessian_negative(fitted: LatentClassResults) -> None:
    model, params = fitted.model, fitted.params.to_numpy()
    step = fitted.cov_params().to_numpy() @ model.score(params)
    assert np.abs(step / fitted.bse.to_numpy()).max() < 1e-6
    assert np.linalg.eigvalsh(model.hessian(params))[-1] < 0


def test_memberships_follow_bayes(with_covariates: LatentClassResults) -> None:
    posterior = by_hand(with_covariates.model, with_covariates.params.to_numpy())[1]
    assert with_covariates.membership.to_numpy() == pytest.approx(posterior, rel=1e-9, abs=1e-12)
    # At the optimum the mean posterior is the mean prior.
    assert with_covariates.membership.mean().to_numpy() == pytest.approx(with_covariates.shares.to_numpy(), abs=1e-6)


def test_classes_stand_in_the_order_of_their_shares(fitted: LatentClassResults) -> None:
    assert fitted.shares.is_monotonic_decreasing
    assert fitted.shares.sum() == pytest.approx(1)
    assert list(fitted.shares.index) == [1, 2, 3]
    assert fitted.classes["share"].tolist() == fitted.shares.tolist()
    assert fitted.classes.loc[2, "price"] == fitted.params[2, "price"] == fitted.class_params.loc["price", 2]


@pytest.mark.parametrize("cores", [1, 2])
def test_the_same_seed_gives_the_same_figures(cores: int, frame: pd.DataFrame, fitted: LatentClassResults) -> None:
    again = LatentClassLogit(coded(frame), 3).fit(starts=4, cores=cores)
    pd.testing.assert_series_equal(again.params, fitted.params, check_exact=True)
    pd.testing.assert_frame_equal(again.starts, fitted.starts, check_exact=True)


def test_individual_part_worths_and_rlh(fitted: LatentClassResults) -> None:
    expected = fitted.membership.to_numpy() @ fitted.class_params.to_numpy().T
    assert fitted.individual[list(fitted.data.names)].to_numpy() == pytest.approx(expected)
    data, first = fitted.data, np.flatnonzero(fitted.data.respondent == 0)
    logs = []
    for t in first:
        e = np.exp(data.X[data.starts[t] : data.starts[t] + data.sizes[t]] @ fitted.class_params.to_numpy())
        chosen = e[data.chosen[t] - data.starts[t]] / e.sum(axis=0)
        logs.append(np.log(chosen @ fitted.membership.iloc[0].to_numpy()))
    assert fitted.individual["rlh"].iloc[0] == pytest.approx(np.exp(np.mean(logs)))
    assert (fitted.individual["rlh"].mean()) > 0.25


def assert_same(one: LatentClassResults, two: LatentClassResults, unit: float = 1.0) -> None:
    """The same optimum, and the same money value of wifi, class by class."""
    assert two.llf == pytest.approx(one.llf, rel=1e-10)
    assert two.shares.to_numpy() == pytest.approx(one.shares.to_numpy(), abs=1e-6)
    money = [fit.class_params.loc["wifi[T.yes]"] / fit.class_params.loc["price"] for fit in (one, two)]
    assert money[1].to_numpy() / unit == pytest.approx(money[0].to_numpy(), rel=1e-5)
    assert two.class_errors.loc["price"].to_numpy() * unit == pytest.approx(
        one.class_errors.loc["price"].to_numpy(), rel=1e-5
    )


def test_the_order_of_rows_does_not_matter(frame: pd.DataFrame, fitted: LatentClassResults) -> None:
    shuffled = frame.sample(frac=1, random_state=1)
    assert_same(fitted, LatentClassLogit(coded(shuffled), 3).fit(starts=4))


@pytest.mark.parametrize("unit", [1e-9, 100.0, 1e6])
def test_the_unit_of_the_price_does_not_matter(unit: float, frame: pd.DataFrame, fitted: LatentClassResults) -> None:
    other = LatentClassLogit(coded(frame.assign(price=frame["price"] * unit)), 3).fit(starts=4)
    assert_same(fitted, other, unit)
    # The same starts inside, whatever the unit.
    assert other.starts["log_likelihood"].to_numpy() == pytest.approx(
        fitted.starts["log_likelihood"].to_numpy(), rel=1e-9
    )


def test_the_base_level_does_not_matter(frame: pd.DataFrame, fitted: LatentClassResults) -> None:
    changed = frame.assign(
        brand=pd.Categorical(frame["brand"], categories=["known", "a new one"]),
        speed=pd.Categorical(frame["speed"], categories=["slow", "fast"]),
    )
    other = LatentClassLogit(coded(changed), 3).fit(starts=4)
    assert_same(fitted, other)
    assert other.class_params.loc["brand[T.a new one]"].to_numpy() == pytest.approx(
        -fitted.class_params.loc["brand[T.known]"].to_numpy(), abs=1e-5
    )


def test_whole_weights_are_repeated_respondents(frame: pd.DataFrame) -> None:
    weighted = frame.assign(weight=np.where(frame["respondent"] < 40, 2.0, 1.0))
    first = frame[frame["respondent"] < 40]
    repeated = pd.concat([frame, first.assign(respondent=first["respondent"] + 1000)])
    columns = {"weights": "weight", "covariates": ["company", "years"]}
    data = ChoiceData.from_long(weighted, "brand + speed + wifi + price + none", **columns)
    one = LatentClassLogit(data, 2).fit(starts=3)
    two = LatentClassLogit(coded(repeated), 2).fit(starts=3)
    assert one.params.to_numpy() == pytest.approx(two.params.to_numpy(), rel=1e-5, abs=1e-7)
    assert one.shares.to_numpy() == pytest.approx(two.shares.to_numpy(), abs=1e-7)


def test_three_classes_are_found_again() -> None:
    table = recovery(studies=2, respondents=300, numbers=(2, 3, 4), starts=4)
    assert (table["classes"] == 3).all()
    assert (table["share_error"] < 0.07).all()
    assert (table["largest_z"] < 4).all()
    assert (table["members_right"] > 0.8).all()


def test_intervals_and_spread_of_estimates() -> None:
    """40 studies: the spread of one estimate is known to 11 per cent, coverage of all 22 intervals together to about 1."""
    table = coverage(studies=40, respondents=250, starts=2)
    assert 0.91 <= table["covered"].mean() <= 0.98
    assert table["covered"].min() >= 0.8
    assert (table["mean_error"] / table["spread"]).median() == pytest.approx(1, abs=0.12)


def test_membership_covariates() -> None:
    frame, truth = study(600, 4, covariates=True)
    fit = LatentClassLogit(coded(frame), 3, ["company", "years"]).fit(starts=4)
    plain = LatentClassLogit(coded(frame), 3).fit(starts=4)
    assert fit.llf > plain.llf + 20
    assert fit.df_model == plain.df_model + 4
    labels = match(fit)
    # Against the true first class, large companies are more often in the second, old customers in the third.
    effect = {
        (c, name): fit.params.get((labels[c], f"membership:{name}"), 0.0)
        - fit.params.get((labels[0], f"membership:{name}"), 0.0)
        for c in (1, 2)
        for name in ("company[T.large]", "years")
    }
    assert effect[1, "company[T.large]"] == pytest.approx(0.9, abs=0.75)
    assert effect[2, "years"] == pytest.approx(0.8, abs=0.5)
    assert np.bincount(truth)[np.argsort(labels)].tolist() == sorted(np.bincount(truth), reverse=True)


def test_simulate_follows_the_joint_covariance(with_covariates: LatentClassResults) -> None:
    fit = with_covariates
    draws = fit.simulate(20_000, seed=3)
    k = len(fit.data.names)
    assert draws.values.shape == (20_000, 2, k)
    assert draws.weights.shape == (20_000, 2)
    assert draws.weights.sum(axis=1) == pytest.approx(np.ones(20_000))
    assert draws.values.std(axis=0) == pytest.approx(fit.class_errors.to_numpy().T, rel=0.03)
    assert draws.values.mean(axis=0) == pytest.approx(fit.class_params.to_numpy().T, abs=0.02)
    assert draws.weights.std(axis=0) == pytest.approx(fit.classes["std_error"].to_numpy(), rel=0.05)
    # A draw of the membership coefficients gives every respondent a probability of his own; the shares are their means.
    drawn = normal_draws(fit.params.to_numpy(), fit.cov_params().to_numpy(), 20_000, 3)[7]
    delta = drawn[fit.params.index.get_level_values("parameter").str.startswith("membership")]
    second = 1 / (1 + np.exp(-(fit.model.mixture.Z @ delta)))
    assert draws.weights[7] == pytest.approx([1 - second.mean(), second.mean()])
    covariance = fit.cov_params().loc[(1, "price"), (2, "price")]
    price = fit.data.names.index("price")
    assert np.cov(draws.values[:, 0, price], draws.values[:, 1, price])[0, 1] == pytest.approx(covariance, rel=0.05)
    assert np.array_equal(fit.simulate(10, seed=5).values, fit.simulate(10, seed=5).values)
    assert not np.array_equal(fit.simulate(10, seed=5).values, fit.simulate(10, seed=6).values)


def test_labels_and_tests(fitted: LatentClassResults) -> None:
    assert fitted.params.loc[1].index.tolist() == list(fitted.data.names)
    assert fitted.params.loc[2].index.tolist() == [*fitted.data.names, "membership:constant"]
    test = fitted.t_test("1:price = 2:price")
    difference = fitted.params[1, "price"] - fitted.params[2, "price"]
    assert test.effect.item() == pytest.approx(difference)
    covariance = fitted.cov_params().loc[[(1, "price"), (2, "price")], [(1, "price"), (2, "price")]].to_numpy()
    assert test.sd.item() == pytest.approx(np.sqrt([1, -1] @ covariance @ [1, -1]))
    interval = fitted.conf_int(alpha=0.1)
    assert interval.loc[(3, "none")].tolist() == pytest.approx(
        [fitted.params[3, "none"] + z * fitted.bse[3, "none"] for z in (-1.644854, 1.644854)], rel=1e-6
    )
    assert fitted.tvalues[3, "none"] == pytest.approx(fitted.params[3, "none"] / fitted.bse[3, "none"])
    assert fitted.pvalues.between(0, 1).all()


def test_criteria(fitted: LatentClassResults) -> None:
    p, n, deviance = 3 * 5 + 2, 150, -2 * fitted.llf
    assert fitted.df_model == p
    assert fitted.aic == pytest.approx(deviance + 2 * p)
    assert fitted.aic3 == pytest.approx(deviance + 3 * p)
    assert fitted.bic == pytest.approx(deviance + np.log(n) * p)
    assert fitted.caic == pytest.approx(deviance + (np.log(n) + 1) * p)
    h = fitted.membership.to_numpy()
    assert fitted.entropy_r2 == pytest.approx(1 - (-h * np.log(h)).sum() / (n * np.log(3)))
    assert fitted.llnull == pytest.approx(-1500 * np.log(4))
    assert (fitted.respondents, fitted.choice_tasks, fitted.alternatives) == (150, 1500, 6000)


def test_results_are_read_only_and_print(fitted: LatentClassResults) -> None:
    with pytest.raises(AttributeError, match="read-only"):
        fitted.params = 1
    with pytest.raises(AttributeError, match="read-only"):
        fitted.llf = 1
    text = str(fitted.summary())
    assert f"{fitted.llf:.6f}" in text
    assert f"{fitted.params[2, 'price']:.4f}" in text
    assert f"Class 3: {fitted.shares[3]:.1%}" in text


def test_predict(fitted: LatentClassResults, frame: pd.DataFrame) -> None:
    p = fitted.predict()
    assert np.add.reduceat(p, fitted.data.starts) == pytest.approx(np.ones(1500))
    other = coded(frame[frame["choice_task"] < 2])
    assert fitted.predict(other)[:4] == pytest.approx(p[:4])
    with pytest.raises(DataError, match="code both with one formula"):
        fitted.predict(ChoiceData.from_long(frame, "brand + price"))


def test_progress_is_told(frame: pd.DataFrame) -> None:
    told: list[StartProgress] = []
    LatentClassLogit(coded(frame), 2).fit(starts=3, progress=told.append)
    assert [state.done for state in told] == [1, 2, 3]
    assert told[-1].seconds_left == 0
    assert told[0].log_likelihood <= told[2].log_likelihood


def separated(seed: int = 0) -> pd.DataFrame:
    """Half of the respondents take the cheapest whatever it is, and buy nothing at all without wifi."""
    frame = study(120, seed)[0]
    half = frame["respondent"] < 60
    score = -frame["price"] - 10 * (frame["wifi"] == "no") - 5 * (frame["none"] == 1) + np.arange(len(frame)) % 4 * 1e-3
    best = score == score.groupby([frame["respondent"], frame["choice_task"]]).transform("max")
    return frame.assign(chosen=np.where(half, best.astype(int), frame["chosen"]))


def test_a_class_whose_choices_separate_is_held_back_and_said_to_be() -> None:
    fit = LatentClassLogit(coded(separated()), 2).fit(starts=4)
    assert fit.ridge
    assert fit.converged
    assert "class_without_bounds" in {note.code for note in fit.notes}
    assert np.isfinite(fit.params).all()
    assert np.isfinite(fit.bse).all()
    # What the answers do not bound is known no better than the prior says, not for sure.
    assert fit.class_params.abs().max().max() < 20
    model, params = fit.model, fit.params.to_numpy()
    forward = np.linalg.inv(model._back[:, model._order][model._order])
    precision = forward.T @ model.mixture.with_ridge().prior_precision[:, model._order][model._order] @ forward
    bread = np.linalg.inv(precision - model.hessian(params))
    scores, factor = model.score_obs(params), 120 / 119 * (1200 - 1) / (1200 - len(params))
    expected = bread @ (factor * scores.T @ scores + precision) @ bread
    assert fit.cov_params().to_numpy() == pytest.approx(expected, rel=1e-7, abs=1e-10)
    # The two kinds of respondents are told apart all the same.
    first = fit.membership.iloc[:60].mean().idxmax()
    assert fit.membership.loc[:59, first].mean() > 0.95
    assert fit.membership.loc[60:, first].mean() < 0.1
    assert np.isfinite(fit.simulate(100).values).all()


@pytest.mark.parametrize("classes", [2, 4])
def test_more_classes_than_there_are(classes: int) -> None:
    """Respondents of one mind: whatever comes out is finite."""
    data = ChoiceData.from_long(simulate(60, 8, seed=5), FORMULA)
    fit = LatentClassLogit(data, classes).fit(starts=4)
    assert np.isfinite(fit.params).all()
    assert np.isfinite(fit.bse).all()
    assert fit.llf >= ConditionalLogit(data).fit().llf - 1e-6
    assert fit.membership.to_numpy().sum(axis=1) == pytest.approx(np.ones(60))
    assert any(note.code == "small_class" for note in fit.notes)


def test_nearly_certain_choices() -> None:
    """Utilities of a thousand: choices follow them but for a few."""
    frame = simulate(80, 8, seed=6)
    utility = 1000 * ((frame["wifi"] == "yes") * 1.0 - frame["price"] / 2 * (1 + (frame["respondent"] < 40)))
    utility += np.random.default_rng(1).gumbel(size=len(frame))
    best = utility == utility.groupby([frame["respondent"], frame["choice_task"]]).transform("max")
    data = ChoiceData.from_long(frame.assign(chosen=best.astype(int)), "wifi + price")
    fit = LatentClassLogit(data, 2).fit(starts=3)
    assert fit.ridge
    assert np.isfinite(fit.params).all()
    assert np.isfinite(fit.bse).all()


def test_many_who_never_buy() -> None:
    frame = study(150, 9)[0]
    never = frame["respondent"] < 60
    data = coded(frame.assign(chosen=np.where(never, (frame["none"] == 1).astype(int), frame["chosen"])))
    fit = LatentClassLogit(data, 2).fit(starts=4)
    assert np.isfinite(fit.params).all()
    assert fit.ridge
    assert fit.class_params.loc["none"].max() > 2
    assert fit.shares.min() == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize(
    ("change", "classes", "words"),
    [
        (lambda f: f[f["respondent"] == 0], 2, "respondent"),
        (lambda f: f[f["respondent"] < 20], 4, "ask for fewer classes"),
        (lambda f: f.assign(price=2.0), 2, "price, none always change together"),
        (lambda f: f.assign(price=1.0 + (f["wifi"] == "yes")), 2, "wifi.*always change together"),
        (lambda f: f, 0, "classes: found 0"),
        (lambda f: f, 2.5, "classes: found 2.5"),
    ],
)
def test_what_cannot_be_estimated_is_refused(change: Any, classes: Any, words: str, frame: pd.DataFrame) -> None:
    with pytest.raises((EstimationError, DataError), match=words):
        LatentClassLogit(coded(change(frame)), classes)


def test_wrong_requests(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="'age' not in the choice data; found: company, years"):
        LatentClassLogit(coded(frame), 2, ["age"])
    with pytest.raises(EstimationError, match="starts: found 0"):
        LatentClassLogit(coded(frame), 2).fit(starts=0)
    with pytest.raises(EstimationError, match="classes: no number"):
        select_classes(coded(frame), [])


def test_notes(frame: pd.DataFrame) -> None:
    once = LatentClassLogit(coded(frame), 2).fit(starts=1)
    assert "found_once" in {note.code for note in once.notes}
    assert "found_once" not in {note.code for note in LatentClassLogit(coded(frame), 2).fit(starts=3).notes}
    # A price that one class does not look at is withheld there alone.
    free = study(200, 3)[0]
    TASTES_FREE = TASTES.copy()
    TASTES_FREE[:, 3] = [-1.6, 0.3, -0.5]
    data = coded(_choices(free, TASTES_FREE))
    fit = LatentClassLogit(data, 3).fit(starts=4)
    withheld = [note.segment for note in fit.notes if note.code == "price_not_negative"]
    assert withheld == [f"class {match(fit, TASTES_FREE)[1]}"]


def _choices(frame: pd.DataFrame, tastes: np.ndarray) -> pd.DataFrame:
    """The study's respondents in thirds, with other tastes."""
    X = np.column_stack([frame["brand"] == "known", frame["speed"] == "slow", frame["wifi"] == "yes", frame["price"], frame["none"]]).astype(float)  # fmt: skip
    utility = (X * tastes[frame["respondent"] % 3]).sum(axis=1) + np.random.default_rng(2).gumbel(size=len(X))
    best = utility.reshape(-1, 4).max(axis=1).repeat(4)
    return frame.assign(chosen=(utility == best).astype(int))


def test_classes_that_differ_in_consistency_alone_are_said_to() -> None:
    tastes = np.array([[0.8, -0.8, 0.6, -0.7, -1.5]] * 3) * np.array([[2.2], [0.5], [2.2]])
    fit = LatentClassLogit(coded(_choices(study(240, 3)[0], tastes)), 2).fit(starts=3)
    note = next(note for note in fit.notes if note.code == "same_tastes")
    assert note.values["factor"] == pytest.approx(0.5 / 2.2, abs=0.1)


def test_a_number_of_classes_is_chosen(selection: ClassSelection) -> None:
    table = selection.table
    assert table.columns.tolist() == [
        "classes", "log_likelihood", "parameters", "aic", "bic", "caic", "aic3", "entropy_r2", "smallest_share", "best_found_in_starts", "converged",
    ]  # fmt: skip
    assert table["classes"].tolist() == [1, 2, 3, 4]
    assert table["log_likelihood"].is_monotonic_increasing
    assert selection.classes == 3
    assert selection.best is selection.fits[3]
    assert str(selection.verdict).startswith("3 classes: the lowest BIC")
    assert selection.notes == ()


def test_numbers_with_classes_too_small_are_not_chosen() -> None:
    """100 respondents: three classes fit best, but the smallest of them is below 30."""
    data = coded(study(100, 3)[0])
    chosen = select_classes(data, (2, 3), starts=4)
    assert chosen.table["bic"].diff()[1] < -NEAR
    assert chosen.classes == 2
    assert str(chosen.verdict).startswith("2 classes: the lowest BIC")
    share = chosen.fits[3].smallest_share
    assert f"the smallest then holds {100 * share:.0f} respondents" in str(chosen.notes[0])
    none = select_classes(data, (3,), starts=4)
    assert none.classes is None
    with pytest.raises(EstimationError, match="No number of classes of 3 has classes large enough"):
        _ = none.best


def test_fewer_classes_where_they_say_as_much(monkeypatch: pytest.MonkeyPatch, selection: ClassSelection) -> None:
    monkeypatch.setattr(class_selection, "NEAR", 1e6)
    chosen, verdict, _ = class_selection._choose(selection.fits)
    assert chosen == 1
    assert "so fewer classes say as much" in str(verdict)
