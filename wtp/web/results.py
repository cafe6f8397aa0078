"""The pricing managers' pages: where to invest, where to save, which price a segment still accepts, and what that rests on.

All state is in the address, also whose answers count; the tables need no script. The analysis is read from the database or made anew by `analyses.py`. Until the stopping
rule of a study is met, none of it is shown.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import plotly
from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from markupsafe import escape
from werkzeug.wrappers import Response as Reply

from wtp.analysis import ALL, SAME_CHOICES, VERSIONS, with_budget
from wtp.errors import DataError
from wtp.export import table_csv
from wtp.store import respondents
from wtp.survey import Survey
from wtp.web import running
from wtp.web.accounts import ANALYSTS, READERS, may_see, requires, studies_seen
from wtp.web.analyses import LEFT_OUT, SETS, analysis_of, erased_since, kept_analysis
from wtp.web.asked import ANSWERS, ASKED_PAGES, EXPECTATIONS, PROCESS, SAID, sections_on
from wtp.web.beside import with_purchases
from wtp.web.budget_section import asked_budget
from wtp.web.cards import card_of
from wtp.web.certainty import certainties
from wtp.web.contact_results import CONTACTS, TABLES, ContactReading, contact_reading, has_contacts
from wtp.web.few import for_readers, sees_everything, shown_in_place
from wtp.web.final_words import set_names, version_names
from wtp.web.formats import money, number, percent, plain
from wtp.web.hover import with_definitions
from wtp.web.i18n import text as said
from wtp.web.reading import Reading, labels_of
from wtp.web.section import Section
from wtp.web.sections import figure, section
from wtp.web.security import allow_chart_styles
from wtp.web.since import last_time
from wtp.web.stopping import Gate, gate_of, open_early
from wtp.web.verdicts import note_text, splits

blueprint = Blueprint("results", __name__)
PAGES = {
    "importance": ("importance",),
    "worth": ("worth", "amounts", "worth_distribution"),
    "price": (
        "demand", "limits", "profit", "waterfall", "triangulation", "van_westendorp", "newton_miller_smith", "gabor_granger", "open_price",
    ),
    "invest": ("invest", "budget", "importance_performance", "strengths", "keep_tell_fix"),
    "market": ("shares", "sensitivity", "best_offers", "equilibrium", "elasticities"),
    "segments": ("segment_worth", "segment_profile", "found_segments", "segment_overlap", "found_profile", "latent_classes", "grouping"),
    "purchases": ("selling", "purchase_families", "up_selling", "purchase_gain"),
    CONTACTS: ("contact_reasons", "contact_months", "contact_mattered", "contact_questions", "contact_remedies", "contact_effort", "contact_agreement"),
    "model": ("part_worths", "model_quality", "convergence", "trace"),
}  # fmt: skip
# Charts with the segments beside one another, and the page that has more of each.
_SIDE_BY_SIDE = {"segment_worth": "worth", "segment_profile": "importance"}
_ABOUT_SEGMENTS = ("segment_profile", "found_segments", "latent_classes")


def reading_of(slug: str) -> Reading:
    """The analysis of a study as the address asks for it: segment, whose answers, which versions."""
    survey = running.survey_of(slug)
    segment = request.args.get("segment", ALL)
    if segment != ALL and segment not in {s.id for s in survey.definition.segments}:
        abort(404)
    refuse_while_closed(survey)
    shown, reading = for_readers(survey, kept(), lambda asked: reading_as(survey, segment, asked))
    if shown != kept() and request.method == "GET":
        abort(redirect(url_for(str(request.endpoint), **{**(request.view_args or {}), **request.args, **shown})))
    return reading or abort(404)


def reading_as(survey: Survey, segment: str, asked: Mapping[str, str]) -> Reading | None:
    """The analysis of a study in a segment, as `kept` has it; None for a kept analysis that is not there."""
    chosen = asked.get("without", LEFT_OUT)
    if "analysis" in asked:
        found = kept_analysis(running.database(), survey, asked["analysis"])
        if found is None:
            return None
        survey, analysis = found
        segment = segment if segment in {ALL, *(s.id for s in survey.definition.segments)} else ALL
    else:
        analysis = analysis_of(running.database(), survey, chosen, asked.get("versions", SAME_CHOICES))
    economics = survey.definition.economics
    budget = economics.budget if economics else None
    if "budget" in asked:
        budget = float(asked["budget"])
        analysis = with_budget(analysis, survey.definition, budget)
    if "analysis" not in asked:  # a kept analysis shows nothing of today
        analysis = with_purchases(running.database(), survey, analysis)
    return Reading(survey, analysis, segment, labels_of(survey.definition), chosen, budget)


def refuse_while_closed(survey: Survey) -> None:
    """Answer 403 with the page that says why, until the stopping rule is met."""
    gate = gate_of(running.database(), survey)
    if not gate.is_open:
        abort(make_response(_closed(survey, gate), 403))


def _closed(survey: Survey, gate: Gate, mistake: str = "", reason: str = "") -> str:
    return render_template(
        "results/closed.html",
        slug=survey.slug,
        study=said(survey.definition.title),
        gate=gate,
        labels=labels_of(survey.definition),
        currency=survey.definition.currency,
        money=money,
        mistake=mistake,
        reason=reason,
    )


@blueprint.post("/results/<slug>/open")
@requires(*ANALYSTS)
def open_results(slug: str) -> Reply | tuple[str, int]:
    """Open the results before the stopping rule is met, with a reason, which is logged."""
    survey = running.survey_of(slug)
    gate = gate_of(database := running.database(), survey)
    if not gate.is_open:
        reason = request.form.get("reason", "")
        try:
            open_early(database, survey, who=current_user.name, reason=reason)
        except DataError:
            mistake = gettext("Say why in a few words, at most 500 characters.")
            return _closed(survey, gate, mistake, reason), 422
    return redirect(url_for(".overview", slug=slug), 303)


def kept() -> dict[str, str]:
    """Whose answers and which versions of the survey are counted, or which kept analysis is shown, and the budget, if the address says so; every link of the page keeps it."""
    form = asked_budget()
    budget = {"budget": plain(form.budget.data)} if form and not form.errors else {}
    found = {}
    for name, allowed, usual in (("without", SETS, LEFT_OUT), ("versions", VERSIONS, SAME_CHOICES)):
        value = request.args.get(name, usual)
        if value not in allowed:
            abort(404)
        if value != usual:
            found[name] = value
    return budget | ({"analysis": request.args["analysis"]} if "analysis" in request.args else found)


def _version_links(reading: Reading) -> list[tuple[str, str, bool]]:
    """(value, words, whether it is the one shown) of each way to count versions; none where there is one version."""
    if "analysis" in kept() or not len(reading.analysis.tables.get("versions", ())):
        return []
    words = version_names()
    now = kept().get("versions", SAME_CHOICES)
    return [(value, words[value], value == now) for value in VERSIONS]


@blueprint.get("/")
@blueprint.get("/results")
@requires(*READERS)
def studies() -> str:
    """All studies."""
    rows = []
    with running.database().read() as connection:
        for slug, survey in studies_seen().items():
            rows.append((slug, said(survey.definition.title), respondents.counts(connection, slug)))
    return render_template("results/studies.html", rows=rows)


@blueprint.get("/results/<slug>")
@requires(*READERS)
def overview(slug: str) -> str:
    """Where to invest, where to save, which price, by segment."""
    reading = reading_of(slug)
    names = [ALL, *(segment.id for segment in reading.definition.segments)]
    since = last_time(running.database(), reading.analysis, told_alone=not sees_everything())
    sure = {each.segment: each.sentence for each in certainties(reading.survey, reading.analysis)}
    cards = [card_of(replace(reading, segment=name), since, sure.get(reading.labels[name], "")) for name in names]
    return rendered("results/overview.html", reading, cards=cards, since=since, splits=splits(reading, names[1:]))


@blueprint.get(
    "/results/<slug>/<any(importance, said, worth, price, invest, market, segments, purchases, process, expectations, answers, contacts, model):page>"
)
@requires(*READERS)
def detail(slug: str, page: str) -> str:
    """One subject: its charts with their tables."""
    reading = reading_of(slug)
    allow_chart_styles()
    if page == CONTACTS:
        return _contacts(reading)
    sections = sections_of(page, reading)
    return rendered(
        "results/detail.html",
        reading,
        page=page,
        sections=sections,
        rests_on=rests_on(reading),
        side_by_side=_SIDE_BY_SIDE,
        budget_form=asked_budget(),
    )


def _contacts(reading: Reading) -> str:
    """What staff recorded of contacts with customers."""
    told = contact_reading(reading) or abort(404)
    rows = told.table("contact_segments")
    rests_on = ""
    if len(rows):
        row = rows.iloc[0]
        rests_on = gettext(
            "%(contacts)s contacts of %(customers)s customers, from %(first)s to %(last)s.",
            contacts=number(row["contacts"], 0),
            customers=number(row["customers"], 0),
            first=row["first_day"],
            last=row["last_day"],
        )
    return rendered(
        "results/contacts.html",
        reading,
        page=CONTACTS,
        contacts=told,
        contact_notes=notes_of(told),
        sections=sections_of(CONTACTS, told),
        rests_on=rests_on,
        side_by_side={},
    )


def reading_for(slug: str, name: str) -> Reading:
    """The reading that has this chart or table: of the answers, or of the contacts."""
    return that_has(name, reading_of(slug)) or abort(404)


def that_has(name: str, reading: Reading) -> Reading | None:
    """The reading itself, or that of the study's contacts if the chart or table is one of theirs; None if there are none."""
    return contact_reading(reading) if name.startswith(TABLES) else reading


