"""The pages "Said and chosen" and "Answers": a section for everything that was asked and nothing else, its chart, its table, its download, in both languages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from flask import Flask

from tests.simulated import every_question, one_record, simulated
from tests.web.staff import PASSWORD, Staff
from tests.web.test_results import words
from wtp.analysis import Analysis, Request, analyse
from wtp.settings import Settings
from wtp.store import staff
from wtp.web import create_app, results
from wtp.web.security import limiter

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    surveys = tmp_path_factory.mktemp("surveys")
    every_question(surveys)
    one_record(surveys)
    shutil.copytree(SUPPLIER, surveys / "supplier")
    return surveys


@pytest.fixture(scope="module")
def app(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    app = create_app(Settings(instance=tmp_path_factory.mktemp("instance"), surveys=place))
    with app.extensions["wtp_database"] as database:
        with database.begin() as connection:
            staff.add(connection, "manager", PASSWORD, "manager")
        yield app


@pytest.fixture(scope="module")
def analyses(app: Flask) -> dict[str, Analysis]:
    """Of 120 simulated respondents of each study."""
    surveys = app.extensions["wtp_surveys"]
    quick = Request(model="conditional")
    found = {slug: analyse(surveys[slug], simulated(surveys[slug], 120), quick) for slug in ("every", "one")}
    return {**found, "supplier": analyse(surveys["supplier"], simulated(surveys["supplier"], 40), quick)}


@pytest.fixture
def manager(app: Flask, analyses: dict[str, Analysis], monkeypatch: pytest.MonkeyPatch) -> Staff:
    monkeypatch.setattr(results, "analysis_of", lambda database, survey, *_: analyses[survey.slug])
    with app.app_context():
        limiter.reset()
    person = Staff(app.test_client(), "manager")
    assert person.log_in().status_code == 303
    return person


def sections(page: BeautifulSoup) -> list[str]:
    return [str(h["id"]).removeprefix("title-asked-") for h in page.select(".chart-section h2")]


def rows(page: BeautifulSoup, chart: str) -> list[list[str]]:
    (title,) = page.select(f"#title-asked-{chart}")
    assert title.parent is not None
    return [[c.get_text(strip=True) for c in row.select("th, td")] for row in title.parent.select("tbody tr")]


def test_each_thing_asked_has_a_section_and_nothing_else(manager: Staff) -> None:
    assert sections(manager.open("/results/every/said")) == ["methods", "rank", "points", "matters", "offer", "kano"]
    answered = ["has_car", "brands", "age", "cars", "old_car", "satisfied", "slots", "words"]
    assert sections(manager.open("/results/every/answers")) == answered
    assert sections(manager.open("/results/one/said")) == ["methods", "sorting", "rated", "budget", "places", "kano"]
    assert sections(manager.open("/results/supplier/said")) == ["methods"]
    assert sections(manager.open("/results/supplier/answers")) == ["core_problem", "employees", "role", "importance"]


def test_pages_that_a_study_does_not_need_are_not_there(app: Flask, manager: Staff) -> None:
    survey = app.extensions["wtp_surveys"]["supplier"]
    pages = tuple(
        page for page in survey.definition.pages if page.type != "questions"
    )  # fmt: skip
    bare = survey.definition.model_copy(update={"pages": pages, "segments": ()})
    app.extensions["wtp_surveys"]["supplier"] = replace(survey, definition=bare)
    try:
        tabs = words(manager.open("/results/supplier/importance?lang=en"), ".tabs")
        assert "Said and chosen" not in tabs
        assert "Answers" not in tabs
        assert manager.client.get("/results/supplier/said").status_code == 404
    finally:
        app.extensions["wtp_surveys"]["supplier"] = survey


@pytest.mark.parametrize("slug", ["every", "one"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_each_section_says_its_finding_and_has_chart_table_and_download(
    manager: Staff, analyses: dict[str, Analysis], slug: str, language: str
) -> None:
    for name in ("said", "answers"):
        page = manager.open(f"/results/{slug}/{name}?lang={language}")
        assert page.html is not None
        assert page.html["lang"] == language
        for section in page.select(".chart-section"):
            title = words(section, "h2")
            if section.select(".withheld"):
                continue
            assert len(section.select("thead th")) >= 2, title
            assert all(
                len(row.select("th, td")) == len(section.select("thead th")) for row in section.select("tbody tr")
            )
            (download,) = section.select(".downloads a[download]")
            reply = manager.client.get(str(download["href"]))
            assert reply.status_code == 200
            assert "simulated_respondents" in reply.text.split("\n")[0]
            for chart in section.select("[data-chart]"):
                figure = manager.client.get(str(chart["data-chart"]))
                assert figure.status_code == 200
                finding = unescape(figure.json["layout"]["meta"]["finding"])  # type: ignore[index]
                assert " ".join(finding.split()) == title
                assert figure.json["data"], title  # type: ignore[index]


def test_the_comparison_in_words(
    manager: Staff, analyses: dict[str, Analysis], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = analyses["one"]
    table = own.tables["methods"].copy()
    said = (table["segment"] == "all") & (table["method"] == "ratings")
    table.loc[(table["segment"] == "all") & table["verdict"].ne(""), "verdict"] = "agree"
    table.loc[said & (table["attribute"] == "design"), "verdict"] = "said_more"
    table.loc[said & (table["attribute"] == "speed"), "verdict"] = "chosen_more"
    spoilt = replace(own, tables={**own.tables, "methods": table})
    monkeypatch.setattr(results, "analysis_of", lambda database, survey, *_: spoilt)
    page = manager.open("/results/one/said?lang=en")
    assert words(page, "h2") == "Said important, does not pay: Design and technology. Pays, though not said: Speed of problem solving"  # fmt: skip
    by_attribute = {row[0]: row[-1] for row in rows(page, "methods")}
    assert by_attribute["Design and technology"] == "said important, does not pay"
    assert by_attribute["Speed of problem solving"] == "pays, though not said"
    assert "Choices – Ratings of importance: much the same order, rank correlation" in words(page, ".findings")
    german = manager.open("/results/one/said?lang=de")
    assert words(german, "h2").startswith("Wichtig genannt, zahlt sich nicht aus: Design")


def test_the_same_figures_in_page_and_table(manager: Staff, analyses: dict[str, Analysis]) -> None:
    page = manager.open("/results/every/answers?lang=en")
    table = analyses["every"].table("answer_shares", "all")
    chain = table[(table["question"] == "brands") & (table["answer"] == "chain")].iloc[0]
    found = {row[0]: row for row in rows(page, "brands")}
    assert found["A chain"] == ["A chain", str(chain["count"]), f"{chain['share']:.0%}", f"{chain['low']:.0%} to {chain['high']:.0%}"]  # fmt: skip
    age = analyses["every"].table("answer_numbers", "all").set_index("question").loc["age"]
    assert words(page, "#title-asked-age") == f"The median is {age['middle']:.0f} years ({age['low']:.0f} to {age['high']:.0f} years)"  # fmt: skip
    assert "How many cars has the company of your …?" in page.get_text()
    assert "simulated answer" not in page.get_text(), "texts are counted, not shown"


def test_a_small_segment_says_that_there_are_too_few_answers(
    manager: Staff, analyses: dict[str, Analysis], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = {
        name: table[table["segment"] != "company"].reset_index(drop=True) if name != "segments" else table
        for name, table in analyses["every"].tables.items()
    }
    few = replace(analyses["every"], tables=spoilt)
    monkeypatch.setattr(results, "analysis_of", lambda database, survey, *_: few)
    for name in ("said", "answers"):
        page = manager.open(f"/results/every/{name}?segment=company&lang=en")
        assert len(page.select(".withheld")) == len(page.select(".chart-section"))
        assert not page.select("[data-chart], table")


def test_charts_that_are_not_there(manager: Staff) -> None:
    for chart in ("asked-nothing", "asked-words", "asked-versions", "nothing", "asked-"):
        assert manager.client.get(f"/results/every/{chart}.json").status_code == 404, chart


def test_labels_stay_text_in_charts(app: Flask, manager: Staff) -> None:
    survey = app.extensions["wtp_surveys"]["every"]
    raw = survey.definition.model_dump()
    brands = next(q for page in raw["pages"] for q in page.get("questions", ()) if q["id"] == "brands")
    brands["options"][0]["label"] = {"en": "<b>Maker</b>", "de": "<b>Maker</b>"}
    spoilt = type(survey.definition).model_validate(raw)
    app.extensions["wtp_surveys"]["every"] = replace(survey, definition=spoilt)
    try:
        reply = manager.client.get("/results/every/asked-brands.json")
        assert "&lt;b&gt;Maker" in reply.text
        assert "<b>Maker" not in reply.text
    finally:
        app.extensions["wtp_surveys"]["every"] = survey


def test_versions_are_listed_and_every_link_keeps_the_choice(
    manager: Staff, analyses: dict[str, Analysis], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows_ = [
        ("now1", "current", 80, "", None, None, None),
        ("old1", "counted", 30, "words speed.label", 1.1, 0.9, 1.3),
        ("old2", "not_counted", 10, "level_added speed.same_day; level_removed speed.one_hour; level_removed brand.x", None, None, None),
        ("old3", "different", 5, "unreadable", None, None, None),
    ]  # fmt: skip
    columns = ["version", "use", "respondents", "changes", "price_ratio", "low", "high"]
    table = pd.DataFrame(rows_, columns=columns).assign(segment="all")
    own = replace(analyses["one"], tables={**analyses["one"].tables, "versions": table})
    asked: list[str] = []

    def found(database: object, survey: object, chosen: str = "", versions: str = "same") -> Analysis:
        asked.append(versions)
        return own

    monkeypatch.setattr(results, "analysis_of", found)
    page = manager.open("/results/one/answers?lang=en&versions=all&segment=all")
    assert asked[-1] == "all"
    assert words(page, "#title-asked-versions") == "110 of 125 respondents are counted, of 4 versions"
    listed = rows(page, "versions")
    assert listed[1] == ["old1", "counted", "30", "1.10", "0.90 to 1.30", "words: speed.label"]
    assert listed[2][-1] == "level added: speed.same_day; level removed: speed.one_hour, brand.x"
    assert listed[3][-1] == "cannot be read any more"
    links = [
        str(a["href"])
        for a in page.select(".tabs a, .downloads a")
        if "/results/" in str(a["href"]) and not str(a["href"]).endswith("/final")
    ]
    charts = [str(div["data-chart"]) for div in page.select("[data-chart]")]
    assert all("versions=all" in link for link in links + charts)
    (switch,) = page.select("nav[aria-label='Versions that are counted']")
    assert words(switch, "[aria-current]") == "All versions that can be pooled"
    assert [str(a["href"]).partition("versions=")[2].partition("&")[0] for a in switch.select("a")] == [
        "same",
        "current",
        "all",
    ]
    assert manager.open("/results/one?lang=en").select("nav[aria-label='Versions that are counted']")
    assert asked[-1] == "same"
    assert manager.client.get("/results/one/answers?versions=nonsense").status_code == 404
    monkeypatch.setattr(results, "analysis_of", lambda database, survey, *_: analyses["one"])
    assert not manager.open("/results/one/answers").select("nav[aria-label='Versions that are counted']")
