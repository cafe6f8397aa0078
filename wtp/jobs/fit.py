"""The process that makes one analysis: of the copy of the answers, with a checkpoint, telling how far it is; it ends with its worker."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import threading
import time
from datetime import UTC, datetime
from typing import Any

from wtp.analysis import Progress, analyse, computing, request_of
from wtp.errors import ComputeError, StoreError, WtpError
from wtp.jobs.place import Place
from wtp.jobs.process import name_process
from wtp.jobs.start import keep_analysis
from wtp.store import Database, background_jobs, copies, open_database
from wtp.store.background_jobs import FAULT, REFUSED

DONE, LOST, TRY_AGAIN, AWAY = 0, 4, 5, 6  # AWAY: the database cannot be written
_NICE = 10  # pages come first
_REPORT_SECONDS = 1.0
_FITS_SHARE = 0.8  # of the bar; the rest is for the tables, whose time is not known beforehand
_log = logging.getLogger("wtp.jobs")


def begin_fit(place: Place, job: int, owner: str, answers_copy: bytes) -> tuple[int, int]:
    """Start the process; returns its id and the file handle by which it notices that its worker is gone: keep it open."""
    lifeline, held = os.pipe()
    if (pid := os.fork()) == 0:
        os.close(held)
        _live(place, job, owner, answers_copy, lifeline)
    os.close(lifeline)
    return pid, held


def _live(place: Place, job: int, owner: str, answers_copy: bytes, lifeline: int) -> None:
    """Life of the process; never returns, so that nothing of the worker runs twice."""
    code = TRY_AGAIN
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGCHLD})
        threading.Thread(target=_end_with_worker, args=(lifeline,), daemon=True).start()
        name_process("wtp-fit")
        os.nice(_NICE)
        with open_database(place.database_url, place.results) as database:
            code = _make(database, place, job, owner, answers_copy)
    except StoreError as error:
        code = AWAY
        _log.error("background job %d: %s", job, error)  # in words already
    except BaseException:
        _log.exception("background job %d", job)
    os._exit(code)


def _make(database: Database, place: Place, job: int, owner: str, answers_copy: bytes) -> int:
    checkpoint = place.checkpoint(job, owner)
    with database.read() as connection:
        row = background_jobs.get(connection, job)
    if row is None:
        return LOST
    survey, answers = copies.unpack(answers_copy)
    show = Reporter(database, job, owner, row.progress)
    try:
        with computing(place.compute):
            analysis = analyse(survey, answers, request_of(row.request), show, checkpoint)
    except StoreError:
        raise
    except ComputeError as error:
        return _postponed(database, job, owner, str(error))
    except WtpError as error:
        return _failed(database, job, owner, REFUSED, str(error))
    except Exception as error:
        _log.exception("background job %d", job)
        return _failed(database, job, owner, FAULT, f"{type(error).__name__}: {error}")
    begun = row.begun_at or row.created_at
    with database.begin() as connection:
        now = datetime.now(UTC)
        if not background_jobs.finish(connection, job, owner, now):
            return LOST
        keep_analysis(
            connection,
            analysis,
            survey.definition,
            fingerprint=row.fingerprint,
            basis=row.basis,
            kind=row.kind,
            made_by=row.started_by,
            seconds=(now - begun).total_seconds(),
        )
    return DONE


def _postponed(database: Database, job: int, owner: str, detail: str) -> int:
    """What computes is away: another attempt after a lease, when a worker finds the job in the table; after the last one it has failed with these words."""
    _log.error("background job %d: %s", job, detail)
    with database.begin() as connection:
        now = datetime.now(UTC)
        background_jobs.died(connection, job, owner, now, reason=REFUSED, detail=detail)
    return LOST


def _failed(database: Database, job: int, owner: str, reason: str, detail: str) -> int:
    with database.begin() as connection:
        now = datetime.now(UTC)
        return DONE if background_jobs.fail(connection, job, owner, now, reason=reason, detail=detail) else LOST


class Reporter:
    """Writes progress at most once a second; its bar never goes back, not after a restart either, and convergence is that of the fit that is shown, the first one."""

    def __init__(self, database: Database, job: int, owner: str, before: Any) -> None:
        self._database, self._job, self._owner = database, job, owner
        self._share = float((before or {}).get("share", 0.0))
        self._last = -math.inf
        self._settled: dict[str, Any] = {}

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last < _REPORT_SECONDS and not progress.fitted:
            return
        self._last = now
        self._share = max(self._share, _FITS_SHARE * progress.share)
        left = progress.seconds_left + (progress.seconds + progress.seconds_left) * (1 / _FITS_SHARE - 1)
        record = {
            "share": self._share,
            "seconds_left": left,
            "fit": progress.fit,
            "fits": progress.fits,
            "sweeps": progress.sweeps,
            "most": progress.most,
            "warming_up": progress.warming_up,
            "r_hat": progress.r_hat,
            "ess": progress.ess,
            "fitted": progress.fitted,
        }
        if progress.fit == 1 and not progress.fitted and math.isfinite(progress.r_hat):
            self._settled = {name: record[name] for name in ("sweeps", "most", "r_hat", "ess")}
        record |= self._settled
        known = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in record.items()
        }
        # A database that is away for a moment costs a report, not the analysis: whether it is away for too long is judged by the worker.
        with contextlib.suppress(StoreError), self._database.begin() as connection:
            if not background_jobs.report(connection, self._job, self._owner, known):
                os._exit(LOST)  # cancelled, or taken for dead: the worker that owns the job now must not be disturbed


def _end_with_worker(lifeline: int) -> None:
    os.read(lifeline, 1)  # returns when the other end, which the worker alone holds, is closed
    os._exit(LOST)
