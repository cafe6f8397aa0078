"""From answers to the long frame that every estimator takes, and back from the fit to the tasks that were held out.

Dual-response none contributes two choice tasks to one stacked likelihood (Brazell et al. 2006): which of the alternatives, and
then that alternative against not buying, P(j | J) P(yes | j). The none row has the lowest level of every attribute and price 0,
all coded as zero, and a constant of its own in the column `none`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from wtp.quality.inspection import agreed
from wtp.survey.answers import Choice, Respondent
from wtp.survey.definition import Definition
from wtp.survey.tasks import Alternative

ESTIMATION, HOLDOUT = "estimation", "holdout"


def formula(definition: Definition) -> str:
    """Main effects of every attribute, linear price, and the none constant where the study has one."""
    terms = [f"`{attribute.id}`" for attribute in definition.attributes] + ["price"]
    return " + ".join([*terms, "none"] if definition.choice_tasks.none == "dual" else terms)


def choice_frame(definition: Definition, respondents: Sequence[Respondent], kind: str = ESTIMATION) -> pd.DataFrame:
    """Choice tasks of a kind in long format: respondent, choice_task, chosen, one column an attribute, price, none.

    Alternatives of older versions with a level that is asked no longer are left out, and tasks in which such a one was chosen: given a respondent's tastes, choices among the others follow
    the same logit (independence of irrelevant alternatives; McFadden 1978).
    """
    attributes = [attribute.id for attribute in definition.attributes]
    lowest = {attribute.id: attribute.level_ids[0] for attribute in definition.attributes}
    levels = {attribute.id: set(attribute.level_ids) for attribute in definition.attributes}
    rows: list[tuple[object, ...]] = []

    def add(respondent: int, task: str, chosen: bool, alternative: Alternative | None) -> None:
        levels = alternative.levels if alternative else lowest
        price = alternative.price if alternative else 0.0
        rows.append((respondent, task, chosen, *(levels[a] for a in attributes), price, float(alternative is None)))

    for respondent in respondents:
        for choice in respondent.choices:
            if choice.task.kind != kind:
                continue
            known = [a for a in choice.task.alternatives if all(a.levels[x] in ids for x, ids in levels.items())]
            if all(alternative.number != choice.chosen for alternative in known):
                continue
            for alternative in known if len(known) > 1 else ():
                add(respondent.number, f"{choice.task.number}", alternative.number == choice.chosen, alternative)
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
    definition: Definition, respondents: Sequence[Respondent], utilities: pd.Series, price_coefficient: float
) -> tuple[float, float]:
    """Share of holdout tasks whose chosen alternative has the highest predicted utility, and the share by chance.

    `utilities` is indexed by (attribute, level). NaN where there is no holdout answer.
    """
    hits = tasks = chance = 0.0
    known = set(utilities.index)
    for respondent in respondents:
        for choice in respondent.choices:
            if choice.task.kind != "holdout":
                continue
            if any(item not in known for a in choice.task.alternatives for item in a.levels.items()):
                continue  # a level of an older version
            worth = {
                a.number: sum(utilities[item] for item in a.levels.items()) + price_coefficient * a.price
                for a in choice.task.alternatives
            }
            tasks += 1
            hits += max(worth, key=worth.__getitem__) == choice.chosen
            chance += 1 / len(worth)
    return (hits / tasks, chance / tasks) if tasks else (float("nan"), float("nan"))


def retest_agreement(respondents: Sequence[Respondent]) -> float:
    """Share of repeated choice tasks in which the same offer was chosen again; NaN where nothing was repeated."""
    return float(agreed(respondents).mean())
