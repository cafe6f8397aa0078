"""Who writes waits for his turn, and never for longer than was said: threads of one process, several processes, errors at every step."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, together
from wtp.errors import StoreError
from wtp.store import Database, open_database, results, tables
from wtp.store import database as module

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
_FORK = multiprocessing.get_context("fork")
_TIMES, _THREADS = 20, 3
_BUSY = 0.1
_MORE_THAN_CONNECTIONS = 16


def save(database: Database, name: str) -> None:
    with database.begin() as connection:
        results.save(connection, name, "supplier", "content", NOW)


def kept(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(tables.result)).scalar_one()


@contextmanager
def locked(database_url: str) -> Iterator[None]:
    """Another process writes."""
    other = sqlite3.connect(str(sa.make_url(database_url).database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def _write_often(url: str, name: str) -> None:
    with open_database(url) as database:
        together(_THREADS, lambda thread: [save(database, f"{name} {thread} {turn}") for turn in range(_TIMES)])


def test_of_all_threads_of_all_processes_none_starves(database: Database, database_url: str) -> None:
    """Each writes again as soon as it has written; whoever got no turn in all this time would have failed."""
    database.engine.dispose()
    processes = [_FORK.Process(target=_write_often, args=(database_url, str(number))) for number in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for process in processes:
            process.start()
    _write_often(database_url, "here")
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert kept(database) == 3 * _THREADS * _TIMES


@on_sqlite
def test_the_wait_for_the_turn_and_for_the_file_is_one(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waited in his own process first would else wait twice as long."""
    asked_until: list[float] = []
    begin = module._begin_immediate

    def begun(connection: sa.Connection, until: float) -> None:
        asked_until.append(until)
        begin(connection, until)

    waiting = threading.Thread(target=save, args=(database, "later"))
    with database.begin():
        monkeypatch.setattr(module, "_begin_immediate", begun)
        waiting.start()
        time.sleep(_BUSY)
        before_release = time.monotonic()
    waiting.join()
    (until,) = asked_until
    assert until - module._BUSY_SECONDS < before_release - _BUSY / 2


@on_sqlite
def test_in_a_process_too_one_waits_no_longer_than_said(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also whoever asks for a transaction within one: he waits for himself."""
    with database.begin() as connection:
        results.save(connection, "1", "supplier", "content", NOW)
        monkeypatch.setattr(module, "_BUSY_SECONDS", _BUSY)
        with pytest.raises(StoreError, match=r"database is locked; nothing was saved by this step; .* then try again"):
            save(database, "2")
    save(database, "2")
    assert kept(database) == 2


@on_postgresql
def test_postgresql_lets_several_write_at_once(database: Database) -> None:
    with database.begin() as one, database.begin() as other:
        results.save(one, "1", "supplier", "content", NOW)
        results.save(other, "2", "supplier", "content", NOW)
    assert kept(database) == 2


@on_sqlite
def test_who_reads_needs_no_turn(database: Database) -> None:
    save(database, "1")
    with database.begin() as connection:
        results.save(connection, "2", "supplier", "content", NOW)
        assert kept(database) == 1
        with database.look() as look:
            assert look.execute(sa.select(sa.func.count()).select_from(tables.result)).scalar_one() == 1
    assert kept(database) == 2


class Stop(BaseException):
    """Somebody pressed Ctrl-C."""


def _in_the_block(database: Database, _: str) -> None:
    with database.begin():
        raise Stop


def _at_the_commit(database: Database, _: str) -> None:
    def stop(_: sa.Connection) -> None:
        raise Stop

    sa.event.listen(database.engine, "commit", stop)
    try:
        save(database, "lost")
    finally:
        sa.event.remove(database.engine, "commit", stop)


def _at_the_begin(database: Database, database_url: str) -> None:
    with locked(database_url):
        save(database, "lost")


def _without_a_connection(database: Database, _: str) -> None:
    def away(*_: object) -> None:
        raise sa.exc.OperationalError("connect", None, Exception("unable to open database file"))

    database.engine.dispose()
    sa.event.listen(database.engine, "do_connect", away)
    try:
        save(database, "lost")
    finally:
        sa.event.remove(database.engine, "do_connect", away)


@on_sqlite
@pytest.mark.parametrize("fails", [_in_the_block, _at_the_commit, _at_the_begin, _without_a_connection])
def test_whatever_goes_wrong_the_next_one_gets_his_turn(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, fails: Callable[[Database, str], None]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "_BUSY_SECONDS", _BUSY)
        for _ in range(_MORE_THAN_CONNECTIONS):
            with pytest.raises((Stop, StoreError)):
                fails(database, database_url)
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() > 0, "what reads still waits"
    together(2, lambda thread: save(database, str(thread)))
    assert kept(database) == 2
