"""T9: of 145 planted persons, and of 500 who come one after the other, no two and no three figures that are told, today or on other days, may tell of a few: 10,000 random pairs and 3,000 random triples with --release, else a tenth.

A selection is what a reader can ask for: whose answers, which versions, which segment, at which moment of the field. Which are told beside those told before is `tell`; how the pages ask it is
in tests/web/test_few.py. What is given for one alone is `analyse`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from tests.analysis.conftest import Answer
from wtp.analysis import ALL, SAME_CHOICES, VERSIONS, Request, analyse, tell
from wtp.analysis.disclosure import SMALLEST_REST, told
from wtp.analysis.views import COUNTED, KEY_BITS, Memory, _leaves_few, selection
from wtp.survey import Answers, Survey

PLANTED, MANY = 145, 500
FIELDS = 20
# How many there are, or are wanted; what they answered is never told of a few.
_COUNTS = {"respondents", "choice_tasks", "target", "more_answers"}
# The answers behind one figure: of one selection, kind and segment.
Figure = frozenset[int]
Rule = Callable[[Memory, Survey, Answers, Request], Memory | None]


def everything(memory: Memory, *_: object) -> Memory:
    """The control: no rule."""
    return memory


def with_an_earlier_version(survey: Survey, answers: Answers) -> Answers:
    """A few of them answered an earlier version with the same choices."""
    older = survey.definition.model_copy(update={"minutes": survey.definition.minutes + 1})
    people = tuple(
        replace(r, definition_hash=older.hash if r.number % 29 == 0 else survey.definition_hash)
        for r in answers.respondents
    )
    return Answers(answers.study, people, answers.hash, {older.hash: older})


@pytest.fixture(scope="module")
def planted(survey: Survey, answer: Answer) -> Answers:
    """Persons of three segments."""
    return with_an_earlier_version(survey, answer(PLANTED))


@pytest.fixture(scope="module")
def many(survey: Survey, answer: Answer) -> Answers:
    """Those who come one after the other."""
    return with_an_earlier_version(survey, answer(MANY))


def at(answers: Answers, first: int, *, under_way: int = 0, erased: Sequence[int] = ()) -> Answers:
    """The field when so many had begun, of whom the last few were half way, and some had been erased."""
    people = [
        r if place < first - under_way
        else replace(r, choices=r.choices[:6], answers=dict(itertools.islice(r.answers.items(), 2)), completed_at=None)
        for place, r in enumerate(answers.respondents[:first])
    ]  # fmt: skip
    return replace(answers, respondents=tuple(r for r in people if r.number not in erased))


def questions(chance: random.Random, answers: Answers) -> list[tuple[Answers, Request]]:
    """What readers ask while the field goes on: one more answered or many, somebody is left out, comes back, or is erased; and sets that nobody foresaw."""
    first, erased, left_out, found = 60, set[int](), set[int](), []
    while first <= MANY:
        for _ in range(chance.choice((1, 1, 2))):
            size = chance.choice((1, 9, 10, 30, 100, 250))
            other = set(chance.sample(range(1, MANY + 1), size))
            who = chance.choice((left_out, left_out, set(), other))
            under_way = chance.choice((0, 0, 0, 1, 4))
            then = at(answers, first, under_way=under_way, erased=sorted(erased))
            versions = chance.choice((SAME_CHOICES, *VERSIONS))
            found.append((then, Request(versions=versions, without=tuple(sorted(who)))))
        first += chance.choice((0, 0, 1, 10, 35, 60))
        left_out ^= set(chance.sample(range(1, 60), chance.choice((0, 0, 1, 2))))
        erased |= set(chance.sample(range(1, 60), chance.choice((0, 0, 0, 1))))
    return found


@dataclass(frozen=True)
class Field:
    """What was told during one field: the figures by kind of answer; how many selections of those that were asked for."""

    figures: Mapping[str, Sequence[Figure]]
    told: int
    asked: int


def field_with(survey: Survey, answers: Answers, rule: Rule, seed: int) -> Field:
    memory: Memory = {}
    figures: dict[str, list[Figure]] = {}
    count, asked = 0, questions(random.Random(seed), answers)
    for then, request in asked:
        after = rule(memory, survey, then, request)
        if after is None:
            continue
        memory, count = after, count + 1
        for kind, segment in selection(survey, then, request).items():
            parts = [segment.index, *(segment.index[segment == one] for one in set(segment) - {""})]
            figures.setdefault(kind, []).extend(frozenset(part.tolist()) for part in parts)
    return Field(figures, count, len(asked))


def leak(figures: Sequence[Figure]) -> bool:
    """Whether somebody who adds and subtracts these figures, each up to twice, is left with a sum over 1 to 9 persons."""
    keys = sorted(frozenset[int]().union(*figures))
    inside = np.array([[key in one for key in keys] for one in figures])
    patterns, which = np.unique(inside, axis=1, return_inverse=True)
    persons = [{keys[at] >> KEY_BITS for at in np.flatnonzero(which == n)} for n in range(patterns.shape[1])]
    weights = np.array(list(itertools.product(range(-2, 3), repeat=len(figures))))
    left = np.unique(weights @ patterns != 0, axis=0)
    return any(0 < len(set[int]().union(*itertools.compress(persons, row))) < SMALLEST_REST for row in left)


def leaks(fields: Sequence[Field], size: int, count: int) -> int:
    """Of so many random pairs or triples of figures of one field and one kind of answer, how many leak."""
    chance, found = random.Random(7), 0
    for _ in range(count):
        field = chance.choice(fields)
        figures = field.figures[chance.choice(sorted(field.figures))]
        found += leak([chance.choice(figures) for _ in range(size)])
    return found


@pytest.fixture(scope="module")
def fields(survey: Survey, many: Answers, rounds: Callable[[int], int]) -> list[Field]:
    return [field_with(survey, many, tell, seed) for seed in range(rounds(FIELDS))]


def test_no_two_figures_that_are_given_differ_by_a_few(fields: list[Field], rounds: Callable[[int], int]) -> None:
    assert leaks(fields, 2, rounds(10_000)) == 0
    told_, asked = (sum(getattr(field, name) for field in fields) for name in ("told", "asked"))
    assert told_ > asked / 5  # not by telling nothing


def test_no_three_figures_that_are_given_tell_of_a_few(fields: list[Field], rounds: Callable[[int], int]) -> None:
    assert leaks(fields, 3, rounds(3_000)) == 0


def test_without_the_rule_some_do(survey: Survey, many: Answers) -> None:
    """The control: the same questions, all answered."""
    without = [field_with(survey, many, everything, seed) for seed in range(2)]
    assert leaks(without, 2, 500) > 5
    assert leaks(without, 3, 500) > 15


def test_three_that_differ_by_many_are_judged_together(survey: Survey, planted: Answers) -> None:
    """Everybody, the first 70, and the next 72: each two differ by 70 or more, and all minus both are three persons."""
    first, second = tuple(range(71, PLANTED + 1)), (*range(1, 71), 143, 144, 145)
    memory: Memory = {}
    for without in ((), first):
        memory = tell(memory, survey, planted, Request(without=without)) or pytest.fail("told beside nothing else")
    assert tell(memory, survey, planted, Request(without=second)) is None
    assert tell({}, survey, planted, Request(without=second)) is not None
    sizes = [
        frozenset(selection(survey, planted, Request(without=w))[COUNTED].index.tolist()) for w in ((), first, second)
    ]
    assert all(len(a ^ b) >= SMALLEST_REST for a, b in itertools.combinations(sizes, 2))
    assert leak(sizes)


def test_the_fewest_that_can_be_left_are_found() -> None:
    """Against every set of small groups, one after the other: does anything remain that is zero elsewhere?"""
    chance, seen = np.random.default_rng(0), [0, 0]
    for _ in range(400):
        table = chance.random((chance.integers(2, 7), chance.integers(2, 10))) < 0.5
        table = np.unique(table[:, table.any(axis=0)], axis=0).astype(float)
        sizes = chance.integers(1, 25, table.shape[1])
        parts = list(itertools.chain.from_iterable(itertools.combinations(range(len(sizes)), n) for n in range(1, 10)))
        few = [part for part in parts if sizes[list(part)].sum() < SMALLEST_REST]
        rank = np.linalg.matrix_rank(table) if table.size else 0
        elsewhere = (np.delete(table, part, axis=1) for part in few)
        leaves = any((np.linalg.matrix_rank(rest) if rest.size else 0) < rank for rest in elsewhere)
        assert _leaves_few(table, sizes, sizes) == leaves
        seen[leaves] += 1
    assert min(seen) > 100


def test_one_more_answer_a_day_waits_until_ten_came_in_each_segment(survey: Survey, planted: Answers) -> None:
    memory = tell({}, survey, at(planted, 60), Request())
    assert memory is not None
    renewed = next(n for n in range(61, PLANTED) if tell(memory, survey, at(planted, n), Request()))
    before, now = (selection(survey, at(planted, n), Request())[COUNTED] for n in (60, renewed))
    came = now[~now.index.isin(before.index)].value_counts()
    assert came.min() == SMALLEST_REST  # the one who made it ten
    assert tell(memory, survey, at(planted, 60), Request()) == memory  # the same again tells nothing new
    assert all(tell(memory, survey, at(planted, n), Request()) for n in range(renewed, PLANTED, 7))


def test_who_is_left_out_or_changes_an_answer_goes_along_with_ten_others(survey: Survey, planted: Answers) -> None:
    memory = tell({}, survey, at(planted, 60), Request())
    assert memory is not None
    changed = at(planted, 60)
    one = replace(changed.respondents[7], choices=changed.respondents[7].choices[:-1])
    changed = replace(changed, respondents=(*changed.respondents[:7], one, *changed.respondents[8:]))
    assert tell(memory, survey, changed, Request()) is None
    assert tell(memory, survey, at(planted, 60), Request(without=(8,))) is None
    assert tell(memory, survey, at(planted, 60, erased=(8,)), Request()) is None
    assert tell(memory, survey, planted, Request(without=(8,))) is not None  # 85 came meanwhile


def cells(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Tables that say of how many respondents each row is."""
    return {name: frame for name, frame in tables.items() if {"respondents", "segment"} <= set(frame.columns)}


