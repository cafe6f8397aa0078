"""From draft to study: publishing, versions, running interviews, other processes, test links, the end of a study."""

from __future__ import annotations

import os
import shutil
import threading
import tomllib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask

from tests.every import every_question
from tests.web.author import Author, log_in
from wtp.analysis import Request, analyse
from wtp.errors import SurveyError
from wtp.estimation.synthetic import SimulatedRespondent, choose, draw_respondents
from wtp.settings import Settings
from wtp.store import answers, respondents, tables, versions
from wtp.survey import ChoiceTask, Survey
from wtp.survey.editing import edited
from wtp.web import Bot, create_app

ROOT = Path(__file__).parents[2]
SUPPLIER = (ROOT / "surveys/supplier/survey.toml").read_text(encoding="utf-8")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    shutil.copytree(ROOT / "surveys" / "supplier", tmp_path / "surveys" / "supplier")
    return Settings(instance=tmp_path / "instance", surveys=tmp_path / "surveys")


@pytest.fixture
def surveys(settings: Settings) -> Path:
    return settings.surveys


@pytest.fixture
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def author(app: Flask) -> Author:
    return log_in(app, "author")


def publish(author: Author, slug: str) -> None:
    author.go(f"/manage/{slug}/publish")
    reply = author.press("", form=".work form")
    assert (reply.status_code, reply.location) == (303, f"/manage/{slug}/versions?published=1")


def change(author: Author, slug: str, node: str, **typed: Any) -> None:
    author.go(f"/manage/{slug}/edit/{node}")
    assert author.press(typed={name.replace("__", "."): value for name, value in typed.items()}).status_code == 303


def rows(app: Flask, table: sa.Table) -> int:
    with app.extensions["wtp_database"].read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def played(app: Flask, slug: str, count: int, *, token: str | None = None, seed: int = 1) -> list[SimulatedRespondent]:
    """Bots answer through the pages, as real people, or by a token."""
    survey: Survey = app.extensions["wtp_surveys"][slug]
    people = draw_respondents(survey.definition, count, seed)
    for number, person in enumerate(people):
        rng = np.random.default_rng([seed, number])

        def pick(
            task: ChoiceTask, person: SimulatedRespondent = person, rng: np.random.Generator = rng
        ) -> tuple[int, bool]:
            return choose(person, task, rng)

        assert Bot(app.test_client(), survey, token, answers=person.answers, choose=pick).play() == "thanks"
    return people


# End to end


def test_a_study_is_made_published_answered_and_analysed_and_no_file_is_touched_by_hand(
    author: Author, app: Flask, surveys: Path
) -> None:
    author.go("/manage/new")
    author.press(
        "",
        {"source": "product", "slug": "kettles", "title": "Kettles", "languages": "en de", "currency": "CHF"},
        form="main form",
    )
    assert author.path == "/manage/kettles/edit"
    assert author.client.get("/s/kettles").status_code == 404, "nobody can answer a draft"
    assert author.page.select(".todo") == []
    change(author, "kettles", "basics", offer__en="Kettle", offer__de="Wasserkocher", minutes="4")
    change(
        author,
        "kettles",
        "attributes.0",
        **{
            "attributes__0__levels__1__label__en": "Known for long",
            "attributes__0__levels__1__label__de": "Seit langem bekannt",
        },
    )
    change(
        author,
        "kettles",
        "choice_tasks",
        choice_tasks__tasks="6",
        choice_tasks__versions="20",
        choice_tasks__holdouts="0",
        choice_tasks__repeated="0",
    )
    change(author, "kettles", "price", price__levels="150 200 250 300 350", price__current="250")
    change(author, "kettles", "costs", attributes__0__levels__2__unit_cost="11")
    publish(author, "kettles")
    people = played(app, "kettles", 12)
    with app.extensions["wtp_database"].read() as connection:
        found = answers.read_answers(connection, "kettles")
        counts = respondents.counts(connection, "kettles")
    assert (counts.begun, counts.completed, counts.simulated) == (12, 12, 0)
    segments = Counter(person.segment for person in people)
    analysis = analyse(app.extensions["wtp_surveys"]["kettles"], found, Request(model="conditional"))
    shown = analysis.tables["segments"].set_index("segment")["respondents"]
    assert {name: int(shown[name]) for name in segments} == dict(segments)
    assert {file.name for file in (surveys / "kettles").iterdir()} == {"survey.toml", "design.csv"}
    content = tomllib.loads((surveys / "kettles/survey.toml").read_text())
    assert (content["currency"], content["offer"]["de"]) == ("CHF", "Wasserkocher")
    for path in ("/manage", "/manage/kettles", "/results/kettles", "/manage/kettles/field"):
        author.open(path)


