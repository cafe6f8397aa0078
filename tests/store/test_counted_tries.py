"""Wrong tries that are counted in the database: a limit holds for everybody who shares it, and windows end."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from limits import parse
from limits.strategies import FixedWindowRateLimiter

from tests.store.conftest import together
from wtp.store import Database, counted_tries, open_database, tables
from wtp.store.counted_tries import CountedTries

FIVE = parse("5 per 15 minutes")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_800_000_000.0]
    monkeypatch.setattr(counted_tries.time, "time", lambda: now[0])
    return now


def rows(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(tables.rate_limit)).scalar_one()


def test_two_programs_on_one_database_count_together(database: Database, database_url: str) -> None:
    with open_database(database_url) as other:
        here, there = (FixedWindowRateLimiter(CountedTries(database=each)) for each in (database, other))
        assert [each.hit(FIVE, "anna") for each in (here, there, here, there, here)] == [True] * 5
        assert (here.test(FIVE, "anna"), there.test(FIVE, "anna"), there.hit(FIVE, "anna")) == (False, False, False)
        assert here.get_window_stats(FIVE, "anna").remaining == 0
        assert there.test(FIVE, "bert")


def test_none_is_lost_of_many_at_once(database: Database) -> None:
    storage = CountedTries(database=database)
    assert sorted(together(8, lambda _: storage.incr("key", 60))) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_window_ends_and_a_new_one_takes_old_rows_away(database: Database, clock: list[float]) -> None:
    storage = CountedTries(database=database)
    assert [storage.incr("a", 60), storage.incr("a", 60), storage.incr("b", 60)] == [1, 2, 1]
    assert storage.get_expiry("a") == clock[0] + 60
    clock[0] += 59
    assert (storage.get("a"), storage.incr("a", 60)) == (2, 3)
    clock[0] += 1
    assert storage.get("a") == 0
    assert storage.incr("a", 60) == 1, "it began anew"
    assert rows(database) == 1, "the window of b is gone"
    assert storage.get_expiry("a") == clock[0] + 60


def test_one_key_or_all_can_be_forgotten(database: Database) -> None:
    storage = CountedTries(database=database)
    for key in "ab":
        storage.incr(key, 60)
    storage.clear("a")
    assert (storage.get("a"), storage.get("b"), storage.check()) == (0, 1, True)
    assert storage.reset() == 1
    assert storage.get("b") == 0
