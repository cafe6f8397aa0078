"""Decisions about respondents and the audit log: only added to, on both databases; a changed entry is found."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, SLUG, Study, together
from wtp.errors import DataError
from wtp.store import audit, decisions, results, tables
from wtp.store.decisions import KEEP, LEAVE_OUT, UNDECIDED


def decide(study: Study, numbers: list[int], decision: str, reason: str = "clicked through") -> None:
    with study.database.begin() as connection:
        decisions.decide(connection, SLUG, numbers, decision, reason=reason, made_by="ann", now=NOW)


def log(study: Study, reason: str, action: str = audit.OPENED_EARLY) -> None:
    with study.database.begin() as connection:
        audit.add(connection, SLUG, action, who="ann", reason=reason, now=NOW)


def test_the_last_decision_counts_and_none_is_lost(study: Study) -> None:
    people = [study.begin(f"token {n}").number for n in range(3)]
    decide(study, people[:2], LEAVE_OUT)
    decide(study, people[1:], KEEP, "called them")
    decide(study, people[:1], UNDECIDED, "")
    with study.database.read() as connection:
        now, before = decisions.current(connection, SLUG), decisions.history(connection, SLUG)
        assert decisions.left_out(connection, SLUG) == ()
    assert {number: made.decision for number, made in now.items()} == dict.fromkeys(people[1:], KEEP)
    assert [(made.respondent, made.decision) for made in before] == [
        (people[0], LEAVE_OUT), (people[1], LEAVE_OUT), (people[1], KEEP), (people[2], KEEP), (people[0], UNDECIDED),
    ]  # fmt: skip
    assert (now[people[1]].reason, now[people[1]].made_by, now[people[1]].made_at) == ("called them", "ann", NOW)
    decide(study, people, LEAVE_OUT)
    with study.database.read() as connection:
        assert decisions.left_out(connection, SLUG) == tuple(people)


@pytest.mark.parametrize(
    ("numbers", "decision", "reason", "said"),
    [
        ([1], "delete", "x", "allowed: keep, leave_out, undecided"),
        ([1], LEAVE_OUT, "  ", "reason: missing"),
        ([1], KEEP, "x" * 501, "501 characters"),
        ([1, 99], LEAVE_OUT, "x", "respondent 99: not in supplier"),
    ],
)
def test_a_wrong_decision_is_refused_whole(
    study: Study, numbers: list[int], decision: str, reason: str, said: str
) -> None:
    study.begin("token")
    with pytest.raises(DataError, match=said):
        decide(study, numbers, decision, reason)
    assert study.rows(tables.decision) == 0


def test_the_log_is_a_chain_that_shows_changes(study: Study) -> None:
    for reason in ("first", "second", "third"):
        log(study, reason)
    with study.database.read() as connection:
        found = audit.entries(connection, SLUG)
    assert [(e.number, e.who, e.reason) for e in found] == [
        (1, "ann", "first"),
        (2, "ann", "second"),
        (3, "ann", "third"),
    ]
    assert {entry.action for entry in found} == {audit.OPENED_EARLY}
    assert audit.first_broken(SLUG, found) is None
    assert audit.first_broken(SLUG, (found[0], found[2])) == 3
    assert audit.first_broken("other", found) == 1
    with study.database.begin() as connection:
        changed = sa.update(tables.audit).where(tables.audit.c.number == 2).values(who="ben")
        connection.execute(changed)
    with study.database.read() as connection:
        assert audit.first_broken(SLUG, audit.entries(connection, SLUG)) == 2


def test_an_entry_needs_a_reason(study: Study) -> None:
    for reason in ("", " \n ", "x" * 501, "nul\0"):
        with pytest.raises(DataError, match="reason"):
            log(study, reason)
    assert study.rows(tables.audit) == 0


def test_entries_at_once_follow_each_other(study: Study) -> None:
    together(6, lambda hand: log(study, f"hand {hand}"))
    with study.database.read() as connection:
        found = audit.entries(connection, SLUG)
    assert [entry.number for entry in found] == [1, 2, 3, 4, 5, 6]
    assert audit.first_broken(SLUG, found) is None


def test_the_last_result_of_a_kind(study: Study) -> None:
    with study.database.begin() as connection:
        for n, kind in enumerate((results.ANALYSIS, results.ANALYSIS, results.QUALITY)):
            results.save(connection, str(n), SLUG, f"content {n}", NOW + timedelta(minutes=n), kind)
    with study.database.read() as connection:
        assert results.latest(connection, SLUG) == ("content 1", NOW + timedelta(minutes=1))
        assert results.latest(connection, SLUG, results.QUALITY) == ("content 2", NOW + timedelta(minutes=2))
        assert results.latest(connection, "other") is None
