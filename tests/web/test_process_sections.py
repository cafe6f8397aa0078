"""The page of the customer's process: lane, heat map, coverage and value say what the tables say; nothing stands twice, and what was not asked is not there."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from flask import Flask
from pypdf import PdfReader

from tests.simulated import simulated
from tests.web.staff import PASSWORD, Staff
from tests.web.test_results import words
from wtp.analysis import Analysis, Request, analyse
from wtp.export.native_chart import BARS, POINTS, native_charts
from wtp.export.notebook import cells
from wtp.export.report_pdf import write_pdf
from wtp.settings import Settings
from wtp.store import staff
from wtp.web import create_app, results
from wtp.web.i18n import speak
from wtp.web.reading import Reading, labels_of
from wtp.web.report import report_of
from wtp.web.security import limiter

WORKSHOP = Path(__file__).parents[2] / "surveys" / "workshop"
PAGE = "/results/workshop/process?lang=en"
CHARTS = ["process-steps", "process-service", "process-coverage", "process-value", "hour_without_car"]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    surveys = tmp_path_factory.mktemp("surveys")
    shutil.copytree(WORKSHOP, surveys / "workshop")
    app = create_app(Settings(instance=tmp_path_factory.mktemp("instance"), surveys=surveys))
    with app.extensions["wtp_database"] as database:
        with database.begin() as connection:
            staff.add(connection, "manager", PASSWORD, "manager")
        yield app


@pytest.fixture(scope="module")
def analysis(app: Flask) -> Analysis:
    survey = app.extensions["wtp_surveys"]["workshop"]
    return analyse(survey, simulated(survey, 300), Request(model="conditional"))


@pytest.fixture
def manager(app: Flask, analysis: Analysis, monkeypatch: pytest.MonkeyPatch) -> Staff:
    monkeypatch.setattr(results, "analysis_of", lambda *_: analysis)
    with app.app_context():
        limiter.reset()
    person = Staff(app.test_client(), "manager")
    assert person.log_in().status_code == 303
    return person


def sections(page: BeautifulSoup) -> list[str]:
    return [str(h["id"]).removeprefix("title-asked-") for h in page.select(".chart-section h2")]


def section(page: BeautifulSoup, chart: str) -> Any:
    return page.select_one(f"#title-asked-{chart}").parent  # type: ignore[union-attr]


def cells_of(page: BeautifulSoup, chart: str) -> list[list[str]]:
    return [[c.get_text(strip=True) for c in row.select("th, td")] for row in section(page, chart).select("tbody tr")]


def test_the_page_has_what_was_asked_and_the_answers_page_does_not_repeat_it(manager: Staff) -> None:
    page = manager.open(PAGE)
    assert sections(page) == CHARTS
    assert "The customer's process" in words(page, ".tabs")
    assert sections(manager.open("/results/workshop/answers?lang=en")) == ["use", "distance", "importance"]


@pytest.mark.parametrize("language", ["en", "de"])
def test_each_section_says_its_finding_and_has_table_download_and_chart(manager: Staff, language: str) -> None:
    page = manager.open(f"/results/workshop/process?lang={language}&segment=work")
    for one in page.select(".chart-section"):
        title = words(one, "h2")
        columns = len(one.select("thead th"))
        assert columns >= 3, title
        assert one.select("tbody tr")
        assert all(len(row.select("th, td")) == columns for row in one.select("tbody tr"))
        assert len(one.select("details p")) == 2
        (download,) = one.select(".downloads a[download]")
        assert "simulated_respondents" in manager.client.get(str(download["href"])).text.split("\n")[0]
        (chart,) = one.select("[data-chart]")
        drawn = manager.client.get(str(chart["data-chart"])).json
        assert " ".join(unescape(drawn["layout"]["meta"]["finding"]).split()) == title  # type: ignore[index]
        assert "imuliert" in str(drawn["layout"]["meta"]["label"]) or "imulated" in str(
            drawn["layout"]["meta"]["label"]
        )  # type: ignore[index]


def test_the_lane_says_in_words_what_its_colours_say(manager: Staff, analysis: Analysis) -> None:
    page = manager.open(PAGE + "&segment=work")
    steps = page.select(".lane li")
    assert [words(one, ".name") for one in steps] == [
        "Customer: Book an appointment", "Customer: Bring the car", "Customer: Get about without the car", "Customer: Be told of extra repairs",
        "Customer: Pick the car up", "Customer: Pay",
    ]  # fmt: skip
    assert words(steps[5], ".supplier") == "Supplier: Write the bill"
    pleased = manager.open(PAGE + "&segment=now_and_then").select(".lane li")
    tables = [analysis.table("process_steps", segment) for segment in ("work", "now_and_then")]
    assert [table["moment"].sum() - table["mend"].sum() > 0 for table in tables] == [False, True], (
        "both kinds are there"
    )
    told = [row for table in tables for row in table.to_dict("records")]
    for one, row in zip([*steps, *pleased], told, strict=True):
        assert f"marked by {row['share']:.0%}" in words(one, ".customer")
        assert f"satisfaction {row['satisfaction']:.1f} of 7" in words(one, ".customer")
        assert ("matters and disappoints" in one.get_text()) == row["mend"]
        assert ("moment that matters" in one.get_text()) == (row["moment"] and not row["mend"])
        level = 1 + int(5 * (row["satisfaction"] - 1) / 6)
        assert f"satisfied-{level}" in one["class"]
    assert (
        words(page, "#title-asked-process-steps") == "Matter and disappoint: Get about without the car, Pick the car up"
    )
    assert cells_of(page, "process-steps")[2][-1] == "▼ matters and disappoints"


def test_findings_name_what_segments_differ_in_and_only_where_everybody_is_shown(manager: Staff, analysis: Analysis) -> None:  # fmt: skip
    told = section(manager.open(PAGE), "process-steps").get_text()
    differing = analysis.tables["process_differences"].query("differs and subject == 'process_steps'")
    assert "pay" in set(differing["item"])
    assert re.search("Segments clearly differ in how often they mark: .*Pay", told)
    assert "Segments clearly differ" not in manager.open(PAGE + "&segment=family").get_text()


def test_windows_and_values_are_those_of_the_tables(manager: Staff, analysis: Analysis) -> None:
    page = manager.open(PAGE + "&segment=work")
    windows = analysis.table("process_windows", "work").set_index(["item", "answer"])
    rows = {row[0]: row for row in cells_of(page, "process-service")}
    assert list(rows) == ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    morning = windows.loc["saturday", "morning"]
    assert morning["leads"]
    assert rows["Saturday"][2] == f"★ {morning['share']:.0%} ({morning['low']:.0%} to {morning['high']:.0%})"
    third = analysis.table("window_coverage", "work").iloc[2]
    served = f"{third['share']:.0%} of respondents ({third['low']:.0%} to {third['high']:.0%})"
    assert words(page, "#title-asked-process-coverage") == f"The best 3 windows serve {served}"
    assert cells_of(page, "process-coverage")[2][2] == f"{third['share']:.0%}"
    value = analysis.table("window_value", "work").iloc[2]
    assert f"€{round(value['together'], -2):,.0f}" in words(page, "#title-asked-process-value")
    assert "per 100 customers and year" in words(page, "#title-asked-process-value")
    assert "Here: 4.50 hours" in section(page, "process-value").get_text()


def test_nothing_found_is_said_so(manager: Staff, analysis: Analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    even = {
        "process_steps": analysis.tables["process_steps"].assign(moment=False, mend=False),
        "process_windows": analysis.tables["process_windows"].assign(leads=False),
        "process_differences": analysis.tables["process_differences"].assign(differs=False),
    }
    monkeypatch.setattr(results, "analysis_of", lambda *_: replace(analysis, tables={**analysis.tables, **even}))
    page = manager.open(PAGE)
    assert words(page, "#title-asked-process-steps") == "No step clearly matters more often than the others"
    assert words(page, "#title-asked-process-service") == "No time is asked for clearly more often than the others"
    for mark in ("Segments clearly differ", "▼ matters", "★ 2"):
        assert mark not in page.get_text()


def test_too_few_answers_are_said_so(manager: Staff, analysis: Analysis, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {
        name: table[table["segment"] != "work"].reset_index(drop=True) if name != "segments" else table
        for name, table in analysis.tables.items()
    }
    monkeypatch.setattr(results, "analysis_of", lambda *_: replace(analysis, tables=tables))
    page = manager.open(PAGE + "&segment=work")
    assert sections(page) == CHARTS
    assert len(page.select(".withheld")) == len(CHARTS)
    assert not page.select(".lane, [data-chart], table")


def test_a_study_without_a_process_has_no_such_page(app: Flask, manager: Staff) -> None:
    survey = app.extensions["wtp_surveys"]["workshop"]
    asked = {"moments", "satisfaction", "times"}
    pages = tuple(p for p in survey.definition.pages if p.type != "questions" or p.questions[0].id not in asked)
    app.extensions["wtp_surveys"]["workshop"] = replace(
        survey, definition=survey.definition.model_copy(update={"pages": pages})
    )
    try:
        assert "The customer's process" not in words(manager.open("/results/workshop/answers?lang=en"), ".tabs")
        assert manager.client.get(PAGE).status_code == 404
        assert manager.client.get("/results/workshop/asked-process-steps.json").status_code == 404
    finally:
        app.extensions["wtp_surveys"]["workshop"] = survey


def test_labels_of_steps_stay_text(app: Flask, manager: Staff) -> None:
    survey = app.extensions["wtp_surveys"]["workshop"]
    raw = survey.definition.model_dump()
    raw["process"][0]["label"] = {"en": "<b>Book</b>", "de": "<b>Book</b>"}
    app.extensions["wtp_surveys"]["workshop"] = replace(survey, definition=type(survey.definition).model_validate(raw))
    try:
        assert "&lt;b&gt;Book" in manager.client.get("/results/workshop/asked-process-steps.json").text
        assert not manager.open(PAGE).select(".lane b")
    finally:
        app.extensions["wtp_surveys"]["workshop"] = survey


def test_the_report_has_the_chapter_with_native_charts(app: Flask, analysis: Analysis) -> None:
    survey = app.extensions["wtp_surveys"]["workshop"]
    with app.app_context():
        speak("en")
        report = report_of(
            Reading(survey, analysis, "work", labels_of(survey.definition)), app.extensions["wtp_database"]
        )
    (chapter,) = (one for one in report.chapters if one.name == "The customer's process")
    kinds = []
    for finding in chapter.findings:
        assert finding.rows
        assert finding.figure
        (chart,) = native_charts(finding.figure)
        kinds.append(chart.kind)
        assert any(value is not None for series in chart.series for value in series.values)
    assert kinds == [BARS, BARS, POINTS, BARS, BARS]


@pytest.mark.slow
def test_the_fields_of_a_heat_map_are_in_the_pdf(app: Flask, analysis: Analysis) -> None:
    """Plotly draws them as a picture inside the chart; without it the writer also lost what comes after."""
    survey = app.extensions["wtp_surveys"]["workshop"]
    with app.app_context():
        speak("en")
        report = report_of(
            Reading(survey, analysis, "work", labels_of(survey.definition)), app.extensions["wtp_database"]
        )
    chapters = (one for one in report.chapters if one.name == "The customer's process")
    times = tuple(replace(one, findings=(one.findings[1],)) for one in chapters)
    file = io.BytesIO()
    assert write_pdf(replace(report, chapters=times), file).charts == 1
    saturday = analysis.table("process_windows", "work").query("item == 'saturday' and answer == 'morning'").iloc[0]
    pages = [page for page in PdfReader(file).pages if "Saturday, 9 am to noon" in page.extract_text()]
    assert any(page.images for page in pages)
    assert any(page.extract_text().count(f"★ {saturday['share']:.0%}") == 2 for page in pages), "in chart and table"


def test_the_notebook_draws_the_process_of_every_segment(app: Flask, analysis: Analysis, tmp_path: Path) -> None:
    definition = app.extensions["wtp_surveys"]["workshop"].definition
    written = [cell.text for cell in cells(definition, analysis, "about", "en") if cell.is_code]
    read, charts = written[0], next(code for code in written if code.startswith("from collections.abc"))
    names = read[read.index("labels = {ALL") : read.index("unit =")]
    space: dict[str, Any] = {"definition": definition, "ALL": "all", "LANGUAGE": "en", "HERE": tmp_path, "pd": pd, "analysis": analysis}  # fmt: skip
    exec(names + charts, space)
    for code in written:
        if "process_labels" in code and code != read:
            exec(code, space)
    kept = {path.stem for path in (tmp_path / "figures").glob("*.html")}
    for name in ("process_steps", "service_windows", "service_windows_coverage"):
        assert {f"{name}-{segment}" for segment in ("all", "work", "family", "now_and_then")} <= kept, name
