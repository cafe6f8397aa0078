"""The analysts' pages on a study that was fielded: counts, what the estimates rest on, and everything to take away, the same everywhere."""

from __future__ import annotations

import base64
import dataclasses
import io
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from flask import Flask

from tests.fielded import RESPONDENTS, SURVEYS, fielded
from tests.web.staff import PASSWORD, Staff
from wtp.analysis import Analysis, Request, analyse
from wtp.export import FORMATS
from wtp.settings import Settings
from wtp.store import Database, answers, staff
from wtp.survey import Answers, Survey
from wtp.web import create_app, results
from wtp.web.accounts import READERS
from wtp.web.analyses import analysis_of
from wtp.web.security import limiter

MINUS = str.maketrans({"−": "-", "\u2060": "", "€": "", "%": "", "\xa0": "", ",": ""})


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(fielded(tmp_path_factory.mktemp("instance")))


@pytest.fixture
def database(app: Flask) -> Database:
    kept: Database = app.extensions["wtp_database"]
    return kept


@pytest.fixture
def analyst(app: Flask) -> Staff:
    return log_in(app)


def log_in(app: Flask, name: str = "analyst") -> Staff:
    with app.app_context():
        limiter.reset()
    person = Staff(app.test_client(), name)
    assert person.log_in().status_code == 303
    return person


@pytest.fixture(scope="module")
def survey(app: Flask) -> Survey:
    found: Survey = app.extensions["wtp_surveys"]["supplier"]
    return found


def found_in(database: Database) -> Answers:
    with database.read() as connection:
        return answers.read_answers(connection, "supplier")


def figures(text: str) -> list[float]:
    """The numbers of a cell as a person reads them in English."""
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text.translate(MINUS))]


def rows_of(page: BeautifulSoup, section: int = 0) -> list[list[str]]:
    table = page.select("main table")[section]
    return [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in table.select("tbody tr")]


def drawn(figure: dict[str, Any], trace: int, axis: str, error: str = "") -> list[float]:
    """The numbers of a trace as the browser unpacks them."""
    place = figure["data"][trace]
    packed = place[f"error_{axis}"][error] if error else place[axis]
    return np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"]).tolist()


def test_all_studies_stand_with_their_counts(app: Flask, analyst: Staff) -> None:
    rows = {row[0]: row[1:] for row in rows_of(analyst.open("/manage?lang=en"))}
    assert set(rows) == {s.definition.title["en"] for s in app.extensions["wtp_surveys"].values()}
    assert rows["What makes a good supplier?"] == [str(RESPONDENTS)] * 3


def test_a_study_says_what_it_consists_of_and_what_it_rests_on(
    analyst: Staff, database: Database, survey: Survey
) -> None:
    page = analyst.open("/manage/supplier?lang=en")
    text = page.get_text(" ", strip=True)
    assert survey.design is not None
    for fact in (survey.definition_hash, survey.design.hash, str(len(survey.design.versions)), "https://study.example/s/supplier"):  # fmt: skip
        assert fact in text
    analysis = analysis_of(database, survey)
    quality = analysis.tables["segments"]
    for shown, (_, row) in zip(rows_of(page), quality.iterrows(), strict=True):
        assert [figures(shown[1]), figures(shown[2])] == [[row["respondents"]], [row["choice_tasks"]]]
        if pd.notna(row["hit_rate"]):
            assert figures(shown[3]) == [round(100 * row["hit_rate"]), round(100 * row["chance"])]
            assert figures(shown[6]) == [pytest.approx(row["mcfadden"], abs=0.0005)]
        else:
            assert figures(shown[3]) == figures(shown[6]) == [], "a dash, not nan"
    for note in analysis.notes:
        assert str(note) in text
    summaries = [pre.get_text() for pre in page.select("details pre")]
    assert summaries == list(analysis.summaries.values())


@pytest.mark.parametrize(
    "path",
    [
        "/manage/supplier",
        "/results/supplier",
        *(f"/results/supplier/{name}" for name in results.PAGES if name != results.CONTACTS),
    ],
)
def test_every_page_says_in_both_languages_that_the_answers_are_simulated(analyst: Staff, path: str) -> None:
    for language, sentence in (
        ("en", f"{RESPONDENTS} of {RESPONDENTS} respondents are simulated"),
        ("de", "simuliert"),
    ):
        (banner, *_) = analyst.open(f"{path}?lang={language}").select(".banner")
        assert sentence in banner.get_text(" ", strip=True)


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.mark.parametrize(
    ("export", "suffix", "media"),
    [
        ("csv", "zip", "application/zip"), ("xlsx", "xlsx", XLSX), ("json", "json", "application/json"),
        ("choices", "csv", "text/csv"), ("sav", "zip", "application/zip"), ("biogeme", "zip", "application/zip"),
    ],
)  # fmt: skip
def test_a_download_is_named_labelled_whole_and_not_kept_on_the_way(
    analyst: Staff, export: str, suffix: str, media: str
) -> None:
    links = analyst.open("/manage/supplier/exports").select(f"a[href$='exports/{export}']")
    assert len(links) == 1
    reply = analyst.client.get(str(links[0]["href"]))
    name = reply.headers["Content-Disposition"].removeprefix("attachment; filename=")
    assert re.fullmatch(rf"supplier-{export}-\d{{4}}-\d\d-\d\d-[0-9a-f]{{8}}-simulated\.{suffix}", name)
    assert (reply.mimetype, reply.headers["Cache-Control"]) == (media, "no-store")
    assert reply.content_length == len(reply.data) > 1_000


