"""What staff did that matters afterwards: who, when, what, why. Only added to; each entry carries a hash of itself and the one before it.

There is a log a study, which outlives the study, and one of the installation (`INSTALLATION`). The chain shows a changed, removed or inserted entry to whoever checks it;
the database refuses to change or delete one. It holds no answer and no token.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from wtp.errors import DataError
from wtp.store import tables

INSTALLATION = ""
OPENED_EARLY, STATE, DECIDED = "results opened early", "state", "respondents"
IMPORTED, TAKEN_BACK = "answers imported", "import taken back"
MEASURE_ADDED, MEASURE_CHANGED = "measure recorded", "measure changed"
CONTACTS_IMPORTED, CONTACTS_TAKEN_BACK = "contacts imported", "contacts taken back"
LINKED, UNLINKED, FORGOTTEN = "contacts linked", "links dropped", "customer forgotten"
PURCHASES_IMPORTED, PURCHASES_TAKEN_BACK = "purchases imported", "purchases taken back"
ERASED, DELETED = "person erased", "deleted after its time"
BROUGHT_IN, LOOKED_UP = "customers brought in", "customer looked up"
EXPORTED, LINKS_EXPORTED, CONTACTS_EXPORTED = "answers exported", "personal links exported", "contacts exported"
PEOPLE_VIEWED, STUDY_DELETED = "respondents viewed", "study deleted"
LONGEST_REASON = 500
_LOCK = 7_395_062  # any number of our own, for PostgreSQL's locks by name
_A = tables.audit.c


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `number` counts from 1 within the study, `chain` is the SHA-256 of the entry and of the chain before it."""

    number: int
    happened_at: datetime
    who: str
    action: str
    reason: str
    chain: str


def add(connection: sa.Connection, slug: str, action: str, *, who: str, reason: str, now: datetime) -> None:
    """Write one entry behind the last of a study, or of the installation. Raises DataError if the reason is missing or too long."""
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise DataError(
            f"reason: {len(reason)} characters; allowed: 1 to {LONGEST_REASON} of text; say why in a few words."
        )
    if connection.dialect.name == "postgresql":  # until this transaction ends, nobody else writes in this log
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, sa.func.hashtext(slug))))
    query = sa.select(_A.number, _A.chain).where(_A.study == slug).order_by(_A.number.desc()).limit(1)
    last = connection.execute(query).first()
    number, before = (last.number + 1, last.chain) if last else (1, "")
    now = now.replace(microsecond=0)
    chain = _chain(before, slug, number, now, who, action, reason)
    connection.execute(
        sa.insert(tables.audit).values(
            study=slug, number=number, happened_at=now, who=who, action=action, reason=reason, chain=chain
        )
    )


def entries(connection: sa.Connection, slug: str, *, after: int = 0) -> tuple[Entry, ...]:
    """A whole log, or what follows an entry, the oldest first."""
    return tuple(Entry(*row) for row in connection.execute(_query(slug).where(_A.number > after).order_by(_A.number)))


def newest(connection: sa.Connection, slug: str, count: int, *, before: int | None = None) -> tuple[Entry, ...]:
    """The last entries of a log, or those before one of them, the newest first."""
    query = _query(slug) if before is None else _query(slug).where(_A.number < before)
    return tuple(Entry(*row) for row in connection.execute(query.order_by(_A.number.desc()).limit(count)))


def last(connection: sa.Connection, slug: str, actions: Sequence[str]) -> Entry | None:
    """The last entry of one of these actions about the study that has this name now."""
    query = _query(slug).where(_A.action.in_((*actions, STUDY_DELETED))).order_by(_A.number.desc()).limit(1)
    row = connection.execute(query).first()
    return Entry(*row) if row and row.action != STUDY_DELETED else None


def studies(connection: sa.Connection) -> tuple[str, ...]:
    """The names of all studies with a log, also of those that were deleted."""
    names = sa.select(_A.study).where(_A.study != INSTALLATION).distinct().order_by(_A.study)
    return tuple(connection.execute(names).scalars())


def of_this_study(log: Sequence[Entry]) -> tuple[Entry, ...]:
    """What is about the study that has the name now, without an earlier one of that name that was deleted."""
    ends = [place for place, entry in enumerate(log) if entry.action == STUDY_DELETED]
    return tuple(log[ends[-1] + 1 if ends else 0 :])


def _query(slug: str) -> sa.Select[tuple[Any, ...]]:
    return sa.select(_A.number, _A.happened_at, _A.who, _A.action, _A.reason, _A.chain).where(_A.study == slug)


def has(connection: sa.Connection, slug: str, action: str) -> bool:
    """Whether the log of a study has an entry of this action."""
    query = sa.select(_A.number).where(_A.study == slug, _A.action == action).limit(1)
    return connection.execute(query).first() is not None


def first_broken(slug: str, log: Iterable[Entry], *, after: Entry | None = None) -> int | None:
    """Number of the first entry that was changed or does not follow the one before it; None if all is as it was written. after: the entry before the first, which is trusted."""
    before, wanted = (after.chain, after.number + 1) if after else ("", 1)
    for entry in log:
        made = _chain(before, slug, entry.number, entry.happened_at, entry.who, entry.action, entry.reason)
        if entry.number != wanted or entry.chain != made:
            return entry.number
        before, wanted = entry.chain, wanted + 1
    return None


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: number of the first broken entry, None for none, and of the first entry that was looked at."""

    broken: int | None
    since: int


class Checker:
    """Checks logs without beginning each time at their first entry: it remembers the last one that it found good.

    In memory alone, so that nobody can write a place from which to check; a new process begins at the first entry.
    """

    def __init__(self) -> None:
        self._good: dict[str, Entry] = {}

    def check(self, connection: sa.Connection, slug: str, *, whole: bool = False) -> Checked:
        """Check what came since the last time, or all of it: when asked, and when the last good entry is not there as it was, be it changed or before a restore."""
        good = None if whole else self._good.get(slug)
        if good is not None and newest(connection, slug, 1, before=good.number + 1) != (good,):
            good = None
        log = entries(connection, slug, after=good.number if good else 0)
        broken = first_broken(slug, log, after=good)
        if broken is not None:
            self._good.pop(slug, None)
        elif log:
            self._good[slug] = log[-1]
        return Checked(broken, good.number if good else 1)


def _chain(before: str, *parts: Any) -> str:
    text = json.dumps([before, *(p.isoformat() if isinstance(p, datetime) else p for p in parts)])
    return hashlib.sha256(text.encode()).hexdigest()
