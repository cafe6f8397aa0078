"""The dry run names every problem by its row, and keeps the file out; what is only worth knowing does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.imports.conftest import HEADING, OFFER, as_csv, plain_rows
from tests.imports.make_files import HERE
from wtp.imports import Checked, check, guess, problems_frame, read_file, read_path
from wtp.survey import Survey

Tried = Callable[..., Checked]
AT = {name: place for place, name in enumerate(HEADING)}


def changed(row: int, column: str, value: object) -> list[list[object]]:
    """A right file with one other cell; rows count from 1 as in the file."""
    rows = plain_rows()
    rows[row - 1][AT[column]] = value
    return rows


def named(found: Checked) -> list[tuple[str, int, str, str]]:
    return [(p.code, p.row, p.column, p.found) for p in found.problems]


def test_a_right_file_has_no_problem(tried: Tried) -> None:
    found = tried(plain_rows())
    assert (named(found), len(found.people), found.choices, found.errors) == ([], 2, 4, 0)
    assert [c.buys for _, person in found.people for c in person.choices] == [True] * 4


@pytest.mark.parametrize(
    ("row", "column", "value", "code", "found"),
    [
        (3, "speed", "tomorrow", "unknown_level", "tomorrow"),
        (3, "brand", "", "missing_level", ""),
        (4, "price", "about 90", "price_unreadable", "about 90"),
        (4, "price", "131", "price_outside", "131"),
        (4, "price", "85.5", "price_between", "85.5"),
        (5, "respondent", "", "missing_respondent", ""),
        (5, "respondent", "x" * 201, "long_respondent", "x" * 79 + "…"),
        (5, "choice_task", "", "missing_task", ""),
        (6, "chosen", "perhaps", "chosen_unreadable", "perhaps"),
        (7, "buys", "perhaps", "buys_unreadable", "perhaps"),
    ],
)
def test_a_wrong_cell_is_named_with_row_and_column(
    row: int, column: str, value: str, code: str, found: str, tried: Tried
) -> None:
    result = tried(changed(row, column, value))
    assert (code, row, column, found) in named(result)
    assert result.errors > 0
    text = str(next(p for p in result.problems if p.code == code))
    assert text.startswith(f"row {row}, {column}: "), text


def test_what_is_chosen_must_be_one(tried: Tried) -> None:
    rows = plain_rows()
    rows[2][AT["chosen"]] = 0  # the one chosen in the first task
    rows[4][AT["chosen"]] = 1  # a second one in the second task
    assert named(tried(rows)) == [("none_chosen", 2, "chosen", ""), ("several_chosen", 5, "chosen", "2 in task 2")]


def test_doubles_and_sizes(tried: Tried, survey: Survey) -> None:
    twice = changed(3, "alternative", 1)
    assert ("same_alternative", 2, "alternative", "task 1") in named(tried(twice))
    one = plain_rows()
    del one[1], one[2]
    assert ("too_few", 2, "", "1 in task 1") in named(tried(one))
    many = plain_rows()
    many.insert(4, ["p1", 1, 4, *OFFER, 0, 1])
    assert ("too_many", 2, "", "4 in task 1") in named(tried(many))
    two = plain_rows()
    del two[1]
    found = tried(two)
    assert [(p.code, p.severity, p.found) for p in found.problems] == [("sizes_differ", "note", "2, 3")]
    assert (found.errors, found.choices) == (0, 4)
    again = plain_rows()
    again += [list(row) for row in again[1:4]]
    codes = [p.code for p in tried(again).problems]
    assert "several_chosen" in codes
    assert "same_alternative" in codes


def test_none_options(tried: Tried, without_none: Survey) -> None:
    none: list[object] = ["p1", 1, 4, *[""] * len(OFFER), 0, ""]
    rows = plain_rows()
    rows.insert(4, none)
    found = tried(rows, buys="buys")
    assert found.errors == 0
    first = found.people[0][1].choices[0]
    assert first.task.has_none
    assert first.task.alternatives[-1].is_none
    assert [c.task.has_none for c in found.people[0][1].choices] == [True, False]
    rows.insert(4, none)
    assert ("several_none", 2, "", "2 in task 1") in named(tried(rows))
    codes = {p.code for p in tried(rows, without_none, buys="").problems}
    assert "none_not_asked" in codes
    assert tried(plain_rows(), without_none).errors == 0
    silent = tried(plain_rows(), buys="")
    assert [(p.code, p.row, p.count) for p in silent.problems] == [("buying_unknown", 2, 4)]


def test_nothing_chosen_may_mean_none_of_these(tried: Tried) -> None:
    rows = plain_rows()
    rows[2][AT["chosen"]] = 0
    found = tried(rows, none_option=True, buys="")
    assert found.errors == 0
    assert [c.picked.is_none for c in found.people[0][1].choices] == [True, False]
    assert [c.would_buy for c in found.people[0][1].choices] == [False, True]


def test_the_number_of_the_chosen_alternative(tried: Tried) -> None:
    rows = plain_rows()
    for row in rows[1:]:
        row[AT["chosen"]] = 2
    rows[1][AT["chosen"]] = rows[2][AT["chosen"]] = ""
    assert [c.chosen for c in tried(rows).people[0][1].choices] == [2, 2], "said on any row of the task"
    rows[3][AT["chosen"]] = 7
    assert ("chosen_unreadable", 2, "chosen", "7") in named(tried(rows))
    rows[3][AT["chosen"]] = "C"
    assert tried(rows, chosen_is="number").people[0][1].choices[0].chosen == 3


def test_attributes_without_a_column(tried: Tried) -> None:
    rows = [[cell for at, cell in enumerate(row) if at != AT["brand"]] for row in plain_rows()]
    found = tried(rows)
    assert named(found)[0] == ("no_column", 0, "brand", "")
    assert not found.people


def test_numbers_that_can_be_read_in_two_ways_are_asked_about(survey: Survey, tried: Tried) -> None:
    rows = changed(2, "price", "1.234")
    for row in rows[1:]:
        row[AT["price"]] = "1.234"
    file = read_file(as_csv(rows), "x.csv")
    assert guess(file, survey.definition).decimal == ""
    assert {p.code for p in tried(rows).problems} == {"price_ambiguous"}
    assert {p.code for p in tried(rows, decimal=",").problems} == {"price_outside"}, "one thousand"
    assert {p.code for p in tried(rows, decimal=".").problems} == {"price_outside"}, "one and a quarter"


def test_values_may_be_said_to_mean_a_level(tried: Tried) -> None:
    found = tried(changed(3, "speed", "tomorrow"), levels={"speed": {"tomorrow": "same_day"}})
    assert found.errors == 0
    assert found.people[0][1].choices[0].task.alternatives[1].levels["speed"] == "same_day"


def test_numbers_are_codes_only_where_nothing_has_a_name(tried: Tried) -> None:
    coded = plain_rows()
    for row in coded[1:]:
        row[AT["speed"]] = 3
    found = tried(coded)
    assert {a.levels["speed"] for a in found.people[0][1].choices[0].task.alternatives} == {"same_day"}
    coded[1][AT["speed"]] = 4
    assert named(tried(coded)) == [("unknown_level", 2, "speed", "4")]
    coded[1][AT["speed"]] = 0
    assert len(tried(coded).problems) == 12, "counted from 0, all of them would mean another level"


def test_who_is_here_already_stays_as_is(tried: Tried) -> None:
    found = tried(plain_rows(), known=("p1", "stranger"))
    assert [who for who, _ in found.people] == ["p2"]
    assert [(p.code, p.severity, p.count) for p in found.problems] == [("already_here", "note", 1)]
    everybody = tried(plain_rows(), known=("p1", "p2"))
    assert not everybody.people
    assert "nothing_new" in {p.code for p in everybody.problems}
    assert everybody.errors > 0


def test_answers_are_checked_like_those_of_the_pages(survey: Survey) -> None:
    def asked(*cells: tuple[str, object]) -> tuple[Checked, dict[str, Any]]:
        rows = [
            [*row, *(name if at == 0 else value for name, value in cells)] for at, row in enumerate(plain_rows(1, 1))
        ]
        file = read_file(as_csv(rows), "x.csv")
        found = check(survey, file, guess(file, survey.definition))
        return found, dict(found.people[0][1].answers) if found.people else {}

    _, right = asked(
        ("core_problem", "Our purchasing costs must come down"), ("employees", ""), ("importance.price", 7)
    )
    assert right["core_problem"] == "cost"
    assert right["employees"] is None
    assert right["importance"]["price"] == 7
    for cell, code in (
        (("core_problem", "money"), "option_unknown"),
        (("importance.price", 8), "answer_outside"),
        (("importance.price", "much"), "answer_unreadable"),
        (("price_sense.cheap", 80), "answer_partial"),
    ):
        found, _ = asked(cell)
        assert [(p.code, p.row, p.column) for p in found.problems if p.severity == "error"] == [(code, 2, cell[0])]
    rows = [
        [*row, "employees" if at == 0 else ("to_9", "to_49", "to_9")[at - 1]] for at, row in enumerate(plain_rows(1, 1))
    ]
    file = read_file(as_csv(rows), "x.csv")
    assert [p.code for p in check(survey, file, guess(file, survey.definition)).problems] == ["answers_differ"]


def test_equal_problems_are_gathered_and_listed_one_by_one_in_the_file(survey: Survey) -> None:
    file = read_path(HERE / "lighthouse.csv")
    mapping = guess(file, survey.definition)
    found = check(survey, file, mapping.model_copy(update={"levels": {"brand": {"3": "nothing"}}}))
    gathered = [p for p in found.gathered if p.code == "unknown_level"]
    every = problems_frame(found.problems)
    assert [(p.column, p.found, p.count) for p in gathered] == [("Att5", "3", len(every))]
    assert every["row"].is_monotonic_increasing
    assert set(every["remedy"]) == {"Say in the mapping which level it means, or mend the cell."}
