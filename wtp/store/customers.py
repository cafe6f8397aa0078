"""Customers as pseudonyms, and the one place where what is known of them meets answers.

A customer's key is a keyed hash of the company's own customer number with the installation's secret, so the number itself is never stored and nobody without the
secret can find it. `customer_respondent` links a customer with an interview; it is filled by `link`, emptied by `drop_links`, and nothing else depends on it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping

import sqlalchemy as sa

from wtp.errors import DataError
from wtp.store import tables
from wtp.store.upsert import insert_if_absent
from wtp.survey.load import Survey

_C, _L, _R, _I = tables.customer.c, tables.customer_respondent.c, tables.respondent.c, tables.invitation.c
FORGOTTEN = "forgotten"  # as a key, of which no number is the hash, and in place of a reference
_AT_ONCE = 500  # more bound parameters than SQLite takes are never sent


def key_of(secret: str, slug: str, number: str) -> str:
    """The pseudonym of a customer number, 32 hex digits; case and blanks of the number do not matter."""
    plain = "".join(number.split()).casefold()
    return hmac.new(secret.encode(), f"customer\0{slug}\0{plain}".encode(), hashlib.sha256).hexdigest()[:32]


def get_or_create(connection: sa.Connection, slug: str, number: str, *, secret: str, simulated: bool = False) -> int:
    """The id of a customer by the company's number, new if nobody knew of it."""
    return many(connection, slug, [number], secret=secret, simulated=simulated)[number]


def many(
    connection: sa.Connection, slug: str, numbers: Collection[str], *, secret: str, simulated: bool = False
) -> dict[str, int]:
    """Customer number -> id, for many at once."""
    keys = {number: key_of(secret, slug, number) for number in numbers}
    wanted = list(dict.fromkeys(keys.values()))
    found: dict[str, int] = {}
    for first in range(0, len(wanted), _AT_ONCE):
        part = wanted[first : first + _AT_ONCE]
        query = sa.select(_C.key, _C.id).where(_C.study == slug, _C.key.in_(part))
        found |= {row.key: row.id for row in connection.execute(query)}
        for key in part:
            if key not in found:
                insert_if_absent(connection, tables.customer, study=slug, key=key, simulated=simulated)
        found |= {row.key: row.id for row in connection.execute(query)}
    return {number: found[key] for number, key in keys.items()}


def link(connection: sa.Connection, survey: Survey, *, secret: str) -> int:
    """Link everybody who was invited under a customer number and has begun with that customer; returns how many are new.

    Raises DataError where the survey does not allow it: respondents must have agreed, so its contacts have to say `linked = true` and its consent the same.
    """
    contacts = survey.definition.contacts
    if contacts is None or not contacts.linked:
        raise DataError(
            "contacts.linked: false; allowed: true, where the text of the consent says that contacts are linked with answers; "
            "change both, publish, and link again."
        )
    query = (
        sa.select(_I.reference, _R.id, _R.simulated)
        .join(tables.respondent, _R.token_hash == _I.token_hash)
        .where(
            _I.study == survey.slug,
            _R.consent_hash == survey.definition.consent_hash,  # who agreed to an earlier text agreed to something else
            sa.not_(_R.test),
            _R.id.not_in(sa.select(_L.respondent_id)),
        )
    )
    new = 0
    for reference, respondent_id, simulated in connection.execute(query).all():
        customer = get_or_create(connection, survey.slug, reference, secret=secret, simulated=simulated)
        new += insert_if_absent(
            connection, tables.customer_respondent, respondent_id=respondent_id, customer_id=customer
        )
    return new


def link_simulated(connection: sa.Connection, slug: str, pairs: Mapping[int, int]) -> None:
    """Link simulated customers (ids) with simulated respondents (numbers) of a study; nobody has to agree to it. Others are left out."""
    query = sa.select(_R.number, _R.id).where(_R.study == slug, _R.simulated)
    people: dict[int, int] = {row.number: row.id for row in connection.execute(query)}
    invented = set(connection.execute(sa.select(_C.id).where(_C.study == slug, _C.simulated)).scalars())
    rows = [
        {"respondent_id": people[number], "customer_id": customer}
        for customer, number in pairs.items()
        if customer in invented and number in people
    ]
    if rows:
        connection.execute(sa.insert(tables.customer_respondent), rows)


