"""Contacts with customers, as staff record them: one page for the hotline, and one on which a second member codes what another recorded."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from wtp.store import contacts, customers
from wtp.survey import Survey
from wtp.survey.contacts import ContactCodes, contact_codes
from wtp.web import running
from wtp.web.accounts import RECORDERS, requires, studies_seen
from wtp.web.contact_form import SUBMISSION, coding_form, coding_of, contact_form, contact_of, new_submission
from wtp.web.i18n import text as said

blueprint = Blueprint("contacts", __name__, url_prefix="/contacts")
_COMPARED = ("channel", "reason", "reported", "question", "mattered_most", "impression", "core_problem", "remedy", "solved", "minutes")  # fmt: skip


@blueprint.get("")
@requires(*RECORDERS)
def studies() -> str | Response:
    """The studies whose contacts are recorded; of one alone its form at once."""
    found = {slug: said(one.definition.title) for slug, one in studies_seen().items() if one.definition.contacts}
    if len(found) == 1:
        return redirect(url_for(".form", slug=next(iter(found))), 303)
    return render_template("contacts/studies.html", studies=found)


@blueprint.get("/<slug>")
@requires(*RECORDERS)
def form(slug: str) -> str:
    """An empty form, ready for the next contact."""
    survey, codes = _coded(slug)
    with running.database().read() as connection:
        last = contacts.recent(connection, slug, current_user.name, 1)
    channel = last[0]["channel"] if last and last[0]["channel"] in codes["channel"] else ""
    return _page(survey, codes, contact_form(codes, channel=channel), saved="saved" in request.args)


@blueprint.post("/<slug>")
@requires(*RECORDERS)
def save(slug: str) -> Response | tuple[str, int]:
    """Keep a contact, once, and show the next empty form; with a mistake, everything that was typed."""
    survey, codes = _coded(slug)
    filled = contact_form(codes)
    if not SUBMISSION.fullmatch(request.form.get("submission", "")):
        abort(400)
    if not filled.validate():
        return _page(survey, codes, filled), 422
    now, submission = datetime.now(UTC), filled.submission.data
    contact = contact_of(filled, now)
    with running.database().begin() as connection:
        new = contacts.record(
            connection,
            slug,
            contact,
            submission=submission,
            who=current_user.name,
            now=now,
            secret=running.secret(),
        )
        kept = None if new else contacts.find(connection, slug, submission)
    if kept is not None and (
        any(kept[name] != getattr(contact, name) for name in _COMPARED)
        or (kept["key"] or "")
        != (customers.key_of(running.secret(), slug, contact.customer) if contact.customer.strip() else "")
    ):
        filled.submission.data = new_submission()
        said_so = _(
            "A contact was saved from this form before, and it stays as it was. If this is another one, send it again."
        )
        return _page(survey, codes, filled, mistake=said_so), 409
    return redirect(url_for(".form", slug=slug, saved="yes"), 303)


@blueprint.get("/<slug>/coding")
@requires(*RECORDERS)
def coding(slug: str) -> str:
    """The next contact of somebody else, as it was reported, to say what it was about."""
    survey, codes = _coded(slug)
    return _coding_page(survey, coding_form(codes))


@blueprint.post("/<slug>/coding")
@requires(*RECORDERS)
def code(slug: str) -> Response | tuple[str, int]:
    """Keep a second coding."""
    survey, codes = _coded(slug)
    filled = coding_form(codes)
    number = request.form.get("contact", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        abort(400)
    if not filled.validate():
        return _coding_page(survey, filled), 422
    with running.database().begin() as connection:
        contacts.code(connection, slug, int(number), coding_of(filled), who=current_user.name, now=datetime.now(UTC))
    return redirect(url_for(".coding", slug=slug), 303)


def _coded(slug: str) -> tuple[Survey, ContactCodes]:
    """The study with its codes, or 404 where no contacts are recorded."""
    survey = running.survey_of(slug)
    return survey, contact_codes(survey.definition) or abort(404)


def _page(survey: Survey, codes: ContactCodes, form: FlaskForm, *, saved: bool = False, mistake: str = "") -> str:
    with running.database().read() as connection:
        last = contacts.recent(connection, survey.slug, current_user.name)
    words = {field: {code: said(wording) for code, wording in codes[field].items()} for field in codes.by_field}
    return render_template(
        "contacts/form.html",
        slug=survey.slug,
        study=said(survey.definition.title),
        form=form,
        saved=saved,
        mistake=mistake,
        recent=[(row["happened_at"].astimezone(), row) for row in last],
        words=words,
        zone=datetime.now().astimezone().tzname(),
    )


def _coding_page(survey: Survey, form: FlaskForm) -> str:
    with running.database().read() as connection:
        contact, done, of = contacts.to_code(connection, survey.slug, current_user.name)
    codes = contact_codes(survey.definition)
    return render_template(
        "contacts/coding.html",
        slug=survey.slug,
        study=said(survey.definition.title),
        form=form,
        contact=contact,
        channel=said(codes["channel"][contact["channel"]]) if contact and codes and contact["channel"] in codes["channel"] else "",
        done=done,
        of=of,
    )  # fmt: skip
