"""Hostile texts in a real browser: whatever stands in a stored text, no dialog opens, nothing of it runs, and no element comes of it, on pages and in charts that are pointed at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page

from tests.abuse.conftest import House
from tests.abuse.poisoned import poisoned_house
from tests.browser.conftest import served
from tests.web.every.people import Pages

pytestmark = pytest.mark.browser

# Before anything of the page: what a payload would call leaves a mark, and what the policy stops is kept.
TRAP = """
window.ran = 0; window.stopped = [];
const real = window.alert;
window.alert = (words) => { window.ran += 1; real(words); };
document.addEventListener("securitypolicyviolation", (e) => window.stopped.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
"""
MADE = """() => {
  const bad = /^\\s*(javascript|vbscript|data:text)/i, places = ["href", "src", "action", "formaction", "data", "xlink:href", "poster"];
  const never = "object, embed, base, math, video, source, mglyph, animate, x, [srcdoc], body meta, body link, body title, script:not([src]):not([type='application/json'])";
  return [...document.querySelectorAll("*")].filter((e) => e.matches(never)
    || [...e.attributes].some((a) => a.name.startsWith("on"))
    || places.some((p) => { const to = e.getAttribute(p) || ""; return bad.test(to) || to.split("?")[0].includes("evil.example"); })
  ).map((e) => e.outerHTML.slice(0, 200));
}"""
STAFF = (
    "/results", "/results/supplier", "/results/supplier/importance", "/results/supplier/measures", "/results/supplier/customer", "/results/supplier/contacts",
    "/manage", "/manage/supplier", "/manage/supplier/field", "/manage/supplier/quality", "/manage/supplier/import", "/manage/supplier/import/1",
    "/manage/supplier/contacts", "/manage/supplier/edit/basics", "/manage/supplier/edit/attributes.0", "/manage/supplier/edit/pages.1", "/manage/supplier/texts",
    "/manage/supplier/source", "/manage/supplier/preview", "/manage/supplier/publish", "/manage/supplier/versions", "/manage/tokens", "/contacts/supplier",
)  # fmt: skip
CHARTS = ("worth", "price", "segments")


@dataclass
class Trapped:
    """A window in which every dialog, error and request to elsewhere is kept."""

    page: Page
    address: str
    dialogs: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    shown: int = 0

    def as_(self, client: FlaskClient) -> None:
        """Go on as whom the client is logged in."""
        cookie = client.get_cookie("wtp")
        assert cookie is not None
        self.page.context.add_cookies([{"name": "wtp", "value": cookie.value, "url": self.address}])

    def look(self, path: str) -> None:
        """Open a page: nothing came of a text on it."""
        reply = self.page.goto(self.address + path)
        assert reply is not None
        assert reply.status == 200, (path, reply.status)
        self.check(path)
        self.shown += self.page.locator("body").inner_text().count("alert")

    def check(self, path: str) -> None:
        """Nothing ran, was stopped or was made."""
        found = self.page.evaluate("[window.ran, window.stopped]")
        assert found == [0, []], (path, found)
        assert self.page.evaluate(MADE) == [], path
        assert (self.dialogs, self.strangers) == ([], []), path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with poisoned_house(tmp_path_factory.mktemp("hostile")) as made:
        yield made


@pytest.fixture(scope="module")
def site(house: House) -> Iterator[str]:
    with served(house.app) as address:
        yield address


@pytest.fixture
def window(browser: Browser, site: str) -> Iterator[Trapped]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en")
    context.add_init_script(TRAP)
    page = context.new_page()
    trapped = Trapped(page, site)

    def refuse(dialog: object) -> None:
        trapped.dialogs.append(dialog.message)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    def note(request: object) -> None:
        if not request.url.startswith((site, "data:", "blob:", "about:")):  # type: ignore[attr-defined]
            trapped.strangers.append(request.url)  # type: ignore[attr-defined]

    page.on("dialog", refuse)
    page.on("request", note)
    yield trapped
    context.close()


def test_the_trap_catches_what_runs(window: Trapped) -> None:
    """Without our policy each would be found by its dialog; with it by what was stopped, and by the element."""
    window.page.goto(f"{window.address}/login")
    window.page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')"
    )
    window.page.wait_for_function("window.stopped.length > 0")
    assert len(window.page.evaluate(MADE)) == 1
    window.page.evaluate("setTimeout(() => alert(1))")
    window.page.wait_for_function("window.ran === 1")
    assert window.dialogs == ["1"]


def test_no_page_of_the_staff_runs_a_text(window: Trapped, house: House) -> None:
    window.as_(house.client("administrator"))
    for path in STAFF:
        window.look(path)
    assert window.shown > 100, "the payloads are on the pages"


def test_no_chart_runs_a_text_when_it_is_pointed_at(window: Trapped, house: House) -> None:
    window.as_(house.client("administrator"))
    told = ""
    for name in CHARTS:
        window.look(f"/results/supplier/{name}")
        for place in range(window.page.locator("[data-chart]").count()):
            chart = window.page.locator("[data-chart]").nth(place)
            chart.locator("svg.main-svg").first.wait_for()
            chart.scroll_into_view_if_needed()
            points = chart.locator(".point path, path.point")
            for number in range(min(3, points.count())):
                points.nth(number).hover(force=True)
                told += chart.locator(".hoverlayer").first.text_content() or ""
        window.check(name)
    assert told, "something was told of what is pointed at"


def test_no_page_of_an_interview_runs_a_text(window: Trapped, house: House) -> None:
    pages = Pages(house.app.test_client())
    while True:
        window.as_(pages.client)
        window.look(f"/s/every/{pages.step}")
        if pages.step == "thanks":
            break
        pages.send(**pages.first())
    assert window.shown > 20
