"""Which grouping of the respondents explains their choices best: the gain over no groups, between offers and against buying nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, SYMBOLS, new_figure

BEST = "“{grouping}” explains best what people choose"
CLEAR = "{groupings} explain what people choose, none clearly best"
ONE_CLEAR = "“{grouping}” explains what people choose better than no groups"
NOTHING = "No grouping clearly explains what people choose better than none"
PARTS = {"offers": "Choices between offers", "purchase": "Buying or not"}
_APART = 0.12


def title(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> str:
    """The finding about choices between offers. table: part, grouping, explains, explains_best."""
    offers = table[table["part"] == table["part"].iloc[0]]
    best, clear = (list(offers.loc[offers[name].astype(bool), "grouping"]) for name in ("explains_best", "explains"))
    if best:
        return words(BEST).format(grouping=labels.get(best[0], best[0]))
    if len(clear) == 1:
        return words(ONE_CLEAR).format(grouping=labels.get(clear[0], clear[0]))
    named = ", ".join(f"“{labels.get(name, name)}”" for name in clear)
    return words(CLEAR).format(groupings=named) if clear else words(NOTHING)


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> go.Figure:
    """table: part, grouping, gained, low, high (NaN for no groups, which is the line at zero)."""
    shown = table.dropna(subset=["low"])
    names = list(dict.fromkeys(shown["grouping"]))
    parts = [part for part in PARTS if (shown["part"] == part).any()]
    traces = []
    for place, part in enumerate(parts):
        rows = shown[shown["part"] == part]
        colour = COLOURS[place]
        traces.append(
            go.Scatter(
                x=rows["gained"],
                y=[names.index(name) + _APART * (2 * place - len(parts) + 1) for name in rows["grouping"]],
                mode="markers",
                marker={"color": colour, "symbol": SYMBOLS[place], "size": 11},
                error_x={"array": rows["high"] - rows["gained"], "arrayminus": rows["gained"] - rows["low"], "color": colour, "thickness": 2},
                name=words(PARTS[part]),
                text=[labels.get(name, name) for name in rows["grouping"]],
                hovertemplate="%{text}: %{x:.3f}<extra></extra>",
            )
        )  # fmt: skip
    x_title = words("Gain over no groups, log-probability a choice")
    drawn = new_figure(traces, x_title=x_title, y_title="", height=170 + 60 * len(names))
    drawn.add_vline(x=0, line={"color": GREY, "width": 1})
    return drawn.update_yaxes(
        tickvals=list(range(len(names))), ticktext=[labels.get(name, name) for name in names], range=[len(names) - 0.5, -0.5]
    )  # fmt: skip
