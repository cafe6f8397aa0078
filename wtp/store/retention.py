"""Retention: what a study promised to delete when its time is over, and what is due; only after it was closed, and only what its own [privacy] says.

Contacts: invitations, links with customers, names that panels and files gave, and hashes of those that panels gave. Answers: respondents with everything of theirs, kept figures of single persons. Figures of many stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from wtp.store import audit, background_jobs, customers, results, tables, told, versions
from wtp.store.deletion import delete_people
from wtp.store.upsert import insert_if_absent
from wtp.survey.load import inspect_text
from wtp.survey.privacy import Privacy

What = Literal["contacts", "answers"]
_R, _I, _S = tables.respondent.c, tables.invitation.c, tables.study.c


@dataclass(frozen=True, slots=True)
class Time:
    """One promise of a study. due: when it is to be kept, None while the study is not closed; count: persons whom it is about now."""

    study: str
    what: What
    after: int
    due: datetime | None
    count: int

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be kept now, and there is anything to delete."""
        return self.due is not None and self.due <= now and self.count > 0


def times(connection: sa.Connection) -> tuple[Time, ...]:
    """Every promise of every study, as its newest version says."""
    found = []
    studies = connection.execute(sa.select(_S.slug, _S.state, _S.closed_at).order_by(_S.slug)).all()
    for slug, state, closed_at in studies:
        privacy = promised(connection, slug)
        closed = closed_at if state == "closed" else None
        if privacy.contacts_days is not None:
            due = closed + timedelta(days=privacy.contacts_days) if closed else None
            found.append(Time(slug, "contacts", privacy.contacts_days, due, _contacts(connection, slug)))
        if privacy.answers_months is not None:
            due = months_after(closed, privacy.answers_months) if closed else None
            found.append(Time(slug, "answers", privacy.answers_months, due, _people(connection, slug)))
    return tuple(found)


def promised(connection: sa.Connection, slug: str) -> Privacy:
    """The [privacy] of a study's newest version; nothing is promised by a study without one, or of which this program can read no version."""
    version = versions.last(connection, slug)
    definition, _ = inspect_text(version.content, Path("survey.toml")) if version else (None, ())
    return (definition.privacy if definition else None) or Privacy()


def run(connection: sa.Connection, now: datetime) -> tuple[Time, ...]:
    """Delete what is due, in the caller's transaction; what was deleted. A study that was closed by an earlier release counts as closed from the first run on."""
    unknown = (_S.state == "closed") & _S.closed_at.is_(None)
    connection.execute(sa.update(tables.study).where(unknown).values(closed_at=now))
    due = tuple(each for each in times(connection) if each.is_due(now))
    for each in due:
        if each.what == "contacts":
            _delete_contacts(connection, each.study)
            said = f"contacts: {each.count}, {each.after} days after closing"
        else:
            _delete_answers(connection, each.study, now)
            said = f"respondents with their answers: {each.count}, {each.after} months after closing"
        audit.add(connection, each.study, audit.DELETED, who="wtp", reason=said, now=now)
    return due


def run_daily(connection: sa.Connection, now: datetime) -> tuple[Time, ...] | None:
    """The same once a day (UTC), whoever comes first; None for everybody else."""
    today = now.astimezone(UTC).date()
    if not insert_if_absent(connection, tables.retention_run, day=today, ran_at=now):
        return None
    old = tables.retention_run.c.day < today - timedelta(days=400)
    connection.execute(sa.delete(tables.retention_run).where(old))
    return run(connection, now)


def months_after(moment: datetime, months: int) -> datetime:
    """The same day of a later month, or its last day."""
    years, month = divmod(moment.month - 1 + months, 12)
    first = moment.replace(year=moment.year + years, month=month + 1, day=1)
    next_first = (first + timedelta(days=32)).replace(day=1)
    return first.replace(day=min(moment.day, (next_first - timedelta(days=1)).day))


def _contacts(connection: sa.Connection, slug: str) -> int:
    """Persons whom anything leads to: an invitation, a link with a customer, or a name that a panel or file gave."""
    linked = sa.select(tables.customer_respondent.c.respondent_id)
    named = sa.or_(_R.panel_id.is_not(None), _R.external_id.is_not(None), _R.id.in_(linked))
    queries = (
        sa.select(sa.func.count()).where(_I.study == slug),
        sa.select(sa.func.count()).where(
            _R.study == slug, named, _R.token_hash.not_in(sa.select(_I.token_hash).where(_I.study == slug))
        ),
    )
    marks = sa.select(sa.func.count()).where(tables.panel_entry.c.study == slug)
    from_panel = sa.select(sa.func.count()).where(_R.study == slug, _R.panel_id.is_not(None))
    known, named_by_panel = (connection.execute(query).scalar_one() for query in (marks, from_panel))
    return sum(connection.execute(query).scalar_one() for query in queries) + max(known - named_by_panel, 0)


def _people(connection: sa.Connection, slug: str) -> int:
    return connection.execute(sa.select(sa.func.count()).where(_R.study == slug)).scalar_one()


def _delete_contacts(connection: sa.Connection, slug: str) -> None:
    connection.execute(sa.delete(tables.invitation).where(_I.study == slug))
    customers.drop_links(connection, slug)
    connection.execute(sa.update(tables.respondent).where(_R.study == slug).values(panel_id=None, external_id=None))
    connection.execute(sa.delete(tables.panel_entry).where(tables.panel_entry.c.study == slug))


def _delete_answers(connection: sa.Connection, slug: str, now: datetime) -> None:
    delete_people(connection, slug)
    customers.tidy(connection, slug)
    connection.execute(sa.delete(tables.quota).where(tables.quota.c.study == slug))
    results.drop_people(connection, slug)
    told.forget_all(connection, slug)
    background_jobs.cancel_study(connection, slug, now, reason="deleted")
