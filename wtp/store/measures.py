"""What a company does because of a finding: each measure with the sentence that justifies it as it stood then. None is deleted; what is given up is `dropped`.

Every change is written to the study's log (`audit`). Recording is idempotent: the key is the submission, which the form carries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from wtp.errors import DataError
from wtp.store import audit, tables
from wtp.store.upsert import insert_if_absent

KINDS = ("offer", "positioning", "communication", "promotion", "training", "process")
PLANNED, RUNNING, DONE, DROPPED = STATES = ("planned", "running", "done", "dropped")
# Longest texts, in characters.
LONGEST = {"title": 200, "owner": 120, "finding": 500, "expected": 500, "outcome": 500, "query": 200}
_NEEDED = ("title", "owner", "finding")
_LONGEST_LOGGED = 100
_M = tables.measure.c
_Record = TypeVar("_Record", "Plan", "Grounds")


@dataclass(frozen=True, slots=True)
class Plan:
    """What can be changed of a measure: what is done, by whom, until when, what it is to bring and what it brought. done_on: when it was done, None before."""

    kind: str
    title: str
    attribute: str | None
    owner: str
    due_on: date | None
    expected: str
    state: str = PLANNED
    outcome: str = ""
    done_on: date | None = None


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why: the finding as it stood, in its language, and where it stands: chart, segment, and the rest of the address as a query."""

    chart: str
    segment: str
    finding: str
    language: str
    query: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A recorded measure; changed_at is what a change must name, so that nobody overwrites what he has not seen."""

    id: int
    plan: Plan
    grounds: Grounds
    simulated: bool
    made_by: str
    made_at: datetime
    changed_at: datetime

    def is_overdue(self, today: date) -> bool:
        """Whether the day has passed on which it should have been done."""
        open_ = self.plan.state in (PLANNED, RUNNING)
        return open_ and self.plan.due_on is not None and self.plan.due_on < today


class ChangedMeanwhileError(DataError):
    """Somebody else changed the measure after it was read."""


def add(
    connection: sa.Connection, slug: str, plan: Plan, grounds: Grounds, *, submission: str, who: str, now: datetime, simulated: bool = False
) -> int:  # fmt: skip
    """Record a measure and return its number; a submission that is recorded already is not recorded again. Raises DataError for what cannot be kept."""
    plan, grounds = _checked(_dated(plan, now)), _checked(grounds)
    added = insert_if_absent(
        connection,
        tables.measure,
        study=slug,
        submission=submission,
        simulated=simulated,
        made_by=who,
        made_at=now,
        changed_at=now,
        **_values(plan),
        **_values(grounds),
    )
    if added:
        said = f"“{_short(plan.title)}” ({plan.kind}, {plan.state}), {grounds.chart}, {grounds.segment}"
        audit.add(connection, slug, audit.MEASURE_ADDED, who=who, reason=said, now=now)
    query = sa.select(_M.id).where(_M.study == slug, _M.submission == submission)
    return int(connection.execute(query).scalar_one())


def change(
    connection: sa.Connection, slug: str, number: int, plan: Plan, *, seen: datetime, who: str, now: datetime
) -> None:
    """Change a measure as it was at `seen`; its grounds stay. What changes nothing is not written.

    Raises DataError if there is none such or the plan cannot be kept, ChangedMeanwhileError if it is not any more as it was seen.
    """
    before = get(connection, slug, number)
    if before is None:
        raise DataError(f"measure {number}: not in {slug}; allowed: numbers of its measures; look again.")
    plan = _checked(_dated(plan, now))
    told = "; ".join(_changes(before.plan, plan))
    if not told:
        return
    # Of two who save at the same moment, one finds no row any more.
    found = connection.execute(
        sa.update(tables.measure)
        .where(_M.study == slug, _M.id == number, _M.changed_at == seen)
        .values(**_values(plan), changed_at=now)
    )
    if found.rowcount != 1:
        raise ChangedMeanwhileError(f"measure {number}: changed since {seen.isoformat()}; look at it again.")
    audit.add(connection, slug, audit.MEASURE_CHANGED, who=who, reason=_cut(f"{number}: {told}", audit.LONGEST_REASON), now=now)  # fmt: skip


def get(connection: sa.Connection, slug: str, number: int) -> Measure | None:
    """One measure of a study."""
    row = connection.execute(sa.select(tables.measure).where(_M.study == slug, _M.id == number)).mappings().first()
    return _measure(row) if row else None


def of_study(connection: sa.Connection, slug: str) -> tuple[Measure, ...]:
    """All measures of a study: by state, what is due first on top, the newest first where no day is set."""
    rows = connection.execute(sa.select(tables.measure).where(_M.study == slug)).mappings()
    return tuple(sorted(map(_measure, rows), key=_place))


def _place(one: Measure) -> tuple[int, date, float, int]:
    """Where a measure stands in the list."""
    return STATES.index(one.plan.state), one.plan.due_on or date.max, -one.made_at.timestamp(), -one.id


def tidy(text: str) -> str:
    """A text as it is kept: on one line, without letters that nobody sees."""
    return " ".join("".join(letter for letter in text if letter.isprintable() or letter.isspace()).split())


def _measure(row: sa.RowMapping) -> Measure:
    plan = Plan(**{field.name: row[field.name] for field in fields(Plan)})
    grounds = Grounds(**{field.name: row[field.name] for field in fields(Grounds)})
    return Measure(row["id"], plan, grounds, row["simulated"], row["made_by"], row["made_at"], row["changed_at"])


def _values(record: Plan | Grounds) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _dated(plan: Plan, now: datetime) -> Plan:
    """With the day on which it was done, if it is done: today unless another day is said."""
    done_on = (plan.done_on or now.date()) if plan.state == DONE else None
    return Plan(**{**_values(plan), "done_on": done_on})


def _checked(record: _Record) -> _Record:
    """The record with its spaces tidied. Raises DataError for the first text or code that cannot be kept."""
    values = _values(record)
    for name, allowed in (("kind", KINDS), ("state", STATES)):
        if name in values and values[name] not in allowed:
            raise DataError(f"{name}: {values[name]!r}; allowed: {', '.join(allowed)}; choose one of these.")
    for name, longest in LONGEST.items():
        if name not in values:
            continue
        values[name] = tidy(values[name])
        if (not values[name] and name in _NEEDED) or len(values[name]) > longest:
            least = 1 if name in _NEEDED else 0
            raise DataError(f"{name}: {len(values[name])} characters; allowed: {least} to {longest} of text; change it.")  # fmt: skip
    return type(record)(**values)


def _changes(before: Plan, after: Plan) -> Iterator[str]:
    """What a change changes, as in "state planned → done"."""
    for field in fields(Plan):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old != new:
            yield f"{field.name} {_short(old)} → {_short(new)}"


def _short(value: Any) -> str:
    return _cut(str(value) if value not in (None, "") else "–", _LONGEST_LOGGED)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
