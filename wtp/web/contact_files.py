"""What analysts do with contacts: import a file of them after a dry run and take it back, take them away, link customers with answers, forget one."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge

from wtp.errors import DataError
from wtp.export import contacts_frame, table_csv
from wtp.imports import CheckedContacts, check_contacts
from wtp.imports.contacts import COLUMNS, NEEDED
from wtp.store import audit, contacts, customer_files, customers
from wtp.store.contacts import Contact
from wtp.survey import Survey
from wtp.survey.contacts import ContactCodes, contact_codes
from wtp.web import running
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.given_files import Answer, CustomerFiles
from wtp.web.i18n import text as said

blueprint = Blueprint("contact_files", __name__, url_prefix="/manage")


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> Answer:
    """A file beyond the limit, said where it was given."""
    return _FILES.too_large(error)


@blueprint.get("/<slug>/contacts")
@requires(*ANALYSTS)
def start(slug: str) -> str:
    """Give a file; what was imported; links."""
    return _page(_coded(slug)[0])


@blueprint.post("/<slug>/contacts")
@requires(*ANALYSTS)
def give(slug: str) -> Answer:
    """Try a file and tell every problem; import all of it if that was asked for and nothing is wrong."""
    survey, codes = _coded(slug)
    return _FILES.give(survey, lambda file: check_contacts(codes, file))


@blueprint.post("/<slug>/contacts/<int:import_number>/take-back")
@requires(*ANALYSTS)
def take_back(slug: str, import_number: int) -> Answer:
    """Delete the contacts of a file, if the box says so."""
    return _FILES.take_back(_coded(slug)[0], import_number)


@blueprint.post("/<slug>/contacts/links")
@requires(*ANALYSTS)
def links(slug: str) -> Answer:
    """Link invited customers with their answers, or take every link away, also where nobody records contacts any more."""
    survey = running.survey_of(slug)
    now = datetime.now(UTC)
    try:
        with running.database().begin() as connection:
            if request.form.get("do") == "drop":
                count, action = customers.drop_links(connection, slug), audit.UNLINKED
            else:
                count, action = customers.link(connection, survey, secret=running.secret()), audit.LINKED
            audit.add(connection, slug, action, who=current_user.name, reason=f"{count} customers", now=now)
    except DataError:
        mistake = _("This study does not allow it: its consent must tell people, and “Contacts may be linked with answers” must be ticked in the study.")  # fmt: skip
        return _page(survey, mistake=mistake), 422
    return redirect(_back(survey), 303)


@blueprint.post("/<slug>/contacts/forget")
@requires(*ANALYSTS)
def forget(slug: str) -> Answer:
    """Take a customer's pseudonym and link away, also where nobody records contacts any more."""
    survey = running.survey_of(slug)
    number = request.form.get("customer", "").strip()
    with running.database().begin() as connection:
        gone = bool(number) and customers.forget(connection, slug, number, secret=running.secret())
        if gone:
            reason = "a customer asked, or left"
            audit.add(connection, slug, audit.FORGOTTEN, who=current_user.name, reason=reason, now=datetime.now(UTC))
    if not gone:
        return _page(survey, mistake=_("There is no customer of this number; nothing was changed."), typed=number), 422
    return redirect(_back(survey, forgotten="yes"), 303)


def _back(survey: Survey, forgotten: str | None = None) -> str:
    """Where links are seen: on the page of contacts, without contacts on that of purchases."""
    place = "contact_files.start" if survey.definition.contacts else "purchase_files.start"
    return url_for(place, slug=survey.slug, forgotten=forgotten)


@blueprint.get("/<slug>/contacts.csv")
@requires(*ANALYSTS)
def download(slug: str) -> Response:
    """Every contact in a row, customers as numbers of this file alone; what was reported only if asked for."""
    _coded(slug)
    words = request.args.get("words") == "yes"
    with running.database().begin() as connection:
        rows = contacts.rows(connection, slug)
        what = f"{len(rows)} contacts{', with what was reported' if words else ''}"
        audit.add(connection, slug, audit.CONTACTS_EXPORTED, who=current_user.name, reason=what, now=datetime.now(UTC))
    frame = contacts_frame(rows, words=words)
    simulated = "-simulated" if len(frame) and frame["simulated"].any() else ""
    name = f"{slug}-contacts{simulated}.csv"
    return Response(
        table_csv(frame), mimetype="text/csv", headers={"Content-Disposition": f"attachment; filename={name}"}
    )


def _coded(slug: str) -> tuple[Survey, ContactCodes]:
    survey = running.survey_of(slug)
    return survey, contact_codes(survey.definition) or abort(404)


def _page(
    survey: Survey, *, mistake: str = "", tried: tuple[str, CheckedContacts] | None = None, typed: str = ""
) -> str:
    codes = contact_codes(survey.definition)
    with running.database().read() as connection:
        entries = customer_files.everything(connection, survey.slug, customer_files.CONTACTS)
        linked = len(customers.links(connection, survey.slug))
        count = contacts.count(connection, survey.slug)
    return render_template(
        "manage/contacts.html",
        slug=survey.slug,
        study=said(survey.definition.title),
        mistake=mistake,
        **_FILES.shown(entries, tried),
        linked=linked,
        count=count,
        may_link=bool(survey.definition.contacts and survey.definition.contacts.linked),
        columns=COLUMNS,
        needed=NEEDED,
        codes={name: list(found) for name, found in codes.by_field.items() if found} if codes else {},
        typed=typed,
    )


_FILES = CustomerFiles(customer_files.CONTACTS, Contact, contacts.import_file, _page)
