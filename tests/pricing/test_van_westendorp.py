"""Van Westendorp against the R package pricesensitivitymeter 1.3.3 on the same answers (figures below), and its edge cases."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wtp.errors import DataError
from wtp.pricing import VanWestendorpResult, van_westendorp
from wtp.pricing.van_westendorp import COLUMNS

GOLDEN = Path(__file__).parents[1] / "golden" / "van_westendorp.csv.gz"


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    return pd.read_csv(GOLDEN)


def estimates(result: VanWestendorpResult) -> dict[str, float]:
    return result.points.set_index("point")["estimate"].to_dict()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"PMC": 65.0, "PME": 133.181818, "IDP": 93.25, "OPP": 95.5}),
        ({"price_range": "narrower"}, {"PMC": 80.0, "PME": 112.727273, "IDP": 93.25, "OPP": 95.5}),
        ({"validate": "none"}, {"PMC": 64.833333, "PME": 131.590909, "IDP": 92.5, "OPP": 95.0}),
    ],
)
def test_equals_the_r_package(answers: pd.DataFrame, options: dict[str, str], expected: dict[str, float]) -> None:
    assert estimates(van_westendorp(answers, bootstrap=0, **options)) == pytest.approx(expected, abs=1e-6)


def test_the_worked_example_of_five_persons() -> None:
    found = doctest.testmod(import_module("wtp.pricing.van_westendorp"))  # the function hides its module's name
    assert found.attempted > 0
    assert found.failed == 0


def test_ties_are_counted_apart_from_reversals(answers: pd.DataFrame) -> None:
    result = van_westendorp(answers, bootstrap=0)
    prices = answers[list(COLUMNS)].to_numpy()
    steps = np.diff(prices, axis=1)
    assert result.excluded_reversed == (steps < 0).any(axis=1).sum() == 8
    assert result.excluded_ties == ((steps == 0).any(axis=1) & (steps >= 0).all(axis=1)).sum() == 4
    assert result.respondents == 188
    assert van_westendorp(answers, validate="ties", bootstrap=0).respondents == 192


def test_intervals_hold_their_estimate_and_depend_on_the_seed_alone(answers: pd.DataFrame) -> None:
    one, same, other = (van_westendorp(answers, bootstrap=300, seed=seed).points for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert (one["low"] <= one["estimate"]).all()
    assert (one["estimate"] <= one["high"]).all()
    assert not one["low"].equals(other["low"])
    wide = van_westendorp(answers, bootstrap=300, seed=1, confidence=0.99).points
    assert (wide["high"] - wide["low"] >= one["high"] - one["low"]).all()


def test_curves_are_monotone_shares(answers: pd.DataFrame) -> None:
    curves = van_westendorp(answers, bootstrap=0).curves
    assert curves["price"].is_monotonic_increasing
    assert (curves[["too_cheap", "cheap"]].diff().dropna() <= 1e-12).all().all()
    assert (curves[["expensive", "too_expensive"]].diff().dropna() >= -1e-12).all().all()
    assert ((curves[list(COLUMNS)] >= 0) & (curves[list(COLUMNS)] <= 1)).all(axis=None)


def test_a_flat_stretch_is_said() -> None:
    apart = pd.DataFrame({"too_cheap": [1, 2], "cheap": [3, 4], "expensive": [10, 12], "too_expensive": [20, 22]})
    points = van_westendorp(apart, bootstrap=0).points.set_index("point")
    assert points.loc["OPP", "note"] != ""
    assert points.loc["OPP", "estimate"] == 2


def test_many_exclusions_are_a_note() -> None:
    good = pd.DataFrame([[1, 2, 3, 4]] * 6, columns=list(COLUMNS))
    bad = pd.DataFrame([[4, 3, 2, 1]] * 4, columns=list(COLUMNS))
    notes = van_westendorp(pd.concat([good, bad], ignore_index=True), bootstrap=0).notes
    assert [note.code for note in notes] == ["van_westendorp_excluded"]
    assert "40%" in str(notes[0])
    assert van_westendorp(good, bootstrap=0).notes == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="cheap"), "cheap"),
        (lambda f: f.assign(cheap=["x", *f["cheap"][1:]]), "numbers"),
        (lambda f: f.assign(cheap=[np.nan, *f["cheap"][1:]]), "row 1"),
        (lambda f: f.iloc[:1], "at least 2"),
        (lambda f: f.assign(too_cheap=-1.0), "row 1"),
    ],
)
def test_bad_input_is_named(answers: pd.DataFrame, change: Callable[[pd.DataFrame], pd.DataFrame], words: str) -> None:
    with pytest.raises(DataError, match=words):
        van_westendorp(change(answers.head(20).astype(object)), bootstrap=0)
