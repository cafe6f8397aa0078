"""Whole surveys at a rate of their own: no error, nothing lost, nothing doubled, memory and files flat. Small and without a clock; benchmarks/load.py does it at size."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import Fork
from tests.load.generator import Crowd, Respondent, Run
from tests.load.kept import kept
from tests.load.measured import use

SLUG = "supplier"
RATE, SECONDS, SESSIONS = 8.0, 10.0, 12  # few people, so that most submissions are answers rather than consents


def run(asked: Coroutine[None, None, Run]) -> Run:
    """In a thread of its own, for the browser of other tests leaves its loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, asked).result()


def answered(port: int, *, rate: float, seconds: float, sessions: int, seed: int = 1) -> Run:
    crowd = Crowd(port, [f"/s/{SLUG}"], end="/thanks", seed=seed, again=True)

    async def all_of_it() -> Run:
        await crowd.gather(sessions, hands=4)
        found = await crowd.arrive(rate, seconds)
        crowd.close()
        return found

    return run(all_of_it())


@pytest.mark.slow
def test_what_is_acknowledged_is_stored_once(fork: Fork, database_url: str) -> None:
    server = fork(workers=2, database=database_url)
    found = answered(server.port, rate=RATE, seconds=SECONDS, sessions=SESSIONS)
    assert not found.errors
    acknowledged, lost, doubled = kept(database_url, SLUG, found.respondents)
    assert acknowledged > RATE * SECONDS / 2, "most of what was planned was answered"
    assert (lost, doubled) == (0, 0)


def test_the_check_sees_what_is_lost_and_what_is_doubled(fork: Fork) -> None:
    """The control of the check: an answer other than the one stored, one that nobody sent, and somebody whom the database does not know."""
    server = fork(workers=1)
    url = f"sqlite:///{server.instance / 'wtp.sqlite'}"
    crowd = Crowd(server.port, [f"/s/{SLUG}"], end="/thanks", seed=1, again=True)

    async def one() -> Run:
        await crowd.whole()
        crowd.close()
        return crowd.run

    found = run(one())
    person = found.respondents[0]
    assert person.done
    assert [step for step, _ in person.acknowledged[:3]] == ["consent", "profile", "introduction"]
    assert kept(url, SLUG, found.respondents) == (17, 0, 0)
    step, sent = person.acknowledged[5]
    person.acknowledged[5] = (step, {**sent, "chosen": "9"})
    assert kept(url, SLUG, found.respondents) == (17, 1, 0)
    del person.acknowledged[5]
    assert kept(url, SLUG, found.respondents) == (16, 0, 1)
    stranger = Respondent(f"/s/{SLUG}", token="x" * 32, acknowledged=[("profile", {})])
    assert kept(url, SLUG, [person, stranger])[1] == 1


@pytest.mark.slow
def test_memory_and_files_do_not_grow_with_open_interviews(
    fork: Fork, database_url: str, rounds: Callable[[int], int]
) -> None:
    """So many interviews open at once, each continued at random; with --release ten thousand."""
    server = fork(workers=2, database=database_url)
    open_at_once = rounds(10_000) if rounds(10) == 10 else 150
    first = answered(server.port, rate=10, seconds=5, sessions=30)
    before = use(server.pid)
    found = answered(server.port, rate=10, seconds=max(5.0, open_at_once / 100), sessions=open_at_once, seed=2)
    after = use(server.pid)
    assert not found.errors
    assert len(found.respondents) >= open_at_once
    assert kept(database_url, SLUG, [*first.respondents, *found.respondents])[1:] == (0, 0)
    assert after.memory < 1.15 * before.memory + 20e6, "nothing is kept of a respondent in memory"
    assert after.files < before.files + 50
    log = server.instance / "wtp.sqlite-wal"
    assert not log.exists() or log.stat().st_size < 64e6
