"""Sections of the page "Contacts": why customers call, what mattered most to them, what they ask, what helped, and how far two coders agree."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.analysis import ALL
from wtp.charts import items, touchpoints
from wtp.survey.contacts import HIGHEST_IMPRESSION, LOWEST_IMPRESSION, contact_codes
from wtp.web import formats
from wtp.web.answer_sections import safe
from wtp.web.i18n import text as said
from wtp.web.reading import Reading
from wtp.web.section import Section, headed, interval_head, numbers, shares

FIVE = 5
_SURE = 0.05
_WORTH_TELLING = 0.001
_RATE, _SHARE, _SOLVED, _IMPRESSION = (("rate", "low", "high"), ("share", "low", "high"), ("solved", "low", "high"), ("impression", "low", "high"))  # fmt: skip


def _few() -> str:
    return gettext("Contacts of fewer than 10 customers in this segment: no figures are shown.")


def _hidden() -> str:
    return gettext("fewer than 10 customers")


def _unsaid(table: pd.DataFrame) -> str:
    """Why a section has no figures where the segment has some."""
    return gettext("Staff noted this of fewer than 10 customers in this segment.") if len(table) else _few()


def _not_all() -> str:
    return gettext("Those who get in touch are not all customers: who is content, or has given up, does not call.")


def _labels(reading: Reading, field: str) -> dict[str, str]:
    codes = contact_codes(reading.definition)
    return {code: said(words) for code, words in codes[field].items()} if codes else {}


def _count(value: float) -> str:
    return formats.number(float(value), 0) if pd.notna(value) else ""


def _reasons(reading: Reading) -> tuple[pd.DataFrame, pd.Series | None]:
    """Rows of single reasons, and that of any."""
    table = reading.table("contact_reasons")
    if table.empty:
        return table, None
    any_reason = table["reason"] == "any"
    return table[~any_reason].reset_index(drop=True), table[any_reason].iloc[0]


def _trend(row: pd.Series) -> str:
    """The trend of a reason in words."""
    if pd.isna(row["trend"]):
        return gettext("too few to tell")
    low, high = (("+" if end > 0 else "") + formats.percent(end, 1).replace("-", "−") for end in (row["trend_low"], row["trend_high"]))  # fmt: skip
    interval = gettext("%(low)s to %(high)s a month", low=low, high=high)
    words = {"rising": gettext("rising"), "falling": gettext("falling"), "": gettext("no clear trend")}[row["clear"]]
    return f"{words} ({interval})"


def reasons_section(reading: Reading) -> Section:
    """Why customers get in touch, per 100 customers and month."""
    table, _any = _reasons(reading)
    labels = _labels(reading, "reason")
    rows = tuple(
        (
            labels[row["reason"]],
            _count(row["contacts"]),
            formats.number(row["rate"], 2),
            numbers(row["low"], row["high"], 2),
            _trend(row),
        )
        if pd.notna(row["rate"])
        else (labels[row["reason"]], _hidden(), "", "", "")
        for _, row in table.iterrows()
    )
    finding = items.title(
        table.rename(columns={"reason": "item"}), _RATE, labels=labels, words=gettext, amount=lambda x: formats.number(x, 1),
        leads=touchpoints.MOST_REASONS, close=touchpoints.MOST_REASONS_CLOSE,
    ) if rows else ""  # fmt: skip
    return Section(
        chart="contact_reasons",
        title=finding or gettext("Why customers get in touch"),
        says=gettext("Contacts per 100 customers and month by the reason that staff noted. Intervals are widened where months differ more than chance alone would make them. A trend is named only where it stands out among all reasons together; by chance that happens in one of twenty cases."),
        not_says=_not_all() + " " + gettext("A trend may also come from the season, or from more staff who record."),
        head=(gettext("Reason"), gettext("Contacts"), gettext("Per 100 customers and month"), interval_head(reading), gettext("Trend")),
        rows=rows,
        csv="contact_reasons",
        missing="" if rows else _few(),
    )  # fmt: skip


def reasons_figure(reading: Reading) -> go.Figure:
    """Bars of rates."""
    table, _any = _reasons(reading)
    return items.figure(
        table.rename(columns={"reason": "item"}), _RATE, labels=safe(_labels(reading, "reason")), x_title=gettext("Contacts per 100 customers and month"), bars=True
    )  # fmt: skip


def months_section(reading: Reading) -> Section:
    """How many contacts there are month by month."""
    table, (_rows, row) = reading.table("contact_months"), _reasons(reading)
    title = gettext("Contacts month by month")
    if row is not None:
        title = touchpoints.trend_title(row, words=gettext, amount=lambda x: formats.percent(x, 1), interval=lambda low, high: shares(low, high, 1))  # fmt: skip
    return Section(
        chart="contact_months",
        title=title,
        says=gettext("All contacts per 100 customers and month, whatever the reason. The line is the steady change that fits all months best; a trend is named only where chance alone would show one in fewer than one of twenty cases."),
        not_says=_not_all() + " " + gettext("It does not say why the number changes, and it does not go on by itself."),
        head=(gettext("Month"), gettext("Contacts"), gettext("Per 100 customers and month"), interval_head(reading)),
        rows=tuple(
            (one["month"], _count(one["contacts"]), formats.number(one["rate"], 2), numbers(one["low"], one["high"], 2))
            if pd.notna(one["rate"])
            else (one["month"], _hidden(), "", "")
            for _, one in table.iterrows()
        ),
        csv="contact_months",
        missing="" if len(table) else _few() if row is None else gettext(touchpoints.TOO_SHORT),
        drawn=len(table) > 1,
    )  # fmt: skip


def months_figure(reading: Reading) -> go.Figure:
    """Months with their intervals."""
    return touchpoints.months_figure(reading.table("contact_months"), words=gettext)


def mattered_section(reading: Reading) -> Section:
    """What mattered most to those who called."""
    table, labels = reading.table("contact_mattered"), _labels(reading, "mattered_most")
    known = bool(len(table)) and bool(table["share"].notna().any())
    difference = reading.analysis.tables.get("contact_difference", pd.DataFrame({"p": []}))["p"].dropna()
    findings: tuple[str, ...] = ()
    if known and len(difference):
        findings = (
            gettext("Segments differ in what mattered most, more than chance would make them.")
            if difference.iloc[0] < _SURE
            else gettext("Segments do not differ clearly in what mattered most."),
        )
    return Section(
        chart="contact_mattered",
        title=items.title(table, _SHARE, labels=labels, words=gettext, amount=formats.percent, leads=items.CHOSEN, close=items.CHOSEN_CLOSE) if known else gettext("What mattered most"),
        says=gettext("What mattered most to customers who got in touch, as staff noted it; every customer counts once, however often he called. Compare it with what moved the choices in the survey, on the page “What matters”."),
        not_says=_not_all() + " " + gettext("It is what staff heard, which is not what customers would say themselves."),
        head=(gettext("What mattered most"), gettext("Customers"), gettext("Share"), interval_head(reading)),
        rows=tuple(
            (labels[row["item"]], _count(row["customers"]), formats.percent(row["share"]), shares(row["low"], row["high"]))
            if pd.notna(row["share"])
            else (labels[row["item"]], _hidden(), "", "")
            for _, row in table.sort_values("share", ascending=False, kind="stable").iterrows()
        ) if len(table) else (),
        csv="contact_mattered",
        missing="" if known else _unsaid(table),
        findings=findings,
    )  # fmt: skip


def mattered_figure(reading: Reading) -> go.Figure:
    """Bars of shares."""
    return items.figure(reading.table("contact_mattered"), _SHARE, labels=safe(_labels(reading, "mattered_most")), x_title=gettext("Share of customers who got in touch"), bars=True, per_cent=True)  # fmt: skip


def _top(reading: Reading) -> pd.DataFrame:
    table = reading.table("contact_questions")
    return table.dropna(subset=["rank"]).head(FIVE) if len(table) else table


def _place(row: pd.Series) -> str:
    """The rank with those that it could also be."""
    low, high = int(row["rank_low"]), int(row["rank_high"])
    rank = formats.number(float(row["rank"]), 0)
    if low == high:
        return rank
    return gettext("%(rank)s, could also be %(low)s to %(high)s", rank=rank, low=low, high=high)


def questions_section(reading: Reading) -> Section:
    """The five questions that are asked most."""
    table, labels = _top(reading), _labels(reading, "question")
    missing = reading.table("contact_unseen")
    findings: list[str] = []
    if len(table) and len(missing):
        row = missing.iloc[0]
        if row["high"] >= _WORTH_TELLING:
            findings.append(gettext("Of the next questions about %(share)s would be one of the list that nobody has asked so far (up to %(high)s).", share=formats.percent(row["unseen"], 1), high=formats.percent(row["high"], 1)))  # fmt: skip
        if row["unlisted"] > 0:
            findings.append(gettext("%(share)s of the questions are on no list: look at what was reported, and add codes.", share=formats.percent(row["unlisted"], 1)))  # fmt: skip
    return Section(
        chart="contact_questions",
        title=touchpoints.questions_title(table, labels=labels, words=gettext, amount=formats.percent) if len(table) and table["rank"].iloc[0] == 1 else gettext("The most frequent questions"),
        says=gettext("The five questions that are asked most often, with the places that they could also have if other customers had called. Whoever answers them before they are asked saves these calls."),
        not_says=_not_all() + " " + gettext("Codes are given by people; how a question was meant is in what was reported."),
        head=(gettext("Question"), gettext("Place"), gettext("Contacts"), gettext("Share of questions"), interval_head(reading)),
        rows=tuple(
            (labels[row["question"]], _place(row), _count(row["contacts"]), formats.percent(row["share"]), shares(row["low"], row["high"]))
            for _, row in table.iterrows()
        ),
        csv="contact_questions",
        missing="" if len(table) else gettext("No question was asked by 10 customers or more in this segment."),
        findings=tuple(findings),
    )  # fmt: skip


def questions_figure(reading: Reading) -> go.Figure:
    """Bars of the five."""
    return items.figure(_top(reading).rename(columns={"question": "item"}), _SHARE, labels=safe(_labels(reading, "question")), x_title=gettext("Share of questions"), bars=True, per_cent=True)  # fmt: skip


def _part(row: pd.Series, names: tuple[str, str, str]) -> str:
    value, low, high = (row[name] for name in names)
    return f"{formats.percent(value)} ({shares(low, high)})" if pd.notna(value) else formats.DASH


def remedies_section(reading: Reading) -> Section:
    """What staff did about it, and whether that helped."""
    table, labels = reading.table("contact_remedies"), _labels(reading, "remedy")
    known = bool(len(table)) and bool(table["solved"].notna().any())
    title = touchpoints.apart_title(
        table, "remedy", "solved", lowest=False, templates=(touchpoints.SOLVES, touchpoints.SOLVES_NONE), labels=labels, words=gettext, amount=formats.percent
    ) if known else ""  # fmt: skip
    return Section(
        chart="contact_remedies",
        title=title or gettext("Measures and what came of them"),
        says=gettext("How often staff said that a measure solved the matter, and how often the same customer was in contact again within 30 days, among contacts that are at least that old."),
        not_says=_not_all() + " " + gettext("Measures are taken in different cases, hard and easy ones; so the figures compare cases as much as measures. Solved is what staff say."),
        head=(gettext("Measure"), gettext("Contacts"), headed(gettext("Solved"), reading), headed(gettext("In contact again within 30 days"), reading)),
        rows=tuple(
            (labels[row["remedy"]], _count(row["contacts"]), _part(row, _SOLVED), _part(row, ("repeated", "repeated_low", "repeated_high")))
            if pd.notna(row["contacts"])
            else (labels[row["remedy"]], _hidden(), "", "")
            for _, row in table.iterrows()
        ),
        csv="contact_remedies",
        missing="" if known else gettext("Of no measure is it known for 10 customers or more whether it solved the matter."),
    )  # fmt: skip


def remedies_figure(reading: Reading) -> go.Figure:
    """Dots of what was solved."""
    return items.figure(reading.table("contact_remedies").rename(columns={"remedy": "item"}), _SOLVED, labels=safe(_labels(reading, "remedy")), x_title=gettext("Share that staff call solved"), per_cent=True)  # fmt: skip


def effort_section(reading: Reading) -> Section:
    """Minutes, and staff's impression beside."""
    table, labels = reading.table("contact_effort"), _labels(reading, "reason")
    judged = bool(len(table)) and bool(table["impression"].notna().any())
    known = judged or (bool(len(table)) and bool(table["minutes"].notna().any()))
    title = touchpoints.apart_title(
        table, "reason", "impression", lowest=True, templates=(touchpoints.IMPRESSION, touchpoints.IMPRESSION_ALIKE), labels=labels, words=gettext, amount=formats.number
    ) if judged else ""  # fmt: skip
    return Section(
        chart="contact_effort",
        title=title or gettext("Minutes and staff's impression"),
        says=gettext("Staff's impression of the customer, from 1 (dissatisfied) to 5 (satisfied), every customer counted once; and the minutes that contacts took: half took less than the median."),
        not_says=_not_all() + " " + gettext("An impression is that of staff, not of the customer: what customers say themselves is in the survey."),
        head=(gettext("Reason"), gettext("Impression, mean"), interval_head(reading), gettext("Minutes, median"), gettext("Middle half")),
        rows=tuple(
            (
                labels[row["reason"]],
                formats.number(row["impression"]) if pd.notna(row["impression"]) else "",
                numbers(row["low"], row["high"]) if pd.notna(row["low"]) else "",
                formats.number(row["minutes"], 0) if pd.notna(row["minutes"]) else "",
                numbers(row["lower_quartile"], row["upper_quartile"], 0) if pd.notna(row["minutes"]) else "",
            )
            if pd.notna(row["contacts"])
            else (labels[row["reason"]], _hidden(), "", "", "")
            for _, row in table.iterrows()
        ),
        csv="contact_effort",
        missing="" if known else _unsaid(table),
        drawn=judged,
    )  # fmt: skip


