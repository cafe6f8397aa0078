"""Staff by the pages: invitations, links, rights, ends; the log that shows all of it; and links that are none."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.unguarded import unguarded
from tests.web.staff import PASSWORD, Staff, hidden
from wtp.store import Database, audit, staff, tables
from wtp.store.staff import StaffMember

LogIn = Callable[[str], Staff]
NEW = "quite other words there"


@pytest.fixture
def boss(staffed: LogIn) -> Staff:
    return staffed("administrator")


def send(person: Staff, path: str, **typed: object) -> TestResponse:
    token = hidden(person.open("/account?lang=en"))["csrf_token"]
    return person.client.post(path, data={"csrf_token": token, **typed})


def link_in(reply: TestResponse) -> str:
    """The path of the link that a page shows."""
    found = BeautifulSoup(reply.text, "html.parser").select_one(".secret")
    assert found is not None, reply.text
    assert found.text.startswith("http://127.0.0.1:8000/")
    return found.text.removeprefix("http://127.0.0.1:8000")


def open_link(client: FlaskClient, path: str, password: str = NEW) -> TestResponse:
    reply = client.get(f"{path}?lang=en")
    assert reply.status_code == 303
    assert path.rpartition("/")[2] not in reply.location, "the link leaves the address"
    page = client.get(reply.location)
    assert "no-referrer" in page.headers["Referrer-Policy"]
    data = hidden(BeautifulSoup(page.text, "html.parser")) | {"new": password, "again": password}
    return client.post(reply.location, data=data)


def member(database: Database, name: str) -> StaffMember:
    with database.read() as connection:
        return staff.named(connection, name)


def test_an_invitation_lets_in_with_the_rights_that_were_chosen(app: Flask, database: Database, boss: Staff) -> None:
    reply = send(boss, "/staff", name=" Anna Weiß ", role="manager", reach="some", studies=["workshop"])
    path = link_in(reply)
    assert path not in boss.client.get("/staff").text, "shown once"
    anna = member(database, "Anna Weiß")
    assert (anna.role, anna.studies, anna.invited) == ("manager", ("workshop",), True)
    assert open_link(app.test_client(), path).location == "/login?set=yes"
    person = Staff(app.test_client(), "Anna Weiß")
    assert person.log_in(NEW).status_code == 303
    assert (person.client.get("/results/workshop").status_code, person.client.get("/results/supplier").status_code) == (
        200,
        404,
    )


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"name": ""}, "Please enter a name."),
        ({"name": "x" * 121}, "At most 120 characters"),
        ({"name": "manager"}, "Somebody has this name already"),
        ({"name": "bell\a"}, "Somebody has this name already"),
        ({"studies": []}, "Please choose at least one study."),
        ({"studies": ["nowhere"]}, ""),
        ({"role": "owner"}, ""),
        ({"role": ""}, ""),
    ],
)
def test_a_mistake_invites_nobody(database: Database, boss: Staff, typed: dict[str, object], says: str) -> None:
    reply = send(
        boss, "/staff", **({"name": "anna", "role": "manager", "reach": "some", "studies": ["workshop"]} | typed)
    )
    page = BeautifulSoup(reply.text, "html.parser")
    assert reply.status_code == 422
    assert page.select_one("title").text.startswith("Error: ")  # type: ignore[union-attr]
    assert says in " ".join(found.text for found in page.select(".message"))
    with database.read() as connection:
        assert len(staff.members(connection)) == 4


def test_a_link_that_is_none_looks_like_any_unknown_page(app: Flask, database: Database, boss: Staff) -> None:
    number = member(database, "manager").id
    older, path = (link_in(send(boss, f"/staff/{number}/link")) for _ in range(2))
    used = link_in(send(boss, f"/staff/{member(database, 'analyst').id}/link"))
    assert open_link(app.test_client(), used).status_code == 303
    client = app.test_client()
    unknown = client.get("/nothing/at/all/here")
    for wrong in (older, used, path.replace("reset", "invitation"), f"{path}x", "/reset", "/invitation", "/reset/x"):
        reply = client.get(wrong)
        assert (reply.status_code, reply.text) == (404, unknown.text), wrong
    assert open_link(app.test_client(), path).status_code == 303
    # Two who opened it before it was used: the second one is too late.


def test_a_link_opened_twice_is_used_once(app: Flask, database: Database, boss: Staff) -> None:
    path = link_in(send(boss, f"/staff/{member(database, 'manager').id}/link"))
    first, second = app.test_client(), app.test_client()
    for client in (first, second):
        assert client.get(path).status_code == 303
    data = {"new": NEW, "again": NEW}
    tokens = [hidden(BeautifulSoup(client.get("/reset").text, "html.parser")) for client in (first, second)]
    assert first.post("/reset", data=tokens[0] | {"new": "short", "again": "short"}).status_code == 422, "a mistake"
    assert first.post("/reset", data=tokens[0] | data).status_code == 303
    late = {"new": "too late for this one", "again": "too late for this one"}
    assert second.post("/reset", data=tokens[1] | late).status_code == 404
    assert Staff(app.test_client()).log_in(NEW).status_code == 303


def test_links_come_from_the_configured_address(app: Flask, database: Database, boss: Staff) -> None:
    number = member(database, "manager").id
    token = hidden(boss.open("/account"))["csrf_token"]
    boss.client.set_cookie("wtp", boss.client.get_cookie("wtp").value, domain="evil.example")  # type: ignore[union-attr]
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    reply = boss.client.post(
        f"/staff/{number}/link", data={"csrf_token": token}, headers=forged, base_url="http://evil.example"
    )
    assert "evil.example" not in reply.text
    assert link_in(reply).startswith("/reset/")


def test_rights_are_changed_and_end_sessions(app: Flask, database: Database, boss: Staff) -> None:
    person, number = Staff(app.test_client(), "manager"), member(database, "manager").id
    person.log_in()
    reply = send(boss, f"/staff/{number}", role="analyst", reach="some", studies=["supplier"])
    assert reply.status_code == 303
    assert person.client.get("/results").status_code == 303
    changed = member(database, "manager")
    assert (changed.role, changed.studies) == ("analyst", ("supplier",))
    before = changed.session_version
    assert send(boss, f"/staff/{number}", role="analyst", reach="some", studies=["supplier"]).status_code == 303
    assert member(database, "manager").session_version == before, "nothing was changed"
    page = boss.open(f"/staff/{number}")
    assert [box["value"] for box in page.select("input[checked]")] == ["analyst", "some", "supplier"]
    assert send(boss, f"/staff/{number}", role="administrator", reach="some", studies=[]).status_code == 303
    assert member(database, "manager").studies is None


def test_a_member_is_let_in_no_more_and_again(app: Flask, database: Database, boss: Staff) -> None:
    person, number = Staff(app.test_client(), "manager"), member(database, "manager").id
    person.log_in()
    send(boss, f"/staff/{number}/active", do="disable")
    assert person.client.get("/results").status_code == 303
    assert person.log_in().status_code == 422
    assert send(boss, f"/staff/{number}/link").status_code == 404
    send(boss, f"/staff/{number}/active", do="enable")
    assert person.log_in().status_code == 303
    send(boss, f"/staff/{number}/sessions")
    assert person.client.get("/results").status_code == 303
    assert send(boss, f"/staff/{number}/active", do="delete").status_code == 400


def test_nobody_takes_his_own_rights(database: Database, boss: Staff) -> None:
    number = member(database, "administrator").id
    for path, typed in (("", {"role": "manager", "reach": "all"}), ("/active", {"do": "disable"}), ("/sessions", {})):
        assert send(boss, f"/staff/{number}{path}", **typed).status_code == 400
    assert member(database, "administrator").role == "administrator"
    assert not boss.open(f"/staff/{number}").select("main form")


def test_the_log_tells_who_did_what_and_nothing_secret(app: Flask, database: Database, boss: Staff) -> None:
    number = member(database, "manager").id
    path = link_in(send(boss, f"/staff/{number}/link"))
    send(boss, f"/staff/{number}", role="analyst", reach="all")
    open_link(app.test_client(), path)
    guesser = Staff(app.test_client())
    for _ in range(6):
        guesser.log_in("a wrong pass phrase", name="analyst")
        guesser.log_in("a wrong pass phrase", name="my own password, typed by mistake")
    page = boss.open("/staff/log?lang=en")
    rows = [[cell.text for cell in row.select("td")][1:] for row in page.select("tbody tr")]
    told = [(who, what) for who, what, _more in rows]
    assert told[:2] == [("nobody of this name", "locked for 15 minutes"), ("analyst", "locked for 15 minutes")]
    assert ["administrator", "role changed", "manager: analyst"] in rows
    assert ["administrator", "link made", "manager: reset"] in rows
    assert ["manager", "link used", "manager: reset"] in rows
    assert ["administrator", "logged in", "by password"] in rows
    csv = boss.client.get("/staff/log.csv").text
    for text in (page.text, csv):
        assert path.rpartition("/")[2] not in text
        assert not any(secret in text for secret in (PASSWORD, NEW, "typed by mistake", "127.0.0.1"))
    assert "Every entry is as it was written." in page.text


def test_a_log_is_read_page_by_page_and_whole_as_csv(database: Database, boss: Staff) -> None:
    with database.begin() as connection:
        for n in range(120):
            audit.add(connection, "gone", audit.STATE, who="=ann", reason=f"no {n + 1}", now=datetime.now(UTC))
    page, seen = boss.open("/staff/log?study=gone&lang=en"), []
    while True:
        seen += [int(cell.text) for cell in page.select("tbody th")]
        further = page.select_one("main nav a[href*='before=']")
        if further is None:
            break
        page = boss.open(str(further["href"]))
    assert seen == list(range(120, 0, -1))
    assert page.select_one("option[value=gone][selected]")
    lines = boss.client.get("/staff/log.csv?study=gone").text.splitlines()
    assert len(lines) == 121
    assert ",'=ann," in lines[1], "no formula"
    assert boss.client.get("/staff/log?study=nowhere").status_code == 404
    for before in ("x", "-1", "0", "9" * 30, "9" * 3_000):
        assert boss.client.get(f"/staff/log?before={before}").status_code == 200


def test_a_changed_entry_is_shown(database: Database, boss: Staff) -> None:
    for _ in range(3):
        send(boss, "/account/sessions")
    with database.begin() as connection:
        unguarded(connection)
        connection.execute(sa.update(tables.audit).where(tables.audit.c.number == 5).values(who="somebody else"))
    page = boss.open("/staff/log?lang=en")
    assert "Entry 5 was changed after it was written" in page.select_one("[role=alert]").text  # type: ignore[union-attr]
    assert {int(row.select_one("th").text) for row in page.select("tr.broken")} >= {5, 6}  # type: ignore[union-attr]


def test_every_entry_is_checked_again_when_asked(database: Database, boss: Staff) -> None:
    for _ in range(3):
        send(boss, "/account/sessions")
    boss.open("/staff/log?lang=en&check=all")
    with database.begin() as connection:
        unguarded(connection)
        connection.execute(sa.update(tables.audit).where(tables.audit.c.number == 2).values(who="somebody else"))
    page = boss.open("/staff/log?lang=en")
    assert "those before were when they were checked last" in page.select_one("p.good").text  # type: ignore[union-attr]
    button = page.select_one("form button[name=check]")
    assert button
    assert button.text == "Check every entry"
    for address in ("/staff/log?lang=en&study=&check=all", "/staff/log?lang=en"):
        assert "Entry 2 was changed after it was written" in boss.open(address).select_one("[role=alert]").text  # type: ignore[union-attr]


def test_no_route_changes_the_log(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if re.search(r"/log\b", rule.rule)]
    assert {rule.rule for rule in rules} == {"/staff/log", "/staff/log.csv"}
    assert all((rule.methods or set()) <= {"GET", "HEAD", "OPTIONS"} for rule in rules)
