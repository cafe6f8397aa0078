"""Which times suit: days by time bands as a heat map, the share written into each field so that nobody needs to tell shades apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import plotly.graph_objects as go

from wtp.charts.theme import COLOURS, new_figure

TITLE = "Most often suits: {day}, {band} ({share})"
NO_LEAD = "No time is asked for clearly more often than the others"
LEADS_MARK = "★"
CLOSE = "Most often suit, about alike: {day}, {band} and {second_day}, {second_band}"
_DARK = 0.55  # share from which white letters stand on the field


def title(
    table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], share: Callable[[float], str]
) -> str:
    """The finding of one segment: the window that suits most, or two if their intervals overlap; none where a column `leads` says so of all."""
    if "leads" in table and not table["leads"].any():
        return words(NO_LEAD)
    ranked = table.sort_values("share", ascending=False, kind="stable")
    best = ranked.iloc[0]
    names = {"day": labels.get(best["item"], best["item"]), "band": labels.get(best["answer"], best["answer"])}
    if len(ranked) > 1 and best["low"] <= ranked.iloc[1]["high"]:
        second = ranked.iloc[1]
        day, band = (labels.get(second[part], second[part]) for part in ("item", "answer"))
        return words(CLOSE).format(second_day=day, second_band=band, **names)
    return words(TITLE).format(share=share(float(best["share"])), **names)


def figure(
    table: pd.DataFrame, *, labels: Mapping[str, str], words: Callable[[str], str], share: Callable[[float], str]
) -> go.Figure:
    """table: item (day), answer (band), share of one segment; leads, if it is known: what is asked for clearly more often than evenly gets a star."""
    days, bands = list(dict.fromkeys(table["item"])), list(dict.fromkeys(table["answer"]))
    wide = table.pivot_table(index="item", columns="answer", values="share", sort=False).loc[days, bands]
    stars = table[table["leads"]] if "leads" in table else table.head(0)
    leading = set(zip(stars["item"], stars["answer"], strict=True))
    x, y = ([labels.get(name, name) for name in names] for names in (bands, days))
    field = go.Heatmap(
        z=wide.to_numpy(), x=x, y=y, zmin=0, zmax=1, xgap=3, ygap=3, colorscale=[[0, "#E8F1F8"], [1, COLOURS[0]]], showscale=False,
        hovertemplate="%{y}, %{x}: %{z:.0%}<extra></extra>",
    )  # fmt: skip
    drawn = new_figure([], x_title=words("Time"), y_title="", height=120 + 52 * len(days))
    drawn.add_trace(field)
    for day, label in zip(days, y, strict=True):
        for band, over in zip(bands, x, strict=True):
            value = float(wide.loc[day, band])
            star = f"{LEADS_MARK} " if (day, band) in leading else ""
            drawn.add_annotation(
                x=over, y=label, text=star + share(value), showarrow=False, font={"color": "#ffffff" if value >= _DARK else "#1a1a1a"}
            )  # fmt: skip
    return drawn.update_yaxes(autorange="reversed")
