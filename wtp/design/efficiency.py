"""How good a design is, before anybody is asked.

D-error = det(M)^(-1/K), M the information of one average respondent under a logit with zero part-worths, M = sum_t X_t'(I/J - 11'/J^2)X_t, treatment
coding, price from 0 to 1 over its tested range, none constant left out (its block depends on the answers). Smaller is better; only
designs of the same survey compare, so it is shown against purely random designs. A design too small to tell its parameters apart has
an infinite D-error and no standard errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wtp.design.candidates import Candidates
from wtp.design.efficient import prior_draws
from wtp.design.exchange import mean_error
from wtp.design.rules import Rules, dominated, rules_of
from wtp.estimation.coding import design_levels
from wtp.estimation.columns import Columns
from wtp.survey.definition import Definition
from wtp.survey.tasks import Design

_RANDOM_DESIGNS = 100
_RANDOM_UNDER_PRIOR = 10


@dataclass(frozen=True, slots=True)
class LevelBalance:
    """One attribute: how often each level is shown, the largest deviation from equal counts (by label, where a label may show some levels alone), the share of tasks that repeat a level."""

    attribute: str
    counts: tuple[int, ...]
    deviation: float
    overlap: float


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Figures of the estimation tasks of a design; `str()` is what `wtp design` prints.

    `rank` is that of all versions together: below `parameters`, the design cannot answer its question. `prior_d_error`: the mean over draws of the
    survey's prior, where it states one (Sandor and Wedel 2001).
    """

    versions: int
    tasks: int
    balance: tuple[LevelBalance, ...]
    largest_correlation: float
    dominated_tasks: int
    d_error: float
    random_d_error: float
    parameters: int
    rank: int
    smallest_rank: int
    standard_errors: tuple[tuple[str, float], ...]
    prior_d_error: float | None = None
    random_prior_d_error: float | None = None

    def __str__(self) -> str:
        lines = [
            f"{self.versions} versions of {self.tasks} estimation tasks; {self.parameters} parameters beside the none constant",
            self._efficiency(),
            f"dominated tasks: {self.dominated_tasks}; largest correlation of two attributes' columns: {self.largest_correlation:.3f}",
            f"rank of a single version: at least {self.smallest_rank} of {self.parameters}",
            "attribute            level counts (largest deviation from equal)    tasks with a repeated level",
        ]
        for row in self.balance:
            counts = " ".join(map(str, row.counts))
            lines.append(f"  {row.attribute:<18} {counts} ({row.deviation:.1%})".ljust(62) + f"{row.overlap:.0%}")
        if self.standard_errors:
            lines.append(
                "standard error of each part-worth with 100 respondents (logits, zero part-worths, price over its whole range):"
            )
            lines.append("  " + ", ".join(f"{name} {error:.3f}" for name, error in self.standard_errors))
        return "\n".join(lines)

    def _efficiency(self) -> str:
        if self.rank < self.parameters:
            return (
                f"too small: all versions together tell {self.rank} of {self.parameters} parameters apart; "
                "ask for more versions or more tasks, or drop a prohibition"
            )
        line = (
            f"D-error {self.d_error:.5f} per respondent, {self.d_error / self.random_d_error:.3f} of a random design's "
            "(smaller is better)"
        )
        if self.prior_d_error is None or self.random_prior_d_error is None:
            return line
        share = self.prior_d_error / self.random_prior_d_error
        return line + f"; under the prior {self.prior_d_error:.5f}, {share:.3f} of a random design's"


def diagnostics(design: Design, definition: Definition, *, seed: int = 0) -> Diagnostics:
    """Level balance, overlap, correlation, dominance, rank and D-error of the estimation tasks."""
    profiles, columns, rules = design_levels(design, definition), Columns.of(definition), rules_of(definition)
    versions, tasks, alternatives, _ = profiles.shape
    names = [*(attribute.id for attribute in definition.attributes), "price"]
    X = columns.coded(profiles)
    per_version = _information(X)
    information = per_version.mean(axis=0)
    rng = np.random.default_rng(seed)
    random = [
        d_error(_information(columns.coded(tasks_at_random)).mean(axis=0))
        for tasks_at_random in _random(rules, rng, (versions, tasks, alternatives), _RANDOM_DESIGNS)
    ]
    prior = _under_the_prior(profiles, definition, columns, rules, rng)
    rank = int(np.linalg.matrix_rank(information))
    identified = rank == len(information)
    errors = np.sqrt(np.diag(np.linalg.inv(information)) / 100) if identified else ()
    return Diagnostics(
        versions=versions,
        tasks=tasks,
        balance=tuple(_balance(name, profiles, a, rules) for a, name in enumerate(names)),
        largest_correlation=_largest_correlation(_within_labels(X, profiles, columns), columns.attributes),
        dominated_tasks=sum(dominated(task, rules.ordered) for task in profiles.reshape(-1, alternatives, len(names))),
        d_error=d_error(information) if identified else float("inf"),
        random_d_error=float(np.mean(random)),
        parameters=X.shape[-1],
        rank=rank,
        smallest_rank=int(min(np.linalg.matrix_rank(m) for m in per_version)),
        standard_errors=tuple((name, float(e)) for name, e in zip(columns.names, errors, strict=identified)),
        prior_d_error=prior and prior[0],
        random_prior_d_error=prior and prior[1],
    )


