"""SPSS: tables as .sav files in a zip, codes as numbers with value labels, texts in one language of the survey.

An empty cell of an answer is one of two codes: NO_ANSWER (the question was asked and left open) or NOT_ASKED, both declared missing. A variable whose own values reach down to these codes has system-missing values instead.
SPSS takes names of 64 bytes, variable labels of 256 and value labels of 120; longer ones end in an ellipsis, and the table `codebook` has them whole.
"""

from __future__ import annotations

import re
import tempfile
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyreadstat

from wtp.export.archive import archive
from wtp.export.codebook import OWN_TABLES, codebook
from wtp.export.frames import AnswerFrames
from wtp.export.source import Source

NO_ANSWER, NOT_ASKED = -99, -98
NAME_BYTES, LABEL_BYTES, VALUE_LABEL_BYTES, FILE_LABEL_BYTES = 64, 256, 120, 64
_MOST_ROWS = 1_000_000  # of a file, which the writer must hold in memory; the choices of more are in CSV and Parquet
_NOTE = 78  # characters a line
_RESERVED = {"all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with"}
_WORDS = {
    "de": {"simulated": "SIMULIERT", NO_ANSWER: "keine Angabe", NOT_ASKED: "nicht gefragt", 0: "nein", 1: "ja"},
    "en": {"simulated": "SIMULATED", NO_ANSWER: "no answer", NOT_ASKED: "not asked", 0: "no", 1: "yes"},
}


@dataclass(slots=True)
class _Variables:
    """What a .sav file says of its columns, by name in the file."""

    labels: dict[str, str | None] = field(default_factory=dict)
    values: dict[str, dict[float, str]] = field(default_factory=dict)
    missing: dict[str, list[Any]] = field(default_factory=dict)
    measures: dict[str, str] = field(default_factory=dict)


def write_sav_zip(source: Source, file: IO[bytes], language: str | None = None) -> None:
    """respondents.sav, choices.sav, and a file for each other table with rows; language: of the labels, by default the survey's first."""
    definition = source.survey.definition
    language = language if language in definition.languages else definition.languages[0]
    words = _WORDS.get(language, _WORDS["en"])
    book = codebook(definition)
    label = f"{words['simulated']}: " if source.simulated else ""
    with archive(file) as made, tempfile.TemporaryDirectory() as folder:
        too_long = []
        for name, frame, skipped in _tables(source):
            if not len(frame.columns) or (not len(frame) and name not in {"respondents", "choices"}):
                continue
            if len(frame) > _MOST_ROWS:
                too_long.append(f"{name}.sav is left out: {len(frame)} rows; take CSV or Parquet.\n")
                continue
            path = Path(folder) / "table.sav"
            data, about = _coded(name, frame, skipped, book, language, words)
            pyreadstat.write_sav(
                data,
                path,
                file_label=shortened(f"{label}{source.survey.slug} {name}", FILE_LABEL_BYTES),
                column_labels=about.labels,
                variable_value_labels=about.values,
                missing_ranges=about.missing,
                variable_measure=about.measures,
                note=[line for text in source.about().splitlines() for line in textwrap.wrap(text, _NOTE)],
                row_compress=True,
            )
            with path.open("rb") as content:
                made.put_file(f"{name}.sav", content)
        missing = f"Missing codes of answers: {NO_ANSWER} {words[NO_ANSWER]}, {NOT_ASKED} {words[NOT_ASKED]}; elsewhere system-missing.\n"
        made.put("README.txt", source.about() + missing + "".join(too_long))


def _tables(source: Source) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame | None]]:
    """Each table whole, that of respondents with the cells that were asked and left open."""
    made = AnswerFrames(source.survey.definition, source.left_out)
    parts = [(made.respondents(batch), made.skipped(batch)) for batch in ((), *source.batches())]
    yield "respondents", _joined(frame for frame, _ in parts), _joined(skipped for _, skipped in parts)
    del parts
    rows = 0
    choices = []
    for _, frame in source.answer_chunks("choices"):
        rows += len(frame)
        choices.append(frame if rows <= _MOST_ROWS else frame.iloc[:0])
    yield (
        "choices",
        _joined(choices) if rows <= _MOST_ROWS else pd.DataFrame({"respondent": np.empty(rows, dtype=np.int8)}),
        None,
    )
    for name, frame in source.small_tables().items():
        yield name, frame, None


