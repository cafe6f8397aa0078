"""Whatever happens to workers and fits, a job ends once, with the figures that it would have had undisturbed, or is given up in words."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.jobs.conftest import Office, children, lives, until
from tests.simulated import simulated
from tests.web.figures import handmade
from wtp.analysis import Analysis, Progress, Request
from wtp.analysis.hierarchical import hierarchical
from wtp.errors import DataError
from wtp.jobs import cancel_analysis, fit
from wtp.jobs.worker import Worker
from wtp.store import Database, background_jobs, results
from wtp.store.background_jobs import CANCELLED, DIED, FAILED, FAULT, FINISHED, QUEUED, REFUSED, RUNNING
from wtp.survey import Answers, Survey

# What the analyses of this file do, by their seed.
QUICK, ENDLESS, DEADLY, WORDED, FAULTY, LONG, HELD = 1, 2, 3, 4, 5, 6, 7
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def made_of_steps(
    survey: Survey, answers: Answers, request: Request, progress: Callable[[Progress], None], checkpoint: Path
) -> Analysis:
    """An analysis that counts steps in its checkpoint, goes on from there, and tells in its figures how many there were."""
    checkpoint.mkdir(parents=True, exist_ok=True)
    log = checkpoint / "steps"
    most = {QUICK: 3, LONG: 40, HELD: 40, ENDLESS: 100_000}.get(request.seed, 1)
    while (done := len(log.read_text()) if log.exists() else 0) < most:
        while request.seed == HELD and done == 20 and not (checkpoint.parents[2] / "go on").exists():
            time.sleep(0.02)
        if request.seed == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        if request.seed == WORDED:
            raise DataError("price: all alike; allowed: two prices; ask again.")
        if request.seed == FAULTY:
            raise ZeroDivisionError("somewhere")
        with log.open("a") as file:
            file.write(".")
        progress(Progress(done + 1, most, False, 1.0, 1.0, 1.02, 300.0))
        time.sleep(0.02)
    counted = pd.DataFrame({"segment": ["all"], "steps": [len(log.read_text())]})
    analysis = handmade(survey)
    return replace(
        analysis,
        request=request,
        answers_hash=answers.hash,
        respondents=len(answers.respondents),
        tables={"segments": analysis.tables["segments"], "counted": counted},
    )


@pytest.fixture
def stepwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "analyse", made_of_steps)


@pytest.fixture
def counting(stepwise: None, office: Office) -> Office:
    return office


def steps_of(office: Office, number: int) -> int:
    content = office.result(number)
    assert content is not None
    return int(Analysis.from_json(content).tables["counted"]["steps"].iloc[0])


def begun(office: Office, number: int) -> bool:
    return (office.job(number).progress or {}).get("sweeps", 0) >= 3


def test_a_job_is_done_and_leaves_nothing_but_its_result(counting: Office) -> None:
    number = counting.order(QUICK)
    counting.hire()
    ended = counting.ended(number)
    assert (ended.state, ended.attempts, ended.reason) == (FINISHED, 1, None)
    assert steps_of(counting, number) == 3
    with counting.database.read() as connection:
        (kept,) = results.made(connection, "supplier", basis="basis")
    assert kept.fingerprint == ended.fingerprint
    about = kept.made
    assert (about["seed"], about["made_by"], about["respondents"]) == (QUICK, "ada", 2)
    assert (about["answers_hash"], about["definition_hash"]) == (ended.answers_hash, ended.definition_hash)
    assert about["packages"]["numpy"] == np.__version__
    assert about["seconds"] >= 0
    until(lambda: not list(counting.place.checkpoints.iterdir()))


def test_a_worker_that_is_killed_costs_nothing_but_time(counting: Office) -> None:
    number = counting.order(LONG)
    worker = counting.hire()
    until(lambda: begun(counting, number))
    process = counting.fit_of(worker)
    worker.kill()
    until(lambda: not lives(process))  # it ends with its worker
    assert counting.job(number).state == RUNNING, "nobody knows yet"
    assert counting.result(number) is None
    counting.hire()
    ended = counting.ended(number)
    assert (ended.state, ended.attempts) == (FINISHED, 2)
    assert steps_of(counting, number) == 40, "it went on from its checkpoint, or there were more"


def test_a_fit_that_is_killed_goes_on_and_its_progress_never_goes_back(counting: Office) -> None:
    number = counting.order(LONG)
    worker = counting.hire()
    until(lambda: begun(counting, number))
    before = counting.job(number).progress
    os.kill(counting.fit_of(worker), signal.SIGKILL)
    until(lambda: counting.job(number).attempts == 2)
    after = counting.job(number).progress
    assert before is not None
    assert after is not None
    assert after["share"] >= before["share"]
    assert counting.ended(number).state == FINISHED
    assert steps_of(counting, number) == 40


def test_a_job_that_kills_its_process_is_given_up(counting: Office) -> None:
    number = counting.order(DEADLY)
    counting.hire()
    ended = counting.ended(number)
    assert (ended.state, ended.reason, ended.detail) == (FAILED, DIED, "signal 9")
    assert ended.attempts == background_jobs.MOST_ATTEMPTS
    assert counting.result(number) is None
    after = counting.order(QUICK)
    assert counting.ended(after).state == FINISHED, "the worker is there for the next one"


@pytest.mark.parametrize(("seed", "reason", "said"), [(WORDED, REFUSED, "ask again"), (FAULTY, FAULT, "ZeroDivisionError: somewhere")])  # fmt: skip
def test_what_fails_for_a_reason_is_not_tried_again(counting: Office, seed: int, reason: str, said: str) -> None:
    number = counting.order(seed)
    counting.hire()
    ended = counting.ended(number)
    assert (ended.state, ended.reason, ended.attempts) == (FAILED, reason, 1)
    assert said in (ended.detail or "")


def test_cancelling_stops_a_fit_and_keeps_nothing_of_it(counting: Office) -> None:
    number = counting.order(ENDLESS)
    worker = counting.hire()
    until(lambda: begun(counting, number))
    process = counting.fit_of(worker)
    assert cancel_analysis(counting.database, number)
    until(lambda: not lives(process))
    until(lambda: not list(counting.place.checkpoints.iterdir()))
    assert counting.job(number).state == CANCELLED
    assert counting.result(number) is None
    after = counting.order(QUICK)
    assert counting.ended(after).state == FINISHED


def test_a_worker_that_is_told_to_end_gives_its_job_back(counting: Office) -> None:
    number = counting.order(LONG)
    worker = counting.hire()
    until(lambda: begun(counting, number))
    process = counting.fit_of(worker)
    worker.terminate()
    worker.join(30)
    assert worker.exitcode == 0
    assert not lives(process)
    given_back = counting.job(number)
    assert (given_back.state, given_back.owner, given_back.attempts) == (QUEUED, None, 0)
    counting.hire()
    assert counting.ended(number).attempts == 1
    assert steps_of(counting, number) == 40


def test_two_workers_share_the_jobs_and_do_none_twice(counting: Office) -> None:
    numbers = [counting.order(LONG, answers=replace(simulated(counting.survey, 2), hash=str(n))) for n in range(4)]
    queue = counting.queue
    for number in numbers:  # every message twice
        queue.put(number)
    queue.close()
    workers = [counting.hire(), counting.hire()]
    until(lambda: all(children(worker.pid or 0, "wtp-fit") for worker in workers))
    assert [counting.ended(number).state for number in numbers] == [FINISHED] * 4
    assert [counting.job(number).attempts for number in numbers] == [1] * 4
    assert [steps_of(counting, number) for number in numbers] == [40] * 4


def test_a_job_that_the_queue_lost_is_found(counting: Office) -> None:
    number = counting.order(QUICK, tell=False)
    counting.hire()
    assert counting.ended(number).state == FINISHED


def test_only_what_the_queue_lost_is_put_into_it_again(counting: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs that wait for long would else have a message more each lease, and what was lost would stand behind them all."""
    monkeypatch.setattr(background_jobs, "LEASE_SECONDS", 0)
    numbers = {counting.order(QUICK, answers=replace(simulated(counting.survey, 2), hash=str(i))) for i in range(3)}
    queue = counting.queue
    worker = Worker(counting.place, counting.database, queue)
    for _ in range(3):
        worker.sweep()
    assert (queue.waiting(), queue.held()) == (3, numbers)
    lost = queue.take()
    assert queue.held() == numbers - {lost}
    worker.sweep()
    assert (queue.waiting(), queue.held()) == (3, numbers)
    queue.close()


