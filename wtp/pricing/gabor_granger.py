"""Gabor and Granger (1966): would you buy at this price? asked at several prices, in an adaptive ladder or in any order.

A respondent's reservation price lies from the highest price with a yes there and at all lower asked ones up to the next asked price; a yes above a no is
a reversal. Demand at a tested price is the weighted share that buys, where what was not asked follows from that interval (and is left open inside it), made to fall
by pooling adjacent violators. The smooth version is an interval-censored log-normal (or log-logistic) distribution of reservation prices with covariates in its
location: medians of segments with standard errors, and a test of whether the first price asked pulls the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import norm
from statsmodels.tools.numdiff import approx_hess

from wtp.errors import DataError, EstimationError
from wtp.estimation.diagnostics import Note
from wtp.pricing.demand_curve import PROFIT, REVENUE, best_on_pieces, bootstrap_counts, crossing, falling

LIMIT = "limit"
ABOVE = "More than half would still buy at the highest price asked: the limit lies above it."
BELOW = "Fewer than half would buy at the lowest price asked: the limit lies below it."
NOBODY = "Nobody would buy at any of the prices asked, so there is no best one."
AT_END = "The best price is at the end of the prices asked; it may lie beyond."
_REVERSED = "{count} of {all} respondents said yes above a no more than once; their answers count up to the first no."
_START = "The first price asked pulls the answers (p = {p:.3f}): a start {ten:.0%} higher moves the limit by {moved:+.1%}. Ask in random order."
_FLAGGED = 1
_LOG_TEN = 0.1
_LARGEST_P = 0.05


@dataclass(frozen=True, slots=True)
class GaborGrangerResult:
    """What a Gabor-Granger test says.

    demand: price, asked, raw, share, low, high. points: point (limit, revenue, profit), price, low, high, value, note. people: respondent, low, high (of the reservation
    price, infinite above the highest yes), reversals. smooth: segment, median, low, high, respondents, note of the fitted distribution ("all" first); a median beyond the prices asked is withheld. sigma: its spread on the log scale.
    start_effect: change of log reservation price by log start price, std_error, p_value; empty without a start or its variation.
    """

    demand: pd.DataFrame
    points: pd.DataFrame
    people: pd.DataFrame
    smooth: pd.DataFrame
    sigma: float
    start_effect: pd.DataFrame
    notes: tuple[Note, ...]


def gabor_granger(
    frame: pd.DataFrame,
    *,
    respondent: str = "respondent",
    price: str = "price",
    buys: str = "buys",
    start: str | None = None,
    segment: str | None = None,
    weights: str | None = None,
    certainty: str | None = None,
    least_certain: float = 7,
    unit_cost: float | None = None,
    distribution: Literal["lognormal", "loglogistic"] = "lognormal",
    bootstrap: int = 1_000,
    confidence: float = 0.90,
    seed: int = 0,
) -> GaborGrangerResult:
    """Demand, price limit, revenue- and profit-best price with bootstrap intervals, and the smooth distribution with its segments.

    frame: one row an answer: respondent, price asked, buys (0/1). certainty: column "how sure are you?", 0 to 10; a yes that is less sure than `least_certain` counts as a no, which in other studies came
    closer to what people did (Blumenschein et al. 2008). start: column of the first price asked of the respondent. segment, weights: columns of the
    respondent. Raises DataError for columns that are missing, prices that are none, a price asked twice of one respondent.
    """
    if certainty is not None:
        frame = _sure(frame, buys, certainty, least_certain)
    answers, labels, grid = _answers(frame, respondent, price, buys)
    own = _of_respondents(frame, respondent, labels, {"start": start, "segment": segment, "weight": weights})
    known, yes, people = _intervals(answers, grid)
    people.insert(0, "respondent", labels)
    weight = own["weight"].to_numpy(dtype=float) if weights else np.ones(len(labels))
    if not ((weight > 0) & np.isfinite(weight)).all():
        raise DataError(f"column {weights!r}: a weight that is not above 0; allowed: positive numbers; mend it.")
    replicates = np.vstack([weight[None, :], bootstrap_counts(len(labels), bootstrap, seed, weight)])
    counts, sums = replicates @ known, replicates @ (known & yes)
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = np.where(counts > 0, sums / counts, 0.0)
    curves = falling(raw, counts)
    tail = (1 - confidence) / 2
    ends = np.quantile(curves[1:], [tail, 1 - tail], axis=0) if bootstrap else np.full((2, len(grid)), np.nan)
    demand = pd.DataFrame({"price": grid, "asked": np.isfinite(answers).sum(axis=0), "raw": raw[0], "share": curves[0], "low": ends[0], "high": ends[1]})  # fmt: skip
    smooth, sigma, effect = _smooth(people, own, weight, start, segment, distribution, confidence)
    smooth = _within(smooth, grid)
    return GaborGrangerResult(
        demand, _points(grid, curves, unit_cost, tail), people, smooth, sigma, effect, _notes(people, effect)
    )


def _sure(frame: pd.DataFrame, buys: str, certainty: str, least: float) -> pd.DataFrame:
    """The answers in which an unsure yes is a no."""
    if certainty not in frame.columns or buys not in frame.columns:
        raise DataError(
            f"Gabor-Granger: no column {certainty!r}; found: {', '.join(map(str, frame.columns))}; name the right one."
        )
    sure = pd.to_numeric(frame[certainty], errors="coerce")
    unknown = (frame[buys] == 1) & ~sure.between(0, 10)
    if unknown.any():
        row = int(unknown.to_numpy().argmax())
        raise DataError(
            f"Gabor-Granger, row {row + 1}: certainty {frame[certainty].iloc[row]!r} of a yes; allowed: 0 to 10; mend or drop the row."
        )
    return frame.assign(**{buys: frame[buys].where(sure >= least, 0)})


def _answers(frame: pd.DataFrame, respondent: str, price: str, buys: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, P) 1 yes, 0 no, NaN not asked; respondents; prices."""
    missing = [column for column in (respondent, price, buys) if column not in frame.columns]
    if missing:
        raise DataError(
            f"Gabor-Granger: no column {', '.join(missing)}; found: {', '.join(map(str, frame.columns))}; name the right columns."
        )
    try:
        prices, said = frame[price].to_numpy(dtype=float), frame[buys].to_numpy(dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"Gabor-Granger: {error}; allowed: numbers in {price!r}, 0 or 1 in {buys!r}; mend the cell."
        ) from error
    bad = np.flatnonzero(~(np.isfinite(prices) & (prices > 0) & np.isin(said, (0, 1))))
    if len(bad):
        row = bad[0]
        raise DataError(
            f"Gabor-Granger, row {row + 1}: price {prices[row]:g}, buys {said[row]:g}; allowed: a price above 0, and 0 or 1; mend or drop the row."
        )
    if len(frame) == 0:
        raise DataError("Gabor-Granger: no answers; allowed: one row an answer; ask people.")
    codes, labels = pd.factorize(frame[respondent])
    place, grid = pd.factorize(prices, sort=True)
    twice = pd.Series(codes * len(grid) + place).duplicated()
    if twice.any():
        row = int(twice.to_numpy().argmax())
        raise DataError(
            f"Gabor-Granger, row {row + 1}: respondent {frame[respondent].iloc[row]} was asked {prices[row]:g} twice; allowed: each price once; drop one."
        )
    answers = np.full((len(labels), len(grid)), np.nan)
    answers[codes, place] = said
    return answers, np.asarray(labels), np.asarray(grid, dtype=float)


