"""Sections of the page "Which price" beside demand and limits: what today's offer earns at each price, the price questions that were asked directly, and whether all methods agree."""

from __future__ import annotations

from functools import partial

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.charts import price_tests, profit, triangulation
from wtp.web import formats
from wtp.web.reading import Reading
from wtp.web.section import Section, headed, interval_head, shares
from wtp.web.verdicts import note_text

_SHARE = ("share", "low", "high")
_REACH = ("reach", "reach_low", "reach_high")


def _best(reading: Reading) -> pd.Series | None:
    """The best price for profit, without costs for revenue."""
    table = reading.table("best_price")
    for objective in ("profit", "revenue"):
        rows = table[table["objective"] == objective] if len(table) else table
        if len(rows):
            return rows.iloc[0]
    return None


def profit_section(reading: Reading) -> Section:
    """Revenue and profit a year against the price."""
    table, best = reading.table("profit_curve"), _best(reading)
    tested = table[table["price"].isin(reading.definition.price.levels)] if len(table) else table
    rows = []
    for _, row in tested.iterrows() if best is not None else ():
        cells = [_year(reading, row, name) for name in ("revenue", "profit")]
        rows.append(
            (reading.price(row["price"]), formats.percent(row["share"]), shares(row["low"], row["high"]), *cells)
        )
    return Section(
        chart="profit",
        title=profit.title(best, words=gettext, money=partial(reading.money, step=1)) if best is not None else gettext("What the price earns"),
        says=reading.everybody + gettext("Share of preference, revenue and profit of today's offer a year at each tested price, against the competitors described in the survey and buying nothing. The shaded prices earn at most 2 per cent less than the best one: within them other reasons may decide."),
        not_says=gettext("Competitors are taken as they are and do not answer; a share of preference is no market share. Outside the tested prices nothing is known."),
        head=(gettext("Price"), gettext("Share of preference"), interval_head(reading), headed(gettext("Revenue a year"), reading), headed(gettext("Profit a year"), reading)),
        rows=tuple(rows),
        csv="profit_curve",
    )  # fmt: skip


