"""`analyse`: a study's answers become the tables of DESIGN's pages, segment by segment.

Estimation uses the estimation tasks alone; holdout and repeated tasks only judge the result. Segments with fewer than 30
respondents get no figures of their own (METHODS 9: their intervals would be wider than the tested price range).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from statsmodels.stats.weightstats import DescrStatsW

from wtp.analysis import latent
from wtp.analysis.budget import BUDGET, budget_table
from wtp.analysis.certainty import certainty
from wtp.analysis.choice_frame import (
    choice_data,
    choice_frame,
    holdout_data,
    holdout_hit_rate,
    predicted_by,
    retest_agreement,
)
from wtp.analysis.comparison import hints, importance_performance, performance_table, todays_steps, triangulation_tables
from wtp.analysis.convergence import convergence_tables
from wtp.analysis.difference import difference_tables
from wtp.analysis.disclosure import SMALLEST_REST, told
from wtp.analysis.expectations import expectation_tables, strengths_table
from wtp.analysis.hierarchical import HierarchicalAnalysis, by_customers, hierarchical
from wtp.analysis.joint import joint_regions
from wtp.analysis.market import known_shift
from wtp.analysis.methods import method_tables
from wtp.analysis.mixed import mixed_logits
from wtp.analysis.models import chosen_model, possible
from wtp.analysis.money import money_tables, steps_by_label, steps_from_current
from wtp.analysis.page_tasks import best_worst_tables, rated_offer_tables
from wtp.analysis.people import people_tables
from wtp.analysis.price_tests import price_test_tables
from wtp.analysis.process import process_tables
from wtp.analysis.purchases import purchase_tables
from wtp.analysis.questions import question_tables
from wtp.analysis.record import ALL, CONDITIONAL, HIERARCHICAL, LATENT, NOT_ESTIMATED, Analysis, Request, stacked
from wtp.analysis.reliability import reliability_tables
from wtp.analysis.versions import counted, with_price_response
from wtp.analysis.what_if import simulator_of
from wtp.errors import DataError, EstimationError
from wtp.estimation import ConditionalLogit, importance, part_worths
from wtp.estimation.conditional_logit import ConditionalLogitResults
from wtp.estimation.diagnostics import FULL_SAMPLE, SMALLEST_SAMPLE, Note, sample_size_notes
from wtp.estimation.hierarchical import Progress
from wtp.pricing import (
    investment,
    price_limit_pooled,
    price_limits,
    still_buying,
    still_buying_people,
    van_westendorp,
    willingness_to_pay,
)
from wtp.pricing.investment import expected_wrong
from wtp.pricing.offers import own_data, own_fit
from wtp.segments.declared import declared
from wtp.survey.answers import Answers, Respondent
from wtp.survey.definition import Definition
from wtp.survey.labels import todays_offer, todays_prices
from wtp.survey.load import Survey
from wtp.survey.questions import VAN_WESTENDORP_ITEMS

PRICE_GRID = 41
_QUICK = (
    "These are the quick figures, from one average taste a segment; the price upper limit is preliminary. The final ones come from a model in which "
    "every respondent has tastes of his own: start it on the page of final figures, or with {command}"
)
_NOBODY = "Nobody has answered a choice task yet; the figures appear with the first 30 respondents."


@dataclass(frozen=True, slots=True)
class _Segment:
    """One segment with its respondents and, where they suffice, its fit."""

    name: str
    respondents: tuple[Respondent, ...]
    fit: ConditionalLogitResults | None
    notes: tuple[Note, ...]


def analyse(
    survey: Survey,
    answers: Answers,
    request: Request | None = None,
    progress: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
) -> Analysis:
    """Estimate everything that the answers of a study can tell.

    Deterministic: equal survey, answers and request give equal figures. progress: called while a slow model runs. checkpoint: a folder from which an interrupted
    hierarchical fit of the same answers and request goes on, with the same figures. Never raises for too few or degenerate answers; the notes
    say what is missing.
    """
    request = request or Request()
    definition = survey.definition
    left_out = set(request.without)
    answers = replace(answers, respondents=tuple(r for r in answers.respondents if r.number not in left_out))
    versions = counted(survey, answers, request)
    notes = list(versions.notes)
    groups = _groups(definition, versions.respondents)
    segments = [_estimate(definition, name, groups) for name in groups]
    if not segments[0].respondents:
        notes.append(Note("nobody", "info", _NOBODY, {}))
    for segment in segments:
        notes += segment.notes
    everybody, found = segments[0], None
    mixtures: Mapping[str, Any] = {}
    chosen = {segment.name: segment.respondents for segment in segments}
    model, remarks = chosen_model(request.model, everybody.respondents)
    notes += remarks
    if everybody.fit is not None and model != CONDITIONAL:
        if model == HIERARCHICAL:
            found, more = hierarchical(definition, chosen, seed=request.seed, progress=progress, checkpoint=checkpoint)
        else:
            fit_each = latent.latent_classes if model == LATENT else mixed_logits
            mixtures, more = fit_each(definition, chosen, seed=request.seed, progress=progress)
        notes += more
    elif everybody.fit is not None and possible(everybody.respondents):
        notes.append(Note("quick", "info", _QUICK, {"command": f"wtp analyse surveys/{survey.slug} --out DIR"}))
    people = found.segments if found else mixtures
    if progress is not None and people:
        progress(Progress(1, 1, False, math.nan, math.nan, math.nan, math.nan, fitted=True))
    tests, remarks = price_test_tables(definition, groups, request)
    notes += remarks
    shift, remarks = known_shift(people.get(ALL, everybody.fit), definition, seed=request.seed)
    notes += remarks
    tables = _tables(definition, segments, groups, request, found, mixtures, model, tests, shift)
    fitted = {segment.name: segment.fit for segment in segments if segment.fit is not None}
    seen = {name: own_fit(fit, todays_offer(definition)) for name, fit in fitted.items()}
    asked, remarks = _asked(definition, groups, request, seen)
    tables |= asked | _of_fit(definition, everybody.respondents, found, request)
    notes += remarks
    if len(versions.table):
        tables["versions"], remarks = with_price_response(definition, versions, survey.definition_hash, request)
        notes += remarks
    steps = steps_from_current(definition)
    if ALL in fitted:
        differences, remarks = difference_tables(
            definition, everybody.respondents, fitted, found, steps, seed=request.seed
        )
        tables |= {name: table for name, table in differences.items() if len(table)}
        notes += remarks
    if ALL in fitted:
        tables |= reliability_tables(
            definition, everybody.respondents, confidence=request.confidence, seed=request.seed
        )
    tables["certainty"] = certainty(definition, tables, confidence=request.confidence)
    return Analysis(
        study=survey.slug,
        definition_hash=survey.definition_hash,
        answers_hash=answers.hash,
        request=request,
        respondents=len(answers.respondents),
        completed=sum(r.completed_at is not None for r in answers.respondents),
        simulated=answers.simulated,
        currency=definition.currency,
        tables=tables,
        notes=tuple(notes),
        summaries={s.name: s.fit.summary().as_text() for s in segments if s.fit is not None}
        | ({HIERARCHICAL: found.fit.summary().as_text()} if found else {})
        | ({model: mixtures[ALL].summary().as_text()} if mixtures else {}),
        people=people_tables(definition, chosen, found, mixtures),
        simulator=simulator_of(found, mixtures, fitted, shift),
    )


def _of_fit(
    definition: Definition, people: Sequence[Respondent], found: HierarchicalAnalysis | None, request: Request
) -> dict[str, pd.DataFrame]:
    """How a hierarchical fit converged, and what purchases beside it tell."""
    if found is None:
        return {}
    tables = convergence_tables(found.fit)
    if found.with_purchases is not None:
        held_out = holdout_data(definition, people)
        tables |= purchase_tables(definition, people, found.with_purchases, found.fit, held_out, request.confidence)
    return tables


def _asked(
    definition: Definition,
    groups: Mapping[str, tuple[Respondent, ...]],
    request: Request,
    fitted: Mapping[str, ConditionalLogitResults],
) -> tuple[dict[str, pd.DataFrame], tuple[Note, ...]]:
    """Everything that was asked beside choices and prices, and whether it agrees with the choices about what matters."""
    questions, notes = question_tables(definition, groups, request)
    items, best_worst, more = best_worst_tables(definition, groups, request)
    offers, rated, others = rated_offer_tables(definition, groups, request)
    compared = method_tables(definition, groups, request, choices=fitted, best_worst=best_worst, rated=rated)
    process = process_tables(definition, groups, request)
    expected = expectation_tables(definition, groups, request)
    tables = {**questions, **process, **items, **offers, **compared, **expected}
    return tables, (*notes, *more, *others)


def _groups(definition: Definition, respondents: Sequence[Respondent]) -> dict[str, tuple[Respondent, ...]]:
    """Everybody first, then the declared segments in the author's order."""
    membership = declared(definition, respondents)
    groups = {ALL: tuple(respondents)}
    for segment in definition.segments:
        groups[segment.id] = tuple(r for r in respondents if membership[r.number] == segment.id)
    return groups


