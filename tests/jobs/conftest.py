"""Workers as processes of their own, which inherit what a test patched; and jobs without a field study."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests.simulated import simulated
from wtp.analysis import Request
from wtp.jobs import JobQueue, Place, open_queue, work
from wtp.store import Database, background_jobs, copies, results, studies
from wtp.store.background_jobs import BackgroundJob
from wtp.survey import Answers, Survey

_PATIENCE = 60
_FORK = multiprocessing.get_context("fork")


def until(condition: Callable[[], object]) -> None:
    """Wait for something that must happen."""
    end = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def children(pid: int, name: str) -> list[int]:
    """Ids of the living processes of this name that a process started."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            stat = (entry / "stat").read_text()
            comm, (state, parent) = stat[stat.index("(") + 1 : stat.rindex(")")], stat.rpartition(")")[2].split()[:2]
            if comm == name and int(parent) == pid and state != "Z":
                found.append(int(entry.name))
    return found


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@dataclass
class Office:
    """One installation: its database, its queue, and the workers that run."""

    database: Database
    place: Place
    survey: Survey
    workers: list[BaseProcess] = field(default_factory=list)

    @property
    def queue(self) -> JobQueue:
        return open_queue(self.place.queue_url, self.place.database_url, self.place.instance)

    def hire(self) -> BaseProcess:
        """Start a worker."""
        self.database.engine.dispose()  # as before every fork
        worker = _FORK.Process(target=_live, args=(self.place,))
        worker.start()
        self.workers.append(worker)
        return worker

    def order(self, seed: int = 1, *, answers: Answers | None = None, tell: bool = True) -> int:
        """A job whose answers are those of a few simulated respondents; returns its number."""
        answers = answers or simulated(self.survey, 2)
        request = Request(seed=seed, model="hierarchical")
        with self.database.begin() as connection:
            job = background_jobs.start(
                connection,
                self.survey.slug,
                fingerprint=f"{seed} {answers.hash}",
                basis="basis",
                kind=results.ANALYSIS,
                request=asdict(request),
                definition_hash=self.survey.definition_hash,
                answers_hash=answers.hash,
                respondents=len(answers.respondents),
                answers_copy=copies.pack(self.survey, answers),
                started_by="ada",
                now=datetime.now(UTC),
            )
        if tell:
            queue = self.queue
            queue.put(job.id)
            queue.close()
        return job.id

    def job(self, number: int) -> BackgroundJob:
        with self.database.read() as connection:
            found = background_jobs.get(connection, number)
        assert found is not None
        return found

    def ended(self, number: int) -> BackgroundJob:
        """The job, once it has ended."""
        until(lambda: self.job(number).ended_at)
        return self.job(number)

    def result(self, number: int) -> str | None:
        with self.database.read() as connection:
            return results.load(connection, self.job(number).fingerprint)

    def fit_of(self, worker: BaseProcess) -> int:
        """Id of the process that makes the worker's analysis, once there is one."""
        assert worker.pid is not None
        until(lambda: children(worker.pid or 0, "wtp-fit"))
        return children(worker.pid, "wtp-fit")[0]

    def dismiss(self) -> None:
        for worker in self.workers:
            if worker.is_alive():
                worker.terminate()
        for worker in self.workers:
            worker.join(_PATIENCE)


def _live(place: Place) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})
    work(place)
    os._exit(0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases, looks and reports in parts of a second."""
    monkeypatch.setattr(background_jobs, "LEASE_SECONDS", 3)
    for module, name, seconds in (("worker", "_BEAT_SECONDS", 0.1), ("worker", "_SWEEP_SECONDS", 0.2), ("fit", "_REPORT_SECONDS", 0.0)):  # fmt: skip
        monkeypatch.setattr(f"wtp.jobs.{module}.{name}", seconds)


@pytest.fixture
def office(database: Database, database_url: str, survey: Survey, tmp_path: Path, impatient: None) -> Iterator[Office]:
    """An installation on each database, with the supplier study in it."""
    with database.begin() as connection:
        studies.register(connection, survey)
    opened = Office(database, Place(database_url, "", tmp_path / "instance"), survey)
    yield opened
    opened.dismiss()
