"""Bytes in, tables out: CSV in the encodings and with the delimiters that programs write, workbooks, Sawtooth's text files, and zips of our own exports.

Nothing of a file is ever executed or followed: a formula counts as the value that was saved beside it, markup is text. Every limit is checked before the memory is spent.
"""

from __future__ import annotations

import csv
import io
import zipfile
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
from wtp.imports.workbook import checked_zip, read_workbook

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 50
_INSIDE = ("choices.csv", "respondents.csv", "study.chs", "study.cho")


def read_file(content: bytes, name: str) -> File:
    """The tables of a file that somebody gave.

    Raises DataError, in words, for whatever is no such file, too large, or not text.
    """
    name = shown_name(name)
    if not content.strip():
        raise DataError(f"{name}: the file is empty; allowed: CSV or XLSX with a heading; choose another file.")
    if len(content) > MOST_BYTES:
        raise DataError(
            f"{name}: {len(content) / 1e6:.1f} MB; allowed: at most {MOST_BYTES / 1e6:.0f} MB; leave out columns that are not needed, or give the respondents in several files."
        )
    digest, size = digest_of(content), len(content)
    if content.startswith(b"PK\x03\x04"):
        kind, tables, encoding, delimiter = _zipped(content, name)
        return File(name, digest, kind, tables, encoding, delimiter, size)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError(f"{name}: an old or encrypted workbook; allowed: XLSX without password, or CSV; save it as one of these.")
    kind, table, encoding, delimiter = _text_table(content, name, "")
    return File(name, digest, kind, (table,), encoding, delimiter, size)


def read_path(path: Path) -> File:
    """The same of a file on the disk. Raises DataError if it cannot be read."""
    try:
        if path.stat().st_size > MOST_BYTES:  # before it is in the memory
            raise DataError(
                f"{path}: {path.stat().st_size / 1e6:.1f} MB; allowed: at most {MOST_BYTES / 1e6:.0f} MB; give the respondents in several files."
            )
        return read_file(path.read_bytes(), path.name)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; allowed: a file that can be read; check the name.") from error


def _zipped(content: bytes, name: str) -> tuple[str, tuple[Table, ...], str, str]:
    """A workbook, or the zip of one of our exports, of which choices and respondents are taken."""
    with checked_zip(content, name) as archive:
        inside = archive.namelist()
        if "[Content_Types].xml" in inside:
            return "xlsx", read_workbook(content, archive, name), "", ""
        found = [wanted for wanted in _INSIDE if wanted in inside]
        if not found:
            raise DataError(
                f"{name}: a zip without {' or '.join(_INSIDE)}; allowed: XLSX, CSV, or the zip of an export of this program; take the file out of the zip."
            )
        if "study.chs" in found:  # the .cho beside it says less
            found = ["study.chs"]
        made = []
        for entry in found:
            part = archive.read(entry)
            if len(part) > 4 * MOST_BYTES:
                raise DataError(f"{name}, {entry}: {len(part) / 1e6:.1f} MB; allowed: at most {4 * MOST_BYTES / 1e6:.0f} MB; give fewer respondents.")
            made.append(_text_table(part, f"{name}, {entry}", entry.partition(".")[0], suffix=entry))
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
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            break
    else:
        even, odd = content[0:2000:2].count(0), content[1:2000:2].count(0)
        sample = min(len(content), 2000) // 2
        encoding = "utf-16-le" if odd > 0.4 * sample else "utf-16-be" if even > 0.4 * sample else "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise _no_text(place, f"byte {error.start} is not {encoding}") from error
        try:
            text, encoding = content.decode("cp1252"), "windows-1252"
        except UnicodeDecodeError as second:
            raise _no_text(place, f"byte {second.start} is neither UTF-8 nor Windows-1252") from second
    wrong = next((sign for sign in text if sign < " " and sign not in "\t\r\n\f" or sign == "\x7f"), None)
    if wrong is not None:
        raise _no_text(place, f"the control character {wrong!r}")
    return text, encoding.removesuffix("-sig")


def _no_text(place: str, found: str) -> DataError:
    return DataError(f"{place}: {found}; allowed: text in UTF-8, UTF-16 or Windows-1252, or XLSX; save the file as CSV in UTF-8.")


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
            raise DataError(
                f"{place}, row {began}: quotation marks that do not fit; allowed: one at both ends of a cell and doubled within; mend this row."
            ) from error
        if any(len(cell) > LONGEST_CELL for cell in record):
            raise too_long(place, began)
        records.append((began, [without_apostrophe(cell) for cell in record]))
        cells += len(record)
        check_size(place, len(records), len(record), cells)


def check_size(place: str, rows: int, columns: int, cells: int) -> None:
    """Raises DataError if a table is larger than is taken."""
    if rows > MOST_ROWS + 3 or columns > MOST_COLUMNS or cells > MOST_CELLS:
        raise DataError(
            f"{place}: more than {MOST_ROWS:,} rows, {MOST_COLUMNS:,} columns or {MOST_CELLS:,} cells; allowed: at most that; give the respondents in several files."
        )
