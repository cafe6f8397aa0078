"""Start an analysis and ask how far it is. The quick one is made at once; final ones in the background, see `final.py`."""

from __future__ import annotations

from flask import Response, url_for

from wtp.analysis import CONDITIONAL, Analysis, Request
from wtp.jobs import keys_of
from wtp.store import results
from wtp.store.api_tokens import ANSWERS, ApiToken
from wtp.survey import Survey
from wtp.web import running
from wtp.web.analyses import analysis_as, without
from wtp.web.api import final, shapes
from wtp.web.api.access import not_there, survey_of
from wtp.web.api.figures import facts_of, refuse_few
from wtp.web.api.problems import ProblemError
from wtp.web.api.replies import as_json
from wtp.web.few import may_see

_SECONDS_TO_WAIT = 5


def start_analysis(token: ApiToken, _query: shapes.Nothing, slug: str, body: shapes.Start) -> Response:
    """Make it, or start it; one that is there already is found."""
    survey, database = survey_of(token, slug), running.database()
    models = (CONDITIONAL, *final.MODELS)
    if body.model not in models:
        raise ProblemError(
            "value", place="model", found=body.model[:80], allowed=", ".join(models), remedy="choose one of them"
        )
    left_out = without(database, survey, body.without)
    refuse_few(ANSWERS in token.scopes or may_see(database, survey, left_out, body.versions))
    request = Request(seed=body.seed, model=body.model, versions=body.versions, without=left_out)
    with database.read() as connection:
        key, _basis = keys_of(connection, survey, request)
        there = results.of_study(connection, slug, key)
    if there:
        return as_json(_done(survey, key, Analysis.from_json(there)))
    headers = {"Location": url_for("api.get_analysis", slug=slug, analysis=key)}
    if body.model == CONDITIONAL:
        return as_json(_done(survey, key, analysis_as(database, survey, request)), 201, headers)
    job = final.start(survey, request, started_by=f"{token.made_by} ({token.name})")
    return as_json(_under_way(survey, key, job), 202, headers | {"Retry-After": str(_SECONDS_TO_WAIT)})


def get_analysis(token: ApiToken, _query: shapes.Nothing, slug: str, analysis: str) -> Response:
    """How far it is."""
    survey = survey_of(token, slug)
    with running.database().read() as connection:
        there = results.of_study(connection, slug, analysis)
    if there:
        return as_json(_done(survey, analysis, Analysis.from_json(there)))
    if job := final.state(survey, analysis):
        return as_json(_under_way(survey, analysis, job))
    not_there("analysis", analysis)


def _done(survey: Survey, key: str, analysis: Analysis) -> shapes.Analysis:
    return shapes.Analysis(
        analysis=key,
        study=survey.slug,
        state="done",
        url=url_for("api.get_analysis", slug=survey.slug, analysis=key),
        tables=url_for("api.list_tables", slug=survey.slug, analysis=key),
        facts=facts_of(survey, analysis),
    )


def _under_way(survey: Survey, key: str, job: final.Job) -> shapes.Analysis:
    return shapes.Analysis(
        analysis=key,
        study=survey.slug,
        state=job.state,
        url=url_for("api.get_analysis", slug=survey.slug, analysis=key),
        progress=dict(job.progress) if job.progress else None,
        reason=job.reason,
    )
