"""T9: of 145 planted persons, no pair of figures that are both given may tell of a few: 10,000 random pairs with --release, else 1,000.

Views are what a reader can ask for: whose answers, which versions, which segment. What is given for one is `analyse`; which are given beside one another is `may_be_told`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from tests.analysis.conftest import Answer
from wtp.analysis import ALL, VERSIONS, Request, analyse, may_be_told
from wtp.analysis.disclosure import SMALLEST_REST, told
from wtp.analysis.views import members, told_apart
from wtp.survey import Answers, Survey

PLANTED = 145
# How many there are, or are wanted; what they answered is never told of a few.
_COUNTS = {"respondents", "choice_tasks", "target", "more_answers"}


@pytest.fixture(scope="module")
def planted(survey: Survey, answer: Answer) -> Answers:
    """Persons of three segments, a few of whom answered an earlier version with the same choices."""
    found = answer(PLANTED)
    older = survey.definition.model_copy(update={"minutes": survey.definition.minutes + 1})
    people = tuple(
        replace(r, definition_hash=older.hash if r.number % 29 == 0 else survey.definition_hash)
        for r in found.respondents
    )
    return Answers(found.study, people, found.hash, {older.hash: older})


def few(first: frozenset[int], second: frozenset[int]) -> bool:
    """Whether somebody who sees both can work out figures of 1 to 9 persons."""
    return any(0 < len(part) < SMALLEST_REST for part in (first - second, second - first, first ^ second))


def a_set(chance: random.Random) -> tuple[int, ...]:
    """Whom an analyst may have left out: nobody, a few, or many."""
    size = chance.choice((0, 1, 3, 9, 10, 12, 30, 60))
    return tuple(sorted(chance.sample(range(1, PLANTED + 1), size)))


def pairs(survey: Survey, planted: Answers, count: int, give: Callable[..., bool]) -> tuple[int, int]:
    """Of so many random pairs of views: how many were both given, and how many of those tell of a few."""
    chance, given, leaks, tried = random.Random(7), 0, 0, 0
    while tried < count:
        sets = [a_set(chance) for _ in range(3)]
        views = [
            (members(survey, planted, without, versions), give(survey, planted, sets, without, versions))
            for without in sets
            for versions in VERSIONS
        ]
        for _ in range(200):
            (first, told_first), (second, told_second) = chance.sample(views, 2)
            segment = chance.choice(sorted(first))
            tried += 1
            if told_first and told_second:
                given += 1
                leaks += few(first[segment], second[segment])
    return given, leaks


def test_no_two_figures_that_are_given_differ_by_a_few(
    survey: Survey, planted: Answers, rounds: Callable[[int], int]
) -> None:
    count = rounds(10_000)
    given, leaks = pairs(survey, planted, count, may_be_told)
    assert leaks == 0
    assert given > count / 20  # not by giving nothing


def test_without_the_rule_some_do(survey: Survey, planted: Answers) -> None:
    """The control: the same pairs, all given."""
    _, leaks = pairs(survey, planted, 500, lambda *_: True)
    assert leaks > 50


def test_the_usual_figures_are_always_given(survey: Survey, planted: Answers) -> None:
    for without in ((), (1,), tuple(range(1, 140))):
        assert may_be_told(survey, planted, [without, (), (5, 6)], without, VERSIONS[0])


def test_a_set_of_some_other_day_is_held_against_all_that_is_given(survey: Survey, planted: Answers) -> None:
    assert not may_be_told(survey, planted, [(), (1,)], (2,), VERSIONS[0])
    assert told_apart([{ALL: frozenset(range(20))}, {ALL: frozenset(range(29))}, {ALL: frozenset(range(30))}]) == [
        {ALL: frozenset(range(20))}, {ALL: frozenset(range(30))},
    ]  # fmt: skip


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
