"""What customers expected, met and see in the rival: tables of the ratings and scripts of a survey, segment by segment.

Segments with fewer than 30 answers are withheld, and those from which so few could be worked out (`disclosure`), attribute by attribute where "do not know" may be said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from wtp.analysis.answer_frames import answer_frame, belongs
from wtp.analysis.disclosure import told
from wtp.analysis.record import ALL, Request, stacked
from wtp.customers import expectations, performance, scripts
from wtp.customers.gaps import paired_gaps
from wtp.estimation.diagnostics import SMALLEST_SAMPLE
from wtp.pricing.investment import SMALLEST_RELEVANT
from wtp.segments.pooling import partially_pooled
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition
from wtp.survey.measures import OWN, RIVAL, expectation_ratings, rating_of
from wtp.survey.measures import scripts as scripts_of
from wtp.survey.questions import Rating

_Groups = Mapping[str, Sequence[Respondent]]
_REPLICATES = 1_000
_WORTH = ["value", "value_low", "value_high", "gap_correlation"]
_STRENGTHS = [
    "segment", "attribute", "own", "own_low", "own_high", "rival", "rival_low", "rival_high", "gap", "gap_low", "gap_high",
    "pooled_gap", "pooled_gap_low", "pooled_gap_high", "value", "value_low", "value_high", "impact", "impact_low", "impact_high",
    "standing", "verdict", "probability", "respondents",
]  # fmt: skip


def expectation_tables(definition: Definition, groups: _Groups, request: Request) -> dict[str, pd.DataFrame]:
    """`expectation_gaps`, `expectation_reliability`, `script_order`, `script_agreement` and `script_segments`, as far as they were asked and enough answered."""
    tables = {**_gap_tables(definition, groups, request), **_script_tables(definition, groups, request)}
    return {name: table for name, table in tables.items() if len(table)}


def _members(groups: _Groups) -> dict[str, list[int]]:
    return {name: [r.number for r in own if belongs(r)] for name, own in groups.items()}


def _pairs(one: Rating, other: Rating, groups: _Groups) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Both ratings by segment, of those who gave both; an attribute of a segment that may not be told is missing in the second one."""
    everybody = groups[ALL]
    first, second = (answer_frame(question, [r for r in everybody if belongs(r)]) for question in (one, other))
    second = second[[column for column in first.columns if column in second.columns]]
    people = first.index.intersection(second.index)
    first, second = first.loc[people, list(second.columns)], second.loc[people]
    members = _members(groups)
    parts = {name: (first[first.index.isin(own)], second[second.index.isin(own)]) for name, own in members.items()}
    both = {name: (a.notna() & b.notna()).sum() for name, (a, b) in parts.items()}
    shown = {attribute: told({name: int(n[attribute]) for name, n in both.items()}) for attribute in second.columns}
    return {
        name: (a, b.assign(**{attribute: np.nan for attribute, names in shown.items() if name not in names}))
        for name, (a, b) in parts.items()
        if any(name in names for names in shown.values())
    }


def _gap_tables(definition: Definition, groups: _Groups, request: Request) -> dict[str, pd.DataFrame]:
    ratings = expectation_ratings(definition)
    parts = _pairs(*ratings, groups) if ratings else {}
    if not parts:
        return {}
    table = expectations.expectation_gaps(parts, confidence=request.confidence, least=SMALLEST_SAMPLE)
    whole = {name: (a, b) for name, (a, b) in parts.items() if _rated_all(a, b) >= SMALLEST_SAMPLE}
    reliability = stacked({
        name: pd.DataFrame([expectations.difference_reliability(*own, confidence=request.confidence, replicates=_REPLICATES, seed=request.seed)])
        for name, own in whole.items()
    })  # fmt: skip
    return {
        "expectation_gaps": _pooled(table, request.confidence).drop(columns="std_error"),
        "expectation_reliability": reliability,
    }


