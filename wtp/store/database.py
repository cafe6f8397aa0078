"""The connection to SQLite or PostgreSQL, and the promise that what was answered stays.

Every transaction that writes is whole and durable before the caller goes on: SQLite in WAL mode with synchronous=FULL (a power cut loses
nothing that was committed) and BEGIN IMMEDIATE (a writer waits for its turn instead of failing half way), PostgreSQL with
synchronous_commit on. `check` asks the live connection, since settings can lie.
"""

from __future__ import annotations

import functools
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from wtp.errors import StoreError
from wtp.store import roles
from wtp.store.objects import Objects
from wtp.store.place import check_place
from wtp.store.results import OBJECTS

_BUSY_SECONDS = 15
_LOOK_SECONDS = 0.001
_PRIMARY_CODE = 0xFF  # of SQLite's extended error codes
_CONNECT_SECONDS = 5
_REST_SECONDS = 1.0
_LOG_MILLISECONDS = 200
_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 7_395_061  # any number, the same in every process that migrates
REVISION_TABLE = "alembic_version"
_QUEUE_TABLES = "huey_"  # the queue of background analyses may lie beside the tables: transport, which is made again
MOVED_TABLE = "moved_to"  # there while, and after, the database is moved to another one: see `store.moving`
MOVED = "moved to another one"
_MOST_NAMED = 5
# What a person can mend: full, locked, away, not a database. Everything else is a fault of the program.
_MENDABLE = (sa.exc.OperationalError, sa.exc.InternalError, sa.exc.InterfaceError)


class Database:
    """One database; a context manager that closes its connections at the end. A child opens it anew after a fork, where SQLite takes the parent's locks for its own.

    Its methods begin the transactions; what is asked of `engine` itself has none.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._turn = threading.Lock()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction that writes: committed, durably, when the block ends; rolled back if it raises.

        Raises StoreError if the database cannot be written (full, locked, away).
        """
        with _in_words(), self._own_turn() as until, self.engine.begin() as connection:
            if self.engine.dialect.name == "sqlite":
                _begin_immediate(connection, until)
            else:
                _postgresql().begin(connection)
            yield connection

    @contextmanager
    def _own_turn(self) -> Iterator[float]:
        """SQLite has one writer: the threads of a process queue here, where the next one is woken at once, and one of each process asks the file.

        Until when the file may be asked: whoever waited here has so much less time there, so that nobody waits twice.
        """
        until = time.monotonic() + _BUSY_SECONDS
        if self.engine.dialect.name != "sqlite":
            yield until
            return
        if not self._turn.acquire(timeout=_BUSY_SECONDS):
            raise StoreError(_not_saved("database is locked"))
        try:
            yield until
        finally:
            self._turn.release()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that reads one consistent state and keeps no writer waiting."""
        of_postgresql = self.engine.dialect.name == "postgresql"
        with _in_words(), self.engine.connect() as connection:
            if of_postgresql:
                _postgresql().begin(connection, " ISOLATION LEVEL REPEATABLE READ READ ONLY")
            else:
                connection.exec_driver_sql("BEGIN")
            yield connection
            if of_postgresql:
                connection.commit()  # rolled back, its driver would forget all statements that it has prepared

    @contextmanager
    def look(self) -> Iterator[sa.Connection]:
        """A connection for one statement that reads, which sees one moment by itself: both databases are spared beginning and end of a transaction."""
        with _in_words(), self.engine.connect() as connection:
            yield connection

    def migrate(self, before: Callable[[sa.Connection], object] | None = None) -> bool:
        """Bring the schema to this version of the program, whole or not at all; a second run does nothing. Whether there was anything to do.

        before: called in the same transaction, with all writers kept waiting, before the schema of a database that holds something is changed;
        without it such a database is refused, so that nothing is ever changed by the way.
        """
        with self.begin() as connection:
            lock(connection)
            refuse_foreign(connection)
            current = revision_of(connection)
            if current == head():
                return False
            _refuse_moved(connection)
            if held := holding(connection):
                if before is None:
                    raise StoreError(
                        f"database: schema {current} of an earlier version; allowed: {head()}; run wtp migrate (or wtp serve), which makes a backup first."
                    )
                lock(connection, held)
                before(connection)
            upgrade(connection, head())
            return True

    def empty_log(self) -> bool:
        """Leave nothing of deleted rows in SQLite's write-ahead log; False while somebody still reads an older state: try again. PostgreSQL looks after its own."""
        if self.engine.dialect.name != "sqlite":
            return True
        with _in_words():
            raw = self.engine.raw_connection()
            try:
                raw.execute(f"PRAGMA busy_timeout={_LOG_MILLISECONDS}")  # others who write wait as long
                busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                raw.execute(f"PRAGMA busy_timeout={int(_BUSY_SECONDS * 1000)}")
                raw.close()
        return not busy

    def check(self) -> None:
        """Ask the live connection whether an answer would be safe. Raises StoreError in words if not."""
        with self.read() as connection:
            if connection.dialect.name == "sqlite":
                for setting, wanted in (("synchronous", 2), ("journal_mode", "wal"), ("foreign_keys", 1)):
                    value = connection.exec_driver_sql(f"PRAGMA {setting}").scalar_one()
                    if value != wanted:
                        raise StoreError(
                            f"database: {setting} is {value}; allowed: {wanted}; remove what changes it, or use a local disk."
                        )
            else:
                for setting in ("synchronous_commit", "fsync"):
                    value = connection.exec_driver_sql(f"SHOW {setting}").scalar_one()
                    if value == "off":
                        raise StoreError(f"database: {setting} is off; allowed: on; change it in postgresql.conf.")
            refuse_foreign(connection)
            current = revision_of(connection)
            if current != head():
                raise StoreError(
                    f"database: schema {current or 'missing'}; allowed: {head()}; run wtp migrate or wtp serve, which bring it up to date."
                )
            _refuse_moved(connection)


