"""CSV: one table as bytes, or all tables of a study as a zip."""

from __future__ import annotations

import io
from typing import IO

import pandas as pd

from wtp.export.archive import archive
from wtp.export.safe import neutralised
from wtp.export.source import Source
from wtp.survey.design_file import format_design

_MARK = b"\xef\xbb\xbf"  # so that spreadsheets read umlauts


def table_csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 with a byte order mark; no text starts a formula, missing values are empty cells."""
    file = io.BytesIO()
    CsvWriter(file).write(frame)
    return file.getvalue()


class CsvWriter:
    """One table in parts, the heading above the first."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._heading = True

    def write(self, frame: pd.DataFrame) -> None:
        """The next rows."""
        text = neutralised(frame).to_csv(
            index=False, header=self._heading, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%S+00:00"
        )
        self._file.write((_MARK if self._heading else b"") + text.encode())
        self._heading = False

    def close(self) -> None:
        """Nothing is held back."""


def write_csv_zip(source: Source, file: IO[bytes]) -> None:
    """Every table as a CSV file, the design and the survey's definition as they are in the survey's folder, and a README."""
    with archive(file) as made:
        tables = ((name, frame) for name, frame in source.chunks() if name != "design")
        made.put_tables(tables, "csv", lambda _, content, __: CsvWriter(content))
        if source.survey.design:
            made.put("design.csv", format_design(source.survey.design, source.survey.definition))
        made.put("survey.json", source.survey.definition.model_dump_json(indent=2))
        made.put("README.txt", source.about())


def write_choices_csv(source: Source, file: IO[bytes]) -> None:
    """The long choice data alone, as `wtp estimate` reads it."""
    writer = CsvWriter(file)
    for _, frame in source.answer_chunks("choices"):
        writer.write(frame)
