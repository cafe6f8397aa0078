"""Background analyses: the queue, the workers that live, what waits and what failed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from wtp import __version__
from wtp.doctor.finding import ERROR, OK, WARNING, Finding, judged
from wtp.errors import WtpError
from wtp.jobs import open_queue
from wtp.settings import Settings
from wtp.store import heartbeats, tables
from wtp.store.background_jobs import FAILED, QUEUED, RUNNING

_LONG = timedelta(minutes=30)
_WEEK = timedelta(days=7)
_J = tables.background_job.c


def checks(connection: sa.Connection, now: datetime) -> Iterator[Finding]:
    """What the database tells of them."""
    workers = [worker for worker in heartbeats.everything(connection) if now - worker.beat_at < heartbeats.LATE]
    silent = heartbeats.silent_for(connection, now)
    said = "never" if silent is None else f"{_words(silent)} ago"
    yield judged(
        "workers of analyses",
        f"{len(workers)} alive" if workers else f"none alive, the last sign of life: {said}",
        state=OK if workers else WARNING,
        allowed=f"one that was there within {heartbeats.LATE.seconds} seconds",
        remedy="start wtp serve with --analysts 1 on one host; answers are kept meanwhile",
    )
    others = sorted({worker.version for worker in workers} - {__version__})
    if others:
        yield Finding(
            "versions of workers", WARNING, ", ".join(others), f"{__version__} as here", "restart what is older"
        )
    yield from _jobs(connection, now)


def _jobs(connection: sa.Connection, now: datetime) -> Iterator[Finding]:
    waiting = sa.select(sa.func.count(), sa.func.min(_J.created_at)).where(_J.state == QUEUED)
    number, oldest = connection.execute(waiting).one()
    running = connection.execute(sa.select(sa.func.count()).where(_J.state == RUNNING)).scalar_one()
    late = oldest is not None and now - oldest > _LONG
    yield judged(
        "analyses under way",
        f"{running} running, {number} waiting" + (f", the oldest for {_words(now - oldest)}" if oldest else ""),
        state=WARNING if late else OK,
        allowed=f"none that waits for more than {_words(_LONG)}",
        remedy="start more workers (wtp serve --analysts), or see why they stand still",
    )
    failed = connection.execute(
        sa.select(sa.func.count()).where(_J.state == FAILED, _J.ended_at > now - _WEEK)
    ).scalar_one()
    yield judged(
        "failed analyses of a week",
        str(failed),
        state=WARNING if failed else OK,
        allowed="0",
        remedy="the page Final figures of the study names the reason; memory that ran out is the usual one",
    )


def queue(settings: Settings) -> Iterator[Finding]:
    """Whether the queue can be reached."""
    where = "Redis" if settings.queue else "beside the database"
    remedy = "start it, or mend the setting queue; analyses are still found in their table, but late"
    try:
        opened = open_queue(settings.queue, settings.database_url, settings.instance)
        try:
            found = f"{where}: {opened.waiting()} messages"
        finally:
            opened.close()
    except WtpError as error:
        yield Finding("queue", ERROR, str(error), "a queue that answers", remedy)
    except Exception as error:  # of any of three libraries
        yield Finding("queue", ERROR, f"{where}: {type(error).__name__}", "a queue that answers", remedy)
    else:
        yield Finding("queue", OK, found)


def _words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 2:
        return f"{int(span.total_seconds())} seconds"
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
