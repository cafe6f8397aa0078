"""Whose answers may be told: no figure of a small group, and none from which a small group could be worked out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from wtp.analysis.record import ALL
from wtp.estimation.diagnostics import SMALLEST_SAMPLE

SMALLEST_REST = 10


def told(sizes: Mapping[str, int], *, smallest: int = SMALLEST_SAMPLE) -> list[str]:
    """Segments that are shown, by how many respondents of each answered ("all" among them).

    A segment has `smallest` or more (30 for figures of a survey). Who is left when the shown segments are taken from everybody must be nobody, or 10 or more: else the smallest shown segment is hidden too.
    """
    if sizes[ALL] < smallest:
        return []
    shown = {name: size for name, size in sizes.items() if name != ALL and size >= smallest}
    return [ALL, *not_worked_out(sizes[ALL], shown)]


def not_worked_out(total: float, sizes: Mapping[Any, float]) -> list[Any]:
    """Which of these parts of the total can stay: the smallest leave (empty ones last) until nobody, or 10 or more, are in no part that is shown."""
    shown = dict(sizes)
    while shown and 0 < total - sum(shown.values()) < SMALLEST_REST:
        del shown[min(shown, key=lambda name: shown[name] or math.inf)]
    return list(shown)


def without_small_cells(table: pd.DataFrame) -> pd.DataFrame:
    """A table in which what is told of 1 to 9 respondents is missing, their number too; column respondents."""
    few = table["respondents"].between(1, SMALLEST_REST - 1)
    hidden = {name: table[name].where(~few, np.nan) for name in ("share", "low", "high") if name in table}
    return table.assign(respondents=table["respondents"].astype("Int64").mask(few), **hidden)
