"""One customer by the company's number: which service upgrades he probably honours, from his own answers; never an individual price.

The number comes in the body of a request, never in an address, and is not kept; that somebody looked is logged.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from wtp.analysis import DRAWS, upgrades_of
from wtp.store import audit, customers
from wtp.survey import Survey
from wtp.survey.contacts import LONGEST_CUSTOMER
from wtp.web import running
from wtp.web.accounts import READERS, requires
from wtp.web.analyses import with_people
from wtp.web.formats import probability
from wtp.web.results import reading_of, rendered

blueprint = Blueprint("customer", __name__, url_prefix="/results")


class CustomerForm(FlaskForm):  # type: ignore[misc]
    """The number of one customer."""

    customer = StringField(
        _l("Customer number"),
        filters=[lambda typed: (typed or "").strip()],
        validators=[DataRequired(_l("Type a customer number.")), Length(max=LONGEST_CUSTOMER)],
    )


@blueprint.route("/<slug>/customer", methods=["GET", "POST"])
@requires(*READERS)
def look_up(slug: str) -> str | tuple[str, int]:
    """Ask for a number, and tell what this customer's answers say."""
    reading = reading_of(slug)
    form = CustomerForm()
    if not form.is_submitted():
        return rendered("results/customer.html", reading, form=form, page="customer", found=None, why="")
    if not form.validate():
        return rendered("results/customer.html", reading, form=form, page="customer", found=None, why=""), 422
    number = _respondent(reading.survey, form.customer.data)
    why, rows = "", []
    if number is None:
        why = _("There are no answers that are linked with this customer number. What his segment honours stands on the page “Invest and save”.")  # fmt: skip
    else:
        people = with_people(running.database(), reading.survey, reading.analysis).people
        table = upgrades_of(people[DRAWS], reading.definition, number) if DRAWS in people else None
        if table is None or table.empty:
            why = _("There are no final figures with tastes of each respondent yet, or none for this customer; an analyst starts them on the page of final figures.")  # fmt: skip
        else:
            words = {"probably": _("probably yes"), "open": _("open"), "probably_not": _("probably not")}
            rows = [
                (
                    reading.labels[row["attribute"]],
                    reading.labels[f"{row['attribute']}.{row['from_level']}"],
                    reading.labels[f"{row['attribute']}.{row['to_level']}"],
                    words[row["honours"]],
                    probability(row["probability"]),
                )
                for _index, row in table.iterrows()
            ]
    return rendered("results/customer.html", reading, form=form, page="customer", found=rows, why=why)


def _respondent(survey: Survey, customer: str) -> int | None:
    """The number of the respondent who is linked with a customer number; looking is logged."""
    now = datetime.now(UTC)
    with running.database().begin() as connection:
        found = customers.respondent_of(connection, survey, customer, secret=running.secret())
        said = "linked" if found is not None else "no link"
        audit.add(connection, survey.slug, audit.LOOKED_UP, who=current_user.name, reason=said, now=now)
    return found
