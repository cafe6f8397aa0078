"""The worker: takes jobs from the queue one after the other, watches the process that makes the analysis, and frees what dead workers left behind."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import select
import shutil
import signal
import socket
import time
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from wtp import __version__
from wtp.errors import StoreError, WtpError
from wtp.jobs.erased import clear_away
from wtp.jobs.fit import AWAY, DONE, LOST, begin_fit
from wtp.jobs.place import Place
from wtp.jobs.process import name_process
from wtp.jobs.queue import JobQueue, open_queue
from wtp.store import Database, background_jobs, heartbeats, open_database, results, retention, tombstones
from wtp.store.background_jobs import DIED, FAULT

_BEAT_SECONDS = 1.0
_SWEEP_SECONDS = 5.0
_SAY_SECONDS = 15.0  # between two signs of life
_PAUSE_SECONDS = 5.0  # after a fault of database or queue
_TIMES_SECONDS = 3_600.0
_CLEARED_FOR = timedelta(minutes=10)
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
_log = logging.getLogger("wtp.jobs")


class Ended(Exception):  # noqa: N818  # no error: the worker was told to end
    """The worker ends: by a signal, or because its parent is gone."""


def work(place: Place, lifeline: int | None = None) -> None:
    """Work until SIGTERM, or until the other end of `lifeline` is closed; SIGINT is the parent's. Signals must be blocked by the caller."""
    name_process("wtp-jobs")
    with open_database(place.database_url, place.results) as database:
        database.migrate()
        worker = Worker(place, database, open_queue(place.queue_url, place.database_url, place.instance), lifeline)
        with contextlib.suppress(Ended):
            while True:
                try:
                    worker.step()
                except Ended:
                    raise
                except (
                    Exception
                ) as error:  # the database or one of three queues is away: say so once, go on when it is back
                    _log.error(
                        "background analyses wait: %s", error if isinstance(error, WtpError) else type(error)
                    )  # no fault of ours
                    worker.rest(_PAUSE_SECONDS)
        worker.farewell()