def _random(rules: Rules, rng: np.random.Generator, shape: tuple[int, ...], count: int) -> Iterator[np.ndarray]:
    """Purely random designs, (*shape, attributes); with labels each task has different ones and offers keep the prohibitions, which make labels what they are."""
    if rules.label < 0:
        yield from (rules.random(rng, shape) for _ in range(count))
        return
    profiles = Candidates.of(rules).profiles
    own = [profiles[profiles[:, rules.label] == label] for label in range(rules.sizes[rules.label])]
    shown = [label for label, some in enumerate(own) if len(some)]
    for _ in range(count):
        labels = rng.permuted(np.tile(shown, (*shape[:-1], 1)), axis=-1)[..., : shape[-1]]
        found = np.zeros((*labels.shape, len(rules.sizes)), dtype=int)
        for label in shown:
            here = labels == label
            found[here] = own[label][rng.integers(len(own[label]), size=int(here.sum()))]
        yield found


def _within_labels(X: np.ndarray, profiles: np.ndarray, columns: Columns) -> np.ndarray:
    """X less the mean of each column in the offers of a label, so that what belongs to one label alone is not held against its constant."""
    if columns.label < 0:
        return X
    X = X.copy()
    labels = profiles[..., columns.label]
    for label in np.unique(labels):
        X[labels == label] -= X[labels == label].mean(axis=0)
    return X


def _under_the_prior(
    profiles: np.ndarray, definition: Definition, columns: Columns, rules: Rules, rng: np.random.Generator
) -> tuple[float, float] | None:
    """Mean D-error over draws of the prior per respondent, of this design and of random ones; None without a prior."""
    if definition.choice_tasks.prior is None:
        return None
    draws, versions = prior_draws(definition), len(profiles)
    levels = profiles.reshape(-1, *profiles.shape[2:])
    random = list(_random(rules, rng, levels.shape[:2], _RANDOM_UNDER_PRIOR))
    own, others = (
        [mean_error(columns.codes, design, draws, label=columns.label) for design in designs]
        for designs in ([levels], random)
    )
    return versions * own[0], versions * float(np.mean(others))


def information_of_versions(profiles: np.ndarray, definition: Definition) -> np.ndarray:
    """(versions, K, K) information of one respondent of each version; profiles (versions, tasks, J, attributes + 1), the price last."""
    return _information(Columns.of(definition).coded(profiles))


def d_error(information: np.ndarray) -> float:
    """det(M)^(-1/K); infinite where M is singular."""
    sign, logarithm = np.linalg.slogdet(information)
    return float(np.exp(-logarithm / len(information))) if sign > 0 else float("inf")


def _information(X: np.ndarray) -> np.ndarray:
    """(versions, K, K) information of one respondent of each version under equal probabilities."""
    centred = X - X.mean(axis=2, keepdims=True)
    return np.asarray(np.einsum("vtjk,vtjl->vkl", centred, centred) / X.shape[2])


def _balance(name: str, profiles: np.ndarray, a: int, rules: Rules) -> LevelBalance:
    shown, size = profiles[..., a], int(rules.sizes[a])
    counts = np.bincount(shown.ravel(), minlength=size)[:size]
    sorted_levels = np.sort(shown, axis=-1)
    again = (sorted_levels[..., 1:] == sorted_levels[..., :-1]) & (sorted_levels[..., 1:] < size)
    equal = _equal_counts(profiles, a, rules)
    deviation = float(np.abs(counts / equal - 1).max()) if (equal > 0).all() else 1.0
    return LevelBalance(name, tuple(map(int, counts)), deviation, float(again.any(axis=-1).mean()))


def _equal_counts(profiles: np.ndarray, a: int, rules: Rules) -> np.ndarray:
    """(levels,) how often each level would be shown if offers showed alike all that they may: all levels, or those of their label."""
    size = int(rules.sizes[a])
    if rules.label < 0 or a == rules.label:
        return np.full(size, profiles[..., a].size / size)
    may = ~rules.forbidden[rules.label, : rules.sizes[rules.label], a, :size]
    offers = np.bincount(profiles[..., rules.label].ravel(), minlength=len(may))
    return np.asarray((offers[:, None] * may / np.maximum(may.sum(axis=1, keepdims=True), 1)).sum(axis=0))


def _largest_correlation(X: np.ndarray, attribute: np.ndarray) -> float:
    """Largest absolute correlation between columns of two different attributes, within tasks."""
    centred = (X - X.mean(axis=2, keepdims=True)).reshape(-1, X.shape[-1])
    spread = centred.std(axis=0)
    scaled = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)  # a level never shown: 0
    correlation = np.abs(scaled.T @ scaled) / len(scaled)
    return float(correlation[attribute[:, None] != attribute].max(initial=0.0))
