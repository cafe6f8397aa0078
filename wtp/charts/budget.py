"""What a budget pays for: the gain a year of each step with its interval, in the order of what it earns for each unit of money."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, INK, new_figure

TITLE = "{budget} pays for {count} steps, first for {first}"
ONE = "{budget} pays for {first}"
NONE = "{budget} pays for no step that is worth it"


def title(names: Sequence[str], *, words: Callable[[str], str], budget: str) -> str:
    """The finding. names: of the steps, the first one first; budget: as shown."""
    pattern = TITLE if len(names) > 1 else ONE if names else NONE
    return words(pattern).format(first=names[0] if names else "", budget=budget, count=len(names))


def figure(table: pd.DataFrame, *, names: Sequence[str], words: Callable[[str], str], currency: str) -> go.Figure:
    """table: gain, gain_low, gain_high, investment, one row a step; names: of its rows as shown; currency: without what the price is for."""
    bars = go.Bar(
        x=table["gain"],
        y=list(names),
        orientation="h",
        marker={"color": COLOURS[0]},
        customdata=table["investment"],
        error_x={
            "array": table["gain_high"] - table["gain"],
            "arrayminus": table["gain"] - table["gain_low"],
            "color": INK,
        },
        hovertemplate="%{y}: %{x:,.0f} "
        + currency
        + "<br>"
        + words("Costs once")
        + ": %{customdata:,.0f} "
        + currency
        + "<extra></extra>",
    )
    x_title = words("Gain a year, {currency}").format(currency=currency)
    drawn = new_figure([bars], x_title=x_title, y_title="", height=130 + 52 * len(table))
    return drawn.update_yaxes(autorange="reversed").update_layout(showlegend=False)
