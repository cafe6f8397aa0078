"""The design of a survey by the method that its author chose."""

from __future__ import annotations

from collections.abc import Callable

from wtp.design.balance import balanced_design
from wtp.design.efficient import efficient_design
from wtp.survey.definition import Definition
from wtp.survey.tasks import Design


def search(definition: Definition, seed: int, progress: Callable[[float], None] | None = None) -> Design:
    """A design for the plan of the survey; same seed, same design (an efficient one: if its time limit did not end the search).

    progress: called now and then with the share that is done (efficient designs). Raises DesignError, which says in words which rule to drop, if no task fits.
    """
    if definition.choice_tasks.method == "efficient":
        return efficient_design(definition, seed, progress)
    return balanced_design(definition, seed)
