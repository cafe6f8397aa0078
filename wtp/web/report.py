"""The report of a reading: every section of the results pages, in their order and with their very texts, for the writers of slides and PDF."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import plotly.graph_objects as go
from babel.dates import format_date
from babel.numbers import get_decimal_symbol, get_group_symbol
from flask_babel import gettext as _
from flask_babel import ngettext

from wtp.analysis import ALL, CONDITIONAL, HIERARCHICAL, LATENT, MIXED, package_versions
from wtp.charts import investment, theme
from wtp.export.report import Card, Chapter, Finding, Report, Verdict
from wtp.jobs import keys_of
from wtp.store import Database, measures, results
from wtp.web import cards
from wtp.web.contact_results import CONTACTS, contact_reading
from wtp.web.final_words import model_names, version_names
from wtp.web.formats import number, percent
from wtp.web.i18n import language
from wtp.web.i18n import text as said
from wtp.web.measure_words import counted, table_for_reports
from wtp.web.reading import Reading
from wtp.web.results import notes_of, rests_on, sections_of, tabs
from wtp.web.section import Section
from wtp.web.sections import figure
from wtp.web.verdicts import splits
from wtp.web.waves import both_waves
from wtp.web.waves_sections import sections_about_waves, waves_figure, waves_section

# A bar from zero would be longest where an attribute matters least.
_TABLE_ALONE = {"asked-methods"}


def report_of(reading: Reading, database: Database, fingerprint: str = "") -> Report:
    """Everything that the pages show of this reading. fingerprint: of its analysis, if it is no longer of the answers that are there now."""
    definition, analysis = reading.definition, reading.analysis
    study, segment = said(definition.title), reading.labels[reading.segment]
    now = datetime.now(UTC)
    day = format_date(now.date(), "long", locale=language())
    counts = {"simulated": number(analysis.simulated, 0), "all": number(analysis.respondents, 0)}
    costs = definition.economics
    interval = _("%(percent)s intervals", percent=percent(analysis.confidence))
    rows = reading.table("segments").iloc[0]
    asked = ngettext("%(num)s respondent", "%(num)s respondents", int(rows["respondents"]))
    source = [study, segment, asked, interval, *_whose(reading), day]
    return Report(
        language=language(),
        title=_("Where to invest, where to save, which price"),
        study=study,
        segment=segment,
        date=day,
        created=now.isoformat(timespec="seconds"),
        source=" · ".join(source),
        simulated=_("Simulated answers: %(simulated)s of %(all)s respondents", **counts) if analysis.simulated else "",
        illustrative=_illustrative() if costs and costs.illustrative else "",
        facts=tuple(_facts(reading, segment, day)),
        notes=tuple(notes_of(reading)),
        cards=tuple(_cards(reading)),
        chapters=tuple(_chapters(reading, database, of_now=not fingerprint)),
        method=tuple(_method(reading)),
        provenance=tuple(_provenance(reading, _made(database, reading, fingerprint))),
        words=_words(),
        colours=theme.COLOURS,
    )  # fmt: skip


def _illustrative() -> str:
    more = _("the costs in this survey are an example; gains and invest / save labels follow from them.")
    return _("Illustrative costs:") + " " + more


def _whose(reading: Reading) -> list[str]:
    """Whose answers, where somebody is left out."""
    return [reading.whose] if reading.left_out else []


def _facts(reading: Reading, segment: str, day: str) -> Iterator[tuple[str, str]]:
    analysis = reading.analysis
    yield _("Segment"), segment
    asked = ngettext("%(num)s respondent", "%(num)s respondents", analysis.respondents)
    completed = _("%(completed)s completed", completed=number(analysis.completed, 0))
    yield _("Who was asked"), f"{asked}, {completed}"
    yield _("This segment"), rests_on(reading)
    many = _("That is more than 15 %% of all: the rest may be other people than the customers you meant. Say so wherever you show these figures.")  # fmt: skip
    yield _("Whose answers"), f"{reading.whose}." + (" " + many % {} if reading.many_left_out else "")
    yield _("Amounts"), _("Amounts are stated willingness to pay, %(unit)s, with %(percent)s intervals.", unit=reading.unit, percent=percent(analysis.confidence))  # fmt: skip
    yield _("Date of this report"), day


def _cards(reading: Reading) -> Iterator[Card]:
    names = [ALL, *(segment.id for segment in reading.definition.segments)]
    apart = tuple(
        " – ".join((
            _("Segments differ: %(attribute)s", attribute=reading.labels[split.attribute]),
            _("invest for %(invest)s, save for %(save)s.", invest=", ".join(split.invest), save=", ".join(split.save)),
        )) + " " + (_("Each can be offered its own level.") if split.possible else _("The survey says that one level must serve all."))
        for split in splits(reading, names[1:])
    )  # fmt: skip
    for name in names:
        own = replace(reading, segment=name)
        yield _card(own, apart if name == ALL else ())


def _card(reading: Reading, apart: tuple[str, ...]) -> Card:
    card, table = cards.card_of(reading), reading.table("investment")
    evidence = {"indication": _("an indication only"), "none": _("too few for figures")}
    known = len(table) > 0 and table["worth"].notna().any()
    return Card(
        segment=reading.labels[card.segment],
        finding=investment.title(table, labels=reading.labels, words=_) if known else _("No figures to decide on here"),
        respondents=ngettext("%(num)s respondent", "%(num)s respondents", card.respondents),
        evidence=evidence.get(card.evidence, ""),
        limit_name=_("Price upper limit") if card.limit_is_final else _("Price upper limit, preliminary"),
        limit=card.limit,
        today=card.today,
        verdicts=tuple(
            Verdict(each.label, each.mark, each.name, reading.labels[each.attribute], each.sentence)
            for each in card.verdicts
        ),
        splits=apart,
    )


def _chapters(reading: Reading, database: Database, *, of_now: bool) -> Iterator[Chapter]:
    """The pages in their order; before and after only of the answers that are there now."""
    for page, name in tabs(reading).items():
        own = contact_reading(reading) if page == CONTACTS else reading
        found = tuple(_finding(made, own) for made in sections_of(page, own)) if own is not None else ()
        if found:
            yield Chapter(name, found)
    asked = {"without": reading.answers, "versions": reading.analysis.request.versions}
    if of_now and (both := both_waves(reading, asked)) is not None:
        sections = [waves_section(chart, both) for chart in sections_about_waves(both)]
        yield Chapter(_("Before and after"), tuple(_finding(made, both, waves_figure) for made in sections))
    yield from _measures(reading, database)


def _measures(reading: Reading, database: Database) -> Iterator[Chapter]:
    """The measures of the segment, or all of them."""
    with database.read() as connection:
        found = measures.of_study(connection, reading.survey.slug)
    own, today = [m for m in found if reading.segment in (ALL, m.grounds.segment)], datetime.now(UTC).date()
    if not own:
        return
    head, rows = table_for_reports(own, reading.labels, today)
    yield Chapter(
        _("Measures"),
        (
            Finding(
                chart="measures",
                title=counted(own, today),
                lead="",
                missing="",
                findings=(),
                head=head,
                rows=rows,
                says=_("What is done because of the findings, each with the finding as it stood when the measure was recorded. What was given up stays in the list."),
                not_says=_("A measure that was done says nothing of its effect; a second wave of the study can."),
            ),
        ),
    )  # fmt: skip


def _finding(made: Section, reading: Reading, draw: Callable[[str, Reading], go.Figure] = figure) -> Finding:
    drawn = made.drawn and not made.missing
    return Finding(
        chart=made.chart,
        title=made.title,
        lead=made.lead,
        missing=made.missing,
        findings=made.findings,
        head=made.head,
        rows=made.rows,
        says=made.says,
        not_says=made.not_says,
        figure=_figure(draw(made.chart, reading)) if drawn else None,
        native=made.chart not in _TABLE_ALONE,
    )


def _figure(chart: go.Figure) -> dict[str, Any]:
    """The page's chart with numbers as the language writes them."""
    signs = get_decimal_symbol(language()) + get_group_symbol(language())
    drawn: dict[str, Any] = json.loads(chart.update_layout(separators=signs).to_json())
    return drawn


