"""The second factor on the pages: set up by a first code, asked for at login, replaced and switched off only by what was there before; nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from bs4 import BeautifulSoup
from flask import Flask
from werkzeug.test import TestResponse

from tests.web.staff import PASSWORD, Staff, hidden
from wtp.store import Database, audit, staff
from wtp.web import accounts, attempts, own_account

LogIn = Callable[[str], Staff]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """A clock that the test turns: a code counts once, so each needs a time of its own."""
    now = [datetime(2026, 11, 26, 12, tzinfo=UTC)]

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return now[0]

    for module in (accounts, own_account):
        monkeypatch.setattr(module, "datetime", Clock)
    return now


def later(clock: list[datetime]) -> datetime:
    clock[0] += timedelta(seconds=30)
    return clock[0]


def set_up(
    person: Staff, clock: list[datetime], proof: str = PASSWORD, code: str = ""
) -> tuple[TestResponse, pyotp.TOTP]:
    page = person.open("/account/factor?lang=en")
    secret = page.select_one("code.secret").text  # type: ignore[union-attr]
    device = pyotp.TOTP(secret.replace(" ", ""))
    form = page.select_one("form:has([name=code])")
    data = hidden(BeautifulSoup(str(form), "html.parser")) | {"code": code or device.at(clock[0]), "proof": proof}
    return person.client.post("/account/factor", data=data), device


def codes_of(reply: TestResponse) -> list[str]:
    return [found.text for found in BeautifulSoup(reply.text, "html.parser").select(".codes code")]


def give(person: Staff, path: str, **typed: str) -> TestResponse:
    """Send a form of a page that the client has the token of."""
    page = person.client.get("/login/code" if path == "/login/code" else "/account")
    token = hidden(BeautifulSoup(page.text, "html.parser"))["csrf_token"]
    return person.client.post(path, data={"csrf_token": token, **typed})


def inside(person: Staff) -> bool:
    return person.client.get("/account").status_code == 200


def test_the_picture_and_the_text_are_one_secret_and_need_no_style(app: Flask, staffed: LogIn) -> None:
    page = staffed("administrator").open("/account/factor")
    figure = page.select_one("figure.scan")
    assert figure is not None
    assert figure.select_one("svg path")
    assert not figure.select("[style]")
    address = figure.select_one("a[href^='otpauth:']")["href"]  # type: ignore[index]
    assert pyotp.parse_uri(str(address)).secret == figure.select_one("code").text.replace(" ", "")  # type: ignore[union-attr]
    again = staffed("administrator").open("/account/factor").select_one("code.secret")
    assert again is not None
    assert again.text != figure.select_one("code").text, "another one each time"  # type: ignore[union-attr]


def test_login_asks_for_a_code_and_takes_each_once(
    app: Flask, database: Database, staffed: LogIn, clock: list[datetime]
) -> None:
    here, there = staffed("analyst"), staffed("analyst")
    reply, device = set_up(here, clock)
    assert len(codes_of(reply)) == 10
    assert (inside(here), inside(there)) == (True, False), "all other sessions have ended"
    person = Staff(app.test_client(), "analyst")
    first = person.log_in(query="?next=/manage")
    assert (first.status_code, first.location) == (303, "/login/code?next=/manage")
    assert not inside(person), "half way is not in"
    code = device.at(later(clock))
    data = hidden(person.open("/login/code")) | {"code": code}
    assert person.client.post("/login/code?next=/manage", data=data).location == "/manage"
    assert inside(person)
    other = Staff(app.test_client(), "analyst")
    other.log_in()
    assert give(other, "/login/code", code=code).status_code == 422, "replayed"
    assert give(other, "/login/code", code=codes_of(reply)[0]).status_code == 303
    assert inside(other)
    with database.read() as connection:
        how = [entry.reason for entry in audit.entries(connection, "") if entry.action == accounts.LOGGED_IN]
    assert how == ["by password"] * 2 + ["by password and second factor"] * 2


def test_nothing_is_switched_on_without_password_and_first_code(
    app: Flask, staffed: LogIn, clock: list[datetime]
) -> None:
    person = staffed("manager")
    for proof, code in (("a wrong pass phrase", ""), (PASSWORD, "000000"), (PASSWORD, "no code"), ("", "")):
        reply, _device = set_up(person, clock, proof, code)
        assert reply.status_code == 422
        assert "<title>Error: " in reply.text
    assert Staff(app.test_client()).log_in().location == "/results", "the password alone lets in"


def test_a_device_is_replaced_by_a_code_of_the_old_one_or_a_recovery_code(
    app: Flask, staffed: LogIn, clock: list[datetime]
) -> None:
    person = staffed("manager")
    reply, first = set_up(person, clock)
    later(clock)
    for proof in (PASSWORD, "123456", "aaaa-bbbb-cccc-dddd"):
        assert set_up(person, clock, proof)[0].status_code == 422, proof
    with app.app_context():
        attempts.forget()
    fresh, second = set_up(person, clock, first.at(clock[0]))
    assert fresh.status_code == 200
    later(clock)
    other = Staff(app.test_client())
    other.log_in()
    assert give(other, "/login/code", code=first.at(clock[0])).status_code == 422
    assert give(other, "/login/code", code=codes_of(reply)[0]).status_code == 422, "a recovery code of before"
    assert give(other, "/login/code", code=second.at(clock[0])).status_code == 303
    assert set_up(person, clock, codes_of(fresh)[3])[0].status_code == 200, "without the phone"


def test_it_is_switched_off_by_a_code_alone(app: Flask, staffed: LogIn, clock: list[datetime]) -> None:
    here, there = staffed("manager"), staffed("manager")
    reply, device = set_up(here, clock)
    later(clock)
    assert give(here, "/account/factor/off", proof=PASSWORD).status_code == 422
    assert give(here, "/account/factor/codes", proof="").status_code == 422
    renewed = give(here, "/account/factor/codes", proof=device.at(clock[0]))
    assert len(set(codes_of(renewed)) - set(codes_of(reply))) == 10
    assert give(here, "/account/factor/off", proof=codes_of(reply)[0]).status_code == 422
    assert give(here, "/account/factor/off", proof=codes_of(renewed)[0]).status_code == 303
    assert (inside(here), inside(there)) == (True, False)
    assert Staff(app.test_client()).log_in().location == "/results"


def test_wrong_codes_and_wrong_passwords_are_five_together(
    app: Flask, database: Database, staffed: LogIn, clock: list[datetime]
) -> None:
    person = staffed("manager")
    reply, device = set_up(person, clock)
    guesser = Staff(app.test_client())
    assert guesser.log_in("a wrong pass phrase").status_code == 422
    guesser.log_in()
    replies = [give(guesser, "/login/code", code=f"00000{n}") for n in range(5)]
    assert [reply.status_code for reply in replies] == [422] * 4 + [429]
    assert 1 <= int(replies[-1].headers["Retry-After"]) <= 900
    assert "Wait 15 minutes" in replies[-1].text
    later(clock)
    assert give(guesser, "/login/code", code=device.at(clock[0])).status_code == 429, "nor the right one"
    assert give(person, "/account/factor/off", proof=codes_of(reply)[0]).status_code == 429, "wherever it is asked for"
    with database.read() as connection:
        locked = [entry.who for entry in audit.entries(connection, "") if entry.action == accounts.LOCKED]
    assert locked == ["manager"], "once"


def test_half_way_ends_by_time_and_with_the_account(
    app: Flask, database: Database, staffed: LogIn, clock: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    _reply, device = set_up(staffed("manager"), clock)
    person = Staff(app.test_client())
    assert person.client.get("/login/code").location == "/login", "not without the password"
    person.log_in()
    with database.begin() as connection:
        staff.end_sessions(connection, "manager", who="a test")
    assert person.client.get("/login/code").location == "/login"
    person.log_in()
    token = hidden(person.open("/login/code"))["csrf_token"]
    now = accounts.time.time()
    monkeypatch.setattr(accounts.time, "time", lambda: now + accounts.CODE_SECONDS + 1)
    data = {"csrf_token": token, "code": device.at(later(clock))}
    assert person.client.post("/login/code", data=data).location == "/login"
    assert not inside(person)


def test_administrators_are_asked_to_have_one(app: Flask, staffed: LogIn, clock: list[datetime]) -> None:
    administrator = staffed("administrator")
    assert administrator.open("/results").select_one(".suggestion a[href='/account/factor']")
    assert not staffed("analyst").open("/results").select(".suggestion")
    set_up(administrator, clock)
    assert not administrator.open("/results").select(".suggestion")


def test_no_page_and_no_address_holds_the_secret_again(app: Flask, staffed: LogIn, clock: list[datetime]) -> None:
    person = staffed("administrator")
    reply, device = set_up(person, clock)
    with app.extensions["wtp_database"].read() as connection:
        number = next(each.id for each in staff.members(connection) if each.name == "administrator")
    for path in ("/account", "/staff", f"/staff/{number}", "/staff/log", "/account/factor"):
        text = re.sub(r"\s", "", person.client.get(path).text)
        assert device.secret not in text
        assert not any(code in text for code in codes_of(reply))
