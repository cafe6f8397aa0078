"""Importance: bars with intervals, the noise floor in grey; what a bar below the floor shows is noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, INK, new_figure

TITLE = "{first} counts most in the choices, then {second}"


def title(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> str:
    """The finding of one segment's importance table."""
    top = table.sort_values("importance", ascending=False)["attribute"].tolist()
    return (
        words(TITLE).format(first=labels.get(top[0], top[0]), second=labels.get(top[1], top[1])) if len(top) > 1 else ""
    )


def figure(
    table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], currency: str = ""
) -> go.Figure:
    """table: attribute, importance, low, high, noise_floor (per cent) of one segment."""
    rows = table.sort_values("importance")
    names = [labels.get(name, name) for name in rows["attribute"]]
    bars = go.Bar(
        x=rows["importance"],
        y=names,
        orientation="h",
        marker={"color": COLOURS[0]},
        error_x={
            "array": rows["high"] - rows["importance"],
            "arrayminus": rows["importance"] - rows["low"],
            "color": INK,
        },
        name=words("Importance"),
        hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
    )
    floor = go.Scatter(
        x=rows["noise_floor"],
        y=names,
        mode="markers",
        marker={"symbol": "line-ns", "size": 22, "line": {"width": 3, "color": GREY}},
        name=words("Noise floor: an attribute that nobody heeds"),
        hovertemplate="%{x:.1f} %<extra></extra>",
    )
    drawn = new_figure(
        [bars, floor], x_title=words("Importance in the choices, per cent"), y_title="", height=80 + 48 * len(rows)
    )
    return drawn.update_xaxes(rangemode="tozero")
