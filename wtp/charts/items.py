"""Items side by side, the strongest on top: a dot or bar with its interval each. One drawing for shares of answers, ratings, points, places, best-worst utilities and rated offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, INK, new_figure

LEADS = "First comes “{first}”: {amount}"
CLOSE = "Too close to tell which comes first: “{first}” or “{second}”"
CHOSEN = "Most often: “{first}” ({amount})"
CHOSEN_CLOSE = "Most often, about alike: “{first}” and “{second}”"
BEST_RATED = "Rated highest: “{first}” ({amount})"
RATED_CLOSE = "Rated highest, about alike: “{first}” and “{second}”"
MATTERS_MOST = "What matters most: “{first}”"
MATTERS_CLOSE = "What matters most, about alike: “{first}” and “{second}”"
MOVES_MOST = "What raises the rating most: “{first}”, by {amount} points"
MOVES_CLOSE = "What raises the rating most, about alike: “{first}” and “{second}”"
MOVES_NOTHING = "No step up raises the rating clearly"
PREFERRED = "“{first}” is preferred most often: by {amount}"
PREFERRED_CLOSE = "Preferred most often, about alike: “{first}” and “{second}”"

Columns = tuple[str, str, str]  # of the figure and the two ends of its interval


@dataclass(frozen=True, slots=True)
class Line:
    """A value that means something of its own, as the threshold of mattering."""

    at: float
    words: str


def title(
    table: pd.DataFrame,
    columns: Columns,
    *,
    labels: Mapping[str, str],
    words: Callable[[str], str],
    amount: Callable[[float], str],
    leads: str = LEADS,
    close: str = CLOSE,
) -> str:
    """The finding of one segment: what comes first, or that two intervals overlap. table: item and these columns."""
    column, low, high = columns
    ranked = table.dropna(subset=[column]).sort_values(column, ascending=False, kind="stable")
    if ranked.empty:
        return ""
    first = ranked.iloc[0]
    second = ranked.iloc[1] if len(ranked) > 1 else None
    names = {"first": labels.get(first["item"], first["item"]), "amount": amount(float(first[column]))}
    if second is not None and first[low] <= second[high]:
        return words(close).format(second=labels.get(second["item"], second["item"]), **names)
    return words(leads).format(**names)


def figure(
    table: pd.DataFrame,
    columns: Columns,
    *,
    labels: Mapping[str, str],
    x_title: str,
    bars: bool = False,
    per_cent: bool = False,
    line: Line | None = None,
    x_range: tuple[float, float] | None = None,
    in_order: bool = False,
) -> go.Figure:
    """table: item and these columns, of one segment; rows without a figure are left out. in_order: the author's, not by size."""
    column, low, high = columns
    shown = table.dropna(subset=[column])
    rows = shown.iloc[::-1] if in_order else shown.sort_values(column, kind="stable")
    names = [labels.get(item, item) for item in rows["item"]]
    ends = {"array": rows[high] - rows[column], "arrayminus": rows[column] - rows[low]}
    hover = "%{y}: %{x:.0%}<extra></extra>" if per_cent else "%{y}: %{x:.2f}<extra></extra>"
    drawn: go.Bar | go.Scatter
    if bars:
        drawn = go.Bar(
            x=rows[column], y=names, orientation="h", marker={"color": COLOURS[0]}, error_x={**ends, "color": INK},
            hovertemplate=hover,
        )  # fmt: skip
    else:
        drawn = go.Scatter(
            x=rows[column], y=names, mode="markers", marker={"color": COLOURS[0], "size": 11},
            error_x={**ends, "color": COLOURS[0], "thickness": 2}, hovertemplate=hover,
        )  # fmt: skip
    made = new_figure([drawn], x_title=x_title, y_title="", height=110 + 44 * len(rows))
    if line is not None:
        made.add_vline(
            x=line.at,
            line={"color": GREY, "width": 2, "dash": "dash"},
            annotation_text=line.words,
            annotation_position="top",
        )
        made.update_layout(margin={"t": 40})
    if per_cent:
        made.update_xaxes(tickformat=".0%")
    if x_range:
        made.update_xaxes(range=list(x_range))
    elif bars:
        made.update_xaxes(rangemode="tozero")
    return made.update_layout(showlegend=False)
