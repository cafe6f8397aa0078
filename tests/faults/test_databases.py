"""Two who bring a database up to date at once, and backups that are taken while people answer.

Controls: without their lock two migrations get into each other's way; what is read table after table is torn; a copy of SQLite's file lacks what still stands in its log.
"""

from __future__ import annotations

import multiprocessing
import random
import shutil
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.conftest import SURVEYS, Fork
from tests.faults.crowd import PATIENCE, Crowd, lost_and_doubled
from tests.store.filled import filled, states
from wtp.errors import StoreError
from wtp.store import Database, audit, backup, database, open_database, results, tables
from wtp.store.archive import Archive, Place
from wtp.store.database import revisions

_FORK = multiprocessing.get_context("fork")
_MOST = 20
_PAUSE = 0.05  # between two pages of one respondent: every backup is compared with all of them
_PAIRS = "pairs"  # a study of this name
NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
NewDatabase = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> NewDatabase:
    """Makes an empty database, again and again."""
    if request.param == "postgresql":
        create: NewDatabase = request.getfixturevalue("new_postgresql")
        return create
    numbers = iter(range(1_000))
    return lambda: f"sqlite:///{tmp_path / f'{next(numbers)}' / 'wtp.sqlite'}"


def _upgrade(url: str, place: Place, begin: float) -> None:
    time.sleep(max(0.0, begin - time.monotonic()))
    with open_database(url) as opened:
        backup.upgrade_kept(opened, place)
        opened.check()


def _two_at_once(url: str, place: Place) -> list[int | None]:
    """Exit codes of two processes that bring the database up to date at the same moment."""
    begin = time.monotonic() + 0.05
    processes = [_FORK.Process(target=_upgrade, args=(url, place, begin)) for _ in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for process in processes:
            process.start()
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]


def _old(url: str) -> object:
    """A database of the schema before the newest, with rows in every table; returns what is in it."""
    with open_database(url) as opened:
        filled(opened, revisions()[1], 3)
        return states(opened)


def test_two_migrations_at_once_are_one_and_lose_no_row(
    new_database: NewDatabase, tmp_path: Path, rounds: Callable[[int], int]
) -> None:
    times = rounds(100)
    for number in range(times):
        url = new_database()
        place = Place(instance=tmp_path / f"instance-{number}", surveys=SURVEYS, program="test")
        before = _old(url)
        assert _two_at_once(url, place) == [0, 0]
        with open_database(url) as opened:
            assert states(opened, revisions()[1]) == before
        assert len(list(place.backups.iterdir())) == 1, "one of the two did it"
    print(f"two migrations at once, {times} times: one each, every row as it was")


def test_without_their_lock_two_migrations_disturb_each_other(
    new_database: NewDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "lock", lambda *_: None)
    place = Place(instance=tmp_path / "instance", surveys=SURVEYS, program="test")
    for _ in range(_MOST):
        url = new_database()
        _old(url)
        with monkeypatch.context() as patch:
            patch.setattr(database, "_begin_immediate", lambda connection, _: connection.exec_driver_sql("BEGIN"))
            codes = _two_at_once(url, place)
        if codes != [0, 0]:
            break
    assert codes != [0, 0]


