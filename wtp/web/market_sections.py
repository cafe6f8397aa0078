"""Sections of the page "The market": shares of preference today, what moves them, how competitors may answer, and the best other offers."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.charts import items, sensitivity
from wtp.survey.labels import todays_offer
from wtp.web import formats
from wtp.web.answer_sections import safe
from wtp.web.i18n import text as said
from wtp.web.reading import Reading
from wtp.web.section import Section, headed, interval_head, numbers, share_with_interval
from wtp.web.verdicts import note_text

_SHARE = ("share", "low", "high")
OWN, NONE = "own", "none"  # rows of the tables that are no competitor
_RULES = ("preference", "first_choice", "randomized_first_choice")


def offer_names(reading: Reading) -> dict[str, str]:
    """Names of the offers in the market."""
    rivals = {rival.id: said(rival.label) for rival in reading.definition.competitors}
    return {OWN: gettext("Today's offer"), NONE: gettext("Buy nothing"), **rivals}


def _preferred(reading: Reading) -> pd.DataFrame:
    """The offers' shares by the rule of preference, as items."""
    table = reading.table("shares")
    rows = table[table["rule"] == _RULES[0]] if len(table) else table
    return rows.rename(columns={"offer": "item"}).reset_index(drop=True)


def shares_section(reading: Reading) -> Section:
    """Who is preferred today, by three rules."""
    table, names, first = reading.table("shares"), offer_names(reading), _preferred(reading)
    by_rule = {rule: rows.set_index("offer") for rule, rows in table.groupby("rule")} if len(table) else {}
    rows = []
    for offer in first["item"] if len(first) else ():
        cells = []
        for rule in _RULES:
            row = by_rule[rule].loc[offer] if rule in by_rule else None
            cells.append("" if row is None else share_with_interval(row["share"], row["low"], row["high"]))
        rows.append((names[offer], *cells))
    return Section(
        chart="shares",
        title=items.title(first, _SHARE, labels=names, words=gettext, amount=formats.percent, leads=items.PREFERRED, close=items.PREFERRED_CLOSE) if rows else gettext("Who is preferred today"),
        says=reading.everybody + gettext("The predicted share that prefers each offer, as the survey describes today's offer and its competitors. Share of preference spreads each respondent over the offers by how much he likes them; first choice gives all of him to the one that he likes best; the randomised rule lies between and treats similar offers as rivals of each other."),
        not_says=gettext("It is no market share: awareness, delivery, contracts that still run and habit are not in it."),
        head=(gettext("Offer"), headed(gettext("Share of preference"), reading), gettext("First choice"), gettext("Randomised first choice")),
        rows=tuple(rows),
        csv="shares",
    )  # fmt: skip


def shares_figure(reading: Reading) -> go.Figure:
    """Bars of shares of preference."""
    title = gettext("Share of preference")
    return items.figure(
        _preferred(reading), _SHARE, labels=safe(offer_names(reading)), x_title=title, bars=True, per_cent=True
    )


def _levels(reading: Reading) -> dict[str, str]:
    """Labels of the levels of every attribute, prices included."""
    prices = {f"price.{float(price)}": reading.price(price) for price in map(float, reading.definition.price.levels)}
    return reading.labels | prices  # fmt: skip


def sensitivity_section(reading: Reading) -> Section:
    """What moves the share of today's offer."""
    table, labels = reading.table("sensitivity"), _levels(reading)
    rows = []
    for attribute in sensitivity.widths(table).index if len(table) else ():
        for _, row in table[table["attribute"] == attribute].iterrows():
            change = (
                ""
                if row["change"] == 0
                else f"{formats.points(row['change'])} ({formats.points(row['change_low'])} – {formats.points(row['change_high'])})"
            )
            name = labels.get(f"{attribute}.{row['level']}", row["level"])
            rows.append(
                (
                    labels[attribute],
                    name,
                    share_with_interval(row["share"], row["low"], row["high"]),
                    change,
                )
            )
    return Section(
        chart="sensitivity",
        title=sensitivity.title(table, labels=labels, words=gettext, percent=formats.percent) if rows else gettext("What moves the share"),
        says=reading.everybody + gettext("Share of preference of today's offer if one attribute alone changes to each of its levels and everything else stays, competitors included."),
        not_says=gettext("It does not say what a change costs, nor how competitors answer it. Several changes at once do not simply add up."),
        head=(gettext("Attribute"), gettext("Level"), headed(gettext("Share of preference"), reading), gettext("Change, points")),
        rows=tuple(rows),
        csv="sensitivity",
    )  # fmt: skip


