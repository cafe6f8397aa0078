"""The respondents' pages: consent, questions, choice tasks, thanks; one step a page.

A step is read, judged, saved in one transaction that is committed before the reply, and left by a redirect, so that reload, back and double
click do no harm. Nothing is kept of a person before consent. A respondent is known by the personal token alone: in the signed session cookie,
or once in a personal link, which leaves the address at the first redirect.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from flask import (
    Blueprint,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    send_from_directory,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Reply
from wtforms.form import BaseForm

from wtp.design.assignment import assign
from wtp.errors import ConflictError
from wtp.settings import Settings
from wtp.store import Database, answers, invitations, respondents, studies
from wtp.store.outcomes import settle
from wtp.survey import Step, Survey
from wtp.survey.pages import ChoiceTaskPage, ConsentPage, ThanksPage
from wtp.web import forms
from wtp.web.i18n import language, money
from wtp.web.panel import back_to_panel, panel_id
from wtp.web.question_kinds import kano_answers
from wtp.web.security import allow_frames, limiter
from wtp.web.timing import seconds_shown, shown_now
from wtp.web.visit import Visit, load

blueprint = Blueprint("respond", __name__)


@blueprint.get("/s/<slug>")
def start(slug: str) -> Reply:
    """The address that everybody gets: on to the first open step. A panel names its respondent in the address."""
    visit = _visit(slug)
    panel = visit.definition.panel
    if panel and not visit.begun and panel.parameter in request.args:
        session[_panel_key(slug)] = panel_id(request.args[panel.parameter])
    if visit.ending:
        return redirect(url_for(".end", slug=slug), 303)
    return _to(visit, visit.open)


@blueprint.get("/s/<slug>/e/end")
def end(slug: str) -> Reply | str:
    """The last page of those whose interview ended early."""
    visit = _visit(slug)
    if visit.ending is None:
        return _to(visit, visit.open)
    return render_template("respond/end.html", visit=visit, back=_back(visit))


@blueprint.get("/s/<slug>/pictures/<name>")
def picture(slug: str, name: str) -> Reply:
    """A picture of a level; only those that the survey names."""
    survey = _survey(slug)
    if name not in survey.definition.pictures:
        abort(404)
    reply = send_from_directory((survey.folder / "pictures").resolve(), name)
    reply.cache_control.max_age = 86_400
    return reply


@blueprint.get("/s/<slug>/r/<token>")
@limiter.limit("10 per minute", deduct_when=lambda reply: reply.status_code == 404)
def resume(slug: str, token: str) -> Reply:
    """A personal link: the interview goes on here, and the token leaves the address."""
    survey = _survey(slug)
    with _database().read() as connection:
        interview = respondents.find(connection, survey.slug, token)
        invited = invitations.is_invited(connection, survey.slug, token)
    if interview is None and not invited:
        abort(404)
    session[_key(slug)] = token
    if interview and interview.language and "lang" not in request.args:
        session["language"] = interview.language
    return redirect(url_for(".start", slug=slug), 303)


@blueprint.get("/s/<slug>/<step_id>")
def step(slug: str, step_id: str) -> ResponseReturnValue:
    """Show one step with what was answered before; a step ahead of the first open one leads back to that one."""
    visit = _visit(slug)
    place = visit.place(step_id)
    if place is None:
        abort(404)
    if (elsewhere := _elsewhere(visit)) is not None:
        return elsewhere
    if place > visit.open or (visit.begun and place == 0) or (visit.completed and place < visit.open):
        return _to(visit, visit.open)
    shown = visit.route[place]
    form = forms.page_form(shown.page, visit.task(shown))
    form.process(data=visit.saved(shown))
    return _page(visit, place, form)


@blueprint.post("/s/<slug>/<step_id>")
def save(slug: str, step_id: str) -> ResponseReturnValue:
    """Judge and save one step, then go on. Saved means committed before the reply is sent."""
    visit = _visit(slug)
    place = visit.place(step_id)
    if place is None:
        abort(404)
    if (elsewhere := _elsewhere(visit)) is not None:
        return elsewhere
    if visit.completed or place > visit.open:
        return _to(visit, visit.open)
    answered = visit.route[place]
    form = forms.page_form(answered.page, visit.task(answered))
    form.process(request.form)
    if forms.revision(form) is None:
        abort(400)
    if not form.validate():
        form["asked"].data = "yes"
        return _page(visit, place, form), 422
    try:
        with _database().begin() as connection:
            _record(connection, visit, answered, form)
            after = load(connection, _survey(slug), visit.token)
            if after.interview and settle(
                connection,
                after.definition,
                after.interview,
                after.current.answers,
                after.route,
                finished=isinstance(after.route[after.open].page, ThanksPage),
                now=_now(),
            ):
                after = load(connection, _survey(slug), visit.token)
    except ConflictError:
        now = _visit(slug)
        form["revision"].data = str(now.revision(answered))
        return _page(now, place, form, changed_elsewhere=True), 409
    # The way may have changed by this answer; the next page is the one after this step.
    return _elsewhere(after) or _to(after, (after.place(step_id) or place) + 1)


def _record(connection: Connection, visit: Visit, step: Step, form: BaseForm) -> None:
    if isinstance(step.page, ConsentPage):
        _begin(connection, visit)
        return
    if visit.interview is None:
        abort(404)
    respondent_id, revision, now = visit.interview.respondent_id, forms.revision(form) or 0, _now()
    seconds = seconds_shown(form["shown"].data, step.id, form["away"].data)
    if isinstance(step.page, ChoiceTaskPage) and step.order is not None:
        buys = form["buys"].data == "yes" if step.page.purchase_question else None
        chosen = int(form["chosen"].data)
        answers.record_choice(
            connection, respondent_id, step.order, chosen, buys, revision=revision, now=now, seconds=seconds
        )
    else:
        values = forms.answers(step, form)
        answers.record_answers(connection, respondent_id, step.id, values, revision=revision, now=now, seconds=seconds)
    if found := forms.signs(step, form, request.form.get("company_address", "")):
        respondents.add_signs(connection, respondent_id, found)
    if visit.interview.language != language():
        respondents.set_language(connection, respondent_id, language())


def _begin(connection: Connection, visit: Visit) -> None:
    """Consent: from here on the person has a number, a design version, and tasks drawn once."""
    survey = _survey(visit.slug)
    if (design := survey.design) is None:
        abort(404)
    named: str | None = session.get(_panel_key(visit.slug))
    invited = invitations.is_invited(connection, visit.slug, visit.token)
    source = "panel" if named else "invitation" if invited or visit.interview else "link"
    version = respondents.least_filled(connection, visit.slug, tuple(design.versions))
    respondents.begin(
        connection,
        visit.slug,
        visit.token,
        definition_hash=survey.definition_hash,
        design_version=version,
        tasks=assign(design.versions[version], np.random.default_rng(secrets.randbits(128))),
        language=language(),
        consent_hash=survey.definition.consent_hash,
        now=_now(),
        lot=secrets.token_hex(16),
        source=source,
        panel_id=named,
    )


def _visit(slug: str) -> Visit:
    survey = _survey(slug)
    allow_frames(survey.definition.embed_in)
    token = session.get(_key(slug))
    if token is None:
        token = session[_key(slug)] = respondents.new_token()
    with _database().read() as connection:
        return load(connection, survey, token)


def _elsewhere(visit: Visit) -> ResponseReturnValue | None:
    """For whom the interview ended early, its end; the page of a study that is paused, closed or wants another link; None to go on."""
    if visit.ending:
        return redirect(url_for(".end", slug=visit.slug), 303)
    with _database().read() as connection:
        state = "open" if visit.test else studies.state(connection, visit.slug)
        named: str | None = session.get(_panel_key(visit.slug))
        again = named is not None and not visit.begun and respondents.panel_known(
            connection, visit.slug, named, visit.token
        )  # fmt: skip
    panel = visit.definition.panel
    if visit.completed or (state != "closed" and visit.begun):
        return None
    reason = state if state != "open" else "again" if again else ""
    own = visit.test or visit.interview is not None  # somebody with a personal link
    if not reason and panel and panel.required and not named and not own:
        reason = "panel"
    return (render_template("respond/closed.html", visit=visit, reason=reason), 403) if reason else None


def _back(visit: Visit) -> str | None:
    """The panel's address for this respondent and outcome."""
    if not (visit.interview and visit.interview.panel_id and visit.interview.outcome and visit.definition.panel):
        return None
    return back_to_panel(visit.definition.panel, visit.interview.outcome, visit.interview.panel_id)


