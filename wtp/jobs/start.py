"""Starting and cancelling an analysis, and keeping its result."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime

import sqlalchemy as sa

from wtp import __version__
from wtp.analysis import NEEDED, Analysis, Request, final_models, pack_people, pack_simulator, provenance
from wtp.errors import DataError
from wtp.jobs.queue import JobQueue
from wtp.store import Database, answers, background_jobs, copies, results
from wtp.store.background_jobs import BackgroundJob
from wtp.survey import Definition, Survey


def keys_of(connection: sa.Connection, survey: Survey, request: Request) -> tuple[str, str]:
    """Fingerprint and basis, see `Request`, of an analysis of the answers that are there now."""
    of = (survey.definition.fingerprint, f"{survey.slug} {answers.state(connection, survey.slug)}", __version__)
    return request.fingerprint(*of), request.basis(*of)


def start_analysis(
    database: Database, queue: JobQueue, survey: Survey, request: Request, *, kind: str, started_by: str
) -> BackgroundJob:
    """Queue the analysis of the answers that are there now, or join the one that is under way.

    kind: as what the result is kept, see `store.results`. Raises DataError where the answers do not suffice for the model.
    """
    with database.read() as connection:
        fingerprint, basis = keys_of(connection, survey, request)
        found = answers.read_answers(connection, survey.slug)
    if request.model not in final_models(survey, found, request):
        raise DataError(
            f"{request.model}: too few answers; allowed: {NEEDED[request.model]} Wait for more, or choose another model."
        )
    with database.begin() as connection:
        job = background_jobs.start(
            connection,
            survey.slug,
            fingerprint=fingerprint,
            basis=basis,
            kind=kind,
            request=asdict(request),
            definition_hash=survey.definition_hash,
            answers_hash=found.hash,
            respondents=len(found.respondents) - len({r.number for r in found.respondents} & set(request.without)),
            answers_copy=copies.pack(survey, found),
            started_by=started_by,
            now=datetime.now(UTC),
        )
    with contextlib.suppress(Exception):  # of any of three queues; the worker finds the job in the table all the same
        queue.put(job.id)
    return job


def cancel_analysis(database: Database, job: int) -> bool:
    """End a job for good, running or not; its worker stops within seconds. Whether there was anything to end."""
    with database.begin() as connection:
        return background_jobs.cancel(connection, job, datetime.now(UTC))


def keep_analysis(
    connection: sa.Connection,
    analysis: Analysis,
    definition: Definition,
    *,
    fingerprint: str,
    basis: str,
    kind: str,
    made_by: str,
    seconds: float,
) -> None:
    """Keep an analysis with everything that it takes to make it again; beside it its tables of single respondents and what answers what-ifs."""
    slug, now = analysis.study, datetime.now(UTC)
    made = provenance(analysis, definition, made_by=made_by, seconds=seconds)
    content, *beside = _contents(analysis, fingerprint)
    results.save(connection, fingerprint, slug, content[1], now, kind, basis=basis, made=made)
    for key, kept in beside:
        results.save(connection, key, slug, kept, now, results.PEOPLE)


def write_ahead(database: Database, analysis: Analysis) -> None:
    """What `keep_analysis` will keep, if its contents lie outside the database; call it before the transaction."""
    with database.read() as connection:
        results.write_ahead(connection, (content for _, content in _contents(analysis, "")))


def _contents(analysis: Analysis, fingerprint: str) -> Iterator[tuple[str, str]]:
    yield fingerprint, analysis.to_json()
    if analysis.people:
        yield key_of_people(fingerprint), pack_people(analysis.people)
    if analysis.simulator:
        yield key_of_simulator(fingerprint), pack_simulator(analysis.simulator, analysis.request.seed)


def key_of_people(fingerprint: str) -> str:
    """Under which the tables of single respondents of an analysis are kept."""
    return hashlib.sha256(f"people of {fingerprint}".encode()).hexdigest()


def key_of_simulator(fingerprint: str) -> str:
    """Under which is kept what answers what-ifs about an analysis."""
    return hashlib.sha256(f"simulator of {fingerprint}".encode()).hexdigest()
