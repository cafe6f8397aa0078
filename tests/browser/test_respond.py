"""A person's whole survey in a real browser: phone and desk, German and English, keyboard alone, with and without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route

from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser


def layout(visitor: Visitor) -> str:
    """How the offers of a choice task stand: side by side under the attributes, or one below the other."""
    boxes = visitor.page.eval_on_selector_all(
        "table.offers tbody tr", "rows => rows.map(r => { const b = r.getBoundingClientRect(); return [b.x, b.y]; })"
    )
    assert len(boxes) == 3
    xs, ys = zip(*boxes, strict=True)
    attributes = visitor.page.query_selector_all("table.offers thead th")[1:]
    if len(set(ys)) == 1:
        assert list(xs) == sorted(set(xs))
        for place, attribute in enumerate(attributes):
            header = attribute.bounding_box()
            assert header is not None
            for row in visitor.page.query_selector_all("table.offers tbody tr"):
                cell = row.query_selector_all("td")[place].bounding_box()
                assert cell is not None
                assert cell["y"] == pytest.approx(header["y"], abs=1), "attribute and level in one line"
                assert cell["x"] > header["x"]
        return "table"
    assert len(set(xs)) == 1
    assert list(ys) == sorted(set(ys))
    labels = [
        [cell.inner_text() for cell in row.query_selector_all("td .attribute")]
        for row in visitor.page.query_selector_all("table.offers tbody tr")
    ]
    assert labels[0] == labels[1] == labels[2], "the same order in every card"
    assert len(labels[0]) == len(attributes)
    return "cards"


@pytest.mark.parametrize(
    ("width", "height", "language", "scheme", "expected", "every"),
    [
        (390, 844, "de", "light", "cards", False),
        (1280, 800, "en", "dark", "table", False),
    ],
)
@pytest.mark.slow
def test_a_whole_survey_by_keyboard(
    visit: Visit, width: int, height: int, language: str, scheme: str, expected: str, every: bool
) -> None:
    """`every`: axe looks at each of the choice tasks; else at the first one, as at all other pages."""
    visitor = visit(width, height, language, color_scheme=scheme)
    visitor.open("/s/supplier")
    visited = []
    while visitor.step != "thanks":
        visited.append(visitor.step)
        if every or not visitor.step.startswith("choice") or visitor.step == "choice-1":
            visitor.look()
        assert visitor.page.get_attribute("html", "lang") == language
        assert visitor.page.query_selector("main input:checked") is None
        if visitor.step.startswith("choice"):
            assert layout(visitor) == expected
            names = visitor.page.get_by_role("radio").all()
            offer = {"de": "Angebot", "en": "Offer"}[language]
            assert visitor.page.get_by_role("radio", name=f"{offer} 1", exact=True).count() == 1
            assert len(names) == 5
        visitor.fill_in(pick=1 if visitor.step.startswith("choice") else 0)
        visitor.go_on()
    visitor.look()
    assert len(visited) == 18
    assert all(url.startswith(visitor.address) for url in visitor.requests)
    assert visitor.complaints == []


@pytest.mark.slow
def test_a_whole_survey_without_script(visit: Visit) -> None:
    visitor = visit(390, 844, "de", java_script_enabled=False)
    visitor.open("/s/supplier")
    visitor.walk("thanks")
    assert "Vielen Dank" in visitor.page.inner_text("h1")


@pytest.mark.parametrize("script", [True, False])
def test_mistakes_are_announced_and_the_keyboard_is_on_them(visit: Visit, script: bool) -> None:
    visitor = visit(390, 844, "en", java_script_enabled=script)
    visitor.open("/s/supplier")
    for step in ("consent", "profile", "introduction", "choice-1"):
        assert visitor.step == step
        if step != "introduction":
            visitor.go_on()
            assert visitor.page.title().startswith("Error: ")
            assert visitor.focused()["classes"] == "mistakes"
            if script:
                visitor.look()
        visitor.page.keyboard.press("Tab")
        if step == "profile":
            visitor.page.keyboard.press("Enter")
            assert visitor.focused()["name"] == "q-core_problem", "the summary leads to the field"
        visitor.fill_in()
        visitor.go_on()


def test_a_lost_connection_loses_nothing(visit: Visit) -> None:
    visitor = visit(390, 844, "en")
    visitor.open("/s/supplier")
    visitor.walk("prices")
    visitor.fill_in()
    visitor.page.context.set_offline(True)
    visitor.tab_to(tag="BUTTON", kind="submit")
    visitor.page.keyboard.press("Enter")
    status = visitor.page.get_by_role("status")
    status.get_by_text("Not saved yet").wait_for()
    assert visitor.step == "prices"
    assert visitor.page.input_value("[name=q-price_sense-cheap]") == "80"
    with visitor.page.expect_navigation():
        visitor.page.context.set_offline(False)
    assert visitor.step == "importance"
    visitor.page.go_back()
    assert visitor.page.input_value("[name=q-price_sense-cheap]") == "80"


def test_a_lost_reply_is_asked_for_again_and_saves_once(visit: Visit) -> None:
    visitor = visit(390, 844, "en")
    visitor.open("/s/supplier")
    visitor.walk("choice-1")
    lost: list[int] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and len(lost) < 2:
            lost.append(route.fetch(max_redirects=0).status)
            route.abort()
        else:
            route.continue_()

    visitor.page.route("**/s/supplier/choice-1", lose)
    visitor.fill_in()
    visitor.go_on()
    assert lost == [303, 303], "the server had saved it, the reply never came"
    assert visitor.step == "choice-2"
    visitor.page.unroute("**/s/supplier/choice-1")
    visitor.page.go_back()
    revision = visitor.page.get_attribute("[name=revision]", "value")
    assert revision == "1"


def test_double_click_back_and_reload(visit: Visit) -> None:
    visitor = visit(1280, 800, "en")
    visitor.open("/s/supplier")
    visitor.walk("choice-1")
    visitor.fill_in(pick=1)
    with visitor.page.expect_navigation():
        visitor.page.dblclick("main button")
    assert visitor.step == "choice-2"
    visitor.page.reload()
    assert visitor.step == "choice-2"
    assert visitor.page.query_selector("main input:checked") is None
    visitor.page.go_back()
    assert visitor.step == "choice-1"
    assert [box.get_attribute("name") for box in visitor.page.query_selector_all("main input:checked")] == [
        "chosen",
        "buys",
    ]
    visitor.go_on()
    assert visitor.step == "choice-2"


def test_everything_fits_320_px(visit: Visit) -> None:
    visitor = visit(320, 640, "de")
    visitor.open("/s/supplier")
    while visitor.step != "choice-2":
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 320
        visitor.fill_in()
        visitor.go_on()
