"""Test links: whoever opens one answers the study as it is in use, marked as a test on every page; nothing of it counts, and one click deletes it."""

from __future__ import annotations

import base64
import hashlib
import hmac

from flask import Blueprint, abort, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from wtp.store import deletion, respondents
from wtp.web import attempts
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.i18n import text as said
from wtp.web.running import database, surveys
from wtp.web.workbench.desk import blueprint, desk_of, page
from wtp.web.workbench.preview import end_page, ends_of

entry = Blueprint("tryout", __name__)


@blueprint.get("/<slug>/tests")
@requires(*ANALYSTS)
def tests(slug: str) -> str:
    """The test link, and how many tests there are."""
    desk = desk_of(slug)
    if desk.survey is None:
        abort(404)
    base = current_app.extensions["wtp_settings"].base_url.rstrip("/")
    with database().read() as connection:
        counts = respondents.counts(connection, slug)
    address = base + url_for("tryout.begin", slug=slug, key=_key(slug))
    ends = [(f"{address}?end={name}", said(title)) for name, title in ends_of(desk.survey.definition).items()]
    return page("tests", desk, here="tests", link=address, ends=ends, counts=counts)


@blueprint.post("/<slug>/tests")
@requires(*ANALYSTS)
def delete_tests(slug: str) -> ResponseReturnValue:
    """Delete all answers of tests."""
    desk = desk_of(slug)
    with database().begin() as connection:
        deletion.delete_tests(connection, desk.slug)
    return redirect(url_for(".tests", slug=slug) if desk.survey else url_for(".overview", slug=slug), 303)


@entry.get("/s/<slug>/t/<key>")
def begin(slug: str, key: str) -> ResponseReturnValue:
    """A new test interview; the mark is in the personal token, so that it cannot get lost on the way. `end` names an end to look at instead."""
    survey = surveys().get(slug)
    if survey is None or survey.design is None or not hmac.compare_digest(key.encode(), _key(slug).encode()):
        attempts.nothing_there()
    if "end" in request.args:
        if request.args["end"] not in ends_of(survey.definition):
            abort(404)
        return end_page(slug, survey.definition, request.args["end"])
    session[f"respondent/{slug}"] = respondents.new_token(test=True)
    session.pop(f"panel/{slug}", None)
    return redirect(url_for("respond.start", slug=slug), 303)


def _key(slug: str) -> str:
    secret = current_app.secret_key or b""
    secret = secret.encode() if isinstance(secret, str) else secret
    return base64.urlsafe_b64encode(hmac.new(secret, f"test\0{slug}".encode(), hashlib.sha256).digest()[:18]).decode()
