"""Two ratings of the same persons held against one another, attribute by attribute: paired differences with their intervals.

Notation: N respondents, L attributes. Who rated only one of the two, or does not know, counts for neither.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import t

FALSE_ALARM = 0.05  # probability that anything is claimed of a study in which nothing is so
_COLUMNS = [
    "attribute", "first", "first_low", "first_high", "second", "second_low", "second_high", "gap", "gap_low", "gap_high",
    "std_error", "respondents",
]  # fmt: skip


def paired_gaps(first: pd.DataFrame, second: pd.DataFrame, *, confidence: float = 0.90, least: int = 2) -> pd.DataFrame:
    """attribute, first and second (mean ratings), gap = second - first, each with its t interval, std_error of the gap, respondents who gave both.

    first, second: one row a respondent, one column an attribute, NaN for "do not know". Attributes that fewer than `least` rated twice have no row.
    """
    shared = [column for column in first.columns if column in second.columns]
    people = first.index.intersection(second.index)
    one, other = (frame.loc[people, shared].to_numpy(dtype=float) for frame in (first, second))
    both = np.isfinite(one) & np.isfinite(other)
    n = both.sum(axis=0)
    kept = n >= max(least, 2)
    n, both = n[kept], both[:, kept]
    columns: dict[str, np.ndarray] = {}
    for name, values in (("first", one), ("second", other), ("gap", other - one)):
        middle, error = _mean(values[:, kept], both, n)
        half = t.ppf((1 + confidence) / 2, n - 1) * error
        columns |= {name: middle, f"{name}_low": middle - half, f"{name}_high": middle + half, "std_error": error}
    table = pd.DataFrame({"attribute": np.array(shared, dtype=object)[kept], **columns, "respondents": n.astype(int)})
    return table[_COLUMNS]


def _mean(values: np.ndarray, there: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(L,) means of what is there, and their standard errors."""
    middle = np.where(there, values, 0.0).sum(axis=0) / n
    squares = np.where(there, (values - middle) ** 2, 0.0).sum(axis=0)
    return middle, np.sqrt(squares / np.maximum(n - 1, 1) / n)
