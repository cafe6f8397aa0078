"""The pricing managers' pages: where to invest, where to save, which price a segment still accepts, and what that rests on.

Every chart stands with its finding, its table of the same figures, its download and what it does not say. All state is in the address, and the
tables need no script.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.resources import files

import pandas as pd
import plotly
from flask import Blueprint, Response, abort, current_app, render_template, request, url_for
from flask_babel import gettext

from wtp.analysis import ALL, Analysis
from wtp.charts import demand, importance, investment, van_westendorp, willingness_to_pay
from wtp.export import table_csv
from wtp.survey import Definition, Survey
from wtp.web import formats
from wtp.web.accounts import READERS, requires
from wtp.web.analyses import analysis_of
from wtp.web.i18n import text as said
from wtp.web.security import allow_chart_styles
from wtp.web.verdicts import Verdict, note_text, verdicts

blueprint = Blueprint("results", __name__)
PAGES = ("importance", "worth", "price", "invest")


@dataclass(frozen=True, slots=True)
class Section:
    """One chart with its table: `rows` are texts as shown, `csv` names the table to download."""

    chart: str
    title: str
    says: str
    not_says: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    csv: str
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page reads: one study's analysis in one segment, in the words of one language."""

    survey: Survey
    analysis: Analysis
    segment: str
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def definition(self) -> Definition:
        """The survey's definition."""
        return self.survey.definition

    @property
    def unit(self) -> str:
        """Currency and what the price is for, as in 'EUR per month'."""
        return f"{self.analysis.currency} {self.period}"

    @property
    def period(self) -> str:
        """What the price is for, as in 'per month'."""
        return said(self.definition.price.unit)

    def money(self, amount: float, digits: int = 2) -> str:
        """An amount in the survey's currency."""
        return formats.money(amount, self.analysis.currency, digits)

    def interval(self, low: float, high: float, digits: int = 2) -> str:
        """Both ends of an interval."""
        return gettext("%(low)s to %(high)s", low=self.money(low, digits), high=self.money(high, digits))

    def table(self, name: str) -> pd.DataFrame:
        """The segment's rows of a table; empty if the study has none."""
        if name not in self.analysis.tables:
            return pd.DataFrame()
        return self.analysis.table(name, self.segment)


def labels_of(definition: Definition) -> dict[str, str]:
    """Shown text of every attribute, attribute.level and segment."""
    labels = {ALL: gettext("Everybody"), "price": said(definition.price.label)}
    labels |= {segment.id: said(segment.label) for segment in definition.segments}
    for attribute in definition.attributes:
        labels[attribute.id] = said(attribute.label)
        labels |= {f"{attribute.id}.{level.id}": said(level.label) for level in attribute.levels}
    return labels


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


def _importance(reading: Reading) -> Section:
    table = reading.table("importance")
    stated = reading.table("stated_importance")
    ratings = {row["attribute"]: row for _, row in stated.iterrows()}
    rows = [
        (
            reading.labels.get(row["attribute"], row["attribute"]),
            f"{formats.number(row['importance'])} %",
            gettext("%(low)s to %(high)s", low=formats.number(row["low"]), high=f"{formats.number(row['high'])} %"),
            f"{formats.number(row['noise_floor'])} %",
            formats.number(ratings[row["attribute"]]["mean"]) if row["attribute"] in ratings else formats.DASH,
        )
        for _, row in table.sort_values("importance", ascending=False).iterrows()
    ] if len(table) else []  # fmt: skip
    rating = reading.definition.importance_rating
    points = (
        gettext("Stated, mean of %(low)s to %(high)s", low=rating.scale.low, high=rating.scale.high)
        if rating
        else gettext("Stated")
    )
    return Section(
        chart="importance",
        title=importance.title(table, labels=reading.labels, words=gettext) if rows else gettext("What matters"),
        says=gettext("How strongly each attribute moved the choices, between the levels compared here; the price over its tested range. A bar within the grey mark is no more than noise."),
        not_says=gettext("It does not say what anything is worth in money, and it would change with other levels. Stated importance is what people say when asked; where it is high and the choices are not moved, they say more than they pay."),
        head=(gettext("Attribute"), gettext("Importance"), _interval_head(reading), gettext("Noise floor"), points),
        rows=tuple(rows),
        csv="importance",
        missing="" if rows else _too_few(),
    )  # fmt: skip


