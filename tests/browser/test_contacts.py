"""Recording contacts in a real browser: ten calls by keyboard alone on a phone, pages that are clean for everybody, charts for managers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Share, Visit, Visitor, served
from tests.browser.test_results import drawn
from tests.web.figures import handmade
from tests.web.staff import PASSWORD
from wtp.customers.simulated_contacts import simulated_codings, simulated_contacts
from wtp.settings import Settings
from wtp.store import contacts, staff
from wtp.store.contacts import Coding, Contact
from wtp.web import create_app, manage, results
from wtp.web.security import limiter

pytestmark = pytest.mark.browser
SURVEYS = Path(__file__).parents[2] / "surveys"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PAGES = ("/contacts", "/contacts/supplier", "/contacts/supplier?saved=yes", "/contacts/supplier/coding")
MORE = ("/manage/supplier/contacts", "/results/supplier/contacts", "/results/supplier/contacts?segment=cost")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server in this process with ten months of simulated contacts of the supplier study."""
    app = create_app(Settings(instance=tmp_path_factory.mktemp("instance"), surveys=SURVEYS))
    limiter.reset()
    survey = app.extensions["wtp_surveys"]["supplier"]
    people = {f"{s.id} {n}": s.id for s in survey.definition.segments for n in range(300)}
    frame = simulated_contacts(survey.definition, people, months=10, seed=3)
    calls = [Contact(**{str(name): value for name, value in row.items()}) for row in frame.to_dict("records")]
    with app.extensions["wtp_database"].begin() as connection:
        for role in ("field", "analyst"):
            staff.add(connection, role, PASSWORD, role)
        contacts.import_file(connection, "supplier", calls, name="calls", digest="d" * 64, who="demo", now=NOW, secret="s", simulated=True)  # fmt: skip
        for row in simulated_codings(survey.definition, frame, agreement=0.9, seed=1).to_dict("records"):
            coding = Coding(row["reason"], row["mattered_most"], row["core_problem"])
            contacts.code(connection, "supplier", int(row["contact"]) + 1, coding, who="second", now=NOW)
    analysis = handmade(survey)
    with pytest.MonkeyPatch.context() as patch:
        for module in (results, manage):
            patch.setattr(module, "analysis_of", lambda *_: analysis)
        with served(app) as place:
            yield place


def log_in(visitor: Visitor, name: str, language: str = "en") -> None:
    visitor.open(f"/login?lang={language}")
    visitor.tab_to(name="name")
    visitor.page.keyboard.type(name)
    visitor.tab_to(name="password")
    visitor.page.keyboard.type(PASSWORD)
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")


def test_ten_contacts_by_keyboard_alone_on_a_phone_without_script(visit: Visit) -> None:
    caller = visit(390, 844, java_script_enabled=False)
    page = caller.page
    page.goto(f"{caller.address}/login?lang=en")
    page.locator("[name=name]").press_sequentially("field")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/contacts")
    page.goto(f"{caller.address}/contacts/supplier")
    for number in range(10):
        expect(page.locator("[name=reason]")).to_be_focused()
        page.keyboard.type("A fault")
        page.keyboard.press("Tab")
        page.keyboard.type("When will the tech")
        page.keyboard.press("Tab")
        if number == 0:
            page.keyboard.press("Space")  # the channel; afterwards that of the last contact is picked
        page.keyboard.press("Tab")
        page.keyboard.type(f"The press stands still, call {number}")
        page.keyboard.press("Tab")
        page.keyboard.type("Speed")
        page.keyboard.press("Tab")
        page.keyboard.type("Our production")
        page.keyboard.press("Tab")
        page.keyboard.type("Technician")
        page.keyboard.press("Tab")  # is it solved: not known yet
        page.keyboard.press("Tab")
        page.keyboard.press("Space")  # the impression
        page.keyboard.press("Tab")
        page.keyboard.type(f"K-{number}")
        page.keyboard.press("Tab")
        page.keyboard.type("5")
        page.keyboard.press("Enter")  # sends the form, as everywhere
        page.wait_for_url("**/contacts/supplier?saved=yes")
        expect(page.locator(".contacts li").first).to_contain_text(f"call {number}")
        expect(page.locator("[role=status]")).to_contain_text("Saved")
    expect(page.locator(".contacts li")).to_have_count(5)
    expect(page.locator("[name=reported]")).to_have_value("")


@pytest.mark.parametrize(("width", "scheme", "language"), [(390, "dark", "de"), (1280, "light", "en")])
def test_every_page_is_clean_and_fits(visit: Visit, share: Share, width: int, scheme: str, language: str) -> None:
    analyst = visit(width, 844 if width < 700 else 800, language, color_scheme=scheme)
    log_in(analyst, "analyst", language)
    for path in share(PAGES, width > 700):
        analyst.open(path)
        analyst.look()
    for path in share(MORE, width > 700):
        analyst.open(path)
        assert drawn(analyst.page) == (6 if "results" in path else 0), path
        assert analyst.violations() == []
        assert analyst.page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert analyst.complaints == []
    assert all(request.startswith((analyst.address, "data:")) for request in analyst.requests)


def test_a_mistake_is_led_to_and_can_be_mended(visit: Visit) -> None:
    caller = visit(390, 844)
    log_in(caller, "analyst")
    caller.open("/contacts/supplier")
    page = caller.page
    page.locator("[name=minutes]").fill("a while")
    page.locator("[name=reported]").fill("Nobody called back")
    page.locator("form.contact button").click()
    expect(page.locator(".mistakes")).to_be_focused()
    assert caller.violations() == []
    page.locator(".mistakes a[href='#minutes']").click()
    expect(page.locator("[name=minutes]")).to_be_focused()
    page.locator("[name=minutes]").fill("7")
    page.locator("[name=reason]").select_option("complaint")
    page.locator("[name=channel]").first.check()
    page.locator("form.contact button").dblclick()
    page.wait_for_url("**/contacts/supplier?saved=yes")
    expect(page.locator(".contacts li")).to_have_count(1)
    expect(page.locator(".contacts li")).to_contain_text("Nobody called back")
