"""Before and after, from figures with their intervals alone: what is there is found, what is not is not claimed, another mix of respondents changes nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

from wtp.customers.waves import (
    BEYOND,
    DIFFERENCE,
    at_confidence,
    beyond,
    differences,
    false_discoveries,
    for_everybody,
    mix,
    p_value,
    side_by_side,
    weighted_sum,
)

SURE = 0.90
Z = norm.ppf((1 + SURE) / 2)
PAIRS, FIGURES = 2_000, 60


def seen(truth: np.ndarray, error: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Figures of one wave with 90 % intervals: half of them symmetric, half lopsided (normal on the log scale)."""
    noise = rng.standard_normal(truth.shape) * error
    straight = truth + noise, truth + noise - Z * error, truth + noise + Z * error
    logs = np.log(truth) + noise / truth
    lopsided = np.exp(logs), np.exp(logs - Z * error / truth), np.exp(logs + Z * error / truth)
    even = np.arange(truth.shape[-1]) % 2 == 0
    return tuple(np.where(even, one, other) for one, other in zip(straight, lopsided, strict=True))  # type: ignore[return-value]


def both(before: tuple[np.ndarray, ...], after: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    return [np.stack(ends, axis=-1) for ends in zip(before, after, strict=True)]


def test_the_difference_of_two_shares_has_the_published_interval() -> None:
    """Newcombe (1998), Table II, method 10: 56 of 70 less 48 of 80."""
    wilson = [proportion_confint(x, n, alpha=0.05, method="wilson") for x, n in ((56, 70), (48, 80))]
    found = weighted_sum([1, -1], [56 / 70, 48 / 80], *zip(*wilson, strict=True))
    assert np.round(found, 4).tolist() == [0.2, 0.0524, 0.3339]


def test_a_clear_difference_is_one_whose_interval_does_not_hold_zero() -> None:
    rng = np.random.default_rng(1)
    before, after = (seen(rng.uniform(2, 6, 500), rng.uniform(0.1, 0.8, 500), rng) for _ in range(2))
    total, low, high = weighted_sum([-1, 1], *both(before, after))
    assert np.array_equal(p_value(total, low, high, SURE) < 1 - SURE, (low > 0) | (high < 0))
    assert np.isnan(p_value(1.0, 1.0, 1.0, SURE)), "a figure without an interval claims nothing"
    assert false_discoveries([0.01, np.nan, 0.04]).tolist() == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)


def test_where_nothing_changed_nothing_is_claimed() -> None:
    """2,000 pairs of waves with 60 figures each: one interval in ten does not hold 0 by chance, a claim is made in at most one pair in ten."""
    rng = np.random.default_rng(2)
    truth, error = rng.uniform(2, 6, (PAIRS, FIGURES)), rng.uniform(0.1, 0.5, (2, PAIRS, FIGURES))
    found = weighted_sum([-1, 1], *both(seen(truth, error[0], rng), seen(truth, error[1], rng)))
    p = p_value(*found, SURE)
    assert (p < 1 - SURE).mean() == pytest.approx(0.10, abs=0.005)
    claims = (false_discoveries(p) <= 1 - SURE).any(axis=1).mean()
    assert 0.07 < claims <= 0.12


def test_changes_are_found_within_their_intervals() -> None:
    """A third of the figures moved: nine intervals in ten hold the change, and at most one claim in ten is false."""
    rng = np.random.default_rng(3)
    truth, error = rng.uniform(3, 6, (PAIRS, FIGURES)), rng.uniform(0.1, 0.3, (2, PAIRS, FIGURES))
    moved = np.where(np.arange(FIGURES) % 3 == 0, 0.8, 0.0)
    total, low, high = weighted_sum([-1, 1], *both(seen(truth, error[0], rng), seen(truth + moved, error[1], rng)))
    assert ((low <= moved) & (moved <= high)).mean() == pytest.approx(SURE, abs=0.01)
    claimed = false_discoveries(p_value(total, low, high, SURE)) <= 1 - SURE
    false = (claimed & (moved == 0)).sum(axis=1) / np.maximum(claimed.sum(axis=1), 1)
    assert false.mean() < 0.10
    assert claimed[:, moved > 0].mean() > 0.5


def wave(**figures: tuple[float, float, float]) -> pd.DataFrame:
    rows = [(name, "speed", *ends) for name, ends in figures.items()]
    return pd.DataFrame(rows, columns=["segment", "thing", "estimate", "low", "high"])


