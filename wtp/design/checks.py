"""What stands between a design and its launch: one status a check, with the figures it rests on.

Five statuses: READY; WARNING, usable, but know this; UNUSABLE, do not ask anybody with it; FAILED, the check could not be made; OUT_OF_DATE, made for another
version of survey.toml. The limits are conventions: levels within 15 per cent of equal counts, columns of two attributes correlated below 0.3,
an attribute that does not vary in at most a third of the tasks, and any three versions together enough to tell all part-worths apart (METHODS 10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from wtp.design.efficiency import Diagnostics, diagnostics, information_of_versions
from wtp.design.rules import Rules, dominated, rules_of
from wtp.estimation.coding import design_levels
from wtp.survey.definition import Definition
from wtp.survey.tasks import ChoiceTask, Design

READY, WARNING, UNUSABLE, FAILED, OUT_OF_DATE = "ready", "warning", "unusable", "failed", "out_of_date"
STATUSES = (READY, WARNING, OUT_OF_DATE, UNUSABLE, FAILED)  # ever worse
_UNEQUAL = 0.15
_CORRELATED = 0.3
_SELDOM_VARIES = 1 / 3
_POOLED = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, its status, and the figures that its sentence needs."""

    name: str
    status: str
    values: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PairCount:
    """How often the level pairs of two attributes stand in one alternative: fewest and most among the allowed ones, and how many of these never do."""

    attribute: str
    other: str
    fewest: int
    most: int
    never: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A design's checks and the figures behind them. unchanged: by attribute, the share of tasks whose alternatives are all equal in it."""

    checks: tuple[Check, ...]
    diagnostics: Diagnostics
    pairs: tuple[PairCount, ...]
    unchanged: Mapping[str, float]


def worst(statuses: list[str]) -> str:
    """The status of all together."""
    return max(statuses, key=STATUSES.index, default=READY)


def check_design(definition: Definition, design: Design) -> Checked:
    """Check a design that fits its survey in form (`read_design`), before anybody is asked."""
    found, rules, profiles = diagnostics(design, definition), rules_of(definition), design_levels(design, definition)
    names = [*(attribute.id for attribute in definition.attributes), "price"]
    pairs = _pairs(names, profiles.reshape(-1, profiles.shape[-1]), rules)
    unchanged = {
        name: _unchanged(profiles[..., a], size) for a, (name, size) in enumerate(zip(names, rules.sizes, strict=True))
    }
    checks = (
        _rules(definition, design, rules),
        _identified(found),
        _versions(profiles, definition, found),
        _balance(found),
        _pair_check(pairs, found),
        _overlap(unchanged),
        _positions(profiles, rules.sizes),
        _efficiency(found),
        Check("dominated", WARNING if found.dominated_tasks else READY, {"tasks": found.dominated_tasks}),
        _holdouts(definition, design, rules),
    )
    return Checked(checks, found, pairs, unchanged)


def _rules(definition: Definition, design: Design, rules: Rules) -> Check:
    """A design that keeps the form of survey.toml, but not its rules, was made before they were written."""
    tasks = [task for version in design.versions.values() for task in version]
    broken = sum(not rules.allowed(_levels(task, definition)) for task in tasks)
    return Check("rules", OUT_OF_DATE if broken else READY, {"broken": broken, "tasks": len(tasks)})


def _identified(found: Diagnostics) -> Check:
    status = READY if found.rank == found.parameters else UNUSABLE
    return Check("identified", status, {"rank": found.rank, "parameters": found.parameters})


def _versions(profiles: np.ndarray, definition: Definition, found: Diagnostics) -> Check:
    """The least rank of three neighbouring versions together, or of all where there are fewer."""
    information = information_of_versions(profiles, definition)
    count = len(information)
    together = [information[[(v + i) % count for i in range(min(_POOLED, count))]].sum(axis=0) for v in range(count)]
    rank = int(min(np.linalg.matrix_rank(matrix) for matrix in together))
    status = READY if rank == found.parameters else WARNING
    return Check(
        "versions",
        status,
        {"versions": count, "rank": rank, "single": found.smallest_rank, "parameters": found.parameters},
    )


def _balance(found: Diagnostics) -> Check:
    row = max(found.balance, key=lambda row: row.deviation)
    never = [row.attribute for row in found.balance if 0 in row.counts]
    if never:
        return Check("balance", UNUSABLE, {"attribute": never[0], "deviation": 1.0, "never": 1})
    status = READY if row.deviation <= _UNEQUAL else WARNING
    return Check("balance", status, {"attribute": row.attribute, "deviation": row.deviation, "never": 0})


def _pair_check(pairs: tuple[PairCount, ...], found: Diagnostics) -> Check:
    never = sum(pair.never for pair in pairs)
    status = WARNING if never or found.largest_correlation > _CORRELATED else READY
    return Check("pairs", status, {"never": never, "correlation": found.largest_correlation})


