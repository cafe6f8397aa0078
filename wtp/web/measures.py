"""Measures: what is done because of a finding. Each is recorded from the section that justifies it, keeps the sentence as it stood, and leads back to how it stands today."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as Reply
from wtforms import DateField, HiddenField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import AnyOf, DataRequired, Length, Optional

from wtp.export import table_csv
from wtp.store import measures
from wtp.store.measures import LONGEST, ChangedMeanwhileError, Grounds, Measure, Plan, tidy
from wtp.survey import Survey
from wtp.web import running
from wtp.web.accounts import READERS, requires
from wtp.web.i18n import INTERFACE_LANGUAGES, language, spoken
from wtp.web.live import live_finding
from wtp.web.measure_words import KINDS, STATES, about, counted, decided_attribute, due, forecast, frame
from wtp.web.reading import Reading
from wtp.web.results import kept, page_of, reading_as, reading_of, rendered

blueprint = Blueprint("measures", __name__, url_prefix="/results/<slug>/measures")
_LONGEST_NUMBER = 2**31 - 1
_DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y")


def _at_most(name: str) -> Length:
    return Length(max=LONGEST[name], message=_l("At most %(count)s characters, please.", count=LONGEST[name]))


def _tidied(typed: str | None) -> str:
    return tidy(typed or "")


def _line(name: str, missing: LazyString) -> StringField:
    return StringField(filters=[_tidied], validators=[DataRequired(missing), _at_most(name)])


def _texts(name: str) -> TextAreaField:
    return TextAreaField(filters=[_tidied], validators=[_at_most(name)])


def _day() -> DateField:
    return DateField(format=list(_DAYS), validators=[Optional()])


class MeasureForm(FlaskForm):  # type: ignore[misc]
    """What is done, for whom, by whom, until when, and what it is to bring."""

    title = _line("title", _l("Say in a few words what is to be done."))
    kind = SelectField(choices=[SelectChoice(*each) for each in KINDS.items()])
    attribute = SelectField()
    owner = _line("owner", _l("Name the person who sees to it."))
    due_on = _day()
    expected = _texts("expected")
    state = SelectField(choices=[SelectChoice(*each) for each in STATES.items()])
    done_on = _day()
    outcome = _texts("outcome")
    submission = HiddenField(validators=[Length(1, 64)])
    finding = HiddenField(filters=[_tidied], validators=[Length(1, LONGEST["finding"])])
    spoken = HiddenField(validators=[AnyOf(INTERFACE_LANGUAGES)])
    seen = HiddenField()

    def plan(self) -> Plan:
        """The plan of a valid form."""
        return Plan(
            self.kind.data, self.title.data, self.attribute.data or None, self.owner.data, self.due_on.data,
            self.expected.data, self.state.data, self.outcome.data, self.done_on.data,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A measure on the page. address: of the finding as it stands today, empty where there is none any more; now: that finding, where it reads otherwise."""

    measure: Measure
    segment: str
    attribute: str
    due: str
    overdue: bool
    address: str
    now: str


@blueprint.get("")
@requires(*READERS)
def page(slug: str) -> str:
    """All measures, by state."""
    reading, today = reading_of(slug), _today()
    found = _of(slug)
    shown = _shown(reading.survey, found, reading.labels, today)
    by_state = [(state, name, [one for one in shown if one.measure.plan.state == state]) for state, name in STATES.items()]  # fmt: skip
    return rendered(
        "results/measures.html", reading, page="measures", title=counted(found, today), by_state=by_state, kinds=KINDS,
        any_simulated=any(one.simulated for one in found),
    )  # fmt: skip


@blueprint.get("/measures.csv")
@requires(*READERS)
def table(slug: str) -> Response:
    """All measures as a table."""
    reading_of(slug)
    content = table_csv(frame(_of(slug), _today()))
    headers = {"Content-Disposition": f"attachment; filename={slug}-measures.csv"}
    return Response(content, mimetype="text/csv", headers=headers)


@blueprint.get("/new/<chart>")
@requires(*READERS)
def new(slug: str, chart: str) -> str:
    """The form, filled with what the finding says."""
    reading = reading_of(slug)
    live = live_finding(chart, reading, kept()) or abort(404)
    attribute = request.args.get("attribute", decided_attribute(reading) if chart == "invest" else "")
    form = _form(reading)
    known = attribute in {choice.value for choice in form.attribute.choices}
    form.process(
        owner=current_user.name,
        attribute=attribute if known else "",
        expected=forecast(reading, attribute) if known and chart == "invest" else "",
        submission=secrets.token_urlsafe(16),
        finding=live.finding,
        spoken=language(),
    )
    return _asked(reading, form, chart, live.address)


@blueprint.post("/new/<chart>")
@requires(*READERS)
def record(slug: str, chart: str) -> Reply | str | tuple[str, int]:
    """Record it; the same form twice records once. `do=forecast` puts the forecast of the chosen attribute into the form."""
    reading = reading_of(slug)
    live = live_finding(chart, reading, kept())
    if live is None and not page_of(chart, reading):
        abort(404)
    back = live.address if live else url_for("results.overview", slug=slug)
    form = _form(reading)
    if live is not None:  # the finding is what the page says, whatever was sent
        form.finding.data, form.spoken.data = live.finding, language()
    if request.form.get("do") == "forecast":
        form.expected.data = forecast(reading, form.attribute.data or "") or form.expected.data
        return _asked(reading, form, chart, back)
    if not form.validate():
        return _asked(reading, form, chart, back), 422
    query = urlencode({name: value for name, value in kept().items() if name != "analysis"})
    grounds = Grounds(chart, reading.segment, form.finding.data, form.spoken.data, query)
    with running.database().begin() as connection:
        number = measures.add(
            connection, slug, form.plan(), grounds, submission=form.submission.data, who=current_user.name, now=datetime.now(UTC)
        )  # fmt: skip
    return _to(slug, number)