def _method(reading: Reading) -> Iterator[str]:
    """How the figures came about, in a few sentences."""
    analysis, tasks = reading.analysis, reading.definition.choice_tasks
    yield _("Respondents chose between described offers, each with a price, in %(tasks)s choice tasks each (choice-based conjoint). What they chose, not what they say, tells what they value.", tasks=number(tasks.total, 0))  # fmt: skip
    amounts = {
        HIERARCHICAL: _("Amounts and price limits come from a hierarchical Bayesian logit: every respondent has tastes of his own."),
        LATENT: _("Amounts come from a latent class logit: respondents belong to classes with one taste each."),
        MIXED: _("Amounts come from a mixed logit: tastes differ from respondent to respondent."),
        CONDITIONAL: _("Amounts come from a logit with one average taste for each segment; price limits are preliminary."),
    }  # fmt: skip
    estimator = _estimator(reading)
    if estimator in amounts:
        yield amounts[estimator]
    yield _("Intervals are made to hold the true figure in %(percent)s of such studies, as far as it depends on who happened to be asked. They do not say how far people do what they say.", percent=percent(analysis.confidence))  # fmt: skip
    yield _("Figures of segments with fewer than 30 answers are withheld, and so is what could tell of fewer than ten people.")  # fmt: skip


def _estimator(reading: Reading) -> str:
    return str(reading.table("segments")["estimator"].iloc[0])


