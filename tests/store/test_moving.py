"""A database is moved to the other kind without loss, takes no answer meanwhile that could stay behind, and is in use as before if the move fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW
from tests.store.filled import add_rows, filled, states
from wtp.errors import StoreError
from wtp.store import Database, moving, open_database, results, tables, transfer
from wtp.store.database import head, revision_of, revisions
from wtp.store.transfer import Lines

ROWS = 8
REFUSED = r"database: moved to another one; nothing was saved by this step"


@pytest.fixture
def full(database_url: str) -> Iterator[Database]:
    with open_database(database_url) as database:
        filled(database, head(), ROWS)
        yield database


@pytest.fixture
def target(full: Database, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database of the other kind."""
    if full.engine.dialect.name == "postgresql":
        url = f"sqlite:///{tmp_path / 'target' / 'wtp.sqlite'}"
    else:
        create: Callable[[], str] = request.getfixturevalue("new_postgresql")
        url = create()
    with open_database(url) as opened:
        yield opened


def save(database: Database, fingerprint: str = "new") -> None:
    with database.begin() as connection:
        results.save(connection, fingerprint, "supplier", "content", NOW)


def writes() -> Iterator[sa.Executable]:
    """Something that changes each table, in each way."""
    for table in tables.metadata.sorted_tables:
        column = next(iter(table.columns))
        yield sa.insert(table).from_select(list(table.columns.keys()), sa.select(table))
        if table is not tables.audit:  # which is only added to anyway
            yield sa.update(table).values({column: column})
            yield sa.delete(table)


def test_everything_arrives_and_the_old_database_is_only_read(full: Database, target: Database) -> None:
    before = states(full)
    assert moving.move(full, target) == before
    assert states(target) == before == states(full)
    target.check()
    save(target)
    with target.begin() as connection:
        add_rows(connection, range(ROWS + 1, ROWS + 2))
    with pytest.raises(StoreError, match=REFUSED):
        save(full)
    for change in writes():
        with pytest.raises(StoreError, match=REFUSED), full.begin() as connection:
            connection.execute(change)
    with pytest.raises(StoreError, match=r"moved to another one, .*; allowed: the one in use; .* wtp move --cancel"):
        full.check()
    assert states(full) == before
    moving.cancel(full)
    full.check()
    save(full)
    moving.cancel(full)  # a second time does nothing
    assert states(full)["result"].rows == ROWS + 1


def test_the_password_of_the_new_database_is_told_to_nobody(full: Database) -> None:
    with full.begin() as connection:
        url = sa.make_url("postgresql+psycopg://wtp:topsecret@127.0.0.1/wtp").render_as_string(hide_password=True)
        moving.freeze(connection, url)
    with pytest.raises(StoreError) as said:
        full.check()
    assert "@127.0.0.1/wtp" in str(said.value)
    assert "topsecret" not in str(said.value)


def test_what_is_answered_during_the_move_is_refused_by_every_connection(
    full: Database, target: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, tried = transfer.read_lines, []

    def reading(connection: sa.Connection, table: sa.Table) -> Lines:
        with open_database(database_url) as another:
            for database in (full, another):
                with pytest.raises(StoreError, match=REFUSED):
                    save(database)
                tried.append(table.name)
        return read(connection, table)

    monkeypatch.setattr(moving, "read_lines", reading)
    assert moving.move(full, target) == states(full)
    assert len(tried) == 2 * len(tables.metadata.tables)


def test_a_move_that_fails_leaves_both_as_they_were(
    full: Database, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = states(full)
    count = iter(range(10))

    def failing(connection: sa.Connection, table: sa.Table) -> Lines:
        if next(count) == 5:
            raise KeyboardInterrupt
        return transfer.read_lines(connection, table)

    with monkeypatch.context() as patch:
        patch.setattr(moving, "read_lines", failing)
        with pytest.raises(KeyboardInterrupt):
            moving.move(full, target)
    full.check()
    assert states(full) == before
    with target.read() as connection:
        assert revision_of(connection) is None
    assert moving.move(full, target) == before


def test_a_move_that_was_killed_goes_on_when_it_is_begun_again(full: Database, target: Database) -> None:
    with full.begin() as connection:
        moving.freeze(connection, "elsewhere")
    assert moving.move(full, target) == states(full)
    target.check()


def test_a_database_that_holds_something_is_no_target(full: Database, target: Database) -> None:
    target.migrate()
    save(target)
    with pytest.raises(StoreError, match="new database: holds something already; allowed: an empty one"):
        moving.move(full, target)
    full.check()
    with pytest.raises(StoreError, match="the one in use already"):
        moving.move(full, full)


def test_an_older_schema_is_brought_up_to_date_on_the_way(database_url: str, tmp_path: Path) -> None:
    with open_database(database_url) as old, open_database(f"sqlite:///{tmp_path / 'new.sqlite'}") as new:
        filled(old, revisions()[-1], 4)
        moving.move(old, new)
        new.check()
        assert states(new, revisions()[-1]) == states(old)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_the_other_kind_cannot_hold_is_named(
    full: Database, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_BATCH", 2)  # so that there is more to read when it happens
    with full.begin() as connection:  # SQLite keeps texts of any length, PostgreSQL does not
        connection.execute(sa.update(tables.measure).where(tables.measure.c.id == 1).values(title="x" * 300))
    with pytest.raises(StoreError, match=r"table measure: a row does not fit \(value too long.*\); allowed: "):
        moving.move(full, target)
    full.check()
    with target.read() as connection:
        assert revision_of(connection) is None


def test_there_must_be_something_to_move(database_url: str, tmp_path: Path) -> None:
    with (
        open_database(database_url) as empty,
        open_database(f"sqlite:///{tmp_path / 'x.sqlite'}") as target,
        pytest.raises(StoreError, match=r"database: empty; .*nothing to move"),
    ):
        moving.move(empty, target)
