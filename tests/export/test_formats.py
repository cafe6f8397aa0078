"""Parquet, SPSS, JSON and the workbook read back: every table, typed and labelled, simulated answers called so in rows and in the file itself."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyreadstat
import pytest

from tests.export.conftest import taken
from tests.export.test_files import FORMULAS, files_of, read
from tests.simulated import every_question, simulated
from tests.web.figures import handmade
from wtp.analysis import DRAWS, INDIVIDUAL, Analysis
from wtp.export import FORMATS, Source
from wtp.export.frames import AnswerFrames
from wtp.export.spss import LABEL_BYTES, NO_ANSWER, NOT_ASKED, VALUE_LABEL_BYTES, shortened, valid_names
from wtp.survey import Answers, Respondent, Survey

TABLES = {"respondents", "choices", "times", "design", "codebook", "levels"}


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return every_question(tmp_path_factory.mktemp("every"))


@pytest.fixture(scope="module")
def figures(survey: Survey) -> Analysis:
    """Figures made by hand, with tastes of single respondents."""
    own = pd.DataFrame({"respondent": [1, 3], "segment": ["cost", None], "simulated": [False, True], "stands_for": 1.0, "rlh": 0.6, "speed.five_days": 0.0, "speed.two_days": 0.7, "price_coefficient": -0.08})  # fmt: skip
    drawn = pd.DataFrame({"draw": [1, 1], "chain": [1, 1], "respondent": [1, 3], "simulated": [False, True], "speed.two_days": [0.6, 0.8]})  # fmt: skip
    return replace(handmade(survey), people={INDIVIDUAL: own, DRAWS: drawn})


def sav(content: bytes) -> tuple[pd.DataFrame, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.sav"
        path.write_bytes(content)
        return pyreadstat.read_sav(path, user_missing=True)


def test_parquet_keeps_every_type_and_says_in_its_metadata_what_is_simulated(
    survey: Survey, answers: Answers, figures: Analysis
) -> None:
    files = files_of(taken("parquet", survey, answers, figures))
    names = {name.removesuffix(".parquet") for name in files if name.endswith(".parquet")}
    assert names == TABLES | set(figures.tables) | {INDIVIDUAL, DRAWS}
    for name in names:
        about = json.loads(pq.read_schema(io.BytesIO(files[f"{name}.parquet"])).metadata[b"wtp"])
        assert (about["respondents"], about["simulated_respondents"]) == (3, 1), name
    tables = {name: pd.read_parquet(io.BytesIO(files[f"{name}.parquet"])) for name in names}
    made = AnswerFrames(survey.definition)
    pd.testing.assert_frame_equal(
        tables["choices"], made.choices(answers.respondents), check_dtype=False, check_categorical=False
    )
    people = tables["respondents"]
    assert people["simulated"].tolist() == [False, False, True]
    assert str(people["started_at"].dtype).startswith("datetime64")
    assert pd.api.types.is_float_dtype(people["price_sense.cheap"])
    assert pd.api.types.is_integer_dtype(people["importance.speed"])
    assert people["importance.speed"].isna().tolist() == [True, False, False]
    assert tables[INDIVIDUAL]["speed.two_days"].tolist() == [0.7, 0.7]
    assert tables["importance"]["importance"].tolist() == figures.tables["importance"]["importance"].tolist()


def test_spss_has_labels_of_variables_and_values_and_declared_missing_codes(survey: Survey, answers: Answers) -> None:
    file = io.BytesIO()
    FORMATS["sav"].write(Source.of(survey, answers), file, "de")
    files = files_of(file.getvalue())
    data, about = sav(files["respondents.sav"])
    definition = survey.definition
    asked = {question.id: question for question in definition.questions}
    assert about.column_names_to_labels["core_problem"] == asked["core_problem"].label["de"]
    labels = about.variable_value_labels["core_problem"]
    options = {option.id: option.label["de"] for option in asked["core_problem"].options}  # type: ignore[union-attr]
    assert labels == {**dict(enumerate(options.values(), 1)), NO_ANSWER: "keine Angabe", NOT_ASKED: "nicht gefragt"}
    assert data["core_problem"].tolist() == [
        NOT_ASKED,
        1 + list(options).index("cost"),
        1 + list(options).index("cost"),
    ]
    assert data["role"].tolist() == [NOT_ASKED, NO_ANSWER, NO_ANSWER], "left open is not the same as not asked"
    assert about.missing_ranges["role"] == [{"lo": code, "hi": code} for code in (NO_ANSWER, NOT_ASKED)]
    assert data["price_sense.cheap"].tolist() == [NOT_ASKED, 79.5, 79.5]
    assert str(data["started_at"].iloc[0]) == "2026-11-01 09:00:00"
    assert about.file_label.startswith("SIMULIERT")
    assert any("SIMULATED ANSWERS" in note for note in about.notes)
    assert data["simulated"].tolist() == [0, 0, 1]
    choices, about = sav(files["choices.sav"])
    speed = definition.attribute("speed")
    assert about.variable_value_labels["speed"] == {n: level.label["de"] for n, level in enumerate(speed.levels, 1)}
    shown = [a.levels["speed"] for r in answers.respondents for c in r.choices for a in c.task.alternatives]
    assert choices["speed"].map(dict(enumerate(speed.level_ids, 1))).tolist() == shown
    assert choices["simulated"].sum() == len(answers.respondents[2].choices) * 3


def test_a_value_as_low_as_a_missing_code_keeps_its_variable_free_of_such_codes(every: Survey) -> None:
    answers = simulated(every, 4)
    number = next(q.id for q in every.definition.questions if q.type == "number")
    people = [replace(r, answers={**r.answers, number: value}) for r, value in zip(answers.respondents, (-99.0, 5.0, None, 7.0), strict=True)]  # fmt: skip
    data, about = sav(files_of(taken("sav", every, replace(answers, respondents=tuple(people))))["respondents.sav"])
    assert number not in about.missing_ranges
    assert data[number].fillna(0).tolist() == [-99, 5, 0, 7]


def test_spss_takes_every_question_with_umlauts_and_long_labels(every: Survey) -> None:
    long = "Fähigkeit, auch über Nacht größere Störungen zu beheben, " * 6
    question = next(q for q in every.definition.questions if q.type == "single_choice")
    options = tuple(option.model_copy(update={"label": dict.fromkeys(option.label, f"{n} {long}")}) for n, option in enumerate(question.options))  # type: ignore[union-attr]  # fmt: skip
    changed = question.model_copy(update={"label": dict.fromkeys(question.label, long), "options": options})
    pages = tuple(
        page.model_copy(update={"questions": tuple(changed if q.id == question.id else q for q in page.questions)})  # type: ignore[union-attr]
        if question in getattr(page, "questions", ())
        else page
        for page in every.definition.pages
    )
    survey = replace(every, definition=every.definition.model_copy(update={"pages": pages}))
    answers = simulated(every, 5)
    data, about = sav(files_of(taken("sav", survey, answers))["respondents.sav"])
    assert len(data) == 5
    label, first = about.column_names_to_labels[question.id], about.variable_value_labels[question.id][1.0]
    assert label.startswith("Fähigkeit, auch über Nacht größere")
    assert label.endswith("…")
    assert len(label.encode()) <= LABEL_BYTES
    assert first.startswith("0 Fähigkeit, auch über")
    assert first.endswith("…")
    assert len(first.encode()) <= VALUE_LABEL_BYTES
    wide = AnswerFrames(survey.definition).respondents(answers.respondents)
    assert len(data.columns) == len(wide.columns), "no variable is lost"


def test_names_are_valid_for_spss_and_no_two_alike() -> None:
    columns = [
        "choice-1.buys",
        "choice_1.buys",
        "Größe",
        "GR_E",
        "1st",
        "all",
        "speed[a -> b]",
        "x" * 80,
        "x" * 90,
        "end.",
        "",
    ]
    names = valid_names(columns)
    assert list(names) == columns
    taken_names = [name.lower() for name in names.values()]
    assert len(set(taken_names)) == len(columns)
    for name in names.values():
        assert name[0].isalpha()
        assert name.isascii()
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")
        assert len(name) <= 64
        assert name[-1] not in "."
        assert name.lower() != "all"
    assert shortened("ä" * 10, 12) == "ä" * 4 + "…"


def test_json_holds_survey_answers_and_tables(survey: Survey, answers: Answers, figures: Analysis) -> None:
    study = json.loads(taken("json", survey, answers, figures))
    assert (study["format"], study["version"]) == ("wtp study", 1)
    assert (study["about"]["respondents"], study["about"]["simulated_respondents"]) == (3, 1)
    assert survey.definition.model_validate(study["survey"]) == survey.definition
    assert set(study["tables"]) == TABLES | set(figures.tables) | {INDIVIDUAL, DRAWS}
    for name, table in study["tables"].items():
        assert all(len(row) == len(table["columns"]) for row in table["rows"]), name
    choices = study["tables"]["choices"]
    assert choices["columns"]["chosen"] == "integer"
    assert choices["columns"]["price"] == "number"
    again = pd.DataFrame(choices["rows"], columns=list(choices["columns"]), dtype=object)
    made = AnswerFrames(survey.definition).choices(answers.respondents).astype(object)
    assert again.values.tolist() == made.where(made.notna(), None).values.tolist()
    people = study["tables"]["respondents"]
    rows = [dict(zip(people["columns"], row, strict=True)) for row in people["rows"]]
    assert [row["simulated"] for row in rows] == [False, False, True]
    assert (rows[0]["completed_at"], rows[1]["completed_at"]) == (None, "2026-11-01T09:12:30Z")
    estimates = study["tables"]["price_limit"]
    place = list(estimates["columns"]).index("estimate")
    assert [row[place] for row in estimates["rows"]][2] is None, "withheld"


def test_the_workbook_is_formatted_and_draws_what_is_not_withheld(
    survey: Survey, answers: Answers, figures: Analysis
) -> None:
    file = io.BytesIO()
    FORMATS["xlsx"].write(Source.of(survey, answers, figures), file, "de")
    book = openpyxl.load_workbook(file)
    for name in set(book.sheetnames) - {"about", "charts"}:
        assert book[name].freeze_panes == "A2", name
    assert DRAWS not in book.sheetnames
    assert any(DRAWS in str(cell.value) for cell in book["about"]["A"])
    limits = book["price_limit"]
    heads = {cell.value: cell.column for cell in limits[1]}
    assert limits.cell(4, heads["estimate"]).value is None, "withheld"
    people = book["respondents"]
    heads = {cell.value: cell.column for cell in people[1]}
    assert people.cell(2, heads["started_at"]).number_format == "yyyy-mm-dd hh:mm:ss"
    assert people.cell(3, heads["price_sense.cheap"]).number_format == "#,##0.00"
    assert people.column_dimensions["F"].width > 12
    sheet = book["charts"]
    rows = {row[0]: row[1:4] for row in sheet.iter_rows(min_row=2, max_col=4, values_only=True)}
    speed = survey.definition.attribute("speed")
    worth = figures.tables["willingness_to_pay"].query("segment == 'all' and to_level == 'same_day'").iloc[0]
    step = rows[f"{speed.label['de']}: {speed.level('same_day').label['de']}"]
    assert step == pytest.approx(
        (worth["estimate"], worth["estimate"] - worth["low"], worth["high"] - worth["estimate"])
    )
    assert "Alle" in rows
    assert survey.definition.segments[1].label["de"] not in rows, "its limit is withheld"
    with zipfile.ZipFile(file) as parts:
        charts = [parts.read(name).decode() for name in parts.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 3
    for chart in charts:
        assert "<c:errBars>" in chart
        assert "simulierte Antworten" in chart
        assert "90%-Intervall" in chart
    one = replace(figures, people={})
    assert b"wtp analyse" in files_of(taken("csv", survey, answers, one))["README.txt"]


@pytest.mark.parametrize("name", ["parquet", "sav", "json"])
def test_files_for_statistics_keep_words_as_they_were_said(every: Survey, name: str) -> None:
    answers = simulated(every, len(FORMULAS))
    text = next(q.id for q in every.definition.questions if q.type == "text")
    said = tuple(replace(r, answers={**r.answers, text: word}) for r, word in zip(answers.respondents, FORMULAS, strict=True))  # fmt: skip
    content = taken(name, every, replace(answers, respondents=said))
    if name == "json":
        table = json.loads(content)["tables"]["respondents"]
        found = pd.DataFrame(table["rows"], columns=list(table["columns"]))[text]
    elif name == "parquet":
        found = pd.read_parquet(io.BytesIO(files_of(content)["respondents.parquet"]))[text]
    else:
        found = sav(files_of(content)["respondents.sav"])[0][text]
    assert found.tolist() == list(FORMULAS)


def test_tables_of_any_number_of_respondents_come_in_parts(survey: Survey) -> None:
    """Batches are asked for one after the other, and each is written before the next is made: nothing waits in memory for the last."""
    people = simulated(survey, 6).respondents
    asked: list[int] = []
    alive: list[int] = []

    class Batch(list[Respondent]):
        def __del__(self) -> None:
            alive.remove(id(self))

    def batches() -> Iterator[Sequence[Respondent]]:
        for first in (0, 2, 4):
            batch = Batch(people[first : first + 2])
            alive.append(id(batch))
            asked.append(len(alive))
            yield batch
            del batch

    source = Source(survey, batches, len(people), len(people))
    whole = Source.of(survey, Answers(survey.slug, people, ""))
    for name in set(FORMATS) - {
        "sav",
        "notebook",
    }:  # SPSS files are written from whole tables, the notebook has figures
        asked.clear()
        parted, at_once = io.BytesIO(), io.BytesIO()
        FORMATS[name].write(source, parted, None)
        FORMATS[name].write(whole, at_once, None)
        assert max(asked) <= 2, name
        if name not in {"xlsx", "parquet"}:  # which hold a time, or a row group a part
            assert parted.getvalue() == at_once.getvalue(), name
    choices = io.BytesIO()
    FORMATS["choices"].write(source, choices, None)
    assert len(read(choices.getvalue())) == 6 * 13 * 3


def test_left_out_respondents_are_marked_and_not_in_the_choice_data_of_others(
    survey: Survey, answers: Answers, figures: Analysis
) -> None:
    without = replace(figures, request=replace(figures.request, without=(2,)))
    files = files_of(taken("csv", survey, answers, without))
    assert read(files["respondents.csv"])["left_out"].tolist() == [False, True, False]
    assert b"Left out of all figures: 1" in files["README.txt"]
    assert set(read(files_of(taken("logitr", survey, answers, without))["choices.csv"])["id"]) == {1, 3}