def _made(database: Database, reading: Reading, fingerprint: str) -> dict[str, Any]:
    """How the analysis was made, if it was kept with that."""
    with database.read() as connection:
        fingerprint = fingerprint or keys_of(connection, reading.survey, reading.analysis.request)[0]
        kept = results.made(connection, reading.survey.slug, fingerprints=[fingerprint])
    return dict(kept[0].made or {}) if kept else {}


def _provenance(reading: Reading, made: dict[str, Any]) -> Iterator[tuple[str, str]]:
    analysis = reading.analysis
    yield _("Model"), model_names().get(_estimator(reading), _estimator(reading))
    yield _("Seed"), str(analysis.request.seed)
    yield _("Versions of the survey"), version_names()[analysis.request.versions]
    yield _("Respondents left out"), number(reading.left_out, 0)
    yield _("Respondents simulated"), number(analysis.simulated, 0)
    yield _("Study"), reading.survey.slug
    yield _("Hash of the survey"), analysis.definition_hash
    yield _("Hash of the answers"), analysis.answers_hash
    yield _("Programs"), ", ".join(f"{n} {v}" for n, v in made.get("packages", package_versions()).items())


def _words() -> dict[str, str]:
    """What the writers say of their own."""
    return {
        "overview": _("Overview"),
        "contents": _("Contents"),
        "notes": _("What to know about these figures"),
        "method": _("How these figures were made"),
        "provenance": _("What it takes to make them again"),
        "value": _("Value"),
        "says": _("What this says"),
        "not_says": _("What it does not say"),
        "table": _("Table"),
        "chart": _("Chart"),
        "same_figures": _("The table has the same figures."),
        "part": _("table %(part)s of %(parts)s", part="{part}", parts="{parts}"),
        "simulated": _("Do not decide anything on them."),
        "verdict": _("Verdict"),
        "attribute": _("Attribute"),
        "why": _("Why"),
        "low": _("lower end"),
        "high": _("upper end"),
        "no_charts": _(
            "The charts are missing: this server has no browser that draws them. Every figure is in the tables."
        ),
    }
