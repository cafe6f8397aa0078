"""What customers bought, by pseudonym: files of purchases that count as a whole, and are taken back whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from wtp.store import tables

_P = tables.purchase.c


@dataclass(frozen=True, slots=True)
class Purchase:
    """One purchase. customer: id of the pseudonym, None after it was dropped. offered_up, stepped_up: whether a step up of the attribute was offered with it, for a surcharge, and taken; None if unknown."""

    customer: int | None
    bought_on: date
    product: str
    family: str
    amount: float
    list_price: float | None = None
    attribute: str | None = None
    offered_up: bool | None = None
    stepped_up: bool | None = None
    surcharge: float | None = None
    simulated: bool = False


def add(connection: sa.Connection, slug: str, rows: Sequence[Purchase], *, file: int | None = None) -> None:
    """Keep purchases of a study in the caller's transaction."""
    values = [
        {
            "study": slug,
            "customer_id": row.customer,
            "file_id": file,
            **{name: getattr(row, name) for name in _NAMES},
        }
        for row in rows
    ]
    if values:
        connection.execute(sa.insert(tables.purchase), values)


def everything(connection: sa.Connection, slug: str) -> tuple[Purchase, ...]:
    """All purchases of a study, in the order of their days."""
    columns = (_P.customer_id, *(_P[name] for name in _NAMES))
    query = sa.select(*columns).where(_P.study == slug).order_by(_P.bought_on, _P.id)
    return tuple(Purchase(*row) for row in connection.execute(query))


_NAMES = (
    "bought_on", "product", "family", "amount", "list_price", "attribute", "offered_up", "stepped_up", "surcharge", "simulated",
)  # fmt: skip