@blueprint.get("/<int:number>")
@requires(*READERS)
def edit(slug: str, number: int) -> str:
    """The form of a recorded measure."""
    reading, found = reading_of(slug), _one(slug, number)
    form = _form(reading, found)
    plan = found.plan
    form.process(
        title=plan.title, kind=plan.kind, attribute=plan.attribute or "", owner=plan.owner, due_on=plan.due_on,
        expected=plan.expected, state=plan.state, outcome=plan.outcome, done_on=plan.done_on, **_seen(found),
    )  # fmt: skip
    return _changed(reading, found, form)


@blueprint.post("/<int:number>")
@requires(*READERS)
def change(slug: str, number: int) -> Reply | tuple[str, int]:
    """Change it; whoever has not seen the last change is shown it first, with what he typed."""
    reading, found = reading_of(slug), _one(slug, number)
    form = _form(reading, found)
    if not form.validate():
        return _changed(reading, found, form), 422
    try:
        seen = datetime.fromisoformat(form.seen.data or "").astimezone(UTC)
        with running.database().begin() as connection:
            measures.change(connection, slug, number, form.plan(), seen=seen, who=current_user.name, now=datetime.now(UTC))  # fmt: skip
    except (ChangedMeanwhileError, ValueError):
        form.seen.data = _seen(found)["seen"]
        return _changed(reading, found, form, meanwhile=True), 409
    return _to(slug, number)


def _to(slug: str, number: int) -> Reply:
    return redirect(url_for(".page", slug=slug, _anchor=f"measure-{number}", **_state()), 303)


def _state() -> dict[str, Any]:
    return kept() | ({"segment": request.args["segment"]} if "segment" in request.args else {})


def _seen(found: Measure) -> dict[str, str]:
    """Hidden fields of a measure that is changed: its grounds are fixed, its last change must be known."""
    return {"submission": "-", "finding": found.grounds.finding, "spoken": found.grounds.language, "seen": found.changed_at.isoformat()}  # fmt: skip


def _form(reading: Reading, found: Measure | None = None) -> MeasureForm:
    """The form with the attributes of the survey; one that is gone stays choosable for the measure that has it."""
    form = MeasureForm()
    names = [*(attribute.id for attribute in reading.definition.attributes), "price"]
    if found and found.plan.attribute and found.plan.attribute not in names:
        names.append(found.plan.attribute)
    whole = SelectChoice("", _l("the whole offer"))
    form.attribute.choices = [whole, *(SelectChoice(name, reading.labels.get(name, name)) for name in names)]
    return form


def _asked(reading: Reading, form: MeasureForm, chart: str, back: str) -> str:
    state: dict[str, Any] = {**_state(), "segment": reading.segment}
    action = url_for(".record", slug=reading.survey.slug, chart=chart, **state)
    return rendered(
        "results/measure.html", reading, page="measure", form=form, action=action, back=back, found=None, longest=LONGEST,
        has_forecast=chart == "invest" and any(forecast(reading, choice.value) for choice in form.attribute.choices), about=reading.labels[reading.segment],
    )  # fmt: skip


def _changed(reading: Reading, found: Measure, form: MeasureForm, *, meanwhile: bool = False) -> str:
    slug = reading.survey.slug
    return rendered(
        "results/measure.html", reading, page="measure", form=form, action=url_for(".change", slug=slug, number=found.id, **_state()),
        back=url_for(".page", slug=slug, _anchor=f"measure-{found.id}", **_state()), found=found, meanwhile=meanwhile, longest=LONGEST, has_forecast=False,
        about=about(found, reading.labels)[0], states=STATES,
    )  # fmt: skip


def _of(slug: str) -> tuple[Measure, ...]:
    with running.database().read() as connection:
        return measures.of_study(connection, slug)


def _one(slug: str, number: int) -> Measure:
    if number > _LONGEST_NUMBER:
        abort(404)
    with running.database().read() as connection:
        return measures.get(connection, slug, number) or abort(404)


def _today() -> date:
    return datetime.now(UTC).date()


def _shown(survey: Survey, found: Sequence[Measure], labels: Mapping[str, str], today: date) -> list[Shown]:
    findings: dict[Grounds, tuple[str, str]] = {}
    shown = []
    for one in found:
        grounds = one.grounds
        key = replace(grounds, finding="")
        if key not in findings:
            findings[key] = _now(survey, grounds)
        address, now = findings[key]
        segment, attribute = about(one, dict(labels))
        now = now if now != grounds.finding else ""
        shown.append(Shown(one, segment, attribute, due(one, today), one.is_overdue(today), address, now))
    return shown


def _now(survey: Survey, grounds: Grounds) -> tuple[str, str]:
    """Where the finding stands today, and what it says in the language in which it was recorded; both empty if it is not there any more."""
    known = {segment.id for segment in survey.definition.segments} | {"all"}
    if grounds.segment not in known:
        return "", ""
    asked = dict(parse_qsl(grounds.query))
    with spoken(grounds.language):
        reading = reading_as(survey, grounds.segment, asked)
        live = live_finding(grounds.chart, reading, asked) if reading else None
        return (live.address, live.finding) if live else ("", "")
