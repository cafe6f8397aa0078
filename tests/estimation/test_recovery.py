"""Simulated with known part-worths, recovered; the full table is `benchmarks/interval_coverage.py`."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.interval_coverage import TRUTH as WORTHS
from benchmarks.interval_coverage import coverage, population_worths
from tests.estimation.conftest import FORMULA, TRUTH, simulate
from wtp.estimation import ChoiceData, ConditionalLogit


@pytest.mark.parametrize("ragged", [False, True])
def test_part_worths_are_recovered(ragged: bool) -> None:
    """2,000 respondents: every estimate within three of its standard errors, and those small."""
    fit = ConditionalLogit(ChoiceData.from_long(simulate(2_000, ragged=ragged, seed=11), FORMULA)).fit()
    truth = np.array([TRUTH[name] for name in fit.params.index])
    assert (np.abs(fit.params - truth) < 3 * fit.bse).all()
    assert (fit.bse < 0.05).all()


def test_standard_errors_are_the_spread_of_the_estimates() -> None:
    fits = [ConditionalLogit(ChoiceData.from_long(simulate(60, seed=seed), FORMULA)).fit() for seed in range(150)]
    spread = np.std([fit.params for fit in fits], axis=0, ddof=1)
    # The spread of 150 estimates is itself known to 6 per cent.
    assert np.mean([fit.bse for fit in fits], axis=0) == pytest.approx(spread, rel=0.2)


@pytest.mark.parametrize("spread", [0.0, 0.6])
def test_intervals_of_wtp_cover_the_truth(spread: float) -> None:
    truth = population_worths(spread=spread, respondents=20_000)
    table = coverage(truth, spread=spread, cov_type="cluster", surveys=60, respondents=100)
    # 180 intervals of 95 per cent, those of one survey dependent: about 2.5 per cent either way is chance.
    assert 0.90 <= table["covered"].mean() <= 0.99
    assert (table["bias"].abs() < 0.25 * table["half_width"]).all()
    assert set(truth) == set(WORTHS)


@pytest.mark.parametrize("surveys", [40, pytest.param(400, marks=pytest.mark.release)])
def test_intervals_that_forget_who_answered_are_too_narrow(surveys: int) -> None:
    """150 respondents who differ much: intervals of 90 per cent hold the truth by that share, as far as so many studies tell (400: 85.5 to 94.5 per cent); the control, without clusters, does not."""
    truth, chance = population_worths(spread=0.0, apart=2.0), 3 * np.sqrt(0.9 * 0.1 / surveys)
    clustered, naive = (
        coverage(truth, spread=0.0, apart=2.0, cov_type=cov_type, surveys=surveys, confidence=0.9)["covered"]
        for cov_type in ("cluster", "nonrobust")
    )
    assert clustered.between(0.9 - chance, 0.9 + chance).all()
    assert (naive < 0.9 - chance).all()
