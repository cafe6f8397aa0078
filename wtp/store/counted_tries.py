"""Counts of wrong tries in the database, so that a limit holds for all processes and hosts: a storage of the library `limits` (fixed windows).

Only what fails is counted, so nobody who is let in pays a write. A window is a row; the first try of a new window takes away those that are over.
"""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa
from limits.storage import Storage
from sqlalchemy.dialects import postgresql, sqlite

from wtp.store import tables
from wtp.store.database import Database

_T = tables.rate_limit.c
_AT_ONCE = 500


class CountedTries(Storage):
    """Windows by key, up to 120 characters; whoever counts addresses gives their hashes."""

    STORAGE_SCHEME = ["wtp"]  # noqa: RUF012 - as the library declares it

    def __init__(self, uri: str | None = None, *, database: Database, **options: Any) -> None:
        """Counts in the database of the installation."""
        super().__init__(uri, **options)
        self._database = database

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """None that the library should know: StoreError says enough."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count; how many there are in the window now."""
        now = time.time()
        dialect = postgresql if self._database.engine.dialect.name == "postgresql" else sqlite
        new = dialect.insert(tables.rate_limit).values(key=key, count=amount, expires_at=now + expiry)
        over = _T.expires_at <= now
        counted = new.on_conflict_do_update(
            index_elements=[_T.key],
            set_={
                "count": sa.case((over, amount), else_=_T.count + amount),
                "expires_at": sa.case((over, now + expiry), else_=_T.expires_at),
            },
        ).returning(_T.count)
        with self._database.begin() as connection:
            count = int(connection.execute(counted).scalar_one())
        if count == amount:
            self._forget(now)
        return count

    def _forget(self, now: float) -> None:
        """Rows that somebody else is about to take away are left to him, so that nobody waits."""
        ended = sa.select(_T.key).where(_T.expires_at <= now).limit(_AT_ONCE).with_for_update(skip_locked=True)
        with self._database.begin() as connection:
            connection.execute(sa.delete(tables.rate_limit).where(_T.key.in_(ended)))

    def get(self, key: str) -> int:
        """How many there are in the window."""
        return self._of(_T.count, key) or 0

    def get_expiry(self, key: str) -> float:
        """When the window ends, in seconds since 1970; now if there is none."""
        return self._of(_T.expires_at, key) or time.time()

    def _of(self, column: sa.ColumnElement[Any], key: str) -> Any:
        query = sa.select(column).where(_T.key == key, _T.expires_at > time.time())
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def check(self) -> bool:
        """Whether the database answers."""
        self.get("")
        return True

    def reset(self) -> int:
        """Forget everything."""
        with self._database.begin() as connection:
            return connection.execute(sa.delete(tables.rate_limit)).rowcount

    def clear(self, key: str) -> None:
        """Forget one window."""
        with self._database.begin() as connection:
            connection.execute(sa.delete(tables.rate_limit).where(_T.key == key))
