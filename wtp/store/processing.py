"""What the database holds of persons, study by study: for the record of processing, and nothing of any single person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from wtp.store import audit, retention, tables, tombstones
from wtp.survey.privacy import Privacy

_R, _I, _S, _T = tables.respondent.c, tables.invitation.c, tables.study.c, tables.consent_text.c


@dataclass(frozen=True, slots=True)
class Consented:
    """A text that respondents agreed to: its hash, language, when it was shown first, how many agreed to it and are still there."""

    hash: str
    language: str
    first_shown_at: datetime
    people: int


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of the persons of one study. broken: the first entry of its log that was changed, None if none was."""

    study: str
    state: str
    closed_at: datetime | None
    privacy: Privacy
    people: int
    simulated: int
    invitations: int
    contacts: int
    purchases: int
    linked: int
    erased: int
    consents: tuple[Consented, ...]
    times: tuple[retention.Time, ...]
    entries: int
    broken: int | None


def held(connection: sa.Connection) -> tuple[Held, ...]:
    """Every study of the database."""
    times = retention.times(connection)
    studies = connection.execute(sa.select(_S.slug, _S.state, _S.closed_at).order_by(_S.slug)).all()
    return tuple(_held(connection, *study, times) for study in studies)


def _held(
    connection: sa.Connection, slug: str, state: str, closed_at: datetime | None, times: tuple[retention.Time, ...]
) -> Held:
    log = audit.entries(connection, slug)
    customers = sa.select(tables.customer.c.id).where(tables.customer.c.study == slug)
    link = tables.customer_respondent
    shown = (
        sa.select(_T.hash, _T.language, _T.first_shown_at, sa.func.count(_R.id))
        .outerjoin(tables.respondent, _R.consent_shown == _T.hash)
        .where(_T.study == slug)
        .group_by(_T.hash, _T.language, _T.first_shown_at)
        .order_by(_T.first_shown_at, _T.hash)
    )
    return Held(
        study=slug,
        state=state,
        closed_at=closed_at,
        privacy=retention.promised(connection, slug),
        people=_count(connection, tables.respondent, _R.study == slug, sa.not_(_R.simulated), sa.not_(_R.test)),
        simulated=_count(connection, tables.respondent, _R.study == slug, _R.simulated),
        invitations=_count(connection, tables.invitation, _I.study == slug),
        contacts=_count(connection, tables.contact, tables.contact.c.study == slug),
        purchases=_count(connection, tables.purchase, tables.purchase.c.study == slug),
        linked=_count(connection, link, link.c.customer_id.in_(customers)),
        erased=tombstones.count(connection, slug),
        consents=tuple(Consented(*row) for row in connection.execute(shown)),
        times=tuple(each for each in times if each.study == slug),
        entries=len(log),
        broken=audit.first_broken(slug, log),
    )


def _count(connection: sa.Connection, table: sa.Table, *which: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table).where(*which)).scalar_one()
