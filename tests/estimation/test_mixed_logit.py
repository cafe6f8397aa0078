"""The mixed logit: xlogit's figures, its own definition, derivatives, spaces, invariances, what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.estimation.conftest import FORMULA, GOLDEN, golden_choices, simulate
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.estimation.compiled import exp_block
from wtp.estimation.mixed_logit import MixedLogit
from wtp.estimation.quasi_random import uniform_draws

RANDOM = {"wifi": "normal", "price": "-lognormal"}
NAMES = ("pf", "cl", "loc", "wk", "tod", "seas")


@pytest.fixture(scope="module")
def small() -> ChoiceData:
    return ChoiceData.from_long(simulate(respondents=60, tasks=8, ragged=True), FORMULA)


def test_electricity_is_xlogits_to_the_digit() -> None:
    reference = json.loads((GOLDEN / "mixed_logit.json").read_text())["xlogit, 500 Halton"]
    data = golden_choices("electricity")
    fit = MixedLogit(data, dict.fromkeys(NAMES, "normal")).fit(500, rule="halton", cov_type="opg")
    assert fit.llf == pytest.approx(reference["log_likelihood"], abs=1e-4)
    for name in NAMES:
        assert fit.params[name] == pytest.approx(reference["means"][name], abs=2e-3)
        assert fit.params[f"sd.{name}"] == pytest.approx(abs(reference["sds"][name]), abs=2e-3)


def test_electricity_with_2_000_draws_is_xlogits_too() -> None:
    """Begun at its 500-draw estimates, to save time: log-likelihood within 0.1 per cent, means within a tenth of a standard error."""
    record = json.loads((GOLDEN / "mixed_logit.json").read_text())
    near, reference = record["xlogit, 500 Halton"], record["xlogit, 2000 Halton"]
    start = np.array([*near["means"].values(), *map(abs, near["sds"].values())])
    fit = MixedLogit(golden_choices("electricity"), dict.fromkeys(NAMES, "normal")).fit(
        2000, rule="halton", cov_type="opg", start=start
    )
    assert fit.llf == pytest.approx(reference["log_likelihood"], rel=1e-5)
    for name in NAMES:
        assert fit.params[name] == pytest.approx(reference["means"][name], abs=0.1 * reference["std_errors"][name])
        assert fit.params[f"sd.{name}"] == pytest.approx(abs(reference["sds"][name]), rel=0.01)


@pytest.mark.parametrize("space", ["preference", "wtp"])
@pytest.mark.parametrize("correlated", [False, True])
def test_log_likelihood_is_the_definition_and_its_gradient(small: ChoiceData, space: str, correlated: bool) -> None:
    model = MixedLogit(small, RANDOM, space=space, correlated=correlated)
    model._points = model.layout.points(uniform_draws("mlhs", 60, 16, 2, 3))
    rng = np.random.default_rng(1)
    inside = model._start() + 0.3 * rng.standard_normal(len(model.layout.names))
    outside = model._scaled(inside, inward=False)
    total = 0.0
    for i in range(60):
        likelihood = []
        for b in model.layout.coefficients(outside, model._points[i]):
            v = small.X @ b
            own = np.flatnonzero(small.respondent == i)
            rows = [slice(small.starts[t], small.starts[t] + small.sizes[t]) for t in own]
            likelihood.append(
                np.prod([np.exp(v[small.chosen[t]]) / np.exp(v[r]).sum() for t, r in zip(own, rows, strict=True)])
            )
        total += np.log(np.mean(likelihood))
    assert model.loglike(inside) == pytest.approx(total, rel=1e-10)
    steps = 1e-6 * np.eye(len(inside))
    numeric = [(model.loglike(inside + h) - model.loglike(inside - h)) / 2e-6 for h in steps]
    assert model.score(inside) == pytest.approx(numeric, rel=1e-5, abs=1e-4)


def test_wtp_space_with_a_fixed_price_is_the_preference_space(small: ChoiceData) -> None:
    random = {"wifi": "normal"}
    preference = MixedLogit(small, random).fit(128)
    money = MixedLogit(small, random, space="wtp").fit(128)
    assert money.llf == pytest.approx(preference.llf, abs=1e-6)
    ratio = -preference.params["wifi[T.yes]"] / preference.params["price"]
    assert money.params["wifi[T.yes]"] == pytest.approx(ratio, rel=1e-4)
    assert np.exp(money.params["log_scale"]) == pytest.approx(-preference.params["price"], rel=1e-4)
    both = [fit.simulate(400, seed=2).values for fit in (preference, money)]
    assert both[0].mean(axis=(0, 1)) == pytest.approx(both[1].mean(axis=(0, 1)), rel=0.05, abs=0.02)


def test_price_in_cents_gives_the_same_money(small: ChoiceData) -> None:
    k = small.names.index("price")
    cents = replace(small, X=small.X * np.where(np.arange(len(small.names)) == k, 100.0, 1.0))
    plain, other = (MixedLogit(data, RANDOM).fit(128) for data in (small, cents))
    assert other.llf == pytest.approx(plain.llf, abs=1e-6)
    assert other.params["price"] == pytest.approx(plain.params["price"] - np.log(100), abs=1e-4)
    assert other.bse["price"] == pytest.approx(plain.bse["price"], rel=1e-3)
    assert other.individual["price"].to_numpy() * 100 == pytest.approx(plain.individual["price"].to_numpy(), rel=1e-3)


def test_figures_do_not_depend_on_the_cores(small: ChoiceData) -> None:
    one, three = (MixedLogit(small, RANDOM).fit(64, cores=cores) for cores in (1, 3))
    assert np.array_equal(one.params, three.params)


def test_spreads_are_positive_and_reproduce_the_log_likelihood(small: ChoiceData) -> None:
    model = MixedLogit(small, {"wifi": "normal", "brand": "normal"}, correlated=True)
    fit = model.fit(128)
    chol = model.layout.split(model._scaled(fit.params.to_numpy(), inward=True))[1]
    assert (np.diag(chol) >= 0).all()
    assert model.loglike(model._scaled(fit.params.to_numpy(), inward=True)) == pytest.approx(fit.llf, abs=1e-8)


def test_recovery_and_what_results_offer() -> None:
    rng = np.random.default_rng(5)
    people, tasks = 400, 10
    X = rng.choice([0.0, 1.0, 2.0], (people * tasks, 3, 2))
    tastes = np.column_stack([1 + 0.8 * rng.standard_normal(people), -np.exp(0.2 + 0.5 * rng.standard_normal(people))])
    person = np.repeat(np.arange(people), tasks)
    utility = np.einsum("tjk,tk->tj", X, tastes[person]) + rng.gumbel(size=X.shape[:2])
    starts = 3 * np.arange(people * tasks)
    data = ChoiceData(
        X=X.reshape(-1, 2), starts=starts, chosen=starts + utility.argmax(axis=1), respondent=person, respondents=np.arange(people),
        names=("quality", "price"), price="price",
    )  # fmt: skip
    fit = MixedLogit(data, {"quality": "normal", "price": "-lognormal"}).fit(256)
    truth = np.array([1, 0.2, 0.8, 0.5])
    assert (np.abs(fit.params - truth) < 3.5 * fit.bse).all()
    assert (fit.bse < 0.2).all()
    assert np.corrcoef(fit.individual["quality"], tastes[:, 0])[0, 1] > 0.6
    assert (fit.individual["price"] < 0).all()
    drawn = fit.simulate(200)
    assert drawn.values.shape == (200, 256, 2)
    assert (drawn.values[:, :, 1] < 0).all()
    assert fit.population.loc["mean", "quality"] == pytest.approx(1, abs=0.2)
    p = fit.predict()
    assert np.add.reduceat(p, data.starts) == pytest.approx(np.ones(len(starts)))
    assert "Mixed logit" in fit.summary().as_text()
    assert abs(fit.draws_check) < 10
    naive = MixedLogit(data, {"quality": "normal", "price": "-lognormal"}).fit(256, cov_type="nonrobust")
    assert naive.bse.to_numpy() == pytest.approx(fit.bse.to_numpy(), rel=0.25)
    with pytest.raises(AttributeError, match="read-only"):
        fit.converged = True


@pytest.mark.parametrize("distribution", ["uniform", "triangular"])
def test_bounded_spreads_stay_within_their_bounds(small: ChoiceData, distribution: str) -> None:
    fit = MixedLogit(small, {"wifi": distribution}).fit(128)
    b, s = fit.params["wifi[T.yes]"], fit.params["spread.wifi[T.yes]"]
    drawn = fit.simulate_population(fit.params.to_numpy(), 512)[:, small.names.index("wifi[T.yes]")]
    assert drawn.min() >= b - s - 1e-9
    assert drawn.max() <= b + s + 1e-9
    assert drawn.std() == pytest.approx(s / np.sqrt(3 if distribution == "uniform" else 6), rel=0.02)


def test_without_differing_tastes_it_is_the_pooled_logit() -> None:
    data = ChoiceData.from_long(simulate(respondents=80, tasks=8), FORMULA)
    pooled = ConditionalLogit(data).fit()
    fit = MixedLogit(data, {"wifi": "normal"}).fit(128)
    assert fit.llf >= pooled.llf - 1e-6
    assert fit.llf - pooled.llf < 3
    assert np.isfinite(fit.bse).all()


@pytest.mark.parametrize("rule", ["sobol", "halton", "mlhs"])
def test_draw_rules_are_even(rule: str) -> None:
    points = uniform_draws(rule, 50, 64, 2, 1)
    assert points.shape == (50, 64, 2)
    for d in range(2):
        assert stats.kstest(points[:, :, d].ravel(), "uniform").statistic < 0.01
    assert abs(np.corrcoef(points.reshape(-1, 2).T)[0, 1]) < 0.06


def test_halton_begins_where_mlogit_begins() -> None:
    first = uniform_draws("halton", 1, 1, 2, 0)[0, 0]
    assert first == pytest.approx([0.1484375, 0.4115226], abs=1e-6)  # radical inverses of 100 in bases 2 and 3


def test_the_exponential_is_that_of_the_library() -> None:
    x = np.random.default_rng(0).uniform(-708, 700, 100_003)
    out, scratch = np.empty_like(x), np.empty_like(x)
    exp_block(x, out, scratch)
    assert np.abs(out / np.exp(x) - 1).max() < 5e-16
    exp_block(np.array([-1e4, -np.inf, 0.0]), out[:3], scratch[:3])
    assert out[:2] == pytest.approx([np.exp(-708)] * 2)
    assert out[2] == 1


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"random": {}}, "no coefficient"),
        ({"random": {"colour": "normal"}}, "colour"),
        ({"random": {"wifi": "gamma"}}, "gamma"),
        ({"random": {"wifi": "normal"}, "space": "money"}, "money"),
        ({"random": {"price": "normal"}, "space": "wtp"}, "log-normal"),
        ({"random": {"wifi": "uniform", "price": "normal"}, "correlated": True}, "uniform"),
    ],
)
def test_what_cannot_be_is_refused(small: ChoiceData, arguments: dict[str, object], found: str) -> None:
    with pytest.raises((DataError, EstimationError), match=found):
        MixedLogit(small, **arguments)


def test_wtp_space_needs_a_price_that_drives(small: ChoiceData) -> None:
    turned = replace(small, X=small.X * np.where(np.array(small.names) == "price", -1.0, 1.0))
    with pytest.raises(EstimationError, match="did not drive"):
        MixedLogit(turned, {"wifi": "normal"}, space="wtp").fit(16)
    with pytest.raises(DataError, match="no price"):
        MixedLogit(replace(small, price=None), {"wifi": "normal"}, space="wtp")
