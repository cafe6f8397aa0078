"""Answers to the other questions, of the columns that our own table of respondents has: question, or question.item. `PARSERS` has one entry a question type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from wtp.imports.mapping import Mapping as Columns
from wtp.imports.tables import Table
from wtp.imports.values import Known, matched, number_of, plain, truth_of
from wtp.survey.definition import Definition
from wtp.survey.questions import (
    KANO_ITEMS,
    UNSURE,
    VAN_WESTENDORP_ITEMS,
    ConstantSum,
    GaborGranger,
    Kano,
    MultipleChoice,
    Number,
    OpenPrice,
    OpenText,
    Option,
    Question,
    Ranking,
    Rating,
    SingleChoice,
    TimeGrid,
    VanWestendorp,
)

_HIGHEST = 1e9  # as prices that respondents type
_LISTED = re.compile(r"[;,|]")
Report = Callable[[str, object, str, str], None]


@dataclass(frozen=True, slots=True)
class _Cells:
    """One respondent's cells of one question, by item ("" for the question itself), and how to read them."""

    cells: Mapping[str, str]
    options: Mapping[str, str]
    decimal: str
    report: Callable[[str, str, object, str], None]

    def number(self, item: str, low: float, high: float, *, whole: bool = False) -> float | None:
        """A number within bounds, None if the cell is empty or wrong."""
        text = self.cells.get(item, "")
        if not text:
            return None
        found = number_of(text, self.decimal)
        if found is None or (whole and found != int(found)):
            self.report("answer_unreadable", item, text, f"{low:.15g} to {high:.15g}")
            return None
        if not low <= found <= high:
            self.report("answer_outside", item, text, f"{low:.15g} to {high:.15g}")
            return None
        return int(found) if whole else found

    def option(self, text: str, item: str, known: Known) -> str | None:
        """The id that a value means."""
        found = self.options.get(text) or matched([text], known, {}, self.decimal)[text]
        if found not in known.ids:
            self.report("option_unknown", item, text, ", ".join(known.ids))
            return None
        return found

    def unsure(self, item: str, words: Mapping[str, str] | None) -> bool:
        """Whether a cell says "do not know"."""
        return words is not None and plain(self.cells.get(item, "")) in {UNSURE, *map(plain, words.values())}


def _known(options: Sequence[Option], unsure: Mapping[str, str] | None = None) -> Known:
    ids = tuple(option.id for option in options) + ((UNSURE,) if unsure else ())
    labels = tuple(tuple(option.label.values()) for option in options) + ((tuple(unsure.values()),) if unsure else ())
    return Known(ids, labels)


def options_of(question: SingleChoice | MultipleChoice) -> Known:
    """What can be answered, "do not know" last."""
    return _known(question.options, question.unsure if isinstance(question, SingleChoice) else None)


def _single(q: SingleChoice, of: _Cells) -> Any:
    text = of.cells.get("", "")
    return of.option(text, "", _known(q.options, q.unsure)) if text else None


def _several(q: MultipleChoice, of: _Cells) -> Any:
    known = _known(q.options)
    if text := of.cells.get("", ""):
        parts = [part.strip() for part in _LISTED.split(text) if part.strip()]
        picked = {found for part in parts if (found := of.option(part, "", known))}
    else:
        if not any(of.cells.values()):
            return None
        picked = set()
        for item, cell in of.cells.items():
            truth = truth_of(cell)
            label = plain(cell) in {plain(one) for one in known.labels[known.ids.index(item)]}
            if truth is None and not label:
                of.report("option_unknown", item, cell, "1, 0")
            elif truth or label:
                picked.add(item)
    return [name for name in known.ids if name in picked]


def _rating(q: Rating, of: _Cells) -> Any:
    if not any(of.cells.values()):
        return None
    return {
        item.id: None if of.unsure(item.id, q.unsure) else of.number(item.id, q.scale.low, q.scale.high, whole=True)
        for item in q.items
    }


def _number(q: Number, of: _Cells) -> Any:
    return UNSURE if of.unsure("", q.unsure) else of.number("", q.low, q.high, whole=q.whole)


def _ranking(q: Ranking, of: _Cells) -> Any:
    ranks = {item.id: of.number(item.id, 1, q.ranks, whole=True) for item in q.items if of.cells.get(item.id)}
    given = [(rank, item) for item, rank in ranks.items() if rank is not None]
    if len({rank for rank, _ in given}) < len(given):
        of.report("answer_outside", given[0][1], ", ".join(f"{rank:g}" for rank, _ in given), f"1 to {q.ranks}")
        return None
    return [item for _, item in sorted(given)] or None


def _sum(q: ConstantSum, of: _Cells) -> Any:
    if not any(of.cells.values()):
        return None
    return {item.id: of.number(item.id, 0, q.total) or 0 for item in q.items}


def _text(q: OpenText, of: _Cells) -> Any:
    text = of.cells.get("", "")
    if len(text) > q.longest:
        of.report("answer_long", "", text, f"{q.longest}")
        return None
    return text or None


