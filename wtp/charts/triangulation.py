"""The price upper limit by every method that was asked, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, new_figure

AGREE = "The methods agree on the price upper limit within {gap}"
DIFFER = "The methods differ by {gap}: plan with the lower figure"
ONE = "Only one method tells a price upper limit here"


def title(table: pd.DataFrame, *, words: Callable[[str], str], percent: Callable[[float], str]) -> str:
    """The finding of one segment. table: verdict, gap."""
    if len(table) < 2:
        return words(ONE)
    return words(AGREE if table["verdict"].iloc[0] == "agree" else DIFFER).format(gap=percent(table["gap"].iloc[0]))


def figure(
    table: pd.DataFrame, *, names: Mapping[str, str], words: Callable[[str], str], currency: str, current: float
) -> go.Figure:
    """table: method, estimate, low, high of one segment. names: of the methods. current: today's price."""
    rows = table.dropna(subset=["estimate"])
    dots = go.Scatter(
        x=rows["estimate"],
        y=[names[method] for method in rows["method"]],
        mode="markers",
        marker={"color": COLOURS[0], "size": 12},
        error_x={
            "array": rows["high"] - rows["estimate"],
            "arrayminus": rows["estimate"] - rows["low"],
            "color": COLOURS[0],
            "thickness": 3,
        },
        hovertemplate="%{y}: %{x:.2f} " + currency + "<extra></extra>",
    )
    x_title = words("Price upper limit, {currency}").format(currency=currency)
    drawn = new_figure([dots], x_title=x_title, y_title="", height=130 + 46 * len(rows))
    drawn.add_vline(
        x=current, line={"color": GREY, "width": 1}, annotation_text=words("today"), annotation_position="top"
    )
    ends = [*rows["low"].dropna(), *rows["high"].dropna(), *rows["estimate"], current]
    room = 0.08 * (max(ends) - min(ends)) or 1.0
    drawn.update_xaxes(range=[min(ends) - room, max(ends) + room])
    return drawn.update_yaxes(autorange="reversed").update_layout(showlegend=False, margin={"t": 30})
