"""Share still buying today's offer at each tested price, with its band and the price upper limit at one half."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, DASHES, GREY, INK, band, new_figure

TITLE = "Half would still buy at {price}"
PRELIMINARY_TITLE = "Half would still buy at {price} (preliminary)"


def title(limit: pd.DataFrame, *, words: Callable[[str], str], money: Callable[[float], str]) -> str:
    """The finding of one segment's price_limit row: the price, or why there is none."""
    found = limit.iloc[0]
    if pd.isna(found["estimate"]):
        return words(str(found["note"]))
    template = TITLE if found.get("status") == "final" else PRELIMINARY_TITLE
    return words(template).format(price=money(float(found["estimate"])))


def figure(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    words: Callable[[str], str],
    currency: str,
    limits: pd.DataFrame,
    current: float,
) -> go.Figure:
    """table: segment, price, share, low, high. limits: segment, estimate, low, high. current: today's price."""
    traces = []
    for place, (segment, rows) in enumerate(table.groupby("segment", sort=False)):
        colour, dash = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
        name = labels.get(str(segment), str(segment))
        traces.append(band(rows["price"], rows["low"], rows["high"], colour))
        hover = "%{x:.0f} " + currency + ": %{y:.0%}<extra>" + name + "</extra>"
        traces.append(
            go.Scatter(
                x=rows["price"],
                y=rows["share"],
                mode="lines",
                line={"color": colour, "dash": dash, "width": 3},
                name=name,
                hovertemplate=hover,
            )
        )
        known = limits[(limits["segment"] == segment) & limits["estimate"].notna()]
        traces.append(
            go.Scatter(
                x=known["estimate"],
                y=[0.5] * len(known),
                mode="markers",
                marker={"color": INK, "size": 12, "symbol": "circle-open", "line": {"width": 3}},
                error_x={
                    "array": known["high"] - known["estimate"],
                    "arrayminus": known["estimate"] - known["low"],
                    "color": INK,
                },
                showlegend=False,
                hovertemplate=hover,
            )
        )
    x_title = words("Price, {currency} (tested range)").format(currency=currency)
    drawn = new_figure(traces, x_title=x_title, y_title=words("Share still buying"))
    drawn.add_hline(y=0.5, line={"color": GREY, "dash": "dot", "width": 1})
    drawn.add_vline(
        x=current, line={"color": GREY, "width": 1}, annotation_text=words("today"), annotation_position="bottom right"
    )
    return drawn.update_yaxes(range=[0, 1], tickformat=".0%").update_layout(
        showlegend=len(table["segment"].unique()) > 1
    )
