"""What if: offers as columns, levels as selectors, prices as numbers; shares, revenue and profit follow, with intervals, in every segment.

The whole scenario is in the address, so that a link sends it and the way back keeps it; the script only asks for the figures while one types. Named scenarios stand in the database.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pandas as pd
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from markupsafe import escape
from werkzeug.wrappers import Response as Reply

from wtp.analysis import (
    ALL,
    Scenario,
    Simulator,
    WhatIf,
    today,
    what_if,
    with_answers,
    with_best_offer,
    with_best_price,
)
from wtp.charts import what_if as charts
from wtp.errors import DataError, EstimationError
from wtp.store import scenarios
from wtp.store.scenarios import Saved
from wtp.web import formats, running
from wtp.web.accounts import READERS, requires
from wtp.web.analyses import simulator_of
from wtp.web.answer_sections import safe
from wtp.web.i18n import text as said
from wtp.web.market_sections import OWN, offer_names
from wtp.web.reading import Reading
from wtp.web.results import kept, reading_of, rendered
from wtp.web.scenario_form import completed, own_offers, query_of, read, scenario_form, scenario_of
from wtp.web.section import share_with_interval
from wtp.web.security import allow_chart_styles
from wtp.web.verdicts import note_text

blueprint = Blueprint("what_if", __name__)

_MOST_COMPARED = 6


@dataclass(frozen=True, slots=True)
class Told:
    """What a scenario does in one segment, in words: finding, rows of shares, of money and of the bridge, figures of the two charts as JSON."""

    title: str
    shares: tuple[tuple[str, ...], ...]
    money: tuple[tuple[str, ...], ...]
    bridge: tuple[tuple[str, ...], ...]
    shares_figure: str
    bridge_figure: str
    note: str
    beyond: str


@blueprint.get("/results/<slug>/what-if")
@requires(*READERS)
def page(slug: str) -> Reply | str | tuple[str, int]:
    """The simulator. `do` asks for the best price, the best offer or the competitors' answers; `part=figures` for the figures alone."""
    reading = reading_of(slug)
    definition, simulator = reading.definition, _simulator(reading)
    form = scenario_form(definition, completed(definition, request.args))
    valid = form.validate()
    asked, mistake = request.args.get("do", ""), ""
    if valid and simulator is not None and asked:
        try:
            better = _searched(asked, simulator, reading, scenario_of(definition, form))
            return redirect(_address(reading, better), 303)
        except (DataError, EstimationError) as error:
            mistake = note_text(str(error)) if isinstance(error, EstimationError) else gettext("Without costs of every offer in the survey this cannot be found.")  # fmt: skip
    scenario = scenario_of(definition, form) if valid else None
    found = (
        {name: _compute(reading, simulator, scenario, name) for name in simulator.fits}
        if simulator and scenario
        else {}
    )
    own = found.get(reading.segment)
    told = _told(reading, scenario, own) if scenario and own else None
    context = {
        "form": form, "told": told, "mistake": mistake, "segments_told": _segments(reading, found),
        "offers": _offers(reading), "attributes": definition.attributes, "said": said, "available": simulator is not None,
    }  # fmt: skip
    if request.args.get("part") == "figures":
        figures = render_template("results/_what_if.html", reading=reading, slug=slug, labels=reading.labels, segment=reading.segment, analysis=reading.analysis, **context)  # fmt: skip
        return figures if valid else (figures, 422)
    allow_chart_styles()
    query = query_of(definition, scenario_of(definition, form)) if valid else ""
    possible = own_offers(form)
    return rendered("results/what_if.html", reading, page="what_if", query=query, saved=_saved(slug), possible=possible, **context)  # fmt: skip


def _address(reading: Reading, scenario: Scenario) -> str:
    state: dict[str, Any] = {"slug": reading.survey.slug, "segment": reading.segment, **kept()}
    return f"{url_for('.page', **state)}&{query_of(reading.definition, scenario)}"


def _simulator(reading: Reading) -> Simulator | None:
    return simulator_of(running.database(), reading.survey, reading.analysis, kept().get("analysis", ""))


