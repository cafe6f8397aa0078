"""Best-worst choices (MaxDiff): which of the shown items matters most, which least (Louviere; Marley and Louviere 2005).

P(best b, worst w) = e^v_b / sum_j e^v_j * e^-v_w / sum_(j not b) e^-v_j, so that every task is two choices: the best among all items with
columns X, then the worst among the others with columns -X. `best_worst_choices` stacks them as `ChoiceData`, which the pooled, the latent
class and the hierarchical logit take alike. Differences between items are all that such tasks tell.

Anchored ("all / some / none of these matter"): the threshold of mattering is a further item with utility 0, and its answer tells where it
stands in the task. It is best of all (none matters), worst of what is left after the best (all matter), or neither (some). The
tasks with that item are again best and worst choices, and the probabilities of all answers to a task add up to 1. Zero then means "does not matter".

Notation: N respondents, T tasks as asked, A rows of items shown, L items, m items a task.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from wtp.errors import DataError
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.formulas import AttributeColumns
from wtp.estimation.long_format import LongFrame, check_cells, check_columns

THRESHOLD = "threshold of mattering"
ANSWERS = ("all", "some", "none")
FEWEST_ITEMS = 3  # of a task: with two, the worst is what the best is not


@dataclass(frozen=True, eq=False)
class BestWorstData(ChoiceData):
    """`ChoiceData` of stacked best and worst choices; the rows of a worst choice have the opposite sign.

    anchored: utility 0 is the threshold of mattering, else the reference item. The one attribute has as levels whatever stands at
    utility 0, first, and the (other) items.
    """

    anchored: bool = False

    @property
    def items(self) -> tuple[Any, ...]:
        """(L,) the items, without the threshold."""
        return self.attributes[0].levels[self.anchored :]

    @property
    def contrasts(self) -> np.ndarray:
        """(L, K): utilities of the items are `contrasts @ params`."""
        return self.attributes[0].contrasts[self.anchored :]

    @cached_property
    def level_of_row(self) -> np.ndarray:
        """(rows,) place in the attribute's levels; 0 is the reference item or the threshold."""
        return np.asarray((np.abs(self.X) @ np.arange(1, self.X.shape[1] + 1)).round().astype(int))

    @cached_property
    def asks_best(self) -> np.ndarray:
        """(stacked tasks,) whether the best is asked for, not the worst."""
        return np.asarray(np.add.reduceat(self.X.sum(axis=1), self.starts) > 0)

    @cached_property
    def counts(self) -> pd.DataFrame:
        """item, shown, best, worst, score: in how many tasks, and (best - worst) / shown, from -1 to 1 (Marley and Louviere 2005)."""
        picked = self.level_of_row[self.chosen]
        # Every task as asked has one best and one worst choice in which an item was the answer, not the threshold.
        decided = picked >= self.anchored
        of_levels = {
            "shown": self.level_of_row[(self.asks_best & decided)[self.task_of_row]],
            "best": picked[self.asks_best & decided],
            "worst": picked[~self.asks_best & decided],
        }
        levels = len(self.attributes[0].levels)
        counted = {name: np.bincount(of, minlength=levels)[self.anchored :] for name, of in of_levels.items()}
        table = pd.DataFrame({"item": self.items, **counted})
        return table.assign(score=(table["best"] - table["worst"]) / table["shown"].clip(lower=1))

    @property
    def items_per_task(self) -> float:
        """m, the mean number of items of a task."""
        return float(self.counts["shown"].sum() / self.counts["best"].sum())


