"""Compiled arithmetic of the hierarchical sampler: likelihoods of all respondents, and one Hamiltonian move of each.

Rows are the alternatives that were *not* chosen, as differences from the chosen one: v = d'b, P(choice) = 1 / (1 + sum exp v). `rows` is
transposed, (K, A'), so that the innermost loops run along contiguous numbers. One respondent's tasks and rows lie side by side:
respondent i has tasks first_task[i]:first_task[i + 1], task t has rows first_row[t]:first_row[t + 1]. Everything runs without
Python's lock, one chain a thread, always in the same order: the figures do not depend on the number of cores.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from wtp.estimation.compiled import exp_block, product

_LARGEST = 400.0  # the exponential, times the alternatives of a task, times _MOST_MASS still is a number
_MOST_MASS = 1e100
_compiled = njit(nogil=True, cache=True, error_model="numpy")
_fast = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nnan", "nsz", "reassoc"})
_sums = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc"})


@_compiled
def coefficients(theta: np.ndarray, signs: np.ndarray, out: np.ndarray) -> None:
    """b_k = theta_k, or sign * exp(theta_k) where the sign is not 0; (K,) each."""
    for k in range(len(theta)):
        out[k] = theta[k] if signs[k] == 0.0 else signs[k] * np.exp(min(theta[k], 300.0))


@_fast
def _utilities(rows: np.ndarray, begin: int, n: int, b: np.ndarray, v: np.ndarray) -> float:
    """Utilities of n rows into v; the largest of them and 0. Four coefficients at a time, so that v is read and written less often."""
    here, end = v[:n], begin + n
    here[:] = 0.0
    k = 0
    while k + 3 < len(b):
        one, two, three, four = (
            rows[k, begin:end],
            rows[k + 1, begin:end],
            rows[k + 2, begin:end],
            rows[k + 3, begin:end],
        )
        b1, b2, b3, b4 = b[k], b[k + 1], b[k + 2], b[k + 3]
        for a in range(len(here)):
            here[a] += one[a] * b1 + two[a] * b2 + three[a] * b3 + four[a] * b4
        k += 4
    while k < len(b):
        one, b1 = rows[k, begin:end], b[k]
        for a in range(len(here)):
            here[a] += one[a] * b1
        k += 1
    top = 0.0
    for a in range(len(here)):
        top = max(top, here[a])
    return top


@_fast
def _weighted_sums(rows: np.ndarray, begin: int, n: int, p: np.ndarray, out: np.ndarray) -> None:
    here = p[:n]
    for k in range(len(out)):
        column, total = rows[k, begin : begin + n], 0.0
        for a in range(len(here)):
            total += column[a] * here[a]
        out[k] = total


@_compiled
def person_loglike(
    rows: np.ndarray, first_row: np.ndarray, tasks: tuple[int, int], b: np.ndarray, work: np.ndarray
) -> float:
    """Log-likelihood of one respondent at coefficients b (K,); leaves the choice probabilities of the rows in work[1]."""
    begin = first_row[tasks[0]]
    n = first_row[tasks[1]] - begin
    v, p = work[0], work[1]
    if _utilities(rows, begin, n, b, v) > _LARGEST:
        return _careful_loglike(first_row, tasks, v, p)
    exp_block(v[:n], p[:n], work[2, :n])
    total, product = 0.0, 1.0
    for t in range(tasks[0], tasks[1]):
        mass = 1.0
        for a in range(first_row[t] - begin, first_row[t + 1] - begin):
            mass += p[a]
        product *= mass
        if product > _MOST_MASS:  # one logarithm serves several tasks
            total -= np.log(product)
            product = 1.0
        share = 1.0 / mass
        for a in range(first_row[t] - begin, first_row[t + 1] - begin):
            p[a] *= share
    return float(total - np.log(product))


@_compiled
def _careful_loglike(first_row: np.ndarray, tasks: tuple[int, int], v: np.ndarray, p: np.ndarray) -> float:
    """The same of utilities v whose exponentials would overflow."""
    begin, total = first_row[tasks[0]], 0.0
    for t in range(tasks[0], tasks[1]):
        first, last = first_row[t] - begin, first_row[t + 1] - begin
        top = 0.0
        for a in range(first, last):
            top = max(top, v[a])
        mass = np.exp(-top)
        for a in range(first, last):
            p[a] = np.exp(v[a] - top)
            mass += p[a]
        total -= top + np.log(mass)
        for a in range(first, last):
            p[a] /= mass
    return total


@_compiled
def person_gradient(
    rows: np.ndarray,
    first_row: np.ndarray,
    tasks: tuple[int, int],
    theta: np.ndarray,
    signs: np.ndarray,
    b: np.ndarray,
    gradient: np.ndarray,
    work: np.ndarray,
) -> float:
    """Log-likelihood of one respondent at theta (K,), and its gradient in theta into `gradient` (K,)."""
    coefficients(theta, signs, b)
    value = person_loglike(rows, first_row, tasks, b, work)
    begin = first_row[tasks[0]]
    _weighted_sums(rows, begin, first_row[tasks[1]] - begin, work[1], gradient)
    for k in range(len(b)):
        gradient[k] *= -1.0 if signs[k] == 0.0 else -b[k]
    return value


@_compiled
def loglikes(
    rows: np.ndarray,
    first_row: np.ndarray,
    first_task: np.ndarray,
    theta: np.ndarray,
    signs: np.ndarray,
    gradients: np.ndarray,
    work: np.ndarray,
    out: np.ndarray,
) -> None:
    """Log-likelihood (N,) and gradient (N, K) of all respondents at theta (N, K)."""
    b = np.empty(theta.shape[1])
    for i in range(len(theta)):
        tasks = (first_task[i], first_task[i + 1])
        out[i] = person_gradient(rows, first_row, tasks, theta[i], signs, b, gradients[i], work)


@_compiled
def information(
    rows: np.ndarray,
    first_row: np.ndarray,
    first_task: np.ndarray,
    theta: np.ndarray,
    signs: np.ndarray,
    work: np.ndarray,
    out: np.ndarray,
) -> None:
    """(N, K, K) expected information of each respondent at theta (N, K)."""
    k = theta.shape[1]
    b, mean = np.empty(k), np.empty(k)
    for i in range(len(theta)):
        coefficients(theta[i], signs, b)
        tasks = (first_task[i], first_task[i + 1])
        person_loglike(rows, first_row, tasks, b, work)
        begin = first_row[tasks[0]]
        out[i] = 0.0
        for t in range(tasks[0], tasks[1]):
            mean[:] = 0.0
            for a in range(first_row[t], first_row[t + 1]):
                p = work[1, a - begin]
                for c in range(k):
                    mean[c] += p * rows[c, a]
                    for d in range(c + 1):
                        out[i, c, d] += p * rows[c, a] * rows[d, a]
            for c in range(k):
                for d in range(c + 1):
                    out[i, c, d] -= mean[c] * mean[d]
        for c in range(k):
            for d in range(c + 1):
                slope = (1.0 if signs[c] == 0.0 else b[c]) * (1.0 if signs[d] == 0.0 else b[d])
                out[i, c, d] *= slope
                out[i, d, c] = out[i, c, d]


@_fast
def _times(matrix: np.ndarray, vector: np.ndarray, out: np.ndarray) -> None:
    for c in range(len(out)):
        total = 0.0
        for d in range(len(vector)):
            total += matrix[c, d] * vector[d]
        out[c] = total


@_compiled
def move_people(
    rows: np.ndarray,
    first_row: np.ndarray,
    first_task: np.ndarray,
    signs: np.ndarray,
    theta: np.ndarray,
    means: np.ndarray,
    precision: np.ndarray,
    roots: np.ndarray,
    step_sizes: np.ndarray,
    steps: int,
    normals: np.ndarray,
    log_uniforms: np.ndarray,
    work: np.ndarray,
    acceptance: np.ndarray,
    out: np.ndarray,
) -> None:
    """One Hamiltonian move of each respondent's theta (N, K), in place, given means (N, K) and precision (K, K) of the population.

    roots: (N, K, K) lower triangular roots of rough posterior covariances, which whiten the move; normals (N, K), log_uniforms (N,).
    acceptance (N,) receives the probability of acceptance, out (N,) the log-likelihood of the state kept (Neal 2011).
    """
    n, k = theta.shape
    b, gradient, pull, away = np.empty(k), np.empty(k), np.empty(k), np.empty(k)
    place, shift, force, momentum = np.empty(k), np.empty(k), np.empty(k), np.empty(k)
    for i in range(n):
        tasks = (first_task[i], first_task[i + 1])
        root, across, size = roots[i], roots[i].T, step_sizes[i]
        for c in range(k):
            place[c], momentum[c] = theta[i, c], normals[i, c]
        energy = 0.0
        value = 0.0
        kept = 0.0
        for s in range(steps + 1):
            value = person_gradient(rows, first_row, tasks, place, signs, b, gradient, work)
            for c in range(k):
                away[c] = place[c] - means[i, c]
            _times(precision, away, pull)
            quadratic = 0.0
            for c in range(k):
                quadratic += away[c] * pull[c]
                gradient[c] -= pull[c]
            _times(across, gradient, force)
            if s == 0:
                kept = value
                energy = value - 0.5 * quadratic - 0.5 * product(momentum, momentum)
            half = 0.5 if s in (0, steps) else 1.0
            for c in range(k):
                momentum[c] += half * size * force[c]
            if s == steps:
                new = value - 0.5 * quadratic - 0.5 * product(momentum, momentum)
                ratio = new - energy
                acceptance[i] = 0.0 if np.isnan(ratio) else np.exp(min(0.0, ratio))
                if log_uniforms[i] < ratio:
                    for c in range(k):
                        theta[i, c] = place[c]
                    kept = value
                out[i] = kept
            else:
                _times(root, momentum, shift)
                for c in range(k):
                    place[c] += size * shift[c]


@_sums
def _cholesky(matrix: np.ndarray, root: np.ndarray, diagonal: np.ndarray) -> None:
    """Lower triangular root of a symmetric positive definite matrix (K, K), and the reciprocals of its diagonal (K,)."""
    for c in range(len(matrix)):
        for d in range(c + 1):
            value = matrix[c, d]
            for e in range(d):
                value -= root[c, e] * root[d, e]
            if c == d:
                root[c, c] = np.sqrt(max(value, 1e-300))
                diagonal[c] = 1.0 / root[c, c]
            else:
                root[c, d] = value * diagonal[d]


@_sums
def _forward(root: np.ndarray, diagonal: np.ndarray, vector: np.ndarray) -> None:
    """root^-1 vector, in place."""
    for c in range(len(vector)):
        total = vector[c]
        for d in range(c):
            total -= root[c, d] * vector[d]
        vector[c] = total * diagonal[c]


@_sums
def _back(root: np.ndarray, diagonal: np.ndarray, vector: np.ndarray) -> None:
    """root^-T vector, in place."""
    for c in range(len(vector) - 1, -1, -1):
        vector[c] *= diagonal[c]
        for d in range(c):
            vector[d] -= root[c, d] * vector[c]


@_sums
def follow(
    theta: np.ndarray,
    informations: np.ndarray,
    pulls: np.ndarray,
    means: np.ndarray,
    precision: np.ndarray,
    new_means: np.ndarray,
    new_precision: np.ndarray,
    out: np.ndarray,
) -> float:
    """Carry all respondents along when the population moves: theta (N, K) into out; the logarithm of the Jacobian determinant.

    A respondent's answers are taken for normal with information H_i (N, K, K) and pulls H_i thetahat_i (N, K), his theta given the population for
    N(A^-1 (pull + P m), A^-1) with A = H + P: his standardised place in this distribution is kept while the distribution moves.
    """
    n, k = theta.shape
    total, new_total, root, new_root = np.empty((k, k)), np.empty((k, k)), np.empty((k, k)), np.empty((k, k))
    diagonal, new_diagonal = np.empty(k), np.empty(k)
    centre, new_centre, place = np.empty(k), np.empty(k), np.empty(k)
    jacobian = 0.0
    for i in range(n):
        for c in range(k):
            centre[c] = pulls[i, c]
            new_centre[c] = pulls[i, c]
            for d in range(k):
                centre[c] += precision[c, d] * means[i, d]
                new_centre[c] += new_precision[c, d] * new_means[i, d]
        for c in range(k):
            for d in range(k):
                total[c, d] = informations[i, c, d] + precision[c, d]
                new_total[c, d] = informations[i, c, d] + new_precision[c, d]
        _cholesky(total, root, diagonal)
        _cholesky(new_total, new_root, new_diagonal)
        _forward(root, diagonal, centre)
        _back(root, diagonal, centre)
        _forward(new_root, new_diagonal, new_centre)
        _back(new_root, new_diagonal, new_centre)
        place[:] = 0.0
        growth = 1.0
        for c in range(k):
            away = theta[i, c] - centre[c]
            for d in range(c + 1):
                place[d] += root[c, d] * away
            growth *= root[c, c] * new_diagonal[c]
        jacobian += np.log(growth)
        _back(new_root, new_diagonal, place)
        for c in range(k):
            out[i, c] = new_centre[c] + place[c]
    return jacobian