def _overlap(unchanged: Mapping[str, float]) -> Check:
    attribute = max(unchanged, key=unchanged.__getitem__)
    status = READY if unchanged[attribute] <= _SELDOM_VARIES else WARNING
    return Check("overlap", status, {"attribute": attribute, "share": unchanged[attribute]})


def _unchanged(shown: np.ndarray, size: int) -> float:
    """Share of the tasks, (versions, tasks, J) level numbers, in which all offers that have an attribute are equal in it, among those in which two or more have it."""
    there = shown < size
    several = there.sum(axis=2) > 1
    lowest, highest = np.where(there, shown, size).min(axis=2), np.where(there, shown, -1).max(axis=2)
    return float((lowest == highest)[several].mean()) if several.any() else 0.0


def _positions(profiles: np.ndarray, sizes: np.ndarray) -> Check:
    """Where levels stand in the file is drawn anew for every respondent, so no imbalance there does harm."""
    gap = 0.0
    for a, size in enumerate(sizes):
        shares = np.array(
            [np.bincount(profiles[:, :, j, a].ravel(), minlength=size)[:size] for j in range(profiles.shape[2])]
        )
        if not shares.sum(axis=1).all():
            continue
        gap = max(gap, float(np.ptp(shares / shares.sum(axis=1, keepdims=True), axis=0).max()))
    return Check("positions", READY, {"gap": gap})


def _efficiency(found: Diagnostics) -> Check:
    if found.rank < found.parameters:
        return Check("efficiency", FAILED, {})
    share = found.d_error / found.random_d_error
    return Check("efficiency", READY if round(share, 2) <= 1 else WARNING, {"d_error": found.d_error, "share": share})


def _holdouts(definition: Definition, design: Design, rules: Rules) -> Check:
    """Holdouts are the same for all, never asked to estimate, and not decided by a dominated alternative."""
    sets = [[_shape(t) for t in tasks if t.kind == "holdout"] for tasks in design.versions.values()]
    asked = {_shape(t) for tasks in design.versions.values() for t in tasks if t.kind == "estimation"}
    first = next(iter(design.versions.values()))
    held = [task for task in first if task.kind == "holdout"]
    values: dict[str, float | str] = {
        "count": len(held),
        "different": int(any(sorted(one) != sorted(sets[0]) for one in sets)),
        "estimated": sum(_shape(task) in asked for task in held),
        "dominated": sum(dominated(_levels(task, definition), rules.ordered) for task in held),
        "repeated": sum(task.kind == "repeat" for task in first),
    }
    good = held and values["repeated"] and not (values["different"] or values["estimated"] or values["dominated"])
    return Check("holdouts", READY if good else WARNING, values)


def _levels(task: ChoiceTask, definition: Definition) -> np.ndarray:
    """(J, attributes + 1) level numbers of any task, the price last."""
    places = {a.id: (*a.level_ids, None) for a in definition.attributes}
    prices = definition.price.levels
    return np.array(
        [[*(places[a].index(j.levels.get(a)) for a in places), prices.index(j.price)] for j in task.alternatives]
    )


def _shape(task: ChoiceTask) -> tuple[tuple[object, ...], ...]:
    return tuple(sorted((*(sorted(a.levels.items())), a.price) for a in task.alternatives))


def _apart(rules: Rules, a: int, b: int) -> np.ndarray:
    """(levels, levels) whether no label may have both of two levels."""
    if rules.label < 0:
        return np.zeros((rules.codes[a], rules.codes[b]), dtype=bool)
    by_label = rules.forbidden[rules.label, : rules.sizes[rules.label]]  # (labels, attributes, levels)
    one, other = by_label[:, a, : rules.codes[a]], by_label[:, b, : rules.codes[b]]
    return np.asarray((one[:, :, None] | other[:, None, :]).all(axis=0))


def _pairs(names: list[str], alternatives: np.ndarray, rules: Rules) -> tuple[PairCount, ...]:
    found = []
    for a, b in combinations(range(len(names)), 2):
        shown = np.zeros((rules.codes[a], rules.codes[b]), dtype=int)
        np.add.at(shown, (alternatives[:, a], alternatives[:, b]), 1)
        real = slice(0, rules.sizes[a]), slice(0, rules.sizes[b])
        allowed = shown[real][~(rules.forbidden[a, real[0], b, real[1]] | _apart(rules, a, b)[real])]
        if allowed.size:  # else nothing of the two may be shown together, and no task keeps the rules
            fewest, most, never = int(allowed.min()), int(allowed.max()), int((allowed == 0).sum())
            found.append(PairCount(names[a], names[b], fewest, most, never))
    return tuple(found)
