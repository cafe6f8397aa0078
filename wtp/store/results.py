"""Analyses that were made, by their fingerprint: what they are of, with which request, by which version of the program; and each study's plan."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wtp.store import tables
from wtp.store.upsert import insert_if_absent

# What a kept result is of: the answers of all but those who are left out, other answers or versions, their quality, the field to come, or single respondents
# (`drop_people` deletes quality and these when one person is erased).
ANALYSIS, OTHER_SET, QUALITY, PLAN, PEOPLE = "analysis", "other set", "quality", "plan", "people"


@dataclass(frozen=True, slots=True)
class Kept:
    """A result without its content: what it was made of, see `analysis.provenance`."""

    fingerprint: str
    kind: str
    created_at: datetime
    made: Mapping[str, Any]


def load(connection: sa.Connection, fingerprint: str) -> str | None:
    """The analysis as JSON text, or None."""
    query = sa.select(tables.result.c.content).where(tables.result.c.fingerprint == fingerprint)
    return connection.execute(query).scalar_one_or_none()


def of_study(connection: sa.Connection, slug: str, fingerprint: str) -> str | None:
    """An analysis of this study as JSON text, or None: neither another study's nor a result of another kind."""
    c = tables.result.c
    query = sa.select(c.content).where(c.fingerprint == fingerprint, c.study == slug, c.kind.in_((ANALYSIS, OTHER_SET)))
    return connection.execute(query).scalar_one_or_none()


def latest(connection: sa.Connection, slug: str, kind: str = ANALYSIS) -> tuple[str, datetime] | None:
    """The last one of its kind that was made of a study, whatever was answered since, and when; None if there is none."""
    c = tables.result.c
    query = sa.select(c.content, c.created_at).where(c.study == slug, c.kind == kind)
    found = connection.execute(query.order_by(c.created_at.desc()).limit(1)).first()
    return (found.content, found.created_at) if found else None


def made(
    connection: sa.Connection, slug: str, *, basis: str | None = None, fingerprints: Collection[str] | None = None
) -> tuple[Kept, ...]:
    """Analyses of a study that say how they were made, the newest first: all of them, those of one basis, or some by their fingerprints."""
    c = tables.result.c
    query = sa.select(c.fingerprint, c.kind, c.created_at, c.made).where(c.study == slug, c.made.is_not(None))
    if basis is not None:
        query = query.where(c.basis == basis)
    if fingerprints is not None:
        query = query.where(c.fingerprint.in_(fingerprints))
    return tuple(Kept(*row) for row in connection.execute(query.order_by(c.created_at.desc(), c.fingerprint)))


def save(
    connection: sa.Connection,
    fingerprint: str,
    slug: str,
    content: str,
    now: datetime,
    kind: str = ANALYSIS,
    *,
    basis: str | None = None,
    made: Mapping[str, Any] | None = None,
) -> None:
    """Keep a result; the first one stays, since equal fingerprints mean equal figures. basis, made: of an analysis, what it is of and how it was made."""
    row = {"fingerprint": fingerprint, "study": slug, "content": content, "created_at": now, "kind": kind}
    more = {"basis": basis, "made": dict(made)} if made is not None else {}
    insert_if_absent(connection, tables.result, **row, **more)


def drop_people(connection: sa.Connection, slug: str) -> int:
    """Delete everything kept of a study that says something of single respondents, as when one of them is erased; figures of many stay. How many there were."""
    of_people = tables.result.c.kind.in_((PEOPLE, QUALITY))
    return connection.execute(sa.delete(tables.result).where(tables.result.c.study == slug, of_people)).rowcount


def load_plan(connection: sa.Connection, slug: str) -> str | None:
    """The study's plan as JSON text, or None."""
    found = latest(connection, slug, PLAN)
    return found[0] if found else None


def save_plan(connection: sa.Connection, slug: str, content: str, now: datetime) -> None:
    """Keep a plan in place of the one before."""
    key = hashlib.sha256(f"plan of {slug}".encode()).hexdigest()
    connection.execute(sa.delete(tables.result).where(tables.result.c.fingerprint == key))
    save(connection, key, slug, content, now, PLAN)
