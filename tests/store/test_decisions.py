"""Decisions about respondents and the audit log: only added to, on both databases; a changed entry is found."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, SLUG, Study, together
from tests.unguarded import unguarded
from wtp.errors import DataError
from wtp.store import audit, decisions, deletion, results, studies, tables
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
        unguarded(connection)
        changed = sa.update(tables.audit).where(tables.audit.c.number == 2).values(who="ben")
        connection.execute(changed)
    with study.database.read() as connection:
        assert audit.first_broken(SLUG, audit.entries(connection, SLUG)) == 2


def test_a_check_goes_on_where_the_last_one_ended(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    chain = audit._chain
    monkeypatch.setattr(audit, "_chain", lambda *parts: [seen.append(parts[2]), chain(*parts)][1])
    checker = audit.Checker()

    def check(*, whole: bool = False) -> tuple[audit.Checked, list[int]]:
        seen.clear()
        with study.database.read() as connection:
            return checker.check(connection, SLUG, whole=whole), list(seen)

    def change(number: int, who: str) -> None:
        with study.database.begin() as connection:
            connection.execute(sa.update(tables.audit).where(tables.audit.c.number == number).values(who=who))

    assert check() == (audit.Checked(None, 1), [])
    for reason in ("first", "second", "third"):
        log(study, reason)
    assert check() == (audit.Checked(None, 1), [1, 2, 3])
    assert check() == (audit.Checked(None, 3), [])
    log(study, "fourth")
    assert check() == (audit.Checked(None, 3), [4])
    with study.database.begin() as connection:
        unguarded(connection)
    change(1, "ben")
    assert check() == (audit.Checked(None, 4), []), "what was checked is not checked at every view"
    assert check(whole=True)[0] == audit.Checked(1, 1)
    assert check()[0] == audit.Checked(1, 1), "what is broken stays so"
    change(1, "ann")
    assert check() == (audit.Checked(None, 1), [1, 2, 3, 4])
    log(study, "fifth")
    change(5, "ben")
    assert check()[0] == audit.Checked(5, 4), "what is new is checked"


@pytest.mark.parametrize(
    "change",
    [
        sa.delete(tables.audit).where(tables.audit.c.number > 1),
        sa.update(tables.audit).where(tables.audit.c.number == 3).values(who="ben"),
    ],
)
def test_a_check_begins_anew_if_the_log_is_another_one(study: Study, change: sa.Executable) -> None:
    """As after a restore, which brings an earlier log back, and after a change of the very entry."""
    for reason in ("first", "second", "third"):
        log(study, reason)
    checker = audit.Checker()
    with study.database.read() as connection:
        checker.check(connection, SLUG)
    with study.database.begin() as connection:
        unguarded(connection)
        connection.execute(change)
    log(study, "another one")
    log(study, "and one more")
    with study.database.read() as connection:
        whole = audit.first_broken(SLUG, audit.entries(connection, SLUG))
        assert checker.check(connection, SLUG) == audit.Checked(whole, 1)


@pytest.mark.parametrize(
    "change",
    [
        sa.update(tables.audit).values(who="ben"),
        sa.update(tables.audit).where(tables.audit.c.number == 1).values(chain="0" * 64),
        sa.delete(tables.audit),
        sa.delete(tables.audit).where(tables.audit.c.number == 2),
    ],
)
def test_the_database_refuses_to_change_or_delete_an_entry(study: Study, change: sa.Executable) -> None:
    for reason in ("first", "second"):
        log(study, reason)
    with study.database.read() as connection:
        before = audit.entries(connection, SLUG)
    with pytest.raises(sa.exc.IntegrityError, match="the log is only added to"), study.database.begin() as connection:
        connection.execute(change)
    with study.database.read() as connection:
        assert audit.entries(connection, SLUG) == before
    log(study, "third")


def test_the_log_outlives_its_study_and_says_who_deleted_it(study: Study) -> None:
    study.begin("token")
    log(study, "board meets")
    with study.database.begin() as connection:
        assert audit.last(connection, SLUG, [audit.OPENED_EARLY])
        deletion.delete_study(connection, SLUG, who="bo", now=NOW)
    with study.database.read() as connection:
        found = audit.entries(connection, SLUG)
        assert audit.studies(connection) == (SLUG,)
        assert audit.last(connection, SLUG, [audit.OPENED_EARLY]) is None, "a new study of that name is not open"
    assert [(e.who, e.action, e.reason) for e in found] == [
        ("ann", audit.OPENED_EARLY, "board meets"),
        ("bo", audit.STUDY_DELETED, "1 respondents"),
    ]
    assert audit.first_broken(SLUG, found) is None
    assert audit.of_this_study(found) == ()
    with study.database.begin() as connection:
        studies.register(connection, study.survey)
    log(study, "again", audit.STATE)
    with study.database.read() as connection:
        found = audit.entries(connection, SLUG)
    assert audit.first_broken(SLUG, found) is None
    assert [entry.reason for entry in audit.of_this_study(found)] == ["again"]


def test_the_installation_has_a_log_of_its_own_and_pages_of_it(study: Study) -> None:
    log(study, "of the study")
    with study.database.begin() as connection:
        for number in range(5):
            audit.add(connection, audit.INSTALLATION, "test", who="ann", reason=f"no {number}", now=NOW)
    with study.database.read() as connection:
        first = audit.newest(connection, audit.INSTALLATION, 3)
        second = audit.newest(connection, audit.INSTALLATION, 3, before=first[-1].number)
        assert audit.studies(connection) == (SLUG,)
    assert [entry.number for entry in first + second] == [5, 4, 3, 2, 1]


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
