"""Part-worths: the utility of every level beside the mean of its attribute, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, SYMBOLS, new_figure

TITLE = "Of all levels “{level}” ({attribute}) draws choices most"


def title(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> str:
    """The finding of one segment. table: attribute, level, estimate of named levels."""
    best = table.sort_values("estimate").iloc[-1]
    level = labels.get(f"{best['attribute']}.{best['level']}", best["level"])
    return words(TITLE).format(level=level, attribute=labels.get(best["attribute"], best["attribute"]))


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> go.Figure:
    """table: attribute, level, estimate, low, high of the named levels of one segment."""
    traces = []
    for place, (attribute, rows) in enumerate(table.groupby("attribute", sort=False)):
        colour = COLOURS[place % len(COLOURS)]
        name = labels.get(str(attribute), str(attribute))
        traces.append(
            go.Scatter(
                x=rows["estimate"],
                y=[f"{name}: {labels.get(f'{attribute}.{level}', level)}" for level in rows["level"]],
                mode="markers",
                marker={"color": colour, "symbol": SYMBOLS[place % len(SYMBOLS)], "size": 10},
                error_x={"array": rows["high"] - rows["estimate"], "arrayminus": rows["estimate"] - rows["low"], "color": colour, "thickness": 2},
                name=name,
                hovertemplate="%{y}: %{x:.2f}<extra></extra>",
            )
        )  # fmt: skip
    x_title = words("Part-worth, logits, against the mean of the attribute")
    drawn = new_figure(traces, x_title=x_title, y_title="", height=110 + 34 * len(table))
    drawn.add_vline(x=0, line={"color": GREY, "width": 1})
    return drawn.update_yaxes(autorange="reversed").update_layout(showlegend=False)
