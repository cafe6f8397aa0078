"""Invest here, save there, in one plain sentence an attribute; and notes in the page's language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from flask_babel import gettext

from wtp.charts.investment import MARKS, NAMES
from wtp.web.formats import number, probability
from wtp.web.reading import Reading

_DECISIVE = ("invest", "save", "honoured", "not_honoured")
_ORDER = (*_DECISIVE, "keep", "expected", "undecided", "open")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One attribute's label with its mark, name and sentence."""

    attribute: str
    label: str
    mark: str
    name: str
    sentence: str

    @property
    def decisive(self) -> bool:
        """Whether there is something to do."""
        return self.label in _DECISIVE


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
    if label in ("invest", "honoured") and up is not None:
        sentence = _honoured(reading, attribute, up)
    elif label in ("save", "not_honoured") and down is not None:
        sentence = _saved(reading, attribute, down)
    elif label in ("keep", "expected") and down is not None:
        sentence = gettext(
            "falling back to “%(level)s” would lose %(worth)s (%(interval)s) %(unit)s, more than it saves.",
            **_figures(reading, attribute, down),
        )
    elif label in ("keep", "expected"):
        sentence = gettext("customers expect it; a further step up does not pay.")
    else:
        sentence = _undecided(float(rows["more_answers"].iloc[0]), str(rows["note"].iloc[0]))
    return Verdict(attribute, label, MARKS.get(label, "○"), gettext(NAMES[label]), sentence)


def _honoured(reading: Reading, attribute: str, up: pd.Series) -> str:
    figures = _figures(reading, attribute, up)
    if pd.isna(up["unit_cost"]):
        return gettext("customers honour “%(level)s” with %(worth)s (%(interval)s) %(unit)s.", **figures)
    return gettext(
        "customers honour “%(level)s” with %(worth)s (%(interval)s) %(unit)s; providing it costs %(cost)s more. Probability that it pays: %(sure)s.",
        **figures,
    )


def _saved(reading: Reading, attribute: str, down: pd.Series) -> str:
    figures = _figures(reading, attribute, down)
    if pd.isna(down["unit_cost"]):
        return gettext(
            "customers value today's level over “%(level)s” at only %(worth)s (%(interval)s) %(unit)s.", **figures
        )
    if down["worth"] <= 0:
        return gettext(
            "going back to “%(level)s” saves %(cost)s, and customers do not miss today's level: they value it at %(worth)s (%(interval)s) %(unit)s. Probability that it pays: %(sure)s.",
            **figures,
        )
    return gettext(
        "going back to “%(level)s” saves %(cost)s; customers value the difference at only %(worth)s (%(interval)s) %(unit)s. Probability that it pays: %(sure)s.",
        **figures,
    )


def _undecided(more_answers: float, note: str) -> str:
    if not math.isnan(more_answers):
        return gettext("about %(count)s more answers would decide it.", count=number(more_answers, 0))
    return note_text(note) or gettext("the answers do not decide it.")


def _figures(reading: Reading, attribute: str, row: pd.Series) -> dict[str, str]:
    step = reading.worth_step
    return {
        "level": reading.labels[f"{attribute}.{row['to_level']}"],
        "worth": reading.money(row["worth"], step),
        "interval": reading.interval(row["worth_low"], row["worth_high"], step),
        "cost": reading.money(abs(row["unit_cost"])),
        "unit": reading.period,
        "sure": probability(row["probability"]),
    }


@dataclass(frozen=True, slots=True)
class Split:
    """An attribute in which some segments honour more and others would rather save, each by its name on the page."""

    attribute: str
    invest: tuple[str, ...]
    save: tuple[str, ...]
    possible: bool


def splits(reading: Reading, segments: Sequence[str]) -> tuple[Split, ...]:
    """Where the segments' verdicts contradict each other; `possible` if the company can offer each its own level."""
    table = reading.analysis.tables["investment"]
    labels = table[table["segment"].isin(list(segments))].drop_duplicates(["segment", "attribute"])
    found = []
    for attribute in reading.definition.attributes:
        rows = labels[labels["attribute"] == attribute.id]
        invest, save = (
            tuple(reading.labels[segment] for segment in rows.loc[rows["label"] == name, "segment"])
            for name in ("invest", "save")
        )
        if invest and save:
            found.append(Split(attribute.id, invest, save, attribute.by_segment))
    return tuple(found)
