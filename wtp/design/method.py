"""The design of a survey by the method that its author chose."""

from __future__ import annotations

from wtp.design.balance import balanced_design
from wtp.design.efficient import efficient_design
from wtp.survey.definition import Definition
from wtp.survey.tasks import Design


def search(definition: Definition, seed: int) -> Design:
    """A design for the plan of the survey; same seed, same design (an efficient one: if its time limit did not end the search).

    Raises DesignError, which says in words which rule to drop, if no task fits.
    """
    if definition.choice_tasks.method == "efficient":
        return efficient_design(definition, seed)
    return balanced_design(definition, seed)
