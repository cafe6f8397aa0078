"""The customer's process, segment by segment: steps that matter and disappoint, times that suit, how many a few of them serve, what they are worth, and where segments differ.

Who may be told of is decided question by question (`disclosure`); whatever claims something is held to it over all segments together (`wtp.customers.process`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from wtp.analysis.answer_frames import answer_frame, belongs
from wtp.analysis.disclosure import told
from wtp.analysis.record import ALL, Request
from wtp.customers import process
from wtp.estimation.diagnostics import SMALLEST_SAMPLE
from wtp.survey.answers import Respondent
from wtp.survey.definition import Definition
from wtp.survey.process import process_questions
from wtp.survey.questions import (
    INTERRUPTION_COST,
    INTERRUPTION_WINDOW,
    PROCESS_SATISFACTION,
    PROCESS_STEPS,
    SERVICE_WINDOW,
    MultipleChoice,
)

MOST_WINDOWS = 8
PER = 100  # customers or purchases
_WORTH_A_WINDOW = 0.01  # of the respondents; windows that serve fewer more are not told
_WINDOWS = (SERVICE_WINDOW, INTERRUPTION_WINDOW)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The answers to one question: of everybody who answered, and by segment of those that may be told of."""

    whole: pd.DataFrame
    parts: Mapping[str, pd.DataFrame]


def process_tables(
    definition: Definition, groups: Mapping[str, Sequence[Respondent]], request: Request
) -> dict[str, pd.DataFrame]:
    """`process_steps`, `process_windows`, `window_coverage`, `window_value`, `process_differences`, as far as they were asked and enough answered."""
    people = [r for r in groups[ALL] if belongs(r)]
    members = {name: [r.number for r in own if belongs(r)] for name, own in groups.items()}
    asked = {}
    for measure, question in process_questions(definition).items():
        frame = answer_frame(question, people)
        if isinstance(question, MultipleChoice):
            frame = frame[[option.id for option in question.options if not option.alone]]
        asked[measure] = _parts(frame, members)
    found = {
        "process_steps": _steps(definition, asked, request),
        "process_windows": _windows(asked, request),
        "process_differences": _differences(asked, request),
        **_served(definition, asked, request),
    }
    return {name: table for name, table in found.items() if len(table)}


def _parts(frame: pd.DataFrame, members: Mapping[str, Sequence[int]]) -> _Parts:
    parts = {name: frame[frame.index.isin(own)] for name, own in members.items()}
    return _Parts(frame, {name: parts[name] for name in told({name: len(part) for name, part in parts.items()})})


def _steps(definition: Definition, asked: Mapping[str, _Parts], request: Request) -> pd.DataFrame:
    """segment, item (the step), share with interval, even, even_p, moment, satisfaction with interval, satisfaction_gap, gap_p, mend, respondents, raters.

    moment: marked clearly more often than an even spread would have it; mend: such a moment with which respondents are clearly less satisfied than with the others.
    """
    marks, ratings = asked.get(PROCESS_STEPS), asked.get(PROCESS_SATISFACTION)
    columns = ["share", "low", "high", "even", "even_p", "respondents"]
    rated = ["satisfaction", "satisfaction_low", "satisfaction_high", "satisfaction_gap", "gap_p", "raters"]
    found = []
    if marks and marks.parts:
        frames = {
            name: process.even_spread(part, request.confidence).assign(respondents=len(part))
            for name, part in marks.parts.items()
        }
        found.append(process.joined(frames, "even_p").set_index("segment", append=True)[columns])
    if ratings and ratings.parts:
        frames = {
            name: process.satisfaction(part, request.confidence, SMALLEST_SAMPLE).assign(raters=len(part))
            for name, part in ratings.parts.items()
        }
        whole = process.joined(frames, "gap_p").rename(columns={"gap": "satisfaction_gap"})
        found.append(whole.set_index("segment", append=True)[rated])
    if not found:
        return pd.DataFrame()
    table = pd.concat(found, axis=1).rename_axis(["item", "segment"]).reset_index()
    table = table.reindex(columns=["segment", "item", *columns[:-1], *rated[:-1], "respondents", "raters"])
    order = [step.id for step in definition.process]
    names = [ALL, *(segment.id for segment in definition.segments)]
    places = [names.index(name) * len(order) + order.index(step) for name, step in zip(table["segment"], table["item"], strict=True)]  # fmt: skip
    table = table.iloc[np.argsort(places)].reset_index(drop=True)
    moment = table["even_p"] <= process.FALSE_ALARM
    return table.assign(moment=moment, mend=moment & (table["gap_p"] <= process.FALSE_ALARM))


def _windows(asked: Mapping[str, _Parts], request: Request) -> pd.DataFrame:
    """segment, window (what was asked), item (day), answer (time band), count, share with interval, even, even_p, leads, respondents."""
    found = []
    for measure in _WINDOWS:
        if measure not in asked or not asked[measure].parts:
            continue
        frames = {
            name: process.even_spread(part, request.confidence).assign(count=part.sum().astype(int), respondents=len(part))
            for name, part in asked[measure].parts.items()
        }  # fmt: skip
        table = process.joined(frames, "even_p").rename_axis(["item", "answer"]).reset_index()
        found.append(table.assign(window=measure, leads=table["even_p"] <= process.FALSE_ALARM))
    columns = ["segment", "window", "item", "answer", "count", "share", "low", "high", "even", "even_p", "leads", "respondents"]  # fmt: skip
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame()


