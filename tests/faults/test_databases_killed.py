"""An upgrade, a restore and a move that are killed at any statement leave the old state, and go well when they are begun again; a backup under load holds every answer before its start."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store.filled import add_rows, filled, states
from wtp.errors import StoreError
from wtp.store import Database, answers, backup, moving, open_database, tables
from wtp.store.archive import Archive, Place
from wtp.store.database import head, revision_of, revisions

Rounds = Callable[[int], int]
NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


def place_in(folder: Path) -> Place:
    return Place(instance=folder / "instance", surveys=folder / "surveys", program="1.2.3")


def killed(work: Callable[[], object], at: int | None) -> int:
    """Do the work in a process that is killed before its statement of that number, or at its last commit that changes something. Which statement it was; 0 if it came to its end."""
    seen, told = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child uses nothing of the threads that it has not
        pid = os.fork()
    if pid == 0:
        try:
            statements = count(1)

            def step(*_: object) -> None:
                number = next(statements)
                os.write(told, b"%d\n" % number)
                if number == at:
                    os.kill(os.getpid(), signal.SIGKILL)

            def last(_: sa.Connection) -> None:
                os.kill(os.getpid(), signal.SIGKILL)

            sa.event.listen(sa.Engine, "before_cursor_execute", step)
            if at is None:
                sa.event.listen(sa.Engine, "commit", last)
            work()
        finally:
            os._exit(0)
    os.close(told)
    with os.fdopen(seen) as lines:
        numbers = lines.read().split()
    _, status = os.waitpid(pid, 0)
    return int(numbers[-1]) if os.WIFSIGNALED(status) else 0


def rounds_of(work: Callable[[], object], rounds: int) -> Iterator[int]:
    """Kill the work at its commit, then at so many random statements before."""
    dice = random.Random(1)
    statements = killed(work, None)
    assert statements > 20
    yield statements
    for _ in range(rounds):
        at = dice.randint(1, statements)
        assert killed(work, at) == at
        yield at


def sound(database: Database) -> bool:
    if database.engine.dialect.name == "postgresql":
        return True
    with database.read() as connection:
        return connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]


def migrated(url: str, place: Place) -> None:
    with open_database(url) as opened:
        backup.upgrade_kept(opened, place)


def test_an_upgrade_that_is_killed_leaves_the_old_state(database_url: str, tmp_path: Path, rounds: Rounds) -> None:
    place = place_in(tmp_path)
    with open_database(database_url) as database:
        filled(database, revisions()[-1], rounds(10_000))
        before = states(database)
        for _ in rounds_of(lambda: migrated(database_url, place), rounds(30)):
            assert states(database) == before
            assert sound(database)
            with database.read() as connection:
                assert revision_of(connection) == revisions()[-1]
            for kept in place.backups.glob("*.zip"):  # what stands under its name is whole
                with Archive(kept) as opened:
                    opened.verify()
                    assert opened.manifest.tables == before
                kept.unlink()
        migrated(database_url, place)
        database.check()
        assert states(database, revisions()[-1]) == before


def test_a_restore_that_is_killed_leaves_the_old_state(database_url: str, tmp_path: Path, rounds: Rounds) -> None:
    place, file = place_in(tmp_path), tmp_path / "old.zip"

    def work() -> None:
        with open_database(database_url) as opened, Archive(file) as archive:
            backup.restore(opened, archive, place, replace=True)

    with open_database(database_url) as database:
        filled(database, head(), 20)
        old = states(database)
        backup.back_up(database, file, place)
        with database.begin() as connection:
            add_rows(connection, range(21, 61), without="erasure")  # which outlives a restore
        now = states(database)
        for _ in rounds_of(work, rounds(30)):
            assert states(database) == now
            assert sound(database)
        work()
        assert states(database) == old
        database.check()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_move_that_is_killed_leaves_the_old_database_whole_and_goes_on(
    database_url: str, new_postgresql: Callable[[], str], tmp_path: Path, rounds: Rounds
) -> None:
    urls = iter([new_postgresql() for _ in range(2 + rounds(30))])

    def work(url: str) -> None:
        with open_database(database_url) as leaving, open_database(url) as arriving:
            moving.move(leaving, arriving)

    with open_database(database_url) as database:
        filled(database, head(), 20)
        before = states(database)
        dice = random.Random(1)
        for _ in range(1 + rounds(30)):
            url, at = next(urls), dice.randint(1, 200)
            assert killed(lambda url=url: work(url), at) == at  # type: ignore[misc]
            assert states(database) == before
            with open_database(url) as target, target.read() as connection:
                assert revision_of(connection) is None
        url = next(urls)
        work(url)
        with open_database(url) as target:
            assert states(target) == before
        with pytest.raises(StoreError, match="moved to another one"):
            database.check()


# A backup under load


class Writers:
    """Threads that save a page and a choice in one transaction, again and again, and note each one after it was committed."""

    def __init__(self, url: str, people: int) -> None:
        self._url, self._people = url, people
        self.acknowledged: list[tuple[int, str]] = []
        self.faults: list[BaseException] = []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(4)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        while len(self.acknowledged) < 20 and not self.faults:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        try:
            with open_database(self._url) as database:
                for turn in count():
                    if self._stopping.wait(0.02):
                        return
                    person, page = 1 + (number + 4 * turn) % self._people, f"page {number} {turn}"
                    with database.begin() as connection:
                        answers.record_answers(connection, person, page, {"q": turn}, revision=0, now=NOW)
                        _choose(connection, person, 1000 + 4 * turn + number, page)
                    self.acknowledged.append((person, page))
        except BaseException as error:  # a thread's errors would be lost
            self.faults.append(error)


def _choose(connection: sa.Connection, person: int, order: int, page: str) -> None:
    connection.execute(
        sa.insert(tables.choice).values(
            respondent_id=person, choice_order=order, revision=1, choice_task=1, kind="task", shown={"page": page},
            design_version=1, definition_hash="x", chosen=1, answered_at=NOW,
        )
    )  # fmt: skip


def _saved(database: Database) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
    """Person and page of every answer and of every choice of the writers."""
    a, c = tables.answer.c, tables.choice.c
    with database.read() as connection:
        pages = connection.execute(sa.select(a.respondent_id, a.page).where(a.page.like("page %")))
        chosen = connection.execute(sa.select(c.respondent_id, c.shown).where(c.choice_order >= 1000))
        return {(row[0], row[1]) for row in pages}, {(row[0], row[1]["page"]) for row in chosen}


def test_a_backup_under_load_holds_everything_that_was_answered_before_it(
    database_url: str, tmp_path: Path, rounds: Rounds
) -> None:
    place = place_in(tmp_path)
    with open_database(database_url) as database:
        filled(database, head(), 300)
        with Writers(database_url, 300) as writers:
            for number in range(rounds(20)):
                file, other = tmp_path / f"{number}.zip", tmp_path / f"{number}.sqlite"
                before = set(writers.acknowledged)
                backup.back_up(database, file, place)
                after = set(writers.acknowledged)
                with open_database(f"sqlite:///{other}") as restored, Archive(file) as archive:
                    backup.restore(restored, archive, place_in(tmp_path / str(number)))
                    pages, chosen = _saved(restored)
                assert pages == chosen  # no transaction is torn
                assert before <= pages
                assert len(after) > len(before)  # it went on meanwhile
                file.unlink()
                other.unlink()
        assert writers.faults == []
        pages, _ = _saved(database)
        assert pages == set(writers.acknowledged)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_backup_without_one_transaction_would_be_torn(database_url: str, tmp_path: Path) -> None:
    """Control: reading table after table, each as it is then, finds pages without their choices."""
    with open_database(database_url) as database:
        filled(database, head(), 300)
        with Writers(database_url, 300) as writers:
            a = tables.answer.c
            with database.read() as connection:
                pages = set(connection.execute(sa.select(a.page).where(a.page.like("page %"))).scalars())
            began = len(writers.acknowledged)
            while len(writers.acknowledged) < began + 5 and not writers.faults:
                time.sleep(0.01)
            _, chosen = _saved(database)
        assert writers.faults == []
        assert {page for _, page in chosen} != pages


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_table_that_lost_a_page_is_found(database_url: str, tmp_path: Path) -> None:
    """Control: what these tests ask of a database sees that a part of it is gone."""
    with open_database(database_url) as database:
        filled(database, head(), 200)
        with database.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        database.engine.dispose()
        file = Path(str(sa.make_url(database_url).database))
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2] + bytes(8192) + content[len(content) // 2 + 8192 :])
        try:
            assert not sound(database)
        except sqlite3.DatabaseError:
            return
