"""What may be shown together: prohibited pairs of levels, prices for some levels only, levels at most once a task, no dominated alternative."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wtp.survey.definition import Definition
from wtp.survey.tasks import Pair

_DRAWS = 20_000


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a survey as arrays over level numbers, the price as the last attribute.

    forbidden[a, l, b, m]: level l of attribute a and level m of b may not stand in one alternative; `names` are the prohibitions as the
    author wrote them, each with its own table.
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

    def profile_allowed(self, profile: np.ndarray) -> bool:
        """Whether one alternative, (attributes,) level numbers, is free of prohibited pairs."""
        a = np.arange(len(profile))
        return not self.forbidden[a[:, None], profile[:, None], a[None, :], profile[None, :]].any()

    def allowed(self, task: np.ndarray) -> bool:
        """Whether a task, (J, attributes) level numbers, keeps all rules; equal alternatives never do."""
        if not all(self.profile_allowed(profile) for profile in task):
            return False
        if any(len(set(task[:, a].tolist())) < len(task) for a in np.flatnonzero(self.at_most_once)):
            return False
        if len(np.unique(task, axis=0)) < len(task):
            return False
        return not (self.avoid_dominated and dominated(task, self.ordered))

    def nothing_fits(self) -> str:
        """Why no task can be drawn, in words: which rule to drop."""
        rng = np.random.default_rng(1)
        helping = [(name, share) for name, rules in self._without() if (share := rules.share(rng)) > 0]
        if not helping:
            return (
                "the rules of choice_tasks leave no task; allowed: rules under which alternatives can differ and trade off; dropping a single one "
                "of them does not help: add levels or attributes, show fewer alternatives, or drop several."
            )
        name, share = max(helping, key=lambda pair: pair[1])
        return (
            f"the rules of choice_tasks leave no task; allowed: rules that leave some; without {name} there are (in {share:.1%} of random draws): "
            "drop or narrow it."
        )

    def share(self, rng: np.random.Generator) -> float:
        """Share of random tasks that keep the rules, from draws."""
        draws = rng.integers(0, self.sizes, (_DRAWS, self.alternatives, len(self.sizes)))
        a = np.arange(len(self.sizes))
        bad = self.forbidden[a[:, None], draws[..., :, None], a[None, :], draws[..., None, :]].any(axis=(1, 2, 3))
        return sum(self.allowed(task) for task in draws[~bad]) / _DRAWS

    def _without(self) -> list[tuple[str, Rules]]:
        options: list[tuple[str, Rules]] = []
        for number, (name, _) in enumerate(self.names):
            rest = [table for n, (_, table) in enumerate(self.names) if n != number]
            options.append(
                (name, replace(self, forbidden=np.logical_or.reduce([np.zeros_like(self.forbidden), *rest])))
            )
        if self.at_most_once.any():
            options.append(("choice_tasks.at_most_once", replace(self, at_most_once=np.zeros_like(self.at_most_once))))
        if self.avoid_dominated:
            options.append(('choice_tasks.dominated = "avoid"', replace(self, avoid_dominated=False)))
        return options


def dominated(profiles: np.ndarray, ordered: np.ndarray) -> bool:
    """Whether one alternative is at least as good in everything as another; profiles (J, attributes), the price last.

    Equal alternatives count too. Unordered attributes must be equal for one to dominate.
    """
    signed = profiles.copy()
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
    ordered = np.array([*(attribute.ordered for attribute in definition.attributes), True])
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
