"""The design page: statuses that follow the files as they are now, the forecast as it was kept, and everything without script."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask

from tests.web.figures import planned
from tests.web.staff import PASSWORD, Staff
from wtp import __version__
from wtp.analysis import Plan, plan_basis
from wtp.design import search
from wtp.settings import Settings
from wtp.store import respondents, results, staff, tables
from wtp.survey import Survey, load_survey
from wtp.survey.design_file import format_design
from wtp.web import create_app
from wtp.web.security import limiter

SUPPLIER = Path(__file__).parents[2] / "surveys" / "supplier"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A program that was started with the sound files; the page reads them anew each time."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(SUPPLIER, root / "surveys" / "supplier")
    made = create_app(Settings(instance=root / "instance", surveys=root / "surveys"))
    with made.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "analyst", PASSWORD, "analyst")
    return made


@pytest.fixture(scope="module")
def analyst(app: Flask) -> Staff:
    with app.app_context():
        limiter.reset()
    person = Staff(app.test_client(), "analyst")
    assert person.log_in().status_code == 303
    return person


@pytest.fixture
def folder(app: Flask) -> Iterator[Path]:
    """The survey's folder, which is sound again afterwards."""
    found: Path = app.extensions["wtp_settings"].surveys / "supplier"
    yield found
    for name in ("survey.toml", "design.csv"):
        shutil.copy(SUPPLIER / name, found / name)


@pytest.fixture(autouse=True)
def _nothing_planned(app: Flask) -> None:
    with app.extensions["wtp_database"].begin() as connection:
        connection.execute(sa.delete(tables.result))


def keep(app: Flask, plan: Plan) -> None:
    with app.extensions["wtp_database"].begin() as connection:
        results.save_plan(connection, "supplier", plan.to_json(), datetime.now(UTC))


def basis_of(survey: Survey) -> str:
    assert survey.design is not None
    return plan_basis(survey.definition, survey.design, __version__)


def checks(page: BeautifulSoup) -> dict[str, tuple[str, str]]:
    """Status and sentence by check."""
    table = page.select_one("#checks + div table")
    assert table is not None
    found = {}
    for row in table.select("tbody tr"):
        name, status, sentence = row.find_all(["th", "td"])
        (word,) = [text for text in status.stripped_strings if len(text) > 1]
        found[name.get_text(strip=True)] = (word, sentence.get_text(" ", strip=True))
    return found


def opened(person: Staff, language: str = "en") -> BeautifulSoup:
    reply = person.client.get(f"/manage/supplier/design?lang={language}")
    assert reply.status_code == 200
    return BeautifulSoup(reply.text, "html.parser")


def overall(page: BeautifulSoup) -> str:
    found = page.select_one("h1 + p .standing")
    assert found is not None
    return list(found.stripped_strings)[-1]


def test_a_sound_design_with_its_forecast_is_ready(app: Flask, analyst: Staff, folder: Path) -> None:
    keep(app, planned(basis_of(load_survey(folder))))
    page = opened(analyst)
    found = checks(page)
    assert {status for status, _ in found.values()} == {"ready"}
    assert list(found) == [
        "Design file", "Rules", "Part-worths", "Versions", "Level balance", "Pairs of levels", "Overlap", "Positions", "D-error",
        "Dominated alternatives", "Holdouts and repeat", "Expected precision",
    ]  # fmt: skip
    assert found["Part-worths"][1] == "All 13 part-worths can be told apart."
    assert "77% of that of random designs" in found["D-error"][1]
    assert overall(page) == "ready"
    assert "det(M)" in page.get_text(), "the D-error with its definition"
    levels = page.select_one("#levels ~ div table")
    assert levels is not None
    speed = next(row for row in levels.select("tbody tr") if "Speed" in row.get_text())
    assert "Within 5 working days: 1,200" in speed.get_text()
    home = BeautifulSoup(analyst.client.get("/manage/supplier?lang=en").text, "html.parser")
    assert home.select_one("a[href='/manage/supplier/design']") is not None


def test_the_forecast_is_told_in_words_table_chart_and_files(app: Flask, analyst: Staff) -> None:
    plan = planned()
    keep(app, plan)
    page = opened(analyst)
    worth, limit = page.select(".chart-section")
    assert worth.select_one("h3").get_text() == "675 respondents in each segment tell every worth to within ±€2"  # type: ignore[union-attr]
    assert (
        limit.select_one("h3").get_text()
        == "1,200 respondents in each segment tell the price upper limit to within ±€2"
    )  # type: ignore[union-attr]
    rows = [[cell.get_text(strip=True) for cell in row.find_all(["th", "td"])] for row in worth.select("tbody tr")]
    heads = [cell.get_text(strip=True) for cell in worth.select("thead th")]
    assert heads[:3] == ["Segment", "Share", "Respondents needed"]
    uptime = dict(zip(heads, rows[1], strict=True))
    assert (uptime["Share"], uptime["Respondents needed"]) == ("60%", "675")
    assert uptime["with 75"] == "±€6.00", "the widest step: 3 x sqrt(300 / 75)"
    assert uptime["with 300"] == "±€3.00"
    assert (
        dict(
            zip(
                heads, [c.get_text(strip=True) for c in limit.select("tbody tr")[0].find_all(["th", "td"])], strict=True
            )
        )["with 50"]
        == "–"
    )
    assert "Rule of thumb for each segment: 84 respondents" in page.get_text()
    assert "simulated respondents" in page.get_text()
    assert "This is the quick forecast" in page.get_text()
    row = {"segment": "uptime", "quantity": "limit", "respondents": 100, "studies": 3, "ratio": 1.2, "error": 0.04}
    keep(app, replace(plan, final=pd.DataFrame([row, {**row, "segment": "cost", "ratio": 1.3}])))
    final = opened(analyst)
    assert "in 3 simulated studies the hierarchical model told the price upper limit with intervals 1.20 to 1.30 times as wide" in final.get_text()  # fmt: skip
    link = final.select_one("a[href$='plan-final.csv']")
    assert link is not None
    assert "1.3" in analyst.client.get(str(link["href"])).get_data().decode("utf-8-sig")

    chart = json.loads(analyst.client.get("/manage/supplier/design/wtp.json?lang=en").text)
    line = next(trace for trace in chart["data"] if trace.get("name") == "Uptime first")
    assert dict(zip(line["x"], line["y"], strict=True))[75] == pytest.approx(6.0)
    assert "simulated" in chart["layout"]["meta"]["label"]
    written = list(
        csv.DictReader(
            io.StringIO(analyst.client.get("/manage/supplier/design/plan-needed.csv").get_data().decode("utf-8-sig"))
        )
    )
    assert [float(row["needed"]) for row in written] == plan.needed["needed"].tolist()
    assert {row["simulated"] for row in written} == {"True"}


