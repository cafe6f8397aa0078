"""Expectation against experience: gaps are found again, claims are rare where there is nothing, and the reliability is that of the formula."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wtp.customers.expectations import EXCEEDED, MISSED, difference_reliability, expectation_gaps
from wtp.customers.gaps import paired_gaps

ATTRIBUTES = list("abcdefg")


def rated(means: np.ndarray, people: int, rng: np.random.Generator, halo: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """Expectations and experiences (N, L) round means (2, L) on a scale from 1 to 7, of persons who are all inclined alike in both."""
    own = halo * rng.standard_normal((people, 1))
    one, other = (m + own + 1.1 * rng.standard_normal((people, len(m))) for m in means)
    return np.clip(np.round(one), 1, 7), np.clip(np.round(other), 1, 7)


def frames(arrays: tuple[np.ndarray, np.ndarray]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return tuple(pd.DataFrame(values, columns=ATTRIBUTES[: values.shape[1]]) for values in arrays)  # type: ignore[return-value]


def test_a_gap_is_paired_by_person_and_by_hand() -> None:
    one = pd.DataFrame({"a": [5.0, 6, 7, np.nan], "b": [1.0, 1, 1, 1]}, index=[1, 2, 3, 4])
    other = pd.DataFrame({"a": [4.0, 4, 6, 7], "c": [1.0] * 4}, index=[1, 2, 3, 4])
    row = paired_gaps(one, other).set_index("attribute").loc["a"]
    # differences -1, -2, -1: mean -4/3, standard deviation 1/sqrt(3), error 1/3, t(0.95, 2) = 2.919986
    assert row["respondents"] == 3
    assert row[["first", "second", "gap"]].tolist() == pytest.approx([6, 14 / 3, -4 / 3])
    assert row[["gap_low", "gap_high"]].tolist() == pytest.approx([-4 / 3 - 2.919986 / 3, -4 / 3 + 2.919986 / 3], abs=1e-6)  # fmt: skip
    assert paired_gaps(one, other, least=4).empty


def test_intervals_of_gaps_cover_the_truth() -> None:
    """400 studies side by side as columns: the 90 % interval holds the true gap in about 90 %."""
    rng, studies = np.random.default_rng(5), 400
    means = np.repeat([[4.5], [3.9]], studies, axis=1)
    one, other = rated(means, 60, rng)
    truth = np.subtract(*(values.mean() for values in rated(means[:, :1], 200_000, rng)[::-1]))
    table = paired_gaps(pd.DataFrame(one), pd.DataFrame(other), confidence=0.90)
    assert len(table) == studies
    held = ((table["gap_low"] <= truth) & (truth <= table["gap_high"])).mean()
    assert 0.85 <= held <= 0.95


def test_missed_and_exceeded_are_found_and_chance_is_not() -> None:
    """At most one study of twenty without any difference may claim one."""
    rng = np.random.default_rng(6)
    there = np.array([[5.5] * 7, [4.5, 6.2, 5.5, 5.5, 5.5, 5.5, 5.5]])
    nothing, alarms, studies = np.full((2, 7), 5.0), 0, np.random.default_rng(60)
    found = expectation_gaps({"all": frames(rated(there, 150, rng))}).set_index("attribute")
    assert found.loc["a", "verdict"] == MISSED
    assert found.loc["b", "verdict"] == EXCEEDED
    assert (found.loc[list("cdefg"), "verdict"] == "").all()
    assert (found["together_low"] < found["gap_low"]).all()
    for _ in range(200):
        table = expectation_gaps({name: frames(rated(nothing, 60, studies)) for name in ("all", "one")})
        alarms += bool((table["verdict"] != "").any())
    assert alarms / 200 <= 0.08


def test_few_ratings_of_an_attribute_have_no_row() -> None:
    one, other = frames(rated(np.full((2, 7), 5.0), 40, np.random.default_rng(7)))
    other.loc[5:, "b"] = np.nan
    table = expectation_gaps({"all": (one, other)})
    assert "b" not in set(table["attribute"])
    assert len(table) == 6
    assert expectation_gaps({"all": (one[:5], other[:5])}).empty


def test_the_reliability_of_a_difference_is_that_of_its_formula() -> None:
    """Two scores of the same spread and reliability: (r - r_xy) / (1 - r_xy)."""
    rng = np.random.default_rng(8)
    people, items = 4_000, 4
    shared, own = rng.standard_normal((people, 1)), rng.standard_normal((people, 2))
    one, other = (0.6 * shared + own[:, [k]] + 2 * rng.standard_normal((people, items)) for k in (0, 1))
    found = difference_reliability(*frames((one, other)), replicates=200)
    true = 1.36 / (1.36 + 4 / items)  # variance of a person's true score over that of his mean
    between = 0.36 / (1.36 + 4 / items)
    assert found["alpha_expected"] == pytest.approx(true, abs=0.03)
    assert found["score_correlation"] == pytest.approx(between, abs=0.04)
    assert found["reliability"] == pytest.approx((true - between) / (1 - between), abs=0.04)
    r = (found["alpha_expected"] + found["alpha_met"]) / 2
    by_hand = (r - found["score_correlation"]) / (1 - found["score_correlation"])
    assert found["reliability"] == pytest.approx(by_hand, abs=0.01)
    assert found["reliability_low"] < found["reliability"] < found["reliability_high"]


@pytest.mark.parametrize("columns", [["a"], list("ab")])
def test_a_reliability_that_cannot_be_known_is_missing(columns: list[str]) -> None:
    same = pd.DataFrame(4.0, index=range(40), columns=columns)
    found = difference_reliability(same, same, replicates=50)
    assert np.isnan(found["reliability"])
    assert np.isnan(found["reliability_low"])
