"""Simulated respondents with known tastes: the demo's data, the bot's mind, and the truth that tests recover.

A person of segment s has worths W_il = W_sl (1 + spread z), price sensitivity a_i = a_s exp(spread/2 z), a price limit L_i = L_s exp(spread/3 z)
at which today's offer is bought with probability one half. Choices maximise a_i (worth - price) + Gumbel; the purchase question is a logit of the chosen
alternative against the none utility (dual-response none). Where alternatives bear labels, offers of label l have a sensitivity a_il of their own and per-label worths;
the worth of the label itself is told at today's price p0: v = a_i (shared worths - p0) + a_il (own worths - (price - p0)). Answers to the questions follow from the same tastes. z are standard normal;
the sensitivities are log-normal with a modest sigma (0.15 at the default spread of 0.3), so that a pooled logit finds the mean worths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from wtp.errors import SurveyError
from wtp.estimation.synthetic_answers import best_and_worst, item_utilities, known_means, other_answer, rated_round
from wtp.survey.definition import Definition, SimulatedSegment, Simulation
from wtp.survey.labels import has, labels_of, reference, shown_with, todays_offer, values_alone
from wtp.survey.pages import BestWorstPage
from wtp.survey.questions import (
    PROCESS_SATISFACTION,
    GaborGranger,
    OpenPrice,
    Rating,
    Scale,
    SingleChoice,
    VanWestendorp,
)
from wtp.survey.tasks import Alternative, ChoiceTask, price_coefficient_of, worth_of

_REVERSED_PRICES = 0.03
_PROFILE_DRAWS = 1_000
_RATING_NOISE = 0.9


@dataclass(frozen=True, slots=True)
class SimulatedRespondent:
    """One person: worth of each (attribute, level) and of not buying, in money; price sensitivity per currency unit.

    own: by label, where alternatives bear some, how much more its price weighs than `sensitivity` says, and its own worths. labels: the attribute that labels; today: today's price.
    """

    segment: str
    answers: Mapping[str, Any]
    worth: Mapping[tuple[str, str], float]
    none_worth: float
    sensitivity: float
    own: Mapping[str, tuple[float, Mapping[tuple[str, str], float]]] = field(default_factory=dict)
    labels: str = ""
    today: float = 0.0


def draw_respondents(definition: Definition, count: int, seed: int) -> tuple[SimulatedRespondent, ...]:
    """Persons of the survey's `[simulation]`, segments in their shares; without that table, neutral tastes in all segments alike.

    Raises SurveyError if no answers lead into a segment.
    """
    rng = np.random.default_rng([seed, 7])
    simulation = definition.simulation or neutral_tastes(definition)
    shares = np.array([segment.share for segment in simulation.segments])
    picks = rng.choice(len(shares), size=count, p=shares / shares.sum())
    return tuple(_person(definition, simulation.segments[pick], simulation.spread, rng) for pick in picks)


def choose(person: SimulatedRespondent, task: ChoiceTask, rng: np.random.Generator) -> tuple[int, bool]:
    """Number of the chosen alternative, and whether the person would really buy it."""
    surplus = np.array([_surplus(person, alternative) for alternative in task.alternatives])
    best = int(np.argmax(person.sensitivity * surplus + rng.gumbel(size=len(surplus))))
    utility = person.sensitivity * (surplus[best] - person.none_worth)
    return task.alternatives[best].number, bool(rng.random() < 1 / (1 + np.exp(-utility)))


def rate(person: SimulatedRespondent, offer: Alternative, scale: Scale, rng: np.random.Generator) -> int:
    """The person's rating of one offer: how likely it would be bought, on the scale, with the noise of ratings."""
    likely = 1 / (1 + np.exp(-person.sensitivity * (_surplus(person, offer) - person.none_worth)))
    value = scale.low + likely * (scale.high - scale.low) + _RATING_NOISE * rng.standard_normal()
    return int(np.clip(round(value), scale.low, scale.high))


def sort_items(
    person: SimulatedRespondent, page: BestWorstPage, shown: Sequence[str], rng: np.random.Generator
) -> dict[str, str]:
    """best, worst and, where the page asks it, anchor of the items shown."""
    return best_and_worst(person.answers[page.id], shown, rng, anchored=page.anchor is not None)


