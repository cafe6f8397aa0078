"""Whoever takes rows of single persons away, or looks at them, stands in the log of the study: on every way, with what, and without an answer or a token in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask

from tests.web.conftest import Person
from tests.web.staff import Staff
from wtp.analysis import Analysis
from wtp.export import FORMATS
from wtp.store import Database, api_tokens, audit, invitations

LogIn = Callable[[str], Staff]
ALONE = [name for name, each in FORMATS.items() if not each.needs_figures]


@pytest.fixture
def analyst(database: Database, person: Person, staffed: LogIn) -> Staff:
    """Of a study that one person has begun and another one is invited to."""
    person.open()
    person.send(person.filled())
    with database.begin() as connection:
        people = [("K-17", {"name": "Somebody Special"})]
        invitations.add(connection, "supplier", people, secret="secret", now=datetime.now(UTC))
    return staffed("analyst")


def log(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        return [(each.who, each.action, each.reason) for each in audit.entries(connection, "supplier")]


@pytest.mark.parametrize("name", ALONE)
def test_every_export_of_answers_is_logged(database: Database, analyst: Staff, name: str) -> None:
    reply = analyst.client.get(f"/manage/supplier/exports/{name}?figures=no")
    assert reply.status_code == 200
    called = reply.headers["Content-Disposition"].partition("filename=")[2]
    assert log(database) == [("analyst", audit.EXPORTED, called)]


@pytest.mark.parametrize(
    ("path", "action", "said"),
    [
        ("links.csv", audit.LINKS_EXPORTED, "links: 1 people"),
        ("reminders.csv", audit.LINKS_EXPORTED, "reminders: 1 people"),
        ("contacts.csv", audit.CONTACTS_EXPORTED, "0 contacts"),
        ("contacts.csv?words=yes", audit.CONTACTS_EXPORTED, "0 contacts, with what was reported"),
        ("quality", audit.PEOPLE_VIEWED, "signals of data quality"),
    ],
)
def test_what_tells_of_single_persons_is_logged(
    database: Database, analyst: Staff, path: str, action: str, said: str
) -> None:
    assert analyst.client.get(f"/manage/supplier/{path}").status_code == 200
    assert log(database) == [("analyst", action, said)]
    field = analyst.open("/manage/supplier/field?lang=en").select_one("ol[reversed]")
    assert field is not None
    assert said in field.text


@pytest.mark.parametrize("table", ["respondents", "choices"])
def test_a_program_that_takes_answers_is_logged_by_its_token(
    app: Flask, database: Database, analyst: Staff, table: str
) -> None:
    with database.begin() as connection:
        asked = {"maker": None, "scopes": api_tokens.SCOPES, "studies": ["workshop", "supplier"]}
        token, text = api_tokens.add(connection, "the report", now=datetime.now(UTC), **asked)
    headers = {"Authorization": f"Bearer {text}"}
    path = f"/api/v1/studies/supplier/{table}.csv"
    reply = app.test_client().get(path, headers=headers)
    assert reply.status_code == 200
    entry = ("wtp (the report)", audit.EXPORTED, f"{table}, by the token {token.mark}")
    assert log(database)[1:] == [entry]
    again = app.test_client().get(path, headers=headers | {"If-None-Match": reply.headers["ETag"]})
    assert again.status_code == 304
    assert log(database)[1:] == [entry], "nothing left"
    assert text[13:] not in str(log(database))


def test_figures_of_groups_are_no_persons(
    app: Flask, database: Database, analyst: Staff, staffed: LogIn, shown: Callable[..., Analysis]
) -> None:
    del app, staffed
    shown()
    for path in ("/results/supplier", "/results/supplier/worth", "/results/supplier/segments.csv", "/manage/supplier"):
        assert analyst.client.get(path).status_code == 200
    assert log(database) == []


def test_the_log_holds_no_answer_no_contact_and_no_link(database: Database, analyst: Staff) -> None:
    links = analyst.client.get("/manage/supplier/links.csv").text
    analyst.client.get("/manage/supplier/exports/csv?figures=no")
    token = links.rpartition("/r/")[2].partition(",")[0]
    assert "Somebody Special" in links
    assert not any(secret in str(log(database)) for secret in (token, "Somebody", "K-17"))
