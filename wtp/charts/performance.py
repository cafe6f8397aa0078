"""Strengths and weaknesses against the rival: how much better this company is seen, against what the attribute is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.regions import crosses, ellipses
from wtp.charts.theme import COLOURS, GREY, SYMBOLS, new_figure

BOTH = "Better than the rival: {better}. Behind it: {worse}"
BETTER, WORSE = "Better than the rival: {better}", "Behind the rival: {worse}"
_PLACED = {
    "gap": "x", "gap_low": "x_low", "gap_high": "x_high", "value": "y", "value_low": "y_low", "value_high": "y_high",
    "gap_reach": "x_reach", "gap_value_reach": "y_reach", "gap_correlation": "correlation",
}  # fmt: skip
ALIKE = "No clear difference from the rival"


def sides(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Attributes on which this company is clearly better, and clearly worse. table: attribute, gap_low, gap_high."""
    return list(table.loc[table["gap_low"] > 0, "attribute"]), list(table.loc[table["gap_high"] < 0, "attribute"])


def title(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> str:
    """The finding of one segment."""
    better, worse = (", ".join(labels.get(a, a) for a in side) for side in sides(table))
    pattern = BOTH if better and worse else BETTER if better else WORSE if worse else ALIKE
    return words(pattern).format(better=better, worse=worse)


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], currency: str) -> go.Figure:
    """table: attribute, gap, gap_low, gap_high, value, value_low, value_high of one segment, and where they are known gap_reach, gap_value_reach, gap_correlation of the joint region; a row without a gap or a value is left out."""
    rows = table.dropna(subset=["gap", "value"])
    better, worse = sides(rows)
    traces: list[go.Scatter] = []
    kinds = (("better", better, COLOURS[0]), ("worse", worse, COLOURS[1]), ("alike", None, GREY))
    names = {"better": words("Better"), "worse": words("Behind"), "alike": words("About alike")}
    for place, (kind, members, colour) in enumerate(kinds):
        own = (
            rows[rows["attribute"].isin(members)]
            if members is not None
            else rows[~rows["attribute"].isin([*better, *worse])]
        )
        if own.empty:
            continue
        placed = own.rename(columns=_PLACED)
        region = ellipses(placed, colour) if "x_reach" in placed else None
        traces += [region] if region is not None else []
        traces.append(
            go.Scatter(
                x=own["gap"],
                y=own["value"],
                mode="markers+text",
                text=[labels.get(a, a) for a in own["attribute"]],
                textposition="top center",
                marker={"color": colour, "symbol": SYMBOLS[place], "size": 12},
                name=names[kind],
                meta={"decisive": members is not None},
                hovertemplate="%{text}: %{x:+.2f} / %{y:.2f} " + currency + "<extra></extra>",
                cliponaxis=False,
                **crosses(placed, colour),
            )
        )
    drawn = new_figure(
        traces,
        x_title=words("Better than the rival, points"),
        y_title=words("Worth of today's level to customers, {currency}").format(currency=currency),
        height=480,
    )
    drawn.add_vline(x=0, line={"color": GREY, "dash": "dash"})
    return drawn