def test_a_forecast_can_be_missing_old_rough_or_without_a_figure(app: Flask, analyst: Staff, folder: Path) -> None:
    basis = basis_of(load_survey(folder))
    status, sentence = checks(opened(analyst))["Expected precision"]
    assert (status, "wtp plan surveys/supplier" in sentence) == ("warning", True)
    assert analyst.client.get("/manage/supplier/design/wtp.json").status_code == 404
    assert analyst.client.get("/manage/supplier/design/plan-needed.csv").status_code == 404
    for plan, wanted, said in (
        (planned("other"), "out of date", "another version of survey or design"),
        (planned(basis, ratio=1.3), "warning", "more than 15 per cent off"),
        (planned(basis, withheld=True), "warning", "For some figures there is no forecast"),
    ):
        keep(app, plan)
        page = opened(analyst)
        status, sentence = checks(page)["Expected precision"]
        assert (status, said in sentence) == (wanted, True), sentence
        assert overall(page) == wanted
    assert [h.get_text() for h in page.select(".chart-section h3")][
        1
    ] == "Not every figure can be told as precisely as wanted"


def test_a_design_that_no_longer_fits_is_out_of_date(analyst: Staff, folder: Path) -> None:
    path = folder / "survey.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("tasks = 10", "tasks = 9"), encoding="utf-8")
    page = opened(analyst)
    status, sentence = checks(page)["Design file"]
    assert (status, overall(page)) == ("out of date", "out of date")
    assert "wtp design surveys/supplier" in sentence
    assert "version 1: found tasks 10 estimation" in page.select_one(".notes").get_text()  # type: ignore[union-attr]
    assert "D-error" not in checks(page), "nothing is claimed of a design that does not fit"
    path.write_text(text, encoding="utf-8")
    assert checks(opened(analyst))["Design file"][0] == "ready"


def test_a_rule_that_came_later_makes_it_out_of_date(analyst: Staff, folder: Path) -> None:
    path = folder / "survey.toml"
    text = path.read_text(encoding="utf-8")
    rule = 'versions = 120\nprohibited = [{ levels = { speed = ["same_day"] }, prices = [80] }]\n'
    path.write_text(text.replace("versions = 120\n", rule), encoding="utf-8")
    status, sentence = checks(opened(analyst))["Rules"]
    assert status == "out of date"
    assert "of 1,560 tasks break the rules" in sentence


def test_a_design_that_real_respondents_do_not_get_is_said(app: Flask, analyst: Staff, folder: Path) -> None:
    survey = load_survey(folder)
    assert survey.design is not None
    database = app.extensions["wtp_database"]
    with database.begin() as connection:
        respondents.begin(
            connection, "supplier", "token", definition_hash=survey.definition_hash, design_version=1, tasks=survey.design.versions[1],
            language="en", consent_hash=survey.definition.consent_hash, now=datetime.now(UTC), simulated=False,
        )  # fmt: skip
    (folder / "design.csv").write_text(format_design(search(survey.definition, 2), survey.definition), encoding="utf-8")
    status, sentence = checks(opened(analyst))["Design file"]
    with database.begin() as connection:
        connection.execute(sa.delete(tables.respondent))
    assert (status, "Publish the change as a new version" in sentence) == ("out of date", True)


def test_without_a_design_nothing_can_be_asked(analyst: Staff, folder: Path) -> None:
    (folder / "design.csv").unlink()
    page = opened(analyst)
    assert checks(page)["Design file"][0] == overall(page) == "unusable"
    assert page.select_one("#levels") is None


def test_mistakes_in_the_survey_make_the_check_fail(analyst: Staff, folder: Path) -> None:
    path = folder / "survey.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("minutes = 10", "minuts = 10"), encoding="utf-8")
    page = opened(analyst)
    assert checks(page)["Design file"][0] == overall(page) == "failed"
    assert "minuts" in page.select_one(".notes").get_text()  # type: ignore[union-attr]


def test_it_speaks_german(app: Flask, analyst: Staff) -> None:
    keep(app, planned())
    page = opened(analyst, "de")
    assert checks(page)["Erwartete Genauigkeit"][0] == "veraltet"
    assert (
        page.select(".chart-section h3")[0]
        .get_text()
        .startswith("675 Befragte in jedem Segment bestimmen jeden Wert auf ±2")
    )
    assert overall(page) == "veraltet"
