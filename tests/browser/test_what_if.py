"""What-ifs in a real browser: a slider changes shares without a reload, the address follows, and without script a button does the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit, served
from tests.browser.test_results import log_in
from tests.web.figures import handmade
from tests.web.staff import PASSWORD
from tests.web.test_what_if import simulator, survey  # noqa: F401
from wtp.analysis import Simulator
from wtp.settings import Settings
from wtp.store import staff
from wtp.web import create_app, results, what_if
from wtp.web.security import limiter

pytestmark = pytest.mark.browser

SURVEYS = Path(__file__).parents[2] / "surveys"
PAGE = "/results/supplier/what-if"
OWN_SHARE = "#figures .scroll:nth-of-type(2) tbody tr:first-child td:nth-child(3)"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Iterator[str]:  # noqa: F811
    app = create_app(Settings(instance=tmp_path_factory.mktemp("instance"), surveys=SURVEYS))
    limiter.reset()
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "analyst", PASSWORD, "analyst")
    made = handmade(app.extensions["wtp_surveys"]["supplier"], simulated=400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "analysis_of", lambda *_: made)
        patch.setattr(what_if, "simulator_of", lambda *_: simulator)
        with served(app) as place:
            yield place


@pytest.mark.parametrize(
    ("width", "language", "scheme"),
    [(390, "de", "dark"), pytest.param(1280, "en", "light", marks=pytest.mark.release)],
)
def test_a_slider_changes_the_shares_and_the_address(visit: Visit, width: int, language: str, scheme: str) -> None:
    visitor = visit(width, 844, language, color_scheme=scheme)
    log_in(visitor, language)
    visitor.open(PAGE)
    page = visitor.page
    page.locator("#chart-what-if svg.main-svg").first.wait_for()
    before = page.locator(OWN_SHARE).inner_text()
    slider = page.locator("input[type=range]").first
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("[name=own-price]")).to_have_value("80")
    expect(page.locator(OWN_SHARE)).not_to_have_text(before)
    page.wait_for_url("**own-price=80**")
    page.locator("#chart-what-if svg.main-svg").first.wait_for()
    page.locator("#chart-bridge svg.main-svg").first.wait_for()
    cheap = page.locator(OWN_SHARE).inner_text()
    page.select_option("[name=own-speed]", "same_day")
    expect(page.locator(OWN_SHARE)).not_to_have_text(cheap)
    assert visitor.violations() == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    better = page.locator(OWN_SHARE).inner_text()
    page.reload()
    assert page.locator(OWN_SHARE).inner_text() == better, "the address holds the scenario"
    page.fill("[name=own-price]", "1000")
    expect(page.locator("#figures")).to_contain_text("Berichtigen" if language == "de" else "Mend")
    assert [c for c in visitor.complaints if "422" not in c] == []
    assert all(request.startswith(visitor.address) for request in visitor.requests)


def test_without_script_the_button_calculates(visit: Visit) -> None:
    visitor = visit(1280, 800, "en", java_script_enabled=False)
    visitor.open("/login?lang=en")
    visitor.page.fill("#name", "analyst")
    visitor.page.fill("#password", PASSWORD)
    visitor.page.click("main button")
    visitor.open(PAGE)
    before = visitor.page.locator(OWN_SHARE).inner_text()
    visitor.page.fill("[name=own-price]", "125")
    visitor.page.click("[data-recalculate]")
    visitor.page.wait_for_url("**own-price=125**")
    assert visitor.page.locator(OWN_SHARE).inner_text() != before


def test_what_was_typed_before_the_script_came_counts(visit: Visit) -> None:
    visitor = visit()
    log_in(visitor, "en")
    held: list[Route] = []
    visitor.page.route("**/what_if.js", lambda route: held.append(route))  # noqa: PLW0108 - playwright looks into it
    visitor.page.goto(f"{visitor.address}{PAGE}", wait_until="commit")
    own, price = visitor.page.locator(OWN_SHARE), visitor.page.locator("[name=own-price]")
    today = own.inner_text()
    price.fill("120")
    expect(own).to_have_text(today)
    held[0].continue_()
    expect(own).not_to_have_text(today)
    visitor.page.wait_for_url("**own-price=120**")


def test_a_search_says_what_it_does_and_for_how_long(visit: Visit) -> None:
    visitor = visit(390, 844, "de")
    log_in(visitor, "de")
    visitor.open(PAGE)
    page = visitor.page
    # The search itself is held back: it is over too soon to be looked at.
    page.evaluate(
        "window.sent = 0; window.hold = (event) => { if (!event.defaultPrevented) sent++; event.preventDefault(); };"
        "document.getElementById('what-if').addEventListener('submit', hold)"
    )
    button, state = page.get_by_role("button", name="Bestes eigenes Angebot"), page.locator("#what-if-state")
    button.click()
    expect(state).to_contain_text("729 Angebote zu je 5 Preisen werden durchsucht …")
    expect(state).to_contain_text(re.compile(r"[0-9][.][1-9] s"))
    expect(state.locator("progress")).to_be_visible()
    expect(page.locator("#what-if")).to_have_attribute("aria-busy", "true")
    expect(button).to_have_attribute("aria-disabled", "true")
    assert visitor.violations() == []
    page.evaluate("document.querySelector('[value=offer]').click()")
    assert page.evaluate("sent") == 1, "a second press asks nothing"
    page.evaluate(
        "dispatchEvent(new Event('pageshow')); document.getElementById('what-if').removeEventListener('submit', hold)"
    )
    expect(state).to_be_empty()
    expect(button).not_to_have_attribute("aria-disabled", "true")
    button.click()
    page.wait_for_url("**own-**")
    expect(state).to_be_empty()
