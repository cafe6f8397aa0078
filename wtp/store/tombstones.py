"""The list of those whose data were deleted or cut from the person: by the hash of the token alone, and by the number that nobody gets again."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from wtp.errors import ErasedError
from wtp.store import tables
from wtp.store.upsert import insert_if_absent

# Everything of the person was deleted; the answers stay, of nobody.
ERASED, CUT = "erased", "cut"
_E = tables.erasure.c
_KIND = sa.select(_E.kind).where(_E.token_hash == sa.bindparam("key"))


def add(
    connection: sa.Connection, slug: str, token_hash: str, kind: str, now: datetime, *, number: int | None = None
) -> None:
    """Put somebody on the list; who is on it stays as he is, but for one who was cut off before."""
    row = {"study": slug, "kind": kind, "number": number, "happened_at": now}
    if not insert_if_absent(connection, tables.erasure, token_hash=token_hash, **row) and kind == ERASED:
        cut = (_E.token_hash == token_hash) & (_E.kind == CUT)
        connection.execute(sa.update(tables.erasure).where(cut).values(**row))


def kind_of(connection: sa.Connection, token_hash: str) -> str | None:
    """ERASED, CUT, or None for whoever is not on the list."""
    return connection.execute(_KIND, {"key": token_hash}).scalar_one_or_none()


def refuse(connection: sa.Connection, token_hash: str) -> None:
    """Raises ErasedError for whoever is on the list; ask it in the transaction that would store something of him."""
    if kind_of(connection, token_hash) is not None:
        raise gone()


def gone() -> ErasedError:
    """What whoever is on the list is told."""
    return ErasedError("this personal link is no longer valid; nothing was stored.")


def count(connection: sa.Connection, slug: str, since: datetime | None = None) -> int:
    """How many persons of a study had everything deleted; since: after this time."""
    query = sa.select(sa.func.count()).where(_E.study == slug, _E.kind == ERASED)
    return connection.execute(query if since is None else query.where(_E.happened_at > since)).scalar_one()


def any_since(connection: sa.Connection, moment: datetime) -> bool:
    """Whether anybody was erased after this time, in any study."""
    return connection.execute(sa.select(_E.study).where(_E.happened_at > moment).limit(1)).first() is not None


def numbers(connection: sa.Connection, slug: str) -> tuple[int, ...]:
    """Numbers of the respondents who were erased, rising: whoever took answers away before should delete theirs."""
    query = sa.select(_E.number).where(_E.study == slug, _E.number.is_not(None)).order_by(_E.number)
    return tuple(connection.execute(query).scalars())


def hashes(connection: sa.Connection, slug: str) -> frozenset[str]:
    """All of a study, as they were when the transaction began."""
    return frozenset(connection.execute(sa.select(_E.token_hash).where(_E.study == slug)).scalars())
