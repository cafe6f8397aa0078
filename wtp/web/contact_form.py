"""The forms for contacts: what staff type of a contact, and what a second member says that it was about."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SelectChoice, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import Length

from wtp.store.contacts import Coding, Contact
from wtp.survey.contacts import (
    HIGHEST_IMPRESSION,
    LONGEST_CUSTOMER,
    LONGEST_REPORT,
    LOWEST_IMPRESSION,
    MOST_MINUTES,
    ContactCodes,
)
from wtp.survey.wording import Wording
from wtp.web.i18n import text as said
from wtp.web.question_kinds import plain

SUBMISSION = re.compile(r"[0-9a-f]{32}")
_WRITTEN = "%Y-%m-%dT%H:%M"
_CLOCKS_DIFFER = timedelta(minutes=5)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_SOLVED = {"yes": True, "no": False}


def new_submission() -> str:
    """What makes one filled-in form different from every other."""
    return secrets.token_hex(16)


def _choices(codes: Mapping[str, Wording], nothing: str) -> list[SelectChoice]:
    return [SelectChoice("", nothing), *(SelectChoice(code, said(words)) for code, words in codes.items())]


def _asked(message: str) -> Any:
    def check(form: FlaskForm, field: Any) -> None:
        if not field.data:
            raise ValidationError(message)

    return check


def contact_form(codes: ContactCodes, *, channel: str = "") -> FlaskForm:
    """The form of a contact with this study's codes; `channel` is the one picked at first."""
    choose, unknown = _("– choose –"), _("– not said –")
    fields: dict[str, Any] = {
        "submission": HiddenField(default=new_submission),
        "reason": SelectField(_("Why the contact?"), choices=_choices(codes["reason"], choose), validators=[_asked(_("Choose why there was a contact."))]),
        "channel": RadioField(_("Channel"), choices=_choices(codes["channel"], "")[1:], default=channel or None, validate_choice=False, validators=[_channel(codes)]),
    }  # fmt: skip
    if codes["question"]:
        fields["question"] = SelectField(_("Which question was asked?"), choices=_choices(codes["question"], _("– none –")))  # fmt: skip
    fields["reported"] = TextAreaField(
        _("What was reported?"),
        validators=[Length(max=LONGEST_REPORT, message=_("At most %(most)s characters.", most=LONGEST_REPORT))],
    )
    if codes["core_problem"]:
        fields["core_problem"] = SelectField(_("Core problem behind it"), choices=_choices(codes["core_problem"], unknown))  # fmt: skip
    fields["mattered_most"] = SelectField(_("What mattered most to the customer?"), choices=_choices(codes["mattered_most"], unknown))  # fmt: skip
    points = range(LOWEST_IMPRESSION, HIGHEST_IMPRESSION + 1)
    fields["impression"] = RadioField(
        _("Your impression of the customer"), choices=[SelectChoice(str(n), str(n)) for n in points], validate_choice=False, validators=[_impression]
    )  # fmt: skip
    if codes["remedy"]:
        fields["remedy"] = SelectField(_("Measure taken"), choices=_choices(codes["remedy"], _("– none –")))
    solved = [SelectChoice("yes", _("yes")), SelectChoice("no", _("no")), SelectChoice("", _("not known yet"))]
    fields["solved"] = RadioField(_("Is it solved?"), choices=solved, default="", validate_choice=False)
    fields["customer"] = StringField(
        _("Customer number"),
        validators=[Length(max=LONGEST_CUSTOMER, message=_("At most %(most)s characters.", most=LONGEST_CUSTOMER))],
    )
    fields["minutes"] = StringField(_("Minutes"), validators=[_minutes])
    fields["happened_at"] = StringField(_("Date and time"), validators=[_happened])
    return type("ContactForm", (FlaskForm,), fields)()


def coding_form(codes: ContactCodes) -> FlaskForm:
    """The form of a second coding."""
    fields: dict[str, Any] = {
        "reason": SelectField(_("Why the contact?"), choices=_choices(codes["reason"], _("– choose –")), validators=[_asked(_("Choose why there was a contact."))]),
        "mattered_most": SelectField(_("What mattered most to the customer?"), choices=_choices(codes["mattered_most"], _("– not said –"))),
    }  # fmt: skip
    if codes["core_problem"]:
        fields["core_problem"] = SelectField(_("Core problem behind it"), choices=_choices(codes["core_problem"], _("– not said –")))  # fmt: skip
    return type("CodingForm", (FlaskForm,), fields)()


def contact_of(form: FlaskForm, now: datetime) -> Contact:
    """The contact that a valid form says."""
    data = {name: (field.data or "").strip() for name, field in form._fields.items() if isinstance(field.data, str)}
    happened = data.get("happened_at")
    return Contact(
        happened_at=_local(happened) if happened else now,
        channel=data["channel"],
        reason=data["reason"],
        reported=plain(data.get("reported", "")),
        question=data.get("question") or None,
        mattered_most=data.get("mattered_most") or None,
        impression=int(data["impression"]) if data.get("impression") else None,
        core_problem=data.get("core_problem") or None,
        remedy=data.get("remedy") or None,
        solved=_SOLVED.get(data.get("solved", "")),
        minutes=int(data["minutes"]) if data.get("minutes") else None,
        customer=data.get("customer", ""),
    )


def coding_of(form: FlaskForm) -> Coding:
    """What a valid form says that a contact was about."""
    problem = form._fields.get("core_problem")
    return Coding(form.reason.data, form.mattered_most.data or None, (problem.data or None) if problem else None)


def _channel(codes: ContactCodes) -> Any:
    def check(form: FlaskForm, field: Any) -> None:
        if field.data not in codes["channel"]:
            raise ValidationError(_("Choose the channel."))

    return check


def _impression(form: FlaskForm, field: Any) -> None:
    if field.data and field.data not in {choice.value for choice in field.choices}:
        raise ValidationError(_("Choose one of the points."))


def _minutes(form: FlaskForm, field: Any) -> None:
    typed = (field.data or "").strip()
    if typed and not (typed.isascii() and typed.isdecimal() and len(typed) < 6 and int(typed) <= MOST_MINUTES):
        raise ValidationError(_("Enter whole minutes, from 0 to %(most)s.", most=MOST_MINUTES))


def _local(typed: str) -> datetime:
    """A time as a clock on the wall of the server shows it."""
    return datetime.strptime(typed, _WRITTEN).astimezone()


def _happened(form: FlaskForm, field: Any) -> None:
    typed = (field.data or "").strip()
    if not typed:
        return
    try:
        when = _local(typed)
    except (ValueError, OverflowError, OSError):
        raise ValidationError(_("Enter date and time as in 2026-05-31T14:30.")) from None
    if when > datetime.now(UTC) + _CLOCKS_DIFFER:
        raise ValidationError(_("This time is in the future."))
    if when < _LONG_AGO:
        raise ValidationError(_("This time is before the year 2000."))
