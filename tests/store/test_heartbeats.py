"""Signs of life of workers: the last one counts, those that are long gone are swept."""

from __future__ import annotations

from datetime import timedelta

from tests.store.conftest import NOW
from wtp.store import Database, heartbeats


def test_a_worker_lives_as_long_as_it_beats(database: Database) -> None:
    with database.begin() as connection:
        assert heartbeats.silent_for(connection, NOW) is None
        heartbeats.beat(connection, "host 1 a", "0.1.0", NOW)
        heartbeats.beat(connection, "host 2 b", "0.1.0", NOW + timedelta(seconds=5))
        heartbeats.beat(connection, "host 1 a", "0.2.0", NOW + timedelta(seconds=20))
    with database.read() as connection:
        first, second = heartbeats.everything(connection)
        assert (first.name, first.version, first.begun_at) == ("host 1 a", "0.2.0", NOW)
        assert second.name == "host 2 b"
        assert heartbeats.silent_for(connection, NOW + timedelta(seconds=21)) == timedelta(seconds=1)
        # A clock that was set back is no reason for an alarm.
        assert heartbeats.silent_for(connection, NOW) == timedelta(0)


def test_those_that_end_or_are_long_gone_are_forgotten(database: Database) -> None:
    with database.begin() as connection:
        for number, name in enumerate(("gone", "ended", "lives")):
            heartbeats.beat(connection, name, "0.1.0", NOW + timedelta(seconds=number))
        heartbeats.end(connection, "ended")
        heartbeats.beat(connection, "lives", "0.1.0", NOW + timedelta(days=1, seconds=1))
        assert [worker.name for worker in heartbeats.everything(connection)] == ["lives"]
