"""Who asks: a token in the Authorization header, and nothing else. Cookies and addresses carry no rights here."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import NoReturn

from flask import g, request
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import TooManyRequests

from wtp.errors import StoreError
from wtp.store import api_tokens
from wtp.store.api_tokens import ApiToken
from wtp.survey import Survey
from wtp.web import attempts, running
from wtp.web.api.problems import ProblemError
from wtp.web.stopping import gate_of

_BEARER = "Bearer "


def token() -> ApiToken | None:
    """The token of this request if it is valid; looked up once."""
    if "api_token" not in g:
        g.api_token = _found()
    found: ApiToken | None = g.api_token
    return found


def _found() -> ApiToken | None:
    given = request.headers.get("Authorization", "")
    if not given.startswith(_BEARER):
        return None
    now, database = datetime.now(UTC), running.database()
    with database.read() as connection:
        found = api_tokens.find(connection, given[len(_BEARER) :].strip(), now)
    if found and api_tokens.use_is_old(found, now):
        with suppress(StoreError), database.begin() as connection:
            api_tokens.note_use(connection, found, now)
    return found


def caller() -> str:
    """Key of the rate limit: the token, or the address of whoever has none."""
    found = token()
    return f"api token {found.mark}" if found else f"api {get_remote_address()}"


def required(scope: str) -> ApiToken:
    """The token, if it allows this. Unknown, expired and revoked tokens read alike, and who guesses slows down."""
    found = token()
    if found is None:
        if wait := attempts.guessed():
            raise TooManyRequests(retry_after=wait)
        raise ProblemError(
            "token",
            place="header Authorization",
            found="no valid token" if "Authorization" in request.headers else "no token",
            allowed="Bearer and a token that is neither expired nor revoked",
            remedy="make one on the page /manage/tokens or by wtp token add",
            headers={"WWW-Authenticate": 'Bearer realm="wtp"'},
        )
    if scope and scope not in found.scopes:
        raise ProblemError(
            "scope",
            place="token",
            found=f"scopes {', '.join(found.scopes)}",
            allowed=f"a token with the scope {scope}",
            remedy="make one that has it",
            headers={"WWW-Authenticate": f'Bearer realm="wtp", error="insufficient_scope", scope="{scope}"'},
        )
    return found


def survey_of(token: ApiToken, slug: str) -> Survey:
    """A study that the token sees; one that it does not see reads like one that is not there."""
    survey = running.surveys().get(slug) if token.may_see(slug) else None
    return survey or not_there("study", slug)


def not_there(what: str, name: str) -> NoReturn:
    """Say that something is not there."""
    raise ProblemError(
        "not-found",
        place=what,
        found=name[:80],
        allowed="what the lists of the API name",
        remedy="look at the list",
    )


def refuse_while_closed(survey: Survey) -> None:
    """Until the stopping rule is met, or an analyst opens the results early, programs see no more than pages do."""
    gate = gate_of(running.database(), survey)
    if gate.is_open:
        return
    wanted = []
    if gate.wanted_people is not None:
        wanted.append(f"{gate.wanted_people} people who completed")
    if gate.wanted_half_width is not None:
        wanted.append(f"every price upper limit known to {gate.wanted_half_width:g} {survey.definition.currency}")
    raise ProblemError(
        "closed",
        place=f"study {survey.slug}",
        found=f"{gate.people} people completed",
        allowed=" and ".join(wanted),
        remedy="wait, or let an analyst open the results early with a reason",
    )
