"""The field of a study: how it goes, how sure the figures are already, quotas, pause and close, the link as a QR code, personal invitations and reminders."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from functools import partial

import pandas as pd
import segno
from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as Reply
from wtforms import TextAreaField

from wtp.analysis import target_of
from wtp.export import table_csv
from wtp.store import audit, invitations, quotas, studies
from wtp.store.field import Reached, field_of
from wtp.store.invitations import Invitation
from wtp.survey import Survey
from wtp.survey.pages import ChoiceTaskPage
from wtp.survey.privacy import ANONYMOUS, mode_of
from wtp.web import running
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.analyses import analysis_of, quality_of, stored_analysis, stored_quality
from wtp.web.certainty import certainties
from wtp.web.formats import money
from wtp.web.i18n import amount_text, language, parse_amount
from wtp.web.i18n import text as said
from wtp.web.log_words import action_words
from wtp.web.privacy_words import facts
from wtp.web.quality import flag_counts, signal_names
from wtp.web.reading import labels_of
from wtp.web.stopping import gate_of, note_if_met

blueprint = Blueprint("field", __name__, url_prefix="/manage")
_IDLE = timedelta(minutes=30)
_MOST = 10_000
_LONGEST = 200
_MOST_ENTRIES = 100


class InvitationForm(FlaskForm):  # type: ignore[misc]
    """A list of people, one a line: a CSV with a heading, whose column reference names each person."""

    people = TextAreaField("")


def _base() -> str:
    return str(current_app.extensions["wtp_settings"].base_url).rstrip("/")


@blueprint.get("/<slug>/field")
@requires(*ANALYSTS)
def field(slug: str) -> str:
    """How the field goes."""
    return _page(running.survey_of(slug), InvitationForm(), ())


@blueprint.post("/<slug>/state")
@requires(*ANALYSTS)
def set_state(slug: str) -> Reply:
    """Open, pause or close the study."""
    survey, state = running.survey_of(slug), request.form.get("state", "")
    if state not in studies.STATES:
        abort(400)
    with running.database().begin() as connection:
        before = studies.state(connection, survey.slug)
        studies.set_state(connection, survey.slug, state)
        if state != before:
            said_so = f"{before} → {state}"
            audit.add(connection, slug, audit.STATE, who=current_user.name, reason=said_so, now=datetime.now(UTC))
    return redirect(url_for(".field", slug=slug), 303)


@blueprint.post("/<slug>/refresh")
@requires(*ANALYSTS)
def refresh(slug: str) -> Reply:
    """Bring certainty and quality up to the answers that are there now; takes some seconds."""
    survey, database = running.survey_of(slug), running.database()
    analysis_of(database, survey)
    quality_of(database, survey)
    note_if_met(database, survey)
    asked = request.form.get("half_width") or None
    return redirect(url_for(".field", slug=slug, half_width=asked, _anchor="certainty"), 303)


@blueprint.post("/<slug>/invitations")
@requires(*ANALYSTS)
def invite(slug: str) -> Reply | tuple[str, int]:
    """Import a list of people; either all of it or nothing."""
    survey, form = running.survey_of(slug), InvitationForm()
    people, mistakes = _people(form.people.data or "")
    if mode_of(survey.definition) == ANONYMOUS:
        mistakes = (_("This study is anonymous, so that nobody is invited by name; give its open link to everybody."),)
    if mistakes:
        return _page(survey, form, mistakes), 422
    with running.database().begin() as connection:
        invitations.add(connection, survey.slug, people, secret=running.secret(), now=datetime.now(UTC))
    return redirect(url_for(".field", slug=slug, _anchor="invitations"), 303)


@blueprint.get("/<slug>/<any(links, reminders):part>.csv")
@requires(*ANALYSTS)
def links(slug: str, part: str) -> Response:
    """Every invitation with its personal link, or only those who have not finished: the file of a mail merge."""
    survey = running.survey_of(slug)
    with running.database().begin() as connection:
        everyone = invitations.everyone(connection, survey.slug, secret=running.secret())
        if part == "reminders":
            everyone = tuple(person for person in everyone if person.outcome in {None, "begun"})
        reason = f"{part}: {len(everyone)} people"
        audit.add(connection, slug, audit.LINKS_EXPORTED, who=current_user.name, reason=reason, now=datetime.now(UTC))
    rows = [
        {
            "reference": person.reference,
            **person.contact,
            "link": _base() + url_for("respond.resume", slug=slug, token=person.token),
            "state": person.outcome or "invited",
        }
        for person in everyone
    ]
    headers = {"Content-Disposition": f"attachment; filename={slug}-{part}.csv"}
    return Response(table_csv(pd.DataFrame(rows)), mimetype="text/csv", headers=headers)


@blueprint.get("/<slug>/link.svg")
@requires(*ANALYSTS)
def qr_code(slug: str) -> Response:
    """The open link as a QR code."""
    survey, out = running.survey_of(slug), io.BytesIO()
    address = _base() + url_for("respond.start", slug=survey.slug)
    segno.make(address, error="m").save(out, kind="svg", scale=6, border=4, light="white", xmldecl=False)
    return Response(out.getvalue(), mimetype="image/svg+xml")


def _page(survey: Survey, form: InvitationForm, mistakes: tuple[str, ...]) -> str:
    now = datetime.now(UTC)
    with running.database().read() as connection:
        fields = [
            (simulated, field_of(connection, survey.slug, simulated=simulated, idle_since=now - _IDLE))
            for simulated in (False, True)
        ]
        places = quotas.taken(connection, survey.slug)
        state = studies.state(connection, survey.slug)
        invited = invitations.everyone(connection, survey.slug, secret=running.secret())
        log = audit.newest(connection, survey.slug, _MOST_ENTRIES)
        checked = running.log_checker().check(connection, survey.slug)
    gate, stored, report = (
        gate_of(running.database(), survey),
        stored_analysis(running.database(), survey),
        stored_quality(running.database(), survey),
    )
    asked = request.args.get("half_width", "")
    target = parse_amount(asked, language()) if asked else None
    return render_template(
        "manage/field.html",
        slug=survey.slug,
        study=said(survey.definition.title),
        survey=survey,
        state=state,
        fields=[(simulated, found) for simulated, found in fields if found.begun or not simulated],
        in_order=partial(sorted, key=partial(_place, survey)),
        quotas=[
            (said(q.label), q.limit, [places.get((q.id, s), 0) for s in (False, True)])
            for q in survey.definition.quotas
        ],
        invited=_by_outcome(invited),
        form=form,
        mistakes=mistakes,
        pages={page.id: said(page.title) for page in survey.definition.pages},
        warm_up=survey.definition.choice_tasks.warm_up,
        link=_base() + url_for("respond.start", slug=survey.slug),
        anonymous=mode_of(survey.definition) == ANONYMOUS,
        promised=facts(survey.definition),
        gate=gate,
        analysis=stored[0] if stored else None,
        up_to_date=bool(stored and stored[1]),
        certainties=certainties(survey, stored[0], half_width=target or None, is_open=gate.is_open) if stored else (),
        wrong_target=asked if asked and not target else "",
        target=amount_text(target or target_of(survey.definition), language()),
        currency=survey.definition.currency,
        labels=labels_of(survey.definition),
        money=money,
        flags=flag_counts(report, signal_names()) if report else None,
        flagged=report.respondents[report.respondents["flags"] >= 2]["simulated"].astype(bool).value_counts().to_dict()
        if report
        else {},
        inspected=len(report.respondents) if report else 0,
        log=list(reversed(audit.of_this_study(log[::-1]))),
        action_words=action_words,
        broken=checked.broken,
    )


def _place(survey: Survey, step: Reached) -> tuple[int, int]:
    """Where a step stands in the author's order."""
    pages = {page.id: n for n, page in enumerate(survey.definition.pages)}
    choices = next(n for n, page in enumerate(survey.definition.pages) if isinstance(page, ChoiceTaskPage))
    if step.step.startswith("choice task "):
        return choices, int(step.step.rpartition(" ")[2])
    base, _, part = step.step.rpartition("-")
    return (
        (pages[step.step], 0)
        if step.step in pages
        else (pages.get(base, len(pages)), int(part) if part.isdecimal() else 0)
    )


