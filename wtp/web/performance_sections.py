"""Sections of the page "Invest and save" about ratings: importance and performance, and strengths and weaknesses against the rival, weighted by what each attribute is worth."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.analysis import SMALLEST_RELEVANT
from wtp.charts import importance_performance, performance, verdicts
from wtp.survey.measures import rival_name
from wtp.web import formats
from wtp.web.answer_sections import safe
from wtp.web.i18n import text as said
from wtp.web.reading import Reading
from wtp.web.section import Section, headed, numbers


def _rated(reading: Reading) -> pd.DataFrame:
    """attribute, own, rival, gap with its interval, and what today's level is worth."""
    rated, worth = reading.table("performance"), reading.table("importance_performance")
    if not len(rated) or rated["gap"].isna().all():
        return pd.DataFrame(columns=["attribute", "gap", "value"])
    values = ["value", "value_low", "value_high", "gap_reach", "gap_value_reach", "gap_correlation"]
    worth = worth.reindex(columns=["attribute", *values])
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
        says=gettext("Mean ratings of this company and of its rival by the same respondents, and their difference. Further up are attributes whose level of today customers value more: weaknesses there cost most, strengths there are worth telling. Ellipses hold difference and worth together; where only their own intervals are known they are drawn as crosses."),
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


def _rival(reading: Reading) -> str:
    """The name of the rated rival, as far as the survey says it."""
    name = rival_name(reading.definition)
    return said(name) if name else gettext("the rival")


def keep_tell_fix_section(reading: Reading) -> Section:
    """What to do about each strength and weakness: keep, tell, fix, or nothing."""
    table = reading.table("strengths")
    rows = verdicts.ordered(table) if len(table) else table
    standing = {
        "ahead": gettext("better"), "equal": gettext("as good"),
        "lower": gettext("lower"), "unknown": gettext("not known"),
    }  # fmt: skip
    step = formats.precision(float((rows["value_high"] - rows["value_low"]).median())) if len(rows) and rows["value"].notna().any() else formats.CENT  # fmt: skip
    return Section(
        chart="keep_tell_fix",
        title=verdicts.title(rows, labels=reading.labels, words=gettext) if len(rows) else gettext("Keep, tell or fix"),
        says=gettext("Where customers value an attribute and see this company behind %(rival)s, there are two cures: where today's level is at least as good as the rival's, the perception is missing (tell it); where it is lower, the level is (fix it). The differences are moved towards zero by how much they may be chance, and as long as none is clear of it among so many, nothing is claimed. A verdict needs a probability of at least 90 %%, of the difference and of a worth of at least one per cent of the price together. What is at stake most, worth times difference, comes first.", rival=_rival(reading)),
        not_says=gettext("Ratings are impressions, and one good impression colours all others. The rival's level is the one that the survey describes; whether fixing pays is in the map of investments. The price has a difference but no worth of its own, since the others are measured by it."),
        head=(gettext("Attribute"), gettext("This company"), gettext("Rival"), headed(gettext("Difference less chance, points"), reading), headed(gettext("Worth of today's level"), reading), gettext("Today's level against the rival's"), gettext("Verdict"), gettext("Probability")),
        rows=tuple(_verdict_row(reading, row, step, standing[row["standing"]]) for _, row in rows.iterrows()),
        csv="strengths",
        drawn=len(rows) > 0,
    )  # fmt: skip


def _verdict_row(reading: Reading, row: pd.Series, step: float, standing: str) -> tuple[str, ...]:
    worth = formats.DASH
    if pd.notna(row["value"]):
        worth = reading.with_interval(row["value"], row["value_low"], row["value_high"], step)
    verdict = row["verdict"]
    return (
        reading.labels[row["attribute"]],
        formats.number(row["own"]),
        formats.number(row["rival"]),
        f"{formats.number(row['pooled_gap'])} ({numbers(row['pooled_gap_low'], row['pooled_gap_high'])})",
        worth,
        standing,
        f"{verdicts.MARKS[verdict]} {gettext(verdicts.NAMES[verdict])}" if verdict else formats.DASH,
        formats.probability(row["probability"]) if pd.notna(row["probability"]) else "",
    )


