"""Which sets of respondents may be told of one beside the other: of two figures whose respondents differ by a few, the few could be worked out (differencing).

The usual set comes first, the others in a fixed order: one is told if, in every segment and altogether, it differs from each that is told before it by nobody, or by 10 or more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from wtp.analysis.disclosure import SMALLEST_REST
from wtp.analysis.record import ALL, VERSIONS, Request
from wtp.analysis.versions import counted
from wtp.segments.declared import declared
from wtp.survey.answers import Answers
from wtp.survey.load import Survey

# Segment -> numbers of its respondents; all of them under "all".
Members = Mapping[str, frozenset[int]]


def members(survey: Survey, answers: Answers, without: Collection[int], versions: str) -> Members:
    """Numbers of the respondents of each segment, and of all, whom an analysis counts."""
    left_out = set(without)
    there = tuple(r for r in answers.respondents if r.number not in left_out)
    people = counted(
        survey, Answers(answers.study, there, answers.hash, answers.definitions), Request(versions=versions)
    )
    segment = declared(survey.definition, people.respondents)
    found = {ALL: frozenset(r.number for r in people.respondents)}
    return found | {
        one.id: frozenset(r.number for r in people.respondents if segment[r.number] == one.id)
        for one in survey.definition.segments
    }


def may_be_told(
    survey: Survey, answers: Answers, sets: Sequence[Collection[int]], without: Collection[int], versions: str
) -> bool:
    """Whether figures without these respondents may be told to somebody who sees everything else that is told of these answers. sets: whom each set leaves out, the usual one first."""
    views = [members(survey, answers, each, counting) for counting in VERSIONS for each in sets]
    told, now = told_apart(views), members(survey, answers, without, versions)
    return now in told or all(_apart(before, now) for before in told)


def told_apart(views: Sequence[Members]) -> list[Members]:
    """Those of which no two differ by a few, in any segment; the first always stays."""
    told: list[Members] = []
    for now in views:
        if all(_apart(before, now) for before in told):
            told.append(now)
    return told


def _apart(before: Members, now: Members) -> bool:
    """Neither the few who are in one alone can be worked out, nor those who are in the other alone."""
    for segment in {*before, *now}:
        first, second = before.get(segment, frozenset()), now.get(segment, frozenset())
        if any(0 < len(few) < SMALLEST_REST for few in (first - second, second - first, first ^ second)):
            return False
    return True
