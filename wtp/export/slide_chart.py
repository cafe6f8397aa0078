"""A native chart on a slide: editable in any office program, its intervals as error bars that read the cells of the embedded sheet.

The sheet is written here, since a text such as "=1+1" must not become a formula when somebody edits the chart's figures.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import xlsxwriter
from lxml import etree
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import (
    XL_CHART_TYPE,
    XL_LABEL_POSITION,
    XL_LEGEND_POSITION,
    XL_MARKER_STYLE,
    XL_TICK_LABEL_POSITION,
)
from pptx.enum.dml import MSO_LINE, MSO_THEME_COLOR
from pptx.oxml.ns import qn
from pptx.util import Emu, Pt

from wtp.export.native_chart import BARS, LINE, RANGE, NativeChart, NativeSeries, Values
from wtp.export.report import plain

INK, GREY, FAINT = RGBColor(0x1B, 0x1F, 0x24), RGBColor(0x57, 0x60, 0x6A), RGBColor(0xD0, 0xD7, 0xDE)
_DASHES = {
    "dash": MSO_LINE.DASH, "dot": MSO_LINE.ROUND_DOT, "dashdot": MSO_LINE.DASH_DOT, "longdash": MSO_LINE.LONG_DASH,
    "longdashdot": MSO_LINE.LONG_DASH_DOT,
}  # fmt: skip
_SYMBOLS = {
    "diamond": XL_MARKER_STYLE.DIAMOND, "square": XL_MARKER_STYLE.SQUARE, "triangle-up": XL_MARKER_STYLE.TRIANGLE,
    "triangle-down": XL_MARKER_STYLE.TRIANGLE, "x": XL_MARKER_STYLE.X, "star": XL_MARKER_STYLE.STAR,
}  # fmt: skip
_BEFORE = {BARS: ("c:cat", "c:val"), "points": ("c:xVal", "c:yVal")}
_ACCENTS = tuple(getattr(MSO_THEME_COLOR, f"ACCENT_{number}") for number in range(1, 7))
_SMALL = Pt(11)
_BLACK, _GREY_HEX = "#000000", NativeSeries("", ()).colour


@dataclass(frozen=True, slots=True)
class _Errors:
    """Lengths of error bars to either side, and the columns of the sheet that hold them."""

    direction: str
    minus: Values
    plus: Values
    columns: tuple[str, str]


def add_chart(
    shapes: Any, chart: NativeChart, place: tuple[int, int, int, int], *, words: Mapping[str, str], description: str
) -> Any:
    """Put a chart at (left, top, width, height) in EMU and give back its frame. description: for those who do not see it."""
    if chart.kind == BARS:
        series = tuple(replace(one, name=one.name or chart.x_title) for one in chart.series)
        data: Any = CategoryChartData(number_format=_number_format(chart.x_percent))
        data.categories = [plain(name) for name in chart.categories]
        for one in series:
            data.add_series(plain(one.name), one.values)
        kind = XL_CHART_TYPE.BAR_CLUSTERED
    else:
        # The longest first: one office program loses points of a series that stands before a longer one.
        series = tuple(
            sorted((part for one in chart.series for part in _lines(one, words)), key=lambda one: -len(one.values))
        )
        data = XyChartData(number_format=_number_format(chart.y_percent))
        for one in series:
            added = data.add_series(plain(one.name))
            for x, y in zip(one.x, one.values, strict=True):
                added.add_data_point(x, y)
        kind = XL_CHART_TYPE.XY_SCATTER_LINES_NO_MARKERS
    frame = shapes.add_chart(kind, *(Emu(part) for part in place), data)
    frame._element.nvGraphicFramePr.cNvPr.set("descr", plain(description))
    made = frame.chart
    made.part.chart_workbook.update_from_xlsx_blob(_sheet(chart, series))
    made.font.size, made.font.color.rgb = _SMALL, INK
    made.has_title = False
    _legend(made, series)
    draw = _bars if chart.kind == BARS else _scatter
    draw(made, chart, series)
    return frame


def _lines(series: NativeSeries, words: Mapping[str, str]) -> Iterator[NativeSeries]:
    """A line with a band becomes three lines; points that lack a number are left out."""
    known = [place for place, pair in enumerate(zip(series.x, series.values, strict=True)) if None not in pair]
    parts: dict[str, Any] = {
        name: tuple(values[place] for place in known) if (values := getattr(series, name)) else ()
        for name in ("x", "values", "low", "high", "x_low", "x_high", "labels")
    }
    if series.drawn != LINE or not parts["low"]:
        yield replace(series, **parts)
        return
    yield replace(series, **{**parts, "low": (), "high": ()})
    for end in ("low", "high"):
        yield replace(
            series, x=parts["x"], values=parts[end], low=(), high=(), name=f"{series.name}, {words[end]}", dash="thin"
        )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Ends of an axis and the step between its numbers."""

    low: float
    high: float
    step: float