def test_a_copy_is_a_study_of_its_own(author: Author, app: Flask, surveys: Path) -> None:
    page = author.go("/manage/new?source=supplier")
    assert page.select_one('input[value="study supplier"][checked]')
    author.press("", {"slug": "second", "title": "Second", "languages": "de", "currency": "EUR"}, form="main form")
    content = tomllib.loads((surveys / "second/survey.draft.toml").read_text())
    assert (content["title"], content["languages"]) == ({"de": "Second"}, ["de"])
    assert "en" not in content["attributes"][0]["label"]
    assert "# Levels are written worst first." in (surveys / "second/survey.draft.toml").read_text()
    publish(author, "second")
    assert app.extensions["wtp_surveys"]["second"].definition.title == {"de": "Second"}
    assert app.extensions["wtp_surveys"]["supplier"].definition.title["en"] == "What makes a good supplier?"


# Versions


def test_versions_tell_what_changed_and_what_it_means(author: Author, app: Flask) -> None:
    change(author, "supplier", "attributes.1", attributes__1__levels__2__label__en="Within 24 hours")
    page = author.go("/manage/supplier/publish")
    told = page.select_one(".diff tbody")
    assert told is not None
    assert [cell.get_text(" ", strip=True) for cell in told.select("th, td")] == [
        "Attribute speed › Level same_day",
        "Words shown (en) : changed",
        "The same day",
        "Within 24 hours",
    ]
    assert "The design still fits" in page.text
    publish(author, "supplier")
    change(author, "supplier", "costs", attributes__1__levels__2__unit_cost="5.5")
    assert "All answers stay with this version" in author.go("/manage/supplier/publish").text
    publish(author, "supplier")
    with app.extensions["wtp_database"].read() as connection:
        found = versions.everything(connection, "supplier")
    assert [(v.number, v.author) for v in found] == [(3, "author"), (2, "author"), (1, None)]
    assert found[0].definition_hash == found[1].definition_hash != found[2].definition_hash
    page = author.go("/manage/supplier/versions?old=1&new=3")
    assert "They ask different things" in page.text
    assert len(page.select(".diff tbody tr")) == 2
    assert "They ask the same" in author.go("/manage/supplier/versions?old=2&new=3").text
    author.press("", form='form[action="/manage/supplier/versions/1"]')
    assert author.path == "/manage/supplier/publish"
    publish(author, "supplier")
    assert app.extensions["wtp_surveys"]["supplier"].source == SUPPLIER, "the first version again, to the letter"


def test_a_publish_from_an_old_page_is_refused(app: Flask, author: Author, surveys: Path) -> None:
    change(author, "supplier", "basics", minutes="11")
    author.go("/manage/supplier/publish")
    change(log_in(app, "other"), "supplier", "basics", minutes="12")
    assert author.press("", form=".work form").status_code == 409
    assert (surveys / "supplier/survey.toml").read_text() == SUPPLIER
    author.go("/manage/supplier/edit")
    author.press("", form='form[action$="/discard"]')
    assert not (surveys / "supplier/survey.draft.toml").exists()