def _searched(asked: str, simulator: Simulator, reading: Reading, scenario: Scenario) -> Scenario:
    """The scenario with what was asked for; prices rounded as they are written."""
    ways: dict[str, Callable[..., Scenario]] = {
        "price": with_best_price,
        "offer": with_best_offer,
        "answers": with_answers,
    }
    if asked not in ways:
        abort(404)
    found = ways[asked](
        simulator, reading.definition, scenario, segment=_fitted(simulator, reading), seed=reading.analysis.request.seed
    )
    return replace(found, prices={offer: round(price, 2) for offer, price in found.prices.items()})


def _fitted(simulator: Simulator, reading: Reading) -> str:
    return reading.segment if reading.segment in simulator.fits else ALL


def _compute(reading: Reading, simulator: Simulator, scenario: Scenario, segment: str) -> WhatIf:
    analysis = reading.analysis
    seed = analysis.request.seed
    return what_if(simulator, reading.definition, scenario, segment=segment, confidence=analysis.confidence, seed=seed)


def _told(reading: Reading, scenario: Scenario, found: WhatIf) -> Told:
    names = offer_names(reading)
    money, step = found.money, _step(found)
    amount = partial(reading.money, step=step)
    unchanged = not query_of(reading.definition, scenario)
    title = (
        gettext("This is today's market: change something")
        if unchanged
        else charts.title(money, words=gettext, amount=amount)
    )
    own = found.shares.iloc[0]
    if not title:
        title = gettext(charts.SHARE_CHANGES).format(
            today=formats.percent(own["today"]), then=formats.percent(own["share"])
        )
    rows = tuple(
        (
            names[row["offer"]],
            share_with_interval(row["today"], row["today_low"], row["today_high"]),
            share_with_interval(row["share"], row["low"], row["high"]) if row["share"] == row["share"] else gettext("gone"),
            f"{formats.points(row['change'])} ({formats.points(row['change_low'])} – {formats.points(row['change_high'])})" if row["share"] == row["share"] else "",
        )
        for _, row in found.shares.iterrows()
    )  # fmt: skip
    heads = {"revenue": gettext("Revenue a year"), "profit": gettext("Profit a year")}
    cells = tuple(
        (heads[row["figure"]], *(_sum(reading, row, when, step) for when in ("today", "tomorrow", "change")))
        for _, row in money.iterrows()
    )  # fmt: skip
    steps = tuple(
        (gettext(charts.NAMES[name]), reading.with_interval(change, low, high, step))
        for name, change, low, high in found.bridge.itertuples(index=False)
    )
    return Told(
        title, rows, cells, steps, _figure(reading, charts.shares(found.shares, labels=safe(names), words=gettext), title),
        _bridge_figure(reading, found), note_text(found.note), _beyond(reading, scenario),
    )  # fmt: skip


def _sum(reading: Reading, row: pd.Series, when: str, step: float) -> str:
    """A year's money today, tomorrow or its change, with its interval."""
    return reading.with_interval(row[when], row[f"{when}_low"], row[f"{when}_high"], step)


def _step(found: WhatIf) -> float:
    """Rounding step that suits the intervals of the year's money."""
    if found.money.empty:
        return 1.0
    row = found.money.iloc[-1]
    width = (row["change_high"] - row["change_low"]) or (row["tomorrow_high"] - row["tomorrow_low"])
    return max(1.0, formats.precision(width))


def _figure(reading: Reading, drawn: object, title: str) -> str:
    meta = {"finding": str(escape(title)), "label": reading.picture_label}
    figure = drawn.update_layout(meta=meta)  # type: ignore[attr-defined]
    return str(figure.to_json())


def _bridge_figure(reading: Reading, found: WhatIf) -> str:
    if found.bridge.empty:
        return ""
    profit = found.money.iloc[-1]
    drawn = charts.bridge(found.bridge, today=float(profit["today"]), then=float(profit["tomorrow"]), words=gettext, currency=reading.analysis.currency)  # fmt: skip
    return _figure(reading, drawn, gettext("From today's profit to the new one"))


def _beyond(reading: Reading, scenario: Scenario) -> str:
    """Competitors' prices that were never shown to anybody."""
    lowest, highest = reading.definition.price.levels[0], reading.definition.price.levels[-1]
    outside = [
        offer_names(reading)[offer]
        for offer, price in scenario.prices.items()
        if not lowest <= price <= highest and offer not in scenario.without
    ]
    return gettext("Outside the tested prices, so a guess: %(offers)s.", offers=", ".join(outside)) if outside else ""


