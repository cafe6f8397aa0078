"""Found segments, profiles, partial pooling, scale test and typing tool on data whose groups are known, and on data without any."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.pricing.conftest import fit_of, simulate
from tests.pricing.test_people import fit_with
from wtp.errors import DataError
from wtp.estimation import ChoiceData, HierarchicalResults
from wtp.pricing import Step
from wtp.segments import found_segments, overlap, partially_pooled, profile, scale_test, shares, typing_tool
from wtp.segments.found import UNUSABLE, adjusted_rand

STEPS = (Step("speed", "slow", "quick"), Step("brand", "new", "known"), Step("brand", "new", "leading"))
PEOPLE = 160


def people(apart: bool) -> tuple[HierarchicalResults, np.ndarray]:
    """Two groups, one for speed and one for the brand; or one group as wide as both."""
    rng = np.random.default_rng(4)
    group = np.arange(PEOPLE) % 2
    draws = np.zeros((20, PEOPLE, 5))
    draws[..., 3], draws[..., 4] = -0.05, -4
    draws[..., 0] = (
        np.where(group, 2.0, 0.3) + rng.normal(0, 0.3, PEOPLE) if apart else 1.1 + rng.normal(0, 0.9, PEOPLE)
    )
    draws[..., 1] = (
        np.where(group, 0.2, 1.0) + rng.normal(0, 0.2, PEOPLE) if apart else 0.6 + rng.normal(0, 0.45, PEOPLE)
    )
    draws[..., 2] = 0.7 + rng.normal(0, 0.3, PEOPLE)
    draws[..., :3] += rng.normal(0, 0.2, (20, PEOPLE, 3))
    return fit_with(draws), group


@pytest.fixture(scope="module")
def groups() -> tuple[HierarchicalResults, np.ndarray]:
    return people(apart=True)


def test_groups_that_are_there_are_found(groups: tuple[HierarchicalResults, np.ndarray]) -> None:
    fit, truth = groups
    found = found_segments(fit, STEPS, 2, replicates=20)
    table, agreement = overlap(
        found.members.set_index("respondent")["segment"], pd.Series(truth, index=fit.data.respondents)
    )
    assert agreement > 0.95
    assert table["respondents"].sum() == PEOPLE
    assert found.verdict == "good"
    assert found.jaccard.min() > 0.75
    assert found.members["probability"].mean() > 0.9
    assert list(found.worth["respondents"]) == sorted(found.worth["respondents"], reverse=True)
    worth = found.worth.set_index("segment")["speed[slow -> quick]"]
    assert sorted(worth) == pytest.approx([6, 40], abs=4)


def test_one_group_is_not_cut_into_segments() -> None:
    found = found_segments(people(apart=False)[0], STEPS, range(2, 4), replicates=20)
    assert found.verdict == UNUSABLE
    assert list(found.quality["segments"]) == [2, 3]


def test_groups_in_cents_are_the_same(groups: tuple[HierarchicalResults, np.ndarray]) -> None:
    fit, _ = groups
    again = found_segments(fit, tuple(reversed(STEPS)), 2, replicates=5, seed=7)
    one = found_segments(fit, STEPS, 2, replicates=5)
    assert overlap(*(f.members.set_index("respondent")["segment"] for f in (one, again)))[1] == pytest.approx(1)


def test_groups_need_tastes_and_respondents(groups: tuple[HierarchicalResults, np.ndarray]) -> None:
    with pytest.raises(DataError, match="tastes of each respondent"):
        found_segments(fit_of(simulate(respondents=40)), STEPS)
    few = people(apart=True)[0].segment(np.arange(PEOPLE) < 40)
    with pytest.raises(DataError, match="below 30"):
        found_segments(few, STEPS, 3, replicates=2)


def test_the_adjusted_rand_index_of_a_printed_example() -> None:
    # Hubert and Arabie's formula worked by hand: 2 x 3 table, sum of pairs 3, rows 6, columns 4, of 15 pairs
    table = np.array([[2, 1, 0], [0, 1, 2]])
    assert adjusted_rand(table) == pytest.approx((2 - 6 * 3 / 15) / ((6 + 3) / 2 - 6 * 3 / 15))
    assert adjusted_rand(np.diag([3, 4])) == 1


@pytest.fixture(scope="module")
def answers() -> tuple[pd.Series, pd.DataFrame]:
    rng = np.random.default_rng(8)
    segment = pd.Series(rng.choice(["a", "b"], 300))
    frame = pd.DataFrame({f"noise{i}": rng.choice(list("xyz"), 300) for i in range(8)})
    frame["core"] = np.where(rng.random(300) < 0.85, segment, np.where(segment == "a", "b", "a"))
    frame["size"] = rng.normal(0, 1, 300) + (segment == "b")
    frame.loc[:20, "size"] = np.nan
    return segment, frame


def test_what_differs_is_told_from_what_does_not(answers: tuple[pd.Series, pd.DataFrame]) -> None:
    table = profile(*answers).set_index("variable")
    assert set(table.index[table["differs"]]) == {"core", "size"}
    assert table.loc["size", "respondents"] == 279
    assert (table["p_adjusted"] >= table["p_value"]).all()
    segment, frame = answers
    counts = pd.crosstab(segment, frame["core"]).to_numpy()
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    chi = ((counts - expected) ** 2 / expected).sum()
    assert table.loc["core", "statistic"] == pytest.approx(chi)
    assert table.loc["core", "effect"] == pytest.approx(np.sqrt(chi / 300))


def test_no_more_false_discoveries_than_promised() -> None:
    found = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({f"q{i}": rng.choice(list("xy"), 120) for i in range(10)})
        found += bool(profile(pd.Series(rng.choice(["a", "b", "c"], 120)), frame)["differs"].any())
    assert found / 40 <= 0.25  # 0.10 expected; above 0.25 has a probability of 0.003


def test_shares_of_a_segment_are_its_counts(answers: tuple[pd.Series, pd.DataFrame]) -> None:
    segment, frame = answers
    table = shares(segment, frame).set_index(["segment", "variable", "answer"])
    assert table.loc[("a", "core", "a"), "share"] == pytest.approx((frame["core"][segment == "a"] == "a").mean())
    assert table.loc[("b", "size", "mean"), "share"] == pytest.approx(frame["size"][segment == "b"].mean())
    assert (table["low"] <= table["share"]).all()


def test_few_questions_tell_the_segment(answers: tuple[pd.Series, pd.DataFrame]) -> None:
    tool = typing_tool(*answers)
    assert tool.questions["question"].iloc[0] == "core"
    assert 0.78 < tool.hit_rate < 0.92
    assert tool.chance < 0.6
    assert tool.segment_of({"core": "a"}) == "a"
    assert tool.segment_of({"core": "b", "colour": "blue"}) == "b"


def test_useless_questions_promise_nothing() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({f"q{i}": rng.choice(list("xyz"), 200) for i in range(10)})
    tool = typing_tool(pd.Series(rng.choice(["a", "b"], 200)), frame)
    assert tool.hit_rate < 0.6  # although the best of ten questions looks better on the same people


def test_small_segments_move_to_the_common_mean_by_what_they_know() -> None:
    table = pd.DataFrame({
        "segment": list("abc"), "step": "s", "estimate": [10.0, 12.0, 30.0], "std_error": [1.0, 1.0, 10.0]
    })  # fmt: skip
    found = partially_pooled(table, by=["step"])
    w = np.array([1, 1, 0.01])
    common = (w * table["estimate"]).sum() / w.sum()
    q = (w * (table["estimate"] - common) ** 2).sum()
    between = (q - 2) / (w.sum() - (w**2).sum() / w.sum())
    assert found["weight"].to_numpy() == pytest.approx(between / (between + table["std_error"] ** 2))
    assert abs(found["pooled"].iloc[2] - 11) < abs(30 - 11) / 10
    alike = partially_pooled(table.assign(estimate=[10.0, 10.1, 10.2]), by=["step"])
    assert alike["pooled"].std() < 1e-12
    assert (alike["weight"] == 0).all()


def halves(scale: float, quick: float) -> tuple[ChoiceData, np.ndarray]:
    """Two halves of the respondents, the second with utilities times `scale` and another taste for speed."""
    first = simulate(respondents=300, seed=1)
    second = simulate(respondents=300, seed=2)
    rng = np.random.default_rng(5)
    worths = {"slow": 0.0, "quick": quick}
    v = scale * (
        second["speed"].map(worths).astype(float) + second["brand"].map({"new": 0.0, "known": 0.5, "leading": 0.7}).astype(float)
        - 0.05 * second["price"] - 4.0 * second["none"]
    )  # fmt: skip
    noisy = (v + rng.gumbel(size=len(v))).to_numpy().reshape(-1, 4)
    second["chosen"] = (noisy == noisy.max(axis=1, keepdims=True)).ravel().astype(int)
    frame = pd.concat([first, second.assign(respondent=second["respondent"] + 1000)], ignore_index=True)
    data = ChoiceData.from_long(frame, "speed + brand + price + none")
    return data, np.where(np.asarray(data.respondents) < 1000, "one", "two")


def test_consistency_is_told_from_taste() -> None:
    consistent = scale_test(*halves(scale=2.0, quick=0.9))
    assert consistent.tastes[2] > 0.01
    assert consistent.scale[2] < 1e-6
    assert consistent.scales.set_index("segment").loc["two", "scale"] == pytest.approx(2, abs=0.25)
    other_taste = scale_test(*halves(scale=1.0, quick=2.0))
    assert other_taste.tastes[2] < 1e-6
    alike = scale_test(*halves(scale=1.0, quick=0.9))
    assert min(alike.tastes[2], alike.scale[2]) > 0.01
    assert alike.tastes[1:2] + alike.scale[1:2] == (4, 1)
