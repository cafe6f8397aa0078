"""Compiled passes over the alternatives: centring, and the conditional logit's likelihood with all derivatives at once.

One pass reads every row once: utilities of a block of choice tasks by one product, probabilities, the probability-weighted mean of each
task, and the deviations sqrt(w p) (z - mean), whose products are the Hessian. Blocks stay in the processor's cache.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from wtp.estimation.compiled import exp_block, reads

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_ROWS = 1024  # a block's rows, so that rows and deviations of a dozen columns stay in the second-level cache


@_compiled
def _end(starts: np.ndarray, t: int, rows: int) -> int:
    return starts[t + 1] if t + 1 < len(starts) else rows


@_compiled
def centre(X: np.ndarray, starts: np.ndarray, out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """X (A, K) less its mean in each choice task into `out`; returns the largest |x| and the largest |x - mean| of each column, (K,) each."""
    rows, columns = X.shape
    largest, varied, mean = np.zeros(columns), np.zeros(columns), np.zeros(columns)
    for t in range(len(starts)):
        first, last = starts[t], _end(starts, t, rows)
        mean[:] = 0.0
        for a in range(first, last):
            for k in range(columns):
                mean[k] += X[a, k]
        for k in range(columns):
            mean[k] /= last - first
        for a in range(first, last):
            for k in range(columns):
                value = X[a, k]
                centred = value - mean[k]
                out[a, k] = centred
                largest[k] = max(largest[k], abs(value))
                varied[k] = max(varied[k], abs(centred))
    return largest, varied


@_compiled
def _utilities(Z: np.ndarray, starts: np.ndarray, t0: int, t1: int, params: np.ndarray, v: np.ndarray) -> int:
    """Utilities of the choice tasks from t0 to t1 less the highest of each task, into `v`; returns how many rows."""
    first, last = starts[t0], _end(starts, t1 - 1, len(Z))
    np.dot(Z[first:last], params, v[: last - first])
    for t in range(t0, t1):
        begin, end = starts[t] - first, _end(starts, t, len(Z)) - first
        highest = v[begin]
        for j in range(begin + 1, end):
            highest = max(highest, v[j])
        for j in range(begin, end):
            v[j] -= highest
    return int(last - first)


@_compiled
def _deviations(
    z: np.ndarray,
    e: np.ndarray,
    total: float,
    weight: float,
    picked: int,
    score: np.ndarray,
    mean: np.ndarray,
    out: np.ndarray,
) -> None:
    """Adds to `score` (K,) of one choice task, rows z (J, K) with exponentials e (J,), and fills its deviations `out` (J, K)."""
    mean[:] = 0.0
    for j in range(len(z)):
        p = e[j] / total
        for k in range(len(mean)):
            mean[k] += p * z[j, k]
    for j in range(len(z)):
        root = np.sqrt(weight * e[j] / total)
        for k in range(len(mean)):
            out[j, k] = root * (z[j, k] - mean[k])
    for k in range(len(mean)):
        score[k] += weight * (z[picked, k] - mean[k])


@reads(6)
@_compiled
def evaluate(
    Z: np.ndarray,
    starts: np.ndarray,
    chosen: np.ndarray,
    weights: np.ndarray,
    group: np.ndarray,
    params: np.ndarray,
    scores: np.ndarray,
    information: np.ndarray,
) -> float:
    """Log-likelihood at params (K,); adds to `scores` (groups, K) the score of each group and to `information` (K, K) the negative Hessian.

    Z: (A, K) rows in the order of the tasks; starts, chosen, weights, group: (T,); choice tasks of weight 0 are passed over. An
    `information` of shape (0, 0) asks for the log-likelihood alone.
    """
    rows, columns = Z.shape
    tasks = len(starts)
    derivatives = information.shape[0] > 0
    size = _ROWS
    for t in range(tasks):
        size = max(size, _end(starts, t, rows) - starts[t])
    v, e, scratch = np.empty(size), np.empty(size), np.empty(size)
    deviations, mean, product = np.empty((size, columns)), np.empty(columns), np.empty((columns, columns))
    log_likelihood = 0.0
    t0 = 0
    while t0 < tasks:
        t1 = t0 + 1
        while t1 < tasks and _end(starts, t1, rows) - starts[t0] <= size:
            t1 += 1
        first = starts[t0]
        n = _utilities(Z, starts, t0, t1, params, v)
        exp_block(v[:n], e[:n], scratch[:n])
        kept = 0
        for t in range(t0, t1):
            if weights[t] == 0.0:
                continue
            begin, end = starts[t] - first, _end(starts, t, rows) - first
            total = 0.0
            for j in range(begin, end):
                total += e[j]
            log_likelihood += weights[t] * (v[chosen[t] - first] - np.log(total))
            if derivatives:
                _deviations(
                    Z[first + begin : first + end], e[begin:end], total, weights[t], chosen[t] - starts[t], scores[group[t]], mean,
                    deviations[kept : kept + end - begin],
                )  # fmt: skip
                kept += end - begin
        if kept:
            np.dot(deviations[:kept].T, deviations[:kept], product)
            for k in range(columns):
                for m in range(columns):
                    information[k, m] += product[k, m]
        t0 = t1
    return log_likelihood
