"""Respondents: who may answer, what each one sees, how far each one got.

The personal token is the only way in; the database keeps its SHA-256. The design version and the tasks in their order are drawn once, when
consent is given, and stored: reload, back and another device show the same.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from wtp.errors import ConflictError
from wtp.store import rules, tables, tombstones
from wtp.store.upsert import insert_if_absent
from wtp.survey.tasks import Alternative, ChoiceTask

_TOKEN_BYTES = 24
_TEST = "test."
_R = tables.respondent.c
# Statements of every saved page are made once: to make one takes three times as long as to run it.
# What an `Interview` is made from, but for its tasks; every column read costs time.
COLUMNS = (
    _R.id,
    _R.number,
    _R.study,
    _R.simulated,
    _R.language,
    _R.definition_hash,
    _R.design_version,
    _R.consented_at,
    _R.completed_at,
    _R.lot,
    _R.outcome,
    _R.ended_by,
    _R.panel_id,
    _R.signs,
    _R.test,
)
_FIND = sa.select(*COLUMNS, _R.tasks).where(_R.token_hash == sa.bindparam("token_hash"))
# Everybody by the index alone, without a look at the rows, which are large; tests, whose numbers are below zero, are few.
_FILLED = (
    sa.select(_R.design_version, sa.func.count())
    .where(_R.study == sa.bindparam("study"), _R.design_version.is_not(None))
    .group_by(_R.design_version)
)
_FILLED_BY_TESTS = _FILLED.where(_R.number < 0)
_NUMBERS = sa.select(
    *(
        sa.select(outermost).where(column == sa.bindparam("study")).scalar_subquery()
        for outermost, column in (
            (sa.func.min(_R.number), _R.study),
            (sa.func.max(_R.number), _R.study),
            (sa.func.max(tables.erasure.c.number), tables.erasure.c.study),
        )
    )
)
_INSERT = sa.insert(tables.respondent)
_CONSENT = sa.update(tables.respondent).where(_R.token_hash == sa.bindparam("key"), _R.consented_at.is_(None))
_SIGNS = sa.select(_R.signs).where(_R.id == sa.bindparam("respondent"))


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
    lot: str = ""
    outcome: str | None = None
    ended_by: str | None = None
    panel_id: str | None = None
    signs: tuple[str, ...] = ()
    test: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """Respondents of a study who consented; all others are among them, but for those who only try it out."""

    begun: int
    completed: int
    simulated: int
    screened_out: int = 0
    over_quota: int = 0
    tests: int = 0


def new_token(*, test: bool = False) -> str:
    """A token of 192 random bits for a personal link; that of a test begins with a word that no other can begin with."""
    return (_TEST if test else "") + secrets.token_urlsafe(_TOKEN_BYTES)


def is_test(token: str) -> bool:
    """Whether whoever has this token only tries the study out."""
    return token.startswith(_TEST)


def token_hash(slug: str, token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(f"{slug}\0{token}".encode(errors="surrogatepass")).hexdigest()


def panel_token(secret: str, slug: str, panel_id: str) -> str:
    """The personal token, of 192 bits, of whoever came by a link that the panel signed: the same link leads to the same interview again, in any browser."""
    return base64.urlsafe_b64encode(_panel_digest(secret, "panel token", slug, panel_id)[:_TOKEN_BYTES]).decode()


def panel_mark(secret: str, slug: str, panel_id: str) -> str:
    """What stays of the panel's name of a respondent who took part: a hash that nobody makes without the instance's secret."""
    return _panel_digest(secret, "panel mark", slug, panel_id).hex()


def _panel_digest(secret: str, purpose: str, slug: str, panel_id: str) -> bytes:
    said = f"{purpose}\0{slug}\0{panel_id}".encode(errors="surrogatepass")
    return hmac.digest(secret.encode(), said, "sha256")


def invite(connection: sa.Connection, slug: str, token: str, *, simulated: bool, now: datetime) -> None:
    """Make a personal link valid; nothing is asked or stored of the person before consent. Raises ErasedError if that person was erased."""
    rules.locked_state(connection, slug)
    tombstones.refuse(connection, token_hash(slug, token))
    connection.execute(_INSERT, _new(connection, slug, token, simulated, now))


def find(connection: sa.Connection, slug: str, token: str) -> Interview | None:
    """The interview of a token, or None."""
    return find_hash(connection, token_hash(slug, token))


def find_hash(connection: sa.Connection, key: str) -> Interview | None:
    """The interview of the hash of a token, or None."""
    row = connection.execute(_FIND, {"token_hash": key}).first()
    return interview_of(row) if row else None


def least_filled(connection: sa.Connection, slug: str, versions: Sequence[int]) -> int:
    """The design version that the fewest respondents have; ask it in the transaction that calls `begin`."""
    rules.locked_state(
        connection, slug
    )  # one beginner at a time, so that numbers follow each other and versions fill evenly
    everybody: dict[int, int] = dict(connection.execute(_FILLED, {"study": slug}).all())
    tests: dict[int, int] = dict(connection.execute(_FILLED_BY_TESTS, {"study": slug}).all())
    filled = {version: number - tests.get(version, 0) for version, number in everybody.items()}
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
    lot: str = "",
    source: str | None = None,
    panel_id: str | None = None,
    panel_mark: str | None = None,
    consent_shown: str | None = None,
) -> Interview:
    """Record consent and what this respondent will see. A second call changes nothing and returns the first interview.

    panel_mark: of the panel's respondent, by the function of that name; of two with the same mark the database lets one through.

    Who only tries the study out, by the token of a test, counts nowhere and has a number below zero.

    Raises RefusedError if the study is not open, ConflictError if the panel's respondent has taken part already, ErasedError if this one was erased.
    """
    key, state = token_hash(slug, token), rules.locked_state(connection, slug)
    tombstones.refuse(connection, key)
    before = find_hash(connection, key)
    if before is not None and before.consented_at is not None:
        return before
    rules.new_interview(slug, state, test=is_test(token))
    if is_test(token):
        source, panel_id, panel_mark = "test", None, None
    if panel_id is not None and panel_known(connection, slug, panel_id, token, panel_mark):
        raise ConflictError("this respondent of the panel has already taken part.")
    if panel_mark is not None and not insert_if_absent(connection, tables.panel_entry, study=slug, mark=panel_mark):
        raise ConflictError("this respondent of the panel has already taken part.")
    consent = {
        "definition_hash": definition_hash,
        "design_version": design_version,
        "tasks": [pack_task(task) for task in tasks],
        "language": language,
        "consent_hash": consent_hash,
        "consent_shown": consent_shown,
        "consented_at": now,
        "lot": lot,
        "source": source,
        "panel_id": panel_id,
    }
    if before is None:
        connection.execute(_INSERT, _new(connection, slug, token, simulated, now) | consent)
    else:
        connection.execute(_CONSENT, {"key": key, **consent})
    interview = find_hash(connection, key)
    if interview is None:
        raise LookupError("the respondent vanished within its transaction")
    return interview


def numbers_taken(connection: sa.Connection, slug: str) -> tuple[int, int]:
    """The lowest number of a test, and the highest of all others and of those who were erased; 0 without any. Ask it where nobody else adds respondents."""
    lowest, highest, erased = connection.execute(_NUMBERS, {"study": slug}).one()
    return min(lowest or 0, 0), max(highest or 0, erased or 0, 0)


def set_language(connection: sa.Connection, respondent_id: int, language: str) -> None:
    """Remember in which language the respondent goes on."""
    connection.execute(sa.update(tables.respondent).where(_R.id == respondent_id).values(language=language))


def panel_known(connection: sa.Connection, slug: str, panel_id: str, token: str, panel_mark: str | None = None) -> bool:
    """Whether somebody else took part under this name of the panel; by its mark also if the answers were cut from the person, or deleted, since."""
    entry, own = tables.panel_entry.c, token_hash(slug, token)
    other = sa.exists().where(_R.study == slug, _R.panel_id == panel_id, _R.token_hash != own)
    marked = sa.exists().where(entry.study == slug, entry.mark == panel_mark)
    mine = sa.exists().where(_R.token_hash == own, _R.consented_at.is_not(None))
    # One statement, so that who begins at this moment in another browser is not taken for somebody else.
    return bool(connection.execute(sa.select(sa.or_(other, sa.and_(marked, sa.not_(mine))))).scalar_one())


def complete(connection: sa.Connection, respondent_id: int, now: datetime, steps: Sequence[str] = ()) -> None:
    """Mark the interview as finished, once; `steps` are the pages on the respondent's way."""
    _end(connection, respondent_id, now, outcome="completed", completed_at=now, steps=list(steps) or None)


