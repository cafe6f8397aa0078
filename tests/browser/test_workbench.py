"""The author's workbench in a real browser: every page on a phone and at a desk, live mistakes, preview frames, a study from nothing to its link."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Share, Visit, Visitor, served
from tests.browser.test_results import log_in
from tests.web.staff import PASSWORD
from wtp.settings import Settings
from wtp.store import staff
from wtp.web import create_app
from wtp.web.security import limiter

pytestmark = pytest.mark.browser
SURVEYS = Path(__file__).parents[2] / "surveys"
NODES = ("basics", "attributes", "attributes.1", "price", "choice_tasks", "pages", "pages.1", "pages.5.questions.0", "segments.0", "participants", "competitors.0", "costs", "access", "look", "contacts", "simulation")  # fmt: skip
PAGES = (
    "/manage", "/manage/new", "/manage/supplier/edit", *(f"/manage/supplier/edit/{node}" for node in NODES),
    *(f"/manage/supplier/{name}" for name in ("texts", "preview?step=choice-1", "source", "publish", "versions", "tests", "delete")),
)  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in this process with a copy of the supplier study, whose draft has a mistake."""
    root = tmp_path_factory.mktemp("workbench")
    shutil.copytree(SURVEYS / "supplier", root / "surveys" / "supplier")
    text = (root / "surveys/supplier/survey.toml").read_text(encoding="utf-8")
    (root / "surveys/supplier/survey.draft.toml").write_text(
        text.replace('current = "broad"', 'current = "huge"'), encoding="utf-8"
    )
    app = create_app(Settings(instance=root / "instance", surveys=root / "surveys"))
    limiter.reset()
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "analyst", PASSWORD, "analyst")
    with served(app) as place:
        yield place


@pytest.mark.parametrize(("width", "scheme", "language"), [(390, "dark", "de"), (1280, "light", "en")])
def test_every_page_is_clean_and_fits(visit: Visit, share: Share, width: int, scheme: str, language: str) -> None:
    author: Visitor = visit(width=width, language=language, color_scheme=scheme)
    log_in(author, language)
    for path in share(PAGES, width > 700):
        author.open(path)
        author.page.wait_for_load_state("load")
        assert author.violations() == []
        assert author.page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert author.complaints == []
    assert all(request.startswith((author.address, "data:")) for request in author.requests)


def test_mistakes_come_and_go_while_typing(visit: Visit) -> None:
    author: Visitor = visit()
    log_in(author, "en")
    author.open("/manage/supplier/edit/price")
    expect(author.page.locator("[data-summary]")).to_be_hidden()
    author.tab_to(name="price.levels")
    author.page.keyboard.press("Control+A")
    author.page.keyboard.type("80 90 many")
    expect(author.page.locator("[data-summary] li")).to_contain_text("many")
    expect(author.page.locator('[data-mistakes="price.levels"]')).to_be_visible()
    expect(author.page.locator('[name="price.levels"]')).to_have_attribute("aria-invalid", "true")
    expect(author.page.locator('[data-part="price"] [data-count]')).to_have_text("1")
    assert author.violations() == []
    author.page.keyboard.press("Control+A")
    author.page.keyboard.type("80 90 100 115 130")
    expect(author.page.locator("[data-summary]")).to_be_hidden()
    with author.page.expect_navigation():
        author.page.keyboard.press("Enter")
    expect(author.page.locator(".state")).to_contain_text("Saved as draft")


def test_an_author_makes_a_study_with_the_keyboard_and_sees_it_on_a_phone(visit: Visit) -> None:
    author: Visitor = visit()
    log_in(author, "en")
    author.open("/manage/new")
    page = author.page
    author.tab_to(name="source")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    for name, text in (("slug", "browser"), ("title", "Made in a browser")):
        author.tab_to(name=name)
        page.keyboard.type(text)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Made in a browser")
    author.open("/manage/browser/preview?step=choice-1")
    phone = page.frame_locator(".phone iframe")
    expect(phone.locator("h1")).to_have_text("Which offer suits you best?")
    assert phone.locator("body").evaluate("body => document.documentElement.clientWidth") == 390
    phone.locator("label.option").first.click()
    phone.locator("button[type=submit]").click()
    expect(phone.locator(".count")).to_have_text("Choice 1 of 10")
    author.open("/manage/browser/publish")
    with page.expect_navigation():
        page.get_by_role("button", name="Publish this version").click()
    expect(page.locator(".good")).to_contain_text("Published")
    page.get_by_role("link", name="Link for respondents").click()
    expect(page.locator("h1")).to_have_text("Before we start")
    assert [text for text in author.complaints if "beforeunload" not in text] == []