def _interval_head(reading: Reading) -> str:
    return gettext("%(percent)s interval", percent=formats.percent(reading.analysis.confidence))


def _too_few() -> str:
    return gettext("Too few answers in this segment for figures of its own.")


def _worth(reading: Reading) -> Section:
    table = reading.table("willingness_to_pay")
    rows = [
        (
            reading.labels[row["attribute"]],
            reading.labels[f"{row['attribute']}.{row['from_level']}"],
            reading.labels[f"{row['attribute']}.{row['to_level']}"],
            reading.money(row["estimate"]),
            reading.interval(row["low"], row["high"]) if pd.notna(row["low"]) else formats.DASH,
            note_text(row["note"]),
        )
        for _, row in table.iterrows()
    ]
    known = len(table) > 0 and table["estimate"].notna().any()
    return Section(
        chart="worth",
        title=willingness_to_pay.title(table, labels=reading.labels, words=gettext, money=reading.money) if known else gettext("What it is worth"),
        says=gettext("The trade-off value: the price change that would just offset the change from today's level, %(unit)s, on average in this segment.", unit=reading.unit),
        not_says=gettext("It does not say that half would pay it, nor that the price can rise by it, and the amounts must not be added up. It is stated, not paid: in other studies people stated about 21 % more than they paid."),
        head=(gettext("Attribute"), gettext("Today"), gettext("Instead"), gettext("Worth"), _interval_head(reading), gettext("Note")),
        rows=tuple(rows),
        csv="willingness_to_pay",
        missing="" if known else (note_text(table["note"].iloc[0]) if len(table) else _too_few()),
    )  # fmt: skip


def _demand(reading: Reading) -> Section:
    table, limits = reading.table("demand"), reading.table("price_limit")
    tested = table[table["price"].isin(reading.definition.price.levels)] if len(table) else table
    rows = [
        (
            reading.money(row["price"], 0 if float(row["price"]).is_integer() else 2),
            formats.percent(row["share"]),
            f"{formats.percent(row['low'])} – {formats.percent(row['high'])}",
        )
        for _, row in tested.iterrows()
    ]
    limit_note = note_text(str(limits["note"].iloc[0])) if len(limits) else _too_few()
    return Section(
        chart="demand",
        title=demand.title(limits, words=gettext, money=partial(reading.money, digits=0)) if rows else gettext("Which price"),
        says=gettext("The predicted share of this segment that would buy today's offer rather than nothing, at each tested price. Preliminary: it comes from one average taste for the whole segment, which tends to put the limit too near the middle."),
        not_says=gettext("It is no market share: rivals, awareness and delivery are not in it. Outside the tested prices nothing is known."),
        head=(gettext("Price"), gettext("Share still buying"), _interval_head(reading)),
        rows=tuple(rows),
        csv="demand",
        missing="" if rows else limit_note,
    )  # fmt: skip


