"""Which investments first, if the money is limited; and how far a level can be lowered before customers leave.

The set of steps with the highest expected gain a year that a budget pays for is found exactly (a 0-1 programme). A step for everybody and the same step for single segments exclude
each other. Gains are those of single steps: together they earn a little less or more, since each is valued at today's offer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp

from wtp.errors import DataError, EstimationError
from wtp.pricing.investment import INVEST, OWN, UP
from wtp.pricing.offers import own_data
from wtp.pricing.simulator import Market

_COLUMNS = [
    "rank", "segment", "attribute", "from_level", "to_level", "investment", "cumulative", "gain", "gain_low", "gain_high", "gain_per_money", "probability",
]  # fmt: skip


def within_budget(
    table: pd.DataFrame, budget: float, *, everybody: str = "all", by_segment: tuple[str, ...] = ()
) -> pd.DataFrame:
    """The steps to invest in with a budget, the one that earns most for each unit of money first.

    table: of `investment`; only steps with the label "invest" are looked at. by_segment: attributes that may differ by segment, whose steps may also be done for
    some segments alone. Columns rank, segment, attribute, from_level, to_level, investment, cumulative, gain, gain_low, gain_high, gain_per_money, probability. Raises DataError for a
    budget that is none.
    """
    if not (np.isfinite(budget) and budget >= 0):
        raise DataError(f"budget {budget!r}; allowed: a number from 0; mend it.")
    steps = table[(table["label"] == INVEST) & (table["direction"] == UP)]
    steps = steps[(steps["segment"] == everybody) | steps["attribute"].isin(list(by_segment))].reset_index(drop=True)
    if steps.empty:
        return pd.DataFrame(columns=_COLUMNS)
    rows = [(steps["investment"].to_numpy(dtype=float), budget)]
    for _, same in steps.groupby("attribute"):
        for alone in same.index[same["segment"] != everybody]:
            pair = steps.index.isin([alone, *same.index[same["segment"] == everybody]]).astype(float)
            rows.append((pair, 1.0))
    matrix, highest = np.array([row for row, _ in rows]), np.array([end for _, end in rows])
    found = milp(
        -steps["gain"].to_numpy(dtype=float),
        integrality=np.ones(len(steps)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, -np.inf, highest),
    )
    if found.x is None:
        raise EstimationError(f"budget: {found.message}")
    kept = steps[found.x > 0.5].copy()
    with np.errstate(divide="ignore"):
        kept["gain_per_money"] = kept["gain"].to_numpy() / kept["investment"].to_numpy(dtype=float)
    kept = kept.sort_values(["gain_per_money", "gain"], ascending=False)
    kept["cumulative"] = kept["investment"].cumsum()
    return pd.DataFrame(kept.assign(rank=range(1, len(kept) + 1))[_COLUMNS]).reset_index(drop=True)


def how_low(market: Market, *, most: float = 0.02, name: str = OWN, confidence: float = 0.90) -> pd.DataFrame:
    """attribute, level, loss, loss_high, bearable: how much of the share an offer loses at each level below its own, and whether it is surely less than `most`.

    The save side made explicit: loss_high is the upper confidence bound (one-sided); levels are below in the order of the data.
    """
    table = market.sensitivity(name, prices=(), confidence=2 * confidence - 1)
    rows = []
    for columns in own_data(market.data, market.offer(name).levels).attributes:
        own = table[table["attribute"] == columns.name]
        if own.empty:
            continue
        here = columns.levels.index(market.offer(name).levels[columns.name])
        for _, row in own[own["level"].isin(list(columns.levels[:here]))].iterrows():
            rows.append(
                (columns.name, row["level"], -row["change"], -row["change_low"], bool(-row["change_low"] < most))
            )
    return pd.DataFrame(rows, columns=["attribute", "level", "loss", "loss_high", "bearable"])
