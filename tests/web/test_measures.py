"""Measures on the pages: from every finding to a recorded measure, nothing typed is lost, nothing is recorded twice, and what the finding says today stands beside what it said."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.web.staff import Staff, hidden
from wtp.analysis import Analysis, simulated_measures
from wtp.store import Database, audit, measures
from wtp.store.measures import LONGEST, Grounds, Measure, Plan
from wtp.web import exports, manage, record_simulated, results
from wtp.web.exports import source_of
from wtp.web.i18n import speak
from wtp.web.reading import Reading, labels_of
from wtp.web.report import report_of

LogIn = Callable[[str], Staff]
Show = Callable[..., Analysis]
LIST = "/results/supplier/measures"
NEW = f"{LIST}/new/invest?segment=uptime&lang=en"
TYPED = {"title": "Answer within two hours", "kind": "process", "attribute": "speed", "owner": "Dana", "due_on": "2026-12-31", "expected": "Fewer calls", "state": "running"}  # fmt: skip


@pytest.fixture
def manager(staffed: LogIn, shown: Show) -> Staff:
    shown(simulated=400)
    return staffed("manager")


def text(page: BeautifulSoup, selector: str) -> str:
    found = page.select_one(selector)
    assert found is not None, selector
    return " ".join(found.get_text().replace("\u2060", "").split())


def send(person: Staff, path: str, page: BeautifulSoup, **typed: str) -> TestResponse:
    """Press the button of the open form."""
    form = page.select_one("form.measure-form")
    assert form is not None
    fields = {str(f["name"]): str(f.get("value", "")) for f in form.select("input[name]")}
    return person.client.post(path, data=MultiDict(fields | typed))


def kept(database: Database) -> tuple[Measure, ...]:
    with database.read() as connection:
        return measures.of_study(connection, "supplier")


def keep(database: Database, *, plan: Plan | None = None, **grounds: str) -> None:
    usual = {"chart": "worth", "segment": "uptime", "finding": "Speed is worth most", "language": "en"}
    with database.begin() as connection:
        measures.add(
            connection, "supplier", plan or Plan("offer", "Same day", "speed", "Bo", None, ""), Grounds(**usual | grounds),
            submission=str(grounds), who="ann", now=datetime(2026, 11, 1, tzinfo=UTC),
        )  # fmt: skip


@pytest.mark.parametrize("page", ["importance", "worth", "price", "invest"])
def test_every_section_leads_to_a_form_with_its_finding(manager: Staff, page: str) -> None:
    opened = manager.open(f"/results/supplier/{page}?segment=uptime&without=none&lang=en")
    sections = [s for s in opened.select(".chart-section") if s.select_one("table")]
    assert sections
    for section in sections:
        link = section.select_one("a[href*='/measures/new/']")
        assert link is not None
        assert {"segment=uptime", "without=none"} <= set(str(link["href"]).partition("?")[2].split("&"))
        form = manager.open(str(link["href"]))
        finding = form.select_one("[name=finding]")
        assert finding is not None
        assert finding["value"] == text(section, "h2") == text(form, ".measure-form dd")
        assert "without=none" in str(form.select_one("form.measure-form")["action"])  # type: ignore[index]
    assert manager.client.get(f"{LIST}/new/part_worths?segment=cost").status_code == 404, "withheld there"
    assert manager.client.get(f"{LIST}/new/unknown").status_code == 404


def test_a_decided_attribute_brings_its_forecast(manager: Staff) -> None:
    page = manager.open(NEW)
    assert page.select_one("#attribute [selected]")["value"] == "speed"  # type: ignore[index]
    forecast = "Forecast of the analysis: “The same day” gains €230,000 a year (€120,000 to €340,000). From simulated answers."  # fmt: skip
    assert text(page, "#expected") == forecast
    other = send(manager, NEW, page, **TYPED | {"attribute": "design"}, do="forecast")
    again = BeautifulSoup(other.text, "html.parser")
    assert other.status_code == 200
    assert text(again, "#expected") == forecast.replace("The same day", "Plain and proven")
    assert again.select_one("#title")["value"] == TYPED["title"], "what was typed stays"  # type: ignore[index]
    undecided = send(manager, NEW, page, **TYPED | {"attribute": "brand"}, do="forecast")
    assert text(BeautifulSoup(undecided.text, "html.parser"), "#expected") == "Fewer calls"
    assert text(manager.open(f"{LIST}/new/worth?lang=en"), "#expected") == ""


def test_a_double_click_records_once_and_the_log_has_it(manager: Staff, database: Database) -> None:
    page = manager.open(NEW)
    first, second = (send(manager, NEW, page, **TYPED) for _ in range(2))
    (measure,) = kept(database)
    assert first.status_code == second.status_code == 303
    assert first.location == second.location == f"{LIST}?segment=uptime#measure-{measure.id}"
    assert (measure.plan.kind, measure.plan.attribute, str(measure.plan.due_on)) == ("process", "speed", "2026-12-31")
    assert measure.grounds == Grounds("invest", "uptime", "Invest in Speed of problem solving; save on Design and technology", "en")  # fmt: skip
    assert (measure.made_by, measure.simulated) == ("manager", False)
    with database.read() as connection:
        (entry,) = audit.entries(connection, "supplier")
    assert (entry.who, entry.action) == ("manager", audit.MEASURE_ADDED)
    shown = manager.open(f"{LIST}?lang=en")
    assert text(shown, "h1 + p") == "1 measure: 1 under way"
    assert {"Uptime first", "Speed of problem solving", "Dana", "Dec 31, 2026", "Fewer calls"} <= {dd.get_text() for dd in shown.select(".measure dd")}  # fmt: skip
    link = shown.select_one(".measure dd a")
    assert link is not None
    assert link["href"] == "/results/supplier/invest?segment=uptime#title-invest"


def test_a_measure_leads_back_to_the_same_answers_of_now(manager: Staff, database: Database) -> None:
    """Whose answers were counted is kept with the finding; that the figures were kept ones is not, since it is the finding of now that matters."""
    path = "/results/supplier/measures/new/worth?segment=uptime&without=none&lang=en"
    assert send(manager, path, manager.open(path), **TYPED).status_code == 303
    (measure,) = kept(database)
    assert measure.grounds.query == "without=none"
    link = manager.open(f"{LIST}?lang=en").select_one(".measure dd a")
    assert link is not None
    assert link["href"] == "/results/supplier/worth?segment=uptime&without=none#title-worth"


def test_nothing_typed_is_lost_on_a_mistake(manager: Staff, database: Database) -> None:
    for wrong, said in (
        ({"title": " "}, "Say in a few words"),
        ({"owner": ""}, "Name the person"),
        ({"due_on": "31.12."}, "Enter a day"),
        ({"expected": "x" * (LONGEST["expected"] + 1)}, "At most 500 characters"),
        ({"title": "x" * (LONGEST["title"] + 1)}, "At most 200 characters"),
        ({"kind": "party"}, "Not a valid choice"),
    ):
        typed = TYPED | wrong
        reply = send(manager, NEW, manager.open(NEW), **typed)
        page = BeautifulSoup(reply.text, "html.parser")
        assert reply.status_code == 422
        assert said in text(page, ".message")
        assert page.select_one("[role=alert]") is not None
        for name in ("title", "owner", "due_on"):
            assert str(page.select_one(f"#{name}")["value"]).strip() == typed[name].strip()  # type: ignore[index]
        assert text(page, "#expected") == typed["expected"]
        assert page.select_one("#attribute [selected]")["value"] == "speed"  # type: ignore[index]
    assert not kept(database)
    german = send(manager, NEW, manager.open(NEW), **TYPED | {"due_on": "31.12.2026"})
    assert german.status_code == 303, "as people there write a day"


def test_whoever_did_not_see_a_change_is_shown_it(manager: Staff, database: Database) -> None:
    keep(database)
    (measure,) = kept(database)
    path = f"{LIST}/{measure.id}?lang=en"
    mine, theirs = manager.open(path), manager.open(path)
    typed = {"title": "Same day", "kind": "offer", "attribute": "speed", "owner": "Bo", "expected": "", "state": "done"}
    assert send(manager, path, theirs, **typed, outcome="Runs").location.endswith(f"#measure-{measure.id}")
    reply = send(manager, path, mine, **typed | {"state": "dropped"}, outcome="Too dear")
    page = BeautifulSoup(reply.text, "html.parser")
    assert reply.status_code == 409
    assert "Runs" in text(page, "[role=alert]")
    assert text(page, "#outcome") == "Too dear"
    assert kept(database)[0].plan.state == "done"
    assert send(manager, path, page, **typed | {"state": "dropped"}, outcome="Too dear").status_code == 303
    (dropped,) = kept(database)
    assert (dropped.plan.state, dropped.plan.outcome, dropped.plan.done_on) == ("dropped", "Too dear", None)
    assert text(manager.open(f"{LIST}?lang=en"), "#state-dropped") == "Dropped 1", "given up, and still there"
    for number in ("99", str(10**12)):
        assert manager.client.get(f"{LIST}/{number}").status_code == 404


def test_what_the_finding_says_today_stands_beside_it(app: Flask, manager: Staff, shown: Show, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    database = app.extensions["wtp_database"]
    title = text(manager.open("/results/supplier/worth?segment=uptime&lang=en"), "#title-worth")
    german = text(manager.open("/results/supplier/worth?segment=uptime&lang=de"), "#title-worth")
    keep(database, finding=title)
    keep(database, finding=german, language="de")
    for language in ("en", "de"):
        assert not manager.open(f"{LIST}?lang={language}").select(".moved"), "the same in the language of its recording"
    analysis = shown()
    worth = analysis.tables["willingness_to_pay"]
    other = replace(analysis, tables={**analysis.tables, "willingness_to_pay": worth[worth["attribute"] != "speed"]})
    for module in (results, manage):
        monkeypatch.setattr(module, "analysis_of", lambda *_: other)
    page = manager.open(f"{LIST}?lang=en")
    moved = [found.get_text() for found in page.select(".moved")]
    assert len(moved) == 2
    assert all("The finding has changed since." in said for said in moved)
    assert {found.get_text() for found in page.select("dd > a")} == {title, german}
    keep(database, finding="Of a segment that is gone", segment="gone")
    (gone,) = (one for one in kept(database) if one.grounds.segment == "gone")
    assert "The results have no such finding any more." in text(manager.open(f"{LIST}?lang=en"), f"#measure-{gone.id} .moved")  # fmt: skip


def test_what_is_late_is_said_in_words(manager: Staff, database: Database) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    keep(database, plan=Plan("training", "Hotline training", None, "Bo", yesterday, ""))
    page = manager.open(f"{LIST}?lang=en")
    assert text(page, ".overdue").endswith("– overdue")
    assert text(page, "h1 + p") == "1 measure: 1 planned, 1 overdue"
    assert "überfällig" in text(manager.open(f"{LIST}?lang=de"), ".overdue")


def test_tables_exports_and_report_have_them(app: Flask, manager: Staff, shown: Show, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    database, survey = app.extensions["wtp_database"], app.extensions["wtp_surveys"]["supplier"]
    keep(database, plan=Plan("offer", "=1+1", "speed", "Bo", None, "More"))
    table = pd.read_csv(io.BytesIO(manager.client.get(f"{LIST}/measures.csv").data), encoding="utf-8-sig")
    assert table[["title", "segment", "attribute", "state", "finding", "overdue"]].to_numpy().tolist() == [["'=1+1", "uptime", "speed", "planned", "Speed is worth most", False]]  # fmt: skip
    analysis = shown()
    monkeypatch.setattr(exports, "analysis_of", lambda *_: analysis)
    for name in ("csv", "xlsx", "parquet", "sav", "json"):
        with source_of(database, survey, figures=True) as source:
            exports.FORMATS[name].write(source, file := io.BytesIO(), "en")
        if name == "csv":
            assert "measures.csv" in zipfile.ZipFile(file).namelist()
        if name == "xlsx":
            sheet = pd.read_excel(file, sheet_name=None)
            book = sheet["codebook"][sheet["codebook"]["table"] == "measures"]
            assert set(sheet["measures"].columns) == set(book["column"])
            assert sheet["measures"]["expected"].tolist() == ["More"]
    with source_of(database, survey, figures=False) as source:
        assert not source.beside, "findings are figures"
    for segment, count in (("all", 1), ("uptime", 1), ("cost", 0)):
        with app.app_context():
            speak("en")
            report = report_of(Reading(survey, analysis, segment, labels_of(survey.definition)), database)
        chapters = [chapter for chapter in report.chapters if chapter.name == "Measures"]
        assert len(chapters) == count
        for chapter in chapters:
            (finding,) = chapter.findings
            assert finding.head == ("Measure", "State", "For", "Who sees to it", "Finding then", "Expected effect")
            assert finding.rows == (("=1+1 (Offer)", "Planned", "Uptime first, Speed of problem solving", "Bo, no day set", "Speed is worth most", "More"),)  # fmt: skip


def test_a_forged_form_is_refused(manager: Staff, database: Database) -> None:
    page = manager.open(NEW)
    for wrong in ({"submission": ""}, {"state": "lost"}):
        assert send(manager, NEW, page, **TYPED | wrong).status_code == 422
    token = hidden(page)["csrf_token"]
    assert manager.client.post(NEW, data=MultiDict(TYPED | {"csrf_token": token[:-1]})).status_code == 400
    assert (
        manager.client.post(
            NEW.replace("/invest", "/nothing"), data=MultiDict(TYPED | {"csrf_token": token})
        ).status_code
        == 404
    )
    assert not kept(database)
    assert send(manager, NEW, page, **TYPED | {"finding": "Whatever somebody wants to read"}).status_code == 303
    assert [one.grounds.finding == "Whatever somebody wants to read" for one in kept(database)] == [False]


def test_made_up_measures_are_marked_wherever_they_are(app: Flask, manager: Staff, database: Database) -> None:
    survey, now = app.extensions["wtp_surveys"]["supplier"], datetime(2026, 11, 1, tzinfo=UTC)
    made_up = simulated_measures(survey.definition, now.date(), 1)
    assert made_up["state"].tolist() == ["planned", "running", "running", "done", "dropped"]
    assert made_up["attribute"].is_unique
    for _ in range(2):
        count = record_simulated(app, survey, made_up, now)
        assert len(kept(database)) == count >= 2, "only where the pages have a finding, and once"
    assert all(measure.simulated for measure in kept(database))
    page = manager.open(f"{LIST}?lang=en")
    assert len(page.select(".measure .tag")) == count
    assert not page.select(".moved"), "each has the finding of the pages"
    assert manager.open(f"{LIST}?lang=en").select_one(".note") is not None
