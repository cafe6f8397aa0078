"""Logging in: managers read results, analysts and administrators also look after studies, field staff record contacts and see nothing else.

The session is emptied at login and carries the account's session version, so that whatever changes an account (password, second factor, role, studies, an end) ends every
session at once; it ends by itself after half an hour of rest and after twelve hours. Field staff wait for the next call with an empty form before them: only the twelve
hours end theirs. Logging out ends the session for whoever kept its cookie, too.

`requires` is the one place that judges who may open a page: by role, and by the study in its address.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, abort, redirect, render_template, request, session, url_for
from flask_babel import lazy_gettext as _l
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from wtp.store import audit, second_factor, staff
from wtp.store.staff import LONGEST_PASSWORD, StaffMember
from wtp.survey import Survey
from wtp.web import attempts, running

IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 12 * 60 * 60
CODE_SECONDS = 10 * 60
ADMINISTRATORS = ("administrator",)
ANALYSTS = ("analyst", "administrator")
READERS = ("manager", *ANALYSTS)
FIELD = "field"
RECORDERS = (FIELD, *ANALYSTS)
EVERYBODY = (FIELD, *READERS)
LOGGED_IN, LOCKED = "logged in", "locked for 15 minutes"
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


class CodeForm(FlaskForm):  # type: ignore[misc]
    """The second step: a code of the second factor, or a recovery code."""

    code = StringField(_l("Code"), validators=[InputRequired(_l("Please enter the code.")), Length(max=40)])


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
    with running.database().read() as connection:
        member = staff.get(connection, int(member_id), session=session.get("mark", ""))
    if member is None or member.session_version != int(version) or (rest > IDLE_SECONDS and member.role != FIELD):
        return None
    session["seen_at"] = int(now)
    return _User(member)


def requires(*roles: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Only these roles, and only their studies; others are led to the login, or told that there is no such page."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                return redirect(url_for("accounts.login", next=request.full_path.rstrip("?")), 303)
            if current_user.role not in roles or ("slug" in kwargs and not may_see(kwargs["slug"])):
                abort(404)
            return view(*args, **kwargs)

        return guarded

    return decorate


def may_see(slug: str) -> bool:
    """Whether a study is among those of the member who is logged in. Where nobody logs in, at the command line, all are."""
    return not current_user or not current_user.is_authenticated or current_user.member.may_see(slug)


def studies_seen() -> dict[str, Survey]:
    """The surveys in use that the member who is logged in may see, by slug."""
    return {slug: survey for slug, survey in running.surveys().items() if may_see(slug)}


def home_of(role: str) -> str:
    """Where a member of staff begins."""
    return url_for("contacts.studies" if role == FIELD else "results.studies")


def _home() -> str:
    return home_of(current_user.role if current_user.is_authenticated else "")


@blueprint.get("/login")
def login() -> str:
    """The form."""
    return render_template("accounts/login.html", form=LoginForm(), failed=False)


@blueprint.post("/login")
def check_login() -> Response | tuple[str, int]:
    """The first step; wrong name and wrong password look alike, and cost the same."""
    form = LoginForm()
    if not form.validate():
        return render_template("accounts/login.html", form=form, failed=False), 422
    attempts.refuse_if_spent(form.name.data)
    with running.database().read() as connection:
        member = staff.verify(connection, form.name.data, form.password.data)
    if member is None:
        note_failure(form.name.data)
        return render_template("accounts/login.html", form=form, failed=True), 422
    if member.factor is None:
        return _enter(member, request.args.get("next"), "by password")
    _emptied()
    session["second"] = {"id": member.id, "version": member.session_version, "at": int(time.time())}
    return redirect(url_for(".code", next=request.args.get("next")), 303)


@blueprint.get("/login/code")
def code() -> Response | str:
    """The second step, for whoever has made the first one."""
    if _half_way() is None:
        return redirect(url_for(".login"), 303)
    return render_template("accounts/code.html", form=CodeForm(), failed=False)


@blueprint.post("/login/code")
def check_code() -> Response | tuple[str, int]:
    """Log in by a code that counts once."""
    form, member = CodeForm(), _half_way()
    if member is None:
        return redirect(url_for(".login"), 303)
    if not form.validate():
        return render_template("accounts/code.html", form=form, failed=False), 422
    attempts.refuse_if_spent(member.name)
    if not proves(member, form.code.data):
        note_failure(member.name)
        return render_template("accounts/code.html", form=form, failed=True), 422
    return _enter(member, request.args.get("next"), "by password and second factor")


def _half_way() -> StaffMember | None:
    """Who has given his password in this browser, a few minutes ago at most, and his account is as it was then."""
    kept = session.get("second", {})
    if time.time() - kept.get("at", 0) > CODE_SECONDS:
        return None
    with running.database().read() as connection:
        member = staff.get(connection, kept["id"])
    return member if member and member.session_version == kept["version"] and member.factor else None


def proves(member: StaffMember, code: str) -> bool:
    """Whether a code or recovery code is the member's, which uses it up."""
    with running.database().begin() as connection:
        return second_factor.proves(connection, member, code, secret=running.secret(), now=datetime.now(UTC))


def note_failure(name: str) -> None:
    """Count a wrong password or code. The one that locks the account is logged: by name, unless nobody has it, for people type passwords in its place."""
    if attempts.failed(name):
        with running.database().begin() as connection:
            known = name if any(each.name == name for each in staff.members(connection)) else "nobody of this name"
            said = "too many wrong passwords or codes"
            audit.add(connection, audit.INSTALLATION, LOCKED, who=known, reason=said, now=datetime.now(UTC))


def _enter(member: StaffMember, asked: str | None, how: str) -> Response:
    with running.database().begin() as connection:
        audit.add(connection, audit.INSTALLATION, LOGGED_IN, who=member.name, reason=how, now=datetime.now(UTC))
    _emptied()
    session.update(logged_in_at=int(time.time()), seen_at=int(time.time()), mark=secrets.token_hex(16))
    login_user(_User(member))
    asked, home = _local(asked), home_of(member.role)
    if member.role == FIELD and asked and not asked.startswith((home, url_for("own_account.account"))):
        asked = None  # the page of results that he came from is not there for him
    return redirect(asked or home, 303)


def _emptied() -> None:
    """Nothing of the session before stays but the language."""
    language = session.get("language")
    session.clear()
    session["language"] = language


def go_on() -> None:
    """This session goes on after a change of the own account that ended all others."""
    with running.database().read() as connection:
        member = staff.get(connection, current_user.member.id)
    if member is not None:
        session["mark"] = secrets.token_hex(16)
        login_user(_User(member))


@blueprint.post("/logout")
def logout() -> Response:
    """Log out."""
    if current_user.is_authenticated and (mark := session.get("mark")):
        until = datetime.fromtimestamp(session["logged_in_at"] + LONGEST_SECONDS, UTC)
        with running.database().begin() as connection:
            staff.end_session(connection, mark, until=until, now=datetime.now(UTC))
    logout_user()
    session.clear()
    return redirect(url_for(".login"), 303)


def _local(target: str | None) -> str | None:
    """Only a path of this site; anything that a browser could read as another host is dropped."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable():
        return target
    return None