def truth(definition: Definition) -> pd.DataFrame:
    """Worth of every level against today's, by segment: segment, attribute, from_level, to_level, worth (mean of its persons).

    Where alternatives bear labels also offer_label, a row for each label that can have the step, against its `reference`; a label itself has no worth of its own.
    """
    simulation = definition.simulation or neutral_tastes(definition)
    rows = []
    for segment in simulation.segments:
        for label in labels_of(definition) or ("",):
            for attribute in definition.attributes:
                if attribute.id == definition.choice_tasks.labels:
                    continue
                taste = worth_of(segment, attribute.id, label)
                weight = (
                    1.0 if values_alone(attribute) else segment.price_coefficient / price_coefficient_of(segment, label)
                )
                worth = dict(zip(attribute.level_ids, taste, strict=True))
                today = reference(definition, attribute, label)
                rows += [
                    (segment.segment, label, attribute.id, today, level, weight * (worth[level] - worth[today]))
                    for level in shown_with(definition, attribute, label)
                    if level != today
                ]
    table = pd.DataFrame(rows, columns=["segment", "offer_label", "attribute", "from_level", "to_level", "worth"])
    return table if labels_of(definition) else table.drop(columns="offer_label")


def _surplus(person: SimulatedRespondent, alternative: Alternative) -> float:
    if not person.own:
        return sum(person.worth[item] for item in alternative.levels.items()) - alternative.price
    weight, worth = person.own[alternative.levels[person.labels]]
    shared = sum(person.worth[item] for item in alternative.levels.items() if item not in worth)
    own = sum(worth[item] for item in alternative.levels.items() if item in worth)
    return shared - person.today + weight * (own - (alternative.price - person.today))


def neutral_tastes(definition: Definition) -> Simulation:
    """Every step up of an ordered attribute is worth 3 per cent of today's price; half would still buy today's offer 10 per cent above it."""
    price = definition.price.current
    worth = {a.id: tuple(0.03 * price * i * a.direction for i in range(len(a.levels))) for a in definition.attributes}
    span = definition.price.levels[-1] - definition.price.levels[0]
    names = [segment.id for segment in definition.segments] or ["everybody"]
    segments = tuple(
        SimulatedSegment(
            segment=name, share=1 / len(names), price_coefficient=-4 / span, price_limit=1.1 * price, worth=worth
        )
        for name in names
    )
    return Simulation(spread=0.3, segments=segments)


def _person(
    definition: Definition, segment: SimulatedSegment, spread: float, rng: np.random.Generator
) -> SimulatedRespondent:
    worth: dict[tuple[str, str], float] = {}
    tastes: dict[str, float] = {}
    for attribute in definition.attributes:
        taste = tastes[attribute.id] = 1 + spread * rng.standard_normal()
        for level, amount in zip(attribute.level_ids, segment.worth[attribute.id], strict=True):
            worth[attribute.id, level] = amount * taste
    limit = segment.price_limit * float(np.exp(spread / 3 * rng.standard_normal()))
    sensitivity = -segment.price_coefficient * float(np.exp(spread / 2 * rng.standard_normal()))
    answers = _answers(definition, segment, worth, limit, rng)
    person = SimulatedRespondent(
        segment.segment,
        answers,
        worth,
        0.0,
        sensitivity,
        own={label: _own(definition, segment, label, tastes) for label in labels_of(definition)},
        labels=definition.choice_tasks.labels or "",
        today=definition.price.current,
    )
    return replace(person, none_worth=_surplus(person, Alternative(0, todays_offer(definition), limit)))


def _own(
    definition: Definition, segment: SimulatedSegment, label: str, tastes: Mapping[str, float]
) -> tuple[float, dict[tuple[str, str], float]]:
    """How much more the price of a label weighs, and the worth of the levels that are valued label by label."""
    weight = price_coefficient_of(segment, label) / segment.price_coefficient
    return weight, {
        (attribute.id, level): amount * tastes[attribute.id]
        for attribute in definition.attributes
        if values_alone(attribute) and has(attribute, label)
        for level, amount in zip(attribute.level_ids, worth_of(segment, attribute.id, label), strict=True)
    }


