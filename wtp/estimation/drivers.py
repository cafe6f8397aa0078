"""Derived importance: how much of an outcome (satisfaction, repurchase) goes with each driver, beside what people say matters.

R^2 of a linear regression of the outcome on the drivers is divided among them: LMG, the mean of a driver's gain in R^2 over all orders of
entry (Lindeman, Merenda and Gold 1980; the Shapley value of R^2), or Johnson's (2000) relative weights, which are close to it and cost
less. Both add up to R^2. Intervals are percentiles over bootstrapped respondents (Tonidandel and LeBreton 2011). Correlation, not cause; a
halo, by which a person rates everything alike, makes all drivers look the same: look again with `remove_person_mean`.
Notation: N respondents, A rows, k drivers, B bootstrap replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import comb
from scipy.stats import rankdata

from wtp.errors import DataError, EstimationError
from wtp.estimation.diagnostics import SMALLEST_SAMPLE, Note

DriverMethod = Literal["lmg", "relative_weights"]
MOST_DRIVERS = 12  # 2^12 subsets
_TOLERANCE = 1e-10  # of a variance of 1: what is left of a driver that the others determine
_CLEARLY = 1.96  # standard errors of a correlation near 0, 1 / sqrt(N)
_BLOCK = 2**24  # bytes of a block of replicates

_ASSOCIATED = "These figures say what goes with {outcome}, not what causes it; before money is spent, hold them against the choices."
_LEFT_OUT = "{excluded} of {rows} rows are left out because an answer is missing in them; {used} are used."
_FEW = "Only {respondents} respondents: below {limit} the shares are a first impression; collect more answers."
_REDUNDANT = (
    "The drivers determine one another (rank {rank} of {drivers}), so they share what they have in common; "
    "R-squared stays right, but the coefficients are one choice of many; leave a driver out to read them."
)
_CENTRED = (
    "Each person's mean over the drivers is taken off, so these figures tell which drivers stand out for a person, not how well all is "
    "rated; R-squared is smaller for it."
)
_NEGATIVE = "{drivers}: the better the rating, the worse {outcome}; check the direction of the scale."


@dataclass(frozen=True, eq=False, slots=True)
class DriverImportance:
    """What goes with an outcome, and how much of it.

    table: driver, correlation, coefficient (standardised; the shortest vector where the drivers determine one another), importance (part
    of R^2), low, high, share, share_low, share_high (per cent of R^2), rank, rank_low, rank_high (1 first). r_squared with r_squared_low, r_squared_high.
    respondents and rows that were used, excluded rows, replicates of the bootstrap.
    """

    table: pd.DataFrame
    outcome: str
    method: DriverMethod
    r_squared: float
    r_squared_low: float
    r_squared_high: float
    respondents: int
    rows: int
    excluded: int
    replicates: int
    notes: tuple[Note, ...]


def driver_importance(
    frame: pd.DataFrame,
    outcome: str,
    drivers: Sequence[str],
    *,
    method: DriverMethod = "lmg",
    respondent: str | None = None,
    remove_person_mean: bool = False,
    bootstrap: int = 1_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> DriverImportance:
    """Divide the R^2 of `outcome` on `drivers` among the drivers.

    frame: one row a rating occasion, numbers; one row is one person unless `respondent` names a column (then whole persons are drawn).
    method "lmg" is exact for up to 12 drivers. remove_person_mean: each row's mean over the drivers is taken off them first. A row with a
    missing answer is left out and counted. bootstrap: replicates, 0 for no intervals (NaN).
    Raises DataError for unknown columns and text, EstimationError for a constant column, too few rows or too many drivers.
    """
    drivers = list(drivers)
    _check(frame, outcome, drivers, method, respondent)
    values, people = _complete(frame, outcome, drivers, respondent)
    if remove_person_mean:
        values[:, :-1] -= values[:, :-1].mean(axis=1, keepdims=True)
    _check_values(values, [*drivers, outcome])
    values = (values - values.mean(axis=0)) / values.std(axis=0)

    correlations = np.corrcoef(values, rowvar=False)
    divide = lmg if method == "lmg" else relative_weights
    estimate = divide(correlations[None])[0]
    draws = _bootstrap(values, people, divide, bootstrap, seed)
    total = draws.sum(axis=1, keepdims=True)
    shares = 100 * np.divide(draws, total, out=np.full_like(draws, 1 / len(drivers)), where=total > 0)
    r_squared = float(estimate.sum())
    tail = (1 - confidence) / 2
    low, high = _percentiles(draws, tail)
    share_low, share_high = _percentiles(shares, tail)
    rank_low, rank_high = _percentiles(_ranks(draws), tail)
    r_low, r_high = _percentiles(total, tail)
    coefficients, rank = _coefficients(correlations)
    table = pd.DataFrame(
        {
            "driver": drivers,
            "correlation": correlations[:-1, -1],
            "coefficient": coefficients,
            "importance": estimate,
            "low": low,
            "high": high,
            "share": 100 * estimate / r_squared,
            "share_low": share_low,
            "share_high": share_high,
            "rank": _ranks(estimate[None])[0],
            "rank_low": rank_low,
            "rank_high": rank_high,
        }
    )
    count = int(people.max()) + 1
    return DriverImportance(
        table=table,
        outcome=outcome,
        method=method,
        r_squared=r_squared,
        r_squared_low=float(r_low[0]),
        r_squared_high=float(r_high[0]),
        respondents=count,
        rows=len(values),
        excluded=len(frame) - len(values),
        replicates=len(draws),
        notes=_notes(table, outcome, (count, len(frame), len(values)), rank, remove_person_mean),
    )


def lmg(correlations: np.ndarray) -> np.ndarray:
    """(B, k) LMG of B correlation matrices (B, k+1, k+1) of the drivers and, last, the outcome.

    LMG_j = sum over S without j of |S|! (k-|S|-1)! / k! (R^2 of S and j - R^2 of S) (Lindeman, Merenda and Gold 1980; Groemping 2007, eq. 10).
    R^2 of all 2^k subsets comes from k doublings: whatever subset of the first j drivers is swept out, one Schur complement
    more sweeps driver j + 1 out too, and only the columns still to come are carried on.
    """
    k = correlations.shape[1] - 1
    block = max(1, _BLOCK // (64 * 2**k))
    weights = _subset_weights(k)
    parts = [_subsets(correlations[start : start + block]) @ weights for start in range(0, len(correlations), block)]
    return np.concatenate(parts)


def relative_weights(correlations: np.ndarray) -> np.ndarray:
    """(B, k) relative weights of B correlation matrices (B, k+1, k+1) of the drivers and, last, the outcome.

    C = Q D Q', L = Q D^(1/2) Q', b = L^-1 r, weight_j = sum_i L_ji^2 b_i^2 (Johnson 2000): the drivers' closest orthogonal counterparts
    explain the outcome, and what they explain goes back to the drivers. Directions in which the drivers do not vary explain nothing.
    """
    values, vectors = np.linalg.eigh(correlations[:, :-1, :-1])
    varies = values > _TOLERANCE * values[:, -1:]
    roots = np.sqrt(np.where(varies, values, 0))
    inverse = np.divide(1, roots, out=np.zeros_like(roots), where=varies)
    turned = np.swapaxes(vectors, 1, 2)
    links = (vectors * roots[:, None, :]) @ turned
    b = (vectors * inverse[:, None, :]) @ turned @ correlations[:, :-1, -1:]
    return np.asarray((links**2 @ b**2)[:, :, 0])


def _subsets(correlations: np.ndarray) -> np.ndarray:
    """(B, 2^k) R^2 of every subset; driver j is in subset s if bit k-1-j of s is set."""
    left = correlations[:, None]  # (B, subsets so far, drivers to come and outcome, the same)
    for _ in range(correlations.shape[1] - 1):
        pivot = left[:, :, :1, :1]
        # A driver that those before it determine adds nothing.
        factor = np.divide(left[:, :, 1:, :1], pivot, out=np.zeros_like(left[:, :, 1:, :1]), where=pivot > _TOLERANCE)
        without = left[:, :, 1:, 1:]
        swept = without - factor * left[:, :, :1, 1:]
        left = np.stack([without, swept], axis=2).reshape(len(left), -1, *without.shape[2:])
    return np.asarray(correlations[:, -1:, -1] - left[:, :, 0, 0])


def _subset_weights(k: int) -> np.ndarray:
    """(2^k, k) weight of the R^2 of each subset in the LMG of each driver."""
    subsets = np.arange(2**k)
    member = (subsets[:, None] >> np.arange(k - 1, -1, -1)) & 1 == 1
    size = member.sum(axis=1, keepdims=True)
    joined = size - member  # drivers of the subset that are there before this one
    return np.asarray(np.where(member, 1.0, -1.0) / (k * comb(k - 1, joined)))


def _moments(values: np.ndarray, people: np.ndarray) -> np.ndarray:
    """(N, p, p) sums over each person's rows of products of (1, values), p = k + 2."""
    full = np.column_stack([np.ones(len(values)), values])
    order = np.argsort(people, kind="stable")
    products = full[order, :, None] * full[order, None, :]
    starts = np.flatnonzero(np.r_[True, np.diff(people[order]) > 0])
    return np.asarray(np.add.reduceat(products, starts, axis=0))


