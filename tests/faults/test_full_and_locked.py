"""A disk that is full and a database that is locked, under a server that runs: a sentence, a time to wait, and answers again as soon as it can; nothing acknowledged is lost.

Full in two ways: SQLite itself has no more pages, and the system lets no process of the server write further into a file. Controls: a server that replies before it commits.
"""

from __future__ import annotations

import random
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.conftest import Fork, Serving
from tests.faults.crowd import (
    EARLY,
    Crowd,
    judge,
    lost_and_doubled,
    nobody_is_served,
    once,
    reply_before_commit,
)
from wtp.store import answers, database, open_database
from wtp.web.traffic import FOR_RESPONDENTS

_BUSY = 0.4  # seconds that the server of these tests waits for a lock; the one that ships waits 15
_MOST = 20
_PLENTY = 1_073_741_823


def _few_pages() -> None:
    """SQLite has no page more than it has, while a file called full stands beside it."""
    begin = database._begin_immediate

    def begin_full(connection: sa.Connection, until: float) -> None:
        begin(connection, until)
        file = connection.engine.url.database
        full = Path(str(file)).with_name("full").exists()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() if full else _PLENTY
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    database._begin_immediate = begin_full


@contextmanager
def _no_page_left(serving: Serving) -> Iterator[None]:
    full = serving.instance / "full"
    full.touch()
    yield
    full.unlink()


@contextmanager
def _no_further_in_any_file(serving: Serving) -> Iterator[None]:
    """As a disk quota does: what is longer than a few kilobytes cannot grow. The server notices nothing but that it cannot write."""
    limits = [resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in serving.workers()]
    for pid, (_, most) in zip(serving.workers(), limits, strict=True):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, most))
    yield
    for pid, (_, most) in zip(serving.workers(), limits, strict=True):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


@pytest.mark.parametrize("full", [_no_page_left, _no_further_in_any_file])
def test_a_full_disk_is_said_and_heals_without_a_restart(
    fork: Fork, rounds: Callable[[int], int], full: Callable[[Serving], AbstractContextManager[None]]
) -> None:
    serving, times = fork(analysts=0, change=_few_pages), rounds(100)
    workers = serving.workers()
    crowd = Crowd(serving.port)
    with crowd.answering():
        for _ in range(times):
            crowd.gets_on()
            with full(serving):
                nobody_is_served(crowd)
                status = once(serving.port, "GET", "/s/supplier/consent")[0]
                assert status == 200, f"what needs no space goes on: {serving.said()[-6000:]}"
    judge(crowd, serving.database_url, f"{times} times full")
    assert serving.workers() == workers


def test_a_database_locked_for_long_is_waited_for_and_for_too_long_is_said(
    fork: Fork, database_url: str, rounds: Callable[[int], int], dice: random.Random
) -> None:
    """Locked for a part of the time that the server waits, and for more than it: nobody is put off, then everybody."""
    serving = fork(workers=1, analysts=0, database=database_url, change=_impatient)
    crowd, times = Crowd(serving.port), rounds(100)
    with crowd.answering():
        for number in range(times):
            crowd.gets_on()
            with _locked(database_url):
                if number % 2:
                    nobody_is_served(crowd)
                else:
                    time.sleep(dice.uniform(0.0, _BUSY / 4))
    judge(crowd, database_url, f"{times} times locked")
    assert crowd.put_off >= times // 2


def test_locked_for_ten_seconds_puts_nobody_off(fork: Fork, database_url: str, rounds: Callable[[int], int]) -> None:
    """As it ships: ten seconds with --release, else two."""
    serving, seconds = fork(workers=1, analysts=0, database=database_url), min(10, rounds(20))
    crowd = Crowd(serving.port, hands=FOR_RESPONDENTS)  # a hand that no thread takes up is put off
    with crowd.answering():
        crowd.gets_on()
        with _locked(database_url):
            before = len(crowd.acknowledged)
            time.sleep(seconds)
            during = len(crowd.acknowledged) - before
        crowd.gets_on()
    judge(crowd, database_url, f"locked for {seconds} s")
    assert during <= crowd.hands, "what was committed before may still be told"
    assert crowd.put_off == 0


def _impatient() -> None:
    database._BUSY_SECONDS = _BUSY


@contextmanager
def _locked(database_url: str) -> Iterator[None]:
    """Somebody else writes, and does not come to an end."""
    url = sa.make_url(database_url)
    if url.get_backend_name() == "sqlite":
        other = sqlite3.connect(str(url.database), isolation_level=None, timeout=60)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
        other.close()
        return
    with open_database(database_url) as opened, opened.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE answer, choice, respondent IN SHARE ROW EXCLUSIVE MODE")
        yield


def _deaf() -> None:
    """The store does not hear that a row could not be written."""
    write = answers.insert_if_absent

    def insert(connection: sa.Connection, table: sa.Table, **values: object) -> bool:
        try:
            return write(connection, table, **values)
        except sa.exc.OperationalError:
            return True

    answers.insert_if_absent = insert  # type: ignore[assignment]


@pytest.mark.parametrize(("full", "careless"), [(_no_page_left, _deaf), (_no_further_in_any_file, reply_before_commit)])
def test_a_server_that_does_not_look_whether_it_is_kept_is_found_out(
    fork: Fork, full: Callable[[Serving], AbstractContextManager[None]], careless: Callable[[], None]
) -> None:
    def change() -> None:
        _few_pages()
        careless()

    serving = fork(analysts=0, change=change)
    lost: list[str] = []
    for _ in range(_MOST):
        crowd = Crowd(serving.port, pause=2 * EARLY)
        with crowd.answering():
            crowd.gets_on(4 * crowd.hands)  # beyond their consent
            with full(serving):
                time.sleep(6 * EARLY)
            time.sleep(2 * EARLY)
        lost, _ = lost_and_doubled(crowd, serving.database_url)
        if lost:
            break
    print(f"{len(crowd.acknowledged)} acknowledged, {len(lost)} lost", crowd.faults[:3])
    assert lost