def test_only_what_both_waves_tell_is_compared() -> None:
    nothing = (np.nan, np.nan, np.nan)
    pairs = side_by_side(wave(a=(1, 0, 2), b=nothing, c=(1, 0, 2)), wave(a=(3, 2, 4), b=(1, 0, 2)), ["segment", "thing"])  # fmt: skip
    assert pairs["segment"].tolist() == ["a"]
    table = differences(pairs, SURE)
    assert table[list(DIFFERENCE)].iloc[0].tolist() == pytest.approx([2, 2 - 2**0.5, 2 + 2**0.5])
    wider = at_confidence(wave(a=(1, 0, 3)), 0.90, 0.95)
    assert wider[["low", "high"]].iloc[0].tolist() == pytest.approx([1 - 1.1916, 1 + 2 * 1.1916], abs=1e-3)
    empty = differences(pairs.head(0), SURE)
    assert empty[["clear", "differs"]].empty


def test_everybody_stands_for_the_customers_in_both_waves() -> None:
    """Weights are the customers' and not the respondents', so another mix moves nothing; where a segment is missing there is no everybody."""
    then, now = wave(a=(1, 0.8, 1.2), b=(5, 4, 6)), wave(a=(1, 0.7, 1.3), b=(5, 4.5, 5.5))
    pairs = side_by_side(then, now, ["segment", "thing"])
    found = for_everybody(pairs, {"a": 300.0, "b": 100.0}, segment="all", by=["thing"])
    assert found[["segment", "thing"]].iloc[0].tolist() == ["all", "speed"]
    assert found["before"].item() == found["after"].item() == pytest.approx(2.0)
    assert found["before_low"].item() == pytest.approx(2 - np.hypot(0.75 * 0.2, 0.25 * 1))
    assert for_everybody(pairs.head(1), {"a": 300.0, "b": 100.0}, segment="all", by=["thing"]).empty


def test_what_moved_more_than_elsewhere_is_found_within_its_interval() -> None:
    """Everybody's figures rise by 0.5, those of the segment with a measure by 0.8 more."""
    rng, names, things = np.random.default_rng(4), ["treated", "begun", "one", "two"], 200
    truth, error = rng.uniform(3, 5, (things, 4)), np.array([0.2, 0.3, 0.25, 0.4])
    sides = []
    for more in (0.0, 0.5 + 0.8 * np.array([1, 0, 0, 0])):
        ends = np.stack(seen(truth + more, error, rng), axis=-1).reshape(-1, 3)
        keys = pd.MultiIndex.from_product([[f"{n}" for n in range(things)], names], names=["thing", "segment"])
        sides.append(pd.DataFrame(ends, keys, columns=["estimate", "low", "high"]).reset_index())
    table = differences(side_by_side(*sides, ["segment", "thing"]), SURE)
    table["measure"] = table["segment"].map({"treated": "done", "begun": "running", "one": "", "two": ""})
    found = beyond(table, {"one": 2.0, "two": 1.0}, by=["thing"], confidence=SURE)
    assert len(found) == things
    assert set(found["segment"] + ": " + found["compared_with"]) == {"treated: one, two"}
    own = table.pivot_table("difference", "thing", "segment").loc[found["thing"]]
    assert np.allclose(found["beyond"], own["treated"] - (2 * own["one"] + own["two"]) / 3)
    assert ((found["beyond_low"] <= 0.8) & (found["beyond_high"] >= 0.8)).mean() == pytest.approx(SURE, abs=0.05)
    assert beyond(table[table["measure"] != ""], {}, by=["thing"], confidence=SURE)[list(BEYOND)].empty, "no comparison"


def test_another_mix_of_respondents_is_told() -> None:
    same, other = mix({"a": 120, "b": 80}, {"a": 60, "b": 40}, SURE), mix({"a": 120, "b": 80}, {"a": 30, "b": 70}, SURE)
    assert same["p_value"].iloc[0] == pytest.approx(1.0)
    assert same["difference"].tolist() == [0, 0]
    assert other["p_value"].iloc[0] < 0.001
    assert other["difference"].tolist() == pytest.approx([-0.3, 0.3])
    assert (other["difference_high"].iloc[0], other["difference_low"].iloc[1]) < (0, 1)
    assert mix({}, {}, SURE).empty
    assert mix({"a": 5}, {"a": 0}, SURE)["p_value"].isna().all()
