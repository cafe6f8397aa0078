"""Sections of the page "Expectations": what was expected and what was met, and in which order customers expect things to happen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.analysis import ALL
from wtp.charts import expectations, script
from wtp.survey.measures import expectation_ratings
from wtp.survey.questions import Ranking
from wtp.web import formats, section
from wtp.web.answer_sections import asked_as, rows_of, safe, words_of
from wtp.web.reading import Reading
from wtp.web.section import Section, headed, interval_head, numbers


def gaps_section(reading: Reading) -> Section:
    """Expectation and experience side by side, and their difference."""
    table = reading.table("expectation_gaps")
    pooled = len(table) > 0 and table["pooled_gap"].notna().any()
    ranked = table.sort_values("gap", kind="stable") if len(table) else table
    said = {expectations.MISSED: gettext("missed"), expectations.EXCEEDED: gettext("exceeded"), "": gettext("no clear difference")}  # fmt: skip
    return Section(
        chart="asked-expectation_gaps",
        title=expectations.title(ranked, labels=reading.labels, words=gettext) if len(table) else gettext("Expected and met"),
        says=gettext("Mean ratings of what respondents expected and of what they met with, by those who gave both, and the difference: experience less expectation. Its interval is wide enough to hold for all attributes and segments of this page together, by 95 %; only where it is clear of zero is an expectation called missed or exceeded. The chart shows each segment's own means; the column beside the difference moves that of a segment towards all segments by how little it knows."),
        not_says=gettext("It does not say whether an expectation was reasonable, nor what meeting it would be worth. Both scores stand beside the difference, since the same difference between high and between low scores means something else; and expectations that are asked for afterwards are coloured by the experience."),
        head=(gettext("Attribute"), headed(gettext("Expectation"), reading), headed(gettext("Experience"), reading), gettext("Difference, with an interval for all together"), headed(gettext("Difference, moved towards all segments"), reading) if pooled else "", gettext("Finding"), gettext("Respondents")),
        rows=tuple(
            (
                reading.labels[row["attribute"]],
                _with_ends(row, "expected", "expected"),
                _with_ends(row, "met", "met"),
                _with_ends(row, "gap", "together", signed=True),
                _with_ends(row, "pooled_gap", "pooled_gap", signed=True) if pd.notna(row["pooled_gap"]) else "",
                said[row["verdict"]],
                formats.number(row["respondents"], 0),
            )
            for _, row in ranked.iterrows()
        ),
        csv="expectation_gaps",
        missing="" if len(table) else section.too_few(),
        findings=tuple(_reliability(reading)),
    )  # fmt: skip


def _with_ends(row: pd.Series, name: str, ends: str, *, signed: bool = False) -> str:
    figures = [row[name], row[f"{ends}_low"], row[f"{ends}_high"]]
    middle, low, high = (_signed(value) if signed else formats.number(value) for value in figures)
    return f"{middle} ({gettext('%(low)s to %(high)s', low=low, high=high)})"


def _signed(value: float) -> str:
    return ("+" if round(value, 1) > 0 else "") + formats.number(value)


def _reliability(reading: Reading) -> Iterator[str]:
    """How far the difference of a single person can be trusted."""
    rows = reading.table("expectation_reliability")
    for _, row in rows.dropna(subset=["reliability"]).iterrows() if len(rows) else ():
        yield gettext(
            "Reliability over all attributes, of 1: expectation %(expected)s, experience %(met)s, their difference %(difference)s (%(interval)s); both scores correlate by %(correlation)s. Means of many respondents can be compared; the difference of one respondent says little unless its reliability is high.",
            expected=formats.number(row["alpha_expected"], 2),
            met=formats.number(row["alpha_met"], 2),
            difference=formats.number(max(row["reliability"], 0.0), 2),
            interval=numbers(max(row["reliability_low"], 0.0), max(row["reliability_high"], 0.0), 2),
            correlation=formats.number(row["score_correlation"], 2),
        )  # fmt: skip


def gaps_figure(reading: Reading) -> go.Figure:
    """A slope from expectation to experience for each attribute."""
    ratings = expectation_ratings(reading.definition)
    scale = ratings[0].scale if ratings else None
    ends = (scale.low, scale.high) if scale else (1, 7)
    return expectations.figure(
        reading.table("expectation_gaps"), labels=safe(reading.labels), words=gettext, scale=ends
    )


def script_section(reading: Reading, question: Ranking) -> Section:
    """The order that customers expect, and how far they agree on it."""
    rows, labels = rows_of(reading, "script_order", question.id), words_of(question.items)
    agreed = rows_of(reading, "script_agreement", question.id)
    known = len(rows) > 0 and len(agreed) > 0
    return Section(
        chart=f"asked-{question.id}",
        title=script.title(rows, script.strength(agreed.iloc[0]), labels=labels, words=gettext) if known else asked_as(question.label),
        lead=asked_as(question.label),
        says=gettext("The common order is that of the mean places. Agreement is Kendall's tau, from -1 to 1: how much more often a respondent puts two events in the same order as all others together than in the reverse one. It is called strong if it is surely above 0.6 (four of five pairs alike), partial above 0.3. Segments are compared by shuffling their respondents; what is called a difference would be one by chance in at most one in twenty such studies."),
        not_says=gettext("It is the order that customers have in mind, not the one that you keep to, nor how much a deviation annoys them. Events that nobody thought of when asking are not in it."),
        head=(gettext("Event"), headed(gettext("Rank"), reading), gettext("Mean place"), interval_head(reading)),
        rows=tuple(
            (labels[row["item"]], _rank(row), formats.number(row["place"]), numbers(row["place_low"], row["place_high"]))
            for _, row in rows.iterrows()
        ),
        csv="script_order",
        missing="" if known else section.too_few(),
        findings=(_agreement(agreed.iloc[0]), *_segments(reading, question.id)) if known else (),
    )  # fmt: skip


def _rank(row: pd.Series) -> str:
    rank, low, high = (formats.number(row[name], 0 if float(row[name]).is_integer() else 1) for name in ("rank", "rank_low", "rank_high"))  # fmt: skip
    return f"{rank} ({gettext('%(low)s to %(high)s', low=low, high=high)})"


def _agreement(row: pd.Series) -> str:
    return gettext(
        "%(strength)s: Kendall's tau with the order of all others is %(tau)s (%(tau_interval)s), Kendall's W %(w)s (%(w_interval)s).",
        strength=gettext(script.BADGES[script.strength(row)]),
        tau=formats.number(row["tau"], 2),
        tau_interval=numbers(row["tau_low"], row["tau_high"], 2),
        w=formats.number(row["agreement"], 2),
        w_interval=numbers(row["agreement_low"], row["agreement_high"], 2),
    )


def _segments(reading: Reading, question: str) -> Iterator[str]:
    """Each pair of segments that this one is part of; for everybody all pairs."""
    table = reading.analysis.tables.get("script_segments", pd.DataFrame())
    pairs = table[table["question"] == question] if len(table) else table
    for _, row in pairs.iterrows():
        if reading.segment in (ALL, row["segment"], row["other"]):
            words: dict[str, Any] = {
                "one": reading.labels[row["segment"]],
                "other": reading.labels[row["other"]],
                "tau": formats.number(row["tau"], 2),
                "p": formats.number(max(row["p_adjusted"], 0.001), 3),
            }
            yield (
                gettext("%(one)s and %(other)s expect another order: tau of the two orders is %(tau)s, p = %(p)s or less.", **words)
                if row["differs"]
                else gettext("%(one)s and %(other)s: no clear difference; tau of the two orders is %(tau)s, p = %(p)s.", **words)
            )  # fmt: skip


def script_figure(reading: Reading, question: Ranking) -> go.Figure:
    """Mean places, the first event on top, with the agreement beside them."""
    agreed = rows_of(reading, "script_agreement", question.id).iloc[0]
    badge = gettext(
        "%(strength)s: tau %(tau)s (%(interval)s)",
        strength=gettext(script.BADGES[script.strength(agreed)]),
        tau=formats.number(agreed["tau"], 2),
        interval=numbers(agreed["tau_low"], agreed["tau_high"], 2),
    )
    rows = rows_of(reading, "script_order", question.id)
    return script.figure(rows, labels=safe(words_of(question.items)), words=gettext, badge=safe({"": badge})[""])
