"""Each layout of other programs gives the same choices: those from which the files were made (`make_files.py`)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.imports.make_files import FILES, HERE, TASKS, content, tasks
from wtp.errors import DataError
from wtp.imports import check, guess, mapping_of, read_choices, read_file, read_path
from wtp.survey import Survey


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_those_that_are_made(name: str, survey: Survey) -> None:
    assert content(name) == FILES[name](survey)


@pytest.mark.parametrize("name", FILES)
def test_a_layout_gives_the_choices_that_were_made(name: str, survey: Survey) -> None:
    file = read_file(content(name), name)
    found = check(survey, file, guess(file, survey.definition))
    assert [str(problem) for problem in found.problems] == []
    numbered = name == "study.cho"  # it knows respondents by number alone
    wanted = [
        (str(int(task.person[-2:])) if numbered else task.person, task.number, task.chosen, task.offers)
        for task in tasks(survey)
    ]
    made = [
        (who, choice.task.number, choice.chosen, choice.task.offers)
        for who, person in found.people
        for choice in person.choices
    ]
    assert made == wanted
    for who, person in found.people:
        assert person.design_version == 0, who
        assert person.source == "import"
        assert all(choice.task.has_none and choice.buys is None for choice in person.choices), "none was an alternative"


def test_labels_commas_and_questions_of_a_german_file(survey: Survey) -> None:
    file = read_file(content("long_german.csv"), "long_german.csv")
    assert (file.encoding, file.delimiter) == ("windows-1252", ";")
    mapping = guess(file, survey.definition)
    assert mapping.decimal == ","
    found = check(survey, file, mapping.model_copy(update={"answers": {**mapping.answers, "core_problem": "Problem"}}))
    assert not found.problems
    answers = [person.answers for _, person in found.people]
    assert [one["core_problem"] for one in answers] == ["downtime", "cost", "growth", "cost", "downtime"]
    assert answers[0]["price_sense"] == {"too_cheap": 55.0, "cheap": 72.5, "expensive": 110.0, "too_expensive": 1250.0}


def test_three_head_rows_and_the_order_of_attributes_of_a_qualtrics_file(survey: Survey) -> None:
    file = read_path(HERE / "qualtrics.csv")
    assert (file.tables[0].heads, file.tables[0].rows[0]) == (3, 8), "a heading has line breaks within"
    mapping = guess(file, survey.definition)
    assert mapping.layout == "respondents"
    assert mapping.attributes["price"] == "F-{task}-{alternative}-price"
    found = check(survey, file, mapping)
    assert {person.language for _, person in found.people} == {"en"}
    assert found.people[1][1].answers == {"core_problem": "cost"}


def test_a_mapping_comes_back_from_its_file_as_it_was(survey: Survey) -> None:
    for name in FILES:
        mapping = guess(read_file(content(name), name), survey.definition)
        assert mapping_of(mapping.to_toml(), "map.toml") == mapping
        assert mapping_of(mapping.model_dump_json(), "map.json") == mapping
    with pytest.raises(DataError, match=r"map\.toml: colour: .*allowed"):
        mapping_of('colour = "red"', "map.toml")
    with pytest.raises(DataError, match=r"layout: .*allowed"):
        mapping_of('layout = "diagonal"', "map.toml")


def test_the_library_gives_one_long_frame(survey: Survey, tmp_path: Path) -> None:
    frame = read_choices(HERE / "lighthouse.csv", survey)
    assert len(frame) == 5 * TASKS * 4
    assert frame.groupby(["respondent", "choice_task"])["chosen"].sum().eq(1).all()
    nothing = frame[frame["none"] == 1]
    assert (nothing["price"] == 0).all()
    assert (nothing["brand"] == "new").all(), "the first level"
    same = read_choices(HERE / "qualtrics.csv", survey)
    pd.testing.assert_frame_equal(frame, same)
    bad = tmp_path / "bad.csv"
    bad.write_bytes((HERE / "lighthouse.csv").read_bytes().replace(b",Response", b",Respons"))
    with pytest.raises(DataError, match="The mapping has no column"):
        read_choices(bad, survey)
