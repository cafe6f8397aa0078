"""Who is in a segment: answers that were not used to make it, tested with the false discovery rate held, and how two groupings overlap."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import PermutationMethod, chi2_contingency, f_oneway
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from wtp.errors import DataError
from wtp.segments.found import adjusted_rand

CATEGORY, NUMBER = "category", "number"
_MOST_CATEGORIES = 12
_SMALLEST_EXPECTED = 5
_PERMUTATIONS = 1_999
_FALSE = 0.10


def profile(
    segments: pd.Series, answers: pd.DataFrame, *, false_discoveries: float = _FALSE, seed: int = 0
) -> pd.DataFrame:
    """Which answers differ between segments: variable, kind, respondents, statistic, effect, p_value, p_adjusted, differs.

    segments: segment by respondent; answers: one column a variable, by respondent, none of them used to form the segments (else the test is circular). Categories: chi-square with
    Cramer's V, by permutation where fewer than 5 are expected somewhere; numbers: one-way analysis of variance with eta squared. p_adjusted: Benjamini and Hochberg (1995).
    """
    known = segments.dropna()
    rows = []
    for name in answers.columns:
        values = answers[name].reindex(known.index)
        there = values.notna()
        here, own = known[there], values[there]
        if here.nunique() < 2 or own.nunique() < 2:
            continue
        rows.append((name, *_tested(here, own, seed)))
    columns = ["variable", "kind", "respondents", "statistic", "effect", "p_value"]
    table = pd.DataFrame(rows, columns=columns)
    adjusted = multipletests(table["p_value"], method="fdr_bh")[1] if len(table) else np.array([])
    return table.assign(p_adjusted=adjusted, differs=adjusted <= false_discoveries)


def is_number(values: pd.Series) -> bool:
    """Whether a variable is taken as a number: numeric with more than a dozen values, or a rating."""
    return bool(pd.api.types.is_numeric_dtype(values)) and values.nunique() > 2


def _tested(segments: pd.Series, values: pd.Series, seed: int) -> tuple[str, int, float, float, float]:
    if is_number(values):
        groups = [own.to_numpy(dtype=float) for _, own in values.groupby(segments) if len(own) > 1]
        if len(groups) < 2:
            return NUMBER, len(values), np.nan, np.nan, 1.0
        found = f_oneway(*groups)
        everything = np.concatenate(groups)
        between = sum(len(own) * (own.mean() - everything.mean()) ** 2 for own in groups)
        total = ((everything - everything.mean()) ** 2).sum()
        return NUMBER, len(values), float(found.statistic), float(between / total), float(found.pvalue)
    table = pd.crosstab(segments, values).to_numpy()
    plain = chi2_contingency(table, correction=False)
    effect = float(np.sqrt(plain.statistic / (table.sum() * (min(table.shape) - 1))))
    if plain.expected_freq.min() >= _SMALLEST_EXPECTED:
        return CATEGORY, len(values), float(plain.statistic), effect, float(plain.pvalue)
    method = PermutationMethod(n_resamples=_PERMUTATIONS, rng=np.random.default_rng([seed, 29]))
    by_chance = chi2_contingency(table, correction=False, method=method)
    return CATEGORY, len(values), float(plain.statistic), effect, float(by_chance.pvalue)


def shares(segments: pd.Series, answers: pd.DataFrame, *, confidence: float = 0.90) -> pd.DataFrame:
    """segment, variable, answer, respondents, share, low, high: how often each answer is given in each segment (Wilson interval); of numbers the mean stands as share."""
    known = segments.dropna()
    rows = []
    for name in answers.columns:
        values = answers[name].reindex(known.index)
        for segment, own in values.dropna().groupby(known):
            if is_number(values):
                ends = DescrStatsW(own).zconfint_mean(alpha=1 - confidence) if len(own) > 1 else (np.nan, np.nan)
                rows.append((segment, name, "mean", len(own), float(own.mean()), *map(float, ends)))
                continue
            for answer in sorted(values.dropna().unique(), key=str):
                count = int((own == answer).sum())
                low, high = proportion_confint(count, len(own), alpha=1 - confidence, method="wilson")
                rows.append((segment, name, str(answer), len(own), count / len(own), float(low), float(high)))
    return pd.DataFrame(rows, columns=["segment", "variable", "answer", "respondents", "share", "low", "high"])


def overlap(one: pd.Series, other: pd.Series) -> tuple[pd.DataFrame, float]:
    """How two groupings of the same respondents overlap: one, other, respondents, share (of the first), and the adjusted Rand index."""
    both = pd.DataFrame({"one": one, "other": other}).dropna()
    if both.empty:
        raise DataError(
            "overlap: no respondent is in both groupings; allowed: groupings of the same respondents; check their index."
        )
    table = pd.crosstab(both["one"], both["other"])
    rows = [(a, b, int(count), count / table.loc[a].sum()) for a in table.index for b, count in table.loc[a].items()]
    return pd.DataFrame(rows, columns=["one", "other", "respondents", "share"]), adjusted_rand(table.to_numpy())
