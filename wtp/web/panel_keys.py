"""The panel of a study, for who looks after it: how its addresses are signed, the key, and what the panel's technician has to know."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Flask, Response, current_app, render_template, url_for
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, RadioField
from wtforms.validators import InputRequired, Length, Optional, Regexp, ValidationError

from wtp.errors import DataError
from wtp.store import panel_keys
from wtp.store.panel_keys import PanelKey
from wtp.survey import Survey
from wtp.survey.panel import Panel
from wtp.web import running
from wtp.web.accounts import ANALYSTS, requires
from wtp.web.i18n import speak
from wtp.web.i18n import text as said
from wtp.web.panel import AHEAD_SECONDS, LONGEST_SECONDS, back_to_panel, signed

blueprint = Blueprint("panel_keys", __name__, url_prefix="/manage")
RANDOM, GIVEN, KEEP, AT_ONCE = "random", "given", "keep", "at_once"
# Nobody's key: the example of the instructions, so that it can be worked out by hand.
EXAMPLE_KEY, EXAMPLE_ID, EXAMPLE_TIME = "only-an-example-key", "A-1 b", datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


class KeyForm(FlaskForm):  # type: ignore[misc]
    """Where a new key comes from, and what becomes of the one before."""

    source = RadioField(
        choices=[RANDOM, GIVEN],
        default=RANDOM,
        validators=[InputRequired(_l("Please choose where the key comes from."))],
    )
    key = PasswordField(
        validators=[
            Optional(),
            Length(16, 128, message=_l("16 to 128 characters, please.")),
            Regexp(r"[!-~]+\Z", message=_l("Letters, figures and signs without spaces, please.")),
        ]
    )
    before = RadioField(choices=[KEEP, AT_ONCE], default=KEEP)

    def validate_source(self, field: RadioField) -> None:
        """A key that the panel gave is there."""
        if field.data == GIVEN and not self.key.data:
            raise ValidationError(_l("Please enter the key."))


@blueprint.get("/<slug>/panel")
@requires(*ANALYSTS)
def panel(slug: str) -> str:
    """What is agreed with the panel."""
    return _page(running.survey_of(slug), KeyForm(formdata=None))


@blueprint.post("/<slug>/panel")
@requires(*ANALYSTS)
def make(slug: str) -> str | tuple[str, int]:
    """A new key, shown at once if it is a random one: the panel knows its own."""
    survey, form = running.survey_of(slug), KeyForm()
    if not form.validate():
        return _page(survey, form), 422
    given = form.key.data if form.source.data == GIVEN else None
    try:
        with running.database().begin() as connection:
            key = panel_keys.make(
                connection,
                slug,
                secret=running.secret(),
                who=current_user.name,
                now=datetime.now(UTC),
                given=given,
                at_once=form.before.data == AT_ONCE,
            )
    except DataError:
        form.key.errors = [_l("This is the key of before. Nothing was changed.")]
        return _page(survey, form), 422
    return _page(survey, KeyForm(formdata=None), made=key.number, shown=None if given else key)


@blueprint.post("/<slug>/panel/key")
@requires(*ANALYSTS)
def show(slug: str) -> str:
    """The key that is in use; who looked is in the log of the study."""
    survey = running.survey_of(slug)
    with running.database().begin() as connection:
        key = panel_keys.current(connection, slug, secret=running.secret())
        if key is not None:
            panel_keys.shown(connection, slug, key, who=current_user.name, now=datetime.now(UTC))
    return _page(survey, KeyForm(formdata=None), shown=key)


@blueprint.get("/<slug>/panel.txt")
@requires(*ANALYSTS)
def instructions(slug: str) -> Response | str:
    """What the panel's technician has to know, without the key; the page of the panel if the study names none."""
    survey = running.survey_of(slug)
    if survey.definition.panel is None:
        return _page(survey, KeyForm(formdata=None))
    headers = {"Content-Disposition": f"attachment; filename={slug}-panel.txt"}
    return Response(recipe(survey), mimetype="text/plain", headers=headers)


def instructions_of(app: Flask, survey: Survey, language: str) -> str:
    """The same, for `wtp panel instructions`."""
    with app.test_request_context():
        speak(language)
        return recipe(survey)


def recipe(survey: Survey) -> str:
    """How addresses are signed and checked, with an example of this study's addresses that can be worked out by hand. Raises DataError if the study has no panel."""
    named = survey.definition.panel
    if named is None:
        raise DataError(
            f"{survey.slug}: no panel; allowed: a study with [panel] in survey.toml; enter the panel's addresses there."
        )
    back = back_to_panel(named, "completed", EXAMPLE_ID)
    examples = [_example(address, named) for address in (back, f"{link_of(survey, named)}A-1%20b")]
    return render_template(
        "manage/panel.txt",
        title=said(survey.definition.title),
        panel=named,
        key=EXAMPLE_KEY,
        examples=examples,
        minutes=LONGEST_SECONDS // 60,
        ahead=AHEAD_SECONDS,
        hours=int(panel_keys.OLD_LASTS.total_seconds()) // 3600,
        link=link_of(survey, named),
    )


def link_of(survey: Survey, named: Panel) -> str:
    """The address that the panel sends its respondents to; what it calls them comes behind it."""
    base: str = current_app.extensions["wtp_settings"].base_url
    return f"{base.rstrip('/')}{url_for('respond.start', slug=survey.slug)}?{named.parameter}="


def _example(address: str, named: Panel) -> dict[str, str]:
    """An address as it is before it is signed, what is signed, the signature, and the whole."""
    whole = signed(address, named, EXAMPLE_KEY, EXAMPLE_TIME)
    stamped, _, digest = whole.rpartition(f"&{named.signature}=")
    return {"address": address, "signed": stamped, "signature": digest, "whole": whole}


def _page(survey: Survey, form: KeyForm, *, shown: PanelKey | None = None, made: int = 0) -> str:
    named, now = survey.definition.panel, datetime.now(UTC)
    with running.database().read() as connection:
        keys = panel_keys.valid(connection, survey.slug, secret=running.secret(), now=now)
    return render_template(
        "manage/panel.html",
        slug=survey.slug,
        study=said(survey.definition.title),
        panel=named,
        form=form,
        keys=keys,
        shown=shown,
        made=made,
        hours=int(panel_keys.OLD_LASTS.total_seconds()) // 3600,
        link=link_of(survey, named) if named else "",
        recipe=recipe(survey) if named else "",
    )
