"""Tables in money beside the charts: the four amounts that are never mixed, the three price limits, and how the limit rises with improvements."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext
from markupsafe import escape

from wtp.charts import waterfall as waterfall_chart
from wtp.charts import worth_distribution
from wtp.survey.labels import todays_prices
from wtp.web import formats
from wtp.web.answer_sections import safe
from wtp.web.reading import Reading
from wtp.web.section import Section, headed, share_with_interval
from wtp.web.verdicts import note_text


def amounts(reading: Reading) -> Section:
    """Trade-off value, competitive premium and profit effect of every step, and the price upper limit of the offer, each with what it is and what it is not."""
    premium, invested, worth = reading.table("competitive_worth"), reading.table("investment"), reading.todays_worths()
    keys = ["attribute", "to_level"]
    known = len(worth) and len(invested) and worth["estimate"].notna().any()
    premiums = premium.drop_duplicates(keys).set_index(keys) if len(premium) else premium
    gains = invested.set_index(keys) if known else invested
    gain_step = max(1.0, reading.precision("investment", "gain_low", "gain_high")) if known else 1.0
    rows = []
    for _, row in worth.iterrows() if known else ():
        key = (row["attribute"], row["to_level"])
        if key not in gains.index:
            continue  # two levels away from today's
        gain = gains.loc[key]
        up = "↑ " if gain["direction"] == "up" else "↓ "
        own = premiums.loc[key] if len(premiums) else None
        cells = [_with_interval(reading, row, reading.worth_step)]
        cells.append(_with_interval(reading, own, reading.worth_step) if own is not None else "")
        cells.append(_with_interval(reading, gain, gain_step, "gain"))
        rows.append((reading.labels[row["attribute"]], up + reading.labels[".".join(key)], *cells))
    return Section(
        chart="amounts",
        title=gettext("Four amounts that are never mixed"),
        says=reading.everybody + gettext("The same step in four ways. Decide by the competitive premium, the price upper limit and the profit effect; the trade-off value is for comparing steps."),
        not_says=gettext("None of them is another one: customers who value a step at an amount need not pay it once rivals offer their own, and amounts of several steps must not be added up."),
        head=(
            gettext("Attribute"), gettext("Step"), headed(gettext("Trade-off value"), reading), headed(gettext("Competitive premium"), reading), headed(gettext("Profit effect a year"), reading),
        ),
        rows=tuple(rows),
        csv="competitive_worth" if len(premium) else "willingness_to_pay",
        drawn=False,
        findings=tuple(_definitions(reading)) if rows else (),
    )  # fmt: skip


def _definitions(reading: Reading) -> Iterator[str]:
    yield gettext("Trade-off value: the price change that offsets the step for the customer in the middle. It is no price rise that one can carry through.")  # fmt: skip
    yield gettext("Competitive premium: by how much the price can move with the step so that today's share stays, one price for all. It is not what a customer would pay for the step alone.")  # fmt: skip
    limits = reading.table("price_limit")
    if len(limits) and pd.notna(limits["estimate"].iloc[0]):
        limit = _with_interval(reading, limits.iloc[0], 1)
        yield gettext("Price upper limit: %(limit)s. Above it half would rather buy nothing than today's whole offer. It is not the most profitable price.", limit=limit)  # fmt: skip
    yield gettext("Profit effect: the gain a year if the price moves by the premium and the step costs what is entered. It holds as long as rivals stay as they are.")  # fmt: skip


def limits(reading: Reading) -> Section:
    """Safe price, price upper limit and stretch price, against buying nothing and against the described competitors."""
    names = {
        "safe": gettext("Safe price: three quarters would still buy"),
        "": gettext("Price upper limit: half would still buy"),
        "stretch": gettext("Stretch price: a quarter would still buy"),
    }
    found = [reading.table(name) for name in ("price_limit", "competitive_limit")]
    first = found[0]
    full = len(first) > 0 and "safe" in first and bool(first[["safe_low", "safe_high"]].notna().any(axis=None))
    rows = []
    for name, words in names.items() if full else ():
        cells = [_limit(reading, table.iloc[0], name) if len(table) else "" for table in found]
        rows.append((words, *cells))
    return Section(
        chart="limits",
        title=gettext("Three prices for today's offer"),
        says=reading.everybody + gettext("Quarters of the respondents by the price from which each would rather buy nothing, or a described competitor. The safe price is for those who must not lose anybody, the stretch price for a niche."),
        not_says=gettext("None of them is the most profitable price, and outside the tested prices nothing is known."),
        findings=(gettext("The stretch price rests on the few who pay most. In simulated studies of 400 respondents with narrow tastes it was 2 to 3 per cent too high, and its interval held the truth in 79 to 87 per cent of them instead of 90; do not plan with it alone."),) if rows else (),
        head=(gettext("Price"), headed(gettext("Against buying nothing"), reading), headed(gettext("Against the competitors"), reading)),
        rows=tuple(rows),
        csv="price_limit",
        drawn=False,
    )  # fmt: skip


def _limit(reading: Reading, row: pd.Series, name: str) -> str:
    prefix = f"{name}_" if name else ""
    middle, low, high = row[name or "estimate"], row[f"{prefix}low"], row[f"{prefix}high"]
    lowest, highest = todays_prices(reading.definition)
    if pd.notna(middle):
        return f"{reading.money(middle, 1)} ({reading.interval(low, high, 1)})"
    if pd.notna(low):
        return gettext("over %(amount)s", amount=reading.money(highest, 1))
    return gettext("under %(amount)s", amount=reading.money(lowest, 1)) if pd.notna(high) else formats.DASH


def waterfall(reading: Reading) -> Section:
    """How the price upper limit rises from today's offer, improvement by improvement."""
    table = reading.table("limit_waterfall")
    rows = []
    for _, row in table.iterrows():
        limit = _with_interval(reading, row, 1, "limit", "low", "high") if pd.notna(row["limit"]) else formats.DASH
        change = _with_interval(reading, row, 1, "change") if pd.notna(row["change"]) else ""
        rows.append((_improved(reading, row), limit, change, note_text(row["note"])))
    return Section(
        chart="waterfall",
        title=waterfall_chart.title(table, words=gettext, money=partial(reading.money, step=1)) if rows else gettext("How far improvements raise the price upper limit"),
        says=reading.everybody + gettext("From today's offer through one level up of each attribute, the one that raises the limit most first; each row has all improvements above it too."),
        not_says=gettext("It does not say that an improvement pays: its cost is on the page “Invest and save”. Beyond the tested prices no amount is shown."),
        head=(gettext("Offer"), headed(gettext("Price upper limit"), reading), headed(gettext("Change"), reading), gettext("Note")),
        rows=tuple(rows),
        csv="limit_waterfall",
        drawn=len(table) > 0 and bool(table["limit"].notna().any()),
    )  # fmt: skip