def _correlations(moments: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(B, k+1, k+1) correlations of the rows of persons counted (B, N) times; 0 with a column that does not vary."""
    n, p, _ = moments.shape
    total = (counts @ moments.reshape(n, -1)).reshape(-1, p, p)
    mean = total[:, 0, 1:] / total[:, :1, 0]
    covariance = total[:, 1:, 1:] / total[:, :1, :1] - mean[:, :, None] * mean[:, None, :]
    variance = np.einsum("bii->bi", covariance)
    scale = np.divide(1, np.sqrt(np.maximum(variance, 0)), out=np.zeros_like(variance), where=variance > _TOLERANCE)
    return np.asarray(covariance * scale[:, :, None] * scale[:, None, :])


def _bootstrap(
    values: np.ndarray,
    people: np.ndarray,
    divide: Callable[[np.ndarray], np.ndarray],
    replicates: int,
    seed: int,
) -> np.ndarray:
    """(B, k) parts of R^2 in samples of persons drawn with replacement."""
    moments = _moments(values, people)
    n = len(moments)
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // (16 * n))
    parts = [np.empty((0, values.shape[1] - 1))]
    for start in range(0, replicates, block):
        size = min(block, replicates - start)
        drawn = rng.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(float)
        parts.append(divide(_correlations(moments, counts)))
    return np.concatenate(parts)


def _percentiles(draws: np.ndarray, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """(k,) lower and upper percentiles of draws (B, k), NaN without draws."""
    if not len(draws):
        nothing = np.full(draws.shape[1], np.nan)
        return nothing, nothing
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    return low, high


def _ranks(parts: np.ndarray) -> np.ndarray:
    """(B, k) rank of each driver, 1 the most important; equals share the mean of their ranks."""
    return np.asarray(rankdata(-np.round(parts, 12), axis=1))


def _coefficients(correlations: np.ndarray) -> tuple[np.ndarray, int]:
    """(k,) standardised regression coefficients, and the rank of the drivers."""
    found = np.linalg.lstsq(correlations[:-1, :-1], correlations[:-1, -1], rcond=_TOLERANCE)
    return found[0], int(found[2])


def _check(frame: pd.DataFrame, outcome: str, drivers: list[str], method: str, respondent: str | None) -> None:
    there = ", ".join(map(str, frame.columns))
    for column in [outcome, *drivers, *([respondent] if respondent else [])]:
        if column not in frame.columns:
            raise DataError(f"no column {column!r}; found: {there}; name the right column or add it.")
    if outcome in drivers or len(set(drivers)) < len(drivers):
        raise DataError(
            f"outcome {outcome!r}, drivers {', '.join(drivers)}: a column is named twice; allowed: each once; drop one."
        )
    if method not in ("lmg", "relative_weights"):
        raise EstimationError(f"method: found {method!r}; allowed: lmg, relative_weights; choose one of them.")
    if len(drivers) < 2:
        raise EstimationError(f"{len(drivers)} driver; allowed: at least 2 to divide R-squared among; name more.")
    if method == "lmg" and len(drivers) > MOST_DRIVERS:
        raise EstimationError(
            f"{len(drivers)} drivers; allowed: up to {MOST_DRIVERS} with method 'lmg'; "
            "leave some out or take 'relative_weights', which has no limit."
        )


def _complete(
    frame: pd.DataFrame, outcome: str, drivers: list[str], respondent: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """(A, k+1) numbers of the complete rows, the outcome last, and (A,) codes of their persons."""
    columns = []
    for column in [*drivers, outcome]:
        numbers = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        wrong = np.flatnonzero((np.isnan(numbers) & frame[column].notna().to_numpy()) | np.isinf(numbers))
        if len(wrong):
            raise DataError(
                f"column {column!r}, row {wrong[0] + 1}: {str(frame[column].iloc[wrong[0]])[:40]!r} is not a finite number; "
                "allowed: numbers, or empty for no answer; mend the cell."
            )
        columns.append(numbers)
    values = np.column_stack(columns)
    complete = ~np.isnan(values).any(axis=1)
    if respondent is None:
        people = np.arange(int(complete.sum()))
    else:
        complete &= frame[respondent].notna().to_numpy()
        people = pd.factorize(frame[respondent][complete])[0]
    return values[complete], people


def _check_values(values: np.ndarray, names: list[str]) -> None:
    rows, columns = values.shape
    if rows < columns + 2:
        raise EstimationError(
            f"{rows} complete rows for {columns - 1} drivers; allowed: at least {columns + 2}; collect more answers or leave "
            "drivers out."
        )
    spread = np.ptp(values, axis=0)
    still = np.flatnonzero(spread <= _TOLERANCE * np.maximum(1e-300, np.abs(values).max(axis=0)))
    if len(still):
        raise EstimationError(
            f"column {names[still[0]]!r}: the same value in every complete row; allowed: a column that varies; leave it out."
        )


def _notes(
    table: pd.DataFrame, outcome: str, counts: tuple[int, int, int], rank: int, centred: bool
) -> tuple[Note, ...]:
    """counts: respondents, rows, rows used. Centred rows add up to 0, so one rank less is no surprise there, nor are negative drivers."""
    respondents, rows, used = counts
    notes = [Note("association", "info", _ASSOCIATED, {"outcome": outcome})]
    if used < rows:
        notes.append(Note("missing_answers", "info", _LEFT_OUT, {"excluded": rows - used, "rows": rows, "used": used}))
    if respondents < SMALLEST_SAMPLE:
        notes.append(Note("too_small", "warning", _FEW, {"respondents": respondents, "limit": SMALLEST_SAMPLE}))
    if rank < len(table) - centred:
        notes.append(Note("redundant_drivers", "warning", _REDUNDANT, {"rank": rank, "drivers": len(table)}))
    if centred:
        return (*notes, Note("person_mean_removed", "info", _CENTRED))
    negative = table.loc[table["correlation"] < -_CLEARLY / np.sqrt(respondents), "driver"]
    if len(negative):
        values = {"drivers": ", ".join(map(str, negative)), "outcome": outcome}
        notes.append(Note("negative_driver", "warning", _NEGATIVE, values))
    return tuple(notes)