def best_worst_choices(
    frame: pd.DataFrame,
    *,
    item: str = "item",
    respondent: str = "respondent",
    choice_task: str = "choice_task",
    best: str = "best",
    worst: str = "worst",
    anchor: str | None = None,
    reference: Any = None,
    weights: str | None = None,
    covariates: Sequence[str] | None = None,
) -> BestWorstData:
    """Stack best-worst tasks, one row an item shown, as choices.

    best, worst: 0/1, true/false or yes/no, exactly one a task, not the same. anchor: a column with all, some or none (of these matter), one
    answer a task, empty where it was not asked. reference: the item at utility 0, by default the first; the threshold with an anchor.
    Items are texts or numbers. Parameters are named as in "item[T.speed]".

    Raises DataError naming column, row (the first row below the header is 1), respondent and choice task.
    """
    coded = _categories(frame, item, reference, anchor)
    with _naming(best):
        first = ChoiceData.from_long(
            coded, f"`{item}`", respondent=respondent, choice_task=choice_task, chosen=best, price=None, weights=weights, covariates=covariates
        )  # fmt: skip
    check_columns(frame, [], [worst], "")
    check_cells(frame, [worst], np.arange(1, len(frame) + 1))
    long = LongFrame.of(frame, respondent, choice_task)
    with _naming(worst):
        last = long.chosen(long.truth(worst))
    _check_tasks(first, last, long)
    answers = _anchor_answers(anchor, long)
    X, starts, chosen, person_of_task = _stack(first, last, answers)
    attribute = first.attributes[0]
    if anchor is not None:
        levels = (THRESHOLD, *attribute.levels)
        contrasts = np.vstack([np.zeros(len(first.names)), attribute.contrasts])
        attribute = AttributeColumns(item, levels, contrasts, numeric=False)
    data = BestWorstData(
        X=X,
        starts=starts,
        chosen=chosen,
        respondent=person_of_task,
        respondents=first.respondents,
        names=first.names,
        attributes=(attribute,),
        weights=first.weights,
        covariates=first.covariates,
        anchored=anchor is not None,
    )
    _check_connected(data)
    return data


@contextmanager
def _naming(column: str) -> Iterator[None]:
    """Best and worst have the same rules: say in which of the two columns one is broken."""
    try:
        yield
    except DataError as error:
        text = str(error)
        raise DataError(f"column {column!r}: {text}" if text.startswith("respondent ") else text) from error


def _categories(frame: pd.DataFrame, item: str, reference: Any, anchor: str | None) -> pd.DataFrame:
    """The frame with categories for items, what stands at utility 0 first."""
    for column in (item, anchor):
        if column is not None and list(frame.columns).count(column) != 1:
            there = ", ".join(map(str, frame.columns))
            raise DataError(f"not one column {column!r}; found: {there}; name the right column or add it.")
    values = frame[item]
    found = list(pd.factorize(values, sort=True)[1])
    if anchor is not None and reference is not None:
        raise DataError(
            f"reference {reference!r} with an anchor; allowed: one zero, which is the threshold; leave the reference out."
        )
    if anchor is not None:
        if THRESHOLD in found:
            raise DataError(f"item {THRESHOLD!r}; allowed: any other name, this one is the anchor's; rename it.")
        found = [THRESHOLD, *found]
    elif reference is not None:
        if reference not in found:
            raise DataError(
                f"reference {reference!r} is no item; allowed: {', '.join(map(str, found))}; name one of these."
            )
        found = [reference, *(other for other in found if other != reference)]
    return frame.assign(**{item: pd.Categorical(values, categories=found)})


def _check_tasks(first: ChoiceData, worst: np.ndarray, long: LongFrame) -> None:
    """Enough items, each once, and two different answers; worst: (T,) rows."""
    level = (first.X @ np.arange(1, first.X.shape[1] + 1)).round().astype(int)
    sorted_by_item = np.lexsort((level, first.task_of_row))
    again = (np.diff(first.task_of_row[sorted_by_item]) == 0) & (np.diff(level[sorted_by_item]) == 0)
    for rows, found, allowed in (
        (first.starts[first.sizes < FEWEST_ITEMS], "fewer than 3 items", "3 or more items a task"),
        (np.sort(sorted_by_item[1:][again]), "an item is shown twice", "different items in a task"),
        (first.chosen[first.chosen == worst], "best and worst are the same item", "two different items"),
    ):
        if len(rows):
            raise DataError(f"{long.places(rows)}: {found}; allowed: {allowed}; mend or drop these choice tasks.")


