"""The customer's process: figures by hand, what is known is found again within its intervals, and what is even claims nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, kruskal

from wtp.customers import process

STEPS = ["book", "bring", "wait", "told", "fetch", "pay"]
ALARM = process.FALSE_ALARM


def marked(rng: np.random.Generator, n: int, weights: np.ndarray, most: int = 3) -> pd.DataFrame:
    """Marks (N, C) one after the other with chances in the ratio of the weights."""
    keys = np.log(weights) + rng.gumbel(size=(n, len(weights)))
    return pd.DataFrame(np.argsort(np.argsort(-keys, axis=1), axis=1) < most, columns=STEPS[: len(weights)]).astype(
        float
    )


def true_coverage(chances: np.ndarray, chosen: tuple[int, ...]) -> np.ndarray:
    """Of windows that suit independently of each other."""
    return 1 - np.cumprod(1 - chances[list(chosen)])


# By hand


def test_an_even_spread_by_hand() -> None:
    marks = pd.DataFrame({"a": [1.0] * 18 + [0.0] * 2, "b": [1.0] * 10 + [0.0] * 10, "c": [0.0] * 18 + [1.0] * 2})
    found = process.even_spread(marks, 0.90)
    assert found["share"].tolist() == [0.9, 0.5, 0.1]
    assert found["even"].tolist() == pytest.approx([0.5] * 3), "30 marks on 60 cells"
    assert found.loc["a", "p_value"] == pytest.approx(binomtest(18, 20, 0.5, alternative="greater").pvalue)
    interval = binomtest(18, 20).proportion_ci(0.90, method="wilson")
    assert found.loc["a", ["low", "high"]].tolist() == pytest.approx([interval.low, interval.high])
    assert (found.loc[["b", "c"], "p_value"] >= 0.5).all()


def test_satisfaction_is_compared_with_the_other_ratings_of_the_same_person() -> None:
    kind, strict = [7, 6, 4], [4, 3, 1]
    ratings = pd.DataFrame([kind, strict] * 20, columns=["a", "b", "c"], dtype=float)
    ratings.iloc[0, 0] = np.nan
    found = process.satisfaction(ratings, 0.90, 30)
    assert found.loc["b", "satisfaction"] == pytest.approx(4.5)
    assert found.loc["c", "gap"] == pytest.approx(((4 - 6) + 39 * -2.5) / 40), "the first one did not rate a"
    assert found.loc["c", "p_value"] < 1e-9
    assert process.satisfaction(ratings, 0.90, 40).loc["a"].isna().all(), "39 rated it"


def test_claims_hold_over_all_segments_together() -> None:
    frames = {"x": pd.DataFrame({"p_value": [0.01, np.nan]}), "y": pd.DataFrame({"p_value": [0.02, 0.04]})}
    found = process.joined(frames, "together")
    assert found["segment"].tolist() == ["x", "x", "y", "y"]
    assert found["together"].tolist() == pytest.approx([0.03, np.nan, 0.04, 0.04], nan_ok=True), "Holm over three"


def test_the_statistic_of_ranks_is_that_of_kruskal_and_wallis() -> None:
    rng = np.random.default_rng(3)
    values, groups = rng.permutation(60).astype(float), ["x"] * 20 + ["y"] * 40
    ranks = pd.DataFrame({"value": values}).rank()
    found = process.segment_differences(ranks, groups, seed=1)
    expected = kruskal(values[:20], values[20:])
    assert found.loc["value", "statistic"] == pytest.approx(expected.statistic * 60 / 59), "variance over n, not n - 1"
    assert found.loc["value", "p_value"] == pytest.approx(expected.pvalue, abs=0.05)
    pd.testing.assert_frame_equal(found, process.segment_differences(ranks, groups, seed=1))


def test_windows_by_hand() -> None:
    """A serves 20 of 40; B serves 18, of whom A serves 10; C the 12 whom A does not serve beside 8 of B."""
    marks = np.zeros((40, 3))
    marks[:20, 0] = 1
    marks[10:28, 1] = 1
    marks[28:, 2] = 1
    found = process.coverage(marks, 8, 0.90, seed=1)
    assert found.chosen == (0, 2, 1)
    assert found.seen.tolist() == pytest.approx([0.5, 0.8, 1.0])
    assert (np.diff(found.share) >= 0).all()
    assert found.share[-1] == pytest.approx(1.0)
    assert ((found.low <= found.share) & (found.share <= found.high)).all()
    assert found.served.shape == (40, 3)
    assert (found.served[:20, -1] == 1).all()


def test_a_window_is_worth_cost_times_hours_times_share() -> None:
    served = np.column_stack([np.repeat([1.0, 0.0], 20), np.repeat([1.0, 1.0, 0.0, 1.0], 10)])
    cost = np.where(np.arange(40) % 2, 10.0, 30.0)
    cost[:4] = np.nan
    found = process.window_values(served, cost, hours=2.0, per=100.0, confidence=0.90, seed=1)
    middle = float(np.nanmedian(cost))
    assert found["value"].tolist() == pytest.approx([middle * 0.5 * 200, middle * 0.25 * 200])
    assert found["together"].tolist() == pytest.approx([middle * 0.5 * 200, middle * 0.75 * 200])
    assert (found["together_low"] < found["together"]).all()
    assert (found["together"] < found["together_high"]).all()


# Recovery, and nothing where there is nothing


def test_the_steps_that_decide_are_found_and_their_intervals_hold() -> None:
    rng, weights = np.random.default_rng(7), np.array([1, 2, 6, 1.5, 4, 0.5])
    truth = marked(rng, 200_000, weights).mean()
    hits, moments = [], []
    for _ in range(120):
        found = process.even_spread(marked(rng, 90, weights), 0.90)
        hits.append(((found["low"] <= truth) & (truth <= found["high"])).to_numpy())
        moments.append((6 * found["p_value"] <= ALARM).tolist())
    assert 0.86 <= np.mean(hits) <= 0.94, "720 intervals of 90 per cent"
    found_how_often = dict(zip(STEPS, np.mean(moments, axis=0), strict=True))
    assert min(found_how_often["wait"], found_how_often["fetch"]) > 0.7
    assert max(found_how_often[step] for step in ("book", "bring", "told", "pay")) <= 0.02, "marked less than evenly"


def test_what_is_even_claims_nothing() -> None:
    """Steps and windows marked evenly and ratings about a level of one's own, four segments a study: claims in at most 5 of 100 studies, here 300."""
    rng, alarms = np.random.default_rng(11), {"steps": 0, "windows": 0, "mend": 0}
    for _ in range(300):
        steps = {str(s): process.even_spread(marked(rng, 40, np.ones(6)), 0.90) for s in range(4)}
        grids = (
            pd.DataFrame((rng.random((40, 28)) < rng.choice([0.05, 0.2], (40, 1))).astype(float)) for _ in range(4)
        )
        windows = {str(s): process.even_spread(grid, 0.90) for s, grid in enumerate(grids)}
        ratings = np.clip(np.round(5 + rng.normal(size=(4, 40, 1)) + rng.normal(size=(4, 40, 6))), 1, 7)
        rated = {
            str(s): process.satisfaction(pd.DataFrame(own, columns=STEPS), 0.90, 30) for s, own in enumerate(ratings)
        }
        for name, frames in (("steps", steps), ("windows", windows), ("mend", rated)):
            together = pd.concat(frames)["p_value"]
            alarms[name] += bool(together.min() * together.notna().sum() <= ALARM)  # Holm's first step decides of any
    # More than 25 of 300 have a probability below 1 in 100 if 5 per cent are right.
    assert max(alarms.values()) <= 25, alarms


