"""Forms of the respondents' pages, made from the survey definition; they judge what was typed and do nothing else.

`KINDS` has one entry a question type: its fields, the macro of `respond/questions.html` that draws it, how a saved value comes back into the
fields, and how the fields become the value of `wtp.survey.questions`. A field is called `q-<question>` or `q-<question>-<item>`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from wtforms import Field, HiddenField, RadioField, StringField
from wtforms.fields.core import UnboundField
from wtforms.form import BaseForm
from wtforms.validators import ValidationError

from wtp.survey.questions import (
    VAN_WESTENDORP_ITEMS,
    ChoiceTaskPage,
    ConsentPage,
    GaborGranger,
    OpenPrice,
    Page,
    QuestionPage,
    Rating,
    SingleChoice,
    VanWestendorp,
)
from wtp.survey.tasks import ChoiceTask
from wtp.web.i18n import amount_text, language, parse_amount, text

_HIGHEST_AMOUNT = 1e9
_REVISION = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a question type is to the pages."""

    macro: str
    fields: Callable[[Any], dict[str, UnboundField[Any]]]
    restore: Callable[[Any, Any], dict[str, str]]
    value: Callable[[Any, BaseForm], Any]


def page_form(page: Page, task: ChoiceTask | None = None) -> BaseForm:
    """The form of one step: the page's questions, or its choice task, and the revision that it was made from."""
    fields: dict[str, UnboundField[Any]] = {"revision": HiddenField(default="0")}
    if isinstance(page, ConsentPage):
        agree = _one_of({"yes"}, True, lambda: _("Tick the box if you want to take part. Without it nothing is saved."))
        fields["agree"] = RadioField("", validators=[agree], validate_choice=False)
    elif isinstance(page, QuestionPage):
        for question in page.questions:
            fields |= KINDS[question.type].fields(question)
    elif isinstance(page, ChoiceTaskPage) and task is not None:
        numbers = {str(alternative.number) for alternative in task.alternatives}
        choose = _one_of(numbers, True, lambda: _("Choose one of the offers."))
        fields["chosen"] = RadioField("", validators=[choose], validate_choice=False)
        if page.purchase_question:
            answer = _one_of({"yes", "no"}, True, lambda: _("Say whether you would buy the offer that you chose."))
            fields["buys"] = RadioField("", validators=[answer], validate_choice=False)
    return BaseForm(fields)


def restore(page: QuestionPage, values: Mapping[str, Any]) -> dict[str, str]:
    """Saved answers as the data of the page's fields."""
    data: dict[str, str] = {}
    for question in page.questions:
        if (value := values.get(question.id)) is not None:
            data |= KINDS[question.type].restore(question, value)
    return data


def answers(page: QuestionPage, form: BaseForm) -> dict[str, Any]:
    """The values of a valid form, by question."""
    return {question.id: KINDS[question.type].value(question, form) for question in page.questions}


def revision(form: BaseForm) -> int | None:
    """The revision that the page was made from; None if somebody tampered with it."""
    given = form["revision"].data or ""
    return int(given) if _REVISION.fullmatch(given) else None


def _one_of(allowed: Collection[str], required: bool, words: Callable[[], str]) -> Callable[[BaseForm, Field], None]:
    def check(_form: BaseForm, field: Field) -> None:
        if not field.data:
            if required:
                raise ValidationError(words())
        elif field.data not in allowed:
            raise ValidationError(_("Choose one of the answers shown."))

    return check


def _choice_fields(question: SingleChoice) -> dict[str, UnboundField[Any]]:
    allowed = {option.id for option in question.options}
    check = _one_of(allowed, question.required, lambda: _("Choose an answer."))
    return {f"q-{question.id}": RadioField(text(question.label), validators=[check], validate_choice=False)}


def _rating_fields(question: Rating) -> dict[str, UnboundField[Any]]:
    scale = {str(point) for point in range(question.scale.low, question.scale.high + 1)}
    check = _one_of(scale, question.required, lambda: _("Choose a number on the scale."))
    return {
        f"q-{question.id}-{item.id}": RadioField(text(item.label), validators=[check], validate_choice=False)
        for item in question.items
    }