def _estimate(definition: Definition, name: str, groups: Mapping[str, tuple[Respondent, ...]]) -> _Segment:
    chosen = tuple(r for r in groups[name] if any(c.task.kind == "estimation" for c in r.choices))
    size_notes = tuple(note.in_segment(name) for note in sample_size_notes(len(chosen)))
    if len(chosen) < SMALLEST_SAMPLE:
        return _Segment(name, chosen, None, size_notes if chosen or name != ALL else ())
    try:
        data = choice_data(definition, choice_frame(definition, chosen))
        fit = ConditionalLogit(by_customers(data, definition, groups) if name == ALL else data).fit()
    except (DataError, EstimationError) as error:
        note = Note("not_estimated", "stop", NOT_ESTIMATED, {"reason": str(error)}, name)
        return _Segment(name, chosen, None, (*size_notes, note))
    return _Segment(name, chosen, fit, (*size_notes, *(note.in_segment(name) for note in fit.notes)))


def _tables(
    definition: Definition,
    segments: Sequence[_Segment],
    groups: Mapping[str, tuple[Respondent, ...]],
    request: Request,
    found: HierarchicalAnalysis | None,
    mixtures: Mapping[str, Any],
    model: str,
    tests: Mapping[str, pd.DataFrame],
    none_shift: float,
) -> dict[str, pd.DataFrame]:
    fitted = {segment.name: segment.fit for segment in segments if segment.fit is not None}
    people = found.segments if found else mixtures
    worthy = {name: people.get(name, fit) for name, fit in fitted.items()}
    worths = {name: part_worths(fit, confidence=request.confidence) for name, fit in fitted.items()}
    chance: dict[str, Any] = {"confidence": request.confidence, "seed": request.seed}
    lowest, highest = todays_prices(definition)
    grid = [lowest + (highest - lowest) * i / (PRICE_GRID - 1) for i in range(PRICE_GRID)]
    offer = todays_offer(definition)
    retested = told({segment.name: len(segment.respondents) for segment in segments}, smallest=SMALLEST_REST)
    quality = pd.DataFrame(
        [_fit_quality(definition, s, worths.get(s.name), found, model if s.name in mixtures else "") for s in segments]
    )
    tables = {
        "segments": quality.assign(retest=quality["retest"].where(quality["segment"].isin(retested))),
        "part_worths": stacked(worths),
        "importance": stacked({name: importance(fit, **chance) for name, fit in fitted.items()}),
        "willingness_to_pay": stacked({name: _worth(fit, definition, chance) for name, fit in worthy.items()}),
        "stated_importance": stacked({name: _stated(definition, members, request) for name, members in groups.items()}),
        "investment": investment(worthy, definition, everybody=ALL, none_shift=none_shift, **chance),
    }
    if definition.choice_tasks.none == "dual":
        sure: dict[str, Any] = {"confidence": request.confidence}
        tested = (lowest, highest)
        demand, limits = {}, {}
        for name, fit in fitted.items():
            own = people.get(name)
            if own is None or not latent.tells_spread(own):
                demand[name] = still_buying(fit, offer, grid, **chance)
                limits[name] = price_limit_pooled(fit, offer, tested, **chance)
            else:
                others = found.sensitivity[name] if found else ()
                demand[name] = still_buying_people(own, offer, grid, **sure)
                limits[name] = price_limits(own, offer, tested, sensitivity=others, **sure)
        tables["demand"], tables["price_limit"] = stacked(demand), stacked(limits)
    tables |= _van_westendorp(definition, groups, request)
    more = money_tables(
        definition,
        {name: own_fit(fit, offer) for name, fit in worthy.items()},
        request,
        none_shift=none_shift,
        full=found is not None,
    )
    performance = stacked(
        {name: performance_table(definition, own, request.confidence) for name, own in groups.items()}
    )
    invested = tables["investment"]
    regions = joint_regions(
        definition,
        {name: own for name, own in found.segments.items() if name in fitted} if found else {},
        groups,
        todays_steps(invested),
        none_shift=none_shift,
        **chance,
    )
    worth = importance_performance(definition, invested, performance, tables["stated_importance"]).merge(
        regions, on=["segment", "attribute"], how="left"
    )
    compared = strengths_table(definition, groups, worth, request)
    more |= {
        "performance": performance,
        "expected_wrong": expected_wrong(invested),
        "hints": hints(definition, invested, compared),
        "importance_performance": worth,
        "strengths": compared,
    }
    if definition.economics and definition.economics.budget is not None:
        more[BUDGET] = budget_table(definition, invested, definition.economics.budget)
    if "price_limit" in tables and len(tables["price_limit"]):
        points = tables.get("van_westendorp_points", pd.DataFrame())
        more |= triangulation_tables(definition, groups, tables["price_limit"], points, tests, request.confidence)
    return tables | {name: table for name, table in ({**more, **tests}).items() if len(table)}


