"""What was expected and what was met: a slope a row, from the expectation above to the experience below it, each with its interval, the most missed on top."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, INK, new_figure

MISSED, EXCEEDED, OPEN = "missed", "exceeded", ""
BOTH = "Expectations missed: {missed}. Exceeded: {exceeded}"
ONLY_MISSED, ONLY_EXCEEDED = "Expectations missed: {missed}", "Expectations exceeded: {exceeded}"
NEITHER = "No expectation is clearly missed or exceeded"
EXPECTED = "Expectation"
NAMES = {MISSED: "Met with less", EXCEEDED: "Met with more", OPEN: "Met with, no clear difference"}
_APART = 0.17
_LOOKS = {MISSED: (COLOURS[1], "triangle-down"), EXCEEDED: (COLOURS[0], "triangle-up"), OPEN: (GREY, "circle")}


def title(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> str:
    """The finding of one segment. table: attribute, verdict."""
    missed, exceeded = (
        ", ".join(labels.get(a, a) for a in table.loc[table["verdict"] == verdict, "attribute"])
        for verdict in (MISSED, EXCEEDED)
    )
    pattern = BOTH if missed and exceeded else ONLY_MISSED if missed else ONLY_EXCEEDED if exceeded else NEITHER
    return words(pattern).format(missed=missed, exceeded=exceeded)


def figure(
    table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], scale: tuple[float, float]
) -> go.Figure:
    """table: attribute, expected and met with their intervals, gap, verdict, of one segment; scale: ends of the ratings."""
    rows = table.sort_values("gap", ignore_index=True)
    rows = rows.assign(name=[labels.get(attribute, attribute) for attribute in rows["attribute"]])
    ends = rows[["expected", "met"]].assign(none=None).to_numpy(dtype=object).ravel()
    slopes = go.Scatter(
        x=[None if x is None else float(x) for x in ends],
        y=[y for row in rows.index for y in (row - _APART, row + _APART, None)],
        mode="lines",
        line={"color": GREY, "width": 2},
        hoverinfo="skip",
        showlegend=False,
    )
    traces = [slopes, _dots(rows, "expected", -_APART, INK, "circle-open", words(EXPECTED))]
    for verdict, (colour, symbol) in _LOOKS.items():
        own = rows[rows["verdict"] == verdict]
        if len(own):
            traces.append(_dots(own, "met", _APART, colour, symbol, words(NAMES[verdict])))
    x_title = words("Mean rating, points from {low} to {high}").format(low=scale[0], high=scale[1])
    drawn = new_figure(traces, x_title=x_title, y_title="", height=150 + 56 * len(rows))
    return drawn.update_yaxes(tickvals=list(rows.index), ticktext=list(rows["name"]), range=[len(rows) - 0.4, -0.6])


def _dots(rows: pd.DataFrame, name: str, shift: float, colour: str, symbol: str, words: str) -> go.Scatter:
    return go.Scatter(
        x=rows[name],
        y=rows.index + shift,
        mode="markers",
        text=rows["name"],
        marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2, "color": colour}},
        error_x={
            "array": rows[f"{name}_high"] - rows[name],
            "arrayminus": rows[name] - rows[f"{name}_low"],
            "color": colour,
            "thickness": 2,
        },
        name=words,
        hovertemplate="%{text}: %{x:.1f}<extra></extra>",
    )
