"""Importance and performance (Martilla and James 1977): what an attribute is worth against how it is rated, in four fields with names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.regions import crosses, ellipses
from wtp.charts.theme import COLOURS, GREY, new_figure

IMPROVE, KEEP, LEAVE, BEYOND, UNCLEAR = "improve", "keep_up", "leave", "beyond", "unclear"
NAMES = {
    IMPROVE: "Improve",
    KEEP: "Keep it up",
    BEYOND: "Better than it is worth",
    LEAVE: "Leave it",
    UNCLEAR: "No field clearly",
}
BOTH = "Improve: {improve}. Keep up: {keep}"
ONLY_IMPROVE = "Improve: {improve}"
ONLY_KEEP = "Keep up: {keep}"
NEITHER = "No attribute stands clearly in the fields “Improve” or “Keep it up”"
_ROOM = 0.12
_SYMBOLS = {IMPROVE: "triangle-up", KEEP: "square", BEYOND: "diamond", LEAVE: "triangle-down", UNCLEAR: "circle-open"}
_COLOURS = {IMPROVE: COLOURS[1], KEEP: COLOURS[0], BEYOND: COLOURS[3], LEAVE: COLOURS[2], UNCLEAR: GREY}


def fields(table: pd.DataFrame, *, rated: float, worth: float) -> pd.Series:
    """The field of each row; one whose interval reaches over a line stands in none clearly. rated, worth: where the lines are."""
    above, below = table["value_low"] > worth, table["value_high"] <= worth
    good, poor = table["own_low"] >= rated, table["own_high"] < rated
    found = pd.Series(UNCLEAR, index=table.index)
    for field, members in (
        (IMPROVE, above & poor),
        (KEEP, above & good),
        (BEYOND, below & good),
        (LEAVE, below & poor),
    ):
        found[members] = field
    return found


def title(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> str:
    """The finding. table: attribute, field."""
    improve, keep = (
        ", ".join(labels.get(a, a) for a in table.loc[table["field"] == field, "attribute"])
        for field in (IMPROVE, KEEP)
    )
    pattern = BOTH if improve and keep else ONLY_IMPROVE if improve else ONLY_KEEP if keep else NEITHER
    return words(pattern).format(improve=improve, keep=keep)


def figure(
    table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], currency: str, scale: tuple[float, float], rated: float, worth: float
) -> go.Figure:  # fmt: skip
    """table: attribute, field, own, value with their intervals and own_reach, own_value_reach, own_correlation, of one segment; scale: ends of the rating."""
    rows = table.rename(
        columns={
            "own": "x", "own_low": "x_low", "own_high": "x_high", "value": "y", "value_low": "y_low", "value_high": "y_high",
            "own_reach": "x_reach", "own_value_reach": "y_reach", "own_correlation": "correlation",
        }
    )  # fmt: skip
    left, right = _ends(rows, "x", rated)
    traces: list[go.Scatter] = []
    for field, name in NAMES.items():
        own = rows[rows["field"] == field]
        if own.empty:
            continue
        region = ellipses(own, _COLOURS[field])
        traces += [region] if region is not None else []
        traces.append(
            go.Scatter(
                x=own["x"],
                y=own["y"],
                mode="markers+text",
                text=[labels.get(a, a) for a in own["attribute"]],
                textposition=["middle right" if x < (left + right) / 2 else "middle left" for x in own["x"]],
                marker={"symbol": _SYMBOLS[field], "color": _COLOURS[field], "size": 13, "line": {"width": 2}},
                name=words(name),
                meta={"decisive": field in (IMPROVE, KEEP)},
                hovertemplate="%{text}: %{x:.2f} / %{y:.2f} " + currency + "<extra></extra>",
                cliponaxis=False,
                **crosses(own, _COLOURS[field]),
            )
        )
    drawn = new_figure(
        traces,
        x_title=words("Rating of this company, points from {low} to {high}").format(low=scale[0], high=scale[1]),
        y_title=words("Worth of today's level to customers, {currency}").format(currency=currency),
        height=500,
    )
    drawn.add_vline(x=rated, line={"color": GREY, "dash": "dash"})
    drawn.add_hline(y=worth, line={"color": GREY, "dash": "dash"})
    for corner, (x, y) in {IMPROVE: (0, 1), KEEP: (1, 1), LEAVE: (0, 0), BEYOND: (1, 0)}.items():
        drawn.add_annotation(
            text=words(NAMES[corner]),
            x=x,
            y=y,
            xref="paper",
            yref="paper",
            xanchor="right" if x else "left",
            yanchor="top" if y else "bottom",
            showarrow=False,
            font={"color": GREY, "size": 13},
        )
    return drawn.update_xaxes(range=[left, right]).update_yaxes(range=_ends(rows, "y", worth))


def _ends(rows: pd.DataFrame, axis: str, line: float) -> list[float]:
    """Range of an axis that has room for all intervals, regions and the line, and for the names of the fields."""
    reach = rows[f"{axis}_reach"].fillna(0.0) if f"{axis}_reach" in rows else 0.0
    low = min(rows[f"{axis}_low"].min(), (rows[axis] - reach).min(), line)
    high = max(rows[f"{axis}_high"].max(), (rows[axis] + reach).max(), line)
    room = _ROOM * max(high - low, 1e-9)
    return [float(low - room), float(high + room)]
