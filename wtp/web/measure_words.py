"""Measures in words: what their kinds and states are called, their forecast, and the table of them for the page, files and reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd
from flask_babel import LazyString, format_date, gettext, ngettext
from flask_babel import lazy_gettext as _l

from wtp.store.measures import DONE, DROPPED, PLANNED, RUNNING, Measure
from wtp.web import formats
from wtp.web.reading import Reading
from wtp.web.verdicts import verdicts

KINDS: dict[str, LazyString] = {
    "offer": _l("Offer"),
    "positioning": _l("Positioning"),
    "communication": _l("Communication"),
    "promotion": _l("Sales promotion"),
    "training": _l("Training of staff"),
    "process": _l("Process"),
}
STATES: dict[str, LazyString] = {
    PLANNED: _l("Planned"),
    RUNNING: _l("Under way"),
    DONE: _l("Done"),
    DROPPED: _l("Dropped"),
}
_DECIDED = {"invest": "up", "save": "down"}


def decided_attribute(reading: Reading) -> str:
    """The attribute of the first verdict to invest or save in the segment; empty if there is none."""
    return next((found.attribute for found in verdicts(reading) if found.label in _DECIDED), "")


def forecast(reading: Reading, attribute: str) -> str:
    """What the analysis expects of investing or saving at an attribute, marked as a forecast; empty where it has decided nothing or knows no costs."""
    table = reading.table("investment")
    rows = table[(table["attribute"] == attribute) & table["gain"].notna()] if "gain" in table else table.head(0)
    for _, row in rows.iterrows():
        if _DECIDED.get(row["label"]) == row["direction"]:
            step = max(1.0, formats.precision(row["gain_high"] - row["gain_low"]))
            said = gettext(
                "Forecast of the analysis: “%(level)s” gains %(gain)s a year (%(interval)s).",
                level=reading.labels[f"{attribute}.{row['to_level']}"],
                gain=reading.money(row["gain"], step),
                interval=reading.interval(row["gain_low"], row["gain_high"], step),
            )
            return said + " " + gettext("From simulated answers.") if reading.analysis.simulated else said
    return ""


def due(measure: Measure, today: date) -> str:
    """The day it is due, with a word where that has passed; when it was done, if it was."""
    if measure.plan.done_on:
        return gettext("done on %(day)s", day=format_date(measure.plan.done_on, "medium"))
    if not measure.plan.due_on:
        return gettext("no day set")
    day = format_date(measure.plan.due_on, "medium")
    return gettext("%(day)s – overdue", day=day) if measure.is_overdue(today) else day


def about(measure: Measure, labels: dict[str, str]) -> tuple[str, str]:
    """Segment and attribute in words; what the survey no longer has is named by its identifier."""
    segment, attribute = measure.grounds.segment, measure.plan.attribute
    whole = gettext("the whole offer")
    return labels.get(segment, segment), labels.get(attribute, attribute) if attribute else whole


def counted(found: Sequence[Measure], today: date) -> str:
    """How many there are, by state, and how many are late: the finding above the table."""
    parts = []
    for state, name in STATES.items():
        if count := sum(one.plan.state == state for one in found):
            parts.append(f"{formats.number(count, 0)} {str(name).lower()}")
    late = sum(one.is_overdue(today) for one in found)
    if late:
        parts.append(ngettext("%(num)s overdue", "%(num)s overdue", late))
    return ngettext("%(num)s measure", "%(num)s measures", len(found)) + (f": {', '.join(parts)}" if parts else "")


def table_for_reports(found: Sequence[Measure], labels: dict[str, str], today: date) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:  # fmt: skip
    """Heads and rows, one row a measure."""
    heads = (gettext("Measure"), gettext("State"), gettext("For"), gettext("Who sees to it"), gettext("Finding then"), gettext("Expected effect"), gettext("Outcome"))  # fmt: skip
    rows = []
    for one in found:
        plan = one.plan
        marks = [str(KINDS[plan.kind]), *([gettext("simulated")] if one.simulated else [])]
        what = f"{plan.title} ({', '.join(marks)})"
        who = f"{plan.owner}, {due(one, today)}"
        rows.append((what, str(STATES[plan.state]), ", ".join(about(one, labels)), who, one.grounds.finding, plan.expected, plan.outcome))  # fmt: skip
    kept = [place for place in range(len(heads)) if any(row[place] for row in rows)]
    return tuple(heads[place] for place in kept), tuple(tuple(row[place] for place in kept) for row in rows)


def frame(found: Sequence[Measure], today: date) -> pd.DataFrame:
    """One row a measure, with identifiers only: for CSV files and exports."""
    rows = [
        {
            "measure": one.id,
            "state": one.plan.state,
            "kind": one.plan.kind,
            "title": one.plan.title,
            "segment": one.grounds.segment,
            "attribute": one.plan.attribute,
            "owner": one.plan.owner,
            "due_on": _day(one.plan.due_on),
            "overdue": one.is_overdue(today),
            "expected": one.plan.expected,
            "outcome": one.plan.outcome,
            "done_on": _day(one.plan.done_on),
            "chart": one.grounds.chart,
            "finding": one.grounds.finding,
            "simulated": one.simulated,
            "recorded_by": one.made_by,
            "recorded_at": one.made_at,
            "changed_at": one.changed_at,
        }
        for one in found
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


_TEXT, _TIME = "str", "datetime64[s, UTC]"
_COLUMNS = {
    "measure": "int64", "state": _TEXT, "kind": _TEXT, "title": _TEXT, "segment": _TEXT, "attribute": _TEXT, "owner": _TEXT, "due_on": _TEXT, "overdue": "bool",
    "expected": _TEXT, "outcome": _TEXT, "done_on": _TEXT, "chart": _TEXT, "finding": _TEXT, "simulated": "bool", "recorded_by": _TEXT, "recorded_at": _TIME, "changed_at": _TIME,
}  # fmt: skip


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
