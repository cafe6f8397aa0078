"""Before and after: figures of two waves of a study, which other people answered, from their own intervals alone.

Each figure comes with an interval that was made on the scale that suits it (Wilson for shares, t for means, draws for money). The interval of a sum or difference of independent figures
follows from those by recovering the variances at the ends that face each other (Zou and Donner 2008; for two shares Newcombe 1998), so that lopsided intervals stay lopsided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import chi2_contingency, false_discovery_control, norm
from statsmodels.stats.proportion import proportion_confint

ENDS = ("low", "high")
BEFORE, AFTER, DIFFERENCE, ELSEWHERE, BEYOND = (
    (side, f"{side}_low", f"{side}_high") for side in ("before", "after", "difference", "elsewhere", "beyond")
)
DONE, RUNNING = "done", "running"


def weighted_sum(
    weights: ArrayLike, estimates: ArrayLike, lows: ArrayLike, highs: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum over the last axis of weights * estimates with the ends of its interval, for figures that are independent of each other (Zou and Donner 2008).

    weights, estimates, lows, highs: (..., k), the intervals all at one confidence, at which the interval of the sum holds too. Returns three arrays (...).
    """
    each = np.asarray(weights, dtype=float) * np.asarray(estimates, dtype=float)
    ends = [np.asarray(weights, dtype=float) * np.asarray(end, dtype=float) for end in (lows, highs)]
    total = each.sum(axis=-1)
    down = np.sqrt(((each - np.minimum(*ends)) ** 2).sum(axis=-1))
    up = np.sqrt(((np.maximum(*ends) - each) ** 2).sum(axis=-1))
    return total, total - down, total + up


def p_value(total: ArrayLike, low: ArrayLike, high: ArrayLike, confidence: float) -> np.ndarray:
    """Two-sided p-value of no difference: below 1 - confidence exactly where the interval does not hold 0. Missing where the interval has no width."""
    total, low, high = (np.asarray(part, dtype=float) for part in (total, low, high))
    reach = np.where(total > 0, total - low, high - total)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(total) / reach * norm.ppf((1 + confidence) / 2)
    return np.where(reach > 0, 2 * norm.sf(z), np.nan)


def false_discoveries(p_values: ArrayLike) -> np.ndarray:
    """p-values by Benjamini and Hochberg (1995) over the last axis; missing ones count nowhere."""
    values = np.asarray(p_values, dtype=float)
    there = np.isfinite(values)
    if there.all():
        return false_discovery_control(values, axis=-1) if values.size else values
    adjusted = np.full_like(values, np.nan)
    for place in np.ndindex(values.shape[:-1]):
        own = there[place]
        if own.any():
            adjusted[place][own] = false_discovery_control(values[place][own])
    return adjusted


def at_confidence(table: pd.DataFrame, own: float, wanted: float) -> pd.DataFrame:
    """The figures estimate, low, high with intervals of another confidence, if the sampling distribution is about normal on either side."""
    if own == wanted:
        return table
    wider = norm.ppf((1 + wanted) / 2) / norm.ppf((1 + own) / 2)
    return table.assign(**{end: table["estimate"] + wider * (table[end] - table["estimate"]) for end in ENDS})


