"""R-hat and effective sample sizes: ArviZ's figures for the same draws, and what they say of draws that are easy to judge."""

from __future__ import annotations

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy.signal import lfilter

from wtp.estimation import convergence


def chains(correlation: float, draws: int, *, seed: int = 0) -> np.ndarray:
    """Four autoregressive chains of three quantities."""
    noise = np.random.default_rng(seed).standard_normal((4, draws, 3))
    return np.asarray(lfilter([1], [1, -correlation], noise, axis=1))


@pytest.mark.parametrize("draws", [100, 501, 1000])
@pytest.mark.parametrize("correlation", [-0.4, 0.0, 0.5, 0.9])
def test_figures_are_those_of_arviz(correlation: float, draws: int) -> None:
    sample = chains(correlation, draws)
    for q in range(3):
        one = sample[:, :, q]
        assert convergence.r_hat(sample)[q] == pytest.approx(array_stats.rhat(one, method="rank"), rel=1e-9)
        assert convergence.ess_bulk(sample)[q] == pytest.approx(array_stats.ess(one, method="bulk"), rel=1e-9)
        assert convergence.ess_mean(sample)[q] == pytest.approx(array_stats.ess(one, method="mean"), rel=1e-9)
        tail = array_stats.ess(one, method="tail", prob=(0.05, 0.95))
        assert convergence.ess_tail(sample)[q] == pytest.approx(tail, rel=1e-9)


def test_independent_draws_count_in_full_and_sticky_ones_less() -> None:
    assert convergence.ess_bulk(chains(0.0, 1000)) == pytest.approx(4000, rel=0.1)
    # The autocorrelation time of an AR(1) is (1 + c) / (1 - c).
    assert convergence.ess_mean(chains(0.9, 20_000)) == pytest.approx(80_000 / 19, rel=0.15)


def test_chains_in_different_places_or_of_different_width_have_not_converged() -> None:
    apart = chains(0.0, 500)
    apart[0] += 1.0
    assert (convergence.r_hat(apart) > 1.05).all()
    wide = chains(0.0, 500)
    wide[0] *= 3
    assert (convergence.r_hat(wide) > 1.05).all()
    assert (convergence.r_hat(chains(0.0, 500)) < 1.01).all()


def test_a_quantity_that_never_moved_has_no_figure() -> None:
    still = np.ones((2, 100, 1))
    assert np.isnan(convergence.r_hat(still)).all()
    assert np.isnan(convergence.ess_bulk(still)).all()


def test_figures_found_together_are_those_found_one_by_one() -> None:
    draws = np.concatenate([chains(0.3, 801), np.round(chains(0.9, 801, seed=1), 1)], axis=2)  # with ties
    largest, smallest = convergence.r_hat_and_ess(draws)
    np.testing.assert_array_equal(largest, convergence.r_hat(draws))
    np.testing.assert_array_equal(smallest, np.fmin(convergence.ess_bulk(draws), convergence.ess_tail(draws)))
