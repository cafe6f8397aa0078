"""Compiled arithmetic of latent classes: likelihood, posterior membership, scores and information of all respondents in one pass.

Rows are the alternatives that were *not* chosen, as differences from the chosen one, transposed to (K, A'); the tasks first_task[i]:first_task[i + 1] of
respondent i and the rows first_row[t]:first_row[t + 1] of task t lie side by side. The information of a class weighs each respondent with the
posterior membership, which needs nothing but that respondent's own likelihoods: so one pass over the rows is enough. Runs without Python's lock.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from wtp.estimation.hierarchical.kernel import person_loglike

_NOTHING = 1e-14  # a membership below it changes no figure


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nnan", "nsz", "reassoc"})
def _task_means(
    rows: np.ndarray, first_row: np.ndarray, tasks: tuple[int, int], p: np.ndarray, means: np.ndarray, score: np.ndarray
) -> None:
    """Sums of p times rows, by task into means (K, T), and less their total into score (K,)."""
    begin = first_row[tasks[0]]
    for k in range(len(score)):
        total = 0.0
        for t in range(tasks[0], tasks[1]):
            mean = 0.0
            for a in range(first_row[t], first_row[t + 1]):
                mean += p[a - begin] * rows[k, a]
            means[k, t - tasks[0]] = mean
            total += mean
        score[k] = -total


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nnan", "nsz", "reassoc"})
def _add_information(
    rows: np.ndarray, begin: int, n: int, tasks: int, weight: float, p: np.ndarray, means: np.ndarray, out: np.ndarray
) -> None:
    """Adds weight * sum_t [sum_a p d d' - mean mean'] to the lower triangle of out (K, K)."""
    weighted = np.empty(n)
    for k in range(len(out)):
        for a in range(n):
            weighted[a] = p[a] * rows[k, begin + a]
        for j in range(k + 1):
            total = 0.0
            for a in range(n):
                total += weighted[a] * rows[j, begin + a]
            for t in range(tasks):
                total -= means[k, t] * means[j, t]
            out[k, j] += weight * total


@njit(nogil=True, cache=True, error_model="numpy")
def evaluate(
    rows: np.ndarray,
    first_row: np.ndarray,
    first_task: np.ndarray,
    weights: np.ndarray,
    log_shares: np.ndarray,
    beta: np.ndarray,
    loglikes: np.ndarray,
    posterior: np.ndarray,
    scores: np.ndarray,
    information: np.ndarray,
) -> None:
    """At coefficients beta (C, K) and log membership probabilities log_shares (N, C) before the answers.

    Fills loglikes (N,) ln sum_c share_c L_ic; posterior (N, C); scores (N, C, K) of ln L_ic; and adds to information (C, K, K) the
    negative Hessians of ln L_ic weighted by weights (N,) times posterior. An information of no class asks for the likelihood and the posterior alone, without scores.
    """
    people, classes = log_shares.shape
    columns = len(rows)
    derivatives = information.shape[0] > 0
    longest, most = 1, 1
    for i in range(people):
        longest = max(longest, first_row[first_task[i + 1]] - first_row[first_task[i]])
        most = max(most, first_task[i + 1] - first_task[i])
    work = np.empty((classes, 3, longest))
    means = np.empty((classes, columns, most))
    for i in range(people):
        tasks = (first_task[i], first_task[i + 1])
        begin = first_row[tasks[0]]
        top = -np.inf
        for c in range(classes):
            posterior[i, c] = log_shares[i, c] + person_loglike(rows, first_row, tasks, beta[c], work[c])
            top = max(top, posterior[i, c])
        total = 0.0
        for c in range(classes):
            posterior[i, c] = np.exp(posterior[i, c] - top)
            total += posterior[i, c]
        loglikes[i] = top + np.log(total)
        for c in range(classes):
            posterior[i, c] /= total
        if not derivatives:
            continue
        for c in range(classes):
            _task_means(rows, first_row, tasks, work[c, 1], means[c], scores[i, c])
            weight = weights[i] * posterior[i, c]
            if weight > _NOTHING:
                n, count = first_row[tasks[1]] - begin, tasks[1] - tasks[0]
                _add_information(rows, begin, n, count, weight, work[c, 1], means[c], information[c])
    for c in range(information.shape[0]):
        for k in range(columns):
            for j in range(k):
                information[c, j, k] = information[c, k, j]
