"""Contacts from files: encodings, words or codes, and every problem with its row."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from wtp.imports import CheckedContacts, check_contacts, read_file
from wtp.survey import Survey
from wtp.survey.contacts import contact_codes

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HEADING = (
    "happened_at,channel,reason,question,reported,mattered_most,impression,core_problem,remedy,solved,customer,minutes"
)
GOOD = "2026-05-31,phone,fault,when_here,It stands still,speed,2,downtime,technician,no,K-17,12"


def check(survey: Survey, text: str, encoding: str = "utf-8") -> CheckedContacts:
    codes = contact_codes(survey.definition)
    assert codes is not None
    return check_contacts(codes, read_file(text.encode(encoding), "calls.csv"), now=NOW)


def problems(found: CheckedContacts) -> list[tuple[str, int, str]]:
    return [(problem.code, problem.row, problem.column) for problem in found.problems]


def test_every_column_is_read(survey: Survey) -> None:
    found = check(survey, f"{HEADING}\n{GOOD}\n")
    assert (found.errors, found.customers) == (0, 1)
    (row,) = found.rows
    assert row.pop("happened_at") == datetime(2026, 5, 31).astimezone(UTC)
    assert row == {
        "channel": "phone", "reason": "fault", "question": "when_here", "reported": "It stands still", "mattered_most": "speed", "impression": 2,
        "core_problem": "downtime", "remedy": "technician", "solved": False, "customer": "K-17", "minutes": 12,
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_words_stand_for_codes_in_every_language_and_encoding(survey: Survey, encoding: str) -> None:
    text = "Happened_At;CHANNEL;reason;core_problem;mattered_most;solved;customer\n31.05.2026 14:30;telefon;Eine Störung ist zu beheben;Our purchasing costs must come down;Preis;ja;Müller & Söhne\n"
    found = check(survey, text, encoding)
    assert found.problems == ()
    (row,) = found.rows
    assert (row["channel"], row["reason"], row["core_problem"]) == ("phone", "fault", "cost")
    assert (row["mattered_most"], row["solved"], row["customer"]) == ("price", True, "Müller & Söhne")
    assert (row["question"], row["reported"], row["minutes"]) == (None, "", None)


@pytest.mark.parametrize(
    ("time", "meant"),
    [
        ("2026-05-31", datetime(2026, 5, 31)),
        ("2026-05-31 14:30", datetime(2026, 5, 31, 14, 30)),
        ("31.5.2026 9:05", datetime(2026, 5, 31, 9, 5)),
        ("2026-05-31T14:30:00", datetime(2026, 5, 31, 14, 30)),
        ("2026-05-31T14:30+02:00", datetime(2026, 5, 31, 12, 30, tzinfo=UTC)),
        ("2026-05-31T14:30:00Z", datetime(2026, 5, 31, 14, 30, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_one_way_only(survey: Survey, time: str, meant: datetime) -> None:
    (row,) = check(survey, f"happened_at,channel,reason\n{time},phone,fault\n").rows
    assert row["happened_at"] == meant.astimezone(UTC)


def test_each_problem_names_its_row_what_was_found_and_what_is_allowed(survey: Survey) -> None:
    bad = [
        GOOD.replace("2026-05-31", "05/06/2026"),
        GOOD.replace("2026-05-31", "2027-01-01"),
        GOOD.replace("2026-05-31", ""),
        GOOD.replace("phone", "smoke"),
        GOOD.replace("fault", ""),
        GOOD.replace(",2,", ",6,"),
        GOOD.replace(",12", ",1.5"),
        GOOD.replace(",no,", ",maybe,"),
        GOOD.replace("K-17", "x" * 81),
        GOOD.replace("It stands still", "x" * 2001),
    ]
    found = check(survey, "\n".join([HEADING, GOOD, *bad]))
    assert problems(found) == [
        ("date_unreadable", 3, "happened_at"),
        ("date_outside", 4, "happened_at"),
        ("missing_value", 5, "happened_at"),
        ("unknown_code", 6, "channel"),
        ("missing_value", 7, "reason"),
        ("number_outside", 8, "impression"),
        ("number_outside", 9, "minutes"),
        ("truth_unreadable", 10, "solved"),
        ("text_long", 11, "customer"),
        ("text_long", 12, "reported"),
    ]
    assert found.rows == (), "all or nothing"
    said = str(found.problems[3])
    assert said == "row 6, channel: This is none of the codes of the study. found 'smoke'; allowed: phone, mail, visit, portal; Mend the cell, or add the code to the study first."  # fmt: skip


def test_missing_columns_keep_a_file_out_and_unknown_ones_are_told(survey: Survey) -> None:
    missing = check(survey, "happened_at,channel,note\n2026-05-31,phone,x\n")
    assert problems(missing) == [("missing_column", 0, "reason"), ("unknown_column", 0, "note")]
    unknown = check(survey, "happened_at,channel,reason,note\n2026-05-31,phone,fault,x\n")
    assert (unknown.errors, len(unknown.rows), problems(unknown)) == (0, 1, [("unknown_column", 0, "note")])


def test_the_same_mistake_is_told_once_with_how_often(survey: Survey) -> None:
    found = check(survey, "happened_at,channel,reason\n" + "2026-05-31,smoke,fault\n" * 50)
    (kind,) = found.gathered
    assert (kind.count, kind.row, found.errors) == (50, 2, 50)