class Pairs:
    """A thread that writes two rows into two tables in one transaction, again and again, and notes each pair after it was committed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.acknowledged: list[str] = []
        self.faults: list[BaseException] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Pairs:
        self._thread.start()
        self.gets_on(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def gets_on(self, pairs: int) -> None:
        """Wait until so many more are written."""
        before, end = len(self.acknowledged), time.monotonic() + PATIENCE
        while len(self.acknowledged) < before + pairs and not self.faults:
            assert time.monotonic() < end, "nothing is written any more"
            time.sleep(0.005)

    def _work(self) -> None:
        try:
            with open_database(self._url) as opened:
                for number in count():
                    if self._stopping.wait(0.02):
                        return
                    with opened.begin() as connection:
                        results.save(connection, f"{number}", _PAIRS, "content", NOW)
                        audit.add(connection, _PAIRS, "pair", who="ada", reason=f"{number}", now=NOW)
                    self.acknowledged.append(f"{number}")
        except BaseException as error:  # a thread's errors would be lost
            self.faults.append(error)


def _left(opened: Database) -> set[str]:
    r = tables.result.c
    with opened.read() as connection:
        return set(connection.execute(sa.select(r.fingerprint).where(r.study == _PAIRS)).scalars())


def _right(opened: Database) -> set[str]:
    with opened.read() as connection:
        return {entry.reason for entry in audit.entries(connection, _PAIRS)}


@pytest.mark.slow
def test_backups_under_load_hold_what_was_acknowledged_before_them_and_no_half_transaction(
    fork: Fork, database_url: str, tmp_path: Path, rounds: Callable[[int], int], dice: random.Random
) -> None:
    serving, times = fork(analysts=0, database=database_url), rounds(100)
    place = Place(instance=serving.instance, surveys=SURVEYS, program="test")
    crowd, held, lost, doubled, torn = Crowd(serving.port, hands=3, pause=_PAUSE), 0, 0, 0, 0
    meanwhile = 0
    with open_database(database_url) as opened, Pairs(database_url) as pairs, crowd.answering():
        for number in range(times):
            crowd.gets_on()
            time.sleep(dice.uniform(0.0, 0.1))
            before, pairs_before = list(crowd.acknowledged), set(pairs.acknowledged)
            file, folder = tmp_path / f"{number}.zip", tmp_path / f"restored-{number}"
            backup.back_up(opened, file, place)
            meanwhile += len(pairs.acknowledged) - len(pairs_before)
            here = Place(instance=folder, surveys=folder / "surveys", program="test")
            url = f"sqlite:///{folder / 'wtp.sqlite'}"
            with Archive(file) as archive, open_database(url) as restored:
                backup.restore(restored, archive, here)
                pages, twice = lost_and_doubled(replace(crowd, acknowledged=before), url)
                left, right = _left(restored), _right(restored)
            held, doubled, torn = held + len(before) + len(pairs_before), doubled + twice, torn + len(left ^ right)
            lost += len(pages) + len(pairs_before - left)
            file.unlink()
            shutil.rmtree(folder)
        pairs.gets_on(1)
    lost_here, doubled_here = lost_and_doubled(crowd, database_url)
    with open_database(database_url) as opened:
        assert _left(opened) == _right(opened) == set(pairs.acknowledged)
    print(f"{times} backups restored, {held} acknowledged before them, {lost} lost, {doubled} doubled, {torn} torn")
    assert (crowd.faults, pairs.faults) == ([], [])
    assert meanwhile > 0, "nobody wrote while a backup was made"
    assert (lost, doubled, torn) == (0, 0, 0)
    assert (lost_here, doubled_here) == ([], 0)


def test_a_backup_without_one_transaction_would_be_torn(database: Database, database_url: str) -> None:
    """Reading table after table, each as it is then, finds the one half without the other."""
    with Pairs(database_url) as pairs:
        left = _left(database)
        pairs.gets_on(2)
        right = _right(database)
    assert pairs.faults == []
    assert left < right


def test_a_copy_of_the_file_alone_is_found_out(fork: Fork, tmp_path: Path) -> None:
    serving = fork(analysts=0)
    crowd, lost = Crowd(serving.port), [""]
    with crowd.answering():
        for number in range(_MOST):
            crowd.gets_on(4)
            before = list(crowd.acknowledged)
            copy = tmp_path / f"{number}.sqlite"
            shutil.copy(serving.instance / "wtp.sqlite", copy)
            try:
                lost, _ = lost_and_doubled(replace(crowd, acknowledged=before), f"sqlite:///{copy}")
            except StoreError:
                lost = ["everything"]
            if lost:
                break
    assert lost
