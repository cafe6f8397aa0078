"""What simulated respondents answer beside choices and prices, with truths that the analysis must find again.

How much an item matters is a utility in logits (`item_utilities`), the same for everybody of a segment. Best-worst tasks follow Marley and Louviere (2005) with it, rankings are exploded
logits (the order of utility + Gumbel), points are log-normal round softmax(utility), Kano pairs come from fixed shares of the categories (`kano_shares`). Questions about the process follow the
segment's [simulation.segments.process], without it by chance: steps are marked one after the other with chances in the ratio of their weights (Plackett and Luce), times suit independently of each other, an
hour's cost is log-normal. Expectation, experience and ratings of performance are beta-binomial round the means of `rated`, with one inclination a person that all of them share (halo); a script is an exploded
logit of the order of `script`, without one any order is as likely. Other questions are answered by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import softmax
from scipy.stats import beta, norm

from wtp.survey.definition import Definition, SimulatedSegment
from wtp.survey.measures import SCRIPT, SIMULATED
from wtp.survey.process import PROCESS_MEASURES, ProcessTruth
from wtp.survey.questions import (
    ConstantSum,
    Kano,
    MultipleChoice,
    Number,
    OpenText,
    Question,
    Ranking,
    Rating,
    TimeGrid,
)

_POINTS_SPREAD = 0.5
_KANO = {
    "attractive": (1, (2, 3, 4)),
    "one_dimensional": (1, (5,)),
    "must_be": (3, (5,)),
    "indifferent": (3, (2, 3, 4)),
}
_MAIN = 0.55
_SUITS = 0.3
_COST_SPREAD = 0.6
_LENIENCE, _RATING_NOISE = 0.6, 1.0
_SAMENESS = 8.0  # of a person's ratings round the mean; the fewer, the more people differ
_HALO = 0.5  # correlation of the inclinations behind any two ratings of a person
_UNSURE = 0.05
_ORDERLY = 3.0  # logits between the first and the last event of a script


def item_utilities(definition: Definition, segment: SimulatedSegment, items: Sequence[str]) -> np.ndarray:
    """(L,) how much each item matters to a segment, from 1 down to -1; 0 is the threshold of mattering.

    An item that bears the id of an attribute, or is the price, matters by the range of its worths; others by their place in the list, the first most.
    """
    worth = {name: max(amounts) - min(amounts) for name, amounts in segment.worth.items()}
    worth["price"] = 0.5 * (definition.price.levels[-1] - definition.price.levels[0])
    largest = max(*worth.values(), 1e-9)
    placed = np.linspace(1, -1, len(items))
    return np.array([2 * worth[i] / largest - 1 if i in worth else at for i, at in zip(items, placed, strict=True)])


def best_and_worst(
    utilities: Mapping[str, float], shown: Sequence[str], rng: np.random.Generator, *, anchored: bool
) -> dict[str, str]:
    """best and worst of the items shown, and with an anchor whether all, some or none of them matter: the stacked logit of `best_worst_data`."""
    v = np.array([utilities[item] for item in shown])
    anchor = {}
    best = _largest(np.append(v, 0.0) if anchored else v, rng)
    none = best == len(v)
    if none:
        best = _largest(v, rng)
    rest = np.delete(np.arange(len(v)), best)
    worst = _largest(np.append(-v[rest], 0.0) if anchored and not none else -v[rest], rng)
    everything = worst == len(rest)
    if everything:
        worst = _largest(-v[rest], rng)
    if anchored:
        anchor = {"anchor": "none" if none else "all" if everything else "some"}
    return {"best": shown[best], "worst": shown[rest[worst]], **anchor}


def _largest(v: np.ndarray, rng: np.random.Generator) -> int:
    return int(np.argmax(v + rng.gumbel(size=len(v))))


def kano_shares(definition: Definition, question: str) -> dict[str, float]:
    """Shares of the categories of a Kano question; the first of the survey is mostly attractive, the next one-dimensional, must-be, indifferent, and so on."""
    asked = [q.id for q in definition.questions if isinstance(q, Kano)]
    main = list(_KANO)[asked.index(question) % len(_KANO)]
    return {category: _MAIN if category == main else (1 - _MAIN) / (len(_KANO) - 1) for category in _KANO}


def known_means(segment: SimulatedSegment, question: Rating) -> dict[str, float]:
    """Mean rating by item, as far as the survey's simulation states one."""
    if question.measures not in SIMULATED:
        return {}
    stated = {rated.id: getattr(rated, question.measures) for rated in segment.rated}
    return {item.id: stated[item.id] for item in question.items if stated.get(item.id) is not None}


def rated_round(
    means: Mapping[str, float], question: Rating, inclination: float, rng: np.random.Generator
) -> dict[str, int | None]:
    """Ratings of the items with known means, exact on average; "do not know" now and then where that may be said. inclination: of the person, standard normal."""
    low, steps = question.scale.low, question.scale.high - question.scale.low
    share = (np.array(list(means.values())) - low) / steps
    own = norm.cdf(np.sqrt(_HALO) * inclination + np.sqrt(1 - _HALO) * rng.standard_normal(len(share)))
    points = low + rng.binomial(steps, beta.ppf(own, _SAMENESS * share, _SAMENESS * (1 - share)))
    unsure = (rng.random(len(share)) < _UNSURE) & (question.unsure is not None)
    return {item: None if skip else int(p) for item, p, skip in zip(means, points, unsure, strict=True)}


