"""What was chosen in each choice task, and whether it would be bought."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wtp.imports.mapping import LONG, NONE, Mapping
from wtp.imports.rows import column_at
from wtp.imports.values import NOTHING, each, number_of, plain, truth_of

_LETTERS = "abcdefghijkl"
_NUMBERED = re.compile(r"(?:alternative|option|offer|concept|profile|package|product|choice|candidate|alt|angebot|auswahl|variante|paket|produkt|kandidat)?(?:\s*[#.:])?\s*(\d{1,3}|[a-l])", re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class Picks:
    """task: number of each row's choice task, counted through the file. chosen: whether a row is the chosen one. nothing: tasks in which none of the offers was chosen. wrong: tasks that cannot be read. buys: of each task, None where it was not asked."""

    task: np.ndarray
    chosen: np.ndarray
    nothing: frozenset[int]
    wrong: frozenset[int]
    buys: dict[int, bool]


def pick_of(text: str, given: dict[str, str]) -> str:
    """The number of the alternative that a value of the choice column means, "none", or "" if it means nothing known."""
    if text in given:
        return given[text]
    said = plain(text)
    if said in NOTHING:
        return NONE
    number = number_of(said)
    if number is not None and number == int(number) and 0 <= number < 1000:
        return str(int(number))
    if match := _NUMBERED.fullmatch(said):
        return match[1] if match[1].isdecimal() else str(1 + _LETTERS.index(match[1].lower()))
    return ""


def read_picks(rows: pd.DataFrame, none: np.ndarray, columns: Mapping, report: Callable[..., None]) -> Picks:
    """Which row of each task was chosen; tasks without one, or with several, are reported unless nothing chosen means none of these."""
    task = (
        rows.groupby(["respondent", "task"], sort=False).ngroup().to_numpy() if len(rows) else np.array([], dtype=int)
    )
    wrong: set[int] = set()
    if columns.layout == LONG and columns.chosen_is == "mark":
        chosen, nothing = _marked(rows, columns, task, wrong, report), frozenset[int]()
    else:
        chosen, nothing = _numbered(rows, none, columns, task, wrong, report)
    places = places_of(task)
    counts = np.array([chosen[own].sum() for own in places], dtype=int)
    unmarked = {number for number, count in enumerate(counts) if not count and number not in wrong | nothing}
    if columns.none_option:
        fine = {number for number in unmarked if not none[places[number]].any()}
        nothing, unmarked = nothing | fine, unmarked - fine
    several = {number for number, count in enumerate(counts) if count > 1} - wrong
    for number in sorted(unmarked | several):
        row = rows.iloc[places[number][0]]
        code, found = "none_chosen", ""
        if number in several:
            code, found = "several_chosen", f"{counts[number]} in task {row['task']}"
        report(code, row["row"], _place(columns, row), found, "1", row["respondent"])
        wrong.add(number)
    return Picks(task, chosen, nothing, frozenset(wrong), _buys(rows, columns, task, report))


def _place(columns: Mapping, row: pd.Series) -> str:
    return column_at(columns.chosen, int(row["t"]), int(row["k"]))


def _marked(
    rows: pd.DataFrame, columns: Mapping, task: np.ndarray, wrong: set[int], report: Callable[..., None]
) -> np.ndarray:
    said = {text: truth_of(text) for text in pd.unique(rows["chosen"])}
    truth = rows["chosen"].map(said)
    for at in np.nonzero(truth.isna().to_numpy())[0]:
        row = rows.iloc[at]
        report("chosen_unreadable", row["row"], _place(columns, row), row["chosen"], "1, 0", row["respondent"])
        wrong.add(int(task[at]))
    return truth.map(lambda one: one is True).to_numpy(dtype=bool)


def _numbered(
    rows: pd.DataFrame,
    none: np.ndarray,
    columns: Mapping,
    task: np.ndarray,
    wrong: set[int],
    report: Callable[..., None],
) -> tuple[np.ndarray, frozenset[int]]:
    """The alternative whose number the choice column says, in any row of the task; the number after the last offer, or 0, is the none option where there is one."""
    chosen = np.zeros(len(rows), dtype=bool)
    nothing: set[int] = set()
    meant = {text: pick_of(text, columns.picks) for text in pd.unique(rows["chosen"]) if text}
    numbers = alternative_numbers(rows, task)
    said = rows["chosen"].to_numpy()
    for number, own in enumerate(places_of(task)):
        texts = {said[at] for at in own if said[at]}
        if not texts:
            continue
        picks = {meant[text] for text in texts}
        pick = picks.pop() if len(picks) == 1 else ""
        offers, nones = own[~none[own]], own[none[own]]
        last = len(offers) + 1
        fitting = [at for at in own if str(numbers[at]) == pick]
        if len(fitting) == 1:
            chosen[fitting[0]] = True
        elif pick == NONE or (not fitting and pick in {"0", str(last)} and (len(nones) or columns.none_option)):
            if len(nones):
                chosen[nones[0]] = True
            elif columns.none_option:
                nothing.add(number)
        if not chosen[own].any() and number not in nothing:
            row, allowed = rows.iloc[own[0]], ", ".join(str(numbers[at]) for at in offers)
            report(
                "chosen_unreadable",
                row["row"],
                _place(columns, row),
                ", ".join(sorted(texts)),
                allowed,
                row["respondent"],
            )
            wrong.add(number)
    return chosen, frozenset(nothing)


def places_of(task: np.ndarray) -> list[np.ndarray]:
    """The places of the rows of every task, in the order in which tasks begin."""
    order = np.argsort(task, kind="stable")
    return np.split(order, np.cumsum(np.bincount(task))[:-1]) if len(task) else []


def alternative_numbers(rows: pd.DataFrame, task: np.ndarray) -> np.ndarray:
    """The number of each alternative within its task: as the file says if it does so with whole numbers, else its place from 1."""
    place = pd.Series(task).groupby(task).cumcount().to_numpy() + 1
    said = each(rows["alternative"], number_of)
    good = [int(one) for one in said if one is not None and one == int(one) and 1 <= one < 1_000_000]
    return np.array(good) if len(good) == len(rows) and good else place


def _buys(rows: pd.DataFrame, columns: Mapping, task: np.ndarray, report: Callable[..., None]) -> dict[int, bool]:
    """Whether the chosen offer would be bought, by task; the file may say it on one row or on all."""
    if not columns.buys or rows.empty:
        return {}
    said = {text: truth_of(text) if text else None for text in pd.unique(rows["buys"])}
    found: dict[int, bool] = {}
    seen: set[int] = set()
    for at, text in enumerate(rows["buys"]):
        number = int(task[at])
        if not text or number in seen:
            continue
        answer = said[text]
        if answer is None or found.get(number, answer) != answer:
            row = rows.iloc[at]
            report(
                "buys_unreadable",
                row["row"],
                column_at(columns.buys, int(row["t"]), int(row["k"])),
                text,
                "1, 0",
                row["respondent"],
            )
            seen.add(number)
        else:
            found[number] = answer
    return found
