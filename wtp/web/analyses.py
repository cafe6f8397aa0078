"""The current analysis of a study and of any part of it: kept in the database, made anew when an answer, a decision, the survey or the program has changed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from wtp import __version__
from wtp.analysis import (
    AUTO,
    CONDITIONAL,
    FINAL_MODELS,
    SAME_CHOICES,
    Analysis,
    Progress,
    QualityReport,
    Request,
    Simulator,
    analyse,
    quality_report,
    unpack_people,
    unpack_simulator,
)
from wtp.jobs import keep_analysis, key_of_people, key_of_simulator, keys_of, write_ahead
from wtp.store import Database, answers, audit, decisions, respondents, results, studies, tombstones
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
    """What the pages show: the newest final analysis of the answers that are there now if one was made, else the quick one, made within a request.

    chosen: whose answers count, one of SETS. versions: which earlier versions of the survey are counted, as in `Request`.
    """
    request = Request(versions=versions, without=without(database, survey, chosen))
    with database.read() as connection:
        content = _final(connection, survey, request) or _of_deleted(connection, survey)
    return _parsed(content) if content else analysis_as(database, survey, replace(request, model=CONDITIONAL))


def usual_kind(database: Database, survey: Survey, request: Request) -> str:
    """As what an analysis is kept: as the study's, or as one of another set of answers or versions."""
    usual = request.versions == SAME_CHOICES and request.without == without(database, survey)
    return results.ANALYSIS if usual else results.OTHER_SET


def analysis_as(
    database: Database,
    survey: Survey,
    request: Request,
    progress: Callable[[Progress], None] | None = None,
    made_by: str = "wtp",
) -> Analysis:
    """Load or make the analysis of the answers that are there now; the full one may take a minute and calls `progress`."""
    with database.read() as connection:
        fingerprint, basis = keys_of(connection, survey, request)
        content = results.load(connection, fingerprint)
        found = None if content else answers.read_answers(connection, survey.slug)
    if found is not None:
        began = time.monotonic()
        analysis = analyse(survey, found, request, progress)
        kind, seconds = usual_kind(database, survey, request), time.monotonic() - began
        content = analysis.to_json()
        write_ahead(database, analysis)
        with database.begin() as connection:
            keep_analysis(
                connection,
                analysis,
                survey.definition,
                fingerprint=fingerprint,
                basis=basis,
                kind=kind,
                made_by=made_by,
                seconds=seconds,
            )
    return _parsed(content or "")


def kept_analysis(database: Database, survey: Survey, fingerprint: str) -> tuple[Survey, Analysis] | None:
    """An analysis by its fingerprint, with the survey as it was then; None if the study has none such."""
    with database.read() as connection:
        content = results.load(connection, fingerprint)
        if content is None or not results.made(connection, survey.slug, fingerprints=[fingerprint]):
            return None
        analysis = _parsed(content)
        then = studies.definitions(connection, [analysis.definition_hash]).get(analysis.definition_hash)
    if then is None or analysis.definition_hash == survey.definition_hash:
        return survey, analysis
    return replace(survey, definition=then, definition_hash=analysis.definition_hash), analysis


def erased_since(database: Database, survey: Survey, fingerprint: str) -> int:
    """How many persons had everything of theirs deleted after a kept analysis was made, which counts them still."""
    with database.read() as connection:
        kept = results.made(connection, survey.slug, fingerprints=[fingerprint])
        return tombstones.count(connection, survey.slug, kept[0].created_at) if kept else 0


def with_people(database: Database, survey: Survey, analysis: Analysis) -> Analysis:
    """The analysis with its tables of single respondents, if they were kept: for analysts' exports, and for what one customer probably honours."""
    with database.read() as connection:
        content = results.load(connection, key_of_people(keys_of(connection, survey, analysis.request)[0]))
    return replace(analysis, people=unpack_people(content)) if content else analysis


def simulator_of(database: Database, survey: Survey, analysis: Analysis, fingerprint: str = "") -> Simulator | None:
    """What answers what-ifs about the figures of an analysis, by its fingerprint if it is no longer of the answers that are there now; None if it has none."""
    with database.read() as connection:
        key = key_of_simulator(fingerprint or keys_of(connection, survey, analysis.request)[0])
        # Asked each time: it may have been deleted, or made meanwhile, by another process.
        if not results.there(connection, key):
            return None
    try:
        return _simulator(database, key)
    except LookupError:
        return None


@lru_cache(maxsize=8)
def _simulator(database: Database, key: str) -> Simulator:
    """Of a key that stands for one content. Raises LookupError, which is not remembered, where that is lost."""
    with database.read() as connection:
        content = results.load(connection, key)
    if content is None:
        raise LookupError(key)
    return unpack_simulator(content)


def stored_analysis(database: Database, survey: Survey) -> tuple[Analysis, bool] | None:
    """The newest analysis that is there, and whether it is of all answers that are there now; makes none, so it takes a moment at most."""
    left_out = without(database, survey)
    with database.read() as connection:
        request = Request(without=left_out)
        content = _final(connection, survey, request) or _kept(connection, survey, replace(request, model=CONDITIONAL))
        if content:
            return _parsed(content), True
        newest = results.latest(connection, survey.slug)
    return (_parsed(newest[0]), False) if newest else None


def stored_pair(database: Database, survey: Survey, less: tuple[int, ...]) -> tuple[Analysis, Analysis] | None:
    """The quick analyses of everybody and of all but some, if both are there."""
    with database.read() as connection:
        asked = [Request(model=CONDITIONAL, without=part) for part in ((), less)]
        kept = [_kept(connection, survey, each) for each in asked]
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


def parsed(content: str) -> Analysis:
    """The analysis that was kept as this text."""
    return _parsed(content)


def is_final(made: Mapping[str, Any]) -> bool:
    """Whether an analysis that was made so shows final figures, not the quick pooled ones."""
    return made["estimator"] in FINAL_MODELS


def _final(connection: Connection, survey: Survey, request: Request) -> str | None:
    """The newest final analysis that differs from the request in nothing but model and seed."""
    fingerprint, basis = keys_of(connection, survey, replace(request, model=AUTO))
    made = [kept.fingerprint for kept in results.made(connection, survey.slug, basis=basis) if is_final(kept.made)]
    contents = (results.load(connection, one) for one in (*made, fingerprint))  # what is lost is passed over
    return next((content for content in contents if content is not None), None)


def _of_deleted(connection: Connection, survey: Survey) -> str | None:
    """The newest analysis of a study whose single answers were deleted after their time: figures of many stay, and nothing new can be made of nobody."""
    if not audit.has(connection, survey.slug, audit.DELETED) or respondents.counts(connection, survey.slug).begun:
        return None
    newest = results.latest(connection, survey.slug)
    return newest[0] if newest else None


def _kept(connection: Connection, survey: Survey, request: Request) -> str | None:
    return results.load(connection, keys_of(connection, survey, request)[0])


@lru_cache(maxsize=16)
def _parsed(content: str) -> Analysis:
    return Analysis.from_json(content)


@lru_cache(maxsize=8)
def _report(content: str) -> QualityReport:
    return QualityReport.from_json(content)
