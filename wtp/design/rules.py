"""What may be shown together: prohibited pairs of levels, prices for some levels only, levels at most once a task, no dominated alternative."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wtp.survey.definition import Definition
from wtp.survey.tasks import Pair

_ONCE = "choice_tasks.at_most_once"
_DOMINATED = 'choice_tasks.dominated = "avoid"'


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a survey as arrays over level numbers, the price as the last attribute.

    forbidden[a, l, b, m]: level l of attribute a and level m of b may not stand in one alternative; `names` are the prohibitions as the
    author wrote them, each with its own table. `ordered`: as in `dominated`.
    """

    sizes: np.ndarray
    ordered: np.ndarray
    forbidden: np.ndarray
    at_most_once: np.ndarray
    avoid_dominated: bool
    alternatives: int
    names: tuple[tuple[str, np.ndarray], ...] = ()

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
        found += [(_ONCE, None)] if self.at_most_once.any() else []
        return found + ([(_DOMINATED, None)] if self.avoid_dominated else [])

    def size(self, name: str) -> float:
        """How much a part forbids: pairs of levels; the two rules on whole tasks count more than any prohibition."""
        table = dict(self.parts())[name]
        return np.inf if table is None else float(table.sum())

    def without(self, dropped: set[str]) -> Rules:
        """The same rules but for some parts."""
        kept = tuple((name, table) for name, table in self.names if name not in dropped)
        return replace(
            self,
            names=kept,
            forbidden=np.logical_or.reduce([np.zeros_like(self.forbidden), *(table for _, table in kept)]),
            at_most_once=self.at_most_once & (_ONCE not in dropped),
            avoid_dominated=self.avoid_dominated and _DOMINATED not in dropped,
        )


def dominated(profiles: np.ndarray, ordered: np.ndarray) -> bool:
    """Whether one alternative is at least as good in everything as another; profiles (J, attributes), the price last.

    `ordered` (attributes,): 1 worst first, -1 best first, 0 without an order, 1 for the price. Equal alternatives count too. Unordered attributes must
    be equal for one to dominate.
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
    ordered = np.array([*(attribute.direction for attribute in definition.attributes), 1])
    shape = (len(ids), int(sizes.max()), len(ids), int(sizes.max()))

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
    return Rules(
        sizes=sizes,
        ordered=ordered,
        forbidden=np.logical_or.reduce([np.zeros(shape, dtype=bool), *(found for _, found in names)]),
        at_most_once=np.array([name in plan.at_most_once for name in ids]),
        avoid_dominated=plan.dominated == "avoid",
        alternatives=plan.alternatives,
        names=names,
    )
