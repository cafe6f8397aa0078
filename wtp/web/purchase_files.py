"""What analysts do with purchases: import a file of them after a dry run, take it back, and bring what is known of linked customers into the analysis."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as Reply

from wtp.analysis import known_beside
from wtp.imports import Purchases, read_purchases
from wtp.imports.purchases import NEEDED, OPTIONAL
from wtp.store import audit, contacts, customer_files, customers, known, purchases
from wtp.store.purchases import Purchase
from wtp.survey import Survey
from wtp.web import running
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.given_files import Answer, CustomerFiles
from wtp.web.i18n import text as said

blueprint = Blueprint("purchase_files", __name__, url_prefix="/manage")


@blueprint.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> Answer:
    """A file beyond the limit, said where it was given."""
    return _FILES.too_large(error)


@blueprint.get("/<slug>/purchases")
@requires(*ANALYSTS)
def start(slug: str) -> str:
    """Give a file; what was imported; what is in the analysis."""
    return _page(running.survey_of(slug))


@blueprint.post("/<slug>/purchases")
@requires(*ANALYSTS)
def give(slug: str) -> Answer:
    """Try a file and tell every problem; import all of it if that was asked for and nothing is wrong."""
    survey = running.survey_of(slug)
    return _FILES.give(survey, lambda file: read_purchases(file, survey.definition, datetime.now(UTC).date()))


@blueprint.post("/<slug>/purchases/<int:import_number>/take-back")
@requires(*ANALYSTS)
def take_back(slug: str, import_number: int) -> Answer:
    """Delete the purchases of a file, if the box says so."""
    return _FILES.take_back(running.survey_of(slug), import_number)


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
    return render_template(
        "manage/purchases.html",
        slug=survey.slug,
        study=said(survey.definition.title),
        mistake=mistake,
        **_FILES.shown(entries, tried),
        facts=_facts(tried[1]) if tried and not tried[1].errors else None,
        brought=request.args.get("known", ""),
        snapshot=snapshot,
        linked=linked,
        has_contacts=survey.definition.contacts is not None,
        may_link=False,
        typed="",
        count=count,
        people=people,
        needed=NEEDED,
        optional=OPTIONAL,
        attributes=[attribute.id for attribute in survey.definition.attributes],
        currency=survey.definition.currency,
    )


def _facts(found: Purchases) -> dict[str, object]:
    frame = found.frame
    return {
        "purchases": len(frame),
        "customers": found.customers,
        "first": min(frame["date"]),
        "last": max(frame["date"]),
        "amount": float(frame["amount"].astype(float).sum()),
        "steps": int(frame["stepped_up"].notna().sum()),
    }


_FILES = CustomerFiles(customer_files.PURCHASES, Purchase, purchases.import_file, _page)