def keep_tell_fix_figure(reading: Reading) -> go.Figure:
    """Bars of the differences with their verdicts."""
    rival = safe({"": _rival(reading)})[""]
    return verdicts.figure(reading.table("strengths"), labels=safe(reading.labels), words=gettext, rival=rival)


def _fields(reading: Reading) -> pd.DataFrame:
    """Attributes with a rating and a worth, and the field that each stands in."""
    table = reading.table("importance_performance")
    if not len(table) or "own_low" not in table:
        return pd.DataFrame(columns=["attribute", "own", "value", "field"])
    table = table.dropna(subset=["own", "value"]).reset_index(drop=True)
    return table.assign(field=importance_performance.fields(table, rated=_line(reading), worth=_relevant(reading)))


def _scale(reading: Reading) -> tuple[float, float]:
    scale = reading.definition.performance_ratings["performance"].scale
    return scale.low, scale.high


def _line(reading: Reading) -> float:
    """Where the ratings are parted: the mean of the rival's, where nobody rated him the middle of the scale."""
    rival = reading.table("importance_performance")["rival"].mean()
    return float(rival) if pd.notna(rival) else sum(_scale(reading)) / 2


def _relevant(reading: Reading) -> float:
    """From which worth on customers honour an attribute."""
    return SMALLEST_RELEVANT * reading.definition.price.current


def importance_performance_section(reading: Reading) -> Section:
    """What an attribute is worth against how it is rated."""
    asked, table = "performance" in reading.definition.performance_ratings, reading.table("importance_performance")
    shown = _fields(reading) if asked else table.head(0)
    missing = ""
    if not asked:
        missing = gettext("Nobody was asked how well this company does: add a rating that measures “performance” to the survey.")  # fmt: skip
    elif len(table) and "own_low" not in table:
        missing = gettext("These figures were kept before the intervals of ratings were; make them anew to see the chart.")  # fmt: skip
    elif not len(shown):
        missing = gettext("Fewer than 30 respondents of this segment rated this company, or amounts are withheld.")
    values = shown["value_high"] - shown["value_low"] if len(shown) else pd.Series(dtype=float)
    step = formats.precision(float(values.median())) if len(values) else formats.CENT
    said = {"said more than paid": gettext("say more than they pay"), "paid more than said": gettext("pay more than they say"), "agree": gettext("agree")}  # fmt: skip
    names = {field: gettext(name) for field, name in importance_performance.NAMES.items()}
    rows = tuple(
        (
            reading.labels[row["attribute"]],
            f"{formats.number(row['own'])} ({numbers(row['own_low'], row['own_high'])})",
            formats.number(row["rival"]) if pd.notna(row["rival"]) else "",
            reading.with_interval(row["value"], row["value_low"], row["value_high"], step),
            names[row["field"]],
            formats.number(row["own_correlation"], 2) if pd.notna(row.get("own_correlation")) else "",
            formats.number(row["stated"]) if pd.notna(row["stated"]) else "",
            said.get(row["agreement"], ""),
        )
        for row in (shown.sort_values("value", ascending=False).to_dict("records") if len(shown) else ())
    )
    return Section(
        chart="importance_performance",
        title=importance_performance.title(shown, labels=reading.labels, words=gettext) if rows else gettext("Importance and performance"),
        says=gettext("Importance is derived from the choices: what today's level is worth to customers. The level line is at one per cent of the price, below which nothing is honoured; the upright one at the rival's mean rating, without one at the middle of the scale. An attribute stands in a field where both intervals lie within it. Ellipses hold rating and worth together; where only their own intervals are known they are drawn as crosses."),
        not_says=gettext("It knows no costs: whether an improvement pays is in the map above. Ratings are impressions, and most people rate kindly."),
        head=(gettext("Attribute"), headed(gettext("Rating of this company"), reading), gettext("Rival"), headed(gettext("Worth of today's level"), reading), gettext("Field"), gettext("Correlation of both"), gettext("Stated importance"), gettext("Said and chosen")),
        rows=rows,
        csv="importance_performance",
        missing=missing,
    )  # fmt: skip


def importance_performance_figure(reading: Reading) -> go.Figure:
    """The four fields."""
    return importance_performance.figure(
        _fields(reading), labels=safe(reading.labels), words=gettext, currency=reading.charted_unit,
        scale=_scale(reading), rated=_line(reading), worth=_relevant(reading),
    )  # fmt: skip
