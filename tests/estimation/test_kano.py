"""Kano pairs: the evaluation table, coefficients by hand, Fong's rule, intervals that hold at their rate."""

from __future__ import annotations

import numpy as np
import pytest

from wtp.errors import DataError
from wtp.estimation import kano

LETTERS = {"A": "attractive", "O": "one_dimensional", "M": "must_be", "I": "indifferent", "R": "reverse", "Q": "questionable"}  # fmt: skip
TABLE = ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")


@pytest.mark.parametrize("row", range(5))
@pytest.mark.parametrize("column", range(5))
def test_each_pair_falls_into_the_category_of_the_evaluation_table(row: int, column: int) -> None:
    found = kano(np.array([row + 1]), np.array([column + 1]))
    assert found.category == LETTERS[TABLE[row][column]]
    assert sum(found.counts.values()) == 1


def answers(**counts: int) -> tuple[np.ndarray, np.ndarray]:
    """As many answers of each category: its letter with a count."""
    pairs = {"A": (1, 3), "O": (1, 5), "M": (3, 5), "I": (3, 3), "R": (5, 1), "Q": (1, 1)}
    both = np.array([pairs[letter] for letter, count in counts.items() for _ in range(count)])
    return both[:, 0], both[:, 1]


def test_coefficients_by_hand() -> None:
    found = kano(*answers(A=10, O=20, M=5, I=15, R=30, Q=20))
    assert found.better[0] == pytest.approx(30 / 50)
    assert found.worse[0] == pytest.approx(-25 / 50)
    assert found.better[1] < found.better[0] < found.better[2]
    assert found.worse[1] < found.worse[0] < found.worse[2] < 0


@pytest.mark.parametrize(("lead", "decided"), [(60, True), (52, False)])
def test_a_category_is_named_only_if_it_leads_by_fongs_rule(lead: int, decided: bool) -> None:
    """a = lead, b = 40 of n = 200: 1.65 sqrt((a + b)(2n - a - b) / (2n)) is about 14.3 and 13.9."""
    found = kano(*answers(A=lead, I=40, O=35, M=35, R=90 - lead))
    limit = 1.65 * np.sqrt((lead + 40) * (400 - lead - 40) / 400)
    assert found.decided is decided is bool(lead - 40 > limit)


def test_where_nobody_answers_in_a_category_that_counts_there_is_no_coefficient() -> None:
    found = kano(*answers(R=10, Q=5))
    assert np.isnan([found.better[0], found.worse[0]]).all()
    assert found.category == "reverse"


@pytest.mark.parametrize("wrong", [0, 6, 2.5, np.nan])
def test_other_numbers_are_refused(wrong: float) -> None:
    with pytest.raises(DataError, match="from 1"):
        kano(np.array([1, wrong]), np.array([1, 2]))


def test_nine_of_ten_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(4)
    letters, chances = list("AOMI"), [0.4, 0.25, 0.15, 0.2]
    held = []
    for draw in range(200):
        counts = dict(zip(letters, map(int, rng.multinomial(120, chances)), strict=True))
        found = kano(*answers(**counts), confidence=0.90, replicates=400, seed=draw)
        held += [found.better[1] <= 0.65 <= found.better[2], found.worse[1] <= -0.40 <= found.worse[2]]
    assert 0.86 <= np.mean(held) <= 0.94
