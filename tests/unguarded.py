"""A log whose database does not guard it any more."""

from __future__ import annotations

import sqlalchemy as sa


def unguarded(connection: sa.Connection) -> None:
    """What only somebody with the database itself in his hands can do: without triggers entries can be changed."""
    on_postgresql = connection.dialect.name == "postgresql"
    for name in ("audit_no_change",) if on_postgresql else ("audit_no_update", "audit_no_delete"):
        connection.exec_driver_sql(f"DROP TRIGGER {name}{' ON audit' if on_postgresql else ''}")