def _of_respondents(
    frame: pd.DataFrame, respondent: str, labels: np.ndarray, columns: dict[str, str | None]
) -> pd.DataFrame:
    """One row a respondent of the columns that are named; each must be the same in all his rows."""
    found = pd.DataFrame(index=range(len(labels)))
    for name, column in columns.items():
        if column is None:
            continue
        if column not in frame.columns:
            raise DataError(
                f"Gabor-Granger: no column {column!r}; found: {', '.join(map(str, frame.columns))}; name the right one."
            )
        several = frame.groupby(respondent, sort=False)[column].nunique(dropna=False)
        if (several > 1).any():
            raise DataError(
                f"column {column!r}: respondent {several.index[several > 1][0]} has several values; allowed: one a respondent; mend it."
            )
        found[name] = frame.groupby(respondent, sort=False)[column].first().loc[list(labels)].to_numpy()
    return found


def _intervals(answers: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """(N, P) whether the answer at a price is known, and whether it is yes; low, high, reversals of each respondent."""
    asked = np.isfinite(answers)
    no = answers == 0
    first_no = np.where(no.any(axis=1), no.argmax(axis=1), len(grid))
    before = np.arange(len(grid)) < first_no[:, None]
    good = (answers == 1) & before
    place = np.where(good.any(axis=1), len(grid) - 1 - good[:, ::-1].argmax(axis=1), -1)
    low = np.where(place >= 0, grid[place], 0.0)
    high = np.where(first_no < len(grid), grid[np.minimum(first_no, len(grid) - 1)], np.inf)
    reversals = ((answers == 1) & ~before).sum(axis=1)
    implied_yes, implied_no = grid <= low[:, None], grid >= high[:, None]
    known = asked | implied_yes | implied_no
    yes = np.where(asked, answers == 1, implied_yes)
    return known, yes.astype(bool), pd.DataFrame({"low": low, "high": high, "reversals": reversals})


def _points(grid: np.ndarray, curves: np.ndarray, unit_cost: float | None, tail: float) -> pd.DataFrame:
    rows = []
    limits = crossing(grid, curves, 0.5)
    note = BELOW if limits[0] == -np.inf else ABOVE if limits[0] == np.inf else ""
    low, high = _ends(np.clip(limits[1:], grid[0], grid[-1]), tail)
    rows.append(
        (
            LIMIT,
            np.nan if note else limits[0],
            low if note != BELOW else np.nan,
            high if note != ABOVE else np.nan,
            np.nan if note else 0.5,
            note,
        )
    )
    for name, cost in ((REVENUE, 0.0), (PROFIT, unit_cost)):
        if cost is not None:
            prices, values = best_on_pieces(grid, curves, cost)
            if not curves[0].any():
                rows.append((name, np.nan, np.nan, np.nan, 0.0, NOBODY))
                continue
            at_end = AT_END if prices[0] in (grid[0], grid[-1]) else ""
            rows.append((name, prices[0], *_ends(prices[1:], tail), values[0], at_end))
    return pd.DataFrame(rows, columns=["point", "price", "low", "high", "value", "note"])


def _ends(figures: np.ndarray, tail: float) -> tuple[float, float]:
    if not len(figures):
        return np.nan, np.nan
    low, high = np.quantile(figures, [tail, 1 - tail])
    return float(low), float(high)


def _smooth(
    people: pd.DataFrame, own: pd.DataFrame, weight: np.ndarray, start: str | None, segment: str | None, distribution: str, confidence: float
) -> tuple[pd.DataFrame, float, pd.DataFrame]:  # fmt: skip
    """Medians of all and of each segment, sigma, and the effect of the start price."""
    low, high = people["low"].to_numpy(), people["high"].to_numpy()
    columns = ["segment", "median", "low", "high", "respondents"]
    empty = pd.DataFrame(columns=["estimate", "std_error", "p_value"])
    if not ((low > 0) & np.isfinite(high)).any() and len(np.unique(np.r_[low[low > 0], high[np.isfinite(high)]])) < 2:
        return pd.DataFrame(columns=columns), np.nan, empty
    z = norm.ppf((1 + confidence) / 2)
    one = interval_censored(low, high, np.ones((len(low), 1)), weight, distribution)
    rows = [("all", *_median(one.params[0], one.covariance[0, 0], z), len(low))]
    if segment:
        codes, names = pd.factorize(own["segment"], sort=True)
        used = codes >= 0
        dummies = np.eye(len(names))[codes[used]]
        several = interval_censored(low[used], high[used], dummies, weight[used], distribution)
        rows += [
            (str(name), *_median(several.params[j], several.covariance[j, j], z), int((codes == j).sum()))
            for j, name in enumerate(names)
        ]
    if start and len(np.unique(own["start"].to_numpy(dtype=float))) > 1:
        first = np.log(own["start"].to_numpy(dtype=float))
        moved = interval_censored(
            low, high, np.column_stack([np.ones(len(low)), first - first.mean()]), weight, distribution
        )
        error = float(np.sqrt(moved.covariance[1, 1]))
        p = 2 * norm.sf(abs(moved.params[1]) / error)
        empty = pd.DataFrame({"estimate": [float(moved.params[1])], "std_error": [error], "p_value": [float(p)]})
    return pd.DataFrame(rows, columns=columns), one.sigma, empty


def _within(smooth: pd.DataFrame, grid: np.ndarray) -> pd.DataFrame:
    """The medians, cut off at the prices asked: a segment of which all say yes, or no, has no median at all, whatever the curve says."""
    median = smooth["median"].to_numpy(dtype=float)
    above, below = median > grid[-1], median < grid[0]
    return smooth.assign(
        median=np.where(above | below, np.nan, median),
        low=smooth["low"].astype(float).clip(grid[0], grid[-1]).mask(below),
        high=smooth["high"].astype(float).clip(grid[0], grid[-1]).mask(above),
        note=np.where(above, ABOVE, np.where(below, BELOW, "")),
    )


def _median(location: float, variance: float, z: float) -> tuple[float, float, float]:
    half = z * float(np.sqrt(variance))
    return float(np.exp(location)), float(np.exp(location - half)), float(np.exp(location + half))


@dataclass(frozen=True, slots=True)
class IntervalCensored:
    """A fitted distribution of log prices: params (K,) of its location, covariance (K, K), sigma, log-likelihood."""

    params: np.ndarray
    covariance: np.ndarray
    sigma: float
    llf: float


def interval_censored(
    low: np.ndarray, high: np.ndarray, X: np.ndarray, weights: np.ndarray | None = None, distribution: str = "lognormal"
) -> IntervalCensored:
    """Maximum likelihood of sum w ln[F(high) - F(low)] with ln price = X b + sigma e, e normal or logistic; low = 0 and high = infinite are open ends.

    Covariance: the sandwich, which is right for weights and for a distribution that is only nearly so. Raises EstimationError if it has no maximum.
    """
    if distribution not in ("lognormal", "loglogistic"):
        raise DataError(f"distribution {distribution!r}; allowed: lognormal, loglogistic; name one of these.")
    w = np.ones(len(low)) if weights is None else weights * len(low) / weights.sum()
    with np.errstate(divide="ignore"):
        a, b = np.log(low), np.log(high)
    # Of ln[F(b) - F(a)]: from the side on which both are small, so that nothing cancels.
    log_cdf = norm.logcdf if distribution == "lognormal" else lambda x: -np.logaddexp(0.0, -x)

    def each(theta: np.ndarray) -> np.ndarray:
        location, sigma = X @ theta[:-1], np.exp(theta[-1])
        left, right = (a - location) / sigma, (b - location) / sigma
        upper = left > 0
        lo, hi = np.where(upper, -right, left), np.where(upper, -left, right)
        with np.errstate(invalid="ignore", divide="ignore"):
            top, bottom = log_cdf(hi), log_cdf(lo)
            return np.asarray(top + np.log1p(-np.exp(np.minimum(bottom - top, 0.0))))

    middle = np.where(
        np.isfinite(b), (np.where(np.isfinite(a), a, b - 0.5) + np.where(np.isfinite(b), b, 0.0)) / 2, a + 0.5
    )
    begin = np.r_[
        np.linalg.lstsq(X * np.sqrt(w)[:, None], np.where(np.isfinite(middle), middle, 0.0) * np.sqrt(w), rcond=None)[
            0
        ],
        np.log(0.3),
    ]

    def loss(theta: np.ndarray) -> float:
        value = float(w @ each(theta))
        return -value if np.isfinite(value) else 1e12

    found = minimize(loss, begin, method="BFGS", options={"gtol": 1e-7})
    theta = minimize(loss, found.x, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4_000}).x
    if not np.isfinite(theta).all() or abs(theta[-1]) > 6:
        raise EstimationError(
            "Gabor-Granger: the spread of reservation prices cannot be told; allowed: answers yes and no at several prices; ask more prices."
        )
    hessian = approx_hess(theta, loss)
    step = 1e-5
    scores = np.column_stack([
        (each(theta + step * unit) - each(theta - step * unit)) / (2 * step) for unit in np.eye(len(theta))
    ]) * w[:, None]  # fmt: skip
    inverse = np.linalg.pinv(hessian)
    covariance = inverse @ (scores.T @ scores) @ inverse
    return IntervalCensored(theta[:-1], covariance[:-1, :-1], float(np.exp(theta[-1])), -loss(theta))


