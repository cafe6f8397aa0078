"""How much do some respondents matter? The quick pooled figures with and without them, side by side."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from wtp.analysis.record import CONDITIONAL, Request
from wtp.analysis.study import analyse
from wtp.survey.answers import Answers
from wtp.survey.load import Survey

_KEYS = ["segment", "attribute", "from_level", "to_level"]
_FIGURES = {"willingness_to_pay": "worth", "price_limit": "price limit"}


def influence(survey: Survey, answers: Answers, without: Collection[int], request: Request) -> pd.DataFrame:
    """segment, figure, attribute, from_level, to_level, with_all, without_flagged, change, half_interval, moved.

    moved: the figure changes by more than half the width of its interval, so that those respondents decide it. Both columns are the pooled conditional
    logit's, whatever the final estimator is; nothing is stored and nobody is left out of anything else.
    """
    fewer = tuple(person for person in answers.respondents if person.number not in without)
    part = replace(answers, respondents=fewer, hash=f"{answers.hash} without {sorted(without)}")
    quick = replace(request, model=CONDITIONAL)
    both = [analyse(survey, given, quick).tables for given in (answers, part)]
    rows = []
    for table, figure in _FIGURES.items():
        if not all(table in tables and len(tables[table]) for tables in both):
            continue
        keys = [key for key in _KEYS if key in both[0][table].columns]
        before, after = (tables[table].set_index(keys)[["estimate", "low", "high"]] for tables in both)
        joined = before.join(after.add_suffix("_without")).reset_index().assign(figure=figure)
        rows.append(joined)
    columns = ["segment", "figure", *_KEYS[1:], "with_all", "without_flagged", "change", "half_interval", "moved"]
    if not rows:
        return pd.DataFrame(columns=columns)
    found = pd.concat(rows, ignore_index=True).rename(
        columns={"estimate": "with_all", "estimate_without": "without_flagged"}
    )
    found["change"] = found["without_flagged"] - found["with_all"]
    found["half_interval"] = (found["high"] - found["low"]) / 2
    found["moved"] = np.abs(found["change"]) > found["half_interval"]
    return found.reindex(columns=columns)
