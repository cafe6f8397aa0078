"""Two who bring a database up to date at once, and backups that are taken while people answer.

Controls: without their lock two migrations get into each other's way; a copy of SQLite's file lacks what still stands in its log.
"""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.conftest import SURVEYS, Fork
from tests.faults.crowd import Crowd, lost_and_doubled
from tests.store.filled import filled, states
from wtp.errors import StoreError
from wtp.store import backup, database, open_database
from wtp.store.archive import Archive, Place
from wtp.store.database import revisions

_FORK = multiprocessing.get_context("fork")
_MOST = 20
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
            patch.setattr(database, "_begin_sqlite", lambda connection: connection.exec_driver_sql("BEGIN"))
            codes = _two_at_once(url, place)
        if codes != [0, 0]:
            break
    assert codes != [0, 0]


@pytest.mark.slow
def test_backups_under_load_hold_what_was_acknowledged_before_them(
    fork: Fork, database_url: str, tmp_path: Path, rounds: Callable[[int], int]
) -> None:
    serving, times, dice = fork(analysts=0, database=database_url), rounds(100), random.Random(1)
    place = Place(instance=serving.instance, surveys=SURVEYS, program="test")
    crowd, held, lost, doubled = Crowd(serving.port, hands=3), 0, 0, 0
    with crowd.answering():
        for number in range(times):
            crowd.gets_on()
            time.sleep(dice.uniform(0.0, 0.1))
            before = list(crowd.acknowledged)
            file, url = tmp_path / f"{number}.zip", f"sqlite:///{tmp_path / f'restored-{number}' / 'wtp.sqlite'}"
            with open_database(database_url) as opened:
                backup.back_up(opened, file, place)
            here = Place(
                instance=tmp_path / f"restored-{number}", surveys=tmp_path / f"surveys-{number}", program="test"
            )
            with Archive(file) as archive, open_database(url) as restored:
                backup.restore(restored, archive, here)
            missing, twice = lost_and_doubled(replace(crowd, acknowledged=before), url)
            held, lost, doubled = held + len(before), lost + len(missing), doubled + twice
            file.unlink()
            shutil.rmtree(here.instance)
            shutil.rmtree(here.surveys, ignore_errors=True)
    print(f"{times} backups restored, {held} acknowledged before them, {lost} lost, {doubled} doubled")
    assert crowd.faults == []
    assert (lost, doubled) == (0, 0)


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
