"""Studies and the definitions that respondents answered: each by its hash, so that old answers keep their meaning."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache

import sqlalchemy as sa

from wtp.errors import StoreError
from wtp.store import tables, versions
from wtp.store.upsert import insert_if_absent
from wtp.store.versions import Version
from wtp.survey.definition import Definition
from wtp.survey.load import Survey


def register(connection: sa.Connection, survey: Survey) -> None:
    """Keep the survey's definition and make it the study's current one, as a version of its own if it is new.

    Raises StoreError if real respondents have begun under another design, unless it was published: a study in the field keeps its design.
    """
    design_hash = _keep(connection, survey)
    kept = connection.execute(
        sa.select(tables.study.c.design_hash).where(tables.study.c.slug == survey.slug)
    ).scalar_one()
    newest = versions.last(connection, survey.slug)
    published = newest is not None and newest.design_hash == design_hash
    if kept and kept != design_hash and not published and fielding_began(connection, survey.slug):
        raise StoreError(
            f"{survey.folder}/design.csv: changed after real respondents began; allowed: the design they answer; "
            "put the old file back, or publish the change on the study's pages."
        )
    _make_current(connection, survey, None)


def publish(connection: sa.Connection, survey: Survey, author: str) -> Version:
    """Make the survey the study's current one on purpose, whoever has begun: they finish on what they began with."""
    _keep(connection, survey)
    return _make_current(connection, survey, author)


def _keep(connection: sa.Connection, survey: Survey) -> str:
    design_hash = survey.design.hash if survey.design else ""
    content = survey.definition.model_dump_json()
    insert_if_absent(connection, tables.definition, hash=survey.definition_hash, study=survey.slug, content=content)
    insert_if_absent(
        connection, tables.study, slug=survey.slug, definition_hash=survey.definition_hash, design_hash=design_hash
    )
    return design_hash


def _make_current(connection: sa.Connection, survey: Survey, author: str | None) -> Version:
    design_hash = survey.design.hash if survey.design else ""
    connection.execute(
        sa.update(tables.study)
        .where(tables.study.c.slug == survey.slug)
        .values(definition_hash=survey.definition_hash, design_hash=design_hash)
    )
    return versions.add(connection, survey, author)


def definition(connection: sa.Connection, definition_hash: str) -> Definition:
    """The definition that a respondent answers, whatever the file says now."""
    content = connection.execute(
        sa.select(tables.definition.c.content).where(tables.definition.c.hash == definition_hash)
    ).scalar_one()
    return _read(content)


@lru_cache(32)
def _read(content: str) -> Definition:
    """Whoever began before a change asks for the same text with every page."""
    return Definition.model_validate_json(content)


def definitions(connection: sa.Connection, hashes: Collection[str]) -> dict[str, Definition]:
    """Several definitions by their hash; one that this version of the program can no longer read is missing."""
    d = tables.definition.c
    found = {}
    for row in connection.execute(sa.select(d.hash, d.content).where(d.hash.in_(hashes))):
        with suppress(ValueError):
            found[row.hash] = Definition.model_validate_json(row.content)
    return found


def fielding_began(connection: sa.Connection, slug: str) -> bool:
    """Whether a real respondent has consented; simulated ones, tests and imported ones, who never saw our design, do not count."""
    r = tables.respondent.c
    real = sa.not_(r.simulated), sa.not_(r.test), r.import_id.is_(None)
    began = sa.select(r.id).where(r.study == slug, *real, r.consented_at.is_not(None)).limit(1)
    return connection.execute(began).first() is not None


STATES = ("open", "paused", "closed")
_STATE = sa.select(tables.study.c.state).where(tables.study.c.slug == sa.bindparam("slug"))


def state(connection: sa.Connection, slug: str) -> str:
    """open; paused: nobody new begins; closed: nobody answers any more."""
    return str(connection.execute(_STATE, {"slug": slug}).scalar_one_or_none() or "open")


def set_state(connection: sa.Connection, slug: str, state: str) -> None:
    """Open, pause or close a study; times of retention count from when it was closed."""
    if state not in STATES:
        raise StoreError(f"state {state!r}; allowed: {', '.join(STATES)}.")
    s = tables.study.c
    closed_at = (
        sa.func.coalesce(s.closed_at, sa.literal(datetime.now(UTC), s.closed_at.type)) if state == "closed" else None
    )
    connection.execute(sa.update(tables.study).where(s.slug == slug).values(state=state, closed_at=closed_at))
