"""Access: everything that is stored of one person, as plain values, for the person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from wtp.store import consents, results, studies, tables
from wtp.store.respondents import token_hash

_R, _I, _L = tables.respondent.c, tables.invitation.c, tables.customer_respondent.c
# Of an interview, what only names rows of the database to each other.
_INNER = {
    "id",
    "token_hash",
    "respondent_id",
    "customer_id",
    "file_id",
    "import_id",
    "made_by",
    "recorded_by",
    "submission",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a person. record: by table of the database, values that JSON can hold, times in UTC; people: kept figures of single respondents, in which his are to be looked up."""

    study: str
    number: int | None
    record: Mapping[str, Any]
    people: tuple[str, ...]


def everything(connection: sa.Connection, slug: str, token: str) -> Stored | None:
    """All that is stored under a token, or None."""
    return of_hash(connection, slug, token_hash(slug, token))


def of_hash(connection: sa.Connection, slug: str, key: str) -> Stored | None:
    """The same by the hash of the token, as `reference` finds it."""
    person = (
        connection.execute(sa.select(tables.respondent).where(_R.token_hash == key, _R.study == slug))
        .mappings()
        .first()
    )
    invited = (
        connection.execute(sa.select(tables.invitation).where(_I.token_hash == key, _I.study == slug))
        .mappings()
        .first()
    )
    if person is None and invited is None:
        return None
    record: dict[str, Any] = {"invitation": plain(invited)} if invited else {}
    if person is None:
        return Stored(slug, None, record, ())
    record["respondent"] = plain(person)
    record["consent"] = _consent(connection, person)
    for table in tables.metadata.sorted_tables:
        for foreign in table.foreign_keys:
            if foreign.column is _R.id and table is not tables.customer_respondent:
                mine = sa.select(table).where(foreign.parent == person["id"])
                record[table.name] = [plain(row) for row in connection.execute(mine).mappings()]
    record |= _customer(connection, person["id"])
    return Stored(slug, person["number"], record, results.of_kind(connection, slug, results.PEOPLE))


def reference(connection: sa.Connection, slug: str, name: str) -> tuple[str, ...]:
    """Hashes of the tokens of whoever was invited, came from a panel, or was imported under this name."""
    invited = sa.select(_I.token_hash).where(_I.study == slug, _I.reference == name)
    named = sa.select(_R.token_hash).where(_R.study == slug, sa.or_(_R.panel_id == name, _R.external_id == name))
    return tuple(sorted(connection.execute(sa.union(invited, named)).scalars()))


def plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as JSON can hold it, without what only the database needs."""
    return {
        str(name): value.isoformat() if isinstance(value, datetime | date) else value
        for name, value in row.items()
        if name not in _INNER and value is not None
    }


def _consent(connection: sa.Connection, person: Mapping[Any, Any]) -> dict[str, Any] | None:
    """What the person agreed to; of interviews before texts were kept, the consent page of the definition that was begun with."""
    if person["consented_at"] is None:
        return None
    shown = consents.text(connection, person["consent_shown"]) if person["consent_shown"] else None
    if shown is None and person["definition_hash"]:
        page = studies.definition(connection, person["definition_hash"]).pages[0]
        shown = page.model_dump(mode="json")
    return {
        "at": person["consented_at"].isoformat(),
        "hash": person["consent_shown"] or person["consent_hash"],
        "text": shown,
    }


def _customer(connection: sa.Connection, respondent_id: int) -> dict[str, Any]:
    """What is known of him as a customer, as far as it is linked with the answers."""
    link = (
        connection.execute(sa.select(tables.customer_respondent).where(_L.respondent_id == respondent_id))
        .mappings()
        .first()
    )
    if link is None:
        return {}
    found: dict[str, Any] = {"customer": plain(link)}
    for table in (tables.contact, tables.purchase):
        mine = sa.select(table).where(table.c.customer_id == link["customer_id"]).order_by(table.c.id)
        found[table.name] = [plain(row) for row in connection.execute(mine).mappings()]
    return found
