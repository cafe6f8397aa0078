"""Analyses that were made, by their fingerprint: what they are of, with which request, by which version of the program; and each study's plan."""

from __future__ import annotations

import hashlib
from datetime import datetime

import sqlalchemy as sa

from wtp.store import tables
from wtp.store.upsert import insert_if_absent

# What a kept result is of: the answers of all but those who are left out, other answers or versions, their quality, the field to come, or single respondents
# (whoever deletes one person's answers deletes these too).
ANALYSIS, OTHER_SET, QUALITY, PLAN, PEOPLE = "analysis", "other set", "quality", "plan", "people"


def load(connection: sa.Connection, fingerprint: str) -> str | None:
    """The analysis as JSON text, or None."""
    query = sa.select(tables.result.c.content).where(tables.result.c.fingerprint == fingerprint)
    return connection.execute(query).scalar_one_or_none()


def latest(connection: sa.Connection, slug: str, kind: str = ANALYSIS) -> tuple[str, datetime] | None:
    """The last one of its kind that was made of a study, whatever was answered since, and when; None if there is none."""
    c = tables.result.c
    query = sa.select(c.content, c.created_at).where(c.study == slug, c.kind == kind)
    found = connection.execute(query.order_by(c.created_at.desc()).limit(1)).first()
    return (found.content, found.created_at) if found else None


def save(
    connection: sa.Connection, fingerprint: str, slug: str, content: str, now: datetime, kind: str = ANALYSIS
) -> None:
    """Keep a result; the first one stays, since equal fingerprints mean equal figures."""
    row = {"fingerprint": fingerprint, "study": slug, "content": content, "created_at": now, "kind": kind}
    insert_if_absent(connection, tables.result, **row)


def load_plan(connection: sa.Connection, slug: str) -> str | None:
    """The study's plan as JSON text, or None."""
    found = latest(connection, slug, PLAN)
    return found[0] if found else None


def save_plan(connection: sa.Connection, slug: str, content: str, now: datetime) -> None:
    """Keep a plan in place of the one before."""
    key = hashlib.sha256(f"plan of {slug}".encode()).hexdigest()
    connection.execute(sa.delete(tables.result).where(tables.result.c.fingerprint == key))
    save(connection, key, slug, content, now, PLAN)