def test_an_owner_who_was_taken_for_dead_can_neither_write_nor_disturb(counting: Office) -> None:
    number = counting.order(LONG)
    before = counting.hire()
    until(lambda: begun(counting, number))
    process = counting.fit_of(before)
    with counting.database.begin() as connection:
        (freed,) = background_jobs.overdue(connection, datetime.now(UTC) + timedelta(hours=1))
    queue = counting.queue
    queue.put(freed)
    queue.close()
    counting.hire()
    until(lambda: not lives(process))
    ended = counting.ended(number)
    assert (ended.state, ended.attempts) == (FINISHED, 2)
    assert steps_of(counting, number) == 40


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_analysis_with_figures_is_the_same_after_kills(
    office: Office, database: Database, monkeypatch: pytest.MonkeyPatch, short_chains: None
) -> None:
    """The real sampler: killed where it just was, again and again, it ends with the figures of the run that nobody disturbed."""
    monkeypatch.setattr("wtp.estimation.hierarchical.logit._SAVE_EVERY", 0.0)
    for name, sweeps in (("analysis.hierarchical._MOST_SWEEPS", 120), ("analysis.hierarchical._MOST_WARMUP", 60), ("estimation.hierarchical.logit._BLOCK", 30)):  # fmt: skip
        monkeypatch.setattr(f"wtp.{name}", sweeps)
    answers = simulated(office.survey, 30)

    def sampled(
        survey: Survey,
        answers: Answers,
        request: Request,
        progress: Callable[[Progress], None],
        checkpoint: Path | None,
    ) -> Analysis:
        people = answers.respondents
        groups = {"all": people, "uptime": people[:15], "cost": people[15:]}
        found, _ = hierarchical(survey.definition, groups, seed=request.seed, progress=progress, checkpoint=checkpoint)
        assert found is not None
        draws = pd.DataFrame(
            {"draw": np.concatenate([np.asarray(chain).ravel() for chain in found.fit.sampled.population])}
        )
        others = pd.DataFrame({"none": [np.asarray(each.simulate().values).sum() for each in found.sensitivity["all"]]})
        tables = {"segments": handmade(survey).tables["segments"], "draws": draws, "others": others}
        return replace(handmade(survey), request=request, answers_hash=answers.hash, tables=tables)

    monkeypatch.setattr(fit, "analyse", sampled)
    wanted = sampled(office.survey, answers, Request(seed=7, model="hierarchical"), lambda _: None, None)
    number = office.order(7, answers=answers)
    worker = office.hire()
    for kills in range(1, background_jobs.MOST_ATTEMPTS):
        done = (office.job(number).progress or {}).get("share", 0.0)
        until(lambda done=done: (office.job(number).progress or {}).get("share", 0.0) > done)  # type: ignore[misc]
        os.kill(office.fit_of(worker), signal.SIGKILL)
        until(lambda kills=kills: office.job(number).attempts == kills + 1)  # type: ignore[misc]
    ended = office.ended(number)
    assert (ended.state, ended.attempts) == (FINISHED, background_jobs.MOST_ATTEMPTS)
    content = office.result(number)
    assert content is not None
    for name, table in Analysis.from_json(content).tables.items():
        pd.testing.assert_frame_equal(table, wanted.tables[name], check_exact=True)
