"""Whose answers may be told: no figure of a small group, and none from which a small group could be worked out."""

from __future__ import annotations

from collections.abc import Mapping

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
    shown = [name for name, size in sizes.items() if name != ALL and size >= smallest]
    while shown and 0 < sizes[ALL] - sum(sizes[name] for name in shown) < SMALLEST_REST:
        shown.remove(min(shown, key=sizes.__getitem__))
    return [ALL, *shown]


def without_small_cells(table: pd.DataFrame) -> pd.DataFrame:
    """A table in which what is told of 1 to 9 respondents is missing, their number too; column respondents."""
    few = table["respondents"].between(1, SMALLEST_REST - 1)
    hidden = {name: table[name].where(~few, np.nan) for name in ("share", "low", "high") if name in table}
    return table.assign(respondents=table["respondents"].astype("Int64").mask(few), **hidden)
