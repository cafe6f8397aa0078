"""The staff's pages in a real browser: phone and desk, German and English, light and dark, with and without script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Share, Visit, Visitor, served
from tests.web.figures import full, planned
from tests.web.staff import PASSWORD
from wtp.settings import Settings
from wtp.store import results as kept
from wtp.store import staff
from wtp.web import create_app, manage, results
from wtp.web.security import limiter

pytestmark = pytest.mark.browser

SURVEYS = Path(__file__).parents[2] / "surveys"
SUBJECTS = ("importance", "worth", "price", "invest")
PAGES = (
    "/results", "/results/supplier", *(f"/results/supplier/{name}?segment=uptime" for name in SUBJECTS),
    *(f"/results/supplier/{name}" for name in ("worth", "price", "invest", "market", "segments", "model")),
    "/results/supplier/worth?segment=cost", "/results/workshop/price", "/manage", "/manage/supplier", "/manage/supplier/design",
)  # fmt: skip
CHARTS = {
    "importance?segment=uptime": 1, "worth": 2, "price": 8, "invest": 3, "market": 2, "segments": 2, "model": 3,
}  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own in this process, which shows an analysis made by hand for the supplier study."""
    app = create_app(Settings(instance=tmp_path_factory.mktemp("instance"), surveys=SURVEYS))
    limiter.reset()
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "analyst", PASSWORD, "analyst")
        kept.save_plan(connection, "supplier", planned().to_json(), datetime.now(UTC))
    made = full(app.extensions["wtp_surveys"]["supplier"], simulated=400)
    found = results.analysis_of
    with pytest.MonkeyPatch.context() as patch:
        for module in (results, manage):
            patch.setattr(
                module,
                "analysis_of",
                lambda database, survey, *_: made if survey.slug == "supplier" else found(database, survey),
            )
        with served(app) as place:
            yield place


def log_in(visitor: Visitor, language: str) -> None:
    visitor.open(f"/login?lang={language}")
    assert visitor.violations() == []
    visitor.tab_to(name="name")
    visitor.page.keyboard.type("analyst")
    visitor.tab_to(name="password")
    visitor.page.keyboard.type(PASSWORD)
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")


def drawn(page: Page) -> int:
    """How many charts there are, all drawn."""
    count = page.locator("[data-chart]").count()
    for place in range(count):
        page.locator("[data-chart]").nth(place).locator("svg.main-svg").first.wait_for()
    return count


@pytest.mark.parametrize(
    ("width", "language", "scheme", "pages"),
    [
        (390, "de", "light", PAGES),
        (1280, "en", "dark", PAGES),
        pytest.param(390, "en", "dark", PAGES[1:4], marks=pytest.mark.release),
        pytest.param(1280, "en", "light", PAGES[6:9], marks=pytest.mark.release),
        pytest.param(1280, "de", "dark", PAGES, marks=pytest.mark.release),
    ],
    ids=("phone-de", "desk-en-dark", "phone-en", "desk-en", "desk-de"),
)
def test_every_page_is_readable_for_everybody(
    visit: Visit, share: Share, width: int, language: str, scheme: str, pages: Sequence[str]
) -> None:
    visitor = visit(width, 844 if width < 700 else 800, language, color_scheme=scheme)
    log_in(visitor, language)
    for path in share(pages, width > 700):
        visitor.open(path)
        drawn(visitor.page)
        assert visitor.page.get_attribute("html", "lang") == language
        assert visitor.violations() == []
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} scrolls sideways"
    assert visitor.complaints == []
    assert all(request.startswith(visitor.address) for request in visitor.requests)


