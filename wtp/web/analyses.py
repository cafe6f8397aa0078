"""The current analysis of a study: kept in the database, made anew when an answer, the survey or the program has changed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from wtp import __version__
from wtp.analysis import Analysis, Request, analyse
from wtp.store import Database, answers, results
from wtp.survey import Survey


def analysis_of(database: Database, survey: Survey, request: Request | None = None) -> Analysis:
    """Load or make the analysis of all answers that are there now."""
    request = request or Request()
    with database.read() as connection:
        state = answers.state(connection, survey.slug)
        fingerprint = request.fingerprint(survey.definition_hash, f"{survey.slug} {state}", __version__)
        content = results.load(connection, fingerprint)
        found = None if content else answers.read_answers(connection, survey.slug)
    if found is not None:
        content = analyse(survey, found, request).to_json()
        with database.begin() as connection:
            results.save(connection, fingerprint, survey.slug, content, datetime.now(UTC))
    return _parsed(content or "")


@lru_cache(maxsize=8)
def _parsed(content: str) -> Analysis:
    return Analysis.from_json(content)
