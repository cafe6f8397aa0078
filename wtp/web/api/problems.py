"""Errors for programs: `application/problem+json` (RFC 9457), with the place, what was found, what is allowed and what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from flask import Response, request
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import HTTPException

from wtp.errors import StoreError, WtpError

PREFIX = "/api/v1"
RETRY_SECONDS = 5
# kind -> (status, title): the kinds are stable, programs may rely on them.
KINDS: Mapping[str, tuple[int, Any]] = {
    "parameter": (400, _l("A parameter cannot be used")),
    "body": (400, _l("The body cannot be read")),
    "token": (401, _l("A valid token is needed")),
    "scope": (403, _l("The token does not allow this")),
    "closed": (403, _l("Results are closed by the stopping rule")),
    "not-found": (404, _l("There is no such thing, or the token does not see it")),
    "method": (405, _l("The address does not know this method")),
    "media": (406, _l("No such format")),
    "too-large": (413, _l("The body is too large")),
    "media-type": (415, _l("The body is not JSON")),
    "value": (422, _l("A value cannot be used")),
    "too-many": (429, _l("Too many requests")),
    "fault": (500, _l("Something went wrong on our side")),
    "database": (503, _l("The database is away")),
}
_IN_WORDS = re.compile(
    r"(?P<place>[^:]{1,200}): (?P<found>.+?); allowed: (?P<allowed>.+); (?P<remedy>[^;]+)", re.DOTALL
)
_OF_STATUS = {400: "body", 404: "not-found", 405: "method", 413: "too-large", 415: "media-type", 429: "too-many"}
_REMEDIES = {
    "body": "send JSON as the document at /api/v1/openapi.json describes it",
    "not-found": "list what there is at /api/v1/studies",
    "method": "look the method up in /api/v1/openapi.json",
    "too-large": "send less",
    "too-many": "wait a minute, then go on more slowly",
    "fault": "try again; if it happens again, tell whoever runs this server",
}


class ProblemError(WtpError):
    """What a program asked for cannot be given, and why."""

    def __init__(
        self,
        kind: str,
        *,
        place: str,
        found: str,
        allowed: str,
        remedy: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{place}: {found}; allowed: {allowed}; {remedy}")
        self.kind = kind
        self.parts = {"place": place, "found": found, "allowed": allowed, "remedy": remedy}
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The error as it is sent."""
        return _response(self.kind, str(self), self.parts, self.headers)


def is_api() -> bool:
    """Whether the request that is being answered came for the API, whatever its address."""
    return request.path.startswith(f"{PREFIX}/") and request.path != f"{PREFIX}/"


def of_error(error: WtpError) -> Response:
    """An error that a person can mend; our errors name their four parts themselves."""
    if isinstance(error, ProblemError):
        return error.response()
    if isinstance(error, StoreError):
        return _response("database", str(error), _split(str(error)), {"Retry-After": str(RETRY_SECONDS)})
    return _response("value", str(error), _split(str(error)), {})


def of_http(error: HTTPException) -> Response:
    """An error of Flask, such as an address that is not there."""
    status = error.code or 500
    kind = _OF_STATUS.get(status, "body" if status < 500 else "fault")
    parts = {
        "place": request.path,
        "found": request.method,
        "allowed": ", ".join(sorted(getattr(error, "valid_methods", None) or [])) or "see /api/v1/openapi.json",
        "remedy": _REMEDIES.get(kind, "look it up in /api/v1/openapi.json"),
    }
    headers = {"Retry-After": str(getattr(error, "retry_after", None) or 60)} if kind == "too-many" else {}
    if methods := getattr(error, "valid_methods", None):
        headers["Allow"] = ", ".join(sorted(methods))
    return _response(kind, f"{KINDS[kind][1]}. {parts['remedy'].capitalize()}.", parts, headers)


def _split(text: str) -> dict[str, str]:
    found = _IN_WORDS.fullmatch(text.rstrip("."))
    return found.groupdict() if found else {}


def _response(kind: str, detail: str, parts: Mapping[str, str], headers: Mapping[str, str]) -> Response:
    status, title = KINDS[kind]
    content = {"type": f"{PREFIX}/#problem-{kind}", "title": str(title), "status": status, "detail": detail, **parts}
    body = json.dumps(content, ensure_ascii=False) + "\n"
    return Response(body, status=status, mimetype="application/problem+json", headers=dict(headers))
