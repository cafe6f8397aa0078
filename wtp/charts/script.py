"""The expected order of events: the mean place of each with its interval, the first on top, and how far people agree on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts import items

PLACE = ("place", "place_low", "place_high")
STRONG, SOME, WEAK, NONE = "strong", "some", "weak", "none"
NAMES = {
    STRONG: "Expected order, strongly agreed: {order}",
    SOME: "Expected order, partly agreed: {order}",
    WEAK: "Expected order, hardly agreed: {order}",
    NONE: "Customers do not clearly expect one common order",
}
BADGES = {
    STRONG: "Strong agreement",
    SOME: "Partial agreement",
    WEAK: "Weak agreement",
    NONE: "No common order",
}
# Lower ends of the interval of tau: four of five, and two of three pairs of events in the same order.
_STRONG, _SOME = 0.6, 0.3


def strength(agreed: pd.Series) -> str:
    """How far people agree: tau_low of the order, and whether there is a common one at all (differs)."""
    if not agreed["differs"]:
        return NONE
    return STRONG if agreed["tau_low"] >= _STRONG else SOME if agreed["tau_low"] >= _SOME else WEAK


def title(table: pd.DataFrame, agreed: str, *, labels: Mapping[str, str], words: Callable[[str], str]) -> str:
    """The finding of one segment. table: item and place, the first event on top; agreed: the `strength` of the agreement."""
    order = " → ".join(labels.get(item, item) for item in table["item"])
    return words(NAMES[agreed]).format(order=order)


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], badge: str) -> go.Figure:
    """table: item, place with its interval, of one segment, the first event on top; badge: how far people agree."""
    drawn = items.figure(
        table, PLACE, labels=labels, x_title=words("Mean place, 1 comes first"), in_order=True, x_range=(0.7, len(table) + 0.3)
    )  # fmt: skip
    drawn.add_annotation(
        text=badge, x=1, y=1, yshift=8, xref="paper", yref="paper", xanchor="right", yanchor="bottom", showarrow=False, font={"size": 12}
    )  # fmt: skip
    return drawn.update_xaxes(tickvals=list(range(1, len(table) + 1))).update_layout(margin={"t": 44})
