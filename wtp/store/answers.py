"""Answers and choices: recorded in the caller's transaction, idempotent, never overwritten.

Every form carries the revision that it was made from (0 = nothing saved yet). If that is still the current revision, a changed content becomes
the next one; equal content changes nothing (double click, replay). If another window was faster with other content, `ConflictError` says so and
nothing is written. Old revisions stay. What one respondent sends at once is taken one after the other, whatever the database.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wtp.errors import ConflictError, DataError, ErasedError
from wtp.store import imports, known, rules, studies, tables, tombstones
from wtp.store.respondents import pack_task, unpack_task
from wtp.store.upsert import insert_if_absent
from wtp.survey.answers import Answers, Choice, Respondent
from wtp.survey.tasks import ChoiceTask

BATCH = 2_000
# Statements of every saved page are made once: to make one takes three times as long as to run it.
_A, _C, _R = tables.answer.c, tables.choice.c, tables.respondent.c
_PERSON = sa.bindparam("person", type_=sa.BigInteger)
_LOCK: sa.Select[Any] = (
    sa.select(
        _R.id,
        _R.design_version,
        _R.definition_hash,
        _R.outcome,
        _R.test,
        sa.select(tables.study.c.state)
        .where(tables.study.c.slug == _R.study)
        .correlate(tables.respondent)
        .scalar_subquery()
        .label("study_state"),
    )
    .where(_R.id == _PERSON)
    .with_for_update(key_share=True, of=tables.respondent)
)
_TASKS = sa.select(_R.tasks).where(_R.id == _PERSON)
_LAST_ANSWERS = (
    sa.select(_A.revision, _A.content)
    .where(_A.respondent_id == _PERSON, _A.page == sa.bindparam("page"))
    .order_by(_A.revision.desc())
    .limit(1)
)
_LAST_CHOICE = (
    sa.select(_C.revision, _C.chosen, _C.buys)
    .where(_C.respondent_id == _PERSON, _C.choice_order == sa.bindparam("order"))
    .order_by(_C.revision.desc())
    .limit(1)
)
_PAGES = sa.select(_A.page, _A.revision, _A.content).where(_A.respondent_id == _PERSON).order_by(_A.revision)
_CHOICES = (
    sa.select(_C.choice_order, _C.revision, _C.chosen, _C.buys).where(_C.respondent_id == _PERSON).order_by(_C.revision)
)
_CHANGED = "this page was changed in another window; nothing was overwritten; check the answers shown and save again."


@dataclass(frozen=True, slots=True)
class Current:
    """What is saved of one respondent: pages -> (revision, values), order of choice task -> (revision, chosen, buys)."""

    pages: Mapping[str, tuple[int, Mapping[str, Any]]]
    choices: Mapping[int, tuple[int, int, bool | None]]

    @property
    def answers(self) -> dict[str, Any]:
        """All values by question; parts of one question, as the prices of a ladder, come together."""
        return merged(values for _, values in self.pages.values())


def merged(pages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The values of several pages by question."""
    found: dict[str, Any] = {}
    for page in pages:
        for question, value in page.items():
            before = found.get(question)
            if isinstance(before, Mapping) and isinstance(value, Mapping):
                found[question] = {**before, **value}
            else:
                found[question] = value
    return found


@dataclass(frozen=True, slots=True)
class Standing:
    """How an interview and its study stand while nobody else saves for the same respondent."""

    respondent_id: int
    design_version: int | None
    definition_hash: str | None
    outcome: str | None
    test: bool
    study_state: str


@dataclass(frozen=True, slots=True)
class Sent:
    """How a page was sent: the revision that its form was made from, when, and how many seconds it took."""

    revision: int
    now: datetime
    seconds: float | None = None


