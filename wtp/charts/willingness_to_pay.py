"""WTP of every other level against today's: dot and interval in money, one symbol and colour a segment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, SYMBOLS, new_figure

TITLE = "{level} ({attribute}) is worth most: {amount} against today"
NOTHING = "No step up is worth a clear amount here"


def title(
    table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], money: Callable[[float], str]
) -> str:
    """The finding of one segment: the level whose worth is highest and clearly above 0."""
    clear = table[table["low"] > 0].sort_values("estimate", ascending=False)
    if clear.empty:
        return words(NOTHING)
    best = clear.iloc[0]
    return words(TITLE).format(
        level=labels.get(f"{best['attribute']}.{best['to_level']}", best["to_level"]),
        attribute=labels.get(best["attribute"], best["attribute"]),
        amount=money(float(best["estimate"])),
    )


def figure(table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], currency: str) -> go.Figure:
    """table: segment, attribute, from_level, to_level, estimate, low, high; withheld rows (NaN) are left out."""
    shown = table.dropna(subset=["estimate"])
    traces = []
    for place, (segment, rows) in enumerate(shown.groupby("segment", sort=False)):
        colour, symbol = COLOURS[place % len(COLOURS)], SYMBOLS[place % len(SYMBOLS)]
        traces.append(
            go.Scatter(
                x=rows["estimate"],
                y=[_level(row, labels) for _, row in rows.iterrows()],
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 11},
                error_x={
                    "array": rows["high"] - rows["estimate"],
                    "arrayminus": rows["estimate"] - rows["low"],
                    "color": colour,
                    "thickness": 2,
                },
                name=labels.get(str(segment), str(segment)),
                hovertemplate="%{y}: %{x:.2f} " + currency + "<extra></extra>",
            )
        )
    title_x = words("Worth against today's level, {currency}").format(currency=currency)
    drawn = new_figure(
        traces,
        x_title=title_x,
        y_title="",
        height=120 + 42 * shown[["attribute", "to_level"]].drop_duplicates().shape[0],
    )
    drawn.add_vline(x=0, line={"color": GREY, "width": 1})
    return drawn.update_yaxes(autorange="reversed").update_layout(showlegend=len(traces) > 1)


def _level(row: pd.Series, labels: Mapping[str, str]) -> str:
    key = f"{row['attribute']}.{row['to_level']}"
    return f"{labels.get(row['attribute'], row['attribute'])}: {labels.get(key, row['to_level'])}"