def links(connection: sa.Connection, slug: str) -> dict[int, int]:
    """Customer id -> number of the respondent."""
    query = (
        sa.select(_L.customer_id, _R.number)
        .join(tables.respondent, _R.id == _L.respondent_id)
        .where(_R.study == slug, sa.not_(_R.test))
    )
    return {row.customer_id: row.number for row in connection.execute(query)}


def drop_links(connection: sa.Connection, slug: str) -> int:
    """Take every link of a study away; returns how many there were. Contacts, purchases and answers stay."""
    mine = sa.select(_C.id).where(_C.study == slug)
    gone = connection.execute(sa.delete(tables.customer_respondent).where(_L.customer_id.in_(mine))).rowcount
    tidy(connection, slug)
    return gone


def allowed_links(connection: sa.Connection, survey: Survey) -> dict[int, int]:
    """The links that figures may rest on: all of them where the survey says that its consent tells of them, else those of simulated respondents."""
    contacts = survey.definition.contacts
    if contacts is not None and contacts.linked:
        return links(connection, survey.slug)
    query = sa.select(_R.number).where(_R.study == survey.slug, _R.simulated)
    invented = set(connection.execute(query).scalars())
    return {customer: number for customer, number in links(connection, survey.slug).items() if number in invented}


def forget(connection: sa.Connection, slug: str, number: str, *, secret: str) -> bool:
    """Take a customer's pseudonym and link away for good, his invitation's reference too; contacts and purchases stay, of nobody. Whether anything knew of him.

    Contacts of all who were forgotten stand together under one key that no number has, so that they count as one customer and not as many.
    """
    key = key_of(secret, slug, number)
    invited = sa.select(_I.number, _I.reference).where(_I.study == slug)
    his = [row.number for row in connection.execute(invited) if key_of(secret, slug, row.reference) == key]
    for place in his:
        blank = sa.update(tables.invitation).where(_I.study == slug, _I.number == place)
        connection.execute(blank.values(reference=f"{FORGOTTEN} {place}", contact={}))
    customer = connection.execute(sa.select(_C.id).where(_C.study == slug, _C.key == key)).scalar_one_or_none()
    if customer is None:
        return bool(his)
    _forget(connection, slug, customer)
    return True


def forget_linked(connection: sa.Connection, slug: str, respondent_id: int) -> None:
    """The same for whoever is linked with this respondent, but for the invitation."""
    query = sa.select(_L.customer_id).where(_L.respondent_id == respondent_id)
    if (customer := connection.execute(query).scalar_one_or_none()) is not None:
        _forget(connection, slug, customer)


def _forget(connection: sa.Connection, slug: str, customer: int) -> None:
    connection.execute(sa.delete(tables.customer_respondent).where(_L.customer_id == customer))
    contact, purchase = tables.contact, tables.purchase
    if connection.execute(sa.select(contact.c.id).where(contact.c.customer_id == customer)).first():
        insert_if_absent(connection, tables.customer, study=slug, key=FORGOTTEN, simulated=False)
        nobody = sa.select(_C.id).where(_C.study == slug, _C.key == FORGOTTEN).scalar_subquery()
        connection.execute(sa.update(contact).where(contact.c.customer_id == customer).values(customer_id=nobody))
    connection.execute(sa.update(purchase).where(purchase.c.customer_id == customer).values(customer_id=None))
    connection.execute(sa.delete(tables.customer).where(_C.id == customer))


def tidy(connection: sa.Connection, slug: str) -> None:
    """Forget customers whom no contact, no purchase and no link knows."""
    connection.execute(
        sa.delete(tables.customer).where(
            _C.study == slug,
            *(
                ~sa.exists().where(table.c.customer_id == _C.id)
                for table in (tables.contact, tables.purchase, tables.customer_respondent)
            ),
        )
    )


def respondent_of(connection: sa.Connection, survey: Survey, number: str, *, secret: str) -> int | None:
    """The number of the respondent who is linked with a customer, None without a link that is allowed."""
    key = key_of(secret, survey.slug, number)
    query = sa.select(_C.id).where(_C.study == survey.slug, _C.key == key)
    return allowed_links(connection, survey).get(connection.execute(query).scalar_one_or_none() or 0)
