"""Compiled simulated likelihood of the mixed logit: draws are the innermost, contiguous dimension.

Rows are the alternatives that were not chosen, as differences from the chosen one (A', K); tasks and rows of a respondent lie side by side, see
`hierarchical.kernel`. Every respondent is computed on his own, so that the figures do not depend on the number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from wtp.estimation.compiled import exp_block, product

_LARGEST = 600.0
_fast = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nnan", "nsz", "reassoc"})


@_fast
def panel(  # noqa: PLR0912
    rows: np.ndarray,
    first_row: np.ndarray,
    tasks: tuple[int, int],
    b: np.ndarray,
    varies: np.ndarray,
    loglike: np.ndarray,
    slopes: np.ndarray,
    work: np.ndarray,
) -> None:
    """Log-likelihood (R,) of one respondent's choices at coefficients b (K, R), and its slopes in them (K, R).

    varies: (K,) whether a coefficient differs between draws; of the others only the first draw is read. work: (3 + most alternatives, R).
    """
    draws = b.shape[1]
    mass, scratch, logs = work[0], work[1], work[2]
    loglike[:] = 0.0
    slopes[:] = 0.0
    for t in range(tasks[0], tasks[1]):
        first, last = first_row[t], first_row[t + 1]
        mass[:] = 1.0
        for a in range(first, last):
            v = work[3 + a - first]
            common = 0.0
            for k in range(len(b)):
                if not varies[k]:
                    common += rows[a, k] * b[k, 0]
            v[:] = common
            for k in range(len(b)):
                if varies[k] and rows[a, k] != 0.0:
                    x, column = rows[a, k], b[k]
                    for r in range(draws):
                        v[r] += x * column[r]
            for r in range(draws):
                v[r] = min(v[r], _LARGEST)
            exp_block(v, logs, scratch)
            for r in range(draws):
                v[r] = logs[r]
                mass[r] += v[r]
        for r in range(draws):
            loglike[r] -= np.log(mass[r])
            mass[r] = 1.0 / mass[r]
        for a in range(first, last):
            p = work[3 + a - first]
            for r in range(draws):
                p[r] *= mass[r]
            for k in range(len(b)):
                if rows[a, k] != 0.0:
                    x, slope = rows[a, k], slopes[k]
                    for r in range(draws):
                        slope[r] -= x * p[r]


@_fast
def average(loglike: np.ndarray, weights: np.ndarray) -> float:
    """log mean exp of (R,) log-likelihoods; their shares into weights (R,)."""
    top = loglike.max()
    total = 0.0
    for r in range(len(loglike)):
        weights[r] = np.exp(loglike[r] - top)
        total += weights[r]
    for r in range(len(loglike)):
        weights[r] /= total
    return float(top + np.log(total / len(loglike)))


@njit(nogil=True, cache=True, error_model="numpy")
def simulate_people(  # noqa: PLR0912
    people: tuple[int, int],
    rows: np.ndarray,
    first_row: np.ndarray,
    first_task: np.ndarray,
    points: np.ndarray,
    location: np.ndarray,
    loading: np.ndarray,
    place: np.ndarray,
    kind: np.ndarray,
    price: int,
    most: int,
    values: np.ndarray,
    location_scores: np.ndarray,
    loading_scores: np.ndarray,
    means: np.ndarray,
) -> None:
    """Simulated log-likelihood of respondents people[0]:people[1] with its scores, and their posterior mean coefficients.

    points (N, D, R) standardised draws. zeta_k = location_k + sum_d loading_kd point_d for coefficient k at place[k] >= 0 in the loading, else location_k.
    kind: 0 the coefficient is zeta, 1 exp(zeta), -1 -exp(zeta). price >= 0: WTP space, coefficients are lambda times them, lambda = exp(zeta_price),
    and -lambda for the price. values (N,), location_scores (N, K), loading_scores (N, D, D), means (N, K).
    """
    k, dimensions, draws = len(location), points.shape[1], points.shape[2]
    b, slopes = np.empty((k, draws)), np.empty((k, draws))
    zeta, loglike, weights, work = np.empty((k, draws)), np.empty(draws), np.empty(draws), np.empty((3 + most, draws))
    varies = np.empty(k, dtype=np.bool_)
    for c in range(k):
        varies[c] = place[c] >= 0 or (price >= 0 and place[price] >= 0)
    for i in range(people[0], people[1]):
        for c in range(k):
            zeta[c] = location[c]
            if place[c] >= 0:
                for d in range(dimensions):
                    load = loading[place[c], d]
                    if load != 0.0:
                        for r in range(draws):
                            zeta[c, r] += load * points[i, d, r]
            if c == price or kind[c] != 0:
                sign = 1.0 if c == price else float(kind[c])
                for r in range(draws):
                    zeta[c, r] = sign * np.exp(min(zeta[c, r], 300.0))
            for r in range(draws):
                b[c, r] = zeta[c, r]
        if price >= 0:
            for c in range(k):
                for r in range(draws):
                    b[c, r] = -zeta[price, r] if c == price else zeta[c, r] * zeta[price, r]
        panel(rows, first_row, (first_task[i], first_task[i + 1]), b, varies, loglike, slopes, work)
        values[i] = average(loglike, weights)
        for c in range(k):
            means[i, c] = product(weights, b[c])
        if price >= 0:
            # d b_c / d zeta_price = b_c for every coefficient, d b_c / d w_c = lambda
            for r in range(draws):
                total = 0.0
                for c in range(k):
                    total += slopes[c, r] * b[c, r]
                    slopes[c, r] *= zeta[price, r]
                slopes[price, r] = total
        for c in range(k):
            if kind[c] != 0 and c != price:
                for r in range(draws):
                    slopes[c, r] *= zeta[c, r]
            score = 0.0
            for r in range(draws):
                slopes[c, r] *= weights[r]
                score += slopes[c, r]
            location_scores[i, c] = score
            if place[c] >= 0:
                for d in range(dimensions):
                    loading_scores[i, place[c], d] = product(slopes[c], points[i, d])
