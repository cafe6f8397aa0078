"""Signs of life of the processes that make background analyses: without one, what managers start waits for ever, and nobody would know.

Each worker has a row, which it renews as long as it lives; rows of those that are gone are swept after a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from wtp.store import tables
from wtp.store.upsert import insert_if_absent

LATE = timedelta(seconds=60)  # a worker that was silent for so long is taken for gone
_KEPT = timedelta(days=1)
_H = tables.heartbeat.c


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A worker: its name (host, process, mark), its version of the program, since when, and when it was last there."""

    name: str
    version: str
    begun_at: datetime
    beat_at: datetime


def beat(connection: sa.Connection, name: str, version: str, now: datetime) -> None:
    """Say that a worker lives."""
    if not insert_if_absent(connection, tables.heartbeat, name=name, version=version, begun_at=now, beat_at=now):
        connection.execute(sa.update(tables.heartbeat).where(_H.name == name).values(beat_at=now, version=version))
    connection.execute(sa.delete(tables.heartbeat).where(_H.beat_at < now - _KEPT))


def end(connection: sa.Connection, name: str) -> None:
    """Say that a worker ends as it was told to."""
    connection.execute(sa.delete(tables.heartbeat).where(_H.name == name))


def everything(connection: sa.Connection) -> tuple[Heartbeat, ...]:
    """All workers of the last day, the one that was there last first."""
    rows = connection.execute(sa.select(_H.name, _H.version, _H.begun_at, _H.beat_at).order_by(_H.beat_at.desc()))
    return tuple(Heartbeat(*row) for row in rows)


def silent_for(connection: sa.Connection, now: datetime) -> timedelta | None:
    """How long ago a worker last said that it lives; None if none did within a day."""
    last = connection.execute(sa.select(sa.func.max(_H.beat_at))).scalar_one()
    return None if last is None else max(now - last, timedelta(0))
