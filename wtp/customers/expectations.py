"""Expectation before against experience after, on the same attributes: gap = experience - expectation, paired by person.

A single answer can hardly be told from chance, and there are many: "missed" and "exceeded" need an interval that holds for all attributes and segments of a study together, by 95 per cent (Bonferroni), to be clear of zero.
Differences of two scores are less reliable than the scores (Edwards 2001; Peter, Churchill and Brown 1993), so both scores are always told beside them. Their reliability is that of the mean over the attributes,
r = (s_x^2 r_xx + s_y^2 r_yy - 2 s_x s_y r_xy) / (s_x^2 + s_y^2 - 2 s_x s_y r_xy), which with equal spreads is ((r_xx + r_yy) / 2 - r_xy) / (1 - r_xy) (Lord 1963); r_xx and r_yy are
Cronbach's (1951) alpha over the attributes. Of a single attribute, asked once, it cannot be known.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import t

from wtp.customers.gaps import FALSE_ALARM, paired_gaps

MISSED, EXCEEDED = "missed", "exceeded"
_BLOCK = 4_000_000  # numbers at a time
_NAMES = {
    end.format(one): end.format(other)
    for one, other in (("first", "expected"), ("second", "met"))
    for end in ("{}", "{}_low", "{}_high")
}


def expectation_gaps(
    ratings: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]], *, confidence: float = 0.90, least: int = 30
) -> pd.DataFrame:
    """segment, attribute, expected and met with their intervals, gap with its own interval and with one that holds for all rows together, verdict, std_error, respondents.

    ratings: by segment the expectations and the experiences, one row a respondent and one column an attribute. verdict: "missed", "exceeded", or empty where the gap may be chance.
    """
    parts = [
        paired_gaps(*own, confidence=confidence, least=least).rename(columns=_NAMES).assign(segment=name)
        for name, own in ratings.items()
    ]
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    half = t.ppf(1 - FALSE_ALARM / 2 / max(len(table), 1), table["respondents"] - 1) * table["std_error"]
    low, high = table["gap"] - half, table["gap"] + half
    verdict = np.where(high < 0, MISSED, np.where(low > 0, EXCEEDED, ""))
    first = ["segment", *(name for name in table.columns if name not in ("segment", "std_error", "respondents"))]
    table = table.assign(together_low=low, together_high=high, verdict=verdict)
    return table[[*first, "together_low", "together_high", "verdict", "std_error", "respondents"]]


def difference_reliability(
    expected: pd.DataFrame, met: pd.DataFrame, *, confidence: float = 0.90, replicates: int = 1_000, seed: int = 0
) -> dict[str, float]:
    """alpha_expected, alpha_met, score_correlation, reliability with its bootstrap interval, respondents: of the mean over attributes, from those who rated all of them twice.

    NaN where it cannot be estimated: fewer than two attributes or three respondents, or scores that do not vary.
    """
    people = expected.dropna().index.intersection(met.dropna().index)
    x, y = (frame.loc[people, list(expected.columns)].to_numpy(dtype=float) for frame in (expected, met))
    n, items = x.shape
    names = ("alpha_expected", "alpha_met", "score_correlation", "reliability")
    if n < 3 or items < 2:
        return dict.fromkeys((*names, "reliability_low", "reliability_high"), np.nan) | {"respondents": n}
    scores = np.hstack([x, y]) - np.hstack([x, y]).mean(axis=0)
    found = _reliability(np.full((1, n), 1 / n), scores)
    weights = np.random.default_rng([seed, 31]).multinomial(n, np.full(n, 1 / n), size=replicates) / n
    drawn = _reliability(weights, scores)[3]
    drawn, tail = drawn[np.isfinite(drawn)], (1 - confidence) / 2
    ends = np.quantile(drawn, [tail, 1 - tail]) if len(drawn) and np.isfinite(found[3, 0]) else (np.nan, np.nan)
    values = dict(zip(names, map(float, found[:, 0]), strict=True))
    return values | {"reliability_low": float(ends[0]), "reliability_high": float(ends[1]), "respondents": n}


def _reliability(weights: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(4, R): both alphas, the correlation of the two means and the reliability of their difference, under weights (R, N) of the rows of scores (N, 2L)."""
    n, columns = scores.shape
    half = columns // 2
    means, products = weights @ scores, np.zeros((len(weights), columns, columns))
    size = max(1, _BLOCK // columns**2)
    for start in range(0, n, size):
        part = scores[start : start + size]
        squares = (part[:, :, None] * part[:, None, :]).reshape(len(part), -1)
        products += (weights[:, start : start + size] @ squares).reshape(products.shape)
    covariance = products - means[:, :, None] * means[:, None, :]
    x, y = covariance[:, :half, :half], covariance[:, half:, half:]
    var_x, var_y = x.sum(axis=(1, 2)), y.sum(axis=(1, 2))
    both = covariance[:, :half, half:].sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        alphas = [half / (half - 1) * (1 - np.trace(c, axis1=1, axis2=2) / v) for c, v in ((x, var_x), (y, var_y))]
        difference = var_x + var_y - 2 * both
        reliability = (var_x * alphas[0] + var_y * alphas[1] - 2 * both) / difference
        found = np.array([*alphas, both / np.sqrt(var_x * var_y), reliability])
    return np.where(np.isfinite(found) & (difference > 1e-12), found, np.nan)
