"""Analyses that were made, by their fingerprint: what they are of, with which request, by which version of the program; and each study's plan.

Contents are in the database, or outside it in `objects`, named by their hash: written there first, then the row. A content that is missing there, or is not what its name
says, is not kept: whoever asks gets None, and makes it again. `delete` is the one way by which results go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from wtp.store import tables
from wtp.store.objects import Objects
from wtp.store.upsert import insert_if_absent

# What a kept result is of: the answers of all but those who are left out, other answers or versions, their quality, the field to come, or single respondents
# (`drop_people` deletes quality and these when one person is erased).
ANALYSIS, OTHER_SET, QUALITY, PLAN, PEOPLE = "analysis", "other set", "quality", "plan", "people"
OBJECTS = (
    "wtp_results"  # execution option of the connection: the `Objects` that hold contents, None where the database does
)
_ORPHANED = timedelta(hours=1)  # a content is written before its row
_R = tables.result.c


@dataclass(frozen=True, slots=True)
class Kept:
    """A result without its content: what it was made of, see `analysis.provenance`."""

    fingerprint: str
    kind: str
    created_at: datetime
    made: Mapping[str, Any]


def load(connection: sa.Connection, fingerprint: str) -> str | None:
    """The analysis as JSON text, or None."""
    return _content(connection, _R.fingerprint == fingerprint)


def there(connection: sa.Connection, fingerprint: str) -> bool:
    """Whether there is a row of a result; its content, where it lies outside, may be lost."""
    return connection.execute(sa.select(_R.fingerprint).where(_R.fingerprint == fingerprint)).first() is not None


def of_study(connection: sa.Connection, slug: str, fingerprint: str) -> str | None:
    """An analysis of this study as JSON text, or None: neither another study's nor a result of another kind."""
    return _content(connection, _R.fingerprint == fingerprint, _R.study == slug, _R.kind.in_((ANALYSIS, OTHER_SET)))


def latest(connection: sa.Connection, slug: str, kind: str = ANALYSIS) -> tuple[str, datetime] | None:
    """The last one of its kind that was made of a study, whatever was answered since, and when; None if there is none."""
    query = sa.select(_R.content, _R.object, _R.created_at).where(_R.study == slug, _R.kind == kind)
    for content, name, created_at in connection.execute(query.order_by(_R.created_at.desc())):
        if (text := _text(connection, content, name)) is not None:
            return text, created_at
    return None


def of_kind(connection: sa.Connection, slug: str, kind: str) -> tuple[str, ...]:
    """Every content of a kind that is kept of a study."""
    found = connection.execute(sa.select(_R.content, _R.object).where(_R.study == slug, _R.kind == kind)).all()
    contents = (_text(connection, content, name) for content, name in found)
    return tuple(content for content in contents if content is not None)


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
    more = {"basis": basis, "made": dict(made)} if made is not None else {}
    row = {"fingerprint": fingerprint, "study": slug, "created_at": now, "kind": kind, "content": content, **more}
    if (objects := _objects(connection)) is not None:
        if load(connection, fingerprint) is not None:
            return
        delete(connection, _R.fingerprint == fingerprint)  # a row whose content got lost must not keep the new one out
        row |= {"content": None, "object": objects.write(content.encode())}
    insert_if_absent(connection, tables.result, **row)


def delete(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> int:
    """Delete results with their contents, wherever those lie; returns how many. which: conditions on `tables.result`, all of which hold."""
    gone = connection.execute(sa.delete(tables.result).where(*which).returning(_R.object)).scalars().all()
    names = {name for name in gone if name is not None}
    objects = _objects(connection)
    if names and objects is not None:
        still = connection.execute(sa.select(_R.object).where(_R.object.in_(names))).scalars()
        objects.delete(names - set(still))
    return len(gone)


def delete_orphans(connection: sa.Connection) -> int:
    """Delete contents that no row names, as those of a writer that died in between; returns how many."""
    objects = _objects(connection)
    if objects is None:
        return 0
    lying = objects.older_than(_ORPHANED)
    named = set(connection.execute(sa.select(_R.object).where(_R.object.is_not(None))).scalars())
    objects.delete(lying - named)
    return len(lying - named)


def contents(connection: sa.Connection) -> Iterator[tuple[str, bytes]]:
    """Every content that lies outside the database with its name, one after the other, as for a backup; those that are missing are passed over."""
    objects = _objects(connection)
    if objects is not None:
        names = connection.execute(sa.select(_R.object).where(_R.object.is_not(None)).distinct().order_by(_R.object))
        for name in names.scalars().all():
            if (content := objects.read(name)) is not None:
                yield name, content


def bring_back(connection: sa.Connection, name: str, content: bytes) -> None:
    """Put a content of a backup back under the name that its row has: outside the database, or into it where nothing is kept outside any more."""
    objects = _objects(connection)
    if objects is not None:
        objects.write(content)
    else:
        row = {"content": content.decode(), "object": None}
        connection.execute(sa.update(tables.result).where(_R.object == name).values(row))


def drop_people(connection: sa.Connection, slug: str) -> int:
    """Delete everything kept of a study that says something of single respondents, as when one of them is erased; figures of many stay. How many there were."""
    return delete(connection, _R.study == slug, _R.kind.in_((PEOPLE, QUALITY)))


def load_plan(connection: sa.Connection, slug: str) -> str | None:
    """The study's plan as JSON text, or None."""
    found = latest(connection, slug, PLAN)
    return found[0] if found else None


def save_plan(connection: sa.Connection, slug: str, content: str, now: datetime) -> None:
    """Keep a plan in place of the one before."""
    key = hashlib.sha256(f"plan of {slug}".encode()).hexdigest()
    delete(connection, _R.fingerprint == key)
    save(connection, key, slug, content, now, PLAN)


def _objects(connection: sa.Connection) -> Objects | None:
    found: Objects | None = connection.get_execution_options().get(OBJECTS)
    return found


def _content(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> str | None:
    found = connection.execute(sa.select(_R.content, _R.object).where(*which)).first()
    return None if found is None else _text(connection, *found)


def _text(connection: sa.Connection, content: str | None, name: str | None) -> str | None:
    """What a row holds, or what lies under its name."""
    objects = _objects(connection)
    if name is None or objects is None:
        return content
    found = objects.read(name)
    return None if found is None else found.decode()
