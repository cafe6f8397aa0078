"""Drafts: what stands on a page that is not confirmed yet, as it was typed, so that the page opens with it again, on any device.

A draft is no answer: nothing counts it, checks it or analyses it. It belongs to the revision of the page that it was typed over (0 before the first),
never changes a confirmed page, and goes when its page is confirmed or the interview ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from wtp.errors import DataError
from wtp.store import answers, tables

Fields = Mapping[str, Sequence[str]]
LONGEST = 100_000
_D = tables.page_draft.c
_MINE = _D.respondent_id == sa.bindparam("person")
_OF = sa.select(_D.page, _D.revision, _D.fields).where(_MINE)
_DROP_ALL = sa.delete(tables.page_draft).where(_MINE)
_DROP = _DROP_ALL.where(_D.page == sa.bindparam("page"))


@dataclass(frozen=True, slots=True)
class Draft:
    """Fields of a page by name, as typed, and the revision of the page that they were typed over."""

    revision: int
    fields: Fields


def keep(
    connection: sa.Connection,
    respondent_id: int,
    page: str,
    fields: Fields,
    *,
    revision: int,
    now: datetime,
    sender: str = "",
    number: int = 0,
) -> None:
    """Lay these fields over the draft of a page; call it while nobody else saves for the respondent (`progress.locked`, `answers.lock`), after the page's current revision was compared; `rules.more_answers` comes first.

    A sender (one open window) counts what it sends: what arrives after something newer of the same sender is left out. Raises DataError for text that no database
    can hold, or more than LONGEST characters a page.
    """
    answers.check_content(page, fields)
    mine = (_D.respondent_id == respondent_id) & (_D.page == page)
    before = connection.execute(sa.select(tables.page_draft).where(mine)).first()
    if before and sender and before.sender == sender and number <= before.number:
        return
    over = before.fields if before and before.revision == revision else {}
    merged = {**over, **{name: list(values) for name, values in fields.items()}}
    size = sum(len(value) for values in merged.values() for value in values)
    if size > LONGEST:
        raise DataError(f"page {page}: a draft of {size} characters; allowed: {LONGEST}; shorten the text.")
    values = {"revision": revision, "fields": merged, "sender": sender, "number": number, "saved_at": now}
    if before:
        connection.execute(sa.update(tables.page_draft).where(mine).values(**values))
    else:
        connection.execute(sa.insert(tables.page_draft).values(respondent_id=respondent_id, page=page, **values))


def drop(connection: sa.Connection, respondent_id: int, page: str | None = None) -> None:
    """Forget the draft of a page that was confirmed; without a page, all drafts of an interview that ended."""
    if page is None:
        connection.execute(_DROP_ALL, {"person": respondent_id})
    else:
        connection.execute(_DROP, {"person": respondent_id, "page": page})


def of(connection: sa.Connection, respondent_id: int) -> dict[str, Draft]:
    """The drafts of one respondent, by page."""
    return {row.page: Draft(row.revision, row.fields) for row in connection.execute(_OF, {"person": respondent_id})}
