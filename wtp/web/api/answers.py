"""What respondents answered, for programs whose token may read it: a row a respondent, and a row an alternative shown."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Response

from wtp import __version__
from wtp.export.frames import AnswerFrames
from wtp.store import answers, audit, decisions
from wtp.store.api_tokens import ApiToken
from wtp.web import running
from wtp.web.api import shapes
from wtp.web.api.access import survey_of
from wtp.web.api.replies import CSV, columns_of, format_asked, send_rows, tag_of, unchanged

_LONGEST_NAME = 120


def get_respondents(token: ApiToken, query: shapes.Part, slug: str) -> Response:
    """A row a respondent, with a column an answer."""
    return _rows(token, query, slug, "respondents", format_asked())


def get_respondents_csv(token: ApiToken, query: shapes.Part, slug: str) -> Response:
    """The same as CSV."""
    return _rows(token, query, slug, "respondents", CSV)


def get_choices(token: ApiToken, query: shapes.Part, slug: str) -> Response:
    """A row an alternative that was shown, as `wtp estimate` reads them."""
    return _rows(token, query, slug, "choices", format_asked())


def get_choices_csv(token: ApiToken, query: shapes.Part, slug: str) -> Response:
    """The same as CSV."""
    return _rows(token, query, slug, "choices", CSV)


def _rows(token: ApiToken, query: shapes.Part, slug: str, table: str, form: str) -> Response:
    """Answers are no results, so they do not wait for the stopping rule."""
    survey = survey_of(token, slug)
    with running.database().read() as connection:
        left_out = decisions.left_out(connection, slug)
        state = answers.state(connection, slug)
        tag = tag_of(slug, survey.definition.fingerprint, __version__, state, left_out, table, form, query)
        if reply := unchanged(tag):
            return reply
        found = answers.read_answers(connection, slug)
    now, who, reason = datetime.now(UTC), f"{token.made_by} ({token.name})", f"{table}, by the token {token.mark}"
    with running.database().begin() as connection:
        audit.add(connection, slug, audit.EXPORTED, who=who[:_LONGEST_NAME], reason=reason, now=now)
    frame = AnswerFrames(survey.definition, left_out).table(table, found.respondents)
    about = {
        "study": slug,
        "table": table,
        "simulated_respondents": found.simulated,
        "columns": columns_of(survey.definition, table, list(frame.columns)),
    }
    simulated = "-simulated" if found.simulated else ""
    return send_rows(frame, query, form, about, tag=tag, name=f"{slug}-{table}{simulated}")
