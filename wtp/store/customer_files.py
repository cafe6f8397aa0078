"""Files of contacts or purchases: each counts as a whole and once, and is taken back as a whole; the entry that it was there stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wtp.errors import ConflictError
from wtp.store import audit, customers, tables

_F = tables.customer_file.c
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file holds: its name in words, the table of its rows, and what the log says when it comes and goes."""

    name: str
    table: sa.Table
    imported: str
    taken_back: str


CONTACTS = Kind("contacts", tables.contact, audit.CONTACTS_IMPORTED, audit.CONTACTS_TAKEN_BACK)
PURCHASES = Kind("purchases", tables.purchase, audit.PURCHASES_IMPORTED, audit.PURCHASES_TAKEN_BACK)


@dataclass(frozen=True, slots=True)
class Imported:
    """One file that was imported."""

    id: int
    name: str
    digest: str
    rows: int
    made_by: str
    imported_at: datetime
    taken_back_at: datetime | None
    taken_back_by: str | None
    simulated: bool


def begin(
    connection: sa.Connection, slug: str, kind: Kind, *, name: str, digest: str, rows: int, who: str, now: datetime, simulated: bool
) -> Imported:  # fmt: skip
    """The entry of a new file, in the caller's transaction; its rows follow with `add`. Raises ConflictError if the very same file is there already."""
    connection.execute(sa.select(tables.study.c.slug).where(tables.study.c.slug == slug).with_for_update())
    known = everything(connection, slug, kind)
    there = next((one for one in known if one.digest == digest and one.taken_back_at is None), None)
    if there is not None:
        day = there.imported_at.date().isoformat()
        raise ConflictError(
            f"this very file was imported already: {there.name}, {day}; nothing was added; to import it again, take that import back first."
        )
    row = {"study": slug, "kind": kind.name, "name": name, "digest": digest, "rows": rows, "made_by": who}
    made = connection.execute(sa.insert(tables.customer_file).values(**row, imported_at=now))
    number = int(made.inserted_primary_key[0])  # type: ignore[index]
    said = f"{name} ({digest[:8]}): {rows} {kind.name}{', simulated' if simulated else ''}"
    audit.add(connection, slug, kind.imported, who=who, reason=said, now=now)
    return Imported(number, name, digest, rows, who, now, None, None, simulated)


def add(connection: sa.Connection, slug: str, kind: Kind, file: Imported, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add the rows of a file."""
    of_file = {"study": slug, "file_id": file.id, "simulated": file.simulated}
    for first in range(0, len(rows), _AT_ONCE):
        connection.execute(sa.insert(kind.table), [{**row, **of_file} for row in rows[first : first + _AT_ONCE]])


def everything(connection: sa.Connection, slug: str, kind: Kind) -> tuple[Imported, ...]:
    """The files of a kind, the newest first."""
    simulated = sa.exists().where(kind.table.c.file_id == _F.id, kind.table.c.simulated)
    columns: list[Any] = [*(_F[name] for name in Imported.__slots__ if name != "simulated"), simulated]
    query = sa.select(*columns).where(_F.study == slug, _F.kind == kind.name).order_by(_F.id.desc())
    return tuple(Imported(*row) for row in connection.execute(query))


def take_back(connection: sa.Connection, slug: str, kind: Kind, number: int, *, who: str, now: datetime) -> int | None:
    """Delete the rows of a file with what hangs on them, and customers whom nothing else knows; the entry stays. None if there is no such file."""
    standing = (_F.study == slug) & (_F.kind == kind.name) & (_F.id == number) & _F.taken_back_at.is_(None)
    done = sa.update(tables.customer_file).where(standing).values(taken_back_at=now, taken_back_by=who)
    if not connection.execute(done).rowcount:
        return None
    mine = sa.select(kind.table.c.id).where(kind.table.c.file_id == number)
    if kind is CONTACTS:
        codings = tables.contact_coding
        connection.execute(sa.delete(codings).where(codings.c.contact_id.in_(mine)))
    gone = connection.execute(sa.delete(kind.table).where(kind.table.c.file_id == number)).rowcount
    customers.tidy(connection, slug)
    name = connection.execute(sa.select(_F.name).where(_F.id == number)).scalar_one()
    audit.add(connection, slug, kind.taken_back, who=who, reason=f"{name}: {gone} {kind.name} deleted", now=now)
    return gone


def state(connection: sa.Connection, slug: str) -> str:
    """Changes whenever a file comes or is taken back, also where the next one has as many rows and a database uses ids again."""
    query = sa.select(sa.func.count(), sa.func.count(_F.taken_back_at), sa.func.max(_F.id)).where(_F.study == slug)
    return "/".join(map(str, connection.execute(query).one()))
