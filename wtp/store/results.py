"""Analyses that were made, by their fingerprint: what they are of, with which request, by which version of the program; and each study's plan."""

from __future__ import annotations

import hashlib
from datetime import datetime

import sqlalchemy as sa

from wtp.store import tables
from wtp.store.upsert import insert_if_absent


def load(connection: sa.Connection, fingerprint: str) -> str | None:
    """The analysis as JSON text, or None."""
    query = sa.select(tables.result.c.content).where(tables.result.c.fingerprint == fingerprint)
    return connection.execute(query).scalar_one_or_none()


def save(connection: sa.Connection, fingerprint: str, slug: str, content: str, now: datetime) -> None:
    """Keep an analysis; the first one stays, since equal fingerprints mean equal figures."""
    insert_if_absent(connection, tables.result, fingerprint=fingerprint, study=slug, content=content, created_at=now)


def load_plan(connection: sa.Connection, slug: str) -> str | None:
    """The study's plan as JSON text, or None."""
    return load(connection, _plan_key(slug))


def save_plan(connection: sa.Connection, slug: str, content: str, now: datetime) -> None:
    """Keep a plan in place of the one before."""
    connection.execute(sa.delete(tables.result).where(tables.result.c.fingerprint == _plan_key(slug)))
    save(connection, _plan_key(slug), slug, content, now)


def _plan_key(slug: str) -> str:
    return hashlib.sha256(f"plan of {slug}".encode()).hexdigest()
