"""The Excel workbook: one sheet a table with frozen heading, filter and number formats, and a sheet of native charts with intervals.

Rows are written as they come, so memory does not grow with them. Text is never a formula or a link.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import pandas as pd
import xlsxwriter

from wtp.analysis import ALL, DRAWS, Analysis
from wtp.export.codebook import OWN_TABLES, codebook
from wtp.export.safe import neutralised, safe_text
from wtp.export.source import Source

_MOST_ROWS = 1_048_575  # below the heading
_NARROW, _WIDEST = 9, 60
_FORMATS = {
    "whole number": "0", "money": "#,##0.00", "share": "0.0%", "per cent": "0.0", "number": "0.000",
    "time": "yyyy-mm-dd hh:mm:ss",
}  # fmt: skip
_NOT_HERE = {DRAWS: "too many rows for a workbook"}
_INK, _BLUE = "#1b1f24", "#0072b2"
_WORDS = {
    "en": ("What counts in the choices", "per cent of the choices", "What a step is worth", "Price at which half would still buy", "Everybody", "simulated answers", "{:.0%} interval"),
    "de": ("Was in den Entscheidungen zählt", "Prozent der Entscheidungen", "Was ein Schritt wert ist", "Preis, zu dem die Hälfte noch kaufen würde", "Alle", "simulierte Antworten", "{:.0%}-Intervall"),
}  # fmt: skip


def write_xlsx(source: Source, file: IO[bytes], language: str | None = None) -> None:
    """about, charts, and a sheet a table, the codebook among them; language: of the charts, by default the survey's first."""
    options = {
        "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "nan_inf_to_errors": False,
        "constant_memory": True, "remove_timezone": True,
    }  # fmt: skip
    definition = source.survey.definition
    book = xlsxwriter.Workbook(file, options)
    book.set_properties({"title": source.survey.slug, "comments": source.about()})
    about = book.add_worksheet("about")
    if source.analysis:
        language = language if language in definition.languages else definition.languages[0]
        _Charts(book, source, source.analysis, language).draw()
    kinds = codebook(definition)
    kinds = kinds[kinds["code"] == ""].drop_duplicates(["table", "column"])
    sheets: dict[str, _Sheet] = {}
    for name, frame in source.chunks():
        if name in _NOT_HERE:
            continue
        if name not in sheets:
            own = kinds[kinds["table"] == (name if name in OWN_TABLES else "results")]
            sheets[name] = _Sheet(book, name, dict(zip(own["column"], own["type"], strict=True)))
        sheets[name].write(neutralised(frame))
    lines = source.about().splitlines()
    lines += [
        f"{name}: left out, {why}; it is in CSV and Parquet."
        for name, why in _NOT_HERE.items()
        if source.analysis and name in source.analysis.people
    ]
    lines += [
        f"{name}: only the first {_MOST_ROWS:,} of {sheet.rows:,} rows, more than a sheet holds; all are in CSV and Parquet."
        for name, sheet in sheets.items()
        if sheet.rows > _MOST_ROWS
    ]
    about.write_string(0, 0, "about", book.add_format({"bold": True}))
    about.set_column(0, 0, 100)
    for row, line in enumerate(lines, 1):
        about.write_string(row, 0, line)
    book.close()


class _Sheet:
    """One table, its rows in parts."""

    def __init__(self, book: xlsxwriter.Workbook, name: str, kinds: Mapping[str, str]) -> None:
        taken = {sheet.get_name().lower() for sheet in book.worksheets()}
        short = name[:31]
        while short.lower() in taken:
            short = f"{name[:29]}_{len(taken) % 10}"
        self._sheet = book.add_worksheet(short)
        self._kinds = kinds
        self._heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": False})
        self._formats = {kind: book.add_format({"num_format": code}) for kind, code in _FORMATS.items()}
        self.rows = 0
        self._begun = False

    def write(self, frame: pd.DataFrame) -> None:
        """The next rows; those beyond what a sheet holds are only counted."""
        if not self._begun:
            self._begin(frame)
        elif self.rows == 0:
            self._widths(frame)
        writers = [self._writer(str(name), values) for name, values in frame.items()]
        columns = [values.astype(object).where(values.notna(), None).tolist() for _, values in frame.items()]
        for row, cells in enumerate(zip(*columns, strict=True), self.rows + 1):
            if row > _MOST_ROWS:
                break
            for place, (cell, (put, style)) in enumerate(zip(cells, writers, strict=True)):
                if cell is not None:
                    put(row, place, cell, style)
        self.rows += len(frame)

    def _begin(self, frame: pd.DataFrame) -> None:
        self._begun = True
        self._sheet.freeze_panes(1, 0)
        for place, name in enumerate(frame.columns):
            self._sheet.write_string(0, place, str(name), self._heading)
        self._widths(frame)

    def _widths(self, frame: pd.DataFrame) -> None:
        for place, (name, values) in enumerate(frame.items()):
            text = [
                str(name),
                *values.head(500).map(lambda cell: f"{cell:.3f}" if isinstance(cell, float) else str(cell)),
            ]
            self._sheet.set_column(place, place, min(max(_NARROW, max(map(len, text)) + 2), _WIDEST))

    def _writer(self, name: str, values: pd.Series) -> tuple[Any, Any]:
        style = self._formats.get(self._kinds.get(name, ""))
        if pd.api.types.is_bool_dtype(values):
            return self._sheet.write_boolean, None
        if pd.api.types.is_numeric_dtype(values):
            return self._sheet.write_number, style
        if pd.api.types.is_datetime64_any_dtype(values):
            return self._sheet.write_datetime, self._formats["time"]
        return (
            lambda row, place, cell, _: (
                self._sheet.write(row, place, cell)
                if not isinstance(cell, str)
                else self._sheet.write_string(row, place, cell)
            ),
            None,
        )


