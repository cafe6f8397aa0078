"""The page of before and after: only for a later wave, of figures of one kind, with what was done in between and the plain words on what that proves."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from flask import Flask

from tests.web.conftest import SURVEYS
from tests.web.figures import wave, with_ratings
from tests.web.staff import Staff
from wtp.analysis import Analysis, Request
from wtp.settings import Settings
from wtp.store import Database, measures
from wtp.store.measures import Grounds, Plan
from wtp.survey import Survey
from wtp.web import waves
from wtp.web.i18n import speak
from wtp.web.reading import Reading, labels_of
from wtp.web.report import report_of

LogIn = Callable[[str], Staff]
PAGE = "/results/later/since-before"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The supplier study and a later wave of it."""
    for slug in ("supplier", "later"):
        shutil.copytree(SURVEYS / "supplier", tmp_path / "surveys" / slug)
    survey = tmp_path / "surveys/later/survey.toml"
    survey.write_text(f'follows = "supplier"\n{survey.read_text(encoding="utf-8")}', encoding="utf-8")
    return Settings(instance=tmp_path / "instance", surveys=tmp_path / "surveys")


@pytest.fixture
def manager(app: Flask, staffed: LogIn, monkeypatch: pytest.MonkeyPatch) -> Staff:
    """Speed is rated 0.8 higher in the later wave, where something was done."""
    surveys, database = app.extensions["wtp_surveys"], app.extensions["wtp_database"]
    for slug in ("supplier", "later"):
        monkeypatch.setitem(surveys._read, slug, replace(surveys._read[slug], survey=with_ratings(surveys[slug])))
    found = {"supplier": wave(surveys["supplier"], simulated=100), "later": wave(surveys["later"], speed=4.8)}
    for module in ("results", "manage", "waves"):
        monkeypatch.setattr(f"wtp.web.{module}.analysis_of", lambda _, survey, *__: found[survey.slug])
    days = {"supplier": "2026-03-01 2026-03-20", "later": "2027-03-01 2027-03-20"}
    between = {slug: tuple(datetime.fromisoformat(day).date() for day in both.split()) for slug, both in days.items()}
    monkeypatch.setattr("wtp.store.respondents.asked_between", lambda _, slug: between[slug])
    plan = Plan("process", "Answer <within> a day", "speed", "Bo", None, "", "done", done_on=between["supplier"][1])
    with database.begin() as connection:
        measures.add(connection, "supplier", plan, Grounds("invest", "uptime", "Invest", "en"), submission="a", who="Bo", now=datetime.now(UTC))  # fmt: skip
    return staffed("manager")


def rows(page: BeautifulSoup, chart: str) -> list[list[str]]:
    section = page.select_one(f"#title-{chart}")
    assert section is not None
    assert section.parent is not None
    return [[cell.get_text().replace("\u2060", "") for cell in row.select("th, td")] for row in section.parent.select("tbody tr")]  # fmt: skip


def test_what_moved_is_told_with_what_was_done(manager: Staff) -> None:
    page = manager.open(f"{PAGE}?segment=uptime&lang=en")
    title = page.select_one("#title-since_performance")
    assert title is not None
    assert title.get_text() == "How this company is rated: Speed of problem solving moved by +0.80 (0.52 to 1.08)"
    assert rows(page, "since_performance") == [
        ["Speed of problem solving", "4.00 (3.80 to 4.20)", "4.80 (4.60 to 5.00)", "+0.80 (0.52 to 1.08)", "rose", "Answer <within> a day (done)"],
        ["Brand", "4.50 (4.30 to 4.70)", "4.50 (4.30 to 4.70)", "0.00 (−0.28 to 0.28)", "no clear change", ""],
    ]  # fmt: skip
    effects = rows(page, "since_effects")
    assert ["Uptime first, How this company is rated – Speed of problem solving", "+0.80 (0.52 to 1.08)"] in [row[:2] for row in effects]  # fmt: skip
    assert {row[3] for row in effects if "rated" in row[0]} == {"Cost first, Growth first"}
    assert {row[-1] for row in effects} == {"more than elsewhere"}
    notes = " ".join(page.select_one(".notes").get_text().split())  # type: ignore[union-attr]
    for said in ("by chance alone", "regression to the mean", "Other people answered", "no cause can be named"):
        assert said in notes
    assert "100 of 800 respondents are simulated" in page.select_one(".banner").get_text()  # type: ignore[union-attr]
    assert page.select(".waves dd")[0].get_text().startswith("What makes a good supplier? (supplier): Mar 1, 2026 – Mar 20, 2026")  # fmt: skip