def _served(definition: Definition, asked: Mapping[str, _Parts], request: Request) -> dict[str, pd.DataFrame]:
    """`window_coverage`: segment, window, windows, item, answer, share with interval, seen, customers_served, respondents. `window_value`: what `_values` gives."""
    covered, valued = [], []
    customers = {segment.id: segment.customers for segment in definition.segments}
    worth = INTERRUPTION_WINDOW if INTERRUPTION_WINDOW in asked else SERVICE_WINDOW
    for measure in _WINDOWS:
        for name, part in asked[measure].parts.items() if measure in asked else ():
            made = process.coverage(part.to_numpy(), MOST_WINDOWS, request.confidence, request.seed)
            adds = np.diff(made.share, prepend=0) >= _WORTH_A_WINDOW
            kept = max(1, int(np.logical_and.accumulate(adds).sum()))
            cells = [_cell(part.columns[place]) for place in made.chosen[:kept]]
            table: dict[str, Any] = {
                "segment": name,
                "window": measure,
                "windows": range(1, kept + 1),
                "item": [day for day, _ in cells],
                "answer": [band for _, band in cells],
            }
            shares = {"share": made.share, "low": made.low, "high": made.high, "seen": made.seen}
            table |= {column: values[:kept] for column, values in shares.items()}
            table |= {"customers_served": made.share[:kept] * customers.get(name, np.nan), "respondents": len(part)}
            covered.append(pd.DataFrame(table))
            if measure == worth:
                valued += _values(definition, asked, name, covered[-1], part, made, request)
    return {
        "window_coverage": pd.concat(covered, ignore_index=True) if covered else pd.DataFrame(),
        "window_value": pd.concat(valued, ignore_index=True) if valued else pd.DataFrame(),
    }


def _values(
    definition: Definition, asked: Mapping[str, _Parts], name: str, chosen: pd.DataFrame, part: pd.DataFrame, made: process.Coverage, request: Request,
) -> list[pd.DataFrame]:  # fmt: skip
    """segment, window, windows, item, answer, share (that the window adds), cost, hours, value with interval of what it adds, together with interval of the first so many windows, respondents.

    Money per 100 customers and year, without economics per 100 purchases. Nothing where nobody was asked for the cost, no step has hours, or too few know both.
    """
    hours = sum(step.hours or 0.0 for step in definition.process)
    if INTERRUPTION_COST not in asked or not hours or name not in asked[INTERRUPTION_COST].parts:
        return []
    cost = asked[INTERRUPTION_COST].whole["value"].reindex(part.index).to_numpy(dtype=float)
    known = int(np.isfinite(cost).sum())
    if known < SMALLEST_SAMPLE:
        return []
    kept = len(chosen)
    per = PER * (definition.economics.purchases_per_year if definition.economics else 1.0)
    values = process.window_values(made.served[:, :kept], cost, hours, per, request.confidence, request.seed)
    facts = chosen[["segment", "window", "windows", "item", "answer"]].assign(
        share=np.diff(chosen["share"], prepend=0), cost=float(np.nanmedian(cost)), hours=hours
    )
    return [pd.concat([facts, values], axis=1).assign(respondents=known)]


def _differences(asked: Mapping[str, _Parts], request: Request) -> pd.DataFrame:
    """segment (all), subject (what was asked), item, answer, statistic, p_together, differs, respondents: where segments that may be told of differ.

    p_together holds over everything that is asked of the process: within a question by permutation, over the questions by Bonferroni's factor.
    """
    found = []
    for subject, parts in asked.items():
        names = [name for name in parts.parts if name != ALL]
        frame = pd.concat([parts.parts[name] for name in names]).dropna(how="all") if names else pd.DataFrame()
        segment = pd.Series({number: name for name in names for number in parts.parts[name].index})[frame.index]
        if len(names) < 2 or segment.value_counts().reindex(names).fillna(0).min() < SMALLEST_SAMPLE:
            continue
        if subject == INTERRUPTION_COST:
            frame = frame.rank()  # a few large amounts would rule
        table = process.segment_differences(frame, segment.tolist(), request.seed)
        cells = pd.MultiIndex.from_tuples([_cell(name) for name in table.index], names=["item", "answer"])
        found.append(table.set_index(cells).reset_index().assign(segment=ALL, subject=subject, respondents=len(frame)))
    if not found:
        return pd.DataFrame()
    whole = pd.concat(found, ignore_index=True)
    together = (whole["p_value"] * len(found)).clip(upper=1.0)
    whole = whole.assign(p_together=together, differs=together <= process.FALSE_ALARM)
    return whole[["segment", "subject", "item", "answer", "statistic", "p_together", "differs", "respondents"]]


def _cell(name: object) -> tuple[str, str]:
    """(item, answer) of a column: (day, time band), (step, nothing), and nothing at all of a number."""
    if isinstance(name, tuple):
        return str(name[0]), str(name[1])
    return ("" if name == "value" else str(name)), ""
