"""Errors as pages: what happened, what it means for the person's answers, what to do.

A form that could not be saved because the database is away comes back with everything that was typed and a button that sends it again.
"""

from __future__ import annotations

import errno
import math
from typing import Any

from flask import Flask, current_app, render_template, request, session
from flask_babel import format_decimal, gettext, ngettext
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from wtp.errors import ErasedError, StoreError
from wtp.web.api import problems
from wtp.web.logs import request_id
from wtp.web.security import MAX_FIELD, LongFieldError

RETRY_SECONDS = 5

_WORDS = {
    400: (_l("This request cannot be read"), _l("Nothing was saved by it. Go back and try again.")),
    403: (_l("Not allowed"), _l("Your account does not have this right.")),
    404: (
        _l("Page not found"),
        _l("The address is not complete, or the page does not exist any more. Check the link that you were given."),
    ),
    405: (_l("This page cannot be used like that"), _l("Open it from the start of the study.")),
    413: (_l("That was too much at once"), _l("Nothing was saved by it. Go back and send less.")),
    414: (_l("This address is too long"), _l("Nothing was saved by it. Go back and choose or type less.")),
    429: (_l("Too many tries"), ""),  # how long to wait is said by `_http`
    500: (
        _l("Something went wrong on our side"),
        _l(
            "What you saved before is kept. Go back and try again; if it happens again, tell the people who invited you."
        ),
    ),
}
_EXPIRED = (
    _l("Your browser did not send what this page needs"),
    _l("Nothing was saved by this step. Allow cookies for this site, go back, load the page again and send it again."),
)
_AWAY = (
    _l("Not saved yet"),
    _l(
        "We cannot save at the moment. Nothing that you typed is lost: it is kept in this page. Wait a moment, then try again."
    ),
)
_ERASED = (
    _l("This personal link is no longer valid"),
    _l(
        "What was stored under it was deleted, or is no longer connected with you. Nothing more is stored under it. To take part again, open the survey in a new window."
    ),
)
_FULL = (
    _l("Nothing was saved: the disk of the server is full"),
    _l("Tell the people who run it. As soon as there is room again, go back and send it again."),
)
_CLOSED = (_l("The service is not available at the moment"), _l("Wait a moment, then load the page again."))


def word(app: Flask) -> None:
    """Give every error of a request its page."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(StoreError, _store)
    app.register_error_handler(ErasedError, _erased)
    app.register_error_handler(OSError, _disk)


def _http(error: HTTPException) -> Response | HTTPException:
    if error.code is None or error.code < 400:
        return error
    if problems.is_api():
        return problems.of_http(error)
    heading, advice = _WORDS.get(error.code, _WORDS[400 if error.code < 500 else 500])
    response = error.get_response()
    if isinstance(error, LongFieldError):
        advice = gettext(
            "Nothing was saved by it. Go back and shorten the text: a field takes at most %(most)s characters.",
            most=format_decimal(MAX_FIELD),
        )
    if error.code == 429:
        seconds = int(response.headers.setdefault("Retry-After", "60"))
        minutes = math.ceil(seconds / 60)
        advice = ngettext("Wait a minute, then try again.", "Wait %(num)s minutes, then try again.", minutes)
    number = request_id() if error.code >= 500 else ""
    response.set_data(_page(heading=heading, advice=advice, number=number))
    return response


def _csrf(_: CSRFError) -> tuple[str, int]:
    return _page(heading=_EXPIRED[0], advice=_EXPIRED[1]), 400


def _erased(_: ErasedError) -> tuple[str, int]:
    for name in [name for name in session if name.startswith("respondent/")]:
        del session[name]  # whoever opens the survey again is somebody new
    return _page(heading=_ERASED[0], advice=_ERASED[1]), 410


def _disk(error: OSError) -> tuple[str, int]:
    """A file that could not be written since the disk is full is said in words; any other such error is a fault."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        raise error
    current_app.logger.error("no space is left on the disk; nothing was saved by this step; free some")
    return _page(heading=_FULL[0], advice=_FULL[1]), 507


def _store(error: StoreError) -> tuple[str, int, dict[str, str]]:
    current_app.logger.error("%s", error)
    again = request.method == "POST" and request.blueprint in {"respond", "contacts"}
    typed = [item for item in request.form.items(multi=True) if item[0] != "csrf_token"] if again else []
    heading, advice = _AWAY if again else _CLOSED
    _ask_nobody()
    page = _page(heading=heading, advice=advice, typed=typed, again=again)
    return page, 503, {"Retry-After": str(RETRY_SECONDS)}


def _page(**words: Any) -> str:
    try:
        return render_template("error.html", **words)
    except StoreError:  # who is logged in stands in a database that is away
        _ask_nobody()
        return render_template("error.html", **words)


def _ask_nobody() -> None:
    """The rest of this request does without knowing who is logged in."""
    current_app.login_manager._update_request_context_with_user()  # type: ignore[attr-defined]
