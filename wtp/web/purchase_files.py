"""What analysts do with purchases: import a file of them after a dry run, take it back, and bring what is known of linked customers into the analysis."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as Reply

from wtp.analysis import known_beside
from wtp.errors import ConflictError, DataError
from wtp.imports import Purchases, read_file, read_purchases
from wtp.imports.problems import ERROR, REMEDY, WHAT
from wtp.imports.purchases import NEEDED, OPTIONAL
from wtp.imports.tables import MOST_BYTES, shown_name
from wtp.imports.unreadable import UnreadableError
from wtp.store import audit, contacts, customer_files, customers, known, purchases
from wtp.store.purchases import Purchase
from wtp.survey import Survey
from wtp.web import running
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.i18n import text as said

blueprint = Blueprint("purchase_files", __name__, url_prefix="/manage")
_MOST_SHOWN = 20
_LARGEST = 1 << 62  # numbers beyond it are in no database


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> tuple[str, int] | Reply:
    """A file beyond the limit, said where it was given."""
    survey = running.surveys().get((request.view_args or {}).get("slug", ""))
    if not current_user.is_authenticated or current_user.role not in ANALYSTS or not survey:
        return error.get_response()
    most = MOST_BYTES // 1_000_000
    return _page(survey, mistake=_("The file is larger than %(most)s MB. Nothing was added.", most=most)), 413


@blueprint.get("/<slug>/purchases")
@requires(*ANALYSTS)
def start(slug: str) -> str:
    """Give a file; what was imported; what is in the analysis."""
    return _page(running.survey_of(slug))


@blueprint.post("/<slug>/purchases")
@requires(*ANALYSTS)
def give(slug: str) -> Reply | tuple[str, int]:
    """Try a file and tell every problem; import all of it if that was asked for and nothing is wrong."""
    survey = running.survey_of(slug)
    given = request.files.get("file")
    if given is None or not given.filename:
        return _page(survey, mistake=_("Choose a file first.")), 422
    now = datetime.now(UTC)
    try:
        file = read_file(given.read(), shown_name(given.filename))
        found = read_purchases(file, survey.definition, now.date())
    except UnreadableError as error:
        return _page(survey, mistake=str(_(error.template).format(**error.values))), 422
    except DataError as error:
        return _page(survey, mistake=str(error)), 422
    if not found.sound or request.form.get("do") != "import":
        return _page(survey, tried=(file.name, found)), 200 if found.sound else 422
    try:
        with running.database().begin() as connection:
            made = purchases.import_file(
                connection,
                slug,
                [Purchase(**row) for row in found.rows],
                name=file.name,
                digest=file.digest,
                who=current_user.name,
                now=now,
                secret=running.secret(),
                simulated=request.form.get("simulated") == "yes",
            )
    except ConflictError:
        mistake = _("This very file was imported already; it stands in the list below. Nothing was added.")
        return _page(survey, mistake=mistake), 409
    return redirect(url_for(".start", slug=slug, done=made.id), 303)


@blueprint.post("/<slug>/purchases/<int:import_number>/take-back")
@requires(*ANALYSTS)
def take_back(slug: str, import_number: int) -> Reply | tuple[str, int]:
    """Delete the purchases of a file, if the box says so."""
    survey = running.survey_of(slug)
    if request.form.get("sure") != "yes":
        return _page(survey, mistake=_("Nothing was taken back: tick the box that says what will be deleted.")), 422
    with running.database().begin() as connection:
        if import_number < _LARGEST:
            customer_files.take_back(
                connection, slug, customer_files.PURCHASES, import_number, who=current_user.name, now=datetime.now(UTC)
            )
    return redirect(url_for(".start", slug=slug), 303)


@blueprint.post("/<slug>/purchases/bring-in")
@requires(*ANALYSTS)
def bring_in(slug: str) -> Reply:
    """Keep with every linked respondent what contacts and purchases tell of him now; figures made from then on rest on it."""
    survey, now = running.survey_of(slug), datetime.now(UTC)
    with running.database().begin() as connection:
        beside = known_beside(purchases.rows(connection, slug), contacts.rows(connection, slug))
        count = known.take(connection, survey, beside, now)
        audit.add(connection, slug, audit.BROUGHT_IN, who=current_user.name, reason=f"{count} customers", now=now)
    return redirect(url_for(".start", slug=slug, known=count), 303)


def _page(survey: Survey, *, mistake: str = "", tried: tuple[str, Purchases] | None = None) -> str:
    with running.database().read() as connection:
        entries = customer_files.everything(connection, survey.slug, customer_files.PURCHASES)
        linked = len(customers.links(connection, survey.slug))
        count, people = purchases.count(connection, survey.slug)
        snapshot = known.last(connection, survey.slug)
    asked = request.args.get("done", "")
    kinds = tried[1].problems if tried else ()
    return render_template(
        "manage/purchases.html",
        slug=survey.slug,
        study=said(survey.definition.title),
        mistake=mistake,
        tried=tried,
        facts=_facts(tried[1].frame) if tried and tried[1].sound else None,
        kinds=[
            (problem, _(WHAT[problem.code]), _(REMEDY[problem.code]), problem.column) for problem in kinds[:_MOST_SHOWN]
        ],
        more=len(kinds) - _MOST_SHOWN,
        is_error=lambda problem: problem.severity == ERROR,
        entries=entries,
        fresh=next((e for e in entries if str(e.id) == asked and not e.taken_back_at), None),
        brought=request.args.get("known", ""),
        snapshot=snapshot,
        linked=linked,
        has_contacts=survey.definition.contacts is not None,
        may_link=False,
        typed="",
        forgotten="forgotten" in request.args,
        count=count,
        people=people,
        needed=NEEDED,
        optional=OPTIONAL,
        attributes=[attribute.id for attribute in survey.definition.attributes],
        currency=survey.definition.currency,
        most=MOST_BYTES // 1_000_000,
    )


def _facts(frame: pd.DataFrame) -> dict[str, object]:
    return {
        "purchases": len(frame),
        "customers": frame["customer"].nunique(),
        "first": min(frame["date"]),
        "last": max(frame["date"]),
        "amount": float(frame["amount"].astype(float).sum()),
        "steps": int(frame["stepped_up"].notna().sum()),
    }
