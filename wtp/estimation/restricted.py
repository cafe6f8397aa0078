"""The restricted likelihood of a linear mixed model, profiled over its fixed effects and error variance (Laird and Ware 1982), with its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, slots=True)
class Restricted:
    """At one covariance C (q, q) of the random effects over the error variance: log-likelihood, its gradient (q, q) by C, fixed effects (p,), their covariance (p, p), the error variance."""

    llf: float
    gradient: np.ndarray
    params: np.ndarray
    covariance: np.ndarray
    error: float

    def slopes(self, converged: bool) -> tuple[np.ndarray, np.ndarray, float, bool]:
        """Fixed effects without the first one, the intercept; their covariance; log-likelihood; whether the search arrived."""
        return self.params[1:], self.covariance[1:, 1:], self.llf, converged


def restricted(y: np.ndarray, X: np.ndarray, Z: np.ndarray, person: np.ndarray) -> Callable[[np.ndarray], Restricted]:
    """REML of y (n,) with fixed columns X (n, p) and random ones Z (n, q), independent between persons (n,), as a function of C.

    V = I + ZCZ' is never built: log|V| = log|I + Z'ZC|, Z'V^-1 = (I + Z'ZC)^-1 Z'.
    """
    (n, p), q, full = X.shape, Z.shape[1], np.column_stack([X, y])
    sums = np.zeros((person.max() + 1, q, q + p + 1))
    np.add.at(sums, person, Z[:, :, None] * np.column_stack([Z, full])[:, None, :])
    own, cross, total = sums[:, :, :q], sums[:, :, q:], full.T @ full

    def at(C: np.ndarray) -> Restricted:
        inner = np.eye(q) + own @ C
        solved = np.linalg.solve(inner, sums)
        among, across = solved[:, :, :q], solved[:, :, q:]  # Z'V^-1 Z and Z'V^-1 (X, y)
        left = total - np.einsum("gqa,gqb->ab", cross, C @ across)
        params, inverse = np.linalg.solve(left[:p, :p], left[:p, p]), np.linalg.inv(left[:p, :p])
        error = float(max(left[p, p] - params @ left[:p, p], 1e-14 * total[p, p]) / (n - p))
        logs = np.linalg.slogdet(inner)[1].sum() + np.linalg.slogdet(left[:p, :p])[1]
        llf = -0.5 * ((n - p) * (np.log(2 * np.pi * error) + 1) + logs)
        away = across[:, :, p] - across[:, :, :p] @ params
        of_fixed = np.einsum("gqa,ab,grb->qr", across[:, :, :p], inverse, across[:, :, :p], optimize=True)
        gradient = 0.5 * (away.T @ away / error - among.sum(axis=0) + of_fixed)
        return Restricted(float(llf), gradient, params, error * inverse, error)

    return at
