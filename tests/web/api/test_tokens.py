"""The page of tokens: what is made is shown once and works, what is ended works no more, mistakes are named beside their fields."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from werkzeug.datastructures import MultiDict

from tests.web.staff import Staff, hidden
from wtp.store import Database, api_tokens, audit
from wtp.store.api_tokens import ANSWERS, MADE, RESULTS, REVOKED, ApiToken
from wtp.web.tokens import TokenForm

FILLED = {
    "name": "the weekly report",
    "scopes": [RESULTS, ANSWERS],
    "reach": "some",
    "studies": ["supplier"],
    "days": "30",
}


@pytest.fixture
def analyst(app: Flask) -> Staff:
    person = Staff(app.test_client(), "analyst")
    person.log_in()
    return person


def make(person: Staff, **changes: object) -> BeautifulSoup:
    page = person.open("/manage/tokens?lang=en")
    form = page.select_one("form[action='/manage/tokens']")
    token = form.select_one("[name=csrf_token]")["value"]  # type: ignore[union-attr,index]
    reply = person.client.post("/manage/tokens", data={"csrf_token": token, **FILLED, **changes})
    found = BeautifulSoup(reply.text, "html.parser")
    assert reply.status_code == (200 if found.select_one(".secret") else 422)
    return found


def known(database: Database) -> tuple[ApiToken, ...]:
    with database.read() as connection:
        return api_tokens.everything(connection)


def status(app: Flask, text: str) -> int:
    return app.test_client().get("/api/v1/studies/supplier", headers={"Authorization": f"Bearer {text}"}).status_code


def test_a_token_is_shown_once_and_works(app: Flask, database: Database, analyst: Staff) -> None:
    text = make(analyst).select_one(".secret").text  # type: ignore[union-attr]
    assert re.fullmatch(r"wtp_[0-9a-f]{8}_[\w-]{43}", text)
    assert status(app, text) == 200
    later = analyst.client.get("/manage/tokens").text
    assert text[:12] in later
    assert text[13:] not in later
    token = known(database)[0]
    assert (token.name, token.made_by, token.scopes, token.studies) == (
        "the weekly report",
        "analyst",
        (RESULTS, ANSWERS),
        ("supplier",),
    )
    assert token.expires_at is not None
    assert abs(token.expires_at - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=5)
    with database.read() as connection:
        entry = audit.entries(connection, "supplier")[-1]
        assert (entry.who, entry.action) == ("analyst", MADE)
        assert token.mark in entry.reason
        assert not any(token.mark in entry.reason for entry in audit.entries(connection, "workshop"))


def test_all_studies_and_no_end_are_asked_for_by_name(database: Database, analyst: Staff) -> None:
    make(analyst, reach="all", studies=[], days="0")
    token = known(database)[0]
    assert (token.studies, token.expires_at) == (None, None)


def test_a_revoked_token_works_no_more(app: Flask, database: Database, analyst: Staff) -> None:
    text = make(analyst).select_one(".secret").text  # type: ignore[union-attr]
    page = analyst.open("/manage/tokens?lang=en")
    form = page.select_one(f"form:has([name=mark][value='{text[4:12]}'])")
    assert form is not None
    reply = analyst.client.post(str(form["action"]), data=hidden(BeautifulSoup(str(form), "html.parser")))
    assert (reply.status_code, reply.location) == (303, "/manage/tokens")
    assert status(app, text) == 401
    after = analyst.open("/manage/tokens")
    row = after.select_one(f"tr:has(code:-soup-contains('{text[4:12]}'))")
    assert row is not None
    assert not row.select("form")
    assert "revoked" in row.text
    with database.read() as connection:
        assert audit.entries(connection, "supplier")[-1].action == REVOKED


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "Please say what reads with it."),
        ({"name": "x" * 121}, "At most 120 characters, please."),
        ({"name": "bell\a"}, "Letters and figures, please."),
        ({"scopes": []}, "Please choose at least one."),
        ({"studies": []}, "Please choose at least one study."),
        ({"studies": ["nowhere"]}, ""),
        ({"scopes": ["results:write"]}, ""),
        ({"days": "7"}, ""),
    ],
)
def test_a_mistake_makes_no_token_and_keeps_what_was_filled_in(
    database: Database, analyst: Staff, changes: dict[str, object], says: str
) -> None:
    before = known(database)
    page = make(analyst, **changes)
    assert known(database) == before
    assert page.select_one("title").text.startswith("Error: ")  # type: ignore[union-attr]
    if says:
        assert [message.text for message in page.select(".message")] == [says]
    if "name" not in changes:
        assert page.select_one("#name")["value"] == "the weekly report"  # type: ignore[index]


def test_an_unknown_mark_is_said(analyst: Staff) -> None:
    token = hidden(analyst.open("/manage/tokens?lang=en"))["csrf_token"]
    reply = analyst.client.post("/manage/tokens/revoke", data={"csrf_token": token, "mark": "00000000"})
    assert reply.status_code == 422
    assert "There is no such token." in reply.text


def test_the_form_judges_without_a_page(app: Flask) -> None:
    with app.test_request_context():
        for data, fits in ((FILLED, True), ({**FILLED, "studies": []}, False), ({**FILLED, "reach": "every"}, False)):
            form = TokenForm(MultiDict(data), meta={"csrf": False})
            form.studies.choices = ["supplier"]
            assert form.validate() is fits
