"""Latent classes for short interviews: with fewer than six choice tasks each, a respondent's own tastes cannot be told, those of a few classes can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wtp.analysis.choice_frame import choice_data, choice_frame
from wtp.analysis.hierarchical import FEWEST_TASKS, by_customers, choice_tasks_each
from wtp.analysis.record import ALL
from wtp.errors import DataError, EstimationError
from wtp.estimation import LatentClassResults, select_classes
from wtp.estimation.diagnostics import Note
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition

FEWEST_RESPONDENTS = 150
FEWEST_CLASSES = (
    3  # whose mixture may stand for the spread of reservation prices; below that the limit is the pooled one
)
_CLASSES = range(1, 5)
_NOT_ESTIMATED = "Latent classes were not estimated, so amounts come from one average taste a segment: {reason}"
_CLASS_MODEL = (
    "Respondents answered fewer than {tasks} choice tasks each, so tastes are told by {classes} classes of respondents, not one by one; price limits "
    "are preliminary."
)


def wanted(respondents: Sequence[Respondent]) -> bool:
    """From 150 respondents on who answered fewer than six choice tasks each."""
    return len(respondents) >= FEWEST_RESPONDENTS and choice_tasks_each(respondents) < FEWEST_TASKS


def latent_classes(
    definition: Definition, groups: Mapping[str, Sequence[Respondent]], *, seed: int
) -> tuple[Mapping[str, LatentClassResults], tuple[Note, ...]]:
    """Fits by segment name of everybody ("all") and of each segment that is large enough; empty with a note where that cannot be."""
    fits: dict[str, LatentClassResults] = {}
    notes: list[Note] = []
    for name, own in groups.items():
        if len(own) < FEWEST_RESPONDENTS:
            continue
        try:
            data = choice_data(definition, choice_frame(definition, own))
            data = by_customers(data, definition, groups) if name == ALL else data
            fits[name] = select_classes(data, _CLASSES, seed=seed).best
        except (DataError, EstimationError) as error:
            notes.append(Note("not_estimated", "warning", _NOT_ESTIMATED, {"reason": str(error)}, name))
        else:
            classes = {"tasks": FEWEST_TASKS, "classes": fits[name].class_params.shape[1]}
            notes.append(Note("latent_classes", "info", _CLASS_MODEL, classes, name))
    return (fits if ALL in fits else {}), tuple(notes)
