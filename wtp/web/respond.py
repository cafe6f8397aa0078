"""The respondents' pages: consent, questions, choice tasks, thanks; one step a page.

A step is read, judged, saved in one transaction that is committed before the reply, and left by a redirect, so that reload, back and double
click do no harm. Nothing is kept of a person before consent. A respondent is known by the personal token alone: in the signed session cookie,
or once in a personal link, which leaves the address at the first redirect.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from flask import Blueprint, abort, current_app, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Reply
from wtforms.form import BaseForm

from wtp.design.assignment import assign
from wtp.errors import ConflictError
from wtp.settings import Settings
from wtp.store import Database, answers, respondents, studies
from wtp.store.answers import Current
from wtp.store.respondents import Interview
from wtp.survey import ChoiceTask, Definition, Step, Survey, steps
from wtp.survey.questions import ChoiceTaskPage, ConsentPage, QuestionPage, ThanksPage
from wtp.web import forms
from wtp.web.i18n import language, money
from wtp.web.security import limiter

blueprint = Blueprint("respond", __name__)

_NOTHING = Current({}, {})


@dataclass(frozen=True, slots=True)
class Visit:
    """One respondent on the way through one survey: where he may go and what he has answered."""

    slug: str
    token: str
    definition: Definition
    route: tuple[Step, ...]
    interview: Interview | None
    current: Current

    @property
    def begun(self) -> bool:
        """Whether consent was given."""
        return self.interview is not None and self.interview.consented_at is not None

    @property
    def completed(self) -> bool:
        """Whether everything was answered; nothing changes after that."""
        return self.interview is not None and self.interview.completed_at is not None

    @property
    def open(self) -> int:
        """Place of the first step that is not answered yet."""
        if self.completed:
            return len(self.route) - 1
        return next(place for place, step in enumerate(self.route) if not self._answered(step))

    def place(self, step_id: str) -> int | None:
        """Place of a step on the route, None if there is no such step."""
        return next((place for place, step in enumerate(self.route) if step.id == step_id), None)

    def revision(self, step: Step) -> int:
        """The revision of a step's saved answers, 0 before the first."""
        saved = self.current.choices.get(step.order) if step.order else self.current.pages.get(step.id)
        return saved[0] if saved else 0

    def task(self, step: Step) -> ChoiceTask | None:
        """What the step's choice task shows to this respondent."""
        return self.interview.tasks[step.order - 1] if self.interview and step.order else None

    def saved(self, step: Step) -> dict[str, str]:
        """What the step's form shows when it is opened: the answers saved before, nothing else."""
        data = {"revision": str(self.revision(step))}
        if step.order and step.order in self.current.choices:
            _revision, chosen, buys = self.current.choices[step.order]
            data |= {"chosen": str(chosen)} | ({} if buys is None else {"buys": "yes" if buys else "no"})
        elif isinstance(step.page, QuestionPage) and step.id in self.current.pages:
            data |= forms.restore(step.page, self.current.pages[step.id][1])
        return data

    def _answered(self, step: Step) -> bool:
        if isinstance(step.page, ConsentPage):
            return self.begun
        return not isinstance(step.page, ThanksPage) and self.revision(step) > 0


@blueprint.get("/s/<slug>")
def start(slug: str) -> Reply:
    """The address on the invitation: on to the first open step."""
    visit = _visit(slug)
    return _to(visit, visit.open)


@blueprint.get("/s/<slug>/r/<token>")
@limiter.limit("10 per minute", deduct_when=lambda reply: reply.status_code == 404)
def resume(slug: str, token: str) -> Reply:
    """A personal link: the interview goes on here, and the token leaves the address."""
    survey = _survey(slug)
    with _database().read() as connection:
        interview = respondents.find(connection, survey.slug, token)
    if interview is None:
        abort(404)
    session[_key(slug)] = token
    if interview.language and "lang" not in request.args:
        session["language"] = interview.language
    return redirect(url_for(".start", slug=slug), 303)


