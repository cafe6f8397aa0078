"""Which figures have converged, and the way of the chains: the fit's own figures, and chains that part are seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.estimation.test_hierarchical import population
from wtp.analysis.convergence import convergence_tables
from wtp.estimation.hierarchical import HierarchicalLogit, HierarchicalResults


@pytest.fixture(scope="module")
def fit() -> HierarchicalResults:
    return HierarchicalLogit(population()[0], signs={"price": -1}).fit(draws=610, warmup=100, stop=None, keep=200)


def test_the_worst_reported_figure_comes_first(fit: HierarchicalResults) -> None:
    table = convergence_tables(fit)["convergence"]
    assert set(table["quantity"]) == set(fit.diagnostics.index)
    reported = table[table["reported"]]
    assert table["reported"].tolist() == sorted(table["reported"], reverse=True)
    assert reported["r_hat"].is_monotonic_decreasing
    assert (reported["r_hat"].iloc[0], reported[["ess_bulk", "ess_tail"]].min().min()) == fit.convergence


def test_settled_is_the_stop_rule_of_final_figures(fit: HierarchicalResults) -> None:
    table = convergence_tables(fit)["convergence"].set_index("quantity")
    good = (table["r_hat"] <= 1.01) & (table["ess_bulk"] >= 400) & (table["ess_tail"] >= 400)
    reported = table["reported"]
    assert (table.loc[reported, "settled"] == good[reported]).all()
    assert (table.loc[~reported, "settled"] == (table.loc[~reported, "r_hat"] <= 1.1)).all()


def test_the_trace_is_every_nth_sweep_of_each_chain(fit: HierarchicalResults) -> None:
    tables = convergence_tables(fit)
    trace, places = tables["trace"], list(fit.diagnostics.index)
    worst = [name for name in tables["convergence"]["quantity"] if name not in ("price", "log_likelihood")][:3]
    assert list(trace["quantity"].unique()) == ["price", "log_likelihood", *worst]
    for (quantity, chain), own in trace.groupby(["quantity", "chain"]):
        assert own["sweep"].tolist() == list(range(1, 611, 3))
        column = fit.sampled.watched[chain - 1, ::3, places.index(quantity)]
        np.testing.assert_array_equal(own["watched"], column.astype(float))


def test_chains_that_part_are_seen(fit: HierarchicalResults) -> None:
    place = list(fit.diagnostics.index).index("worth.speed")
    watched = fit.sampled.watched.copy()
    watched[1, :, place] += 10 * watched[:, :, place].std()
    parted = replace(fit, sampled=replace(fit.sampled, watched=watched))
    table = convergence_tables(parted)["convergence"]
    assert table["quantity"].iloc[0] == "worth.speed"
    assert not table["settled"].iloc[0]
    assert table["r_hat"].iloc[0] > 1.5
