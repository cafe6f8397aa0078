"""The steps of an interview: one page each, in the author's order, the choice tasks spread out one by one."""

from __future__ import annotations

from dataclasses import dataclass

from wtp.survey.definition import Definition
from wtp.survey.questions import ChoiceTaskPage, Page


@dataclass(frozen=True, slots=True)
class Step:
    """One page that a respondent sees. `order` is the number of the choice task as shown (from 1), or None."""

    id: str
    page: Page
    order: int | None = None


def steps(definition: Definition) -> tuple[Step, ...]:
    """All steps of an interview from consent to thanks."""
    route: list[Step] = []
    for page in definition.pages:
        if isinstance(page, ChoiceTaskPage):
            total = definition.choice_tasks.total
            route += [Step(f"{page.id}-{order}", page, order) for order in range(1, total + 1)]
        else:
            route.append(Step(page.id, page))
    return tuple(route)
