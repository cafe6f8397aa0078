"""Tokens of programs: analysts and administrators make them, see when they were used, and end them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as Reply
from wtforms import RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from wtp.errors import DataError
from wtp.store import api_tokens
from wtp.store.api_tokens import ANALYSES, ANSWERS, LONGEST_NAME, RESULTS, SCOPES
from wtp.web import running
from wtp.web.accounts import ANALYSTS, requires, studies_seen
from wtp.web.i18n import text as said

blueprint = Blueprint("tokens", __name__, url_prefix="/manage/tokens")
ALL, SOME = "all", "some"
DAYS = ("30", "90", "365", "0")
_SCOPES = {
    RESULTS: _l("read results: every table of figures"),
    ANSWERS: _l("read answers: what each respondent said, under a number"),
    ANALYSES: _l("start analyses"),
}
_DAYS = {"30": _l("30 days"), "90": _l("90 days"), "365": _l("one year"), "0": _l("without end")}


class TokenForm(FlaskForm):  # type: ignore[misc]
    """What a new token may do, where, and for how long."""

    name = StringField(
        validators=[
            InputRequired(_l("Please say what reads with it.")),
            Length(max=LONGEST_NAME, message=_l("At most 120 characters, please.")),
        ]
    )
    scopes = SelectMultipleField(choices=list(SCOPES), validators=[InputRequired(_l("Please choose at least one."))])
    reach = RadioField(choices=[ALL, SOME], default=SOME)
    studies = SelectMultipleField(choices=[])
    days = SelectField(choices=list(DAYS), default="90")

    def validate_studies(self, field: SelectMultipleField) -> None:
        """Some studies are at least one."""
        if self.reach.data == SOME and not field.data:
            raise ValidationError(_l("Please choose at least one study."))


def _form(**given: Any) -> TokenForm:
    form = TokenForm(**given)
    form.studies.choices = list(studies_seen())
    return form


@blueprint.get("")
@requires(*ANALYSTS)
def tokens() -> str:
    """All tokens, and the form for a new one."""
    return _page(_form(formdata=None, scopes=[RESULTS]))


@blueprint.post("")
@requires(*ANALYSTS)
def make() -> str | tuple[str, int]:
    """Make one and show it, this once."""
    form, now = _form(), datetime.now(UTC)
    if not form.validate():
        return _page(form), 422
    days = int(form.days.data)
    try:
        with running.database().begin() as connection:
            _token, secret = api_tokens.add(
                connection,
                form.name.data,
                maker=current_user.member,
                scopes=form.scopes.data,
                studies=None if form.reach.data == ALL else form.studies.data,
                expires_at=now + timedelta(days=days) if days else None,
                now=now,
            )
    except DataError:
        form.name.errors = [_l("Letters and figures, please.")]
        return _page(form), 422
    return _page(_form(formdata=None, scopes=[RESULTS]), secret=secret)


@blueprint.post("/revoke")
@requires(*ANALYSTS)
def revoke() -> Reply | tuple[str, int]:
    """End one for good."""
    try:
        with running.database().begin() as connection:
            api_tokens.revoke(
                connection,
                request.form.get("mark", ""),
                who=current_user.name,
                now=datetime.now(UTC),
                member=current_user.member,
            )
    except DataError:
        return _page(_form(formdata=None, scopes=[RESULTS]), unknown=True), 422
    return redirect(url_for(".tokens"), 303)


def _page(form: TokenForm, *, secret: str = "", unknown: bool = False) -> str:
    now = datetime.now(UTC)
    with running.database().read() as connection:
        known = api_tokens.known_to(connection, current_user.member)
    return render_template(
        "manage/tokens.html",
        form=form,
        secret=secret,
        unknown=unknown,
        tokens=[(token, token.is_valid(now)) for token in known],
        scopes=_SCOPES,
        days=_DAYS,
        titles={slug: said(survey.definition.title) for slug, survey in studies_seen().items()},
    )
