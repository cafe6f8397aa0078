"""What may be deleted: answers that only tried a study out, and a study with everything that belongs to it."""

from __future__ import annotations

import sqlalchemy as sa

from wtp.store import tables

_R = tables.respondent.c


def delete_tests(connection: sa.Connection, slug: str) -> int:
    """Delete all test respondents of a study with their answers; returns how many there were."""
    return _delete_people(connection, sa.and_(_R.study == slug, _R.test))


def delete_study(connection: sa.Connection, slug: str) -> None:
    """Delete a study with its respondents, answers, invitations, quotas, results and versions. Nothing of it is left."""
    _delete_people(connection, _R.study == slug)
    others = sa.union(
        sa.select(tables.version.c.definition_hash).where(tables.version.c.study != slug),
        sa.select(tables.study.c.definition_hash).where(tables.study.c.slug != slug),
    )
    designs = sa.select(tables.version.c.design_hash).where(tables.version.c.study != slug)
    shared = {
        tables.definition: tables.definition.c.hash.not_in(others),
        tables.design: tables.design.c.hash.not_in(designs),
    }
    for table in reversed(tables.metadata.sorted_tables):
        if "study" in table.c:
            connection.execute(sa.delete(table).where(table.c.study == slug, shared.get(table, sa.true())))
    connection.execute(sa.delete(tables.study).where(tables.study.c.slug == slug))


def _delete_people(connection: sa.Connection, who: sa.ColumnElement[bool]) -> int:
    people = sa.select(_R.id).where(who)
    for table in reversed(tables.metadata.sorted_tables):
        for key in table.foreign_keys:
            if key.column is _R.id:
                connection.execute(sa.delete(table).where(key.parent.in_(people)))
    return connection.execute(sa.delete(tables.respondent).where(who)).rowcount