def end_early(connection: sa.Connection, respondent_id: int, outcome: str, ended_by: str, now: datetime) -> None:
    """Mark the interview as screened_out or over_quota, once, and by what."""
    _end(connection, respondent_id, now, outcome=outcome, ended_by=ended_by)


def _end(connection: sa.Connection, respondent_id: int, now: datetime, **values: Any) -> None:
    open_still = (_R.id == respondent_id) & _R.outcome.is_(None)
    connection.execute(sa.update(tables.respondent).where(open_still).values(ended_at=now, **values))


def add_signs(connection: sa.Connection, respondent_id: int, signs: Sequence[str]) -> None:
    """Keep marks that were left while answering; call it within the transaction that saved the page."""
    kept = connection.execute(_SIGNS, {"respondent": respondent_id}).scalar_one() or []
    if new := [sign for sign in signs if sign not in kept]:
        connection.execute(sa.update(tables.respondent).where(_R.id == respondent_id).values(signs=[*kept, *new]))


def counts(connection: sa.Connection, slug: str) -> Counts:
    """How many respondents of a study began, completed, are simulated."""
    query = sa.select(
        sa.func.count(),
        sa.func.count(_R.completed_at),
        sa.func.coalesce(sa.func.sum(sa.cast(_R.simulated, sa.Integer)), 0),
        sa.func.count(sa.case((_R.outcome == "screened_out", 1))),
        sa.func.count(sa.case((_R.outcome == "over_quota", 1))),
    ).where(_R.study == slug, _R.consented_at.is_not(None), sa.not_(_R.test))
    begun, completed, simulated, screened_out, over_quota = connection.execute(query).one()
    tested = sa.select(sa.func.count()).where(_R.study == slug, _R.consented_at.is_not(None), _R.test)
    tests = connection.execute(tested).scalar_one()
    return Counts(begun, completed, int(simulated), screened_out, over_quota, tests)


