"""A chart of the pages as the numbers of a native one: bars by category, or points and lines over two axes, each with the ends of its interval.

It reads Plotly's JSON, so page and slide draw the same numbers. Dots beside names become bars from zero (an office program has no dots by category), bands become lines of their two ends.
"""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Values = tuple[float | None, ...]
_GREY = "#8A8F94"
BARS, POINTS = "bars", "points"
BAR, RANGE, LINE, DOTS = "bar", "range", "line", "dots"


@dataclass(frozen=True, slots=True)
class NativeSeries:
    """One series. low, high: ends of the intervals of `values`; x_low, x_high: of `x`, which only points have. drawn: BAR, RANGE (from low to high, nothing between), LINE or DOTS. labels: of its points."""

    name: str
    values: Values
    low: Values = ()
    high: Values = ()
    x: Values = ()
    x_low: Values = ()
    x_high: Values = ()
    drawn: str = BAR
    colour: str = _GREY
    dash: str = "solid"
    symbol: str = "circle"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NativeChart:
    """kind: BARS lie beside their `categories`, from the top down, and begin at `start`; POINTS have two number axes. The value axis of bars is x."""

    kind: str
    series: tuple[NativeSeries, ...]
    categories: tuple[str, ...] = ()
    x_title: str = ""
    y_title: str = ""
    x_percent: bool = False
    y_percent: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    start: float = 0.0


def native_charts(figure: Mapping[str, Any]) -> tuple[NativeChart, ...]:
    """The charts that a Plotly figure (a JSON value) consists of: one, or one for each of its fields; none if it holds no numbers."""
    traces, layout = figure["data"], figure["layout"]
    if any(trace["type"] == "heatmap" for trace in traces):
        made = [_grid(next(trace for trace in traces if trace["type"] == "heatmap"))]
    elif layout.get("yaxis", {}).get("ticktext") or any(
        isinstance(y, str) for trace in traces for y in values_of(trace.get("y"))
    ):
        made = [_by_category(traces, layout)]
    else:
        fields = dict.fromkeys(trace.get("yaxis") or "y" for trace in traces)
        made = [
            _points([trace for trace in traces if (trace.get("yaxis") or "y") == name], layout, name) for name in fields
        ]
    return tuple(chart for chart in made if any(series.values for series in chart.series))


def values_of(values: Any) -> list[Any]:
    """The values of an array as Plotly writes it, also packed ones; what is no number is None."""
    if isinstance(values, Mapping):
        packed = np.frombuffer(base64.b64decode(values["bdata"]), dtype=np.dtype(values["dtype"]))
        if "shape" in values:
            packed = packed.reshape([int(size) for size in str(values["shape"]).split(",")])
        values = packed.tolist()
    elif not isinstance(values, Sequence) or isinstance(values, str):
        values = [] if values is None else [values]
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]


def _text(value: Any) -> str:
    """A text as it was before it was escaped for Plotly."""
    return html.unescape(str(value or ""))


def _title(axis: Mapping[str, Any]) -> str:
    return _text((axis.get("title") or {}).get("text"))


def _percent(axis: Mapping[str, Any]) -> bool:
    return str(axis.get("tickformat", "")).endswith("%")


def _range(axis: Mapping[str, Any]) -> tuple[float, float] | None:
    ends = axis.get("range")
    return (float(min(ends)), float(max(ends))) if ends else None


def _ends(trace: Mapping[str, Any], name: str, values: Values) -> tuple[Values, Values]:
    """Low and high ends of a trace's intervals; nothing where it has none."""
    bars = trace.get(name)
    if not bars:
        return (), ()
    plus = values_of(bars.get("array"))
    minus = values_of(bars.get("arrayminus"))
    both = list(zip(values, minus, plus, strict=True))
    low = tuple(v - m if v is not None and m is not None else None for v, m, _ in both)
    return low, tuple(v + p if v is not None and p is not None else None for v, _, p in both)


def _colour(trace: Mapping[str, Any]) -> str:
    marker = trace.get("marker") or {}
    found = (marker.get("line") or {}).get("color") if marker.get("symbol") == "line-ns" else marker.get("color")
    found = found or (trace.get("line") or {}).get("color") or _GREY
    return found if isinstance(found, str) and found.startswith("#") else _GREY


