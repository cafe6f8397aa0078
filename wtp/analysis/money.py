"""Money beyond the one figure a step: how differently it is valued, limits against competitors and after improvements, and the market of today's offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from wtp.analysis.market import market_tables, rivals_of
from wtp.analysis.record import Request, stacked
from wtp.estimation.diagnostics import FULL_SAMPLE
from wtp.pricing import Step, limit_waterfall, price_limits, share_above, surcharge_limits, worth_quantiles
from wtp.survey.definition import Definition


def steps_from_current(definition: Definition) -> tuple[Step, ...]:
    """Every other level of every attribute against today's, the reference of each WTP."""
    return tuple(
        Step(attribute.id, attribute.current, level)
        for attribute in definition.attributes
        for level in attribute.level_ids
        if level != attribute.current
    )


def money_tables(
    definition: Definition, worthy: Mapping[str, Any], request: Request, *, none_shift: float = 0.0, full: bool
) -> dict[str, pd.DataFrame]:
    """How differently a step is valued, limits against competitors and after improvements, and the market of today's offer."""
    steps = steps_from_current(definition)
    offer = {attribute.id: attribute.current for attribute in definition.attributes}
    tested = (definition.price.levels[0], definition.price.levels[-1])
    people = {
        name: fit
        for name, fit in worthy.items()
        if not hasattr(fit, "utility_params") and fit.respondents >= FULL_SAMPLE
    }
    chance: dict[str, Any] = {"seed": request.seed, "confidence": request.confidence}
    tables = market_tables(worthy, definition, steps, none_shift=none_shift, full=full, **chance)
    if not people:
        return tables
    costs = {
        step: definition.attribute(step.attribute).level(step.to_level).unit_cost for step in _upgrades(definition)
    }
    here = {a.id: a.level(a.current).unit_cost or 0.0 for a in definition.attributes}
    above = {step: cost - here[step.attribute] for step, cost in costs.items() if cost is not None}
    tables |= {
        "worth_quantiles": stacked(
            {name: worth_quantiles(fit, steps, confidence=request.confidence) for name, fit in people.items()}
        ),
        "surcharge_limit": stacked(
            {
                name: surcharge_limits(fit, _upgrades(definition), confidence=request.confidence)
                for name, fit in people.items()
            }
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
                name: limit_waterfall(fit, offer, _upgrades(definition), tested, confidence=request.confidence)
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


def _upgrades(definition: Definition) -> tuple[Step, ...]:
    """One level up from today's, attribute by attribute."""
    return tuple(Step(a.id, a.current, better.id) for a in definition.attributes if (better := a.step(1)) is not None)
