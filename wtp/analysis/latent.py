"""Latent classes for short interviews: with fewer than six choice tasks each, a respondent's own tastes cannot be told, those of a few classes can."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from wtp.analysis.choice_frame import choice_data, choice_frame
from wtp.analysis.hierarchical import FEWEST_TASKS, by_customers, choice_tasks_each
from wtp.analysis.record import ALL
from wtp.errors import DataError, EstimationError
from wtp.estimation import LatentClassResults, select_classes
from wtp.estimation.diagnostics import Note
from wtp.estimation.hierarchical import Progress
from wtp.estimation.latent_class import StartProgress
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition

FEWEST_RESPONDENTS = 150
FEWEST_CLASSES = (
    3  # whose mixture may stand for the spread of reservation prices; below that the limit is the pooled one
)
_CLASSES = range(1, 5)
_NOT_ESTIMATED = "Latent classes were not estimated, so amounts come from one average taste a segment: {reason}"
_ASKED = "Tastes are told by {classes} classes of respondents, not one by one; price limits are preliminary."
_CLASS_MODEL = (
    "Respondents answered fewer than {tasks} choice tasks each, so tastes are told by {classes} classes of respondents, not one by one; price limits "
    "are preliminary."
)


def wanted(respondents: Sequence[Respondent]) -> bool:
    """From 150 respondents on who answered fewer than six choice tasks each."""
    return len(respondents) >= FEWEST_RESPONDENTS and choice_tasks_each(respondents) < FEWEST_TASKS


def latent_classes(
    definition: Definition,
    groups: Mapping[str, Sequence[Respondent]],
    *,
    seed: int,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[Mapping[str, LatentClassResults], tuple[Note, ...]]:
    """Fits by segment name of everybody ("all") and of each segment that is large enough; empty with a note where that cannot be."""
    fits: dict[str, LatentClassResults] = {}
    notes: list[Note] = []
    large = {name: own for name, own in groups.items() if len(own) >= FEWEST_RESPONDENTS}
    began = time.perf_counter()
    for number, (name, own) in enumerate(large.items()):
        try:
            data = choice_data(definition, choice_frame(definition, own))
            data = by_customers(data, definition, groups) if name == ALL else data
            fits[name] = select_classes(data, _CLASSES, seed=seed, progress=_part(progress, began, number, len(large))).best  # fmt: skip
        except (DataError, EstimationError) as error:
            notes.append(Note("not_estimated", "warning", _NOT_ESTIMATED, {"reason": str(error)}, name))
        else:
            classes = {"tasks": FEWEST_TASKS, "classes": fits[name].class_params.shape[1]}
            why = _CLASS_MODEL if wanted(own) else _ASKED
            notes.append(Note("latent_classes", "info", why, classes, name))
    return (fits if ALL in fits else {}), tuple(notes)


def tells_spread(fit: object) -> bool:
    """Whether the spread of reservation prices may be read from a fit: not from a mixture of two classes."""
    return not isinstance(fit, LatentClassResults) or len(fit.shares) >= FEWEST_CLASSES


def _part(
    progress: Callable[[Progress], None] | None, began: float, number: int, many: int
) -> Callable[[int, StartProgress], None] | None:
    """Shows the search for one segment's classes as a part of those for all; every number of classes counts alike."""
    if progress is None:
        return None

    def show(classes: int, own: StartProgress) -> None:
        fits = many * len(_CLASSES)
        before = number * len(_CLASSES) + classes - _CLASSES[0]
        done, seconds = (before + own.done / own.starts) / fits, time.perf_counter() - began
        left = seconds * (1 - done) / done if done > 0 else np.nan
        progress(Progress(own.done, own.starts, False, seconds, left, np.nan, np.nan, before + 1, fits))

    return show