def _worth(fit: Any, definition: Definition, chance: Mapping[str, Any]) -> pd.DataFrame:
    """WTP of every step from today's level: of a fit as a whole, not of its classes."""
    table = willingness_to_pay(fit, steps=steps_by_label(definition), currency=definition.currency, **chance)
    return table[table["segment"] == ALL]


def _fit_quality(
    definition: Definition,
    segment: _Segment,
    worths: pd.DataFrame | None,
    found: HierarchicalAnalysis | None,
    mixture: str,
) -> dict[str, object]:
    """One row of the table `segments`: how much the figures of a segment rest on."""
    nan = float("nan")
    count = len(segment.respondents)
    row: dict[str, object] = {
        "segment": segment.name,
        "respondents": count,
        "choice_tasks": sum(c.task.kind == "estimation" for r in segment.respondents for c in r.choices),
        "weight_of_evidence": "none" if count < SMALLEST_SAMPLE else "indication" if count < FULL_SAMPLE else "full",
        "estimator": CONDITIONAL if segment.fit is not None else "none",
        "r_hat": nan,
        "ess": nan,
        "price_z": nan,
        "hit_rate": nan,
        "pooled_hit_rate": nan,
        "chance": nan,
        "retest": retest_agreement(segment.respondents),
        "log_likelihood": nan,
        "mcfadden": nan,
    }
    if segment.fit is None or worths is None:
        return row
    fit = segment.fit
    hit_rate, chance = holdout_hit_rate(segment.respondents, predicted_by(definition, fit))
    price = own_data(fit.data, todays_offer(definition)).price
    if found:
        row |= {"estimator": HIERARCHICAL, **dict(zip(("r_hat", "ess"), found.fit.convergence, strict=True))}
    if mixture:
        row |= {"estimator": mixture}
    own = found.hit_rates.get("model", nan) if found and segment.name == ALL else hit_rate
    return row | {
        "price_z": float(-fit.tvalues[price]),
        "hit_rate": own,
        "pooled_hit_rate": hit_rate,
        "chance": chance,
        "log_likelihood": float(fit.llf),
        "mcfadden": float(fit.mcfadden),
    }