def test_segments_that_are_alike_do_not_differ_and_others_do() -> None:
    rng, groups = np.random.default_rng(13), ["x"] * 40 + ["y"] * 50 + ["z"] * 35
    alarms = 0
    for seed in range(150):
        even = pd.DataFrame((rng.random((125, 28)) < rng.uniform(0.02, 0.4, 28)).astype(float))
        alarms += bool((process.segment_differences(even, groups, seed, replicates=199)["p_value"] <= ALARM).any())
    assert alarms <= 14, "150 studies at 5 per cent"
    chances = np.full((125, 28), 0.1)
    chances[:40, 3] = 0.5
    found = process.segment_differences(pd.DataFrame((rng.random((125, 28)) < chances).astype(float)), groups, 1)
    assert found["p_value"].idxmin() == 3
    assert found.loc[3, "p_value"] <= ALARM


@pytest.mark.parametrize(
    "chances", [np.array([0.42, 0.34, 0.3] + [0.22] * 5 + [0.05] * 20), np.full(28, 0.15)], ids=["structure", "even"]
)
def test_the_share_that_windows_serve_holds_in_their_intervals(chances: np.ndarray) -> None:
    """Of the windows chosen by all, with no structure too, where choosing flatters most; judged by those who chose it is far off."""
    rng, hits, away, flattered = np.random.default_rng(17), [], [], []
    for seed in range(150):
        found = process.coverage((rng.random((90, 28)) < chances).astype(float), 5, 0.90, seed)
        truth = true_coverage(chances, found.chosen)
        hits.append((found.low <= truth) & (truth <= found.high))
        away.append(found.share - truth)
        flattered.append(found.seen - truth)
    assert 0.84 <= np.mean(hits) <= 0.995
    assert abs(np.mean(away)) < 0.02
    assert np.mean(flattered) > 0.03


def test_the_worth_of_windows_holds_in_its_interval() -> None:
    """Cost log-normal round 12 and independent of the times: the truth is 12 x hours x the share truly served."""
    rng, chances, hits = np.random.default_rng(19), np.array([0.4, 0.3] + [0.1] * 10), []
    for seed in range(120):
        marks = (rng.random((90, 12)) < chances).astype(float)
        cost = 12 * np.exp(0.6 * rng.standard_normal(90))
        cost[rng.random(90) < 0.15] = np.nan
        made = process.coverage(marks, 3, 0.90, seed)
        found = process.window_values(made.served, cost, 4.5, 100, 0.90, seed)
        truth = 12 * 450 * true_coverage(chances, made.chosen)
        hits.append(((found["together_low"] <= truth) & (truth <= found["together_high"])).to_numpy())
    assert 0.84 <= np.mean(hits) <= 0.98