def _notes(people: pd.DataFrame, effect: pd.DataFrame) -> tuple[Note, ...]:
    notes = []
    flagged = int((people["reversals"] > _FLAGGED).sum())
    if flagged:
        notes.append(Note("gabor_granger_reversals", "warning", _REVERSED, {"count": flagged, "all": len(people)}))
    if len(effect) and effect["p_value"].iloc[0] < _LARGEST_P:
        moved = float(np.expm1(effect["estimate"].iloc[0] * np.log1p(_LOG_TEN)))
        values = {"p": float(effect["p_value"].iloc[0]), "ten": _LOG_TEN, "moved": moved}
        notes.append(Note("gabor_granger_start", "warning", _START, values))
    return tuple(notes)


def limits_by_segment(
    frame: pd.DataFrame, segment: str, *, respondent: str = "respondent", smallest: int = 30, **options: object
) -> pd.DataFrame:
    """segment, point, price, low, high, value, note, respondents: the points of everybody ("all") and of each segment with enough respondents.

    options: of `gabor_granger`.
    """
    parts: Sequence[tuple[str, pd.DataFrame]] = [("all", frame), *((str(n), p) for n, p in frame.groupby(segment))]
    tables = []
    for name, part in parts:
        count = part[respondent].nunique()
        if name == "all" or count >= smallest:
            points = gabor_granger(part, respondent=respondent, **options).points  # type: ignore[arg-type]
            points.insert(0, "segment", name)
            tables.append(points.assign(respondents=count))
    return pd.concat(tables, ignore_index=True)
