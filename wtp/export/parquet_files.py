"""Parquet: every table typed, in a zip; each file says in its own metadata how many respondents are simulated."""

from __future__ import annotations

import json
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from wtp.export.archive import archive
from wtp.export.source import Source

METADATA = b"wtp"  # key of the file's metadata; its value is the JSON of `Source.facts`


class ParquetWriter:
    """One table in parts, each a row group. Text columns have a dictionary."""

    def __init__(self, file: IO[bytes], first: pd.DataFrame, facts: str) -> None:
        table = _arrow(first)
        self._schema = table.schema.with_metadata({**(table.schema.metadata or {}), METADATA: facts.encode()})
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, frame: pd.DataFrame) -> None:
        """The next rows."""
        if len(frame):
            self._writer.write_table(_arrow(frame).cast(self._schema))

    def close(self) -> None:
        """Write what stands at the end of the file."""
        self._writer.close()


def _arrow(frame: pd.DataFrame) -> pa.Table:
    """Categories become text, so that the parts of a table agree whatever words they hold."""
    plain = frame.assign(
        **{c: frame[c].astype("str") for c in frame.columns if isinstance(frame[c].dtype, pd.CategoricalDtype)}
    )
    return pa.Table.from_pandas(plain, preserve_index=False)


def write_parquet_zip(source: Source, file: IO[bytes]) -> None:
    """A Parquet file a table, the survey's definition and a README."""
    facts = json.dumps(source.facts())
    with archive(file) as made:
        made.put_tables(
            source.chunks(), "parquet", lambda _, content, first: ParquetWriter(content, first, facts), packed=True
        )
        made.put("survey.json", source.survey.definition.model_dump_json(indent=2))
        made.put("README.txt", source.about())
