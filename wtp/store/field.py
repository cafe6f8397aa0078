"""How the field goes: who reached which page, where people stop, how long pages take."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from statistics import median

import sqlalchemy as sa

from wtp.store import tables

_R, _A, _C = tables.respondent.c, tables.answer.c, tables.choice.c


@dataclass(frozen=True, slots=True)
class Reached:
    """One page or choice task: how many saved it, how many stopped right after it, the median of their seconds on it."""

    step: str
    saved: int
    stopped: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Field:
    """The field of a study, of people or of simulated respondents; `minutes` is the median of those who completed."""

    begun: int
    outcomes: dict[str, int]
    sources: dict[str, int]
    minutes: float | None
    steps: tuple[Reached, ...]


def field_of(connection: sa.Connection, slug: str, *, simulated: bool, idle_since: datetime) -> Field:
    """Counts of those who consented and do not only try it out; who saved nothing since `idle_since` and is not through has stopped."""
    mine = sa.and_(_R.study == slug, _R.simulated == simulated, _R.consented_at.is_not(None), sa.not_(_R.test))
    people = connection.execute(
        sa.select(_R.id, _R.outcome, _R.source, _R.consented_at, _R.completed_at, _R.import_id).where(mine)
    )
    outcomes: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    minutes: list[float] = []
    open_still: dict[int, datetime] = {}
    for person in people:
        outcomes[person.outcome or "open"] += 1
        sources[person.source or "link"] += 1
        if person.completed_at and person.import_id is None:
            minutes.append((person.completed_at - person.consented_at).total_seconds() / 60)
        if person.outcome is None:
            open_still[person.id] = person.consented_at
    ids = sa.select(_R.id).where(mine)
    first = sa.union_all(
        sa.select(_A.respondent_id, _A.page.label("step"), _A.seconds, _A.answered_at).where(
            _A.respondent_id.in_(ids), _A.revision == 1
        ),
        sa.select(
            _C.respondent_id,
            (sa.literal("choice task ") + sa.cast(_C.choice_order, sa.String)).label("step"),
            _C.seconds,
            _C.answered_at,
        ).where(_C.respondent_id.in_(ids), _C.revision == 1),
    )
    saved: Counter[str] = Counter()
    seconds: dict[str, list[float]] = defaultdict(list)
    last: dict[int, tuple[datetime, str]] = {person: (at, "consent") for person, at in open_still.items()}
    for row in connection.execute(sa.select(first.subquery())):
        saved[row.step] += 1
        if row.seconds is not None:
            seconds[row.step].append(row.seconds)
        if row.respondent_id in last and row.answered_at >= last[row.respondent_id][0]:
            last[row.respondent_id] = (row.answered_at, row.step)
    stopped = Counter(step for at, step in last.values() if at < idle_since)
    begun = sum(outcomes.values())
    steps = [Reached("consent", begun, stopped["consent"], None)] if begun else []
    steps += [
        Reached(step, saved[step], stopped[step], median(seconds[step]) if seconds[step] else None)
        for step in sorted(saved)
    ]
    return Field(begun, dict(outcomes), dict(sources), median(minutes) if minutes else None, tuple(steps))
