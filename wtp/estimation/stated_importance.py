"""What respondents say matters: direct ratings of importance, and points shared out among items (constant sum).

Ratings: the mean of each item less the respondent's own mean, so that generous raters do not count more; t interval over respondents.
Constant sums are compositions (Aitchison 1986): their centre is the geometric mean, closed to 100, with half a point for 0; the arithmetic mean
is what people expect to see beside it. Ranks, and the intervals of a constant sum, come from bootstrap samples of respondents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from wtp.errors import DataError
from wtp.estimation.diagnostics import SMALLEST_SAMPLE, Note
from wtp.estimation.long_format import check_cells, check_columns, numbers

_ZERO = 0.5  # points instead of 0, which has no logarithm
_FEW = "Only {respondents} respondents: intervals are rough below 30; collect more answers."
_DROPPED = "{dropped} of {all} respondents did not answer for every item and are left out."


@dataclass(frozen=True, eq=False, slots=True)
class StatedImportance:
    """table: one row an item. respondents: used; dropped: left out, since an item is missing. notes: what to know."""

    table: pd.DataFrame
    respondents: int
    dropped: int
    notes: tuple[Note, ...]


def direct_importance(
    frame: pd.DataFrame,
    *,
    respondent: str = "respondent",
    item: str = "item",
    rating: str = "rating",
    confidence: float = 0.95,
    replicates: int = 1000,
    seed: int = 0,
) -> StatedImportance:
    """Importance ratings, one row a respondent and item.

    Columns item, mean (as rated), centred, low, high (less the respondent's mean, rating points), rank (1 is the most important; ties share the
    average), rank_low, rank_high. Raises DataError naming column, row and respondent.
    """
    values, items, dropped = _answers(frame, respondent, item, rating)
    centred = values - values.mean(axis=1, keepdims=True)
    n = len(values)
    half = stats.t.isf((1 - confidence) / 2, n - 1) * centred.std(axis=0, ddof=1) / np.sqrt(n)
    mean = centred.mean(axis=0)
    ranks = stats.rankdata(-resampled(centred, replicates, seed).round(12), axis=1)
    table = pd.DataFrame(
        {"item": items, "mean": values.mean(axis=0), "centred": mean, "low": mean - half, "high": mean + half}
    )
    table["rank"] = stats.rankdata(-mean.round(12))
    return _result(_with_ranks(table, ranks, confidence), n, dropped)


def constant_sum(
    frame: pd.DataFrame,
    *,
    respondent: str = "respondent",
    item: str = "item",
    points: str = "points",
    total: float = 100.0,
    confidence: float = 0.95,
    replicates: int = 1000,
    seed: int = 0,
) -> StatedImportance:
    """Points shared out among items, one row a respondent and item.

    Columns item, mean (arithmetic, of `total`), centre, low, high (geometric, closed to `total`), zeros (share of respondents who gave none), rank,
    rank_low, rank_high. Raises DataError for negative points and for sums that are not the total, naming respondents.
    """
    values, items, dropped = _answers(frame, respondent, item, points, check=lambda wide: _check_sums(wide, total))
    logs = log_shares(values, total)
    samples = _closed(resampled(logs, replicates, seed), total)
    tail = (1 - confidence) / 2
    low, high = np.quantile(samples, [tail, 1 - tail], axis=0)
    centre = _closed(logs.mean(axis=0), total)
    table = pd.DataFrame(
        {"item": items, "mean": values.mean(axis=0), "centre": centre, "low": low, "high": high, "zeros": (values == 0).mean(axis=0)}
    )  # fmt: skip
    table["rank"] = stats.rankdata(-centre.round(12))
    return _result(_with_ranks(table, stats.rankdata(-samples.round(12), axis=1), confidence), len(values), dropped)


def _answers(
    frame: pd.DataFrame,
    respondent: str,
    item: str,
    value: str,
    check: Callable[[pd.DataFrame], None] | None = None,
) -> tuple[np.ndarray, list[object], int]:
    """(N, items) answers of those who answered for every item, the items in order of appearance, how many others there are."""
    check_columns(frame, [], [respondent, item, value], "")
    rows = np.arange(1, len(frame) + 1)
    check_cells(frame, [respondent, item], rows)
    answered = frame[value].notna().to_numpy()
    known = numbers(frame[answered], [value], {value}, rows[answered])
    twice = known.duplicated([respondent, item])
    if twice.any():
        at = int(np.argmax(twice.to_numpy()))
        raise DataError(
            f"respondent {known[respondent].iloc[at]}, item {known[item].iloc[at]} (row {rows[answered][at]}): answered twice; allowed: one "
            "answer a respondent and item; drop one."
        )
    items = list(pd.unique(frame[item]))
    if len(items) < 2:
        raise DataError(f"column {item!r}: {len(items)} item; allowed: two or more; add the others.")
    wide = known.pivot_table(index=respondent, columns=item, values=value).reindex(columns=items)
    complete = wide.dropna()
    if len(complete) < 2:
        raise DataError(
            f"{len(complete)} respondent{'s' * (len(complete) != 1)} answered for every item; allowed: two or more; collect more answers."
        )
    if check is not None:
        check(complete)
    return complete.to_numpy(dtype=float), items, int(frame[respondent].nunique() - len(complete))


def _check_sums(wide: pd.DataFrame, total: float) -> None:
    for wrong, found, allowed in (
        ((wide < 0).any(axis=1), wide.min(axis=1), "points from 0 on"),
        ((wide.sum(axis=1) - total).abs() > 1e-6 * total, wide.sum(axis=1), f"points that add up to {total:g}"),
    ):
        if wrong.any():
            shown = "; ".join(f"respondent {who}: {found[who]:g}" for who in wide.index[wrong][:5])
            more = f" and {int(wrong.sum()) - 5:,} more" if wrong.sum() > 5 else ""
            raise DataError(f"{shown}{more}; allowed: {allowed}; mend or drop these respondents.")


def log_shares(values: np.ndarray, total: float) -> np.ndarray:
    """(N, items) logarithms of the shares of points (N, items), half a point of 100 in place of 0."""
    shares = np.where(values == 0, _ZERO * total / 100, values)
    return np.asarray(np.log(shares / shares.sum(axis=1, keepdims=True)))


def resampled(values: np.ndarray, replicates: int, seed: int) -> np.ndarray:
    """(replicates, items) means over respondents drawn with replacement."""
    n = len(values)
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=replicates)
    return np.asarray(counts @ values / n)


def _closed(logs: np.ndarray, total: float) -> np.ndarray:
    powers = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.asarray(total * powers / powers.sum(axis=-1, keepdims=True))


def _with_ranks(table: pd.DataFrame, ranks: np.ndarray, confidence: float) -> pd.DataFrame:
    tail = (1 - confidence) / 2
    low, high = np.quantile(ranks, [tail, 1 - tail], axis=0, method="inverted_cdf")
    return table.assign(rank_low=low, rank_high=high)


def _result(table: pd.DataFrame, respondents: int, dropped: int) -> StatedImportance:
    notes = []
    if dropped:
        notes.append(Note("dropped", "warning", _DROPPED, {"dropped": dropped, "all": respondents + dropped}))
    if respondents < SMALLEST_SAMPLE:
        notes.append(Note("few", "warning", _FEW, {"respondents": respondents}))
    return StatedImportance(table, respondents, dropped, tuple(notes))