def test_the_downloads_hold_every_answer_and_the_same_figures(
    analyst: Staff, database: Database, survey: Survey
) -> None:
    found, analysis = found_in(database), analysis_of(database, survey)
    content = analyst.client.get("/manage/supplier/exports/csv").data
    assert content == analyst.client.get("/manage/supplier/exports/csv").data
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        tables = {n.removesuffix(".csv"): archive.read(n) for n in archive.namelist() if n.endswith(".csv")}
    choices = pd.read_csv(io.BytesIO(tables["choices"]), encoding="utf-8-sig")
    shown = survey.definition.choice_tasks.alternatives
    assert len(choices) == sum(len(r.choices) for r in found.respondents) * shown
    assert choices["simulated"].all()
    assert analyst.client.get("/manage/supplier/exports/choices").data == tables["choices"]
    workbook = analyst.client.get("/manage/supplier/exports/xlsx").data
    book = openpyxl.load_workbook(io.BytesIO(workbook), read_only=True)
    assert set(book.sheetnames) == set(tables) | {"about", "charts"}
    for name, table in analysis.tables.items():
        written = pd.read_csv(io.BytesIO(tables[name]), encoding="utf-8-sig")
        assert (written["simulated_respondents"] == RESPONDENTS).all()
        for column in table.select_dtypes("number"):
            assert np.array_equal(written[column], table[column], equal_nan=True), f"{name}.{column}"
        assert len(list(book[name].iter_rows())) == len(table) + 1


def test_every_file_stands_in_the_list_in_both_languages(analyst: Staff) -> None:
    for language, head in (("en", "For whom"), ("de", "Für wen")):
        page = analyst.open(f"/manage/supplier/exports?lang={language}")
        assert head in page.get_text(" ", strip=True)
        rows = rows_of(page) + rows_of(page, 1)
        assert len(rows) == len(FORMATS)
        assert all(re.search(r"\d\xa0(kB|MB)", row[2]) for row in rows)
    assert f"{RESPONDENTS} von {RESPONDENTS}" in page.get_text(" ", strip=True)
    links = {str(link["href"]).partition("?")[0] for link in page.select("td a[href*='/exports/']")}
    assert links == {f"/manage/supplier/exports/{name}" for name in FORMATS}


def test_answers_alone_hold_no_figure(analyst: Staff) -> None:
    reply = analyst.client.get("/manage/supplier/exports/csv?figures=no")
    assert "-csv-answers-" in reply.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(reply.data)) as archive:
        names = {name.removesuffix(".csv") for name in archive.namelist() if name.endswith(".csv")}
    assert names == {"respondents", "choices", "times", "codebook", "levels", "design"}


