"""One's own account: the second factor with its recovery codes, the password, and the end of all other sessions. Each change asks for the old password, or for a code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import segno
from flask import Blueprint, current_app, redirect, render_template, session, url_for
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length, ValidationError

from wtp.store import second_factor, staff
from wtp.store.staff import EASY, LONGEST_PASSWORD, SHORT, UNPRINTABLE
from wtp.web import attempts, running
from wtp.web.accounts import EVERYBODY, go_on, note_failure, proves, requires

blueprint = Blueprint("own_account", __name__, url_prefix="/account")
_NONCE = "factor"
_WEAK = {
    SHORT: _l("At least 12 characters, please: four words are easy to remember."),
    UNPRINTABLE: _l("Characters that can be typed, please."),
    EASY: _l("This one is easy to guess. Please take four words that do not belong together."),
}
_LONG_ENOUGH = Length(max=LONGEST_PASSWORD, message=_l("At most 1,000 characters, please."))


class NewPasswordForm(FlaskForm):  # type: ignore[misc]
    """A new password, typed twice."""

    new = PasswordField(_l("New password"), validators=[InputRequired(_l("Please enter a password.")), _LONG_ENOUGH])
    again = PasswordField(
        _l("The new password again"), validators=[EqualTo("new", _l("The two passwords are not the same."))]
    )

    def __init__(self, name: str, **given: Any) -> None:
        """name: whose password it is, since it must not be built on that."""
        super().__init__(**given)
        self._name = name

    def validate_new(self, field: PasswordField) -> None:
        """A password that is not easy to guess."""
        if weak := staff.weakness(self._name, field.data or ""):
            raise ValidationError(_WEAK[weak])


class PasswordForm(NewPasswordForm):
    """The old one and a new one."""

    old = PasswordField(_l("Old password"), validators=[InputRequired(_l("Please enter your password.")), _LONG_ENOUGH])


class FactorForm(FlaskForm):  # type: ignore[misc]
    """The first code of a new device, and what proves that it is you: the password, or a code of the device before."""

    code = StringField(
        _l("Code that the app shows"), validators=[InputRequired(_l("Please enter the code.")), Length(max=40)]
    )
    proof = PasswordField(validators=[InputRequired(_l("Please fill this in.")), _LONG_ENOUGH])


class ProofForm(FlaskForm):  # type: ignore[misc]
    """A code of the second factor, or a recovery code."""

    proof = StringField(validators=[InputRequired(_l("Please enter a code.")), Length(max=40)])


_WRONG_CODE = _l("This code is not right any more, or was used already. Please wait for the next one.")


@blueprint.get("")
@requires(*EVERYBODY)
def account() -> str:
    """What the account is, and what can be changed."""
    return _page()


@blueprint.post("/password")
@requires(*EVERYBODY)
def change_password() -> Response | tuple[str, int]:
    """Another password; all other sessions end."""
    form, member = PasswordForm(current_user.name), current_user.member
    attempts.refuse_if_spent(member.name)
    if not form.validate():
        return _page(password=form), 422
    with running.database().read() as connection:
        right = staff.verify(connection, member.name, form.old.data) is not None
    if not right:
        note_failure(member.name)
        form.old.errors = [_l("This is not your password.")]
        return _page(password=form), 422
    with running.database().begin() as connection:
        staff.set_password(connection, member.name, form.new.data, who=member.name)
    go_on()
    return redirect(url_for(".account", done="password"), 303)


@blueprint.post("/sessions")
@requires(*EVERYBODY)
def end_sessions() -> Response:
    """Log out everywhere else."""
    with running.database().begin() as connection:
        staff.end_sessions(connection, current_user.name, who=current_user.name)
    go_on()
    return redirect(url_for(".account", done="sessions"), 303)


@blueprint.get("/factor")
@requires(*EVERYBODY)
def factor() -> str:
    """A new secret, as a picture and as text."""
    session[_NONCE] = second_factor.new_nonce()
    return _set_up(FactorForm(formdata=None))


@blueprint.post("/factor")
@requires(*EVERYBODY)
def set_factor() -> Response | str | tuple[str, int]:
    """Take the new secret into use, and show the recovery codes, this once."""
    form, member, nonce = FactorForm(), current_user.member, session.get(_NONCE)
    if nonce is None:
        return redirect(url_for(".factor"), 303)
    attempts.refuse_if_spent(member.name)
    if not form.validate():
        return _set_up(form), 422
    now, secret = datetime.now(UTC), running.secret()
    if not second_factor.fits(member, nonce, form.code.data, secret=secret, now=now):
        form.code.errors = [_WRONG_CODE]
        return _set_up(form), 422
    if not _is_proved(form.proof.data):
        note_failure(member.name)
        form.proof.errors = [_WRONG_CODE if member.factor else _l("This is not your password.")]
        return _set_up(form), 422
    with running.database().begin() as connection:
        codes = second_factor.switch_on(connection, member, nonce, form.code.data, secret=secret, now=now)
    session.pop(_NONCE)
    go_on()
    return render_template("accounts/recovery_codes.html", codes=codes)


def _is_proved(proof: str) -> bool:
    """By a code where there is a second factor, else by the password."""
    member = current_user.member
    if member.factor:
        return proves(member, proof)
    with running.database().read() as connection:
        return staff.verify(connection, member.name, proof) is not None


@blueprint.post("/factor/off")
@requires(*EVERYBODY)
def switch_off() -> Response | tuple[str, int]:
    """Do without a second factor."""

    def do() -> Response:
        with running.database().begin() as connection:
            second_factor.switch_off(connection, current_user.member, who=current_user.name, now=datetime.now(UTC))
        go_on()
        return redirect(url_for(".account", done="off"), 303)

    return _if_proved("off", do)


@blueprint.post("/factor/codes")
@requires(*EVERYBODY)
def new_codes() -> Response | str | tuple[str, int]:
    """Ten new recovery codes in place of the old ones."""

    def do() -> str:
        with running.database().begin() as connection:
            codes = second_factor.renew_recovery_codes(
                connection, current_user.member, secret=running.secret(), now=datetime.now(UTC)
            )
        return render_template("accounts/recovery_codes.html", codes=codes)

    return _if_proved("codes", do)


def _if_proved(name: str, do: Callable[[], Any]) -> Any:
    form, member = ProofForm(), current_user.member
    attempts.refuse_if_spent(member.name)
    if not form.validate():
        return _page(**{name: form}), 422
    if not proves(member, form.proof.data):
        note_failure(member.name)
        form.proof.errors = [_WRONG_CODE]
        return _page(**{name: form}), 422
    return do()


def _page(**forms: FlaskForm) -> str:
    member = current_user.member
    with running.database().read() as connection:
        left = second_factor.recovery_codes_left(connection, member)
    given: dict[str, Any] = {
        "password": PasswordForm(member.name, formdata=None),
        "off": ProofForm(formdata=None),
        "codes": ProofForm(formdata=None),
    } | forms
    wrong = any(form.errors for form in given.values())
    return render_template("accounts/account.html", member=member, left=left, wrong=wrong, **given)


def _set_up(form: FactorForm) -> str:
    member, nonce, secret = current_user.member, session[_NONCE], running.secret()
    base = current_app.extensions["wtp_settings"].base_url
    address = second_factor.address_of(member, nonce, secret, f"wtp {urlsplit(base).hostname}")
    text = second_factor.secret_of(member, nonce, secret)
    drawn = segno.make(address, error="m").svg_inline(scale=5, border=4, light="white", omitsize=True)
    return render_template(
        "accounts/factor.html",
        form=form,
        member=member,
        address=address,
        picture=Markup(drawn),  # noqa: S704 - drawn by the library from an address that is percent-encoded
        secret=" ".join(text[n : n + 4] for n in range(0, len(text), 4)),
    )
