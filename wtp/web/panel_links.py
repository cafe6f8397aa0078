"""Links from a panel into a survey, and the way back: who comes is known by the panel's signature, who goes carries ours."""

from __future__ import annotations

from flask import current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as Reply

from wtp.store import panel_keys, respondents
from wtp.survey.panel import Panel
from wtp.web import entry, running
from wtp.web.panel import back_to_panel, panel_id, signed, wrong_with
from wtp.web.security import allow_frames
from wtp.web.visit import Visit


def taken(slug: str) -> ResponseReturnValue | None:
    """Where the study asks for signed links: take who comes by one for the panel's respondent, in whatever browser; the page of a link that does not count.

    Of a refused link nothing is kept, not even in the session. An old link still leads on whoever came by it in this browser.
    """
    asked = entry.survey(slug)
    panel = asked.definition.panel
    if panel is None or not panel.check_links:
        return None
    if request.args.keys().isdisjoint({panel.parameter, panel.signature, panel.time_stamp}):
        return None
    named = panel_id(request.args.get(panel.parameter, ""))
    with running.database().look() as connection:
        keys = [key.key for key in panel_keys.valid(connection, slug, secret=running.secret(), now=entry.now())]
    wrong = wrong_with(_asked_for(slug), panel, keys, entry.now())
    token = respondents.panel_token(running.secret(), slug, named or "")
    here = session.get(entry.token_key(slug)) == token
    if named is None or wrong == "signature" or (wrong == "expired" and not here):
        allow_frames(asked.definition.embed_in)
        return entry.closed(entry.nobody(asked), wrong or "signature")
    if not here:
        session.pop(entry.back_key(slug), None)
    session[entry.token_key(slug)], session[entry.panel_key(slug)] = token, named
    return None


def to_panel(slug: str) -> Reply:
    """On to the panel's address, signed at the moment of the click: however long the last page stood open, the time stamp is fresh."""
    if entry.is_cut(slug):
        address, panel = session.get(entry.back_key(slug)), entry.survey(slug).definition.panel
    else:
        visit = entry.visit(slug)
        address, panel = back(visit), panel_of(visit)
    if address is None:
        return redirect(url_for("respond.start", slug=slug), 303)
    if panel is None or not panel.sign_back:
        return redirect(address, 303)
    return redirect(signed(address, panel, _panel_key(slug), entry.now()), 303)


def panel_of(person: Visit) -> Panel | None:
    """The panel as the study says it now, also for who began with an earlier version; that one's where there is none now."""
    return entry.survey(person.slug).definition.panel or person.definition.panel


def back(visit: Visit) -> str | None:
    """The panel's address for this respondent and outcome, not signed; none for who only tries the study out or is simulated, so that no complete is claimed that is none."""
    person, panel = visit.interview, panel_of(visit)
    if person is None or person.panel_id is None or person.outcome is None or panel is None:
        return None
    return None if visit.test or person.simulated else back_to_panel(panel, person.outcome, person.panel_id)


def button(slug: str, visit: Visit | None = None) -> str | None:
    """Where the way back to the panel leads: to its address, or where that is signed when it is clicked. visit: None for whose answers were cut off."""
    address = session.get(entry.back_key(slug)) if visit is None else back(visit)
    panel = entry.survey(slug).definition.panel if visit is None else panel_of(visit)
    return url_for("respond.to_panel", slug=slug) if address and panel and panel.sign_back else address


def _panel_key(slug: str) -> str:
    """The key that signs; a study that has none gets its first one now, for the panel to be given."""
    with running.database().look() as connection:
        key = panel_keys.current(connection, slug, secret=running.secret())
    if key is None:
        with running.database().begin() as connection:
            key = panel_keys.first(connection, slug, secret=running.secret(), who="wtp", now=entry.now())
    return key.key


def _asked_for(slug: str) -> bytes:
    """The address that was asked for, as people reach it, whatever host the request names."""
    base: str = current_app.extensions["wtp_settings"].base_url
    return base.rstrip("/").encode() + url_for("respond.start", slug=slug).encode() + b"?" + request.query_string
