"""Respondents: who may answer, what each one sees, how far each one got.

The personal token is the only way in; the database keeps its SHA-256. The design version and the tasks in their order are drawn once, when
consent is given, and stored: reload, back and another device show the same.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wtp.store import tables
from wtp.survey.tasks import Alternative, ChoiceTask

_TOKEN_BYTES = 24
_R = tables.respondent.c


@dataclass(frozen=True, slots=True)
class Interview:
    """One respondent's interview. `tasks` are in the order shown, empty before consent; `number` is the pseudonym."""

    respondent_id: int
    number: int
    study: str
    simulated: bool
    language: str | None
    definition_hash: str | None
    design_version: int | None
    tasks: tuple[ChoiceTask, ...]
    consented_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Respondents of a study who consented; `simulated` and `completed` are among them."""

    begun: int
    completed: int
    simulated: int


def new_token() -> str:
    """A token of 192 random bits for a personal link."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def _hash(slug: str, token: str) -> str:
    return hashlib.sha256(f"{slug}\0{token}".encode(errors="surrogatepass")).hexdigest()


def invite(connection: sa.Connection, slug: str, token: str, *, simulated: bool, now: datetime) -> None:
    """Make a personal link valid; nothing is asked or stored of the person before consent."""
    _insert(connection, slug, token, simulated, now)


def find(connection: sa.Connection, slug: str, token: str) -> Interview | None:
    """The interview of a token, or None."""
    row = connection.execute(sa.select(tables.respondent).where(_R.token_hash == _hash(slug, token))).mappings().first()
    return _interview(row) if row else None


def least_filled(connection: sa.Connection, slug: str, versions: Sequence[int]) -> int:
    """The design version that the fewest respondents have; ask it in the transaction that calls `begin`."""
    _lock_study(connection, slug)
    query = sa.select(_R.design_version, sa.func.count()).where(_R.study == slug, _R.design_version.is_not(None))
    filled: dict[int, int] = dict(connection.execute(query.group_by(_R.design_version)).all())
    return min(versions, key=lambda version: (filled.get(version, 0), version))


def begin(
    connection: sa.Connection,
    slug: str,
    token: str,
    *,
    definition_hash: str,
    design_version: int,
    tasks: tuple[ChoiceTask, ...],
    language: str,
    consent_hash: str,
    now: datetime,
    simulated: bool = False,
) -> Interview:
    """Record consent and what this respondent will see. A second call changes nothing and returns the first interview."""
    _lock_study(connection, slug)
    if find(connection, slug, token) is None:
        _insert(connection, slug, token, simulated, now)
    connection.execute(
        sa.update(tables.respondent)
        .where(_R.token_hash == _hash(slug, token), _R.consented_at.is_(None))
        .values(
            definition_hash=definition_hash,
            design_version=design_version,
            tasks=[pack_task(task) for task in tasks],
            language=language,
            consent_hash=consent_hash,
            consented_at=now,
        )
    )
    interview = find(connection, slug, token)
    if interview is None:
        raise LookupError("the respondent vanished within its transaction")
    return interview


def set_language(connection: sa.Connection, respondent_id: int, language: str) -> None:
    """Remember in which language the respondent goes on."""
    connection.execute(sa.update(tables.respondent).where(_R.id == respondent_id).values(language=language))


def complete(connection: sa.Connection, respondent_id: int, now: datetime) -> None:
    """Mark the interview as finished, once."""
    connection.execute(
        sa.update(tables.respondent).where(_R.id == respondent_id, _R.completed_at.is_(None)).values(completed_at=now)
    )


def counts(connection: sa.Connection, slug: str) -> Counts:
    """How many respondents of a study began, completed, are simulated."""
    query = sa.select(
        sa.func.count(),
        sa.func.count(_R.completed_at),
        sa.func.coalesce(sa.func.sum(sa.cast(_R.simulated, sa.Integer)), 0),
    ).where(_R.study == slug, _R.consented_at.is_not(None))
    begun, completed, simulated = connection.execute(query).one()
    return Counts(begun, completed, int(simulated))


def _lock_study(connection: sa.Connection, slug: str) -> None:
    """One beginner at a time, so that numbers follow each other and versions fill evenly; SQLite's writers wait anyway."""
    connection.execute(sa.select(tables.study.c.slug).where(tables.study.c.slug == slug).with_for_update())


def _insert(connection: sa.Connection, slug: str, token: str, simulated: bool, now: datetime) -> None:
    _lock_study(connection, slug)
    last = connection.execute(sa.select(sa.func.max(_R.number)).where(_R.study == slug)).scalar_one()
    values = {
        "study": slug,
        "number": (last or 0) + 1,
        "token_hash": _hash(slug, token),
        "simulated": simulated,
        "created_at": now,
    }
    connection.execute(sa.insert(tables.respondent).values(**values))


def pack_task(task: ChoiceTask) -> dict[str, Any]:
    """A choice task as JSON."""
    alternatives = [{"number": a.number, "levels": dict(a.levels), "price": a.price} for a in task.alternatives]
    return {"number": task.number, "kind": task.kind, "repeats": task.repeats, "alternatives": alternatives}


def unpack_task(packed: dict[str, Any]) -> ChoiceTask:
    """The choice task that `pack_task` wrote."""
    alternatives = tuple(Alternative(a["number"], a["levels"], a["price"]) for a in packed["alternatives"])
    return ChoiceTask(packed["number"], packed["kind"], alternatives, packed["repeats"])


def _interview(row: sa.RowMapping) -> Interview:
    return Interview(
        respondent_id=row["id"],
        number=row["number"],
        study=row["study"],
        simulated=row["simulated"],
        language=row["language"],
        definition_hash=row["definition_hash"],
        design_version=row["design_version"],
        tasks=tuple(unpack_task(task) for task in row["tasks"] or ()),
        consented_at=row["consented_at"],
        completed_at=row["completed_at"],
    )
