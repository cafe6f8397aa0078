"""PostgreSQL's driver with fewer steps for what every page asks of it: several statements, each in a moment of the server and several of Python."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus


class Cursor(psycopg.Cursor[Any]):
    """Describes columns by name and type, which is all that is asked for: the driver's own looks up each type for sizes as well."""

    @property
    def description(self) -> Any:
        """As the database interface of Python has it, None where the statement gives no rows."""
        result = self.pgresult
        if result is None or not result.nfields:
            return None
        encoding = self._encoding
        return [
            ((result.fname(i) or b"").decode(encoding), result.ftype(i), None, None, None, None, None)
            for i in range(result.nfields)
        ]


class Connection(psycopg.Connection[Any]):
    """Takes nothing back where nothing began: the pool asks for that after every use."""

    def rollback(self) -> None:
        """End the transaction, if there is one."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            super().rollback()


def connect(_: sa.Dialect, __: Any, arguments: Any, named: Any) -> Connection:
    """A connection for the engine, instead of the driver's own."""
    return Connection.connect(*arguments, cursor_factory=Cursor, **named)


def begin(connection: sa.Connection, kind: str = "") -> None:
    """Begin a transaction without what a statement passes through; one that does not begin is asked for as a statement, which tells what is wrong."""
    raw: Any = connection.connection.driver_connection
    words = f"BEGIN{kind}"
    raw.pgconn.exec_(words.encode())
    if raw.pgconn.transaction_status != TransactionStatus.INTRANS:
        connection.exec_driver_sql(words)
