"""Balanced-overlap designs (Chrzan and Orme 2000): random versions whose levels are shown equally often.

Within a version every attribute shows its least-used levels first; a level repeats inside a choice task half as often as by pure chance, for
overlap helps with choosers who look at one attribute alone. Tasks with two equal alternatives or a dominated one are drawn again:
nothing is learnt from them. All versions share the holdout tasks; the repeat asks one estimation task again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from wtp.design.rules import Rules, rules_of
from wtp.errors import DesignError
from wtp.survey.definition import Definition
from wtp.survey.design_file import design_hash, format_design
from wtp.survey.tasks import Alternative, ChoiceTask, Design

_REDRAWS = 2_000  # of possible studies, the hardest ones tried accept one draw in fifty
_HOLDOUT_CANDIDATES = 2_000
_NEUTRAL_WORTH = 1.0  # utility from the lowest to the highest level, for the balance of holdout tasks


def balanced_design(definition: Definition, seed: int) -> Design:
    """Balanced-overlap versions for the plan of the survey; same seed, same design.

    Raises DesignError if the rules leave no task.
    """
    plan, rules = definition.choice_tasks, rules_of(definition)
    rng = np.random.default_rng(seed)
    everywhere = [np.zeros(size) for size in rules.sizes]
    holdouts = holdout_tasks(plan.holdouts, rules, rng)
    drawn = (_version(plan.tasks, rules, everywhere, rng) for _ in range(plan.versions))
    return assembled(definition, drawn, holdouts, rng)


def assembled(
    definition: Definition,
    drawn: Iterable[Sequence[np.ndarray]],
    holdouts: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> Design:
    """Versions of estimation tasks, each (J, attributes) level numbers, with the holdouts that all share and the repeat of each."""
    plan = definition.choice_tasks
    versions: dict[int, tuple[ChoiceTask, ...]] = {}
    for version, profiles_of in enumerate(drawn, 1):
        tasks = [_task(n, "estimation", profiles, definition) for n, profiles in enumerate(profiles_of, 1)]
        tasks += [_task(len(tasks) + n, "holdout", profiles, definition) for n, profiles in enumerate(holdouts, 1)]
        for _ in range(plan.repeated):
            again = tasks[int(rng.integers(plan.tasks))]
            tasks.append(ChoiceTask(len(tasks) + 1, "repeat", again.alternatives, again.number))
        versions[version] = tuple(tasks)
    draft = Design(versions, "")
    return Design(versions, design_hash(format_design(draft, definition)))


def level_numbers(definition: Definition) -> list[tuple[int, bool]]:
    """(number of levels, ordered worst first) of every attribute and then the price."""
    attributes = [(len(attribute.levels), attribute.ordered) for attribute in definition.attributes]
    return [*attributes, (len(definition.price.levels), True)]


def _version(tasks: int, rules: Rules, everywhere: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    here = [np.zeros(size) for size in rules.sizes]
    drawn = []
    for _ in range(tasks):
        for _ in range(_REDRAWS):
            columns = [
                _levels(size, rules.alternatives, here[a], everywhere[a], rng) for a, size in enumerate(rules.sizes)
            ]
            profiles = np.column_stack(columns)
            if rules.allowed(profiles):
                break
        else:
            raise DesignError(rules.nothing_fits())
        for a, column in enumerate(columns):
            np.add.at(here[a], column, 1)
            np.add.at(everywhere[a], column, 1)
        drawn.append(profiles)
    return drawn


def _levels(
    size: int, alternatives: int, here: np.ndarray, everywhere: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(J,) levels of one attribute in one task."""
    by_chance = 1 - math.perm(size, alternatives) / size**alternatives if size >= alternatives else 1.0
    order = np.lexsort((rng.random(size), everywhere, here))
    if size >= alternatives and rng.random() >= by_chance / 2:
        return rng.permutation(order[:alternatives])
    # With overlap: the least-used levels once, one of them (or more, if there are too few) again.
    distinct = order[: min(size, alternatives - 1)]
    return rng.permutation(np.resize(distinct, alternatives))


def holdout_tasks(count: int, rules: Rules, rng: np.random.Generator) -> list[np.ndarray]:
    """Different tasks within the rules whose alternatives are about equally good for somebody with neutral tastes."""
    sizes, ordered, alternatives = rules.sizes, rules.ordered, rules.alternatives
    found: dict[tuple[tuple[int, ...], ...], tuple[float, np.ndarray]] = {}
    for _ in range(_HOLDOUT_CANDIDATES if count else 0):
        profiles = np.column_stack([_levels(s, alternatives, np.zeros(s), np.zeros(s), rng) for s in sizes])
        if rules.allowed(profiles):
            utility = (profiles / (sizes - 1) * np.where(ordered, _NEUTRAL_WORTH, 0)) @ np.r_[
                np.ones(len(sizes) - 1), -2
            ]
            same = tuple(sorted(tuple(map(int, profile)) for profile in profiles))
            found[same] = (float(np.ptp(utility)), profiles)
    if not found and count:
        raise DesignError(rules.nothing_fits())
    if len(found) < count:
        raise DesignError(
            f"{len(found)} different holdout tasks without a dominated alternative; allowed: the {count} that choice_tasks.holdouts "
            "asks for; add levels or attributes, or ask for fewer."
        )
    return [profiles for _, profiles in sorted(found.values(), key=lambda pair: pair[0])[:count]]


def _task(number: int, kind: str, profiles: np.ndarray, definition: Definition) -> ChoiceTask:
    alternatives = tuple(
        Alternative(
            j,
            {
                attribute.id: attribute.level_ids[level]
                for attribute, level in zip(definition.attributes, profile, strict=False)
            },
            definition.price.levels[profile[-1]],
        )
        for j, profile in enumerate(profiles, 1)
    )
    return ChoiceTask(number, "holdout" if kind == "holdout" else "estimation", alternatives)
