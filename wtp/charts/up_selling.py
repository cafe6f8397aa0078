"""Steps up that were offered: how often they were forecast to be worth their surcharge, and how often they were taken."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, new_figure

FORETOLD = "Who values a step up more also took it more often: {low} of the least likely third, {high} of the most likely third"
_Z90 = 1.6449
NOT_FORETOLD = "What people value does not clearly foretell which steps up they took"


def is_foretold(table: pd.DataFrame) -> bool:
    """Whether the upper third of the groups took clearly more than the lower third. table: taken, customers, in the order of the forecast."""
    (first, many), (last, more) = _thirds(table)
    error = (max(first * (1 - first), 1 / many) / many + max(last * (1 - last), 1 / more) / more) ** 0.5
    return bool(last - first > _Z90 * error)


def _thirds(table: pd.DataFrame) -> list[tuple[float, float]]:
    """Share of the offers that were taken in the lower and the upper third of the groups, and of how many customers at least."""
    size = max(1, len(table) // 3)
    parts = table.head(size), table.tail(size)
    return [
        (float((part["taken"] * part["offers"]).sum() / part["offers"].sum()), float(part["customers"].max()))
        for part in parts
    ]


def title(table: pd.DataFrame, *, words: Callable[[str], str], percent: Callable[[float], str]) -> str:
    """The finding."""
    if not is_foretold(table):
        return words(NOT_FORETOLD)
    (first, _), (last, _) = _thirds(table)
    return words(FORETOLD).format(low=percent(first), high=percent(last))


def figure(table: pd.DataFrame, *, words: Callable[[str], str]) -> go.Figure:
    """table: forecast, taken, low, high as shares."""
    points = go.Scatter(
        x=100 * table["forecast"],
        y=100 * table["taken"],
        mode="markers",
        marker={"color": COLOURS[0], "size": 11},
        error_y={"array": 100 * (table["high"] - table["taken"]), "arrayminus": 100 * (table["taken"] - table["low"]), "color": COLOURS[0], "thickness": 2},
        name=words("Offers, in groups by the forecast"),
        hovertemplate="%{x:.0f} % → %{y:.0f} %<extra></extra>",
    )  # fmt: skip
    perfect = go.Scatter(
        x=[0, 100],
        y=[0, 100],
        mode="lines",
        line={"color": GREY, "dash": "dash"},
        name=words("As forecast"),
        hoverinfo="skip",
    )
    drawn = new_figure(
        [perfect, points], x_title=words("Forecast: worth more than the surcharge, %"), y_title=words("Taken, %")
    )
    return drawn.update_xaxes(range=[0, 100]).update_yaxes(range=[0, 100])
