"""Figures that differ from others by a few persons: refused on the pages to whom single answers are not open anyway."""

from __future__ import annotations

from flask import abort, make_response, render_template
from flask_login import current_user

from wtp.analysis import Request
from wtp.survey import Survey
from wtp.web import running
from wtp.web.accounts import ANALYSTS
from wtp.web.analyses import may_see
from wtp.web.i18n import text


def refuse_few(survey: Survey, made: Request) -> None:
    """Answer 403 with the page that says why, where figures made so would tell of a few persons beside the usual ones."""
    if current_user.role in ANALYSTS or may_see(running.database(), survey, made.without, made.versions):
        return
    page = render_template("results/too_few.html", slug=survey.slug, study=text(survey.definition.title))
    abort(make_response(page, 403))
