"""Scripts: the order is found again, agreement is not flattered, and segments that expect the same are not told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wtp.customers.scripts import adjusted, agreement, consensus, segments_apart
from wtp.errors import DataError

EVENTS = list("abcde")


def orders(spread: float, people: int, rng: np.random.Generator, studies: int = 1) -> np.ndarray:
    """(studies, N, 5) places by an exploded logit whose utilities lie this far apart, first to last."""
    utility = np.linspace(spread / 2, -spread / 2, len(EVENTS)) + rng.gumbel(size=(studies, people, len(EVENTS)))
    return (-utility).argsort(axis=2).argsort(axis=2) + 1.0


def frame(places: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(places, columns=EVENTS)


def test_by_hand() -> None:
    """Three persons; the consensus is a, b, c. Each is held against the mean of the other two."""
    table = pd.DataFrame([[1, 2, 3], [1, 2, 3], [2, 1, 3]], columns=list("abc"))
    order = consensus(table, replicates=50)
    assert order["item"].tolist() == ["a", "b", "c"]
    assert order["place"].tolist() == pytest.approx([4 / 3, 5 / 3, 3])
    found = agreement(table, replicates=50)
    # first two: others are (1.5, 1.5, 3), a tie and two pairs alike: 2/3; third: others (1, 2, 3), one pair against it: 1/3
    assert found["tau"] == pytest.approx((2 / 3 + 2 / 3 + 1 / 3) / 3)
    assert found["agreement"] == pytest.approx(12 * ((4 - 6) ** 2 + (5 - 6) ** 2 + (9 - 6) ** 2) / (9 * (27 - 3)))


def test_the_order_is_found_with_ranks_that_hold() -> None:
    rng, held, ranks = np.random.default_rng(1), [], np.arange(1, 6)
    for places in orders(3, 80, rng, 60):
        table = consensus(frame(places), replicates=200).set_index("item").loc[EVENTS]
        held.append(((table["rank_low"] <= ranks) & (table["rank_high"] >= ranks)).mean())
    assert np.mean(held) >= 0.90
    assert table["rank"].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("spread", "people"), [(0.0, 60), (1.0, 60), (3.0, 40)])
def test_intervals_of_agreement_cover_the_truth_and_flatter_nobody(spread: float, people: int) -> None:
    rng, studies = np.random.default_rng(2), 120
    many = orders(spread, 60_000, rng)[0]
    first, second = np.triu_indices(len(EVENTS), 1)
    tau = float(np.sign(many[:, second] - many[:, first]).mean()) if spread else 0.0
    length = ((many.mean(axis=0) - 3) ** 2).sum() / 10  # mean rank correlation of two persons
    w = (length * (people - 1) + 1) / people
    found = pd.DataFrame([agreement(frame(p), replicates=100) for p in orders(spread, people, rng, studies)])
    assert found["tau"].mean() <= tau + 0.02
    held = ((found["tau_low"] <= tau) & (tau <= found["tau_high"])).mean()
    assert held >= 0.85
    held = ((found["agreement_low"] <= w) & (w <= found["agreement_high"])).mean()
    assert held >= 0.83
    common = (found["p_value"] <= 0.05).mean()
    assert common <= 0.10 if spread == 0 else common >= 0.7


def test_segments_with_one_order_are_seldom_told_apart_and_others_are() -> None:
    rng = np.random.default_rng(3)
    alarms = 0
    for one, other in zip(orders(2, 50, rng, 100), orders(2, 40, rng, 100), strict=True):
        table = segments_apart({"one": frame(one), "other": frame(other)}, permutations=199)
        alarms += bool((table["p_value"] <= 0.05).any())
    assert alarms / 100 <= 0.10
    turned = {"one": frame(orders(2, 120, rng)[0]), "other": frame(orders(2, 120, rng)[0][:, [1, 0, 2, 4, 3]])}
    (row,) = adjusted(segments_apart(turned, permutations=999)).to_dict("records")
    assert row["differs"]
    assert row["tau"] == pytest.approx(0.6)
    assert adjusted(segments_apart({"one": turned["one"]})).empty


def test_broken_orders_are_refused() -> None:
    with pytest.raises(DataError, match="leave them out"):
        consensus(pd.DataFrame([[1, 1], [1, 2], [2, 1]]))
    with pytest.raises(DataError, match="collect more"):
        agreement(pd.DataFrame([[1, 2]]))
