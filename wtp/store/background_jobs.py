"""Analyses in the background, each a row that says how far it is and who works on it.

A worker owns a job from `claim` on, by a lease that it renews with every `beat`. Whoever does not beat for `LEASE_SECONDS` is taken for dead, and his job is free again; after
`MOST_ATTEMPTS` it is given up. Everything a worker writes asks for his ownership first, so one who lost it can write nothing, and no job is done twice at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from wtp.store import tables
from wtp.store.upsert import insert_if_absent

QUEUED, RUNNING, FINISHED, FAILED, CANCELLED = "queued", "running", "finished", "failed", "cancelled"
# Why a job failed: its process was killed each time, the statistics refused in words, the program has a fault. Why one was cancelled by nobody: a person of its answers was erased.
DIED, REFUSED, FAULT, ERASED = "died", "refused", "fault", "erased"
LEASE_SECONDS = 30
MOST_ATTEMPTS = 3
_LONGEST_DETAIL = 500
_T = tables.background_job
_J = _T.c
_SHOWN = tuple(column for column in _J if column.name != "answers_copy")


@dataclass(frozen=True, slots=True)
class BackgroundJob:
    """One analysis in the background; `progress` is what its worker last said."""

    id: int
    study: str
    fingerprint: str
    basis: str
    kind: str
    request: Mapping[str, Any]
    definition_hash: str
    answers_hash: str
    respondents: int
    state: str
    started_by: str
    created_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    owner: str | None
    beat_at: datetime
    attempts: int
    progress: Mapping[str, Any] | None
    reason: str | None
    detail: str | None


def start(
    connection: sa.Connection,
    slug: str,
    *,
    fingerprint: str,
    basis: str,
    kind: str,
    request: Mapping[str, Any],
    definition_hash: str,
    answers_hash: str,
    respondents: int,
    answers_copy: bytes,
    started_by: str,
    now: datetime,
) -> BackgroundJob:
    """A new job, or the one that is under way with the same fingerprint."""
    row = {
        "study": slug,
        "fingerprint": fingerprint,
        "basis": basis,
        "kind": kind,
        "request": dict(request),
        "definition_hash": definition_hash,
        "answers_hash": answers_hash,
        "respondents": respondents,
        "answers_copy": answers_copy,
        "state": QUEUED,
        "started_by": started_by,
        "created_at": now,
        "beat_at": now,
        "attempts": 0,
    }
    insert_if_absent(connection, _T, **row)
    query = sa.select(*_SHOWN).where(_J.fingerprint == fingerprint).order_by(_J.id.desc()).limit(1)
    return BackgroundJob(**connection.execute(query).mappings().one())


def get(connection: sa.Connection, job: int) -> BackgroundJob | None:
    """One job."""
    row = connection.execute(sa.select(*_SHOWN).where(_J.id == job)).mappings().first()
    return BackgroundJob(**row) if row else None


def newest(connection: sa.Connection, slug: str, fingerprint: str) -> BackgroundJob | None:
    """The last job of a study that was to make this analysis."""
    query = sa.select(*_SHOWN).where(_J.study == slug, _J.fingerprint == fingerprint).order_by(_J.id.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return BackgroundJob(**row) if row else None


def of_study(connection: sa.Connection, slug: str, most: int = 20) -> tuple[BackgroundJob, ...]:
    """The last jobs of a study, the newest first."""
    query = sa.select(*_SHOWN).where(_J.study == slug).order_by(_J.id.desc()).limit(most)
    return tuple(BackgroundJob(**row) for row in connection.execute(query).mappings())


def waiting_before(connection: sa.Connection, job: int) -> int:
    """How many jobs that have not ended were started before this one."""
    query = sa.select(sa.func.count()).where(_J.ended_at.is_(None), _J.id < job)
    return connection.execute(query).scalar_one()


def claim(connection: sa.Connection, job: int, owner: str, now: datetime) -> bytes | None:
    """Become the owner of a queued job; returns its copy of the answers, or None if somebody else was faster or it has ended."""
    claimed = (
        sa.update(_T)
        .where(_J.id == job, _J.state == QUEUED)
        .values(
            state=RUNNING,
            owner=owner,
            beat_at=now,
            attempts=_J.attempts + 1,
            begun_at=sa.func.coalesce(_J.begun_at, sa.literal(now, _J.begun_at.type)),
        )
        .returning(_J.answers_copy)
    )
    found = connection.execute(claimed).first()
    return found[0] if found else None


def beat(connection: sa.Connection, job: int, owner: str, now: datetime) -> bool:
    """Renew the lease; False if the job is no longer the owner's: cancelled, deleted, or given to another one."""
    return connection.execute(_own(job, owner).values(beat_at=now)).rowcount == 1


