"""Contacts from a file, a row each: what every cell means by the study's codes, and every problem by its row. Nothing is written.

Columns: happened_at, channel and reason must be there; question, reported, mattered_most, impression, core_problem, remedy, solved, customer and minutes may.
Codes are known by their id or by their words in any language of the study.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from wtp.imports.problems import ERROR, MOST, Problem, Tried, short
from wtp.imports.tables import File, Table
from wtp.imports.values import plain, truth_of
from wtp.survey.contacts import (
    HIGHEST_IMPRESSION,
    LONGEST_CUSTOMER,
    LONGEST_REPORT,
    LOWEST_IMPRESSION,
    MOST_MINUTES,
    ContactCodes,
)
from wtp.survey.wording import Wording

NEEDED = ("happened_at", "channel", "reason")
COLUMNS = (*NEEDED, "question", "reported", "mattered_most", "impression", "core_problem", "remedy", "solved", "customer", "minutes")  # fmt: skip
_FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?")
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_DATES = "2026-05-31, 2026-05-31 14:30, 31.05.2026 14:30"


@dataclass(frozen=True, eq=False, slots=True)
class CheckedContacts(Tried):
    """rows: of each contact the values by column, as the store takes them. problems: each place; `errors` keep the file out."""

    rows: tuple[dict[str, Any], ...]
    problems: tuple[Problem, ...]

    @property
    def customers(self) -> int:
        """How many customers are named."""
        return len({plain(row["customer"]) for row in self.rows} - {""})


def check_contacts(codes: ContactCodes, file: File, *, now: datetime | None = None) -> CheckedContacts:
    """Try a file on the codes of a study; whatever is wrong within is a problem."""
    now = now or datetime.now(UTC)
    table = file.table("")
    problems: list[Problem] = []

    def report(code: str, row: int = 0, column: str = "", found: object = "", allowed: str = "") -> None:
        if len(problems) < MOST:
            problems.append(Problem(code, int(row), column, short(found), short(allowed, 200)))

    columns = {plain(name): name for name in table.columns}
    for name in NEEDED:
        if name not in columns:
            report("missing_column", column=name, found=", ".join(table.columns), allowed=", ".join(COLUMNS))
    for name, shown in columns.items():
        if name not in COLUMNS:
            report("unknown_column", column=shown, allowed=", ".join(COLUMNS))
    if any(problem.severity == ERROR for problem in problems):
        return CheckedContacts((), tuple(problems))
    read = {name: _column(name, columns.get(name), table, codes, report, now) for name in COLUMNS}
    errors = any(problem.severity == ERROR for problem in problems)
    rows = [] if errors else zip(*read.values(), strict=True)
    made = tuple(dict(zip(read, row, strict=True)) for row in rows)
    return CheckedContacts(made, tuple(sorted(problems, key=lambda problem: problem.row)))


def _column(
    name: str, column: str | None, table: Table, codes: ContactCodes, report: Callable[..., None], now: datetime
) -> list[Any]:
    """What each cell of a column means; each text is read once."""
    if column is None:
        return ["" if name in {"reported", "customer"} else None] * len(table.cells)
    read = _READERS.get(name) or _coder(codes[name])
    known: dict[str, Any] = {}
    for text in pd.unique(table.cells[column]):
        known[text] = read(text, now) if text or name in {"reported", "customer"} else (None, "", "")
    cells = table.cells[column].tolist()
    for row, text in zip(table.rows, cells, strict=True):
        _value, wrong, allowed = known[text]
        if wrong:
            report(wrong, row, column, text, allowed)
        elif name in NEEDED and not text:
            report("missing_value", row, column)
    return [known[text][0] for text in cells]


_Read = tuple[Any, str, str]  # the value; else what is wrong and what is allowed


def _coder(codes: Mapping[str, Wording]) -> Callable[[str, datetime], _Read]:
    meant = {plain(words): code for code, wording in codes.items() for words in wording.values()}
    meant |= {plain(code): code for code in codes}

    def read(text: str, _: datetime) -> _Read:
        code = meant.get(plain(text))
        return (code, "", "") if code else (None, "unknown_code", ", ".join(codes) or "no code")

    return read


def _time(text: str, now: datetime) -> _Read:
    """A time with its zone, or as the clock of this machine shows it."""
    try:
        if _ISO.fullmatch(text):
            found = datetime.fromisoformat(text)
        else:
            found = next(t for form in _FORMS if (t := _parsed(text, form)) is not None)
        found = found.astimezone(UTC)
    except (StopIteration, ValueError, OverflowError, OSError):
        return None, "date_unreadable", _DATES
    return (found, "", "") if _LONG_AGO <= found <= now else (None, "date_outside", f"2000-01-01 to {now.date()}")


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None


def _whole(low: int, high: int) -> Callable[[str, datetime], _Read]:
    def read(text: str, _: datetime) -> _Read:
        digits = text.removesuffix(".0")
        if digits.isascii() and digits.isdecimal() and len(digits) < 6 and low <= int(digits) <= high:
            return int(digits), "", ""
        return None, "number_outside", f"{low} to {high}"

    return read


def _truth(text: str, _: datetime) -> _Read:
    found = truth_of(text)
    return (found, "", "") if found is not None else (None, "truth_unreadable", "yes, no")


def _words(longest: int, *, line: bool) -> Callable[[str, datetime], _Read]:
    def read(text: str, _: datetime) -> _Read:
        fits = len(text) <= longest and (not line or text.isprintable() or not text)
        return (text, "", "") if fits else ("", "text_long", f"{longest} characters")

    return read


_READERS: dict[str, Callable[[str, datetime], _Read]] = {
    "happened_at": _time,
    "reported": _words(LONGEST_REPORT, line=False),
    "impression": _whole(LOWEST_IMPRESSION, HIGHEST_IMPRESSION),
    "solved": _truth,
    "customer": _words(LONGEST_CUSTOMER, line=True),
    "minutes": _whole(0, MOST_MINUTES),
}
