"""Tasks built from the list of all allowed alternatives: for rules under which random tasks hardly ever fit.

Alternatives are chosen one after the other among those that go with the ones before (depth first, in random order). Where the list is
complete and the search came to its end, no task found means that there is none; else it means that none was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wtp.design.rules import Rules

_LISTED = 200_000  # alternatives; beyond, a random sample stands for all of them
_NODES = 1_500  # alternatives tried before the search for a task gives up
_LOOKS = 30_000_000  # comparisons of two alternatives, for long lists
_RANK_TASKS = 100


@dataclass(frozen=True, slots=True)
class Candidates:
    """All allowed alternatives, (P, attributes) level numbers, or a sample of them where `complete` is false."""

    rules: Rules
    profiles: np.ndarray
    complete: bool

    @classmethod
    def of(cls, rules: Rules, seed: int = 1) -> Candidates:
        """List the alternatives that keep the prohibitions."""
        complete = bool(np.prod(rules.codes.astype(float)) <= _LISTED)
        if complete:
            profiles = np.indices(tuple(map(int, rules.codes))).reshape(len(rules.sizes), -1).T
        else:
            profiles = np.unique(rules.random(np.random.default_rng(seed), (_LISTED,)), axis=0)
        bad = np.zeros(len(profiles), dtype=bool)
        for a in range(len(rules.sizes)):
            for b in range(a):
                if rules.forbidden[a, :, b].any():
                    bad |= rules.forbidden[a, profiles[:, a], b, profiles[:, b]]
        return cls(rules, profiles[~bad], complete)

    def task(self, rng: np.random.Generator, nodes: int = _NODES) -> tuple[np.ndarray | None, bool]:
        """A random task (J, attributes) that keeps all rules, or None; and, with None, whether it is proved that there is none."""
        left = [max(1, min(nodes, _LOOKS // max(1, len(self.profiles))))]
        chosen = self._more([], np.arange(len(self.profiles)), left, rng)
        if chosen is None:
            return None, self.complete and left[0] > 0
        return self.profiles[chosen], False

    def _more(
        self, chosen: list[int], open_: np.ndarray, left: list[int], rng: np.random.Generator
    ) -> list[int] | None:
        missing = self.rules.alternatives - len(chosen)
        if not missing:
            return chosen
        order = rng.permutation(open_)
        for place, profile in enumerate(order):
            if len(order) - place < missing or left[0] <= 0:
                return None
            left[0] -= 1
            rest = order[place + 1 :]  # a task is a set: what was tried before need not come again
            if found := self._more([*chosen, int(profile)], rest[self._goes_with(profile, rest)], left, rng):
                return found
        return None

    def _goes_with(self, profile: int, others: np.ndarray) -> np.ndarray:
        rules = self.rules
        difference = self.profiles[others] - self.profiles[profile]
        fits = ~(difference == 0).all(axis=1)
        fits &= ~(difference[:, rules.at_most_once] == 0).any(axis=1)
        if rules.avoid_dominated:
            difference = difference * np.where(rules.ordered < 0, -1, 1)
            difference[:, -1] *= -1  # a lower price is better
            for better in (difference, -difference):
                fits &= ~np.where(rules.ordered, better >= 0, better == 0).all(axis=1)
        return np.asarray(fits)


def nothing_fits(rules: Rules) -> str:
    """Why no task can be drawn, in words: the smallest rule to drop, or the fewest together."""
    rng = np.random.default_rng(1)
    proved = Candidates.of(rules).task(rng)[1]
    problem = (
        "the rules of choice_tasks leave no task"
        if proved
        else "no task was found that keeps the rules of choice_tasks"
    )
    parts = rules.parts()
    for name, without in sorted(
        ((name, rules.without({name})) for name, _ in parts), key=lambda pair: rules.size(pair[0])
    ):
        if _possible(without, rng):
            return f"{problem}; allowed: rules that leave some; without {name} there are some: drop or narrow it."
    dropped = {name for name, _ in parts}
    if len(dropped) < 2 or not _possible(rules.without(dropped), rng):
        return (
            f"{problem}; allowed: rules under which alternatives can differ and trade off; dropping rules does not help: add levels or "
            "attributes, or show fewer alternatives."
        )
    for name, _ in sorted(parts, key=lambda pair: rules.size(pair[0])):
        if _possible(rules.without(dropped - {name}), rng):
            dropped.discard(name)
    named = " and ".join(name for name, _ in parts if name in dropped)
    return f"{problem}; allowed: rules that leave some; no single one is to blame, but without {named} there are some: drop or narrow these."


def not_told_apart(rules: Rules, codes: Sequence[np.ndarray]) -> str:
    """Why tasks that keep the rules cannot tell the part-worths apart, in words; codes holds each attribute's (levels, columns) coding, perhaps by label."""
    rng = np.random.default_rng(1)
    problem = "no design was found whose part-worths can be told apart"
    columns = sum(code.shape[-1] for code in codes)
    if _rank(rules, codes, rng) == columns:
        return f"{problem}; allowed: tasks that vary every attribute; ask for more tasks or versions."
    parts = sorted((name for name, _ in rules.parts()), key=rules.size)
    helping = next((name for name in parts if _rank(rules.without({name}), codes, rng) == columns), None)
    remedy = (
        f"without {helping} they can be: drop or narrow it"
        if helping
        else "drop several rules, or levels that hardly any alternative may have"
    )
    return f"{problem} under the rules of choice_tasks; allowed: rules that let every level vary against the others; {remedy}."


def _rank(rules: Rules, codes: Sequence[np.ndarray], rng: np.random.Generator) -> int:
    """How many columns random tasks that keep the rules tell apart."""
    candidates = Candidates.of(rules)
    tasks = [task for _ in range(_RANK_TASKS) if (task := candidates.task(rng)[0]) is not None]
    if not tasks:
        return 0
    levels = np.array(tasks)
    X = np.concatenate(
        [
            code[levels[..., a]] if code.ndim == 2 else code[levels[..., rules.label], levels[..., a]]
            for a, code in enumerate(codes)
        ],
        axis=2,
    )
    return int(np.linalg.matrix_rank((X - X.mean(axis=1, keepdims=True)).reshape(-1, X.shape[2])))


def _possible(rules: Rules, rng: np.random.Generator) -> bool:
    return Candidates.of(rules).task(rng)[0] is not None
