"""From a finding to a recorded measure in three clicks, on a phone and a desk, with and without script; and the page of before and after."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, served
from tests.browser.test_results import SURVEYS, drawn, log_in
from tests.web.figures import wave, with_ratings
from tests.web.staff import PASSWORD
from wtp.settings import Settings
from wtp.store import measures, staff
from wtp.store.measures import Grounds, Plan
from wtp.web import create_app, manage, results, waves
from wtp.web.security import limiter

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in this process with two waves, whose analyses are made by hand, and a measure that is late."""
    root = tmp_path_factory.mktemp("waves")
    for slug in ("supplier", "later"):
        shutil.copytree(SURVEYS / "supplier", root / "surveys" / slug)
    survey = root / "surveys/later/survey.toml"
    survey.write_text(f'follows = "supplier"\n{survey.read_text(encoding="utf-8")}', encoding="utf-8")
    app = create_app(Settings(instance=root / "instance", surveys=root / "surveys"))
    limiter.reset()
    surveys, now = app.extensions["wtp_surveys"], datetime.now(UTC)
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "analyst", PASSWORD, "analyst")
        plan = Plan("process", "Answer every report within two hours", "speed", "Dana", (now - timedelta(days=9)).date(), "Fewer calls")  # fmt: skip
        grounds = Grounds("worth", "uptime", "Speed is worth most", "en")
        measures.add(connection, "supplier", plan, grounds, submission="late", who="Dana", now=now, simulated=True)
    for slug in ("supplier", "later"):
        surveys._read[slug] = replace(surveys._read[slug], survey=with_ratings(surveys[slug]))
    found = {"supplier": wave(surveys["supplier"], simulated=400), "later": wave(surveys["later"], speed=4.8, simulated=400)}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for module in (results, manage, waves):
            patch.setattr(module, "analysis_of", lambda _, survey, *__: found[survey.slug])
        with served(app) as place:
            yield place


@pytest.mark.parametrize(
    ("width", "language", "scheme", "script"),
    [
        (390, "en", "light", False),
        (1280, "en", "light", True),
        pytest.param(390, "de", "dark", True, marks=pytest.mark.release),
    ],
)
def test_from_a_finding_to_a_measure_in_three_clicks(
    visit: Visit, width: int, language: str, scheme: str, script: bool
) -> None:
    visitor = visit(width, 844, language, color_scheme=scheme, java_script_enabled=script)
    page, german = visitor.page, language == "de"
    if script:
        log_in(visitor, language)
    else:
        visitor.open(f"/login?lang={language}")
        page.fill("#name", "analyst")
        page.fill("#password", PASSWORD)
        page.locator("main button").click()
    visitor.open("/results/supplier/worth?segment=uptime")
    finding = page.locator("#title-worth").inner_text()
    page.locator("section", has=page.locator("#title-worth")).get_by_role("link", name="Maßnahme erfassen" if german else "Record a measure").click()  # fmt: skip
    expect(page.locator(".measure-form dd").first).to_have_text(finding)
    if script:
        visitor.look()
    page.locator("#title").click()
    page.keyboard.type(f"Same day everywhere, {width} {language}")
    page.get_by_role("button", name="Erfassen" if german else "Record", exact=True).click()
    recorded = page.locator(".measure", has_text=f"Same day everywhere, {width} {language}")
    expect(recorded).to_have_count(1)
    expect(recorded.get_by_role("link", name=finding)).to_have_count(1)
    expect(page.locator(".overdue")).to_contain_text("überfällig" if german else "overdue")
    page.wait_for_load_state()  # colours too
    if script:
        visitor.look()
        page.locator(".measure .downloads a").first.click()
        expect(page.locator("#outcome")).to_be_visible()
        visitor.look()
    assert visitor.complaints == []


@pytest.mark.parametrize(
    ("width", "language", "scheme"),
    [(390, "de", "light"), pytest.param(1280, "en", "dark", marks=pytest.mark.release)],
)
def test_before_and_after_fits_and_is_readable(visit: Visit, width: int, language: str, scheme: str) -> None:
    visitor = visit(width, 844, language, color_scheme=scheme)
    log_in(visitor, language)
    visitor.open("/results/later/since-before?segment=uptime")
    assert drawn(visitor.page) == 7
    visitor.look()
    assert visitor.complaints == []
