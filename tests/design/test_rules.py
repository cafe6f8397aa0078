"""Rules on what may be shown together: kept in every task, a design wherever there is one, and else words that are true."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from wtp.design import check_design, search
from wtp.design.balance import balanced_design
from wtp.design.candidates import Candidates, nothing_fits
from wtp.design.exchange import coordinate_exchange
from wtp.design.rules import Rules, dominated, rules_of
from wtp.errors import DesignError
from wtp.estimation.coding import design_levels
from wtp.survey import ChoiceTask, Definition, load_survey
from wtp.survey.tasks import ConditionalPrices, Prohibition

SUPPLIER = load_survey(Path(__file__).parents[2] / "surveys" / "supplier").definition


def planned(**changes: object) -> Definition:
    return SUPPLIER.model_copy(update={"choice_tasks": SUPPLIER.choice_tasks.model_copy(update=changes)})


def by_chance(rng: np.random.Generator) -> dict[str, object]:
    """Up to twelve prohibitions, conditional prices, levels at most once: some leave much, some little, some nothing."""
    attributes, prices = SUPPLIER.attributes, SUPPLIER.price.levels

    def some(of: tuple[object, ...], most: int) -> tuple[object, ...]:
        return tuple(of[i] for i in rng.permutation(len(of))[: int(rng.integers(1, most + 1))])

    prohibited = []
    for _ in range(int(rng.integers(1, 13))):
        one, other = (attributes[i] for i in rng.permutation(len(attributes))[:2])
        levels = {one.id: some(one.level_ids, 2)}
        if rng.random() < 0.3:
            prohibited.append(Prohibition(levels=levels, prices=some(prices, 4)))
        else:
            prohibited.append(Prohibition(levels=levels | {other.id: some(other.level_ids, 3)}))
    conditional = [
        ConditionalPrices(levels={attributes[i].id: some(attributes[i].level_ids, 1)}, prices=some(prices, 3))
        for i in rng.permutation(len(attributes))[: int(rng.integers(0, 3))]
    ]
    return {
        "prohibited": tuple(prohibited),
        "conditional_prices": tuple(conditional),
        "at_most_once": tuple(a.id for a in attributes if rng.random() < 0.25)
        + (("price",) if rng.random() < 0.25 else ()),
        "dominated": "avoid" if rng.random() < 0.7 else "allow",
        "versions": 2,
        "holdouts": 1,
        "seconds": 0.2,
    }


def broken(task: ChoiceTask, definition: Definition) -> list[str]:
    """Which rules of the survey a task breaks, by its labels and prices, without the code of the search."""
    plan, found = definition.choice_tasks, []
    for a in task.alternatives:
        for rule in plan.prohibited:
            apart = any(a.levels[name] not in levels for name, levels in rule.levels.items())
            found += [] if apart or (rule.prices and a.price not in rule.prices) else [f"prohibited {rule}"]
        for only in plan.conditional_prices:
            ((name, levels),) = only.levels.items()
            found += [f"price {only}"] if a.levels[name] in levels and a.price not in only.prices else []
    for name in plan.at_most_once:
        shown = [a.price if name == "price" else a.levels[name] for a in task.alternatives]
        if len(set(shown)) < len(shown):
            found.append(f"twice {name}")
    for one, other in itertools.permutations(task.alternatives, 2):
        if one.levels == other.levels and one.price == other.price:
            found.append("equal")
        better = one.price <= other.price
        for attribute in definition.attributes:
            ids = attribute.level_ids
            gap = ids.index(one.levels[attribute.id]) - ids.index(other.levels[attribute.id])
            better &= gap * (-1 if attribute.best_first else 1) >= 0 if attribute.ordered else gap == 0
        if better and plan.dominated == "avoid":
            found.append("dominated")
    return found


def turned(definition: Definition) -> Definition:
    """The same survey with the levels of its first three attributes written best first."""
    attributes = [
        one.model_copy(update={"levels": one.levels[::-1], "best_first": True}) if n < 3 else one
        for n, one in enumerate(definition.attributes)
    ]
    return definition.model_copy(update={"attributes": tuple(attributes)})


@pytest.mark.parametrize("method", ["balanced", "efficient"])
def test_levels_written_best_first_dominate_the_other_way_round(method: str) -> None:
    definition = turned(planned(method=method, versions=10, seconds=0.5))
    tasks = [task for version in search(definition, 1).versions.values() for task in version]
    assert [found for task in tasks for found in broken(task, definition)] == []
    # Built from the list of allowed alternatives, as where rules are hard to keep.
    candidates, rng = Candidates.of(rules_of(definition)), np.random.default_rng(1)
    for _ in range(200):
        built, _ = candidates.task(rng)
        assert built is not None
        assert not dominated(built, rules_of(definition).ordered)
        flipped = built.copy()
        for a in range(3):
            flipped[:, a] = len(definition.attributes[a].levels) - 1 - flipped[:, a]
        assert not dominated(flipped, rules_of(SUPPLIER).ordered)


@pytest.mark.parametrize("method", ["balanced", "efficient"])
def test_random_rules_give_a_design_that_keeps_them_or_words_that_help(method: str) -> None:
    designs = 0
    for seed in range(16):
        definition = planned(method=method, **by_chance(np.random.default_rng([seed, 5])))
        try:
            design = search(definition, seed)
        except DesignError as error:
            _helps(str(error), definition)
            continue
        designs += 1
        assert not [fault for tasks in design.versions.values() for task in tasks for fault in broken(task, definition)]
    assert 3 <= designs <= 13, "some rules leave something, some do not"


def _helps(said: str, definition: Definition) -> None:
    """Where the words name rules, tasks can be drawn without them."""
    assert "; allowed: " in said
    named = re.search(r"without (.+?) (?:there are some|they can be)", said)
    if named is None:
        assert "drop" in said
        return
    rules = rules_of(definition)
    names = set(named[1].split(" and "))
    assert names <= {name for name, _ in rules.parts()}
    assert Candidates.of(rules.without(names)).task(np.random.default_rng(3))[0] is not None


def test_no_rule_is_broken_in_ten_thousand_tasks() -> None:
    definition = planned(
        versions=1000,
        at_most_once=("brand",),
        prohibited=(
            Prohibition(levels={"range": ("core",), "design": ("state_of_the_art",)}),
            Prohibition(levels={"speed": ("same_day",)}, prices=(80.0,)),
        ),
        conditional_prices=(ConditionalPrices(levels={"brand": ("leading",)}, prices=(100.0, 115.0, 130.0)),),
    )
    profiles = design_levels(balanced_design(definition, 1), definition)
    tasks = profiles.reshape(
        -1, *profiles.shape[2:]
    )  # attributes: range, speed, financing, competence, brand, design, price
    assert len(tasks) == 10_000
    assert (np.diff(np.sort(tasks[..., 4], axis=1), axis=1) > 0).all(), "a brand at most once"
    assert not ((tasks[..., 0] == 0) & (tasks[..., 5] == 2)).any()
    assert not ((tasks[..., 1] == 2) & (tasks[..., 6] == 0)).any()
    assert not ((tasks[..., 4] == 2) & (tasks[..., 6] < 2)).any(), "the leading brand from 100 on"
    signed = tasks * np.array([1, 1, 1, 1, 1, 1, -1])
    better = (signed[:, :, None] >= signed[:, None]).all(axis=3) & ~np.eye(3, dtype=bool)
    assert not better.any(), "nothing dominated, nothing equal"


def test_no_task_is_found_exactly_where_there_is_none() -> None:
    """All tasks of small problems are counted, one by one."""
    none, some = 0, 0
    for seed in range(150):
        rng = np.random.default_rng([seed, 9])
        sizes = rng.integers(2, 4, 3)
        forbidden = np.zeros((3, 3, 3, 3), bool)
        for _ in range(int(rng.integers(2, 9))):
            a, b = rng.permutation(3)[:2]
            level, other = rng.integers(sizes[a]), rng.integers(sizes[b])
            forbidden[a, level, b, other] = forbidden[b, other, a, level] = True
        rules = Rules(
            sizes,
            rng.random(3) < 0.8,
            forbidden,
            rng.random(3) < 0.3,
            bool(rng.random() < 0.7),
            int(rng.integers(2, 4)),
        )
        profiles = [np.array(p) for p in itertools.product(*map(range, sizes))]
        there = any(rules.allowed(np.array(task)) for task in itertools.combinations(profiles, rules.alternatives))
        task, proved = Candidates.of(rules).task(rng)
        assert (task is not None, proved) == (there, not there)
        assert task is None or rules.allowed(task)
        none, some = none + (not there), some + there
    assert min(none, some) > 20


def test_the_smallest_rule_to_drop_is_named() -> None:
    """Each of two prohibitions takes away what the other one leaves; the one with fewer pairs is named."""
    wide = Prohibition(levels={"range": ("core", "broad"), "brand": ("new", "known", "leading")})
    narrow = Prohibition(levels={"range": ("one_source",), "brand": ("new", "known", "leading")})
    definition = planned(prohibited=(wide, narrow))
    with pytest.raises(DesignError, match=r"leave no task; .* without choice_tasks\.prohibited\[1\] there are some"):
        search(definition, 1)


def test_where_no_single_rule_is_to_blame_the_fewest_together_are_named() -> None:
    doubly = Prohibition(levels={"range": SUPPLIER.attributes[0].level_ids, "brand": ("new", "known", "leading")})
    definition = planned(prohibited=(doubly, Prohibition(levels={"speed": ("same_day",)}, prices=(80.0,)), doubly))
    said = nothing_fits(rules_of(definition))
    assert "without choice_tasks.prohibited[0] and choice_tasks.prohibited[2] there are some" in said


def test_a_level_that_the_rules_never_let_vary_is_said_with_the_rule() -> None:
    only = ConditionalPrices(levels={"brand": ("new", "known", "leading")}, prices=(100.0,))
    definition = planned(method="efficient", versions=2, conditional_prices=(only,), dominated="allow", seconds=2.0)
    with pytest.raises(
        DesignError, match=r"told apart under the rules .* without choice_tasks\.conditional_prices\[0\] they can be"
    ):
        search(definition, 1)


def test_the_best_design_so_far_is_returned_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that jumps: under hard rules too the search ends, with a whole design within the rules."""
    clock = itertools.count(0.0, 0.25)
    monkeypatch.setattr("wtp.design.exchange.time.monotonic", lambda: next(clock))
    rules = rules_of(planned(at_most_once=("range", "brand", "design", "speed")))
    assert Candidates.of(rules).task(np.random.default_rng(1))[0] is not None
    coded = [np.eye(size)[:, 1:] for size in rules.sizes]
    draws = np.zeros((1, sum(code.shape[1] for code in coded)))
    found = coordinate_exchange(coded, 60, 3, rules, draws=draws, starts=1000, seconds=3.0)
    assert found.stopped
    assert found.starts < 20
    assert np.isfinite(found.error)
    assert all(rules.allowed(task) for task in found.levels)


def test_labelled_alternatives_with_prices_of_their_own() -> None:
    """Every brand once in each task, each in its own price range: brands and price can still be told apart (what cbcTools' users ask for)."""
    own = {"new": (80.0, 90.0, 100.0), "known": (90.0, 100.0, 115.0), "leading": (100.0, 115.0, 130.0)}
    prices = tuple(ConditionalPrices(levels={"brand": (brand,)}, prices=range_) for brand, range_ in own.items())
    for method in ("balanced", "efficient"):
        definition = planned(method=method, versions=6, seconds=3.0, at_most_once=("brand",), conditional_prices=prices)
        design = search(definition, 1)
        tasks = [task for version in design.versions.values() for task in version]
        assert all({a.levels["brand"] for a in task.alternatives} == set(own) for task in tasks)
        assert all(a.price in own[a.levels["brand"]] for task in tasks for a in task.alternatives)
        shown = {(a.levels["brand"], a.price) for task in tasks for a in task.alternatives}
        possible = {(brand, price) for brand, range_ in own.items() for price in range_}
        assert shown == possible if method == "balanced" else len(shown) >= 8
        checked = {check.name: check.status for check in check_design(definition, design).checks}
        assert checked["identified"] == "ready"
