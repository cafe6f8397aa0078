"""Draws: the one shape that everything downstream takes, (R draws, N respondents or S groups, K parameters).

A reported number is computed inside each draw and summarised across draws last. A pooled fit delivers its draws by Krinsky and
Robb (1986): parameters from the normal distribution of the estimator, one group.
"""

from __future__ import annotations

import numpy as np

from wtp.estimation.conditional_logit import ConditionalLogitResults


def krinsky_robb(fit: ConditionalLogitResults, draws: int = 10_000, seed: int = 0) -> np.ndarray:
    """Draws of the parameters of a pooled fit, (R, 1, K), on the scale of `fit.params`."""
    covariance = fit.cov_params().to_numpy()
    # Scaled to correlations, so that a price in cents or millions gives the same draws.
    scale = np.sqrt(np.diag(covariance))
    root = np.linalg.cholesky(covariance / scale[:, None] / scale + 1e-12 * np.eye(len(scale)))
    normals = np.random.default_rng(seed).standard_normal((draws, len(scale)))
    return np.asarray(fit.params.to_numpy() + (normals @ root.T) * scale)[:, None, :]
