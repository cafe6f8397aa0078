"""The analysts' pages: how a study goes and what it rests on."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template, url_for

from wtp.store import respondents
from wtp.web import running
from wtp.web.accounts import ANALYSTS, may_see, requires, studies_seen
from wtp.web.analyses import analysis_of
from wtp.web.i18n import text as said
from wtp.web.reading import labels_of
from wtp.web.stopping import gate_of
from wtp.web.verdicts import note_text

blueprint = Blueprint("manage", __name__, url_prefix="/manage")


@blueprint.get("")
@requires(*ANALYSTS)
def studies() -> str:
    """All studies with their counts."""
    rows = []
    with running.database().read() as connection:
        for slug, survey in studies_seen().items():
            rows.append((slug, said(survey.definition.title), respondents.counts(connection, slug)))
    return render_template(
        "manage/studies.html", rows=rows, drafts=[slug for slug in running.surveys().drafts() if may_see(slug)]
    )


@blueprint.get("/<slug>")
@requires(*ANALYSTS)
def study(slug: str) -> str:
    """One study: field, design, model."""
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