def asked_between(connection: sa.Connection, slug: str) -> tuple[date, date] | None:
    """Days (UTC) on which the first respondent of a study consented and the last one completed or, if none did, consented; None where nobody was asked. Tests count nowhere."""
    asked = sa.and_(_R.study == slug, _R.consented_at.is_not(None), sa.not_(_R.test))
    query = sa.select(sa.func.min(_R.consented_at), sa.func.max(_R.consented_at), sa.func.max(_R.completed_at))
    first, last, completed = connection.execute(query.where(asked)).one()
    return (first.date(), max(last, completed or last).date()) if first else None


def simulated_numbers(connection: sa.Connection, slug: str) -> list[int]:
    """Numbers of the simulated respondents of a study, rising."""
    r = tables.respondent.c
    query = sa.select(r.number).where(r.study == slug, r.simulated, sa.not_(r.test)).order_by(r.number)
    return list(connection.execute(query).scalars())


def completed_people(connection: sa.Connection, slug: str) -> int:
    """How many people completed; simulated respondents are none."""
    mine = sa.and_(_R.study == slug, sa.not_(_R.simulated), sa.not_(_R.test), _R.completed_at.is_not(None))
    return int(connection.execute(sa.select(sa.func.count()).where(mine)).scalar_one())


def _new(connection: sa.Connection, slug: str, token: str, simulated: bool, now: datetime) -> dict[str, Any]:
    """The row of a new respondent, of whom nothing is known yet; its number is free until the transaction ends."""
    test = is_test(token)
    lowest, highest = numbers_taken(connection, slug)
    return {
        "study": slug,
        "number": lowest - 1 if test else highest + 1,
        "test": test,
        "token_hash": token_hash(slug, token),
        "simulated": simulated,
        "created_at": now,
    }


def pack_task(task: ChoiceTask) -> dict[str, Any]:
    """A choice task as JSON."""
    alternatives = [{"number": a.number, "levels": dict(a.levels), "price": a.price} for a in task.alternatives]
    return {"number": task.number, "kind": task.kind, "repeats": task.repeats, "alternatives": alternatives}


def unpack_task(packed: dict[str, Any]) -> ChoiceTask:
    """The choice task that `pack_task` wrote."""
    alternatives = tuple(Alternative(a["number"], a["levels"], a["price"]) for a in packed["alternatives"])
    return ChoiceTask(packed["number"], packed["kind"], alternatives, packed["repeats"])


@lru_cache(512)
def _unpacked(packed: str) -> tuple[ChoiceTask, ...]:
    """Every page of an interview reads them several times, and they never change."""
    return tuple(unpack_task(task) for task in json.loads(packed) or ())


def interview_of(row: sa.Row[*tuple[Any, ...]]) -> Interview:
    """The interview in a row with `COLUMNS` and its tasks, as JSON or as its text."""
    return Interview(
        respondent_id=row.id,
        number=row.number,
        study=row.study,
        simulated=row.simulated,
        language=row.language,
        definition_hash=row.definition_hash,
        design_version=row.design_version,
        tasks=_unpacked(row.tasks) if isinstance(row.tasks, str) else tuple(map(unpack_task, row.tasks or ())),
        consented_at=row.consented_at,
        completed_at=row.completed_at,
        lot=row.lot or "",
        outcome=row.outcome,
        ended_by=row.ended_by,
        panel_id=row.panel_id,
        signs=tuple(row.signs or ()),
        test=row.test,
    )
