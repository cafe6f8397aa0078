"""The tables of a study's analysis: what the pages show, to the last digit."""

from __future__ import annotations

from flask import Response, url_for

from wtp import __version__
from wtp.analysis import ALL, CONDITIONAL, Analysis
from wtp.store.api_tokens import ApiToken
from wtp.survey import Survey
from wtp.web import running
from wtp.web.analyses import analysis_of
from wtp.web.api import shapes
from wtp.web.api.access import not_there, refuse_while_closed, survey_of
from wtp.web.api.problems import ProblemError
from wtp.web.api.replies import CSV, as_json, columns_of, format_asked, send_rows, tag_of, unchanged
from wtp.web.verdicts import note_text


def list_tables(token: ApiToken, query: shapes.Which, slug: str) -> Response:
    """The tables that there are now."""
    survey = survey_of(token, slug)
    refuse_while_closed(survey)
    analysis = analysis_of(running.database(), survey, query.without, query.versions)
    lines = [
        shapes.TableLine(
            table=name,
            columns=list(map(str, frame.columns)),
            rows=len(frame),
            url=url_for("api.get_table", slug=slug, table=name),
        )
        for name, frame in analysis.tables.items()
    ]
    notes = [
        shapes.Remark(severity=n.severity, segment=n.segment, text=note_text(n.template, **n.values))
        for n in analysis.notes
    ]
    facts = facts_of(survey, analysis, query.without)
    return as_json(shapes.TableList(study=slug, analysis=facts, notes=notes, tables=lines))


def get_table(token: ApiToken, query: shapes.TablePart, slug: str, table: str) -> Response:
    """One table as JSON or CSV."""
    return _table(token, query, slug, table, format_asked())


def get_table_csv(token: ApiToken, query: shapes.TablePart, slug: str, table: str) -> Response:
    """One table as CSV."""
    return _table(token, query, slug, table, CSV)


def facts_of(survey: Survey, analysis: Analysis, without: shapes.Whose | None) -> shapes.AnalysisFacts:
    """What figures rest on. without: the set that was asked for, None for one that cannot be asked for any more."""
    asked = analysis.request
    everybody = analysis.table("segments", ALL)
    estimator = str(everybody.iloc[0]["estimator"]) if "estimator" in everybody and len(everybody) else CONDITIONAL
    return shapes.AnalysisFacts(
        fingerprint=asked.fingerprint(survey.definition.fingerprint, analysis.answers_hash, __version__),
        estimator=estimator,
        definition=analysis.definition_hash,
        answers=analysis.answers_hash,
        respondents=analysis.respondents,
        completed=analysis.completed,
        simulated_respondents=analysis.simulated,
        left_out_respondents=len(asked.without),
        confidence=asked.confidence,
        currency=analysis.currency,
        seed=asked.seed,
        without=without,
        versions=asked.versions,
    )


def _table(token: ApiToken, query: shapes.TablePart, slug: str, table: str, form: str) -> Response:
    survey = survey_of(token, slug)
    refuse_while_closed(survey)
    analysis = analysis_of(running.database(), survey, query.without, query.versions)
    if table not in analysis.tables:
        not_there("table", table)
    facts = facts_of(survey, analysis, query.without)
    tag = tag_of(facts.fingerprint, facts.estimator, table, form, query)
    if reply := unchanged(tag):
        return reply
    frame = analysis.tables[table]
    if query.segment is not None:
        names = [ALL, *(segment.id for segment in survey.definition.segments)]
        if "segment" not in frame or query.segment not in names:
            raise ProblemError(
                "parameter",
                place="segment",
                found=query.segment,
                allowed=", ".join(names) if "segment" in frame else f"no segment, since {table} has none",
                remedy="leave it out or name one of them",
            )
        frame = frame[frame["segment"] == query.segment]
    frame = frame.assign(left_out_respondents=facts.left_out_respondents, simulated_respondents=analysis.simulated)
    about = {
        "study": slug,
        "table": table,
        "analysis": facts.model_dump(mode="json"),
        "columns": columns_of(survey.definition, "results", list(map(str, frame.columns))),
    }
    simulated = "-simulated" if analysis.simulated else ""
    return send_rows(frame, query, form, about, tag=tag, name=f"{slug}-{table}{simulated}")
