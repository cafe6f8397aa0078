"""What an attribute or a level means, shown where the pointer rests on its mark; the survey's own descriptions, those that respondents read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import plotly.graph_objects as go
from markupsafe import escape

from wtp.web.i18n import text as said
from wtp.web.reading import Reading


def with_definitions(figure: go.Figure, reading: Reading) -> go.Figure:
    """The figure, whose marks of attributes and levels with a description tell it too; `charts.js` breaks it into lines."""
    meanings = definitions(reading)
    for trace in figure.data:
        if not trace.hovertemplate or trace.hovertext is not None:
            continue
        told = [next((meanings[name] for name in names if name in meanings), "") for names in _names(trace, figure)]
        if any(told):
            trace.hovertext = told
            trace.hovertemplate = trace.hovertemplate.replace("<extra>", "%{hovertext}<extra>", 1)
    return figure


def definitions(reading: Reading) -> Mapping[str, str]:
    """Description of every attribute and level that has one, by its name in charts ("Attribute", "Attribute: Level")."""
    found = {}
    for attribute in reading.definition.attributes:
        name = str(escape(said(attribute.label)))
        if attribute.description:
            found[name] = str(escape(said(attribute.description)))
        for level in attribute.levels:
            if level.description:
                found[f"{name}: {escape(said(level.label))}"] = str(escape(said(level.description)))
    return found


def _names(trace: go.Scatter | go.Bar, figure: go.Figure) -> list[tuple[str, ...]]:
    """What each mark of a trace may be called: by its row and its text together, by its text, by its row."""
    rows = [str(name) for name in (_rows(trace.y, figure) if trace.y is not None else ())]
    if trace.text is None or isinstance(trace.text, str):
        return [(row,) for row in rows]
    return [(f"{row}: {text}", str(text), row) for row, text in zip(rows, trace.text, strict=True)]


def _rows(places: Iterable[float | str], figure: go.Figure) -> Iterator[str]:
    """The names of rows; where they stand at places, those of the nearest ticks."""
    ticks = figure.layout.yaxis.ticktext
    for place in places:
        if ticks is None or isinstance(place, str):
            yield str(place)
        else:
            yield min(zip(figure.layout.yaxis.tickvals, ticks, strict=True), key=partial(_apart, place))[1]


def _apart(place: float, tick: tuple[float, str]) -> float:
    return abs(tick[0] - place)
