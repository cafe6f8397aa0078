"""The sections of the results pages: each chart's finding, the same figures as a table, and what it says and does not say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.charts import demand, importance, investment, van_westendorp, willingness_to_pay
from wtp.web import formats
from wtp.web.reading import Reading
from wtp.web.verdicts import note_text, verdicts


@dataclass(frozen=True, slots=True)
class Section:
    """One chart with its table: `rows` are texts as shown, `csv` names the table to download."""

    chart: str
    title: str
    says: str
    not_says: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    csv: str
    missing: str = ""


def _importance(reading: Reading) -> Section:
    table = reading.table("importance")
    stated = reading.table("stated_importance")
    ratings = {row["attribute"]: row for _, row in stated.iterrows()}
    rows = [
        (
            reading.labels.get(row["attribute"], row["attribute"]),
            f"{formats.number(row['importance'])} %",
            gettext("%(low)s to %(high)s", low=formats.number(row["low"]), high=f"{formats.number(row['high'])} %"),
            f"{formats.number(row['noise_floor'])} %",
            formats.number(ratings[row["attribute"]]["mean"]) if row["attribute"] in ratings else formats.DASH,
        )
        for _, row in table.sort_values("importance", ascending=False).iterrows()
    ] if len(table) else []  # fmt: skip
    rating = reading.definition.importance_rating
    points = (
        gettext("Stated, mean of %(low)s to %(high)s", low=rating.scale.low, high=rating.scale.high)
        if rating
        else gettext("Stated")
    )
    return Section(
        chart="importance",
        title=importance.title(table, labels=reading.labels, words=gettext) if rows else gettext("What matters"),
        says=gettext("How strongly each attribute moved the choices, between the levels compared here; the price over its tested range. A bar within the grey mark is no more than noise."),
        not_says=gettext("It does not say what anything is worth in money, and it would change with other levels. Stated importance is what people say when asked; where it is high and the choices are not moved, they say more than they pay."),
        head=(gettext("Attribute"), gettext("Importance"), _interval_head(reading), gettext("Noise floor"), points),
        rows=tuple(rows),
        csv="importance",
        missing="" if rows else _too_few(),
    )  # fmt: skip


def _interval_head(reading: Reading) -> str:
    return gettext("%(percent)s interval", percent=formats.percent(reading.analysis.confidence))


def _too_few() -> str:
    return gettext("Too few answers in this segment for figures of its own.")


def _worth(reading: Reading) -> Section:
    table = reading.table("willingness_to_pay")
    rows = [
        (
            reading.labels[row["attribute"]],
            reading.labels[f"{row['attribute']}.{row['from_level']}"],
            reading.labels[f"{row['attribute']}.{row['to_level']}"],
            reading.money(row["estimate"]),
            reading.interval(row["low"], row["high"]) if pd.notna(row["low"]) else formats.DASH,
            note_text(row["note"]),
        )
        for _, row in table.iterrows()
    ]
    known = len(table) > 0 and table["estimate"].notna().any()
    return Section(
        chart="worth",
        title=willingness_to_pay.title(table, labels=reading.labels, words=gettext, money=reading.money) if known else gettext("What it is worth"),
        says=gettext("The trade-off value: the price change that would just offset the change from today's level, %(unit)s, on average in this segment.", unit=reading.unit),
        not_says=gettext("It does not say that half would pay it, nor that the price can rise by it, and the amounts must not be added up. It is stated, not paid: in other studies people stated about 21 % more than they paid."),
        head=(gettext("Attribute"), gettext("Today"), gettext("Instead"), gettext("Worth"), _interval_head(reading), gettext("Note")),
        rows=tuple(rows),
        csv="willingness_to_pay",
        missing="" if known else (note_text(table["note"].iloc[0]) if len(table) else _too_few()),
    )  # fmt: skip


def _demand(reading: Reading) -> Section:
    table, limits = reading.table("demand"), reading.table("price_limit")
    tested = table[table["price"].isin(reading.definition.price.levels)] if len(table) else table
    rows = [
        (
            reading.money(row["price"], 0 if float(row["price"]).is_integer() else 2),
            formats.percent(row["share"]),
            f"{formats.percent(row['low'])} – {formats.percent(row['high'])}",
        )
        for _, row in tested.iterrows()
    ]
    limit_note = note_text(str(limits["note"].iloc[0])) if len(limits) else _too_few()
    return Section(
        chart="demand",
        title=demand.title(limits, words=gettext, money=partial(reading.money, digits=0)) if rows else gettext("Which price"),
        says=gettext("The predicted share of this segment that would buy today's offer rather than nothing, at each tested price. Preliminary: it comes from one average taste for the whole segment, which tends to put the limit too near the middle."),
        not_says=gettext("It is no market share: rivals, awareness and delivery are not in it. Outside the tested prices nothing is known."),
        head=(gettext("Price"), gettext("Share still buying"), _interval_head(reading)),
        rows=tuple(rows),
        csv="demand",
        missing="" if rows else limit_note,
    )  # fmt: skip


def _van_westendorp(reading: Reading) -> Section:
    points = reading.table("van_westendorp_points")
    names = {
        "PMC": gettext("PMC: below it too many doubt the quality"),
        "OPP": gettext("OPP: fewest refuse"),
        "IDP": gettext("IDP: as many find it a bargain as expensive"),
        "PME": gettext("PME: above it too many refuse"),
    }
    rows = [
        (
            names[row["point"]],
            reading.money(row["estimate"], 0),
            reading.interval(row["low"], row["high"], 0) if pd.notna(row["low"]) else formats.DASH,
            note_text(row["note"]),
        )
        for _, row in points.iterrows()
    ]
    excluded = (
        gettext(
            "%(excluded)s respondents whose four prices do not rise are left out.",
            excluded=int(points["excluded"].iloc[0]),
        )
        if len(points)
        else ""
    )
    return Section(
        chart="van_westendorp",
        title=van_westendorp.title(points, words=gettext, money=partial(reading.money, digits=0)) if rows else gettext("Van Westendorp"),
        says=gettext("Four open prices of each respondent (Van Westendorp 1976): where the curves cross bounds the range that seems plausible.") + " " + excluded,
        not_says=gettext("It is a range of plausible prices, not a price limit and not the most profitable price."),
        head=(gettext("Point"), gettext("Price"), _interval_head(reading), gettext("Note")),
        rows=tuple(rows),
        csv="van_westendorp_points",
        missing="" if rows else _too_few(),
    )  # fmt: skip


def _invest(reading: Reading) -> Section:
    table = reading.table("investment")
    known = len(table) > 0 and table["worth"].notna().any()
    found = {verdict.attribute: verdict for verdict in verdicts(reading)}
    rows = [
        (
            f"{investment.MARKS.get(row['label'], '')} {found[row['attribute']].name}",
            reading.labels[row["attribute"]],
            ("↑ " if row["direction"] == "up" else "↓ ") + reading.labels[f"{row['attribute']}.{row['to_level']}"],
            f"{reading.money(row['worth'])} ({reading.interval(row['worth_low'], row['worth_high'])})",
            reading.money(row["unit_cost"]),
            f"{reading.money(row['gain'], 0)} ({reading.interval(row['gain_low'], row['gain_high'], 0)})",
            formats.percent(row["probability"]),
            note_text(row["note"]),
        )
        for _, row in table.iterrows()
        if known
    ]
    return Section(
        chart="invest",
        title=investment.title(table, labels=reading.labels, words=gettext) if known else gettext("Invest and save"),
        says=gettext("For each attribute one step up (↑) and one step down (↓) from today's level: what customers would pay or lose, what it costs or saves to provide, and the gain a year if the price moves by the worth and the share stays. Labels need a probability of at least 90 %%."),
        not_says=gettext("Rivals are taken as they are, and the worth is stated, not paid. A step whose interval is wide is not decided: it is neither a chance to invest nor to save."),
        head=(gettext("Verdict"), gettext("Attribute"), gettext("Step"), gettext("Worth"), gettext("Unit cost"), gettext("Gain a year"), gettext("Probability of a gain"), gettext("Note")),
        rows=tuple(rows),
        csv="investment",
        missing="" if known else (note_text(table["note"].iloc[0]) if len(table) else _too_few()),
    )  # fmt: skip


SECTIONS: dict[str, Callable[[Reading], Section]] = {
    "importance": _importance,
    "worth": _worth,
    "demand": _demand,
    "van_westendorp": _van_westendorp,
    "invest": _invest,
}


def figure(chart: str, reading: Reading) -> go.Figure:
    """The Plotly figure of a section's chart."""
    labels = reading.labels
    if chart == "importance":
        return importance.figure(reading.table("importance"), labels=labels, words=gettext)
    if chart == "worth":
        return willingness_to_pay.figure(
            reading.table("willingness_to_pay"), labels=labels, words=gettext, currency=reading.unit
        )
    if chart == "demand":
        return demand.figure(
            reading.table("demand"),
            labels=labels,
            words=gettext,
            currency=reading.unit,
            limits=reading.table("price_limit"),
            current=reading.definition.price.current,
        )
    if chart == "van_westendorp":
        points = reading.table("van_westendorp_points")
        curves = reading.table("van_westendorp_curves")
        return van_westendorp.figure(curves, words=gettext, currency=reading.unit, points=points)
    return investment.figure(reading.table("investment"), labels=labels, words=gettext, currency=reading.unit)