def test_a_file_that_cannot_be_finished_is_an_error_and_no_half_file(
    analyst: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(source: object, file: Any, language: str | None) -> None:
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(FORMATS, "csv", dataclasses.replace(FORMATS["csv"], write=breaks))
    analyst.client.application.config["PROPAGATE_EXCEPTIONS"] = False
    try:
        reply = analyst.client.get("/manage/supplier/exports/csv")
    finally:
        del analyst.client.application.config["PROPAGATE_EXCEPTIONS"]
    assert reply.status_code >= 500
    assert b"half of it" not in reply.data


def test_table_download_and_chart_show_the_same_worth(app: Flask, database: Database, survey: Survey) -> None:
    manager = log_in(app, "manager")
    kept = pd.read_csv(
        io.StringIO(manager.client.get("/results/supplier/willingness_to_pay.csv").text.lstrip("\ufeff"))
    )
    for segment in ("all", "uptime"):
        csv = kept[kept["segment"] == segment]
        table = rows_of(manager.open(f"/results/supplier/worth?segment={segment}&lang=en"))
        chart = manager.client.get(f"/results/supplier/worth.json?segment={segment}&lang=en").get_json()
        middle = np.asarray(drawn(chart, 0, "x"))
        assert middle.tolist() == csv["estimate"].tolist()
        assert middle - drawn(chart, 0, "x", "arrayminus") == pytest.approx(csv["low"])
        assert middle + drawn(chart, 0, "x", "array") == pytest.approx(csv["high"])
        assert chart["data"][0]["y"] == [f"{row[0]}: {row[2]}" for row in table]
        step = 10 ** np.floor(np.log10((csv["high"] - csv["low"]).median() / 20))
        for row, (_, exact) in zip(table, csv.iterrows(), strict=True):
            assert figures(row[3]) == pytest.approx([exact["estimate"]], abs=step / 2 + 1e-9)
            assert figures(row[4]) == pytest.approx([exact["low"], exact["high"]], abs=step / 2 + 1e-9)


def test_table_and_chart_show_the_same_importance_and_shares(app: Flask, database: Database, survey: Survey) -> None:
    manager = log_in(app, "manager")
    rows = {row[0]: row for row in rows_of(manager.open("/results/supplier/importance?lang=en"))}
    chart = manager.client.get("/results/supplier/importance.json?lang=en").get_json()
    names, bars = chart["data"][0]["y"], drawn(chart, 0, "x")
    assert set(rows) == set(names)
    for name, value in zip(names, bars, strict=True):
        assert figures(rows[name][1]) == pytest.approx([value], abs=0.0501)
    assert sum(bars) == pytest.approx(100)
    shares = {
        figures(row[0])[0]: figures(row[1])[0] for row in rows_of(manager.open("/results/supplier/price?lang=en"))
    }
    chart = manager.client.get("/results/supplier/demand.json?lang=en").get_json()
    line = dict(zip(drawn(chart, 1, "x"), drawn(chart, 1, "y"), strict=True))
    assert set(shares) == set(survey.definition.price.levels)
    assert {price: 100 * line[price] for price in shares} == pytest.approx(shares, abs=0.501)


def test_a_price_that_did_not_matter_shows_no_money_and_says_why(
    app: Flask, database: Database, survey: Survey, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(11)

    def at_random(people: Answers) -> Answers:
        changed = tuple(
            dataclasses.replace(r, choices=tuple(dataclasses.replace(c, chosen=int(rng.integers(1, 4)), buys=bool(rng.integers(2))) for c in r.choices))
            for r in people.respondents
        )  # fmt: skip
        return dataclasses.replace(people, respondents=changed)

    careless = analyse(survey, at_random(found_in(database)), Request(model="conditional"))
    monkeypatch.setattr(results, "analysis_of", lambda database, survey, *_: careless)
    manager = log_in(app, "manager")
    for page in ("worth", "price", "invest"):
        opened = manager.open(f"/results/supplier/{page}?lang=en")
        reason = opened.select_one(".withheld")
        assert reason is not None, page
        assert "price" in reason.get_text().lower()
        notes = opened.select_one(".notes")
        assert notes is not None
        assert "price" in notes.get_text().lower()
    for chart in ("worth", "demand", "invest"):
        reply = manager.client.get(f"/results/supplier/{chart}.json")
        assert reply.status_code == 404, f"{chart}: {reply.text[:300]}"
    cards = manager.open("/results/supplier?lang=en").select(".card")
    assert not re.search(r"€\s*\d", " ".join(card.get_text() for card in cards))
    worth = manager.client.get("/results/supplier/willingness_to_pay.csv").text.lstrip("\ufeff")
    assert pd.read_csv(io.StringIO(worth))["estimate"].isna().all()


PAYLOAD = "<img src=x onerror=alert(1)>{{ 7 * 7 }}</script>"


def test_an_authors_hostile_words_stay_words_from_the_file_to_the_download(tmp_path: Path) -> None:
    folder = tmp_path / "surveys" / "supplier"
    shutil.copytree(SURVEYS / "supplier", folder)
    text = (folder / "survey.toml").read_text(encoding="utf-8")
    for words in ("What makes a good supplier?", "Financing", "Uptime first", "Pay per use", "per month", "I decide"):
        assert f'en = "{words}"' in text
        text = text.replace(f'en = "{words}"', f'en = "={PAYLOAD}"')
    (folder / "survey.toml").write_text(text, encoding="utf-8")
    app = create_app(Settings(instance=tmp_path / "instance", surveys=folder.parent))
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "analyst", PASSWORD, "analyst")
    person = log_in(app)
    for path in (
        "/manage",
        "/manage/supplier",
        "/results",
        "/results/supplier",
        "/results/supplier/worth?segment=uptime",
    ):
        page = person.open(f"{path}{'&' if '?' in path else '?'}lang=en")
        assert PAYLOAD in page.get_text(), path
        assert not page.select("img, [onerror], script:not([src])"), path
    codebook = openpyxl.load_workbook(io.BytesIO(person.client.get("/manage/supplier/exports/xlsx").data))["codebook"]
    cells = [cell for row in codebook.iter_rows() for cell in row if PAYLOAD in str(cell.value)]
    assert cells
    assert all(cell.data_type == "s" and not str(cell.value).startswith("=") for cell in cells)


def test_roles_see_the_links_that_they_may_open(app: Flask) -> None:
    for role in READERS:
        person = log_in(app, role)
        links = {str(a["href"]) for path in ("/results", "/results/supplier") for a in person.open(path).select("a")}
        assert ("/manage" in links) == ("/manage/supplier" in links) == (role != "manager"), role
        inside = {link for link in links if link.startswith("/") and not link.endswith((".csv", "/report.pdf"))}
        assert all(person.client.get(link).status_code == 200 for link in inside)


def test_the_analysis_is_kept(analyst: Staff, database: Database, survey: Survey) -> None:
    first: Analysis = analysis_of(database, survey)
    assert analysis_of(database, survey) is first
    assert first.answers_hash == found_in(database).hash
