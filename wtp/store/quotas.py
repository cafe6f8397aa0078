"""Quotas that hold when many finish at once: a place is reserved by one conditional update and kept while its respondent is active.

Simulated respondents fill places of their own. A place whose respondent neither finished nor saved a page for half an hour is given away; who
comes back later needs a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from wtp.errors import RefusedError
from wtp.store import tables
from wtp.store.upsert import insert_if_absent
from wtp.survey.pages import Quota

_KEPT = timedelta(minutes=30)
_Q, _P, _R = tables.quota.c, tables.quota_place.c, tables.respondent.c


def reserve(
    connection: sa.Connection, slug: str, respondent_id: int, quotas: Sequence[Quota], *, simulated: bool, now: datetime
) -> str | None:
    """Take or renew a place in each of these quotas, and leave all others; the id of the first full one, or None.

    If one is full, the respondent has no place in any. Call it in the transaction that saves the answers.
    """
    held = _held(connection, respondent_id)
    wanted = {quota.id: quota for quota in quotas}
    for name in sorted(held - wanted.keys()):
        _leave(connection, slug, respondent_id, name, simulated)
    for name, quota in sorted(wanted.items()):
        mine = (_P.respondent_id == respondent_id) & (_P.quota == name)
        renewed = connection.execute(sa.update(tables.quota_place).where(mine).values(active_at=now)).rowcount
        if renewed or _take(connection, slug, quota, simulated, now):
            insert_if_absent(connection, tables.quota_place, respondent_id=respondent_id, quota=name, active_at=now)
            continue
        release(connection, slug, respondent_id, simulated=simulated)
        return name
    return None


def reserve_all(
    connection: sa.Connection, slug: str, quota: Quota, people: Sequence[int], *, simulated: bool, now: datetime
) -> None:
    """Take a place for each of these respondents, as for those who came with a file. Raises RefusedError if there are fewer places left."""
    if not people:
        return
    insert_if_absent(connection, tables.quota, study=slug, quota=quota.id, simulated=simulated, taken=0)
    row, wanted = _row(slug, quota.id, simulated), len(people)
    more = sa.update(tables.quota).where(row, _Q.taken <= quota.limit - wanted).values(taken=_Q.taken + wanted)
    if not connection.execute(more).rowcount:
        raise RefusedError("quota", f"quota {quota.id}: {wanted} respondents for fewer places; nothing was added; allowed: {quota.limit} in all; raise its limit, or give a file with fewer.")  # fmt: skip
    places = [{"respondent_id": person, "quota": quota.id, "active_at": now} for person in people]
    connection.execute(sa.insert(tables.quota_place), places)


def release_all(connection: sa.Connection, import_id: int) -> None:
    """Give the places back of all who came with an import."""
    held = (
        sa.select(_R.study, _P.quota, _R.simulated, sa.func.count().label("places"))
        .join(tables.respondent, _R.id == _P.respondent_id)
        .where(_R.import_id == import_id)
        .group_by(_R.study, _P.quota, _R.simulated)
    )
    for study, name, simulated, places in connection.execute(held).all():
        fewer = sa.update(tables.quota).where(_row(study, name, simulated)).values(taken=_Q.taken - places)
        connection.execute(fewer)


def release(connection: sa.Connection, slug: str, respondent_id: int, *, simulated: bool) -> None:
    """Give all places of a respondent back, as after a screen-out."""
    for name in sorted(_held(connection, respondent_id)):
        _leave(connection, slug, respondent_id, name, simulated)


def taken(connection: sa.Connection, slug: str) -> dict[tuple[str, bool], int]:
    """Places taken by (quota, simulated), those of respondents who are still answering included."""
    rows = connection.execute(sa.select(_Q.quota, _Q.simulated, _Q.taken).where(_Q.study == slug))
    return {(row.quota, row.simulated): row.taken for row in rows}


def _held(connection: sa.Connection, respondent_id: int) -> set[str]:
    query = sa.select(_P.quota).where(_P.respondent_id == respondent_id)
    return set(connection.execute(query).scalars())


def _row(slug: str, name: str, simulated: bool) -> sa.ColumnElement[bool]:
    return sa.and_(_Q.study == slug, _Q.quota == name, _Q.simulated == simulated)


def _take(connection: sa.Connection, slug: str, quota: Quota, simulated: bool, now: datetime) -> bool:
    insert_if_absent(connection, tables.quota, study=slug, quota=quota.id, simulated=simulated, taken=0)
    row = _row(slug, quota.id, simulated)
    one_more = sa.update(tables.quota).where(row, _Q.taken < quota.limit).values(taken=_Q.taken + 1)
    if connection.execute(one_more).rowcount:
        return True
    given_up = sa.select(_R.id).where(_R.study == slug, _R.simulated == simulated, _R.outcome.is_(None))
    expired = sa.delete(tables.quota_place).where(
        _P.quota == quota.id, _P.active_at < now - _KEPT, _P.respondent_id.in_(given_up)
    )
    connection.execute(sa.select(_Q.taken).where(row).with_for_update())  # others wait until the count is right again
    freed = connection.execute(expired).rowcount
    if not freed:
        return False
    connection.execute(sa.update(tables.quota).where(row).values(taken=_Q.taken - freed))
    return bool(connection.execute(one_more).rowcount)


def _leave(connection: sa.Connection, slug: str, respondent_id: int, name: str, simulated: bool) -> None:
    mine = (_P.respondent_id == respondent_id) & (_P.quota == name)
    if connection.execute(sa.delete(tables.quota_place).where(mine)).rowcount:
        connection.execute(sa.update(tables.quota).where(_row(slug, name, simulated)).values(taken=_Q.taken - 1))
