"""Customer knowledge from end to end: staff record ten contacts, a respondent answers the process block, a manager reads the process lane and the five questions and records a measure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor, served
from tests.browser.test_results import SURVEYS, drawn
from tests.web.staff import PASSWORD
from wtp.cli.simulation import simulate_through_store
from wtp.customers.simulated_contacts import simulated_contacts
from wtp.settings import Settings
from wtp.store import contacts, staff
from wtp.store.contacts import Contact
from wtp.survey import load_survey
from wtp.web import create_app
from wtp.web.security import limiter

pytestmark = pytest.mark.browser
RECORDED = 10
SIMULATED = 90


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the workshop as it is shipped, whose analysis is made by the pages themselves, of simulated answers and half a year of simulated contacts."""
    settings = Settings(instance=tmp_path_factory.mktemp("instance"), surveys=SURVEYS)
    survey = load_survey(SURVEYS / "workshop")
    simulate_through_store(settings, survey, SIMULATED, seed=1)
    app = create_app(settings)
    limiter.reset()
    now = datetime.now(UTC)
    people = {f"S-{s.id}-{n}": s.id for s in survey.definition.segments for n in range(250)}
    frame = simulated_contacts(survey.definition, people, months=6, seed=1, start=now - timedelta(days=200))
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    calls = [Contact(**{str(name): value for name, value in row.items()}) for row in rows]
    with app.extensions["wtp_database"].begin() as connection:
        for role in ("field", "manager"):
            staff.add(connection, role, PASSWORD, role)
        contacts.import_file(connection, "workshop", calls, name="calls", digest="d" * 64, who="demo", now=now, secret="s", simulated=True)  # fmt: skip
    with served(app) as place:
        yield place


def log_in(visitor: Visitor, name: str) -> None:
    visitor.open("/login?lang=en")
    visitor.page.fill("#name", name)
    visitor.page.fill("#password", PASSWORD)
    with visitor.page.expect_navigation():
        visitor.page.locator("main button").click()


def test_from_contacts_and_answers_to_a_measure(visit: Visit) -> None:
    caller = visit(390, 844)
    log_in(caller, "field")
    assert caller.page.url.endswith("/contacts")
    with caller.page.expect_navigation():
        caller.page.get_by_role("link", name="Your next car inspection").click()
    for number in range(RECORDED):
        page = caller.page
        page.select_option("[name=reason]", "ready")
        page.select_option("[name=question]", "early")
        page.locator("[name=channel]").first.check()
        page.fill("[name=reported]", f"Wants to hand over the car at 6, call {number}")
        page.select_option("[name=mattered_most]", "drop_off")
        page.fill("[name=customer]", f"K-{number}")
        with page.expect_navigation():
            page.get_by_role("button", name="Save the contact").click()
        expect(page.locator("[role=status]")).to_contain_text("Saved")
    assert caller.complaints == []

    respondent = visit(390, 844)
    respondent.words |= {"q-hour_without_car": "12", "q-hour_without_car-unsure": ""}
    respondent.open("/s/workshop")
    while respondent.step != "thanks":
        respondent.click_in()
        respondent.press_on()
    assert respondent.complaints == []

    manager = visit(1280, 800)
    log_in(manager, "manager")
    page = manager.page
    manager.open("/results/workshop")
    expect(page.locator("aside.banner").first).to_contain_text(
        f"{SIMULATED} of {SIMULATED + 1} respondents are simulated"
    )
    with page.expect_navigation():
        page.get_by_role("link", name="The customer's process").click()
    expect(page.locator(".lane li")).to_have_count(6)
    assert page.locator(".lane .decides").count() >= 1
    assert drawn(page) >= 3
    with page.expect_navigation():
        page.get_by_role("link", name="Contacts", exact=True).click()
    section = page.locator("section", has=page.locator("#title-contact_questions"))
    expect(section.locator("tbody tr")).to_have_count(5)
    expect(section.locator("tbody")).to_contain_text("Can I bring it before 7 am?")
    finding = page.locator("#title-contact_questions").inner_text()
    with page.expect_navigation():
        section.get_by_role("link", name="Record a measure").click()
    expect(page.locator(".measure-form dd").first).to_have_text(finding)
    page.fill("#title", "A key box for early customers")
    with page.expect_navigation():
        page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator(".measure")).to_contain_text("A key box for early customers")
    expect(page.locator(".measure")).to_contain_text(finding)
    assert manager.complaints == []
    assert all(request.startswith((manager.address, "data:")) for request in manager.requests)
