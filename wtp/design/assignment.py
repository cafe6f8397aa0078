"""What one respondent sees: his version's tasks in an order of his own, the alternatives in positions of their own.

Drawn once and stored, so that back button, reload and another device show the same. The warm-up comes first; the repeated task comes last, its original in
the first half, and its alternatives stand in the reverse order, so that agreement is not the memory of a position.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wtp.survey.tasks import ChoiceTask


def assign(tasks: tuple[ChoiceTask, ...], rng: np.random.Generator) -> tuple[ChoiceTask, ...]:
    """The tasks of one version as one respondent sees them, in order."""
    again = [task for task in tasks if task.kind == "repeat"]
    first = [_positions(task, rng) for task in tasks if task.kind == "warm_up"]
    asked = [task for task in tasks if task.kind not in {"repeat", "warm_up"}]
    originals = {task.repeats for task in again}
    order = rng.permutation(len(asked))
    late = [place for place, i in enumerate(order) if asked[i].number in originals and place >= len(asked) // 2]
    for place in late:
        other = int(rng.integers(len(asked) // 2))
        order[[place, other]] = order[[other, place]]
    shown = [_positions(asked[i], rng) for i in order]
    by_number = {task.number: task for task in shown}
    repeats = [replace(task, alternatives=by_number[task.repeats or 0].alternatives[::-1]) for task in again]
    return (*first, *shown, *repeats)


def _positions(task: ChoiceTask, rng: np.random.Generator) -> ChoiceTask:
    return replace(task, alternatives=tuple(task.alternatives[j] for j in rng.permutation(len(task.alternatives))))
