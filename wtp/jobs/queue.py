"""The queue that carries numbers of jobs to the workers: huey's storages, on SQLite, PostgreSQL or Redis.

It is transport alone, and not what anything rests on: a queue forgets a job as soon as a worker took it, so all that must not be lost stands in the table of jobs, and `Worker`
puts what was lost into the queue again. A message that comes twice, late or never does no harm. Messages are plain numbers, not pickled tasks: whoever can write into a queue
can run no code here. The library's consumer is not used, since its threads and the fork of a fit's process do not go together.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import sqlalchemy as sa
from huey.exceptions import ConfigurationError
from huey.storage import BaseStorage, PostgresStorage, RedisStorage, SqliteStorage

from wtp.errors import SettingsError

_FILE = "queue.sqlite"
_NAME = "wtp"
_BUSY_SECONDS = 15
_TRIES = 5
_PAUSE_SECONDS = 0.1
_SILENCE_SECONDS = 5


class JobQueue:
    """Numbers of jobs, as a rule in the order in which they came."""

    def __init__(self, storage: BaseStorage) -> None:
        self._storage = storage

    def put(self, job: int) -> None:
        """A job for whichever worker comes first."""
        self._storage.enqueue(str(job).encode())

    def take(self) -> int | None:
        """The next one, or None at once if there is none."""
        message = self._storage.dequeue()
        return None if message is None else int(bytes(message))

    def waiting(self) -> int:
        """How many messages wait."""
        return int(self._storage.queue_size())

    def held(self) -> frozenset[int]:
        """The jobs whose messages wait."""
        return frozenset(int(bytes(message)) for message in self._storage.enqueued_items())

    def close(self) -> None:
        """Close the connection; the next use opens another one."""
        self._storage.close()


def open_queue(url: str, database_url: str, instance: Path) -> JobQueue:
    """The queue of an installation. url: redis://...; empty: beside the database, in a file of the instance folder or in PostgreSQL itself.

    Raises SettingsError for another address, or where the client for Redis is missing.
    """
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsError(f"queue: found {url!r}; allowed: empty, or redis://localhost:6379/1; mend the setting.")
    if url:
        try:
            return JobQueue(RedisStorage(_NAME, blocking=False, url=_with_patience(url)))
        except ConfigurationError as error:
            raise SettingsError(
                "queue: the client for Redis is missing; allowed: redis 5 or later; install wtp[redis], or leave the setting empty."
            ) from error
    database = sa.make_url(database_url)
    if database.get_backend_name() == "postgresql":
        dsn = database.set(drivername="postgresql").render_as_string(hide_password=False)
        return JobQueue(_in_postgresql(dsn))
    instance.mkdir(parents=True, exist_ok=True)
    return JobQueue(SqliteStorage(_NAME, filename=str(instance / _FILE), timeout=_BUSY_SECONDS))


def _with_patience(url: str) -> str:
    """A server that accepts and says nothing, as behind a network that was cut, would else be waited for without end, by pages too; what the address itself says comes first."""
    return f"{url}{'&' if '?' in url else '?'}socket_timeout={_SILENCE_SECONDS}"


def _in_postgresql(dsn: str) -> PostgresStorage:
    """Its tables are made if they are missing; of processes that start at once and all make them, PostgreSQL lets only one do it and the others fail."""
    for _ in range(_TRIES):
        with contextlib.suppress(Exception):
            return PostgresStorage(_NAME, dsn=dsn, blocking=False)
        time.sleep(_PAUSE_SECONDS)
    return PostgresStorage(_NAME, dsn=dsn, blocking=False)
