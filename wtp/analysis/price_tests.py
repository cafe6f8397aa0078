"""The price questions beside the choices, each by segment: Gabor-Granger, Newton-Miller-Smith, an open price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from wtp.analysis.record import ALL, Request, stacked
from wtp.errors import DataError, EstimationError
from wtp.estimation.diagnostics import SMALLEST_SAMPLE, Note
from wtp.pricing import gabor_granger, newton_miller_smith, open_price
from wtp.pricing.newton_miller_smith import INTENTS
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition
from wtp.survey.questions import VAN_WESTENDORP_ITEMS

_NOT_FITTED = "The answers to the prices that were shown could not be used: {reason}"


def price_test_tables(
    definition: Definition, groups: Mapping[str, Sequence[Respondent]], request: Request
) -> tuple[dict[str, pd.DataFrame], tuple[Note, ...]]:
    """Tables by name, each with a column segment, and notes; segments of fewer than 30 answers have none."""
    chance: dict[str, Any] = {"confidence": request.confidence, "seed": request.seed}
    cost = definition.economics.unit_cost if definition.economics else None
    found: dict[str, dict[str, pd.DataFrame]] = {}
    notes: list[Note] = []
    for name, members in groups.items():
        for make in (_gabor_granger, _newton_miller_smith, _open_price):
            try:
                tables, more = make(definition, members, cost, chance)
            except (DataError, EstimationError) as error:
                notes.append(Note("price_test", "warning", _NOT_FITTED, {"reason": str(error)}, name))
                continue
            notes += [note.in_segment(name) for note in more]
            for table, frame in tables.items():
                found.setdefault(table, {})[name] = frame
    return {name: stacked(frames) for name, frames in found.items()}, tuple(notes)


_Tables = tuple[dict[str, pd.DataFrame], tuple[Note, ...]]


def _gabor_granger(
    definition: Definition, members: Sequence[Respondent], cost: float | None, chance: Mapping[str, Any]
) -> _Tables:
    question = definition.gabor_granger
    rows = [
        (respondent.number, question.items[item], buys)
        for respondent in members
        if question
        for item, buys in (respondent.answers.get(question.id) or {}).items()
        if item in question.items
    ]
    frame = pd.DataFrame(rows, columns=["respondent", "price", "buys"])
    if frame["respondent"].nunique() < SMALLEST_SAMPLE:
        return {}, ()
    result = gabor_granger(frame, unit_cost=cost, **chance)
    smooth = result.smooth[result.smooth["segment"] == ALL].drop(columns="segment").assign(sigma=result.sigma)
    tables = {
        "gabor_granger_points": result.points,
        "gabor_granger_demand": result.demand,
        "gabor_granger_smooth": smooth,
    }
    return tables, result.notes


def _newton_miller_smith(
    definition: Definition, members: Sequence[Respondent], cost: float | None, chance: Mapping[str, Any]
) -> _Tables:
    prices, intents = definition.van_westendorp, definition.purchase_intent
    if prices is None or intents is None:
        return {}, ()
    rows = []
    for respondent in members:
        named, intent = respondent.answers.get(prices.id), respondent.answers.get(intents.id)
        if named and intent and {"cheap", "expensive"} <= set(intent):
            rows.append([*(named[item] for item in VAN_WESTENDORP_ITEMS), intent["cheap"], intent["expensive"]])
    if len(rows) < SMALLEST_SAMPLE:
        return {}, ()
    result = newton_miller_smith(pd.DataFrame(rows, columns=[*VAN_WESTENDORP_ITEMS, *INTENTS]), **chance)
    points = result.points.assign(respondents=result.respondents, excluded=result.excluded)
    return {"newton_miller_smith_points": points, "newton_miller_smith_curve": result.curve}, ()


def _open_price(
    definition: Definition, members: Sequence[Respondent], cost: float | None, chance: Mapping[str, Any]
) -> _Tables:
    question = definition.open_price
    if question is None:
        return {}, ()
    answers = [respondent.answers.get(question.id) for respondent in members]
    named = np.array([price for price in answers if price is not None], dtype=float)
    if len(named) < SMALLEST_SAMPLE:
        return {}, ()
    result = open_price(named, unit_cost=cost, **chance)
    points = result.points.assign(respondents=result.respondents, label=result.label)
    return {"open_price_points": points, "open_price_demand": result.demand}, ()
