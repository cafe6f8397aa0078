"""The study as one JSON file, for programs: what was asked, what was answered, and every table.

    {"format": "wtp study", "version": 1, "about": {...}, "survey": {...}, "summaries": {segment: text}, "notes": [...],
     "tables": {name: {"columns": {column: type}, "rows": [[cell, ...], ...]}}}

`about` is `Source.facts`: study, hashes of definition, design and answers, respondents, how many of them are simulated or left out, currency, seed, confidence. `survey` is the definition, as `survey.toml` has it. Types: integer, number, boolean, string,
time (ISO 8601, UTC). A missing cell is null. The table `codebook` says what each column and code means.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from typing import IO, Any

import pandas as pd

from wtp.export.source import Source

FORMAT, VERSION = "wtp study", 1


def write_json(source: Source, file: IO[bytes]) -> None:
    """The whole file, its tables in parts."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "about": source.facts(),
        "survey": source.survey.definition.model_dump(mode="json"),
    }
    if source.analysis:
        notes = [
            {"code": n.code, "severity": n.severity, "segment": n.segment, "text": str(n)}
            for n in source.analysis.notes
        ]
        head |= {"summaries": dict(source.analysis.summaries), "notes": notes}
    with ExitStack() as stack:
        columns: dict[str, dict[str, str]] = {}
        rows: dict[str, IO[bytes]] = {}
        for name, frame in source.chunks():
            if name not in columns:
                columns[name] = {str(column): _type(dtype) for column, dtype in frame.dtypes.items()}
                rows[name] = stack.enter_context(tempfile.SpooledTemporaryFile(1_000_000))
            text = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in _cells(frame))
            between = b",\n" if text and rows[name].tell() else b""
            rows[name].write(between + text.encode())
        file.write(json.dumps(head, ensure_ascii=False, allow_nan=False).encode()[:-1] + b',\n"tables": {')
        for place, (name, content) in enumerate(rows.items()):
            start = f'{json.dumps(name)}: {{"columns": {json.dumps(columns[name], ensure_ascii=False)}, "rows": [\n'
            file.write((",\n" if place else "\n").encode() + start.encode())
            content.seek(0)
            while part := content.read(1 << 20):
                file.write(part)
            file.write(b"]}")
        file.write(b"}}\n")


def _type(dtype: Any) -> str:
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if pd.api.types.is_integer_dtype(dtype):
        return "integer"
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    return "time" if pd.api.types.is_datetime64_any_dtype(dtype) else "string"


def _cells(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    plain = frame.copy()
    for column, dtype in frame.dtypes.items():
        if _type(dtype) == "time":
            plain[column] = frame[column].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    values = plain.astype(object).where(plain.notna(), None)
    return list(zip(*(values[column].tolist() for column in values.columns), strict=True))