def _script(segment: SimulatedSegment, items: Sequence[str], rng: np.random.Generator) -> list[str]:
    known = [event for event in segment.script if event in items]
    place = dict(zip(known, np.linspace(_ORDERLY / 2, -_ORDERLY / 2, len(known)), strict=True))
    utilities = np.array([place.get(item, 0.0) for item in items])
    return [items[i] for i in np.argsort(-(utilities + rng.gumbel(size=len(items))))]


def other_answer(  # noqa: PLR0911  # one case a question type
    definition: Definition, question: Question, segment: SimulatedSegment, rng: np.random.Generator
) -> Any:
    """An answer that the page accepts."""

    if getattr(question, "measures", None) in PROCESS_MEASURES and segment.process is not None:
        known = process_answer(question, segment.process, rng)
        if known is not None:
            return known

    def some(ids: Sequence[str], count: int) -> list[str]:
        return [ids[i] for i in sorted(rng.permutation(len(ids))[:count])]

    if isinstance(question, MultipleChoice):
        ids = [option.id for option in question.options if not option.alone]
        return some(ids, int(rng.integers(question.fewest, min(question.most, len(ids)) + 1)))
    if isinstance(question, Number):
        value = float(rng.uniform(question.low, min(question.high, question.low + 100)))
        return float(np.floor(value)) if question.whole else round(value, 2)
    if isinstance(question, Ranking | ConstantSum):
        items = [item.id for item in question.items]
        if isinstance(question, Ranking) and question.measures == SCRIPT:
            return _script(segment, items, rng)
        utilities = item_utilities(definition, segment, items)
        if isinstance(question, Ranking):
            order = np.argsort(-(utilities + rng.gumbel(size=len(items))))
            return [items[i] for i in order[: question.ranks]]
        shares = softmax(utilities + _POINTS_SPREAD * rng.standard_normal(len(items)))
        return dict(zip(items, _rounded(shares * question.total, question.total), strict=True))
    if isinstance(question, TimeGrid):
        bands = [band.id for band in question.bands]
        days = some([day.id for day in question.days], int(rng.integers(1, len(question.days) + 1)))
        return {day: some(bands, int(rng.integers(1, len(bands) + 1))) for day in days}
    if isinstance(question, Kano):
        shares_of = kano_shares(definition, question.id)
        with_it, without = _KANO[list(shares_of)[rng.choice(len(shares_of), p=list(shares_of.values()))]]
        return {"with": with_it, "without": int(rng.choice(without))}
    return f"simulated answer {int(rng.integers(1_000_000))}" if isinstance(question, OpenText) else None


def process_answer(question: Question, truth: ProcessTruth, rng: np.random.Generator) -> Any:
    """An answer to a question about the process; what the truth does not tell is even: all steps alike, every time with a chance of 0.3. None for a cost that it does not tell."""
    if isinstance(question, MultipleChoice):
        weights = {told.step: told.matters for told in truth.steps}
        ids = [option.id for option in question.options if not option.alone]
        keys = np.log([weights.get(name, 1.0) for name in ids]) + rng.gumbel(size=len(ids))
        marked = int(rng.integers(max(question.fewest, question.most - 1), question.most + 1))
        return [ids[i] for i in sorted(np.argsort(-keys)[:marked])]
    if isinstance(question, Rating):
        means = {told.step: told.satisfaction for told in truth.steps if told.satisfaction is not None}
        low, high = question.scale.low, question.scale.high
        lenience = _LENIENCE * rng.standard_normal()
        values = [
            means.get(i.id, (low + high) / 2) + lenience + _RATING_NOISE * rng.standard_normal() for i in question.items
        ]
        return {i.id: int(np.clip(round(value), low, high)) for i, value in zip(question.items, values, strict=True)}
    if isinstance(question, TimeGrid):
        told = {own.day: own.suits for own in truth.windows}
        bands = [band.id for band in question.bands]
        chances = np.array([told.get(day.id, (_SUITS,) * len(bands)) for day in question.days], dtype=float)
        suits = rng.random(chances.shape) < chances
        if not suits.any():  # something must be picked
            likely = chances.ravel() + 1e-9
            suits.flat[rng.choice(likely.size, p=likely / likely.sum())] = True
        return {
            day.id: [band for band, one in zip(bands, own, strict=True) if one]
            for day, own in zip(question.days, suits, strict=True)
            if own.any()
        }
    if isinstance(question, Number) and truth.hour_cost is not None:
        amount = round(truth.hour_cost * float(np.exp(_COST_SPREAD * rng.standard_normal())))
        return float(np.clip(amount, question.low, question.high))
    return None


def _rounded(points: np.ndarray, total: int) -> list[float]:
    """Whole points with the same sum: what is left goes to the largest remainders."""
    whole = np.floor(points)
    left = round(total - float(whole.sum()))
    whole[np.argsort(whole - points)[:left]] += 1
    return [float(p) for p in whole]