def record_answers(
    connection: sa.Connection,
    respondent_id: int,
    page: str,
    values: Mapping[str, Any],
    *,
    revision: int,
    now: datetime,
    seconds: float | None = None,
) -> int:
    """Save the answers of one page, which took so many seconds; returns the revision that is current afterwards.

    Raises RefusedError if the interview ended or the study is closed, ConflictError if another window saved other answers since revision, DataError for text that no database can hold.
    """
    check_content(page, values)
    standing = lock(connection, respondent_id)
    saved = connection.execute(_LAST_ANSWERS, {"person": respondent_id, "page": page}).first()
    before = (saved.revision, saved.content) if saved else None
    return take_answers(connection, standing, before, page, values, Sent(revision, now, seconds))


def take_answers(
    connection: sa.Connection,
    standing: Standing,
    before: tuple[int, Mapping[str, Any]] | None,
    page: str,
    values: Mapping[str, Any],
    sent: Sent,
) -> int:
    """As `record_answers`, for who knows already what is saved of the page, since nobody else saves for the same respondent: revision and values `before`, or None."""
    check_content(page, values)
    if before and _as_text(before[1]) == _as_text(values):
        return before[0]
    row = {"page": page, "content": dict(values)}
    return _next_revision(connection, standing, tables.answer, row, before[0] if before else 0, sent)


def record_choice(
    connection: sa.Connection,
    respondent_id: int,
    order: int,
    chosen: int,
    buys: bool | None,
    *,
    revision: int,
    now: datetime,
    seconds: float | None = None,
) -> int:
    """Save the choice in the order-th task as shown; what was shown is copied from the respondent's own tasks.

    Raises RefusedError and ConflictError as `record_answers`, DataError if the task has no such alternative.
    """
    standing = lock(connection, respondent_id)
    tasks = connection.scalar(_TASKS, {"person": respondent_id}) or ()
    if not 0 < order <= len(tasks):
        raise DataError(f"choice task {order}: not shown to this respondent; allowed: 1 to {len(tasks)}.")
    saved = connection.execute(_LAST_CHOICE, {"person": respondent_id, "order": order}).first()
    before = (saved.revision, saved.chosen, saved.buys) if saved else None
    task = unpack_task(tasks[order - 1])
    return take_choice(connection, standing, before, task, order, chosen, buys, Sent(revision, now, seconds))


def take_choice(
    connection: sa.Connection,
    standing: Standing,
    before: tuple[int, int, bool | None] | None,
    task: ChoiceTask,
    order: int,
    chosen: int,
    buys: bool | None,
    sent: Sent,
) -> int:
    """As `record_choice`, for who knows already the task and what is saved of it: revision, chosen and buys `before`, or None."""
    if chosen not in {alternative.number for alternative in task.alternatives}:
        raise DataError(f"choice task {order}: no alternative {chosen}; allowed: one that was shown; choose again.")
    if before and before[1:] == (chosen, buys):
        return before[0]
    row = {
        "choice_order": order,
        "choice_task": task.number,
        "kind": task.kind,
        "shown": pack_task(task),
        "design_version": standing.design_version,
        "definition_hash": standing.definition_hash,
        "chosen": chosen,
        "buys": buys,
    }
    return _next_revision(connection, standing, tables.choice, row, before[0] if before else 0, sent)


def _as_text(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), sort_keys=True)


def lock(connection: sa.Connection, respondent_id: int) -> Standing:
    """Until the transaction ends, nobody else saves for the same respondent. Raises ErasedError if he was erased meanwhile."""
    row = connection.execute(_LOCK, {"person": respondent_id}).first()
    if row is None:
        raise ErasedError("this interview was deleted; nothing was stored.")
    return Standing(*row)


def _next_revision(
    connection: sa.Connection, standing: Standing, table: sa.Table, row: dict[str, Any], current: int, sent: Sent
) -> int:
    """Write the next revision where nothing stands against it; the unique key decides between two that come at once."""
    rules.more_answers(standing)
    row |= {"respondent_id": standing.respondent_id, "answered_at": sent.now, "seconds": sent.seconds}
    if sent.revision != current or not insert_if_absent(connection, table, **row, revision=current + 1):
        raise ConflictError(_CHANGED)
    return current + 1


