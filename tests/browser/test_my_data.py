"""My data, with the keyboard, on a phone and on a desk: seen, taken along, deleted; and what the browser kept is gone too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit


@pytest.mark.parametrize(
    ("width", "scheme", "language"),
    [
        pytest.param(390, "light", "de", id="phone"),
        pytest.param(1280, "dark", "en", id="desk", marks=pytest.mark.release),
    ],
)
def test_a_respondent_sees_takes_along_and_deletes_everything(
    visit: Visit, width: int, scheme: str, language: str, tmp_path: Path
) -> None:
    visitor = visit(width, 800, language, color_scheme=scheme)
    page = visitor.page
    visitor.open("/s/supplier")
    visitor.look()  # data protection in short
    visitor.walk("choice-1")
    visitor.look()
    page.locator("footer a[href$='my-data']").click()
    expect(page.locator("#delete")).to_be_visible()
    visitor.look()
    with page.expect_download() as taken:
        page.locator("a[download]").click()
    record = json.loads(Path(taken.value.path()).read_text(encoding="utf-8"))
    assert record["answer"]

    page.locator("main button").click()  # without the tick
    expect(page.locator(".mistakes a")).to_be_visible()
    visitor.look()
    visitor.tab_to(id="sure")
    page.keyboard.press("Space")
    visitor.go_on()
    assert visitor.step == "deleted"
    visitor.look()
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('wtp/'))") == []
    visitor.open("/s/supplier")
    assert visitor.step == "consent"