def _rated_all(one: pd.DataFrame, other: pd.DataFrame) -> int:
    """How many rated every attribute twice."""
    return int((one.notna() & other.notna()).all(axis=1).sum())


def _pooled(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """With pooled_gap and its interval, and weight: the gap of a segment, moved towards the common one of all segments by how little it knows; missing for everybody."""
    parts = table[table["segment"] != ALL]
    found = partially_pooled(
        parts.assign(estimate=parts["gap"], std_error=parts["std_error"].clip(lower=1e-6)),
        by=["attribute"],
        confidence=confidence,
    )
    names = {"pooled": "pooled_gap", "pooled_low": "pooled_gap_low", "pooled_high": "pooled_gap_high", "weight": "weight"}  # fmt: skip
    more = found[list(names)].rename(columns=names).astype(float)
    return table.join(more)


def _script_tables(definition: Definition, groups: _Groups, request: Request) -> dict[str, pd.DataFrame]:
    found: dict[str, list[pd.DataFrame]] = {"script_order": [], "script_agreement": [], "script_segments": []}
    members, everybody = _members(groups), [r for r in groups[ALL] if belongs(r)]
    for question in scripts_of(definition):
        frame = answer_frame(question, everybody).dropna()
        parts = {name: frame[frame.index.isin(own)] for name, own in members.items()}
        shown = {name: parts[name] for name in told({name: len(part) for name, part in parts.items()})}
        for name, orders in shown.items():
            where = {"segment": name, "question": question.id}
            order = scripts.consensus(
                orders, confidence=request.confidence, replicates=_REPLICATES, seed=request.seed
            ).assign(respondents=len(orders))
            agreed = pd.DataFrame([scripts.agreement(orders, confidence=request.confidence, seed=request.seed)])
            for table, made in (("script_order", order), ("script_agreement", agreed)):
                for place, (column, value) in enumerate(where.items()):
                    made.insert(place, column, value)
                found[table].append(made)
        apart = scripts.segments_apart({n: own for n, own in shown.items() if n != ALL}, seed=request.seed)
        apart.insert(1, "question", question.id)
        found["script_segments"].append(apart)
    tables = {name: pd.concat(frames, ignore_index=True) for name, frames in found.items() if frames}
    return {name: table if name == "script_order" else scripts.adjusted(table) for name, table in tables.items()}


def strengths_table(definition: Definition, groups: _Groups, worth: pd.DataFrame, request: Request) -> pd.DataFrame:
    """One row a segment and attribute that 30 rated of this company and of its rival: both ratings, the gap, what the attribute is worth, the standing of today's level, and the verdict with its probability.

    worth: segment, attribute, value, value_low, value_high and, where draws are joint, gap_correlation. No rows where the two ratings have different scales.
    """
    own, rival = (rating_of(definition, measures) for measures in (OWN, RIVAL))
    if own is None or rival is None or (own.scale.low, own.scale.high) != (rival.scale.low, rival.scale.high):
        return pd.DataFrame(columns=_STRENGTHS)
    names = {f"{one}{end}": f"{other}{end}" for one, other in (("first", "rival"), ("second", "own")) for end in ("", "_low", "_high")}  # fmt: skip
    rated = stacked({
        name: paired_gaps(*parts, confidence=request.confidence, least=SMALLEST_SAMPLE).rename(columns=names)
        for name, parts in _pairs(rival, own, groups).items()
    })  # fmt: skip
    if rated.empty:
        return pd.DataFrame(columns=_STRENGTHS)
    worth = worth.reindex(columns=["segment", "attribute", *_WORTH]).astype(dict.fromkeys(_WORTH, float))
    rated = rated.merge(worth, on=["segment", "attribute"], how="left")
    rated["standing"] = [performance.standing(definition, str(attribute)) for attribute in rated["attribute"]]
    smallest = SMALLEST_RELEVANT * definition.price.current
    return performance.strengths(rated, smallest=smallest, confidence=request.confidence, seed=request.seed)[_STRENGTHS]
