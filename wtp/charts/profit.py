"""Profit and revenue of today's offer against its price, with bands, the best price and the prices at which almost as much is earned."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtp.charts.theme import COLOURS, DASHES, GREY, INK, TEMPLATE, band, transparent

TITLES = {
    "profit": "Profit is highest at {price}; from {low} to {high} it is at most 2 per cent less",
    "revenue": "Revenue is highest at {price}; from {low} to {high} it is at most 2 per cent less",
}
_NAMES = {"profit": "Profit a year", "revenue": "Revenue a year"}


def title(best: pd.Series, *, words: Callable[[str], str], money: Callable[[float], str]) -> str:
    """The finding of one row of `best_price`, or why there is none."""
    if best["note"] or pd.isna(best["price"]):
        return words(str(best["note"]))
    low, high = money(float(best["flat_low"])), money(float(best["flat_high"]))
    return words(TITLES[best["objective"]]).format(price=money(float(best["price"])), low=low, high=high)


def figure(
    table: pd.DataFrame, *, best: pd.Series, words: Callable[[str], str], currency: str, unit: str, current: float
) -> go.Figure:
    """table: price, revenue, profit and their _low, _high of one segment; a column of NaN is not drawn. best: objective, price, low, high, flat_low, flat_high, value, note.

    currency: of the year's money; unit: of the price, as in "EUR per month".
    """
    names = [name for name in _NAMES if table[name].notna().any()]
    drawn = make_subplots(rows=len(names), cols=1, shared_xaxes=True, vertical_spacing=0.08)
    for row, name in enumerate(names, 1):
        colour = COLOURS[row - 1]
        for trace in _curve(table, name, colour, DASHES[row - 1], words(_NAMES[name]), currency):
            drawn.add_trace(trace, row=row, col=1)
        y_title = words("Profit, {currency} a year") if name == "profit" else words("Revenue, {currency} a year")
        drawn.update_yaxes(title_text=y_title.format(currency=currency), row=row, col=1)
    drawn.update_layout(template=TEMPLATE, height=170 + 210 * len(names), showlegend=False, margin={"t": 30})
    drawn.update_xaxes(
        title_text=words("Price, {currency} (tested range)").format(currency=unit), row=len(names), col=1
    )
    if not best["note"] and pd.notna(best["price"]):
        drawn.add_trace(
            _best(best, words("Best price with its interval"), currency), row=names.index(best["objective"]) + 1, col=1
        )
        drawn.add_vrect(x0=best["flat_low"], x1=best["flat_high"], fillcolor=transparent(COLOURS[0], 0.1), line_width=0)
    drawn.add_vline(x=current, line={"color": GREY, "width": 1})
    return drawn.add_annotation(
        x=current, y=1, xref="x", yref="paper", text=words("today"), showarrow=False, xanchor="left", yanchor="bottom"
    )


def _curve(table: pd.DataFrame, name: str, colour: str, dash: str, label: str, currency: str) -> tuple[go.Scatter, ...]:
    area = band(table["price"], table[f"{name}_low"], table[f"{name}_high"], colour)
    line = go.Scatter(
        x=table["price"],
        y=table[name],
        mode="lines",
        line={"color": colour, "dash": dash, "width": 3},
        name=label,
        hovertemplate="%{x:.2f}: %{y:,.0f} " + currency + "<extra>" + label + "</extra>",
    )
    return area, line


def _best(best: pd.Series, label: str, currency: str) -> go.Scatter:
    return go.Scatter(
        x=[best["price"]],
        y=[best["value"]],
        mode="markers",
        marker={"color": INK, "size": 12, "symbol": "circle-open", "line": {"width": 3}},
        error_x={"array": [best["high"] - best["price"]], "arrayminus": [best["price"] - best["low"]], "color": INK},
        name=label,
        hovertemplate="%{x:.2f}: %{y:,.0f} " + currency + "<extra>" + label + "</extra>",
    )
