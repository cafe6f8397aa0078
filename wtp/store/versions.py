"""Versions of a study: every state that was in use, with its text, its design, its time and who published it.

What respondents are asked is identified by the definition's hash, the design by its own; a version whose hashes are those of the one before changes only
what analyses depend on (costs, segments, competitors).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from wtp.store import tables
from wtp.store.upsert import insert_if_absent
from wtp.survey.design_file import format_design
from wtp.survey.load import Survey

_V, _D, _R = tables.version.c, tables.design.c, tables.respondent.c


@dataclass(frozen=True, slots=True)
class Version:
    """One version; `author` is None for a file that was changed by hand, `real` counts the people who began on what it asks."""

    number: int
    definition_hash: str
    design_hash: str
    fingerprint: str
    content: str
    author: str | None
    published_at: datetime
    real: int = 0


def add(connection: sa.Connection, survey: Survey, author: str | None = None) -> Version:
    """Keep the survey as the study's newest version, unless it is that already. The study must be registered."""
    design_hash = survey.design.hash if survey.design else ""
    newest = last(connection, survey.slug)
    definition = survey.definition
    if newest and (newest.fingerprint, newest.design_hash) == (definition.fingerprint, design_hash):
        return newest
    if survey.design:
        text = format_design(survey.design, definition)
        insert_if_absent(connection, tables.design, hash=design_hash, study=survey.slug, content=text)
    row = {
        "number": newest.number + 1 if newest else 1,
        "definition_hash": survey.definition_hash,
        "design_hash": design_hash,
        "fingerprint": definition.fingerprint,
        "content": survey.source,
        "author": author,
        "published_at": datetime.now(UTC),
    }
    insert_if_absent(connection, tables.version, study=survey.slug, **row)  # of two processes that start, one does
    return Version(**row)  # type: ignore[arg-type]


def last(connection: sa.Connection, slug: str) -> Version | None:
    """The newest version."""
    query = sa.select(tables.version).where(_V.study == slug).order_by(_V.number.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return _version(row) if row else None


def get(connection: sa.Connection, slug: str, number: int) -> Version | None:
    """One version by its number."""
    row = connection.execute(sa.select(tables.version).where(_V.study == slug, _V.number == number)).mappings().first()
    return _version(row) if row else None


def everything(connection: sa.Connection, slug: str) -> tuple[Version, ...]:
    """All versions, the newest first."""
    begun = sa.select(_R.definition_hash, sa.func.count()).where(
        _R.study == slug, _R.consented_at.is_not(None), sa.not_(_R.simulated), sa.not_(_R.test)
    )
    real: dict[str, int] = dict(connection.execute(begun.group_by(_R.definition_hash)).all())
    rows = connection.execute(sa.select(tables.version).where(_V.study == slug).order_by(_V.number.desc())).mappings()
    return tuple(_version(row, real.get(row["definition_hash"], 0)) for row in rows)


def design_text(connection: sa.Connection, design_hash: str) -> str | None:
    """The text of a design that was in use."""
    return connection.execute(sa.select(_D.content).where(_D.hash == design_hash)).scalar_one_or_none()


def _version(row: sa.RowMapping, real: int = 0) -> Version:
    return Version(**{name: row[name] for name in Version.__slots__ if name != "real"}, real=real)
