"""The customer's process: what happens step by step, what the supplier does meanwhile, and the questions that ask about it.

A question belongs to the process by what it `measures`: which steps matter, how satisfied one is with each, when a service or an interruption suits, what an hour of
interruption costs. Each is asked once at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from wtp.survey.attributes import Identifier, Money, Record
from wtp.survey.questions import (
    INTERRUPTION_COST,
    INTERRUPTION_WINDOW,
    PROCESS_SATISFACTION,
    PROCESS_STEPS,
    SERVICE_WINDOW,
    MultipleChoice,
    Number,
    Question,
    Rating,
    TimeGrid,
)
from wtp.survey.wording import Wording

if TYPE_CHECKING:
    from wtp.survey.definition import Definition, SimulatedSegment

PROCESS_MEASURES = (PROCESS_STEPS, PROCESS_SATISFACTION, SERVICE_WINDOW, INTERRUPTION_WINDOW, INTERRUPTION_COST)
_Mistakes = Iterator[tuple[str, str, str, str]]


class ProcessStep(Record):
    """One step of the customer's process, and what the supplier does meanwhile."""

    id: Identifier
    label: Wording
    supplier: Wording | None = Field(None, description="what the supplier does meanwhile")
    hours: float | None = Field(None, gt=0, le=10_000, description="how long it interrupts the customer")


class StepTruth(Record):
    """What simulated respondents of a segment think of one step."""

    step: Identifier
    matters: float = Field(1, gt=0, le=1000, description="weight with which it is marked, of the sum over all steps")
    satisfaction: float | None = Field(None, ge=0, le=11, description="mean on the scale of the question")


class DayTruth(Record):
    """To which share of a segment each time band of a day suits."""

    day: Identifier
    suits: tuple[float, ...] = Field(min_length=1, description="one share a time band, 0 to 1")


class ProcessTruth(Record):
    """What is known of the process of one simulated segment."""

    steps: tuple[StepTruth, ...] = ()
    windows: tuple[DayTruth, ...] = ()
    hour_cost: Money | None = Field(None, description="median of what an hour of interruption costs")


def process_questions(definition: Definition) -> dict[str, Question]:
    """The questions about the process by what they measure."""
    found = {getattr(question, "measures", None): question for question in definition.questions}
    return {measure: found[measure] for measure in PROCESS_MEASURES if measure in found}


def process_mistakes(definition: Definition) -> _Mistakes:
    """(key, found, allowed, remedy) of every question about the process that cannot be analysed, and of every simulated truth without its place."""
    counts = Counter(getattr(question, "measures", None) for question in definition.questions)
    steps = [step.id for step in definition.process]
    if len(steps) == 1:
        yield "process", "1 step", "2 to 12 steps, or none", "add the others"
    for p, page in enumerate(definition.pages):
        for q, question in enumerate(getattr(page, "questions", ())):
            measure = getattr(question, "measures", None)
            if measure not in PROCESS_MEASURES:
                continue
            key = f"pages[{p}].questions[{q}]"
            if counts[measure] > 1:
                yield f"{key}.measures", f"{measure} in {counts[measure]} questions", "one", "drop it from the others"
            yield from _unknown_steps(key, question, steps)
            if isinstance(question, Number) and not question.money:
                yield f"{key}.money", "false", "true: the cost of an hour is money", "add money = true"
    if definition.simulation:
        for s, segment in enumerate(definition.simulation.segments):
            yield from _truths(f"simulation.segments[{s}].process", segment, definition)


def _unknown_steps(key: str, question: Question, steps: list[str]) -> _Mistakes:
    """Items that are no steps of the process, and marks that would tell nothing."""
    if isinstance(question, MultipleChoice):
        part, listed = "options", [option.id for option in question.options if not option.alone]
    elif isinstance(question, Rating):
        part, listed = "items", [item.id for item in question.items]
    else:
        return
    unknown = [name for name in listed if name not in steps]
    if unknown:
        known = f"the steps {', '.join(steps)}" if steps else "steps of the process; [[process]] has none"
        yield f"{key}.{part}", ", ".join(unknown), known, "use the ids of the steps, or drop measures"
    elif len(listed) < 2:
        yield f"{key}.{part}", ", ".join(listed) or "no step", "two steps or more", "add steps"
    elif isinstance(question, MultipleChoice) and question.most >= len(listed):
        allowed = f"1 to {len(listed) - 1}, fewer than there are steps"
        yield f"{key}.most", str(question.most), allowed, "let respondents mark only what matters most, such as 3"


def _truths(key: str, segment: SimulatedSegment, definition: Definition) -> _Mistakes:
    truth = segment.process
    if truth is None:
        return
    steps = [step.id for step in definition.process]
    for t, told in enumerate(truth.steps):
        if told.step not in steps:
            yield f"{key}.steps[{t}].step", told.step, ", ".join(steps) or "no step", "name a step of the process"
    grid = process_questions(definition).get(SERVICE_WINDOW)
    days = [day.id for day in grid.days] if isinstance(grid, TimeGrid) else []
    bands = len(grid.bands) if isinstance(grid, TimeGrid) else 0
    for t, own in enumerate(truth.windows):
        if own.day not in days:
            yield f"{key}.windows[{t}].day", own.day, ", ".join(days) or "no day", "name a day of the service windows"
        elif len(own.suits) != bands or not all(0 <= share <= 1 for share in own.suits):
            found = ", ".join(f"{share:g}" for share in own.suits)
            yield (
                f"{key}.windows[{t}].suits",
                found,
                f"{bands} shares from 0 to 1",
                "write one share for each time band",
            )
