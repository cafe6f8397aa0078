"""Ranks of several methods side by side: which attributes lie apart, and how alike the orders are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from wtp.estimation.agreement import Method, method_ranks, rank_correlations

NAMES = ("a", "b", "c", "d", "e")


def method(values: list[float], names: tuple[str, ...] = NAMES, spread: float = 0.01) -> Method:
    estimate = np.array(values)
    noise = np.random.default_rng(1).standard_normal((500, len(values)))
    return Method(names, estimate, estimate + spread * noise)


def test_what_is_said_and_does_not_pay_is_named_and_the_reverse() -> None:
    methods = {"choices": method([5, 4, 3, 2, 1]), "ratings": method([5, 1, 3, 2, 4])}
    table = method_ranks(methods, reference="choices").set_index(["method", "attribute"])
    verdicts = table.loc["ratings", "verdict"].to_dict()
    assert verdicts == {"a": "agree", "b": "chosen_more", "c": "agree", "d": "agree", "e": "said_more"}
    assert table.loc[("ratings", "e"), "gap"] == 3
    assert (table.loc["choices", "verdict"] == "").all()


def test_noise_decides_nothing() -> None:
    methods = {"choices": method([5, 4, 3, 2, 1], spread=8), "ratings": method([5, 1, 3, 2, 4], spread=8)}
    table = method_ranks(methods, reference="choices")
    assert set(table.loc[table["method"] == "ratings", "verdict"]) <= {"agree", "undecided"}


def test_only_attributes_that_both_asked_about_are_compared() -> None:
    """Among b, d, e the method agrees with the choices, although its ranks are others among its own three."""
    methods = {"choices": method([5, 4, 3, 2, 1]), "places": method([3, 2, 1], ("b", "d", "e"))}
    table = method_ranks(methods, reference="choices")
    own = table[table["method"] == "places"]
    assert own["rank"].to_list() == [1, 2, 3]
    assert own["gap"].to_list() == [0, 0, 0]
    assert rank_correlations(methods)["shared"].to_list() == [3]
    few = {"choices": methods["choices"], "places": method([2, 1], ("b", "d"))}
    assert rank_correlations(few).empty
    assert (method_ranks(few, reference="choices")["verdict"] == "").all()


def test_correlations_are_spearmans_with_an_interval() -> None:
    one, other = method([5, 4, 3, 2, 1], spread=1), method([4, 5, 1, 3, 2], spread=1)
    row = rank_correlations({"one": one, "other": other}, confidence=0.90).iloc[0]
    assert row["correlation"] == pytest.approx(spearmanr(one.estimate, other.estimate).statistic)
    drawn = [spearmanr(a, b).statistic for a, b in zip(one.draws, other.draws, strict=True)]
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(drawn, [0.05, 0.95])))
