"""An upgrade, a restore and a move that are killed at any statement leave the old state, and go well when they are begun again."""

from __future__ import annotations

import os
import random
import signal
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store.filled import add_rows, all_but_staff, filled, states
from wtp.errors import StoreError
from wtp.store import Database, backup, moving, open_database
from wtp.store.archive import Archive, Place
from wtp.store.database import head, revision_of, revisions

Rounds = Callable[[int], int]


def place_in(folder: Path) -> Place:
    return Place(instance=folder / "instance", surveys=folder / "surveys", program="1.2.3")


def _only_reads(connection: sa.Connection) -> bool:
    """PostgreSQL's readings end by a commit as well."""
    if connection.dialect.name != "postgresql":
        return False
    driver = connection.connection.driver_connection
    assert driver is not None
    return bool(driver.execute("SHOW transaction_read_only").fetchone()[0] == "on")


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

            def last(connection: sa.Connection) -> None:
                if not _only_reads(connection):
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


def rounds_of(work: Callable[[], object], rounds: int, dice: random.Random) -> Iterator[int]:
    """Kill the work at its commit, then at so many random statements before."""
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
    try:
        with database.read() as connection:
            return connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]
    except StoreError:
        return False


def migrated(url: str, place: Place) -> None:
    with open_database(url) as opened:
        backup.upgrade_kept(opened, place)


def test_an_upgrade_that_is_killed_leaves_the_old_state(
    database_url: str, tmp_path: Path, rounds: Rounds, dice: random.Random
) -> None:
    place = place_in(tmp_path)
    with open_database(database_url) as database:
        filled(database, revisions()[-1], rounds(10_000))
        before = states(database)
        for _ in rounds_of(lambda: migrated(database_url, place), rounds(30), dice):
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


def test_a_restore_that_is_killed_leaves_the_old_state(
    database_url: str, tmp_path: Path, rounds: Rounds, dice: random.Random
) -> None:
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
        for _ in rounds_of(work, rounds(30), dice):
            assert states(database) == now
            assert sound(database)
        work()
        assert all_but_staff(states(database)) == all_but_staff(old)
        database.check()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_move_that_is_killed_leaves_the_old_database_whole_and_goes_on(
    database_url: str, new_postgresql: Callable[[], str], tmp_path: Path, rounds: Rounds, dice: random.Random
) -> None:
    urls = iter([new_postgresql() for _ in range(2 + rounds(30))])

    def work(url: str) -> None:
        with open_database(database_url) as leaving, open_database(url) as arriving:
            moving.move(leaving, arriving)

    with open_database(database_url) as database:
        filled(database, head(), 20)
        before = states(database)
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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_table_that_lost_a_page_is_found(database_url: str) -> None:
    """Control: what these tests ask of a database sees that a part of it is gone."""
    with open_database(database_url) as database:
        filled(database, head(), 200)
        with database.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        assert sound(database)
        database.engine.dispose()
        file = Path(str(sa.make_url(database_url).database))
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2] + bytes(8192) + content[len(content) // 2 + 8192 :])
        assert not sound(database)
