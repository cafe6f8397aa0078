"""Efficient designs by coordinate exchange (Meyer and Nachtsheim 1995; Kessels, Goos and Vandebroek 2006), compiled.

Every attribute of every alternative of every task tries all its levels, and every alternative a few whole profiles at random (so that rules which
forbid single steps do not lock the search); what lowers the error most stays; passes repeat until none gains. The error is the mean over draws of the
part-worths (one draw of zeros: D0; several: Bayesian, Sandor and Wedel 2001) of det(M)^(-1/K), or of the summed variances of all WTPs by the
delta method (C-error, Scarpa and Rose 2008). M = sum_t X_t'(diag(p_t) - p_t p_t')X_t. A linear price is told best by its extremes alone, so a weight on
equal level counts keeps the tested prices between them in the design, without which neither a curve nor a limit could be told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from wtp.design.candidates import Candidates, not_told_apart, nothing_fits
from wtp.design.rules import Rules
from wtp.errors import DesignError

_BIG = 1e300
_PROFILES = 6  # whole profiles tried for each alternative and pass
_MOST_PASSES = 200
_TASK_DRAWS = 500
_FEW_DRAWS = 5  # once random tasks have proved too rare, they are built


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The best design found: levels (tasks, alternatives, attributes), its error, how many starts were made, whether the time ended the search."""

    levels: np.ndarray
    error: float
    starts: int
    stopped: bool


def coordinate_exchange(
    codes: Sequence[np.ndarray],
    tasks: int,
    alternatives: int,
    rules: Rules,
    *,
    draws: np.ndarray,
    criterion: str = "D",
    starts: int = 10,
    seconds: float = 30.0,
    seed: int = 1,
    balance: float = 0.0,
    progress: Callable[[float], None] | None = None,
) -> Exchanged:
    """Search a design of so many tasks; codes holds for each attribute its (levels, columns) coding, the price last.

    draws: (R, K) part-worths in logits, zeros for an uninformed design. criterion "C" needs a price coefficient (last column) below zero in
    every draw. balance: the error counts 1 + balance x (mean squared relative deviation of the level counts, summed over attributes) times. progress: called after each
    start with the share of the search that is done. Same seed and enough time, same design. Raises DesignError if the rules leave no task, or too few columns can be told apart.
    """
    padded, sizes, widths, offsets = _tables(codes)
    draws = np.ascontiguousarray(draws, dtype=float)
    if criterion == "C" and (draws[:, -1] >= 0).any():
        raise DesignError("criterion C: a price coefficient that is not negative; allowed: below 0; state a prior.")
    if tasks * (alternatives - 1) < offsets[-1]:
        raise DesignError(
            f"{tasks} tasks of {alternatives} alternatives tell {tasks * (alternatives - 1)} of {offsets[-1]} parameters apart; "
            "allowed: at least as many; ask for more tasks or versions."
        )
    rng = np.random.default_rng(seed)
    first = _start(sizes, 1, alternatives, rules, np.random.default_rng(seed), np.inf)
    _descend(first, padded, sizes, widths, offsets, draws, criterion == "C", rules, rng.spawn(1)[0], 0.0, balance)
    began = time.monotonic()  # what was done before compiles, once an installation, and is not the search's time
    best, lowest, done = np.empty(0), np.inf, 0
    for _ in range(starts):
        levels = _start(sizes, tasks, alternatives, rules, rng, began + seconds)
        budget = max(seconds - (time.monotonic() - began), 0.0)
        finished, error = _descend(
            levels, padded, sizes, widths, offsets, draws, criterion == "C", rules, rng, budget, balance
        )
        done += finished
        if progress:
            progress(max(done / starts, min(1.0, (time.monotonic() - began) / seconds)))
        if error < lowest:
            best, lowest = levels, error
        if not finished:
            break
    if lowest >= _BIG:
        raise DesignError(not_told_apart(rules, codes))
    return Exchanged(best, mean_error(codes, best, draws, criterion), done, done < starts)