def _stated(definition: Definition, members: Sequence[Respondent], request: Request) -> pd.DataFrame:
    """Mean stated importance of each attribute with a t interval; no row where nobody rated."""
    columns = ["attribute", "mean", "low", "high", "respondents"]
    rating = definition.importance_rating
    if rating is None:
        return pd.DataFrame(columns=columns)
    ratings = pd.DataFrame([r.answers[rating.id] for r in members if r.answers.get(rating.id)], dtype=float)
    rows = []
    for item in rating.items:
        values = ratings[item.id].dropna() if item.id in ratings else pd.Series(dtype=float)
        if len(values) < SMALLEST_SAMPLE:
            continue
        interval = DescrStatsW(values).tconfint_mean(alpha=1 - request.confidence)
        rows.append((item.id, values.mean(), *interval, len(values)))
    return pd.DataFrame(rows, columns=columns)


def _van_westendorp(
    definition: Definition, groups: Mapping[str, tuple[Respondent, ...]], request: Request
) -> dict[str, pd.DataFrame]:
    question = definition.van_westendorp
    if question is None:
        return {}
    points, curves = {}, {}
    for name, members in groups.items():
        answered = [r.answers[question.id] for r in members if r.answers.get(question.id)]
        if len(answered) < SMALLEST_SAMPLE:
            continue
        result = van_westendorp(
            pd.DataFrame(answered, columns=list(VAN_WESTENDORP_ITEMS)), confidence=request.confidence, seed=request.seed
        )
        points[name] = result.points.assign(excluded=result.excluded, respondents=result.respondents)
        curves[name] = result.curves
    return {"van_westendorp_points": stacked(points), "van_westendorp_curves": stacked(curves)}