def _year(reading: Reading, row: pd.Series, name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if pd.isna(row[name]):
        return ""
    step = max(1.0, formats.precision(high - low))
    return reading.with_interval(row[name], low, high, step)


def profit_figure(reading: Reading) -> go.Figure:
    """Revenue and profit against the price."""
    best = _best(reading)
    if best is None:
        raise LookupError("profit is not drawn without a best price; allowed: a section with rows.")
    return profit.figure(
        reading.table("profit_curve"), best=best, words=gettext, currency=reading.analysis.currency,
        unit=reading.charted_unit, current=reading.definition.price.current,
    )  # fmt: skip


def _found(reading: Reading, points: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    """(what, price, interval, note) of every point that a price question gave."""
    rows = []
    for _, row in points.iterrows():
        known = pd.notna(row["price"])
        ends = reading.interval(row["low"], row["high"], 1) if known and pd.notna(row["low"]) else formats.DASH
        note = note_text(str(row.get("note", "") or ""))
        rows.append((_named(row["point"]), reading.money(row["price"], 1) if known else formats.DASH, ends, note))
    return rows


def _named(point: str) -> str:
    more = {
        "safe": gettext("Three quarters would buy"),
        "stretch": gettext("A quarter would buy"),
        "limit": gettext("Half would buy"),
    }
    return more.get(point) or gettext(price_tests.POINTS[point])


def _price_of(points: pd.DataFrame, point: str) -> pd.Series | None:
    rows = points[points["point"] == point] if len(points) else points
    return rows.iloc[0] if len(rows) and pd.notna(rows["price"].iloc[0]) else None


def gabor_granger_section(reading: Reading) -> Section:
    """Would you buy at this price, and at that? Demand and its points."""
    table, points = reading.table("gabor_granger_demand"), reading.table("gabor_granger_points")
    limit = _price_of(points, "limit")
    rows = [
        (reading.price(row["price"]), formats.number(row["asked"], 0), formats.percent(row["share"]), shares(row["low"], row["high"]))
        for _, row in table.iterrows()
    ]  # fmt: skip
    found = [
        f"{what}: {price}" + (f" ({ends})" if ends != formats.DASH else "") + (f". {note}" if note else ".")
        for what, price, ends, note in _found(reading, points)
    ]
    return Section(
        chart="gabor_granger",
        title=gettext(price_tests.LIMIT_TITLE).format(price=reading.money(limit["price"], 1)) if limit is not None else gettext("Gabor-Granger: would you buy at this price?"),
        says=gettext("Each respondent said for several prices whether he would buy (Gabor and Granger 1966). What was not asked follows from the highest yes and the lowest no; the line is made to fall."),
        not_says=gettext("It is about this offer alone, without competitors, and people tend to bargain when asked directly. Between the prices asked the line is a straight guess."),
        head=(gettext("Price"), gettext("Respondents asked"), gettext("Share that would buy"), interval_head(reading)),
        rows=tuple(rows),
        csv="gabor_granger_demand",
        findings=tuple(found),
    )  # fmt: skip


def gabor_granger_figure(reading: Reading) -> go.Figure:
    """Share that would buy at each price asked."""
    return price_tests.figure(
        reading.table("gabor_granger_demand"), _SHARE, points=reading.table("gabor_granger_points"), words=gettext,
        currency=reading.charted_unit, current=reading.definition.price.current, asked=True,
    )  # fmt: skip


def newton_miller_smith_section(reading: Reading) -> Section:
    """Van Westendorp's prices made into demand by two purchase intents."""
    points = reading.table("newton_miller_smith_points")
    best = points[points["best"] == "revenue"].iloc[0] if len(points) else None
    rows = []
    for _, row in points.iterrows():
        near = reading.interval(row["near_low"], row["near_high"], 1)
        name = _named(str(row["best"]))
        rows.append((name, reading.money(row["price"], 1), reading.interval(row["low"], row["high"], 1), near))
    return Section(
        chart="newton_miller_smith",
        title=gettext(price_tests.REACH_TITLE).format(price=reading.money(best["price"], 1), low=reading.money(best["near_low"], 1), high=reading.money(best["near_high"], 1)) if best is not None else gettext("Newton, Miller and Smith"),
        says=gettext("How likely each respondent would buy at the prices that he himself named, made into one curve (Newton, Miller and Smith 1993). An intent of 5 counts as 70 per cent, 4 as 50, 3 as 30, 2 as 10, 1 as nothing."),
        not_says=gettext("Those percentages are a convention: they move the height of the curve, hardly the best prices. It is no forecast of sales."),
        head=(gettext("Best for"), gettext("Price"), interval_head(reading), gettext("At most 5 per cent less")),
        rows=tuple(rows),
        csv="newton_miller_smith_points",
    )  # fmt: skip


def newton_miller_smith_figure(reading: Reading) -> go.Figure:
    """Reach at each price."""
    points = reading.table("newton_miller_smith_points").rename(columns={"best": "point"})
    return price_tests.figure(
        reading.table("newton_miller_smith_curve"), _REACH, points=points, words=gettext,
        currency=reading.charted_unit, current=reading.definition.price.current,
    )  # fmt: skip


def open_price_section(reading: Reading) -> Section:
    """The most that one would pay, asked openly."""
    points = reading.table("open_price_points")
    limit = _price_of(points, "limit")
    label = str(points["label"].iloc[0]) if len(points) else ""
    return Section(
        chart="open_price",
        title=gettext(price_tests.OPEN_TITLE).format(price=reading.money(limit["price"], 1)) if limit is not None else gettext("The most that they would pay"),
        says=gettext("Each respondent named the most that he would pay; the line is the share that named at least this price."),
        not_says=gettext("Nobody had to pay what he named: open answers are rough, gather at round amounts and were in other studies above what people paid.") if "hypothetical" in label else gettext("It holds for this offer alone, without competitors."),
        head=(gettext("Point"), gettext("Price"), interval_head(reading)),
        rows=tuple(row[:3] for row in _found(reading, points)),
        csv="open_price_points",
    )  # fmt: skip


def open_price_figure(reading: Reading) -> go.Figure:
    """Share that named at least each price."""
    return price_tests.figure(
        reading.table("open_price_demand"), _SHARE, points=reading.table("open_price_points"), words=gettext,
        currency=reading.charted_unit, current=reading.definition.price.current,
    )  # fmt: skip


def method_names() -> dict[str, str]:
    """Names of the methods that tell a price upper limit."""
    return {
        "conjoint": gettext("Choices between offers"),
        "van_westendorp": gettext("Van Westendorp (PME)"),
        "gabor_granger": gettext("Gabor-Granger"),
        "open_price": gettext("Open price"),
    }


def triangulation_section(reading: Reading) -> Section:
    """The price upper limit by every method."""
    table, names = reading.table("triangulation"), method_names()
    rows = [
        (names[row["method"]], reading.money(row["estimate"], 1), reading.interval(row["low"], row["high"], 1) if pd.notna(row["low"]) else formats.DASH)
        for _, row in table.iterrows()
    ] if len(table) > 1 else []  # fmt: skip
    return Section(
        chart="triangulation",
        title=triangulation.title(table, words=gettext, percent=formats.percent),
        says=gettext("The price from which half of the respondents would rather not buy, by each way of asking. Methods that ask differently and agree are worth more than one method with a narrow interval."),
        not_says=gettext("Agreement is no proof: all of them are stated. Intervals show who happened to be asked, not what a way of asking does to answers."),
        head=(gettext("Method"), gettext("Price upper limit"), interval_head(reading)),
        rows=tuple(rows),
        csv="triangulation",
    )  # fmt: skip


def triangulation_figure(reading: Reading) -> go.Figure:
    """Dots and intervals by method."""
    return triangulation.figure(
        reading.table("triangulation"), names=method_names(), words=gettext, currency=reading.charted_unit,
        current=reading.definition.price.current,
    )  # fmt: skip
