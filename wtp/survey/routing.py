"""The steps of an interview: one page each, as this respondent sees it.

From the author's pages, the respondent's lot and the answers so far: conditions are decided, orders drawn, answers piped into texts, and pages that
ask several times (choice tasks, best-worst tasks, rated profiles, a price ladder) spread out into a step each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import is_
from typing import Any, TypeVar

from wtp.survey.attributes import Record
from wtp.survey.conditions import fulfilled
from wtp.survey.definition import Definition
from wtp.survey.lots import item_sets, profiles, rank, shuffled
from wtp.survey.pages import (
    BestWorstPage,
    ChoiceTaskPage,
    InformationPage,
    Page,
    ProfileRatingPage,
    QuestionPage,
    Quota,
    ScreenOut,
)
from wtp.survey.piping import has_places, piped
from wtp.survey.questions import (
    ConstantSum,
    GaborGranger,
    MultipleChoice,
    Option,
    Question,
    Ranking,
    Rating,
    SingleChoice,
)
from wtp.survey.tasks import Alternative
from wtp.survey.wording import Wording

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Step:
    """One page that a respondent sees, with what chance and earlier answers made of it.

    `order` is the number of the choice task as shown (from 1), or None; `part` and `parts` count the steps of a page that asks several
    times, 0 for a choice task to warm up with; `profile` is the offer to rate. `settled` is False where later answers decide how many parts there are.
    """

    id: str
    page: Page
    order: int | None = None
    part: int = 1
    parts: int = 1
    profile: Alternative | None = None
    settled: bool = True


def steps(definition: Definition, answers: Mapping[str, Any] | None = None, lot: str = "") -> tuple[Step, ...]:
    """All steps of an interview from consent to thanks, as far as these answers decide them."""
    given = answers or {}
    route: list[Step] = []
    for page in _in_order(definition.pages, lot):
        if fulfilled(getattr(page, "when", None), given):
            route += _unfolded(definition, page, given, lot)
    return tuple(route)


def screened_out(definition: Definition, answers: Mapping[str, Any]) -> ScreenOut | None:
    """The first screen-out whose condition these answers fulfil."""
    return next((end for end in definition.screen_outs if fulfilled(end.when, answers)), None)


def quotas_of(definition: Definition, answers: Mapping[str, Any]) -> tuple[Quota, ...]:
    """The quotas in which a respondent with these answers counts."""
    return tuple(quota for quota in definition.quotas if fulfilled(quota.when, answers))


def _in_order(pages: Sequence[Page], lot: str) -> list[Page]:
    found: list[Page] = []
    for block, group in groupby(pages, key=lambda page: getattr(page, "shuffle", None)):
        neighbours = tuple(group)
        found += shuffled(lot, f"pages/{block}", neighbours, key=lambda page: page.id) if block else neighbours
    return found


def _unfolded(definition: Definition, page: Page, answers: Mapping[str, Any], lot: str) -> list[Step]:
    if isinstance(page, ChoiceTaskPage):
        plan = definition.choice_tasks
        return [
            Step(f"{page.id}-{n}", page, n, n - plan.warm_up, plan.counted) for n in range(1, plan.total + 1)
        ]  # fmt: skip
    if isinstance(page, BestWorstPage):
        by_id = {item.id: item for item in page.items}
        sets = item_sets(lot, page.id, tuple(by_id), page.per_task, page.tasks)
        return [
            Step(
                f"{page.id}-{n}", page.model_copy(update={"items": tuple(by_id[i] for i in shown)}), None, n, len(sets)
            )
            for n, shown in enumerate(sets, 1)
        ]
    if isinstance(page, ProfileRatingPage):
        shown = profiles(lot, page.id, definition.attributes, definition.price, page.profiles)
        return [Step(f"{page.id}-{n}", page, None, n, len(shown), offer) for n, offer in enumerate(shown, 1)]
    if isinstance(page, QuestionPage):
        return _question_steps(definition, page, answers, lot)
    if isinstance(page, InformationPage):
        words = {
            "title": _piped(page.title, definition, answers),
            "text": _piped(page.text, definition, answers, markdown=True),
        }
        return [Step(page.id, _changed(page, words))]
    return [Step(page.id, page)]


def _question_steps(definition: Definition, page: QuestionPage, answers: Mapping[str, Any], lot: str) -> list[Step]:
    asked = [question for question in page.questions if fulfilled(question.when, answers)]
    if not asked:
        return []
    if page.order == "random":
        asked = list(shuffled(lot, page.id, asked, key=lambda question: question.id))
    texts = {"title": _piped(page.title, definition, answers)}
    if page.text:
        texts["text"] = _piped(page.text, definition, answers, markdown=True)
    shown = tuple(_as_shown(definition, question, answers, lot) for question in asked)
    whole = _changed(page, {**texts, "questions": shown})
    if not (isinstance(shown[0], GaborGranger) and shown[0].ladder):
        return [Step(page.id, whole)]
    rungs, settled = ladder(shown[0], answers.get(shown[0].id) or {}, lot)
    return [
        Step(
            f"{page.id}-{n}",
            whole.model_copy(update={"questions": (shown[0].model_copy(update={"prices": (price,)}),)}),
            part=n,
            parts=len(rungs),
            settled=settled,
        )
        for n, price in enumerate(rungs, 1)
    ]


def ladder(question: GaborGranger, given: Mapping[str, int], lot: str) -> tuple[list[float], bool]:
    """The prices asked so far and the next one, and whether nothing more is to be asked.

    The first price is random; after yes the middle one of those above that are open, after no of those below.
    """
    prices = question.prices
    low, high = 0, len(prices)  # open are low .. high - 1
    at = rank(lot, question.id, "first price") % len(prices)
    rungs: list[float] = []
    while low < high:
        rungs.append(prices[at])
        answer = given.get(f"{prices[at]:.15g}")
        if answer is None:
            return rungs, False
        low, high = (at + 1, high) if answer else (low, at)
        at = (low + high) // 2
    return rungs, True


def _as_shown(definition: Definition, question: Question, answers: Mapping[str, Any], lot: str) -> Question:
    update: dict[str, Any] = {"label": _piped(question.label, definition, answers)}
    if question.help:
        update["help"] = _piped(question.help, definition, answers)
    if getattr(question, "order", "fixed") == "random":
        if isinstance(question, SingleChoice | MultipleChoice):
            update["options"] = _options(lot, question.id, question.options)
        elif isinstance(question, Rating | Ranking | ConstantSum):
            update["items"] = _options(lot, question.id, question.items)
        elif isinstance(question, GaborGranger) and not question.ladder:
            update["prices"] = shuffled(lot, question.id, question.prices)
    return _changed(question, update)


def _piped(wording: Wording, definition: Definition, answers: Mapping[str, Any], *, markdown: bool = False) -> Wording:
    return piped(wording, definition.questions, answers, markdown=markdown) if has_places(wording) else wording


def _changed(record: R, update: dict[str, Any]) -> R:
    """The record with these values; itself where nothing is another, since most pages look the same to everybody."""
    same = all(
        new is old or (isinstance(new, tuple) and len(new) == len(old) and all(map(is_, new, old)))
        for new, old in ((value, getattr(record, name)) for name, value in update.items())
    )
    return record if same else record.model_copy(update=update)


def _options(lot: str, purpose: str, options: tuple[Option, ...]) -> tuple[Option, ...]:
    """Options in random order; those that stand alone stay at the end."""
    free = [option for option in options if not option.alone]
    return (*shuffled(lot, purpose, free, key=lambda o: o.id), *(option for option in options if option.alone))