def _by_category(traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> NativeChart:
    """Bars and dots beside names."""
    axis, across = layout.get("yaxis", {}), layout.get("xaxis", {})
    ticks = [_text(name) for name in axis.get("ticktext") or ()]

    def names(trace: Mapping[str, Any]) -> list[str | None]:
        found = values_of(trace.get("y"))
        if ticks:
            return [None if place is None else ticks[round(float(place))] for place in found]
        return [None if name is None else _text(name) for name in found]

    order = ticks or list(dict.fromkeys(name for trace in traces for name in names(trace) if name is not None))
    ends = axis.get("range") or (0, 1)
    if not ticks and axis.get("autorange") != "reversed" and ends[0] < ends[1]:
        order.reverse()  # Plotly draws from the bottom up
    series, start = [], 0.0
    for trace in traces:
        base = trace.get("base")
        if base is not None and not isinstance(base, int | float):
            continue  # steps that hang in the air: the values that they reach are another trace
        shift = float(base or 0.0)
        start = shift or start
        series.append(_spread(trace, names(trace), order, shift))
    shown = _range(across)
    kept = shown if shown and shown[0] <= start <= shown[1] else None
    return NativeChart(
        BARS, tuple(one for one in series if any(v is not None for v in one.values)), tuple(order),
        x_title=_title(across), x_percent=_percent(across), x_range=kept, start=start,
    )  # fmt: skip


def _spread(trace: Mapping[str, Any], names: Sequence[str | None], order: Sequence[str], shift: float) -> NativeSeries:
    """One trace's values in the order of the categories; lines between two ends of a category become a range."""
    x = [None if value is None else value + shift for value in _floats(trace.get("x"))]
    name, colour = _text(trace.get("name")), _colour(trace)
    if trace.get("mode") == "lines":
        low, high = (
            {category: x[place] for place, category in enumerate(names) if category and place % 3 == part}
            for part in (0, 1)
        )
        return NativeSeries(
            name, tuple(low.get(c) for c in order), tuple(low.get(c) for c in order), tuple(high.get(c) for c in order), drawn=RANGE, colour=colour
        )  # fmt: skip
    low_ends, high_ends = _ends(trace, "error_x", tuple(x))
    at = {category: place for place, category in enumerate(names) if category}

    def ordered(values: Sequence[float | None]) -> Values:
        return tuple(values[at[category]] if category in at else None for category in order) if values else ()

    return NativeSeries(name, ordered(x), ordered(low_ends), ordered(high_ends), colour=colour)


def _grid(trace: Mapping[str, Any]) -> NativeChart:
    """A heat map as bars, one series a column."""
    rows, columns = values_of(trace.get("z")), [_text(name) for name in values_of(trace.get("x"))]
    series = tuple(
        NativeSeries(name, tuple(values_of(row)[place] for row in rows)) for place, name in enumerate(columns)
    )
    return NativeChart(BARS, series, tuple(_text(name) for name in values_of(trace.get("y"))), x_percent=True)


def _points(traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], field: str) -> NativeChart:
    """Lines, bands and dots of one field of the figure."""
    number = field.removeprefix("y")
    down = layout.get(f"yaxis{number}", {})
    bottom = [axis for name, axis in sorted(layout.items()) if name.startswith("xaxis") and _title(axis)]
    across = bottom[-1] if bottom else layout.get("xaxis", {})
    made: list[NativeSeries] = []
    ends: tuple[Values, Values] = ((), ())
    for trace in traces:
        if trace.get("fill") == "toself":  # a band stands before the line whose interval it is
            around = _floats(trace.get("y"))
            ends = around[len(around) // 2 :][::-1], around[: len(around) // 2]
        elif any(value is not None for value in values_of(trace.get("y"))):
            made.append(_drawn(trace, *ends))
            ends = (), ()
    low, high = _extent(value for series in made for value in (*series.values, *series.low, *series.high))
    low, high = _range(down) or (low, high)
    for place, words in _marks(layout):
        made.append(NativeSeries(words, (low, high), x=(place, place), drawn=LINE))
    return NativeChart(
        POINTS, tuple(made), x_title=_title(across), y_title=_title(down), x_percent=_percent(across), y_percent=_percent(down),
        x_range=_range(across), y_range=_range(down),
    )  # fmt: skip


def _floats(values: Any) -> Values:
    return tuple(None if value is None else float(value) for value in values_of(values))


def _drawn(trace: Mapping[str, Any], low: Values, high: Values) -> NativeSeries:
    """A line with the ends of its band, if it has one, or dots with intervals both ways."""
    x, y = _floats(trace.get("x")), _floats(trace.get("y"))
    mode, line, marker = str(trace.get("mode")), trace.get("line") or {}, trace.get("marker") or {}
    if "error_y" in trace:
        low, high = _ends(trace, "error_y", y)
    x_low, x_high = _ends(trace, "error_x", x)
    return NativeSeries(
        _text(trace.get("name")), y, low, high, x, x_low, x_high, LINE if "lines" in mode else DOTS, _colour(trace),
        str(line.get("dash") or "solid"), str(marker.get("symbol") or "circle"),
        tuple(_text(text) for text in values_of(trace.get("text"))) if "text" in mode else (),
    )  # fmt: skip


def _extent(values: Iterable[float | None]) -> tuple[float, float]:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else (0.0, 1.0)


def _marks(layout: Mapping[str, Any]) -> list[tuple[float, str]]:
    """Upright lines with a word beside them, as today's price."""
    words = {note.get("x"): _text(note.get("text")) for note in layout.get("annotations") or () if note.get("text")}
    places = dict.fromkeys(
        shape["x0"]
        for shape in layout.get("shapes") or ()
        if shape.get("type") == "line" and shape.get("x0") == shape.get("x1")
    )
    return [(float(place), words[place]) for place in places if place in words]