def _segments(reading: Reading, by_segment: Mapping[str, WhatIf]) -> tuple[tuple[str, ...], ...]:
    """Change of share and profit, or revenue, in every segment with figures."""
    rows = []
    for segment, found in by_segment.items():
        own, step = found.shares.iloc[0], _step(found)
        share = f"{formats.percent(own['today'])} → {formats.percent(own['share'])}"
        money = ""
        if len(found.money):
            row = found.money.iloc[-1]
            money = _sum(reading, row, "change", step)
        rows.append((reading.labels[segment], share, money or note_text(found.note)))
    return tuple(rows)


def _offers(reading: Reading) -> list[tuple[str, str]]:
    names = offer_names(reading)
    own = [(OWN, gettext("Own offer"))]
    return own + [(rival.id, names[rival.id]) for rival in reading.definition.competitors]


def _saved(slug: str) -> tuple[Saved, ...]:
    with running.database().read() as connection:
        return scenarios.of_study(connection, slug)


@blueprint.post("/results/<slug>/what-if/scenarios")
@requires(*READERS)
def save(slug: str) -> Reply | tuple[str, int]:
    """Keep the scenario of the page under a name."""
    reading = reading_of(slug)
    query = request.form.get("query", "")
    scenario = read(reading.definition, query)
    if scenario is None:
        abort(400)
    back = _address(reading, scenario)
    try:
        with running.database().begin() as connection:
            scenarios.save(connection, slug, request.form.get("name", ""), query_of(reading.definition, scenario), who=current_user.name, now=datetime.now(UTC))  # fmt: skip
    except DataError:
        words = gettext("Not saved: give it a name of at most 80 letters that no other scenario has.")
        return _compared(reading, mistake=words, back=back), 422
    return redirect(back, 303)


@blueprint.post("/results/<slug>/what-if/scenarios/<int:number>/delete")
@requires(*READERS)
def delete(slug: str, number: int) -> Reply:
    """Delete a scenario."""
    running.survey_of(slug)
    with running.database().begin() as connection:
        scenarios.delete(connection, slug, number)  # gone already is gone too
    return redirect(url_for(".compare", slug=slug), 303)


@blueprint.get("/results/<slug>/what-if/scenarios")
@requires(*READERS)
def compare(slug: str) -> str:
    """Named scenarios side by side in one segment."""
    return _compared(reading_of(slug))


def _compared(reading: Reading, mistake: str = "", back: str = "") -> str:
    slug, simulator = reading.survey.slug, _simulator(reading)
    saved = _saved(slug)
    wanted = request.args.getlist("id", type=int) or [each.id for each in saved[:_MOST_COMPARED]]
    columns: list[tuple[Saved, tuple[str, ...], str, str, str]] = []
    for each in [one for one in saved if one.id in wanted][:_MOST_COMPARED]:
        scenario = read(reading.definition, each.query)
        if scenario is None or simulator is None or reading.segment not in simulator.fits:
            columns.append((each, (), "", "", ""))
            continue
        found = _compute(reading, simulator, scenario, reading.segment)
        own, step = found.shares.iloc[0], _step(found)
        share = share_with_interval(own["share"], own["low"], own["high"])
        money = change = note_text(found.note)
        if len(found.money):
            row = found.money.iloc[-1]
            money = _sum(reading, row, "tomorrow", step)
            change = _sum(reading, row, "change", step)
        columns.append((each, _changes(reading, scenario), share, money, change))
    profit = reading.definition.economics is not None
    return rendered("results/what_if_compare.html", reading, page="what_if", saved=saved, wanted=wanted, columns=columns, profit=profit, mistake=mistake, back=back)  # fmt: skip


def _changes(reading: Reading, scenario: Scenario) -> tuple[str, ...]:
    """What a scenario changes of today's market, in words."""
    market, names = today(reading.definition), offer_names(reading)
    found = []
    for offer, levels in scenario.levels.items():
        who = "" if offer == OWN else f"{names[offer]}: "
        if offer in scenario.without:
            found.append(who + gettext("gone"))
            continue
        found += [
            f"{who}{reading.labels[a]}: {reading.labels[f'{a}.{level}']}"
            for a, level in levels.items()
            if level != market.levels[offer][a]
        ]
        if not math.isclose(scenario.prices[offer], market.prices[offer]):
            price = reading.price(scenario.prices[offer])
            found.append(f"{who}{reading.labels['price']}: {price}")
    return tuple(found)
