"""Slips in choosing: the repeated choice task measures them, and the true part-worths come back from answers full of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wtp.errors import EstimationError
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.estimation.response_error import Reliability, without_slips

TRUE = np.array([0.9, -0.6, 0.5, -0.12])
NAMES = ["a", "b", "c", "price"]


def answered(
    seed: int, *, people: int = 400, tasks: int = 8, alternatives: int = 3, slips: float = 0.2
) -> tuple[ChoiceData, pd.Series]:
    """Everybody has the preferences TRUE in each task, stated with slips; the first task is asked twice."""
    rng = np.random.default_rng(seed)
    shape = (people, tasks, alternatives)
    X = np.concatenate([rng.integers(0, 2, (*shape, 3)), 5.0 * rng.integers(0, 5, (*shape, 1))], axis=3)
    preferred = (X @ TRUE + rng.gumbel(size=shape)).argmax(axis=2)

    def stated(wanted: np.ndarray) -> np.ndarray:
        other = (wanted + rng.integers(1, alternatives, wanted.shape)) % alternatives
        return np.where(rng.random(wanted.shape) < slips, other, wanted)

    chosen, again = stated(preferred), stated(preferred[:, 0])
    frame = pd.DataFrame(X.reshape(-1, 4), columns=NAMES)
    frame["respondent"] = np.repeat(np.arange(people), tasks * alternatives)
    frame["choice_task"] = np.tile(np.repeat(np.arange(tasks), alternatives), people)
    frame["chosen"] = (np.arange(alternatives) == chosen[..., None]).ravel().astype(int)
    return ChoiceData.from_long(frame, " + ".join(NAMES)), pd.Series((again == chosen[:, 0]).astype(float))


def raw(data: ChoiceData) -> np.ndarray:
    return np.asarray(ConditionalLogit(data).fit().params, dtype=float)


def test_two_alternatives_give_the_published_formula() -> None:
    """Clayton et al.: agreement (1 - t)^2 + t^2, so t = (1 - sqrt(1 - 2 (1 - agreement))) / 2; effects shrink by 1 - 2 t."""
    for agreement in (0.6, 0.75, 0.82, 1.0):
        found = Reliability(100, agreement, 0.5)
        t = (1 - np.sqrt(1 - 2 * (1 - agreement))) / 2
        assert found.slips == pytest.approx(t)
        assert found.attenuation == pytest.approx(1 - 2 * t)


@pytest.mark.parametrize("alternatives", [2, 3, 4])
def test_agreement_follows_from_the_slips(alternatives: int) -> None:
    e = 0.15
    agreement = (1 - e) ** 2 + e**2 / (alternatives - 1)
    assert Reliability(100, agreement, 1 / alternatives).slips == pytest.approx(e)


@pytest.mark.parametrize("alternatives", [2, 3, 4])
def test_true_effects_come_back_from_noisy_answers(alternatives: int) -> None:
    data, agreed = answered(alternatives, people=1500, alternatives=alternatives)
    start = raw(data)
    found = without_slips(data, agreed, start)
    assert (np.abs(start / TRUE) < 0.75).all(), "slips shrink every part-worth"
    assert (np.abs(found.params - TRUE) < 3 * found.table["std_error"]).all()
    assert np.abs(found.params / TRUE - 1).max() < 0.2
    assert found.reliability.slips == pytest.approx(0.2, abs=0.03)


def test_intervals_carry_the_uncertainty_of_the_agreement() -> None:
    """Over 60 studies errors in units of the stated one have a spread of 1; without the agreement's part it is 1.3 (tried)."""
    z = []
    for seed in range(60):
        data, agreed = answered(100 + seed, people=200)
        found = without_slips(data, agreed, raw(data))
        z.append((found.params - TRUE) / found.table["std_error"])
    spread = np.std(np.array(z), axis=0)
    assert (spread > 0.75).all()
    assert (spread < 1.25).all()


def test_nothing_changes_where_nobody_slips() -> None:
    data, agreed = answered(7, slips=0.0)
    assert agreed.mean() == 1
    np.testing.assert_allclose(without_slips(data, agreed, raw(data)).params, raw(data), rtol=0.05)


def test_worth_in_money_hardly_changes() -> None:
    data, agreed = answered(8, people=1500)
    start, found = raw(data), without_slips(data, agreed, raw(data)).params
    np.testing.assert_allclose(found[:3] / found[3], start[:3] / start[3], rtol=0.15)


def test_what_cannot_be_corrected_is_refused_in_words() -> None:
    data, agreed = answered(9, people=60)
    with pytest.raises(EstimationError, match="29 answers; allowed: at least 30"):
        without_slips(data, agreed.iloc[:29], raw(data))
    with pytest.raises(EstimationError, match="too near to chance"):
        without_slips(data, agreed * 0 + (np.arange(60) % 3 == 0), raw(data))
