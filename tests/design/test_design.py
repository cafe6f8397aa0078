"""Designs: balanced, without dominance, complete in each version, reproducible; and what one respondent sees of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from wtp.design import assign, diagnostics, search
from wtp.design.efficiency import d_error
from wtp.design.rules import dominated
from wtp.errors import DesignError
from wtp.survey import Alternative, ChoiceTask, Definition, Design, load_survey
from wtp.survey.design_file import format_design

SURVEYS = Path(__file__).parents[2] / "surveys"
SUPPLIER = SURVEYS / "supplier"


@pytest.fixture(scope="module")
def definition() -> Definition:
    return load_survey(SUPPLIER).definition


@pytest.fixture(scope="module")
def design(definition: Definition) -> Design:
    return search(definition, seed=4)


def shape(task: ChoiceTask) -> list[tuple[object, ...]]:
    return sorted((*a.levels.items(), a.price) for a in task.alternatives)


def test_the_seed_decides_the_design(definition: Definition, design: Design) -> None:
    assert search(definition, seed=4) == design
    assert search(definition, seed=5).hash != design.hash


@pytest.mark.parametrize("study", ["supplier", "workshop"])
def test_the_committed_design_is_what_the_command_writes(study: str) -> None:
    definition = load_survey(SURVEYS / study).definition
    committed = (SURVEYS / study / "design.csv").read_text(encoding="utf-8")
    assert committed == format_design(search(definition, seed=1), definition)


def test_every_version_is_complete(definition: Definition, design: Design) -> None:
    assert len(design.versions) == 120
    holdouts = [shape(task) for task in design.versions[1] if task.kind == "holdout"]
    for tasks in design.versions.values():
        assert Counter(task.kind for task in tasks) == {"estimation": 10, "holdout": 2, "repeat": 1}
        assert [task.number for task in tasks] == list(range(1, 14))
        assert [shape(task) for task in tasks if task.kind == "holdout"] == holdouts
        again = tasks[-1]
        assert again.repeats in range(1, 11)
        assert shape(again) == shape(tasks[again.repeats - 1])


def test_all_share_the_task_to_warm_up_with_and_nothing_else_changes(definition: Definition, design: Design) -> None:
    plan = definition.choice_tasks.model_copy(update={"warm_up": 1})
    warmed = search(definition.model_copy(update={"choice_tasks": plan}), seed=4)
    first = warmed.versions[1][-1]
    assert first.kind == "warm_up"
    others = {str(shape(task)) for task in design.versions[1]}
    assert str(shape(first)) not in others
    for version, tasks in warmed.versions.items():
        assert tasks == (*design.versions[version], first)
        assert assign(tasks, np.random.default_rng(version))[0].number == first.number


def test_levels_are_balanced_within_and_over_versions(definition: Definition, design: Design) -> None:
    found = diagnostics(design, definition)
    assert all(row.deviation < 0.01 for row in found.balance)
    by_chance = [1 - 6 / 27] * 6 + [1 - 60 / 125]  # three alternatives, three levels; five prices
    assert [row.overlap for row in found.balance] == pytest.approx([share / 2 for share in by_chance], abs=0.05)
    for tasks in design.versions.values():
        for attribute in definition.attributes:
            shown = Counter(a.levels[attribute.id] for t in tasks if t.kind == "estimation" for a in t.alternatives)
            assert max(shown.values()) - min(shown.values()) <= 3


def test_no_task_has_equal_or_dominated_alternatives(definition: Definition, design: Design) -> None:
    rank = {a.id: a.level_ids.index for a in definition.attributes}
    for tasks in design.versions.values():
        for task in tasks:
            for one in task.alternatives:
                for other in task.alternatives:
                    if one is other:
                        continue
                    better = (
                        all(rank[a](one.levels[a]) >= rank[a](other.levels[a]) for a in rank)
                        and one.price <= other.price
                    )
                    assert not better, task


def test_dominance_by_hand() -> None:
    ordered = np.array([1, 0, 1])
    assert dominated(np.array([[2, 1, 0], [1, 1, 0]]), ordered)
    assert dominated(np.array([[1, 1, 0], [1, 1, 0]]), ordered)
    assert not dominated(np.array([[2, 0, 0], [1, 1, 0]]), ordered)
    assert not dominated(np.array([[2, 1, 1], [1, 1, 0]]), ordered)
    best_first = np.array([-1, 0, 1])
    assert dominated(np.array([[1, 1, 0], [2, 1, 0]]), best_first)
    assert dominated(np.array([[1, 1, 0], [2, 1, 1]]), best_first)
    assert not dominated(np.array([[2, 1, 0], [1, 1, 1]]), best_first)


def test_d_error_by_hand() -> None:
    assert d_error(np.diag([2.0, 8.0])) == pytest.approx(0.25)
    assert d_error(np.zeros((2, 2))) == float("inf")


def test_the_diagnostics_of_two_pairs_by_hand() -> None:
    _, tiny = _tiny()
    name, (low, high) = tiny.attributes[0].id, tiny.attributes[0].level_ids
    pairs = [
        ChoiceTask(n, "estimation", (Alternative(1, {name: low}, 80.0), Alternative(2, {name: high}, price)))
        for n, price in enumerate((100.0, 120.0), 1)
    ]
    found = diagnostics(Design({1: tuple(pairs)}, ""), tiny)
    # A pair that differs by d informs by d d' / 4; d = (1, 1/2) and (1, 1): M = [[8, 6], [6, 5]] / 16, M^-1 = [[20, -24], [-24, 32]].
    assert found.d_error == pytest.approx(8)
    assert [error for _, error in found.standard_errors] == pytest.approx([0.2**0.5, 0.32**0.5])
    assert [row.counts for row in found.balance] == [(2, 2), (2, 1, 1)]
    assert [row.deviation for row in found.balance] == pytest.approx([0, 0.5])
    assert [row.overlap for row in found.balance] == [0, 0]
    assert found.largest_correlation == pytest.approx(3 / 10**0.5)
    assert (found.rank, found.smallest_rank, found.dominated_tasks) == (2, 2, 0)


def test_a_design_too_small_for_its_parameters_says_so() -> None:
    whole = load_survey(SUPPLIER).definition
    for seed in range(4):
        plan = whole.choice_tasks.model_copy(update={"versions": 1, "tasks": 4, "alternatives": 2})
        small = whole.model_copy(update={"choice_tasks": plan})
        found = diagnostics(search(small, seed), small)
        assert found.d_error == float("inf")
        assert found.rank == found.smallest_rank <= 4
        assert found.standard_errors == ()
        assert f"tell {found.rank} of 13 parameters apart; ask for more" in str(found)


def _tiny() -> tuple[Design, Definition]:
    whole = load_survey(SUPPLIER).definition
    one = whole.attributes[0]
    narrow = one.model_copy(update={"levels": one.levels[:2]})
    price = whole.price.model_copy(update={"levels": (80.0, 100.0, 120.0)})
    plan = whole.choice_tasks.model_copy(
        update={"alternatives": 2, "versions": 3, "tasks": 6, "holdouts": 0, "repeated": 0}
    )
    tiny = whole.model_copy(update={"attributes": (narrow,), "price": price, "choice_tasks": plan})
    return search(tiny, 1), tiny


def test_it_is_better_than_a_random_design_and_says_so(definition: Definition, design: Design) -> None:
    found = diagnostics(design, definition)
    assert found.d_error < 0.85 * found.random_d_error
    assert found.dominated_tasks == 0
    assert found.parameters == 13 == found.smallest_rank
    for word in ("D-error", "dominated tasks: 0", "speed", "price", "standard error"):
        assert word in str(found)


def _few(attributes: int, levels: int, alternatives: int, holdouts: int = 2) -> Definition:
    whole = load_survey(SUPPLIER).definition
    kept = tuple(a.model_copy(update={"levels": a.levels[:levels]}) for a in whole.attributes[:attributes])
    plan = whole.choice_tasks.model_copy(update={"alternatives": alternatives, "holdouts": holdouts})
    return whole.model_copy(update={"attributes": kept, "choice_tasks": plan})


@pytest.mark.parametrize(("attributes", "levels", "alternatives"), [(1, 3, 3), (2, 3, 5), (1, 2, 2)])
def test_a_study_with_few_attributes_has_a_design_if_there_is_any(
    attributes: int, levels: int, alternatives: int
) -> None:
    narrow = _few(attributes, levels, alternatives, holdouts=4)
    design = search(narrow, seed=1)
    assert diagnostics(design, narrow).dominated_tasks == 0
    holdouts = [shape(task) for task in design.versions[1] if task.kind == "holdout"]
    assert all(one not in holdouts[:n] for n, one in enumerate(holdouts))


def test_too_few_different_holdouts_are_refused_in_words() -> None:
    whole = _few(1, 2, 2, holdouts=4)
    price = whole.price.model_copy(update={"levels": (80.0, 100.0, 120.0)})
    # Two levels and three prices: the better level costs 100 or 120 against 80, or 120 against 100.
    with pytest.raises(DesignError, match=r"3 different tasks .*allowed: the 4 that choice_tasks.holdouts"):
        search(whole.model_copy(update={"price": price}), 1)


def test_an_impossible_design_is_refused_in_words() -> None:
    _, tiny = _tiny()
    # With two levels and three prices there are only two alternatives at a time that do not dominate one another.
    plan = tiny.choice_tasks.model_copy(update={"alternatives": 5})
    with pytest.raises(
        DesignError, match=r"leave no task; allowed: .*without choice_tasks\.dominated = .avoid. there are"
    ):
        search(tiny.model_copy(update={"choice_tasks": plan}), 1)


def test_a_respondent_sees_his_version_whole_and_the_repeat_last(design: Design) -> None:
    for seed in range(200):
        tasks = design.versions[seed % 120 + 1]
        seen = assign(tasks, np.random.default_rng(seed))
        assert sorted(task.number for task in seen) == [task.number for task in tasks]
        assert all(shape(task) == shape(tasks[task.number - 1]) for task in seen)
        again = seen[-1]
        assert again.kind == "repeat"
        first = next(place for place, task in enumerate(seen) if task.number == again.repeats)
        assert first < 6
        assert again.alternatives == seen[first].alternatives[::-1]


def test_order_and_positions_are_drawn_for_each_respondent(design: Design) -> None:
    seen = [assign(design.versions[1], np.random.default_rng(seed)) for seed in range(300)]
    firsts = Counter(tasks[0].number for tasks in seen)
    assert set(firsts) == set(range(1, 13))
    positions = Counter(task.alternatives[0].number for tasks in seen for task in tasks)
    assert max(positions.values()) / min(positions.values()) < 1.15