def sensitivity_figure(reading: Reading) -> go.Figure:
    """The tornado."""
    return sensitivity.figure(reading.table("sensitivity"), labels=safe(_levels(reading)), words=gettext)


def elasticities_section(reading: Reading) -> Section:
    """What one per cent of price does to each offer."""
    table, names = reading.table("elasticities"), offer_names(reading)
    own = table[(table["offer"] == OWN) & (table["price_of"] == OWN)] if len(table) else table
    rows = [
        (names[row["price_of"]], names[row["offer"]], formats.number(row["elasticity"]), numbers(row["low"], row["high"]) if pd.notna(row["low"]) else formats.DASH, note_text(row["note"]))
        for _, row in table.iterrows()
    ]  # fmt: skip
    known = len(own) > 0 and pd.notna(own["elasticity"].iloc[0])
    return Section(
        chart="elasticities",
        title=gettext("One per cent on the own price costs %(lost)s per cent of the customers", lost=formats.number(-own["elasticity"].iloc[0])) if known else gettext("What one per cent of price does"),
        says=gettext("By how many per cent the share of an offer changes if one price rises by one per cent from today's (elasticity). An offer gains from the price rise of another as far as customers see the two as alternatives."),
        not_says=gettext("It holds near today's prices alone and for shares of preference."),
        head=(gettext("Price of"), gettext("Share of"), gettext("Elasticity"), interval_head(reading), gettext("Note")),
        rows=tuple(rows),
        csv="elasticities",
        drawn=False,
    )  # fmt: skip


def equilibrium_section(reading: Reading) -> Section:
    """Prices at which nobody gains by moving alone."""
    table, names = reading.table("equilibrium"), offer_names(reading)
    rows = [
        (names[row["offer"]], reading.money(row["today"], 1), reading.money(row["price"], 1), formats.percent(row["share"]), reading.money(row["profit"], formats.three_digits(row["profit"])))
        for _, row in table.iterrows()
    ]  # fmt: skip
    own = table[table["offer"] == OWN] if len(table) else table
    note = note_text(str(table["note"].iloc[0])) if len(table) else ""
    return Section(
        chart="equilibrium",
        title=gettext("If everybody reacted, the own price would settle at %(price)s", price=reading.money(own["price"].iloc[0], 1)) if len(own) and pd.notna(own["price"].iloc[0]) else gettext("If competitors reacted"),
        says=gettext("The prices at which no company could earn more by moving its own price alone (Nash equilibrium), with the costs entered in the survey; those of competitors are guesses of its author."),
        not_says=gettext("It is a thought about where a price war or truce would end, not a forecast: real companies react late, in part, or not at all. Offers themselves stay as they are."),
        head=(gettext("Offer"), gettext("Price today"), gettext("Price if all react"), gettext("Share of preference"), gettext("Profit a year")),
        rows=tuple(rows),
        csv="equilibrium",
        drawn=False,
        findings=(note,) if note else (),
    )  # fmt: skip


def best_offers_section(reading: Reading) -> Section:
    """Which other offer would earn most."""
    table = reading.table("best_offers")
    offer = todays_offer(reading.definition)
    attributes = [attribute for attribute in reading.definition.attributes if attribute.id in offer]
    rows = []
    for _, row in table.iterrows():
        levels = {a.id: row[f"level.{a.id}"] for a in attributes}
        changed = [
            f"{reading.labels[a.id]}: {reading.labels[f'{a.id}.{levels[a.id]}']}"
            for a in attributes
            if levels[a.id] != a.current
        ]
        step = max(1.0, formats.precision(row["high"] - row["low"]))
        value = reading.with_interval(row["value"], row["low"], row["high"], step)
        rows.append(
            (
                formats.number(row["rank"], 0),
                "; ".join(changed) or gettext("as today"),
                reading.money(row["price"], 1),
                formats.percent(row["share"]),
                value,
            )
        )
    profit = len(table) > 0 and table["objective"].iloc[0] == "profit"
    return Section(
        chart="best_offers",
        title=gettext("The best other offers"),
        says=reading.everybody + gettext("Of all combinations of levels and tested prices, those that would earn most a year against the competitors as they are; only what differs from today's offer is named."),
        not_says=gettext("Offers whose intervals overlap are about as good as each other. Investments are not in it, they are on the page “Invest and save”."),
        head=(gettext("Rank"), gettext("Different from today"), gettext("Price"), gettext("Share of preference"), headed(gettext("Profit a year") if profit else gettext("Revenue a year"), reading)),
        rows=tuple(rows),
        csv="best_offers",
        drawn=False,
    )  # fmt: skip
