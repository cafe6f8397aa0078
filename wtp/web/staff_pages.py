"""The staff of an installation, for administrators: invite, roles and studies, links to reset a password, end sessions, let in no more and again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import RadioField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from wtp.errors import DataError
from wtp.store import staff, staff_links
from wtp.store.staff import LONGEST_NAME, Role, StaffMember
from wtp.web import running
from wtp.web.accounts import ADMINISTRATORS, requires
from wtp.web.i18n import text as said
from wtp.web.staff_links import link_of

blueprint = Blueprint("staff_pages", __name__, url_prefix="/staff")
ALL, SOME = "all", "some"
ROLES = {
    "manager": _l("Manager: reads results"),
    "analyst": _l("Analyst: results, studies, answers of single persons, exports"),
    "field": _l("Field staff: records contacts, sees nothing else"),
    "administrator": _l("Administrator: everything, all studies, and the staff"),
}


class RightsForm(FlaskForm):  # type: ignore[misc]
    """What a member may do, and where."""

    role = RadioField(
        choices=list(get_args(Role)), default="manager", validators=[InputRequired(_l("Please choose a role."))]
    )
    reach = RadioField(choices=[ALL, SOME], default=SOME)
    studies = SelectMultipleField(choices=[])

    def __init__(self, **given: Any) -> None:
        """The studies that there are can be chosen."""
        super().__init__(**given)
        self.studies.choices = sorted(_titles())

    def validate_studies(self, field: SelectMultipleField) -> None:
        """Some studies are at least one, but an analyst may begin with none and make his own."""
        if self.reach.data == SOME and self.role.data in {"manager", "field"} and not field.data:
            raise ValidationError(_l("Please choose at least one study."))

    @property
    def chosen(self) -> list[str] | None:
        """The studies that are named, None for all."""
        return None if self.reach.data == ALL or self.role.data == "administrator" else list(self.studies.data or ())


class InvitationForm(RightsForm):
    """A new member."""

    name = StringField(
        _l("Name"),
        filters=[lambda typed: (typed or "").strip()],
        validators=[
            InputRequired(_l("Please enter a name.")),
            Length(max=LONGEST_NAME, message=_l("At most 120 characters, please.")),
        ],
    )


@blueprint.get("")
@requires(*ADMINISTRATORS)
def members() -> str:
    """Everybody, and the form of an invitation."""
    return _list(InvitationForm(formdata=None))


@blueprint.post("")
@requires(*ADMINISTRATORS)
def invite() -> str | tuple[str, int]:
    """A new member, with a link by which he sets his password; it is shown this once."""
    form, now = InvitationForm(), datetime.now(UTC)
    if not form.validate():
        return _list(form), 422
    name, who = form.name.data, current_user.name
    try:
        with running.database().begin() as connection:
            staff.add(connection, name, None, form.role.data, studies=form.chosen, who=who, now=now)
            purpose, token = staff_links.make(connection, name, who=who, now=now)
    except DataError:
        form.name.errors = [_l("Somebody has this name already, or it cannot be typed. Please choose another one.")]
        return _list(form), 422
    return _list(InvitationForm(formdata=None), made=(name, purpose, link_of(purpose, token)))


@blueprint.get("/<int:member>")
@requires(*ADMINISTRATORS)
def one(member: int) -> str:
    """One member: rights, link, sessions, end."""
    return _page(_member(member))


@blueprint.post("/<int:member>")
@requires(*ADMINISTRATORS)
def change(member: int) -> Response | tuple[str, int]:
    """Another role, other studies; all sessions of the member end."""
    found, form, now = _other(member), RightsForm(), datetime.now(UTC)
    if not form.validate():
        return _page(found, form), 422
    with running.database().begin() as connection:
        if form.role.data != found.role:
            staff.set_role(connection, found.name, form.role.data, who=current_user.name, now=now)
        if form.chosen != (None if found.studies is None else list(found.studies)):
            staff.set_studies(connection, found.name, form.chosen, who=current_user.name, now=now)
    return redirect(url_for(".one", member=member, done="rights"), 303)


@blueprint.post("/<int:member>/link")
@requires(*ADMINISTRATORS)
def link(member: int) -> str:
    """A link by which the member sets a password, shown this once."""
    found = _member(member)
    if not found.active:
        abort(404)
    with running.database().begin() as connection:
        purpose, token = staff_links.make(connection, found.name, who=current_user.name, now=datetime.now(UTC))
    return _page(found, made=(found.name, purpose, link_of(purpose, token)))


@blueprint.post("/<int:member>/sessions")
@requires(*ADMINISTRATORS)
def end_sessions(member: int) -> Response:
    """Log a member out everywhere."""
    found = _other(member)
    with running.database().begin() as connection:
        staff.end_sessions(connection, found.name, who=current_user.name)
    return redirect(url_for(".one", member=member, done="sessions"), 303)


@blueprint.post("/<int:member>/active")
@requires(*ADMINISTRATORS)
def set_active(member: int) -> Response:
    """Let a member in no more, or again."""
    found, do = _other(member), {"disable": staff.disable, "enable": staff.enable}.get(request.form.get("do", ""))
    if do is None:
        abort(400)
    with running.database().begin() as connection:
        do(connection, found.name, who=current_user.name)
    return redirect(url_for(".one", member=member), 303)


def _titles() -> dict[str, str]:
    """Every study that there is, also those that were not published yet."""
    drafts = {slug: slug for slug in running.surveys().drafts()}
    return drafts | {slug: said(survey.definition.title) for slug, survey in running.surveys().items()}


def _member(number: int) -> StaffMember:
    with running.database().read() as connection:
        found = [each for each in staff.members(connection) if each.id == number]
    return found[0] if found else abort(404)


def _other(number: int) -> StaffMember:
    """A member other than oneself: nobody takes his own rights, so that one administrator is always left."""
    return _member(number) if number != current_user.member.id else abort(400)


def _list(form: InvitationForm, made: tuple[str, str, str] | None = None) -> str:
    with running.database().read() as connection:
        everybody = staff.members(connection)
    return render_template("staff/members.html", members=everybody, form=form, made=made, roles=ROLES, titles=_titles())


def _page(member: StaffMember, form: RightsForm | None = None, made: tuple[str, str, str] | None = None) -> str:
    now = {
        "role": member.role,
        "reach": ALL if member.studies is None else SOME,
        "studies": list(member.studies or ()),
    }
    return render_template(
        "staff/member.html",
        member=member,
        form=form or RightsForm(formdata=None, data=now),
        made=made,
        roles=ROLES,
        titles=_titles(),
        oneself=member.id == current_user.member.id,
    )