def sections_of(page: str, reading: Reading) -> list[Section]:
    """What a page shows: the sections that have figures, or say why there are none. 404 for a page of what was not asked."""
    names = sections_on(page, reading) if page in ASKED_PAGES else PAGES[page]
    return [made for name in names or abort(404) if (made := section(name, reading)).rows or made.missing]


def page_of(chart: str, reading: Reading) -> str:
    """The page on which a chart stands; empty where the study has none such."""
    pages = PAGES | {page: sections_on(page, reading) for page in ASKED_PAGES}
    return next((page for page, names in pages.items() if chart in names), "")


def rests_on(reading: Reading) -> str:
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


def rendered(template: str, reading: Reading, **context: object) -> str:
    """A page of a study's results with everything that all of them show."""
    slug = reading.survey.slug
    counted: dict[str, Any] = kept()
    state: dict[str, Any] = {"slug": slug, "segment": reading.segment, **counted}
    common = {
        "slug": slug,
        "study": said(reading.definition.title),
        "reading": reading,
        "analysis": reading.analysis,
        "segment": reading.segment,
        "sets": set_names().items(),
        "segments": [ALL, *(segment.id for segment in reading.definition.segments)],
        "labels": reading.labels,
        "illustrative": bool(reading.definition.economics and reading.definition.economics.illustrative),
        "notes": notes_of(reading),
        "pages": tabs(reading),
        "kept": counted,
        "erased": erased_since(running.database(), reading.survey, counted["analysis"]) if "analysis" in counted else 0,
        "waits": "analysis" in counted and shown_in_place(reading.survey, counted["analysis"]),
        "version_links": _version_links(reading),
        "has_earlier": _has_earlier(reading.survey),
        "chart_url": lambda chart: url_for("results.chart_json", chart=chart, **state),
        "table_url": lambda table: url_for("results.download", table=table, slug=slug, **counted),
    }
    return render_template(template, **(common | context))