class Worker:
    """One worker with its name, by which it owns jobs."""

    def __init__(self, place: Place, database: Database, queue: JobQueue, lifeline: int | None = None) -> None:
        self.place, self.database, self.queue = place, database, queue
        self.name = f"{socket.gethostname()[:80]} {os.getpid()} {os.urandom(4).hex()}"
        self._lifeline = lifeline
        self._swept = self._said = self._kept_until = -math.inf

    def step(self) -> None:
        """Free what is overdue, do the next job if there is one, else rest a moment."""
        if time.monotonic() - self._swept >= _SWEEP_SECONDS:
            self.sweep()
            self.keep_times()
        job = self.queue.take()
        if job is None:
            self.rest(_BEAT_SECONDS)
        else:
            self.perform(job)

    def sweep(self) -> None:
        """Put overdue jobs into the queue, delete checkpoints of jobs that have ended, clear away what erasures of the last minutes left."""
        # The folders before the jobs: of one that is begun in between nothing may be deleted.
        folders = list(self.place.checkpoints.glob("*"))
        with self.database.begin() as connection:
            now = datetime.now(UTC)
            self._say(connection, now)
            overdue = background_jobs.overdue(connection, now)
            under_way = background_jobs.running(connection)
            erased = tombstones.any_since(connection, now - _CLEARED_FOR)
        held = (
            self.queue.held() if overdue else frozenset()
        )  # a message twice would only be one more to look at for nothing
        for job in overdue:
            if job not in held:
                self.queue.put(job)
        for folder in folders:
            if not (folder.name.isdecimal() and int(folder.name) in under_way):
                shutil.rmtree(folder, ignore_errors=True)
        if erased:
            clear_away(self.database, self.place)
        self._swept = time.monotonic()

    def keep_times(self) -> None:
        """Delete what is due by the studies' own times: asked once an hour, done once a day by whichever worker comes first."""
        if time.monotonic() < self._kept_until:
            return
        self._kept_until = time.monotonic() + _TIMES_SECONDS
        try:
            with self.database.begin() as connection:
                deleted = retention.run_daily(connection, datetime.now(UTC))
            if deleted is not None:
                clear_away(self.database, self.place)
            with self.database.read() as connection:
                results.delete_orphans(connection)
        except Exception as error:  # analyses go on; an hour later it is tried again
            _log.error("retention: %s", error if isinstance(error, WtpError) else type(error))

    def perform(self, job: int) -> None:
        """Make one analysis, if nobody else does; returns when it has ended one way or the other. Raises Ended, the job given back."""
        with self.database.begin() as connection:
            answers_copy = background_jobs.claim(connection, job, self.name, datetime.now(UTC))
        if answers_copy is None:
            return
        # SQLite's connections must not be open in two processes that come of one.
        self.database.engine.dispose()
        self.queue.close()
        pid, held = begin_fit(self.place, job, self.name, answers_copy)
        del answers_copy
        try:
            status = self._watch(job, pid)
        except Ended:
            _kill(pid)
            with contextlib.suppress(Exception):  # else the lease runs out, and it is found in the table
                with self.database.begin() as connection:
                    background_jobs.give_back(connection, job, self.name, datetime.now(UTC))
                self.queue.put(job)
            raise
        finally:
            os.close(held)
        if status == AWAY:
            self._wait_for_database(job)
        elif status not in (DONE, LOST) and self._died(job, status):
            self.queue.put(job)
        self._swept = -math.inf

    def farewell(self) -> None:
        """Take the sign of life away, if the database is there: nobody waits for a worker that was told to end."""
        with contextlib.suppress(StoreError), self.database.begin() as connection:
            heartbeats.end(connection, self.name)

    def rest(self, seconds: float) -> None:
        """Sleep, or less if a child ends. Raises Ended if it is time to end."""
        received = signal.sigtimedwait(_SIGNALS, seconds)
        gone = self._lifeline is not None and select.select([self._lifeline], [], [], 0)[0]
        if gone or (received is not None and received.si_signo == signal.SIGTERM):
            raise Ended

    def _say(self, connection: sa.Connection, now: datetime) -> None:
        if time.monotonic() - self._said >= _SAY_SECONDS:
            heartbeats.beat(connection, self.name, __version__, now)
            self._said = time.monotonic()

    def _watch(self, job: int, pid: int) -> int:
        """Beat until the process ends; returns its exit status, negative if a signal killed it. It is killed if the job is no longer this worker's."""
        beaten = time.monotonic()
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            try:
                with self.database.begin() as connection:
                    now = datetime.now(UTC)
                    own = background_jobs.beat(connection, job, self.name, now)
                    self._say(connection, now)
                beaten = time.monotonic()
            except StoreError:
                if time.monotonic() - beaten >= background_jobs.LEASE_SECONDS:
                    _kill(pid)
                    return AWAY
                own = True
            if not own:
                done, status = os.waitpid(pid, os.WNOHANG)  # it may have finished the job between the two questions
                if not done:
                    _kill(pid)
                return LOST
            self.rest(_BEAT_SECONDS)

    def _wait_for_database(self, job: int) -> None:
        """Give a job back as soon as the database can be written again: such an attempt does not count."""
        while True:
            self.rest(_PAUSE_SECONDS)
            with contextlib.suppress(StoreError), self.database.begin() as connection:
                background_jobs.give_back(connection, job, self.name, datetime.now(UTC))
                break
        self.queue.put(job)

    def _died(self, job: int, status: int) -> bool:
        """The process ended without a word; whether there is another attempt."""
        killed = status < 0
        detail, reason = (f"signal {-status}", DIED) if killed else (f"exit status {status}", FAULT)
        with self.database.begin() as connection:
            now = datetime.now(UTC)
            return background_jobs.died(connection, job, self.name, now, reason=reason, detail=detail)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