def test_charts_are_drawn_in_the_colours_of_the_page_and_fit_a_phone(visit: Visit) -> None:
    inks = []
    for width, scheme in ((390, "light"), (1280, "dark")):
        visitor = visit(width, 800, "de", color_scheme=scheme)
        log_in(visitor, "de")
        for name, charts in CHARTS.items():
            visitor.open(f"/results/supplier/{name}")
            assert drawn(visitor.page) == charts
            outside = visitor.page.evaluate(
                "() => { const box = document.querySelector('.chart').getBoundingClientRect();"
                " return [...document.querySelectorAll('.chart:first-of-type svg text')].map(t => t.getBoundingClientRect())"
                "   .filter(t => t.width && (t.left < box.left - 1 || t.right > box.right + 1)).length; }"
            )
            assert outside == 0, f"{name}: texts of the chart are cut off at {width} px"
        inks.append(visitor.page.eval_on_selector("svg .xtitle", "title => getComputedStyle(title).fill"))
    assert inks[0] != inks[1]


def test_numbers_in_charts_are_written_in_the_language_of_the_page(visit: Visit) -> None:
    visitor = visit()
    log_in(visitor, "de")
    visitor.open("/results/supplier/worth")
    drawn(visitor.page)
    separators = "document.querySelector('.chart').layout.separators"
    assert visitor.page.evaluate(separators) == ",."
    visitor.open("/results/supplier/worth?lang=en")
    drawn(visitor.page)
    assert visitor.page.evaluate(separators) == ".,"


def test_a_picture_says_what_it_found_and_that_the_answers_are_simulated(visit: Visit) -> None:
    visitor = visit(color_scheme="dark")
    log_in(visitor, "en")
    visitor.open("/results/supplier/worth?segment=uptime")
    drawn(visitor.page)
    with visitor.page.expect_download() as waiting:
        visitor.page.click("button[data-format=svg]")
    assert waiting.value.suggested_filename == "supplier-worth-uptime-simulated.svg"
    picture = Path(waiting.value.path()).read_text(encoding="utf-8")
    for words in ("is worth most: €6.40 against today", "Simulated answers: 400 of 400 respondents", "Uptime first"):
        assert words in picture, words
    assert "rgb(255, 255, 255)" in picture, "black on white, whatever the page looks like"
    with visitor.page.expect_download() as waiting:
        visitor.page.click("button[data-format=png]")
    assert Path(waiting.value.path()).read_bytes().startswith(b"\x89PNG")


def test_without_script_the_tables_say_the_same(visit: Visit) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.open("/login?lang=en")
    visitor.page.fill("#name", "analyst")
    visitor.page.fill("#password", PASSWORD)
    visitor.page.click("main button")
    for name, words in (
        ("importance", "counts less than they say"),
        ("worth", "€6.40"),
        ("price", "€72 to €76"),
        ("invest", "▲ Invest here"),
    ):
        visitor.page.goto(f"{visitor.address}/results/supplier/{name}")
        visitor.page.click("text=Uptime first")
        visitor.page.wait_for_url("**segment=uptime**", wait_until="load")
        assert visitor.page.locator("table").first.is_visible()
        assert words in visitor.page.inner_text("main").replace("\u2060", "")
        assert not visitor.page.locator("button[data-format]").first.is_visible()


def test_a_hostile_label_runs_nothing_in_a_chart(visit: Visit) -> None:
    visitor = visit()
    log_in(visitor, "en")
    payload = "<img src=x onerror=window.ran=1><a href='javascript:window.ran=1'>x</a>"

    def spoil(route: object) -> None:
        reply = route.fetch()  # type: ignore[attr-defined]
        escaped = payload.replace("<", "&lt;").replace(">", "&gt;")
        figure = reply.text().replace("Speed of problem solving", json.dumps(escaped)[1:-1])
        route.fulfill(response=reply, body=figure)  # type: ignore[attr-defined]

    visitor.page.route("**/worth.json*", spoil)
    visitor.open("/results/supplier/worth")
    drawn(visitor.page)
    assert "<img" in visitor.page.locator(".chart").first.inner_text()
    visitor.page.mouse.move(640, 500)
    assert visitor.page.evaluate("window.ran") is None
    assert visitor.page.locator(".chart img, .chart a").count() == 0
