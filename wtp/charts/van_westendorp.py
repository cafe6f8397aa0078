"""Van Westendorp's four curves with its four points."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, DASHES, INK, new_figure, transparent

TITLE = "Prices from {low} to {high} seem plausible"
UNKNOWN = "The curves do not give a plausible range"
CURVES = {
    "too_cheap": "Too cheap",
    "cheap": "A bargain",
    "expensive": "Getting expensive",
    "too_expensive": "Too expensive",
}
_CROSSINGS = {"PMC": "too_cheap", "OPP": "too_cheap", "IDP": "cheap", "PME": "too_expensive"}


def title(points: pd.DataFrame, *, words: Callable[[str], str], money: Callable[[float], str]) -> str:
    """The finding of one segment's points: the range from PMC to PME."""
    known = points.set_index("point")["estimate"].dropna()
    if not {"PMC", "PME"} <= set(known.index):
        return words(UNKNOWN)
    return words(TITLE).format(low=money(float(known["PMC"])), high=money(float(known["PME"])))


def figure(
    table: pd.DataFrame,
    *,
    words: Callable[[str], str],
    currency: str,
    points: pd.DataFrame,
) -> go.Figure:
    """table: price and the four shares of one segment; points: point, estimate."""
    traces = [
        go.Scatter(
            x=table["price"],
            y=table[column],
            mode="lines",
            line={"color": COLOURS[place], "dash": DASHES[place], "width": 2.5},
            name=words(name),
            hovertemplate="%{x:.0f} " + currency + ": %{y:.0%}<extra>" + words(name) + "</extra>",
        )
        for place, (column, name) in enumerate(CURVES.items())
    ]
    known = points.dropna(subset=["estimate"])
    heights = [_height(table, row["point"], row["estimate"]) for _, row in known.iterrows()]
    traces.append(
        go.Scatter(
            x=known["estimate"],
            y=heights,
            mode="markers+text",
            text=known["point"],
            textposition="top center",
            marker={"size": 10, "color": INK, "symbol": "circle-open", "line": {"width": 2}},
            showlegend=False,
            hovertemplate="%{text}: %{x:.0f} " + currency + "<extra></extra>",
        )
    )
    x_title = words("Price, {currency}").format(currency=currency)
    drawn = new_figure(traces, x_title=x_title, y_title=words("Share of respondents"))
    ends = known.set_index("point")["estimate"]
    if {"PMC", "PME"} <= set(ends.index):
        drawn.add_vrect(x0=ends["PMC"], x1=ends["PME"], fillcolor=transparent(COLOURS[0], 0.1), line_width=0)
    return drawn.update_yaxes(range=[0, 1.05], tickformat=".0%")


def _height(table: pd.DataFrame, point: str, price: float) -> float:
    """Where the crossing lies, by linear interpolation on the curve that passes through it."""
    curve = table[_CROSSINGS[point]]
    below = table["price"] <= price
    if below.all() or not below.any():
        return float(curve.iloc[-1 if below.all() else 0])
    left = int(below.sum()) - 1
    x1, x2 = table["price"].iloc[left], table["price"].iloc[left + 1]
    return float(curve.iloc[left] + (curve.iloc[left + 1] - curve.iloc[left]) * (price - x1) / (x2 - x1))
