"""The current analysis of a study and of any part of it: kept in the database, made anew when an answer, a decision, the survey or the program has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import Connection

from wtp import __version__
from wtp.analysis import (
    AUTO,
    CONDITIONAL,
    SAME_CHOICES,
    Analysis,
    Progress,
    QualityReport,
    Request,
    Simulator,
    analyse,
    pack_people,
    pack_simulator,
    quality_report,
    unpack_people,
    unpack_simulator,
)
from wtp.store import Database, answers, decisions, results
from wtp.survey import Survey

# Whose answers count: all but those whom a person left out (as a rule), everybody, or all but those with two or more flags.
LEFT_OUT, NONE, FLAGGED = "left-out", "none", "flagged"
SETS = (LEFT_OUT, NONE, FLAGGED)


def without(database: Database, survey: Survey, chosen: str = LEFT_OUT) -> tuple[int, ...]:
    """Numbers of the respondents whom this set leaves out."""
    if chosen == NONE:
        return ()
    if chosen == FLAGGED:
        return quality_of(database, survey).flagged
    with database.read() as connection:
        return decisions.left_out(connection, survey.slug)


def analysis_of(database: Database, survey: Survey, chosen: str = LEFT_OUT, versions: str = SAME_CHOICES) -> Analysis:
    """What the pages show: the full analysis of the answers that are there now if it was made, else the quick one, made within a request.

    chosen: whose answers count, one of SETS. versions: which earlier versions of the survey are counted, as in `Request`.
    """
    request = Request(versions=versions, without=without(database, survey, chosen))
    with database.read() as connection:
        content = results.load(connection, _fingerprint(connection, survey, request))
    return _parsed(content) if content else analysis_as(database, survey, replace(request, model=CONDITIONAL))


def analysis_as(
    database: Database,
    survey: Survey,
    request: Request,
    progress: Callable[[Progress], None] | None = None,
) -> Analysis:
    """Load or make the analysis of the answers that are there now; the full one may take a minute and calls `progress`."""
    with database.read() as connection:
        fingerprint = _fingerprint(connection, survey, request)
        content = results.load(connection, fingerprint)
        found = None if content else answers.read_answers(connection, survey.slug)
    if found is not None:
        made = analyse(survey, found, request, progress)
        content = made.to_json()
        usual = request.versions == SAME_CHOICES and request.without == without(database, survey)
        kind = results.ANALYSIS if usual else results.OTHER_SET
        with database.begin() as connection:
            results.save(connection, fingerprint, survey.slug, content, datetime.now(UTC), kind)
            if made.people:
                kept = pack_people(made.people)
                results.save(connection, _of_people(fingerprint), survey.slug, kept, datetime.now(UTC), results.PEOPLE)
            if made.simulator:
                kept = pack_simulator(made.simulator, request.seed)
                key = _of_simulator(fingerprint)
                results.save(connection, key, survey.slug, kept, datetime.now(UTC), results.PEOPLE)
    return _parsed(content or "")


def with_people(database: Database, survey: Survey, analysis: Analysis) -> Analysis:
    """The analysis with its tables of single respondents, if they were kept: for analysts' exports, never for a page."""
    with database.read() as connection:
        content = results.load(connection, _of_people(_fingerprint(connection, survey, analysis.request)))
    return replace(analysis, people=unpack_people(content)) if content else analysis


def simulator_of(database: Database, survey: Survey, analysis: Analysis) -> Simulator | None:
    """What answers what-ifs about the figures of an analysis; None if it was made by an older version of the program, or has no figures."""
    with database.read() as connection:
        key = _of_simulator(_fingerprint(connection, survey, analysis.request))
    return _simulator(database, key)


@lru_cache(maxsize=8)
def _simulator(database: Database, key: str) -> Simulator | None:
    with database.read() as connection:
        content = results.load(connection, key)
    return unpack_simulator(content) if content else None


def _of_simulator(fingerprint: str) -> str:
    return hashlib.sha256(f"simulator of {fingerprint}".encode()).hexdigest()


def _of_people(fingerprint: str) -> str:
    return hashlib.sha256(f"people of {fingerprint}".encode()).hexdigest()


def stored_analysis(database: Database, survey: Survey) -> tuple[Analysis, bool] | None:
    """The newest analysis that is there, and whether it is of all answers that are there now; makes none, so it takes a moment at most."""
    left_out = without(database, survey)
    with database.read() as connection:
        for model in (AUTO, CONDITIONAL):
            content = results.load(connection, _fingerprint(connection, survey, Request(model=model, without=left_out)))
            if content:
                return _parsed(content), True
        newest = results.latest(connection, survey.slug)
    return (_parsed(newest[0]), False) if newest else None


def stored_pair(database: Database, survey: Survey, less: tuple[int, ...]) -> tuple[Analysis, Analysis] | None:
    """The quick analyses of everybody and of all but some, if both are there."""
    with database.read() as connection:
        asked = [Request(model=CONDITIONAL, without=part) for part in ((), less)]
        kept = [results.load(connection, _fingerprint(connection, survey, each)) for each in asked]
    first, second = (_parsed(content) if content else None for content in kept)
    return (first, second) if first and second else None


def quality_of(database: Database, survey: Survey) -> QualityReport:
    """Data quality of the answers that are there now, made once."""
    with database.read() as connection:
        state = f"quality {survey.definition.fingerprint} {survey.slug} {answers.state(connection, survey.slug)} {__version__}"
        fingerprint = hashlib.sha256(json.dumps(state).encode()).hexdigest()
        content = results.load(connection, fingerprint)
        found = None if content else answers.read_answers(connection, survey.slug)
    if found is not None:
        content = quality_report(survey.definition, found).to_json()
        with database.begin() as connection:
            results.save(connection, fingerprint, survey.slug, content, datetime.now(UTC), results.QUALITY)
    return _report(content or "")


def stored_quality(database: Database, survey: Survey) -> QualityReport | None:
    """The newest report on data quality that is there; makes none."""
    with database.read() as connection:
        newest = results.latest(connection, survey.slug, results.QUALITY)
    return _report(newest[0]) if newest else None


def _fingerprint(connection: Connection, survey: Survey, request: Request) -> str:
    state = answers.state(connection, survey.slug)
    return request.fingerprint(survey.definition.fingerprint, f"{survey.slug} {state}", __version__)


@lru_cache(maxsize=16)
def _parsed(content: str) -> Analysis:
    return Analysis.from_json(content)


@lru_cache(maxsize=8)
def _report(content: str) -> QualityReport:
    return QualityReport.from_json(content)
