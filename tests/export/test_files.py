"""What an analyst takes away reads back as it was, says what is simulated, and runs nothing in a spreadsheet."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from tests.export.conftest import FINISHED, STARTED, taken
from wtp.analysis import Analysis
from wtp.analysis.choice_frame import choice_frame
from wtp.cli import main
from wtp.design import assign
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.estimation.synthetic import choose, draw_respondents
from wtp.export import table_csv
from wtp.survey import Answers, Choice, Definition, Respondent, Survey, load_survey
from wtp.survey.questions import Rating, SingleChoice, VanWestendorp

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1")


def files_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def read(content: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), encoding="utf-8-sig")


def test_every_answer_reads_back(survey: Survey, answers: Answers, analysis: Analysis) -> None:
    frame = read(files_of(taken("csv", survey, answers, analysis))["respondents.csv"])
    assert frame["respondent"].tolist() == [1, 2, 3]
    assert frame["simulated"].tolist() == [False, False, True]
    assert frame["started_at"].tolist() == ["2026-11-01T09:00:00+00:00"] * 3
    assert frame["completed_at"].tolist()[1:] == ["2026-11-01T09:12:30+00:00"] * 2
    assert frame.loc[0, ["completed_at", "core_problem", "importance.speed", "price_sense.cheap"]].isna().all()
    assert frame.loc[1, ["core_problem", "importance.speed", "price_sense.cheap"]].tolist() == ["cost", 5, 79.5]
    assert frame["role"].isna().all(), "an answer that was left out is an empty cell"


def test_every_alternative_shown_reads_back_in_its_place(survey: Survey, answers: Answers) -> None:
    frame = read(taken("choices", survey, answers))
    alternatives = survey.definition.choice_tasks.alternatives
    assert len(frame) == sum(len(r.choices) for r in answers.respondents) * alternatives
    rows = iter(frame.to_dict("records"))
    for respondent in answers.respondents:
        for choice in respondent.choices:
            for position, alternative in enumerate(choice.task.alternatives, 1):
                row = next(rows)
                assert row["respondent"] == respondent.number
                assert row["simulated"] == respondent.simulated
                assert (row["choice_task"], row["kind"]) == (choice.task.number, choice.task.kind)
                assert (row["order"], row["position"]) == (choice.order, position)
                assert (row["alternative"], row["price"]) == (alternative.number, alternative.price)
                assert {a.id: row[a.id] for a in survey.definition.attributes} == alternative.levels
                assert row["chosen"] == (alternative.number == choice.chosen)
                assert (None if np.isnan(row["buys"]) else bool(row["buys"])) == choice.buys
                assert row["definition_hash"] == survey.definition_hash


def test_whole_numbers_stay_whole_where_cells_are_empty(survey: Survey, answers: Answers, analysis: Analysis) -> None:
    files = files_of(taken("csv", survey, answers, analysis))
    choices = pd.read_csv(io.BytesIO(files["choices.csv"]), encoding="utf-8-sig", dtype=str)
    assert set(choices["buys"].dropna()) == {"0", "1"}
    respondents = pd.read_csv(io.BytesIO(files["respondents.csv"]), encoding="utf-8-sig", dtype=str)
    assert set(respondents["importance.speed"].dropna()) == {"5"}


def test_every_file_and_sheet_says_what_is_simulated(survey: Survey, answers: Answers, analysis: Analysis) -> None:
    files = files_of(taken("csv", survey, answers, analysis))
    assert files["README.txt"].startswith(b"SIMULATED ANSWERS")
    assert "of them simulated: 1" in files["README.txt"].decode()
    book = openpyxl.load_workbook(io.BytesIO(taken("xlsx", survey, answers, analysis)))
    assert str(book["about"]["A2"].value).startswith("SIMULATED ANSWERS")
    tables = {name.removesuffix(".csv"): read(content) for name, content in files.items() if name.endswith(".csv")}
    without_answers = {"design", "codebook", "levels", "times"}
    assert set(tables) == {"respondents", "choices", "willingness_to_pay"} | without_answers
    assert set(book.sheetnames) == set(tables) | {"about"}
    for name in set(tables) - without_answers:
        label = tables[name].columns[tables[name].columns.str.startswith("simulated")]
        assert len(label) == 1, name
        heads = [cell.value for cell in book[name][1]]
        assert heads == tables[name].columns.tolist()
    assert tables["willingness_to_pay"]["simulated_respondents"].tolist() == [1, 1]


def test_without_simulated_answers_nothing_is_called_so(survey: Survey, answers: Answers, analysis: Analysis) -> None:
    real = Answers(answers.study, answers.respondents[:2], "hash of two")
    files = files_of(taken("csv", survey, real, analysis))
    assert b"SIMULATED" not in files["README.txt"]
    assert not read(files["respondents.csv"])["simulated"].any()


def test_costs_that_are_an_example_are_called_so(survey: Survey, answers: Answers, analysis: Analysis) -> None:
    assert b"Costs are illustrative" in files_of(taken("csv", survey, answers, analysis))["README.txt"]


def test_a_study_without_answers_has_its_columns(survey: Survey, analysis: Analysis) -> None:
    nobody = Answers(survey.slug, (), "hash of none")
    files = files_of(taken("csv", survey, nobody, analysis))
    assert {"respondent", "simulated", "core_problem"} <= set(read(files["respondents.csv"]).columns)
    assert {"respondent", "simulated", "chosen"} <= set(read(files["choices.csv"]).columns)
    assert openpyxl.load_workbook(io.BytesIO(taken("xlsx", survey, nobody, analysis)))["choices"].max_row == 1


def test_no_text_starts_a_formula() -> None:
    frame = pd.DataFrame({"=head": FORMULAS, "number": np.linspace(-5, 5, len(FORMULAS))})
    text = pd.read_csv(io.BytesIO(table_csv(frame)), encoding="utf-8-sig", dtype=str, lineterminator="\n")
    assert text.columns.tolist() == ["'=head", "number"]
    cells = text["'=head"].str.removeprefix("'")
    assert (text["'=head"].str[0] == "'").all()
    assert cells.str.replace("'", "").tolist() == list(FORMULAS)
    assert frame.columns.tolist() == ["=head", "number"], "the caller's frame is as it was"


def test_no_text_starts_a_formula_where_another_spreadsheet_parts_cells() -> None:
    frame = pd.DataFrame({"said": pd.Categorical(["good;=1+1", "a\n+2", "b;c", "x\t@SUM(A1)", "5;-3"])})
    said = read(table_csv(frame))["said"].tolist()
    assert said == ["good;'=1+1", "a\n'+2", "b;c", "x\t'@SUM(A1)", "5;'-3"]


def test_numbers_stay_numbers_and_ordinary_text_stays_as_it_is() -> None:
    frame = pd.DataFrame({"estimate": [-6.4, 1e-12], "count": [-3, 4], "text": ["a = b", "5-6"], "flag": [True, False]})
    assert table_csv(frame).decode("utf-8-sig") == "estimate,count,text,flag\n-6.4,-3,a = b,True\n1e-12,4,5-6,False\n"
    mixed = pd.DataFrame({"value": [-3, "-3", None]}, dtype=object)
    assert table_csv(mixed).decode("utf-8-sig") == 'value\n-3\n\'-3\n""\n'
    back = read(table_csv(pd.DataFrame({"x": [0.1 + 0.2, -1 / 3]})))
    assert back["x"].tolist() == [0.1 + 0.2, -1 / 3], "to the last digit"


def test_a_workbook_holds_no_formula_no_link_and_real_numbers(
    survey: Survey, answers: Answers, analysis: Analysis
) -> None:
    hostile = pd.DataFrame({"=1+1": [*FORMULAS, "https://example.org"], "estimate": -6.4})
    record = Analysis(survey.slug, survey.definition_hash, "", analysis.request, 3, 2, 1, "EUR", {"worth": hostile})
    content = taken("xlsx", survey, answers, record)
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", f"{sheet.title}!{cell.coordinate}: {cell.value}"
                assert cell.hyperlink is None
    sheet = book["worth"]
    assert sheet["A1"].value == "'=1+1"
    texts = [sheet.cell(row, 1).value for row in range(2, 2 + len(FORMULAS))]
    assert all(str(text).startswith("'") for text in texts), texts
    assert (sheet["B2"].value, sheet["B2"].data_type) == (-6.4, "n")
    assert (book["choices"].cell(2, 1).data_type, book["respondents"]["B2"].value) == ("n", False)
    assert b"<f>" not in b"".join(v for k, v in files_of(content).items() if k.startswith("xl/worksheets"))


def test_equal_answers_give_the_same_bytes(survey: Survey, answers: Answers, analysis: Analysis) -> None:
    again = Analysis.from_json(analysis.to_json())
    assert taken("csv", survey, answers, analysis) == taken("csv", survey, answers, again)
    fewer = Answers(answers.study, answers.respondents[:2], "other")
    assert taken("csv", survey, answers, analysis) != taken("csv", survey, fewer, analysis)


def test_design_and_definition_are_complete(survey: Survey, answers: Answers, analysis: Analysis) -> None:
    files = files_of(taken("csv", survey, answers, analysis))
    assert files["design.csv"] == (survey.folder / "design.csv").read_bytes()
    definition = Definition.model_validate_json(files["survey.json"])
    assert definition == survey.definition
    assert json.loads(files["survey.json"])["currency"] == "EUR"


def test_the_codebook_names_every_column_and_code(survey: Survey, answers: Answers, analysis: Analysis) -> None:
    files = files_of(taken("csv", survey, answers, analysis))
    book = read(files["codebook.csv"]).fillna("")
    for table in ("respondents", "choices"):
        named = set(book.loc[(book["table"] == table) & (book["code"] == ""), "column"])
        assert named == set(read(files[f"{table}.csv"]).columns), table
    texts = {language: book.groupby(["table", "column", "code"])[language].agg(list) for language in ("en", "de")}
    for attribute in survey.definition.attributes:
        for level in attribute.levels:
            for language, found in texts.items():
                assert found["choices", attribute.id, level.id] == [level.label[language]]
    for question in survey.definition.questions:
        if isinstance(question, SingleChoice):
            for option in question.options:
                assert texts["de"]["respondents", question.id, option.id] == [option.label["de"]]
        elif isinstance(question, Rating):
            low = texts["en"]["respondents", f"{question.id}.speed", str(question.scale.low)]
            assert low == [question.scale.low_label["en"]]
        else:
            assert isinstance(question, VanWestendorp)
            assert texts["en"]["respondents", f"{question.id}.cheap", ""] == [
                question.label["en"],
                question.cheap["en"],
            ]
    assert (book[["en", "de"]] != "").all(axis=None)


def test_wtp_estimate_reads_the_long_choices(survey: Survey, tmp_path: Path) -> None:
    """The file holds the choice between the alternatives; its likelihood is that block of the study's own, and the maximum."""
    assert survey.design is not None
    people = []
    for number, person in enumerate(draw_respondents(survey.definition, 60, 3), 1):
        rng = np.random.default_rng(number)
        tasks = assign(survey.design.versions[number], rng)
        choices = tuple(
            Choice(task, order, *choose(person, task, rng), number, survey.definition_hash, FINISHED)
            for order, task in enumerate(tasks, 1)
        )
        people.append(Respondent(number, True, "en", number, STARTED, FINISHED, {}, choices))
    frame = read(taken("choices", survey, Answers(survey.slug, tuple(people), "")))
    source, out = tmp_path / "choices.csv", tmp_path / "out"
    source.write_bytes(table_csv(frame[frame["kind"] == "estimation"]))
    terms = [attribute.id for attribute in survey.definition.attributes]
    result = CliRunner().invoke(
        main, ["estimate", str(source), "--formula", " + ".join([*terms, "price"]), "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    figures = json.loads((out / "estimates.json").read_text())

    own = choice_frame(survey.definition, people)
    plain = own[~own["choice_task"].str.endswith("purchase")]
    formula = " + ".join([*(f"`{term}`" for term in terms), "price"])
    fit = ConditionalLogit(ChoiceData.from_long(plain, formula=formula)).fit()
    assert figures["choice_tasks"] == 60 * survey.definition.choice_tasks.tasks
    assert figures["log_likelihood"] == pytest.approx(fit.llf, rel=1e-9)
    assert figures["log_likelihood"] > -60 * survey.definition.choice_tasks.tasks * np.log(3)


def test_every_shipped_survey_exports(survey: Survey, analysis: Analysis) -> None:
    for folder in sorted(path.parent for path in survey.folder.parent.glob("*/survey.toml")):
        other = load_survey(folder)
        nobody = Answers(other.slug, (), "")
        assert f"Study: {other.slug}," in files_of(taken("csv", other, nobody, analysis))["README.txt"].decode()
