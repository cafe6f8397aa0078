"""The codebook against what is really exported: each column of each table, its type, and where cells may be empty."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.web.figures import handmade
from wtp.export.codebook import codebook
from wtp.export.frames import choices_frame, respondents_frame
from wtp.survey import Answers, Survey

TYPES = {"whole number", "number", "true or false", "0 or 1", "code", "text", "time", "money", "share", "per cent"}


@pytest.fixture(scope="module")
def book(survey: Survey) -> pd.DataFrame:
    return codebook(survey.definition)


def test_every_column_of_the_results_is_named(survey: Survey, book: pd.DataFrame) -> None:
    named = set(book.loc[book["table"] == "results", "column"])
    exported = {column for table in handmade(survey).tables.values() for column in table.columns}
    assert exported <= named
    segments = book[(book["table"] == "results") & (book["column"] == "segment") & (book["code"] != "")]
    assert segments.set_index("code")["de"].to_dict() == {s.id: s.label["de"] for s in survey.definition.segments}


def test_types_are_those_of_the_cells(survey: Survey, answers: Answers, book: pd.DataFrame) -> None:
    assert set(book["type"]) <= TYPES
    for table, frame in {
        "respondents": respondents_frame(survey.definition, answers),
        "choices": choices_frame(survey.definition, answers),
    }.items():
        for row in book[(book["table"] == table) & (book["code"] == "")].itertuples():
            column = frame[row.column]
            numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
            if column.notna().any():
                assert numeric == (row.type in {"whole number", "number", "0 or 1", "money"}), row.column
            if row.type == "whole number":
                assert (column.dropna() % 1 == 0).all()
            assert row.missing == "empty cell" or column.notna().all(), f"{table}.{row.column} may be empty"
