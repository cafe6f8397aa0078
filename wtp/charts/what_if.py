"""A what-if: shares of every offer today and then, and the way of the profit from today's to the new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, INK, SYMBOLS, new_figure

GAINS = "This would earn {amount} more a year"
LOSES = "This would earn {amount} less a year"
UNCLEAR = "Whether this would earn more or less is not clear: {low} to {high} a year"
SHARE_CHANGES = "The share of preference would go from {today} to {then}"
NAMES = {"price": "Price", "cost": "Cost", "volume": "Customers won or lost"}
_APART = 0.16


def title(money: pd.DataFrame, *, words: Callable[[str], str], amount: Callable[[float], str]) -> str:
    """The finding about the profit, without costs about the revenue. money: figure, change, change_low, change_high; empty gives nothing."""
    if money.empty:
        return ""
    row = money.iloc[-1]
    if row["change_low"] > 0:
        return words(GAINS).format(amount=amount(row["change"]))
    if row["change_high"] < 0:
        return words(LOSES).format(amount=amount(-row["change"]))
    return words(UNCLEAR).format(low=amount(row["change_low"]), high=amount(row["change_high"]))


def shares(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> go.Figure:
    """table: offer, today, today_low, today_high, share, low, high; an offer that is gone has no share."""
    offers = list(table["offer"])
    traces = []
    kinds = (
        ("today", "today_low", "today_high", words("Today"), GREY),
        ("share", "low", "high", words("Then"), COLOURS[0]),
    )
    for place, (column, low, high, name, colour) in enumerate(kinds):
        rows = table.dropna(subset=[column])
        traces.append(
            go.Scatter(
                x=rows[column],
                y=[offers.index(offer) + _APART * (2 * place - 1) for offer in rows["offer"]],
                mode="markers",
                marker={"color": colour, "symbol": SYMBOLS[place], "size": 12},
                error_x={"array": rows[high] - rows[column], "arrayminus": rows[column] - rows[low], "color": colour, "thickness": 2},
                name=name,
                text=[labels.get(offer, offer) for offer in rows["offer"]],
                hovertemplate="%{text}: %{x:.1%}<extra>" + name + "</extra>",
            )
        )  # fmt: skip
    drawn = new_figure(traces, x_title=words("Share of preference"), y_title="", height=140 + 60 * len(offers))
    drawn.update_xaxes(rangemode="tozero", tickformat=".0%")
    return drawn.update_yaxes(
        tickvals=list(range(len(offers))),
        ticktext=[labels.get(offer, offer) for offer in offers],
        range=[len(offers) - 0.5, -0.5],
    )


def bridge(table: pd.DataFrame, *, today: float, then: float, words: Callable[[str], str], currency: str) -> go.Figure:
    """table: step, amount, low, high of the profit; today, then: its ends."""
    steps = [words(NAMES[step]) for step in table["step"]]
    drawn = go.Waterfall(
        x=[words("Profit today"), *steps, words("Profit then")],
        y=[today, *table["amount"], then],
        measure=["absolute", *["relative"] * len(steps), "total"],
        increasing={"marker": {"color": COLOURS[0]}},
        decreasing={"marker": {"color": COLOURS[1]}},
        totals={"marker": {"color": GREY}},
        connector={"line": {"color": GREY, "width": 1}},
        hovertemplate="%{x}: %{delta:,.0f} " + currency + "<extra></extra>",
    )
    reached = today + table["amount"].cumsum()
    ends = go.Scatter(
        x=steps,
        y=reached,
        mode="markers",
        marker={"color": INK, "size": 7},
        error_y={"array": table["high"] - table["amount"], "arrayminus": table["amount"] - table["low"], "color": INK},
        hoverinfo="skip",
    )
    figure = new_figure([], x_title="", y_title=words("{currency} a year").format(currency=currency), height=380)
    figure.add_trace(drawn)
    figure.add_trace(ends)
    return figure.update_layout(showlegend=False)
