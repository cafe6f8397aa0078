"""What moves the share of today's offer most: its worst and best level of each attribute, the widest on top (a tornado)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, INK, new_figure

TITLE = "{attribute} moves the share of preference most: from {low} to {high}"


def widths(table: pd.DataFrame) -> pd.Series:
    """Difference between the highest and the lowest share of each attribute, the widest first. table: attribute, share."""
    shares = table.groupby("attribute", sort=False)["share"]
    return (shares.max() - shares.min()).sort_values(ascending=False, kind="stable")


def title(
    table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], percent: Callable[[float], str]
) -> str:
    """The finding of one segment. table: attribute, share."""
    first = str(widths(table).index[0])
    shares = table.loc[table["attribute"] == first, "share"]
    return words(TITLE).format(
        attribute=labels.get(first, first), low=percent(float(shares.min())), high=percent(float(shares.max()))
    )


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> go.Figure:
    """table: attribute, level, share, low, high, change of one segment, the levels of each attribute in its order; labels also of `attribute.level`."""
    order = list(widths(table).index)
    today = float((table["share"] - table["change"]).iloc[0])
    traces = []
    for name, pick, colour in ((words("Lowest"), "idxmin", COLOURS[1]), (words("Highest"), "idxmax", COLOURS[0])):
        rows = table.loc[[getattr(table.loc[table["attribute"] == a, "share"], pick)() for a in order]]
        traces.append(
            go.Bar(
                x=rows["share"] - today,
                base=today,
                y=[labels.get(a, a) for a in order],
                orientation="h",
                marker={"color": colour},
                error_x={"array": rows["high"] - rows["share"], "arrayminus": rows["share"] - rows["low"], "color": INK},
                name=name,
                text=[labels.get(f"{a}.{level}", level) for a, level in zip(rows["attribute"], rows["level"], strict=True)],
                textposition="none",
                hovertemplate="%{y}, %{text}: %{customdata:.0%}<extra></extra>",
                customdata=rows["share"],
            )
        )  # fmt: skip
    drawn = new_figure(traces, x_title=words("Share of preference"), y_title="", height=130 + 46 * len(order))
    drawn.add_vline(x=today, line={"color": INK, "width": 1})
    return drawn.update_yaxes(autorange="reversed").update_xaxes(tickformat=".0%").update_layout(barmode="overlay")
