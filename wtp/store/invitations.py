"""Personal invitations: who was asked, kept apart from what was answered.

The token of an invitation is derived from the installation's secret, so links can be exported again for a reminder while the database keeps hashes
alone. An invited person becomes a respondent when the link is first opened and consent given.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from wtp.store import tables, tombstones
from wtp.store.respondents import token_hash

_I, _R = tables.invitation.c, tables.respondent.c
_KEY: sa.BindParameter[str] = sa.bindparam("key")
_INVITED = sa.exists().where(_I.token_hash == _KEY)
_IS_INVITED = sa.select(_INVITED)
_IS_KNOWN = sa.select(sa.or_(_INVITED, sa.exists().where(_R.token_hash == _KEY)))


@dataclass(frozen=True, slots=True)
class Invitation:
    """One person who was asked; `outcome` is None before the link is used, "begun" while it is open."""

    number: int
    reference: str
    contact: Mapping[str, str]
    token: str
    outcome: str | None


def token_of(secret: str, slug: str, number: int) -> str:
    """The personal token of an invitation, of 192 bits."""
    digest = hmac.new(secret.encode(), f"invitation\0{slug}\0{number}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def add(
    connection: sa.Connection, slug: str, people: Sequence[tuple[str, Mapping[str, str]]], *, secret: str, now: datetime
) -> int:
    """Invite people by (reference, contact); who is on the list already is left out. Returns how many are new."""
    known = set(connection.execute(sa.select(_I.reference).where(_I.study == slug)).scalars())
    number = connection.execute(sa.select(sa.func.max(_I.number)).where(_I.study == slug)).scalar_one() or 0
    erased = tombstones.hashes(connection, slug)  # whose number, and with it the link, nobody else gets
    rows = []
    for reference, contact in people:
        if reference in known:
            continue
        known.add(reference)
        number += 1
        while token_hash(slug, token_of(secret, slug, number)) in erased:
            number += 1
        rows.append(
            {
                "study": slug,
                "number": number,
                "reference": reference,
                "contact": dict(contact),
                "token_hash": token_hash(slug, token_of(secret, slug, number)),
                "created_at": now,
            }
        )
    if rows:
        connection.execute(sa.insert(tables.invitation), rows)
    return len(rows)


def is_invited(connection: sa.Connection, slug: str, token: str) -> bool:
    """Whether the token is that of an invitation."""
    return bool(connection.execute(_IS_INVITED, {"key": token_hash(slug, token)}).scalar_one())


def is_known(connection: sa.Connection, slug: str, token: str) -> bool:
    """Whether the token is that of an invitation or of a respondent."""
    return bool(connection.execute(_IS_KNOWN, {"key": token_hash(slug, token)}).scalar_one())


def everyone(connection: sa.Connection, slug: str, *, secret: str) -> tuple[Invitation, ...]:
    """All invitations of a study with their tokens and how far each person got."""
    query = (
        sa.select(_I.number, _I.reference, _I.contact, _I.done, _R.consented_at, _R.outcome)
        .outerjoin(tables.respondent, _R.token_hash == _I.token_hash)
        .where(_I.study == slug)
        .order_by(_I.number)
    )
    return tuple(
        Invitation(
            row.number,
            row.reference,
            row.contact,
            token_of(secret, slug, row.number),
            row.outcome or ("completed" if row.done else "begun" if row.consented_at else None),
        )
        for row in connection.execute(query)
    )
