"""INSERT ... ON CONFLICT DO NOTHING, which SQLAlchemy writes per dialect."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def insert_if_absent(connection: sa.Connection, table: sa.Table, **values: Any) -> bool:
    """Insert a row unless a unique key is taken; whether it was inserted. Correct under concurrency on both databases."""
    return connection.execute(_insert(table, connection.dialect.name), values).first() is not None


@cache
def _insert(table: sa.Table, dialect: str) -> sa.Executable:
    """The statement of a table, made once: to make it takes longer than to run it."""
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    statement: sa.Executable = insert.on_conflict_do_nothing().returning(*table.primary_key)
    return statement
