"""How sure two figures of one mark are: an ellipse that holds both where they were drawn together, else a cross of two intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import transparent

_POINTS = 60


def ellipse(x: float, y: float, x_reach: float, y_reach: float, correlation: float) -> list[tuple[float, float]]:
    """Points (x, y) of the border of the region round (x, y), closed."""
    across = math.sqrt(1 - correlation**2)
    turns = [2 * math.pi * place / _POINTS for place in range(_POINTS + 1)]
    return [
        (x + x_reach * math.cos(turn), y + y_reach * (correlation * math.cos(turn) + across * math.sin(turn)))
        for turn in turns
    ]


def ellipses(rows: pd.DataFrame, colour: str) -> go.Scatter | None:
    """One trace of all regions. rows: x, y, x_reach, y_reach, correlation; a row without a region is left out, None if all are."""
    drawn = rows.dropna(subset=["x_reach", "y_reach", "correlation"])
    if drawn.empty:
        return None
    border = [
        point
        for figures in drawn[["x", "y", "x_reach", "y_reach", "correlation"]].to_numpy(float).tolist()
        for point in (*ellipse(*figures), (None, None))
    ]
    return go.Scatter(
        x=[x for x, _ in border],
        y=[y for _, y in border],
        mode="lines",
        fill="toself",
        fillcolor=transparent(colour, 0.08),
        line={"color": colour, "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )


def crosses(rows: pd.DataFrame, colour: str) -> Mapping[str, Any]:
    """Error bars of a trace. rows: x, x_low, x_high, y, y_low, y_high and x_reach, where the region stands in for the bars."""
    alone = rows["x_reach"].isna() if "x_reach" in rows else pd.Series(True, index=rows.index)
    bars = {
        f"error_{axis}": {
            "array": (rows[f"{axis}_high"] - rows[axis]).where(alone, 0.0),
            "arrayminus": (rows[axis] - rows[f"{axis}_low"]).where(alone, 0.0),
            "color": colour,
        }
        for axis in ("x", "y")
    }
    return bars if alone.any() else {}
