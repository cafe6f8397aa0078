"""Keep, tell or fix: how much better or worse than the rival each attribute is seen, the most that is at stake on top, with the mark of its verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, INK, new_figure

NAMES = {
    "keep_tell": "Keep it and tell it",
    "tell": "Tell it",
    "fix": "Fix it",
    "behind": "Behind, cause unknown",
    "over_delivered": "More than is honoured",
    "let_be": "Let it be",
    "undecided": "Not decided yet",
}
MARKS = {
    "keep_tell": "●",
    "tell": "◆",
    "fix": "▲",
    "behind": "✕",
    "over_delivered": "■",
    "let_be": "▽",
    "undecided": "○",
}
TITLES = {
    "tell": "Tell it: {attributes}",
    "fix": "Fix it: {attributes}",
    "behind": "Behind, cause unknown: {attributes}",
    "keep_tell": "Keep it and tell it: {attributes}",
    "over_delivered": "More than is honoured: {attributes}",
}
NO_WORTH = "No worth of its own"
NOTHING = "Against the rival nothing is decided yet"
_COLOURS = {"keep_tell": COLOURS[0], "tell": COLOURS[5], "fix": COLOURS[1], "behind": COLOURS[3], "over_delivered": COLOURS[4]}  # fmt: skip
_PATTERNS = {"tell": "/", "behind": "x", "over_delivered": "."}
_GAP = ("pooled_gap", "pooled_gap_low", "pooled_gap_high")


def ordered(table: pd.DataFrame) -> pd.DataFrame:
    """What is at stake first: by worth times gap, whatever its sign; what has no worth last."""
    return table.sort_values("impact", key=abs, ascending=False, na_position="last", kind="stable", ignore_index=True)


def title(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> str:
    """The finding of one segment. table: attribute, impact, verdict."""
    rows = ordered(table)
    parts = []
    for verdict, pattern in TITLES.items():
        names = [labels.get(a, a) for a in rows.loc[rows["verdict"] == verdict, "attribute"]]
        parts += [words(pattern).format(attributes=", ".join(names))] if names else []
    return ". ".join(parts) or words(NOTHING)


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], rival: str) -> go.Figure:
    """table: attribute, pooled_gap with its interval, impact, verdict, of one segment; rival: his name."""
    middle, low, high = _GAP
    rows = ordered(table)
    rows = rows.assign(name=[labels.get(a, a) for a in rows["attribute"]])
    reach = 1.15 * max(float(rows[[low, high]].abs().to_numpy().max()), 0.5)
    traces = []
    for verdict in [*NAMES, ""]:
        own = rows[rows["verdict"] == verdict]
        if own.empty:
            continue
        traces.append(
            go.Bar(
                x=own[middle],
                y=own.index,
                text=own["name"],
                textposition="none",
                orientation="h",
                width=0.6,
                marker={"color": _COLOURS.get(verdict, GREY), "pattern": {"shape": _PATTERNS.get(verdict, "")}},
                error_x={"array": own[high] - own[middle], "arrayminus": own[middle] - own[low], "color": INK},
                name=f"{MARKS[verdict]} {words(NAMES[verdict])}" if verdict else words(NO_WORTH),
                hovertemplate="%{text}: %{x:+.1f}<extra></extra>",
            )
        )
    x_title = words("Seen better than {rival}, points").format(rival=rival)
    drawn = new_figure(traces, x_title=x_title, y_title="", height=120 + 44 * len(rows))
    drawn.add_vline(x=0, line={"color": GREY, "width": 2})
    ticks = [f"{MARKS.get(verdict, '')} {name}".strip() for verdict, name in zip(rows["verdict"], rows["name"], strict=True)]  # fmt: skip
    drawn.update_yaxes(tickvals=list(rows.index), ticktext=ticks, range=[len(rows) - 0.4, -0.6])
    return drawn.update_xaxes(range=[-reach, reach]).update_layout(barmode="overlay", showlegend=True)
