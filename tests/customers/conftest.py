"""Simulated contacts of the supplier study, with the columns that the analysis adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import pytest

from wtp.customers.simulated_contacts import ContactTruth, simulated_contacts
from wtp.survey import Survey

Calls = Callable[..., pd.DataFrame]


def customers_of(survey: Survey, per_segment: int) -> Mapping[str, str]:
    """As many customers in every segment."""
    return {f"{s.id} {n}": s.id for s in survey.definition.segments for n in range(per_segment)}


@pytest.fixture(scope="session")
def calls(survey: Survey) -> Calls:
    """Contacts of a truth, with person, customer_id and segment."""

    def made(truth: ContactTruth, seed: int, *, per_segment: int = 800, months: int = 12) -> pd.DataFrame:
        people = customers_of(survey, per_segment)
        frame = simulated_contacts(survey.definition, people, months=months, seed=seed, truth=truth)
        number = pd.factorize(frame["customer"])[0]
        return frame.assign(person=number, customer_id=number, segment=frame["customer"].map(people))

    return made