def side_by_side(before: pd.DataFrame, after: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Rows of both waves that are of the same thing: by, then before and after with the ends of their intervals. What either wave withholds is left out.

    before, after: columns `by`, estimate, low, high; each thing once.
    """
    parts = []
    for table, names in ((before, BEFORE), (after, AFTER)):
        part = table[[*by, "estimate", *ENDS]].set_axis([*by, *names], axis=1)
        parts.append(part[np.isfinite(part[list(names)].astype(float)).all(axis=1)])
    return parts[0].merge(parts[1], on=list(by), how="inner", validate="one_to_one")


def for_everybody(pairs: pd.DataFrame, customers: Mapping[str, float], *, segment: str, by: Sequence[str]) -> pd.DataFrame:  # fmt: skip
    """The segments' figures weighted by their numbers of customers, alike before and after, so that another mix of respondents changes nothing.

    pairs: segment, `by` and the columns of `side_by_side`. A thing that one of the segments lacks has no row. Returns rows of the segment named `segment`.
    """
    own = pairs[pairs["segment"].isin(list(customers))]
    complete = own.groupby(list(by), sort=False)["segment"].transform("nunique") == len(customers)
    own = own[complete].sort_values("segment", kind="stable")
    rows = []
    for key, part in own.groupby(list(by), sort=False):
        weights = np.array([customers[name] for name in part["segment"]], dtype=float)
        weights /= weights.sum()
        row: dict[str, object] = {"segment": segment, **dict(zip(by, key, strict=True))}
        for names in (BEFORE, AFTER):
            row |= zip(names, map(float, weighted_sum(weights, *(part[name] for name in names))), strict=True)
        rows.append(row)
    return pd.DataFrame(rows, columns=["segment", *by, *BEFORE, *AFTER])


def differences(pairs: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The pairs with difference, difference_low, difference_high, p_value, p_adjusted over all rows, clear (its interval does not hold 0) and differs (at most 1 - confidence of such claims are expected to be false)."""
    ends = [pairs[[BEFORE[i], AFTER[i]]].to_numpy(dtype=float) for i in range(3)]
    found = weighted_sum([-1.0, 1.0], *ends)
    return judged(pairs.assign(**dict(zip(DIFFERENCE, found, strict=True))), DIFFERENCE, confidence)


def judged(table: pd.DataFrame, names: Sequence[str], confidence: float) -> pd.DataFrame:
    """The table with p_value, p_adjusted, clear and differs of the figures in the columns `names`, all rows together."""
    p = p_value(table[names[0]], table[names[1]], table[names[2]], confidence)
    adjusted = false_discoveries(p)
    alpha = 1 - confidence
    return table.assign(p_value=p, p_adjusted=adjusted, clear=p < alpha, differs=adjusted <= alpha)


def beyond(table: pd.DataFrame, customers: Mapping[str, float], *, by: Sequence[str], confidence: float) -> pd.DataFrame:  # fmt: skip
    """Difference of differences: how much more the segments with a measure moved than those without one, weighted by their numbers of customers (Ashenfelter and Card 1985).

    table: segments' rows of `differences`, with the column `measure`: done, running or empty; a segment where it is running is neither treated nor a comparison. Returns segment, `by`,
    difference with its interval, elsewhere and beyond with theirs, compared_with, and what `judged` says of beyond; a thing without a comparison has no row.
    """
    rows = []
    wanted = table.loc[table["measure"] == DONE, list(by)].drop_duplicates()
    for _, same in table.merge(wanted, on=list(by)).groupby(list(by), sort=False):
        treated, others = same[same["measure"] == DONE], same[same["measure"] == ""]
        if others.empty:
            continue
        weights = np.array([customers[name] for name in others["segment"]], dtype=float)
        weights /= weights.sum()
        moved = [others[[BEFORE[i], AFTER[i]]].to_numpy(dtype=float).T.ravel() for i in range(3)]
        elsewhere = weighted_sum(np.concatenate([-weights, weights]), *moved)
        for _, row in treated.iterrows():
            own = [np.concatenate([[row[BEFORE[i]], row[AFTER[i]]], moved[i]]).astype(float) for i in range(3)]
            more = weighted_sum(np.concatenate([[-1.0, 1.0], weights, -weights]), *own)
            rows.append(
                {name: row[name] for name in ("segment", *by, *DIFFERENCE)}
                | dict(zip(ELSEWHERE, map(float, elsewhere), strict=True))
                | dict(zip(BEYOND, map(float, more), strict=True))
                | {"compared_with": ", ".join(others["segment"])}
            )
    found = pd.DataFrame(rows, columns=["segment", *by, *DIFFERENCE, *ELSEWHERE, *BEYOND, "compared_with"])
    return judged(found, BEYOND, confidence)


def mix(before: Mapping[str, int], after: Mapping[str, int], confidence: float) -> pd.DataFrame:
    """Shares of the segments among the respondents of both waves: segment, respondents_before, respondents_after, before, after and difference with intervals (Wilson; Newcombe 1998), p_value of the chi-square test of one mix, the same in all rows."""
    counts = np.array([[side.get(name, 0) for name in before] for side in (before, after)])
    table = pd.DataFrame({"segment": list(before), "respondents_before": counts[0], "respondents_after": counts[1]})
    for names, own in ((BEFORE, counts[0]), (AFTER, counts[1])):
        low, high = proportion_confint(own, max(own.sum(), 1), alpha=1 - confidence, method="wilson")
        table[list(names)] = np.column_stack([own / max(own.sum(), 1), low, high])
    ends = [table[[BEFORE[i], AFTER[i]]].to_numpy() for i in range(3)]
    table[list(DIFFERENCE)] = np.column_stack(weighted_sum([-1.0, 1.0], *ends))
    asked = counts[:, counts.sum(axis=0) > 0]
    tested = asked.shape[1] > 1 and (asked.sum(axis=1) > 0).all()
    return table.assign(p_value=float(chi2_contingency(asked).pvalue) if tested else np.nan)
