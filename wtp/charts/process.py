"""The steps of the customer's process: how often each is said to decide, against an even spread, in the order of the day; and how many a few time windows serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from wtp.charts import items
from wtp.charts.theme import COLOURS, GREY, band, new_figure

MEND = "Matters and disappoints: {steps}"
MEND_MORE = "Matter and disappoint: {steps}"
MOMENT = "What decides: {steps}; it does not clearly disappoint"
MOMENTS = "What decides: {steps}; none of them clearly disappoints"
NO_MOMENT = "No step clearly matters more often than the others"
LESS_SATISFIED = "Clearly less satisfied with: {steps}"
AS_SATISFIED = "No step clearly satisfies less than the others"
MATTERS_MARK, MEND_MARK = "★", "▼"
SERVES = "The best window serves {share} of respondents ({interval})"
SERVE = "The best {windows} windows serve {share} of respondents ({interval})"

_SHARE, _MEAN = ("share", "low", "high"), ("satisfaction", "satisfaction_low", "satisfaction_high")
_FLAGGED = 0.05


def title(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> str:
    """The finding of one segment. table: item, share, moment, mend, satisfaction, gap_p."""
    if table["share"].isna().all():
        worse = table[table["gap_p"] <= _FLAGGED].sort_values("satisfaction", kind="stable")
        return words(LESS_SATISFIED).format(steps=_named(worse, labels)) if len(worse) else words(AS_SATISFIED)
    ranked = table.sort_values("share", ascending=False, kind="stable")
    for flag, one, several in (("mend", MEND, MEND_MORE), ("moment", MOMENT, MOMENTS)):
        found = ranked[ranked[flag]]
        if len(found):
            return words(one if len(found) == 1 else several).format(steps=_named(found, labels))
    return words(NO_MOMENT)


def _named(rows: pd.DataFrame, labels: Mapping[str, str]) -> str:
    return ", ".join(labels[item] for item in rows["item"])


def figure(
    table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], scale: tuple[int, int] | None
) -> go.Figure:
    """Bars of shares with the line of an even spread, or of satisfaction alone (dots over its scale) where nobody was asked what matters."""
    marks = {row["item"]: _mark(row) for row in table.to_dict("records")}
    named = {item: f"{mark} {labels[item]}" if mark else labels[item] for item, mark in marks.items()}
    if table["share"].isna().all():
        ends = (scale[0] - 0.2, scale[1] + 0.2) if scale else None
        return items.figure(table, _MEAN, labels=named, x_title=words("Mean satisfaction"), in_order=True, x_range=ends)
    even = items.Line(float(table["even"].iloc[0]), words("Even spread"))
    drawn = items.figure(
        table, _SHARE, labels=named, x_title=words("Share of respondents who marked it"), bars=True, per_cent=True, line=even, in_order=True
    )  # fmt: skip
    colours = {"": GREY, MATTERS_MARK: COLOURS[0], MEND_MARK: COLOURS[1]}
    shown = table.dropna(subset=["share"]).iloc[::-1]
    return drawn.update_traces(marker={"color": [colours[marks[item]] for item in shown["item"]]})


def _mark(row: Mapping[Any, Any]) -> str:
    return MEND_MARK if row["mend"] else MATTERS_MARK if row["moment"] else ""


def coverage_title(row: pd.Series, *, words: Callable[[str], str], share: str, interval: str) -> str:
    """How many the first windows serve. row: of the table `window_coverage`."""
    return words(SERVES if row["windows"] == 1 else SERVE).format(
        windows=int(row["windows"]), share=share, interval=interval
    )


def coverage_figure(table: pd.DataFrame, *, names: Sequence[str], words: Callable[[str], str]) -> go.Figure:
    """The share that the first so many windows serve, with the band of its interval. table: windows, share, low, high, seen; names: of the window that comes on."""
    windows = table["windows"].tolist()
    around = band(windows, table["low"], table["high"], COLOURS[0])
    served = go.Scatter(
        x=windows, y=table["share"], mode="lines+markers", name=words("Judged by others"), line={"color": COLOURS[0]}, marker={"size": 9},
        customdata=list(names), hovertemplate="%{x}: %{y:.0%}<br>+ %{customdata}<extra></extra>",
    )  # fmt: skip
    seen = go.Scatter(
        x=windows, y=table["seen"], mode="lines+markers", name=words("By those who chose (flatters)"), line={"color": GREY, "dash": "dot"},
        marker={"symbol": "diamond", "size": 7}, hovertemplate="%{x}: %{y:.0%}<extra></extra>",
    )  # fmt: skip
    drawn = new_figure([around, served, seen], x_title=words("Number of windows"), y_title=words("Respondents served"))
    drawn.update_xaxes(dtick=1, range=[0.7, max(windows) + 0.3])
    return drawn.update_yaxes(range=[0, 1.02], tickformat=".0%", title_standoff=12)


def value_figure(table: pd.DataFrame, *, names: Sequence[str], x_title: str) -> go.Figure:
    """Bars of what each window adds in money, in the order chosen. table: value, value_low, value_high."""
    rows = table.assign(item=[f"{place}. {name}" for place, name in enumerate(names, 1)])
    drawn = items.figure(
        rows, ("value", "value_low", "value_high"), labels={}, x_title=x_title, bars=True, in_order=True
    )
    return drawn.update_traces(hovertemplate="%{y}: %{x:,.0f}<extra></extra>")
