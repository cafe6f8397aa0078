"""The seam to what makes final analyses in the background; nothing else of the API knows about jobs.

No runner is installed yet: an analysis that `wtp analyse` made is found, one that is missing cannot be started from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from wtp import __version__
from wtp.analysis import AUTO, Request
from wtp.store import answers
from wtp.survey import Survey
from wtp.web.api.problems import ProblemError

# Models that take minutes: `auto` lets the sample decide which.
MODELS: tuple[str, ...] = (AUTO,)


@dataclass(frozen=True, slots=True)
class Job:
    """An analysis that is under way or ended without figures."""

    state: Literal["waiting", "running", "failed", "cancelled"]
    progress: Mapping[str, Any] | None = None
    reason: str | None = None


def key_of(connection: sa.Connection, survey: Survey, request: Request) -> str:
    """Fingerprint of an analysis of the answers that are there now, under which it is kept, made or not."""
    state = answers.state(connection, survey.slug)
    return request.fingerprint(survey.definition.fingerprint, f"{survey.slug} {state}", __version__)


def start(survey: Survey, request: Request, *, started_by: str) -> Job:
    """Start a final analysis, or join the one that is under way. Raises ProblemError where none can be started."""
    raise ProblemError(
        "no-runner",
        place="model",
        found=request.model,
        allowed="conditional, or a final analysis that was made already",
        remedy=f"run wtp analyse surveys/{survey.slug} --out DIR on the server, then ask again",
    )


def state(survey: Survey, key: str) -> Job | None:
    """An analysis of this study that was started and has no figures yet, by its fingerprint."""
    return None
