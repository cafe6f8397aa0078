"""How differently respondents value a step: middle half thick, nine of ten thin, the median as a dot, and what the step costs as a mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, GREY, INK, new_figure

TITLE = "Customers differ most about “{level}” ({attribute}): nine of ten lie from {low} to {high}"
_LINES = ((0.05, 0.95, 3), (0.25, 0.75, 10))


def spread(table: pd.DataFrame) -> pd.DataFrame:
    """table: attribute, from_level, to_level, quantile, estimate -> attribute, to_level and a column a quantile, one row a step."""
    steps = ["attribute", "to_level"]
    return table.pivot_table(index=steps, columns="quantile", values="estimate", sort=False).reset_index()


def title(
    table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], money: Callable[[float], str]
) -> str:
    """The finding of one segment: the step about which its respondents differ most."""
    wide = spread(table)
    if wide.empty:
        return ""
    row = wide.iloc[int((wide[0.95] - wide[0.05]).to_numpy().argmax())]
    attribute, level = str(row["attribute"]), str(row["to_level"])
    names = {"level": labels.get(f"{attribute}.{level}", level), "attribute": labels.get(attribute, attribute)}
    return words(TITLE).format(low=money(float(row[0.05])), high=money(float(row[0.95])), **names)


def figure(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    words: Callable[[str], str],
    currency: str,
    costs: Mapping[tuple[str, str], float],
) -> go.Figure:
    """table: attribute, from_level, to_level, quantile, estimate, low, high of one segment. costs: by (attribute, to_level), what the step costs more."""
    wide = spread(table)
    steps = list(zip(wide["attribute"], wide["to_level"], strict=True))
    names = [f"{labels.get(a, a)}: {labels.get(f'{a}.{level}', level)}" for a, level in steps]
    traces: list[go.Scatter] = [
        go.Scatter(
            x=[x for row in wide[[low, high]].to_numpy() for x in (*row, None)],
            y=[y for name in names for y in (name, name, None)],
            mode="lines",
            line={"color": GREY if width < 5 else COLOURS[0], "width": width},
            name=words("Middle half of the respondents") if width > 5 else words("Nine of ten respondents"),
            hoverinfo="skip",
        )
        for low, high, width in _LINES
    ]
    middle = table[table["quantile"] == 0.5]
    traces.append(
        go.Scatter(
            x=middle["estimate"],
            y=names,
            mode="markers",
            marker={"color": INK, "size": 10},
            error_x={
                "array": middle["high"] - middle["estimate"],
                "arrayminus": middle["estimate"] - middle["low"],
                "color": INK,
                "thickness": 2,
            },
            name=words("Median with its interval"),
            hovertemplate="%{y}: %{x:.2f} " + currency + "<extra></extra>",
        )
    )
    known = [(costs[step], name) for step, name in zip(steps, names, strict=True) if step in costs]
    if known:
        traces.append(
            go.Scatter(
                x=[cost for cost, _ in known],
                y=[name for _, name in known],
                mode="markers",
                marker={"symbol": "line-ns", "size": 20, "line": {"width": 3, "color": COLOURS[1]}},
                name=words("What it costs or saves to provide"),
                hovertemplate="%{y}: %{x:.2f} " + currency + "<extra></extra>",
            )
        )
    x_title = words("Worth against today's level, {currency}").format(currency=currency)
    drawn = new_figure(traces, x_title=x_title, y_title="", height=150 + 42 * len(names))
    drawn.add_vline(x=0, line={"color": GREY, "width": 1})
    return drawn.update_yaxes(autorange="reversed")
