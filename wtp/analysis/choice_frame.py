"""From answers to the long frame that every estimator takes, and back from the fit to the tasks that were held out.

Dual-response none contributes two choice tasks to one stacked likelihood (Brazell et al. 2006): which of the alternatives, and
then that alternative against not buying, P(j | J) P(yes | j). The none row has the lowest level of every attribute and price 0,
all coded as zero, and a constant of its own in the column `none`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from wtp.estimation import ChoiceData
from wtp.estimation.diagnostics import FEWEST_CHOSEN
from wtp.survey.answers import Choice, Respondent
from wtp.survey.definition import Definition
from wtp.survey.tasks import Alternative

ESTIMATION, HOLDOUT = "estimation", "holdout"


def formula(definition: Definition) -> str:
    """Main effects of every attribute, linear price, and the none constant where the study has one."""
    terms = [f"`{attribute.id}`" for attribute in definition.attributes] + ["price"]
    return " + ".join([*terms, "none"] if definition.choice_tasks.none == "dual" else terms)


def choice_data(
    definition: Definition, respondents: Sequence[Respondent], frame: pd.DataFrame | None = None, covariates: Sequence[str] | None = None
) -> ChoiceData:  # fmt: skip
    """The estimation tasks as every estimator takes them; levels of older versions that are asked no longer have a part-worth each, but are no levels of the attributes."""
    frame = choice_frame(definition, respondents) if frame is None else frame
    data = ChoiceData.from_long(frame, formula=formula(definition), covariates=covariates)
    today = {attribute.id: attribute.level_ids for attribute in definition.attributes}
    attributes = []
    for columns in data.attributes:
        kept = [n for n, level in enumerate(columns.levels) if level in today.get(columns.name, (level,))]
        levels = tuple(columns.levels[n] for n in kept)
        attributes.append(replace(columns, levels=levels, contrasts=columns.contrasts[kept]))
    return replace(data, attributes=tuple(attributes))


def levels_of(definition: Definition, respondents: Sequence[Respondent]) -> dict[str, tuple[str, ...]]:
    """Levels by attribute, today's first; behind them those of older versions that were chosen often enough, and not always, to be told apart from the others."""
    today = {attribute.id: attribute.level_ids for attribute in definition.attributes}
    # Many respondents share a task, and nearly always it shows nothing but today's levels.
    tasks = {id(choice.task): choice.task for r in respondents for choice in r.choices}
    odd = {
        key
        for key, task in tasks.items()
        if any(a.levels[x] not in ids for a in task.alternatives for x, ids in today.items())
    }
    if not odd:
        return today
    shown: Counter[tuple[str, str]] = Counter()
    chosen: Counter[tuple[str, str]] = Counter()
    for respondent in respondents:
        for choice in respondent.choices:
            if choice.task.kind != ESTIMATION or id(choice.task) not in odd:
                continue
            for alternative in choice.task.alternatives:
                for item in alternative.levels.items():
                    if item[1] not in today[item[0]]:
                        shown[item] += 1
                        chosen[item] += alternative.number == choice.chosen
    more = sorted(item for item, count in chosen.items() if FEWEST_CHOSEN <= count < shown[item])
    return {name: (*ids, *(level for attribute, level in more if attribute == name)) for name, ids in today.items()}


def choice_frame(definition: Definition, respondents: Sequence[Respondent], kind: str = ESTIMATION) -> pd.DataFrame:
    """Choice tasks of a kind in long format: respondent, choice_task, chosen, one column an attribute, price, none.

    Tasks of older versions are left out if they show a level that is asked no longer and was chosen too seldom (`levels_of`).
    """
    levels = levels_of(definition, respondents)
    attributes = [attribute.id for attribute in definition.attributes]
    lowest = {attribute.id: attribute.level_ids[0] for attribute in definition.attributes}
    rows: list[tuple[object, ...]] = []

    def add(respondent: int, task: str, chosen: bool, alternative: Alternative | None) -> None:
        levels = alternative.levels if alternative else lowest
        price = alternative.price if alternative else 0.0
        rows.append((respondent, task, chosen, *(levels[a] for a in attributes), price, float(alternative is None)))

    for respondent in respondents:
        for choice in respondent.choices:
            if choice.task.kind != kind:
                continue
            for alternative in choice.task.alternatives:
                add(respondent.number, f"{choice.task.number}", alternative.number == choice.chosen, alternative)
            if choice.buys is not None:
                task = f"{choice.task.number} purchase"
                add(respondent.number, task, choice.buys, chosen_alternative(choice))
                add(respondent.number, task, not choice.buys, None)
    frame = pd.DataFrame(rows, columns=["respondent", "choice_task", "chosen", *attributes, "price", "none"])
    for name, known in levels.items():
        frame[name] = pd.Categorical(frame[name], categories=list(known))
    unknown = frame[attributes].isna().any(axis=1)
    if not unknown.any():
        return frame
    key = frame["respondent"].astype(str) + "/" + frame["choice_task"].str.removesuffix(" purchase")
    return frame[~key.isin(key[unknown])].reset_index(drop=True)


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
    same = [
        _offer(chosen_alternative(again)) == _offer(chosen_alternative(first))
        for respondent in respondents
        for again in respondent.choices
        if again.task.kind == "repeat"
        for first in respondent.choices
        if first.task.number == again.task.repeats
    ]
    return sum(same) / len(same) if same else float("nan")


def _offer(alternative: Alternative) -> tuple[object, ...]:
    return (*sorted(alternative.levels.items()), alternative.price)
