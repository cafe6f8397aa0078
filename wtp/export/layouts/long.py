"""Long layouts, one row an alternative: logitr and mlogit (R), xlogit (Python)."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

import numpy as np
import pandas as pd

from wtp.export.archive import archive
from wtp.export.csv_files import CsvWriter
from wtp.export.layouts.coded import coded_batches, none_slot, numeric_columns, put_notes
from wtp.export.source import Source

FILE = "choices.csv"


def write_logitr(source: Source, file: IO[bytes]) -> None:
    """logitr: id, obsID (counts on), altID, choice 0/1, and every level but the first as 0/1."""
    names = {"respondent": "id", "observation": "obsID", "slot": "altID", "chosen": "choice"}
    _write(source, file, "logitr", "fit_logitr.R", lambda rows: rows.rename(columns=names))


def write_mlogit(source: Source, file: IO[bytes]) -> None:
    """mlogit: id, chid, alt and choice TRUE/FALSE, for dfidx."""
    names = {"respondent": "id", "observation": "chid", "slot": "alt", "chosen": "choice"}

    def made(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.rename(columns=names).assign(choice=np.where(rows["chosen"] == 1, "TRUE", "FALSE"))

    _write(source, file, "mlogit", "fit_mlogit.R", made)


def write_xlogit(source: Source, file: IO[bytes]) -> None:
    """xlogit: every observation has a row for each slot, available or not."""
    definition = source.survey.definition
    slots = none_slot(definition) - (0 if "none" in numeric_columns(definition) else 1)
    key = ["observation", "slot"]

    def made(rows: pd.DataFrame) -> pd.DataFrame:
        every = pd.MultiIndex.from_product([rows["observation"].unique(), range(1, slots + 1)], names=key)
        full = rows.set_index(key).reindex(every)
        available = full["chosen"].notna().astype(int)
        same = full[["respondent", "simulated"]].groupby(level="observation").transform("max").astype(int)
        numbers = full[["chosen", *numeric_columns(definition)]].fillna(0)
        numbers = numbers.astype({name: int for name in numbers if name != "price"})
        return pd.concat([same, available.rename("available"), numbers], axis=1).reset_index()

    _write(source, file, "xlogit", "fit_xlogit.py", made)


def _write(
    source: Source, file: IO[bytes], layout: str, script: str, made: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    with archive(file) as zipped:
        zipped.put_tables(
            (("choices", made(rows)) for rows in coded_batches(source)),
            "csv",
            lambda _, content, __: CsvWriter(content),
        )
        put_notes(zipped, source, layout, script)
