"""Forms of the respondents' pages, made from the step; they judge what was typed and do nothing else.

`question_kinds.KINDS` says for each question type which fields it has. Beside them every form carries the revision that it was made from, when it was
shown (signed), how long it was out of sight, what was pasted, and whether the respondent was asked already to look again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import Field, HiddenField, RadioField, SelectMultipleField
from wtforms.fields.core import UnboundField
from wtforms.form import BaseForm
from wtforms.validators import ValidationError

from wtp.store.drafts import Fields
from wtp.survey import ChoiceTask, Step
from wtp.survey.pages import BestWorstPage, ChoiceTaskPage, ConsentPage, Page, ProfileRatingPage, QuestionPage
from wtp.web.question_kinds import KINDS, one_of, plain

_REVISION = re.compile(r"[0-9]{1,9}")
ANCHORS = ("all", "some", "none")
BESIDE = ("revision", "shown", "away", "pasted", "asked")
_BESIDE: dict[str, UnboundField[Any]] = {name: HiddenField(default="0" if name == "revision" else "") for name in BESIDE}  # fmt: skip


def page_form(page: Page, task: ChoiceTask | None = None) -> BaseForm:
    """The form of one step: the page's questions, its choice task, its best-worst task or its profile."""
    fields = dict(_BESIDE)
    if isinstance(page, ConsentPage):
        agree = one_of({"yes"}, True, lambda: _("Tick the box if you want to take part. Without it nothing is saved."))
        fields["agree"] = RadioField("", validators=[agree], validate_choice=False)
    elif isinstance(page, QuestionPage):
        for question in page.questions:
            fields |= KINDS[question.type].fields(question)
    elif isinstance(page, ChoiceTaskPage) and task is not None:
        numbers = {str(alternative.number) for alternative in task.alternatives}
        choose = one_of(numbers, True, lambda: _("Choose one of the offers."))
        fields["chosen"] = RadioField("", validators=[choose], validate_choice=False)
        if page.purchase_question:
            answer = one_of({"yes", "no"}, True, lambda: _("Say whether you would buy the offer that you chose."))
            fields["buys"] = RadioField("", validators=[answer], validate_choice=False)
    elif isinstance(page, BestWorstPage):
        fields |= _best_worst_fields(page)
    elif isinstance(page, ProfileRatingPage):
        points = {str(point) for point in range(page.scale.low, page.scale.high + 1)}
        rate = one_of(points, True, lambda: _("Choose a number on the scale."))
        fields["rating"] = RadioField("", validators=[rate], validate_choice=False)
    return BaseForm(fields)


def _best_worst_fields(page: BestWorstPage) -> dict[str, UnboundField[Any]]:
    items = {item.id for item in page.items}

    def different(form: BaseForm, field: Field) -> None:
        if field.data and field.data == form["best"].data:
            raise ValidationError(_("Choose two different lines for the two answers."))

    best = one_of(items, True, lambda: _("Choose a line for the first answer."))
    worst = one_of(items, True, lambda: _("Choose a line for the second answer."))
    fields: dict[str, UnboundField[Any]] = {
        "best": RadioField("", validators=[best], validate_choice=False),
        "worst": RadioField("", validators=[worst, different], validate_choice=False),
    }
    if page.anchor:
        anchor = one_of(set(ANCHORS), True, lambda: _("Choose an answer."))
        fields["anchor"] = RadioField("", validators=[anchor], validate_choice=False)
    return fields


def restore(step: Step, values: Mapping[str, Any]) -> dict[str, Any]:
    """Saved answers as the data of the step's fields."""
    data: dict[str, Any] = {}
    if isinstance(step.page, QuestionPage):
        for question in step.page.questions:
            if (value := values.get(question.id)) is not None:
                data |= KINDS[question.type].restore(question, value)
    elif isinstance(step.page, BestWorstPage | ProfileRatingPage):
        data |= {name: str(value) for name, value in values.get(step.id, {}).items() if name != "shown"}
    return data


def typed(form: BaseForm, sent: MultiDict[str, str], names: Iterable[str]) -> Fields:
    """What was typed into these fields of a page, as a draft keeps it; other names are left out."""
    own = {field.name for field in form} - set(BESIDE)
    return {name: [plain(value) for value in sent.getlist(name)] for name in names if name in own}


def as_typed(form: BaseForm, fields: Fields) -> dict[str, Any]:
    """A draft as the data of the form's fields."""
    several = {field.name for field in form if isinstance(field, SelectMultipleField)}
    own = {field.name for field in form} - set(BESIDE)
    return {
        name: list(values) if name in several else next(iter(values), "")
        for name, values in fields.items()
        if name in own
    }


def items(form: BaseForm) -> int:
    """How many things the page asks for."""
    return len([field for field in form if not isinstance(field, HiddenField)])


def answers(step: Step, form: BaseForm) -> dict[str, Any]:
    """The values of a valid form, by question; of a best-worst task or a rated profile also what was shown, under the step's id."""
    page = step.page
    if isinstance(page, QuestionPage):
        return {question.id: KINDS[question.type].value(question, form) for question in page.questions}
    if isinstance(page, BestWorstPage):
        picked = {name: form[name].data for name in ("best", "worst", *(["anchor"] if page.anchor else []))}
        return {step.id: {"shown": [item.id for item in page.items], **picked}}
    if isinstance(page, ProfileRatingPage) and step.profile is not None:
        shown = {**step.profile.levels, "price": step.profile.price}
        return {step.id: {"shown": shown, "rating": int(form["rating"].data)}}
    return {}


def revision(form: BaseForm) -> int | None:
    """The revision that the page was made from; None if somebody tampered with it."""
    given = form["revision"].data or ""
    return int(given) if _REVISION.fullmatch(given) else None


def signs(step: Step, form: BaseForm, trap: str) -> list[str]:
    """Marks that this page leaves: the field that no person sees was filled, a text was pasted."""
    found = ["honeypot"] if trap else []
    if isinstance(step.page, QuestionPage):
        pasted = set((form["pasted"].data or "").split(","))
        found += [f"pasted:{question.id}" for question in step.page.questions if f"q-{question.id}" in pasted]
    return found