def _has_earlier(survey: Survey) -> bool:
    """Whether an earlier wave can be read now; a kept analysis is held against none."""
    return "analysis" not in kept() and earlier_of(survey) is not None


def earlier_of(survey: Survey) -> Survey | None:
    """The study that this one follows, if it is there, may be seen, and its results are open."""
    follows = survey.definition.follows or ""
    earlier = running.surveys().get(follows) if may_see(follows) else None
    return earlier if earlier and gate_of(running.database(), earlier).is_open else None


def notes_of(reading: Reading) -> list[tuple[str, str]]:
    """(severity, text) of what is to know about the figures of everybody and of this segment."""
    notes = [note for note in reading.analysis.notes if note.segment in (None, reading.segment)]
    return [(note.severity, note_text(note.template, **note.values)) for note in notes]


def tabs(reading: Reading) -> dict[str, str]:
    """The pages of a study; what was not asked has none."""
    tabs = {
        "importance": gettext("What matters"),
        SAID: gettext("Said and chosen"),
        "worth": gettext("What it is worth"),
        "price": gettext("Which price"),
        "invest": gettext("Invest and save"),
        "market": gettext("The market"),
        "segments": gettext("Segments"),
        "purchases": gettext("Purchases"),
        PROCESS: gettext("The customer's process"),
        EXPECTATIONS: gettext("Expectations"),
        ANSWERS: gettext("Answers"),
        CONTACTS: gettext("Contacts"),
        "model": gettext("The model"),
    }
    asked = {page for page in ASKED_PAGES if sections_on(page, reading)}
    market = {"market"} if len(reading.analysis.tables.get("shares", ())) else set()
    segments = {"segments"} if any(name in reading.analysis.tables for name in _ABOUT_SEGMENTS) else set()
    purchases = {"purchases"} if any(name in reading.analysis.tables for name in PAGES["purchases"]) else set()
    contacts = {CONTACTS} if has_contacts(reading.survey) else set()
    always = set(PAGES) - {"market", "segments", "purchases", CONTACTS}
    shown = asked | market | segments | purchases | contacts | always
    return {page: name for page, name in tabs.items() if page in shown}


@blueprint.get("/results/<slug>/<chart>.json")
@requires(*READERS)
def chart_json(slug: str, chart: str) -> Response:
    """The Plotly figure of a chart; the page's script draws it."""
    reading = reading_for(slug, chart)
    if not page_of(chart, reading):
        abort(404)
    about = section(chart, reading)
    if about.missing or not about.drawn or not about.rows:
        abort(404)
    drawn = with_definitions(figure(chart, reading), reading).update_layout(
        meta={"finding": str(escape(about.title)), "label": reading.picture_label}
    )
    return Response(drawn.to_json(), mimetype="application/json")


@blueprint.get("/results/<slug>/<table>.csv")
@requires(*READERS)
def download(slug: str, table: str) -> Response:
    """One table, all segments, each row labelled with the simulated respondents behind it and how many are left out."""
    reading = reading_for(slug, table)
    if table not in reading.analysis.tables:
        abort(404)
    simulated = "-simulated" if reading.analysis.simulated else ""
    part = f"-without-{reading.answers}" if reading.left_out else ""
    name = f"{slug}-{table}{part}{simulated}.csv"
    counts = {"left_out_respondents": reading.left_out, "simulated_respondents": reading.analysis.simulated}
    if isinstance(reading, ContactReading):
        counts = {"simulated_contacts": reading.analysis.simulated}
    labelled = reading.analysis.tables[table].assign(**counts)
    content = table_csv(labelled)
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