def check_content(page: str, value: Any) -> None:
    """Both databases must keep the same: no NUL, no half characters, no NaN."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            check_content(page, key)
            check_content(page, item)
    elif isinstance(value, list | tuple):
        for item in value:
            check_content(page, item)
    elif isinstance(value, float) and not math.isfinite(value):
        raise DataError(f"page {page}: {value}; allowed: finite numbers; mend the number.")
    elif isinstance(value, str) and ("\0" in value or any("\ud800" <= c <= "\udfff" for c in value)):
        raise DataError(f"page {page}: a character that is no text; allowed: Unicode text; remove the character.")


def current(connection: sa.Connection, respondent_id: int) -> Current:
    """The last confirmed answers of one respondent."""
    pages = connection.execute(_PAGES, {"person": respondent_id})
    choices = connection.execute(_CHOICES, {"person": respondent_id})
    return Current(
        {page: (revision, content) for page, revision, content in pages},
        {order: (revision, chosen, buys) for order, revision, chosen, buys in choices},
    )


def state(connection: sa.Connection, slug: str) -> str:
    """Changes whenever an answer of the study does, and costs a moment: rows are only ever added, but for completion, imports that are taken back, and persons who are erased.

    Rows are counted, since a database may show a row with a lower id later than one with a higher id.
    """
    r, a, c, i = tables.respondent.c, tables.answer.c, tables.choice.c, tables.imported_file.c
    mine = sa.and_(r.study == slug, sa.not_(r.test))
    in_study = sa.select(r.id).where(mine)
    counted = (
        sa.select(sa.func.count(r.consented_at), sa.func.count(r.outcome)).where(mine),
        sa.select(sa.func.count()).where(a.respondent_id.in_(in_study)),
        sa.select(sa.func.count()).where(c.respondent_id.in_(in_study)),
    )
    counts = [count for query in counted for count in connection.execute(query).one()]
    # An import and one that is taken back: others of the same size may follow. Without any, analyses kept by earlier releases stay those of these answers.
    moved = sa.select(sa.func.count(i.imported_at), sa.func.count(i.taken_back_at)).where(i.study == slug)
    imported = connection.execute(moved).one()
    gone = tombstones.count(connection, slug)
    erased = (f"erased {gone}",) if gone else ()
    return "/".join(map(str, [*counts, *(imported if any(imported) else ()), *known.state(connection, slug), *erased]))


@dataclass(slots=True)
class _Latest:
    """The last revisions of one respondent while they are read; `shown` is each choice task as the database holds it."""

    pages: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    choices: dict[int, Choice] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)


def read_answers(connection: sa.Connection, slug: str) -> Answers:
    """Everything that respondents of a study answered, the last revision of each; tests and those who never consented are left out."""
    digest = hashlib.sha256()
    respondents: list[Respondent] = []
    versions: set[str] = set()
    for person, shown in _people(connection, slug, BATCH):
        _digest(digest, person, shown)
        respondents.append(person)
        versions |= {person.definition_hash} - {""}
    return Answers(slug, tuple(respondents), digest.hexdigest()[:32], studies.definitions(connection, versions))


def batches(connection: sa.Connection, slug: str, size: int = BATCH) -> Iterator[tuple[Respondent, ...]]:
    """The respondents of `read_answers`, some at a time, so that memory does not grow with their number; all of one state if the transaction is `Database.read`'s."""
    people = (person for person, _ in _people(connection, slug, size))
    return iter(lambda: tuple(itertools.islice(people, size)), ())


