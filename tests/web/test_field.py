"""The page of the field: counts, where people stop, quotas, pause and close, invitations in and links out, the QR code."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from tests.web.conftest import Person
from tests.web.staff import Staff, hidden
from wtp.analysis import CONDITIONAL, CURRENT, POOLED, Request
from wtp.store import Database, respondents
from wtp.store.field import field_of
from wtp.web.analyses import analysis_as, stored_analysis


@pytest.fixture
def analyst(app: Flask, staffed: object) -> Staff:
    person: Staff = staffed("analyst")  # type: ignore[operator]
    return person


def page(analyst: Staff) -> BeautifulSoup:
    return BeautifulSoup(analyst.client.get("/manage/supplier/field?lang=en").text, "html.parser")


def post(analyst: Staff, action: str, **data: str) -> int:
    token = hidden(page(analyst))["csrf_token"]
    reply = analyst.client.post(f"/manage/supplier/{action}", data={"csrf_token": token, **data})
    analyst.reply = reply
    return reply.status_code


def test_counts_and_where_people_stop(app: Flask, database: Database, person: Person, analyst: Staff) -> None:
    person.walk("choice-2")
    now = datetime.now(UTC)
    with database.read() as connection:
        soon = field_of(connection, "supplier", simulated=False, idle_since=now - timedelta(minutes=30))
        late = field_of(connection, "supplier", simulated=False, idle_since=now + timedelta(minutes=1))
        nobody = field_of(connection, "supplier", simulated=True, idle_since=now)
    assert (soon.begun, soon.outcomes, soon.sources) == (1, {"open": 1}, {"link": 1})
    assert {step.step: step.stopped for step in soon.steps} == dict.fromkeys(
        ("consent", "profile", "introduction", "choice task 1"), 0
    )
    assert {step.step: step.stopped for step in late.steps if step.stopped} == {"choice task 1": 1}
    assert all(step.seconds is not None for step in late.steps[1:])
    assert nobody.begun == 0
    text = page(analyst).get_text(" ", strip=True)
    assert text.index("Before we start") < text.index("About your company") < text.index("Choice 1")


def test_pause_close_and_open_again(app: Flask, person: Person, analyst: Staff) -> None:
    assert post(analyst, "state", state="paused") == 303
    assert "paused: nobody new begins" in page(analyst).get_text()
    assert app.test_client().get("/s/supplier/consent").status_code == 403
    assert post(analyst, "state", state="open") == 303
    assert app.test_client().get("/s/supplier/consent").status_code == 200
    assert post(analyst, "state", state="gone") == 400


def test_invite_import_and_links(app: Flask, person: Person, analyst: Staff) -> None:
    people = "reference;name;email\nK-1;Ann;ann@example.com\nK-2;=1+1;ben@example.com\n"
    assert post(analyst, "invitations", people=people) == 303
    assert post(analyst, "invitations", people=people) == 303
    assert "2 invited, 0 of them have begun" in page(analyst).get_text(" ", strip=True)
    reply = analyst.client.get("/manage/supplier/links.csv")
    rows = list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))
    assert [row["reference"] for row in rows] == ["K-1", "K-2"]
    assert rows[1]["name"] == "'=1+1"
    path = rows[0]["link"].partition("/s/")[2]
    client = app.test_client()
    assert client.get(f"/s/{path}", follow_redirects=True).request.path == "/s/supplier/consent"
    person.client = client
    person.walk("introduction")
    again = list(csv.DictReader(io.StringIO(analyst.client.get("/manage/supplier/links.csv").data.decode("utf-8-sig"))))
    assert [row["state"] for row in again] == ["begun", "invited"]
    assert again[0]["link"] == rows[0]["link"]
    person.walk("thanks")
    left = analyst.client.get("/manage/supplier/reminders.csv").data.decode("utf-8-sig")
    assert "K-1" not in left
    assert "K-2" in left


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ("", "one of them must be “reference”"),
        ("reference,name\n,Ann", "Line 2: the reference is missing"),
        ("reference\nA\nA", "Line 3: the reference “A” stands there twice"),
        ("reference,name\nA,b,c", "Line 2: too many columns"),
        ("reference,link\nA,x", "Line 2: too many columns, a column called link"),
        ("reference,name\nA," + "x" * 300, "Line 2"),
    ],
)
def test_a_wrong_list_is_refused_whole(app: Flask, person: Person, analyst: Staff, people: str, said: str) -> None:
    assert post(analyst, "invitations", people=people) == 422
    soup = BeautifulSoup(analyst.reply.text, "html.parser")
    assert said in soup.select(".mistakes")[0].get_text()
    assert soup.select("textarea")[0].get_text() == people
    assert "0 invited" in page(analyst).get_text(" ", strip=True)


def test_the_code_leads_to_the_survey(analyst: Staff) -> None:
    reply = analyst.client.get("/manage/supplier/link.svg")
    assert reply.mimetype == "image/svg+xml"
    assert reply.data.startswith(b"<svg")


def test_an_analysis_of_other_versions_is_not_taken_for_the_studys(app: Flask) -> None:
    """Certainty and the stopping rule look at the newest analysis; whoever looked at one version alone must not change them."""
    database, survey = app.extensions["wtp_database"], app.extensions["wtp_surveys"]["supplier"]
    analysis_as(database, survey, Request(model=CONDITIONAL, versions=CURRENT))
    assert stored_analysis(database, survey) is None
    usual = analysis_as(database, survey, Request(model=CONDITIONAL))
    analysis_as(database, survey, Request(model=CONDITIONAL, versions=POOLED))
    with database.begin() as connection:
        respondents.begin(
            connection, "supplier", "one more", definition_hash=survey.definition_hash, design_version=1,
            tasks=survey.design.versions[1], language="en", consent_hash="", now=datetime.now(UTC),
        )  # fmt: skip
    stored = stored_analysis(database, survey)
    assert stored is not None
    assert (stored[0].request, stored[1]) == (usual.request, False)
