"""Purchases from a file: one row each, with the customer's number, which is made a pseudonym before anything is kept.

Columns by their heading, in English or German: customer, date, product, family, amount; if known also list_price, and of an offer to step up the attribute that it would have bettered, whether it was offered and
taken, and the surcharge that was asked. Every problem is named by its row; a file counts as a whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from wtp.imports.problems import MOST, Problem, Tried, short
from wtp.imports.tables import File, Table
from wtp.imports.values import AMBIGUOUS, decimal_mark, each, number_of, plain, truth_of
from wtp.survey.contacts import LONGEST_CUSTOMER
from wtp.survey.definition import Definition

NEEDED = ("customer", "date", "product", "family", "amount")
OPTIONAL = ("list_price", "attribute", "offered_up", "stepped_up", "surcharge")
LONGEST = {"customer": LONGEST_CUSTOMER, "product": 120, "family": 80}
_HEADINGS = {
    "customer": {"customer", "customer number", "kunde", "kundennummer"},
    "date": {"date", "bought on", "datum", "kaufdatum"},
    "product": {"product", "produkt", "artikel"},
    "family": {"family", "product family", "familie", "produktfamilie", "warengruppe"},
    "amount": {"amount", "betrag", "umsatz"},
    "list_price": {"list price", "listenpreis"},
    "attribute": {"attribute", "merkmal"},
    "offered_up": {"offered up", "step up offered", "angeboten"},
    "stepped_up": {"stepped up", "step up", "level up", "höherwertig", "angenommen"},
    "surcharge": {"surcharge", "aufpreis"},
}
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y")
_MIDNIGHT = re.compile(r"[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$")  # a day as a workbook keeps it
_EARLIEST = date(1990, 1, 1)
_MONEY = ("amount", "list_price", "surcharge")


@dataclass(frozen=True, eq=False, slots=True)
class Purchases(Tried):
    """frame: customer (as the file names him), date, product, family, amount, list_price, attribute, offered_up, stepped_up, surcharge; empty cells are None. problems: each place; `errors` keep the file out."""

    frame: pd.DataFrame
    problems: tuple[Problem, ...]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The purchases as the store takes them; none if anything keeps the file out."""
        if self.errors:
            return []
        return [{str(name): value for name, value in row.items()} for row in self.frame.rename(columns={"date": "bought_on"}).to_dict("records")]  # fmt: skip

    @property
    def customers(self) -> int:
        """How many customers are named; none if anything keeps the file out."""
        return 0 if self.errors else int(self.frame["customer"].nunique())


def read_purchases(file: File, definition: Definition, today: date) -> Purchases:
    """The purchases of a file and everything that is wrong with it."""
    table = file.table("")
    columns = _columns(table)
    problems = [Problem("missing_column", 0, name) for name in NEEDED if name not in columns]
    if problems:
        return Purchases(pd.DataFrame(columns=[*NEEDED, *OPTIONAL]), tuple(problems))
    cells = {name: table.cells[heading] for name, heading in columns.items()}
    mark = decimal_mark(pd.concat([cells[name] for name in _MONEY if name in cells]))
    if mark == AMBIGUOUS:
        problems.append(Problem("purchase_ambiguous", 0, "amount", short(cells["amount"].iloc[0]), "1500 or 1500.00"))
    found: dict[str, list[Any]] = {}
    for name in (*NEEDED, *OPTIONAL):
        if name not in cells:
            found[name] = [None] * len(table.rows)
            continue
        read, code, allowed = _reader(name, mark, definition, today)
        found[name] = each(cells[name], read)
        wrong = [value is _WRONG for value in found[name]]
        for row in np.flatnonzero(wrong)[:MOST]:
            text = short(cells[name].iloc[row])
            problems.append(Problem(code, int(table.rows[row]), name, text, allowed))
    frame = pd.DataFrame(found, dtype=object)
    problems += _contradictions(frame, table)
    return Purchases(frame, tuple(sorted(problems, key=lambda problem: problem.row)))


class _Wrong:
    """A cell that cannot be read."""


_WRONG = _Wrong()


def _columns(table: Table) -> dict[str, str]:
    """Heading of each column that is known."""
    known = {plain(heading).replace("_", " "): heading for heading in table.columns}
    found = {}
    for name, headings in _HEADINGS.items():
        match = next((known[heading] for heading in known if heading in headings), None)
        if match is not None:
            found[name] = match
    return found


def _reader(name: str, mark: str, definition: Definition, today: date) -> tuple[Callable[[str], Any], str, str]:
    """How a cell of the column is read, the code of what is wrong with it, and what is allowed."""
    if name in LONGEST:
        most = LONGEST[name]
        return (lambda text: text if 0 < len(text) <= most else _WRONG), "purchase_text", f"1 to {most} characters"
    if name == "date":
        return (lambda text: _day(text, today)), "purchase_date", f"2026-03-31 or 31.03.2026, {_EARLIEST} to {today}"
    if name in _MONEY:
        mark = mark.replace(AMBIGUOUS, ".")
        needed = name in NEEDED
        return (lambda text: _amount(text, mark, needed)), "purchase_amount", "0 or more, without words"
    if name == "attribute":
        known = {plain(attribute.id): attribute.id for attribute in definition.attributes}
        for attribute in definition.attributes:
            known |= {plain(label): attribute.id for label in attribute.label.values()}
        return (lambda text: known.get(plain(text), _WRONG) if text else None), "purchase_attribute", ", ".join(a.id for a in definition.attributes)  # fmt: skip
    return _truth, "purchase_truth", "1 or 0, yes or no, or empty"


def _day(text: str, today: date) -> Any:
    bare = _MIDNIGHT.sub("", text.strip())
    for form in _DATES:
        try:
            day = datetime.strptime(bare, form).date()
        except ValueError:
            continue
        return day if _EARLIEST <= day <= today else _WRONG
    return _WRONG


def _amount(text: str, mark: str, needed: bool) -> Any:
    if not text:
        return _WRONG if needed else None
    number = number_of(text, mark)
    return number if number is not None and number >= 0 else _WRONG


def _truth(text: str) -> Any:
    if not text:
        return None
    known = truth_of(text)
    return _WRONG if known is None else known


def _contradictions(frame: pd.DataFrame, table: Table) -> list[Problem]:
    """A step up that was taken but not offered."""
    refused = (frame["offered_up"] == False) & (frame["stepped_up"] == True)  # noqa: E712  # None is neither
    allowed = "0 or empty where offered_up is 0"
    return [
        Problem("purchase_step", int(table.rows[row]), "stepped_up", "1", allowed) for row in np.flatnonzero(refused)
    ]
