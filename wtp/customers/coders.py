"""How far two members of staff agree on what a contact was about: Cohen's kappa (1960), with the words of Landis and Koch (1977)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

FEWEST_CODED = 20
WORDS = ((0.8, "almost perfect"), (0.6, "substantial"), (0.4, "moderate"), (0.2, "fair"), (0.0, "slight"))
POOR = "poor"


def coder_agreement(
    first: pd.DataFrame, second: pd.DataFrame, fields: dict[str, list[str]], *, confidence: float
) -> pd.DataFrame:
    """field, contacts, agreement (share of equal codes), kappa, low, high, words; a row a field of the two frames, which have one row a contact in the same order.

    "Not said" is a code of its own. words are those of the lower end of the interval, so that few codings are never called good; with fewer than 20, or where
    both always said the same, there is no kappa.
    """
    rows = []
    for field, codes in fields.items():
        known = [*codes, ""]
        a, b = (pd.Categorical(frame[field].fillna(""), categories=known).codes for frame in (first, second))
        both = (a >= 0) & (b >= 0)
        table = np.zeros((len(known), len(known)))
        np.add.at(table, (a[both], b[both]), 1)
        n, same = int(table.sum()), float(np.trace(table))
        kappa = low = high = float("nan")
        used = (table.sum(0) + table.sum(1)) > 0
        if n >= FEWEST_CODED and used.sum() > 1:
            found = cohens_kappa(table[np.ix_(used, used)], return_results=True)
            reach = float(stats.norm.isf((1 - confidence) / 2)) * float(found.std_kappa)
            kappa = float(found.kappa)
            low, high = max(-1.0, kappa - reach), min(1.0, kappa + reach)
        rows.append((field, n, same / n if n else float("nan"), kappa, low, high, in_words(low)))
    return pd.DataFrame(rows, columns=["field", "contacts", "agreement", "kappa", "low", "high", "words"])


def in_words(kappa: float) -> str:
    """What a kappa is called; "" where there is none."""
    if np.isnan(kappa):
        return ""
    return next((word for least, word in WORDS if kappa > least), POOR)
