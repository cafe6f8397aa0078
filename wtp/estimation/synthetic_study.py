"""A crowd of simulated respondents answers the design of a study, all at once: what the forecast of the precision rests on.

The tastes are those of `synthetic`, person by person: worths W_l (1 + spread z), one z an attribute; price sensitivity a exp(spread/2 z); price
limit L exp(spread/3 z). Versions of the design are handed out in turn, as they are in the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from wtp.estimation.synthetic import neutral_tastes
from wtp.survey.definition import Definition, SimulatedSegment, Simulation
from wtp.survey.labels import label_of, labels_of, todays_offer, values_alone
from wtp.survey.tasks import price_coefficient_of, worth_of

SIMULATION, PRIOR, NEUTRAL = "simulation", "prior", "neutral"
_CAUTIOUS_SPREAD = (
    0.8  # without a statement people are taken to differ much, so that the forecast is not too good (METHODS 10)
)


@dataclass(frozen=True, slots=True)
class Assumption:
    """Which tastes a forecast assumes, and where they come from: the survey's [simulation], its choice_tasks.prior, or neutral ones."""

    source: str
    simulation: Simulation

    @property
    def shares(self) -> Mapping[str, float]:
        """Share of each segment among the respondents."""
        total = sum(segment.share for segment in self.simulation.segments)
        return {segment.segment: segment.share / total for segment in self.simulation.segments}


def assumed_tastes(definition: Definition) -> Assumption:
    """What the author states in [simulation], else in choice_tasks.prior, else neutral tastes; the last two equal in all segments."""
    if definition.simulation is not None:
        return Assumption(SIMULATION, definition.simulation)
    neutral, prior = neutral_tastes(definition), definition.choice_tasks.prior
    customers = {segment.id: float(segment.customers) for segment in definition.segments}
    total = sum(customers.values()) or 1.0
    segments = [s.model_copy(update={"share": customers.get(s.segment, total) / total}) for s in neutral.segments]
    if prior is not None:
        stated = {"price_coefficient": prior.price_coefficient, "worth": prior.worth, "per_label": prior.per_label}
        segments = [segment.model_copy(update=stated) for segment in segments]
    return Assumption(PRIOR if prior else NEUTRAL, Simulation(spread=_CAUTIOUS_SPREAD, segments=tuple(segments)))


def answered_design(
    definition: Definition,
    profiles: np.ndarray,
    assumption: Assumption,
    counts: Mapping[str, int],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Simulated answers to the estimation tasks: respondent, choice_task, chosen, one column an attribute, price, and, with a none option, buys.

    profiles: (versions, tasks, J, attributes + 1) level numbers of the design, the price last. counts: respondents by segment. Long format, one row an alternative; buys (0 or 1) repeats in each row of a task.
    """
    people = sum(counts.values())
    version = np.resize(rng.permutation(len(profiles)), people)
    shown = profiles[rng.permutation(version)]  # (N, T, J, attributes and price)
    prices = np.array(definition.price.levels)[shown[..., -1]]
    tastes = [
        _tastes(definition, segment, assumption.simulation.spread, counts[segment.segment], rng)
        for segment in assumption.simulation.segments
        if counts.get(segment.segment)
    ]
    worths, weights, none_worth, sensitivity = (np.concatenate(parts) for parts in zip(*tastes, strict=True))
    person, labels = np.arange(people)[:, None, None], definition.choice_tasks.labels
    place = [a.id for a in definition.attributes].index(labels) if labels else -1
    label = shown[..., place] if labels else 0
    today = definition.price.current if labels else 0.0
    surplus = weights[person, label] * (today - prices) - today
    for a in range(len(definition.attributes)):
        surplus = surplus + worths[person, label, a, shown[..., a]]
    scale = sensitivity[:, None, None]
    picked = (scale * surplus + rng.gumbel(size=surplus.shape)).argmax(axis=2)
    best = np.take_along_axis(surplus, picked[..., None], axis=2)[..., 0]
    buys = rng.random(best.shape) < 1 / (1 + np.exp(-sensitivity[:, None] * (best - none_worth[:, None])))
    _, tasks, alternatives, _ = shown.shape
    columns: dict[str, Any] = {
        "respondent": np.repeat(np.arange(people), tasks * alternatives),
        "choice_task": np.tile(np.repeat(np.arange(tasks), alternatives), people),
        "chosen": (picked[..., None] == np.arange(alternatives)).astype(int).ravel(),
    }
    for a, attribute in enumerate(definition.attributes):
        codes = np.where(shown[..., a] < len(attribute.levels), shown[..., a], -1)  # what is not there is an empty cell
        columns[attribute.id] = pd.Categorical.from_codes(
            codes.ravel(), dtype=pd.CategoricalDtype(list(attribute.level_ids))
        )
    columns["price"] = prices.ravel()
    if definition.choice_tasks.none == "dual":
        columns["buys"] = np.repeat(buys.astype(int).ravel(), alternatives)
    return pd.DataFrame(columns)


def _tastes(
    definition: Definition, segment: SimulatedSegment, spread: float, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Worths (N, labels or 1, attributes, level numbers), weight of each label's price (N, labels or 1), worth of not buying (N,), price sensitivity (N,).

    In money and per currency unit, of which the sensitivity tells the utility; see `synthetic` for labels.
    """
    attributes, labels = definition.attributes, labels_of(definition) or ("",)
    weight = np.array([price_coefficient_of(segment, x) for x in labels]) / segment.price_coefficient
    worth = np.zeros((len(labels), len(attributes), 1 + max(len(a.levels) for a in attributes)))
    for g, label in enumerate(labels):
        for a, attribute in enumerate(attributes):
            own = weight[g] if values_alone(attribute) else 1.0
            worth[g, a, : len(attribute.levels)] = own * np.array(worth_of(segment, attribute.id, label))
    worths = worth * (1 + spread * rng.standard_normal((count, 1, len(attributes), 1)))
    offer, today = todays_offer(definition), definition.price.current if labels != ("",) else 0.0
    current = [a.level_ids.index(offer[a.id]) if a.id in offer else len(a.levels) for a in attributes]
    own_label = labels.index(label_of(definition, offer))
    here = worths[:, own_label, np.arange(len(attributes)), current].sum(axis=1)
    limit = segment.price_limit * np.exp(spread / 3 * rng.standard_normal(count))
    sensitivity = -segment.price_coefficient * np.exp(spread / 2 * rng.standard_normal(count))
    none_worth = here - today - weight[own_label] * (limit - today)
    return worths, np.broadcast_to(weight, (count, len(labels))), none_worth, sensitivity
