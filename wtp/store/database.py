"""The connection to SQLite or PostgreSQL, and the promise that what was answered stays.

Every transaction that writes is whole and durable before the caller goes on: SQLite in WAL mode with synchronous=FULL (a power cut loses
nothing that was committed) and BEGIN IMMEDIATE (a writer waits for its turn instead of failing half way), PostgreSQL with
synchronous_commit on. `check` asks the live connection, since settings can lie.
"""

from __future__ import annotations

import functools
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from wtp.errors import StoreError
from wtp.store.objects import Objects
from wtp.store.results import OBJECTS

_BUSY_SECONDS = 15
_CONNECT_SECONDS = 5
_MIGRATIONS = Path(__file__).parent / "migrations"
_MOUNTS = Path("/proc/mounts")
_NETWORK_FILE_SYSTEMS = {
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.glusterfs"),
    *("fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.davfs2", "fuse.ceph"),
}
_READ: dict[str, dict[str, Any]] = {
    "sqlite": {"wtp_reads_only": True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
_MIGRATION_LOCK = 7_395_061  # any number, the same in every process that migrates
# What a person can mend: full, locked, away, not a database. Everything else is a fault of the program.
_MENDABLE = (sa.exc.OperationalError, sa.exc.InternalError, sa.exc.InterfaceError)


class Database:
    """One database; a context manager that closes its connections at the end."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction that writes: committed, durably, when the block ends; rolled back if it raises.

        Raises StoreError if the database cannot be written (full, locked, away).
        """
        with _in_words(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that reads one consistent state and keeps no writer waiting."""
        options = _READ[self.engine.dialect.name]
        with _in_words(), self.engine.connect().execution_options(**options) as connection:
            yield connection

    def migrate(self) -> None:
        """Bring the schema to this version of the program, whole or not at all; a second run does nothing."""
        with _in_words(), self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # SQLite's transaction keeps other processes waiting anyway
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            config = _config()
            config.attributes["connection"] = connection
            _refuse_newer(connection)
            command.upgrade(config, "head")

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
            _refuse_newer(connection)
            current = MigrationContext.configure(connection).get_current_revision()
            if current != _revisions()[0]:
                raise StoreError(
                    f"database: schema {current or 'missing'}; allowed: {_revisions()[0]}; start wtp demo or wtp serve, which bring it up to date."
                )


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
        _check_place(Path(str(parsed.database)))
        engine = create(parsed, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False})
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    elif parsed.get_backend_name() == "postgresql":
        try:
            engine = create(
                parsed.set(drivername="postgresql+psycopg"),
                pool_pre_ping=True,
                connect_args={"connect_timeout": _CONNECT_SECONDS},
            )
        except ModuleNotFoundError as error:
            raise StoreError(
                "database: the driver for PostgreSQL is missing; allowed: psycopg 3; install wtp[postgres]."
            ) from error
    else:
        raise StoreError(f"database: {parsed.get_backend_name()}; allowed: sqlite or postgresql; mend the setting.")
    return Database(engine)


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # the driver's own transactions begin too late; `_begin_sqlite` begins them
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={int(_BUSY_SECONDS * 1000)}",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    reads = connection.get_execution_options().get("wtp_reads_only")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _check_place(path: Path) -> None:
    folder = path.resolve().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{folder}: {error.strerror}; allowed: a folder that can be written; choose another instance folder."
        ) from error
    for target in (folder, path):  # SQLite writes its log beside the file
        if target.exists() and not os.access(target, os.W_OK):
            raise StoreError(
                f"{target}: read-only; allowed: a place that can be written; change its rights or choose another instance folder."
            )
    if (kind := _file_system(folder)) in _NETWORK_FILE_SYSTEMS:
        raise StoreError(
            f"{folder}: on a network file system ({kind}), where SQLite can lose answers; allowed: a local disk, or PostgreSQL."
        )


def _file_system(folder: Path) -> str:
    """Kind of the mount that holds a folder, by Linux's own table; empty where there is none."""
    if not _MOUNTS.exists():
        return ""
    mounts = [line.split()[1:3] for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()]
    holding = [(point, kind) for point, kind in mounts if folder.is_relative_to(point.replace("\\040", " "))]
    return max(holding, key=lambda mount: len(mount[0]), default=("", ""))[1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


@functools.cache
def _revisions() -> tuple[str, ...]:
    """The schemas that this program knows, the newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _refuse_newer(connection: sa.Connection) -> None:
    current, known = MigrationContext.configure(connection).get_current_revision(), _revisions()
    if current is not None and current not in known:
        raise StoreError(
            f"database: schema {current} is newer than this program; allowed: up to {max(known)}; install the newer version of wtp."
        )


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        if isinstance(error, sa.exc.TimeoutError):
            reason = "all connections are busy"
        elif isinstance(error, _MENDABLE) or type(error) is sa.exc.DatabaseError:
            reason = next(iter(str(error.orig).strip().splitlines()), "the connection broke")
        else:
            raise
        raise StoreError(
            f"database: {reason}; nothing was saved by this step; free disk space or bring the database back, then try again."
        ) from error
