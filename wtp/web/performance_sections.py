"""Sections of the page "Invest and save" about the rival: strengths and weaknesses as customers see them, weighted by what each attribute is worth."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.charts import performance
from wtp.web import formats
from wtp.web.answer_sections import safe
from wtp.web.reading import Reading
from wtp.web.section import Section, headed, numbers


def _rated(reading: Reading) -> pd.DataFrame:
    """attribute, own, rival, gap with its interval, and what today's level is worth."""
    rated, worth = reading.table("performance"), reading.table("importance_performance")
    if not len(rated) or rated["gap"].isna().all():
        return pd.DataFrame(columns=["attribute", "gap", "value"])
    values = ["value", "value_low", "value_high"]
    if not len(worth):
        return rated.assign(**dict.fromkeys(values, float("nan")))
    return rated.merge(worth[["attribute", *values]], on="attribute", how="left")


def strengths_section(reading: Reading) -> Section:
    """Where this company is seen as better and as worse than its rival."""
    table = _rated(reading)
    step = (
        formats.precision(float((table["value_high"] - table["value_low"]).median()))
        if "value_low" in table
        else formats.CENT
    )
    better, worse = performance.sides(table) if len(table) else ([], [])
    rows = []
    for _, row in table.sort_values("gap", ascending=False).iterrows() if len(table) else ():
        verdict = (
            gettext("better")
            if row["attribute"] in better
            else gettext("behind")
            if row["attribute"] in worse
            else gettext("about alike")
        )
        worth = (
            reading.with_interval(row["value"], row["value_low"], row["value_high"], step)
            if pd.notna(row["value"])
            else formats.DASH
        )
        gap = f"{formats.number(row['gap'])} ({numbers(row['gap_low'], row['gap_high'])})"
        rows.append(
            (
                reading.labels[row["attribute"]],
                formats.number(row["own"]),
                formats.number(row["rival"]),
                gap,
                verdict,
                worth,
            )
        )
    return Section(
        chart="strengths",
        title=performance.title(table, labels=reading.labels, words=gettext) if rows else gettext("Strengths and weaknesses"),
        says=gettext("Mean ratings of this company and of its rival by the same respondents, and their difference. Further up are attributes whose level of today customers value more: weaknesses there cost most, strengths there are worth telling."),
        not_says=gettext("Ratings are impressions, not measurements of what is delivered. The worth is that of the step down from today's level, or up where there is none."),
        head=(gettext("Attribute"), gettext("This company"), gettext("Rival"), headed(gettext("Difference, points"), reading), gettext("Finding"), gettext("Worth of today's level")),
        rows=tuple(rows),
        csv="performance",
        drawn=len(table.dropna(subset=["gap", "value"])) > 0,
    )  # fmt: skip


def strengths_figure(reading: Reading) -> go.Figure:
    """Difference from the rival against worth."""
    return performance.figure(
        _rated(reading), labels=safe(reading.labels), words=gettext, currency=reading.charted_unit
    )