def _page(visit: Visit, place: int, form: BaseForm, *, changed_elsewhere: bool = False) -> str:
    shown = visit.route[place]
    form["shown"].data = form["shown"].data or shown_now(shown.id)
    context: Mapping[str, Any] = {
        "visit": visit,
        "step": shown,
        "place": place,
        "form": form,
        "kano_answers": kano_answers(),
        "beside": forms.BESIDE,
        "anchors": [("all", _("All of them")), ("some", _("Some of them")), ("none", _("None of them"))],
        "back": _back(visit) if visit.completed else None,
        "task": visit.task(shown),
        "changed_elsewhere": changed_elsewhere,
        "mistakes": _mistakes(form, changed_elsewhere),
        "money": lambda amount: money(amount, visit.definition.currency, language()),
        "link": _personal_link(visit) if visit.begun else None,
    }
    return render_template(f"respond/{shown.page.type}.html", **context)


def preview(visit: Visit, place: int) -> str:
    """A step as somebody sees it who has not answered anything."""
    shown = visit.route[place]
    form = forms.page_form(shown.page, visit.task(shown))
    form.process(data={})
    return _page(visit, place, form)


def _mistakes(form: BaseForm, changed_elsewhere: bool) -> list[tuple[str, str, str]]:
    """For the summary on top of the page: (id of the field, its label, message)."""
    if changed_elsewhere:
        first = next((field.name for field in form if field.name not in forms.BESIDE), "main")
        words = _(
            "This page was changed in another window. What you typed here is kept below; save it again to use it."
        )
        return [(first, "", words)]
    return [(field.name, field.label.text, message) for field in form for message in field.errors]


def _personal_link(visit: Visit) -> str:
    settings: Settings = current_app.extensions["wtp_settings"]
    return settings.base_url.rstrip("/") + url_for(".resume", slug=visit.slug, token=visit.token)


def _to(visit: Visit, place: int) -> Reply:
    return redirect(url_for(".step", slug=visit.slug, step_id=visit.route[place].id), 303)


def _survey(slug: str) -> Survey:
    survey: Survey | None = current_app.extensions["wtp_surveys"].get(slug)
    if survey is None or survey.design is None:
        abort(404)
    return survey


def _database() -> Database:
    database: Database = current_app.extensions["wtp_database"]
    return database


def _key(slug: str) -> str:
    return f"respondent/{slug}"


def _panel_key(slug: str) -> str:
    return f"panel/{slug}"


def _now() -> datetime:
    return datetime.now(UTC)
