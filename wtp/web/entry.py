"""Who is at the door of a survey: from the session to the visit, and who is sent elsewhere.

A respondent is known by the personal token alone, which is kept in the signed session cookie.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime

from flask import abort, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from wtp.store import respondents, tombstones
from wtp.store.answers import Current
from wtp.survey import Survey, steps
from wtp.web.running import database, secret, survey_of
from wtp.web.security import allow_frames
from wtp.web.visit import Visit, load


def visit(slug: str) -> Visit:
    """The visit of the one who asks for this page; somebody new gets a token, of which nothing is stored before consent. Raises ErasedError for whose data were deleted."""
    with database().look() as connection:
        return _visit(connection, slug)


def visit_to_save(connection: Connection, slug: str) -> Visit:
    """The same for who saves: until the transaction ends, nobody else does for the same respondent."""
    return _visit(connection, slug, locked=True)


def _visit(connection: Connection, slug: str, *, locked: bool = False) -> Visit:
    asked = survey(slug)
    allow_frames(asked.definition.embed_in)
    token = session.get(token_key(slug))
    if token is None:
        token = session[token_key(slug)] = respondents.new_token()
    found = load(connection, asked, token, locked=locked)
    if found.interview is None:
        refuse_erased(connection, slug, token)
    return found


def refuse_erased(connection: Connection, slug: str, token: str) -> None:
    """Send whose answers were cut off to the last page. Raises ErasedError for whose data were deleted."""
    kind = tombstones.kind_of(connection, respondents.token_hash(slug, token))
    if kind == tombstones.CUT:
        session[token_key(slug)] = token
        abort(redirect(url_for("respond.done", slug=slug), 303))
    if kind is not None:
        raise tombstones.gone()


def elsewhere(person: Visit, connection: Connection | None = None) -> ResponseReturnValue | None:
    """For whom the interview ended early, its end; the page of a study that is paused, closed or wants another link; None to go on. connection: of who is in a transaction already, and so takes no second one."""
    if person.ending:
        return redirect(url_for("respond.end", slug=person.slug), 303)
    state = "open" if person.test else person.state
    if person.completed or (state != "closed" and person.begun):
        return None
    named, again = named_by_panel(person), False
    if named is not None and not person.begun:
        mark = respondents.panel_mark(secret(), person.slug, named)
        with nullcontext(connection) if connection else database().read() as reading:
            again = respondents.panel_known(reading, person.slug, named, person.token, mark)
    panel = person.definition.panel
    reason = state if state != "open" else "again" if again else ""
    own = person.test or person.interview is not None  # somebody with a personal link
    if not reason and panel and panel.required and not named and not own:
        reason = "panel"
    return closed(person, reason) if reason else None


def closed(person: Visit, reason: str, *, back: str | None = None) -> ResponseReturnValue:
    """The page of who cannot take part, and why; back: the way to the panel."""
    return render_template("respond/closed.html", visit=person, reason=reason, back=back), 403


def is_cut(slug: str) -> bool:
    """Whether the answers of who asks were cut off from the person."""
    key = respondents.token_hash(slug, session.get(token_key(slug), ""))
    with database().read() as connection:
        return tombstones.kind_of(connection, key) == tombstones.CUT


def cut_visit(slug: str) -> Visit:
    """The visit of whose answers were cut off: nobody knows any more which they are."""
    return nobody(survey(slug), session.get(token_key(slug), ""))


def named_by_panel(person: Visit) -> str | None:
    """What the panel calls this respondent, or None; where links are checked, a signed one alone says so."""
    named: str | None = session.get(panel_key(person.slug))
    panel = person.definition.panel
    if named is None or (person.interview is not None and person.interview.simulated):
        return None
    if panel and panel.check_links and person.token != respondents.panel_token(secret(), person.slug, named):
        return None
    return named


def nobody(asked: Survey, token: str = "") -> Visit:
    """The visit of somebody of whom nothing is known."""
    return Visit(asked.slug, token, asked.definition, steps(asked.definition), None, Current({}, {}))


def survey(slug: str) -> Survey:
    """The survey at this address, or 404; one without a design asks nobody yet."""
    found = survey_of(slug)
    if found.design is None:
        abort(404)
    return found


def token_key(slug: str) -> str:
    """Where the session keeps the personal token of a survey."""
    return f"respondent/{slug}"


def panel_key(slug: str) -> str:
    """Where the session keeps what the panel calls its respondent."""
    return f"panel/{slug}"


def back_key(slug: str) -> str:
    """Where the session keeps the way back to the panel, once nothing else knows it."""
    return f"back/{slug}"


def now() -> datetime:
    """The server's time, which alone counts."""
    return datetime.now(UTC)
