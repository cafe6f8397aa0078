"""The pricing managers' pages: where to invest, where to save, which price a segment still accepts, and what that rests on.

All state is in the address; the tables need no script. The analysis is read from the database or made anew by `analyses.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import pandas as pd
import plotly
from flask import Blueprint, Response, abort, current_app, render_template, request, url_for
from flask_babel import gettext

from wtp.analysis import ALL
from wtp.export import table_csv
from wtp.survey import Survey
from wtp.web.accounts import READERS, requires
from wtp.web.analyses import analysis_of
from wtp.web.i18n import text as said
from wtp.web.reading import Reading, labels_of
from wtp.web.sections import SECTIONS, figure
from wtp.web.security import allow_chart_styles
from wtp.web.verdicts import Verdict, note_text, verdicts

blueprint = Blueprint("results", __name__)
PAGES = ("importance", "worth", "price", "invest")


def _reading(slug: str) -> Reading:
    survey: Survey | None = current_app.extensions["wtp_surveys"].get(slug)
    if survey is None:
        abort(404)
    segment = request.args.get("segment", ALL)
    if segment != ALL and segment not in {s.id for s in survey.definition.segments}:
        abort(404)
    analysis = analysis_of(current_app.extensions["wtp_database"], survey)
    return Reading(survey, analysis, segment, labels_of(survey.definition))


@blueprint.get("/")
@blueprint.get("/results")
@requires(*READERS)
def studies() -> str:
    """All studies."""
    surveys = current_app.extensions["wtp_surveys"]
    return render_template(
        "results/studies.html", studies={slug: said(s.definition.title) for slug, s in surveys.items()}
    )


@blueprint.get("/results/<slug>")
@requires(*READERS)
def overview(slug: str) -> str:
    """Where to invest, where to save, which price, by segment."""
    reading = _reading(slug)
    names = [ALL, *(segment.id for segment in reading.definition.segments)]
    cards = [_card(Reading(reading.survey, reading.analysis, name, reading.labels)) for name in names]
    return _render("results/overview.html", reading, cards=cards)


@dataclass(frozen=True, slots=True)
class Card:
    """One segment at a glance."""

    segment: str
    respondents: int
    evidence: str
    limit: str
    verdicts: tuple[Verdict, ...]


def _card(reading: Reading) -> Card:
    row = reading.table("segments").iloc[0]
    return Card(
        reading.segment,
        int(row["respondents"]),
        str(row["weight_of_evidence"]),
        _limit_sentence(reading),
        verdicts(reading),
    )


def _limit_sentence(reading: Reading) -> str:
    limits = reading.table("price_limit")
    if limits.empty:
        return gettext("No price limit: too few answers, or a study without none option.")
    row = limits.iloc[0]
    if pd.isna(row["estimate"]):
        return note_text(str(row["note"]))
    return gettext(
        "Half would still buy today's offer at %(limit)s (%(interval)s).",
        limit=reading.money(row["estimate"], 0),
        interval=reading.interval(row["low"], row["high"], 0),
    )


@blueprint.get("/results/<slug>/<any(importance, worth, price, invest):page>")
@requires(*READERS)
def detail(slug: str, page: str) -> str:
    """One subject: its charts with their tables."""
    reading = _reading(slug)
    allow_chart_styles()
    sections = [SECTIONS[name](reading) for name in {"price": ("demand", "van_westendorp")}.get(page, (page,))]
    return _render("results/detail.html", reading, page=page, sections=sections)


def _render(template: str, reading: Reading, **context: object) -> str:
    notes = [note for note in reading.analysis.notes if note.segment in (None, reading.segment)]
    return render_template(
        template,
        slug=reading.survey.slug,
        study=said(reading.definition.title),
        reading=reading,
        analysis=reading.analysis,
        segment=reading.segment,
        segments=[ALL, *(segment.id for segment in reading.definition.segments)],
        labels=reading.labels,
        illustrative=bool(reading.definition.economics and reading.definition.economics.illustrative),
        notes=[(note.severity, note_text(note.template, **note.values)) for note in notes],
        pages={
            "importance": gettext("What matters"),
            "worth": gettext("What it is worth"),
            "price": gettext("Which price"),
            "invest": gettext("Invest and save"),
        },
        **context,
    )


@blueprint.get("/results/<slug>/<any(importance, worth, demand, van_westendorp, invest):chart>.json")
@requires(*READERS)
def chart_json(slug: str, chart: str) -> Response:
    """The Plotly figure of a chart; the page's script draws it."""
    drawn = figure(chart, _reading(slug))
    return Response(drawn.to_json(), mimetype="application/json")


@blueprint.get("/results/<slug>/<table>.csv")
@requires(*READERS)
def download(slug: str, table: str) -> Response:
    """One table, all segments, each row labelled with the simulated respondents behind it."""
    reading = _reading(slug)
    if table not in reading.analysis.tables:
        abort(404)
    simulated = "-simulated" if reading.analysis.simulated else ""
    name = f"{slug}-{table}{simulated}.csv"
    content = table_csv(reading.analysis.tables[table].assign(simulated_respondents=reading.analysis.simulated))
    return Response(content, mimetype="text/csv", headers={"Content-Disposition": f"attachment; filename={name}"})


@cache
def _plotly_file() -> bytes:
    return files("plotly").joinpath("package_data/plotly.min.js").read_bytes()


@blueprint.get("/plotly-<version>.min.js")
def plotly_script(version: str) -> Response:
    """Plotly's script from the installed package; its version is in the address, so browsers keep it."""
    if version != plotly.__version__:
        abort(404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_plotly_file(), mimetype="text/javascript", headers=headers)


@blueprint.app_context_processor
def _addresses() -> dict[str, object]:
    return {"plotly_url": lambda: url_for("results.plotly_script", version=plotly.__version__)}