def open_database(url: str, results: str = "") -> Database:
    """Open the database of a SQLAlchemy URL; a SQLite file's folder is made if it is missing.

    results: where contents of results are kept, see `objects`; empty: in the database. Raises StoreError if the place cannot hold answers safely.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise StoreError(
            "database: not a database URL; allowed: sqlite:///file or postgresql+psycopg://...; mend the setting."
        ) from error
    create = functools.partial(
        sa.create_engine,
        json_serializer=functools.partial(json.dumps, allow_nan=False),
        execution_options={OBJECTS: Objects(results) if results else None},
    )
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in {None, "", ":memory:"}:
            raise StoreError("database: SQLite without a file; allowed: sqlite:///file; name a file.")
        check_place(Path(str(parsed.database)))
        engine = create(parsed, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})
        sa.event.listen(engine, "connect", _prepare_sqlite)
    elif parsed.get_backend_name() == "postgresql":
        try:
            engine = create(
                parsed.set(drivername="postgresql+psycopg"),
                connect_args={"connect_timeout": _CONNECT_SECONDS},
            )
        except ModuleNotFoundError as error:
            raise StoreError(
                "database: the driver for PostgreSQL is missing; allowed: psycopg 3; install wtp[postgres]."
            ) from error
        sa.event.listen(engine, "do_connect", _postgresql().connect)
        sa.event.listen(engine, "connect", _prepare_postgresql)
        sa.event.listen(engine, "checkin", _note_rest)
        sa.event.listen(engine, "checkout", functools.partial(_try_after_rest, engine.dialect))
    else:
        raise StoreError(f"database: {parsed.get_backend_name()}; allowed: sqlite or postgresql; mend the setting.")
    return Database(engine)


@functools.cache
def _postgresql() -> ModuleType:
    """What is done with its driver, which need not be installed."""
    return import_module("wtp.store.postgresql")


def _note_rest(_: Any, record: sa.pool.ConnectionPoolEntry) -> None:
    record.info["rests_since"] = time.monotonic()


def _try_after_rest(dialect: sa.Dialect, connection: Any, record: sa.pool.ConnectionPoolEntry, _: Any) -> None:
    """A connection that rested may be one to a server that is gone; to ask before every use would cost as much as what it is used for."""
    if time.monotonic() - record.info.get("rests_since", time.monotonic()) < _REST_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise sa.exc.DisconnectionError("the server is gone") from error  # the pool takes a new one


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # the driver's own transactions begin too late; `Database` begins them
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={int(_BUSY_SECONDS * 1000)}",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_postgresql(connection: Any, _: Any) -> None:
    """Whoever is kept waiting hears of it, as with SQLite, before all threads of the server wait."""
    # `Database` begins transactions; to tell the driver of each kind of them takes as long as a question.
    connection.autocommit = True
    connection.execute(f"SET lock_timeout = {int(_BUSY_SECONDS * 1000)}")


def _begin_immediate(connection: sa.Connection, until: float) -> None:
    """Wait for the right to write. SQLite itself would look again after up to a tenth of a second, however soon the other process is done."""
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except sa.exc.OperationalError as error:
                code = getattr(error.orig, "sqlite_errorcode", 0)
                if code & _PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
            time.sleep(_LOOK_SECONDS)
    finally:
        raw.execute(f"PRAGMA busy_timeout={int(_BUSY_SECONDS * 1000)}")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


@functools.cache
def revisions() -> tuple[str, ...]:
    """The schemas that this program knows, the newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def head() -> str:
    """The newest schema."""
    return revisions()[0]


