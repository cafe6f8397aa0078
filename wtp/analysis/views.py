"""Which selections of respondents may be told of beside all that were told before: from figures that differ by a few persons, those few could be worked out (differencing).

A *selection* is what one analysis counts: whose answers (decisions on data quality, imports, erasures), which versions of the survey, everybody and each segment that is shown, at the moment it is asked for. What was
told is remembered, whoever asked, today's selections and yesterday's alike, for each kind of answer by itself: a question is counted by who answered it, and an answer that changed is another answer.

The rule. Let A be the table of 0 and 1 with a row for each selection that was told and a column for each answer. Whoever has the figures can add and subtract them with any weights w, and is left with w'A, a sum over those persons
where it is not zero. A selection is told if, with it, no weights leave 1 to 9 persons. So no sum, count, share or mean of fewer than 10 follows from any number of selections, of any readers together: pairs, triples (two parts and the
whole), one more answer a day, one respondent taken out and put in again. Where answers only come, it means: figures are renewed when 10 came, or none, in each segment.

How it is found out. People whom every selection treats alike have equal columns and form a *group*; w'A is constant within it, so only groups of fewer than 10 can be left alone, and only by weights that
are zero on all larger ones. Those weights form a space of few dimensions d, mostly none. Its elements that leave the fewest groups are each fixed by d - 1 groups on which they are zero (the cocircuits of its matroid), so all of them are tried; where
there would be too many to try, the selection is not told. For sums over single persons this is the audit of Chin and Ozsoyoglu (1982).

What it does not close. Who already knows the answers of nine in a group of ten knows the tenth's; rounding and noise would be needed against that. Estimates that are not sums (a logit, its intervals) are treated as if they
told all sums over their selection, which is the most they can tell. Groups that a model found (latent classes) and contacts or purchases of customers, which have rules of their own on one day, are not remembered.
Respondents who opened several interviews are several persons here.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from wtp.analysis.disclosure import SMALLEST_REST, told
from wtp.analysis.record import ALL, Request
from wtp.analysis.versions import counted
from wtp.segments.declared import declared
from wtp.survey.answers import Answers, Respondent
from wtp.survey.load import Survey

KEY_BITS = 32
COUNTED, CHOICES, KNOWN, ANSWER = "counted", "choices", "known", "answer "
# Kind of answer -> "keys", "groups" (of each key), "sets" (groups of each selection that was told); plain lists of whole numbers, as they are stored.
Memory = Mapping[str, Mapping[str, Any]]
_MOST_TRIED = 2_000
_ZERO = 1e-8
_REST, _OUT, _NEVER = "", "-", -1  # counted but not shown for itself; not counted now; never counted before


def tell(memory: Memory, survey: Survey, answers: Answers, request: Request) -> Memory | None:
    """What is remembered if figures of this selection are told; None if, beside what is remembered, they would tell of fewer than 10 persons."""
    after = dict(memory)
    for kind, persons in selection(survey, answers, request).items():
        joined = _joined(memory.get(kind, {"keys": [], "groups": [], "sets": []}), persons)
        if joined is None:
            return None
        after[kind] = joined
    return after


def selection(survey: Survey, answers: Answers, request: Request) -> dict[str, pd.Series]:
    """Who is counted for each kind of answer: the segment of each key, empty where it is not shown for itself; nothing of kinds that too few answered for any figure.

    A key is number * 2**32 + checksum of what was answered.
    """
    left_out = set(request.without)
    there = tuple(r for r in answers.respondents if r.number not in left_out)
    people = counted(survey, Answers(answers.study, there, answers.hash, answers.definitions), request).respondents
    segment = declared(survey.definition, people).to_dict()
    rows = [
        (kind, (person.number << KEY_BITS) + zlib.crc32(repr(said).encode()), segment[person.number])
        for person in people
        for kind, said in _said(person)
    ]
    frame = pd.DataFrame(rows, columns=["kind", "key", "segment"])
    found = {}
    for kind, part in frame.groupby("kind"):
        own = part.set_index("key")["segment"]
        # Tables show a segment from 30 or from 10 on; those of 10 are all that can be shown.
        sizes = {str(name): int(size) for name, size in own.value_counts().items()}
        shown = told({ALL: len(own), **sizes}, smallest=SMALLEST_REST)
        if shown:
            found[str(kind)] = own.where(own.isin(shown), _REST)
    return found


def _said(person: Respondent) -> Iterator[tuple[str, Any]]:
    """What figures are made of, kind by kind."""
    yield COUNTED, (person.outcome, person.simulated)
    if person.choices:
        yield CHOICES, [(c.order, c.chosen, c.buys, c.design_version) for c in person.choices]
    if person.known:
        yield KNOWN, person.known
    yield from ((ANSWER + question, value) for question, value in person.answers.items() if value not in (None, ""))


def _joined(before: Mapping[str, Any], now: pd.Series) -> Mapping[str, Any] | None:
    """The groups and selections of one kind of answer with those of now."""
    groups = pd.Series(before["groups"], index=pd.Index(before["keys"], dtype="int64"), dtype="int64", name="group")
    both = pd.concat([groups, now.rename("segment")], axis=1)
    person = pd.Series(both.index.to_numpy() >> KEY_BITS)
    cells = both.assign(
        group=both["group"].fillna(_NEVER),
        segment=both["segment"].fillna(_OUT),
        part=(
            1 / person.groupby(person).transform("size")
        ).to_numpy(),  # who changed an answer is in two groups, and one person
    ).groupby(["group", "segment"])
    sizes, parts = cells.size(), cells["part"].sum()
    group, segment = sizes.index.get_level_values("group"), sizes.index.get_level_values("segment")
    rows = [group.isin(each) for each in before["sets"]]
    rows += [segment != _OUT, *(segment == one for one in sorted(now.unique()) if one != _REST)]
    table = np.unique(np.array(rows), axis=0)
    if _leaves_few(table.astype(float), sizes.to_numpy(), parts.to_numpy()):
        return None
    return {
        "keys": both.index.tolist(),
        "groups": cells.ngroup().tolist(),
        "sets": [np.flatnonzero(row).tolist() for row in table],
    }


def _leaves_few(table: np.ndarray, sizes: np.ndarray, parts: np.ndarray) -> bool:
    """Whether weights for the rows (selections x groups) leave a sum over 1 to 9 persons. True, too, where that takes too long to find out.

    sizes: persons of each group; parts: the same, where a person in several groups counts a part in each, so that no sum of them is above the number of persons.
    """
    large = sizes >= SMALLEST_REST
    if large.all():
        return False
    basis = np.linalg.svd(table, full_matrices=False)[2][: np.linalg.matrix_rank(table)]
    ways, lengths, _ = np.linalg.svd(basis[:, large])
    alone = ways[:, (lengths > _ZERO).sum() :].T @ basis[:, ~large]  # orthonormal rows: sums over small groups alone
    dimensions = len(alone)
    if not dimensions:
        return False
    columns = alone[:, np.abs(alone).max(axis=0) > _ZERO]
    columns = columns / np.linalg.norm(columns, axis=0)
    first = np.take_along_axis(columns, (np.abs(columns) > _ZERO).argmax(axis=0)[np.newaxis], axis=0)
    # Of columns that are zero together one will do.
    apart = np.unique(np.round(columns * np.sign(first), 6) + 0.0, axis=1, return_index=True)[1]
    if math.comb(len(apart), dimensions - 1) > _MOST_TRIED:
        return True
    zeros = np.array(list(itertools.combinations(apart, dimensions - 1)), dtype=int)
    chosen = np.linalg.svd(columns.T[zeros].transpose(0, 2, 1))[0][:, :, -1]  # tried x dimensions
    left = (np.abs(chosen @ alone) > _ZERO) @ parts[~large]
    return bool((left < SMALLEST_REST - _ZERO).any())
