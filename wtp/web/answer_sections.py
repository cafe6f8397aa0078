"""Sections of the page "Answers": what was answered beside choices and prices, question by question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext
from markupsafe import escape

from wtp.charts import items, numbers, time_windows
from wtp.survey.piping import piped
from wtp.survey.questions import UNSURE, MultipleChoice, Number, OpenText, Rating, SingleChoice, TimeGrid
from wtp.survey.wording import Wording
from wtp.web import formats, section
from wtp.web.i18n import text as said
from wtp.web.reading import Reading
from wtp.web.section import Section

_SHARE = ("share", "low", "high")
_MEAN = ("mean", "low", "high")


def rows_of(reading: Reading, table: str, question: str) -> pd.DataFrame:
    """The rows of one question in the segment; empty if there are none."""
    frame = reading.table(table)
    return frame[frame["question"] == question].reset_index(drop=True) if len(frame) else frame


def words_of(parts: Any) -> dict[str, str]:
    """Labels by id of options, items, days or bands."""
    return {part.id: said(part.label) for part in parts}


def safe(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels for Plotly, which reads a little HTML in them."""
    return {name: str(escape(label)) for name, label in labels.items()}


def asked_as(wording: Wording) -> str:
    """A question as it was asked; where an earlier answer stood in it there is a gap."""
    return said(piped(wording, (), {}))


def _option_words(question: SingleChoice | MultipleChoice) -> dict[str, str]:
    unsure = getattr(question, "unsure", None)
    return words_of(question.options) | ({UNSURE: said(unsure)} if unsure else {})


def asked_by(reading: Reading, rows: pd.DataFrame) -> str:
    """How many answered."""
    return gettext("Answered by %(respondents)s respondents.", respondents=formats.number(rows["respondents"].iloc[0], 0)) if len(rows) else ""  # fmt: skip


def shares_section(reading: Reading, question: SingleChoice | MultipleChoice) -> Section:
    """Single and multiple choice."""
    rows = rows_of(reading, "answer_shares", question.id)
    labels, several = _option_words(question), isinstance(question, MultipleChoice)
    finding = items.title(
        rows.rename(columns={"item": "day", "answer": "item"}), _SHARE, labels=labels, words=gettext, amount=formats.percent, leads=items.CHOSEN, close=items.CHOSEN_CLOSE
    ) if len(rows) else ""  # fmt: skip
    return Section(
        chart=f"asked-{question.id}",
        title=finding or asked_as(question.label),
        lead=asked_as(question.label),
        says=(gettext("Several answers were possible, so the shares need not add up to 100 %.") if several else gettext("One answer each.")) + " " + asked_by(reading, rows),
        not_says=gettext("It is what respondents say, and it holds for the customers whom they stand for only as far as they were picked by chance."),
        head=(gettext("Answer"), gettext("Respondents"), gettext("Share"), section.interval_head(reading)),
        rows=tuple((labels.get(row["answer"], row["answer"]), formats.number(row["count"], 0), formats.percent(row["share"]), section.shares(row["low"], row["high"])) for _, row in rows.iterrows()),
        csv="answer_shares",
        missing="" if len(rows) else section.too_few(),
    )  # fmt: skip


def shares_figure(reading: Reading, question: SingleChoice | MultipleChoice) -> go.Figure:
    """Bars of shares; in the author's order where that has one (single choice), by size otherwise."""
    rows = rows_of(reading, "answer_shares", question.id).drop(columns="item").rename(columns={"answer": "item"})
    return items.figure(
        rows, _SHARE, labels=safe(_option_words(question)), x_title=gettext("Share of respondents"), bars=True, per_cent=True,
        in_order=isinstance(question, SingleChoice),
    )  # fmt: skip


def times_section(reading: Reading, question: TimeGrid) -> Section:
    """Days by time bands."""
    rows = rows_of(reading, "answer_shares", question.id)
    labels = words_of((*question.days, *question.bands))
    return Section(
        chart=f"asked-{question.id}",
        title=time_windows.title(rows, labels=labels, words=gettext, share=formats.percent) if len(rows) else asked_as(question.label),
        lead=asked_as(question.label),
        says=gettext("The share of respondents to whom each time suits; several could be picked.") + " " + asked_by(reading, rows),
        not_says=gettext("These are stated times; who would really come, and whether there is room for them, is not in it."),
        head=(gettext("Day"), gettext("Time"), gettext("Share"), section.interval_head(reading)),
        rows=tuple((labels[row["item"]], labels[row["answer"]], formats.percent(row["share"]), section.shares(row["low"], row["high"])) for _, row in rows.iterrows()),
        csv="answer_shares",
        missing="" if len(rows) else section.too_few(),
    )  # fmt: skip


def times_figure(reading: Reading, question: TimeGrid) -> go.Figure:
    """Heat map of times."""
    labels = safe(words_of((*question.days, *question.bands)))
    rows = rows_of(reading, "answer_shares", question.id)
    return time_windows.figure(rows, labels=labels, words=gettext, share=formats.percent)


