"""How precise a study will be: half-width of the WTP intervals against respondents, one line a segment, with the wanted precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, DASHES, GREY, SYMBOLS, band, new_figure

TITLE = "{respondents} respondents in each segment tell every worth to within ±{precision}"
TITLE_LIMIT = "{respondents} respondents in each segment tell the price upper limit to within ±{precision}"
NOT_ALL = "Not every figure can be told as precisely as wanted"


def title(
    recommended: Mapping[str, float],
    power_for: str,
    precision: str,
    *,
    words: Callable[[str], str],
    number: Callable[[float], str],
) -> str:
    """The finding: how many respondents the segment that needs most must have. recommended: respondents by segment."""
    needed = pd.Series(recommended, dtype=float)
    if needed.isna().any():
        return words(NOT_ALL)
    template = TITLE_LIMIT if power_for == "limit" else TITLE
    return words(template).format(respondents=number(float(needed.max())), precision=precision)


def figure(
    table: pd.DataFrame,
    *,
    quantity: str,
    precision: float,
    labels: Mapping[str, str],
    words: Callable[[str], str],
    currency: str,
) -> go.Figure:
    """table: segment, quantity, respondents, half_width; of one segment and size the line is the widest figure, the band reaches to the narrowest."""
    rows = table[table["quantity"] == quantity].dropna(subset=["half_width"])
    widths = rows.groupby(["segment", "respondents"], sort=False)["half_width"].agg(["min", "max"]).reset_index()
    traces = []
    for place, (segment, own) in enumerate(widths.groupby("segment", sort=False)):
        colour = COLOURS[place % len(COLOURS)]
        name = labels.get(str(segment), str(segment))
        traces += [
            band(own["respondents"], own["min"], own["max"], colour, 0.12),
            go.Scatter(
                x=own["respondents"].tolist(),
                y=own["max"].tolist(),
                mode="lines+markers",
                line={"color": colour, "dash": DASHES[place % len(DASHES)]},
                marker={"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 8},
                name=name,
                hovertemplate="%{x}: ±%{y:.2f} " + currency + "<extra>" + name + "</extra>",
            ),
        ]
    drawn = new_figure(
        traces,
        x_title=words("Respondents in the segment"),
        y_title=words("Half-width of the interval, {currency}").format(currency=currency),
    )
    drawn.add_hline(
        y=precision,
        line={"color": GREY, "dash": "dash"},
        annotation={"text": words("wanted"), "font": {"color": GREY}},
        annotation_position="top right",
    )
    return drawn.update_yaxes(rangemode="tozero")
