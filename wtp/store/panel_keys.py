"""Keys of panels: one a study, random or given by the panel, with which addresses to and from it are signed.

The database keeps a key sealed: with a keystream of HMAC-SHA-256 blocks over a nonce of its own, and a tag over the result, both keyed by the instance's secret. A stolen
database alone gives no key; with another secret, or with a changed row, the tag does not fit. Of several keys the newest signs; one that was replaced counts for links
that come in until its end.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from wtp.errors import DataError, StoreError
from wtp.store import audit, tables

OLD_LASTS = timedelta(hours=24)
MADE, SHOWN = "panel key made", "panel key shown"
_KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 16, 16
_GIVEN = re.compile(r"[!-~]{16,128}", re.ASCII)
_K = tables.panel_key.c


@dataclass(frozen=True, slots=True)
class PanelKey:
    """One key of a study. key: the text, whose bytes are the key of HMAC; ends_at: None for the one in use."""

    number: int
    key: str
    made_by: str
    created_at: datetime
    ends_at: datetime | None

    def __repr__(self) -> str:
        """Without the key, so that no log gets it."""
        return f"PanelKey(number={self.number}, ends_at={self.ends_at})"


def make(
    connection: sa.Connection,
    slug: str,
    *,
    secret: str,
    who: str,
    now: datetime,
    given: str | None = None,
    at_once: bool = False,
) -> PanelKey:
    """A new key for a study, random unless the panel gave one; the one before counts for links that come in another 24 hours, or at_once no more.

    Raises DataError for a given key that is too short or no plain text, or is that of before.
    """
    if given is not None and not _GIVEN.fullmatch(given):
        raise DataError(
            f"key: {len(given)} characters; allowed: 16 to 128 letters, figures and signs without spaces; ask the panel for another one."
        )
    connection.execute(sa.select(tables.study.c.slug).where(tables.study.c.slug == slug).with_for_update())
    if not connection.execute(sa.select(sa.exists().where(tables.study.c.slug == slug))).scalar_one():
        raise DataError(f"{slug}: no such study in the database; allowed: one that was published; publish it first.")
    before = _newest(connection, slug)
    if before and given and _opens(secret, slug, before.sealed) == given:
        raise DataError("key: that of before; allowed: another one; nothing was changed.")
    key = given or secrets.token_hex(_KEY_BYTES)
    ends = now if at_once else now + OLD_LASTS
    later = sa.or_(_K.ends_at.is_(None), _K.ends_at > ends)
    connection.execute(sa.update(tables.panel_key).where(_K.study == slug, later).values(ends_at=ends))
    number = before.number + 1 if before else 1
    row = {"sealed": _seal(secret, slug, key), "made_by": who, "created_at": now}
    connection.execute(sa.insert(tables.panel_key).values(study=slug, number=number, **row))
    said = f"key {number}, {'given by the panel' if given else 'random'}"
    said += f"; the one before {'ends at once' if at_once else 'counts 24 hours more'}" if before else ""
    audit.add(connection, slug, MADE, who=who, reason=said, now=now)
    return PanelKey(number, key, who, now, None)


def first(connection: sa.Connection, slug: str, *, secret: str, who: str, now: datetime) -> PanelKey:
    """The key that signs, made now if there is none; of two at the same moment one makes it."""
    connection.execute(sa.select(tables.study.c.slug).where(tables.study.c.slug == slug).with_for_update())
    return current(connection, slug, secret=secret) or make(connection, slug, secret=secret, who=who, now=now)


def current(connection: sa.Connection, slug: str, *, secret: str) -> PanelKey | None:
    """The key that signs, or None. Raises StoreError if the instance's secret is not the one that it was sealed with."""
    row = _newest(connection, slug)
    return _key(row, slug, secret) if row else None


def valid(connection: sa.Connection, slug: str, *, secret: str, now: datetime) -> tuple[PanelKey, ...]:
    """Every key that a link coming in may be signed with, the newest first. Raises StoreError as `current` does."""
    good = sa.or_(_K.ends_at.is_(None), _K.ends_at > now)
    query = sa.select(tables.panel_key).where(_K.study == slug, good).order_by(_K.number.desc())
    return tuple(_key(row, slug, secret) for row in connection.execute(query))


def shown(connection: sa.Connection, slug: str, key: PanelKey, *, who: str, now: datetime) -> None:
    """Note in the study's log that somebody looked at a key."""
    audit.add(connection, slug, SHOWN, who=who, reason=f"key {key.number}", now=now)


def _newest(connection: sa.Connection, slug: str) -> sa.Row[tuple[object, ...]] | None:
    query = sa.select(tables.panel_key).where(_K.study == slug).order_by(_K.number.desc()).limit(1)
    return connection.execute(query).first()


def _key(row: sa.Row[tuple[object, ...]], slug: str, secret: str) -> PanelKey:
    return PanelKey(row.number, _opens(secret, slug, row.sealed), row.made_by, row.created_at, row.ends_at)


def _seal(secret: str, slug: str, key: str) -> str:
    nonce, plain = secrets.token_bytes(_NONCE_BYTES), key.encode("ascii")
    hidden = _crossed(plain, _stream(secret, slug, nonce, len(plain)))
    return (nonce + hidden + _tag(secret, slug, nonce + hidden)).hex()


def _opens(secret: str, slug: str, sealed: str) -> str:
    whole = bytes.fromhex(sealed)
    body, tag = whole[:-_TAG_BYTES], whole[-_TAG_BYTES:]
    if not hmac.compare_digest(_tag(secret, slug, body), tag):
        raise StoreError(
            f"{slug}: the key of the panel was sealed with another secret_key than this installation has; allowed: the secret_key of "
            f"before, from a backup, or a new key: wtp panel key {slug} --new."
        )
    nonce, hidden = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
    return _crossed(hidden, _stream(secret, slug, nonce, len(hidden))).decode("ascii")


def _stream(secret: str, slug: str, nonce: bytes, length: int) -> bytes:
    """As many bytes as the key has: HMAC-SHA-256 of nonce and block number, block after block."""
    blocks = range(-(-length // hashlib.sha256().digest_size))
    said = (f"panel key stream\0{slug}\0{block}\0".encode() + nonce for block in blocks)
    return b"".join(hmac.digest(secret.encode(), one, "sha256") for one in said)[:length]


def _tag(secret: str, slug: str, body: bytes) -> bytes:
    return hmac.digest(secret.encode(), f"panel key tag\0{slug}\0".encode() + body, "sha256")[:_TAG_BYTES]


def _crossed(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
