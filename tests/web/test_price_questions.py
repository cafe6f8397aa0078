"""Gabor-Granger, purchase intent and an open price: asked on a page, answered by the bot in both languages, exported and analysed by segment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flask import g
from werkzeug.datastructures import MultiDict

from wtp.analysis import Analysis, Request, analyse
from wtp.estimation.synthetic import choose, draw_respondents
from wtp.export.codebook import codebook
from wtp.export.frames import respondents_frame
from wtp.settings import Settings
from wtp.store import answers, open_database, respondents
from wtp.survey import Answers, Respondent, Step, Survey, load_survey
from wtp.web import Bot, create_app, forms

SURVEYS = Path(__file__).parents[2] / "surveys"
QUESTIONS = """
[[pages.questions]]
type = "rating"
id = "intent"
measures = "purchase_intent"
label = { en = "How likely would you buy at your own prices?", de = "Wie wahrscheinlich würden Sie zu Ihren Preisen kaufen?" }
scale = { low = 1, high = 5, low_label = { en = "surely not", de = "sicher nicht" }, high_label = { en = "surely", de = "sicher" } }
items = [
  { id = "cheap", label = { en = "At the price you called cheap", de = "Zum Preis, den Sie günstig nannten" } },
  { id = "expensive", label = { en = "At the price you called expensive", de = "Zum Preis, den Sie teuer nannten" } },
]

[[pages.questions]]
type = "gabor_granger"
id = "ladder"
label = { en = "Would you buy this contract at …", de = "Würden Sie diesen Vertrag kaufen für …" }
yes = { en = "Yes", de = "Ja" }
no = { en = "No", de = "Nein" }
prices = [80, 95, 110, 125, 140.5]

[[pages.questions]]
type = "open_price"
id = "most"
label = { en = "What is the most that you would pay?", de = "Wie viel würden Sie höchstens zahlen?" }
required = false
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The supplier study with three more questions on its page of prices."""
    place = tmp_path_factory.mktemp("surveys") / "prices"
    place.mkdir()
    text = (SURVEYS / "supplier" / "survey.toml").read_text(encoding="utf-8")
    before = '\n[[pages]]\ntype = "questions"\nid = "importance"'
    assert before in text
    (place / "survey.toml").write_text(text.replace(before, QUESTIONS + before), encoding="utf-8")
    (place / "design.csv").write_bytes((SURVEYS / "supplier" / "design.csv").read_bytes())
    return place


@pytest.fixture(scope="module")
def survey(folder: Path) -> Survey:
    return load_survey(folder)


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_bot_answers_what_it_means(folder: Path, survey: Survey, tmp_path: Path, language: str) -> None:
    app = create_app(Settings(instance=tmp_path, surveys=folder.parent))
    database = app.extensions["wtp_database"]
    person = draw_respondents(survey.definition, 1, 3)[0]
    token, rng = respondents.new_token(), np.random.default_rng(1)
    with database.begin() as connection:
        respondents.invite(connection, "prices", token, simulated=True, now=datetime.now(UTC))
    client = app.test_client()
    client.get(f"/s/prices/consent?lang={language}")
    Bot(client, survey, token, answers=person.answers, choose=lambda task: choose(person, task, rng)).play()
    with open_database(f"sqlite:///{tmp_path / 'wtp.sqlite'}") as kept, kept.read() as connection:
        found = answers.read_answers(connection, "prices").respondents[0]
    assert found.answers == dict(person.answers)
    assert set(found.answers["ladder"]) == {"80", "95", "110", "125", "140.5"}
    assert isinstance(found.answers["most"], float)


def test_forms_refuse_and_restore(folder: Path, survey: Survey, tmp_path: Path) -> None:
    app = create_app(Settings(instance=tmp_path, surveys=folder.parent))
    page = next(p for p in survey.definition.pages if p.id == "prices")
    with app.test_request_context("/s/prices"):
        g.language = "en"

        def judged(**typed: str) -> forms.BaseForm:
            form = forms.page_form(page)
            form.process(
                MultiDict({"revision": "0"} | {name.replace("__", "-"): value for name, value in typed.items()})
            )
            form.validate()
            return form

        empty = judged()
        assert empty["q-ladder-80"].errors
        assert str(empty["q-ladder-140.5"].label.text) == "140.5"  # the list of errors names the price
        assert not empty["q-most"].errors  # optional
        wrong = judged(**{"q-ladder-80": "2", "q-most": "much"})
        assert wrong["q-ladder-80"].errors
        assert wrong["q-most"].errors
        saved = {"ladder": {"80": 1, "140.5": 0}, "most": 99.5}
        data = forms.restore(Step(page.id, page), saved)
        assert data == {"q-ladder-80": "1", "q-ladder-140.5": "0", "q-most": "99.5"}
        assert forms.answers(Step(page.id, page), judged(**data)) | saved == forms.answers(
            Step(page.id, page), judged(**data)
        )


@pytest.fixture(scope="module")
def analysis(survey: Survey) -> Analysis:
    people = [
        Respondent(number, True, "en", 1, datetime(2026, 1, 1, tzinfo=UTC), None, person.answers, ())
        for number, person in enumerate(draw_respondents(survey.definition, 200, 8), 1)
    ]
    return analyse(survey, Answers("prices", tuple(people), "x"), Request(model="conditional"))


def test_each_method_has_its_tables_by_segment(analysis: Analysis) -> None:
    tables = analysis.tables
    for name in (
        "gabor_granger_points",
        "gabor_granger_demand",
        "gabor_granger_smooth",
        "newton_miller_smith_points",
        "open_price_points",
    ):
        assert set(tables[name]["segment"]) == {"all", "uptime", "cost", "growth"}, name
    limit = tables["gabor_granger_points"].query("point == 'limit'").set_index("segment")["price"]
    open_limit = tables["open_price_points"].query("point == 'limit'").set_index("segment")["price"]
    for segment, truth in (("uptime", 121), ("cost", 104), ("growth", 117)):
        assert limit[segment] == pytest.approx(truth, rel=0.06)
        assert open_limit[segment] == pytest.approx(truth, rel=0.06)
    assert set(tables["open_price_points"]["label"]) == {"open question, hypothetical"}


def test_exports_and_codebook_know_them(survey: Survey, analysis: Analysis) -> None:
    people = draw_respondents(survey.definition, 2, 8)
    found = [
        Respondent(i, True, "en", 1, datetime(2026, 1, 1, tzinfo=UTC), None, p.answers, ())
        for i, p in enumerate(people, 1)
    ]
    frame = respondents_frame(survey.definition, Answers("prices", tuple(found), "x"))
    assert frame["ladder.140.5"].tolist() == [p.answers["ladder"]["140.5"] for p in people]
    assert frame["most"].tolist() == [p.answers["most"] for p in people]
    book = codebook(survey.definition)
    assert isinstance(book, pd.DataFrame)
    rows = book[book["column"] == "ladder.80"]
    assert set(rows["code"]) == {"", "0", "1"}
    assert "most" in set(book["column"])


def test_intents_need_their_items_and_scale(folder: Path, tmp_path: Path) -> None:
    from wtp.survey.load import inspect_survey

    text = (folder / "survey.toml").read_text(encoding="utf-8").replace('id = "cheap", label', 'id = "low", label')
    place = tmp_path / "prices"
    place.mkdir()
    (place / "survey.toml").write_text(text, encoding="utf-8")
    found, mistakes = inspect_survey(place)
    assert found is None
    assert "cheap and expensive" in mistakes[0].allowed
