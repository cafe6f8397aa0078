"""The compiled part of the exchange: information, error and one pass over tasks; `exchange` says what for.

Notation: A attributes, J alternatives, K columns, R draws. M: (R, K, K) information, lower triangle. padded: (labels or 1, A, most levels, most columns)
codings, that of an alternative by the level of the attribute `label`, if there is one (else -1). pairs: (P, 2) columns and the price column of each for the C-error;
none for the D-error.
"""

from __future__ import annotations

import numpy as np
from numba import njit

BIG = 1e300  # the error of a design whose matrix is singular


@njit(nogil=True, cache=True)
def coded_tasks(
    levels: np.ndarray, label: int, padded: np.ndarray, widths: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """(tasks, J, K) coded alternatives of (tasks, J, A) level numbers."""
    tasks, alternatives, attributes = levels.shape
    X = np.zeros((tasks, alternatives, offsets[-1]))
    for t in range(tasks):
        for j in range(alternatives):
            own = levels[t, j, label] if label >= 0 else 0
            for a in range(attributes):
                for k in range(widths[a]):
                    X[t, j, offsets[a] + k] = padded[own, a, levels[t, j, a], k]
    return X


@njit(nogil=True, cache=True)
def add_task(M: np.ndarray, x: np.ndarray, draws: np.ndarray, sign: float) -> None:
    """Add a task's information to each draw's matrix, lower triangle, or take it off."""
    J, K = x.shape
    p = np.empty(J)
    mean = np.empty(K)
    for r in range(len(draws)):
        top = -1e300
        for j in range(J):
            p[j] = 0.0
            for k in range(K):
                p[j] += x[j, k] * draws[r, k]
            top = max(top, p[j])
        total = 0.0
        for j in range(J):
            p[j] = np.exp(p[j] - top)
            total += p[j]
        for k in range(K):
            mean[k] = 0.0
        for j in range(J):
            p[j] /= total
            for k in range(K):
                mean[k] += p[j] * x[j, k]
        for k in range(K):
            for i in range(k + 1):
                value = -mean[k] * mean[i]
                for j in range(J):
                    value += p[j] * x[j, k] * x[j, i]
                M[r, k, i] += sign * value


@njit(nogil=True, cache=True)
def information(X: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """(R, K, K) information of all tasks under each draw (R, K), lower triangle."""
    M = np.zeros((len(draws), X.shape[2], X.shape[2]))
    for t in range(len(X)):
        add_task(M, X[t], draws, 1.0)
    return M


@njit(nogil=True, cache=True)
def error_of(M: np.ndarray, draws: np.ndarray, pairs: np.ndarray) -> float:
    """Mean D- or C-error over the draws; huge where a matrix is singular."""
    R, K = draws.shape
    L = np.zeros((K, K))
    total = 0.0
    for r in range(R):
        log_determinant = 0.0
        scale = 0.0
        for k in range(K):
            scale = max(scale, M[r, k, k])
        for k in range(K):
            for i in range(k + 1):
                value = M[r, k, i]
                for m in range(i):
                    value -= L[k, m] * L[i, m]
                if i == k:
                    if value <= 1e-10 * scale:
                        return BIG
                    L[k, k] = np.sqrt(value)
                    log_determinant += np.log(value)
                else:
                    L[k, i] = value / L[i, i]
        if len(pairs):
            total += summed_variance(L, draws[r], pairs)
        else:
            total += np.exp(-log_determinant / K)
    return float(total / R)


@njit(nogil=True, cache=True)
def summed_variance(L: np.ndarray, beta: np.ndarray, pairs: np.ndarray) -> float:
    """Sum over the WTPs -b_k / b_price of g' M^-1 g, by forward substitution: |L^-1 g|^2."""
    K = len(beta)
    y = np.empty(K)
    total = 0.0
    for n in range(len(pairs)):
        w, at = pairs[n]
        price = beta[at]
        for k in range(K):
            g = 0.0
            if k == w:
                g = -1.0 / price
            elif k == at:
                g = beta[w] / (price * price)
            for m in range(k):
                g -= L[k, m] * y[m]
            y[k] = g / L[k, k]
            total += y[k] * y[k]
    return total


@njit(nogil=True, cache=True)
def put(profile: np.ndarray, other: np.ndarray) -> None:
    """Make a profile the same as another."""
    for a in range(len(profile)):
        profile[a] = other[a]


@njit(nogil=True, cache=True)
def count(counts: np.ndarray, profile: np.ndarray, sign: float) -> None:
    """Add an alternative to the level counts (A, most levels), or take it off."""
    for a in range(len(profile)):
        counts[a, profile[a]] += sign


@njit(nogil=True, cache=True)
def uneven(counts: np.ndarray, sizes: np.ndarray) -> float:
    """Mean squared relative deviation of each attribute's level counts from equal ones, summed over the attributes; "not there" is no level."""
    total = 0.0
    for a in range(len(sizes)):
        mean = 0.0
        for level in range(sizes[a]):
            mean += counts[a, level] / sizes[a]
        for level in range(sizes[a] if mean > 0 else 0):
            total += (counts[a, level] / mean - 1) ** 2 / sizes[a]
    return total


@njit(nogil=True, cache=True)
def task_allowed(  # noqa: PLR0912
    task: np.ndarray,
    changed: int,
    forbidden: np.ndarray,
    at_most_once: np.ndarray,
    ordered: np.ndarray,
    avoid_dominated: bool,
) -> bool:
    """Whether the task keeps the rules after one of its alternatives changed."""
    J, A = task.shape
    for a in range(A):
        for b in range(a):
            if forbidden[a, task[changed, a], b, task[changed, b]]:
                return False
    for j in range(J):
        if j == changed:
            continue
        same = True
        changed_wins = True
        other_wins = True
        for a in range(A):
            difference = task[changed, a] - task[j, a]
            if a == A - 1 or ordered[a] < 0:
                difference = -difference  # the price, and levels written best first
            if difference == 0:
                if at_most_once[a]:
                    return False
                continue
            same = False
            if not ordered[a]:
                changed_wins = False
                other_wins = False
            elif difference < 0:
                changed_wins = False
            else:
                other_wins = False
        if same or (avoid_dominated and (changed_wins or other_wins)):
            return False
    return True


@njit(nogil=True, cache=True)
def improve(  # noqa: PLR0912
    part: np.ndarray,
    tried: np.ndarray,
    levels: np.ndarray,
    X: np.ndarray,
    M: np.ndarray,
    counts: np.ndarray,
    balance: float,
    error: float,
    padded: np.ndarray,
    sizes: np.ndarray,
    label: int,
    widths: np.ndarray,
    offsets: np.ndarray,
    draws: np.ndarray,
    pairs: np.ndarray,
    forbidden: np.ndarray,
    at_most_once: np.ndarray,
    ordered: np.ndarray,
    avoid_dominated: bool,
) -> float:
    """One pass over these tasks; levels, X, M and counts are changed in place. Returns the error with its weight."""
    A = len(sizes)
    for n in range(len(part)):
        t = part[n]
        add_task(M, X[t], draws, -1.0)
        for j in range(levels.shape[1]):
            before = levels[t, j].copy()
            for a in range(A + tried.shape[2]):
                best = levels[t, j].copy()
                gained = False
                options = sizes[a] if a < A else 1
                for level in range(options):
                    trial = levels[t, j].copy()
                    if a < A:
                        if level == before[a] and level == trial[a]:
                            continue
                        trial[a] = level
                    else:
                        put(trial, tried[n, j, a - A])
                    kept = levels[t, j].copy()
                    put(levels[t, j], trial)
                    if task_allowed(levels[t], j, forbidden, at_most_once, ordered, avoid_dominated):
                        own = trial[label] if label >= 0 else 0
                        for b in range(A):
                            for k in range(widths[b]):
                                X[t, j, offsets[b] + k] = padded[own, b, trial[b], k]
                        trial_M = M.copy()
                        add_task(trial_M, X[t], draws, 1.0)
                        found = error_of(trial_M, draws, pairs)
                        if balance > 0:
                            count(counts, kept, -1.0)
                            count(counts, trial, 1.0)
                            found *= 1 + balance * uneven(counts, sizes)
                            count(counts, trial, -1.0)
                            count(counts, kept, 1.0)
                        if found < error * (1 - 1e-12):
                            error = found
                            best = trial.copy()
                            gained = True
                    put(levels[t, j], kept)
                if gained:
                    count(counts, levels[t, j], -1.0)
                    count(counts, best, 1.0)
                    put(levels[t, j], best)
                own = levels[t, j, label] if label >= 0 else 0
                for b in range(A):
                    for k in range(widths[b]):
                        X[t, j, offsets[b] + k] = padded[own, b, levels[t, j, b], k]
        add_task(M, X[t], draws, 1.0)
    return error