def test_a_slow_design_is_left_to_the_command_and_then_used(author: Author, surveys: Path, settings: Settings) -> None:
    from click.testing import CliRunner

    from wtp.cli import main

    change(
        author,
        "supplier",
        "choice_tasks",
        choice_tasks__method="efficient",
        choice_tasks__versions="4",
        choice_tasks__seconds="30",
    )
    page = author.go("/manage/supplier/publish")
    assert page.select_one(".work code").text == "wtp design --draft surveys/supplier"  # type: ignore[union-attr]
    assert page.select('button[class="button"]') == []
    draft = surveys / "supplier/survey.draft.toml"
    draft.write_text(
        edited(draft.read_text(), {("choice_tasks", "method"): "balanced", ("choice_tasks", "versions"): 400})
    )
    assert author.go("/manage/supplier/publish").select('button[class="button"]') == []
    result = CliRunner().invoke(
        main, ["design", "--draft", str(surveys / "supplier")], env={"WTP_INSTANCE": str(settings.instance)}
    )
    assert result.exit_code == 0, result.output
    assert "A new design was made for this draft" in author.go("/manage/supplier/publish").text
    publish(author, "supplier")
    assert sorted(path.name for path in (surveys / "supplier").iterdir()) == ["design.csv", "survey.toml"]


def test_rules_that_leave_no_task_are_said_and_nothing_is_published(author: Author, surveys: Path) -> None:
    author.go("/manage/supplier/edit/choice_tasks")
    author.press("add choice_tasks.prohibited")
    every = {
        "choice_tasks.prohibited.0.levels.range": ["core", "broad", "one_source"],
        "choice_tasks.prohibited.0.levels.brand": ["new", "known", "leading"],
    }
    author.press(typed=every)
    author.go("/manage/supplier/publish")
    assert author.press("", form=".work form").status_code == 422
    assert "choice_tasks.prohibited[0]" in author.page.select_one(".mistakes").text  # type: ignore[union-attr]
    assert (surveys / "supplier/survey.toml").read_text() == SUPPLIER


# Running interviews (RELIABILITY D9)


def test_publishing_while_people_answer_mixes_nothing(author: Author, app: Flask) -> None:
    """Six people answer, one page a turn, while new versions come out; each finishes on what he began with."""
    survey: Survey = app.extensions["wtp_surveys"]["supplier"]
    people = [Walker(app) for _ in range(6)]
    began: dict[int, str] = {}
    for turn in range(24):
        for number, person in enumerate(people):
            if turn >= 2 * number:
                person.step()
                began.setdefault(number, app.extensions["wtp_surveys"]["supplier"].definition_hash)
        if turn % 6 == 0:
            change(
                author,
                "supplier",
                "attributes.0",
                attributes__0__levels__0__label__en=f"Core {turn}",
                attributes__0__levels__0__label__de=f"Kern {turn}",
            )
            publish(author, "supplier")
    for person in people:
        while not person.done:
            person.step()
    with app.extensions["wtp_database"].read() as connection:
        r, c = tables.respondent.c, tables.choice.c
        asked = dict(connection.execute(sa.select(r.id, r.definition_hash).where(r.consented_at.is_not(None))).all())
        choices = connection.execute(
            sa.select(c.respondent_id, c.definition_hash, sa.func.count()).group_by(c.respondent_id, c.definition_hash)
        ).all()
    assert len(asked) == 6
    assert len(set(asked.values())) >= 3, "they began on different versions"
    assert [(person, asked[person], survey.definition.choice_tasks.total) for person in sorted(asked)] == sorted(
        tuple(row) for row in choices
    )
    for number, person in enumerate(people):
        texts = {text for text in person.read if text.startswith("Core")}
        assert len(texts) == 1, f"person {number} read {texts}"


