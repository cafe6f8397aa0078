"""What analysts do with contacts: import a file of them after a dry run and take it back, take them away, link customers with answers, forget one."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as Reply

from wtp.errors import ConflictError, DataError
from wtp.export import contacts_frame, table_csv
from wtp.imports import CheckedContacts, check_contacts, read_file
from wtp.imports.contacts import COLUMNS, NEEDED
from wtp.imports.problems import ERROR, REMEDY, WHAT
from wtp.imports.tables import MOST_BYTES, shown_name
from wtp.imports.unreadable import UnreadableError
from wtp.store import audit, contacts, customer_files, customers
from wtp.store.contacts import Contact
from wtp.survey import Survey
from wtp.survey.contacts import ContactCodes, contact_codes
from wtp.web import running
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.i18n import text as said

blueprint = Blueprint("contact_files", __name__, url_prefix="/manage")
_MOST_SHOWN = 20


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> tuple[str, int] | Reply:
    """A file beyond the limit, said where it was given."""
    slug = (request.view_args or {}).get("slug", "")
    survey = running.surveys().get(slug)
    if not current_user.is_authenticated or current_user.role not in ANALYSTS or not survey:
        return error.get_response()
    most = MOST_BYTES // 1_000_000
    return _page(survey, mistake=_("The file is larger than %(most)s MB. Nothing was added.", most=most)), 413


@blueprint.get("/<slug>/contacts")
@requires(*ANALYSTS)
def start(slug: str) -> str:
    """Give a file; what was imported; links."""
    return _page(_coded(slug)[0])


@blueprint.post("/<slug>/contacts")
@requires(*ANALYSTS)
def give(slug: str) -> Reply | tuple[str, int] | str:
    """Try a file and tell every problem; import all of it if that was asked for and nothing is wrong."""
    survey, codes = _coded(slug)
    given = request.files.get("file")
    if given is None or not given.filename:
        return _page(survey, mistake=_("Choose a file first.")), 422
    try:
        file = read_file(given.read(), shown_name(given.filename))
    except UnreadableError as error:
        return _page(survey, mistake=str(_(error.template).format(**error.values))), 422
    found = check_contacts(codes, file)
    if found.errors or request.form.get("do") != "import":
        return _page(survey, tried=(file.name, found)), 422 if found.errors else 200
    try:
        with running.database().begin() as connection:
            made = contacts.import_file(
                connection,
                slug,
                [Contact(**row) for row in found.rows],
                name=file.name,
                digest=file.digest,
                who=current_user.name,
                now=datetime.now(UTC),
                secret=running.secret(),
                simulated=request.form.get("simulated") == "yes",
            )
    except ConflictError:
        mistake = _("This very file was imported already; it stands in the list below. Nothing was added.")
        return _page(survey, mistake=mistake), 409
    return redirect(url_for(".start", slug=slug, done=made.id), 303)


@blueprint.post("/<slug>/contacts/<int:import_number>/take-back")
@requires(*ANALYSTS)
def take_back(slug: str, import_number: int) -> Reply | tuple[str, int]:
    """Delete the contacts of a file, if the box says so."""
    survey, _codes = _coded(slug)
    if request.form.get("sure") != "yes":
        return _page(survey, mistake=_("Nothing was taken back: tick the box that says what will be deleted.")), 422
    with running.database().begin() as connection:
        if import_number < 1 << 62:
            customer_files.take_back(
                connection, slug, customer_files.CONTACTS, import_number, who=current_user.name, now=datetime.now(UTC)
            )
    return redirect(url_for(".start", slug=slug), 303)


@blueprint.post("/<slug>/contacts/links")
@requires(*ANALYSTS)
def links(slug: str) -> Reply | tuple[str, int]:
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
def forget(slug: str) -> Reply | tuple[str, int]:
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
    with running.database().read() as connection:
        rows = contacts.rows(connection, slug)
    frame = contacts_frame(rows, words=request.args.get("words") == "yes")
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
    asked = request.args.get("done", "")
    kinds = tried[1].gathered if tried else ()
    return render_template(
        "manage/contacts.html",
        slug=survey.slug,
        study=said(survey.definition.title),
        mistake=mistake,
        tried=tried,
        kinds=[
            (problem, _(WHAT[problem.code]), _(REMEDY[problem.code]), problem.column) for problem in kinds[:_MOST_SHOWN]
        ],
        more=len(kinds) - _MOST_SHOWN,
        is_error=lambda problem: problem.severity == ERROR,
        entries=entries,
        fresh=next((e for e in entries if str(e.id) == asked and not e.taken_back_at), None),
        forgotten="forgotten" in request.args,
        linked=linked,
        count=count,
        may_link=bool(survey.definition.contacts and survey.definition.contacts.linked),
        columns=COLUMNS,
        needed=NEEDED,
        codes={name: list(found) for name, found in codes.by_field.items() if found} if codes else {},
        typed=typed,
        most=MOST_BYTES // 1_000_000,
    )
