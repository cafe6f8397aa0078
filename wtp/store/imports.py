"""Imports: files that wait to be looked at, and respondents that came with one. A file is imported whole or not at all, once, and can be taken back whole.

The bytes of a file stay until it is imported, or a day. Respondents keep the name that the file gave them, which nobody is shown: it tells whether somebody is here already.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from wtp.errors import ConflictError, DataError
from wtp.store import audit, quotas, rules, tables
from wtp.store.deletion import delete_imported
from wtp.store.respondents import numbers_taken, pack_task
from wtp.survey.answers import Respondent
from wtp.survey.conditions import fulfilled
from wtp.survey.load import Survey
from wtp.survey.pages import QuestionPage, Quota

KEPT_FOR = timedelta(days=1)
MOST_WAITING = 5
_AT_ONCE = 5_000
_F, _R = tables.imported_file.c, tables.respondent.c
_COLUMNS = tuple(column for column in _F if column.name != "content")


@dataclass(frozen=True, slots=True)
class Imported:
    """One file: waiting while `imported_at` is None. mapping: its text. digest: SHA-256 of the bytes."""

    id: int
    study: str
    name: str
    digest: str
    mapping: str
    made_by: str
    given_at: datetime
    imported_at: datetime | None
    taken_back_at: datetime | None
    taken_back_by: str | None
    respondents: int
    simulated: int
    choices: int
    answers: int

    @property
    def label(self) -> str:
        """File, hash and day, as exports and pages name an import; who it was stands in the log."""
        day = (self.imported_at or self.given_at).date().isoformat()
        return f"{self.name} ({self.digest[:8]}), {day}"


def keep(
    connection: sa.Connection,
    slug: str,
    *,
    name: str,
    digest: str,
    content: bytes,
    mapping: str,
    made_by: str,
    now: datetime,
) -> int:
    """Keep a file until it is imported; returns its number. The same file waiting already is replaced, and of many the oldest go.

    Raises ConflictError if it was imported and not taken back.
    """
    rules.locked_state(connection, slug)
    _refuse_twice(connection, slug, digest)
    tidy(connection, now)
    waiting = (_F.study == slug) & _F.imported_at.is_(None)
    connection.execute(sa.delete(tables.imported_file).where(waiting, _F.digest == digest))
    old = (
        connection.execute(sa.select(_F.id).where(waiting).order_by(_F.id.desc()).offset(MOST_WAITING - 1))
        .scalars()
        .all()
    )
    connection.execute(sa.delete(tables.imported_file).where(_F.id.in_(old)))
    row = {"study": slug, "name": name, "digest": digest, "content": content, "mapping": mapping, "made_by": made_by}
    none_yet = dict.fromkeys(("respondents", "simulated", "choices", "answers"), 0)
    made = connection.execute(sa.insert(tables.imported_file).values(**row, **none_yet, given_at=now))
    return int(made.inserted_primary_key[0])  # type: ignore[index]


def tidy(connection: sa.Connection, now: datetime) -> None:
    """Forget files that waited for more than a day."""
    connection.execute(sa.delete(tables.imported_file).where(_F.imported_at.is_(None), _F.given_at < now - KEPT_FOR))


def change(connection: sa.Connection, slug: str, number: int, mapping: str) -> None:
    """Keep another mapping of a waiting file."""
    mine = (_F.study == slug) & (_F.id == number) & _F.imported_at.is_(None)
    connection.execute(sa.update(tables.imported_file).where(mine).values(mapping=mapping))


def discard(connection: sa.Connection, slug: str, number: int) -> None:
    """Forget a waiting file."""
    mine = (_F.study == slug) & (_F.id == number) & _F.imported_at.is_(None)
    connection.execute(sa.delete(tables.imported_file).where(mine))


def get(connection: sa.Connection, slug: str, number: int, now: datetime) -> tuple[Imported, bytes] | None:
    """A waiting file with its bytes; None if there is none such, or it waited too long."""
    wanted = (_F.study == slug) & (_F.id == number) & _F.imported_at.is_(None) & (_F.given_at >= now - KEPT_FOR)
    row = connection.execute(sa.select(*_COLUMNS, _F.content).where(wanted)).mappings().first()
    return (_imported(row), row["content"]) if row else None


def everything(connection: sa.Connection, slug: str) -> tuple[Imported, ...]:
    """All files of a study, the newest first; those that wait, are imported, or were taken back."""
    rows = connection.execute(sa.select(*_COLUMNS).where(_F.study == slug).order_by(_F.id.desc())).mappings()
    return tuple(_imported(row) for row in rows)


def origins(connection: sa.Connection, slug: str) -> dict[int | None, str]:
    """Number of an import -> how exports and pages name it."""
    return {one.id: one.label for one in everything(connection, slug) if one.imported_at}


def known(connection: sa.Connection, slug: str) -> frozenset[str]:
    """The names of everybody who came with an import that was not taken back."""
    query = sa.select(_R.external_id).where(_R.study == slug, _R.external_id.is_not(None))
    return frozenset(connection.execute(query).scalars())


def commit(
    connection: sa.Connection,
    survey: Survey,
    number: int,
    people: Sequence[tuple[str, Respondent]],
    *,
    who: str,
    now: datetime,
) -> Imported:
    """Add everybody of a waiting file who is not here yet, in the caller's transaction: all of them or, if anything fails, nobody.

    people: (name in the file, respondent). The study must be registered. Raises ConflictError if another import was faster, DataError if nobody would be added, RefusedError if the study is closed or a quota has fewer places left.
    """
    slug = survey.slug
    rules.imported(slug, rules.locked_state(connection, slug))
    row = connection.execute(sa.select(*_COLUMNS).where(_F.study == slug, _F.id == number)).mappings().first()
    if row is None or row["imported_at"] is not None:
        raise ConflictError("this file is imported already, or waits no longer; nothing was added; give it again.")
    _refuse_twice(connection, slug, row["digest"])
    there = known(connection, slug)
    new = [(name, person) for name, person in people if name not in there]
    if not new:
        raise DataError(
            "all respondents of the file are in the study already; nothing was added; allowed: a file with others."
        )
    choices = sum(len(person.choices) for _, person in new)
    answers = sum(value is not None for _, person in new for value in person.answers.values())
    simulated = sum(person.simulated for _, person in new)
    counts = {"respondents": len(new), "simulated": simulated, "choices": choices, "answers": answers}
    done = {"imported_at": now, "content": None, "made_by": who, **counts}
    connection.execute(sa.update(tables.imported_file).where(_F.id == number).values(**done))
    _insert_people(connection, survey, number, new, now)
    said = (
        f"{row['name']} ({row['digest'][:8]}): {len(new)} respondents, {simulated} of them simulated, {choices} choices"
    )
    audit.add(connection, slug, audit.IMPORTED, who=who, reason=said, now=now)
    return _imported({**row, **done})


def take_back(connection: sa.Connection, slug: str, number: int, *, who: str, now: datetime) -> Imported | None:
    """Delete everybody who came with an import; the entry that it was there stays. None if there is no such import."""
    rules.locked_state(connection, slug)
    counts = (_F.study == slug) & (_F.id == number) & _F.imported_at.is_not(None) & _F.taken_back_at.is_(None)
    row = connection.execute(sa.select(*_COLUMNS).where(counts)).mappings().first()
    if row is None:
        return None
    gone = delete_imported(connection, number)
    done = {"taken_back_at": now, "taken_back_by": who}
    connection.execute(sa.update(tables.imported_file).where(_F.id == number).values(**done))
    said = f"{row['name']} ({row['digest'][:8]}): {gone} respondents deleted"
    audit.add(connection, slug, audit.TAKEN_BACK, who=who, reason=said, now=now)
    return _imported({**row, **done})


def _insert_people(
    connection: sa.Connection, survey: Survey, number: int, people: Sequence[tuple[str, Respondent]], now: datetime
) -> None:
    slug = survey.slug
    _, last = numbers_taken(connection, slug)
    rows = [
        {
            "study": slug,
            "number": last + place,
            "test": False,
            "token_hash": secrets.token_hex(32),  # of no token: nobody can go on with this interview
            "simulated": person.simulated,
            "created_at": now,
            "language": person.language,
            "definition_hash": survey.definition_hash,
            "design_version": person.design_version,
            "consented_at": now,
            "completed_at": now,
            "outcome": person.outcome,
            "ended_at": now,
            "source": person.source,
            "import_id": number,
            "external_id": name,
        }
        for place, (name, person) in enumerate(people, 1)
    ]
    _insert(connection, tables.respondent, rows)
    ids: dict[str, int] = dict(connection.execute(sa.select(_R.external_id, _R.id).where(_R.import_id == number)).all())
    pages = _pages(survey)
    answers: list[dict[str, Any]] = []
    choices: list[dict[str, Any]] = []
    for name, person in people:
        for page, values in _by_page(person.answers, pages).items():
            answers.append(
                {
                    "respondent_id": ids[name],
                    "page": page,
                    "revision": 1,
                    "content": values,
                    "answered_at": now,
                    "seconds": None,
                }
            )
        choices += [
            {
                "respondent_id": ids[name],
                "choice_order": choice.order,
                "revision": 1,
                "choice_task": choice.task.number,
                "kind": choice.task.kind,
                "shown": pack_task(choice.task),
                "design_version": choice.design_version,
                "definition_hash": survey.definition_hash,
                "chosen": choice.chosen,
                "buys": choice.buys,
                "answered_at": now,
                "seconds": None,
            }
            for choice in person.choices
        ]
    _insert(connection, tables.answer, answers)
    _insert(connection, tables.choice, choices)
    for quota in survey.definition.quotas:
        for simulated in (False, True):
            mine = [ids[name] for name, person in people if person.simulated == simulated and _counts(quota, person)]
            quotas.reserve_all(connection, slug, quota, mine, simulated=simulated, now=now)


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    for first in range(0, len(rows), _AT_ONCE):
        connection.execute(sa.insert(table), rows[first : first + _AT_ONCE])


def _pages(survey: Survey) -> dict[str, str]:
    """Question -> page that asks it."""
    return {q.id: page.id for page in survey.definition.pages if isinstance(page, QuestionPage) for q in page.questions}


def _by_page(answers: Mapping[str, Any], pages: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for question, value in answers.items():
        made.setdefault(pages[question], {})[question] = value
    return made


def _refuse_twice(connection: sa.Connection, slug: str, digest: str) -> None:
    counts = (_F.study == slug) & (_F.digest == digest) & _F.imported_at.is_not(None) & _F.taken_back_at.is_(None)
    row = connection.execute(sa.select(*_COLUMNS).where(counts)).mappings().first()
    if row is not None:
        raise ConflictError(
            f"this very file was imported already: {_imported(row).label}; nothing was added; to import it again, take that import back first."
        )


def _counts(quota: Quota, person: Respondent) -> bool:
    return person.outcome in {None, "completed"} and fulfilled(quota.when, person.answers)


def _imported(row: Any) -> Imported:
    return Imported(**{name: row[name] for name in Imported.__slots__})
