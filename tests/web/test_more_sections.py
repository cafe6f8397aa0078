"""The market, the price questions, the rival, groups and the model: the table's figures in words, with intervals, and nothing of fewer than ten people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from flask import Flask

from tests.web.figures import full
from tests.web.staff import Staff
from wtp.analysis import Analysis
from wtp.survey import load_survey
from wtp.web import results
from wtp.web.reading import Reading, labels_of
from wtp.web.section import Section
from wtp.web.sections import figure, section

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"
NAN = float("nan")
DRAWN = ("convergence", "trace", 
    "worth_distribution", "profit", "waterfall", "triangulation", "newton_miller_smith", "gabor_granger", "open_price", "strengths",
    "shares", "sensitivity", "segment_worth", "found_segments", "latent_classes", "part_worths",
)  # fmt: skip
TABLES = (
    "elasticities",
    "equilibrium",
    "best_offers",
    "segment_profile",
    "segment_overlap",
    "found_profile",
    "model_quality",
)


def made(app: Flask, chart: str, language: str = "en", segment: str = "all", **changed: pd.DataFrame) -> Section:
    survey = load_survey(SUPPLIER)
    analysis = full(survey)
    analysis = replace(analysis, tables={**analysis.tables, **changed})
    with app.test_request_context(f"/results/supplier?lang={language}"):
        app.preprocess_request()
        found = section(chart, Reading(survey, analysis, segment, labels_of(survey.definition)))
    rows = tuple(tuple(cell.replace("\u2060", "").replace("\xa0", " ") for cell in row) for row in found.rows)
    return replace(found, rows=rows)


def test_who_is_preferred_by_three_rules(app: Flask) -> None:
    table = made(app, "shares")
    assert table.title == "“Today's offer” is preferred most often: by 43%"
    assert table.rows[0] == ("Today's offer", "43% (39% to 47%)", "65% (59% to 72%)", "41% (37% to 45%)")
    assert [row[0] for row in table.rows] == ["Today's offer", "Discounter", "Market leader", "Buy nothing"]
    assert "no market share" in table.not_says
    assert made(app, "shares", "de").rows[-1][0] == "Nichts kaufen"


def test_what_moves_the_share_most_stands_on_top(app: Flask) -> None:
    table = made(app, "sensitivity")
    assert table.title == "Price moves the share of preference most: from 8% to 80%"
    assert table.rows[0] == ("Price", "€80", "80% (77% to 83%)", "+37.0 (+36.0 – +38.0)")
    assert table.rows[2][3] == "", "today's level changes nothing"
    assert table.rows[5] == ("Assortment range", "Core products only", "35% (32% to 38%)", "−8.0 (−9.0 – −7.0)")


def test_competitors_who_react_elasticities_and_other_offers(app: Flask) -> None:
    prices = made(app, "equilibrium")
    assert prices.title == "If everybody reacted, the own price would settle at €90"
    assert prices.rows[0] == ("Today's offer", "€100", "€90", "41%", "€1,130,000")
    elastic = made(app, "elasticities")
    assert elastic.title == "One per cent on the own price costs 4.8 per cent of the customers"
    assert elastic.rows[1][:4] == ("Today's offer", "Discounter", "3.9", "3.3 to 4.4")
    (offer,) = made(app, "best_offers").rows
    assert offer == (
        "1",
        "Speed of problem solving: The same day",
        "€100",
        "52%",
        "€2,070,000 (€1,890,000 to €2,240,000)",
    )
    same = full(load_survey(SUPPLIER)).tables["best_offers"].assign(**{"level.speed": "two_days"})
    assert made(app, "best_offers", best_offers=same).rows[0][1] == "as today"


def test_what_the_price_earns_and_the_prices_that_earn_almost_as_much(app: Flask) -> None:
    table = made(app, "profit")
    assert table.title == "Profit is highest at €96; from €92 to €99 it is at most 2 per cent less"
    assert table.rows[2] == (
        "€100", "43%", "38% to 47%", "€6,100,000 (€5,490,000 to €6,710,000)", "€1,800,000 (€1,620,000 to €1,980,000)",
    )  # fmt: skip
    at_end = (
        full(load_survey(SUPPLIER))
        .tables["best_price"]
        .assign(note="The best price is at or below the lowest tested one.")
    )
    assert made(app, "profit", best_price=at_end).title == "The best price is at or below the lowest tested one."
    without_costs = full(load_survey(SUPPLIER)).tables["best_price"].assign(objective="revenue")
    curve = full(load_survey(SUPPLIER)).tables["profit_curve"].assign(profit=NAN)
    table = made(app, "profit", best_price=without_costs, profit_curve=curve)
    assert table.title.startswith("Revenue is highest at €96")
    assert len(table.head) == 4, "no column of profits"


def test_prices_asked_directly(app: Flask) -> None:
    ladder = made(app, "gabor_granger")
    assert ladder.title == "Asked price by price, half would buy at €104"
    assert ladder.rows[1] == ("€95", "180", "74%", "70% to 79%")
    assert ladder.findings == ("Half would buy: €104 (€101 to €108).", "Highest revenue: €95 (€92 to €97).")
    above = pd.DataFrame([("limit", NAN, NAN, NAN, NAN, "More than half would still buy at the highest price asked: the limit lies above it.")], columns=["point", "price", "low", "high", "value", "note"]).assign(segment="all")  # fmt: skip
    beyond = made(app, "gabor_granger", gabor_granger_points=above)
    assert beyond.title == "Gabor-Granger: would you buy at this price?"
    assert beyond.findings == ("Half would buy: –. More than half would still buy at the highest price asked: the limit lies above it.",)  # fmt: skip
    intent = made(app, "newton_miller_smith")
    assert intent.title == "Revenue is highest at €98; from €91 to €106 it is at most 5 per cent less"
    assert intent.rows[0] == ("Most buyers", "€92", "€90 to €94", "€88 to €97")
    named = made(app, "open_price")
    assert named.title == "Half name €110 or more as the most that they would pay"
    assert [row[0] for row in named.rows] == ["Three quarters would buy", "Half would buy", "A quarter would buy"]
    assert "Nobody had to pay" in named.not_says


def test_methods_side_by_side(app: Flask) -> None:
    table = made(app, "triangulation")
    assert table.title == "The methods differ by 12%: plan with the lower figure"
    assert table.rows == (
        ("Choices between offers", "€103", "€100 to €105"),
        ("Van Westendorp (PME)", "€115", "€111 to €117"),
    )
    one = full(load_survey(SUPPLIER)).tables["triangulation"].iloc[:1]
    assert made(app, "triangulation", triangulation=one).rows == (), "one method has nothing to be compared with"


def test_improvements_and_how_differently_they_are_valued(app: Flask) -> None:
    assert made(app, "waterfall").title == "All improvements together raise the price upper limit from €103 to €108"
    beyond = full(load_survey(SUPPLIER)).tables["limit_waterfall"]
    beyond.loc[1, "limit"] = NAN
    assert made(app, "waterfall", limit_waterfall=beyond).title == (
        "From €103 on, improvements raise the price upper limit beyond the tested prices"
    )
    spread = made(app, "worth_distribution")
    assert spread.title.startswith("Customers differ most about “The same day” (Speed of problem solving)")
    row = next(row for row in spread.rows if row[1] == "The same day")
    assert row[2:] == ("−€5.60", "€2.40", "€6.40", "€10.40", "€18.40", "71% (60% to 80%)")


def test_strengths_and_weaknesses_against_the_rival(app: Flask) -> None:
    table = made(app, "strengths")
    assert table.title == "Better than the rival: Speed of problem solving. Behind it: Assortment range"
    assert [row[4] for row in table.rows] == ["better", "about alike", "behind"]
    assert table.rows[0][1:4] == ("4.4", "3.6", "0.8 (0.5 to 1.1)")
    nothing = full(load_survey(SUPPLIER)).tables["performance"].assign(gap=NAN)
    assert made(app, "strengths", performance=nothing).rows == ()


def test_groups_and_who_is_in_them(app: Flask) -> None:
    groups = made(app, "found_segments")
    assert groups.title == "The answers suggest 2 groups of customers"
    assert groups.head[2:] == ("Group 1, 60%", "Group 2, 40%")
    assert groups.rows[0] == ("Speed of problem solving", "The same day", "€9.50", "€2.10")
    assert "0.91" in groups.findings[0]
    assert "0.84" in groups.findings[1]
    overlap = {row[0]: row[1:] for row in made(app, "segment_overlap").rows}
    assert overlap["Uptime first"] == ("190 (95%)", "10 (5%)")
    assert overlap["Cost first"] == ("–", "174 (97%)"), "six people are not shown"
    classes = made(app, "latent_classes")
    assert classes.rows[0][2:] == ("€8.00 (€6.00 to €10.00)", "–")
    assert classes.findings == ("Class 2, 30%: The price did not clearly drive the answers, so no amount is shown.",)
    for chart in ("segment_profile", "found_profile"):
        rows = made(app, chart).rows
        assert [row[-1] for row in rows] == ["differs", "no clear difference"]
        assert rows[0][2:4] == ("30% (25% to 36%)", "10% (7% to 14%)")
        assert rows[1][3] == "–", "nine people are not shown"


def test_segments_side_by_side_name_the_step_that_sets_them_apart(app: Flask) -> None:
    survey = load_survey(SUPPLIER)
    table = full(survey).tables["willingness_to_pay"]
    cost = table[table["segment"] == "uptime"].assign(segment="cost")
    step = (cost["attribute"] == "design") & (cost["to_level"] == "functional")
    cost.loc[step, ["estimate", "low", "high"]] = [-9.0, -10.0, -8.0]
    both = pd.concat([table[table["segment"] != "cost"], cost], ignore_index=True)
    found = made(app, "segment_worth", willingness_to_pay=both)
    assert found.title == "The segments differ most about “Plain and proven” (Design and technology)"
    row = next(row for row in found.rows if row[1] == "Plain and proven")
    assert row[2:] == ("−€0.60 (−€1.70 to €0.50)", "−€9.00 (−€10.00 to −€8.00)")
    assert made(app, "segment_worth").rows == (), "one segment alone has nothing to be compared with"


def test_the_model_says_how_it_predicts_and_whether_it_converged(app: Flask) -> None:
    quality = made(app, "model_quality")
    assert quality.rows[0] == ("Everybody", "400", "hierarchical Bayes", "64% / 33%", "61%", "0.35", "30.0")
    assert quality.findings == ("The hierarchical model converged: R-hat 1.004 at most (1.01 allowed), 812 effective draws at least (400 wanted).",)  # fmt: skip
    segments = full(load_survey(SUPPLIER)).tables["segments"].assign(r_hat=1.2)
    assert "has not converged" in made(app, "model_quality", segments=segments).findings[0]
    worths = made(app, "part_worths")
    assert worths.rows[-1][:4] == ("Price", "per EUR", "−0.090", "−0.098 to −0.082")
    assert len(worths.rows) == 19


def test_convergence_names_every_quantity_in_words(app: Flask) -> None:
    found = made(app, "convergence")
    assert found.title == "1 of 18 reported figures have not converged"
    assert [row[0] for row in found.rows[:4]] == [
        "Part-worth: Speed of problem solving: The same day", "Price upper limit", "Part-worth: Price (Growth first)", "Worth: Speed of problem solving: 0",
    ]  # fmt: skip
    assert found.rows[0][1:] == ("1.031", "812", "655", "no")
    assert len(found.rows) == 15
    assert "all 20 quantities" in found.findings[0]
    assert made(app, "convergence", segment="uptime").rows == ()
    settled = full(load_survey(SUPPLIER)).tables["convergence"].assign(settled=True)
    assert made(app, "convergence", "de", convergence=settled).title == "Alle 18 berichteten Größen sind konvergiert"


def test_the_way_of_the_chains_in_halves(app: Flask) -> None:
    found = made(app, "trace")
    assert found.title == "The chains do not go the same way yet"
    assert found.rows[2] == ("Price upper limit", "1", "101.900", "103.900")
    assert len(found.rows) == 4


@pytest.mark.parametrize("chart", DRAWN)
def test_each_section_has_a_chart_of_the_same_figures(app: Flask, chart: str) -> None:
    survey = load_survey(SUPPLIER)
    changed = full(survey).tables["willingness_to_pay"]
    cost = changed[changed["segment"] == "uptime"].assign(segment="cost")
    both = {"willingness_to_pay": pd.concat([changed[changed["segment"] != "cost"], cost], ignore_index=True)}
    analysis = replace(full(survey), tables={**full(survey).tables, **both})
    with app.test_request_context("/results/supplier?lang=de"):
        app.preprocess_request()
        reading = Reading(survey, analysis, "all", labels_of(survey.definition))
        assert section(chart, reading).drawn
        assert section(chart, reading).rows
        assert figure(chart, reading).data
    for empty in TABLES:
        with app.test_request_context("/"), pytest.raises(LookupError):
            figure(empty, reading)


def test_pages_and_their_charts_are_reached_from_the_tabs(
    app: Flask, staffed: Callable[[str], Staff], monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis = full(app.extensions["wtp_surveys"]["supplier"])
    monkeypatch.setattr(results, "analysis_of", lambda *_: analysis)
    manager = staffed("manager")
    page = manager.open("/results/supplier?lang=en")
    tabs = [link.get_text() for link in page.select(".tabs a")]
    assert tabs[6:11] == ["The market", "What if", "Segments", "Answers", "The model"]
    for name, charts in (("market", 2), ("segments", 2), ("model", 3), ("price", 8), ("invest", 3), ("worth", 2)):
        page = manager.open(f"/results/supplier/{name}")
        places = page.select("[data-chart]")
        assert len(places) == charts, name
        for place in places:
            reply = manager.client.get(str(place["data-chart"]))
            assert reply.status_code == 200, place["data-chart"]
            assert json.loads(reply.data)["layout"]["meta"]["finding"]


def test_a_study_without_market_or_groups_has_no_such_tabs(
    staffed: Callable[[str], Staff], shown: Callable[..., Analysis]
) -> None:
    shown()
    tabs = [link.get_text() for link in staffed("manager").open("/results/supplier?lang=en").select(".tabs a")]
    assert "The market" not in tabs
    assert "Segments" not in tabs
    assert "The model" in tabs
