"""Compiled arithmetic of the population's Hamiltonian move: D and the root L of S given all e_i, through the likelihood of all answers.

The matrices are small, so that calls of a library would cost more than the sums themselves; in one compiled function a path needs no
Python, and the chains in their threads do not wait for each other. Notation as in `sampler`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from wtp.estimation.compiled import product
from wtp.estimation.hierarchical.kernel import loglikes

LARGEST_LOG = 100.0
_compiled = njit(nogil=True, cache=True, error_model="numpy")
_sums = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc"})


@_sums
def inverses(root: np.ndarray, inverse: np.ndarray, precision: np.ndarray) -> None:
    """L^-1 and (LL')^-1 of a lower triangular L, (K, K) each."""
    k = len(root)
    inverse[:] = 0.0
    precision[:] = 0.0
    for c in range(k):
        inverse[c, c] = 1.0
        for e in range(c):
            for d in range(e + 1):
                inverse[c, d] -= root[c, e] * inverse[e, d]
        for d in range(c + 1):
            inverse[c, d] /= root[c, c]
        for d in range(c + 1):
            for e in range(d + 1):
                precision[d, e] += inverse[c, d] * inverse[c, e]
    for d in range(k):
        for e in range(d):
            precision[e, d] = precision[d, e]


@_sums
def _place_people(Z: np.ndarray, delta: np.ndarray, standard: np.ndarray, root: np.ndarray, theta: np.ndarray) -> None:
    """theta = Z D + e L', (N, K)."""
    for i in range(len(theta)):
        for c in range(len(root)):
            total = 0.0
            for j in range(len(delta)):
                total += Z[i, j] * delta[j, c]
            for d in range(c + 1):
                total += standard[i, d] * root[c, d]
            theta[i, c] = total


@_sums
def _slopes(
    gradients: np.ndarray, Z: np.ndarray, standard: np.ndarray, slope: np.ndarray, root_slope: np.ndarray
) -> None:
    """Z'G into slope (M, K), the lower triangle of G'e into root_slope (K, K), G the gradients (N, K) of all likelihoods."""
    slope[:] = 0.0
    root_slope[:] = 0.0
    for i in range(len(gradients)):
        for j in range(len(slope)):
            for c in range(len(root_slope)):
                slope[j, c] += Z[i, j] * gradients[i, c]
        for c in range(len(root_slope)):
            for d in range(c + 1):
                root_slope[c, d] += gradients[i, c] * standard[i, d]


@_sums
def _add_prior(
    prior: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    delta: np.ndarray,
    root: np.ndarray,
    slope: np.ndarray,
    root_slope: np.ndarray,
) -> float:
    """Adds the prior's gradients in D and L, and returns its log density. prior: D0, diagonal of A, V, exponents of L_kk."""
    mean, weights, scale, power = prior
    k = len(root)
    inverse, precision, scatter, away = np.empty((k, k)), np.empty((k, k)), scale.copy(), delta.copy()
    inverses(root, inverse, precision)
    for j in range(len(delta)):
        for c in range(k):
            away[j, c] -= mean[j, c]
    value = 0.0
    for j in range(len(delta)):
        for c in range(k):
            for d in range(k):
                scatter[c, d] += weights[j] * away[j, c] * away[j, d]
                slope[j, c] -= weights[j] * away[j, d] * precision[d, c]
    for c in range(k):
        value += power[c] * np.log(root[c, c])
        row = np.zeros(k)
        for d in range(k):
            value -= 0.5 * scatter[c, d] * precision[c, d]
            for e in range(k):
                row[e] += precision[c, d] * scatter[d, e]
        for d in range(c + 1):
            for e in range(d + 1):
                root_slope[c, d] += row[e] * inverse[d, e]
    return value


@_compiled
def density(
    choices: tuple[np.ndarray, np.ndarray, np.ndarray],
    signs: np.ndarray,
    Z: np.ndarray,
    prior: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    delta: np.ndarray,
    root: np.ndarray,
    standard: np.ndarray,
    theta: np.ndarray,
    loglike: np.ndarray,
    gradients: np.ndarray,
    work: np.ndarray,
    slope: np.ndarray,
    root_slope: np.ndarray,
) -> float:
    """Log density of (D, L) given e (N, K); fills theta, the log-likelihoods, and the gradients in D and in L with log L_kk on its diagonal."""
    _place_people(Z, delta, standard, root, theta)
    loglikes(choices[0], choices[1], choices[2], theta, signs, gradients, work, loglike)
    _slopes(gradients, Z, standard, slope, root_slope)
    value = float(loglike.sum() + _add_prior(prior, delta, root, slope, root_slope))
    for c in range(len(root)):
        root_slope[c, c] = root_slope[c, c] * root[c, c] + prior[3][c]
    return value


@_sums
def _push(
    slope: np.ndarray,
    root_slope: np.ndarray,
    whitening: tuple[np.ndarray, np.ndarray, np.ndarray],
    size: float,
    momentum: np.ndarray,
    root_momentum: np.ndarray,
) -> None:
    """Change the momenta along the whitened gradients; L column by column, entries at and below the diagonal."""
    delta_roots, column_roots, diagonal = whitening
    k = len(root_slope)
    for j in range(len(slope)):
        for c in range(k):
            for d in range(k):
                momentum[j, d] += size * delta_roots[j, c, d] * slope[j, c]
    for column in range(k):
        for c in range(column, k):
            force = size * root_slope[c, column] / (diagonal[column] if c == column else 1.0)
            for d in range(column, k):
                root_momentum[d, column] += force * column_roots[column, c, d]


@_sums
def _drift(
    momentum: np.ndarray,
    root_momentum: np.ndarray,
    whitening: tuple[np.ndarray, np.ndarray, np.ndarray],
    size: float,
    delta: np.ndarray,
    log_root: np.ndarray,
) -> None:
    """Move D and L, with logarithms on its diagonal, along the momenta."""
    delta_roots, column_roots, diagonal = whitening
    k = len(log_root)
    for j in range(len(delta)):
        for c in range(k):
            for d in range(k):
                delta[j, c] += size * delta_roots[j, c, d] * momentum[j, d]
    for column in range(k):
        for c in range(column, k):
            pace = size / (diagonal[column] if c == column else 1.0)
            for d in range(column, k):
                log_root[c, column] += pace * column_roots[column, c, d] * root_momentum[d, column]


@_compiled
def _to_root(log_root: np.ndarray, root: np.ndarray) -> bool:
    """L from L with logarithms on its diagonal; whether it is finite and far from singular, as it is not where a path went astray."""
    for c in range(len(root)):
        for d in range(c + 1):
            if not np.isfinite(log_root[c, d]):
                return False
            root[c, d] = log_root[c, d]
        if abs(log_root[c, c]) >= LARGEST_LOG:
            return False
        root[c, c] = np.exp(log_root[c, c])
    return True


@_compiled
def _energy(momentum: np.ndarray, root_momentum: np.ndarray) -> float:
    """Half the sum of squares of both."""
    one, other = momentum.ravel(), root_momentum.ravel()
    return float(0.5 * (product(one, one) + product(other, other)))


@_compiled
def move_population(
    choices: tuple[np.ndarray, np.ndarray, np.ndarray],
    signs: np.ndarray,
    Z: np.ndarray,
    prior: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    whitening: tuple[np.ndarray, np.ndarray, np.ndarray],
    size: float,
    steps: int,
    momentum: np.ndarray,
    root_momentum: np.ndarray,
    delta: np.ndarray,
    root: np.ndarray,
    theta: np.ndarray,
    loglike: np.ndarray,
    work: np.ndarray,
) -> float:
    """One Hamiltonian path of D (M, K) and L (K, K), both and theta (N, K) and loglike (N,) in place; the logarithm of the ratio of acceptance.

    momentum (M, K) and the lower triangle of root_momentum (K, K) are normal draws. prior: D0 (M, K), diagonal of A (M,), V (K, K), exponents of L_kk (K,) with logarithms on the diagonal. whitening: roots (M, K, K) of the rows of D and
    (K, K, K) of the columns of L, and the diagonal of L (K,) at which they were learned. -inf for a path that went astray.
    """
    (n, k), m = theta.shape, len(delta)
    inverse, precision = np.empty((k, k)), np.empty((k, k))
    gradients, standard, slope, root_slope = np.empty((n, k)), np.zeros((n, k)), np.empty((m, k)), np.empty((k, k))
    inverses(root, inverse, precision)
    away = np.empty((m, k))
    for j in range(m):
        for c in range(k):
            away[j, c] = -delta[j, c]
    _place_people(Z, away, standard, root, gradients)
    for i in range(n):
        for c in range(k):
            gradients[i, c] += theta[i, c]
    _place_people(np.zeros((n, 1)), np.zeros((1, k)), gradients, inverse, standard)
    log_root = root.copy()
    for c in range(k):
        log_root[c, c] = np.log(root[c, c])
        for d in range(c + 1, k):
            root_momentum[c, d] = 0.0
    start = 0.0
    for step in range(steps + 1):
        if not _to_root(log_root, root):
            return -np.inf
        value = density(
            choices, signs, Z, prior, delta, root, standard, theta, loglike, gradients, work, slope, root_slope
        )
        if step == 0:
            start = value - _energy(momentum, root_momentum)
        half = 0.5 * size if step in (0, steps) else size
        _push(slope, root_slope, whitening, half, momentum, root_momentum)
        if step == steps:
            return float(value - _energy(momentum, root_momentum) - start)
        _drift(momentum, root_momentum, whitening, size, delta, log_root)
    return -np.inf