@blueprint.get("/s/<slug>/<step_id>")
def step(slug: str, step_id: str) -> Reply | str:
    """Show one step with what was answered before; a step ahead of the first open one leads back to that one."""
    visit = _visit(slug)
    place = visit.place(step_id)
    if place is None:
        abort(404)
    if place > visit.open or (visit.begun and place == 0) or (visit.completed and place < visit.open):
        return _to(visit, visit.open)
    shown = visit.route[place]
    form = forms.page_form(shown.page, visit.task(shown))
    form.process(data=visit.saved(shown))
    return _page(visit, place, form)


@blueprint.post("/s/<slug>/<step_id>")
def save(slug: str, step_id: str) -> Reply | str | tuple[str, int]:
    """Judge and save one step, then go on. Saved means committed before the reply is sent."""
    visit = _visit(slug)
    place = visit.place(step_id)
    if place is None:
        abort(404)
    if visit.completed or place > visit.open:
        return _to(visit, visit.open)
    answered = visit.route[place]
    form = forms.page_form(answered.page, visit.task(answered))
    form.process(request.form)
    if forms.revision(form) is None:
        abort(400)
    if not form.validate():
        return _page(visit, place, form), 422
    try:
        with _database().begin() as connection:
            _record(connection, visit, answered, form)
            after = _load(connection, _survey(slug), visit.token)
            if after.interview and isinstance(after.route[after.open].page, ThanksPage):
                respondents.complete(connection, after.interview.respondent_id, _now())
    except ConflictError:
        now = _visit(slug)
        form["revision"].data = str(now.revision(answered))
        return _page(now, place, form, changed_elsewhere=True), 409
    return _to(after, place + 1)


def _record(connection: Connection, visit: Visit, step: Step, form: BaseForm) -> None:
    if isinstance(step.page, ConsentPage):
        _begin(connection, visit)
        return
    if visit.interview is None:
        abort(404)
    respondent_id, revision, now = visit.interview.respondent_id, forms.revision(form) or 0, _now()
    if isinstance(step.page, ChoiceTaskPage) and step.order is not None:
        buys = form["buys"].data == "yes" if step.page.purchase_question else None
        chosen = int(form["chosen"].data)
        answers.record_choice(connection, respondent_id, step.order, chosen, buys, revision=revision, now=now)
    else:
        values = forms.answers(step.page, form) if isinstance(step.page, QuestionPage) else {}
        answers.record_answers(connection, respondent_id, step.id, values, revision=revision, now=now)
    if visit.interview.language != language():
        respondents.set_language(connection, respondent_id, language())


def _begin(connection: Connection, visit: Visit) -> None:
    """Consent: from here on the person has a number, a design version, and tasks drawn once."""
    survey = _survey(visit.slug)
    if (design := survey.design) is None:
        abort(404)
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
    )


def _visit(slug: str) -> Visit:
    survey = _survey(slug)
    token = session.get(_key(slug))
    if token is None:
        token = session[_key(slug)] = respondents.new_token()
    with _database().read() as connection:
        return _load(connection, survey, token)


def _load(connection: Connection, survey: Survey, token: str) -> Visit:
    interview = respondents.find(connection, survey.slug, token)
    definition, current = survey.definition, _NOTHING
    if interview and interview.definition_hash:
        if interview.definition_hash != survey.definition_hash:
            definition = studies.definition(connection, interview.definition_hash)
        current = answers.current(connection, interview.respondent_id)
    return Visit(survey.slug, token, definition, steps(definition), interview, current)


def _page(visit: Visit, place: int, form: BaseForm, *, changed_elsewhere: bool = False) -> str:
    shown = visit.route[place]
    context: Mapping[str, Any] = {
        "visit": visit,
        "step": shown,
        "place": place,
        "form": form,
        "kinds": forms.KINDS,
        "task": visit.task(shown),
        "changed_elsewhere": changed_elsewhere,
        "mistakes": _mistakes(form, changed_elsewhere),
        "money": lambda amount: money(amount, visit.definition.currency, language()),
        "link": _personal_link(visit) if visit.begun else None,
    }
    return render_template(f"respond/{shown.page.type}.html", **context)


def _mistakes(form: BaseForm, changed_elsewhere: bool) -> list[tuple[str, str, str]]:
    """For the summary on top of the page: (id of the field, its label, message)."""
    if changed_elsewhere:
        first = next((field.name for field in form if field.name != "revision"), "main")
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


def _now() -> datetime:
    return datetime.now(UTC)
