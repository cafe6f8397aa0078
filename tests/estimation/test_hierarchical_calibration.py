"""The sampler draws from the posterior: calibration by simulation, and three planted errors that it must show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.estimation import calibration
from wtp.estimation.hierarchical import sampler
from wtp.estimation.hierarchical.problem import Problem

Rounds = Callable[[int], int]


def statistics(
    studies: int, plant: Callable[[Problem], Problem] = lambda problem: problem, learned: float | None = None
) -> dict[str, float]:
    """Chi-square statistic of the ranks of each quantity."""
    found = np.array([calibration.ranks(seed, warmup=150, plant=plant, learned=learned) for seed in range(studies)])
    return dict(zip(calibration.QUANTITIES, calibration.chi_squares(found), strict=True))


@pytest.mark.slow
def test_true_values_rank_evenly_among_their_draws(rounds: Rounds) -> None:
    assert max(statistics(rounds(1_000)).values()) < calibration.CRITICAL


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plant", "shown_by", "studies"),
    [
        (calibration.wrong_freedom, "log_variance.x0", 10),
        (calibration.prior_ignored, "log_variance.x0", 10),
        pytest.param(calibration.last_task_dropped, "log_likelihood", 30, marks=pytest.mark.release),
    ],
)
def test_a_planted_error_is_shown(plant: Callable[[Problem], Problem], shown_by: str, studies: int) -> None:
    assert statistics(studies, plant)[shown_by] > calibration.CRITICAL


@pytest.mark.slow
@pytest.mark.release
def test_variances_whose_prior_is_learned_rank_evenly_too(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "LEARNED", 2.0)
    assert max(statistics(rounds(600), learned=2.0).values()) < calibration.CRITICAL


@pytest.mark.slow
def test_a_wrong_belief_about_the_learned_factor_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "LEARNED", 200.0)  # as good as known, to be 1
    assert statistics(10, learned=0.5)["log_variance.x0"] > calibration.CRITICAL
