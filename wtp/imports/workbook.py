"""Workbooks: the sheets of an XLSX file as text, with limits on what it may unpack to. Formulas are never computed; the value saved beside one counts."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Any

import openpyxl

from wtp.errors import DataError
from wtp.imports.tables import (
    LONGEST_CELL,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    Table,
    table_of,
    too_long,
    without_apostrophe,
)
from wtp.imports.unreadable import UnreadableError

_MOST_UNPACKED = 100_000_000
_MOST_RATIO = 100
_RATIO_FROM = 1_000_000  # small parts that repeat themselves are no bombs
_MOST_FILES = 2_000
_MOST_SHEETS = 50
_NUMBERS_EXACT = 15  # digits that a workbook keeps
# Sheets of our own workbook, and of others, that hold no rows of data.
_FIRST = ("choices", "respondents")


@contextmanager
def checked_zip(content: bytes, name: str) -> Iterator[zipfile.ZipFile]:
    """A zip whose parts are small enough when unpacked. Raises DataError otherwise, before anything is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            whole = sum(part.file_size for part in parts)
            packed = max(1, sum(part.compress_size for part in parts))
            if (
                len(parts) > _MOST_FILES
                or whole > _MOST_UNPACKED
                or (whole > _RATIO_FROM and whole > _MOST_RATIO * packed)
            ):
                raise UnreadableError(
                    "bomb",
                    name,
                    size=whole // 1_000_000,
                    parts=len(parts),
                    most=_MOST_UNPACKED // 1_000_000,
                    ratio=_MOST_RATIO,
                )
            if any(part.flag_bits & 1 for part in parts):
                raise UnreadableError("password", name)
            yield archive
    except DataError:
        raise
    except Exception as error:
        # zlib and the parsers of a damaged part raise errors of many kinds; none of them is a fault of ours.
        raise UnreadableError("damaged", name) from error


def read_workbook(content: bytes, archive: zipfile.ZipFile, name: str) -> tuple[Table, ...]:
    """Every sheet that has a heading and a row; those named choices and respondents first. Raises DataError if there is none."""
    for part in archive.infolist():
        if part.filename.endswith((".xml", ".rels")):
            with archive.open(part) as file:
                if b"<!DOCTYPE" in file.read(4096).replace(b"\0", b"").upper():  # it stands before the first element
                    raise UnreadableError("doctype", f"{name}, {part.filename[:80]}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of charts and styles that it does not read
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    tables: list[Table] = []
    wrong: DataError | None = None
    cells = 0
    for sheet in book.worksheets[:_MOST_SHEETS]:
        records: list[tuple[int, list[str]]] = []
        sheet.reset_dimensions()
        for number, row in enumerate(sheet.iter_rows(max_row=MOST_ROWS + 4, values_only=True), 1):
            cells += len(row) + 1
            if number > MOST_ROWS + 3 or len(row) > MOST_COLUMNS or cells > MOST_CELLS:
                raise UnreadableError(
                    "too_many", f"{name}, {sheet.title[:40]}", rows=MOST_ROWS, columns=MOST_COLUMNS, cells=MOST_CELLS
                )
            records.append((number, [_text(value, name, number) for value in row]))
        try:
            tables.append(table_of(sheet.title, records, place=f"{name}, {sheet.title[:40]}"))
        except DataError as error:
            wrong = wrong or error
    book.close()
    if not tables:
        raise wrong or UnreadableError("no_rows", name)
    return tuple(sorted(tables, key=lambda table: _FIRST.index(table.name) if table.name in _FIRST else len(_FIRST)))


def _text(value: Any, name: str, row: int) -> str:
    """A cell as text: numbers with a point, times as ISO 8601, truths as TRUE and FALSE."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return f"{value:.{_NUMBERS_EXACT}g}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    text = str(value)
    if len(text) > LONGEST_CELL:
        raise too_long(name, row)
    return without_apostrophe("".join(sign for sign in text if sign >= " " or sign in "\t\n"))