def _answers(
    definition: Definition,
    segment: SimulatedSegment,
    worth: Mapping[tuple[str, str], float],
    limit: float,
    rng: np.random.Generator,
) -> dict[str, Any]:
    answers: dict[str, Any] = _profile(definition, segment.segment, rng)
    inclination = float(rng.standard_normal()) if segment.rated else 0.0
    for question in definition.questions:
        if isinstance(question, Rating) and not (question.measures == PROCESS_SATISFACTION and segment.process):
            answers[question.id] = _ratings(definition, question, segment, worth, rng)
            if means := known_means(segment, question):
                answers[question.id] |= rated_round(means, question, inclination, rng)
        elif isinstance(question, VanWestendorp):
            answers[question.id] = _prices(limit, rng)
        elif isinstance(question, GaborGranger):
            noisy = limit * np.exp(0.05 * rng.standard_normal(len(question.prices)))
            answers[question.id] = {
                item: int(own >= p) for (item, p), own in zip(question.items.items(), noisy, strict=True)
            }
        elif isinstance(question, OpenPrice):
            answers[question.id] = float(np.round(limit * np.exp(0.1 * rng.standard_normal())))
        elif not isinstance(question, SingleChoice):
            answers[question.id] = other_answer(definition, question, segment, rng)
    for page in definition.pages:
        if isinstance(page, BestWorstPage):
            items = [item.id for item in page.items]
            utilities = item_utilities(definition, segment, items)
            answers[page.id] = dict(zip(items, map(float, utilities), strict=True))
    return answers


def _profile(definition: Definition, segment: str, rng: np.random.Generator) -> dict[str, str]:
    """Options at random, drawn until the segment is the first whose conditions they fulfil."""
    questions = [question for question in definition.questions if isinstance(question, SingleChoice)]
    own = next((declared.when for declared in definition.segments if declared.id == segment), {})
    options = {q.id: own.get(q.id, tuple(option.id for option in q.options)) for q in questions}
    for _ in range(_PROFILE_DRAWS):
        answers = {question: allowed[int(rng.integers(len(allowed)))] for question, allowed in options.items()}
        fitting = (s.id for s in definition.segments if all(answers[q] in allowed for q, allowed in s.when.items()))
        if next(fitting, segment) == segment:
            return answers
    raise SurveyError(
        f"segments: in {_PROFILE_DRAWS} draws nobody of segment {segment} fitted it before another one; allowed: segments that "
        "answers can reach; make the conditions of the earlier segments narrower."
    )


def _ratings(
    definition: Definition,
    question: Rating,
    segment: SimulatedSegment,
    worth: Mapping[tuple[str, str], float],
    rng: np.random.Generator,
) -> dict[str, int | None]:
    """Importance follows the range of worths, the price's that of its levels; everybody rates rather high."""
    span = {a.id: max(worth[a.id, level] for level in a.level_ids) for a in definition.attributes}
    prices = definition.price.levels
    span["price"] = 0.5 * (prices[-1] - prices[0])
    largest = max(*span.values(), 1e-9)
    low, high = question.scale.low, question.scale.high
    ratings: dict[str, int | None] = {}
    for item in question.items:
        level = 0.35 + 0.6 * span.get(item.id, 0.5 * largest) / largest
        value = low + level * (high - low) + _RATING_NOISE * rng.standard_normal()
        ratings[item.id] = int(np.clip(round(value), low, high))
    return ratings


def _prices(limit: float, rng: np.random.Generator) -> dict[str, float]:
    """Four prices round the person's limit, rounded as people would; a few people mix up their order."""
    factors = np.array([0.62, 0.82, 1.02, 1.22]) * np.exp(0.14 * rng.standard_normal(4))
    unit = float(
        np.clip(10 ** (np.floor(np.log10(limit)) - 1), 0.01, 1)
    )  # whole money from 10 on, else its tenths or cents
    rounded = np.round(np.sort(factors) * limit / unit)
    distinct = np.maximum.accumulate(rounded - np.arange(4)) + np.arange(4)
    prices = np.round(distinct * unit, 2)
    if rng.random() < _REVERSED_PRICES:
        prices = prices[::-1]
    return dict(zip(("too_cheap", "cheap", "expensive", "too_expensive"), map(float, prices), strict=True))
