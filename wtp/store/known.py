"""What is known of linked respondents beside their answers: a snapshot of contacts and purchases, taken when an analyst asks for it.

A new contact does not change it, so figures that rest on it stay until somebody brings it up to date. It goes with the link.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wtp.store import customers, tables
from wtp.survey.load import Survey

_R_TABLE = tables.respondent
_L, _R = tables.customer_respondent.c, _R_TABLE.c


def take(connection: sa.Connection, survey: Survey, known: Mapping[int, Mapping[str, Any]], now: datetime) -> int:
    """Keep what is known by id of the customer for every linked respondent of a study, as far as links are allowed; returns of how many something is."""
    allowed = customers.allowed_links(connection, survey)
    query = sa.select(_L.respondent_id, _L.customer_id).join(_R_TABLE, _R.id == _L.respondent_id)
    linked = connection.execute(query.where(_R.study == survey.slug)).all()
    rows = [
        {"who": who, "what": dict(known.get(customer, {})) if customer in allowed else {}, "now": now}
        for who, customer in linked
    ]
    if rows:
        statement = sa.update(tables.customer_respondent).where(_L.respondent_id == sa.bindparam("who"))
        connection.execute(statement.values(known=sa.bindparam("what"), known_at=sa.bindparam("now")), rows)
    return sum(bool(row["what"]) for row in rows)


def of_study(connection: sa.Connection, slug: str) -> dict[int, Mapping[str, Any]]:
    """What is known by id of the respondent."""
    query = sa.select(_L.respondent_id, _L.known).join(_R_TABLE, _R.id == _L.respondent_id).where(_R.study == slug)
    return {who: what for who, what in connection.execute(query) if what}


def state(connection: sa.Connection, slug: str) -> tuple[str, ...]:
    """Changes when the snapshot does; nothing without one."""
    query = (
        sa.select(sa.func.count(_L.known_at), sa.func.max(_L.known_at))
        .join(_R_TABLE, _R.id == _L.respondent_id)
        .where(_R.study == slug, sa.not_(_R.test))
    )
    count, last = connection.execute(query).one()
    return (str(count), last.isoformat()) if count else ()


def last(connection: sa.Connection, slug: str) -> tuple[int, datetime | None]:
    """Of how many respondents something is known, and when it was brought in."""
    query = sa.select(sa.func.max(_L.known_at)).join(_R_TABLE, _R.id == _L.respondent_id).where(_R.study == slug)
    return len(of_study(connection, slug)), connection.execute(query).scalar_one()
