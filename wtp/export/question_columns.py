"""How answers become columns of the table of respondents: `COLUMNS` has one entry a question type.

Frames and codebook both read it, so that every column is explained, whatever its type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition
from wtp.survey.pages import BestWorstPage, ChoiceTaskPage, Page, ProfileRatingPage
from wtp.survey.questions import (
    KANO_ITEMS,
    UNSURE,
    VAN_WESTENDORP_ITEMS,
    ConstantSum,
    GaborGranger,
    Kano,
    MultipleChoice,
    Question,
    Ranking,
    Rating,
    SingleChoice,
    TimeGrid,
    VanWestendorp,
)
from wtp.survey.wording import Wording

_KANO = ("like", "expect", "neutral", "live with", "dislike")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `read` takes a respondent's answers by question; `labels` are its texts, `codes` what its values mean."""

    name: str
    kind: str
    read: Callable[[Mapping[str, Any]], Any]
    labels: tuple[Mapping[str, str], ...]
    codes: tuple[tuple[str, Mapping[str, str]], ...] = ()


def _item(question: str, item: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda answers: (answers.get(question) or {}).get(item)


def _single(q: SingleChoice) -> list[Column]:
    codes = [(option.id, option.label) for option in q.options] + ([(UNSURE, q.unsure)] if q.unsure else [])
    return [Column(q.id, "code", lambda answers: answers.get(q.id), (q.label,), tuple(codes))]


def _several(q: MultipleChoice) -> list[Column]:
    def picked(option: str) -> Callable[[Mapping[str, Any]], Any]:
        return lambda answers: None if answers.get(q.id) is None else int(option in answers[q.id])

    return [Column(f"{q.id}.{o.id}", "0 or 1", picked(o.id), (q.label, o.label)) for o in q.options]


def _rating(q: Rating) -> list[Column]:
    ends = ((str(q.scale.low), q.scale.low_label), (str(q.scale.high), q.scale.high_label))
    return [
        Column(f"{q.id}.{i.id}", "whole number", _item(q.id, i.id), (q.label, i.label), ends)
        for i in sorted(q.items, key=q.items.index)
    ]


def _ranking(q: Ranking) -> list[Column]:
    def rank(item: str) -> Callable[[Mapping[str, Any]], Any]:
        return lambda answers: answers[q.id].index(item) + 1 if item in (answers.get(q.id) or ()) else None

    return [Column(f"{q.id}.{i.id}", "whole number", rank(i.id), (q.label, i.label)) for i in q.items]


def _sum(q: ConstantSum) -> list[Column]:
    return [Column(f"{q.id}.{i.id}", "number", _item(q.id, i.id), (q.label, i.label)) for i in q.items]


def _times(q: TimeGrid) -> list[Column]:
    def bands(day: str) -> Callable[[Mapping[str, Any]], Any]:
        return lambda answers: " ".join((answers.get(q.id) or {}).get(day, ())) or None

    codes = tuple((band.id, band.label) for band in q.bands)
    return [Column(f"{q.id}.{day.id}", "codes", bands(day.id), (q.label, day.label), codes) for day in q.days]


def _kano(q: Kano) -> list[Column]:
    words: Sequence[Wording] = (q.with_it, q.without_it)
    codes = tuple((str(n), dict.fromkeys(q.label, word)) for n, word in enumerate(_KANO, 1))
    return [
        Column(f"{q.id}.{half}", "whole number", _item(q.id, half), (q.label, text), codes)
        for half, text in zip(KANO_ITEMS, words, strict=True)
    ]


def _four_prices(q: VanWestendorp) -> list[Column]:
    return [Column(f"{q.id}.{i}", "money", _item(q.id, i), (q.label, getattr(q, i))) for i in VAN_WESTENDORP_ITEMS]


def _ladder(q: GaborGranger) -> list[Column]:
    codes = (("1", q.yes), ("0", q.no))
    return [Column(f"{q.id}.{i}", "0 or 1", _item(q.id, i), (q.label,), codes) for i in q.items]


def _as_it_is(kind: str) -> Callable[[Any], list[Column]]:
    return lambda q: [Column(q.id, kind, lambda answers: answers.get(q.id), (q.label,))]


COLUMNS: dict[str, Callable[[Any], list[Column]]] = {
    "single_choice": _single,
    "multiple_choice": _several,
    "rating": _rating,
    "number": _as_it_is("number"),
    "ranking": _ranking,
    "constant_sum": _sum,
    "text": _as_it_is("text"),
    "time_grid": _times,
    "kano": _kano,
    "van_westendorp": _four_prices,
    "gabor_granger": _ladder,
    "open_price": _as_it_is("money"),
}


def question_columns(question: Question) -> list[Column]:
    """The columns of one question."""
    return COLUMNS[question.type](question)


def page_columns(definition: Definition, page: Page) -> list[Column]:
    """The columns of a page that is no list of questions: best-worst tasks and rated profiles, with what was shown; choices, whose offers are in the table of choices."""
    if isinstance(page, ChoiceTaskPage):
        columns = []
        for n in range(1, definition.choice_tasks.total + 1):
            task, shown = (
                f"{page.id}-{n}",
                dict.fromkeys(
                    page.title,
                    "choice task of the design version, in the order shown"
                    + (", to warm up with: counts nowhere" if n <= definition.choice_tasks.warm_up else ""),
                ),
            )
            columns.append(
                Column(f"{task}.choice_task", "whole number", _item(task, "choice_task"), (page.title, shown))
            )
            columns.append(Column(f"{task}.chosen", "whole number", _item(task, "chosen"), (page.title, page.question)))
            if page.purchase_question:
                columns.append(
                    Column(f"{task}.buys", "0 or 1", _item(task, "buys"), (page.title, page.purchase_question))
                )
        return columns
    if isinstance(page, BestWorstPage):
        codes = tuple((item.id, item.label) for item in page.items)
        parts: list[tuple[str, Mapping[str, str]]] = [("best", page.best), ("worst", page.worst)]
        columns = []
        for n in range(1, page.tasks + 1):
            task = f"{page.id}-{n}"
            shown = dict.fromkeys(page.title, "items shown, in this order")
            columns.append(Column(f"{task}.shown", "codes", _words(task, "shown"), (page.title, shown), codes))
            columns += [Column(f"{task}.{p}", "code", _item(task, p), (page.title, text), codes) for p, text in parts]
            if page.anchor:
                columns.append(Column(f"{task}.anchor", "code", _item(task, "anchor"), (page.title, page.anchor)))
        return columns
    if isinstance(page, ProfileRatingPage):
        columns = []
        for n in range(1, page.profiles + 1):
            task = f"{page.id}-{n}"
            for attribute in definition.attributes:
                codes = tuple((level.id, level.label) for level in attribute.levels)
                read = _shown(task, attribute.id)
                columns.append(Column(f"{task}.{attribute.id}", "code", read, (page.title, attribute.label), codes))
            price = (page.title, definition.price.label)
            columns.append(Column(f"{task}.price", "money", _shown(task, "price"), price))
            columns.append(Column(f"{task}.rating", "whole number", _item(task, "rating"), (page.title, page.question)))
        return columns
    return []


def _words(task: str, part: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda answers: " ".join((answers.get(task) or {}).get(part, ())) or None


def _shown(task: str, part: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda answers: (answers.get(task) or {}).get("shown", {}).get(part)


def with_choices(definition: Definition, respondent: Respondent) -> Mapping[str, Any]:
    """Answers by question, and choices beside them as if they were answers: all that one respondent said, in one row."""
    page = next((page.id for page in definition.pages if isinstance(page, ChoiceTaskPage)), "choice")
    choices = {
        f"{page}-{c.order}": {"choice_task": c.task.number, "chosen": c.chosen, "buys": None if c.buys is None else int(c.buys)}
        for c in respondent.choices
    }  # fmt: skip
    return {**respondent.answers, **choices}


def answer_columns(definition: Definition) -> list[Column]:
    """All columns of answers, in the order asked."""
    columns: list[Column] = []
    for page in definition.pages:
        for question in getattr(page, "questions", ()):
            columns += question_columns(question)
        columns += page_columns(definition, page)
    return columns
