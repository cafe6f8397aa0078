"""What customers bought, by pseudonym: files of purchases that are imported whole or not at all, once, and can be taken back whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from wtp.errors import ConflictError
from wtp.store import audit, customers, tables
from wtp.store.contacts import Imported

KIND = "purchases"
_P, _F = tables.purchase.c, tables.customer_file.c
_AT_ONCE = 1_000


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
    connection.execute(sa.select(tables.study.c.slug).where(tables.study.c.slug == slug).with_for_update())
    there = next((one for one in files(connection, slug) if one.digest == digest and one.taken_back_at is None), None)
    if there is not None:
        day = there.imported_at.date().isoformat()
        raise ConflictError(
            f"this very file was imported already: {there.name}, {day}; nothing was added; to import it again, take that import back first."
        )
    row = {"study": slug, "kind": KIND, "name": name, "digest": digest, "rows": len(purchases), "made_by": who}
    made = connection.execute(sa.insert(tables.customer_file).values(**row, imported_at=now))
    number = int(made.inserted_primary_key[0])  # type: ignore[index]
    ids = customers.many(connection, slug, {p.customer for p in purchases}, secret=secret, simulated=simulated)
    values = [
        {
            "study": slug,
            "customer_id": ids[purchase.customer],
            "file_id": number,
            "simulated": simulated,
            **{name: getattr(purchase, name) for name in _NAMES},
        }
        for purchase in purchases
    ]
    for first in range(0, len(values), _AT_ONCE):
        connection.execute(sa.insert(tables.purchase), values[first : first + _AT_ONCE])
    said = f"{name} ({digest[:8]}): {len(purchases)} purchases{', simulated' if simulated else ''}"
    audit.add(connection, slug, audit.PURCHASES_IMPORTED, who=who, reason=said, now=now)
    return Imported(number, name, digest, len(purchases), who, now, None, None, simulated)


def files(connection: sa.Connection, slug: str) -> tuple[Imported, ...]:
    """The files of purchases of a study, the newest first."""
    simulated = sa.exists().where(_P.file_id == _F.id, _P.simulated)
    columns: list[Any] = [*(_F[name] for name in Imported.__slots__ if name != "simulated"), simulated]
    query = sa.select(*columns).where(_F.study == slug, _F.kind == KIND).order_by(_F.id.desc())
    return tuple(Imported(*row) for row in connection.execute(query))


def take_back(connection: sa.Connection, slug: str, number: int, *, who: str, now: datetime) -> int | None:
    """Delete the purchases of a file, and customers whom nothing else knows; the entry that it was there stays. None if there is no such file."""
    standing = (_F.study == slug) & (_F.kind == KIND) & (_F.id == number) & _F.taken_back_at.is_(None)
    done = sa.update(tables.customer_file).where(standing).values(taken_back_at=now, taken_back_by=who)
    if not connection.execute(done).rowcount:
        return None
    gone = connection.execute(sa.delete(tables.purchase).where(_P.file_id == number)).rowcount
    customers.tidy(connection, slug)
    name = connection.execute(sa.select(_F.name).where(_F.id == number)).scalar_one()
    said = f"{name}: {gone} purchases deleted"
    audit.add(connection, slug, audit.PURCHASES_TAKEN_BACK, who=who, reason=said, now=now)
    return gone


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
    return "/".join(map(str, connection.execute(query).one()))


_NAMES = tuple(each.name for each in fields(Purchase) if each.name != "customer")
