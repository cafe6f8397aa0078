"""Answers and choices: recorded in the caller's transaction, idempotent, never overwritten.

Every form carries the revision that it was made from (0 = nothing saved yet). If that is still the current revision, a changed content becomes
the next one; equal content changes nothing (double click, replay). If another window was faster with other content, `ConflictError` says so and
nothing is written. Old revisions stay.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wtp.errors import ConflictError, DataError
from wtp.store import tables
from wtp.store.respondents import pack_task, unpack_task
from wtp.store.upsert import insert_if_absent
from wtp.survey.answers import Answers, Choice, Respondent

_CHANGED = "this page was changed in another window; nothing was overwritten; check the answers shown and save again."


@dataclass(frozen=True, slots=True)
class Current:
    """What is saved of one respondent: pages -> (revision, values), order of choice task -> (revision, chosen, buys)."""

    pages: Mapping[str, tuple[int, Mapping[str, Any]]]
    choices: Mapping[int, tuple[int, int, bool | None]]


def record_answers(
    connection: sa.Connection, respondent_id: int, page: str, values: Mapping[str, Any], *, revision: int, now: datetime
) -> int:
    """Save the answers of one page; returns the revision that is current afterwards.

    Raises ConflictError if another window saved other answers since revision, DataError for text that no database can hold.
    """
    _check_text(page, values)
    a = tables.answer.c
    mine = (a.respondent_id == respondent_id) & (a.page == page)
    current = connection.execute(
        sa.select(a.revision, a.content).where(mine).order_by(a.revision.desc()).limit(1)
    ).first()
    if current and dict(current.content) == dict(values):
        return int(current.revision)
    row = {"respondent_id": respondent_id, "page": page, "content": dict(values), "answered_at": now}
    return _next_revision(connection, tables.answer, row, current.revision if current else 0, revision)


def record_choice(
    connection: sa.Connection,
    respondent_id: int,
    order: int,
    chosen: int,
    buys: bool | None,
    *,
    revision: int,
    now: datetime,
) -> int:
    """Save the choice in the order-th task as shown; what was shown is copied from the respondent's own tasks.

    Raises ConflictError as `record_answers`, DataError if the task has no such alternative.
    """
    r, c = tables.respondent.c, tables.choice.c
    person = connection.execute(
        sa.select(r.tasks, r.design_version, r.definition_hash).where(r.id == respondent_id)
    ).one()
    if not 1 <= order <= len(person.tasks or ()):
        raise DataError(f"choice task {order}: not shown to this respondent; allowed: 1 to {len(person.tasks or ())}.")
    task = unpack_task(person.tasks[order - 1])
    if chosen not in {alternative.number for alternative in task.alternatives}:
        raise DataError(f"choice task {order}: no alternative {chosen}; allowed: one that was shown; choose again.")
    mine = (c.respondent_id == respondent_id) & (c.choice_order == order)
    current = connection.execute(
        sa.select(c.revision, c.chosen, c.buys).where(mine).order_by(c.revision.desc()).limit(1)
    ).first()
    if current and (current.chosen, current.buys) == (chosen, buys):
        return int(current.revision)
    row = {
        "respondent_id": respondent_id,
        "choice_order": order,
        "choice_task": task.number,
        "kind": task.kind,
        "shown": pack_task(task),
        "design_version": person.design_version,
        "definition_hash": person.definition_hash,
        "chosen": chosen,
        "buys": buys,
        "answered_at": now,
    }
    return _next_revision(connection, tables.choice, row, current.revision if current else 0, revision)


def _next_revision(connection: sa.Connection, table: sa.Table, row: dict[str, Any], current: int, given: int) -> int:
    """Write the next revision; the unique key decides between two that come at once."""
    if given != current or not insert_if_absent(connection, table, **row, revision=current + 1):
        raise ConflictError(_CHANGED)
    return current + 1


def _check_text(page: str, value: Any) -> None:
    """Both databases must keep the same: no NUL, no half characters, no NaN."""
    if isinstance(value, Mapping):
        for item in value.values():
            _check_text(page, item)
    elif isinstance(value, float) and not math.isfinite(value):
        raise DataError(f"page {page}: {value}; allowed: finite numbers; mend the number.")
    elif isinstance(value, str) and ("\0" in value or any("\ud800" <= c <= "\udfff" for c in value)):
        raise DataError(f"page {page}: a character that is no text; allowed: Unicode text; remove the character.")


def current(connection: sa.Connection, respondent_id: int) -> Current:
    """The last confirmed answers of one respondent."""
    a, c = tables.answer.c, tables.choice.c
    pages = connection.execute(
        sa.select(a.page, a.revision, a.content).where(a.respondent_id == respondent_id).order_by(a.revision)
    )
    choices = connection.execute(
        sa.select(c.choice_order, c.revision, c.chosen, c.buys)
        .where(c.respondent_id == respondent_id)
        .order_by(c.revision)
    )
    return Current(
        {row.page: (row.revision, row.content) for row in pages},
        {row.choice_order: (row.revision, row.chosen, row.buys) for row in choices},
    )


def state(connection: sa.Connection, slug: str) -> str:
    """Changes whenever an answer of the study does, and costs a moment: rows are only ever added, but for completion."""
    r, a, c = tables.respondent.c, tables.answer.c, tables.choice.c
    in_study = sa.select(r.id).where(r.study == slug)
    people = connection.execute(
        sa.select(sa.func.count(r.consented_at), sa.func.count(r.completed_at)).where(r.study == slug)
    ).one()
    last_answer = connection.execute(sa.select(sa.func.max(a.id)).where(a.respondent_id.in_(in_study))).scalar_one()
    last_choice = connection.execute(sa.select(sa.func.max(c.id)).where(c.respondent_id.in_(in_study))).scalar_one()
    return f"{people[0]}/{people[1]}/{last_answer}/{last_choice}"


def read_answers(connection: sa.Connection, slug: str) -> Answers:
    """Everything that respondents of a study answered, the last revision of each; those who never consented are left out."""
    r, a, c = tables.respondent.c, tables.answer.c, tables.choice.c
    people = connection.execute(
        sa.select(r.id, r.number, r.simulated, r.language, r.design_version, r.consented_at, r.completed_at)
        .where(r.study == slug, r.consented_at.is_not(None))
        .order_by(r.number)
    ).all()
    in_study = sa.select(r.id).where(r.study == slug)
    pages = connection.execute(
        sa.select(a.respondent_id, a.page, a.content).where(a.respondent_id.in_(in_study)).order_by(a.revision)
    )
    latest: dict[int, dict[str, Mapping[str, Any]]] = {}
    for row in pages:
        latest.setdefault(row.respondent_id, {})[row.page] = row.content
    rows = connection.execute(
        sa.select(
            c.respondent_id,
            c.choice_order,
            c.shown,
            c.chosen,
            c.buys,
            c.design_version,
            c.definition_hash,
            c.answered_at,
        )
        .where(c.respondent_id.in_(in_study))
        .order_by(c.revision)
    )
    chosen: dict[int, dict[int, Choice]] = {}
    for made in rows:
        chosen.setdefault(made.respondent_id, {})[made.choice_order] = Choice(
            task=unpack_task(made.shown),
            order=made.choice_order,
            chosen=made.chosen,
            buys=made.buys,
            design_version=made.design_version,
            definition_hash=made.definition_hash,
            answered_at=made.answered_at,
        )
    respondents = tuple(
        Respondent(
            number=p.number,
            simulated=p.simulated,
            language=p.language,
            design_version=p.design_version,
            started_at=p.consented_at,
            completed_at=p.completed_at,
            answers={question: value for page in latest.get(p.id, {}).values() for question, value in page.items()},
            choices=tuple(choice for _, choice in sorted(chosen.get(p.id, {}).items())),
        )
        for p in people
    )
    return Answers(slug, respondents, _content_hash(respondents))


def _content_hash(respondents: Iterable[Respondent]) -> str:
    digest = hashlib.sha256()
    for p in respondents:
        choices = [(c.order, c.task.number, c.chosen, c.buys, c.design_version, c.definition_hash) for c in p.choices]
        record = [p.number, p.simulated, p.completed_at is not None, p.answers, choices]
        digest.update(json.dumps(record, sort_keys=True, ensure_ascii=False).encode())
    return digest.hexdigest()[:32]
