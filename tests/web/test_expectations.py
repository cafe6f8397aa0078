"""The page "Expectations" and what to keep, tell or fix: findings, tables and charts in both languages, only where they were asked, and nowhere twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from tests.simulated import expected, simulated
from tests.web.staff import PASSWORD, Staff
from tests.web.test_results import words
from wtp.analysis import Analysis, Request, analyse
from wtp.settings import Settings
from wtp.store import staff
from wtp.web import create_app, results
from wtp.web.reading import Reading, labels_of
from wtp.web.report import report_of
from wtp.web.sections import section
from wtp.web.security import limiter

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    surveys = tmp_path_factory.mktemp("surveys")
    expected(surveys)
    shutil.copytree(SUPPLIER, surveys / "supplier")
    app = create_app(Settings(instance=tmp_path_factory.mktemp("instance"), surveys=surveys))
    with app.extensions["wtp_database"] as database:
        with database.begin() as connection:
            staff.add(connection, "manager", PASSWORD, "manager")
        yield app


@pytest.fixture(scope="module")
def analysis(app: Flask) -> Analysis:
    survey = app.extensions["wtp_surveys"]["expected"]
    return analyse(survey, simulated(survey, 200, seed=2), Request(model="conditional"))


@pytest.fixture
def manager(app: Flask, analysis: Analysis, monkeypatch: pytest.MonkeyPatch) -> Staff:
    empty = replace(analysis, tables={n: t for n, t in analysis.tables.items() if not n.startswith(("expect", "script", "strengths"))})  # fmt: skip
    monkeypatch.setattr(results, "analysis_of", lambda database, survey, *_: analysis if survey.slug == "expected" else empty)  # fmt: skip
    with app.app_context():
        limiter.reset()
    person = Staff(app.test_client(), "manager")
    assert person.log_in().status_code == 303
    return person


def part(page: BeautifulSoup, chart: str) -> BeautifulSoup:
    (title,) = page.select(f"#title-{chart}")
    assert title.parent is not None
    return title.parent  # type: ignore[return-value]


def cells(page: BeautifulSoup, chart: str) -> dict[str, list[str]]:
    """By its first cell what each row of a table says."""
    found = [[c.get_text(strip=True) for c in row.select("th, td")] for row in part(page, chart).select("tbody tr")]
    return {row[0]: row[1:] for row in found}


def test_what_was_expected_and_what_was_met(manager: Staff) -> None:
    page = manager.open("/results/expected/expectations?lang=en")
    gaps = part(page, "asked-expectation_gaps")
    assert words(gaps, "h2") == "Expectations missed: Speed of problem solving. Exceeded: Competent, friendly contact"
    rows = cells(page, "asked-expectation_gaps")
    assert next(iter(rows)) == "Speed of problem solving", "the most missed first"
    assert rows["Speed of problem solving"][2].startswith("−")
    assert rows["Speed of problem solving"][3] == "missed"
    assert rows["Competent, friendly contact"][2].startswith("+")
    assert rows["Financing"][3] == "no clear difference"
    assert "Reliability over all attributes" in words(gaps, ".findings")
    heads = [th.get_text() for th in gaps.select("th[scope=col]")]
    assert "Difference, moved towards all segments, 90% interval" not in heads
    own = part(manager.open("/results/expected/expectations?lang=en&segment=uptime"), "asked-expectation_gaps")
    assert "Difference, moved towards all segments, 90% interval" in [th.get_text() for th in own.select("th[scope=col]")]  # fmt: skip


def test_the_order_that_customers_expect(manager: Staff) -> None:
    script = part(manager.open("/results/expected/expectations?lang=en&segment=uptime"), "asked-order_of_events")
    order = "You call us → A date is confirmed → The part arrives → You get an offer → You get the invoice"
    assert words(script, "h2").endswith(order)
    said = words(script, ".findings")
    assert "Kendall's tau with the order of all others" in said
    assert "Uptime first and Cost first expect another order" in said
    assert "Cost first and Growth first" not in said, "pairs that this segment is no part of"
    everybody = part(manager.open("/results/expected/expectations?lang=en"), "asked-order_of_events")
    assert "Cost first and Growth first: no clear difference" in words(everybody, ".findings")


def test_keep_tell_or_fix(manager: Staff) -> None:
    page = manager.open("/results/expected/invest?lang=en")
    title = words(part(page, "keep_tell_fix"), "h2")
    assert "Tell it: Speed of problem solving" in title
    assert "Fix it: Assortment range" in title
    rows = cells(page, "keep_tell_fix")
    assert rows["Speed of problem solving"][4:] == ["as good", "◆ Tell it", "over 99%"]
    assert rows["Assortment range"][4:] == ["lower", "▲ Fix it", "over 99%"]
    assert rows["Price"][3:] == ["–", "better", "–", ""]
    assert "Market leader" in words(part(page, "keep_tell_fix"), "details")
    drawn = manager.client.get("/results/expected/keep_tell_fix.json").json
    assert drawn is not None
    assert drawn["layout"]["xaxis"]["title"]["text"] == "Seen better than Market leader, points"
    assert "Tell it:" in words(part(page, "invest"), ".findings")


@pytest.mark.parametrize(("language", "missed", "tell"), [("en", "missed", "Tell it"), ("de", "verfehlt", "Darüber reden")])  # fmt: skip
def test_both_languages_have_chart_table_and_download(manager: Staff, language: str, missed: str, tell: str) -> None:
    found = 0
    for name in ("expectations", "invest"):
        page = manager.open(f"/results/expected/{name}?lang={language}")
        assert (missed if name == "expectations" else tell) in page.get_text()
        for each in page.select(".chart-section"):
            (download,) = each.select(".downloads a[download]")
            assert manager.client.get(str(download["href"])).status_code == 200
            for chart in each.select("[data-chart]"):
                drawn = manager.client.get(str(chart["data-chart"])).json
                assert drawn is not None
                assert " ".join(unescape(drawn["layout"]["meta"]["finding"]).split()) == words(each, "h2")
                found += 1
    assert found >= 6


def test_nothing_is_shown_twice_and_nothing_where_it_was_not_asked(manager: Staff) -> None:
    tabs = words(manager.open("/results/expected/importance?lang=en"), ".tabs")
    assert "Expectations" in tabs
    answers = manager.open("/results/expected/answers?lang=en")
    shown = {str(h["id"]) for h in answers.select(".chart-section h2")}
    assert {"title-asked-own", "title-asked-leader"} <= shown
    assert not {"title-asked-expected", "title-asked-met", "title-asked-order_of_events"} & shown
    assert "order_of_events" not in str(manager.open("/results/expected/said?lang=en"))
    assert "Expectations" not in words(manager.open("/results/supplier/importance?lang=en"), ".tabs")
    assert manager.client.get("/results/supplier/expectations").status_code == 404
    assert "keep_tell_fix" not in str(manager.open("/results/supplier/invest?lang=en"))


def test_too_few_answers_are_said(app: Flask, analysis: Analysis) -> None:
    survey = app.extensions["wtp_surveys"]["expected"]
    bare = replace(analysis, tables={n: t for n, t in analysis.tables.items() if not n.startswith(("expect", "script", "strengths"))})  # fmt: skip
    with app.test_request_context("/?lang=en"):
        reading = Reading(survey, bare, "all", labels_of(survey.definition))
        for chart in ("asked-expectation_gaps", "asked-order_of_events"):
            assert "Too few answers" in section(chart, reading).missing
        assert section("keep_tell_fix", reading).rows == ()
        few = replace(analysis, tables={n: t for n, t in analysis.tables.items() if n != "expectation_reliability"})
        assert section("asked-expectation_gaps", replace(reading, analysis=few)).findings == ()


def test_the_report_has_them(app: Flask, analysis: Analysis) -> None:
    survey = app.extensions["wtp_surveys"]["expected"]
    with app.test_request_context("/?lang=en"):
        reading = Reading(survey, analysis, "all", labels_of(survey.definition))
        report = report_of(reading, app.extensions["wtp_database"])
    (chapter,) = [chapter for chapter in report.chapters if chapter.name == "Expectations"]
    assert [finding.chart for finding in chapter.findings] == ["asked-expectation_gaps", "asked-order_of_events"]
    assert all(finding.figure for finding in chapter.findings)
    assert any(finding.chart == "keep_tell_fix" for chapter in report.chapters for finding in chapter.findings)