def _scale(values: Sequence[float], ends: tuple[float, float] | None = None) -> _Scale | None:
    """An axis with round numbers that ends where it is told to, else where it holds all of these; None where they do not differ."""
    low, high = ends or (min(values, default=0.0), max(values, default=0.0))
    if low >= high:
        return None
    unit = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(unit * part for part in (1, 2, 5, 10) if (high - low) / (unit * part) <= 6)
    if ends:
        return _Scale(low, high, step)
    digits = max(0, -math.floor(math.log10(step)))
    return _Scale(
        round(math.floor(low / step + 1e-9) * step, digits), round(math.ceil(high / step - 1e-9) * step, digits), step
    )


def _number_format(percent: bool, scale: _Scale | None = None) -> str:
    if percent or scale is None:
        return "0%" if percent else "General"
    digits = max(0, -math.floor(math.log10(scale.step) + 1e-9))
    return "#,##0" + ("." + "0" * digits if digits else "")


def _errors(chart: NativeChart, place: int, series: NativeSeries, count: int) -> list[_Errors]:
    """Error bars of a series; in the sheet they stand behind all values, of points beside them."""
    if chart.kind == BARS:
        first = 1 + count + 2 * place
        columns = (_column(first), _column(first + 1))
        return [_lengths("", series.values, series.low, series.high, columns)] if series.low else []
    found = [_lengths("y", series.values, series.low, series.high, ("C", "D"))] if series.low else []
    return found + ([_lengths("x", series.x, series.x_low, series.x_high, ("E", "F"))] if series.x_low else [])


def _lengths(direction: str, middle: Values, low: Values, high: Values, columns: tuple[str, str]) -> _Errors:
    minus = tuple(None if None in pair else pair[0] - pair[1] for pair in zip(middle, low, strict=True))  # type: ignore[operator]
    plus = tuple(None if None in pair else pair[1] - pair[0] for pair in zip(middle, high, strict=True))  # type: ignore[operator]
    return _Errors(direction, minus, plus, columns)


