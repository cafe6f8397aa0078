"""Simulated answers to given tasks: every estimator finds the tastes that it was given, and careless respondents do what their name says."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from tests.estimation.conftest import FORMULA, simulate
from tests.estimation.test_none_and_available import with_none
from wtp.errors import DataError
from wtp.estimation import ChoiceData, ConditionalLogit, HierarchicalLogit, LatentClassLogit, MixedLogit
from wtp.estimation.synthetic_choices import (
    ALWAYS_LEFT,
    ALWAYS_NONE,
    BY_TASTE,
    PRICE_ONLY,
    RANDOM,
    answer,
    class_tastes,
    equal_tastes,
    normal_tastes,
)

MEAN = np.array([0.5, 1.0, 0.8, -1.0])


@pytest.fixture(scope="module")
def tasks() -> ChoiceData:
    frame = simulate(400, 8, seed=9)
    return ChoiceData.from_long(
        frame.assign(branch=np.where(frame["respondent"] % 2, "odd", "even")), FORMULA, covariates=["branch"]
    )


def test_the_conditional_logit_finds_equal_tastes(tasks: ChoiceData) -> None:
    fit = ConditionalLogit(answer(tasks, equal_tastes(400, MEAN), seed=1).data).fit()
    assert (np.abs(fit.params - MEAN) < 3.3 * fit.bse).all()


def test_the_mixed_logit_finds_normal_tastes(tasks: ChoiceData) -> None:
    tastes = normal_tastes(400, MEAN, np.diag([0.0, 0.0, 1.0, 0.0]), seed=2)
    fit = MixedLogit(answer(tasks, tastes, seed=2).data, {"wifi": "normal"}).fit(256)
    truth = np.append(MEAN, 1.0)
    assert (np.abs(np.abs(fit.params) - np.abs(truth)) < 3.3 * fit.bse).all()


def test_latent_classes_find_classes(tasks: ChoiceData) -> None:
    classes = np.array([[0.5, 1.0, 2.0, -0.3], [1.5, 2.5, 0.0, -2.0]])
    tastes, member = class_tastes(400, classes, np.array([0.6, 0.4]), seed=3)
    assert (member == 0).mean() == pytest.approx(0.6, abs=0.08)
    fit = LatentClassLogit(answer(tasks, tastes, seed=3).data, 2).fit(5)
    found = fit.class_params.to_numpy().T
    order = np.argsort(-found[:, 3])
    assert np.abs(found[order] - classes).max() < 0.8
    assigned = fit.membership.to_numpy().argmax(axis=1)
    assert np.mean(assigned == order[member]) > 0.85


def test_the_hierarchical_logit_finds_signed_tastes_that_a_covariate_moves(tasks: ChoiceData) -> None:
    covariance = np.diag([0.3, 0.3, 0.3, 0.2])
    z = (np.arange(400) % 2 - 0.5)[:, None]
    tastes = normal_tastes(
        400,
        [*MEAN[:3], 0.2],
        covariance,
        signs=np.array([0, 0, 0, -1]),
        effects=np.array([[0, 0, 1.2, 0.0]]),
        z=z,
        seed=4,
    )
    assert (tastes[:, 3] < 0).all()
    data = answer(tasks, tastes, seed=4).data
    fit = HierarchicalLogit(data, signs={"price": -1}, covariates=["branch"]).fit(draws=500, warmup=500, stop=None)
    table = fit.population.T
    assert table.loc["wifi[T.yes]", "mean"] == pytest.approx(0.8, abs=4 * table.loc["wifi[T.yes]", "std_error"])
    effect = fit.covariate_effects.set_index("parameter").loc["wifi[T.yes]"]
    assert effect["low"] < 1.2 < effect["high"]
    assert np.corrcoef(fit.individual["wifi[T.yes]"], tastes[:, 2])[0, 1] > 0.6


def test_careless_respondents_do_what_their_name_says() -> None:
    frame = with_none(500)
    tasks = ChoiceData.from_long(frame, f"{FORMULA} + none")
    shares = {RANDOM: 0.2, ALWAYS_LEFT: 0.2, ALWAYS_NONE: 0.2, PRICE_ONLY: 0.2}
    found = answer(tasks, equal_tastes(500, np.append(MEAN, -0.5)), careless=shares, seed=5)
    data = found.data
    place = data.chosen - data.starts
    who = found.behaviour[data.respondent]
    for name in (BY_TASTE, *shares):
        assert (found.behaviour == name).mean() == pytest.approx(0.2, abs=0.07)
    assert (place[who == ALWAYS_LEFT] == 0).all()
    assert (place[who == ALWAYS_NONE] == 3).all()
    assert (place[who == PRICE_ONLY] != 3).all()
    counts = np.bincount(place[who == RANDOM], minlength=4) / (who == RANDOM).sum()
    assert counts == pytest.approx(np.full(4, 0.25), abs=0.06)
    price = np.where(data.X[:, 4] == 1, np.inf, data.X[:, 3])
    cheapest = np.minimum.reduceat(price, data.starts)
    assert (price[data.chosen] == cheapest)[who == PRICE_ONLY].all()
    ties = np.add.reduceat((price == np.repeat(cheapest, data.sizes)).astype(int), data.starts) > 1
    assert len(set(place[(who == PRICE_ONLY) & ties])) > 1


def test_equal_seeds_give_equal_answers_and_the_given_choices_do_not_matter(tasks: ChoiceData) -> None:
    tastes = equal_tastes(400, MEAN)
    first = answer(tasks, tastes, seed=6).data.chosen
    assert np.array_equal(first, answer(tasks.with_chosen(tasks.starts), tastes, seed=6).data.chosen)
    assert not np.array_equal(first, answer(tasks, tastes, seed=7).data.chosen)


@pytest.mark.parametrize(
    ("careless", "words"),
    [
        ({"bored": 0.1}, "careless: found 'bored'; allowed: random, always left"),
        ({RANDOM: 0.6, ALWAYS_LEFT: 0.6}, "shares 0.6, 0.6; allowed: 0 to 1, together at most 1"),
        ({ALWAYS_NONE: 0.1}, "the tasks have no none option"),
    ],
)
def test_what_cannot_be_simulated(careless: dict[str, float], words: str, tasks: ChoiceData) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        answer(tasks, equal_tastes(400, MEAN), careless=careless)


def test_shapes_and_a_missing_price_are_named(tasks: ChoiceData) -> None:
    with pytest.raises(DataError, match=re.escape("tastes of shape (3, 4); allowed: (400, 4)")):
        answer(tasks, equal_tastes(3, MEAN))
    frame: pd.DataFrame = simulate(10)
    without = ChoiceData.from_long(frame, "brand + wifi")
    with pytest.raises(DataError, match="no linear price"):
        answer(without, equal_tastes(10, MEAN[:3]), careless={PRICE_ONLY: 0.5})
