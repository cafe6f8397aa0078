"""The sections of the results pages: each chart's finding, the same figures as a table, and what it says and does not say.

Figures are rounded to what their interval carries, by the step that `Reading.precision` finds; the CSV files keep every digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd
import plotly.graph_objects as go
from flask_babel import gettext

from wtp.charts import demand, importance, investment, van_westendorp, willingness_to_pay
from wtp.survey.labels import todays_prices
from wtp.web import contact_sections as contact
from wtp.web import formats
from wtp.web import market_sections as market
from wtp.web import model_sections as model
from wtp.web import price_sections as price
from wtp.web import segment_sections as segment
from wtp.web.answer_sections import safe
from wtp.web.asked import asked_figure, asked_section, is_asked
from wtp.web.budget_section import budget_figure, budget_section
from wtp.web.convergence_sections import convergence_figure, convergence_section, trace_figure, trace_section
from wtp.web.findings import findings
from wtp.web.grouping_section import grouping_figure, grouping_section
from wtp.web.money_sections import (
    amounts,
    distribution_figure,
    distribution_section,
    limits,
    waterfall,
    waterfall_figure,
)
from wtp.web.performance_sections import (
    importance_performance_figure,
    importance_performance_section,
    keep_tell_fix_figure,
    keep_tell_fix_section,
    strengths_figure,
    strengths_section,
)
from wtp.web.purchase_sections import (
    families_section,
    purchase_gain_section,
    selling_figure,
    selling_section,
    up_selling_figure,
    up_selling_section,
)
from wtp.web.reading import Reading
from wtp.web.section import Section, headed, interval_head, shares, too_few
from wtp.web.verdicts import Verdict, note_text, verdicts

_RANKED = 3  # fewer attributes have no ranks worth comparing
_RANKS_APART = 2
_DECIDED = 0.90  # of the labels and break-even figures in the table `investment`


def _importance(reading: Reading) -> Section:
    table = reading.table("importance")
    stated = reading.table("stated_importance")
    ratings = dict(zip(stated["attribute"], stated["mean"], strict=True)) if len(stated) else {}
    gaps = _stated_against_chosen(table, ratings)
    rows = [
        (
            reading.labels[row["attribute"]],
            formats.percent(row["importance"] / 100, 1),
            shares(row["low"] / 100, row["high"] / 100, 1),
            formats.percent(row["noise_floor"] / 100, 1),
            formats.number(ratings.get(row["attribute"], float("nan"))),
            gaps.get(row["attribute"], ""),
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
        head=(gettext("Attribute"), gettext("Importance"), interval_head(reading), gettext("Noise floor"), points, gettext("Said and chosen")),
        rows=tuple(rows),
        csv="importance",
        missing="" if rows else too_few(),
    )  # fmt: skip


def _stated_against_chosen(table: pd.DataFrame, ratings: Mapping[str, float]) -> dict[str, str]:
    """The gap between what respondents said and what moved their choices, by rank among the attributes that were rated."""
    rated = table[table["attribute"].isin(list(ratings))] if len(table) else table
    if len(rated) < _RANKED:
        return {}
    chosen = rated.set_index("attribute")["importance"].rank(ascending=False)
    said = pd.Series(ratings).reindex(chosen.index).rank(ascending=False)
    gaps = {}
    for attribute, places in (said - chosen).items():
        if places >= _RANKS_APART:
            gaps[str(attribute)] = gettext("counts more than they say")
        elif places <= -_RANKS_APART:
            gaps[str(attribute)] = gettext("counts less than they say")
        else:
            gaps[str(attribute)] = gettext("agree")
    return gaps


def _worth(reading: Reading) -> Section:
    table, step = reading.worths(), reading.worth_step
    start = gettext("Compared with") if reading.definition.choice_tasks.labels else gettext("Today")
    rows = [
        (
            reading.labels[row["attribute"]],
            reading.labels[f"{row['attribute']}.{row['from_level']}"],
            reading.labels[f"{row['attribute']}.{row['to_level']}"],
            reading.money(row["estimate"], step),
            reading.interval(row["low"], row["high"], step) if pd.notna(row["low"]) else formats.DASH,
            note_text(row["note"]),
        )
        for _, row in table.iterrows()
    ]
    known = len(table) > 0 and table["estimate"].notna().any()
    return Section(
        chart="worth",
        title=willingness_to_pay.title(reading.todays_worths(), labels=reading.labels, words=gettext, money=partial(reading.money, step=step)) if known else gettext("What it is worth"),
        says=reading.everybody + gettext("The trade-off value: the price change that would just offset the change from today's level, %(unit)s; it is less to half of the respondents of this segment, and more to the other half.", unit=reading.unit)
        if reading.hierarchical
        else reading.everybody + gettext("The trade-off value: the price change that would just offset the change from today's level, %(unit)s, on average in this segment.", unit=reading.unit),
        not_says=gettext("It does not say that half would pay it, nor that the price can rise by it, and the amounts must not be added up. It is stated, not paid: in other studies people stated about 21 % more than they paid."),
        head=(gettext("Attribute"), start, gettext("Instead"), gettext("Worth"), interval_head(reading), gettext("Note")),
        rows=tuple(rows),
        csv="willingness_to_pay",
        missing="" if known else (note_text(table["note"].iloc[0]) if len(table) else too_few()),
    )  # fmt: skip


def _demand(reading: Reading) -> Section:
    table, limits = reading.table("demand"), reading.table("price_limit")
    tested = table[table["price"].isin(reading.definition.price.levels)] if len(table) else table
    rows = [
        (
            reading.price(row["price"]),
            formats.percent(row["share"]),
            shares(row["low"], row["high"]),
        )
        for _, row in tested.iterrows()
    ]
    limit_note = note_text(str(limits["note"].iloc[0])) if len(limits) else too_few()
    return Section(
        chart="demand",
        title=demand.title(limits, words=gettext, money=partial(reading.money, step=1)) if rows else gettext("Which price"),
        says=reading.everybody + _demand_says(reading),
        not_says=gettext("It is no market share: rivals, awareness and delivery are not in it. Outside the tested prices nothing is known."),
        head=(gettext("Price"), gettext("Share still buying"), interval_head(reading)),
        rows=tuple(rows),
        csv="demand",
        missing="" if rows else limit_note,
    )  # fmt: skip


def _demand_says(reading: Reading) -> str:
    if not reading.hierarchical:
        return gettext("The predicted share of this segment that would buy today's offer rather than nothing, at each tested price. Preliminary: it comes from one average taste for the whole segment, which tends to put the limit too near the middle.")  # fmt: skip
    return gettext("The share of respondents in this segment to whom today's offer is worth at least each tested price, rather than nothing; every respondent has tastes of his own.")  # fmt: skip


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
            reading.money(row["estimate"], 1),
            reading.interval(row["low"], row["high"], 1) if pd.notna(row["low"]) else formats.DASH,
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
        title=van_westendorp.title(points, words=gettext, money=partial(reading.money, step=1)) if rows else gettext("Van Westendorp"),
        says=gettext("Four open prices of each respondent (Van Westendorp 1976): where the curves cross bounds the range that seems plausible.") + " " + excluded,
        not_says=gettext("It is a range of plausible prices, not a price limit and not the most profitable price."),
        head=(gettext("Point"), gettext("Price"), interval_head(reading), gettext("Note")),
        rows=tuple(rows),
        csv="van_westendorp_points",
        missing="" if rows else too_few(),
    )  # fmt: skip


def _invest(reading: Reading) -> Section:
    table = reading.table("investment")
    known = len(table) > 0 and table["worth"].notna().any()
    found = {verdict.attribute: verdict for verdict in verdicts(reading)}
    worth_step, gain_step = reading.worth_step, max(1.0, reading.precision("investment", "gain_low", "gain_high"))
    alone = set(table["attribute"].drop_duplicates(keep=False)) if known else set()
    rows = [
        (
            reading.labels[row["attribute"]],
            ("↑ " if row["direction"] == "up" else "↓ ") + reading.labels[f"{row['attribute']}.{row['to_level']}"],
            _premium(reading, row, worth_step),
            reading.money(row["unit_cost"]) if pd.notna(row["unit_cost"]) else "",
            _break_even(reading, row),
            _with_interval(reading, row, "gain", gain_step),
            formats.probability(row["probability"]) if pd.notna(row["probability"]) else "",
            _verdict_cell(row, found[row["attribute"]]) if _is_meant(row, row["attribute"] in alone) else "",
        )
        for _, row in table.iterrows()
        if known
    ]
    return Section(
        chart="invest",
        title=investment.title(table, labels=reading.labels, words=gettext) if known else gettext("Invest and save"),
        says=reading.everybody + gettext("For each attribute one step up (↑) and one step down (↓) from today's level: by how much the price could move so that the share stays the same among the described competitors (the competitive premium, less than the trade-off value where people would buy anyway or never), what it costs or saves to provide, and the gain a year if the price moves so. Labels need a probability of at least 90 %.") + " " + gettext("Costs are entered, not estimated: the bar of the worth is the whole region of a step."),
        not_says=gettext("Rivals are taken as they are, and the worth is stated, not paid. A step whose interval is wide is not decided: it is neither a chance to invest nor to save."),
        head=(gettext("Attribute"), gettext("Step"), headed(gettext("Competitive premium"), reading), gettext("Extra cost"), gettext("Pays, %(percent)s sure", percent=formats.percent(_DECIDED)), headed(gettext("Gain a year"), reading), gettext("Probability of a gain"), gettext("Verdict")),
        rows=tuple(rows),
        csv="investment",
        missing="" if known else (note_text(table["note"].iloc[0]) if len(table) else too_few()),
        drawn=bool(known and table["unit_cost"].notna().any()),
    )  # fmt: skip


def _premium(reading: Reading, row: pd.Series, step: float) -> str:
    """The competitive premium; as no more than a bound where the price would leave the tested ones."""
    tested = reading.definition.price
    rises = (row["direction"] == "up") == (row["worth"] > 0)
    lowest, highest = todays_prices(reading.definition)
    room = highest - tested.current if rises else tested.current - lowest
    if abs(row["worth"]) <= room:
        return _with_interval(reading, row, "worth", step)
    if row["worth"] > 0:
        return gettext("over %(amount)s", amount=reading.money(room, step))
    return gettext("under %(amount)s", amount=reading.money(-room, step))


def _with_interval(reading: Reading, row: pd.Series, name: str, step: float) -> str:
    if pd.isna(row[name]):
        return ""
    return reading.with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"], step)


def _verdict_cell(row: pd.Series, verdict: Verdict) -> str:
    note = note_text(row["note"])
    return f"{verdict.mark} {verdict.name}. {note}" if note else f"{verdict.mark} {verdict.name}"


def _is_meant(row: pd.Series, alone: bool) -> bool:
    """Whether the verdict on the attribute is about this step, or there is no other."""
    if alone or row["label"] in ("undecided", "open"):
        return True
    return bool(row["direction"] == ("up" if row["label"] in ("invest", "honoured") else "down"))


def _break_even(reading: Reading, row: pd.Series) -> str:
    """Up to which extra cost a step up, and from which saving a step down, is right with 90 per cent."""
    if pd.isna(row["break_even"]):
        return formats.DASH
    amount = reading.money(max(row["break_even"], 0.0), reading.worth_step)
    if row["direction"] == "down":
        return gettext("if it saves %(amount)s or more", amount=amount)
    return gettext("up to %(amount)s", amount=amount) if row["break_even"] > 0 else gettext("at no cost")


def _importance_figure(reading: Reading) -> go.Figure:
    return importance.figure(reading.table("importance"), labels=safe(reading.labels), words=gettext)


def _worth_figure(reading: Reading) -> go.Figure:
    worths = reading.worths()
    return willingness_to_pay.figure(worths, labels=safe(reading.labels), words=gettext, currency=reading.charted_unit)


def _demand_figure(reading: Reading) -> go.Figure:
    return demand.figure(
        reading.table("demand"),
        labels=safe(reading.labels),
        words=gettext,
        currency=reading.charted_unit,
        limits=reading.table("price_limit"),
        current=reading.definition.price.current,
    )


def _van_westendorp_figure(reading: Reading) -> go.Figure:
    points = reading.table("van_westendorp_points")
    curves = reading.table("van_westendorp_curves")
    return van_westendorp.figure(curves, words=gettext, currency=reading.charted_unit, points=points)


def _invest_figure(reading: Reading) -> go.Figure:
    table = reading.table("investment")
    return investment.figure(table, labels=safe(reading.labels), words=gettext, currency=reading.charted_unit)


@dataclass(frozen=True, slots=True)
class _Part:
    """How a section and its figure are made; None where there is only a table."""

    section: Callable[[Reading], Section]
    figure: Callable[[Reading], go.Figure] | None = None


_PARTS: dict[str, _Part] = {
    "importance": _Part(_importance, _importance_figure),
    "worth": _Part(_worth, _worth_figure),
    "worth_distribution": _Part(distribution_section, distribution_figure),
    "amounts": _Part(amounts),
    "demand": _Part(_demand, _demand_figure),
    "limits": _Part(limits),
    "waterfall": _Part(waterfall, waterfall_figure),
    "profit": _Part(price.profit_section, price.profit_figure),
    "triangulation": _Part(price.triangulation_section, price.triangulation_figure),
    "van_westendorp": _Part(_van_westendorp, _van_westendorp_figure),
    "newton_miller_smith": _Part(price.newton_miller_smith_section, price.newton_miller_smith_figure),
    "gabor_granger": _Part(price.gabor_granger_section, price.gabor_granger_figure),
    "open_price": _Part(price.open_price_section, price.open_price_figure),
    "invest": _Part(_invest, _invest_figure),
    "budget": _Part(budget_section, budget_figure),
    "importance_performance": _Part(importance_performance_section, importance_performance_figure),
    "strengths": _Part(strengths_section, strengths_figure),
    "keep_tell_fix": _Part(keep_tell_fix_section, keep_tell_fix_figure),
    "shares": _Part(market.shares_section, market.shares_figure),
    "sensitivity": _Part(market.sensitivity_section, market.sensitivity_figure),
    "elasticities": _Part(market.elasticities_section),
    "equilibrium": _Part(market.equilibrium_section),
    "best_offers": _Part(market.best_offers_section),
    "segment_worth": _Part(segment.worth_section, segment.worth_figure),
    "segment_profile": _Part(segment.profile_section),
    "found_segments": _Part(segment.found_section, segment.found_figure),
    "segment_overlap": _Part(segment.overlap_section),
    "found_profile": _Part(segment.found_profile_section),
    "latent_classes": _Part(segment.classes_section, segment.classes_figure),
    "grouping": _Part(grouping_section, grouping_figure),
    "selling": _Part(selling_section, selling_figure),
    "purchase_families": _Part(families_section),
    "up_selling": _Part(up_selling_section, up_selling_figure),
    "purchase_gain": _Part(purchase_gain_section),
    "contact_reasons": _Part(contact.reasons_section, contact.reasons_figure),
    "contact_months": _Part(contact.months_section, contact.months_figure),
    "contact_mattered": _Part(contact.mattered_section, contact.mattered_figure),
    "contact_questions": _Part(contact.questions_section, contact.questions_figure),
    "contact_remedies": _Part(contact.remedies_section, contact.remedies_figure),
    "contact_effort": _Part(contact.effort_section, contact.effort_figure),
    "contact_agreement": _Part(contact.agreement_section),
    "part_worths": _Part(model.part_worths_section, model.part_worths_figure),
    "model_quality": _Part(model.quality_section),
    "convergence": _Part(convergence_section, convergence_figure),
    "trace": _Part(trace_section, trace_figure),
}


def section(chart: str, reading: Reading) -> Section:
    """One section; columns without any entry are left out."""
    made = asked_section(chart, reading) if is_asked(chart) else _PARTS[chart].section(reading)
    kept = [place for place in range(len(made.head)) if not made.rows or any(row[place] for row in made.rows)]
    rows = tuple(tuple(row[place] for place in kept) for row in made.rows)
    told = () if made.missing else (*made.findings, *findings(chart, reading))
    return replace(made, head=tuple(made.head[place] for place in kept), rows=rows, findings=told)


def figure(chart: str, reading: Reading) -> go.Figure:
    """The Plotly figure of a section's chart."""
    if is_asked(chart):
        return asked_figure(chart, reading)
    made = _PARTS[chart].figure
    if made is None:
        raise LookupError(f"{chart} is not drawn; allowed: a section with a chart.")
    return made(reading)
