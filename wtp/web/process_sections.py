"""Sections of the page "The customer's process": steps that decide, times that suit, how many a few of them serve, what they are worth, and where segments differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext, ngettext
from markupsafe import escape

from wtp.charts import process, time_windows
from wtp.survey.process import process_questions
from wtp.survey.questions import (
    INTERRUPTION_COST,
    INTERRUPTION_WINDOW,
    PROCESS_SATISFACTION,
    PROCESS_STEPS,
    SERVICE_WINDOW,
    Number,
    Rating,
)
from wtp.web import formats, section
from wtp.web.answer_sections import asked_as, asked_by, numbers_section, safe, words_of
from wtp.web.i18n import text as said
from wtp.web.reading import Reading
from wtp.web.section import LaneStep, Section

STEPS, COVERAGE, VALUE = "process-steps", "process-coverage", "process-value"
SERVICE, INTERRUPTIONS, INTERRUPTIONS_COVERAGE = "process-service", "process-interruptions", "process-interruptions-coverage"  # fmt: skip
_TOLD = 3  # windows in a title
_NAMED = 3  # differences that are named one by one
_LEVELS = 5


def process_charts(reading: Reading) -> list[str]:
    """Names of the sections that show several answers or measures together, as far as they were asked."""
    asked = process_questions(reading.definition)
    hours = any(step.hours for step in reading.definition.process)
    wanted = {
        STEPS: PROCESS_STEPS in asked or PROCESS_SATISFACTION in asked,
        SERVICE: SERVICE_WINDOW in asked,
        COVERAGE: SERVICE_WINDOW in asked,
        INTERRUPTIONS: INTERRUPTION_WINDOW in asked,
        INTERRUPTIONS_COVERAGE: INTERRUPTION_WINDOW in asked,
        VALUE: INTERRUPTION_COST in asked and bool({SERVICE_WINDOW, INTERRUPTION_WINDOW} & set(asked)) and hours,
    }
    return [name for name, is_wanted in wanted.items() if is_wanted]


def _labels(reading: Reading) -> dict[str, str]:
    return words_of(reading.definition.process)


def _scale(reading: Reading) -> tuple[int, int] | None:
    question = process_questions(reading.definition).get(PROCESS_SATISFACTION)
    return (question.scale.low, question.scale.high) if isinstance(question, Rating) else None


def steps_section(reading: Reading) -> Section:
    """Which steps decide, and how satisfied customers are with each."""
    rows, labels, scale = reading.table("process_steps"), _labels(reading), _scale(reading)
    asked = process_questions(reading.definition)
    lead = asked_as(next(asked[m].label for m in (PROCESS_STEPS, PROCESS_SATISFACTION) if m in asked))
    suppliers = {step.id: said(step.supplier) if step.supplier else "" for step in reading.definition.process}
    figures = rows.to_dict("records") if len(rows) else []
    rated = gettext("Satisfaction, %(low)s to %(high)s", low=scale[0], high=scale[1]) if scale else gettext("Satisfaction")  # fmt: skip
    counted = [int(rows[name].max()) for name in ("respondents", "raters") if len(rows) and rows[name].notna().any()]
    return Section(
        chart=f"asked-{STEPS}",
        title=process.title(rows, labels=labels, words=gettext) if figures else gettext("What happens to the customer, step by step"),
        lead=lead,
        says=gettext("Above, what the customer lives through; below, what the supplier does meanwhile. ★: marked clearly more often than if nothing mattered more than anything else (binomial test). ▼: such a moment with which customers are clearly less satisfied than with the other steps (paired t test). All such claims of all segments together are wrong by chance in at most 5 of 100 studies.")
        + (" " + gettext("Answered by %(respondents)s respondents.", respondents=formats.number(max(counted), 0)) if counted else ""),
        not_says=gettext("It is what customers say of steps that were named to them; a step that nobody thought of is not in it. What it would cost to mend a step, and what that earns, is not in it either."),
        head=(gettext("Step of the process"), gettext("The supplier meanwhile"), gettext("Marked"), section.interval_head(reading), rated, section.interval_head(reading), gettext("Finding")),
        rows=tuple(
            (
                labels[row["item"]], suppliers[row["item"]], formats.percent(row["share"]) if pd.notna(row["share"]) else "",
                section.shares(row["low"], row["high"]) if pd.notna(row["share"]) else "",
                formats.number(row["satisfaction"]) if pd.notna(row["satisfaction"]) else "",
                section.numbers(row["satisfaction_low"], row["satisfaction_high"]) if pd.notna(row["satisfaction"]) else "", _finding(row),
            )
            for row in figures
        ),
        csv="process_steps",
        missing="" if figures else section.too_few(),
        findings=tuple(_step_differences(reading)),
        lane=tuple(
            LaneStep(
                labels[row["item"]], suppliers[row["item"]], process.MEND_MARK if row["mend"] else process.MATTERS_MARK if row["moment"] else "",
                _finding(row, marked=False), gettext("marked by %(share)s", share=formats.percent(row["share"])) if pd.notna(row["share"]) else "",
                gettext("satisfaction %(mean)s of %(high)s", mean=formats.number(row["satisfaction"]), high=scale[1]) if scale and pd.notna(row["satisfaction"]) else "",
                _level(row["satisfaction"], scale),
            )
            for row in figures
        ),
    )  # fmt: skip


def _finding(row: Mapping[Any, Any], *, marked: bool = True) -> str:
    """What a step is to customers, in a few words."""
    if row["mend"]:
        words, mark = gettext("matters and disappoints"), process.MEND_MARK
    elif row["moment"]:
        words, mark = gettext("moment that matters"), process.MATTERS_MARK
    else:
        return ""
    return f"{mark} {words}" if marked else words


def _level(mean: float, scale: tuple[int, int] | None) -> int:
    """The fifth of the scale in which a mean lies, 0 where there is none."""
    if scale is None or pd.isna(mean):
        return 0
    return min(_LEVELS, 1 + int(_LEVELS * (mean - scale[0]) / (scale[1] - scale[0])))


def _differing(reading: Reading, subject: str) -> pd.DataFrame:
    """What segments clearly differ in, the most first; told where everybody is shown."""
    table = reading.table("process_differences")
    if not len(table):
        return table
    return table[(table["subject"] == subject) & table["differs"]].sort_values("statistic", ascending=False)


def _step_differences(reading: Reading) -> Iterator[str]:
    labels = _labels(reading)
    for subject, words in (
        (PROCESS_STEPS, gettext("Segments clearly differ in how often they mark: %(steps)s.")),
        (PROCESS_SATISFACTION, gettext("Segments clearly differ in how satisfied they are with: %(steps)s.")),
    ):
        found = _differing(reading, subject)
        if len(found):
            yield words % {"steps": ", ".join(labels[item] for item in found["item"])}


def steps_figure(reading: Reading) -> go.Figure:
    """How often each step is marked."""
    return process.figure(
        reading.table("process_steps"), labels=safe(_labels(reading)), words=gettext, scale=_scale(reading)
    )


def _grid(reading: Reading, measure: str) -> Any:
    """The time grid that asks for it."""
    return process_questions(reading.definition)[measure]


def _rows(reading: Reading, table: str, measure: str) -> pd.DataFrame:
    rows = reading.table(table)
    return rows[rows["window"] == measure].reset_index(drop=True) if len(rows) else rows


def _names(reading: Reading, rows: pd.DataFrame, measure: str) -> list[str]:
    """The windows as "Monday, 9 to 12"."""
    question = _grid(reading, measure)
    days, bands = words_of(question.days), words_of(question.bands)
    return [f"{days[d]}, {bands[b]}" for d, b in zip(rows["item"], rows["answer"], strict=True)] if len(rows) else []


def windows_section(reading: Reading, measure: str) -> Section:
    """To whom which time suits."""
    question, rows = _grid(reading, measure), _rows(reading, "process_windows", measure)
    labels = words_of((*question.days, *question.bands))
    return Section(
        chart=f"asked-{SERVICE if measure == SERVICE_WINDOW else INTERRUPTIONS}",
        title=time_windows.title(rows, labels=labels, words=gettext, share=formats.percent) if len(rows) else asked_as(question.label),
        lead=asked_as(question.label),
        says=gettext("The share of respondents to whom each time suits, with its %(percent)s interval; several could be picked. ★: picked clearly more often than if all times were alike to everybody (binomial test, all times of all segments together).", percent=formats.percent(reading.analysis.confidence)) + " " + asked_by(reading, rows),
        not_says=gettext("These are stated times; who would really come, and whether there is room for them, is not in it."),
        head=(gettext("Day"), *(said(band.label) for band in question.bands)),
        rows=tuple((said(day.label), *_day(rows[rows["item"] == day.id])) for day in question.days) if len(rows) else (),
        csv="process_windows",
        missing="" if len(rows) else section.too_few(),
        findings=tuple(_window_differences(reading, measure)),
    )  # fmt: skip


def _day(rows: pd.DataFrame) -> Iterator[str]:
    """The time bands of one day."""
    for row in rows.to_dict("records"):
        star = f"{time_windows.LEADS_MARK} " if row["leads"] else ""
        yield star + section.share_with_interval(row["share"], row["low"], row["high"])


def _window_differences(reading: Reading, measure: str) -> Iterator[str]:
    found = _differing(reading, measure)
    if len(found):
        most = "; ".join(_names(reading, found.head(_NAMED), measure))
        yield ngettext(
            "Segments clearly differ in whether %(num)s time suits them: %(most)s.",
            "Segments clearly differ in whether %(num)s times suit them, most of all: %(most)s.",
            len(found),
            most=most,
        )


def windows_figure(reading: Reading, measure: str) -> go.Figure:
    """Heat map of times."""
    question = _grid(reading, measure)
    labels = safe(words_of((*question.days, *question.bands)))
    rows = _rows(reading, "process_windows", measure)
    return time_windows.figure(rows, labels=labels, words=gettext, share=formats.percent)


def coverage_section(reading: Reading, measure: str) -> Section:
    """How many the best windows serve together."""
    rows = _rows(reading, "window_coverage", measure)
    told = rows.iloc[min(_TOLD, len(rows)) - 1] if len(rows) else None
    title = gettext("How many a few windows serve")
    if told is not None:
        interval = section.shares(told["low"], told["high"])
        title = process.coverage_title(told, words=gettext, share=formats.percent(told["share"]), interval=interval)
    return Section(
        chart=f"asked-{COVERAGE if measure == SERVICE_WINDOW else INTERRUPTIONS_COVERAGE}",
        title=title,
        lead=asked_as(_grid(reading, measure).label),
        says=gettext("Each window is the one that serves most of those whom the windows above it do not. To choose and to judge by the same answers would flatter: again and again two thirds of the respondents choose and the others judge, and the share is the mean of what they say. The windows named are those that all respondents together choose.") + " " + asked_by(reading, rows),
        not_says=gettext("How many customers fit into a window is not in it, nor whether staff can be had for it. A window may also serve those who would come anyway."),
        head=(gettext("Windows"), gettext("The window that comes on"), gettext("Served"), section.interval_head(reading), gettext("By those who chose"), gettext("Customers served")),
        rows=tuple(
            (formats.number(row["windows"], 0), name, formats.percent(row["share"]), section.shares(row["low"], row["high"]), formats.percent(row["seen"]),
             formats.number(round(row["customers_served"], -1), 0) if pd.notna(row["customers_served"]) else "")
            for row, name in zip(rows.to_dict("records"), _names(reading, rows, measure), strict=True)
        ),
        csv="window_coverage",
        missing="" if len(rows) else section.too_few(),
    )  # fmt: skip


def coverage_figure(reading: Reading, measure: str) -> go.Figure:
    """The coverage curve."""
    rows = _rows(reading, "window_coverage", measure)
    names = [str(escape(name)) for name in _names(reading, rows, measure)]
    return process.coverage_figure(rows, names=names, words=gettext)


def _valued(reading: Reading) -> str:
    """Which windows bear the values: those of interruptions, where they were asked."""
    asked = process_questions(reading.definition)
    return INTERRUPTION_WINDOW if INTERRUPTION_WINDOW in asked else SERVICE_WINDOW


def _per(reading: Reading) -> str:
    """What an amount is for."""
    return gettext("per 100 customers and year") if reading.definition.economics else gettext("per 100 purchases")


def value_section(reading: Reading) -> Section:
    """What times that suit are worth in money."""
    rows, measure = reading.table("window_value"), _valued(reading)
    known = len(rows) > 0
    step = formats.precision(float((rows["together_high"] - rows["together_low"]).median())) if known else 1.0
    title = gettext("What a window is worth")
    if known:
        told = rows.iloc[min(_TOLD, len(rows)) - 1]
        amount = reading.with_interval(told["together"], told["together_low"], told["together_high"], step)
        title = ngettext(
            "The best window is worth %(amount)s to customers, %(per)s",
            "The best %(num)s windows are worth %(amount)s to customers, %(per)s",
            int(told["windows"]),
            amount=amount,
            per=_per(reading),
        )
    facts = gettext("Here: %(hours)s hours, %(cost)s an hour.", hours=formats.number(rows["hours"].iloc[0], 2), cost=reading.money(rows["cost"].iloc[0], 1)) if known else ""  # fmt: skip
    return Section(
        chart=f"asked-{VALUE}",
        title=title,
        says=gettext("The median of what an hour of interruption costs, times the hours that the steps of the process interrupt the customer, times the share to whom one of the windows suits: at a time that suits, nothing is interrupted. Each window is worth what it adds to those above it.") + (f" {facts} " if facts else " ") + asked_by(reading, rows),
        not_says=gettext("It is an opinion times an opinion: what customers say an hour costs them, not what they would pay; the hours are the author's. Whether they would pay for a better time is in what they chose, if the offers differed in it. The cost of opening is not in it."),
        head=(gettext("Windows"), gettext("The window that comes on"), gettext("Adds"), gettext("Worth of what it adds"), section.interval_head(reading), gettext("All so far"), section.interval_head(reading)),
        rows=tuple(
            (formats.number(row["windows"], 0), name, formats.percent(row["share"]), reading.money(row["value"], step), reading.interval(row["value_low"], row["value_high"], step),
             reading.money(row["together"], step), reading.interval(row["together_low"], row["together_high"], step))
            for row, name in zip(rows.to_dict("records"), _names(reading, rows, measure), strict=True)
        ),
        csv="window_value",
        missing="" if known else section.too_few(),
    )  # fmt: skip


def value_figure(reading: Reading) -> go.Figure:
    """What each window adds."""
    rows = reading.table("window_value")
    names = [str(escape(name)) for name in _names(reading, rows, _valued(reading))]
    x_title = gettext("Worth of what it adds, %(currency)s %(per)s", currency=reading.analysis.currency, per=_per(reading))  # fmt: skip
    return process.value_figure(rows, names=names, x_title=x_title)


def cost_section(reading: Reading, question: Number) -> Section:
    """What an hour of interruption costs, by segment."""
    made = numbers_section(reading, question)
    if len(_differing(reading, INTERRUPTION_COST)):
        made = replace(made, findings=(gettext("Segments clearly differ in what an hour costs them."),))
    return made
