"""Logging in: managers read results, analysts and administrators also look after studies, field staff record contacts and see nothing else.

The session is emptied at login and carries the account's session version, so that a changed password or a disabled account ends every
session at once; it ends by itself after half an hour of rest and after twelve hours. Field staff wait for the next call with an empty form before them: only the twelve hours end theirs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, session, url_for
from flask_babel import lazy_gettext as _l
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from wtp.store import staff
from wtp.store.staff import LONGEST_PASSWORD, StaffMember
from wtp.web.security import limiter

IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 12 * 60 * 60
READERS = ("manager", "analyst", "administrator")
ANALYSTS = ("analyst", "administrator")
FIELD = "field"
RECORDERS = (FIELD, *ANALYSTS)
blueprint = Blueprint("accounts", __name__)


class _User(UserMixin):  # type: ignore[misc]
    """A member of staff as Flask-Login wants it; the id carries the session version."""

    def __init__(self, member: StaffMember) -> None:
        self.member = member
        self.role = member.role
        self.name = member.name

    def get_id(self) -> str:
        """What the session keeps."""
        return f"{self.member.id}:{self.member.session_version}"


class LoginForm(FlaskForm):  # type: ignore[misc]
    """Name and password."""

    name = StringField(_l("Name"), validators=[InputRequired(_l("Please enter your name.")), Length(max=120)])
    password = PasswordField(
        _l("Password"), validators=[InputRequired(_l("Please enter your password.")), Length(max=LONGEST_PASSWORD)]
    )


def init_app(app: Flask) -> None:
    """Let the pages know who is logged in."""
    manager = LoginManager(app)
    manager.session_protection = None  # it compares addresses and browsers, which phones change
    manager.user_loader(_load)
    app.context_processor(lambda: {"home": _home})  # called where staff are: other pages must not ask who is logged in


def _load(user_id: str) -> _User | None:
    now = time.time()
    rest = now - session.get("seen_at", 0)
    if rest > LONGEST_SECONDS or now - session.get("logged_in_at", 0) > LONGEST_SECONDS:
        return None
    member_id, _, version = user_id.partition(":")
    if not (member_id.isdecimal() and version.isdecimal()):
        return None
    with current_app.extensions["wtp_database"].read() as connection:
        member = staff.get(connection, int(member_id))
    if member is None or member.session_version != int(version) or (rest > IDLE_SECONDS and member.role != FIELD):
        return None
    session["seen_at"] = int(now)
    return _User(member)


def requires(*roles: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Only these roles; others are led to the login, or told that there is no such page."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                return redirect(url_for("accounts.login", next=request.full_path.rstrip("?")), 303)
            if current_user.role not in roles:
                abort(404)
            return view(*args, **kwargs)

        return guarded

    return decorate


def home_of(role: str) -> str:
    """Where a member of staff begins."""
    return url_for("contacts.studies" if role == FIELD else "results.studies")


def _home() -> str:
    return home_of(current_user.role if current_user.is_authenticated else "")


def _account_key() -> str:
    return f"login {request.form.get('name', '').casefold()[:120]}"


@blueprint.get("/login")
def login() -> str:
    """The form."""
    return render_template("accounts/login.html", form=LoginForm(), failed=False)


@blueprint.post("/login")
@limiter.limit("50 per 15 minutes")
@limiter.limit("5 per 15 minutes", key_func=_account_key, deduct_when=lambda response: response.status_code != 303)
def check_login() -> Response | tuple[str, int]:
    """Log in; wrong name and wrong password look alike."""
    form = LoginForm()
    member = None
    if form.validate():
        with current_app.extensions["wtp_database"].read() as connection:
            member = staff.verify(connection, form.name.data, form.password.data)
    if member is None:
        return render_template("accounts/login.html", form=form, failed=not form.errors), 422
    language = session.get("language")
    session.clear()
    session.update(logged_in_at=int(time.time()), seen_at=int(time.time()), language=language)
    login_user(_User(member))
    asked, home = _local(request.args.get("next")), home_of(member.role)
    if member.role == FIELD and asked and not asked.startswith(home):
        asked = None  # the page of results that he came from is not there for him
    return redirect(asked or home, 303)


@blueprint.post("/logout")
def logout() -> Response:
    """Log out."""
    logout_user()
    session.clear()
    return redirect(url_for(".login"), 303)


def _local(target: str | None) -> str | None:
    """Only a path of this site; anything that a browser could read as another host is dropped."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable():
        return target
    return None
