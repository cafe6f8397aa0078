"""Labelled alternatives on the pages: what an offer does not have says so to eye and ear, the stored answer keeps it, and every page of the study can be read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from flask import Flask, Response

from tests.simulated import modes, simulated
from tests.web.staff import PASSWORD, ROLES, Staff
from tests.web.test_results import words
from wtp.analysis import Analysis, Request, analyse
from wtp.analysis.choice_frame import choice_data, choice_frame
from wtp.analysis.what_if import Simulator, pack_simulator, unpack_simulator
from wtp.estimation import ConditionalLogit
from wtp.estimation.synthetic import choose, draw_respondents
from wtp.export.codebook import codebook
from wtp.export.formats import FORMATS
from wtp.export.frames import choices_frame
from wtp.settings import Settings
from wtp.store import answers as kept
from wtp.store import respondents, staff
from wtp.survey import Answers, Survey
from wtp.survey.labels import belongs, labels_of
from wtp.web import Bot, create_app, results, what_if
from wtp.web.security import limiter

SEEN: list[str] = []  # every page that the application gave
NOTHING = {"en": "does not apply", "de": "entfällt"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    surveys = tmp_path_factory.mktemp("surveys")
    modes(surveys)
    app = create_app(Settings(instance=tmp_path_factory.mktemp("instance"), surveys=surveys))

    @app.after_request
    def look(reply: Response) -> Response:
        if reply.mimetype == "text/html":
            SEEN.append(reply.get_data(as_text=True))
        return reply

    with app.extensions["wtp_database"] as database:
        with database.begin() as connection:
            for role in ROLES:
                staff.add(connection, role, PASSWORD, role)
        yield app


@pytest.fixture(scope="module")
def survey(app: Flask) -> Survey:
    found: Survey = app.extensions["wtp_surveys"]["modes"]
    return found


@pytest.fixture(scope="module")
def analysis(survey: Survey) -> Analysis:
    return analyse(survey, simulated(survey, 120), Request(model="conditional"))


@pytest.fixture
def analyst(app: Flask) -> Staff:
    with app.app_context():
        limiter.reset()
    person = Staff(app.test_client(), "analyst")
    assert person.log_in().status_code == 303
    return person


def played(app: Flask, survey: Survey, language: str, seed: int = 3) -> tuple[Answers, list[BeautifulSoup]]:
    """One simulated person answers the whole survey by what the pages show; and the pages of choice tasks."""
    person, rng = draw_respondents(survey.definition, 1, seed)[0], np.random.default_rng(seed)
    database, token = app.extensions["wtp_database"], respondents.new_token()
    with database.begin() as connection:
        respondents.invite(connection, "modes", token, simulated=True, now=datetime.now(UTC))
    client = app.test_client()
    SEEN.clear()
    client.get(f"/s/modes/consent?lang={language}")
    Bot(client, survey, token, answers=person.answers, choose=lambda task: choose(person, task, rng)).play()
    pages = [BeautifulSoup(text, "html.parser") for text in SEEN if 'table class="offers"' in text]
    with database.read() as connection:
        return kept.read_answers(connection, "modes"), pages


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_an_offer_lacks_says_so_and_is_stored_as_nothing(app: Flask, survey: Survey, language: str) -> None:
    found, pages = played(app, survey, language)
    respondent = found.respondents[-1]
    assert respondent.completed_at is not None
    assert len(respondent.choices) == survey.definition.choice_tasks.total
    shown = {c.order: c.task for c in respondent.choices}
    assert len(pages) >= len(shown)
    titles = {a.label[language]: a for a in survey.definition.attributes}
    for page in pages:
        heads = [cell.get_text(strip=True) for cell in page.select("table.offers thead th")][1:]
        assert heads[0] == survey.definition.attributes[0].label[language], "the label comes first"
        lacking = 0
        for row in page.select("table.offers tbody tr"):
            cells = row.select("td")
            label = next(
                x.id
                for x in titles[heads[0]].levels
                if x.label[language] == cells[0].select_one(".level").get_text(strip=True)
            )  # type: ignore[union-attr]
            described = str(row.select_one("input")["aria-describedby"]).split()  # type: ignore[index]
            for head, cell in zip(heads[:-1], cells[:-1], strict=True):
                attribute, level = titles[head], cell.select_one(".level")
                assert level is not None
                assert cell["id"] in described
                if attribute.only and label not in attribute.only:
                    lacking += 1
                    assert "lacking" in level["class"]
                    eye, ear = level.select("span")
                    assert (eye.get_text(), eye["aria-hidden"]) == ("–", "true")
                    assert (ear.get_text(), ear["class"]) == (NOTHING[language], ["hidden"])
                else:
                    assert level.get_text(strip=True) in {x.label[language] for x in attribute.levels}
        assert lacking == 5, "seat of two, changes of one, parking of two"
        for line in page.select(".your-choice"):
            assert NOTHING[language] not in line.get_text()
            assert "–" not in line.get_text()
    for task in shown.values():
        assert {a.levels["mode"] for a in task.alternatives} == set(labels_of(survey.definition))
        assert all(belongs(survey.definition, a.levels) for a in task.alternatives)


def test_an_attribute_that_no_offer_has_is_not_shown(app: Flask, survey: Survey) -> None:
    """With fewer offers than labels a task may be without cars, and then nobody reads of parking."""
    from wtp.web.visit import Visit

    tasks = next(iter(survey.design.versions.values()))  # type: ignore[union-attr]
    offers = [a for a in tasks[0].alternatives if a.levels["mode"] != "car"]
    visit = Visit("modes", "", survey.definition, (), None, None, {})  # type: ignore[arg-type]
    assert [a.id for a in visit.attributes_of(offers)] == ["mode", "time", "seat", "transfers"]
    assert [a.id for a in visit.attributes_of(tasks[0].alternatives)] == [a.id for a in survey.definition.attributes]


def test_exported_choices_and_codebook_tell_the_empty_cells(app: Flask, survey: Survey) -> None:
    found = simulated(survey, 5)
    frame = choices_frame(survey.definition, found)
    for attribute in survey.definition.attributes:
        there = frame["mode"].isin(attribute.only or labels_of(survey.definition))
        assert (frame[attribute.id].notna() == there).all()
    book = pd.DataFrame(codebook(survey.definition))
    rows = book[(book["table"] == "choices") & (book["code"] == "")].set_index("column")["missing"]
    assert "do not have it" in rows["seat"]
    assert rows["time"] == ""


@pytest.mark.parametrize("language", ["en", "de"])
def test_result_pages_name_the_label_of_every_amount(
    app: Flask, survey: Survey, analysis: Analysis, analyst: Staff, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "analysis_of", lambda database, survey, *_: analysis)
    analyst.client.get(f"/results?lang={language}")
    home = analyst.open("/results/modes")
    addresses = {str(a["href"]).split("#")[0] for a in home.select('a[href^="/results/modes"]')}
    charts = [path for path in sorted(addresses) if "." not in path]
    assert len(charts) >= 3
    text, figures = "", 0
    for path in charts:
        page = analyst.open(path)
        shown = words(page, "main")
        text += shown
        for raw in ("time (", "price (", "(rail)", "h3"):
            assert raw not in shown, f"{path}: {raw}"
        for chart in page.select("[data-chart]"):
            drawn = analyst.client.get(str(chart["data-chart"]))
            assert drawn.status_code == 200, chart["data-chart"]
            assert "(rail)" not in drawn.text
            figures += 1
    assert figures >= 6
    assert {"en": "Travel time, Coach", "de": "Reisezeit, Fernbus"}[language] in text
    assert {"en": "Price, Train", "de": "Preis, Bahn"}[language] in text
    assert {"en": "compare whole offers", "de": "Vergleichen Sie ganze Angebote"}[language] in text


def test_a_what_if_keeps_each_offer_to_its_label(
    app: Flask, survey: Survey, analyst: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = {"all": ConditionalLogit(choice_data(survey.definition, choice_frame(survey.definition, simulated(survey, 120).respondents))).fit()}  # fmt: skip
    monkeypatch.setattr(what_if, "simulator_of", lambda *_: unpack_simulator(pack_simulator(Simulator(fits))))
    monkeypatch.setattr(
        results, "analysis_of", lambda *_: analyse(survey, simulated(survey, 40), Request(model="conditional"))
    )
    page = analyst.open("/results/modes/what-if")
    fields = {str(field["name"]) for field in page.select("main select[name]")}
    assert {"own-seat", "own-time", "rental-parking", "coach-transfers"} <= fields
    assert not {"own-parking", "rental-seat", "coach-seat"} & fields
    assert [o["value"] for o in page.select('select[name="own-mode"] option')] == ["rail"]
    assert [o["value"] for o in page.select('select[name="coach-time"] option')] == ["h5", "h4"]
    assert NOTHING["en"] in words(page, "main")
    changed = analyst.open("/results/modes/what-if?own-seat=reserved&own-price=50")
    assert "%" in words(changed, "#figures")


def test_the_design_page_and_the_workbench_can_be_read(analyst: Staff, survey: Survey) -> None:
    page = analyst.open("/manage/modes/design")
    shown = words(page, "main")
    assert "Reserved" in shown
    assert "In a garage" in shown
    for part in ("choice_tasks", "attributes.2", "price", "simulation"):
        form = analyst.open(f"/manage/modes/edit/{part}")
        assert form.select(".todo") == []
    plan = analyst.open("/manage/modes/edit/choice_tasks")
    picked = plan.select_one('select[name="choice_tasks.labels"] option[selected]')
    assert picked is not None
    assert picked["value"] == "mode"
    ticks = analyst.open("/manage/modes/edit/attributes.2").select('input[type=checkbox][name="attributes.2.only"]')
    assert {str(t["value"]): t.has_attr("checked") for t in ticks} == {"rail": True, "car": False, "bus": False}
    preview = analyst.open("/manage/modes/preview/en/choices-1")
    assert preview.select(".lacking")


def test_the_export_of_the_study_is_whole(app: Flask, analyst: Staff) -> None:
    reply = analyst.client.get("/manage/modes/exports/csv?figures=no")
    assert reply.status_code == 200
    with zipfile.ZipFile(io.BytesIO(reply.data)) as archive:
        design = next(name for name in archive.namelist() if "design" in name)
        text = archive.read(design).decode("utf-8-sig")
    frame = pd.read_csv(io.StringIO(text))
    assert frame.loc[frame["mode"] == "car", "seat"].isna().all()
    assert frame.loc[frame["mode"] == "car", "parking"].notna().all()


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_export_takes_empty_cells(app: Flask, survey: Survey, analyst: Staff, name: str) -> None:
    played(app, survey, "en")
    reply = analyst.client.get(f"/manage/modes/exports/{name}{'' if FORMATS[name].needs_figures else '?figures=no'}")
    assert reply.status_code == 200
    assert len(reply.data) > 100
