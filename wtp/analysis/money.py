"""Money beyond the one figure a step: how differently it is valued, limits against competitors and after improvements, and the market of today's offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from wtp.analysis.market import market_tables, rivals_of
from wtp.analysis.record import Request, stacked
from wtp.estimation.diagnostics import FULL_SAMPLE
from wtp.pricing import Step, limit_waterfall, price_limits, share_above, surcharge_limits, worth_quantiles
from wtp.survey.attributes import Attribute
from wtp.survey.definition import Definition
from wtp.survey.labels import has, label_of, labels_of, reference, shown_with, todays_offer, todays_prices, values_alone


def steps_from_current(definition: Definition) -> tuple[Step, ...]:
    """Every other level of every attribute of today's offer against today's, the reference of each WTP; where alternatives bear labels as its label has them."""
    offer = todays_offer(definition)
    return tuple(
        step
        for step in steps_by_label(definition)
        if step.label in ("", label_of(definition, offer))
        and step.attribute in offer
        and not _other_label(definition, step)
    )


def steps_by_label(definition: Definition) -> tuple[Step, ...]:
    """Every step from today's level, or from a label's `reference`: for each label where the price or the attribute is its own."""
    return tuple(
        Step(attribute.id, start, level, label)
        for attribute in definition.attributes
        for label in _labels_valuing(definition, attribute)
        for start in [reference(definition, attribute, label)]
        for level in (shown_with(definition, attribute, label) if label else attribute.level_ids)
        if level != start
    )


def _labels_valuing(definition: Definition, attribute: Attribute) -> tuple[str, ...]:
    """The labels by which the amounts of an attribute differ, "" where they do not."""
    if attribute.id == definition.choice_tasks.labels:
        return ("",)
    own = definition.price.per_label or values_alone(attribute)
    return tuple(label for label in labels_of(definition) if has(attribute, label)) if own else ("",)


def _other_label(definition: Definition, step: Step) -> bool:
    """Whether a step makes another kind of offer of it, whose worth is no one amount."""
    depends = definition.price.per_label or any(a.only or a.per_label for a in definition.attributes)
    return depends and step.attribute == definition.choice_tasks.labels


def money_tables(
    definition: Definition, worthy: Mapping[str, Any], request: Request, *, none_shift: float = 0.0, full: bool
) -> dict[str, pd.DataFrame]:
    """How differently a step is valued, limits against competitors and after improvements, and the market of today's offer."""
    steps = steps_from_current(definition)
    offer = todays_offer(definition)
    tested = todays_prices(definition)
    people = {
        name: fit
        for name, fit in worthy.items()
        if not hasattr(fit, "utility_params") and fit.respondents >= FULL_SAMPLE
    }
    chance: dict[str, Any] = {"seed": request.seed, "confidence": request.confidence}
    tables = market_tables(worthy, definition, steps, none_shift=none_shift, full=full, **chance)
    if not people:
        return tables
    upgrades = _upgrades(definition, steps)
    costs = {step: definition.attribute(step.attribute).level(step.to_level).unit_cost for step in upgrades}
    here = {a.id: a.level(a.current).unit_cost or 0.0 for a in definition.attributes}
    above = {step: cost - here[step.attribute] for step, cost in costs.items() if cost is not None}
    tables |= {
        "worth_quantiles": stacked(
            {name: worth_quantiles(fit, steps, confidence=request.confidence) for name, fit in people.items()}
        ),
        "surcharge_limit": stacked(
            {name: surcharge_limits(fit, upgrades, confidence=request.confidence) for name, fit in people.items()}
        ),
    }
    if above:
        tables["share_above_cost"] = stacked(
            {
                name: pd.concat(
                    [share_above(fit, [step], [cost], confidence=request.confidence) for step, cost in above.items()],
                    ignore_index=True,
                )
                for name, fit in people.items()
            }
        )
    if definition.choice_tasks.none == "dual" and full:
        tables["limit_waterfall"] = stacked(
            {
                name: limit_waterfall(fit, offer, upgrades, tested, confidence=request.confidence)
                for name, fit in people.items()
            }
        )
    if definition.competitors:
        tables["competitive_limit"] = stacked(
            {
                name: price_limits(fit, offer, tested, rivals=rivals_of(definition), confidence=request.confidence)
                for name, fit in people.items()
            }
        )
    return tables


def _upgrades(definition: Definition, steps: Sequence[Step]) -> tuple[Step, ...]:
    """One level up from today's, attribute by attribute: the nearest of the steps that lead up."""
    found: list[Step] = []
    for attribute in definition.attributes:
        places = {level.id: place for place, level in enumerate(attribute.rising)}
        own = [step for step in steps if step.attribute == attribute.id]
        up = [step for step in own if places[step.to_level] > places[step.from_level]]
        found += sorted(up, key=lambda step: places[step.to_level])[:1]
    return tuple(found)
