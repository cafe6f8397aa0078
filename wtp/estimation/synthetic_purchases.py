"""What simulated respondents bought, with truths that the analysis must find again: a person takes an offered step up if it is worth its surcharge to him, with an error of his own.

A real purchase is weighed longer than one of many choice tasks, so the error is smaller than that of the choices: logistic, of a quarter of the step's mean worth.

How broadly somebody buys depends on his segment alone, by its place among the segments; discounts are drawn without regard to anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from wtp.estimation.synthetic import SimulatedRespondent
from wtp.survey.definition import Definition

FAMILIES = 5
_MEAN_PURCHASES = 3.0
_OFFERED = 0.6
_DAYS = 365
_DISCOUNTS = (0.0, 0.0, 0.03, 0.05, 0.1)
_SURCHARGES = (0.5, 1.0, 1.5)  # times the mean worth of the step
_ERROR = 0.25


def breadth(definition: Definition, segment: str) -> float:
    """Probability that a purchase of a customer of this segment is of another family than his usual one."""
    names = [each.id for each in definition.segments]
    place = names.index(segment) if segment in names else 0
    return 0.15 + 0.5 * place / max(1, len(names) - 1)


def simulated_purchases(
    definition: Definition, people: Sequence[SimulatedRespondent], last: date, seed: int
) -> pd.DataFrame:
    """customer (place among the people), date, product, family, amount, list_price, attribute, offered_up, stepped_up, surcharge of the year before `last`; all of them simulated."""
    rng = np.random.default_rng([seed, 41])
    steps = _steps(definition)
    usual = {
        step: float(np.mean([person.worth[step[0], step[2]] - person.worth[step[0], step[1]] for person in people]))
        for step in steps
    }
    rows = []
    for customer, person in enumerate(people):
        own = int(rng.integers(FAMILIES))
        for _ in range(1 + int(rng.poisson(_MEAN_PURCHASES - 1))):
            other = rng.random() < breadth(definition, person.segment)
            family = (own + int(rng.integers(1, FAMILIES))) % FAMILIES if other else own
            price = definition.price.current * float(rng.uniform(0.5, 2))
            day = last - timedelta(days=int(rng.integers(_DAYS)))
            offer: tuple[str | None, bool, bool | None, float | None] = (None, False, None, None)
            if steps and rng.random() < _OFFERED:
                step = steps[int(rng.integers(len(steps)))]
                surcharge = round(max(0.1, usual[step] * float(rng.choice(_SURCHARGES))), 1)
                gain = person.worth[step[0], step[2]] - person.worth[step[0], step[1]] - surcharge
                taken = rng.random() < 1 / (1 + np.exp(-gain / (_ERROR * max(usual[step], 1e-9))))
                offer = step[0], True, bool(taken), surcharge
            amount = price * (1 - float(rng.choice(_DISCOUNTS)))
            rows.append((customer, day, f"Product {family + 1}", f"Family {family + 1}", round(amount, 2), round(price, 2), *offer))  # fmt: skip
    columns = ["customer", "date", "product", "family", "amount", "list_price", "attribute", "offered_up", "stepped_up", "surcharge"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _steps(definition: Definition) -> list[tuple[str, str, str]]:
    """(attribute, today's level, the next better one) where there is one; none where alternatives bear labels."""
    if definition.choice_tasks.labels:
        return []
    better = [(attribute, attribute.step(1)) for attribute in definition.attributes if attribute.ordered]
    return [(attribute.id, attribute.current, level.id) for attribute, level in better if level is not None]
