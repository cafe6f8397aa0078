"""Rankings: the exploded likelihood by hand, Kendall's W against Friedman's test, ties of what was not ranked, intervals at their rate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from scipy.stats import friedmanchisquare

from wtp.errors import DataError
from wtp.estimation import ConditionalLogit, ranking_table
from wtp.estimation.rankings import exploded

UTILITIES = np.array([1.0, 0.4, 0.0, -0.6])
ITEMS = list("abcd")


def ranks(count: int, seed: int, most: int = 4) -> pd.DataFrame:
    """Rankings by utility + Gumbel; only the first `most` items have a place."""
    u = UTILITIES + np.random.default_rng(seed).gumbel(size=(count, len(UTILITIES)))
    places = (-u).argsort(axis=1).argsort(axis=1) + 1.0
    return pd.DataFrame(np.where(places <= most, places, np.nan), columns=ITEMS)


@pytest.mark.parametrize("most", [4, 2])
def test_the_likelihood_is_that_of_choices_one_after_the_other(most: int) -> None:
    given = ranks(40, 1, most)
    data = exploded(given.to_numpy())
    params = np.array([0.3, -0.2, 0.5])
    v = np.r_[0.0, params]
    total = 0.0
    for row in given.to_numpy():
        left = list(range(4))
        for place in range(1, min(most, 3) + 1):
            picked = int(np.flatnonzero(row == place)[0])
            total += v[picked] - np.log(np.exp(v[left]).sum())
            left.remove(picked)
    assert ConditionalLogit(data).loglike(params) == pytest.approx(total, rel=1e-12)


def test_agreement_is_friedmans_statistic() -> None:
    given = ranks(60, 2)
    w = ranking_table(given).agreement[0]
    assert w * 60 * 3 == pytest.approx(friedmanchisquare(*given.to_numpy().T).statistic)


def test_agreement_with_items_that_nobody_ranked_counts_their_ties() -> None:
    given = ranks(60, 2, most=2)
    filled = given.fillna(3.5)
    assert ranking_table(given).agreement[0] * 60 * 3 == pytest.approx(
        friedmanchisquare(*filled.to_numpy().T).statistic
    )
    assert ranking_table(given).table["place"].to_list() == pytest.approx(filled.mean().to_list())


def test_everybody_alike_agrees_fully_and_has_no_shares() -> None:
    same = pd.DataFrame([[1.0, 2.0, 3.0]] * 20, columns=["a", "b", "c"])
    found = ranking_table(same)
    assert found.agreement == pytest.approx((1, 1, 1))
    assert found.table["share"].isna().all()
    assert [note.code for note in found.notes] == ["ranking"]


@pytest.mark.parametrize("row", [[1, 1, 2, 3], [2, 3, 4, np.nan], [np.nan] * 4, [1, 2, 4, np.nan]])
def test_places_that_do_not_count_are_refused(row: list[float]) -> None:
    wrong = pd.concat([ranks(5, 1), pd.DataFrame([row], columns=ITEMS)], ignore_index=True)
    with pytest.raises(DataError, match="ranking 5"):
        ranking_table(wrong)


@pytest.mark.parametrize("most", [4, 2])
def test_nine_of_ten_intervals_hold_the_truth(most: int) -> None:
    truth = softmax(UTILITIES)
    held = []
    for seed in range(60):
        table = ranking_table(ranks(120, 100 + seed, most), confidence=0.90, replicates=200, seed=seed).table
        held += list((table["share_low"] <= truth) & (truth <= table["share_high"]))
    assert 0.85 <= np.mean(held) <= 0.95
