"""The invest / save map: what a step is worth to customers against what it costs to provide, the break-even line between."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, new_figure

MARKS = {"invest": "▲", "save": "▼", "keep": "■", "undecided": "○"}
NAMES = {
    "invest": "Invest here",
    "save": "Save here",
    "keep": "Keep, expected",
    "undecided": "Not decided yet",
    "honoured": "Honoured",
    "not_honoured": "Not honoured",
    "expected": "Expected",
    "open": "Open",
}
_SYMBOLS = {"invest": "triangle-up", "save": "triangle-down", "keep": "square", "undecided": "circle-open"}
_COLOURS = {"invest": COLOURS[2], "save": COLOURS[1], "keep": COLOURS[0], "undecided": GREY}
TITLE = "Invest in {invest}; save on {save}"
ONLY_INVEST, ONLY_SAVE, NEITHER = "Invest in {invest}", "Save on {save}", "Nothing to change with certainty here"


def title(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str]) -> str:
    """The finding of one segment's investment table."""
    by_label = table.drop_duplicates("attribute").groupby("label")["attribute"].apply(list)
    names = {label: ", ".join(labels.get(a, a) for a in by_label.get(label, [])) for label in ("invest", "save")}
    pattern = (
        TITLE if all(names.values()) else ONLY_INVEST if names["invest"] else ONLY_SAVE if names["save"] else NEITHER
    )
    return words(pattern).format(**names)


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], currency: str) -> go.Figure:
    """table: one segment's rows with attribute, direction, to_level, worth, worth_low, worth_high, unit_cost, label.

    A step up is drawn at what it costs more, a step down at what it would save, each against what customers would pay or lose.
    """
    shown = table.dropna(subset=["worth", "unit_cost"]).copy()
    shown["cost"] = shown["unit_cost"].abs()
    decisive = shown[(shown["direction"] == "down") == (shown["label"] == "save")]
    decisive = pd.concat([decisive, shown]).drop_duplicates("attribute")
    end = 1.35 * float(max(decisive["cost"].max(), 0.1)) if len(decisive) else 1.0
    traces = []
    for label in [name for name in NAMES if (decisive["label"] == name).any()]:
        rows = decisive[decisive["label"] == label]
        traces.append(
            go.Scatter(
                x=rows["cost"],
                y=rows["worth"],
                mode="markers+text",
                text=[labels.get(a, a) for a in rows["attribute"]],
                textposition=["middle left" if cost > 0.6 * end else "middle right" for cost in rows["cost"]],
                marker={
                    "symbol": _SYMBOLS.get(label, "circle"),
                    "color": _COLOURS.get(label, GREY),
                    "size": 14,
                    "line": {"width": 2},
                },
                error_y={
                    "array": rows["worth_high"] - rows["worth"],
                    "arrayminus": rows["worth"] - rows["worth_low"],
                    "color": _COLOURS.get(label, GREY),
                },
                name=words(NAMES[label]),
                meta={"decisive": label in ("invest", "save")},
                hovertemplate="%{text}: %{y:.2f} / %{x:.2f} " + currency + "<extra></extra>",
                cliponaxis=False,
            )
        )
    line = go.Scatter(
        x=[0, end],
        y=[0, end],
        mode="lines",
        line={"color": GREY, "dash": "dash"},
        name=words("Break-even: worth = cost"),
        hoverinfo="skip",
    )
    x_title = words("What the step costs or saves per customer, {currency}").format(currency=currency)
    y_title = words("Worth to customers, {currency}").format(currency=currency)
    return new_figure([*traces, line], x_title=x_title, y_title=y_title, height=480).update_xaxes(range=[0, end])
