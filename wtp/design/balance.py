"""Balanced-overlap designs (Chrzan and Orme 2000): random versions whose levels are shown equally often.

Within a version every attribute shows its least-used levels first; a level repeats inside a choice task half as often as by pure chance, for
overlap helps with choosers who look at one attribute alone. Where alternatives bear labels, the levels that offers of a label have shown least come first, and levels
of different labels repeat as by chance. Tasks with two equal alternatives or a dominated one are drawn again:
nothing is learnt from them. All versions share the holdout tasks and the warm-up; the repeat asks one estimation task again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from wtp.design.candidates import Candidates, nothing_fits
from wtp.design.rules import Rules, rules_of
from wtp.errors import DesignError
from wtp.survey.definition import Definition
from wtp.survey.design_file import design_hash, format_design
from wtp.survey.tasks import Alternative, ChoiceTask, Design, Kind

_REDRAWS = 500  # of possible studies without prohibitions, the hardest ones tried accept one draw in fifty
_FEW_REDRAWS = 20  # once random tasks have proved too rare
_ENOUGH = 1_000  # built tasks to choose from
_BUILT = 8  # tasks built instead, of which the one with the least-used levels is kept
_HOLDOUT_CANDIDATES = 2_000
_NEUTRAL_WORTH = 1.0  # utility from the lowest to the highest level, for the balance of holdout tasks


def balanced_design(definition: Definition, seed: int) -> Design:
    """Balanced-overlap versions for the plan of the survey; same seed and enough time, same design.

    Raises DesignError if the rules leave no task.
    """
    plan, rules = definition.choice_tasks, rules_of(definition)
    rng = np.random.default_rng(seed)
    everywhere = _counts(rules)
    shared = holdout_tasks(plan.holdouts + plan.warm_up, rules, rng)
    tasks = _Tasks(rules, time.monotonic() + plan.seconds)
    drawn = (_version(plan.tasks, tasks, everywhere, rng) for _ in range(plan.versions))
    return assembled(definition, drawn, shared, rng)


def assembled(
    definition: Definition,
    drawn: Iterable[Sequence[np.ndarray]],
    shared: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> Design:
    """Versions of estimation tasks, each (J, attributes) level numbers, with the tasks that all share (holdouts, then the warm-up) and the repeat of each."""
    plan = definition.choice_tasks
    holdouts, warm_ups = shared[: plan.holdouts], shared[plan.holdouts :]
    versions: dict[int, tuple[ChoiceTask, ...]] = {}
    for version, profiles_of in enumerate(drawn, 1):
        tasks = [_task(n, "estimation", profiles, definition) for n, profiles in enumerate(profiles_of, 1)]
        tasks += [_task(len(tasks) + n, "holdout", profiles, definition) for n, profiles in enumerate(holdouts, 1)]
        for _ in range(plan.repeated):
            again = tasks[int(rng.integers(plan.tasks))]
            tasks.append(ChoiceTask(len(tasks) + 1, "repeat", again.alternatives, again.number))
        tasks += [_task(len(tasks) + n, "warm_up", profiles, definition) for n, profiles in enumerate(warm_ups, 1)]
        versions[version] = tuple(tasks)
    draft = Design(versions, "")
    return Design(versions, design_hash(format_design(draft, definition)))


@dataclass(slots=True)
class _Tasks:
    """Draws tasks with the least-used levels; where the rules hardly let any pass, builds them from the list of allowed alternatives.

    end: when the time for that is over, by the monotonic clock.
    """

    rules: Rules
    end: float
    candidates: Candidates | None = None
    known: list[np.ndarray] = field(default_factory=list)

    def draw(self, here: list[np.ndarray], everywhere: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
        """(J, attributes) level numbers. Raises DesignError if no task keeps the rules."""
        rules = self.rules
        for _ in range(_FEW_REDRAWS if self.candidates else _REDRAWS):
            profiles = _profiles(rules, here, everywhere, rng)
            if rules.allowed(profiles):
                return profiles
        self.candidates = self.candidates or Candidates.of(rules)
        if not self.known or (len(self.known) < _ENOUGH and time.monotonic() < self.end):
            built = [task for _ in range(_BUILT) if (task := self.candidates.task(rng)[0]) is not None]
            self.known += built
        else:  # those that there are do it again
            built = [self.known[i] for i in rng.integers(0, len(self.known), _BUILT)]
        if not built:
            raise DesignError(nothing_fits(rules))
        return min(
            built,
            key=lambda task: sum(float(counts[rules.labels(task), task[:, a]].sum()) for a, counts in enumerate(here)),
        )


def _version(count: int, tasks: _Tasks, everywhere: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    here = _counts(tasks.rules)
    drawn = []
    for _ in range(count):
        profiles = tasks.draw(here, everywhere, rng)
        labels = tasks.rules.labels(profiles)
        for a, column in enumerate(profiles.T):
            np.add.at(here[a], (labels, column), 1)
            np.add.at(everywhere[a], (labels, column), 1)
        drawn.append(profiles)
    return drawn


def _counts(rules: Rules) -> list[np.ndarray]:
    """How often each level was shown, one array an attribute, (labels or 1, level numbers)."""
    labels = 1 if rules.label < 0 else int(rules.sizes[rules.label])
    return [np.zeros((labels, int(size))) for size in rules.codes]


def _profiles(
    rules: Rules, here: list[np.ndarray], everywhere: list[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """(J, attributes) level numbers of a task, by the counts here and everywhere."""
    if rules.label < 0:
        sizes = enumerate(rules.sizes)
        return np.column_stack([_levels(s, rules.alternatives, here[a][0], everywhere[a][0], rng) for a, s in sizes])
    shown = here[rules.label].sum(axis=0), everywhere[rules.label].sum(axis=0)
    labels = rng.permutation(_least_used(np.arange(len(shown[0])), *shown, rng)[: rules.alternatives])
    task = np.empty((rules.alternatives, len(rules.sizes)), dtype=int)
    for j, label in enumerate(labels):
        for a in range(len(rules.sizes)):
            possible = np.flatnonzero(~rules.forbidden[rules.label, label, a, : rules.codes[a]])
            if not len(possible):
                raise DesignError(nothing_fits(rules))
            task[j, a] = _least_used(possible, here[a][label], everywhere[a][label], rng)[0]
        task[j, rules.label] = label
    return task


def _least_used(levels: np.ndarray, here: np.ndarray, everywhere: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Some levels, those shown least first, ties in random order."""
    return np.asarray(levels[np.lexsort((rng.random(len(levels)), everywhere[levels], here[levels]))])


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
    found: dict[tuple[tuple[int, ...], ...], tuple[float, np.ndarray]] = {}
    for _ in range(_HOLDOUT_CANDIDATES if count else 0):
        profiles = _profiles(rules, _counts(rules), _counts(rules), rng)
        if rules.allowed(profiles):
            found[_shape(profiles)] = (_imbalance(profiles, rules), profiles)
    if len(found) < count:
        candidates = Candidates.of(rules)
        for _ in range(_BUILT * count):
            task, _ = candidates.task(rng)
            if task is None:
                break
            found.setdefault(_shape(task), (_imbalance(task, rules), task))
    if not found and count:
        raise DesignError(nothing_fits(rules))
    if len(found) < count:
        raise DesignError(
            f"{len(found)} different tasks without a dominated alternative for all to share; allowed: the {count} that "
            "choice_tasks.holdouts and warm_up ask for; add levels or attributes, or ask for fewer."
        )
    return [profiles for _, profiles in sorted(found.values(), key=lambda pair: pair[0])[:count]]


def _shape(profiles: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """Equal for tasks with the same alternatives."""
    return tuple(sorted(tuple(map(int, profile)) for profile in profiles))


def _imbalance(profiles: np.ndarray, rules: Rules) -> float:
    """How far the best alternative is from the worst one, for somebody with neutral tastes, to whom what is not there is neither good nor bad."""
    good = np.where(profiles < rules.sizes, profiles / (rules.sizes - 1), 0.5)
    worth = good * rules.ordered * _NEUTRAL_WORTH
    return float(np.ptp(worth @ np.r_[np.ones(len(rules.sizes) - 1), -2]))


def _task(number: int, kind: Kind, profiles: np.ndarray, definition: Definition) -> ChoiceTask:
    alternatives = tuple(
        Alternative(
            j,
            {
                attribute.id: attribute.level_ids[level]
                for attribute, level in zip(definition.attributes, profile, strict=False)
                if level < len(attribute.levels)
            },
            definition.price.levels[profile[-1]],
        )
        for j, profile in enumerate(profiles, 1)
    )
    return ChoiceTask(number, kind, alternatives)
