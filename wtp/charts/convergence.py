"""Whether the chains of a sampler agree: R-hat and effective draws of each quantity, and the way of the chains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtp.charts.theme import COLOURS, DASHES, GREY, SYMBOLS, TEMPLATE

CONVERGED = "All {count} reported figures have converged"
NOT_YET = "{open} of {count} reported figures have not converged"
ALIKE = "The chains go the same way"
APART = "The chains do not go the same way yet"
_WIDEST = 40  # characters, on a phone
R_HAT = "R-hat"
DRAWS = "Effective draws, bulk and tail"


def title(table: pd.DataFrame, *, words: Callable[[str], str]) -> str:
    """The finding. table: reported, settled of every quantity."""
    reported = table[table["reported"]]
    unsettled = int((~reported["settled"]).sum())
    return words(NOT_YET if unsettled else CONVERGED).format(open=unsettled, count=len(reported))


def trace_title(table: pd.DataFrame, *, words: Callable[[str], str]) -> str:
    """The finding. table: settled of the quantities that are drawn."""
    return words(ALIKE if table["settled"].all() else APART)


def figure(
    table: pd.DataFrame, *, names: Sequence[str], words: Callable[[str], str], limits: tuple[float, float]
) -> go.Figure:
    """table: r_hat, ess_bulk, ess_tail, settled; names: of its rows as shown; limits: R-hat at most, effective draws at least."""
    drawn = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.06)
    colours = [COLOURS[0] if settled else COLOURS[1] for settled in table["settled"]]
    symbols = [SYMBOLS[0] if settled else SYMBOLS[1] for settled in table["settled"]]
    marker = {"color": colours, "symbol": symbols, "size": 10}
    hover = "%{y}: %{x:.3f}<extra>" + words(R_HAT) + "</extra>"
    drawn.add_trace(go.Scatter(x=table["r_hat"], y=list(names), mode="markers", marker=marker, hovertemplate=hover), row=1, col=1)  # fmt: skip
    fewest = table[["ess_bulk", "ess_tail"]].min(axis=1)
    hover = "%{y}: %{x:,.0f}<extra>" + words(DRAWS) + "</extra>"
    drawn.add_trace(go.Scatter(x=fewest, y=list(names), mode="markers", marker=marker, hovertemplate=hover), row=1, col=2)  # fmt: skip
    for place, limit in enumerate(limits, 1):
        drawn.add_vline(x=limit, line={"color": GREY, "dash": "dash"}, row=1, col=place)
    drawn.update_layout(template=TEMPLATE, height=140 + 30 * len(table), showlegend=False)
    drawn.update_xaxes(title_text=words("R-hat (≤ {limit})").format(limit=limits[0]), row=1, col=1)
    drawn.update_xaxes(title_text=words("Draws (≥ {limit:.0f})").format(limit=limits[1]), rangemode="tozero", row=1, col=2)  # fmt: skip
    return drawn.update_yaxes(autorange="reversed", automargin=True)


def trace_figure(table: pd.DataFrame, *, names: Sequence[str], words: Callable[[str], str]) -> go.Figure:
    """table: quantity, chain, sweep, watched; names: of its quantities in their order. One panel a quantity, one line a chain."""
    quantities = list(table["quantity"].unique())
    drawn = make_subplots(
        rows=len(quantities), cols=1, shared_xaxes=True, vertical_spacing=0.35 / max(len(quantities), 2), subplot_titles=["<br>".join(wrap(name, _WIDEST)) for name in names]
    )  # fmt: skip
    drawn.update_annotations(x=0, xanchor="left", align="left", font={"size": 13})
    for row, quantity in enumerate(quantities, 1):
        for place, (chain, own) in enumerate(table[table["quantity"] == quantity].groupby("chain")):
            line = {"color": COLOURS[place % len(COLOURS)], "width": 1, "dash": DASHES[place % len(DASHES)]}
            name = words("Chain {number}").format(number=chain)
            hover = "%{x}: %{y:.3f}<extra>" + name + "</extra>"
            drawn.add_trace(go.Scatter(x=own["sweep"], y=own["watched"], mode="lines", line=line, name=name, legendgroup=str(chain), showlegend=row == 1, hovertemplate=hover), row=row, col=1)  # fmt: skip
    drawn.update_layout(template=TEMPLATE, height=120 + 150 * len(quantities))
    return drawn.update_xaxes(title_text=words("Sweep after the warm-up"), row=len(quantities), col=1)
