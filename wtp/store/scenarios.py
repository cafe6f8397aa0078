"""What-ifs that somebody named: which offers, as the address of the page writes them; by whom and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from wtp.errors import DataError
from wtp.store import tables
from wtp.store.upsert import insert_if_absent

LONGEST_NAME = 80
MOST = 200
_S = tables.scenario.c


@dataclass(frozen=True, slots=True)
class Saved:
    """One scenario of a study; `query` is the part of an address that describes it."""

    id: int
    name: str
    query: str
    saved_by: str
    saved_at: datetime


def save(connection: sa.Connection, slug: str, name: str, query: str, *, who: str, now: datetime) -> None:
    """Keep a scenario under a name. Raises DataError for a name that is missing, too long or taken, and beyond 200 scenarios a study."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise DataError(f"name: {len(name)} characters; allowed: 1 to {LONGEST_NAME} of text; choose a short name.")
    count = connection.execute(sa.select(sa.func.count()).where(_S.study == slug)).scalar_one()
    if count >= MOST:
        raise DataError(f"scenarios: {count} of {slug} are kept; allowed: {MOST}; delete some first.")
    if not insert_if_absent(
        connection, tables.scenario, study=slug, name=name, query=query, saved_by=who, saved_at=now
    ):
        raise DataError(f"name: {name!r} is taken; allowed: a name of its own; choose another or delete that one.")


def of_study(connection: sa.Connection, slug: str) -> tuple[Saved, ...]:
    """All scenarios of a study, by name."""
    columns = (_S.id, _S.name, _S.query, _S.saved_by, _S.saved_at)
    rows = connection.execute(sa.select(*columns).where(_S.study == slug).order_by(_S.name))
    return tuple(Saved(*row) for row in rows)


def delete(connection: sa.Connection, slug: str, number: int) -> bool:
    """Delete one; whether there was one."""
    gone = connection.execute(sa.delete(tables.scenario).where(_S.study == slug, _S.id == number))
    return gone.rowcount == 1
