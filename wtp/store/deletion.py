"""What may be deleted: one person, answers that only tried a study out, an import that is taken back, and a study with everything that belongs to it."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from wtp.store import audit, quotas, results, tables

_R = tables.respondent.c


def delete_tests(connection: sa.Connection, slug: str) -> int:
    """Delete all test respondents of a study with their answers; returns how many there were."""
    return _delete_people(connection, sa.and_(_R.study == slug, _R.test))


def delete_imported(connection: sa.Connection, import_id: int) -> int:
    """Delete all respondents of one import with their answers; returns how many there were."""
    quotas.release_all(connection, import_id)
    return _delete_people(connection, _R.import_id == import_id)


def delete_person(connection: sa.Connection, respondent_id: int) -> bool:
    """Delete a respondent with everything that hangs on him in the tables; `erasure` knows what else holds him. Whether he was there."""
    return _delete_people(connection, _R.id == respondent_id) > 0


def delete_people(connection: sa.Connection, slug: str) -> int:
    """Delete all respondents of a study with their answers; returns how many there were."""
    return _delete_people(connection, _R.study == slug)


def delete_study(connection: sa.Connection, slug: str, *, who: str = "wtp", now: datetime | None = None) -> None:
    """Delete a study with its respondents, answers, invitations, quotas, results, versions, rights, and what is known of its customers. Left are its log, with who deleted it, and the list of erased tokens, which an old backup must meet."""
    begun = connection.execute(sa.select(sa.func.count()).select_from(tables.respondent).where(_R.study == slug))
    said = f"{begun.scalar_one()} respondents"
    _delete_people(connection, _R.study == slug)
    for table, column in ((tables.definition, "definition_hash"), (tables.design, "design_hash")):
        hashes = [
            (one.c[column], who)
            for one, who in ((tables.version, tables.version.c.study), (tables.study, tables.study.c.slug))
        ]
        mine = sa.union(*(sa.select(hash_).where(who == slug) for hash_, who in hashes))
        others = sa.union(*(sa.select(hash_).where(who != slug) for hash_, who in hashes))
        gone = sa.or_(table.c.study == slug, table.c.hash.in_(mine))
        connection.execute(sa.delete(table).where(gone, table.c.hash.not_in(others)))
    calls = sa.select(tables.contact.c.id).where(tables.contact.c.study == slug)
    connection.execute(sa.delete(tables.contact_coding).where(tables.contact_coding.c.contact_id.in_(calls)))
    results.delete(connection, tables.result.c.study == slug)
    for table in reversed(tables.metadata.sorted_tables):
        if "study" in table.c and table not in {tables.definition, tables.design, tables.audit, tables.erasure}:
            connection.execute(sa.delete(table).where(table.c.study == slug))
    connection.execute(sa.delete(tables.study).where(tables.study.c.slug == slug))
    audit.add(connection, slug, audit.STUDY_DELETED, who=who, reason=said, now=now or datetime.now(UTC))


def _delete_people(connection: sa.Connection, who: sa.ColumnElement[bool]) -> int:
    people = sa.select(_R.id).where(who)
    for table in reversed(tables.metadata.sorted_tables):
        for key in table.foreign_keys:
            if key.column is _R.id:
                connection.execute(sa.delete(table).where(key.parent.in_(people)))
    return connection.execute(sa.delete(tables.respondent).where(who)).rowcount
