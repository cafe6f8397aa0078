"""The tables in money beside the charts: four amounts that are never mixed, three prices, improvements; and what lies beyond the tested prices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
from flask import Flask

from tests.web.figures import handmade
from wtp.survey import load_survey
from wtp.web.reading import Reading, labels_of
from wtp.web.section import Section
from wtp.web.sections import section

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"
NAN = float("nan")
LIMIT = {"segment": "all", "estimate": 111.2, "low": 108.4, "high": 114.3, "status": "final", "note": ""}
LIMIT |= {
    "safe": 101.6,
    "safe_low": 98.7,
    "safe_high": 104.1,
    "stretch": NAN,
    "stretch_low": 127.0,
    "stretch_high": NAN,
}
RIVALS = LIMIT | {
    "estimate": 103.1,
    "low": 100.2,
    "high": 106.0,
    "stretch": 114.9,
    "stretch_low": 112.0,
    "stretch_high": 118.4,
}
STEPS = pd.DataFrame(
    [("", "", "", 111.2, 108.4, 114.3, NAN, NAN, NAN, ""), ("speed", "two_days", "same_day", 116.0, 112.6, 119.1, 4.8, 3.2, 6.4, "")],
    columns=["attribute", "from_level", "to_level", "limit", "low", "high", "change", "change_low", "change_high", "note"],
).assign(segment="all")  # fmt: skip
PREMIUM = {"segment": "all", "attribute": "speed", "to_level": "same_day", "estimate": 4.38, "low": 3.17, "high": 5.64, "censored": 0.0, "note": ""}  # fmt: skip
TABLES = {
    "price_limit": pd.DataFrame([LIMIT]),
    "competitive_limit": pd.DataFrame([RIVALS]),
    "limit_waterfall": STEPS,
    "competitive_worth": pd.DataFrame([PREMIUM, PREMIUM | {"to_level": "five_days", "estimate": -6.1, "low": -7.3, "high": -5.0}]),
}  # fmt: skip


def made(app: Flask, chart: str, language: str = "en", segment: str = "all", **changed: pd.DataFrame) -> Section:
    survey = load_survey(SUPPLIER)
    analysis = handmade(survey)
    own = analysis.tables["willingness_to_pay"]
    speed = own[own["attribute"] == "speed"]
    analysis = replace(analysis, tables={**analysis.tables, "willingness_to_pay": speed, **TABLES, **changed})
    with app.test_request_context(f"/results/supplier?lang={language}"):
        app.preprocess_request()
        return section(chart, Reading(survey, analysis, segment, labels_of(survey.definition)))


def plain(text: str) -> str:
    return text.replace("\u2060", "").replace("\xa0", " ")


def test_the_four_amounts_of_a_step_stand_side_by_side_with_their_meanings(app: Flask) -> None:
    table = made(app, "amounts")
    assert [head.split(",")[0] for head in table.head[2:]] == [
        "Trade-off value", "Competitive premium", "Profit effect a year",
    ]  # fmt: skip
    up = next(row for row in table.rows if row[1] == "↑ The same day")
    assert [plain(cell) for cell in up[2:]] == [
        "€6.40 (€4.10 to €8.90)", "€4.40 (€3.20 to €5.60)", "€230,000 (€120,000 to €340,000)",
    ]  # fmt: skip
    assert len(table.rows) == 2
    trade_off, premium, limit, profit = table.findings
    assert "no price rise" in trade_off
    assert "one price for all" in premium
    assert "€111 (€108 to €114)" in limit
    assert "rivals stay" in profit
    assert table.csv == "competitive_worth"
    assert made(app, "amounts", segment="growth").rows == ()


def test_three_prices_against_nothing_and_against_the_competitors(app: Flask) -> None:
    safe, limit, stretch = made(app, "limits").rows
    assert safe[1:] == ("€102 (€99 to €104)", "€102 (€99 to €104)")
    assert limit[1:] == ("€111 (€108 to €114)", "€103 (€100 to €106)")
    assert stretch[1:] == ("over €130", "€115 (€112 to €118)")  # no number beyond the tested prices
    low = TABLES["price_limit"].assign(safe=NAN, safe_low=NAN, safe_high=82.0)
    assert made(app, "limits", price_limit=low).rows[0][1] == "under €80"
    assert "79 to 87 per cent" in made(app, "limits").findings[0]
    # from one average taste there is one preliminary limit alone
    pooled = TABLES["price_limit"].assign(safe=NAN, safe_low=NAN, safe_high=NAN)
    assert made(app, "limits", price_limit=pooled).rows == ()


def test_improvements_raise_the_limit_one_after_the_other(app: Flask) -> None:
    today, first = made(app, "waterfall").rows
    assert today[:2] == ("Today's offer", "€111 (€108 to €114)")
    assert first == ("+ Speed of problem solving: The same day", "€116 (€113 to €119)", "€5 (€3 to €6)")
    german = made(app, "waterfall", "de").rows[0]
    assert german[0] == "Heutiges Angebot"
    assert made(app, "waterfall", limit_waterfall=STEPS.iloc[:0]).rows == ()


def test_a_premium_beyond_the_tested_prices_is_a_bound(app: Flask) -> None:
    survey = load_survey(SUPPLIER)
    table = handmade(survey).tables["investment"]
    up, down = ((table["attribute"] == "speed") & (table["direction"] == d) for d in ("up", "down"))
    table.loc[up, "worth"] = 34.0  # 130 is the highest tested price, 100 today's
    table.loc[down, "worth"] = 26.0  # 80 the lowest
    rows = {row[1]: plain(row[2]) for row in made(app, "invest", investment=table).rows}
    assert rows["↑ The same day"] == "over €30.00"
    assert rows["↓ Within 5 working days"] == "over €20.00"
    table.loc[up, "worth"] = -24.0  # an upgrade that repels
    assert {row[1]: plain(row[2]) for row in made(app, "invest", investment=table).rows}[
        "↑ The same day"
    ] == "under −€20.00"


def test_whom_everybody_means_is_said(app: Flask) -> None:
    alike = made(app, "worth").says
    assert alike.startswith("Everybody means all answers alike")  # growth has 20 respondents
    segments = handmade(load_survey(SUPPLIER)).tables["segments"].assign(respondents=100)
    weighted = [
        made(app, chart, segments=segments).says for chart in ("worth", "amounts", "demand", "invest", "limits")
    ]
    assert all(says.startswith("Everybody means the segments weighted") for says in weighted)
    assert not made(app, "worth", segment="uptime").says.startswith("Everybody")
