"""Who is left out of results: a person's decision about a respondent, with its reason. Only added to; the last one about a respondent counts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from wtp.errors import DataError
from wtp.store import tables

KEEP, LEAVE_OUT, UNDECIDED = "keep", "leave_out", "undecided"
DECISIONS = (KEEP, LEAVE_OUT, UNDECIDED)
LONGEST_REASON = 500
_D, _R = tables.decision.c, tables.respondent.c


@dataclass(frozen=True, slots=True)
class Decision:
    """keep, leave_out, or undecided (an earlier one was taken back), about the respondent of this number."""

    respondent: int
    decision: str
    reason: str
    made_by: str
    made_at: datetime


def decide(
    connection: sa.Connection,
    slug: str,
    numbers: Collection[int],
    decision: str,
    *,
    reason: str,
    made_by: str,
    now: datetime,
) -> None:
    """Add one decision about each of these respondents of a study.

    Raises DataError for an unknown decision, a respondent who is not in the study, or if a reason is missing where one keeps or leaves out.
    """
    if decision not in DECISIONS:
        raise DataError(f"decision {decision!r}; allowed: {', '.join(DECISIONS)}; choose one of these.")
    reason = " ".join(reason.split())
    if decision != UNDECIDED and not reason:
        raise DataError("reason: missing; allowed: a few words on why; write them.")
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise DataError(f"reason: {len(reason)} characters; allowed: at most {LONGEST_REASON} of text; shorten it.")
    query = sa.select(_R.id, _R.number).where(_R.study == slug, _R.number.in_(set(numbers)))
    found = {row.number: row.id for row in connection.execute(query)}
    if missing := sorted(set(numbers) - found.keys()):
        raise DataError(f"respondent {missing[0]}: not in {slug}; allowed: numbers of its respondents; look again.")
    rows = [
        {"respondent_id": found[n], "decision": decision, "reason": reason, "made_by": made_by, "made_at": now}
        for n in sorted(found)
    ]
    if rows:
        connection.execute(sa.insert(tables.decision), rows)


def history(connection: sa.Connection, slug: str) -> tuple[Decision, ...]:
    """Every decision ever made in a study, the oldest first."""
    query = (
        sa.select(_R.number, _D.decision, _D.reason, _D.made_by, _D.made_at)
        .join_from(tables.decision, tables.respondent, _D.respondent_id == _R.id)
        .where(_R.study == slug)
        .order_by(_D.id)
    )
    return tuple(Decision(*row) for row in connection.execute(query))


def current(connection: sa.Connection, slug: str) -> dict[int, Decision]:
    """The decision that counts, by respondent; those who are undecided again are not in it."""
    last = {made.respondent: made for made in history(connection, slug)}
    return {number: made for number, made in last.items() if made.decision != UNDECIDED}


def left_out(connection: sa.Connection, slug: str) -> tuple[int, ...]:
    """Numbers of the respondents whom a person left out."""
    return tuple(sorted(n for n, made in current(connection, slug).items() if made.decision == LEAVE_OUT))
