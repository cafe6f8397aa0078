"""Jobs in the background: one owner at a time, whatever happens to him; both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.simulated import every_question, simulated
from tests.store.conftest import NOW, SLUG, Study, together
from wtp.store import Database, background_jobs, copies, deletion, studies, tables
from wtp.store.background_jobs import (
    CANCELLED,
    DIED,
    FAILED,
    FINISHED,
    LEASE_SECONDS,
    MOST_ATTEMPTS,
    QUEUED,
    REFUSED,
    RUNNING,
    BackgroundJob,
)
from wtp.survey import Survey

LATE = NOW + timedelta(seconds=LEASE_SECONDS + 1)


def start(database: Database, fingerprint: str = "f", **changes: Any) -> BackgroundJob:
    given: dict[str, Any] = {
        "fingerprint": fingerprint,
        "basis": "b",
        "kind": "analysis",
        "request": {"model": "hierarchical", "seed": 1},
        "definition_hash": "d",
        "answers_hash": "a",
        "respondents": 90,
        "answers_copy": b"copy",
        "started_by": "ada",
        "now": NOW,
    }
    with database.begin() as connection:
        return background_jobs.start(connection, SLUG, **{**given, **changes})


def do(database: Database, step: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    with database.begin() as connection:
        return step(connection, *arguments, **named)


def found(database: Database, job: BackgroundJob) -> BackgroundJob:
    with database.read() as connection:
        again = background_jobs.get(connection, job.id)
    assert again is not None
    return again


def copy_kept(database: Database, job: BackgroundJob) -> bytes | None:
    with database.read() as connection:
        query = sa.select(tables.background_job.c.answers_copy).where(tables.background_job.c.id == job.id)
        return connection.execute(query).scalar_one()


def test_the_life_of_a_job(study: Study) -> None:
    database = study.database
    job = start(database)
    assert (job.state, job.attempts, job.owner, job.progress) == (QUEUED, 0, None, None)
    assert do(database, background_jobs.claim, job.id, "me", NOW) == b"copy"
    assert do(database, background_jobs.report, job.id, "me", {"share": 0.5})
    assert do(database, background_jobs.beat, job.id, "me", LATE)
    running = found(database, job)
    assert (running.state, running.attempts, running.owner, running.progress) == (RUNNING, 1, "me", {"share": 0.5})
    assert (running.begun_at, running.beat_at) == (NOW, LATE)
    assert do(database, background_jobs.finish, job.id, "me", LATE)
    ended = found(database, job)
    assert (ended.state, ended.ended_at, ended.owner) == (FINISHED, LATE, None)
    assert copy_kept(database, job) is None, "what people answered is not kept a second time"


def test_the_same_analysis_is_under_way_once_and_can_be_made_again_later(study: Study) -> None:
    database = study.database
    first, again, other = start(database), start(database, started_by="bob"), start(database, "other")
    assert first == again
    assert other.id != first.id
    assert do(database, background_jobs.cancel, first.id, NOW)
    assert start(database).id not in {first.id, other.id}


def test_of_those_who_press_the_button_at_once_all_get_one_job(study: Study) -> None:
    ids = together(8, lambda hand: start(study.database, started_by=f"hand {hand}").id)
    assert len(set(ids)) == 1
    assert study.rows(tables.background_job) == 1


def test_of_workers_who_claim_at_once_one_gets_the_job(study: Study) -> None:
    for round_ in range(5):
        job = start(study.database, f"round {round_}")
        got = together(6, lambda hand, job=job: do(study.database, background_jobs.claim, job.id, f"w{hand}", NOW))
        assert sorted(copy is not None for copy in got) == [False] * 5 + [True]
        assert found(study.database, job).attempts == 1


def test_who_lost_a_job_can_write_nothing_of_it(study: Study) -> None:
    database = study.database
    job = start(database)
    do(database, background_jobs.claim, job.id, "dead", NOW)
    assert do(database, background_jobs.overdue, NOW + timedelta(seconds=LEASE_SECONDS - 1)) == []
    assert do(database, background_jobs.overdue, LATE) == [job.id]
    assert do(database, background_jobs.claim, job.id, "next", LATE) == b"copy"
    before = found(database, job)
    for step in (background_jobs.beat, background_jobs.finish, background_jobs.give_back):
        assert not do(database, step, job.id, "dead", LATE)
    assert not do(database, background_jobs.report, job.id, "dead", {"share": 1.0})
    assert not do(database, background_jobs.fail, job.id, "dead", LATE, reason=REFUSED, detail="no")
    assert not do(database, background_jobs.died, job.id, "dead", LATE, reason=DIED, detail="signal 9")
    assert found(database, job) == before
    assert (before.owner, before.attempts) == ("next", 2)


def test_a_job_that_kills_its_workers_is_given_up(study: Study) -> None:
    database = study.database
    told, silent = start(database), start(database, "silent")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        for job in (told, silent):
            assert do(database, background_jobs.claim, job.id, f"w{attempt}", NOW) is not None
        again = do(database, background_jobs.died, told.id, f"w{attempt}", NOW, reason=DIED, detail="signal 9")
        assert again == (attempt < MOST_ATTEMPTS)
        freed = do(database, background_jobs.overdue, LATE)
        assert (silent.id in freed) == (attempt < MOST_ATTEMPTS)
    for job in (told, silent):
        ended = found(database, job)
        assert (ended.state, ended.reason, ended.attempts) == (FAILED, DIED, MOST_ATTEMPTS)
        assert copy_kept(database, job) is None
    assert found(database, told).detail == "signal 9"


def test_an_attempt_that_was_told_to_end_does_not_count(study: Study) -> None:
    job = start(study.database)
    for _ in range(2 * MOST_ATTEMPTS):
        do(study.database, background_jobs.claim, job.id, "me", NOW)
        assert do(study.database, background_jobs.give_back, job.id, "me", NOW)
    assert (found(study.database, job).state, found(study.database, job).attempts) == (QUEUED, 0)


def test_a_job_that_no_queue_knows_is_named_once_a_lease(study: Study) -> None:
    job = start(study.database)
    assert do(study.database, background_jobs.overdue, NOW) == []
    assert do(study.database, background_jobs.overdue, LATE) == [job.id]
    assert do(study.database, background_jobs.overdue, LATE) == []


@pytest.mark.parametrize("begun", [False, True])
def test_cancelling_ends_a_job_for_everybody(study: Study, begun: bool) -> None:
    database = study.database
    job = start(database)
    if begun:
        do(database, background_jobs.claim, job.id, "me", NOW)
    assert do(database, background_jobs.cancel, job.id, NOW)
    assert not do(database, background_jobs.cancel, job.id, NOW), "nothing to end"
    assert not do(database, background_jobs.beat, job.id, "me", NOW)
    assert not do(database, background_jobs.finish, job.id, "me", NOW)
    assert do(database, background_jobs.claim, job.id, "me", NOW) is None
    assert do(database, background_jobs.overdue, LATE) == []
    assert found(database, job).state == CANCELLED
    assert copy_kept(database, job) is None


def test_jobs_wait_in_line_and_go_with_their_study(study: Study) -> None:
    database = study.database
    jobs = [start(database, str(n)) for n in range(3)]
    do(database, background_jobs.cancel, jobs[0].id, NOW)
    with database.read() as connection:
        assert [background_jobs.waiting_before(connection, job.id) for job in jobs] == [0, 0, 1]
        assert [job.id for job in background_jobs.of_study(connection, SLUG)] == [job.id for job in reversed(jobs)]
        assert background_jobs.running(connection) == {jobs[1].id, jobs[2].id}
    do(database, deletion.delete_study, SLUG)
    assert study.rows(tables.background_job) == 0
    assert not do(database, background_jobs.beat, jobs[1].id, "me", NOW)


def test_a_copy_holds_everything_that_an_analysis_is_made_of(tmp_path: Any) -> None:
    survey: Survey = every_question(tmp_path)
    answers = simulated(survey, 5)
    copied_survey, copied = copies.unpack(copies.pack(survey, answers))
    assert copied == answers
    assert copied_survey.definition == survey.definition
    assert copied_survey.definition.fingerprint == survey.definition.fingerprint
    assert (copied_survey.slug, copied_survey.folder, copied_survey.definition_hash) == (
        survey.slug,
        survey.folder,
        survey.definition_hash,
    )


def test_a_copy_of_stored_answers_equals_them(study: Study) -> None:
    person = study.begin("a token")
    study.answer(person, "profile", {"core_problem": "downtime", "employees": None})
    study.choose(person, 1, 2, None)
    study.choose(person, 2, 1, True)
    stored = study.read()
    assert copies.unpack(copies.pack(study.survey, stored))[1] == stored


def test_a_study_that_is_not_there_has_no_job(database: Database, survey: Survey) -> None:
    with database.begin() as connection:
        studies.register(connection, survey)
    with database.read() as connection:
        assert background_jobs.get(connection, 1) is None
        assert background_jobs.of_study(connection, SLUG) == ()
