"""From an invitation to a login with a second factor, on a phone and a desk, with and without script; every page of it fits and is accessible."""

from __future__ import annotations

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor, served
from tests.browser.test_results import SURVEYS
from tests.web.staff import PASSWORD
from wtp.settings import Settings
from wtp.store import staff
from wtp.web import create_app

pytestmark = pytest.mark.browser
OWN = "quite other words there"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    app = create_app(Settings(instance=tmp_path_factory.mktemp("instance"), surveys=SURVEYS))
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "administrator", PASSWORD, "administrator")
    with served(app) as place:
        yield place


def log_in(visitor: Visitor, name: str, password: str, language: str) -> None:
    visitor.open(f"/login?lang={language}")
    visitor.page.fill("#name", name)
    visitor.page.fill("#password", password)
    visitor.page.click("main button")


@pytest.mark.parametrize(
    ("width", "language", "scheme", "script"),
    [
        (390, "en", "light", False),
        (1280, "de", "light", True),
        pytest.param(390, "de", "dark", True, marks=pytest.mark.release),
        pytest.param(1280, "en", "dark", True, marks=pytest.mark.release),
    ],
)
def test_from_the_invitation_to_the_second_factor(
    visit: Visit, width: int, language: str, scheme: str, script: bool
) -> None:
    name, options = f"Bert Weiß {width} {language}", {"color_scheme": scheme, "java_script_enabled": script}
    boss, guest = (visit(width, 844, language, **options) for _ in range(2))

    def look(visitor: Visitor, path: str) -> None:
        visitor.page.wait_for_url(lambda url: url.partition("?")[0].endswith(path))
        if script:  # axe is one
            visitor.look()

    log_in(boss, "administrator", PASSWORD, language)
    expect(boss.page.locator(".suggestion a")).to_be_visible()
    boss.open("/staff")
    look(boss, "/staff")
    boss.page.fill("#name", name)
    boss.page.check("input[value=workshop]")
    boss.page.click("main form button")
    link = boss.page.locator(".link.secret")
    expect(link).to_be_visible()
    look(boss, "/staff")
    guest.open("/" + link.inner_text().split("/", 3)[3] + f"?lang={language}")
    look(guest, "/invitation")
    guest.page.fill("#new", OWN)
    guest.page.fill("#again", OWN)
    guest.page.click("main button")
    expect(guest.page.locator("[role=status]")).to_be_visible()
    log_in(guest, name, OWN, language)
    guest.page.click("header a[href='/account']")
    look(guest, "/account")
    guest.page.click("a[href='/account/factor']")
    look(guest, "/account/factor")
    device = pyotp.TOTP(guest.page.locator("code.secret").inner_text().replace(" ", ""))
    guest.page.fill("#code", device.now())
    guest.page.fill("#proof", OWN)
    guest.page.click("main form button")
    codes = guest.page.locator(".codes code")
    expect(codes).to_have_count(10)
    look(guest, "/account/factor")
    recovery = codes.nth(0).inner_text()
    guest.page.click("a.button[href='/account']")
    expect(guest.page.locator(".state.on")).to_be_visible()
    look(guest, "/account")
    guest.page.click("header form button")
    guest.page.wait_for_url(lambda url: url.endswith("/login"))
    log_in(guest, name, OWN, language)
    look(guest, "/login/code")
    guest.page.fill("#code", recovery)
    guest.page.click("main button")
    expect(guest.page.locator("a[href='/results/workshop']")).to_be_visible()
    assert guest.page.locator("a[href='/results/supplier']").count() == 0
    boss.page.click(f"table a:has-text('{name}')")
    expect(boss.page.locator("main h1")).to_have_text(name)
    look(boss, "")
    boss.open("/staff/log")
    expect(boss.page.locator("tbody tr").first).to_contain_text(name)
    look(boss, "/staff/log")
