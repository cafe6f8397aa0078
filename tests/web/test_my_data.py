"""My data: on every page of a survey the way to see, take along and delete what is stored; deleted stays deleted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask

from tests.web.conftest import Person
from tests.web.staff import hidden
from wtp.settings import Settings
from wtp.store import Database, background_jobs, erasure, invitations, respondents, results, tables
from wtp.survey import Survey
from wtp.web import my_data

PAGE = "/s/supplier/e/my-data"


def now() -> datetime:
    return datetime.now(UTC)


def rows(database: Database, table: sa.Table) -> int:
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def delete(person: Person, *, sure: bool = True) -> BeautifulSoup:
    page = person.open(PAGE)
    data = {**hidden(page), **({"sure": "yes"} if sure else {})}
    person.reply = person.client.post(PAGE, data=data, follow_redirects=True)
    return person.page


def token_of(person: Person) -> str:
    with person.client.session_transaction() as session:
        return str(session["respondent/supplier"])


def test_every_page_after_consent_leads_there(person: Person) -> None:
    person.open()
    assert not person.page.select("a[href$='e/my-data']")  # nothing is stored yet
    seen = set()
    while person.step not in seen:
        seen.add(person.step)
        if len(seen) > 1:
            assert person.page.select("footer a[href$='e/my-data']"), person.step
        if person.page.select_one("main form[method=post]"):
            person.send(person.filled())
    assert len(seen) > 10


def test_before_consent_it_says_that_nothing_is_stored(person: Person, database: Database) -> None:
    page = person.open(PAGE)
    assert "Nothing is stored of you" in page.get_text()
    assert page.select_one("main form") is None
    assert rows(database, tables.respondent) == 0


def test_it_shows_and_hands_out_everything(person: Person, database: Database) -> None:
    person.walk("thanks")
    page = person.open(PAGE)
    assert len(page.select("dl.told dt")) >= 10
    agreed = page.select_one("details .prose")
    assert agreed is not None
    consent = Person(person.client.application.test_client()).open().select_one(".prose")
    assert consent is not None
    assert consent.get_text(" ", strip=True) in agreed.get_text(" ", strip=True)
    record = json.loads(person.client.get(f"{PAGE}.json").text)
    assert len(record["choice"]) == rows(database, tables.choice)
    assert len(record["answer"]) == rows(database, tables.answer)
    assert record["consent"]["text"]["language"] == "en"
    assert token_of(person) not in json.dumps(record)
    assert "token_hash" not in json.dumps(record)
    for reader, words, name in (("en", "Language", "English"), ("de", "Sprache", "Englisch")):
        found = person.open(f"{PAGE}?lang={reader}").select("dl.told > div")
        assert name in {row.dd.text for row in found if row.dt and row.dd and row.dt.text == words}


def test_nothing_is_deleted_without_the_tick(person: Person, database: Database) -> None:
    person.walk("thanks")
    page = delete(person, sure=False)
    assert person.reply.status_code == 422
    assert page.select_one(".mistakes a[href='#sure']")
    assert rows(database, tables.respondent) == 1


def test_deleting_leaves_nothing_and_old_pages_bring_nothing_back(
    app: Flask, person: Person, database: Database, settings: Settings
) -> None:
    person.walk("prices")
    filled, step, token = person.filled(), person.step, token_of(person)
    old = Person(app.test_client())
    old.open(f"/s/supplier/r/{token}")
    assert old.step == step
    checkpoint = settings.instance / "jobs" / "1"
    checkpoint.mkdir(parents=True)
    with database.begin() as connection:
        results.save(connection, "p", "supplier", "{}", now(), results.PEOPLE)
        started = background_jobs.start(
            connection, "supplier", fingerprint="f", basis="b", kind="analysis", request={}, definition_hash="d",
            answers_hash="a", respondents=1, answers_copy=b"x", started_by="ana", now=now(),
        )  # fmt: skip
    assert started.id == 1

    page = delete(person)
    assert person.reply.request.path == "/s/supplier/e/deleted"
    assert page.select_one("h1[data-ended]")
    for table in (tables.respondent, tables.answer, tables.choice, tables.page_draft, tables.result):
        assert rows(database, table) == 0, table.name
    assert not checkpoint.exists()
    assert len((settings.instance / erasure.LIST_FILE).read_text().splitlines()) == 1

    for reply in (
        old.client.get(f"/s/supplier/{step}"),
        old.client.get(f"/s/supplier/r/{token}"),
    ):
        assert reply.status_code == 410
    old = Person(app.test_client())
    with old.client.session_transaction() as session:
        session["respondent/supplier"] = token
    assert old.send(filled, step=step).status_code in {400, 410}
    assert rows(database, tables.respondent) == 0
    assert person.open("/s/supplier").select_one("#agree")  # who wants to take part again begins anew


def test_a_page_that_was_open_while_the_person_was_erased_is_told_so(person: Person, database: Database) -> None:
    person.walk("prices")
    filled = person.filled()
    with database.begin() as connection:
        erasure.erase(connection, "supplier", token_of(person), who="ana", reason="by mail", now=now())
    reply = person.send(filled, step="prices")
    assert reply.status_code == 410
    assert "no longer valid" in reply.text
    assert rows(database, tables.answer) == 0


def test_somebody_invited_sees_and_deletes_the_invitation(app: Flask, person: Person, database: Database) -> None:
    secret = app.secret_key if isinstance(app.secret_key, str) else bytes(app.secret_key or b"").hex()
    with database.begin() as connection:
        invitations.add(connection, "supplier", [("C-17", {"name": "Ada"})], secret=secret, now=now())
    token = invitations.token_of(secret, "supplier", 1)
    person.open(f"/s/supplier/r/{token}")
    assert {"C-17", "Ada"} <= {dd.get_text() for dd in person.open(PAGE).select(".told dd")}
    delete(person)
    assert rows(database, tables.invitation) == 0


@pytest.mark.parametrize(
    ("suffix", "language", "words"), [("json", "en", '"answer"'), ("html", "de", "Ihre Antworten")]
)
def test_the_command_writes_the_same(
    app: Flask, person: Person, survey: Survey, tmp_path: Path, suffix: str, language: str, words: str
) -> None:
    person.walk("thanks")
    key = respondents.token_hash("supplier", token_of(person))
    text = my_data.person_file(app, survey, key, suffix, language)
    assert words in text
    if suffix == "json":
        assert json.loads(text) == json.loads(person.client.get(f"{PAGE}.json").text)
