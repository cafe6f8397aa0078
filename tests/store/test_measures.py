"""Measures: recorded once, changed by whoever has seen how they are, never deleted; every change is in the log; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.store.conftest import NOW, SLUG, Study, together
from wtp.errors import DataError
from wtp.store import audit, measures, tables
from wtp.store.deletion import delete_study
from wtp.store.measures import DONE, DROPPED, LONGEST, RUNNING, ChangedMeanwhileError, Grounds, Measure, Plan

PLAN = Plan("training", "Answer within a day", "speed", "Bo", date(2026, 12, 1), "Fewer complaints")
GROUNDS = Grounds("invest", "uptime", "Invest in speed", "en", "without=none")


def record(study: Study, plan: Plan = PLAN, submission: str = "a", grounds: Grounds = GROUNDS) -> int:
    with study.database.begin() as connection:
        return measures.add(connection, SLUG, plan, grounds, submission=submission, who="ann", now=NOW)


def found(study: Study) -> tuple[Measure, ...]:
    with study.database.read() as connection:
        return measures.of_study(connection, SLUG)


def change(study: Study, before: Measure, plan: Plan, minutes: int = 1) -> None:
    with study.database.begin() as connection:
        measures.change(
            connection, SLUG, before.id, plan, seen=before.changed_at, who="bo", now=NOW + timedelta(minutes=minutes)
        )


def logged(study: Study) -> list[tuple[str, str, str]]:
    with study.database.read() as connection:
        return [(entry.who, entry.action, entry.reason) for entry in audit.entries(connection, SLUG)]


def test_a_submission_is_recorded_once_however_often_it_is_sent(study: Study) -> None:
    numbers = together(4, lambda _: record(study))
    (kept,) = found(study)
    assert numbers == [kept.id] * 4
    assert (kept.plan, kept.grounds) == (PLAN, GROUNDS)
    assert (kept.made_by, kept.made_at, kept.simulated) == ("ann", NOW, False)
    assert record(study, submission="b") != kept.id
    assert len(found(study)) == 2
    first = "“Answer within a day” (training, planned), invest, uptime"
    assert logged(study) == [("ann", audit.MEASURE_ADDED, first)] * 2


def test_every_change_is_logged_and_what_changes_nothing_is_not(study: Study) -> None:
    record(study)
    (kept,) = found(study)
    change(study, kept, PLAN)
    assert len(logged(study)) == 1
    change(study, kept, replace(PLAN, state=DONE, owner="Cy", outcome="Ratings rose"))
    (done,) = found(study)
    assert done.plan.done_on == NOW.date(), "the day is known by itself"
    assert done.grounds == GROUNDS
    assert done.changed_at == NOW + timedelta(minutes=1)
    assert logged(study)[1] == ("bo", audit.MEASURE_CHANGED, f"{kept.id}: owner Bo → Cy; state planned → done; outcome – → Ratings rose; done_on – → 2026-11-01")  # fmt: skip
    change(study, done, replace(done.plan, state=DROPPED), 2)
    (dropped,) = found(study)
    assert (dropped.plan.state, dropped.plan.done_on) == (DROPPED, None), "given up, and still there"
    with study.database.read() as connection:
        assert audit.first_broken(SLUG, audit.entries(connection, SLUG)) is None


def test_nobody_overwrites_what_he_has_not_seen(study: Study) -> None:
    record(study)
    (seen,) = found(study)

    def save(hand: int) -> bool:
        try:
            change(study, seen, replace(PLAN, owner=f"hand {hand}"), minutes=hand + 1)
        except ChangedMeanwhileError:
            return False
        return True

    assert sum(together(4, save)) == 1
    assert len(logged(study)) == 2
    with pytest.raises(DataError, match="not in supplier"):
        change(study, replace(seen, id=seen.id + 1), PLAN)
    with study.database.read() as connection:
        assert measures.get(connection, "another", seen.id) is None, "of another study"


def test_what_cannot_be_kept_is_named_and_nothing_is_written(study: Study) -> None:
    wrong = {
        "kind": "party",
        "state": "lost",
        "title": " \u2060 ",
        "owner": "x" * (LONGEST["owner"] + 1),
        "expected": "x" * 501,
        "outcome": "x" * 501,
    }
    for name, value in wrong.items():
        with pytest.raises(DataError, match=name):
            record(study, replace(PLAN, **{name: value}))
    for name in ("finding", "query"):
        with pytest.raises(DataError, match=name):
            record(study, grounds=replace(GROUNDS, **{name: "x" * 501}))
    assert study.rows(tables.measure) == study.rows(tables.audit) == 0
    record(study, replace(PLAN, title="Two\nlines\0 and −\u20605 €"))
    assert found(study)[0].plan.title == "Two lines and −5 €"


def test_they_come_by_state_and_by_the_day_they_are_due(study: Study) -> None:
    days = {"late": date(2026, 12, 9), "soon": date(2026, 11, 9), "some day": None}
    for number, (title, day) in enumerate(days.items()):
        record(study, replace(PLAN, title=title, due_on=day), str(number))
    record(study, replace(PLAN, title="begun", state=RUNNING, due_on=NOW.date()), "begun")
    assert [one.plan.title for one in found(study)] == ["soon", "late", "some day", "begun"]
    begun = found(study)[-1]
    assert not begun.is_overdue(NOW.date())
    assert begun.is_overdue(NOW.date() + timedelta(days=1))
    assert not replace(begun, plan=replace(begun.plan, state=DONE)).is_overdue(date(2030, 1, 1))
    with study.database.begin() as connection:
        delete_study(connection, SLUG)
    assert study.rows(tables.measure) == 0
