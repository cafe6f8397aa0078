"""The texts that respondents agreed to, word for word, by their hash: what somebody agreed to can be shown years later, whatever the study says by then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wtp.store import tables
from wtp.store.upsert import insert_if_absent

_C = tables.consent_text.c


def keep(connection: sa.Connection, slug: str, language: str, content: Mapping[str, Any], now: datetime) -> str:
    """Keep a text as it is shown; returns the SHA-256 of study, language and text, by which the consent names it."""
    text = json.dumps([slug, language, content], sort_keys=True, ensure_ascii=False)
    key = hashlib.sha256(text.encode()).hexdigest()
    row = {"study": slug, "language": language, "content": dict(content), "first_shown_at": now}
    insert_if_absent(connection, tables.consent_text, hash=key, **row)
    return key


def text(connection: sa.Connection, key: str) -> Mapping[str, Any] | None:
    """The text of a hash with its language; None if no consent names it."""
    row = connection.execute(sa.select(_C.language, _C.content).where(_C.hash == key)).first()
    return {"language": row.language, **row.content} if row else None


def mode(connection: sa.Connection, respondent_id: int) -> str | None:
    """How answers and person hang together as this respondent agreed to it; None where the consent does not say."""
    r = tables.respondent.c
    query = sa.select(_C.content).join(tables.respondent, r.consent_shown == _C.hash).where(r.id == respondent_id)
    found = connection.execute(query).scalar_one_or_none()
    return found.get("mode") if found else None
