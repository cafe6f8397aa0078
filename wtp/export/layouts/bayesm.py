"""bayesm (R): long rows of numbers, from which a script makes the list of respondents that `rhierMnlRwMixture` takes."""

from __future__ import annotations

from typing import IO

from wtp.export.archive import archive
from wtp.export.csv_files import CsvWriter
from wtp.export.layouts.coded import coded_batches, numeric_columns, put_notes, with_single_none
from wtp.export.source import Source


def write_bayesm(source: Source, file: IO[bytes]) -> None:
    """respondent, simulated, task, slot, chosen and the columns of X; every task has the same slots, none among them."""
    definition = source.survey.definition
    columns = ["respondent", "simulated", "task", "slot", "chosen", *numeric_columns(definition)]
    with archive(file) as made:
        made.put_tables(
            (("choices", with_single_none(rows, definition)[columns]) for rows in coded_batches(source)),
            "csv",
            lambda _, content, __: CsvWriter(content),
        )
        put_notes(made, source, "bayesm", "fit_bayesm.R")