def report(connection: sa.Connection, job: int, owner: str, progress: Mapping[str, Any]) -> bool:
    """Say how far the job is; False as `beat`."""
    return connection.execute(_own(job, owner).values(progress=dict(progress))).rowcount == 1


def finish(connection: sa.Connection, job: int, owner: str, now: datetime) -> bool:
    """End a job with success, in the transaction that keeps its result; False as `beat`: then nothing may be kept."""
    return connection.execute(_own(job, owner).values(**_ended(FINISHED, now))).rowcount == 1


def fail(connection: sa.Connection, job: int, owner: str, now: datetime, *, reason: str, detail: str) -> bool:
    """End a job without success and for good."""
    values = {**_ended(FAILED, now), "reason": reason, "detail": detail[:_LONGEST_DETAIL]}
    return connection.execute(_own(job, owner).values(**values)).rowcount == 1


def give_back(connection: sa.Connection, job: int, owner: str, now: datetime) -> bool:
    """Let another worker go on, as when this one is told to end; such an attempt does not count."""
    values = {"state": QUEUED, "owner": None, "beat_at": now, "attempts": _J.attempts - 1}
    return connection.execute(_own(job, owner).values(**values)).rowcount == 1


def died(connection: sa.Connection, job: int, owner: str, now: datetime, *, reason: str, detail: str) -> bool:
    """The attempt ended without a word: queued again, or failed after the last attempt. Whether it is queued again."""
    if connection.execute(
        _own(job, owner).where(_J.attempts < MOST_ATTEMPTS).values(state=QUEUED, owner=None, beat_at=now)
    ).rowcount:
        return True
    fail(connection, job, owner, now, reason=reason, detail=detail)
    return False


def cancel(connection: sa.Connection, job: int, now: datetime) -> bool:
    """End a job that is queued or running; its worker notices at its next beat. Whether there was anything to end."""
    query = sa.update(_T).where(_J.id == job, _J.ended_at.is_(None)).values(**_ended(CANCELLED, now))
    return connection.execute(query).rowcount == 1


def cancel_study(connection: sa.Connection, slug: str, now: datetime, *, reason: str) -> tuple[int, ...]:
    """End all jobs of a study that are queued or running, as `cancel`; which ones they were."""
    open_still = sa.update(_T).where(_J.study == slug, _J.ended_at.is_(None))
    ended = connection.execute(open_still.values(**_ended(CANCELLED, now), reason=reason).returning(_J.id))
    return tuple(sorted(ended.scalars()))


def overdue(connection: sa.Connection, now: datetime) -> Sequence[int]:
    """Jobs for the queue: those whose worker beats no more are free again or given up, those that wait although nobody took them are named once a lease."""
    lease = timedelta(seconds=LEASE_SECONDS)
    late = now - lease
    # A clock that was set back leaves beats of the future behind, which would count for as long as it was set back.
    ahead = sa.update(_T).where(_J.ended_at.is_(None), _J.beat_at > now + lease)
    connection.execute(ahead.values(beat_at=now))
    silent = sa.update(_T).where(_J.state == RUNNING, _J.beat_at < late)
    gone = {**_ended(FAILED, now), "reason": DIED, "detail": ""}
    connection.execute(silent.where(_J.attempts >= MOST_ATTEMPTS).values(**gone))
    freed = connection.execute(silent.values(state=QUEUED, owner=None, beat_at=now).returning(_J.id)).scalars().all()
    waiting = sa.update(_T).where(_J.state == QUEUED, _J.beat_at < late)
    named = connection.execute(waiting.values(beat_at=now).returning(_J.id)).scalars().all()
    return sorted([*freed, *named])


def running(connection: sa.Connection) -> frozenset[int]:
    """Jobs that have not ended."""
    return frozenset(connection.execute(sa.select(_J.id).where(_J.ended_at.is_(None))).scalars())


def counts(connection: sa.Connection) -> dict[str, int]:
    """How many jobs there are in each state."""
    found: dict[str, int] = dict(connection.execute(sa.select(_J.state, sa.func.count()).group_by(_J.state)).all())
    return {state: found.get(state, 0) for state in (QUEUED, RUNNING, FINISHED, FAILED, CANCELLED)}


def durations(connection: sa.Connection) -> tuple[timedelta, ...]:
    """How long each finished job took from its first attempt on."""
    rows = connection.execute(sa.select(_J.begun_at, _J.ended_at).where(_J.state == FINISHED))
    return tuple(ended - begun for begun, ended in rows)


def _own(job: int, owner: str) -> sa.Update:
    return sa.update(_T).where(_J.id == job, _J.owner == owner, _J.state == RUNNING)


def _ended(state: str, now: datetime) -> dict[str, Any]:
    """Nothing is left of the copy of the answers once a job has ended."""
    return {"state": state, "ended_at": now, "owner": None, "answers_copy": None}
