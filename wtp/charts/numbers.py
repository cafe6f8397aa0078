"""A number that was asked: the median of each segment with its interval, and the middle half of the answers as a thin line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, new_figure

TITLE = "The median is {middle} ({interval})"


def title(
    table: pd.DataFrame,
    *,
    words: Callable[[str], str],
    one: Callable[[float], str],
    interval: Callable[[float, float], str],
) -> str:
    """The finding of one segment's row."""
    row = table.iloc[0]
    return words(TITLE).format(
        middle=one(float(row["middle"])), interval=interval(float(row["low"]), float(row["high"]))
    )


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], x_title: str) -> go.Figure:
    """table: segment, middle, low, high, lower_quartile, upper_quartile, a row a segment."""
    rows = table.dropna(subset=["middle"])
    names = [labels.get(name, name) for name in rows["segment"]]
    half = go.Scatter(
        x=[x for row in rows[["lower_quartile", "upper_quartile"]].to_numpy() for x in (*row, None)],
        y=[y for name in names for y in (name, name, None)],
        mode="lines",
        line={"color": GREY, "width": 3},
        name=words("Middle half of the answers"),
        hovertemplate="%{x:,.1f}<extra></extra>",
    )
    medians = go.Scatter(
        x=rows["middle"], y=names, mode="markers", marker={"color": COLOURS[0], "size": 12},
        error_x={"array": rows["high"] - rows["middle"], "arrayminus": rows["middle"] - rows["low"], "color": COLOURS[0], "thickness": 3},
        name=words("Median with its interval"), hovertemplate="%{y}: %{x:,.1f}<extra></extra>",
    )  # fmt: skip
    drawn = new_figure([half, medians], x_title=x_title, y_title="", height=150 + 46 * len(rows))
    ends = rows[["low", "high", "lower_quartile", "upper_quartile"]].to_numpy()
    room = 0.04 * float(ends.max() - ends.min()) if len(rows) else 0.0
    if room > 0:
        drawn.update_xaxes(range=[float(ends.min()) - room, float(ends.max()) + room])
    return drawn.update_yaxes(autorange="reversed")