def _column(place: int) -> str:
    """Letters of a column of a sheet, 0 is A."""
    return (_column(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _first_rows(chart: NativeChart, series: Sequence[NativeSeries]) -> list[int]:
    """Row (from 1) of each series' first value in the sheet, as the writer of the chart refers to them."""
    if chart.kind == BARS:
        return [2] * len(series)
    rows, row = [], 2
    for one in series:
        rows.append(row)
        row += len(one.values) + 2
    return rows


def _sheet(chart: NativeChart, series: Sequence[NativeSeries]) -> bytes:
    """The embedded workbook: categories and values, or x and y of one series below the other, and the lengths of the intervals."""
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(file, options)
    sheet = book.add_worksheet("Sheet1")
    for row, category in enumerate(chart.categories, 1):
        sheet.write_string(row, 0, plain(category))
    for place, (one, first) in enumerate(zip(series, _first_rows(chart, series), strict=True)):
        column = 1 + place if chart.kind == BARS else 1
        sheet.write_string(first - 2, column, plain(one.name))
        columns: list[tuple[str, Values]] = [(_column(column), one.values)]
        if chart.kind != BARS:
            columns.append(("A", one.x))
        for errors in _errors(chart, place, one, len(series)):
            for letters, end, values in zip(errors.columns, "−+", (errors.minus, errors.plus), strict=True):
                sheet.write_string(
                    f"{letters}{first - 1}", f"{plain(one.name)} {errors.direction} {end}".replace("  ", " ")
                )
                columns.append((letters, values))
        for letters, values in columns:
            for row, value in enumerate(values, first):
                if value is not None:
                    sheet.write_number(f"{letters}{row}", value)
    book.close()
    return file.getvalue()


def _legend(made: Any, series: Sequence[NativeSeries]) -> None:
    """A legend below where there is something to tell apart; lines of a band and unnamed marks need no entry."""
    named = [one for one in series if one.name and one.dash != "thin"]
    made.has_legend = len(named) > 1
    if not made.has_legend:
        return
    made.legend.position, made.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    made.legend.font.size = _SMALL
    position = made.legend._element.find(qn("c:legendPos"))
    for place, one in reversed(list(enumerate(series))):
        if one not in named:
            entry = etree.Element(qn("c:legendEntry"))
            for name, value in (("c:idx", str(place)), ("c:delete", "1")):
                etree.SubElement(entry, qn(name)).set("val", value)
            position.addnext(entry)


def _axis(axis: Any, title: str, percent: bool, scale: _Scale | None) -> None:
    axis.has_title = bool(title)
    if title:
        axis.axis_title.text_frame.text = plain(title)
        run = axis.axis_title.text_frame.paragraphs[0].runs[0]
        run.font.size, run.font.bold, run.font.color.rgb = _SMALL, False, GREY
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = _number_format(percent, scale), False
    axis.tick_labels.font.size = _SMALL
    axis.format.line.color.rgb = FAINT
    axis.has_major_gridlines = True
    axis.major_gridlines.format.line.color.rgb = FAINT
    if scale:
        axis.minimum_scale, axis.maximum_scale, axis.major_unit = scale.low, scale.high, scale.step


def _bars(made: Any, chart: NativeChart, series: Sequence[NativeSeries]) -> None:
    names, amounts = made.category_axis, made.value_axis
    names.reverse_order = True  # the first category on top, as in the sheet
    names.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    names.tick_labels.font.size = _SMALL
    names.format.line.color.rgb = GREY
    names.has_major_gridlines = False
    every = etree.Element(qn("c:tickLblSkip"))
    every.set("val", "1")  # no name is left out for want of room
    names._element.find(qn("c:noMultiLvlLbl")).addprevious(every)
    reached = [
        value for one in series for ends in (one.values, one.low, one.high) for value in ends if value is not None
    ]
    _axis(amounts, chart.x_title, chart.x_percent, _scale([chart.start, *reached], chart.x_range))
    crossing = amounts._element.find(qn("c:crosses"))
    crossing.set("val", "max")  # else the numbers would stand on top
    if chart.start:
        amounts_cross = names._element.find(qn("c:crosses"))
        at = etree.SubElement(names._element, qn("c:crossesAt"))
        at.set("val", repr(chart.start))
        names._element.replace(amounts_cross, at)
    plot = made.plots[0]
    plot.gap_width = 60
    ranges = any(one.drawn == RANGE for one in series)
    alike = len(series) > 1 and len({one.colour for one in series}) == 1  # as the columns of a heat map
    plot.overlap = 100 if ranges or chart.start or _share_rows(chart, series) else -10
    for place, (drawn, one) in enumerate(zip(plot.series, series, strict=True)):
        drawn.invert_if_negative = False
        fill, line = drawn.format.fill, drawn.format.line
        if ranges and not one.low:
            fill.background()  # a frame, so that it hides no range
            line.color.rgb, line.width = _rgb(one.colour), Pt(1.25)
        else:
            fill.solid()  # of the legend; where there are ranges the bars themselves are not drawn
            if not ranges and (one.colour == _BLACK or alike):
                fill.fore_color.theme_color = _ACCENTS[place % len(_ACCENTS) if alike else 0]
            else:
                fill.fore_color.rgb = _rgb(one.colour)
            for point in range(len(one.values) if ranges else 0):
                drawn.points[point].format.fill.background()
        for errors in _errors(chart, place, one, len(series)):
            widths = {False: 1.25, True: 3.0 if one.colour == _GREY_HEX else 8.0 if one.drawn == RANGE else 2.5}
            colour = _rgb(one.colour) if ranges else INK
            _error_bars(drawn._element, chart, errors, 2, colour, widths[ranges])


def _share_rows(chart: NativeChart, series: Sequence[NativeSeries]) -> bool:
    """Whether the bars of every category can lie in one row: one alone, or one to either side of where they begin."""
    for values in zip(*(one.values for one in series), strict=True):
        sides = [value > chart.start for value in values if value is not None and value != chart.start]
        if len(sides) != len(set(sides)):
            return False
    return True


def _scatter(made: Any, chart: NativeChart, series: Sequence[NativeSeries]) -> None:
    across, up = ([v for one in series for name in names for v in getattr(one, name) if v is not None] for names in (("x", "x_low", "x_high"), ("values", "low", "high")))  # fmt: skip
    _axis(made.category_axis, chart.x_title, chart.x_percent, _scale(across, chart.x_range))
    _axis(made.value_axis, chart.y_title, chart.y_percent, _scale(up, chart.y_range))
    for axis in (made.category_axis, made.value_axis):
        axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    rows = _first_rows(chart, series)
    for place, (drawn, one) in enumerate(zip(made.plots[0].series, series, strict=True)):
        colour = _rgb(one.colour)
        drawn.smooth = False
        if one.drawn == LINE:
            drawn.marker.style = XL_MARKER_STYLE.NONE
            drawn.format.line.color.rgb = colour
            drawn.format.line.width = Pt(0.75 if one.dash == "thin" else 1 if one.colour == _GREY_HEX else 2.5)
            if one.dash in _DASHES:
                drawn.format.line.dash_style = _DASHES[one.dash]
        else:
            drawn.format.line.fill.background()
            drawn.marker.style = _SYMBOLS.get(one.symbol.removesuffix("-open"), XL_MARKER_STYLE.CIRCLE)
            drawn.marker.size = 9
            drawn.marker.format.fill.solid()
            drawn.marker.format.fill.fore_color.rgb = colour
            drawn.marker.format.line.color.rgb = colour
        for errors in _errors(chart, place, one, len(series)):
            _error_bars(drawn._element, chart, errors, rows[place], colour, 1.25)
        for at, label in enumerate(one.labels):
            if label:
                text = drawn.points[at].data_label
                text.position = XL_LABEL_POSITION.ABOVE
                text.text_frame.text = plain(label)
                text.text_frame.paragraphs[0].runs[0].font.size = _SMALL


def _rgb(colour: str) -> RGBColor:
    return INK if colour == _BLACK else RGBColor.from_string(colour[1:].upper())


def _error_bars(element: Any, chart: NativeChart, errors: _Errors, first: int, colour: RGBColor, width: float) -> None:
    """Custom error bars, which python-pptx does not know; their place among the elements of a series is fixed by the schema."""
    made = etree.Element(qn("c:errBars"))

    def add(parent: Any, name: str, value: str | None = None, text: str | None = None) -> Any:
        child = etree.SubElement(parent, qn(name))
        if value is not None:
            child.set("val", value)
        child.text = text
        return child

    if errors.direction:
        add(made, "c:errDir", errors.direction)
    add(made, "c:errBarType", "both")
    add(made, "c:errValType", "cust")
    add(made, "c:noEndCap", "0")
    for name, letters, values in (
        ("c:plus", errors.columns[1], errors.plus),
        ("c:minus", errors.columns[0], errors.minus),
    ):
        reference = add(add(made, name), "c:numRef")
        add(reference, "c:f", text=f"Sheet1!${letters}${first}:${letters}${first + len(values) - 1}")
        cache = add(reference, "c:numCache")
        add(cache, "c:formatCode", text="General")
        add(cache, "c:ptCount", str(len(values)))
        for place, value in enumerate(values):
            if value is not None:
                point = add(cache, "c:pt")
                point.set("idx", str(place))
                add(point, "c:v", text=repr(value))
    line = etree.SubElement(add(made, "c:spPr"), qn("a:ln"))
    line.set("w", str(int(Pt(width))))
    solid = etree.SubElement(line, qn("a:solidFill"))
    etree.SubElement(solid, qn("a:srgbClr")).set("val", str(colour))
    next(child for child in element if child.tag in {qn(name) for name in _BEFORE[chart.kind]}).addprevious(made)
