"""Wide layouts, one row an observation, numbers only, with availabilities: apollo (R) and Biogeme (Python)."""

from __future__ import annotations

from typing import IO

import numpy as np
import pandas as pd

from wtp.export.archive import archive
from wtp.export.csv_files import CsvWriter
from wtp.export.layouts.coded import coded_batches, has_none, none_slot, numeric_columns, put_notes
from wtp.export.source import Source
from wtp.survey.definition import Definition


def write_apollo(source: Source, file: IO[bytes]) -> None:
    """apollo: ID, observation, choice, av_<slot>, <column>_<slot>."""
    _write(source, file, "apollo", "fit_apollo.R")


def write_biogeme(source: Source, file: IO[bytes]) -> None:
    """Biogeme: the same."""
    _write(source, file, "biogeme", "fit_biogeme.py")


def wide(rows: pd.DataFrame, definition: Definition) -> pd.DataFrame:
    """ID, simulated, observation, choice (the slot chosen), then for each slot av_<slot> and each column <column>_<slot>, 0 where it is not available."""
    slots = none_slot(definition) - (0 if has_none(definition) else 1)
    names = numeric_columns(definition)
    first = rows.drop_duplicates("observation")
    place = rows["observation"].to_numpy() - int(first["observation"].min() if len(first) else 0)
    cells = np.zeros((len(first), slots, len(names) + 1))
    at = (place, rows["slot"].to_numpy() - 1)
    cells[(*at, 0)] = 1
    for number, name in enumerate(names, 1):
        cells[(*at, number)] = rows[name].to_numpy()
    table = {
        "ID": first["respondent"].to_numpy(),
        "simulated": first["simulated"].to_numpy(),
        "observation": first["observation"].to_numpy(),
        "choice": rows.loc[rows["chosen"] == 1, "slot"].to_numpy(),
    }
    for slot in range(1, slots + 1):
        table[f"av_{slot}"] = cells[:, slot - 1, 0].astype(int)
        for number, name in enumerate(names, 1):
            values = cells[:, slot - 1, number]
            table[f"{name}_{slot}"] = values if name == "price" else values.astype(int)
    return pd.DataFrame(table)


def _write(source: Source, file: IO[bytes], layout: str, script: str) -> None:
    definition = source.survey.definition
    with archive(file) as made:
        made.put_tables(
            (("choices", wide(rows, definition)) for rows in coded_batches(source)),
            "csv",
            lambda _, content, __: CsvWriter(content),
        )
        put_notes(made, source, layout, script)
