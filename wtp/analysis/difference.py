"""Who differs: found segments beside the declared ones, who is in them, which questions tell them, and whether declared segments differ in taste at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from wtp.analysis.disclosure import without_small_cells
from wtp.analysis.hierarchical import HierarchicalAnalysis
from wtp.analysis.latent import FEWEST_RESPONDENTS, latent_classes
from wtp.analysis.record import ALL
from wtp.errors import DataError, EstimationError
from wtp.estimation import ChoiceData
from wtp.estimation.conditional_logit import ConditionalLogitResults
from wtp.estimation.diagnostics import FULL_SAMPLE, Note
from wtp.pricing import Step, willingness_to_pay
from wtp.pricing.offers import own_fit
from wtp.segments import (
    declared,
    explained,
    found_segments,
    overlap,
    partially_pooled,
    profile,
    scale_test,
    shares,
    typing_tool,
)
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition
from wtp.survey.labels import todays_offer
from wtp.survey.questions import Rating, SingleChoice

DECLARED, CONTACTS = "declared", "contacts"
_NOT_FOUND = "Respondents were not grouped by what they would pay: {reason}"
_UNSTABLE = "Groups of respondents by what they would pay are not stable, or not more than one group cut into pieces: do not use them."
_NOT_COMPARED = "Segments were not held against other groupings: {reason}"
_SAME_TASTES = "The declared segments differ in how consistently they choose, not detectably in what they value (p = {p:.2f}); compare them in money alone."
_Z90 = 1.6448536
_LEAST_P = 0.10


def outside_variables(
    definition: Definition, respondents: Sequence[Respondent], *, without: Sequence[str] = ()
) -> pd.DataFrame:
    """Answers that are no choices: single choices and rating items, one column each, by respondent; not those of `without`."""
    columns: dict[str, dict[int, Any]] = {}
    for question in definition.questions:
        if question.id in without:
            continue
        for respondent in respondents:
            answer = respondent.answers.get(question.id)
            if isinstance(question, SingleChoice):
                columns.setdefault(question.id, {})[respondent.number] = answer
            elif isinstance(question, Rating):
                for item in question.items:
                    value = (answer or {}).get(item.id)
                    columns.setdefault(f"{question.id}.{item.id}", {})[respondent.number] = value
    frame = pd.DataFrame(columns, index=pd.Index([r.number for r in respondents], name="respondent"))
    for question in definition.questions:
        if isinstance(question, Rating):
            own = [column for column in frame.columns if column.startswith(f"{question.id}.")]
            frame[own] = frame[own].astype(float)
    return frame


def difference_tables(
    definition: Definition,
    respondents: Sequence[Respondent],
    pooled: Mapping[str, ConditionalLogitResults],
    found: HierarchicalAnalysis | None,
    steps: tuple[Step, ...],
    *,
    seed: int,
) -> tuple[dict[str, pd.DataFrame], tuple[Note, ...]]:
    """Tables by name, each with a column segment, and notes."""
    tables: dict[str, pd.DataFrame] = {}
    notes: list[Note] = []
    membership = declared(definition, respondents)
    used = [question for segment in definition.segments for question in segment.when]
    if membership.notna().any():
        outside = outside_variables(definition, respondents, without=used)
        tables["segment_profile"] = profile(membership, outside).assign(segment=ALL)
        tables["segment_answers"] = without_small_cells(shares(membership, outside))
    tables["partial_pooling"] = _pooled_worth(pooled, steps)
    tested = _scales(pooled, membership) if found else None
    if tested is not None:
        tables["scale_test"], note = tested
        notes += note
    if found is None or len(respondents) < FULL_SAMPLE:
        return tables, tuple(notes)
    latent = _latent(definition, respondents, membership, steps, seed)
    tables |= latent
    classes = latent["latent_classes"]["group"].nunique() if latent else 0
    compared, more = _groupings(pooled[ALL].data, respondents, membership, classes if classes > 1 else 0, seed)
    tables |= compared
    notes += more
    try:
        groups = found_segments(own_fit(found.fit, todays_offer(definition)), steps, seed=seed)
    except (DataError, EstimationError) as error:
        return tables, (*notes, Note("not_grouped", "info", _NOT_FOUND, {"reason": str(error)}, ALL))
    members = groups.members.set_index("respondent")["segment"]
    everything = outside_variables(definition, respondents)
    tables["found_segments"] = groups.worth.rename(columns={"segment": "group"}).assign(
        jaccard=groups.jaccard, verdict=groups.verdict, segment=ALL
    )
    tables["found_quality"] = groups.quality.assign(segment=ALL)
    tables["found_members"] = groups.members.rename(columns={"segment": "group"}).assign(segment=ALL)
    tables["found_profile"] = profile(members, everything).assign(segment=ALL)
    told = without_small_cells(shares(members, everything))
    tables["found_answers"] = told.rename(columns={"segment": "group"}).assign(segment=ALL)
    if membership.notna().any():
        crossed, agreement = overlap(membership, members)
        named = without_small_cells(crossed).rename(columns={"one": "declared", "other": "group"})
        tables["segment_overlap"] = named.assign(adjusted_rand=agreement, segment=ALL)
    tool = typing_tool(members, everything)
    tables["typing_questions"] = tool.questions.assign(expected_hit_rate=tool.hit_rate, chance=tool.chance, segment=ALL)
    tables["typing_scores"] = tool.scores.rename(columns={"segment": "group"}).assign(segment=ALL)
    if groups.verdict == "do not use":
        notes.append(Note("groups_unstable", "info", _UNSTABLE, {}, ALL))
    return tables, tuple(notes)


def _groupings(
    data: ChoiceData, respondents: Sequence[Respondent], membership: pd.Series, classes: int, seed: int
) -> tuple[dict[str, pd.DataFrame], tuple[Note, ...]]:
    """Which grouping explains choices best: the declared one, the core problem of contacts where it is known of 150 or more, and latent classes."""
    groupings = {DECLARED: membership} if len(set(membership.dropna())) > 1 else {}
    told = pd.Series({r.number: r.known.get("core_problem") for r in respondents}, dtype="object").dropna()
    both = told.index.intersection(membership.dropna().index) if groupings else told.index
    if len(both) >= FEWEST_RESPONDENTS and len(set(told)) > 1:
        groupings[CONTACTS] = told
    if not groupings:
        return {}, ()
    plain = replace(data, weights=None)
    try:
        try:
            found = explained(plain, groupings, classes=classes, seed=seed)
        except EstimationError:  # of classes in one of the folds
            found = explained(plain, groupings, seed=seed)
    except (DataError, EstimationError) as error:
        return {}, (Note("not_compared", "info", _NOT_COMPARED, {"reason": str(error)}, ALL),)
    return {"grouping_scores": found.scores.assign(segment=ALL), "grouping_agreement": found.agreement.assign(segment=ALL)}, ()  # fmt: skip


def _latent(
    definition: Definition, respondents: Sequence[Respondent], membership: pd.Series, steps: tuple[Step, ...], seed: int
) -> dict[str, pd.DataFrame]:
    """Groups found by latent classes: what each values, its share, and how it overlaps with the declared segments; none below 150 respondents."""
    fit = latent_classes(definition, {ALL: respondents}, seed=seed)[0].get(ALL)
    if fit is None:
        return {}
    worth = willingness_to_pay(fit, steps=steps, confidence=0.90, draws=2_000)
    shares_of = {f"class {c}": float(share) for c, share in zip(fit.classes.index, fit.classes["share"], strict=True)}
    own = worth[worth["segment"] != ALL].rename(columns={"segment": "group"}).reset_index(drop=True)
    tables = {"latent_classes": own.assign(share=own["group"].map(shares_of), segment=ALL)}
    if membership.notna().any() and len(shares_of) > 1:
        likely = fit.membership.idxmax(axis=1)
        crossed, agreement = overlap(membership, likely)
        named = without_small_cells(crossed).rename(columns={"one": "declared", "other": "group"})
        tables["latent_overlap"] = named.assign(adjusted_rand=agreement, segment=ALL)
    return tables


def _pooled_worth(pooled: Mapping[str, ConditionalLogitResults], steps: tuple[Step, ...]) -> pd.DataFrame:
    """WTP of each segment on its own and moved towards the others by how little it knows."""
    tables = []
    for name, fit in pooled.items():
        if name == ALL:
            continue
        worth = willingness_to_pay(fit, steps=steps, confidence=0.90, draws=2_000)
        worth = worth.assign(segment=name, std_error=(worth["high"] - worth["low"]) / (2 * _Z90))
        tables.append(worth.dropna(subset=["estimate", "std_error"]))
    columns = ["segment", "attribute", "from_level", "to_level", "estimate", "std_error", "respondents"]
    if len(tables) < 2 or any(table.empty for table in tables):
        return pd.DataFrame(columns=[*columns, "pooled", "pooled_low", "pooled_high", "weight"])
    frame = pd.concat(tables, ignore_index=True)[columns]
    return partially_pooled(frame, by=["attribute", "from_level", "to_level"]).sort_index()


def _scales(
    pooled: Mapping[str, ConditionalLogitResults], membership: pd.Series
) -> tuple[pd.DataFrame, tuple[Note, ...]] | None:
    names = [name for name in pooled if name != ALL]
    if len(names) < 2 or ALL not in pooled:
        return None
    data = replace(pooled[ALL].data, weights=None)  # of which there is no likelihood ratio
    own = membership.reindex(list(data.respondents)).to_numpy(dtype=object)
    known = np.array([name in names for name in own])
    try:
        found = scale_test(data.subset(known), own[known])
    except (DataError, EstimationError):
        return None
    (taste, taste_df, taste_p), (scale, scale_df, scale_p) = found.tastes, found.scale
    table = found.scales.assign(
        tastes=taste, tastes_df=taste_df, tastes_p=taste_p, scale_statistic=scale, scale_df=scale_df, scale_p=scale_p, label=found.label
    )  # fmt: skip
    if taste_p < _LEAST_P or scale_p >= _LEAST_P:
        return table, ()
    return table, (Note("same_tastes", "info", _SAME_TASTES, {"p": taste_p}, ALL),)
