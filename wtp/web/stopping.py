"""The stopping rule: while it is not met, results stay closed, so that nobody ends a survey because of what he saw. An analyst may open them early, which is logged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from wtp.analysis import ALL, certainty
from wtp.store import Database, audit, respondents, studies
from wtp.store.audit import Entry
from wtp.survey import Survey
from wtp.web.analyses import stored_analysis

RULE_MET = "stopping rule met"
_OPENING = (audit.OPENED_EARLY, RULE_MET)


@dataclass(frozen=True, slots=True)
class Gate:
    """people who completed; exact: by segment the half-width of its price upper limit so far, NaN if unknown; opened: the entry by which results are open for good."""

    people: int
    wanted_people: int | None
    exact: dict[str, float]
    wanted_half_width: float | None
    opened: Entry | None
    is_open: bool


def gate_of(database: Database, survey: Survey) -> Gate:
    """Whether results may be seen: no rule, a rule that is met, opened early, closed for answers, or only simulated ones so far."""
    rule = survey.definition.stopping
    with database.read() as connection:
        opened = audit.last(connection, survey.slug, _OPENING)
        counts = respondents.counts(connection, survey.slug)
        people = respondents.completed_people(connection, survey.slug)
        closed = studies.state(connection, survey.slug) == "closed"
    if rule is None:
        return Gate(people, None, {}, None, opened, True)
    exact = half_widths(database, survey) if rule.half_width is not None else {}
    met = rule.respondents is None or people >= rule.respondents
    if rule.half_width is not None:
        met = met and bool(exact) and all(width <= rule.half_width for width in exact.values())
    nobody = counts.begun == counts.simulated
    return Gate(people, rule.respondents, exact, rule.half_width, opened, bool(met or opened or closed or nobody))


def half_widths(database: Database, survey: Survey) -> dict[str, float]:
    """Half-width of each segment's price upper limit in the analysis that is there; nothing of where the limit lies."""
    stored = stored_analysis(database, survey)
    if stored is None:
        return {}
    table = certainty(survey.definition, stored[0].tables, confidence=stored[0].confidence)
    limits: pd.DataFrame = table[table["decision"] == "price_limit"]
    known = dict(zip(limits["segment"], limits["half_width"], strict=True))
    names = [segment.id for segment in survey.definition.segments] or [ALL]
    return {name: float(known.get(name, float("nan"))) for name in names}


def open_early(database: Database, survey: Survey, *, who: str, reason: str) -> None:
    """Open the results before the rule is met, and log it. Raises DataError without a reason."""
    with database.begin() as connection:
        audit.add(connection, survey.slug, audit.OPENED_EARLY, who=who, reason=reason, now=datetime.now(UTC))


def note_if_met(database: Database, survey: Survey) -> None:
    """Once the rule is met the results stay open, though a width may grow again: the log says since when."""
    gate = gate_of(database, survey)
    if survey.definition.stopping is not None and gate.is_open and gate.opened is None and gate.people:
        with database.begin() as connection:
            if studies.state(connection, survey.slug) != "closed":
                said = f"{gate.people} people completed"
                audit.add(connection, survey.slug, RULE_MET, who="wtp", reason=said, now=datetime.now(UTC))
