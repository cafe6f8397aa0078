"""Efficient designs by coordinate exchange (Meyer and Nachtsheim 1995; Kessels, Goos and Vandebroek 2006), compiled.

Every attribute of every alternative of every task tries all its levels, and every alternative a few whole profiles at random (so that rules which
forbid single steps do not lock the search); what lowers the error most stays; passes repeat until none gains. The error is the mean over draws of the
part-worths (one draw of zeros: D0; several: Bayesian, Sandor and Wedel 2001) of det(M)^(-1/K), or of the summed variances of all WTPs by the
delta method (C-error, Scarpa and Rose 2008). M = sum_t X_t'(diag(p_t) - p_t p_t')X_t. A linear price is told best by its extremes alone, so a weight on
equal level counts keeps the tested prices between them in the design, without which neither a curve nor a limit could be told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wtp.design.candidates import Candidates, not_told_apart, nothing_fits
from wtp.design.exchange_kernel import BIG, coded_tasks, error_of, improve, information, uneven
from wtp.design.rules import Rules
from wtp.errors import DesignError
from wtp.estimation.parallel import each

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
    valued: np.ndarray | None = None,
    progress: Callable[[float], None] | None = None,
) -> Exchanged:
    """Search a design of so many tasks; codes holds for each attribute its (levels, columns) coding, or (labels, levels, columns) by the label of the alternative, the price last.

    draws: (R, K) part-worths in logits, zeros for an uninformed design. criterion "C" needs price coefficients below zero in
    every draw. valued: (P, 2) columns and the price column that tells the worth of each, by default all others by the last one. balance: the error counts 1 + balance x (mean squared relative deviation of the level counts, summed over attributes) times. progress: called after each
    start with the share of the search that is done. Same seed and enough time, same design. Raises DesignError if the rules leave no task, or too few columns can be told apart.
    """
    padded, widths, offsets = _tables(codes)
    draws = np.ascontiguousarray(draws, dtype=float)
    pairs = _pairs(offsets[-1]) if valued is None else np.ascontiguousarray(valued, dtype=np.int64)
    if criterion == "C" and (draws[:, pairs[:, 1]] >= 0).any():
        raise DesignError("criterion C: a price coefficient that is not negative; allowed: below 0; state a prior.")
    if tasks * (alternatives - 1) < offsets[-1]:
        raise DesignError(
            f"{tasks} tasks of {alternatives} alternatives tell {tasks * (alternatives - 1)} of {offsets[-1]} parameters apart; "
            "allowed: at least as many; ask for more tasks or versions."
        )
    coding = padded, widths, offsets, draws, pairs if criterion == "C" else pairs[:0]
    first = _start(1, alternatives, rules, np.random.default_rng(seed), np.inf)
    _descend(first, coding, rules, np.random.default_rng(seed), 0.0, balance)
    began = time.monotonic()  # what was done before compiles, once an installation, and is not the search's time

    def pieces() -> Iterator[tuple[Any, ...]]:
        """Starts as long as there is time, each with the time that is left."""
        for number, spawned in enumerate(np.random.SeedSequence(seed).spawn(starts)):
            left = seconds - (time.monotonic() - began)
            if left <= 0 and number:
                return
            yield tasks, alternatives, rules, coding, spawned, max(left, 0.0), balance

    best, lowest, done = np.empty(0), np.inf, 0
    for levels, finished, error in each(_from_random_start, pieces()):
        done += finished
        if progress:
            progress(max(done / starts, min(1.0, (time.monotonic() - began) / seconds)))
        if error < lowest:
            best, lowest = levels, error
    if lowest >= BIG:
        raise DesignError(not_told_apart(rules, codes))
    return Exchanged(best, _error(best, rules.label, coding), done, done < starts)


def mean_error(
    codes: Sequence[np.ndarray],
    levels: np.ndarray,
    draws: np.ndarray,
    criterion: str = "D",
    *,
    label: int = -1,
    valued: np.ndarray | None = None,
) -> float:
    """The error of a design, (tasks, J, attributes) level numbers, over draws (R, K) of the part-worths; infinite if they cannot be told apart."""
    padded, widths, offsets = _tables(codes)
    pairs = _pairs(offsets[-1]) if valued is None else np.ascontiguousarray(valued, dtype=np.int64)
    draws = np.ascontiguousarray(draws, dtype=float)
    return _error(levels, label, (padded, widths, offsets, draws, pairs if criterion == "C" else pairs[:0]))


# Codings side by side, columns of each attribute, the first one of each, draws of the part-worths, columns and prices whose ratio is to be told (none: D-error).
_Coding = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _error(levels: np.ndarray, label: int, coding: _Coding) -> float:
    padded, widths, offsets, draws, pairs = coding
    X = coded_tasks(np.ascontiguousarray(levels, dtype=np.int64), label, padded, widths, offsets)
    found = error_of(information(X, draws), draws, pairs)
    return float("inf") if found >= BIG else float(found)


def _pairs(columns: int) -> np.ndarray:
    """Every column but the last, whose price that is."""
    return np.column_stack([np.arange(columns - 1), np.full(columns - 1, columns - 1)]).astype(np.int64)


def _tables(codes: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The codings side by side, (labels or 1, attributes, levels, columns), numbers of columns, and the first column of each attribute."""
    groups = max([1, *(len(code) for code in codes if code.ndim == 3)])
    levels = max(code.shape[-2] for code in codes)
    widths = np.array([code.shape[-1] for code in codes])
    padded = np.zeros((groups, len(codes), levels, int(widths.max())))
    for a, code in enumerate(codes):
        padded[:, a, : code.shape[-2], : widths[a]] = code
    return padded, widths, np.concatenate([[0], np.cumsum(widths)])


