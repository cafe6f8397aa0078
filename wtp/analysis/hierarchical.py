"""The hierarchical fit of a study: one for everybody, segments as covariates of the population mean, and what it predicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wtp.analysis.choice_frame import HOLDOUT, choice_frame, formula
from wtp.analysis.record import ALL
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData
from wtp.estimation.diagnostics import FULL_SAMPLE, Note
from wtp.estimation.hierarchical import HierarchicalLogit, HierarchicalResults, HierarchicalSegment, Progress
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition

FEWEST_TASKS = 6
_MOST_SWEEPS = 8_000
_MOST_WARMUP = 2_000
_NOT_ESTIMATED = "The hierarchical model was not estimated, so amounts come from one average taste a segment: {reason}"


@dataclass(frozen=True, eq=False, slots=True)
class HierarchicalAnalysis:
    """The fit, its segments by name (everybody first), and hit rate and log score of the held-out tasks by (model, pooled, chance)."""

    fit: HierarchicalResults
    segments: Mapping[str, HierarchicalSegment]
    hit_rates: Mapping[str, float]


def wanted(definition: Definition, respondents: Sequence[Respondent]) -> bool:
    """METHODS 15: from 75 respondents on who answered at least six estimation tasks in the middle."""
    tasks = [sum(c.task.kind == "estimation" for c in r.choices) for r in respondents]
    return len(tasks) >= FULL_SAMPLE and float(np.median(tasks)) >= FEWEST_TASKS and bool(definition.attributes)


def hierarchical(
    definition: Definition,
    groups: Mapping[str, Sequence[Respondent]],
    *,
    seed: int,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[HierarchicalAnalysis | None, tuple[Note, ...]]:
    """Fit everybody of `groups` (segment name -> respondents, "all" among them); None with a note where that cannot be."""
    people = groups[ALL]
    member = {r.number: name for name, members in groups.items() if name != ALL for r in members}
    try:
        frame = choice_frame(definition, people)
        frame = frame.assign(segment=frame["respondent"].map(member).fillna("no segment"))
        several = frame["segment"].nunique() > 1
        data = ChoiceData.from_long(frame, formula=formula(definition), covariates=["segment"] if several else None)
        model = HierarchicalLogit(data, signs={"price": -1}, covariates=["segment"] if several else None)
        fit = model.fit(draws=_MOST_SWEEPS, warmup=_MOST_WARMUP, seed=seed, progress=progress)
        hit_rates = _hit_rates(definition, fit, people)
    except (DataError, EstimationError) as error:
        return None, (Note("not_estimated", "warning", _NOT_ESTIMATED, {"reason": str(error)}, ALL),)
    numbers = {name: {r.number for r in members} for name, members in groups.items()}
    segments = {name: fit.segment(np.isin(fit.data.respondents, list(own))) for name, own in numbers.items() if own}
    notes = tuple(note.in_segment(ALL) for note in fit.notes if note.code not in ("too_small", "indication"))
    return HierarchicalAnalysis(fit, segments, hit_rates), notes


def _hit_rates(definition: Definition, fit: HierarchicalResults, people: Sequence[Respondent]) -> dict[str, float]:
    """Share of held-out choices that the model, the pooled logit and chance predict; empty without held-out choices."""
    frame = choice_frame(definition, people, kind=HOLDOUT)
    if frame.empty:
        return {}
    tasks = ChoiceData.from_long(frame, formula=formula(definition))
    return {str(name): float(rate) for name, rate in fit.holdout(tasks).table["hit_rate"].items()}