def _times(q: TimeGrid, of: _Cells) -> Any:
    known = _known(q.bands)
    if not any(of.cells.values()):
        return None
    return {
        day.id: [found for part in of.cells.get(day.id, "").split() if (found := of.option(part, day.id, known))]
        for day in q.days
    }


def _whole_or_nothing(of: _Cells, items: Sequence[str], read: Callable[[str], float | None]) -> Any:
    """All parts or none: half of such an answer means nothing."""
    given = [item for item in items if of.cells.get(item)]
    if not given:
        return None
    if len(given) < len(items):
        missing = next(item for item in items if item not in given)
        of.report("answer_partial", missing, "", "")
        return None
    values = {item: read(item) for item in items}
    return None if None in values.values() else values


def _kano(_: Kano, of: _Cells) -> Any:
    return _whole_or_nothing(of, KANO_ITEMS, lambda item: of.number(item, 1, 5, whole=True))


def _four_prices(_: VanWestendorp, of: _Cells) -> Any:
    return _whole_or_nothing(of, VAN_WESTENDORP_ITEMS, lambda item: of.number(item, 0, _HIGHEST))


def _ladder(q: GaborGranger, of: _Cells) -> Any:
    said: dict[str, int] = {}
    for item in q.items:
        cell = of.cells.get(item, "")
        truth = truth_of(cell) if cell else None
        if cell and plain(cell) in {plain(words) for words in (*q.yes.values(), *q.no.values())}:
            truth = plain(cell) in {plain(words) for words in q.yes.values()}
        if cell and truth is None:
            of.report("option_unknown", item, cell, "1, 0")
        elif truth is not None:
            said[item] = int(truth)
    return said or None


def _open_price(_: OpenPrice, of: _Cells) -> Any:
    return of.number("", 0, _HIGHEST)


PARSERS: dict[str, Callable[[Any, _Cells], Any]] = {
    "single_choice": _single,
    "multiple_choice": _several,
    "rating": _rating,
    "number": _number,
    "ranking": _ranking,
    "constant_sum": _sum,
    "text": _text,
    "time_grid": _times,
    "kano": _kano,
    "van_westendorp": _four_prices,
    "gabor_granger": _ladder,
    "open_price": _open_price,
}


def items_of(question: Question) -> tuple[str, ...]:  # noqa: PLR0911 - one case a question type
    """What a question has a column each for; ("",) for one column. A multiple choice may also be one column with a list."""
    match question:
        case MultipleChoice():
            return ("", *(option.id for option in question.options))
        case Rating() | Ranking() | ConstantSum():
            return tuple(item.id for item in question.items)
        case TimeGrid():
            return tuple(day.id for day in question.days)
        case Kano():
            return KANO_ITEMS
        case VanWestendorp():
            return VAN_WESTENDORP_ITEMS
        case GaborGranger():
            return tuple(question.items)
    return ("",)


def column_name(question: str, item: str) -> str:
    """What a column is called in our own exports."""
    return f"{question}.{item}" if item else question


def read_answers(
    table: Table, columns: Columns, definition: Definition, report: Callable[..., None], people: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Name in the file -> question -> value as it is stored, of those who chose; None where nothing was answered. Questions without a column are left out."""
    wanted = {name: column for name, column in columns.answers.items() if column}
    unknown = next((c for c in (columns.respondent, *wanted.values()) if wanted and c not in table.columns), None)
    if unknown is not None:
        report("no_column", column=unknown)
        return {}
    if not wanted:
        return {}
    cells = table.cells.assign(**{"=row": table.rows})
    names = cells[columns.respondent]
    first = cells["=row"].groupby(names, sort=False).first()
    given: dict[str, pd.Series] = {}
    for column in dict.fromkeys(wanted.values()):
        said = cells[column].where(cells[column] != "")
        grouped = said.groupby(names, sort=False)
        given[column] = grouped.first().fillna("")
        for name in grouped.nunique().loc[lambda count: count > 1].index:
            report(
                "answers_differ", first[name], column, "; ".join(said[names == name].dropna().unique()[:3]), "", name
            )
    there = [name for name in people if name in first.index]
    strangers = len(first.drop(index=[*there, *([""] if "" in first.index else [])]))
    if strangers and columns.answers_table:
        report("answers_of_nobody", count=strangers)
    made: dict[str, dict[str, Any]] = {name: {} for name in there}
    for question in definition.questions:
        own = {item: wanted[key] for item in items_of(question) if (key := column_name(question.id, item)) in wanted}
        if not own:
            continue
        options = columns.options.get(question.id, {})
        for name in there:

            def wrong(
                code: str, item: str, found: object, allowed: str, own: dict[str, str] = own, name: str = name
            ) -> None:
                report(code, first[name], own.get(item, next(iter(own.values()))), found, allowed, name)

            of = _Cells(
                {item: str(given[column][name]) for item, column in own.items()}, options, columns.decimal, wrong
            )
            made[name][question.id] = PARSERS[question.type](question, of)
    return made
