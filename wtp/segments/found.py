"""Found segments: respondents grouped by what they would pay, with how stable the groups are and whether there are any.

k-means on each respondent's own WTP of every step, never on part-worths (those group by consistency, not by taste), cut off at the span of the tested prices and standardised. Clustering
always finds clusters. So each number of groups is held against data of one group only (normal, the same covariance): the gap statistic of Tibshirani, Walther and Hastie (2001),
and the stability over bootstrapped respondents, the adjusted Rand index of Hubert and Arabie (1985) and the Jaccard similarity of each group (Hennig 2007).

Groups made from these answers must not be tested on these answers: see `profile` for what else distinguishes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.cluster.vq import ClusterError, kmeans2
from scipy.special import comb

from wtp.errors import DataError
from wtp.estimation.diagnostics import SMALLEST_SAMPLE
from wtp.estimation.latent_results import SMALLEST_SHARE, smallest_class
from wtp.pricing.money import Money
from wtp.pricing.willingness_to_pay import Step, contrast

GOOD, WEAK, UNUSABLE = "good", "weak", "do not use"
STABLE, UNSTABLE = 0.7, 0.5
_STARTS = 50
_BOOTSTRAP_STARTS = 3
_NULLS = 20
_DRAWS = 50


@dataclass(frozen=True, slots=True)
class FoundSegments:
    """Groups of respondents by their WTP.

    members: respondent, segment (1 is the largest), probability (share of posterior draws in which the respondent falls there). worth: segment, respondents, share and one
    column a step, the mean WTP. quality: one row a number of groups: segments, gap, gap_error, stability, null_stability, smallest, usable. jaccard: (C,) similarity of each group.
    verdict: good, weak, do not use.
    """

    members: pd.DataFrame
    worth: pd.DataFrame
    quality: pd.DataFrame
    jaccard: np.ndarray
    verdict: str


def found_segments(
    fit: Any,
    steps: Sequence[Step],
    segments: int | Iterable[int] = range(2, 6),
    *,
    price: str = "price",
    replicates: int = 100,
    seed: int = 0,
) -> FoundSegments:
    """Group the respondents of a hierarchical fit into a given number of segments, or the best of several numbers.

    The number: the first whose gap is at least the next one's less its error, among those with groups of at least 30 respondents and 8 per cent. Raises DataError for a
    fit without respondents of its own, or if no number leaves groups that large.
    """
    numbers = [segments] if isinstance(segments, int) else sorted(set(segments))
    if min(numbers) < 2 or not hasattr(fit, "simulate") or hasattr(fit, "utility_params"):
        raise DataError(
            "found segments: allowed: two or more groups, and a fit with tastes of each respondent; fit a hierarchical logit."
        )
    worths, names = _worths(fit, steps, price)
    middle = np.median(worths, axis=0)
    spread = middle.std(axis=0)
    kept = spread > 1e-9 * np.abs(middle).max(initial=1e-300)
    features = (middle[:, kept] - middle[:, kept].mean(axis=0)) / spread[kept]
    rng = np.random.default_rng([seed, 23])
    nulls = _one_group(features, rng)
    rows, solutions = [], {}
    for number in numbers:
        labels, within = _kmeans(features, number, _STARTS, rng)
        sizes = np.bincount(labels, minlength=number)
        log_nulls = np.array([np.log(_kmeans(null, number, _BOOTSTRAP_STARTS, rng)[1]) for null in nulls])
        stability, jaccard = _stability(features, labels, replicates, rng)
        null_labels = _kmeans(nulls[0], number, _STARTS, rng)[0]
        null_stability, _ = _stability(nulls[0], null_labels, replicates, rng)
        error = float(log_nulls.std() * np.sqrt(1 + 1 / len(nulls)))
        usable = bool(sizes.min() >= smallest_class(len(labels)))
        rows.append(
            (
                number,
                float(log_nulls.mean() - np.log(within)),
                error,
                stability,
                null_stability,
                int(sizes.min()),
                usable,
            )
        )
        solutions[number] = labels, jaccard
    columns = ["segments", "gap", "gap_error", "stability", "null_stability", "smallest", "usable"]
    quality = pd.DataFrame(rows, columns=columns)
    chosen = _number(quality)
    labels, jaccard = solutions[chosen]
    order = np.argsort(-np.bincount(labels), kind="stable")
    labels = np.argsort(order)[labels]
    row = quality[quality["segments"] == chosen].iloc[0]
    return FoundSegments(
        members=pd.DataFrame({
            "respondent": _respondents(fit),
            "segment": labels + 1,
            "probability": _probabilities(worths[:, :, kept], labels, chosen),
        }),
        worth=_worth_table(middle, labels, names),
        quality=quality,
        jaccard=jaccard[order],
        verdict=_verdict(row),
    )  # fmt: skip


def _verdict(row: pd.Series) -> str:
    """No better than one group cut into pieces, in gap or in stability: not to be used."""
    if row["gap"] <= row["gap_error"] or row["stability"] < UNSTABLE or row["stability"] <= row["null_stability"]:
        return UNUSABLE
    return GOOD if row["stability"] >= STABLE else WEAK


def _number(quality: pd.DataFrame) -> int:
    usable = quality[quality["usable"]]
    if usable.empty:
        raise DataError(
            f"found segments: every number leaves a group below {SMALLEST_SAMPLE} respondents or {SMALLEST_SHARE:.0%}; allowed: larger groups; ask more people."
        )
    numbers, gaps, errors = (usable[name].to_numpy() for name in ("segments", "gap", "gap_error"))
    enough = np.flatnonzero(gaps[:-1] >= gaps[1:] - errors[1:])
    return int(numbers[enough[0] if len(enough) else gaps.argmax()])


def _respondents(fit: Any) -> np.ndarray:
    people = np.asarray(fit.data.respondents)
    return people[fit.members] if hasattr(fit, "members") else people


def _worths(fit: Any, steps: Sequence[Step], price: str) -> tuple[np.ndarray, list[str]]:
    """(R, N, S) WTP of each respondent in some draws, cut off at the span of the tested prices, and the steps' names."""
    money = Money.of(fit.data, price)
    contrasts = np.array([contrast(fit.data, s.attribute, s.from_level, s.to_level) for s in steps])
    drawn = fit.simulate(_DRAWS)
    worth = money.worth_of_people(np.asarray(drawn.values, dtype=float), contrasts)
    if worth.shape[1] != len(_respondents(fit)):
        raise DataError(
            "found segments: the fit has no tastes of each respondent; allowed: a hierarchical logit; fit one."
        )
    return np.clip(worth, -money.span, money.span), [f"{s.attribute}[{s.from_level} -> {s.to_level}]" for s in steps]


