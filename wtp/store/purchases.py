"""What customers bought, by pseudonym: files of purchases that are imported whole or not at all, once, and can be taken back whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from wtp.store import customer_files, customers, tables
from wtp.store.customer_files import Imported

_P = tables.purchase.c


@dataclass(frozen=True, slots=True)
class Purchase:
    """One purchase as it is imported. customer: the company's number, stored as a pseudonym alone. offered_up, stepped_up: whether a step up of the attribute was offered with it, for a surcharge, and taken; None if unknown."""

    customer: str
    bought_on: date
    product: str
    family: str
    amount: float
    list_price: float | None = None
    attribute: str | None = None
    offered_up: bool | None = None
    stepped_up: bool | None = None
    surcharge: float | None = None


def import_file(
    connection: sa.Connection,
    slug: str,
    purchases: Sequence[Purchase],
    *,
    name: str,
    digest: str,
    who: str,
    now: datetime,
    secret: str,
    simulated: bool = False,
) -> Imported:
    """Add all purchases of a file in the caller's transaction. Raises ConflictError if the very same file is there already."""
    made = customer_files.begin(connection, slug, customer_files.PURCHASES, name=name, digest=digest, rows=len(purchases), who=who, now=now, simulated=simulated)  # fmt: skip
    ids = customers.many(connection, slug, {p.customer for p in purchases}, secret=secret, simulated=simulated)
    values = [
        {"customer_id": ids[purchase.customer], **{name: getattr(purchase, name) for name in _NAMES}}
        for purchase in purchases
    ]
    customer_files.add(connection, slug, customer_files.PURCHASES, made, values)
    return made


def rows(connection: sa.Connection, slug: str) -> list[dict[str, Any]]:
    """Every purchase of a study in the order of its id: the id of the customer (None if he was forgotten) as `customer`, and what was bought."""
    columns = (_P.customer_id.label("customer"), *(_P[name] for name in _NAMES), _P.simulated)
    query = sa.select(*columns).where(_P.study == slug).order_by(_P.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def count(connection: sa.Connection, slug: str) -> tuple[int, int]:
    """How many purchases a study has, and of how many customers."""
    query = sa.select(sa.func.count(), sa.func.count(_P.customer_id.distinct())).where(_P.study == slug)
    purchases, people = connection.execute(query).one()
    return int(purchases), int(people)


def state(connection: sa.Connection, slug: str) -> str:
    """Changes whenever a purchase of the study comes or goes, or loses its customer."""
    query = sa.select(sa.func.count(), sa.func.max(_P.id), sa.func.count(_P.customer_id)).where(_P.study == slug)
    return "/".join(map(str, [*connection.execute(query).one(), customer_files.state(connection, slug)]))


_NAMES = tuple(each.name for each in fields(Purchase) if each.name != "customer")
