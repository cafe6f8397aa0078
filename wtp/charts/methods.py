"""Several ways of asking what matters: the rank that each gives to each attribute, with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, SYMBOLS, new_figure

NAMES = {
    "choices": "Choices",
    "ratings": "Ratings of importance",
    "best_worst": "Best-worst tasks",
    "points": "Points",
    "places": "Places",
    "rated_offers": "Rated offers",
}
BOTH = "Said important, does not pay: {said}. Pays, though not said: {chosen}"
SAID = "Said important, does not pay: {said}"
CHOSEN = "Pays, though not said: {chosen}"
ALIKE = "What people say and what they choose agree: nothing lies clearly apart"
UNKNOWN = "The methods cannot be held against choices here"
_APART = 0.16  # rows of a place, so that methods do not cover each other


def apart(table: pd.DataFrame, verdict: str, stated: Sequence[str]) -> list[str]:
    """Attributes on which a stated method has this verdict and no other stated method the opposite one."""
    opposite = {"said_more": "chosen_more", "chosen_more": "said_more"}[verdict]
    own = table[table["method"].isin(list(stated))]
    against = set(own.loc[own["verdict"] == opposite, "attribute"])
    return [a for a in dict.fromkeys(own.loc[own["verdict"] == verdict, "attribute"]) if a not in against]


def title(table: pd.DataFrame, *, stated: Sequence[str], labels: Mapping[str, str], words: Callable[[str], str]) -> str:
    """The finding of one segment: what is said and does not pay, and the reverse."""
    own = table[table["method"].isin(list(stated))]
    if not (own["verdict"] != "").any():
        return words(UNKNOWN)
    said, chosen = (
        ", ".join(labels.get(a, a) for a in apart(table, verdict, stated)) for verdict in ("said_more", "chosen_more")
    )
    pattern = BOTH if said and chosen else SAID if said else CHOSEN if chosen else ALIKE
    return words(pattern).format(said=said, chosen=chosen)


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> go.Figure:
    """table: method, attribute, rank, rank_low, rank_high of one segment; the choices give the order."""
    methods = [name for name in NAMES if (table["method"] == name).any()]
    first = table[table["method"] == methods[0]].sort_values("rank")["attribute"]
    order = list(dict.fromkeys([*first, *table["attribute"]]))
    traces = []
    for place, method in enumerate(methods):
        rows = table[table["method"] == method]
        shift = _APART * (place - (len(methods) - 1) / 2)
        colour = COLOURS[place % len(COLOURS)]
        name = words(NAMES[method]) + (f" (1–{len(rows)})" if len(rows) < len(order) else "")
        traces.append(
            go.Scatter(
                x=rows["rank"],
                y=[order.index(attribute) + shift for attribute in rows["attribute"]],
                mode="markers",
                marker={"color": colour, "symbol": SYMBOLS[place % len(SYMBOLS)], "size": 11},
                error_x={"array": rows["rank_high"] - rows["rank"], "arrayminus": rows["rank"] - rows["rank_low"], "color": colour, "thickness": 2},
                name=name,
                text=[labels.get(a, a) for a in rows["attribute"]],
                hovertemplate="%{text}: %{x:.0f}<extra>" + words(NAMES[method]) + "</extra>",
            )
        )  # fmt: skip
    drawn = new_figure(traces, x_title=words("Rank, 1 matters most"), y_title="", height=160 + 62 * len(order))
    drawn.update_xaxes(range=[0.5, len(order) + 0.5], dtick=1)
    return drawn.update_yaxes(
        tickvals=list(range(len(order))), ticktext=[labels.get(a, a) for a in order], range=[len(order) - 0.5, -0.5]
    )
