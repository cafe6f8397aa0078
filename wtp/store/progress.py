"""How far one respondent got: the interview, the state of its study, what is confirmed and what is only typed, all by one question to the database.

Every page of an interview asks it. One statement sees one moment without a transaction of its own, and what a page costs is mostly how often it asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from wtp.store import tables
from wtp.store.answers import Current
from wtp.store.drafts import Draft
from wtp.store.respondents import COLUMNS, Interview, interview_of

_A, _C, _D, _R, _S = (
    table.c for table in (tables.answer, tables.choice, tables.page_draft, tables.respondent, tables.study)
)
_REVISION = itemgetter(1)
# The hash alone finds the row, for it is of study and token: asked for the study too, PostgreSQL may read all respondents of the study, until it has counted them.
_MINE = _R.token_hash == sa.bindparam("key")
# A statement of its own: one that reads as well would see what was there before it waited.
_HOLD = sa.select(_R.id).where(_MINE).with_for_update(key_share=True)


@dataclass(frozen=True, slots=True)
class Progress:
    """What is kept of a token: nothing but the state of the study before consent."""

    state: str
    interview: Interview | None
    current: Current
    drafts: Mapping[str, Draft]


def of(connection: sa.Connection, slug: str, key: str) -> Progress:
    """Of the hash of a token in a study; one statement, so the connection need not be in a transaction."""
    question = _question(connection.dialect.name)
    row = connection.execute(question, {"key": key, "slug": slug}).first()
    if row is None or row.id is None:
        return Progress(row.study_state if row else "open", None, Current({}, {}), {})
    pages = {page: (revision, content) for page, revision, content in _by_revision(row.pages)}
    choices = {
        order: (revision, chosen, None if buys is None else bool(buys))
        for order, revision, chosen, buys in _by_revision(row.choices)
    }
    drafts = {page: Draft(revision, fields) for page, revision, fields in _by_revision(row.drafts)}
    return Progress(row.study_state, interview_of(row), Current(pages, choices), drafts)


def locked(connection: sa.Connection, slug: str, key: str) -> Progress:
    """The same, and until the transaction ends nobody else saves for the same respondent: on SQLite nobody writes meanwhile, on PostgreSQL the row is held."""
    if connection.dialect.name == "postgresql":
        connection.execute(_HOLD, {"key": key})
    return of(connection, slug, key)


def _by_revision(rows: Sequence[Any] | None) -> Iterator[Any]:
    return iter(sorted(rows or (), key=_REVISION))


@cache
def _question(dialect: str) -> sa.Select[Any]:
    """The statement; what one respondent has many of comes as a list of lists."""
    postgresql = dialect == "postgresql"
    listed, line = ("json_agg", "json_build_array") if postgresql else ("json_group_array", "json_array")
    plain: Callable[[sa.Column[Any]], Any] = (lambda column: column) if postgresql else sa.func.json

    def all_of(table: sa.Table, *columns: Any) -> sa.ScalarSelect[Any]:
        rows = getattr(sa.func, listed)(getattr(sa.func, line)(*columns), type_=sa.JSON)
        return sa.select(rows).where(table.c.respondent_id == _R.id).correlate(tables.respondent).scalar_subquery()

    return (
        sa.select(
            _S.state.label("study_state"),
            *COLUMNS,
            sa.cast(_R.tasks, sa.Text).label("tasks"),
            all_of(tables.answer, _A.page, _A.revision, plain(_A.content)).label("pages"),
            all_of(tables.choice, _C.choice_order, _C.revision, _C.chosen, _C.buys).label("choices"),
            all_of(tables.page_draft, _D.page, _D.revision, plain(_D.fields)).label("drafts"),
        )
        .outerjoin(tables.respondent, _MINE)
        .where(_S.slug == sa.bindparam("slug"))
    )
