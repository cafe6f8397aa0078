"""What two waves have in common: which attributes, segments, amounts and questions mean the same in both, and what is therefore left out, by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.analysis.record import ALL, Analysis
from wtp.survey.definition import Definition
from wtp.survey.labels import todays_offer
from wtp.survey.questions import Rating
from wtp.survey.versions import compare

WORTH, LIMIT, IMPORTANCE, PERFORMANCE, GAP, MET, EXPECTATION_GAP, STATED, RATING = FIGURES = (
    "worth", "price_limit", "importance", "performance", "gap", "met", "expectation_gap", "stated", "rating",
)  # fmt: skip
KEYS = ("figure", "attribute", "from_level", "to_level", "offer_label", "question", "item")
# Kinds of what is told beside the comparison: left out, but for the last three, which a person must judge.
ATTRIBUTE, SEGMENT, MONEY, SHARES, QUESTION, TODAY, OFFER, WORDS = (
    "attribute", "segment", "money", "importance", "question", "today", "offer", "words",
)  # fmt: skip
_COLUMNS = ["segment", *KEYS, "estimate", "low", "high"]
# Their means have a figure of their own, or say what people would buy.
_TOLD_ELSEWHERE = ("importance", "performance", "rival_performance", "expectation", "experience", "purchase_intent")
# What must have been asked alike for a figure: the ratings by what they measure.
_ASKED = {
    STATED: ("importance",), PERFORMANCE: ("performance",), GAP: ("performance", "rival_performance"),
    MET: ("experience", "expectation"), EXPECTATION_GAP: ("experience", "expectation"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a figure stands: its table, the columns of the figure and its interval, and the columns that say what it is of."""

    figure: str
    table: str
    columns: tuple[str, str, str]
    keys: tuple[str, ...] = ("attribute",)


_STEP = ("attribute", "from_level", "to_level", "offer_label")
_SOURCES = (
    _Source(WORTH, "willingness_to_pay", ("estimate", "low", "high"), _STEP),
    _Source(LIMIT, "price_limit", ("estimate", "low", "high"), ()),
    _Source(IMPORTANCE, "importance", ("importance", "low", "high")),
    _Source(PERFORMANCE, "performance", ("own", "own_low", "own_high")),
    _Source(GAP, "performance", ("gap", "gap_low", "gap_high")),
    _Source(MET, "expectation_gaps", ("met", "met_low", "met_high")),
    _Source(EXPECTATION_GAP, "expectation_gaps", ("gap", "gap_low", "gap_high")),
    _Source(STATED, "stated_importance", ("mean", "low", "high")),
    _Source(RATING, "answer_ratings", ("mean", "low", "high"), ("question", "item")),
)


@dataclass(frozen=True, slots=True)
class Common:
    """What means the same in two definitions. told: (kind, where) of what does not, or has to be judged; where: the survey's own identifiers."""

    segments: frozenset[str]
    attributes: frozenset[str]
    questions: frozenset[str]
    figures: frozenset[str]
    told: tuple[tuple[str, str], ...]

    def of(self, figures: pd.DataFrame) -> pd.DataFrame:
        """The rows of `figures_of` that may be compared."""
        kept = figures["segment"].isin(self.segments) & figures["figure"].isin(self.figures)
        kept &= figures["attribute"].isin(self.attributes | {"", "price"})
        return figures[kept & figures["question"].isin(self.questions | {""})].reset_index(drop=True)


