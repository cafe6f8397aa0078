"""The hierarchical fit of a study: one for everybody, segments as covariates of the population mean, and what it predicts; and beside it one that knows what customers bought."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from wtp.analysis.choice_frame import choice_data, choice_frame, holdout_data
from wtp.analysis.purchases import purchase_covariates
from wtp.analysis.record import ALL
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData
from wtp.estimation.diagnostics import FULL_SAMPLE, SMALLEST_SAMPLE, Note
from wtp.estimation.hierarchical import (
    HierarchicalLogit,
    HierarchicalResults,
    HierarchicalSegment,
    Progress,
    prior_sensitivity,
)
from wtp.estimation.hierarchical.sensitivity import FACTORS
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition

FEWEST_TASKS = 6
_MOST_SWEEPS = 8_000
_MOST_WARMUP = 2_000
_MOST_SWEEPS_OF_OTHERS = 600  # they only widen intervals, so they need not be exact
_WARMUP_OF_OTHERS = 500
_FIRST_PART = 0.6  # of the time
_PURCHASES = "What {customers} of the respondents bought is known; it moves none of these figures. What it would add stands on the page of purchases."
_NO_PURCHASES = "What respondents bought adds nothing that could be told apart: {reason}"
_NOT_ESTIMATED = "The hierarchical model was not estimated, so amounts come from one average taste a segment: {reason}"


@dataclass(frozen=True, eq=False, slots=True)
class HierarchicalAnalysis:
    """The fit, its segments by name (everybody first), hit rate and log score of the held-out tasks by (model, pooled, chance).

    sensitivity: the same segments by name under other prior variances. with_purchases: a shorter fit with what customers bought as further covariates, None where
    nothing is known of it; every figure comes from the first, which never saw a purchase.
    """

    fit: HierarchicalResults
    segments: Mapping[str, HierarchicalSegment]
    sensitivity: Mapping[str, Sequence[HierarchicalSegment]]
    hit_rates: Mapping[str, float]
    with_purchases: HierarchicalResults | None = None


def choice_tasks_each(respondents: Sequence[Respondent]) -> float:
    """Median number of estimation tasks that a respondent answered."""
    return float(np.median([sum(c.task.kind == "estimation" for c in r.choices) for r in respondents]))


def wanted(respondents: Sequence[Respondent]) -> bool:
    """From 75 respondents on who answered at least six choice tasks each."""
    return len(respondents) >= FULL_SAMPLE and choice_tasks_each(respondents) >= FEWEST_TASKS


def hierarchical(
    definition: Definition,
    groups: Mapping[str, Sequence[Respondent]],
    *,
    seed: int,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
) -> tuple[HierarchicalAnalysis | None, tuple[Note, ...]]:
    """Fit everybody of `groups` (segment name -> respondents, "all" among them); None with a note where that cannot be.

    checkpoint: a folder from which an interrupted fit goes on, with the same result.
    """
    people = groups[ALL]
    member = {r.number: name for name, own in groups.items() if name != ALL for r in own}
    try:
        frame = choice_frame(definition, people)
        frame = frame.assign(segment=frame["respondent"].map(member).fillna("no segment"))
        bought = purchase_covariates(people)
        segments_of = ["segment"] if frame["segment"].nunique() > 1 else []
        covariates = [*segments_of, *bought.columns]
        joined = frame.join(bought, on="respondent")
        data = choice_data(definition, joined, covariates=segments_of or None)
        signs = dict.fromkeys(data.price_parameters, -1)
        model = HierarchicalLogit(data, signs=signs, covariates=segments_of or None)
        part = _parts(progress)
        place = None if checkpoint is None else checkpoint / "fit"
        shown = part(1, 0.0, _FIRST_PART)
        fit = model.fit(draws=_MOST_SWEEPS, warmup=_MOST_WARMUP, seed=seed, progress=shown, checkpoint=place)
        others = []
        for i, factor in enumerate(FACTORS):
            share = (1 - _FIRST_PART) / len(FACTORS)
            shown = part(i + 2, _FIRST_PART + i * share, share)
            found = prior_sensitivity(
                model, [factor], draws=_MOST_SWEEPS_OF_OTHERS, warmup=_WARMUP_OF_OTHERS, seed=seed, progress=shown, checkpoint=checkpoint
            )  # fmt: skip
            others += list(found.values())
        hit_rates = _hit_rates(definition, fit, people)
    except (DataError, EstimationError) as error:
        return None, (Note("not_estimated", "warning", _NOT_ESTIMATED, {"reason": str(error)}, ALL),)
    with_purchases = None
    remarks: tuple[Note, ...] = ()
    if len(bought.columns):
        try:
            wider = HierarchicalLogit(choice_data(definition, joined, covariates=covariates), signs=signs, covariates=covariates)  # fmt: skip
            place = None if checkpoint is None else checkpoint / "purchases"
            with_purchases = wider.fit(
                draws=_MOST_SWEEPS_OF_OTHERS, warmup=_WARMUP_OF_OTHERS, seed=seed, checkpoint=place
            )
        except (DataError, EstimationError) as error:
            remarks = (Note("purchases_left_out", "info", _NO_PURCHASES, {"reason": str(error)}, ALL),)
    members = {
        name: np.isin(data.respondents, [respondent.number for respondent in own])
        for name, own in groups.items()
        if own
    }
    stands_for = {ALL: customers_each(definition, members)}
    segments = {name: fit.segment(own, stands_for.get(name)) for name, own in members.items()}
    sensitivity = {
        name: [other.segment(own, stands_for.get(name)) for other in others] for name, own in members.items()
    }
    notes = tuple(note.in_segment(ALL) for note in fit.notes if note.code not in ("too_small", "indication"))
    notes += remarks
    if with_purchases is not None:
        known = sum("families" in respondent.known for respondent in people)
        notes += (Note("purchases", "info", _PURCHASES, {"customers": known}, ALL),)
    return HierarchicalAnalysis(fit, segments, sensitivity, hit_rates, with_purchases), notes


def customers_each(definition: Definition, members: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """How many customers each respondent stands for, so that everybody is the segments by their numbers of customers; None where a segment has fewer than 30 respondents."""
    counts = {s.id: int(members[s.id].sum()) if s.id in members else 0 for s in definition.segments}
    if not counts or min(counts.values()) < SMALLEST_SAMPLE:
        return None
    each = np.zeros(len(members[ALL]))
    for segment in definition.segments:
        each[members[segment.id]] = segment.customers / counts[segment.id]
    each[each == 0] = each[each > 0].mean()  # who fits no segment
    return np.asarray(each[members[ALL]])


def by_customers(data: ChoiceData, definition: Definition, groups: Mapping[str, Sequence[Respondent]]) -> ChoiceData:
    """The data of everybody with the weights of `customers_each`, of mean 1; as they are where there are none."""
    numbers = {name: [respondent.number for respondent in own] for name, own in groups.items()}
    each = customers_each(definition, {name: np.isin(data.respondents, own) for name, own in numbers.items()})
    return data if each is None else replace(data, weights=each / each.mean())


def _parts(
    progress: Callable[[Progress], None] | None,
) -> Callable[[int, float, float], Callable[[Progress], None] | None]:
    """Callbacks that show one of several fits as a part of them all: which one, what was done before, and the share of this one."""
    began = time.perf_counter()

    def part(number: int, before: float, share: float) -> Callable[[Progress], None] | None:
        if progress is None:
            return None

        def show(own: Progress) -> None:
            done = before + share * own.share
            elapsed = time.perf_counter() - began
            left = elapsed * (1 - done) / done if done > 0 else np.nan
            progress(replace(own, seconds=elapsed, seconds_left=left, fit=number, fits=1 + len(FACTORS)))

        return show

    return part


def _hit_rates(definition: Definition, fit: HierarchicalResults, people: Sequence[Respondent]) -> dict[str, float]:
    """Share of held-out choices that the model, the pooled logit and chance predict; empty without held-out choices."""
    tasks = holdout_data(definition, people)
    if tasks is None:
        return {}
    return {str(name): float(rate) for name, rate in fit.holdout(tasks).table["hit_rate"].items()}
