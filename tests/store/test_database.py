"""What was committed stays, what failed leaves nothing, and a place that cannot keep answers is refused in words."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from tests.store.conftest import NOW, Study, together
from wtp.errors import StoreError
from wtp.store import Database, audit, open_database, place, results, staff, tables
from wtp.store import database as module

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def migrated_as_shipped(migrated_once: Callable[[Database], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "migrate", migrated_once)


def save(database: Database, fingerprint: str, content: str = "content") -> None:
    with database.begin() as connection:
        results.save(connection, fingerprint, "supplier", content, NOW)


def kept(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(tables.result)).scalar_one()


def names(database: Database) -> set[str]:
    return set(sa.inspect(database.engine).get_table_names())


# Transactions


def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    def work() -> None:
        with database.begin() as connection:
            results.save(connection, "1", "supplier", "content", NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert kept(database) == 0


def test_what_is_committed_is_seen_by_another_process(database: Database, database_url: str) -> None:
    save(database, "1")
    with open_database(database_url) as other:
        assert kept(other) == 1


def test_reading_sees_one_state_and_keeps_no_writer_waiting(database: Database) -> None:
    query = sa.select(sa.func.count()).select_from(tables.result)
    with database.read() as connection:
        assert connection.execute(query).scalar_one() == 0
        save(database, "1")
        assert connection.execute(query).scalar_one() == 0
    assert kept(database) == 1


def write_while_reading(database: Database) -> None:
    with database.read() as connection:
        results.save(connection, "1", "supplier", "content", NOW)


@on_sqlite
def test_sqlite_forgets_what_is_written_while_reading(database: Database) -> None:
    write_while_reading(database)
    assert kept(database) == 0


@on_postgresql
def test_postgresql_refuses_to_write_while_reading(database: Database) -> None:
    with pytest.raises(StoreError, match="read-only transaction"):
        write_while_reading(database)
    assert kept(database) == 0


@on_postgresql
def test_a_connection_that_has_read_keeps_the_statements_that_it_prepared(database: Database) -> None:
    asked = sa.text("SELECT 1 AS prepared")
    prepared = sa.text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%AS prepared'")
    for _ in range(10):  # the driver prepares what was asked often
        with database.read() as connection:
            connection.execute(asked)
    with database.look() as connection:
        assert connection.execute(prepared).scalar_one() == 1


def test_a_connection_that_has_read_can_write_again(database: Database) -> None:
    for number in range(40):  # more than there are connections
        kept(database)
        save(database, str(number))
    assert kept(database) == 40


# Safety of what is committed


@on_sqlite
def test_sqlite_waits_for_the_disk_and_for_other_writers(database: Database) -> None:
    wanted = {"synchronous": 2, "journal_mode": "wal", "busy_timeout": 15_000, "foreign_keys": 1, "secure_delete": 1}
    with database.begin() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in wanted}
    assert found == wanted


def test_a_migrated_database_is_safe(database: Database) -> None:
    database.check()


@on_sqlite
@pytest.mark.parametrize(
    ("pragma", "found"),
    [("synchronous=NORMAL", "synchronous is 1"), ("journal_mode=DELETE", "journal_mode is delete")],
)
def test_sqlite_that_could_lose_answers_is_refused(database: Database, pragma: str, found: str) -> None:
    database.engine.dispose()
    sa.event.listen(database.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {pragma}"))
    with pytest.raises(StoreError, match=rf"{found}; allowed: (2|wal); "):
        database.check()


@on_postgresql
def test_postgresql_that_could_lose_answers_is_refused(database: Database, database_url: str) -> None:
    url = sa.make_url(database_url)
    lax = url.update_query_dict({"options": f"{url.query['options']} -csynchronous_commit=off"})
    with (
        open_database(lax.render_as_string(hide_password=False)) as lowered,
        pytest.raises(StoreError, match="synchronous_commit is off; allowed: on; "),
    ):
        lowered.check()


# Schema


def test_migrating_gives_the_schema_of_the_code_and_a_second_run_changes_nothing(database: Database) -> None:
    save(database, "1")
    database.migrate()
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    assert kept(database) == 1


def test_who_was_there_before_accounts_had_rights_keeps_all_and_the_log_stays(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_database(database_url) as opened:
        upgrade = module.command.upgrade
        with monkeypatch.context() as patch:
            patch.setattr(module.command, "upgrade", lambda config, _: upgrade(config, "0010"))
            opened.migrate()
        with opened.begin() as connection:
            for statement in (
                "INSERT INTO study (slug, definition_hash, design_hash) VALUES ('supplier', 'a', 'b')",
                "INSERT INTO staff (name, role, password_hash, active, session_version) VALUES ('anna', 'analyst', 'h', true, 3)",
            ):
                connection.exec_driver_sql(statement)
            audit.add(connection, "supplier", audit.STATE, who="anna", reason="open → closed", now=NOW)
        opened.migrate(before=lambda _: None)
        opened.check()
        with opened.begin() as connection:
            anna = staff.named(connection, "anna")
            assert (anna.studies, anna.factor, anna.invited, anna.session_version) == (None, None, False, 3)
            log = audit.entries(connection, "supplier")
            assert [(entry.who, entry.reason) for entry in log] == [("anna", "open → closed")]
            assert audit.first_broken("supplier", log) is None
            audit.add(connection, audit.INSTALLATION, audit.STATE, who="anna", reason="of no study", now=NOW)


def test_the_keys_that_refuse_doubles_are_never_null(database: Database) -> None:
    for table in (tables.answer, tables.choice, tables.respondent, tables.staff):
        unique = {c for u in sa.inspect(database.engine).get_unique_constraints(table.name) for c in u["column_names"]}
        columns = {c["name"]: c["nullable"] for c in sa.inspect(database.engine).get_columns(table.name)}
        assert unique
        assert not any(columns[name] for name in unique)


def test_processes_that_start_at_once_migrate_once(database_url: str) -> None:
    def start(_: int) -> None:
        with open_database(database_url) as opened:
            opened.migrate()
            opened.check()

    together(8, start)


def test_a_migration_that_fails_half_way_leaves_the_old_state(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = op.create_table

    def fail(name: str, *columns: Any) -> Any:
        if name == "choice":
            raise RuntimeError("the power went")
        return create(name, *columns)

    with open_database(database_url) as opened:
        with monkeypatch.context() as patch:
            patch.setattr(op, "create_table", fail)
            with pytest.raises(RuntimeError, match="the power went"):
                opened.migrate()
        assert names(opened) == set()
        opened.migrate()
        opened.check()


def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for refused in (database.migrate, database.check):
        with pytest.raises(StoreError, match=r"schema 9999 is newer than this program; allowed: up to \d{4}; install"):
            refused()


def test_a_database_without_schema_is_refused(database_url: str) -> None:
    with open_database(database_url) as opened, pytest.raises(StoreError, match=r"schema missing; allowed: \d{4}; "):
        opened.check()


# Places


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "not a database URL; allowed: sqlite"),
        ("wtp.sqlite", "not a database URL; allowed: sqlite"),
        ("mysql://root@localhost/wtp", "mysql; allowed: sqlite or postgresql"),
        ("sqlite://", "without a file; allowed: sqlite:///file"),
        ("sqlite:///:memory:", "without a file; allowed: sqlite:///file"),
        ("sqlite:////proc/wtp/wtp.sqlite", "/proc/wtp: .*; allowed: a folder that can be written"),
        ("sqlite:///{folder}/file/wtp.sqlite", "file: .*; allowed: a folder that can be written"),
    ],
)
def test_an_unusable_place_is_refused_in_words(url: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=says):
        open_database(url.replace("{folder}", str(tmp_path)))


@pytest.mark.parametrize("read_only", ["instance", "instance/wtp.sqlite"])
def test_a_read_only_place_is_refused(read_only: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "instance" / "wtp.sqlite"
    file.parent.mkdir()
    file.touch()
    # Rights are no hindrance to an administrator, who may run the tests.
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path / read_only)
    with pytest.raises(StoreError, match=f"{read_only}: read-only; allowed: a place that can be written; "):
        open_database(f"sqlite:///{file}")


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    share = tmp_path / "my share"
    share.mkdir()
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {str(share).replace(' ', chr(92) + '040')} nfs4 rw 0 0\n")
    monkeypatch.setattr(place, "_MOUNTS", mounts)
    with pytest.raises(StoreError, match=r"network file system \(nfs4\).*; allowed: a local disk, or PostgreSQL"):
        open_database(f"sqlite:///{share / 'instance' / 'wtp.sqlite'}")
    with open_database(f"sqlite:///{tmp_path / 'wtp.sqlite'}") as local:
        local.migrate()


@pytest.mark.parametrize("content", [b"this is no database\n" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "wtp.sqlite"
    file.write_bytes(content)
    with open_database(f"sqlite:///{file}") as opened, pytest.raises(StoreError, match="not a database"):
        opened.migrate()
    assert file.read_bytes() == content


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with open_database(f"sqlite:///{tmp_path}") as opened, pytest.raises(StoreError, match="unable to open"):
        opened.migrate()


def test_a_database_that_is_away_is_refused_without_telling_the_password() -> None:
    url = "postgresql://wtp:topsecret@127.0.0.1:1/wtp"
    with open_database(url) as opened, pytest.raises(StoreError, match="bring the database back") as refused:
        opened.migrate()
    assert "topsecret" not in str(refused.value)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"allowed: psycopg 3; install wtp\[postgres\]"):
        open_database("postgresql://localhost/wtp")


# Faults


@on_sqlite
def test_a_full_disk_is_said_in_words_and_heals_when_there_is_space_again(study: Study, database_url: str) -> None:
    limit = {"pages": 1_000_000}
    sa.event.listen(
        study.database.engine,
        "checkout",
        lambda connection, *_: connection.execute(f"PRAGMA max_page_count={limit['pages']}"),
    )
    person = study.begin("a")
    with study.database.read() as connection:
        limit["pages"] = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 3
    acknowledged: list[int] = []

    def fill() -> None:
        acknowledged.extend(study.answer(person, f"page {number}", {"q": "x" * 1_000}) for number in range(100))

    with pytest.raises(StoreError, match="full; nothing was saved by this step; free disk space"):
        fill()
    assert 0 < len(acknowledged) == study.rows(tables.answer)
    limit["pages"] = 1_000_000
    study.answer(person, "page 99", {"q": "x" * 1_000})
    with sqlite3.connect(str(sa.make_url(database_url).database)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()


@on_sqlite
def test_a_database_that_stays_locked_is_said_in_words(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.1)
    with open_database(database_url) as impatient:
        with database.begin() as connection:
            results.save(connection, "1", "supplier", "content", NOW)
            with pytest.raises(StoreError, match=r"locked; nothing was saved by this step; .* then try again"):
                save(impatient, "2")
        save(impatient, "2")
    assert kept(database) == 2


@on_postgresql
def test_a_server_that_drops_its_connections_loses_nothing_that_was_committed(database: Database) -> None:
    save(database, "1")
    drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dropped'"

    def work() -> None:
        with database.begin() as connection:
            connection.exec_driver_sql("SET application_name = 'dropped'")
            results.save(connection, "2", "supplier", "content", NOW)
            with database.begin() as other:
                other.exec_driver_sql(drop)
            results.save(connection, "3", "supplier", "content", NOW)

    with pytest.raises(StoreError, match="nothing was saved by this step"):
        work()
    assert kept(database) == 1
    save(database, "2")
    assert kept(database) == 2


@on_postgresql
def test_a_server_that_came_back_is_used_at_once(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REST_SECONDS", 0)  # connections that rested are tried before they are used
    with database.begin() as connection:
        connection.exec_driver_sql("SET application_name = 'resting'")
    with open_database(database_url) as other, other.begin() as connection:
        drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'resting'"
        assert connection.exec_driver_sql(drop).scalars().all() == [True]
    save(database, "1")
    assert kept(database) == 1


@on_sqlite
def test_when_all_connections_are_busy_it_is_said_in_words(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = sa.create_engine(database_url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    monkeypatch.setattr(database, "engine", engine)
    with database.read() as connection:
        connection.execute(sa.text("SELECT 1"))
        with pytest.raises(StoreError, match="all connections are busy"):
            kept(database)
    engine.dispose()


def test_a_fault_of_the_program_is_not_dressed_up(database: Database) -> None:
    row = {"respondent_id": 77, "page": "p", "revision": 1, "content": {}, "answered_at": NOW}

    def insert(row: dict[str, Any]) -> None:
        with database.begin() as connection:
            connection.execute(sa.insert(tables.answer).values(**row))

    with pytest.raises(sa.exc.IntegrityError):
        insert(row)
    with pytest.raises((sa.exc.StatementError, ValueError), match="not JSON compliant"):
        insert(row | {"content": {"q": float("nan")}})
