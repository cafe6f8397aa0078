"""Kano: how far having a feature satisfies, and lacking it dissatisfies, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, INK, new_figure

NAMES = {
    "attractive": "Delights",
    "one_dimensional": "The more the better",
    "must_be": "Expected",
    "indifferent": "Does not matter",
    "reverse": "Rather without",
    "questionable": "Contradictory answers",
}
UNDECIDED = "Not decided: two categories are too close"
NOTHING = "No feature falls clearly into one category"


def title(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> str:
    """The finding of one segment: the features by the category that clearly leads."""
    decided = table[table["decided"]]
    parts = []
    for category, name in NAMES.items():
        features = [labels.get(q, q) for q in decided.loc[decided["category"] == category, "question"]]
        if features:
            parts.append(f"{words(name)}: {', '.join(features)}")
    return "; ".join(parts) if parts else words(NOTHING)


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> go.Figure:
    """table: question, better, worse with intervals, of one segment; to the right what having it gains, to the left what lacking it loses."""
    rows = table.dropna(subset=["better"]).iloc[::-1]
    names = [labels.get(question, question) for question in rows["question"]]
    bars = [
        go.Bar(
            x=rows[column], y=names, orientation="h", marker={"color": colour}, name=words(name),
            error_x={"array": rows[f"{column}_high"] - rows[column], "arrayminus": rows[column] - rows[f"{column}_low"], "color": INK},
            hovertemplate="%{y}: %{x:.2f}<extra></extra>",
        )
        for column, colour, name in (
            ("worse", COLOURS[1], "Lacking it dissatisfies"),
            ("better", COLOURS[0], "Having it satisfies"),
        )
    ]  # fmt: skip
    drawn = new_figure(bars, x_title=words("Coefficient, from −1 to 1"), y_title="", height=150 + 56 * len(rows))
    drawn.add_vline(x=0, line={"color": GREY, "width": 1})
    return drawn.update_layout(barmode="overlay").update_xaxes(range=[-1, 1])
