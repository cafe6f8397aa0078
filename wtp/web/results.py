"""The pricing managers' pages: where to invest, where to save, which price a segment still accepts, and what that rests on.

All state is in the address; the tables need no script. The analysis is read from the database or made anew by `analyses.py`.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import pandas as pd
import plotly
from flask import Blueprint, Response, abort, current_app, render_template, request, url_for
from flask_babel import gettext
from markupsafe import escape

from wtp.analysis import ALL
from wtp.export import table_csv
from wtp.store import respondents
from wtp.survey import Survey
from wtp.web.accounts import READERS, requires
from wtp.web.analyses import analysis_of
from wtp.web.formats import number, percent
from wtp.web.i18n import text as said
from wtp.web.reading import Reading, labels_of
from wtp.web.sections import figure, section
from wtp.web.security import allow_chart_styles
from wtp.web.verdicts import Verdict, note_text, splits, verdicts

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
    rows = []
    with current_app.extensions["wtp_database"].read() as connection:
        for slug, survey in current_app.extensions["wtp_surveys"].items():
            rows.append((slug, said(survey.definition.title), respondents.counts(connection, slug)))
    return render_template("results/studies.html", rows=rows)


@blueprint.get("/results/<slug>")
@requires(*READERS)
def overview(slug: str) -> str:
    """Where to invest, where to save, which price, by segment."""
    reading = _reading(slug)
    names = [ALL, *(segment.id for segment in reading.definition.segments)]
    cards = [_card(Reading(reading.survey, reading.analysis, name, reading.labels)) for name in names]
    return _render("results/overview.html", reading, cards=cards, splits=splits(reading, names[1:]))


@dataclass(frozen=True, slots=True)
class Card:
    """One segment at a glance."""

    segment: str
    respondents: int
    evidence: str
    limit: str
    limit_is_final: bool
    verdicts: tuple[Verdict, ...]


def _card(reading: Reading) -> Card:
    row = reading.table("segments").iloc[0]
    return Card(
        reading.segment,
        int(row["respondents"]),
        str(row["weight_of_evidence"]),
        _limit_sentence(reading),
        bool((reading.table("price_limit").get("status", pd.Series(dtype=str)) == "final").any()),
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
        limit=reading.money(row["estimate"], 1),
        interval=reading.interval(row["low"], row["high"], 1),
    )


@blueprint.get("/results/<slug>/<any(importance, worth, price, invest):page>")
@requires(*READERS)
def detail(slug: str, page: str) -> str:
    """One subject: its charts with their tables."""
    reading = _reading(slug)
    allow_chart_styles()
    names = {"price": ("demand", "limits", "waterfall", "van_westendorp"), "worth": ("worth", "amounts")}.get(
        page, (page,)
    )
    sections = [made for name in names if (made := section(name, reading)).rows or made.missing]
    return _render("results/detail.html", reading, page=page, sections=sections, rests_on=_rests_on(reading))


def _rests_on(reading: Reading) -> str:
    """One line on how much the figures of a segment rest on."""
    row = reading.table("segments").iloc[0]
    line = gettext(
        "%(respondents)s respondents, %(tasks)s choice tasks.",
        respondents=number(row["respondents"], 0),
        tasks=number(row["choice_tasks"], 0),
    )
    if pd.notna(row["hit_rate"]):
        line += " " + gettext(
            "The figures predict %(hits)s of the choices that were held out; by chance it would be %(chance)s.",
            hits=percent(row["hit_rate"]),
            chance=percent(row["chance"]),
        )
    return line


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
    reading = _reading(slug)
    about = section(chart, reading)
    if about.missing or not about.drawn:
        abort(404)
    drawn = figure(chart, reading).update_layout(meta={"finding": str(escape(about.title)), "label": _label(reading)})
    return Response(drawn.to_json(), mimetype="application/json")


def _label(reading: Reading) -> str:
    """What a picture of a chart must say of itself when it leaves the page."""
    study = f"{said(reading.definition.title)}, {reading.labels[reading.segment]}"
    if not reading.analysis.simulated:
        return str(escape(study))
    simulated = gettext(
        "Simulated answers: %(simulated)s of %(all)s respondents",
        simulated=reading.analysis.simulated,
        all=reading.analysis.respondents,
    )
    return str(escape(f"{study} – {simulated}"))


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
    return gzip.compress(files("plotly").joinpath("package_data/plotly.min.js").read_bytes(), mtime=0)


@blueprint.get("/plotly-<version>.min.js")
def plotly_script(version: str) -> Response:
    """Plotly's script from the installed package; its version is in the address, so browsers keep it."""
    if version != plotly.__version__:
        abort(404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if not request.accept_encodings.quality("gzip"):
        return Response(gzip.decompress(_plotly_file()), mimetype="text/javascript", headers=headers)
    return Response(_plotly_file(), mimetype="text/javascript", headers={**headers, "Content-Encoding": "gzip"})


@blueprint.app_context_processor
def _addresses() -> dict[str, object]:
    return {"plotly_url": lambda: url_for("results.plotly_script", version=plotly.__version__)}
