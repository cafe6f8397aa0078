"""What managers come for, each in at most three clicks from the overview, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from pptx import Presentation

from tests.browser.conftest import Visit, served
from tests.web.figures import WITHHELD, full
from tests.web.staff import PASSWORD
from tests.web.test_what_if import simulator, survey  # noqa: F401
from wtp.analysis import Simulator
from wtp.settings import Settings
from wtp.store import staff
from wtp.web import create_app, results, what_if
from wtp.web.security import limiter

pytestmark = pytest.mark.browser

SURVEYS = Path(__file__).parents[2] / "surveys"
MOST = 3
PROFIT = "#figures [aria-label^='Money a year'] tbody tr:has-text('Profit a year') td"


@dataclass
class Manager:
    """Somebody who has just opened the overview and counts clicks."""

    page: Page
    clicks: int = 0

    def click(self, place: Locator) -> None:
        self.clicks += 1
        assert self.clicks <= MOST, f"click {self.clicks} on {self.page.url}"
        with self.page.expect_navigation():
            place.click()

    def tab(self, name: str) -> None:
        self.click(self.page.locator("nav.tabs").get_by_role("link", name=name, exact=True))

    def card(self, name: str) -> Locator:
        return self.page.locator("section.card").filter(has=self.page.get_by_role("heading", name=name, exact=True))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Iterator[str]:  # noqa: F811
    app = create_app(Settings(instance=tmp_path_factory.mktemp("instance"), surveys=SURVEYS))
    limiter.reset()
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "manager", PASSWORD, "manager")
    made = full(app.extensions["wtp_surveys"]["supplier"], simulated=400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "analysis_of", lambda *_: made)
        patch.setattr(what_if, "simulator_of", lambda *_: simulator)
        with served(app) as place:
            yield place


@pytest.fixture(params=[pytest.param(1280, id="desk", marks=pytest.mark.release), pytest.param(390, id="phone")])
def manager(request: pytest.FixtureRequest, visit: Visit) -> Manager:
    visitor = visit(request.param, 844, "en")
    visitor.open("/login?lang=en")
    visitor.page.fill("#name", "manager")
    visitor.page.fill("#password", PASSWORD)
    visitor.page.click("main button")
    visitor.open("/results/supplier")
    return Manager(visitor.page)


def test_the_limit_of_a_segment(manager: Manager) -> None:
    expect(manager.card("Uptime first")).to_contain_text("Half would still buy today's offer at €103 (€100 to €105)")
    manager.click(manager.card("Uptime first").get_by_role("link", name="Price upper limit"))
    expect(manager.page.get_by_role("heading", name="Which price: Uptime first")).to_be_visible()
    expect(manager.page.locator("#chart-demand svg.main-svg").first).to_be_visible()


def test_what_to_invest_in_first_with_a_budget(manager: Manager) -> None:
    manager.tab("Invest and save")
    manager.page.get_by_label("Money to invest once, EUR").fill("150000")
    manager.click(manager.page.get_by_role("button", name="Show what it pays for"))
    manager.page.wait_for_url("**budget=150000**")
    first = manager.page.locator("section[aria-labelledby=title-budget] tbody tr").first
    expect(first).to_contain_text("Speed of problem solving: The same day")
    expect(first).to_be_in_viewport()


def test_what_happens_when_the_price_rises_by_five(manager: Manager) -> None:
    manager.tab("What if")
    today, then, change = (manager.page.locator(PROFIT).nth(place) for place in range(3))
    expect(then).to_have_text(today.inner_text())
    price = manager.page.locator("[name=own-price]")
    price.fill(str(float(price.input_value()) + 5))
    price.press("Tab")
    expect(then).not_to_have_text(today.inner_text())
    expect(change).to_contain_text(" to ")


def test_why_a_figure_is_withheld(manager: Manager) -> None:
    card = manager.card("Cost first")
    expect(card).to_contain_text(WITHHELD)
    manager.click(card.get_by_role("link", name="Price upper limit"))
    expect(manager.page.locator("main")).to_contain_text(WITHHELD)


def test_a_report_to_send_to_a_colleague(manager: Manager) -> None:
    expect(manager.page.get_by_role("link", name="Report as PDF")).to_be_visible()
    with manager.page.expect_download() as waiting:
        manager.page.get_by_role("link", name="Report as PowerPoint").click()
    assert waiting.value.suggested_filename.endswith(".pptx")
    assert len(Presentation(waiting.value.path()).slides) > 20