def _by_outcome(invited: tuple[Invitation, ...]) -> dict[str, int]:
    found = dict.fromkeys(("all", "begun", "completed"), 0)
    for person in invited:
        found["all"] += 1
        found["begun"] += person.outcome is not None
        found["completed"] += person.outcome == "completed"
    return found


def _people(typed: str) -> tuple[list[tuple[str, dict[str, str]]], tuple[str, ...]]:
    """The people of a CSV list, or its mistakes with their lines."""
    lines = typed.strip().removeprefix("\ufeff")
    separator = ";" if lines.partition("\n")[0].count(";") > lines.partition("\n")[0].count(",") else ","
    reader = csv.DictReader(io.StringIO(lines), delimiter=separator)
    if "reference" not in (reader.fieldnames or ()):
        return [], (_("Line 1: name the columns; one of them must be “reference”, which names each person."),)
    people: list[tuple[str, dict[str, str]]] = []
    mistakes: list[str] = []
    seen: set[str] = set()
    for row in reader:
        line, reference = reader.line_num, (row.get("reference") or "").strip()
        contact = {name: (value or "").strip() for name, value in row.items() if name and isinstance(value, str | None)}
        if not reference:
            mistakes.append(_("Line %(line)s: the reference is missing.", line=line))
        elif reference in seen:
            mistakes.append(_("Line %(line)s: the reference “%(name)s” stands there twice.", line=line, name=reference))
        elif (
            None in row
            or contact.keys() & {"link", "state"}
            or any(len(value) > _LONGEST or not value.isprintable() for value in contact.values())
        ):
            mistakes.append(
                _(
                    "Line %(line)s: too many columns, a column called link or state, or a text that is too long.",
                    line=line,
                )
            )
        seen.add(reference)
        people.append((reference, {name: value for name, value in contact.items() if name != "reference"}))
    if len(people) > _MOST:
        mistakes.append(_("%(found)s people; at most %(most)s at once.", found=len(people), most=_MOST))
    if not people:
        mistakes.append(_("There is nobody on the list."))
    return people, tuple(mistakes[:20])