def _kmeans(features: np.ndarray, number: int, starts: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Labels (N,) with the smallest sum of squares within groups over several starts, and that sum."""
    best, smallest = np.zeros(len(features), dtype=int), np.inf
    for _ in range(starts):
        try:
            centres, labels = kmeans2(features, number, minit="++", rng=rng, missing="raise", check_finite=False)
        except ClusterError:  # a group lost all its members on the way
            continue
        within = float(((features - centres[labels]) ** 2).sum())
        if within < smallest:
            best, smallest = labels, within
    return best, smallest


def _one_group(features: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Data of one group with the same covariance."""
    covariance = np.cov(features, rowvar=False).reshape(features.shape[1], -1)
    return [rng.multivariate_normal(np.zeros(features.shape[1]), covariance, len(features)) for _ in range(_NULLS)]


def _stability(
    features: np.ndarray, labels: np.ndarray, replicates: int, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """Median adjusted Rand index, and mean Jaccard similarity (C,), of the groups found in bootstrapped respondents."""
    number = int(labels.max()) + 1
    indices, similarities = [], np.zeros(number)
    for _ in range(replicates):
        drawn = np.unique(rng.integers(0, len(features), len(features)))
        again, _ = _kmeans(features[drawn], number, _BOOTSTRAP_STARTS, rng)
        table = _crossed(labels[drawn], again, number)
        indices.append(adjusted_rand(table))
        union = table.sum(axis=1)[:, None] + table.sum(axis=0) - table
        similarities += (table / np.maximum(union, 1)).max(axis=1) / replicates
    return float(np.median(indices)), similarities


def _crossed(one: np.ndarray, other: np.ndarray, number: int) -> np.ndarray:
    """Counts (C, C) of two groupings 0 .. C - 1 against each other."""
    table = np.zeros((number, number))
    np.add.at(table, (one, other), 1)
    return table


def adjusted_rand(table: np.ndarray) -> float:
    """Agreement of two groupings beyond chance, 1 if they are the same (Hubert and Arabie 1985, equation 5)."""
    pairs = comb(table, 2).sum()
    rows, columns = comb(table.sum(axis=1), 2).sum(), comb(table.sum(axis=0), 2).sum()
    expected, largest = rows * columns / comb(table.sum(), 2), (rows + columns) / 2
    return 1.0 if largest == expected else float((pairs - expected) / (largest - expected))


def _probabilities(worths: np.ndarray, labels: np.ndarray, number: int) -> np.ndarray:
    """(N,) share of draws in which each respondent is nearest to the centre of his own group, centres matched draw by draw."""
    here = np.zeros(len(labels))
    for worth in worths:
        spread = worth.std(axis=0)
        scaled = (worth - worth.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        centres = np.array([scaled[labels == c].mean(axis=0) for c in range(number)])
        nearest = ((scaled[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        here += nearest == labels
    return here / len(worths)


def _worth_table(middle: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame(middle, columns=list(names)).groupby(labels).mean()
    sizes = np.bincount(labels)
    frame.insert(0, "share", sizes / sizes.sum())
    frame.insert(0, "respondents", sizes)
    return frame.rename_axis("segment").reset_index().assign(segment=lambda f: f["segment"] + 1)
