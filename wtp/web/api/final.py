"""Final analyses, which take minutes, as the API speaks of them: started or joined in the background, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wtp.analysis import FINAL_MODELS, NEEDED, Request
from wtp.errors import DataError
from wtp.jobs import start_analysis
from wtp.store import background_jobs
from wtp.store.background_jobs import CANCELLED, FAILED, QUEUED, RUNNING, BackgroundJob
from wtp.survey import Survey
from wtp.web import running
from wtp.web.analyses import usual_kind
from wtp.web.api.problems import ProblemError

MODELS: tuple[str, ...] = FINAL_MODELS
State = Literal["waiting", "running", "failed", "cancelled"]
_STATES: Mapping[str, State] = {QUEUED: "waiting", RUNNING: "running", FAILED: "failed", CANCELLED: "cancelled"}


@dataclass(frozen=True, slots=True)
class Job:
    """An analysis that is under way or ended without figures."""

    state: State
    progress: Mapping[str, Any] | None = None
    reason: str | None = None


def start(survey: Survey, request: Request, *, started_by: str) -> Job:
    """Start a final analysis, or join the one that is under way. Raises ProblemError where the answers do not suffice."""
    database = running.database()
    kind = usual_kind(database, survey, request)
    try:
        job = start_analysis(database, running.queue(), survey, request, kind=kind, started_by=started_by)
    except DataError as error:
        raise ProblemError(
            "value",
            place="model",
            found=f"too few answers for {request.model}",
            allowed=NEEDED[request.model].rstrip("."),
            remedy="wait for more answers, or choose another model",
        ) from error
    return _told(job)


def state(survey: Survey, key: str) -> Job | None:
    """An analysis of this study that was started and has no figures yet, by its fingerprint."""
    with running.database().read() as connection:
        job = background_jobs.newest(connection, survey.slug, key)
    return _told(job) if job and job.state in _STATES else None


def _told(job: BackgroundJob) -> Job:
    return Job(_STATES[job.state], job.progress, job.reason)
