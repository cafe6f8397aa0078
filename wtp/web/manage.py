"""The analysts' pages: how a study goes, what it rests on, and everything to take away."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response as Reply

from wtp.export import choices_csv, to_csv_zip, to_xlsx
from wtp.store import answers, respondents
from wtp.web import running
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.analyses import analysis_of
from wtp.web.i18n import text as said
from wtp.web.reading import labels_of
from wtp.web.stopping import gate_of
from wtp.web.verdicts import note_text

blueprint = Blueprint("manage", __name__, url_prefix="/manage")
_TYPES = {
    "zip": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
}


@blueprint.get("")
@requires(*ANALYSTS)
def studies() -> str:
    """All studies with their counts."""
    rows = []
    with running.database().read() as connection:
        for slug, survey in running.surveys().items():
            rows.append((slug, said(survey.definition.title), respondents.counts(connection, slug)))
    return render_template("manage/studies.html", rows=rows, drafts=running.surveys().drafts())


@blueprint.get("/<slug>")
@requires(*ANALYSTS)
def study(slug: str) -> str:
    """One study: field, design, model, downloads."""
    survey = running.survey_of(slug)
    database = running.database()
    analysis = analysis_of(database, survey)
    with database.read() as connection:
        counts = respondents.counts(connection, slug)
    base = current_app.extensions["wtp_settings"].base_url.rstrip("/")
    return render_template(
        "manage/study.html",
        slug=slug,
        study=said(survey.definition.title),
        survey=survey,
        counts=counts,
        is_open=gate_of(database, survey).is_open,
        analysis=analysis,
        labels=labels_of(survey.definition),
        quality=analysis.tables["segments"].to_dict("records"),
        notes=[(n.severity, n.segment, note_text(n.template, **n.values)) for n in analysis.notes],
        respondent_link=base + url_for("respond.start", slug=slug),
    )


@blueprint.get("/<slug>/export.<any(zip, xlsx, csv):kind>")
@requires(*ANALYSTS)
def export(slug: str, kind: str) -> Response | Reply:
    """Everything as a zip of CSV files or as a workbook, which hold results and so wait for the stopping rule; the choices alone as one CSV."""
    survey = running.survey_of(slug)
    database = running.database()
    if kind != "csv" and not gate_of(database, survey).is_open:
        return redirect(url_for("results.overview", slug=slug), 303)
    with database.read() as connection:
        found = answers.read_answers(connection, slug)
    if kind == "csv":
        content = choices_csv(survey, found)
    else:
        content = {"zip": to_csv_zip, "xlsx": to_xlsx}[kind](survey, found, analysis_of(database, survey))
    name = f"{slug}{'-choices' if kind == 'csv' else ''}{'-simulated' if found.simulated else ''}.{kind}"
    return Response(content, mimetype=_TYPES[kind], headers={"Content-Disposition": f"attachment; filename={name}"})