def _van_westendorp(reading: Reading) -> Section:
    points = reading.table("van_westendorp_points")
    names = {
        "PMC": gettext("PMC: below it too many doubt the quality"),
        "OPP": gettext("OPP: fewest refuse"),
        "IDP": gettext("IDP: as many find it a bargain as expensive"),
        "PME": gettext("PME: above it too many refuse"),
    }
    rows = [
        (
            names[row["point"]],
            reading.money(row["estimate"], 0),
            reading.interval(row["low"], row["high"], 0) if pd.notna(row["low"]) else formats.DASH,
            note_text(row["note"]),
        )
        for _, row in points.iterrows()
    ]
    excluded = (
        gettext(
            "%(excluded)s respondents whose four prices do not rise are left out.",
            excluded=int(points["excluded"].iloc[0]),
        )
        if len(points)
        else ""
    )
    return Section(
        chart="van_westendorp",
        title=van_westendorp.title(points, words=gettext, money=partial(reading.money, digits=0)) if rows else gettext("Van Westendorp"),
        says=gettext("Four open prices of each respondent (Van Westendorp 1976): where the curves cross bounds the range that seems plausible.") + " " + excluded,
        not_says=gettext("It is a range of plausible prices, not a price limit and not the most profitable price."),
        head=(gettext("Point"), gettext("Price"), _interval_head(reading), gettext("Note")),
        rows=tuple(rows),
        csv="van_westendorp_points",
        missing="" if rows else _too_few(),
    )  # fmt: skip


def _invest(reading: Reading) -> Section:
    table = reading.table("investment")
    known = len(table) > 0 and table["worth"].notna().any()
    found = {verdict.attribute: verdict for verdict in verdicts(reading)}
    rows = [
        (
            f"{investment.MARKS.get(row['label'], '')} {found[row['attribute']].name}",
            reading.labels[row["attribute"]],
            ("↑ " if row["direction"] == "up" else "↓ ") + reading.labels[f"{row['attribute']}.{row['to_level']}"],
            f"{reading.money(row['worth'])} ({reading.interval(row['worth_low'], row['worth_high'])})",
            reading.money(row["unit_cost"]),
            f"{reading.money(row['gain'], 0)} ({reading.interval(row['gain_low'], row['gain_high'], 0)})",
            formats.percent(row["probability"]),
            note_text(row["note"]),
        )
        for _, row in table.iterrows()
        if known
    ]
    return Section(
        chart="invest",
        title=investment.title(table, labels=reading.labels, words=gettext) if known else gettext("Invest and save"),
        says=gettext("For each attribute one step up (↑) and one step down (↓) from today's level: what customers would pay or lose, what it costs or saves to provide, and the gain a year if the price moves by the worth and the share stays. Labels need a probability of at least 90 %%."),
        not_says=gettext("Rivals are taken as they are, and the worth is stated, not paid. A step whose interval is wide is not decided: it is neither a chance to invest nor to save."),
        head=(gettext("Verdict"), gettext("Attribute"), gettext("Step"), gettext("Worth"), gettext("Unit cost"), gettext("Gain a year"), gettext("Probability of a gain"), gettext("Note")),
        rows=tuple(rows),
        csv="investment",
        missing="" if known else (note_text(table["note"].iloc[0]) if len(table) else _too_few()),
    )  # fmt: skip


SECTIONS: dict[str, Callable[[Reading], Section]] = {
    "importance": _importance,
    "worth": _worth,
    "demand": _demand,
    "van_westendorp": _van_westendorp,
    "invest": _invest,
}


@blueprint.get("/results/<slug>/<any(importance, worth, demand, van_westendorp, invest):chart>.json")
@requires(*READERS)
def chart_json(slug: str, chart: str) -> Response:
    """The Plotly figure of a chart; the page's script draws it."""
    r = _reading(slug)
    words = {"labels": r.labels, "words": gettext}
    if chart == "importance":
        drawn = importance.figure(r.table("importance"), **words)
    elif chart == "worth":
        drawn = willingness_to_pay.figure(r.table("willingness_to_pay"), currency=r.unit, **words)
    elif chart == "demand":
        current = r.definition.price.current
        drawn = demand.figure(
            r.table("demand"), limits=r.table("price_limit"), current=current, currency=r.unit, **words
        )
    elif chart == "van_westendorp":
        drawn = van_westendorp.figure(
            r.table("van_westendorp_curves"), points=r.table("van_westendorp_points"), currency=r.unit, **words
        )
    else:
        drawn = investment.figure(r.table("investment"), currency=r.unit, **words)
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