def in_common(before: Definition, after: Definition) -> Common:
    """What two waves of a study have in common.

    Attributes need the same levels, segments the same rule on the same question, amounts the same currency and price; importances are shares of one whole, so they need all of it to be the same. Words that
    changed are named alone, since only a person can tell whether they mean the same.
    """
    found = compare(after, before)
    changed = {change.kind for change in found.changes}
    told: list[tuple[str, str]] = []
    attributes = _same_attributes(before, after)
    ids = [*(a.id for a in after.attributes), *(a.id for a in before.attributes)]
    told += [(ATTRIBUTE, name) for name in dict.fromkeys(ids) if name not in attributes]
    rules = [{s.id: s.when for s in one.segments} for one in (before, after)]
    names = dict.fromkeys([*rules[1], *rules[0]])
    segments = {s for s in names if s in rules[0] and rules[0][s] == rules[1].get(s) and rules[0][s].keys() <= found.questions}  # fmt: skip
    told += [(SEGMENT, name) for name in names if name not in segments]
    figures = set(FIGURES)
    if changed & {"currency", "price_unit", "labels"}:
        figures -= {WORTH, LIMIT}
        told.append((MONEY, ""))
    if changed & {"attribute_added", "attribute_removed", "level_added", "level_removed", "prices", "only", "labels"}:
        figures.discard(IMPORTANCE)
        told.append((SHARES, ""))
    if "none_option" in changed:
        figures.discard(LIMIT)
        told.append((OFFER, "none_option"))
    figures -= _without_question(before, after, found.questions)
    asked = {q.id for q in before.questions} & {q.id for q in after.questions}
    told += [(QUESTION, name) for name in sorted(asked - found.questions)]
    rated = {q.id for q in after.questions if isinstance(q, Rating) and q.measures not in _TOLD_ELSEWHERE}
    moved = [a.id for a in after.attributes if a.id in attributes and a.current != before.attribute(a.id).current]
    told += [(TODAY, name) for name in moved]
    if todays_offer(before) != todays_offer(after) and LIMIT in figures:
        told.append((OFFER, ""))
    told += [(WORDS, change.where) for change in found.changes if change.kind == "words"]
    return Common(frozenset(segments | {ALL}), frozenset(attributes), found.questions & rated, frozenset(figures), tuple(told))  # fmt: skip


def _same_attributes(before: Definition, after: Definition) -> set[str]:
    then = {a.id: (set(a.level_ids), set(a.only)) for a in before.attributes}
    return {a.id for a in after.attributes if then.get(a.id) == (set(a.level_ids), set(a.only))}


def _without_question(before: Definition, after: Definition, same: frozenset[str]) -> set[str]:
    """Figures whose question is not the same in both."""
    asked = [{str(q.measures): q.id for q in one.questions if isinstance(q, Rating)} for one in (before, after)]
    return {
        figure
        for figure, measured in _ASKED.items()
        if not all(asked[0].get(name, "-") == asked[1].get(name) and asked[1][name] in same for name in measured)
    }


def figures_of(analysis: Analysis) -> pd.DataFrame:
    """Every figure with an interval that can be held against another wave's: segment, what it is (`KEYS`, empty where it does not apply), estimate, low, high. Part-worths are not among them: their scale is each wave's own."""
    frames = [_of(analysis.tables[source.table], source) for source in _SOURCES if source.table in analysis.tables]
    frames = [frame for frame in frames if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=_COLUMNS)


def _of(table: pd.DataFrame, source: _Source) -> pd.DataFrame:
    if not set(source.columns) <= set(table):
        return pd.DataFrame(columns=_COLUMNS)
    ends = table[list(source.columns)].astype(float).set_axis(["estimate", "low", "high"], axis=1)
    keys = {key: table[key] if key in source.keys and key in table else "" for key in KEYS[1:]}
    return ends.assign(segment=table["segment"], figure=source.figure, **keys)[_COLUMNS].drop_duplicates(["segment", *KEYS])  # fmt: skip


def turned(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The later figures with each worth in the direction of the earlier wave: where today's level has moved on, the way back was asked about."""
    back = {"from_level": "to_level", "to_level": "from_level"}
    worth = after[after["figure"] == WORTH].rename(columns=back)
    worth = worth.assign(estimate=-worth["estimate"], low=-worth["high"], high=-worth["low"])[_COLUMNS]
    known = pd.MultiIndex.from_frame(before[["segment", *KEYS]])
    there = pd.MultiIndex.from_frame(after[["segment", *KEYS]])
    keys = pd.MultiIndex.from_frame(worth[["segment", *KEYS]])
    wanted = np.asarray(keys.isin(known)) & ~np.asarray(keys.isin(there))
    return pd.concat([after, worth[wanted]], ignore_index=True)


def what_is_told(common: Common) -> pd.DataFrame:
    """segment, kind, where."""
    return pd.DataFrame([(ALL, *row) for row in common.told], columns=["segment", "kind", "where"], dtype="str")


def segments_in(common: Common, definition: Definition) -> Iterator[str]:
    """The declared segments that both waves have, in the author's order."""
    return (segment.id for segment in definition.segments if segment.id in common.segments)
