"""The author's workbench: a study is written, checked, published and tried out in the browser, and no file is touched by hand."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.web.author import Author, log_in
from wtp.settings import Settings
from wtp.survey import Definition
from wtp.survey.look import Look
from wtp.survey.stopping import Stopping
from wtp.web import create_app
from wtp.web.workbench import schema, words

ROOT = Path(__file__).parents[2]


@pytest.fixture
def surveys(tmp_path: Path) -> Path:
    folder = tmp_path / "surveys"
    folder.mkdir()
    for slug in ("supplier", "workshop"):
        shutil.copytree(ROOT / "surveys" / slug, folder / slug)
    shutil.copytree(ROOT / "tests" / "every_question", folder / "every_question")
    return folder


@pytest.fixture
def app(surveys: Path, tmp_path: Path) -> Flask:
    return create_app(Settings(instance=tmp_path / "instance", surveys=surveys))


@pytest.fixture
def author(app: Flask) -> Author:
    return log_in(app, "author")


def draft_of(surveys: Path, slug: str = "supplier") -> dict[str, Any]:
    return tomllib.loads((surveys / slug / "survey.draft.toml").read_text(encoding="utf-8"))


NODES = (
    "basics",
    "attributes",
    "price",
    "choice_tasks",
    "pages",
    "segments",
    "process",
    "participants",
    "competitors",
    "costs",
    "access",
    "look",
    "contacts",
    "privacy",
    "simulation",
)


def test_every_key_and_type_of_the_definition_has_words() -> None:
    """A new key of survey.toml is a field at once; it also needs a name that an author understands."""
    types = {**schema.PAGES, **schema.QUESTIONS}
    tables, seen = [Definition, *types.values()], set()
    own_pages = set(words.PARTS) | {"screen_outs", "quotas"}  # lists and tables that head pages of their own
    while tables:
        table = tables.pop()
        for field in schema.fields_of(table):
            named = {field.name, f"{table.__name__}.{field.name}"} & words.LABELS.keys()
            assert named or (table is Definition and field.name in own_pages), f"{table.__name__}.{field.name}"
            if field.record is not None and field.record not in seen:
                seen.add(field.record)
                tables.append(field.record)
    assert types.keys() <= words.TYPES.keys()
    assert {Stopping, Look} <= seen


def every_page(slug: str, content: dict[str, Any]) -> Iterator[str]:
    yield f"/manage/{slug}/edit"
    yield from (
        f"/manage/{slug}/{name}" for name in ("texts", "source", "preview", "publish", "versions", "tests", "delete")
    )
    yield from (f"/manage/{slug}/edit/{node}" for node in NODES)
    for name in ("attributes", "segments", "screen_outs", "quotas", "competitors", "pages"):
        for n, one in enumerate(content.get(name, [])):
            yield f"/manage/{slug}/edit/{name}.{n}"
            for q in range(len(one.get("questions", ()))):
                yield f"/manage/{slug}/edit/{name}.{n}.questions.{q}"


@pytest.mark.parametrize(("slug", "language"), [("supplier", "de"), ("workshop", "de"), ("every_question", "en")])
def test_saving_a_page_as_it_is_changes_nothing(author: Author, surveys: Path, slug: str, language: str) -> None:
    """Every page of every part can be opened, holds everything that the file says there, and gives it back unchanged."""
    text = (surveys / slug / "survey.toml").read_text(encoding="utf-8")
    author.client.get(f"/manage?lang={language}")
    for path in every_page(slug, tomllib.loads(text)):
        page = author.go(path)
        assert page.select_one("h1"), path
        if page.select_one("form.edit"):
            assert author.press().status_code == 303, path
            assert not (surveys / slug / "survey.draft.toml").exists(), path


# Writing


def test_what_is_typed_is_saved_as_a_draft_and_the_study_stays_as_it_is(
    author: Author, surveys: Path, app: Flask
) -> None:
    before = (surveys / "supplier/survey.toml").read_text()
    author.go("/manage/supplier/edit/attributes.1")
    typed = {
        "attributes.1.label.de": "Tempo",
        "attributes.1.levels.2.unit_cost": "6,25",
        "attributes.1.levels.0.picture": "slow.png",
        "attributes.1.current": "same_day",
        "attributes.1.description.en": "",
        "attributes.1.description.de": "",
    }
    assert author.press(typed=typed).status_code == 303
    changed = draft_of(surveys)["attributes"][1]
    assert (changed["label"]["de"], changed["levels"][2]["unit_cost"], changed["current"]) == (
        "Tempo",
        6.25,
        "same_day",
    )
    assert "description" not in changed
    assert (surveys / "supplier/survey.toml").read_text() == before
    assert "Saved as draft" in author.page.select_one(".state").text  # type: ignore[union-attr]
    assert app.extensions["wtp_surveys"]["supplier"].definition.attributes[1].label["de"] == "Schnelle Problemlösung"
    assert "Tempo" not in author.open("/s/supplier/consent").text


def test_mistakes_stand_beside_their_field_in_the_summary_and_at_the_part(author: Author, surveys: Path) -> None:
    author.go("/manage/supplier/edit/price")
    author.press(typed={"price.levels": "90 80 many", "price.current": ""})
    assert draft_of(surveys)["price"]["levels"] == [90, 80, "many"], "what was typed is kept"
    beside = author.page.select_one('[data-mistakes="price.levels"]')
    assert beside is not None
    assert "many" in beside.text
    assert {a["href"] for a in author.page.select("[data-summary] a")} == {"#price.levels", "#price.current"}
    assert all(author.page.find(id=str(a["href"])[1:]) for a in author.page.select("[data-summary] a"))
    badge = author.page.select_one('[data-part="price"]')
    assert badge is not None
    assert badge.select_one("[data-count]").text == "2"  # type: ignore[union-attr]
    todo = author.go("/manage/supplier/edit").select(".todo a")
    assert [str(a["href"]) for a in todo] == [
        "/manage/supplier/edit/price#price.current",
        "/manage/supplier/edit/price#price.levels.2",
    ]
    assert author.go("/manage/supplier/publish").select('button[class="button"]') == [], "no way to publish it"


def test_the_check_while_typing_says_the_same_and_saves_nothing(author: Author, surveys: Path) -> None:
    form = author.go("/manage/supplier/edit/price").select_one("form.edit")
    assert form is not None
    data = author.fields(form) | {"price.levels": "90 80 many", "price.current": ""}
    found = author.client.post(str(form["data-check"]), data=data).get_json()
    assert set(found["mistakes"]) == {"price.levels", "price.current"}
    assert (found["parts"], found["count"]) == ({"price": 2}, 2)
    assert not (surveys / "supplier/survey.draft.toml").exists()
    good = author.client.post(str(form["data-check"]), data=author.fields(form)).get_json()
    assert (good["mistakes"], good["count"]) == ({}, 0)


def test_rows_are_added_moved_and_removed(author: Author, surveys: Path) -> None:
    author.go("/manage/supplier/edit/attributes.1")
    author.press("add attributes.1.levels", {"attributes.1.label.en": "Speed"})
    levels = draft_of(surveys)["attributes"][1]["levels"]
    assert levels[3] == {"id": "level_1", "label": {"en": "", "de": ""}}
    assert draft_of(surveys)["attributes"][1]["label"]["en"] == "Speed", "what was typed beside it is saved too"
    assert author.page.select('[data-mistakes="attributes.1.levels.3.label"] li'), "its words are missing"
    author.press(
        "up attributes.1.levels.3",
        {
            "attributes.1.levels.3.label.en": "Next week",
            "attributes.1.levels.3.label.de": "Nächste Woche",
            "attributes.1.levels.3.id": "next_week",
        },
    )
    assert [level["id"] for level in draft_of(surveys)["attributes"][1]["levels"]] == [
        "five_days",
        "two_days",
        "next_week",
        "same_day",
    ]
    author.press("remove attributes.1.levels.2")
    assert [level["id"] for level in draft_of(surveys)["attributes"][1]["levels"]] == [
        "five_days",
        "two_days",
        "same_day",
    ]
    author.go("/manage/supplier/edit/attributes")
    author.press("down attributes.0", form="form")
    assert [a["id"] for a in draft_of(surveys)["attributes"]][:2] == ["speed", "range"]
    author.press("add attributes", form="form")
    assert author.path == "/manage/supplier/edit/attributes.6"
    author.press("remove attributes.6")
    assert author.path == "/manage/supplier/edit/attributes"
    assert len(draft_of(surveys)["attributes"]) == 6


KINDS = ("single_choice", "multiple_choice", "rating", "number", "ranking", "constant_sum", "text", "time_grid", "kano", "van_westendorp", "gabor_granger", "open_price")  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_question_can_be_added_and_filled_in_until_nothing_is_missing(
    author: Author, surveys: Path, kind: str
) -> None:
    author.go("/manage/supplier/edit/pages")
    author.press("add pages", {"type pages": "questions"}, form=".listing form")
    page = author.path.rpartition("/")[2]
    assert draft_of(surveys)["pages"][-1]["type"] == "thanks", "thanks stay last"
    author.press(typed={f"{page}.title.en": "Title", f"{page}.title.de": "Titel"})
    author.press(f"add {page}.questions", {f"type {page}.questions": kind}, form=".listing form")
    question = author.path.rpartition("/")[2]
    assert question == f"{page}.questions.0"
    form = author.page.select_one("form.edit")
    assert form is not None
    empty = {
        name: "Words"
        for name, value in author.fields(form).items()
        if name.endswith((".en", ".de"))
        and value == [""]
        and "description" not in name
        and ".help." not in name
        and ".unsure." not in name
        and ".unit." not in name
        and ".rival." not in name
    }
    assert empty
    author.press(typed=empty)
    assert author.page.select("[data-summary] li") == [], author.page.select_one("[data-summary]")
    assert author.go("/manage/supplier/edit").select(".todo") == []


def test_conditions_are_picked_from_lists(author: Author, surveys: Path) -> None:
    author.go("/manage/supplier/edit/segments.0")
    author.press(typed={"segments.0.when.core_problem": ["downtime", "growth"], "segments.0.when.employees": ["to_9"]})
    assert draft_of(surveys)["segments"][0]["when"] == {"core_problem": ["downtime", "growth"], "employees": ["to_9"]}
    author.go("/manage/supplier/edit/pages.4")
    author.press(typed={"pages.4.when.role": ["uses"]})
    assert draft_of(surveys)["pages"][4]["when"] == {"role": ["uses"]}
    author.press(typed={"pages.4.when.role": []})
    assert not (surveys / "supplier/survey.draft.toml").exists() or "when" not in draft_of(surveys)["pages"][4]
    author.go("/manage/supplier/edit/participants")
    author.press("add quotas", form=".listing form")
    author.press(typed={"quotas.0.when.core_problem": ["cost"], "quotas.0.limit": "50"})
    assert draft_of(surveys)["quotas"][0]["when"] == {"core_problem": ["cost"]}


def test_rules_of_the_choice_tasks_have_forms(author: Author, surveys: Path) -> None:
    author.go("/manage/supplier/edit/choice_tasks")
    author.press("add choice_tasks.prohibited")
    author.press("add choice_tasks.prior")
    author.press(
        typed={
            "choice_tasks.prohibited.0.levels.range": ["core"],
            "choice_tasks.prohibited.0.levels.brand": ["leading"],
            "choice_tasks.at_most_once": ["brand"],
            "choice_tasks.method": "efficient",
            "choice_tasks.tasks": "8",
        }
    )
    plan = draft_of(surveys)["choice_tasks"]
    assert plan["prohibited"] == [{"levels": {"range": ["core"], "brand": ["leading"]}}]
    assert (plan["at_most_once"], plan["method"], plan["tasks"]) == (["brand"], "efficient", 8)
    assert plan["prior"]["worth"]["speed"] == [0, 0, 0]
    assert author.go("/manage/supplier/edit").select(".todo") == []


def test_labels_of_the_offers_have_forms(author: Author, surveys: Path) -> None:
    author.go("/manage/supplier/edit/choice_tasks")
    author.press(typed={"choice_tasks.labels": "brand"})
    author.go("/manage/supplier/edit/attributes.2")
    author.press(typed={"attributes.2.only": ["known", "leading"], "attributes.2.per_label": ["yes"]})
    author.go("/manage/supplier/edit/price")
    author.press(typed={"price.per_label": ["yes"]})
    author.go("/manage/supplier/edit/simulation")
    author.press("add simulation.segments.0.per_label")
    author.press(typed={"simulation.segments.0.per_label.0.label": "leading", "simulation.segments.0.per_label.0.price_coefficient": "-0.05"})  # fmt: skip
    content = draft_of(surveys)
    assert content["choice_tasks"]["labels"] == "brand"
    assert (content["attributes"][2]["only"], content["attributes"][2]["per_label"]) == (["known", "leading"], True)
    assert content["price"]["per_label"] is True
    assert content["simulation"]["segments"][0]["per_label"] == [{"label": "leading", "price_coefficient": -0.05}]
    author.go("/manage/supplier/edit/attributes.4")
    author.press(typed={"attributes.4.only": ["known"]})
    assert "labels the alternatives" in author.page.select_one('[data-mistakes="attributes.4.only"]').get_text()  # type: ignore[union-attr]


def test_the_process_and_its_truths_have_forms(author: Author, surveys: Path) -> None:
    author.go("/manage/supplier/edit/process")
    author.press("add process")
    author.press("add process", {"process.0.label.en": "Call", "process.0.label.de": "Anrufen"})
    typed = {
        "process.1.id": "wait", "process.1.label.en": "Wait", "process.1.label.de": "Warten", "process.1.hours": "1.5",
        "process.1.supplier.en": "Search", "process.1.supplier.de": "Suchen",
    }  # fmt: skip
    author.press(typed=typed)
    assert draft_of(surveys)["process"] == [
        {"id": "step_1", "label": {"en": "Call", "de": "Anrufen"}},
        {"id": "wait", "label": {"en": "Wait", "de": "Warten"}, "hours": 1.5, "supplier": {"en": "Search", "de": "Suchen"}},
    ]  # fmt: skip
    author.go("/manage/supplier/edit/simulation")
    author.press("add simulation.segments.0.process")
    author.press("add simulation.segments.0.process.steps")
    author.press(
        typed={"simulation.segments.0.process.steps.0.step": "wait", "simulation.segments.0.process.hour_cost": "12"}
    )
    told = draft_of(surveys)["simulation"]["segments"][0]["process"]
    assert (told["steps"], told["hour_cost"]) == ([{"step": "wait"}], 12)
    assert author.go("/manage/supplier/edit").select(".todo") == []


def test_costs_of_all_levels_stand_on_one_page(author: Author, surveys: Path) -> None:
    author.go("/manage/supplier/edit/costs")
    author.press(
        typed={"attributes.5.levels.2.investment": "310000", "economics.budget": "", "economics.unit_cost": "73.5"}
    )
    changed = draft_of(surveys)
    assert changed["attributes"][5]["levels"][2]["investment"] == 310000
    assert ("budget" in changed["economics"], changed["economics"]["unit_cost"]) == (False, 73.5)


def test_a_language_more_and_a_language_less(author: Author, surveys: Path) -> None:
    author.go("/manage/supplier/edit/basics")
    author.press(typed={"languages": "en de fr"})
    page = author.go("/manage/supplier/texts")
    facts = [dd.text for dd in page.select(".facts dd")]
    assert facts[:2] == ["complete", "complete"]
    assert "missing" in facts[2]
    assert author.go("/manage/supplier/publish").select('button[class="button"]') == [], (
        "a language that is not complete is not published"
    )
    author.go("/manage/supplier/texts?show=missing")
    author.press("", {"title.fr": "Qu’est-ce qui fait un bon fournisseur ?"}, form=".work form")
    assert draft_of(surveys)["title"]["fr"].startswith("Qu’est-ce")
    author.go("/manage/supplier/edit/basics")
    author.press(typed={"languages": "en"})
    assert "de" not in draft_of(surveys)["attributes"][0]["label"]
    assert author.go("/manage/supplier/edit").select(".todo") == []


def test_the_text_of_the_file_can_be_written_too(author: Author, surveys: Path) -> None:
    text = (surveys / "supplier/survey.toml").read_text()
    author.go("/manage/supplier/source")
    reply = author.press("", {"text": "[broken"}, form=".work form")
    assert reply.status_code == 422
    assert author.page.select_one("textarea").get_text().strip() == "[broken", "nothing typed is lost"  # type: ignore[union-attr]
    assert not (surveys / "supplier/survey.draft.toml").exists()
    author.press(
        "", {"text": text.replace("minutes = 10", "minutes = 12 # honest").replace("\n", "\r\n")}, form=".work form"
    )
    assert (surveys / "supplier/survey.draft.toml").read_text() == text.replace("minutes = 10", "minutes = 12 # honest")


# Two authors, strangers, hostile words


def test_two_authors_cannot_overwrite_each_other_unseen(app: Flask, author: Author, surveys: Path) -> None:
    other = log_in(app, "other")
    author.go("/manage/supplier/edit/basics")
    other.go("/manage/supplier/edit/basics")
    assert other.press(typed={"title.en": "Theirs", "minutes": "11"}).status_code == 303
    reply = author.press(typed={"title.en": "Mine"})
    assert reply.status_code == 409
    assert (draft_of(surveys)["title"]["en"], draft_of(surveys)["minutes"]) == ("Theirs", 11)
    told = author.page.select_one(".mistakes .diff")
    assert told is not None
    assert "Theirs" in told.text
    assert "Mine" in told.text
    assert author.page.select_one('input[name="title.en"]')["value"] == "Mine", "what was typed is kept"  # type: ignore[index]
    assert author.press(typed={"minutes": "11"}).status_code == 303
    assert (draft_of(surveys)["title"]["en"], draft_of(surveys)["minutes"]) == ("Mine", 11)
    other.page = other.page  # the page that was open before
    assert other.press(typed={"title.en": "Again"}).status_code == 409
    assert (
        other.client.post(
            "/manage/supplier/edit/basics",
            data={"csrf_token": other.fields(other.page.select_one("form.edit"))["csrf_token"]},
        ).status_code
        == 400
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "slug", ["..", "%2e%2e", "..%2f..%2fetc", "supplier%2f..%2fsupplier", ".git", "supplier%00", "~root", "linked"]
)
def test_no_address_leads_out_of_the_folder(author: Author, surveys: Path, slug: str, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/survey.toml").write_text((surveys / "supplier/survey.toml").read_text())
    (surveys / "linked").symlink_to(tmp_path / "outside")
    token = author.fields(author.go("/manage/new").select_one("main form"))["csrf_token"]  # type: ignore[arg-type]
    for path in ("edit", "edit/basics", "source", "texts", "preview", "publish", "versions", "delete"):
        assert author.client.get(f"/manage/{slug}/{path}").status_code in {404, 308}, path
    for path in ("edit/basics", "source", "publish", "discard", "delete", "pictures"):
        data = {"csrf_token": token, "revision": "x", "confirm": slug}
        assert author.client.post(f"/manage/{slug}/{path}", data=data).status_code in {404, 405, 308}, path
    assert (tmp_path / "outside/survey.toml").exists()


@pytest.mark.parametrize("slug", ["../up", "a/b", "", "A", "new", "supplier", ".x", "a" * 60, "x\0y"])
def test_no_study_is_made_under_a_name_that_is_none(author: Author, surveys: Path, slug: str) -> None:
    there = sorted(path.name for path in surveys.parent.rglob("*") if path.name != "wtp.sqlite-wal")
    author.go("/manage/new")
    reply = author.press(
        "", {"source": "empty", "slug": slug, "title": "T", "languages": "en", "currency": "EUR"}, form="main form"
    )
    assert reply.status_code == 422
    assert author.page.select('a[href="#slug"]')
    assert sorted(path.name for path in surveys.parent.rglob("*") if path.name != "wtp.sqlite-wal") == there


PAYLOAD = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}</textarea></title>"


def test_hostile_words_stay_words_on_every_page(author: Author, surveys: Path) -> None:
    text = (surveys / "supplier/survey.toml").read_text(encoding="utf-8")
    hostile = PAYLOAD.replace('"', '\\"')
    for shown in (
        "What makes a good supplier?",
        "Financing",
        "Uptime first",
        "Pay per use",
        "per month",
        "I decide",
        "Before we start",
        "Discounter",
        "Thank you",
    ):
        assert f'en = "{shown}"' in text
        text = text.replace(f'en = "{shown}"', f'en = "{hostile}"')
    text = text.replace("current = 100\n", f'current = "{hostile}"\n')
    (surveys / "supplier/survey.draft.toml").write_text(text, encoding="utf-8")
    seen = 0
    for path in every_page("supplier", tomllib.loads(text)):
        page = author.open(path)
        seen += PAYLOAD in str(page.get_text()) or any(
            PAYLOAD in str(one.get("value", "")) for one in page.select("input")
        )
        assert not page.select("img, [onerror], script:not([src])"), path
    assert seen > 20
    (surveys / "supplier/survey.draft.toml").write_text(
        text.replace(f'current = "{hostile}"\n', "current = 100\n"), encoding="utf-8"
    )
    for step in ("consent", "profile", "introduction", "choice-1", "prices", "importance", "thanks"):
        frame = author.open(f"/manage/supplier/preview/en/{step}")
        assert not frame.select("img, [onerror], script:not([src])"), step


def test_a_draft_that_somebody_broke_by_hand_can_be_mended_on_the_page_of_its_text(
    author: Author, surveys: Path
) -> None:
    (surveys / "supplier/survey.draft.toml").write_text("title = [", encoding="utf-8")
    for node in NODES:
        assert author.client.get(f"/manage/supplier/edit/{node}").location == "/manage/supplier/source"
    for path in ("edit", "texts", "preview", "publish", "versions", "source"):
        author.go(f"/manage/supplier/{path}")
    assert author.open("/s/supplier/consent").select_one("main form"), "the study runs on"


@pytest.mark.parametrize(
    "content",
    ['pages = 5\nattributes = "x"\n[price]\nlevels = "a"\n', 'attributes = [1, { levels = 3 }]\npages = [{ type = "nothing", questions = [2] }, 7]\n[[segments]]\nwhen = 4\n[choice_tasks]\nprior = 5\n', 'languages = [3, "en"]\ntitle = "plain"\n[[pages]]\ntype = "questions"\nquestions = "x"\n[economics]\n'],
)  # fmt: skip
def test_a_draft_of_any_shape_opens(author: Author, surveys: Path, content: str) -> None:
    (surveys / "supplier/survey.draft.toml").write_text(content, encoding="utf-8")
    for path in [f"/manage/supplier/edit/{node}" for node in NODES] + [
        f"/manage/supplier/{name}" for name in ("edit", "texts", "preview", "publish", "versions", "source")
    ]:
        author.go(path)
