"""Every schema that was released is brought up to date with its rows in place, after a backup, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store.conftest import together
from tests.store.filled import filled, states
from wtp.errors import StoreError
from wtp.store import backup, open_database
from wtp.store.archive import Archive, Place
from wtp.store.database import head, names_of, revision_of, revisions

ROWS = 12
OLDER = revisions()[1:]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(instance=tmp_path / "instance", surveys=tmp_path / "surveys", program="1.2.3")


@pytest.mark.parametrize("revision", OLDER)
def test_a_released_schema_is_brought_up_to_date_with_its_rows(
    database_url: str, revision: str, place: Place, request: pytest.FixtureRequest
) -> None:
    rows = 10_000 if request.config.getoption("--release") else ROWS
    with open_database(database_url) as database:
        filled(database, revision, rows)
        before = states(database)
        kept = backup.upgrade_kept(database, place)
        database.check()
        assert states(database, revision) == before
        assert {state.rows for state in before.values()} == {rows}
        assert kept is not None
        assert kept.name.startswith(f"before-{head()}-")
        with Archive(kept) as opened:
            opened.verify()
            assert opened.manifest.revision == revision
            assert opened.manifest.tables == before
        assert backup.upgrade_kept(database, place) is None  # the second run does nothing
        assert [*place.backups.iterdir()] == [kept]
        assert states(database, revision) == before


@pytest.mark.parametrize("revision", [*OLDER[:1], *OLDER[-1:]])
def test_a_database_that_holds_something_is_not_changed_by_the_way(database_url: str, revision: str) -> None:
    with open_database(database_url) as database:
        filled(database, revision, 1)
        before = states(database)
        with pytest.raises(
            StoreError, match=f"schema {revision} of an earlier version; allowed: {head()}; run wtp migrate"
        ):
            database.migrate()
        with pytest.raises(StoreError, match=f"schema {revision}; allowed: {head()}; run wtp migrate"):
            database.check()
        assert states(database) == before
        database.migrate(before=lambda _: None)
        database.check()


def test_an_older_database_without_rows_needs_no_backup(database_url: str, place: Place) -> None:
    with open_database(database_url) as database:
        filled(database, OLDER[0], 0)
        assert backup.upgrade_kept(database, place) is None
        database.check()
    assert not place.backups.exists()


def test_without_space_for_the_backup_nothing_is_changed(database_url: str, place: Place) -> None:
    place.instance.mkdir(exist_ok=True)
    place.backups.write_text("a file where the folder should be")
    with open_database(database_url) as database:
        filled(database, OLDER[0], 1)
        with pytest.raises(StoreError, match="File exists; allowed: "):
            backup.upgrade_kept(database, place)
        with database.read() as connection:
            assert revision_of(connection) == OLDER[0]


def test_of_processes_that_upgrade_at_once_one_does_it(database_url: str, place: Place) -> None:
    with open_database(database_url) as database:
        filled(database, OLDER[-1], 1)
        before = states(database)

    def start(_: int) -> Path | None:
        with open_database(database_url) as opened:
            kept = backup.upgrade_kept(opened, place)
            opened.check()
            return kept

    kept = [path for path in together(4, start) if path]
    assert len(kept) == 1
    with Archive(kept[0]) as opened:
        assert opened.manifest.tables == before


# Whose database


def test_a_database_of_another_program_is_refused_and_left_alone(database_url: str, place: Place) -> None:
    with open_database(database_url) as database:
        with database.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE orders (id INTEGER)")
        for refused in (
            database.migrate,
            database.check,
            lambda: backup.back_up(database, place.backups / "x.zip", place),
        ):
            with pytest.raises(
                StoreError, match="tables orders, of another program; allowed: an empty database, or one of wtp"
            ):
                refused()
        with database.begin() as connection:
            assert names_of(connection) == ["orders"]
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('ae1027a6acf')")
        with pytest.raises(StoreError, match="schema ae1027a6acf, of another program"):
            database.migrate()


def test_the_tables_of_the_queue_may_be_there(database_url: str, place: Place) -> None:
    with open_database(database_url) as database:
        with database.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE huey_task (id INTEGER)")
        database.migrate()
        database.check()
        assert "huey_task" in sa.inspect(database.engine).get_table_names()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_upgrade_that_loses_rows_would_be_seen(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the comparison of these tests sees a row that is lost and a value that is changed."""
    changes: tuple[Callable[[sa.Connection], object], ...] = (
        lambda c: c.exec_driver_sql("DELETE FROM answer WHERE id = 3"),
        lambda c: c.exec_driver_sql("UPDATE respondent SET tasks = NULL WHERE id = 5"),
    )
    with open_database(database_url) as database:
        filled(database, OLDER[-1], 9)
        for change in changes:
            before = states(database)
            with database.begin() as connection:
                change(connection)
            assert states(database) != before