def revision_of(connection: sa.Connection) -> str | None:
    """The schema that a database has; None if it has none yet."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: sa.Connection, revision: str) -> None:
    """Run the migrations up to a revision in the connection's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    if revision == head():
        roles.renew(connection)


def lock(connection: sa.Connection, tables: Iterable[str] = ()) -> None:
    """Until the transaction ends keep all others from migrating, and away from these tables, which are about to be changed; SQLite's transaction keeps all writers waiting anyway."""
    if connection.dialect.name != "postgresql":
        return
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # a migration may take as long as it must
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
    quote = connection.dialect.identifier_preparer.quote
    if names := ", ".join(map(quote, tables)):
        connection.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")


def names_of(connection: sa.Connection) -> list[str]:
    """The tables that are there, without those of migrations and of the queue."""
    found = sa.inspect(connection).get_table_names()
    return sorted(name for name in found if name != REVISION_TABLE and not name.startswith(_QUEUE_TABLES))


def holding(connection: sa.Connection) -> list[str]:
    """All tables, if any of them holds a row; else none."""
    names = names_of(connection)
    some = any(connection.execute(sa.select(1).select_from(sa.table(name)).limit(1)).first() for name in names)
    return names if some else []


def refuse_foreign(connection: sa.Connection) -> None:
    """Raises StoreError if the database is that of a newer version of the program, or of another program."""
    current, known = revision_of(connection), revisions()
    if current in known:
        return
    if current is not None and current.isdecimal() and len(current) == len(known[0]):
        raise StoreError(
            f"database: schema {current} is newer than this program; allowed: up to {known[0]}; install the newer version of wtp."
        )
    if current is not None or (names := names_of(connection)):
        found = f"schema {current}" if current is not None else f"tables {', '.join(names[:_MOST_NAMED])}"
        raise StoreError(
            f"database: {found}, of another program; allowed: an empty database, or one of wtp; name another file or database."
        )


def moved_to(connection: sa.Connection) -> str | None:
    """Where a database is moved, or was; None if it is in use."""
    if not sa.inspect(connection).has_table(MOVED_TABLE):
        return None
    return str(connection.execute(sa.select(sa.column("url")).select_from(sa.table(MOVED_TABLE))).scalar_one())


def _refuse_moved(connection: sa.Connection) -> None:
    if (url := moved_to(connection)) is not None:
        raise StoreError(
            f"database: {MOVED}, {url}; allowed: the one in use; set database in settings.toml to the new one, or go on here by wtp move --cancel."
        )


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        if isinstance(error, sa.exc.TimeoutError):
            reason = "all connections are busy"
        elif isinstance(error, sa.exc.DBAPIError) and _mendable(error):
            reason = next(iter(str(error.orig).strip().splitlines()), "the connection broke")
        else:
            raise
        raise StoreError(_not_saved(reason)) from error


def _not_saved(reason: str) -> str:
    return f"database: {reason}; nothing was saved by this step; free disk space or bring the database back, then try again."


def _mendable(error: sa.exc.DBAPIError) -> bool:
    return isinstance(error, _MENDABLE) or type(error) is sa.exc.DatabaseError or MOVED in str(error.orig)
