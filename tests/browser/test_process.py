"""The customer's process in a real browser: a respondent answers its questions on a phone by the keyboard alone, and a manager reads the lane, on phone and desk, in both languages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor, served
from tests.browser.test_results import drawn, log_in
from tests.simulated import simulated
from tests.web.staff import PASSWORD
from wtp.analysis import Analysis, Request, analyse
from wtp.settings import Settings
from wtp.store import answers, staff, studies
from wtp.survey import load_survey
from wtp.web import create_app, results
from wtp.web.security import limiter

pytestmark = pytest.mark.browser

WORKSHOP = Path(__file__).parents[2] / "surveys" / "workshop"
FIRST, AFTER, CHOICES = (f'[[pages]]\ntype = "{kind}"\nid = "{name}"' for kind, name in (
    ("questions", "day"), ("questions", "importance"), ("information", "introduction")
))  # fmt: skip
OUTSIDE = (
    "() => [...document.querySelectorAll('.chart')].flatMap(chart => { const box = chart.getBoundingClientRect();"
    " return [...chart.querySelectorAll('svg text')].filter(t => { const r = t.getBoundingClientRect();"
    "   return r.width && (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1); })"
    "   .map(t => t.textContent); })"
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The workshop with the questions of the process before its choices, so that a test comes to them soon."""
    surveys = tmp_path_factory.mktemp("surveys")
    shutil.copytree(WORKSHOP, surveys / "workshop")
    file = surveys / "workshop" / "survey.toml"
    text = file.read_text(encoding="utf-8")
    block = text[text.index(FIRST) : text.index(AFTER)]
    file.write_text(text.replace(block, "").replace(CHOICES, block + CHOICES), encoding="utf-8")
    survey = load_survey(surveys / "workshop")
    app = create_app(Settings(instance=tmp_path_factory.mktemp("instance"), surveys=surveys))
    limiter.reset()
    with app.extensions["wtp_database"].begin() as connection:
        studies.register(connection, survey)
        staff.add(connection, "analyst", PASSWORD, "analyst")
    return app


@pytest.fixture(scope="module")
def analysis(app: Flask) -> Analysis:
    survey = app.extensions["wtp_surveys"]["workshop"]
    return analyse(survey, simulated(survey, 240), Request(model="conditional"))


@pytest.fixture(scope="module")
def address(app: Flask, analysis: Analysis) -> Iterator[str]:
    """A server of its own in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "analysis_of", lambda *_: analysis)
        with served(app) as place:
            yield place


def press(visitor: Visitor, name: str, *values: str) -> None:
    """Tick these boxes of a question, coming to each with Tab."""
    for value in values:
        visitor.tab_to(id=str(visitor.page.locator(f"[name='{name}'][value='{value}']").get_attribute("id")))
        visitor.page.keyboard.press("Space")


def test_a_respondent_answers_on_a_phone_with_the_keyboard(visit: Visit, app: Flask) -> None:
    visitor = visit(390, 844, "en")
    visitor.open("/s/workshop")
    visitor.walk("day")
    expect(visitor.page.get_by_text("Choose up to 3 answers.")).to_be_visible()
    visitor.look()
    press(visitor, "q-moments", "book", "get_about", "pick_up", "pay")
    visitor.go_on()
    expect(visitor.page.locator(".mistakes")).to_contain_text("Choose at most 3 answers.")
    visitor.look()
    press(visitor, "q-moments", "pay")
    visitor.go_on()
    assert visitor.step == "last_time"
    visitor.look()
    visitor.fill_in(1)
    visitor.go_on()
    assert visitor.step == "times"
    visitor.look()
    press(visitor, "q-times-tuesday", "evening")
    press(visitor, "q-times-saturday", "early", "morning")
    visitor.tab_to(name="q-hour_without_car")
    visitor.page.keyboard.type("12.50")
    visitor.go_on()
    assert visitor.step == "introduction"
    with app.extensions["wtp_database"].read() as connection:
        (person,) = answers.read_answers(connection, "workshop").respondents
    assert sorted(person.answers["moments"]) == ["book", "get_about", "pick_up"]
    assert person.answers["satisfaction"] == dict.fromkeys(["book", "bring", "get_about", "extra_repairs", "pick_up", "pay"], 2)  # fmt: skip
    assert person.answers["times"] == {"tuesday": ["evening"], "saturday": ["early", "morning"]}
    assert person.answers["hour_without_car"] == 12.5
    assert all("422" in complaint for complaint in visitor.complaints), "of the fourth mark alone"


@pytest.mark.parametrize(
    ("width", "language", "scheme", "segment"),
    [
        (390, "de", "dark", "all"),
        (1280, "en", "light", "work"),
        pytest.param(390, "en", "light", "work", marks=pytest.mark.release),
        pytest.param(1280, "de", "dark", "all", marks=pytest.mark.release),
    ],
)
def test_a_manager_reads_the_process(
    visit: Visit, analysis: Analysis, width: int, language: str, scheme: str, segment: str
) -> None:
    visitor = visit(width, 844, language, color_scheme=scheme)
    log_in(visitor, language)
    visitor.open(f"/results/workshop/process?segment={segment}")
    page = visitor.page
    assert drawn(page) == 5
    assert visitor.violations() == []
    visitor.fits()
    assert page.evaluate(OUTSIDE) == [], "texts are cut off"
    steps, windows = analysis.table("process_steps", segment), analysis.table("process_windows", segment)
    expect(page.locator(".lane li")).to_have_count(6)
    expect(page.locator(".lane .decides")).to_have_count(int(steps["moment"].sum()))
    assert steps["moment"].any()
    steps_chart, heat_map, curve, values = (page.locator(f"#chart-asked-process-{name}") for name in ("steps", "service", "coverage", "value"))  # fmt: skip
    expect(steps_chart.locator(".bars .point")).to_have_count(6)
    expect(heat_map.locator(".annotation-text")).to_have_count(28)
    expect(heat_map.locator(".annotation-text", has_text="★")).to_have_count(int(windows["leads"].sum()))
    assert windows["leads"].any()
    told = len(analysis.table("window_coverage", segment))
    expect(curve.locator(".scatterlayer .points path")).to_have_count(2 * told)
    expect(values.locator(".bars .point")).to_have_count(told)
    step, supplier = (page.locator(f".lane li:first-child .{name}").bounding_box() for name in ("customer", "supplier"))
    assert step is not None
    assert supplier is not None
    assert step["y"] + step["height"] <= supplier["y"] + 1, "the customer above, the supplier below"
    assert visitor.complaints == []
    assert all(request.startswith(visitor.address) for request in visitor.requests)
