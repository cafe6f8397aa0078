"""From answers to the long frame that every estimator takes, and back from the fit to the tasks that were held out.

Dual-response none contributes two choice tasks to one stacked likelihood (Brazell et al. 2006): which of the alternatives, and
then that alternative against not buying, P(j | J) P(yes | j). The none row has the lowest level of every attribute and price 0,
all coded as zero, and a constant of its own in the column `none`. Where "none of these" was one more alternative, as in imported
choices, it is one more row of the same choice task.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from wtp.errors import DataError
from wtp.estimation import ChoiceData
from wtp.estimation.conditional_logit import ConditionalLogitResults
from wtp.estimation.labelled import seen_as
from wtp.pricing.money import Money
from wtp.pricing.offers import Offer, offer_vector, own_data
from wtp.quality.inspection import agreed
from wtp.survey.answers import Choice, Respondent
from wtp.survey.definition import Definition
from wtp.survey.labels import belongs, labels_of, shown_with
from wtp.survey.tasks import Alternative

ESTIMATION, HOLDOUT = "estimation", "holdout"


def formula(definition: Definition) -> str:
    """Main effects of every attribute, linear price, and the none constant where the study has one; where alternatives bear labels, interactions with them of what is per label."""
    labels = definition.choice_tasks.labels
    terms = [f"`{a.id}`:`{labels}`" if a.per_label else f"`{a.id}`" for a in definition.attributes]
    terms.append(f"price:`{labels}`" if definition.price.per_label else "price")
    return " + ".join([*terms, "none"] if definition.choice_tasks.none == "dual" else terms)


def choice_data(definition: Definition, frame: pd.DataFrame, **columns: Any) -> ChoiceData:
    """A frame of `choice_frame` as every estimator takes it. Raises DataError where a label or one of its levels was never shown, for it would silently have no figure."""
    data = ChoiceData.from_long(frame, formula(definition), labels=definition.choice_tasks.labels, **columns)
    for label in labels_of(definition):
        known = {columns.name: columns.levels for columns in seen_as(data, label).attributes}
        for attribute in definition.attributes:
            possible = (
                shown_with(definition, attribute, label) if attribute.id != definition.choice_tasks.labels else ()
            )
            for level in possible if len(possible) > 1 else ():
                if level not in known.get(attribute.id, ()):
                    raise DataError(
                        f"{attribute.id}: level {level} was never shown with {label}; allowed: every level that offers of a label can have; collect more answers."
                    )
    return data


def holdout_data(definition: Definition, respondents: Sequence[Respondent]) -> ChoiceData | None:
    """The held-out tasks in the columns of the estimation tasks, both coded together; None where there are none."""
    frame = choice_frame(definition, respondents, kind=HOLDOUT)
    if frame.empty:
        return None
    if not definition.choice_tasks.labels:
        return choice_data(definition, frame)
    seen = choice_frame(definition, respondents)
    both = pd.concat([seen.assign(respondent=-seen["respondent"]), frame], ignore_index=True)
    data = choice_data(definition, both)
    return data.subset(data.respondents > 0)


def choice_frame(definition: Definition, respondents: Sequence[Respondent], kind: str = ESTIMATION) -> pd.DataFrame:
    """Choice tasks of a kind in long format: respondent, choice_task, chosen, one column an attribute, price, none; a cell is empty where the label of an offer does not have the attribute.

    Alternatives of older versions with a level that is asked no longer are left out, and tasks in which such a one was chosen: given a respondent's tastes, choices among the others follow
    the same logit (independence of irrelevant alternatives; McFadden 1978).
    """
    attributes = [attribute.id for attribute in definition.attributes]
    lowest = {attribute.id: attribute.level_ids[0] for attribute in definition.attributes}
    rows: list[tuple[object, ...]] = []
    seen: dict[tuple[tuple[str, str], ...], bool] = {}  # few offers are shown many times

    def is_known(alternative: Alternative) -> bool:
        offer = tuple(alternative.levels.items())
        if offer not in seen:
            seen[offer] = belongs(definition, alternative.levels)
        return seen[offer]

    def add(respondent: int, task: str, chosen: bool, alternative: Alternative | None) -> None:
        levels = alternative.levels if alternative else lowest
        price = alternative.price if alternative else 0.0
        rows.append((respondent, task, chosen, *(levels.get(a) for a in attributes), price, float(alternative is None)))

    for respondent in respondents:
        for choice in respondent.choices:
            if choice.task.kind != kind:
                continue
            known = [a for a in choice.task.alternatives if a.is_none or is_known(a)]
            if all(alternative.number != choice.chosen for alternative in known):
                continue
            for alternative in known if len(known) > 1 else ():
                chosen, offer = alternative.number == choice.chosen, None if alternative.is_none else alternative
                add(respondent.number, f"{choice.task.number}", chosen, offer)
            if choice.buys is not None:
                task = f"{choice.task.number} purchase"
                add(respondent.number, task, choice.buys, chosen_alternative(choice))
                add(respondent.number, task, not choice.buys, None)
    frame = pd.DataFrame(rows, columns=["respondent", "choice_task", "chosen", *attributes, "price", "none"])
    for attribute in definition.attributes:
        frame[attribute.id] = pd.Categorical(frame[attribute.id], categories=list(attribute.level_ids))
    return frame


def chosen_alternative(choice: Choice) -> Alternative:
    """The alternative that was picked."""
    return next(a for a in choice.task.alternatives if a.number == choice.chosen)


def holdout_hit_rate(
    respondents: Sequence[Respondent], worth: Callable[[Alternative], float | None]
) -> tuple[float, float]:
    """Share of holdout tasks with a chosen offer whose chosen alternative has the highest predicted utility, and the share by chance.

    worth: utility of an alternative, None for one with a level of an older version, whose tasks do not count. NaN where there is no holdout answer.
    """
    hits = tasks = chance = 0.0
    for respondent in respondents:
        for choice in respondent.choices:
            if choice.task.kind != "holdout" or choice.picked.is_none:
                continue
            utilities = {a.number: worth(a) for a in choice.task.offers}
            known = {number: utility for number, utility in utilities.items() if utility is not None}
            if len(known) < len(utilities):
                continue
            tasks += 1
            hits += max(known, key=known.__getitem__) == choice.chosen
            chance += 1 / len(known)
    return (hits / tasks, chance / tasks) if tasks else (float("nan"), float("nan"))


def predicted_by(definition: Definition, fit: ConditionalLogitResults) -> Callable[[Alternative], float | None]:
    """Utility of an alternative by a pooled fit of the study, None where it has a level that the fit does not know."""
    known: dict[tuple[object, ...], float | None] = {}

    def worth(alternative: Alternative) -> float | None:
        key = (*sorted(alternative.levels.items()), alternative.price)
        if key not in known:
            known[key] = _utility(fit, alternative) if belongs(definition, alternative.levels) else None
        return known[key]

    return worth


def _utility(fit: ConditionalLogitResults, alternative: Alternative) -> float | None:
    offer = Offer("", alternative.levels, alternative.price)
    try:
        data = own_data(fit.data, offer.levels)
        return float(offer_vector(data, Money.of(data), offer) @ fit.utility_params)
    except DataError:  # never shown in an estimation task
        return None


def retest_agreement(respondents: Sequence[Respondent]) -> float:
    """Share of repeated choice tasks in which the same offer was chosen again; NaN where nothing was repeated."""
    return float(agreed(respondents).mean())
