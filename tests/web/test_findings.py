"""The sentences above a chart say what the tables say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from flask import Flask

from tests.web.figures import handmade
from wtp.survey import load_survey
from wtp.web.findings import findings
from wtp.web.reading import Reading, labels_of

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"
TABLES = {
    "competitive_limit": pd.DataFrame([{"segment": "all", "estimate": 103.2, "low": 100.1, "high": 106.4}]),
    "best_price": pd.DataFrame([
        {"segment": "all", "objective": "profit", "price": 95.3, "low": 93.9, "high": 96.6, "flat_low": 92.0, "flat_high": 98.8, "note": ""}
    ]),
    "price_by_segment": pd.DataFrame([
        {"segment": "all", "policy": "a price for each segment", "objective": "profit", "price": float("nan"), "value": 2.0, "gain": 71_688.8}
    ]),
    "triangulation": pd.DataFrame([
        {"segment": "all", "method": "conjoint", "estimate": 112.0, "verdict": "agree", "gap": 0.14},
        {"segment": "all", "method": "van_westendorp", "estimate": 127.0, "verdict": "agree", "gap": 0.14},
    ]),
    "cautious_limit": pd.DataFrame([{"segment": "all", "cautious": 92.4, "cautious_low": 80.0}]),
    "expected_wrong": pd.DataFrame([{"segment": "all", "labels": 4, "expected_wrong": 0.21}]),
    "hints": pd.DataFrame([{"segment": "all", "attribute": "competence", "hint": "tell", "segments": ""}]),
}  # fmt: skip


def told(app: Flask, chart: str, language: str = "en", **changed: pd.DataFrame) -> tuple[str, ...]:
    survey = load_survey(SUPPLIER)
    analysis = handmade(survey)
    analysis = replace(analysis, tables={**analysis.tables, **TABLES, **changed})
    with app.test_request_context(f"/results/supplier?lang={language}"):
        app.preprocess_request()
        return findings(chart, Reading(survey, analysis, "all", labels_of(survey.definition)))


def test_the_price_page_in_sentences(app: Flask) -> None:
    limit, best, each, methods, careful = told(app, "demand")
    assert "€103 (€100 to €106)" in limit
    assert "€95 (€94 to €97); from €92 to €99" in best
    assert "€71" in each or "€72" in each
    assert "within 14%: choices €112, Van Westendorp (PME) €127" in methods
    assert "€92" in careful
    assert "other studies" in careful


def test_the_invest_page_in_sentences(app: Flask) -> None:
    wrong, tell = told(app, "invest")
    assert "Of 4 decided verdicts, 0.2 are" in wrong
    assert "Named contact person" in tell
    assert (
        "fewer than 0.1" in told(app, "invest", expected_wrong=TABLES["expected_wrong"].assign(expected_wrong=0.01))[0]
    )


def test_german_and_what_is_not_there(app: Flask) -> None:
    assert told(app, "invest", "de")[0].startswith("Von 4 entschiedenen Urteilen sind")
    assert told(app, "importance") == ()
    nothing = {name: table.iloc[:0] for name, table in TABLES.items()}
    assert told(app, "demand", **nothing) == ()


@pytest.mark.parametrize("note", ["The best price is at or below the lowest tested one."])
def test_a_best_price_at_the_border_is_no_number(app: Flask, note: str) -> None:
    sentence = told(app, "demand", best_price=TABLES["best_price"].assign(note=note))[1]
    assert sentence == f"Profit-best price: {note}"
