"""One customer: which steps up he probably honours, from his own choices. Never a price: what a single person would pay at most is nobody's business but his."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wtp.survey.definition import Definition

YES, OPEN, NO = "probably", "open", "probably_not"
_SURE = 0.8


def upgrades_of(draws: pd.DataFrame, definition: Definition, respondent: int) -> pd.DataFrame:
    """attribute, from_level, to_level, probability (that the step is worth more to him than it costs to provide), honours (probably, open, probably_not).

    draws: the table of that name of `people_tables`: posterior draws of everybody's part-worths. One row each next better level that has a cost beyond today's; empty
    for somebody without draws, where alternatives bear labels, or where the price is not linear.
    """
    columns = ["attribute", "from_level", "to_level", "probability", "honours"]
    own = draws[draws["respondent"] == respondent]
    if own.empty or "price_coefficient" not in own:
        return pd.DataFrame(columns=columns)
    per_unit = -own["price_coefficient"].to_numpy(dtype=float)
    rows = []
    for attribute in definition.attributes:
        better = attribute.step(1) if attribute.ordered else None
        if better is None or better.unit_cost is None:
            continue
        extra = better.unit_cost - (attribute.level(attribute.current).unit_cost or 0.0)
        names = [f"{attribute.id}.{level}" for level in (attribute.current, better.id)]
        if not set(names) <= set(own.columns):
            continue
        today, then = (own[name].to_numpy(dtype=float) for name in names)
        probability = float(np.mean(then - today > per_unit * extra))
        honours = YES if probability >= _SURE else NO if probability <= 1 - _SURE else OPEN
        rows.append((attribute.id, attribute.current, better.id, probability, honours))
    return pd.DataFrame(rows, columns=columns).sort_values("probability", ascending=False, ignore_index=True)
