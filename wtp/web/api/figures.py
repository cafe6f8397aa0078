"""The tables of a study's analysis: what the pages show, to the last digit."""

from __future__ import annotations

import pandas as pd
from flask import Response, url_for

from wtp import __version__
from wtp.analysis import ALL, CONDITIONAL, SAME_CHOICES, Analysis
from wtp.store import results
from wtp.store.api_tokens import ANSWERS, ApiToken
from wtp.survey import Survey
from wtp.web import running
from wtp.web.analyses import LEFT_OUT, analysis_of, without
from wtp.web.api import shapes
from wtp.web.api.access import not_there, refuse_while_closed, survey_of
from wtp.web.api.problems import ProblemError
from wtp.web.api.replies import CSV, as_json, columns_of, format_asked, send_rows, tag_of, unchanged
from wtp.web.few import last_told, may_see, may_see_kept
from wtp.web.verdicts import note_text


def list_tables(token: ApiToken, query: shapes.Which, slug: str) -> Response:
    """The tables that there are now, or of one analysis."""
    survey, analysis = _asked(token, query, slug)
    kept = query.model_dump(exclude_defaults=True)
    lines = [
        shapes.TableLine(
            table=name,
            columns=list(map(str, frame.columns)),
            rows=len(frame),
            url=url_for("api.get_table", slug=slug, table=name, **kept),
        )
        for name, frame in analysis.tables.items()
    ]
    notes = [
        shapes.Remark(severity=n.severity, segment=n.segment, text=note_text(n.template, **n.values))
        for n in analysis.notes
    ]
    return as_json(shapes.TableList(study=slug, analysis=facts_of(survey, analysis), notes=notes, tables=lines))


def get_table(token: ApiToken, query: shapes.TablePart, slug: str, table: str) -> Response:
    """One table as JSON or CSV."""
    return _table(token, query, slug, table, format_asked())


def get_table_csv(token: ApiToken, query: shapes.TablePart, slug: str, table: str) -> Response:
    """One table as CSV."""
    return _table(token, query, slug, table, CSV)


def facts_of(survey: Survey, analysis: Analysis) -> shapes.AnalysisFacts:
    """What figures rest on."""
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
        versions=asked.versions,
    )


def _asked(token: ApiToken, query: shapes.Which, slug: str) -> tuple[Survey, Analysis]:
    """The study and the analysis whose figures are asked for, if they may be seen."""
    survey, database = survey_of(token, slug), running.database()
    refuse_while_closed(survey)
    kept = query.analysis
    if kept is None:
        left_out = without(database, survey, query.without)
        sees = ANSWERS in token.scopes or may_see(database, survey, left_out, query.versions)
        usual = (query.without, query.versions) == (LEFT_OUT, SAME_CHOICES)
        kept = None if sees or not usual else last_told(database, survey)
        if kept is None:
            refuse_few(sees)
            return survey, analysis_of(database, survey, query.without, query.versions)
    with database.read() as connection:
        content = results.of_study(connection, slug, kept) or not_there("analysis", kept)
    refuse_few(ANSWERS in token.scopes or may_see_kept(database, survey, kept))
    return survey, Analysis.from_json(content)


def refuse_few(sees: bool) -> None:
    """Refuse figures that would tell of a few persons beside others that were told, but to whom single answers are open anyway."""
    if not sees:
        raise ProblemError(
            "value",
            place="without, versions, analysis",
            found="respondents who differ by fewer than 10 from those of other figures that were told",
            allowed="selections that differ by nobody, or by 10 or more in each segment",
            remedy="leave all three out, or use a token with the scope answers:read",
        )


def _table(token: ApiToken, query: shapes.TablePart, slug: str, table: str, form: str) -> Response:
    survey, analysis = _asked(token, query, slug)
    frame = analysis.tables[table] if table in analysis.tables else not_there("table", table)
    facts = facts_of(survey, analysis)
    tag = tag_of(facts.fingerprint, facts.estimator, table, form, query)
    if reply := unchanged(tag):
        return reply
    if query.segment is not None:
        frame = frame[frame["segment"] == _known_segment(survey, frame, query.segment)]
    frame = frame.assign(left_out_respondents=facts.left_out_respondents, simulated_respondents=analysis.simulated)
    about = {
        "study": slug,
        "table": table,
        "analysis": facts.model_dump(mode="json"),
        "columns": columns_of(survey.definition, "results", list(map(str, frame.columns))),
    }
    simulated = "-simulated" if analysis.simulated else ""
    return send_rows(frame, query, form, about, tag=tag, name=f"{slug}-{table}{simulated}")


def _known_segment(survey: Survey, frame: pd.DataFrame, name: str) -> str:
    names = [ALL, *(segment.id for segment in survey.definition.segments)]
    if "segment" in frame and name in names:
        return name
    raise ProblemError(
        "parameter",
        place="segment",
        found=name,
        allowed=", ".join(names) if "segment" in frame else "none, since this table is not by segment",
        remedy="leave it out, or name one of them",
    )
