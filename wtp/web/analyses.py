"""The current analysis of a study: kept in the database, made anew when an answer, the survey or the program has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import Connection

from wtp import __version__
from wtp.analysis import CONDITIONAL, SAME_CHOICES, Analysis, Progress, Request, analyse
from wtp.store import Database, answers, results
from wtp.survey import Survey


def analysis_of(database: Database, survey: Survey, versions: str = SAME_CHOICES) -> Analysis:
    """What the pages show: the full analysis of all answers that are there now if it was made, else the quick one, made within a request.

    versions: which earlier versions of the survey are counted, as in `Request`.
    """
    with database.read() as connection:
        content = results.load(connection, _fingerprint(connection, survey, Request(versions=versions)))
    quick = Request(model=CONDITIONAL, versions=versions)
    return _parsed(content) if content else analysis_as(database, survey, quick)


def analysis_as(
    database: Database, survey: Survey, request: Request, progress: Callable[[Progress], None] | None = None
) -> Analysis:
    """Load or make the analysis of all answers that are there now; the full one may take a minute and calls `progress`."""
    with database.read() as connection:
        fingerprint = _fingerprint(connection, survey, request)
        content = results.load(connection, fingerprint)
        found = None if content else answers.read_answers(connection, survey.slug)
    if found is not None:
        content = analyse(survey, found, request, progress).to_json()
        with database.begin() as connection:
            results.save(connection, fingerprint, survey.slug, content, datetime.now(UTC))
    return _parsed(content or "")


def _fingerprint(connection: Connection, survey: Survey, request: Request) -> str:
    state = answers.state(connection, survey.slug)
    return request.fingerprint(survey.definition.fingerprint, f"{survey.slug} {state}", __version__)


@lru_cache(maxsize=8)
def _parsed(content: str) -> Analysis:
    return Analysis.from_json(content)
