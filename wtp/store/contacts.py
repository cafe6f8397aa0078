"""Contacts with customers as staff recorded them, second codings of them, and files of them that are imported whole or not at all, once, and can be taken back whole."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wtp.store import customer_files, customers, tables
from wtp.store.customer_files import Imported
from wtp.store.upsert import insert_if_absent

CODED_TWICE = 50
_C, _D = tables.contact.c, tables.contact_coding.c


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact as it is recorded. customer: the company's number, "" if it is not known; it is stored as a pseudonym alone."""

    happened_at: datetime
    channel: str
    reason: str
    reported: str = ""
    question: str | None = None
    mattered_most: str | None = None
    impression: int | None = None
    core_problem: str | None = None
    remedy: str | None = None
    solved: bool | None = None
    minutes: int | None = None
    customer: str = ""


@dataclass(frozen=True, slots=True)
class Coding:
    """What somebody says a contact was about."""

    reason: str
    mattered_most: str | None
    core_problem: str | None


def record(
    connection: sa.Connection,
    slug: str,
    contact: Contact,
    *,
    submission: str,
    who: str,
    now: datetime,
    secret: str,
    simulated: bool = False,
) -> bool:
    """Keep a contact; False if this submission is kept already, as after a double click."""
    known = sa.select(_C.id).where(_C.study == slug, _C.submission == submission)
    if connection.execute(known).first() is not None:
        return False
    customer = None
    if contact.customer.strip():
        customer = customers.get_or_create(connection, slug, contact.customer, secret=secret, simulated=simulated)
    values = _values(contact) | {
        "study": slug,
        "customer_id": customer,
        "simulated": simulated,
        "recorded_by": who,
        "recorded_at": now,
        "submission": submission,
    }
    return insert_if_absent(connection, tables.contact, **values)


def find(connection: sa.Connection, slug: str, submission: str) -> sa.RowMapping | None:
    """The contact that came with a submission, and the customer's key."""
    both = sa.select(tables.contact, tables.customer.c.key).outerjoin(tables.customer, tables.customer.c.id == _C.customer_id)  # fmt: skip
    query = both.where(_C.study == slug, _C.submission == submission)
    return connection.execute(query).mappings().first()


def recent(connection: sa.Connection, slug: str, who: str, most: int = 5) -> Sequence[sa.RowMapping]:
    """The last contacts that a member recorded by hand, the newest first."""
    mine = (_C.study == slug) & (_C.recorded_by == who) & _C.file_id.is_(None)
    query = sa.select(tables.contact).where(mine).order_by(_C.id.desc()).limit(most)
    return connection.execute(query).mappings().all()


def count(connection: sa.Connection, slug: str) -> int:
    """How many contacts a study has."""
    return connection.execute(sa.select(sa.func.count()).where(_C.study == slug)).scalar_one()


def state(connection: sa.Connection, slug: str) -> str:
    """Changes whenever a contact, a coding or a link of the study does."""
    whose = sa.func.count(_C.customer_id), sa.func.sum(_C.customer_id)
    contacts = sa.select(sa.func.count(), sa.func.max(_C.id), *whose).where(_C.study == slug)
    codings = (
        sa.select(sa.func.count(), sa.func.max(_D.coded_at))
        .join(tables.contact, _C.id == _D.contact_id)
        .where(_C.study == slug)
    )
    parts = [*connection.execute(contacts).one(), *connection.execute(codings).one()]
    links = hashlib.sha256(repr(sorted(customers.links(connection, slug).items())).encode()).hexdigest()[:16]
    return "/".join(map(str, [*parts, links, customer_files.state(connection, slug)]))


def rows(connection: sa.Connection, slug: str) -> list[dict[str, Any]]:
    """Every contact of a study in the order of its id: all columns but those of who recorded it and how."""
    names = ("id", "customer_id", *_FIELDS, "simulated")
    query = sa.select(*(_C[name] for name in names)).where(_C.study == slug).order_by(_C.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def codings(connection: sa.Connection, slug: str) -> list[dict[str, Any]]:
    """The first second coding of each contact that has one: contact, reason, mattered_most, core_problem."""
    query = (
        sa.select(_D.contact_id.label("contact"), _D.reason, _D.mattered_most, _D.core_problem)
        .join(tables.contact, _C.id == _D.contact_id)
        .where(_C.study == slug)
        .order_by(_D.contact_id, _D.coded_at, _D.coder)
    )
    first: dict[int, dict[str, Any]] = {}
    for row in connection.execute(query).mappings():
        first.setdefault(row["contact"], dict(row))
    return list(first.values())


def to_code(connection: sa.Connection, slug: str, who: str) -> tuple[sa.RowMapping | None, int, int]:
    """The next contact that a member may code, how many he has coded, and of how many.

    50 contacts that others recorded, drawn at random once and for all: in the order of their submission, which is random.
    """
    others = (_C.study == slug) & (_C.recorded_by != who) & (_C.reported != "")
    drawn = sa.select(_C.id, _C.submission, _C.channel, _C.reported).where(others).order_by(_C.submission)
    sample = connection.execute(drawn.limit(CODED_TWICE)).mappings().all()
    mine = sa.select(_D.contact_id).where(_D.coder == who)
    done = set(connection.execute(mine.where(_D.contact_id.in_([row["id"] for row in sample]))).scalars())
    left = [row for row in sample if row["id"] not in done]
    return (left[0] if left else None), len(done), len(sample)


def code(connection: sa.Connection, slug: str, contact: int, coding: Coding, *, who: str, now: datetime) -> bool:
    """Keep what a second member of staff says; False if there is no such contact of another's, or he coded it already."""
    wanted = sa.select(_C.id).where(_C.study == slug, _C.id == contact, _C.recorded_by != who)
    if connection.execute(wanted).first() is None:
        return False
    return insert_if_absent(
        connection, tables.contact_coding, contact_id=contact, coder=who, coded_at=now, **asdict(coding)
    )


def import_file(
    connection: sa.Connection,
    slug: str,
    contacts: Sequence[Contact],
    *,
    name: str,
    digest: str,
    who: str,
    now: datetime,
    secret: str,
    simulated: bool = False,
) -> Imported:
    """Add all contacts of a file in the caller's transaction. Raises ConflictError if the very same file is there already."""
    made = customer_files.begin(connection, slug, customer_files.CONTACTS, name=name, digest=digest, rows=len(contacts), who=who, now=now, simulated=simulated)  # fmt: skip
    numbers = {contact.customer for contact in contacts if contact.customer.strip()}
    ids = customers.many(connection, slug, numbers, secret=secret, simulated=simulated)
    values = [
        _values(contact)
        | {
            "customer_id": ids.get(contact.customer),
            "recorded_by": who,
            "recorded_at": now,
            "submission": hashlib.sha256(f"{made.id} {digest} {place}".encode()).hexdigest(),
        }
        for place, contact in enumerate(contacts)
    ]
    customer_files.add(connection, slug, customer_files.CONTACTS, made, values)
    return made


_FIELDS = tuple(name for name in Contact.__slots__ if name != "customer")


def _values(contact: Contact) -> dict[str, Any]:
    return {name: getattr(contact, name) for name in _FIELDS}
