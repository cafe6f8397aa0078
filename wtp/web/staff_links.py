"""The page that an invitation or a reset link leads to: a member of staff sets a password there. The link leaves the address at once; one that is none looks like any unknown page."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, abort, current_app, redirect, render_template, session, url_for
from werkzeug.wrappers import Response

from wtp.store import staff_links
from wtp.store.staff import StaffMember
from wtp.web import attempts, running
from wtp.web.own_account import NewPasswordForm

blueprint = Blueprint("staff_links", __name__, url_prefix="/<any(invitation, reset):purpose>")
_KEY = "link"


def link_of(purpose: str, token: str) -> str:
    """The address that a person is given: from the configured base, whatever a request says of its host."""
    base: str = current_app.extensions["wtp_settings"].base_url
    return base.rstrip("/") + url_for("staff_links.begin", purpose=purpose, token=token)


@blueprint.get("/<token>")
def begin(purpose: str, token: str) -> Response:
    """The link as it was given. Opening it uses nothing up, since mail programs look at links too."""
    if _owner(purpose, token) is None:
        attempts.nothing_there()
    session[_KEY] = [purpose, token]
    return redirect(url_for(".password", purpose=purpose), 303)


@blueprint.get("")
def password(purpose: str) -> str:
    """The form."""
    member, _token = _opened(purpose)
    return _page(member, NewPasswordForm(member.name, formdata=None))


@blueprint.post("")
def set_password(purpose: str) -> Response | tuple[str, int]:
    """Set the password and use the link up."""
    member, token = _opened(purpose)
    form = NewPasswordForm(member.name)
    if not form.validate():
        return _page(member, form), 422
    with running.database().begin() as connection:
        done = staff_links.use(connection, purpose, token, form.new.data, now=datetime.now(UTC))
    session.clear()
    if done is None:
        abort(404)
    return redirect(url_for("accounts.login", set="yes"), 303)


def _opened(purpose: str) -> tuple[StaffMember, str]:
    """Whose link was opened in this browser, if it is still good, or 404."""
    kind, token = session.get(_KEY, ("", ""))
    member = _owner(purpose, token) if kind == purpose else None
    return member or abort(404), token


def _owner(purpose: str, token: str) -> StaffMember | None:
    with running.database().read() as connection:
        return staff_links.find(connection, purpose, token, datetime.now(UTC))


def _page(member: StaffMember, form: NewPasswordForm) -> str:
    return render_template("accounts/password.html", member=member, form=form)
