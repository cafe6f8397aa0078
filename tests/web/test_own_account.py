"""One's own account: what is asked before a change, which sessions end by it, and the cookie that carries them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from tests.web.conftest import SURVEYS
from tests.web.staff import PASSWORD, ROLES, Staff, hidden
from wtp.settings import Settings
from wtp.store import Database, second_factor, staff
from wtp.web import accounts, create_app

LogIn = Callable[[str], Staff]
NEW = "quite other words there"


def inside(person: Staff) -> bool:
    return person.client.get("/account").status_code == 200


def change(person: Staff, **typed: str) -> BeautifulSoup:
    token = hidden(person.open("/account?lang=en"))["csrf_token"]
    data = {"csrf_token": token, "old": PASSWORD, "new": NEW, "again": NEW, **typed}
    reply = person.client.post("/account/password", data=data)
    assert (reply.status_code, reply.location) in {(303, "/account?done=password"), (422, None)}
    return BeautifulSoup(reply.text, "html.parser")


@pytest.mark.parametrize("role", ROLES)
def test_everybody_has_a_page_and_a_way_to_it(staffed: LogIn, role: str) -> None:
    person = staffed(role)
    assert person.open("/contacts" if role == "field" else "/results").select_one("a[href='/account']")
    page = person.open("/account?lang=en")
    assert role in page.select_one("dl").text  # type: ignore[union-attr]
    assert bool(page.select("header a[href='/staff']")) is (role == "administrator")


def test_a_new_password_ends_all_other_sessions(app: Flask, staffed: LogIn) -> None:
    here, there = staffed("manager"), staffed("manager")
    change(here)
    assert (inside(here), inside(there)) == (True, False)
    assert Staff(app.test_client()).log_in(PASSWORD).status_code == 422
    assert Staff(app.test_client()).log_in(NEW).status_code == 303


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"old": "a wrong pass phrase"}, "This is not your password."),
        ({"old": ""}, "Please enter your password."),
        ({"again": "something else here"}, "The two passwords are not the same."),
        ({"new": "short", "again": "short"}, "At least 12 characters, please"),
        ({"new": "password12345", "again": "password12345"}, "This one is easy to guess."),
        ({"new": "the manager's own", "again": "the manager's own"}, "This one is easy to guess."),
        ({"new": "bell\a" * 4, "again": "bell\a" * 4}, "Characters that can be typed"),
        ({"new": "word " * 201, "again": "word " * 201}, "At most 1,000 characters"),
    ],
)
def test_a_mistake_changes_nothing_and_shows_no_password(
    app: Flask, staffed: LogIn, typed: dict[str, str], says: str
) -> None:
    person, other = staffed("manager"), staffed("manager")
    page = change(person, **typed)
    assert says in " ".join(found.text for found in page.select(".message"))
    assert page.select_one("title").text.startswith("Error: ")  # type: ignore[union-attr]
    assert not [field for field in page.select("input[type=password]") if field.get("value")]
    assert inside(other)
    assert Staff(app.test_client()).log_in().status_code == 303


def test_guessing_the_old_password_is_guessing(staffed: LogIn) -> None:
    person = staffed("manager")
    token = hidden(person.open("/account"))["csrf_token"]
    data = {"csrf_token": token, "old": "a wrong pass phrase", "new": NEW, "again": NEW}
    replies = [person.client.post("/account/password", data=data).status_code for _ in range(6)]
    assert replies == [422] * 5 + [429]


def test_one_button_logs_out_everywhere_else(app: Flask, staffed: LogIn) -> None:
    here, there, other = staffed("manager"), staffed("manager"), staffed("analyst")
    token = hidden(here.open("/account"))["csrf_token"]
    here.client.post("/account/sessions", data={"csrf_token": token})
    assert (inside(here), inside(there), inside(other)) == (True, False, True)


def test_whoever_kept_the_cookie_is_out_after_the_logout(app: Flask, staffed: LogIn) -> None:
    person, elsewhere = staffed("manager"), staffed("manager")
    thief = app.test_client()
    thief.set_cookie("wtp", person.client.get_cookie("wtp").value)  # type: ignore[union-attr]
    assert thief.get("/account").status_code == 200
    person.log_out()
    assert thief.get("/account").status_code == 303
    assert inside(elsewhere), "another device stays"
    thief.set_cookie("wtp", elsewhere.client.get_cookie("wtp").value)  # type: ignore[union-attr]
    assert thief.get("/account").status_code == 200


ENDS: dict[str, Callable[..., None]] = {
    "role": lambda c: staff.set_role(c, "manager", "analyst"),
    "studies": lambda c: staff.set_studies(c, "manager", ["supplier"]),
    "all studies": lambda c: staff.set_studies(c, "manager", None),
    "disabled": lambda c: staff.disable(c, "manager"),
    "disabled and let in again": lambda c: (staff.disable(c, "manager"), staff.enable(c, "manager"))[0],
    "password": lambda c: staff.set_password(c, "manager", NEW),
    "factor off": lambda c: second_factor.switch_off(c, staff.named(c, "manager"), who="w", now=datetime.now(UTC)),
    "sessions": lambda c: staff.end_sessions(c, "manager", who="w"),
}


@pytest.mark.parametrize("how", ENDS)
def test_what_changes_an_account_ends_its_sessions_at_once(database: Database, staffed: LogIn, how: str) -> None:
    person, other = staffed("manager"), staffed("analyst")
    with database.begin() as connection:
        ENDS[how](connection)
    assert (inside(person), inside(other)) == (False, True)


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000", "https://survey.example"])
def test_the_cookie_is_for_this_site_alone(tmp_path: Path, base: str) -> None:
    app = create_app(Settings(instance=tmp_path, surveys=SURVEYS, base_url=base))
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "manager", PASSWORD, "manager")
    client = app.test_client()
    token = hidden(BeautifulSoup(client.get("/login", base_url=base).text, "html.parser"))["csrf_token"]
    data = {"csrf_token": token, "name": "manager", "password": PASSWORD}
    (cookie,) = client.post("/login", data=data, base_url=base).headers.getlist("Set-Cookie")
    parts = {part.strip() for part in cookie.split(";")}
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert ("Secure" in parts) is base.startswith("https")
    assert not any(part.startswith(("Domain", "Expires", "Max-Age")) for part in parts)


def test_an_unknown_name_costs_as_much_as_a_wrong_password(
    database: Database, staffed: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.begin() as connection:
        staff.add(connection, "invited", None, "manager")
    hasher, seen = staff._hasher, []

    class Counting:
        def verify(self, kept: str, given: bytes) -> bool:
            seen.append(kept.split("$")[1:4])
            return hasher.verify(kept, given)

        def hash(self, password: str) -> str:
            return hasher.hash(password)

    monkeypatch.setattr(staff, "_hasher", Counting())
    with database.read() as connection:
        for name in ("manager", "nobody", "invited", "", "x" * 500):
            assert staff.verify(connection, name, "a wrong pass phrase") is None
    assert len(seen) == 5
    assert seen == [seen[0]] * 5, "one hash each, at the same cost"


def test_a_session_from_before_the_change_cannot_be_played_back(app: Flask, staffed: LogIn) -> None:
    person = staffed("manager")
    before = person.client.get_cookie("wtp")
    assert before is not None
    change(person)
    thief = app.test_client()
    thief.set_cookie("wtp", before.value)
    assert thief.get("/account").status_code == 303
    assert accounts.IDLE_SECONDS < accounts.LONGEST_SECONDS
