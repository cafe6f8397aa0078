"""Drafts: kept as typed, laid over each other field by field, gone with their page, and no answer to anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, Study, together
from wtp.errors import DataError
from wtp.store import answers, drafts, tables
from wtp.store.drafts import LONGEST, Draft
from wtp.store.respondents import Interview


def keep(
    study: Study,
    person: Interview,
    fields: Mapping[str, Sequence[str]],
    *,
    page: str = "profile",
    revision: int = 0,
    sender: str = "",
    number: int = 0,
) -> None:
    with study.database.begin() as connection:
        answers.lock(connection, person.respondent_id)
        drafts.keep(
            connection, person.respondent_id, page, fields, revision=revision, now=NOW, sender=sender, number=number
        )


def kept(study: Study, person: Interview) -> dict[str, Draft]:
    with study.database.read() as connection:
        return drafts.of(connection, person.respondent_id)


def test_fields_are_laid_over_each_other_and_belong_to_one_page_and_person(study: Study) -> None:
    one, other = study.begin("a"), study.begin("b")
    keep(study, one, {"name": ["Ann"], "brands": ["x", "y"]})
    keep(study, one, {"brands": [], "text": ["ä\nß\u2028🎈"]})
    keep(study, one, {"name": ["elsewhere"]}, page="prices")
    keep(study, other, {"name": ["Ben"]})
    assert kept(study, one) == {
        "profile": Draft(0, {"name": ["Ann"], "brands": [], "text": ["ä\nß\u2028🎈"]}),
        "prices": Draft(0, {"name": ["elsewhere"]}),
    }
    assert kept(study, other) == {"profile": Draft(0, {"name": ["Ben"]})}


def test_a_draft_over_a_newer_page_forgets_the_older_one(study: Study) -> None:
    person = study.begin("a")
    keep(study, person, {"name": ["old"], "text": ["old"]})
    keep(study, person, {"name": ["new"]}, revision=1)
    assert kept(study, person) == {"profile": Draft(1, {"name": ["new"]})}


def test_what_arrives_late_from_the_same_window_is_left_out(study: Study) -> None:
    person = study.begin("a")
    for sender, number, words in (("w", 2, "new"), ("w", 1, "late"), ("w", 2, "again"), ("v", 1, "another window")):
        keep(study, person, {"name": [words]}, sender=sender, number=number)
        expected = words if sender == "v" else "new"
        assert kept(study, person)["profile"].fields == {"name": [expected]}


def test_drafts_are_dropped_by_page_or_all_at_once(study: Study) -> None:
    person, other = study.begin("a"), study.begin("b")
    for page in ("one", "two", "three"):
        keep(study, person, {"name": ["x"]}, page=page)
    keep(study, other, {"name": ["x"]}, page="one")
    with study.database.begin() as connection:
        drafts.drop(connection, person.respondent_id, "one")
    assert set(kept(study, person)) == {"two", "three"}
    with study.database.begin() as connection:
        drafts.drop(connection, person.respondent_id)
    assert kept(study, person) == {}
    assert set(kept(study, other)) == {"one"}


def test_a_draft_is_no_answer(study: Study) -> None:
    person = study.begin("a")
    before = study.read(), study.state()
    keep(study, person, {"name": ["x"]})
    assert (study.read(), study.state()) == before
    assert study.rows(tables.answer) == 0


@pytest.mark.parametrize("words", ["\0", "\ud800"])
def test_what_no_database_can_hold_is_refused(study: Study, words: str) -> None:
    person = study.begin("a")
    with pytest.raises(DataError, match="page profile: a character that is no text"):
        keep(study, person, {"name": [words]})
    assert kept(study, person) == {}


def test_a_draft_has_a_limit_over_all_its_fields(study: Study) -> None:
    person = study.begin("a")
    keep(study, person, {"one": ["x" * LONGEST]})
    with pytest.raises(DataError, match=f"a draft of {LONGEST + 1} characters; allowed: {LONGEST}; shorten"):
        keep(study, person, {"two": ["x"]})
    assert set(kept(study, person)["profile"].fields) == {"one"}


def test_a_draft_belongs_to_somebody(study: Study) -> None:
    with pytest.raises(sa.exc.IntegrityError), study.database.begin() as connection:
        drafts.keep(connection, 4711, "profile", {"name": ["x"]}, revision=0, now=NOW)


def test_twenty_windows_at_once_lose_no_field(study: Study) -> None:
    person = study.begin("a")
    together(20, lambda hand: keep(study, person, {f"field-{hand}": [str(hand)]}, sender=f"w{hand}", number=1))
    assert kept(study, person)["profile"].fields == {f"field-{hand}": [str(hand)] for hand in range(20)}
