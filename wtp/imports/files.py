"""Bytes in, tables out: CSV in the encodings and with the delimiters that programs write, workbooks, Sawtooth's text files, and zips of our own exports.

Nothing of a file is ever executed or followed: a formula counts as the value that was saved beside it, markup is text. Every limit is checked before the memory is spent.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from wtp.errors import DataError
from wtp.imports.sawtooth import read_sawtooth
from wtp.imports.tables import (
    LONGEST_CELL,
    MOST_BYTES,
    MOST_CELLS,
    MOST_COLUMNS,
    MOST_ROWS,
    File,
    Table,
    digest_of,
    shown_name,
    table_of,
    too_long,
    without_apostrophe,
)
from wtp.imports.unreadable import UnreadableError
from wtp.imports.workbook import checked_zip, read_workbook

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 50
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_INSIDE = ("choices.csv", "respondents.csv", "study.chs", "study.cho")


def read_file(content: bytes, name: str) -> File:
    """The tables of a file that somebody gave.

    Raises DataError, in words, for whatever is no such file, too large, or not text.
    """
    name = shown_name(name)
    if not content.strip():
        raise UnreadableError("empty", name)
    if len(content) > MOST_BYTES:
        raise _too_large(name, len(content), MOST_BYTES)
    digest = digest_of(content)
    if content.startswith(b"PK\x03\x04"):
        kind, tables, encoding, delimiter = _zipped(content, name)
        return File(name, digest, kind, tables, encoding, delimiter)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableError("old_workbook", name)
    kind, table, encoding, delimiter = _text_table(content, name, "")
    return File(name, digest, kind, (table,), encoding, delimiter)


def read_path(path: Path) -> File:
    """The same of a file on the disk. Raises DataError if it cannot be read."""
    try:
        if path.stat().st_size > MOST_BYTES:  # before it is in the memory
            raise _too_large(path.name, path.stat().st_size, MOST_BYTES)
        return read_file(path.read_bytes(), path.name)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; allowed: a file that can be read; check the name.") from error


def _too_large(place: str, size: int, most: int) -> UnreadableError:
    return UnreadableError("too_large", place, size=round(size / 1e6, 1), most=most // 1_000_000)


def _zipped(content: bytes, name: str) -> tuple[str, tuple[Table, ...], str, str]:
    """A workbook, or the zip of one of our exports, of which choices and respondents are taken."""
    with checked_zip(content, name) as archive:
        inside = archive.namelist()
        if "[Content_Types].xml" in inside:
            return "xlsx", read_workbook(content, archive, name), "", ""
        found = [wanted for wanted in _INSIDE if wanted in inside]
        if not found:
            raise UnreadableError("other_zip", name, names=", ".join(_INSIDE))
        if "study.chs" in found:  # the .cho beside it says less
            found = ["study.chs"]
        made = []
        for entry in found:
            part = archive.read(entry)
            if len(part) > 4 * MOST_BYTES:
                raise _too_large(f"{name}, {entry}", len(part), 4 * MOST_BYTES)
            kind, table, encoding, delimiter = _text_table(
                part, f"{name}, {entry}", entry.partition(".")[0], suffix=entry
            )
            if kind in {"cho", "chs"}:  # the extra variable of our own export
                cells = table.cells.rename(columns={"extra 1": "simulated"})
                table = Table(table.name, cells, table.rows, table.heads)
            made.append((kind, table, encoding, delimiter))
    return made[0][0], tuple(table for _, table, *_ in made), made[0][2], made[0][3]


def _text_table(content: bytes, place: str, table: str, suffix: str = "") -> tuple[str, Table, str, str]:
    text, encoding = decoded(content, place)
    kind = (suffix or place).rpartition(".")[2].casefold()
    if kind in {"cho", "chs"}:
        return kind, read_sawtooth(text, kind, place), encoding, ""
    delimiter = _delimiter(text)
    return "csv", table_of(table, _records(text, delimiter, place), place=place), encoding, delimiter


def decoded(content: bytes, place: str) -> tuple[str, str]:
    """Text and its encoding: UTF-8 with or without mark, UTF-16 with mark or as every second byte says, else Windows-1252.

    Raises DataError for bytes that are no text.
    """
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "")
    if not encoding:  # of Latin letters in UTF-16 every second byte is zero
        even, odd = content[0:2000:2].count(0), content[1:2000:2].count(0)
        sample = min(len(content), 2000) // 2
        encoding = "utf-16-le" if odd > 0.4 * sample else "utf-16-be" if even > 0.4 * sample else "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise UnreadableError("no_text", place, at=error.start) from error
        try:
            text, encoding = content.decode("cp1252"), "windows-1252"
        except UnicodeDecodeError as second:
            raise UnreadableError("no_text", place, at=second.start) from second
    if wrong := _CONTROL.search(text):
        raise UnreadableError("control", place, sign=repr(wrong[0]))
    return text, encoding.removesuffix("-sig")


def _delimiter(text: str) -> str:
    """What parts the first line, and the lines after it into as many cells; a comma where nothing does."""
    lines = [line for line in text[:200_000].splitlines() if line.strip()][:_SAMPLE_LINES]
    if not lines:
        return ","

    def fitness(sign: str) -> tuple[int, int]:
        rows = list(csv.reader(lines, delimiter=sign))
        width = len(rows[0]) if rows else 0
        return (sum(len(row) == width for row in rows) if width > 1 else 0, width)

    try:
        return max(_DELIMITERS, key=fitness)
    except csv.Error:
        return ","


def _records(text: str, delimiter: str, place: str) -> list[tuple[int, list[str]]]:
    """(row in the file, cells), the row being that at which the record begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records: list[tuple[int, list[str]]] = []
    cells = 0
    while True:
        began = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return records
        except csv.Error as error:
            if "limit" in str(error):
                raise too_long(place, began) from error
            raise UnreadableError("quotes", place, row=began) from error
        if record and max(map(len, record)) > LONGEST_CELL:
            raise too_long(place, began)
        records.append((began, [without_apostrophe(cell) if cell[:1] == "'" else cell for cell in record]))
        cells += len(record)
        check_size(place, len(records), len(record), cells)


def check_size(place: str, rows: int, columns: int, cells: int) -> None:
    """Raises DataError if a table is larger than is taken."""
    if rows > MOST_ROWS + 3 or columns > MOST_COLUMNS or cells > MOST_CELLS:
        raise UnreadableError("too_many", place, rows=MOST_ROWS, columns=MOST_COLUMNS, cells=MOST_CELLS)