def _joined(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(list(frames), ignore_index=True)


def _coded(
    table: str,
    frame: pd.DataFrame,
    skipped: pd.DataFrame | None,
    book: pd.DataFrame,
    language: str,
    words: Mapping[Any, str],
) -> tuple[pd.DataFrame, _Variables]:
    """The table as SPSS holds it: numbers, and text where there is no list of codes."""
    names = valid_names(frame.columns)
    about = _Variables()
    columns: dict[str, pd.Series] = {}
    own = book[book["table"] == (table if table in OWN_TABLES else "results")]
    texts, codes = own[own["code"] == ""], own[own["code"] != ""]
    labels = texts.groupby("column", sort=False)[language].agg(" – ".join)
    kinds = texts.drop_duplicates("column").set_index("column")["type"]
    meanings = {
        str(c): dict(zip(rows["code"], rows[language], strict=True)) for c, rows in codes.groupby("column", sort=False)
    }
    for column, values in frame.items():
        name, kind = names[str(column)], str(kinds.get(column, ""))
        about.labels[name] = shortened(str(labels.get(column, column)), LABEL_BYTES)
        meaning = meanings.get(str(column), {})
        numbers: Any
        if meaning and kind == "code":
            order = {code: float(number) for number, code in enumerate(meaning, 1)}
            numbers = values.astype(object).map(order).astype(float)
            about.values[name] = {order[code]: text for code, text in meaning.items()}
            about.measures[name] = "nominal"
        elif pd.api.types.is_bool_dtype(values) or kind == "0 or 1":
            numbers = values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
            about.values[name] = {0.0: meaning.get("0", words[0]), 1.0: meaning.get("1", words[1])}
            about.measures[name] = "nominal"
        elif pd.api.types.is_numeric_dtype(values):
            numbers = values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
            if meaning:
                about.values[name] = {float(code): text for code, text in meaning.items()}
            about.measures[name] = "ordinal" if meaning else "scale"
        elif pd.api.types.is_datetime64_any_dtype(values):
            columns[name] = values.dt.tz_convert(None).astype("datetime64[ns]")  # the writer counts nanoseconds
            continue
        else:
            columns[name] = values.astype(object).where(values.notna(), "").astype(str)
            about.measures[name] = "nominal"
            continue
        columns[name] = _with_missing(
            pd.Series(numbers),
            name,
            skipped[column] if skipped is not None and column in skipped else None,
            about,
            words,
        )
        if name in about.values:
            about.values[name] = {
                number: shortened(text, VALUE_LABEL_BYTES) for number, text in about.values[name].items()
            }
    return pd.DataFrame(columns), about


def _with_missing(
    numbers: pd.Series, name: str, skipped: pd.Series | None, about: _Variables, words: Mapping[Any, str]
) -> pd.Series:
    if skipped is None or (numbers <= NOT_ASKED).any():
        return numbers
    about.missing[name] = [float(NO_ANSWER), float(NOT_ASKED)]
    about.values[name] = {**about.values.get(name, {}), NO_ANSWER: words[NO_ANSWER], NOT_ASKED: words[NOT_ASKED]}
    return numbers.where(numbers.notna(), np.where(skipped, float(NO_ANSWER), float(NOT_ASKED)))


def valid_names(columns: Iterable[object]) -> dict[str, str]:
    """Column -> a name that SPSS takes: begins with a letter, letters, digits, points and underscores, at most 64 bytes, none twice whatever the case."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for column in map(str, columns):
        plain = re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9_.]", "_", column)).strip("_.")
        if not plain or not plain[0].isalpha() or plain.lower() in _RESERVED:
            plain = f"v_{plain}"
        name, number = plain[:NAME_BYTES].rstrip("_."), 1
        while name.lower() in taken:
            number += 1
            name = f"{plain[: NAME_BYTES - len(f'_{number}')]}_{number}"
        taken.add(name.lower())
        names[column] = name
    return names


def shortened(text: str, most: int) -> str:
    """The text in at most so many bytes of UTF-8, with an ellipsis where it is cut."""
    whole = " ".join(text.split())
    if len(whole.encode()) <= most:
        return whole
    return whole.encode()[: most - len("…".encode())].decode(errors="ignore").rstrip() + "…"
