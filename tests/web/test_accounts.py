"""Logging in and out: who gets in, how long it lasts, what ends it, and how often one may try."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.web.staff import PASSWORD, Staff, hidden
from wtp.store import Database, staff
from wtp.web import accounts

LogIn = Callable[[str], Staff]


def inside(person: Staff) -> bool:
    return person.client.get("/results").status_code == 200


def test_name_and_password_let_in_and_a_button_lets_out(staffed: LogIn) -> None:
    person = staffed("manager")
    assert inside(person)
    reply = person.log_out()
    assert (reply.status_code, reply.location) == (303, "/login")
    assert not inside(person)


@pytest.mark.parametrize(
    ("name", "password"), [("manager", "a wrong pass phrase"), ("nobody", PASSWORD), ("manager", "x" * 5_000)]
)
def test_a_wrong_name_and_a_wrong_password_read_alike(app: Flask, staffed: LogIn, name: str, password: str) -> None:
    person = Staff(app.test_client())
    reply = person.log_in(password, name=name)
    assert reply.status_code == 422
    if len(password) < 1_000:
        assert "Name and password do not fit together" in reply.text
    assert PASSWORD not in reply.text
    assert not inside(person)


def test_what_is_missing_is_said_beside_its_field(app: Flask) -> None:
    person = Staff(app.test_client())
    reply = person.log_in("")
    assert reply.status_code == 422
    assert "Please enter your password." in reply.text
    assert 'value="manager"' in reply.text
    assert "<title>Error: " in reply.text


def test_a_disabled_account_and_a_new_password_end_every_session(
    app: Flask, database: Database, staffed: LogIn
) -> None:
    here, there = staffed("manager"), staffed("manager")
    other = staffed("analyst")
    with database.begin() as connection:
        staff.set_password(connection, "manager", "another long pass phrase")
    assert not inside(here)
    assert not inside(there)
    assert inside(other)
    with database.begin() as connection:
        staff.disable(connection, "analyst")
    assert not inside(other)
    assert other.log_in().status_code == 422


def test_a_session_ends_after_rest_and_after_a_day_of_work(staffed: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_800_000_000.0
    monkeypatch.setattr(accounts.time, "time", lambda: now)
    person = staffed("manager")
    now += accounts.IDLE_SECONDS - 1
    assert inside(person)
    now += accounts.IDLE_SECONDS - 1
    assert inside(person), "each page prolongs it"
    now += accounts.IDLE_SECONDS + 1
    assert not inside(person)
    person.log_in()
    began = now
    while now + 1_000 < began + accounts.LONGEST_SECONDS:
        now += 1_000
        assert inside(person)
    now += 1_000
    assert not inside(person)


def test_the_session_is_a_new_one(app: Flask, staffed: LogIn) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    person = Staff(client)
    old_token = hidden(person.open("/login?lang=de"))["csrf_token"]
    person.log_in()
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session["language"] == "en"
    reply = client.post("/logout", data={"csrf_token": old_token})
    assert reply.status_code == 400, "a token from before the login is worth nothing"


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/manage/supplier?lang=de", "/manage/supplier?lang=de"),
        ("//evil.example/x", "/results"),
        ("/\\evil.example", "/results"),
        ("https://evil.example", "/results"),
        ("/\tevil", "/results"),
        ("javascript:alert(1)", "/results"),
        ("", "/results"),
    ],
)
def test_after_the_login_one_stays_on_this_site(app: Flask, staffed: LogIn, asked: str, led: str) -> None:
    person = Staff(app.test_client(), "analyst")
    page = person.open("/login")
    data = hidden(page) | {"name": "analyst", "password": PASSWORD}
    reply = person.client.post("/login", query_string={"next": asked}, data=data)
    assert reply.status_code == 303
    assert reply.location in (led, "/" if led == "/results" else led)


def test_a_page_that_needs_a_login_leads_there_and_back(app: Flask, staffed: LogIn) -> None:
    person = Staff(app.test_client(), "analyst")
    reply = person.client.get("/manage/supplier?lang=de")
    assert reply.location == "/login?next=/manage/supplier?lang%3Dde"
    assert person.log_in(query="?next=/manage/supplier?lang%3Dde").location == "/manage/supplier?lang=de"


def test_five_wrong_tries_close_an_account_and_no_other(app: Flask, staffed: LogIn) -> None:
    guesser = Staff(app.test_client())
    replies = [guesser.log_in("a wrong pass phrase").status_code for _ in range(6)]
    assert replies == [422] * 5 + [429]
    assert guesser.log_in().status_code == 429, "not even with the right one"
    assert guesser.log_in(name="MANAGER").status_code == 429
    assert Staff(app.test_client(), "analyst").log_in().status_code == 303


def test_logging_in_rightly_is_no_wrong_try(app: Flask, staffed: LogIn) -> None:
    assert [Staff(app.test_client()).log_in().status_code for _ in range(7)] == [303] * 7


def test_fifty_tries_close_an_address(app: Flask, staffed: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts.staff, "verify", lambda connection, name, password: None)
    client = app.test_client()
    replies = [Staff(client, f"name {number}").log_in().status_code for number in range(51)]
    assert replies == [422] * 50 + [429]
