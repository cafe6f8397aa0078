"""Every type of question and page in a real browser: phone and desk, German and English, light and dark, by keyboard, by mouse, without script."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urljoin

import pytest

from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser

WORDS = {
    "q-has_car": "1",
    "q-age": "12",
    "q-age-unsure": "",
    "q-cars": "30",
    "q-old_car": "Exhaust",
    "q-points-quality": "70",
    "q-points-service": "30",
    "q-words": "Call back",
    "worst": "1",
}
PAGES = {
    "consent", "about", "fleet", "wishes", "times", "matters-1", "introduction", "choice-1", "offer-1", "ladder-1", "prices",
    "check", "thanks",
}  # fmt: skip


def answers(visitor: Visitor) -> dict[str, str]:
    """Two of the three lines that are ranked come in an order of each respondent's own."""
    ranked = [name for name in visitor.names() if name.startswith("q-rank-")]
    return WORDS | dict(zip(ranked, ("1", "2", ""), strict=False))


def test_by_keyboard_on_a_phone(visit: Visit) -> None:
    visitor = visit(390, 844, "de")
    play(visitor, keyboard=True)
    assert "Vielen Dank" in visitor.page.inner_text("h1")


@pytest.mark.parametrize(
    ("width", "height", "language", "scheme"),
    [
        (1280, 800, "de", "light"),
        pytest.param(390, 844, "en", "dark", marks=pytest.mark.release),
        pytest.param(1280, 800, "de", "dark", marks=pytest.mark.release),
        pytest.param(1280, 800, "en", "light", marks=pytest.mark.release),
    ],
)
def test_by_mouse(visit: Visit, width: int, height: int, language: str, scheme: str) -> None:
    play(visit(width, height, language, color_scheme=scheme), narrow=width == 390)


def test_without_script_in_320_px(visit: Visit) -> None:
    """axe needs script itself, so it reads each page as it is without script in a second window."""
    visitor, reader = visit(320, 640, "de", java_script_enabled=False), visit(320, 640, "de", reduced_motion="reduce")

    def read() -> None:
        reader.page.goto(
            urljoin(visitor.page.url, "/healthz")
        )  # a page of the same site, or it would get no style sheet
        page = re.sub(r"<script.*?</script>|</?noscript>", "", visitor.page.content())
        reader.page.set_content(page.replace("<head>", f'<head><base href="{visitor.page.url}">'))
        assert reader.violations() == []
        visitor.fits()

    play(visitor, look=read)


def play(
    visitor: Visitor, *, keyboard: bool = False, narrow: bool = False, look: Callable[[], None] | None = None
) -> None:
    """The whole survey; `narrow` looks at every page in 320 px too, which is a zoom of 400 % on a desk."""
    look = look or visitor.look
    visitor.open("/s/every")
    visited = set()
    while visitor.step != "thanks":
        visited.add(visitor.step)
        look()
        if narrow:
            size = visitor.page.viewport_size
            visitor.page.set_viewport_size({"width": 320, "height": 640})
            visitor.fits()
            visitor.page.set_viewport_size(size)  # type: ignore[arg-type]
        visitor.words = answers(visitor)
        if keyboard:
            visitor.fill_in()
            visitor.go_on()
        else:
            visitor.click_in()
            visitor.press_on()
    look()
    assert visited | {"thanks"} >= PAGES
    assert all(url.startswith(visitor.address) for url in visitor.requests)
    assert visitor.complaints == []