class _Charts:
    """Native charts of importance, worth and price limit on a sheet with their own figures beside them; what is withheld is not drawn."""

    def __init__(self, book: xlsxwriter.Workbook, source: Source, analysis: Analysis, language: str) -> None:
        self._analysis = analysis
        self._definition = source.survey.definition
        self._language = language
        (self._counts, self._per_cent, self._worth, self._limit, self._everybody, simulated, interval) = _WORDS.get(
            language, _WORDS["en"]
        )
        self._tail = f", {interval.format(self._analysis.confidence)}" + (f" – {simulated}" if source.simulated else "")
        self._book = book
        self._rows: list[tuple[str, float, float, float]] = []
        self._drawn: list[tuple[str, str, int, int]] = []

    def draw(self) -> None:
        """The sheet, if there is anything to draw."""
        currency = self._analysis.currency
        importance = self._of("importance")
        if "importance" in importance:
            importance = importance.sort_values("importance", ascending=False)
        self._add(self._counts, self._per_cent, importance, "importance", "attribute")
        self._add(self._worth, currency, self._of("willingness_to_pay"), "estimate", "to_level")
        self._add(self._limit, currency, self._of("price_limit", every=True), "estimate", "segment")
        if not self._drawn:
            return
        sheet = self._book.add_worksheet("charts")
        bold = self._book.add_format({"bold": True})
        number = self._book.add_format({"num_format": "0.00"})
        sheet.set_column(0, 0, 48)
        for place, head in enumerate(("", "estimate", "minus", "plus")):
            sheet.write_string(0, place, head, bold)
        for row, (label, estimate, minus, plus) in enumerate(self._rows, 1):
            sheet.write_string(row, 0, label)
            for place, value in enumerate((estimate, minus, plus), 1):
                sheet.write_number(row, place, value, number)
        line = 0
        for title, unit, first, last in self._drawn:
            height = 120 + 28 * (last - first + 1)
            sheet.insert_chart(
                line, 5, self._chart(title, unit, first, last), {"x_scale": 1.5, "y_scale": height / 288}
            )
            line += height // 20 + 2

    def _of(self, table: str, *, every: bool = False) -> pd.DataFrame:
        frame = self._analysis.tables.get(table, pd.DataFrame())
        return frame if every or frame.empty else frame[frame["segment"] == ALL]

    def _add(self, title: str, unit: str, frame: pd.DataFrame, figure: str, key: str) -> None:
        if frame.empty or figure not in frame or not {"low", "high"} <= set(frame):
            return
        shown = frame[frame[[figure, "low", "high"]].notna().all(axis=1)]
        if shown.empty:
            return
        first = len(self._rows) + 1
        for _, row in shown.iterrows():
            estimate = float(row[figure])
            label = str(safe_text(self._step(row) if key == "to_level" else self._label(str(row[key]))))
            self._rows.append((label, estimate, estimate - float(row["low"]), float(row["high"]) - estimate))
        self._drawn.append((title + self._tail, unit, first, len(self._rows)))

    def _label(self, key: str) -> str:
        definition = self._definition
        texts = {ALL: self._everybody, "price": definition.price.label[self._language]}
        texts |= {segment.id: segment.label[self._language] for segment in definition.segments}
        texts |= {attribute.id: attribute.label[self._language] for attribute in definition.attributes}
        return texts.get(key, key)

    def _step(self, row: pd.Series) -> str:
        attribute = self._definition.attribute(str(row["attribute"]))
        return f"{attribute.label[self._language]}: {attribute.level(str(row['to_level'])).label[self._language]}"

    def _chart(self, title: str, unit: str, first: int, last: int) -> Any:
        chart = self._book.add_chart({"type": "bar"})
        chart.add_series(
            {
                "name": unit,
                "categories": ["charts", first, 0, last, 0],
                "values": ["charts", first, 1, last, 1],
                "fill": {"color": _BLUE},
                "gap": 60,
                "x_error_bars": {
                    "type": "custom",
                    "minus_values": f"=charts!$C${first + 1}:$C${last + 1}",
                    "plus_values": f"=charts!$D${first + 1}:$D${last + 1}",
                    "minus_data": [row[2] for row in self._rows[first - 1 : last]],
                    "plus_data": [row[3] for row in self._rows[first - 1 : last]],
                    "line": {"color": _INK, "width": 1.25},
                },
            }
        )
        chart.set_title({"name": title, "name_font": {"size": 12, "bold": True}})
        chart.set_x_axis({"reverse": True, "num_font": {"size": 9}, "label_position": "low"})
        chart.set_y_axis(
            {"name": unit, "num_format": "0.0", "major_gridlines": {"visible": True, "line": {"color": "#d0d7de"}}}
        )
        chart.set_legend({"none": True})
        return chart
