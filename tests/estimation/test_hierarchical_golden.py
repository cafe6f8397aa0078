"""The hierarchical logit against NumPyro's NUTS: one model, the same priors, every figure within Monte Carlo error."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from tests.estimation.conftest import GOLDEN
from tests.golden.make_hierarchical import model
from wtp.estimation import HierarchicalResults, convergence

REFERENCE = json.loads((GOLDEN / "hierarchical.json").read_text())


@pytest.fixture(scope="module")
def fit() -> HierarchicalResults:
    return model().fit(draws=3_000, warmup=600, keep=6_000, stop=None, seed=1)


def figures(fit: HierarchicalResults) -> Iterator[tuple[str, np.ndarray]]:
    """Draws (chains, sweeps, figures) of the population means D, the covariance S, and the first respondents' coefficients."""
    k, m = len(fit.data.names), fit.Z.shape[1]
    population = np.stack(fit.sampled.population).astype(float)
    upper = np.triu_indices(k)
    yield "D", population[:, :, :m].reshape(*population.shape[:2], -1)
    yield "S", population[:, :, m:][..., upper[0], upper[1]]
    individual = np.stack(fit.sampled.individual).astype(float)[:, :, :5]
    yield "first", individual.reshape(*individual.shape[:2], -1)


def quantile_and_error(draws: np.ndarray, share: float, reference_ess: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A quantile of each figure, and the Monte Carlo error of its difference to one from so many other draws: what shares as far off as their own error lie apart (Vehtari et al. 2021, section 4)."""
    quantile = np.quantile(draws, share, axis=(0, 1))
    ess = convergence.ess_mean((draws <= quantile).astype(float))
    off = np.sqrt(share * (1 - share) * (1 / ess + 1 / reference_ess))
    flat = draws.reshape(-1, draws.shape[-1])
    between = [
        np.quantile(column, [max(share - s, 0), min(share + s, 1)]) for column, s in zip(flat.T, off, strict=True)
    ]
    return quantile, np.ptp(between, axis=1) / 2


def test_the_reference_converged() -> None:
    for name, figure in REFERENCE["figures"].items():
        assert max(figure["r_hat"]) < 1.01, name
        assert min(figure["ess"]) > 400, name


def test_every_mean_spread_and_quantile_is_numpyros(fit: HierarchicalResults) -> None:
    for name, draws in figures(fit):
        reference = {key: np.array(value) for key, value in REFERENCE["figures"][name].items()}
        sd = draws.std(axis=(0, 1))
        ess = convergence.ess_mean(draws)
        assert ess.min() > 60, name
        error = np.hypot(sd / np.sqrt(ess), reference["error"])
        z = (draws.mean(axis=(0, 1)) - reference["mean"]) / error
        assert np.abs(z).max() < 4, (name, z.round(1))
        # Not one-sided altogether, as a small common fault would make them.
        assert np.abs(z).mean() < 1.6, (name, z.round(1))
        assert sd == pytest.approx(reference["sd"], rel=0.25), name
        for share, figures_there in zip((0.05, 0.5, 0.95), reference["quantiles"], strict=True):
            here, error = quantile_and_error(draws, share, reference["ess"])
            z = (here - figures_there) / error
            assert np.abs(z).max() < 4, (name, share, z.round(1))
