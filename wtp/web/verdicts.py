"""Invest here, save there, in one plain sentence an attribute; and notes in the page's language."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
from flask_babel import gettext

from wtp.charts.investment import MARKS, NAMES
from wtp.web.formats import number
from wtp.web.reading import Reading

_ORDER = ("invest", "save", "honoured", "not_honoured", "keep", "expected", "undecided", "open")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One attribute's label with its mark, name and sentence."""

    attribute: str
    label: str
    mark: str
    name: str
    sentence: str


def note_text(template: str, **values: Any) -> str:
    """A note's text in the page's language; notes that carry figures in the text itself stay as they are."""
    return gettext(template).format(**values) if values else (gettext(template) if template else "")


def verdicts(reading: Reading) -> tuple[Verdict, ...]:
    """One verdict an attribute, the decisive ones first."""
    table = reading.table("investment")
    if table.empty:
        return ()
    found = [_verdict(reading, str(name), rows) for name, rows in table.groupby("attribute", sort=False)]
    return tuple(sorted(found, key=lambda verdict: _ORDER.index(verdict.label)))


def _verdict(reading: Reading, attribute: str, rows: pd.DataFrame) -> Verdict:
    label = str(rows["label"].iloc[0])
    by_direction = {row["direction"]: row for _, row in rows.iterrows()}
    up, down = by_direction.get("up"), by_direction.get("down")
    name = gettext(NAMES[label])
    sentence = ""
    if label in ("invest", "honoured") and up is not None:
        sentence = gettext(
            "customers honour “%(level)s” with %(worth)s (%(interval)s) %(unit)s; providing it costs %(cost)s more.",
            **_figures(reading, attribute, up),
        )
    elif label in ("save", "not_honoured") and down is not None:
        sentence = gettext(
            "going back to “%(level)s” saves %(cost)s; customers value the difference at only %(worth)s (%(interval)s) %(unit)s.",
            **_figures(reading, attribute, down),
        )
    elif label in ("keep", "expected") and down is not None:
        sentence = gettext(
            "falling back to “%(level)s” would lose %(worth)s (%(interval)s) %(unit)s, more than it saves.",
            **_figures(reading, attribute, down),
        )
    elif label in ("keep", "expected"):
        sentence = gettext("customers expect it; a further step up does not pay.")
    else:
        sentence = _undecided(float(rows["more_answers"].iloc[0]), str(rows["note"].iloc[0]))
    return Verdict(attribute, label, MARKS.get(label, "○"), name, sentence)


def _undecided(more_answers: float, note: str) -> str:
    if not math.isnan(more_answers):
        return gettext("about %(count)s more answers would decide it.", count=number(more_answers, 0))
    return note_text(note) or gettext("the answers do not decide it.")


def _figures(reading: Reading, attribute: str, row: pd.Series) -> dict[str, str]:
    cost = abs(row["unit_cost"]) if pd.notna(row["unit_cost"]) else float("nan")
    return {
        "level": reading.labels[f"{attribute}.{row['to_level']}"],
        "worth": reading.money(row["worth"]),
        "interval": reading.interval(row["worth_low"], row["worth_high"]),
        "cost": reading.money(cost),
        "unit": reading.period,
    }
