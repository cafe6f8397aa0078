"""A file as it was read: text cells under headings, each row with its number in the file; and what was guessed to read it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.errors import DataError
from wtp.imports.unreadable import UnreadableError

MOST_BYTES = 10_000_000
MOST_ROWS = 200_000
MOST_COLUMNS = 5_000
MOST_CELLS = 10_000_000
LONGEST_CELL = 20_000
# Our own exports put an apostrophe before what a spreadsheet would run.
_DEFUSED = re.compile("^'(?=[=+\\-@＝＋－＠\t\r\n])")
_IMPORT_ID = '{"importid"'


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """cells: one text column a heading, in the file's order, "" where a cell is empty. rows: number of each row in the file, from 1. heads: rows above the data."""

    name: str
    cells: pd.DataFrame
    rows: np.ndarray
    heads: int = 1

    @property
    def columns(self) -> tuple[str, ...]:
        """The headings; empty ones and doubles are numbered, so each names one column."""
        return tuple(self.cells.columns)


@dataclass(frozen=True, eq=False, slots=True)
class File:
    """name: without folders, fit to be shown. digest: SHA-256 of the bytes. kind: csv, xlsx, cho or chs. encoding, delimiter: as guessed; empty where there is none."""

    name: str
    digest: str
    kind: str
    tables: tuple[Table, ...]
    encoding: str = ""
    delimiter: str = ""

    def table(self, name: str) -> Table:
        """The table of this name; the first without one. Raises DataError for an unknown name."""
        if not name:
            return self.tables[0]
        for table in self.tables:
            if table.name == name:
                return table
        known = ", ".join(repr(table.name) for table in self.tables)
        raise DataError(f"{self.name}: no table {name[:80]!r}; allowed: {known}; name one of these.")


def shown_name(name: str) -> str:
    """A file's name without folders and signs that no page, log or heading should carry."""
    base = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(sign for sign in base if sign.isprintable() and sign not in '"<>').strip()
    return kept[:120] or "file"


def digest_of(content: bytes) -> str:
    """What identifies a file."""
    return hashlib.sha256(content).hexdigest()


def without_apostrophe(text: str) -> str:
    """A cell as it was before an export made it harmless; it is text here, and stays text."""
    return _DEFUSED.sub("", text)


def too_long(place: str, row: int) -> UnreadableError:
    """The error of a cell that no program writes."""
    return UnreadableError("long_cell", place, row=row, most=LONGEST_CELL)


def table_of(name: str, records: list[tuple[int, list[str]]], *, place: str) -> Table:
    """A table of (row in the file, cells); empty rows are left out, the first other one is the heading. The further head rows of a Qualtrics file are left out too.

    Raises DataError where there is no row below the heading, or a row has more cells than headings.
    """
    records = [(row, cells) for row, cells in records if any(cell.strip() for cell in cells)]
    if len(records) < 2:
        raise UnreadableError("no_rows", place)
    heading, body = records[0][1], records[1:]
    heads = 1
    for at, (_, cells) in enumerate(body[:2]):
        if cells[0].strip().replace(" ", "").casefold().startswith(_IMPORT_ID):
            body, heads = body[at + 1 :], at + 2
            break
    width = max((at for at, head in enumerate(heading, 1) if head.strip()), default=0)
    if not body:
        raise UnreadableError("no_rows", place)
    for row, cells in body:
        if any(cell.strip() for cell in cells[width:]):
            raise UnreadableError("wide_row", place, row=row, cells=len(cells), width=width)
    padded = ([cell.strip() for cell in cells[:width]] + [""] * (width - len(cells)) for _, cells in body)
    columns = [np.array(column, dtype=object) for column in zip(*padded, strict=True)]
    frame = pd.DataFrame(dict(zip(_headings(heading[:width]), columns, strict=True)), dtype=object)
    return Table(name, frame, np.array([row for row, _ in body]), heads)


def _headings(heading: list[str]) -> list[str]:
    """Each once: empty ones are called by their place, doubles get a number."""
    seen: Counter[str] = Counter()
    taken = {" ".join(text.split()) for text in heading}
    names = []
    for at, text in enumerate(heading, 1):
        name = " ".join(text.split())[:200] or f"column {at}"
        seen[name] += 1
        if seen[name] > 1:
            number = seen[name]
            while f"{name} ({number})" in taken:
                number += 1
            name = f"{name} ({number})"
            taken.add(name)
        names.append(name)
    return names
