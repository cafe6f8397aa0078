"""Two analyses of one study as the rows of a page: each figure twice, with its difference, and the verdicts that moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from flask_babel import gettext as _

from wtp.analysis import ALL, Analysis, changed
from wtp.charts.investment import MARKS, NAMES
from wtp.store.results import Kept
from wtp.survey import Survey
from wtp.web import formats
from wtp.web.formats import money, probability
from wtp.web.reading import labels_of

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Side:
    """One of two analyses that are compared."""

    kept: Kept
    analysis: Analysis

    @property
    def made(self) -> Mapping[str, Any]:
        """How it was made, see `analysis.provenance`."""
        return self.kept.made


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure in both analyses, as shown; apart: the intervals do not overlap."""

    segment: str
    what: str
    first: str
    second: str
    difference: str
    apart: bool | None


@dataclass(frozen=True, slots=True)
class Move:
    """One attribute's verdict in both analyses, with what it rests on."""

    segment: str
    attribute: str
    first: str
    second: str
    why: str


def comparison(survey: Survey, first: Analysis, second: Analysis) -> dict[str, Any]:
    """limits, worths: pairs; moves: verdicts that moved; stayed: how many did not. What the survey no longer has is shown by its identifier."""
    found, labels = changed(first, second), labels_of(survey.definition)
    # Today's survey first; of an older one the identifiers.
    shown = _Labels(labels)
    currency = second.currency
    moved = found.verdicts[found.verdicts["moved_by"] != ""]
    return {
        "limits": [_pair(row, shown, currency, _("Price upper limit")) for row in found.limits.to_dict("records")],
        "worths": [_pair(row, shown, currency, _step(row, shown)) for row in found.worths.to_dict("records")],
        "moves": [_move(row, shown, currency) for row in moved.to_dict("records")],
        "stayed": len(found.verdicts) - len(moved),
        "simulated": max(first.simulated, second.simulated),
        "everybody": shown[ALL],
    }


class _Labels(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


def _step(row: Mapping[Any, Any], labels: _Labels) -> str:
    attribute = row["attribute"]
    return _(
        "%(attribute)s: from “%(before)s” to “%(after)s”",
        attribute=labels[attribute],
        before=labels[f"{attribute}.{row['from_level']}"],
        after=labels[f"{attribute}.{row['to_level']}"],
    )


def _pair(row: Mapping[Any, Any], labels: _Labels, currency: str, what: str) -> Pair:
    step = formats.precision(min(row["high_1"] - row["low_1"], row["high_2"] - row["low_2"]))
    first, second = (_figure(row, side, currency, step) for side in ("_1", "_2"))
    overlap = row["overlap"]
    apart = None if overlap is None or pd.isna(overlap) else not overlap
    # Of the figures as shown, or the three would not add up.
    difference = (
        (round(row["estimate_2"] / step) - round(row["estimate_1"] / step)) * step if apart is not None else NAN
    )
    return Pair(labels[row["segment"]], what, first, second, _signed(difference, currency, step), apart)


def _figure(row: Mapping[Any, Any], side: str, currency: str, step: float) -> str:
    if pd.isna(row[f"estimate{side}"]):
        return _("withheld")
    return _(
        "%(amount)s (%(low)s to %(high)s)",
        amount=money(row[f"estimate{side}"], currency, step),
        low=money(row[f"low{side}"], currency, step),
        high=money(row[f"high{side}"], currency, step),
    )


def _signed(amount: float, currency: str, step: float) -> str:
    return ("+" if amount > 0 and round(amount / step) else "") + money(amount, currency, step)


def _move(row: Mapping[Any, Any], labels: _Labels, currency: str) -> Move:
    step = formats.precision(row["worth_high_1"] - row["worth_low_1"])
    level = labels[f"{row['attribute']}.{row['to_level']}"]
    worths = {
        "level": level,
        "first": _figure(_renamed(row), "_1", currency, step),
        "second": _figure(_renamed(row), "_2", currency, step),
    }
    if row["moved_by"] == "cost":
        why = _(
            "The costs of “%(level)s” are others: %(first)s, then %(second)s.",
            level=level,
            first=money(row["unit_cost_1"], currency),
            second=money(row["unit_cost_2"], currency),
        )
    elif row["moved_by"] == "worth":
        why = _("“%(level)s” is worth something else: %(first)s, then %(second)s.", **worths)
    else:
        why = _(
            "“%(level)s” is worth nearly the same (%(first)s, then %(second)s): a small shift or another precision was enough.",
            **worths,
        )
    if not (pd.isna(row["probability_1"]) or pd.isna(row["probability_2"])):
        why += " " + _(
            "Probability that it pays: %(first)s, then %(second)s.",
            first=probability(row["probability_1"]),
            second=probability(row["probability_2"]),
        )
    return Move(labels[row["segment"]], labels[row["attribute"]], _label(row["label_1"]), _label(row["label_2"]), why)


def _renamed(row: Mapping[Any, Any]) -> dict[str, Any]:
    """The worth of a verdict's row as `_figure` wants it."""
    names = {"estimate": "worth", "low": "worth_low", "high": "worth_high"}
    return {f"{name}{side}": row[f"{column}{side}"] for name, column in names.items() for side in ("_1", "_2")}


def _label(label: str) -> str:
    """A verdict with its mark; what is withheld has none."""
    return f"{MARKS.get(label, '')} {_(NAMES[label])}".strip() if label in NAMES else _("withheld")