def mean_error(codes: Sequence[np.ndarray], levels: np.ndarray, draws: np.ndarray, criterion: str = "D") -> float:
    """The error of a design, (tasks, J, attributes) level numbers, over draws (R, K) of the part-worths; infinite if they cannot be told apart."""
    padded, _, widths, offsets = _tables(codes)
    X = _code(np.ascontiguousarray(levels, dtype=np.int64), padded, widths, offsets)
    draws = np.ascontiguousarray(draws, dtype=float)
    found = _error(_information(X, draws), draws, criterion == "C")
    return float("inf") if found >= _BIG else float(found)


def _tables(codes: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The codings side by side, numbers of levels and of columns, and the first column of each attribute."""
    sizes = np.array([len(code) for code in codes])
    widths = np.array([code.shape[1] for code in codes])
    padded = np.zeros((len(codes), int(sizes.max()), int(widths.max())))
    for a, code in enumerate(codes):
        padded[a, : sizes[a], : widths[a]] = code
    return padded, sizes, widths, np.concatenate([[0], np.cumsum(widths)])


def _start(
    sizes: np.ndarray, tasks: int, alternatives: int, rules: Rules, rng: np.random.Generator, end: float
) -> np.ndarray:
    """(tasks, J, attributes) random levels within the rules; end: when the time is over, by the monotonic clock."""
    found = np.empty((tasks, alternatives, len(sizes)), dtype=np.int64)
    candidates: Candidates | None = None
    for task in range(tasks):
        for _ in range(_FEW_DRAWS if candidates else _TASK_DRAWS):
            found[task] = rng.integers(0, sizes, (alternatives, len(sizes)))
            if rules.allowed(found[task]):
                break
        else:
            if task and time.monotonic() > end:  # no time to build more: those that there are do it again
                found[task] = found[rng.integers(task)]
                continue
            candidates = candidates or Candidates.of(rules)
            built, _ = candidates.task(rng)
            if built is None:
                raise DesignError(nothing_fits(rules))
            found[task] = built
    return found


def _descend(
    levels: np.ndarray,
    padded: np.ndarray,
    sizes: np.ndarray,
    widths: np.ndarray,
    offsets: np.ndarray,
    draws: np.ndarray,
    c_error: bool,
    rules: Rules,
    rng: np.random.Generator,
    seconds: float,
    balance: float,
) -> tuple[bool, float]:
    """Passes until none gains, in slices, so that the time limit holds; whether it ended by itself, and the error with its weight."""
    began = time.monotonic()
    X = _code(levels, padded, widths, offsets)
    M = _information(X, draws)
    counts = np.zeros((len(sizes), int(sizes.max())))
    for a in range(len(sizes)):
        np.add.at(counts[a], levels[..., a].ravel(), 1)
    error = _error(M, draws, c_error) * (1 + balance * _uneven(counts, sizes))
    tasks = len(levels)
    for _ in range(_MOST_PASSES):
        before = error
        order = rng.permutation(tasks)
        for part in np.array_split(order, max(1, tasks // 20)):
            tried = rng.integers(0, sizes, (len(part), levels.shape[1], _PROFILES, len(sizes)))
            error = _improve(
                part, tried, levels, X, M, counts, balance, error, padded, sizes, widths, offsets, draws, c_error, *rules.arrays
            )  # fmt: skip
            if time.monotonic() - began > seconds:
                return False, error
        if not error < before * (1 - 1e-9):
            break
    return True, error


@njit(cache=True)
def _code(levels: np.ndarray, padded: np.ndarray, widths: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    tasks, alternatives, attributes = levels.shape
    X = np.zeros((tasks, alternatives, offsets[-1]))
    for t in range(tasks):
        for j in range(alternatives):
            for a in range(attributes):
                for k in range(widths[a]):
                    X[t, j, offsets[a] + k] = padded[a, levels[t, j, a], k]
    return X


@njit(cache=True)
def _add_task(M: np.ndarray, x: np.ndarray, draws: np.ndarray, sign: float) -> None:
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


@njit(cache=True)
def _information(X: np.ndarray, draws: np.ndarray) -> np.ndarray:
    M = np.zeros((len(draws), X.shape[2], X.shape[2]))
    for t in range(len(X)):
        _add_task(M, X[t], draws, 1.0)
    return M


@njit(cache=True)
def _error(M: np.ndarray, draws: np.ndarray, c_error: bool) -> float:
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
                        return 1e300
                    L[k, k] = np.sqrt(value)
                    log_determinant += np.log(value)
                else:
                    L[k, i] = value / L[i, i]
        if c_error:
            total += _summed_variance(L, draws[r])
        else:
            total += np.exp(-log_determinant / K)
    return float(total / R)


@njit(cache=True)
def _summed_variance(L: np.ndarray, beta: np.ndarray) -> float:
    """Sum over the WTPs -b_k / b_price of g' M^-1 g, by forward substitution: |L^-1 g|^2."""
    K = len(beta)
    price = beta[K - 1]
    y = np.empty(K)
    total = 0.0
    for w in range(K - 1):
        for k in range(K):
            g = 0.0
            if k == w:
                g = -1.0 / price
            elif k == K - 1:
                g = beta[w] / (price * price)
            for m in range(k):
                g -= L[k, m] * y[m]
            y[k] = g / L[k, k]
            total += y[k] * y[k]
    return total


@njit(cache=True)
def _count(counts: np.ndarray, profile: np.ndarray, sign: float) -> None:
    for a in range(len(profile)):
        counts[a, profile[a]] += sign


@njit(cache=True)
def _uneven(counts: np.ndarray, sizes: np.ndarray) -> float:
    """Mean squared relative deviation of each attribute's level counts from equal ones, summed over the attributes."""
    total = 0.0
    for a in range(len(sizes)):
        mean = 0.0
        for level in range(sizes[a]):
            mean += counts[a, level] / sizes[a]
        for level in range(sizes[a]):
            total += (counts[a, level] / mean - 1) ** 2 / sizes[a]
    return total


@njit(cache=True)
def _task_allowed(  # noqa: PLR0912
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
            if a == A - 1:
                difference = -difference  # the price
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


@njit(cache=True)
def _improve(  # noqa: PLR0912
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
    widths: np.ndarray,
    offsets: np.ndarray,
    draws: np.ndarray,
    c_error: bool,
    forbidden: np.ndarray,
    at_most_once: np.ndarray,
    ordered: np.ndarray,
    avoid_dominated: bool,
) -> float:
    """One pass over these tasks; levels, X, M and counts are changed in place. Returns the error with its weight."""
    A = len(sizes)
    for n in range(len(part)):
        t = part[n]
        _add_task(M, X[t], draws, -1.0)
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
                        trial[:] = tried[n, j, a - A]
                    kept = levels[t, j].copy()
                    levels[t, j] = trial
                    if _task_allowed(levels[t], j, forbidden, at_most_once, ordered, avoid_dominated):
                        for b in range(A):
                            for k in range(widths[b]):
                                X[t, j, offsets[b] + k] = padded[b, trial[b], k]
                        trial_M = M.copy()
                        _add_task(trial_M, X[t], draws, 1.0)
                        found = _error(trial_M, draws, c_error)
                        if balance > 0:
                            _count(counts, kept, -1.0)
                            _count(counts, trial, 1.0)
                            found *= 1 + balance * _uneven(counts, sizes)
                            _count(counts, trial, -1.0)
                            _count(counts, kept, 1.0)
                        if found < error * (1 - 1e-12):
                            error = found
                            best = trial.copy()
                            gained = True
                    levels[t, j] = kept
                if gained:
                    _count(counts, levels[t, j], -1.0)
                    _count(counts, best, 1.0)
                    levels[t, j] = best
                for b in range(A):
                    for k in range(widths[b]):
                        X[t, j, offsets[b] + k] = padded[b, levels[t, j, b], k]
        _add_task(M, X[t], draws, 1.0)
    return error
