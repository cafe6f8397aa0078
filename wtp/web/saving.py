"""What is stored when a page of an interview is taken, in the caller's transaction, in which nobody else saves for the same respondent: consent and what begins with it, answers, choices, the end."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace

import numpy as np
from flask import abort, request, session
from sqlalchemy import Connection
from wtforms.form import BaseForm

from wtp.design.assignment import assign
from wtp.store import answers, consents, drafts, erasure, invitations, respondents
from wtp.store.outcomes import settle
from wtp.survey import Step
from wtp.survey.pages import ChoiceTaskPage, ConsentPage, ThanksPage
from wtp.survey.privacy import ANONYMOUS, CUT_AT_END, consent_shown
from wtp.web import entry, forms, panel_links, running
from wtp.web.i18n import language
from wtp.web.privacy_words import facts
from wtp.web.timing import clock_was_set_back, seconds_shown
from wtp.web.visit import Visit, load


def save(connection: Connection, visit: Visit, step: Step, form: BaseForm) -> Visit:
    """Store what a valid form says of a step; where that ends the interview, the end is recorded and drafts are forgotten. Returns the visit as it is then.

    Raises RefusedError if the study is closed meanwhile or the respondent takes part elsewhere, ConflictError if another window saved something else.
    """
    if isinstance(step.page, ConsentPage):
        _begin(connection, visit)
        after = load(connection, entry.survey(visit.slug), visit.token)
    else:
        after = _answered(connection, visit, step, form)
    if after.interview is None or not settle(
        connection,
        after.definition,
        after.interview,
        after.current.answers,
        after.route,
        finished=isinstance(after.route[after.open].page, ThanksPage),
        now=entry.now(),
    ):
        return after
    drafts.drop(connection, after.interview.respondent_id)
    after = load(connection, entry.survey(visit.slug), visit.token)
    if after.completed and not after.test and _is_cut(connection, after):
        session[entry.back_key(visit.slug)] = panel_links.back(after)
        erasure.cut_off(connection, visit.slug, respondents.token_hash(visit.slug, visit.token), now=entry.now())
    return after


def _is_cut(connection: Connection, visit: Visit) -> bool:
    """Whether nobody may tell any more whose answers these are, as this person agreed to it."""
    return visit.interview is not None and consents.mode(connection, visit.interview.respondent_id) in {
        ANONYMOUS,
        CUT_AT_END,
    }


def _answered(connection: Connection, visit: Visit, step: Step, form: BaseForm) -> Visit:
    if visit.interview is None or (standing := visit.standing) is None:
        abort(404)
    person, current = visit.interview.respondent_id, visit.current
    seconds = seconds_shown(form["shown"].data, step.id, form["away"].data)
    sent = answers.Sent(forms.revision(form) or 0, entry.now(), seconds)
    if isinstance(step.page, ChoiceTaskPage) and step.order is not None:
        buys = form["buys"].data == "yes" if step.page.purchase_question else None
        task, chosen = visit.interview.tasks[step.order - 1], int(form["chosen"].data)
        before = current.choices.get(step.order)
        revision = answers.take_choice(connection, standing, before, task, step.order, chosen, buys, sent)
        current = replace(current, choices={**current.choices, step.order: (revision, chosen, buys)})
    else:
        values = forms.answers(step, form)
        revision = answers.take_answers(connection, standing, current.pages.get(step.id), step.id, values, sent)
        as_kept = json.loads(json.dumps(values))  # as the database gives it back
        current = replace(current, pages={**current.pages, step.id: (revision, as_kept)})
    if step.id in visit.drafts:
        drafts.drop(connection, person, step.id)
    found = forms.signs(step, form, request.form.get("company_address", ""))
    if clock_was_set_back(form["shown"].data, step.id):
        found.append("clock_set_back")
    if found:
        respondents.add_signs(connection, person, found)
    if visit.interview.language != language():
        respondents.set_language(connection, person, language())
    return visit.after(step, current)


def _begin(connection: Connection, visit: Visit) -> None:
    """Consent: from here on the person has a number, a design version, and tasks drawn once."""
    survey = entry.survey(visit.slug)
    if (design := survey.design) is None:
        abort(404)
    told = [(fact.about, fact.words) for fact in facts(survey.definition)]
    shown = consent_shown(survey.definition, language(), told)
    named = entry.named_by_panel(visit)
    if shown["mode"] == ANONYMOUS:
        named = None  # nothing is stored that leads to a person
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
        consent_shown=consents.keep(connection, visit.slug, language(), shown, entry.now()),
        now=entry.now(),
        lot=secrets.token_hex(16),
        source=source,
        panel_id=named,
        panel_mark=respondents.panel_mark(running.secret(), visit.slug, named) if named else None,
    )