def _people(connection: sa.Connection, slug: str, size: int) -> Iterator[tuple[Respondent, list[str]]]:
    """Each respondent with the choice tasks as the database holds them, by number."""
    r = tables.respondent.c
    counting = sa.and_(r.study == slug, r.consented_at.is_not(None), sa.not_(r.test))
    columns = sa.select(r.id, r.number, r.simulated, r.language, r.design_version, r.consented_at, r.completed_at)
    columns = columns.add_columns(r.outcome, r.steps, r.source, r.signs, r.lot, r.definition_hash, r.import_id)
    origins, beside = imports.origins(connection, slug), known.of_study(connection, slug)
    tasks: dict[str, ChoiceTask] = {}
    last = 0
    while people := connection.execute(columns.where(counting, r.number > last).order_by(r.number).limit(size)).all():
        latest = {person.id: _Latest() for person in people}
        some = sa.select(r.id).where(counting, r.number > last, r.number <= people[-1].number)
        _read_pages(connection, some, latest)
        _read_choices(connection, some, latest, tasks)
        last = people[-1].number
        for person in people:
            found = latest.pop(person.id)
            # Answers on pages that a later change of mind took off the way do not count.
            on_the_way = set(person.steps) if person.steps else found.pages.keys()
            values = merged(content for page, content in found.pages.items() if page in on_the_way)
            choices = tuple(choice for _, choice in sorted(found.choices.items()))
            respondent = Respondent(
                number=person.number,
                simulated=person.simulated,
                language=person.language,
                design_version=person.design_version,
                started_at=person.consented_at,
                completed_at=person.completed_at,
                answers=values,
                choices=choices,
                outcome=person.outcome,
                source=person.source,
                seconds=found.seconds,
                signs=tuple(person.signs or ()),
                lot=person.lot or "",
                definition_hash=person.definition_hash or "",
                imported=origins.get(person.import_id, ""),
                known=beside.get(person.id, {}),
            )
            yield respondent, [found.shown[choice.order] for choice in choices]


def _read_pages(connection: sa.Connection, consented: sa.Select[tuple[int]], latest: Mapping[int, _Latest]) -> None:
    a = tables.answer.c
    query = sa.select(a.respondent_id, a.page, a.content, a.seconds).where(a.respondent_id.in_(consented))
    for respondent_id, page, content, seconds in connection.execute(query.order_by(a.revision, a.id)).all():
        latest[respondent_id].pages[page] = content
        if seconds is not None:
            latest[respondent_id].seconds.setdefault(page, seconds)


def _read_choices(
    connection: sa.Connection,
    consented: sa.Select[tuple[int]],
    latest: Mapping[int, _Latest],
    tasks: dict[str, ChoiceTask],
) -> None:
    """Many respondents see the same choice task, so each one is unpacked once and shared: `tasks` by their text."""
    c = tables.choice.c
    text = sa.cast(c.shown, sa.Text)
    rest = (c.choice_order, c.seconds, c.chosen, c.buys, c.design_version, c.definition_hash, c.answered_at)
    query = sa.select(c.respondent_id, text, *rest).where(c.respondent_id.in_(consented)).order_by(c.revision)
    for respondent_id, shown, order, seconds, *made in connection.execute(query).all():
        if shown not in tasks:
            tasks[shown] = unpack_task(json.loads(shown))
        latest[respondent_id].shown[order] = shown
        if seconds is not None:
            latest[respondent_id].seconds.setdefault(f"choice task {order}", seconds)
        latest[respondent_id].choices[order] = Choice(tasks[shown], order, *made)  # `rest` is in Choice's order


def _digest(digest: hashlib._Hash, person: Respondent, shown: Iterable[str]) -> None:
    """Add what a respondent was shown and answered, and what is known beside it; times of answering are left out."""
    choices = [(c.order, c.chosen, c.buys, c.design_version, c.definition_hash) for c in person.choices]
    record: list[Any] = [person.number, person.simulated, person.outcome, person.answers, choices]
    if person.known:
        record.append(person.known)
    for part in (json.dumps(record, sort_keys=True), *shown):
        digest.update(part.encode())