def _rating_value(question: Rating, form: BaseForm) -> dict[str, int] | None:
    typed = {item.id: form[f"q-{question.id}-{item.id}"].data for item in question.items}
    return {item: int(point) for item, point in typed.items() if point} or None


def _check_amount(field: Field, needed: bool) -> None:
    if not (field.data or "").strip():
        if needed:
            raise ValidationError(_("Type a price."))
        return
    value = parse_amount(field.data, language())
    if value is None or value > _HIGHEST_AMOUNT:
        example = amount_text(99.5, language())
        raise ValidationError(_("Type a price in figures, as in %(example)s.", example=example))


def _price_fields(question: VanWestendorp) -> dict[str, UnboundField[Any]]:
    names = [f"q-{question.id}-{item}" for item in VAN_WESTENDORP_ITEMS]

    def amount(_form: BaseForm, field: Field) -> None:
        _check_amount(field, question.required or any((_form[name].data or "").strip() for name in names))

    def rising(form: BaseForm, field: Field) -> None:
        """Ask once when the four prices do not rise; whoever keeps them means them."""
        prices = [parse_amount(form[name].data or "", language()) for name in names]
        known = [price for price in prices if price is not None]
        if len(known) == len(names) and known != sorted(known) and field.data != "yes":
            field.data = "yes"
            raise ValidationError(
                _(
                    "Usually these four prices rise from the first to the last. Please look at them once more; if you mean them so, continue."
                )
            )

    fields: dict[str, UnboundField[Any]] = {
        f"q-{question.id}-{item}": StringField(text(getattr(question, item)), validators=[amount])
        for item in VAN_WESTENDORP_ITEMS
    }
    fields[f"q-{question.id}-checked"] = HiddenField("", validators=[rising])
    return fields


def _price_value(question: VanWestendorp, form: BaseForm) -> dict[str, float] | None:
    typed = {item: form[f"q-{question.id}-{item}"].data or "" for item in VAN_WESTENDORP_ITEMS}
    prices = {item: parse_amount(amount, language()) for item, amount in typed.items()}
    return {item: price for item, price in prices.items() if price is not None} or None


def _ladder_fields(question: GaborGranger) -> dict[str, UnboundField[Any]]:
    check = _one_of({"1", "0"}, question.required, lambda: _("Choose an answer."))
    return {
        f"q-{question.id}-{item}": RadioField(amount_text(price, language()), validators=[check], validate_choice=False)
        for item, price in question.items.items()
    }


def _ladder_value(question: GaborGranger, form: BaseForm) -> dict[str, int] | None:
    typed = {item: form[f"q-{question.id}-{item}"].data for item in question.items}
    return {item: int(answer) for item, answer in typed.items() if answer} or None


def _open_fields(question: OpenPrice) -> dict[str, UnboundField[Any]]:
    def amount(_form: BaseForm, field: Field) -> None:
        _check_amount(field, question.required)

    return {f"q-{question.id}": StringField(text(question.label), validators=[amount])}


KINDS: dict[str, Kind] = {
    "single_choice": Kind(
        macro="single_choice",
        fields=_choice_fields,
        restore=lambda question, value: {f"q-{question.id}": value},
        value=lambda question, form: form[f"q-{question.id}"].data or None,
    ),
    "rating": Kind(
        macro="rating",
        fields=_rating_fields,
        restore=lambda question, value: {f"q-{question.id}-{item}": str(point) for item, point in value.items()},
        value=_rating_value,
    ),
    "gabor_granger": Kind(
        macro="gabor_granger",
        fields=_ladder_fields,
        restore=lambda question, value: {f"q-{question.id}-{item}": str(answer) for item, answer in value.items()},
        value=_ladder_value,
    ),
    "open_price": Kind(
        macro="open_price",
        fields=_open_fields,
        restore=lambda question, value: {f"q-{question.id}": amount_text(value, language())},
        value=lambda question, form: parse_amount(form[f"q-{question.id}"].data or "", language()),
    ),
    "van_westendorp": Kind(
        macro="van_westendorp",
        fields=_price_fields,
        restore=lambda question, value: (
            {f"q-{question.id}-{item}": amount_text(price, language()) for item, price in value.items()}
            | {f"q-{question.id}-checked": "yes"}
        ),
        value=_price_value,
    ),
}