class Walker:
    """Somebody who answers one page at a time and notes what he reads."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.read: set[str] = set()
        self.done = False
        self.page = self._opened(
            self.client.get("/s/supplier", follow_redirects=True, headers={"Accept-Language": "en"})
        )

    def _opened(self, reply: Any) -> BeautifulSoup:
        assert reply.status_code == 200, reply.status
        page = BeautifulSoup(reply.text, "html.parser")
        self.read |= {level.get_text(strip=True) for level in page.select(".offers .level")}
        self.path = reply.request.path
        self.done = self.path.endswith("/thanks")
        return page

    def step(self) -> None:
        if self.done:
            return
        form = self.page.select_one("main form[method=post]")
        assert form is not None
        data = {str(i["name"]): str(i.get("value", "")) for i in form.select("input[type=hidden]")}
        data |= {str(i["name"]): str(i["value"]) for i in form.select("input[type=checkbox]")}
        for box in form.select("input[type=radio]"):
            data.setdefault(str(box["name"]), str(box["value"]))
        prices = [str(60 + 20 * i) for i in range(4)]
        data |= dict(
            zip([str(i["name"]) for i in form.select("input[type=text]:not([tabindex])")], prices, strict=False)
        )
        self.page = self._opened(
            self.client.post(self.path, data=data, follow_redirects=True, headers={"Accept-Language": "en"})
        )


def test_a_new_design_after_people_began_is_another_version_and_not_a_mistake(
    author: Author, app: Flask, settings: Settings, surveys: Path
) -> None:
    person = Walker(app)
    for _ in range(4):
        person.step()
    change(author, "supplier", "choice_tasks", choice_tasks__tasks="6", choice_tasks__versions="30")
    text = author.go("/manage/supplier/publish").text
    assert "1 person has begun" in text
    assert "A new design is made" in text
    publish(author, "supplier")
    assert app.extensions["wtp_surveys"]["supplier"].definition.choice_tasks.tasks == 6
    while not person.done:
        person.step()
    with app.extensions["wtp_database"].read() as connection:
        (answered,) = answers.read_answers(connection, "supplier").respondents
    assert len(answered.choices) == 13, "as when he began"
    create_app(settings).extensions["wtp_surveys"]["supplier"]
    design = (surveys / "supplier/design.csv").read_text().splitlines()
    (surveys / "supplier/design.csv").write_text("\n".join(design[:1] + design[28:] + [""]))
    assert len(app.extensions["wtp_surveys"]["supplier"].design.versions) == 30, (
        "changed by hand: the last good one stays"
    )
    assert "changed after real respondents began" in author.go("/manage/supplier/edit").text


# Every process sees it, and a broken file takes nothing down


def test_every_process_sees_what_is_published_without_a_restart(author: Author, app: Flask, settings: Settings) -> None:
    others = [create_app(settings) for _ in range(3)]
    change(author, "supplier", "basics", title__en="A new title")
    publish(author, "supplier")
    for other in [app, *others]:
        assert "A new title" in other.test_client().get("/s/supplier", follow_redirects=True).text
    author.go("/manage/new")
    author.press(
        "",
        {"source": "empty", "slug": "fresh", "title": "Fresh", "languages": "en de", "currency": "EUR"},
        form="main form",
    )
    publish(author, "fresh")
    for other in others:
        assert other.test_client().get("/s/fresh", follow_redirects=True).status_code == 200
        assert set(other.extensions["wtp_surveys"]) == {"supplier", "fresh"}


@pytest.mark.parametrize("broken", ["title = [", "", 'format = 1\ntitle = "x"\n', None])
def test_a_broken_file_takes_a_running_study_neither_down_nor_out(
    author: Author, app: Flask, settings: Settings, surveys: Path, broken: str | None
) -> None:
    path = surveys / "supplier/survey.toml"
    path.unlink() if broken is None else path.write_text(broken)
    assert app.test_client().get("/s/supplier", follow_redirects=True).status_code == 200
    if broken is not None:
        told = author.go("/manage/supplier/edit").select_one(".mistakes")
        assert told is not None
        assert "goes on as it last was" in told.text
        again = create_app(settings)
        assert again.extensions["wtp_surveys"]["supplier"].design == app.extensions["wtp_surveys"]["supplier"].design, (
            "a worker that starts meanwhile"
        )
        assert again.test_client().get("/s/supplier", follow_redirects=True).status_code == 200
    path.write_text(SUPPLIER.replace("minutes = 10", "minutes = 14"))
    assert app.extensions["wtp_surveys"]["supplier"].definition.minutes == 14
    assert app.extensions["wtp_surveys"].mistakes("supplier") == ()


def test_a_study_that_was_never_without_a_mistake_does_not_start(settings: Settings) -> None:
    (settings.surveys / "supplier/survey.toml").write_text("title = [")
    with pytest.raises(SurveyError, match="not TOML"):
        create_app(settings)


def test_asking_for_a_survey_reads_its_file_only_when_it_changed(
    app: Flask, monkeypatch: pytest.MonkeyPatch, surveys: Path
) -> None:
    read = []
    whole = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self, *a, **k: read.append(self.name) or whole(self, *a, **k))
    for _ in range(50):
        assert app.extensions["wtp_surveys"]["supplier"].slug == "supplier"
    assert read == []
    os.utime(surveys / "supplier/survey.toml", ns=(1, 1))
    assert app.extensions["wtp_surveys"]["supplier"].slug == "supplier"
    assert read == ["survey.toml", "design.csv"]


def test_readers_never_see_half_of_a_publish(app: Flask, author: Author, settings: Settings) -> None:
    """While versions with other designs come out, another process asks all the time and always has a survey that fits its design."""
    other, stop, seen, wrong = create_app(settings).extensions["wtp_surveys"], threading.Event(), set(), []

    def look() -> None:
        while not stop.is_set():
            survey = other["supplier"]
            seen.add(survey.definition.choice_tasks.tasks)
            if survey.definition.choice_tasks.total != len(survey.design.versions[1]) or other.mistakes("supplier"):
                wrong.append(survey.definition.choice_tasks.tasks)

    reader = threading.Thread(target=look)
    reader.start()
    for tasks in ("4", "5", "6"):
        change(
            author,
            "supplier",
            "choice_tasks",
            choice_tasks__tasks=tasks,
            choice_tasks__versions="10",
            choice_tasks__holdouts="0",
            choice_tasks__repeated="0",
        )
        publish(author, "supplier")
    stop.set()
    reader.join()
    assert other["supplier"].definition.choice_tasks.tasks == 6
    assert wrong == []


# Preview, tests, the end


def test_a_preview_shows_every_page_of_the_draft_in_each_language_and_stores_nothing(
    author: Author, app: Flask
) -> None:
    change(author, "supplier", "pages.1", pages__1__title__en="About you", pages__1__title__de="Über Sie")
    before = {table.name: rows(app, table) for table in tables.metadata.sorted_tables}
    page = author.go("/manage/supplier/preview?step=profile&language=de")
    frames = [str(frame["src"]) for frame in page.select("iframe")]
    assert frames == ["/manage/supplier/preview/de/profile"] * 2
    reply = author.client.get(frames[0])
    assert "frame-ancestors 'self'" in reply.headers["Content-Security-Policy"]
    assert "Über Sie" in reply.text
    assert '<html lang="de">' in reply.text
    assert "frame-ancestors 'none'" in author.client.get("/manage/supplier/preview").headers["Content-Security-Policy"]
    for option in page.select('select[name="step"] option'):
        for language in ("en", "de"):
            frame = author.open(f"/manage/supplier/preview/{language}/{option['value']}")
            assert frame.select_one("h1")
            assert not frame.select('[href^="/s/"], [action^="/s/"]'), "nothing leads to the real study"
    place, walked = "consent", []
    while place != "thanks":
        frame = author.open(f"/manage/supplier/preview/en/{place}")
        data = author.fields(frame.select_one("main form"))  # type: ignore[arg-type]
        place = str(author.client.post(f"/manage/supplier/preview/en/{place}", data=data).location).rpartition("/")[2]
        walked.append(place)
    assert len(walked) == 18
    assert {table.name: rows(app, table) for table in tables.metadata.sorted_tables} == before


def test_answers_by_a_test_link_count_nowhere_and_go_at_one_click(author: Author, app: Flask) -> None:
    played(app, "supplier", 3)
    with app.extensions["wtp_database"].read() as connection:
        real = answers.read_answers(connection, "supplier")
        state = answers.state(connection, "supplier")
        field = {str(row) for row in connection.execute(sa.select(tables.quota))}
    link = author.go("/manage/supplier/tests").select_one(".work a.test-link")
    assert link is not None
    address = str(link["href"]).partition("//")[2].partition("/")[2]
    for key in ("guess", "", "%00"):
        assert app.test_client().get(f"/s/supplier/t/{key}").status_code == 404
    browser = app.test_client()
    reply = browser.get("/" + address, follow_redirects=True)
    assert (reply.status_code, reply.request.path) == (200, "/s/supplier/consent"), address
    page = BeautifulSoup(reply.text, "html.parser")
    assert "Test:" in page.select_one(".banner").text  # type: ignore[union-attr]
    walker = Walker(app)
    walker.client = browser
    walker.page = walker._opened(browser.get("/s/supplier", follow_redirects=True))
    while not walker.done:
        assert "Test:" in walker.page.select_one(".banner").text  # type: ignore[union-attr]
        walker.step()
    with app.extensions["wtp_database"].read() as connection:
        assert answers.read_answers(connection, "supplier").hash == real.hash
        assert answers.state(connection, "supplier") == state
        assert {str(row) for row in connection.execute(sa.select(tables.quota))} == field
        counts = respondents.counts(connection, "supplier")
    assert (counts.begun, counts.completed, counts.tests) == (3, 3, 1)
    assert author.go("/manage/supplier/field").select_one(".facts dd").text == "3"  # type: ignore[union-attr]
    author.go("/manage/supplier/tests")
    author.press("", form=".work form")
    with app.extensions["wtp_database"].read() as connection:
        assert respondents.counts(connection, "supplier").tests == 0
        assert answers.read_answers(connection, "supplier").hash == real.hash
    assert rows(app, tables.respondent) == 3


def test_a_new_id_reaches_what_names_it_and_its_meaning_for_answers_is_told(
    author: Author, app: Flask, surveys: Path
) -> None:
    played(app, "supplier", 1)
    content = tomllib.loads(SUPPLIER)
    number = next(n for n, one in enumerate(content["attributes"]) if one["id"] == "speed")
    author.go(f"/manage/supplier/edit/attributes.{number}")
    author.press(typed={f"attributes.{number}.id": "pace"})
    assert author.page.select(".todo") == []
    draft = app.extensions["wtp_surveys"].folder / "supplier/survey.draft.toml"
    written = tomllib.loads(draft.read_text(encoding="utf-8"))
    assert all(
        "pace" in segment["worth"] and "speed" not in segment["worth"] for segment in written["simulation"]["segments"]
    )
    page = author.go("/manage/supplier/publish?lang=en")
    assert "never counted with the new ones" in page.select_one(".meaning").text  # type: ignore[union-attr]
    assert "attribute added: pace" in page.text
    assert "attribute removed: speed" in page.text
    assert "pace" in page.select_one("table.diff").text  # type: ignore[union-attr]


def test_every_end_can_be_looked_at_by_a_test_link(author: Author, app: Flask, surveys: Path) -> None:
    every_question(surveys, {("panel", "sign_back"): True})
    page, browser = author.go("/manage/every/tests?lang=en"), app.test_client()
    ends = ["/" + str(link["href"]).partition("//")[2].partition("/")[2] for link in page.select("a.test-end")]
    assert [end.partition("?end=")[2] for end in ends] == ["completed", "without_car", "firms"]
    for address, status in zip(ends, ("complete", "out", "full"), strict=True):
        reply = browser.get(address, headers={"Accept-Language": "en"})
        shown = BeautifulSoup(reply.text, "html.parser")
        assert reply.status_code == 200
        assert "Test:" in shown.select_one(".banner").text  # type: ignore[union-attr]
        panel = f"https://panel.example.com/back?status={status}&id=TEST"
        assert shown.select_one("main code").text == panel  # type: ignore[union-attr]
        assert "A test gets none" in shown.select_one("main").text  # type: ignore[union-attr]
        assert not [link for link in shown.select("a") if "panel" in str(link.get("href"))]
    assert "We have enough answers" in shown.select_one("h1").text  # type: ignore[union-attr]
    assert browser.get(ends[0].replace("completed", "nothing")).status_code == 404
    assert browser.get("/s/every/t/guess?end=completed").status_code == 404
    assert rows(app, tables.respondent) == 0


def test_a_paused_study_can_still_be_tried_out(author: Author, app: Flask) -> None:
    author.go("/manage/supplier/field")
    token = author.fields(author.page.select_one("main form"))["csrf_token"]  # type: ignore[arg-type]
    author.client.post("/manage/supplier/state", data={"csrf_token": token, "state": "closed"})
    link = author.go("/manage/supplier/tests").select_one(".work a.test-link")
    address = "/" + str(link["href"]).partition("//")[2].partition("/")[2]  # type: ignore[index]
    assert app.test_client().get("/s/supplier", follow_redirects=True).status_code == 403
    reply = app.test_client().get(address, follow_redirects=True)
    assert (reply.status_code, reply.request.path) == (200, "/s/supplier/consent")


def test_a_study_with_answers_goes_only_with_their_number_typed(
    author: Author, app: Flask, settings: Settings, surveys: Path
) -> None:
    other = create_app(settings)
    played(app, "supplier", 2)
    page = author.go("/manage/supplier/delete")
    assert "2 respondents" in page.text
    for typed in ("", "supplier", "supplier 1", "2"):
        assert author.press("", {"confirm": typed}, form=".work form").status_code == 422
    assert rows(app, tables.respondent) == 2
    author.press("", {"confirm": "supplier 2"}, form=".work form")
    assert author.path == "/manage"
    for one in (app, other):
        assert one.test_client().get("/s/supplier").status_code == 404
        assert "supplier" not in one.extensions["wtp_surveys"]
    assert list(surveys.iterdir()) == []
    left = {
        table.name: rows(app, table) for table in tables.metadata.sorted_tables if table.name not in ("staff", "audit")
    }
    assert set(left.values()) == {0}, left
    author.go("/manage/new")
    author.press(
        "",
        {"source": "empty", "slug": "supplier", "title": "Again", "languages": "en de", "currency": "EUR"},
        form="main form",
    )
    publish(author, "supplier")
    with app.extensions["wtp_database"].read() as connection:
        assert [version.number for version in versions.everything(connection, "supplier")] == [1]


def test_a_copy_keeps_its_answers_when_the_first_is_deleted(author: Author, app: Flask) -> None:
    """Two studies may ask the very same: what one leaves must not take the other's definition along."""
    author.go("/manage/new?source=supplier")
    author.press(
        "",
        {"slug": "second", "title": "What makes a good supplier?", "languages": "en de", "currency": "EUR"},
        form="main form",
    )
    change(author, "second", "basics", title__de="Was macht einen guten Lieferanten aus?")
    publish(author, "second")
    played(app, "second", 1)
    author.go("/manage/supplier/delete")
    author.press("", {"confirm": "supplier"}, form=".work form")
    with app.extensions["wtp_database"].read() as connection:
        (person,) = answers.read_answers(connection, "second").respondents
        assert person.choices
        assert datetime.now(UTC) > person.started_at
    assert app.test_client().get("/s/second", follow_redirects=True).status_code == 200
    assert rows(app, tables.definition) == 1
