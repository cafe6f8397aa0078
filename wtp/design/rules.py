"""What may be shown together: prohibited pairs of levels, prices for some levels only, levels at most once a task, no dominated alternative."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wtp.survey.definition import Definition
from wtp.survey.labels import has, labels_of
from wtp.survey.tasks import Pair

_ONCE = "choice_tasks.at_most_once"
_DOMINATED = 'choice_tasks.dominated = "avoid"'


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a survey as arrays over level numbers, the price as the last attribute.

    forbidden[a, l, b, m]: level l of attribute a and level m of b may not stand in one alternative; `names` are the prohibitions as the
    author wrote them, each with its own table. `ordered`: as in `dominated`. label: place of the attribute that labels the alternatives, or -1. lacking[l, a]: label l has no
    attribute a; its level number there is `sizes[a]`, one past the last level.
    """

    sizes: np.ndarray
    ordered: np.ndarray
    forbidden: np.ndarray
    at_most_once: np.ndarray
    avoid_dominated: bool
    alternatives: int
    names: tuple[tuple[str, np.ndarray], ...] = ()
    label: int = -1
    lacking: np.ndarray | None = None

    @property
    def codes(self) -> np.ndarray:
        """(attributes,) level numbers of each attribute, "not there" among them where a label lacks it."""
        return self.sizes if self.lacking is None else self.sizes + self.lacking.any(axis=0)

    def labels(self, profiles: np.ndarray) -> np.ndarray:
        """(...) number of the label of each profile (..., attributes), 0 where there are no labels."""
        return np.asarray(profiles[..., self.label] if self.label >= 0 else np.zeros(profiles.shape[:-1], dtype=int))

    def completed(self, profiles: np.ndarray) -> np.ndarray:
        """Profiles (..., attributes) in which what the label of each does not have is not there."""
        if self.lacking is None:
            return profiles
        return np.asarray(np.where(self.lacking[profiles[..., self.label]], self.sizes, profiles))

    def random(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """(*shape, attributes) random profiles, each with what its label has."""
        return self.completed(rng.integers(0, self.sizes, (*shape, len(self.sizes))))

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
        """For the compiled search."""
        return self.forbidden, self.at_most_once, self.ordered, self.avoid_dominated

    def allowed(self, task: np.ndarray) -> bool:
        """Whether a task, (J, attributes) level numbers, keeps all rules; equal alternatives never do."""
        a = np.arange(task.shape[1])
        if self.forbidden[a[:, None], task[:, :, None], a, task[:, None, :]].any():
            return False
        equal = (task[:, None] == task)[~np.eye(len(task), dtype=bool)]  # (pairs, attributes)
        if equal.all(axis=1).any() or equal[:, self.at_most_once].any():
            return False
        return not (self.avoid_dominated and dominated(task, self.ordered))

    def parts(self) -> list[tuple[str, np.ndarray | None]]:
        """What could be dropped, as the author wrote it: prohibitions with their tables, at_most_once, the rule against dominated alternatives."""
        found: list[tuple[str, np.ndarray | None]] = list(self.names)
        found += [(_ONCE, None)] if self._once_by_rule.any() else []
        return found + ([(_DOMINATED, None)] if self.avoid_dominated else [])

    def size(self, name: str) -> float:
        """How much a part forbids: pairs of levels; the two rules on whole tasks count more than any prohibition."""
        table = dict(self.parts())[name]
        return np.inf if table is None else float(table.sum())

    @property
    def _once_by_rule(self) -> np.ndarray:
        """What `at_most_once` names beside the labels, each of which stands once in a task by itself."""
        return np.asarray(self.at_most_once & (np.arange(len(self.sizes)) != self.label))

    def fixed(self) -> np.ndarray:
        """The part of `forbidden` that no rule to drop stands for: what a label lacks, and what is not there though the label has it."""
        found = np.zeros_like(self.forbidden)
        for label, lacks in enumerate(self.lacking if self.lacking is not None else ()):
            for a in np.flatnonzero(np.arange(len(lacks)) != self.label):
                size = int(self.sizes[a])
                wrong = slice(0, size) if lacks[a] else slice(size, size + 1)
                found[self.label, label, a, wrong] = found[a, wrong, self.label, label] = True
        return found

    def without(self, dropped: set[str]) -> Rules:
        """The same rules but for some parts."""
        kept = tuple((name, table) for name, table in self.names if name not in dropped)
        return replace(
            self,
            names=kept,
            forbidden=np.logical_or.reduce([self.fixed(), *(table for _, table in kept)]),
            at_most_once=self.at_most_once & ~(self._once_by_rule & (_ONCE in dropped)),
            avoid_dominated=self.avoid_dominated and _DOMINATED not in dropped,
        )


def dominated(profiles: np.ndarray, ordered: np.ndarray) -> bool:
    """Whether one alternative is at least as good in everything as another; profiles (J, attributes), the price last.

    `ordered` (attributes,): 1 worst first, -1 best first, 0 without an order, 1 for the price. Equal alternatives count too. Unordered attributes must
    be equal for one to dominate; labels are unordered, so that offers of different labels never dominate each other, whatever they have in common.
    """
    signed = profiles * np.where(ordered < 0, -1, 1)
    signed[:, -1] *= -1
    difference = signed[:, None, :] - signed[None, :, :]
    at_least = np.where(ordered, difference >= 0, difference == 0).all(axis=2)
    np.fill_diagonal(at_least, False)
    return bool(at_least.any())


def rules_of(definition: Definition) -> Rules:
    """The rules that an author wrote under choice_tasks."""
    plan = definition.choice_tasks
    ids = [*(attribute.id for attribute in definition.attributes), "price"]
    places: list[dict[str | float, int]] = [
        {level: n for n, level in enumerate(attribute.level_ids)} for attribute in definition.attributes
    ]
    places.append({price: n for n, price in enumerate(definition.price.levels)})
    sizes = np.array([len(place) for place in places])
    ordered = np.array([*(0 if a.id == plan.labels else a.direction for a in definition.attributes), 1])
    label = ids.index(plan.labels) if plan.labels else -1
    lacking = np.array([[*(not has(a, name) for a in definition.attributes), False] for name in labels_of(definition)])
    most = int(sizes.max()) + int(lacking.any())
    shape = (len(ids), most, len(ids), most)

    def table(pair: Pair) -> np.ndarray:
        found = np.zeros(shape, dtype=bool)
        (one, some), (other, others) = pair
        a, b = ids.index(one), ids.index(other)
        for level in some:
            for partner in others:
                found[a, places[a][level], b, places[b][partner]] = True
                found[b, places[b][partner], a, places[a][level]] = True
        return found

    names = tuple((name, table(pair)) for name, pair in plan.prohibited_pairs(definition.price.levels))
    rules = Rules(
        sizes=sizes,
        ordered=ordered,
        forbidden=np.zeros(shape, dtype=bool),
        at_most_once=np.array([name in (*plan.at_most_once, plan.labels) for name in ids]),
        avoid_dominated=plan.dominated == "avoid",
        alternatives=plan.alternatives,
        names=names,
        label=label,
        lacking=lacking if lacking.any() else None,
    )
    return rules.without(set())
