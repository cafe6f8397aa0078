"""What steps are worth to groups of respondents side by side: dots with intervals where there are any, one symbol and colour a group."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, SYMBOLS, new_figure

_APART = 0.14  # rows of a step, so that groups do not cover each other


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], currency: str) -> go.Figure:
    """table: group, attribute, to_level, estimate and, if known, low, high; labels: of groups, attributes and attribute.level."""
    steps = list(dict.fromkeys(zip(table["attribute"], table["to_level"], strict=True)))
    groups = list(dict.fromkeys(table["group"]))
    traces = []
    for place, group in enumerate(groups):
        rows = table[(table["group"] == group) & table["estimate"].notna()]
        shift = _APART * (place - (len(groups) - 1) / 2)
        colour = COLOURS[place % len(COLOURS)]
        ends = (
            {"array": rows["high"] - rows["estimate"], "arrayminus": rows["estimate"] - rows["low"], "color": colour, "thickness": 2}
            if {"low", "high"} <= set(rows.columns)
            else None
        )  # fmt: skip
        traces.append(
            go.Scatter(
                x=rows["estimate"],
                y=[steps.index(step) + shift for step in zip(rows["attribute"], rows["to_level"], strict=True)],
                mode="markers",
                marker={"color": colour, "symbol": SYMBOLS[place % len(SYMBOLS)], "size": 11},
                error_x=ends,
                name=labels.get(str(group), str(group)),
                text=[_step(step, labels) for step in zip(rows["attribute"], rows["to_level"], strict=True)],
                hovertemplate="%{text}: %{x:.2f} " + currency + "<extra></extra>",
            )
        )
    x_title = words("Worth against today's level, {currency}").format(currency=currency)
    drawn = new_figure(traces, x_title=x_title, y_title="", height=150 + 52 * len(steps))
    drawn.add_vline(x=0, line={"color": GREY, "width": 1})
    return drawn.update_yaxes(
        tickvals=list(range(len(steps))), ticktext=[_step(step, labels) for step in steps], range=[len(steps) - 0.5, -0.5]
    )  # fmt: skip


def _step(step: tuple[str, str], labels: Mapping[str, str]) -> str:
    attribute, level = step
    return f"{labels.get(attribute, attribute)}: {labels.get(f'{attribute}.{level}', level)}"