def waterfall_figure(reading: Reading) -> go.Figure:
    """Bars of the rises, dots of the limits."""
    table = reading.table("limit_waterfall")
    names = [str(escape(_improved(reading, row))) for _, row in table.iterrows()]
    return waterfall_chart.figure(table, names=names, words=gettext, currency=reading.charted_unit)


def _improved(reading: Reading, row: pd.Series) -> str:
    """Name of a row of the waterfall: the improvement, or today's offer."""
    attribute, level = row["attribute"], row["to_level"]
    if not attribute:
        return gettext("Today's offer")
    return f"+ {reading.labels[attribute]}: {reading.labels[f'{attribute}.{level}']}"


def distribution_section(reading: Reading) -> Section:
    """How differently the respondents value each step."""
    table = reading.table("worth_quantiles")
    wide = worth_distribution.spread(table) if len(table) else table
    step = reading.worth_step
    rows = []
    for _, row in wide.iterrows():
        attribute, level = row["attribute"], row["to_level"]
        cells = [reading.money(row[quantile], step) for quantile in (0.05, 0.25, 0.5, 0.75, 0.95)]
        rows.append(
            (
                reading.labels[attribute],
                reading.labels[f"{attribute}.{level}"],
                *cells,
                _above(reading, attribute, level),
            )
        )
    return Section(
        chart="worth_distribution",
        title=worth_distribution.title(table, labels=reading.labels, words=gettext, money=partial(reading.money, step=step)) if rows else gettext("How differently it is valued"),
        says=reading.everybody + gettext("The amounts that nine of ten, and the middle half of the respondents lie between, by each one's own tastes. A step that is worth little in the middle may be worth much to some: those are customers for a surcharge."),
        not_says=gettext("Each respondent's amount is itself uncertain; the extremes are the most uncertain ones. It says nothing about who pays more: see the segments."),
        head=(gettext("Attribute"), gettext("Instead"), gettext("Lowest 5 per cent below"), gettext("A quarter below"), gettext("Half below"), gettext("A quarter above"), gettext("Highest 5 per cent above"), headed(gettext("Value it above its cost"), reading)),
        rows=tuple(rows),
        csv="worth_quantiles",
    )  # fmt: skip


def _above(reading: Reading, attribute: str, level: str) -> str:
    """Share of the respondents who value an improvement above what it costs more."""
    table = reading.table("share_above_cost")
    rows = table[(table["attribute"] == attribute) & (table["to_level"] == level)] if len(table) else table
    if not len(rows) or pd.isna(rows["share"].iloc[0]):
        return ""
    row = rows.iloc[0]
    return share_with_interval(row["share"], row["low"], row["high"])


def distribution_figure(reading: Reading) -> go.Figure:
    """Lines of the middle half and of nine of ten, with costs."""
    costs = {}
    for attribute in reading.definition.attributes:
        today = attribute.level(attribute.current).unit_cost
        for level in attribute.levels:
            if today is not None and level.unit_cost is not None:
                costs[attribute.id, level.id] = level.unit_cost - today
    return worth_distribution.figure(
        reading.table("worth_quantiles"), labels=safe(reading.labels), words=gettext,
        currency=reading.charted_unit, costs=costs,
    )  # fmt: skip


def _with_interval(
    reading: Reading, row: pd.Series, step: float, name: str = "estimate", low: str = "", high: str = ""
) -> str:
    prefix = "" if name == "estimate" else f"{name}_"
    middle, ends = row[name], (row[low or f"{prefix}low"], row[high or f"{prefix}high"])
    if pd.isna(middle):
        return note_text(row["note"]) if name == "estimate" else ""
    return reading.with_interval(middle, *ends, step)
