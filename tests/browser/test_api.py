"""The page to try the API and the page of tokens in a real browser: made with the keyboard, tried, looked at; nobody else is asked for anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, served
from tests.browser.test_results import log_in
from tests.web.figures import handmade
from tests.web.staff import PASSWORD
from wtp.analysis import Request
from wtp.jobs import keys_of
from wtp.settings import Settings
from wtp.store import results, staff
from wtp.web import create_app
from wtp.web.security import limiter

pytestmark = pytest.mark.browser
SURVEYS = Path(__file__).parents[2] / "surveys"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own in this process, whose supplier study has an analysis made by hand."""
    app = create_app(Settings(instance=tmp_path_factory.mktemp("instance"), surveys=SURVEYS))
    with app.app_context():
        limiter.reset()
    survey = app.extensions["wtp_surveys"]["supplier"]
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "analyst", PASSWORD, "analyst")
        content = handmade(survey, simulated=400).to_json()
        results.save(connection, keys_of(connection, survey, Request())[0], "supplier", content, datetime.now(UTC))
    with served(app) as place:
        yield place


@pytest.mark.parametrize(
    ("width", "language", "scheme"),
    [(390, "de", "dark"), pytest.param(1280, "en", "light", marks=pytest.mark.release)],
)
def test_a_token_is_made_and_tried_on_the_page(visit: Visit, width: int, language: str, scheme: str) -> None:
    visitor = visit(width, language=language, color_scheme=scheme)
    page = visitor.page
    log_in(visitor, language)
    visitor.open("/manage/tokens")
    visitor.tab_to(id="name")
    page.keyboard.type("report")
    visitor.tab_to(name="studies")
    page.keyboard.press("Space")
    visitor.tab_to(tag="BUTTON", classes="button")
    page.keyboard.press("Enter")
    token = page.locator(".secret").inner_text()
    visitor.look()

    visitor.open("/api/v1/")
    visitor.look()
    form = page.locator("form.try[data-path$='{table}']")
    button, status = form.locator("button"), form.locator(".status-line")
    button.click()
    expect(form.locator(".reply")).to_contain_text({"en": "Type your token first", "de": "Token ein"}[language])
    visitor.tab_to(id="token")
    page.keyboard.type(token)
    form.locator("[name=limit]").fill("2")
    form.locator("[name=segment]").fill("uptime")
    button.click()
    expect(status).to_have_text("200 OK · /api/v1/studies/supplier/tables/willingness_to_pay?limit=2&segment=uptime")
    expect(form.locator("pre")).to_contain_text('"total": 12')
    form.locator("[data-where=accept]").select_option("text/csv")
    button.click()
    expect(form.locator("pre")).to_contain_text("segment,attribute,from_level")
    form.locator("[name=table]").fill("nothing/at all")
    button.click()
    expect(status).to_contain_text("404")
    start = page.locator("form.try[data-method=POST]")
    start.locator("button").click()
    expect(start.locator(".status-line")).to_contain_text("403")
    page.locator("#token").fill("")  # longer than its field
    for summary in page.locator("summary").all()[:2]:
        summary.click()
    visitor.look()
    page.reload()
    expect(page.locator("#token")).to_have_value("")
    assert all(request.startswith(visitor.address) for request in visitor.requests)
    assert not any(token in request for request in visitor.requests)
    assert [said for said in visitor.complaints if "status of 40" not in said] == []


def test_without_script_the_examples_are_there(visit: Visit) -> None:
    visitor = visit(390, java_script_enabled=False)
    visitor.open("/api/v1/")
    assert not visitor.page.locator("form.try").first.is_visible()
    visitor.page.locator("summary").first.click()
    assert "curl -H" in visitor.page.locator("pre").first.inner_text()
    assert visitor.page.locator("noscript").count() == 1
