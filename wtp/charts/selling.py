"""How many customers buy of several families, and how many take a step up that is offered: by segment with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, SYMBOLS, new_figure

FINDING = "{cross} of the customers buy of several families; steps up are taken in {up} of the offers"
CROSS_ONLY = "{cross} of the customers buy of several families"
FIGURES = {"cross_selling": "Buy of several families", "up_selling": "Steps up taken of those offered"}
_APART = 0.12


def title(table: pd.DataFrame, *, segment: str, words: Callable[[str], str], percent: Callable[[float], str]) -> str:
    """The finding about a segment. table: segment, figure, estimate."""
    own = table[table["segment"] == segment].set_index("figure")["estimate"]
    if "up_selling" not in own or pd.isna(own["up_selling"]):
        return words(CROSS_ONLY).format(cross=percent(float(own["cross_selling"])))
    return words(FINDING).format(cross=percent(float(own["cross_selling"])), up=percent(float(own["up_selling"])))


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> go.Figure:
    """table: segment, figure, estimate, low, high; labels: of segments."""
    segments = list(dict.fromkeys(table["segment"]))
    traces = []
    for place, name in enumerate(FIGURES):
        rows = table[table["figure"] == name].dropna(subset=["estimate"])
        colour = COLOURS[place]
        traces.append(
            go.Scatter(
                x=100 * rows["estimate"],
                y=[segments.index(own) + _APART * (2 * place - 1) for own in rows["segment"]],
                mode="markers",
                marker={"color": colour, "symbol": SYMBOLS[place], "size": 11},
                error_x={"array": 100 * (rows["high"] - rows["estimate"]), "arrayminus": 100 * (rows["estimate"] - rows["low"]), "color": colour, "thickness": 2},
                name=words(FIGURES[name]),
                text=[labels.get(own, own) for own in rows["segment"]],
                hovertemplate="%{text}: %{x:.0f} %<extra></extra>",
            )
        )  # fmt: skip
    drawn = new_figure(traces, x_title=words("Share, %"), y_title="", height=160 + 56 * len(segments))
    drawn.update_xaxes(range=[0, 100])
    return drawn.update_yaxes(
        tickvals=list(range(len(segments))), ticktext=[labels.get(own, own) for own in segments], range=[len(segments) - 0.5, -0.5]
    )  # fmt: skip