@dataclass(frozen=True, slots=True)
class _Amounts:
    """Writes numbers of one question with no more digits than an interval carries, and with their unit."""

    reading: Reading
    question: Number
    step: float

    def number(self, value: float) -> str:
        """Without its unit, but for money."""
        if self.question.money:
            return self.reading.money(value, self.step)
        return formats.number(value, 0 if self.step >= 1 else len(f"{self.step:.6f}".rstrip("0")) - 2)

    def unit(self) -> str:
        """A blank and the unit, or nothing."""
        return f"{formats.NBSP}{said(self.question.unit)}" if self.question.unit and not self.question.money else ""

    def one(self, value: float) -> str:
        """One number."""
        return self.number(value) + self.unit()

    def interval(self, low: float, high: float) -> str:
        """Both ends, the unit once."""
        return gettext("%(low)s to %(high)s", low=self.number(low), high=self.number(high)) + self.unit()


def numbers_section(reading: Reading, question: Number) -> Section:
    """A number: its median in every segment that has figures."""
    whole = reading.analysis.tables.get("answer_numbers", pd.DataFrame())
    rows = rows_of(reading, "answer_numbers", question.id)
    known = bool(len(rows)) and bool(rows["middle"].notna().any())
    width = float(rows["high"].iloc[0] - rows["low"].iloc[0]) if known else 0.0
    amounts = _Amounts(reading, question, 1.0 if question.whole else formats.precision(width))
    all_rows = whole[(whole["question"] == question.id) & whole["middle"].notna()] if known else whole[:0]
    return Section(
        chart=f"asked-{question.id}",
        title=numbers.title(rows, words=gettext, one=amounts.one, interval=amounts.interval) if known else asked_as(question.label),
        lead=asked_as(question.label),
        says=gettext("The median: half of the respondents named less, half more. The chart shows all segments that have figures.") + " " + asked_by(reading, rows),
        not_says=gettext("It says nothing about the sum over all customers: a few very large answers would decide that."),
        head=(gettext("Segment"), gettext("Median"), section.interval_head(reading), gettext("Middle half"), gettext("Mean"), gettext("Do not know")),
        rows=tuple(
            (reading.labels[row["segment"]], amounts.one(row["middle"]), amounts.interval(row["low"], row["high"]),
             amounts.interval(row["lower_quartile"], row["upper_quartile"]), amounts.one(row["mean"]), formats.number(row["unsure"], 0) if question.unsure else "")
            for _, row in all_rows.iterrows()
        ),
        csv="answer_numbers",
        missing="" if known else section.too_few(),
    )  # fmt: skip


def numbers_figure(reading: Reading, question: Number) -> go.Figure:
    """Medians by segment."""
    whole = reading.analysis.tables["answer_numbers"]
    unit = reading.analysis.currency if question.money else said(question.unit) if question.unit else ""
    x_title = str(escape(f"{asked_as(question.label)}{f' ({unit})' if unit else ''}"))
    return numbers.figure(
        whole[whole["question"] == question.id], labels=safe(reading.labels), words=gettext, x_title=x_title
    )


def ratings_section(reading: Reading, question: Rating) -> Section:
    """Means of ratings."""
    rows = rows_of(reading, "answer_ratings", question.id)
    labels = words_of(question.items)
    known = bool(len(rows)) and bool(rows["mean"].notna().any())
    return Section(
        chart=f"asked-{question.id}",
        title=items.title(rows, _MEAN, labels=labels, words=gettext, amount=formats.number, leads=items.BEST_RATED, close=items.RATED_CLOSE) if known else asked_as(question.label),
        lead=asked_as(question.label),
        says=gettext("Mean ratings from %(low)s (%(low_label)s) to %(high)s (%(high_label)s).", low=question.scale.low, high=question.scale.high, low_label=said(question.scale.low_label), high_label=said(question.scale.high_label)) + " " + asked_by(reading, rows),
        not_says=gettext("People use scales differently: compare the items with each other rather than with ratings from elsewhere."),
        head=(gettext("Item"), gettext("Mean"), section.interval_head(reading), gettext("Do not know")),
        rows=tuple((labels[row["item"]], formats.number(row["mean"]), section.numbers(row["low"], row["high"]), formats.number(row["unsure"], 0) if row["unsure"] else "") for _, row in rows.iterrows()),
        csv="answer_ratings",
        missing="" if known else section.too_few(),
    )  # fmt: skip


def ratings_figure(reading: Reading, question: Rating) -> go.Figure:
    """Dots of mean ratings over the whole scale."""
    scale = question.scale
    return items.figure(
        rows_of(reading, "answer_ratings", question.id), _MEAN, labels=safe(words_of(question.items)), x_title=gettext("Mean rating"),
        x_range=(scale.low - 0.2, scale.high + 0.2),
    )  # fmt: skip


def texts_section(reading: Reading, question: OpenText) -> Section:
    """Open texts are counted; the words are in the export, where each is one person's."""
    rows = rows_of(reading, "answer_texts", question.id)
    row = rows.iloc[0] if len(rows) else None
    title = gettext("%(share)s wrote something", share=formats.percent(row["share"])) if row is not None else asked_as(question.label)  # fmt: skip
    return Section(
        chart=f"asked-{question.id}",
        title=title,
        lead=asked_as(question.label),
        says=gettext("How many of those who were asked wrote something. The words themselves are in the export of the study, since they may tell who wrote them.") + " " + asked_by(reading, rows),
        not_says=gettext("Nothing reads or sorts the texts here."),
        head=(gettext("Answer"), gettext("Respondents"), gettext("Share"), section.interval_head(reading)),
        rows=((gettext("Wrote something"), formats.number(row["count"], 0), formats.percent(row["share"]), section.shares(row["low"], row["high"])),) if row is not None else (),
        csv="answer_texts",
        missing="" if row is not None else section.too_few(),
        drawn=False,
    )  # fmt: skip
