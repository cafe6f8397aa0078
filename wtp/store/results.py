"""Analyses that were made, by their fingerprint: what they are of, with which request, by which version of the program."""

from __future__ import annotations

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
