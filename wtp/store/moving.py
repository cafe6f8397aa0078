"""Moving an installation's database into an empty one, of the other kind or of the same.

From the moment at which the move begins the old database takes no answer any more, so that none stays behind: every table refuses to be written, in every process that
is connected, and the pages say for a moment that they cannot save. The old database stays so when the move is done; what is asked of it meanwhile can be read. A move
that fails lets it be written again; one that is killed leaves that to `cancel`, or goes on when it is begun again.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from wtp.errors import StoreError
from wtp.store.database import (
    MOVED,
    MOVED_TABLE,
    Database,
    head,
    holding,
    lock,
    moved_to,
    names_of,
    refuse_foreign,
    revision_of,
    upgrade,
)
from wtp.store.transfer import Progress, TableState, drop, load, nobody_watches, read_lines

_TRIGGER = "wtp_moved"
_EVENTS = ("INSERT", "UPDATE", "DELETE")


def move(database: Database, target: Database, *, progress: Progress = nobody_watches) -> dict[str, TableState]:
    """Copy everything into an empty database, read it there again and compare. Returns the state of each table, the same in both.

    Raises StoreError, with the old database in use as before, if the new one holds something or cannot hold what the old one does.
    """
    if database.engine.url == target.engine.url:
        raise StoreError("database: the one in use already; allowed: another one, empty; name it.")
    with target.begin() as arriving:
        _refuse_held(arriving)
    with database.begin() as leaving:
        refuse_foreign(leaving)
        revision = revision_of(leaving)
        if revision is None:
            raise StoreError("database: empty; allowed: one with a schema; there is nothing to move yet.")
        freeze(leaving, target.engine.url.render_as_string(hide_password=True))
    try:
        with target.begin() as arriving, database.read() as leaving:
            _refuse_held(arriving)
            drop(arriving, revision_of(arriving))
            states = load(arriving, revision, lambda table: read_lines(leaving, table), progress)
            upgrade(arriving, head())
    except BaseException:
        cancel(database)
        raise
    return states


def _refuse_held(connection: sa.Connection) -> None:
    lock(connection)
    refuse_foreign(connection)
    if holding(connection):
        raise StoreError("new database: holds something already; allowed: an empty one; name another one.")


def cancel(database: Database) -> None:
    """Let a database be written again that was to be moved."""
    with database.begin() as connection:
        thaw(connection)


def freeze(connection: sa.Connection, url: str) -> None:
    """Let every table refuse to be written, from the commit on, in words that `Database.begin` knows."""
    if moved_to(connection) is not None:
        return
    quote = connection.dialect.identifier_preparer.quote
    names = names_of(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            f"CREATE FUNCTION {_TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN RAISE EXCEPTION '{MOVED}' USING ERRCODE = 'object_not_in_prerequisite_state'; END$$"
        )
        for name in names:
            connection.exec_driver_sql(
                f"CREATE TRIGGER {_TRIGGER} BEFORE {' OR '.join(_EVENTS)} ON {quote(name)} FOR EACH STATEMENT EXECUTE FUNCTION {_TRIGGER}()"
            )
    else:
        for name in names:
            for event in _EVENTS:
                connection.exec_driver_sql(
                    f"CREATE TRIGGER {quote(f'{_TRIGGER}_{event}_{name}')} BEFORE {event} ON {quote(name)} BEGIN SELECT RAISE(ABORT, '{MOVED}'); END"
                )
    mark = sa.Table(MOVED_TABLE, sa.MetaData(), sa.Column("url", sa.Text), sa.Column("begun_at", sa.Text))
    mark.create(connection)
    connection.execute(sa.insert(mark), {"url": url, "begun_at": datetime.now(UTC).isoformat()})


def thaw(connection: sa.Connection) -> None:
    """Undo `freeze`; nothing happens to a database that is in use."""
    if moved_to(connection) is None:
        return
    quote = connection.dialect.identifier_preparer.quote
    sa.Table(MOVED_TABLE, sa.MetaData()).drop(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"DROP FUNCTION {_TRIGGER}() CASCADE")
        return
    for name in names_of(connection):
        for event in _EVENTS:
            connection.exec_driver_sql(f"DROP TRIGGER {quote(f'{_TRIGGER}_{event}_{name}')}")
