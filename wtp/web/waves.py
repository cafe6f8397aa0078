"""Before and after: a study that follows an earlier one, against that one, with the measures that were done in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from flask import Blueprint, Response, abort, url_for
from flask_babel import format_date, gettext, ngettext
from markupsafe import escape

from wtp.analysis import CONDITIONAL, SAME_CHOICES, Analysis, Request, Wave, before_and_after, same_model
from wtp.export import table_csv
from wtp.store import measures, respondents
from wtp.survey import Survey
from wtp.web import formats, running
from wtp.web.accounts import READERS, requires
from wtp.web.analyses import LEFT_OUT, analysis_as, analysis_of, without
from wtp.web.few import told_as_it_is
from wtp.web.final_words import model_names
from wtp.web.hover import with_definitions
from wtp.web.i18n import text as said
from wtp.web.reading import Reading
from wtp.web.results import earlier_of, kept, reading_of, rendered
from wtp.web.section import Section
from wtp.web.security import allow_chart_styles
from wtp.web.waves_sections import PREFIX, multiplicity, sections_about_waves, waves_figure, waves_section

blueprint = Blueprint("waves", __name__, url_prefix="/results/<slug>/since-before")
TABLES = ("waves", "wave_effects", "wave_mix", "wave_measures", "wave_left_out")


def is_about_waves(chart: str) -> bool:
    """Whether the name is of a section of this page."""
    return chart.startswith(PREFIX)


def both_waves(reading: Reading, asked: Mapping[str, str]) -> Reading | None:
    """The comparison as a reading of its own; None where there is no earlier wave, or one of both has no figures. asked: as `results.kept` has it; a kept analysis has none, for both waves are as they are now."""
    later, earlier, database = running.survey_of(reading.survey.slug), earlier_of(reading.survey), running.database()
    if earlier is None or "analysis" in asked:
        return None
    chosen, versions = asked.get("without", LEFT_OUT), asked.get("versions", SAME_CHOICES)
    surveys = (earlier, later)
    if not all(told_as_it_is(survey, chosen, versions) for survey in surveys):
        return None
    found = [analysis_of(database, survey, chosen, versions) for survey in surveys]
    if not same_model(*found):
        quick = Request(model=CONDITIONAL, versions=versions)
        found = [analysis_as(database, s, replace(quick, without=without(database, s, chosen))) for s in surveys]
    if not same_model(*found):
        return None
    before, after = (_wave(survey, analysis) for survey, analysis in zip(surveys, found, strict=True))
    return replace(
        reading, survey=later, analysis=before_and_after(before, after, _measures(earlier.slug)), answers=chosen
    )


def _wave(survey: Survey, analysis: Analysis) -> Wave:
    with running.database().read() as connection:
        days = respondents.asked_between(connection, survey.slug)
    return Wave(survey, analysis, *(days or (None, None)))


def _measures(slug: str) -> pd.DataFrame:
    """The measures of a study as the comparison wants them."""
    with running.database().read() as connection:
        found = measures.of_study(connection, slug)
    rows = [
        (m.id, m.plan.title, m.grounds.segment, m.plan.attribute or "", m.plan.state, m.plan.done_on) for m in found
    ]
    return pd.DataFrame(rows, columns=["number", "title", "segment", "attribute", "state", "done_on"])


def section_of(chart: str, both: Reading) -> Section:
    """The section of a chart of this page. Raises 404 for one that the comparison has not."""
    return waves_section(chart, both) if chart in sections_about_waves(both) else abort(404)


def _both(slug: str) -> tuple[Reading, Reading]:
    reading = reading_of(slug)
    return reading, both_waves(reading, kept()) or abort(404)


@blueprint.get("")
@requires(*READERS)
def page(slug: str) -> str:
    """What moved since the earlier wave, in a segment."""
    reading, both = _both(slug)
    allow_chart_styles()
    found = [waves_section(name, both) for name in sections_about_waves(both)]
    earlier = earlier_of(reading.survey)
    # The mark of simulated answers must count those of both waves.
    marked = replace(reading, analysis=replace(reading.analysis, simulated=both.analysis.simulated, respondents=both.analysis.respondents))  # fmt: skip
    state: dict[str, Any] = {"slug": slug, "segment": reading.segment, **kept()}
    return rendered(
        "results/waves.html", marked, page="since_before", sections=found, side_by_side={}, facts=facts(both), chance=multiplicity(both),
        earlier=earlier.slug if earlier else "", chart_url=lambda chart: url_for(".chart_json", wave_chart=chart, **state),
        table_url=lambda table: url_for(".download", wave_table=table, **state),
    )  # fmt: skip


def facts(both: Reading) -> list[tuple[str, str]]:
    """Which two waves are compared: who was asked and when, by which model."""
    earlier, database = earlier_of(both.survey), running.database()
    lines = []
    for name, survey in ((gettext("Before"), earlier), (gettext("After"), both.survey)):
        if survey is None:
            continue
        with database.read() as connection:
            days, counts = (
                respondents.asked_between(connection, survey.slug),
                respondents.counts(connection, survey.slug),
            )
        ends = dict.fromkeys(format_date(day, "medium") for day in days or ())
        when = " – ".join(ends) if ends else gettext("nobody yet")
        asked = ngettext("%(num)s respondent", "%(num)s respondents", counts.begun)
        if counts.simulated:
            asked += ", " + gettext("%(count)s of them simulated", count=formats.number(counts.simulated, 0))
        lines.append((name, f"{said(survey.definition.title)} ({survey.slug}): {when}, {asked}"))
    estimator = str(both.analysis.tables["segments"]["estimator"].iloc[0])
    lines.append((gettext("Model of both"), model_names().get(estimator, estimator)))
    return lines


@blueprint.get("/<wave_chart>.json")
@requires(*READERS)
def chart_json(slug: str, wave_chart: str) -> Response:
    """The Plotly figure of a chart of this page."""
    _reading, both = _both(slug)
    about = section_of(wave_chart, both)
    if about.missing or not about.drawn:
        abort(404)
    drawn = with_definitions(waves_figure(wave_chart, both), both).update_layout(
        meta={"finding": str(escape(about.title)), "label": both.picture_label}
    )
    return Response(drawn.to_json(), mimetype="application/json")


@blueprint.get("/<wave_table>.csv")
@requires(*READERS)
def download(slug: str, wave_table: str) -> Response:
    """One table of the comparison, all segments, each row labelled with the simulated respondents of both waves."""
    _reading, both = _both(slug)
    if wave_table not in TABLES:
        abort(404)
    simulated = "-simulated" if both.analysis.simulated else ""
    content = table_csv(both.analysis.tables[wave_table].assign(simulated_respondents=both.analysis.simulated))
    headers = {"Content-Disposition": f"attachment; filename={slug}-{wave_table}{simulated}.csv"}
    return Response(content, mimetype="text/csv", headers=headers)
