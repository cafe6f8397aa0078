"""Prices that were asked directly: the share that would buy at each price with its band, and the prices found from it. One drawing for Gabor-Granger, Newton-Miller-Smith and an open price."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, INK, SYMBOLS, band, new_figure

LIMIT_TITLE = "Asked price by price, half would buy at {price}"
REACH_TITLE = "Revenue is highest at {price}; from {low} to {high} it is at most 5 per cent less"
OPEN_TITLE = "Half name {price} or more as the most that they would pay"
POINTS = {"limit": "Half would buy", "reach": "Most buyers", "revenue": "Highest revenue", "profit": "Highest profit"}

Columns = tuple[str, str, str]  # of the share that buys and the two ends of its band


def figure(
    table: pd.DataFrame,
    columns: Columns,
    *,
    points: pd.DataFrame,
    words: Callable[[str], str],
    currency: str,
    current: float,
    asked: bool = False,
) -> go.Figure:
    """table: price and these columns of one segment; points: point, price, low, high. asked: only some prices were, so each is a mark of its own. current: today's price."""
    share, low, high = columns
    area = band(table["price"], table[low], table[high], COLOURS[0])
    curve = go.Scatter(
        x=table["price"],
        y=table[share],
        mode="lines+markers" if asked else "lines",
        line={"color": COLOURS[0], "width": 3},
        marker={"size": 9},
        name=words("Share that would buy"),
        hovertemplate="%{x:.2f} " + currency + ": %{y:.0%}<extra></extra>",
    )
    marks = []
    for place, (name, label) in enumerate(POINTS.items()):
        found = points[(points["point"] == name) & points["price"].notna()]
        if found.empty:
            continue
        row = found.iloc[0]
        ends = {"array": [row["high"] - row["price"]], "arrayminus": [row["price"] - row["low"]], "color": INK}
        marks.append(
            go.Scatter(
                x=[row["price"]],
                y=[_height(table, share, float(row["price"]))],
                mode="markers",
                marker={"color": INK, "size": 12, "symbol": f"{SYMBOLS[place]}-open", "line": {"width": 3}},
                error_x=ends,
                name=words(label),
                hovertemplate="%{x:.2f} " + currency + "<extra>" + words(label) + "</extra>",
            )
        )
    drawn = new_figure(
        [area, curve, *marks],
        x_title=words("Price, {currency}").format(currency=currency),
        y_title=words("Share that would buy"),
    )
    drawn.add_vline(
        x=current, line={"color": GREY, "width": 1}, annotation_text=words("today"), annotation_position="top right"
    )
    return drawn.update_yaxes(range=[0, 1.05], tickformat=".0%")


def _height(table: pd.DataFrame, share: str, price: float) -> float:
    """The curve's height at a price, straight between those of the table."""
    prices, shares = table["price"].tolist(), table[share].tolist()
    after = next((place for place, known in enumerate(prices) if known >= price), len(prices) - 1)
    if after == 0 or prices[after] <= price:
        return float(shares[after])
    part = (price - prices[after - 1]) / (prices[after] - prices[after - 1])
    return float(shares[after - 1] + part * (shares[after] - shares[after - 1]))