def _anchor_answers(anchor: str | None, long: LongFrame) -> np.ndarray:
    """(T,) 0 all, 1 some, 2 none of the items matter, -1 not asked."""
    if anchor is None:
        return np.full(len(long.starts), -1)
    codes, distinct = pd.factorize(long.frame[anchor])
    words = pd.Series(distinct, dtype=object).astype(str).str.strip().str.lower()
    meaning = words.map({word: code for code, word in enumerate(ANSWERS)}).fillna(-2).to_numpy(dtype=int)
    row = np.append(meaning, -1)[codes]  # an empty cell has code -1, the last place
    wrong = np.flatnonzero(row == -2)
    if len(wrong):
        found = str(long.frame[anchor].iloc[wrong[0]])[:40]
        raise DataError(
            f"column {anchor!r}, {long.places(wrong)}: {found!r}; allowed: {', '.join(ANSWERS)}, or empty; mend the cells."
        )
    highest = np.maximum.reduceat(row, long.starts)
    lowest = np.minimum.reduceat(np.where(row < 0, len(ANSWERS), row), long.starts)
    several = long.starts[(highest >= 0) & (lowest < highest)]
    if len(several):
        raise DataError(
            f"column {anchor!r}, {long.places(several)}: several answers; allowed: one answer a choice task; mend the cells."
        )
    if (highest < 0).all():
        raise DataError(
            f"column {anchor!r}: empty; allowed: {', '.join(ANSWERS)}; fill it in or fit without an anchor."
        )
    return np.asarray(highest)


def _stack(first: ChoiceData, worst: np.ndarray, answers: np.ndarray) -> tuple[np.ndarray, ...]:
    """X, starts, chosen, respondent of the stacked choices; worst (T,) rows, answers (T,) as `_anchor_answers` has them."""
    best, tasks = first.chosen, first.task_of_row
    is_best = np.zeros(len(first.X), dtype=bool)
    is_best[best] = True
    threshold = np.full(len(best), -1)  # the row after the last one, all zeros
    everything, some, nothing = (answers == code for code in range(len(ANSWERS)))
    unasked = answers < 0
    # Which tasks; best (1) or worst (-1) is asked; with the threshold?; which row was the answer.
    choices = (
        (~unasked, 1, True, np.where(nothing, threshold, best)),
        (unasked | nothing, 1, False, best),
        (everything | some, -1, True, np.where(everything, threshold, worst)),
        (~some, -1, False, worst),
    )
    parts = []
    for stage, (asked, sign, with_threshold, answer) in enumerate(choices):
        rows = np.flatnonzero(asked[tasks] & ~(is_best & (sign < 0)))
        task = tasks[rows]
        if with_threshold:
            rows, task = np.r_[rows, threshold[asked]], np.r_[task, np.flatnonzero(asked)]
        same = np.ones(len(rows), dtype=int)
        parts.append(np.column_stack([task, stage * same, rows, sign * same, rows == answer[task]]))
    blocks = np.concatenate(parts)
    task, stages, rows, signs, picked = blocks[np.lexsort(blocks[:, 2::-1].T)].T
    starts = np.flatnonzero(np.r_[True, (np.diff(task) != 0) | (np.diff(stages) != 0)])
    X = np.vstack([first.X, np.zeros(first.X.shape[1])])[rows] * signs[:, None]
    X += 0.0  # no -0
    return X, starts, np.flatnonzero(picked), first.respondent[task[starts]]


def _check_connected(data: BestWorstData) -> None:
    """Items that never meet, not even through others, cannot be compared."""
    levels, tasks = len(data.attributes[0].levels), len(data.starts)
    links = (np.ones(len(data.X)), (data.level_of_row, levels + data.task_of_row))
    part = connected_components(coo_array(links, shape=(levels + tasks,) * 2), directed=False)[1][:levels]
    apart = [str(level) for level, p in zip(data.attributes[0].levels, part, strict=True) if p != part[0]]
    if apart:
        raise DataError(
            f"items {', '.join(apart)} are never shown together with {data.attributes[0].levels[0]}, not even through other items; "
            "allowed: items that can be compared; leave these out or ask tasks that mix them."
        )
