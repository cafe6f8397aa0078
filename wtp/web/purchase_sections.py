"""Sections of the page "Purchases": cross- and up-selling, which steps up were foretold, and whether purchases help to predict choices."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.analysis import ALL
from wtp.charts import selling
from wtp.charts import up_selling as chart
from wtp.web import formats
from wtp.web.answer_sections import safe
from wtp.web.reading import Reading
from wtp.web.section import Section, headed, numbers, share_with_interval

_TWO_FITS = 0.003  # by which two fits of one model differ, since each ends somewhere


def _selling(reading: Reading) -> pd.DataFrame:
    """Everybody and the segments, or the one that is chosen."""
    table = reading.analysis.tables.get("selling", pd.DataFrame(columns=["segment", "figure", "estimate"]))
    return table if reading.segment == ALL else table[table["segment"] == reading.segment]


def selling_section(reading: Reading) -> Section:
    """Cross-selling, up-selling, families and discounts, segment beside segment."""
    table = _selling(reading)
    names = {
        "cross_selling": gettext("Buy of several families"),
        "up_selling": gettext("Steps up taken of those offered"),
        "families": gettext("Families bought, mean"),
        "discount": gettext("Discount, mean"),
    }
    rows = []
    for figure, name in names.items():
        for _, row in table[table["figure"] == figure].iterrows():
            told = (
                f"{formats.number(row['estimate'], 2)} ({numbers(row['low'], row['high'], 2)})"
                if figure == "families"
                else share_with_interval(row["estimate"], row["low"], row["high"])
            )
            rows.append((name, reading.labels[row["segment"]], told, formats.number(row["customers"], 0)))
    return Section(
        chart="selling",
        title=selling.title(table, segment=reading.segment, words=gettext, percent=formats.percent) if rows else "",
        says=gettext("Customers with purchases, each counted once: who bought of two or more product families (cross-selling), how many of the steps up that were offered were taken (up-selling), how many families, and how far below the list price. Segments are known of customers whose answers are linked."),
        not_says=gettext("What people bought shows what they were offered, too. It is no willingness to pay, and groups of fewer than ten customers are not shown."),
        head=(gettext("Figure"), gettext("Segment"), headed(gettext("Share or mean"), reading), gettext("Customers")),
        rows=tuple(rows),
        csv="selling",
        findings=_invented(table) if rows else (),
        missing="" if rows or "selling" not in reading.analysis.tables else gettext("Fewer than ten customers of this segment are known to have bought."),
    )  # fmt: skip


def _invented(table: pd.DataFrame) -> tuple[str, ...]:
    count = int(table["simulated_purchases"].iloc[0])
    return (gettext("%(count)s of the purchases are simulated.", count=formats.number(count, 0)),) if count else ()


def selling_figure(reading: Reading) -> go.Figure:
    """Dots and intervals by segment."""
    return selling.figure(_selling(reading), labels=safe(reading.labels), words=gettext)


def families_section(reading: Reading) -> Section:
    """How many customers bought of each family."""
    table = reading.table("purchase_families") if "purchase_families" in reading.analysis.tables else pd.DataFrame()
    rows = [
        (str(row["family"]), share_with_interval(row["share"], row["low"], row["high"]), formats.number(row["customers"], 0))
        for _, row in table.iterrows()
    ]  # fmt: skip
    first = table.iloc[0] if rows else None
    return Section(
        chart="purchase_families",
        title=gettext("Most bought of “%(family)s”: %(share)s of the customers", family=first["family"], share=formats.percent(first["share"])) if first is not None else "",
        says=gettext("Of the customers who bought anything, how many bought of each product family."),
        not_says=gettext("Families bought by fewer than ten customers are left out."),
        head=(gettext("Product family"), headed(gettext("Customers who bought of it"), reading), gettext("Customers")),
        rows=tuple(rows),
        csv="purchase_families",
        drawn=False,
        findings=_invented(table) if rows else (),
    )  # fmt: skip


def up_selling_section(reading: Reading) -> Section:
    """Forecast and taken steps up, in groups of as many offers."""
    table = reading.table("up_selling")
    rows = [
        (
            formats.number(row["group"], 0),
            formats.percent(row["forecast"]),
            share_with_interval(row["taken"], row["low"], row["high"]),
            formats.number(row["offers"], 0),
            formats.number(row["customers"], 0),
        )
        for _, row in table.iterrows()
    ]
    return Section(
        chart="up_selling",
        title=chart.title(table, words=gettext, percent=formats.percent) if rows else "",
        says=gettext("Offers to step up that customers got from this company, in groups by how probable it is that the step is worth more than its surcharge to this customer. The forecast rests on his choices in the survey alone; the model that made it never saw a purchase."),
        not_says=gettext("What was offered to whom, when and how, is in every purchase: a step that was taken less often than forecast may have been offered badly. Purchases never stand for a price limit."),
        head=(gettext("Group"), gettext("Forecast"), headed(gettext("Taken"), reading), gettext("Offers"), gettext("Customers")),
        rows=tuple(rows),
        csv="up_selling",
    )  # fmt: skip


def up_selling_figure(reading: Reading) -> go.Figure:
    """Taken against forecast."""
    return chart.figure(reading.table("up_selling"), words=gettext)


def purchase_gain_section(reading: Reading) -> Section:
    """Held-out choices predicted with and without purchases."""
    table = reading.table("purchase_gain")
    names = {"with": gettext("With purchases"), "without": gettext("Without purchases")}
    rows = [
        (
            names[row["purchases"]],
            formats.number(row["log_score"], 3),
            ""
            if pd.isna(row["low"])
            else f"{formats.number(row['gained'], 3)} ({numbers(row['low'], row['high'], 3)})",
        )
        for _, row in table.iterrows()
    ]
    return Section(
        chart="purchase_gain",
        title=_gain(float(table["low"].max())) if rows else "",
        says=gettext("In a model of its own, families bought, steps up taken and mean discount stand beside the choices; they move a taste only as far as the choices of people who bought alike say so. Judged on choices that were held out. All other figures come from the model without them."),
        not_says=gettext("An association, not a cause: what people bought also shows what was on offer. Of customers whose purchases are not known nothing is assumed."),
        head=(gettext("Model"), gettext("Mean log-probability"), headed(gettext("Gain"), reading)),
        rows=tuple(rows),
        csv="purchase_gain",
        drawn=False,
    )  # fmt: skip


def _gain(low: float) -> str:
    if low > _TWO_FITS:
        return gettext("Purchases help to predict what people choose")
    return gettext("Purchases do not clearly help to predict what people choose")
