"""What the cells of a file mean: numbers with point or comma, yes and no, levels by id, label or number, options likewise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd

from wtp.survey.attributes import Attribute, Price
from wtp.survey.definition import Definition

YES = {"1", "1.0", "true", "yes", "y", "x", "ja", "j", "wahr", "checked", "selected", "chosen", "t"}
NO = {"0", "0.0", "false", "no", "n", "", "nein", "falsch", "unchecked", "not selected", "f", "-"}
NOTHING = {
    "none",
    "none of these",
    "none of the above",
    "neither",
    "keine",
    "keines",
    "keines davon",
    "keines von diesen",
    "nichts",
    "no choice",
    "opt-out",
    "opt out",
    "optout",
    "none option",
}
_PLAIN = re.compile(r"[+-]?\d{1,15}")
_DECIMAL = {mark: re.compile(rf"[+-]?(?:\d{{1,15}}|\d{{1,3}}(?:[{group}\s\u00a0\u202f'’]\d{{3}}){{1,4}})?(?:[{mark}]\d{{1,15}})?(?:[eE][+-]?\d{{1,2}})?") for mark, group in ((".", ","), (",", "."))}  # fmt: skip
_MONEY = re.compile(r"^(?:[€$£¥]|[A-Z]{3}\b)\s*|(?<!\s)\s*(?:[€$£¥]|\b[A-Z]{3})$")
_ONLY_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+,\d+|\d+,(?:\d{1,2}|\d{4,}))")
_ONLY_POINT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+\.\d+|\d+\.(?:\d{1,2}|\d{4,}))")
_EITHER = re.compile(r"[+-]?\d{1,3}[.,]\d{3}")
AMBIGUOUS = "?"
T = TypeVar("T")


def plain(text: str) -> str:
    """A text without what does not matter for whether two are the same: case, blanks, marks of a list."""
    return " ".join(text.casefold().split())


def decimal_mark(values: Iterable[str]) -> str:
    """The mark before decimals: "," or "." by the numbers that can be read in one way, AMBIGUOUS where all with a mark can be read in two, "" where none has a mark."""
    found = {"comma": 0, "point": 0, "either": 0}
    for value in values:
        text = _MONEY.sub("", value.strip())
        found["comma"] += bool(_ONLY_COMMA.fullmatch(text))
        found["point"] += bool(_ONLY_POINT.fullmatch(text))
        found["either"] += bool(_EITHER.fullmatch(text))
    if found["comma"] or found["point"]:
        return "," if found["comma"] > found["point"] else "."
    return AMBIGUOUS if found["either"] else ""


def number_of(text: str, decimal: str = "") -> float | None:
    """The number that a cell means, None if it is none; a sign or code of a currency at either end is left out. decimal: "." or ","; without one a point."""
    bare = _MONEY.sub("", text.strip())
    if _PLAIN.fullmatch(bare):
        return float(bare)
    mark = decimal or "."
    if not any(sign.isdigit() for sign in bare) or len(bare) > 40 or not _DECIMAL[mark].fullmatch(bare):
        return None
    group = "." if mark == "," else ","
    number = float(re.sub(rf"[{group}\s\u00a0\u202f'’]", "", bare).replace(mark, "."))
    return number if abs(number) < 1e15 else None


def each(column: pd.Series, read: Callable[[str], T]) -> list[T]:
    """What every cell of a column means; each text is read once."""
    known = {text: read(text) for text in pd.unique(column)}
    return [known[text] for text in column.tolist()]


def truth_of(text: str) -> bool | None:
    """Yes or no, None for anything else."""
    found = plain(text)
    return True if found in YES else False if found in NO else None


@dataclass(frozen=True, slots=True)
class Known:
    """Ids with their labels in every language, in the author's order, and the price of each if they are prices."""

    ids: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    prices: tuple[float, ...] = ()


def levels_of(definition: Definition, attribute: str) -> Known:
    """The levels of an attribute or of "price"; prices are their own ids."""
    if attribute == "price":
        return _prices(definition.price)
    found: Attribute = definition.attribute(attribute)
    return Known(found.level_ids, tuple(tuple(level.label.values()) for level in found.levels))


def _prices(price: Price) -> Known:
    ids = tuple(f"{amount:.15g}" for amount in price.levels)
    return Known(ids, tuple((one,) for one in ids), price.levels)


def matched(values: Sequence[str], known: Known, given: Mapping[str, str], decimal: str = "") -> dict[str, str]:
    """Value found -> id: as somebody said, by id, by label in any language, as an amount, or by number from 1 if nothing matches by name; "" for the others."""
    found = {value: _one(value, known, given, decimal) for value in values}
    codes = {value: number_of(value) for value, match in found.items() if not match and value not in given}
    numbers = {value: int(code) for value, code in codes.items() if code is not None and code == int(code)}
    by_name = any(match for value, match in found.items() if value not in given)
    if numbers and not by_name and min(numbers.values()) >= 1:
        found |= {value: known.ids[code - 1] for value, code in numbers.items() if code <= len(known.ids)}
    return found


def _one(value: str, known: Known, given: Mapping[str, str], decimal: str) -> str:
    if value in given:
        return given[value] if given[value] in known.ids else ""
    if value in known.ids:
        return value
    said = plain(value)
    for name, labels in zip(known.ids, known.labels, strict=True):
        if said == name or said in map(plain, labels):
            return name
    if known.prices and (amount := number_of(value, decimal)) is not None:
        return next(
            (name for name, price in zip(known.ids, known.prices, strict=True) if abs(price - amount) < 1e-9 * price),
            "",
        )
    return ""