def test_every_chart_and_table_has_the_same_figures(manager: Staff) -> None:
    page = manager.open(f"{PAGE}?segment=uptime&lang=en")
    charts = [str(chart["data-chart"]) for chart in page.select("[data-chart]")]
    assert {address.partition(".json")[0].rpartition("/")[2] for address in charts} == {
        *(f"since_{name}" for name in ("performance", "gap", "worth", "price_limit", "importance", "stated", "mix")),
    }  # fmt: skip
    for address in charts:
        figure = json.loads(manager.client.get(address).text)
        assert [trace["name"] for trace in figure["data"]] == ["Before", "After"]
        assert "simulated" in figure["layout"]["meta"]["label"].lower()
    for link in page.select(".downloads a[href$='csv'], .downloads a[href*='.csv?']"):
        table = pd.read_csv(io.BytesIO(manager.client.get(str(link["href"])).data), encoding="utf-8-sig")
        assert (table["simulated_respondents"] == 100).all()
    waves_table = pd.read_csv(io.BytesIO(manager.client.get(f"{PAGE}/waves.csv").data), encoding="utf-8-sig")
    own = waves_table[(waves_table["figure"] == "performance") & (waves_table["segment"] == "uptime")].set_index("attribute")  # fmt: skip
    assert own.loc["speed", "difference"] == pytest.approx(0.8)
    assert manager.client.get(f"{PAGE}/since_left_out.json").status_code == 404
    assert manager.client.get(f"{PAGE}/segments.csv").status_code == 404


def test_only_a_later_wave_has_the_page(manager: Staff) -> None:
    assert manager.client.get("/results/supplier/since-before").status_code == 404
    for slug, tabs in (("supplier", 0), ("later", 1)):
        assert len(manager.open(f"/results/{slug}").select(".tabs a[href*='since-before']")) == tabs


def test_a_finding_of_both_waves_leads_to_a_measure_and_back(manager: Staff) -> None:
    page = manager.open(f"{PAGE}?segment=uptime&lang=en")
    link = page.select_one("a[href*='/measures/new/since_performance']")
    assert link is not None
    form = manager.open(str(link["href"]))
    assert "moved by +0.80" in form.select_one("[name=finding]")["value"]  # type: ignore[index,operator]
    back = form.select_one(".actions a")
    assert back is not None
    assert back["href"] == f"{PAGE}?segment=uptime#title-since_performance"


def test_final_figures_stand_against_final_ones_alone(manager: Staff, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    surveys, asked = app.extensions["wtp_surveys"], list[tuple[str, Request]]()
    mixed = {"supplier": wave(surveys["supplier"]), "later": wave(surveys["later"], estimator="conditional")}
    monkeypatch.setattr(waves, "analysis_of", lambda _, survey, *__: mixed[survey.slug])

    def quick(_: Database, survey: Survey, request: Request) -> Analysis:
        asked.append((survey.slug, request))
        return wave(survey, estimator="conditional", speed=4.0 + (survey.slug == "later"))

    monkeypatch.setattr(waves, "analysis_as", quick)
    page = manager.open(f"{PAGE}?segment=uptime&lang=en")
    assert rows(page, "since_performance")[0][3].startswith("+1.00")
    assert asked == [(slug, Request(model="conditional")) for slug in ("supplier", "later")]
    assert "Quick figures, one average taste" in [dd.get_text() for dd in page.select(".waves dd")]


@pytest.mark.parametrize("change", ["no measure", "measure for everybody", "nothing comparable"])
def test_without_a_comparison_no_cause_is_named(manager: Staff, app: Flask, monkeypatch: pytest.MonkeyPatch, change: str) -> None:  # fmt: skip
    surveys, database = app.extensions["wtp_surveys"], app.extensions["wtp_database"]
    said = {"no measure": "No measure was done between the two waves here.", "measure for everybody": "so no cause can be named"}  # fmt: skip
    if change == "nothing comparable":
        definition = surveys["later"].definition
        other: dict[str, Any] = {"currency": "USD", "segments": (), "attributes": definition.attributes[:2]}
        gone = replace(surveys["later"], definition=definition.model_copy(update=other))
        monkeypatch.setitem(surveys._read, "later", replace(surveys._read["later"], survey=gone))
        page = manager.open(f"{PAGE}?lang=en")
        told = [row[0] for row in rows(page, "since_left_out")]
        assert told.count("Attribute") == 4
        assert {"Amounts", "Segment"} <= set(told)
        return
    with database.begin() as connection:
        (one,) = measures.of_study(connection, "supplier")
        measures.change(connection, "supplier", one.id, replace(one.plan, state="dropped"), seen=one.changed_at, who="Bo", now=datetime.now(UTC))  # fmt: skip
        if change == "measure for everybody":
            plan = replace(one.plan, attribute=None)
            measures.add(connection, "supplier", plan, replace(one.grounds, segment="all"), submission="b", who="Bo", now=datetime.now(UTC))  # fmt: skip
    page = manager.open(f"{PAGE}?segment=uptime&lang=en")
    section = page.select_one("#title-since_effects")
    assert section is not None
    assert section.parent is not None
    assert said[change] in section.parent.get_text()


def test_the_report_has_both_waves(manager: Staff, app: Flask) -> None:
    survey = app.extensions["wtp_surveys"]["later"]
    for fingerprint, there in (("", True), ("kept", False)):
        with app.app_context():
            speak("de")
            reading = Reading(survey, wave(survey, speed=4.8), "uptime", labels_of(survey.definition))
            made = report_of(reading, app.extensions["wtp_database"], fingerprint)
        chapters = {chapter.name: chapter for chapter in made.chapters}
        assert ("Vorher und nachher" in chapters) == there, "a kept analysis has no earlier one"
        if there:
            finding = chapters["Vorher und nachher"].findings[0]
            assert finding.title.startswith("Wie dieses Unternehmen bewertet wird: Schnelle Problemlösung")
            assert finding.lead == "Simulierte Antworten: 100 von 800 Befragten beider Wellen"
            assert finding.figure is not None