@pytest.mark.parametrize("kept", [PLANTED, 39], ids=lambda kept: f"{kept} persons")
def test_no_cell_is_small_and_no_small_one_can_be_worked_out(survey: Survey, planted: Answers, kept: int) -> None:
    """Through `analyse`: every row of a mean or share is of 10 or more, and what the shown segments leave of all is nobody, or 10 or more."""
    without = tuple(range(kept + 1, PLANTED + 1))
    analysis = analyse(survey, planted, Request(model="conditional", without=without))
    seen = 0
    for name, frame in cells(dict(analysis.tables)).items():
        keys = [key for key in ("question", "attribute", "item", "option", "quantity") if key in frame]
        figures = [c for c in frame.select_dtypes("number").columns if c not in _COUNTS]
        shown = frame[frame[figures].notna().any(axis=1) & (frame["respondents"] > 0)] if figures else frame.iloc[:0]
        assert not (shown["respondents"] < SMALLEST_REST).any(), name
        additive = shown[[*keys, "segment", "respondents"]].drop_duplicates([*keys, "segment"])
        for _, rows in additive.groupby(keys) if keys else [((), additive)]:
            size = rows.set_index("segment")["respondents"]
            if ALL in size and len(size) > 1:
                rest = size[ALL] - size.drop(ALL).sum()
                assert rest <= 0 or rest >= SMALLEST_REST, (name, dict(size))
                seen += 1
    assert seen > 3 or kept < PLANTED


def test_segments_are_hidden_until_no_few_are_left_over() -> None:
    chance = random.Random(3)
    for _ in range(2_000):
        sizes = {f"s{n}": chance.randint(0, 60) for n in range(chance.randint(2, 6))}
        total = sum(sizes.values()) + chance.choice((0, 0, 3, 12))
        shown = told({ALL: total, **sizes})
        rest = total - sum(sizes[name] for name in shown if name != ALL)
        assert all(sizes[name] >= 30 for name in shown if name != ALL)
        if len(shown) > 1:
            assert rest == 0 or rest >= SMALLEST_REST