def effort_figure(reading: Reading) -> go.Figure:
    """Dots of impressions."""
    return items.figure(
        reading.table("contact_effort").rename(columns={"reason": "item"}), _IMPRESSION, labels=safe(_labels(reading, "reason")), x_title=gettext("Staff's impression, 1 to 5"),
        x_range=(LOWEST_IMPRESSION, HIGHEST_IMPRESSION),
    )  # fmt: skip


def _words() -> Mapping[str, str]:
    return {
        "almost perfect": gettext("almost perfect"), "substantial": gettext("substantial"), "moderate": gettext("moderate"), "fair": gettext("fair"), "slight": gettext("slight"),
        "poor": gettext("poor"), "": gettext("not enough to tell"),
    }  # fmt: skip


def agreement_section(reading: Reading) -> Section:
    """How far two members of staff say the same of a contact."""
    table = reading.table("contact_agreement")
    names = {"reason": gettext("Why the contact"), "mattered_most": gettext("What mattered most"), "core_problem": gettext("Core problem")}  # fmt: skip
    coded = int(table["contacts"].max()) if len(table) else 0
    reason = table[table["field"] == "reason"].iloc[0] if len(table) else None
    if reason is not None and pd.notna(reason["kappa"]):
        title = gettext("Two members of staff agree on the reason: at least “%(words)s” (kappa %(kappa)s)", words=_words()[reason["words"]], kappa=formats.number(reason["kappa"], 2))  # fmt: skip
    else:
        title = gettext("How far two members of staff agree")
    missing = ""
    if reading.segment != ALL:
        missing = gettext("Agreement is told for everybody only.")
    elif not coded:
        missing = gettext("Nobody has coded the contacts of colleagues yet; 50 that are drawn by chance wait on the page where contacts are recorded.")  # fmt: skip
    return Section(
        chart="contact_agreement",
        title=title,
        says=gettext("Contacts that two members of staff coded without seeing each other's codes. Kappa is 0 where they agree no more than by chance and 1 where they always agree; the words follow the lower end of its interval (Landis and Koch 1977)."),
        not_says=gettext("Agreement does not show that the codes are right, only that two people use them alike. With fewer than 20 codings there is no kappa."),
        head=(gettext("Code"), gettext("Coded twice"), gettext("Same code"), gettext("Kappa"), interval_head(reading), gettext("In words, at least")),
        rows=tuple(
            (
                names[row["field"]],
                formats.number(row["contacts"], 0),
                formats.percent(row["agreement"]),
                formats.number(row["kappa"], 2),
                numbers(row["low"], row["high"], 2) if pd.notna(row["low"]) else formats.DASH,
                _words()[row["words"]],
            )
            for _, row in table.iterrows()
        ) if coded else (),
        csv="contact_agreement",
        missing=missing,
        drawn=False,
    )  # fmt: skip