def _start(tasks: int, alternatives: int, rules: Rules, rng: np.random.Generator, end: float) -> np.ndarray:
    """(tasks, J, attributes) random levels within the rules; end: when the time is over, by the monotonic clock."""
    found = np.empty((tasks, alternatives, len(rules.sizes)), dtype=np.int64)
    candidates: Candidates | None = None
    for task in range(tasks):
        for _ in range(_FEW_DRAWS if candidates else _TASK_DRAWS):
            found[task] = rules.random(rng, (alternatives,))
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


def _from_random_start(
    tasks: int,
    alternatives: int,
    rules: Rules,
    coding: _Coding,
    seed: np.random.SeedSequence,
    seconds: float,
    balance: float,
) -> tuple[np.ndarray, bool, float]:
    """Levels, whether the passes ended by themselves, and the error with its weight, of one start with random numbers of its own."""
    rng, began = np.random.default_rng(seed), time.monotonic()
    levels = _start(tasks, alternatives, rules, rng, began + seconds)
    finished, error = _descend(levels, coding, rules, rng, max(seconds - (time.monotonic() - began), 0.0), balance)
    return levels, finished, error


def _descend(
    levels: np.ndarray,
    coding: _Coding,
    rules: Rules,
    rng: np.random.Generator,
    seconds: float,
    balance: float,
) -> tuple[bool, float]:
    """Passes until none gains, in slices, so that the time limit holds; whether it ended by itself, and the error with its weight."""
    began = time.monotonic()
    (padded, widths, offsets, draws, pairs), sizes = coding, rules.sizes
    X = coded_tasks(levels, rules.label, padded, widths, offsets)
    M = information(X, draws)
    counts = np.zeros((len(sizes), int(rules.codes.max())))
    for a in range(len(sizes)):
        np.add.at(counts[a], levels[..., a].ravel(), 1)
    error = error_of(M, draws, pairs) * (1 + balance * uneven(counts, sizes))
    tasks = len(levels)
    for _ in range(_MOST_PASSES):
        before = error
        order = rng.permutation(tasks)
        for part in np.array_split(order, max(1, tasks // 20)):
            tried = rules.random(rng, (len(part), levels.shape[1], _PROFILES))
            error = improve(
                part, tried, levels, X, M, counts, balance, error, padded, sizes, rules.label, widths, offsets, draws, pairs, *rules.arrays
            )  # fmt: skip
            if time.monotonic() - began > seconds:
                return False, error
        if not error < before * (1 - 1e-9):
            break
    return True, error
