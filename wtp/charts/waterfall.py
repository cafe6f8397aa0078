"""How the price upper limit rises from today's offer, improvement by improvement: one bar a step, the limit reached as a dot with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, INK, new_figure

TITLE = "All improvements together raise the price upper limit from {today} to {last}"
BEYOND = "From {today} on, improvements raise the price upper limit beyond the tested prices"
NOTHING = "The price upper limit of today's offer is not known"


def title(table: pd.DataFrame, *, words: Callable[[str], str], money: Callable[[float], str]) -> str:
    """The finding of one segment: where the limit ends. table: limit, today's offer first."""
    limits = table["limit"]
    if limits.empty or pd.isna(limits.iloc[0]):
        return words(NOTHING)
    pattern = BEYOND if pd.isna(limits.iloc[-1]) else TITLE
    return words(pattern).format(today=money(float(limits.iloc[0])), last=money(float(limits.iloc[-1])))


def figure(table: pd.DataFrame, *, names: Sequence[str], words: Callable[[str], str], currency: str) -> go.Figure:
    """table: limit, low, high, change; names: of its rows as shown. Rows without a limit, beyond the tested prices, are left out."""
    known = table["limit"].notna().to_numpy()
    shown = table[known]
    labels = [name for name, there in zip(names, known, strict=True) if there]
    steps = go.Bar(
        x=shown["change"].fillna(0.0),
        base=shown["limit"] - shown["change"].fillna(0.0),
        y=labels,
        orientation="h",
        marker={"color": COLOURS[0]},
        name=words("Rise by this improvement"),
        hovertemplate="%{y}: %{x:+.2f} " + currency + "<extra></extra>",
    )
    limits = go.Scatter(
        x=shown["limit"],
        y=labels,
        mode="markers",
        marker={"color": INK, "size": 9},
        error_x={"array": shown["high"] - shown["limit"], "arrayminus": shown["limit"] - shown["low"], "color": INK},
        name=words("Price upper limit with its interval"),
        hovertemplate="%{y}: %{x:.2f} " + currency + "<extra></extra>",
    )
    x_title = words("Price upper limit, {currency}").format(currency=currency)
    drawn = new_figure([steps, limits], x_title=x_title, y_title="", height=130 + 46 * len(shown))
    ends = [*shown["low"], *shown["high"], *shown["limit"]]
    room = 0.05 * (max(ends) - min(ends)) if ends else 0.0
    if room > 0:
        drawn.update_xaxes(range=[min(ends) - room, max(ends) + room])
    return drawn.update_yaxes(autorange="reversed")
