"""What changed between two analyses of one study: the figures side by side, which verdicts moved and by what. In what they differ says `provenance.differences`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.analysis.record import Analysis

# By what a verdict moved: the survey states other costs, customers' worth moved, or it is known better or worse.
COST, WORTH, CERTAINTY = "cost", "worth", "certainty"
_STEP = ["segment", "attribute", "from_level", "to_level"]
_ENDS = ["estimate", "low", "high"]
_MEASURES = ["worth", "worth_low", "worth_high", "unit_cost", "probability", "label"]


@dataclass(frozen=True, slots=True)
class Changed:
    """limits, worths: segment (attribute, from_level, to_level), estimate, low, high of both with the suffixes _1 and _2, difference, overlap (None where a figure is withheld).
    verdicts: segment, attribute, label_1, label_2, direction, to_level, probability_1, probability_2, worth_1 and so on, moved_by (COST, WORTH, CERTAINTY; empty where the verdict stayed).
    """

    limits: pd.DataFrame
    worths: pd.DataFrame
    verdicts: pd.DataFrame


def changed(first: Analysis, second: Analysis) -> Changed:
    """Compare two analyses of the same study; what only one of them has is left out."""
    return Changed(
        _side_by_side(first, second, "price_limit", _STEP[:1]),
        _side_by_side(first, second, "willingness_to_pay", _STEP),
        _verdicts(first, second),
    )


def _side_by_side(first: Analysis, second: Analysis, table: str, keys: list[str]) -> pd.DataFrame:
    frames = [each.tables.get(table, pd.DataFrame()) for each in (first, second)]
    if not all(len(frame) for frame in frames):
        return pd.DataFrame(columns=[*keys, "difference", "overlap"])
    left, right = (frame[[*keys, *_ENDS]].drop_duplicates(keys) for frame in frames)
    both = left.merge(right, on=keys, suffixes=("_1", "_2"))
    both["difference"] = both["estimate_2"] - both["estimate_1"]
    overlap = (both["low_1"] <= both["high_2"]) & (both["low_2"] <= both["high_1"])
    both["overlap"] = overlap.astype(object).where(both["difference"].notna(), None)
    return both


def _verdicts(first: Analysis, second: Analysis) -> pd.DataFrame:
    """One row a segment and attribute: the direction that the first decisive verdict is about, else a step up."""
    frames = [each.tables.get("investment", pd.DataFrame()) for each in (first, second)]
    if not all(len(frame) for frame in frames):
        return pd.DataFrame(columns=["segment", "attribute", "label_1", "label_2", "moved_by"])
    keys = ["segment", "attribute", "direction", "to_level"]
    left, right = (frame[[*keys, *_MEASURES]] for frame in frames)
    both = left.merge(right, on=keys, suffixes=("_1", "_2"))
    about = both[["label_1", "label_2"]].isin(["save", "not_honoured", "keep", "expected"]).any(axis=1)
    invests = both[["label_1", "label_2"]].isin(["invest", "honoured"]).any(axis=1)
    down = about & ~invests
    both["wanted"] = both["direction"].eq("down") == down
    both = both.sort_values("wanted", ascending=False, kind="stable").drop_duplicates(["segment", "attribute"])
    both = both.sort_index().drop(columns="wanted").reset_index(drop=True)
    half = (both["worth_high_1"] - both["worth_low_1"]) / 2
    cost = ~np.isclose(both["unit_cost_1"], both["unit_cost_2"], equal_nan=True)
    worth = (both["worth_2"] - both["worth_1"]).abs() > half
    both["moved_by"] = np.select(
        [both["label_1"] == both["label_2"], cost, worth], ["", COST, WORTH], default=CERTAINTY
    )
    return both
