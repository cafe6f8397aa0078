"""Choice tasks and choices of each respondent, put together from checked rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd

from wtp.imports.levels import Levels
from wtp.imports.mapping import Mapping
from wtp.imports.picks import Picks, alternative_numbers, places_of
from wtp.imports.rows import column_at
from wtp.imports.values import each, number_of
from wtp.survey.answers import Choice
from wtp.survey.definition import Definition
from wtp.survey.tasks import KINDS, NONE_NUMBER, Alternative, ChoiceTask, Kind

_MOST_TASKS = 200
_LEADING = re.compile(r"\d{1,6}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """One answered task; order: place in the interview as the file says, None if it does not."""

    task: ChoiceTask
    chosen: int
    buys: bool | None
    order: int | None
    first: int


@dataclass(frozen=True, slots=True)
class Made:
    """One respondent: first: place of the first row, and the tasks in the order in which they were shown."""

    first: int
    tasks: tuple[Chosen, ...]

    def choices(self, definition_hash: str, now: datetime) -> tuple[Choice, ...]:
        """As they are stored; design version 0 is none of ours."""
        return tuple(
            Choice(one.task, order, one.chosen, one.buys, 0, definition_hash, now)
            for order, one in enumerate(self.tasks, 1)
        )


def people_of(
    rows: pd.DataFrame,
    levels: Levels,
    picks: Picks,
    columns: Mapping,
    definition: Definition,
    report: Callable[..., None],
) -> dict[str, Made]:
    """Name in the file -> what was shown and chosen; tasks with a problem are reported and left out."""
    numbers = alternative_numbers(rows, picks.task)
    ts = rows["t"].to_numpy(dtype=int)
    kinds = _kinds(rows, columns, report)
    found: dict[str, list[Chosen]] = {}
    sizes: dict[int, int] = {}
    shown: dict[tuple[Any, ...], tuple[Alternative, ...]] = {}
    dual = definition.choice_tasks.none == "dual"
    names, texts = rows["respondent"].to_numpy(), rows["task"].to_numpy()
    orders = _orders(rows, columns, report)
    ids = list(levels.ids.items())
    for number, places in enumerate(places_of(picks.task)):
        at = int(places[0])

        def wrong(code: str, value: object = "", allowed: str = "", column: str = "", at: int = at) -> None:
            report(code, rows.loc[at, "row"], column, value, allowed, names[at])

        offers, nones = places[~levels.none[places]], places[levels.none[places]]
        doubles = len({numbers[p] for p in offers}) < len(offers)
        if doubles:
            wrong(
                "same_alternative",
                f"task {texts[at]}",
                column=column_at(columns.alternative or columns.task, int(ts[at]), 0),
            )
        if len(nones) > 1:
            wrong("several_none", f"{len(nones)} in task {texts[at]}", "1")
        has_none = bool(len(nones)) or columns.none_option
        if has_none and not dual:
            wrong("none_not_asked", f"task {texts[at]}")
        if (
            number in picks.wrong
            or doubles
            or len(nones) > 1
            or not levels.usable[places].all()
            or (has_none and not dual)
        ):
            continue
        key = tuple((int(numbers[p]), *(made[p] for _, made in ids), levels.prices[p]) for p in offers)
        if key not in shown:
            shown[key] = tuple(
                Alternative(int(numbers[p]), {name: made[p] for name, made in ids if made[p]}, float(levels.prices[p]))
                for p in offers
            )
        picked = [int(numbers[p]) for p in offers if picks.chosen[p]]
        mine = found.setdefault(names[at], [])
        chosen = picked[0] if picked else NONE_NUMBER
        if mine and dual and _is_purchase(mine[-1], shown[key], has_none):
            mine[-1] = replace(mine[-1], buys=chosen != NONE_NUMBER)
            continue
        limit = definition.choice_tasks.alternatives
        if len(offers) < 2 or len(offers) > limit:
            wrong("too_few" if len(offers) < 2 else "too_many", f"{len(offers)} in task {texts[at]}", f"2 to {limit}")
            continue
        sizes.setdefault(len(offers), at)
        made_of = shown[key] + ((Alternative(NONE_NUMBER, {}, 0.0),) if has_none else ())
        task = ChoiceTask(_number(texts[at]), kinds[at], made_of)
        mine.append(Chosen(task, chosen, picks.buys.get(number) if not has_none else None, orders[at], at))
    if len(sizes) > 1:
        report("sizes_differ", rows.loc[max(sizes.values()), "row"], "", ", ".join(map(str, sorted(sizes))), "")
    return _people(rows, found, dual, report)


def _is_purchase(before: Chosen, offers: tuple[Alternative, ...], has_none: bool) -> bool:
    """Whether a task of one offer beside none asks if the offer just chosen would be bought (dual-response none; Brazell et al. 2006)."""
    if (
        len(offers) != 1
        or not has_none
        or before.buys is not None
        or before.chosen == NONE_NUMBER
        or before.task.has_none
    ):
        return False
    last = next(a for a in before.task.alternatives if a.number == before.chosen)
    return (last.levels, last.price) == (offers[0].levels, offers[0].price)


def _people(
    rows: pd.DataFrame, found: dict[str, list[Chosen]], dual: bool, report: Callable[..., None]
) -> dict[str, Made]:
    made = {}
    silent = [one for mine in found.values() for one in mine if dual and one.buys is None and not one.task.has_none]
    said = sum(len(mine) for mine in found.values()) - len(silent)
    for one in silent if said else silent[:1]:
        code, count = ("buying_missing", 1) if said else ("buying_unknown", len(silent))
        report(code, rows.loc[one.first, "row"], respondent=rows.loc[one.first, "respondent"], count=count)
    for name, mine in found.items():
        first = min((one.first for one in mine), default=0)
        if len(mine) > _MOST_TASKS:
            report("many_tasks", rows.loc[first, "row"], "", len(mine), f"1 to {_MOST_TASKS}", name)
            continue
        given = [one.order for one in mine]
        ordered = mine if None in given else sorted(mine, key=lambda one: one.order or 0)
        if None not in given and len(set(given)) < len(given):
            report("order_unreadable", rows.loc[first, "row"], "", "", "", name)
        if mine:
            made[name] = Made(first, tuple(_repeats(_numbered(ordered))))
    return made


def _numbered(mine: list[Chosen]) -> list[Chosen]:
    """Tasks with the numbers of the file if each has its own, else counted from 1."""
    numbers = [one.task.number for one in mine]
    if len(set(numbers)) == len(numbers) and all(numbers):
        return mine
    return [replace(one, task=replace(one.task, number=number)) for number, one in enumerate(mine, 1)]


def _repeats(mine: list[Chosen]) -> list[Chosen]:
    """A repeated task names the estimation task that has the same offers."""

    def offers(task: ChoiceTask) -> frozenset[Any]:
        return frozenset((*sorted(a.levels.items()), a.price) for a in task.alternatives)

    first = {offers(one.task): one.task.number for one in mine if one.task.kind == "estimation"}
    return [
        replace(one, task=replace(one.task, repeats=first.get(offers(one.task)))) if one.task.kind == "repeat" else one
        for one in mine
    ]


def _number(text: str) -> int:
    found = _LEADING.match(text)
    return int(found[0]) if found else 0


def _kinds(rows: pd.DataFrame, columns: Mapping, report: Callable[..., None]) -> list[Kind]:
    known: dict[str, Kind] = {kind: kind for kind in KINDS} | {"": "estimation"}
    for row in rows[~rows["kind"].isin(known)].itertuples():
        report("kind_unknown", row.row, columns.kind, row.kind, ", ".join(KINDS), row.respondent)
    return each(rows["kind"], lambda text: known.get(text, "estimation"))


def _orders(rows: pd.DataFrame, columns: Mapping, report: Callable[..., None]) -> list[int | None]:
    made = each(rows["order"], _order)
    wrong = [at for at, (text, number) in enumerate(zip(rows["order"], made, strict=True)) if text and number is None]
    for row in rows.iloc[wrong].itertuples():
        report("order_unreadable", row.row, columns.order, row.order, "", row.respondent)
    return made


def _order(text: str) -> int | None:
    number = number_of(text) if text else None
    return int(number) if number is not None and number == int(number) and 1 <= number <= 1_000_000 else None
