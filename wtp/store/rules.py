"""What stands against more answers: a study that is paused or closed, and an interview that ended. Whatever stores answers passes here, by a page, a draft, an import or a command; full quotas are in `quotas`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from wtp.errors import RefusedError
from wtp.store import tables

if TYPE_CHECKING:
    from wtp.store.answers import Standing

_STATE = (
    sa.select(tables.study.c.state).where(tables.study.c.slug == sa.bindparam("slug")).with_for_update(of=tables.study)
)


def locked_state(connection: sa.Connection, slug: str) -> str:
    """The state of a study, which nobody changes until the transaction ends; SQLite's writers wait anyway."""
    return str(connection.execute(_STATE, {"slug": slug}).scalar_one_or_none() or "open")


def new_interview(slug: str, state: str, *, test: bool) -> None:
    """Raises RefusedError where nobody begins any more; who only tries the study out always may."""
    if state != "open" and not test:
        raise RefusedError(state, f"study {slug}: {state}, so that nobody begins; nothing was stored; allowed: an open study; open it on its page Field.")  # fmt: skip


def more_answers(standing: Standing) -> None:
    """Raises RefusedError for an interview that ended or whose study is closed."""
    if standing.outcome is not None:
        raise RefusedError("ended", f"interview: {standing.outcome} already; nothing was stored; allowed: one that has not ended; open the survey again.")  # fmt: skip
    if standing.study_state == "closed" and not standing.test:
        raise RefusedError("closed", "study: closed, so that nobody answers any more; nothing was stored; allowed: a study that is not closed; open it on its page Field.")  # fmt: skip


def imported(slug: str, state: str) -> None:
    """Raises RefusedError where a study is closed: its results were opened for what was answered until then."""
    if state == "closed":
        raise RefusedError(state, f"study {slug}: closed; nothing was added; allowed: a study that is not closed; open it on its page Field, and import again.")  # fmt: skip
