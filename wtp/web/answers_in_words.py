"""Answers as their respondent reads them again before sending: one row a question, each with the page to change it on.

Choices between offers, best-worst tasks and rated offers are left out: to go over them again would change what they measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from wtp.survey import Definition
from wtp.survey.pages import QuestionPage
from wtp.survey.questions import (
    KANO_ITEMS,
    UNSURE,
    VAN_WESTENDORP_ITEMS,
    ConstantSum,
    GaborGranger,
    Kano,
    MultipleChoice,
    Number,
    OpenPrice,
    OpenText,
    Question,
    Ranking,
    Rating,
    SingleChoice,
    TimeGrid,
    VanWestendorp,
)
from wtp.web.i18n import amount_text, language, money, text
from wtp.web.question_kinds import kano_answers
from wtp.web.visit import Visit


@dataclass(frozen=True, slots=True)
class Told:
    """One question, what was answered (a line each: its item or nothing, and the words), and the page it is on."""

    question: str
    lines: tuple[tuple[str, str], ...]
    step_id: str


def answers_in_words(visit: Visit) -> list[Told]:
    """Every answer to a question that this respondent was asked."""
    told = []
    for step in visit.route[: visit.reached]:
        if not isinstance(step.page, QuestionPage):
            continue
        values = visit.current.pages[step.id][1] if step.id in visit.current.pages else {}
        for question in step.page.questions:
            value = values.get(question.id)
            nothing = [("", _("no answer"))]
            lines = nothing if value is None else list(_lines(question, value, visit.definition))
            told.append(Told(text(question.label), tuple(lines or nothing), step.id))
    return told


def _lines(question: Question, value: Any, definition: Definition) -> Iterable[tuple[str, str]]:  # noqa: PLR0911, PLR0912
    # one case a question type
    if value == UNSURE and isinstance(question, SingleChoice | Number) and question.unsure:
        return [("", text(question.unsure))]
    match question:
        case SingleChoice() | MultipleChoice():
            picked = value if isinstance(value, list) else [value]
            return [("", text(option.label)) for option in question.options if option.id in picked]
        case Rating():
            unsure = text(question.unsure) if question.unsure else ""
            high = question.scale.high
            words = {
                item: unsure if point is None else _("%(point)s of %(high)s", point=point, high=high)
                for item, point in value.items()
            }
            return [(text(item.label), words[item.id]) for item in question.items if item.id in words]
        case Number() if question.money:
            return [("", money(value, definition.currency, language()))]
        case Number():
            unit = f" {text(question.unit)}" if question.unit else ""
            return [("", amount_text(value, language()) + unit)]
        case Ranking():
            labels = {item.id: text(item.label) for item in question.items}
            return [("", f"{rank}. {labels[item]}") for rank, item in enumerate(value, 1)]
        case ConstantSum():
            return [
                (text(item.label), amount_text(value[item.id], language()))
                for item in question.items
                if item.id in value
            ]
        case OpenText():
            return [("", value)]
        case TimeGrid():
            bands = {band.id: text(band.label) for band in question.bands}
            return [
                (text(day.label), ", ".join(bands[band] for band in value[day.id]))
                for day in question.days
                if day.id in value
            ]
        case Kano():
            labels = {"with": text(question.with_it), "without": text(question.without_it)}
            answers = dict(kano_answers())
            return [(labels[item], answers[str(value[item])]) for item in KANO_ITEMS if item in value]
        case VanWestendorp():
            return _amounts({item: text(getattr(question, item)) for item in VAN_WESTENDORP_ITEMS}, value, definition)
        case GaborGranger():
            return [
                (money(price, definition.currency, language()), text(question.yes if value[item] else question.no))
                for item, price in question.items.items()
                if item in value
            ]
        case OpenPrice():
            return [("", money(value, definition.currency, language()))]
    raise TypeError(f"no words for a {type(question).__name__}")


def _amounts(
    labels: Mapping[str, str], value: Mapping[str, float], definition: Definition
) -> Iterable[tuple[str, str]]:
    return [
        (label, money(value[item], definition.currency, language())) for item, label in labels.items() if item in value
    ]
