"""Before and after: two dots a row with their intervals, hollow before and full after, joined by a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, new_figure

MOVED_ONE = "{kind}: {what} moved by {amount}"
MOVED = "{kind}: {count} of {all} moved, most clearly {what}, by {amount}"
STILL = "{kind}: no clear change"
BEYOND = "Beyond what moved elsewhere: {what} by {amount}"
NOT_BEYOND = "Where something was done, nothing moved clearly more than elsewhere"
_APART = 0.13  # rows of a place, so that the two intervals do not cover each other


def title(
    table: pd.DataFrame,
    names: Sequence[str],
    *,
    words: Callable[[str], str],
    amount: Callable[[pd.Series], str],
    kind: str = "",
    patterns: tuple[str, str, str] = (MOVED_ONE, MOVED, STILL),
) -> str:
    """The finding: what moved for certain, the clearest first. table: p_value, differs, one row a name."""
    one, several, none = patterns
    moved = table.assign(name=list(names))[table["differs"].to_numpy(dtype=bool)].sort_values("p_value", kind="stable")
    if moved.empty:
        return words(none).format(kind=kind)
    first = moved.iloc[0]
    figures = {"kind": kind, "what": first["name"], "amount": amount(first), "count": len(moved), "all": len(table)}
    return words(one if len(moved) == 1 else several).format(**figures)


def figure(table: pd.DataFrame, names: Sequence[str], *, words: Callable[[str], str], x_title: str, per_cent: bool = False) -> go.Figure:  # fmt: skip
    """table: before and after with the ends of their intervals, one row a name, the first on top."""
    rows = list(range(len(table)))
    dots = []
    for side, name, shift, symbol in (("before", words("Before"), -_APART, "circle-open"), ("after", words("After"), _APART, "circle")):  # fmt: skip
        colour = COLOURS[int(side == "after")]
        shown = ":.0%" if per_cent else ":.2f"
        dots.append(
            go.Scatter(
                x=table[side],
                y=[place + shift for place in rows],
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2, "color": colour}},
                error_x={"array": table[f"{side}_high"] - table[side], "arrayminus": table[side] - table[f"{side}_low"], "color": colour, "thickness": 2},
                name=name,
                hovertemplate=f"{name}: %{{x{shown}}}<extra></extra>",
            )
        )  # fmt: skip
    drawn = new_figure(dots, x_title=x_title, y_title="", height=130 + 46 * len(rows))
    for place, (_, row) in zip(rows, table.iterrows(), strict=True):
        ends = {"x0": row["before"], "y0": place - _APART, "x1": row["after"], "y1": place + _APART}
        drawn.add_shape(type="line", layer="below", line={"color": GREY, "width": 2}, **ends)
    if per_cent:
        drawn.update_xaxes(tickformat=".0%")
    return drawn.update_yaxes(tickvals=rows, ticktext=list(names), range=[len(rows) - 0.5, -0.5])
