"""How every chart looks: colours that the colour-blind can tell apart (Okabe and Ito 2008), symbols beside colours, no grid noise.

The background is transparent and texts take the page's own colour through `charts.js`, so one figure serves light, dark and print.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import plotly.graph_objects as go

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
GREY = "#8A8F94"
INK = "#000000"  # the page puts its own text colour in its place
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'

TEMPLATE = go.layout.Template(
    layout=go.Layout(
        font={"family": FONT, "size": 14},
        colorway=list(COLOURS),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 10, "r": 20, "t": 20, "b": 50},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"font": {"family": FONT}},
        xaxis={
            "automargin": True,
            "zeroline": False,
            "gridcolor": "rgba(128,128,128,0.25)",
            "linecolor": GREY,
            "ticks": "outside",
            "title": {"font": {"size": 14}},
        },
        yaxis={
            "automargin": True,
            "zeroline": False,
            "gridcolor": "rgba(128,128,128,0.25)",
            "linecolor": GREY,
            "ticklabelstandoff": 4,
            "title": {"font": {"size": 14}},
        },
    )
)


def new_figure(traces: Sequence[go.Scatter | go.Bar], *, x_title: str, y_title: str, height: int = 420) -> go.Figure:
    """A figure in the house's look; the finding stands above it as the page's heading, for readers of every kind."""
    figure = go.Figure(list(traces))
    figure.update_layout(template=TEMPLATE, height=height, xaxis_title=x_title, yaxis_title=y_title)
    return figure


def band(
    x: Iterable[float], low: Iterable[float], high: Iterable[float], colour: str, alpha: float = 0.18
) -> go.Scatter:
    """The area between two curves over the same x."""
    there, ends = list(x), list(low)
    return go.Scatter(
        x=[*there, *there[::-1]],
        y=[*high, *ends[::-1]],
        mode="lines",
        fill="toself",
        fillcolor=transparent(colour, alpha),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )


def transparent(colour: str, alpha: float) -> str:
    """A hex colour as rgba, for bands."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
