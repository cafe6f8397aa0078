"""How answers and person hang together: said before consent, kept word for word, and true afterwards."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.web.conftest import SURVEYS, Person
from wtp.settings import Settings
from wtp.store import Database, consents, erasure, invitations, respondents, tables
from wtp.store.respondents import token_hash
from wtp.survey import inspect_survey


def change(settings: Settings, old: str, new: str) -> None:
    path = settings.surveys / "supplier/survey.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    shutil.copytree(SURVEYS / "supplier", tmp_path / "surveys/supplier")
    return Settings(instance=tmp_path / "instance", surveys=tmp_path / "surveys")


@pytest.fixture
def mode(settings: Settings, request: pytest.FixtureRequest) -> str:
    change(settings, "[privacy]\n", f'[privacy]\nmode = "{request.param}"\n')
    return str(request.param)


def secret(app: Flask) -> str:
    return app.secret_key if isinstance(app.secret_key, str) else bytes(app.secret_key or b"").hex()


def invited(app: Flask, database: Database) -> str:
    with database.begin() as connection:
        now = datetime.now(UTC)
        invitations.add(connection, "supplier", [("C-17", {"name": "Ada"})], secret=secret(app), now=now)
    return invitations.token_of(secret(app), "supplier", 1)


def one(database: Database, table: sa.Table) -> sa.RowMapping:
    with database.read() as connection:
        return connection.execute(sa.select(table)).mappings().one()


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("mode", ["anonymise_on_completion"], indirect=True)
def test_the_consent_is_kept_word_for_word_as_it_was_shown(
    mode: str, person: Person, database: Database, language: str
) -> None:
    person.language = language
    page = person.open()
    shown = [element.get_text(" ", strip=True) for element in page.select(".facts dd")]
    assert len(shown) == 4
    before = datetime.now(UTC)
    person.send(person.filled())
    row = one(database, tables.respondent)
    with database.read() as connection:
        kept = consents.text(connection, row["consent_shown"])
    assert kept is not None
    assert kept["language"] == language
    assert kept["mode"] == mode
    assert [words for _, words in kept["facts"]] == shown
    assert re.sub(r"\s+", " ", kept["text"]) in re.sub(r"\s+", " ", page.get_text())
    assert kept["agree"] in page.get_text()
    assert kept["purpose"]
    assert before <= row["consented_at"] <= datetime.now(UTC)


def test_who_changes_the_language_later_agreed_in_the_first(person: Person, database: Database) -> None:
    person.open()
    person.send(person.filled())
    first = one(database, tables.respondent)["consent_shown"]
    person.open("/s/supplier?lang=de")
    person.send(person.filled())
    row = one(database, tables.respondent)
    assert (row["language"], row["consent_shown"]) == ("de", first)
    assert one(database, tables.consent_text)["language"] == "en"


@pytest.mark.parametrize("mode", ["anonymise_on_completion"], indirect=True)
def test_with_the_last_page_nothing_leads_from_the_answers_to_the_invitation(
    mode: str, app: Flask, person: Person, database: Database
) -> None:
    token = invited(app, database)
    person.open(f"/s/supplier/r/{token}")
    person.walk("done")
    assert person.page.select_one("h1[data-ended]")
    assert not person.page.select("a[href$='my-data']")  # nothing can be shown any more
    key, row, there = token_hash("supplier", token), one(database, tables.respondent), one(database, tables.invitation)
    assert key not in repr(dict(row))
    assert str(row["token_hash"]) not in repr(dict(there))
    with database.read() as connection:
        [invitation] = invitations.everyone(connection, "supplier", secret=secret(app))
    assert invitation.outcome == "completed"  # and nobody is reminded
    for path in ("/s/supplier", f"/s/supplier/r/{token}", "/s/supplier/prices", "/s/supplier/e/my-data"):
        assert person.open(path).select_one("h1[data-ended]"), path
        assert person.step == "done"
    with database.begin() as connection:
        assert erasure.erase(connection, "supplier", token, who="x", reason="y", now=datetime.now(UTC)) is not None
    assert one(database, tables.respondent)["completed_at"]  # the answers are nobody's; only the invitation went


@pytest.mark.parametrize("mode", ["pseudonymous"], indirect=True)
def test_a_pseudonymous_interview_can_be_found_again(mode: str, person: Person, database: Database) -> None:
    """The control of the test before: without the cut the token leads there."""
    person.walk("thanks")
    with person.client.session_transaction() as session:
        token = session["respondent/supplier"]
    with database.read() as connection:
        assert respondents.find(connection, "supplier", token) is not None


@pytest.mark.parametrize("mode", ["anonymous"], indirect=True)
def test_an_anonymous_study_invites_nobody_and_gives_no_link(mode: str, person: Person, database: Database) -> None:
    person.open()
    person.send(person.filled())
    assert not person.page.select("footer .link")
    assert person.page.select("footer a[href$='my-data']")
    person.walk("done")
    assert one(database, tables.respondent)["panel_id"] is None


@pytest.mark.parametrize(
    ("new", "key", "said"),
    [
        ('mode = "secret"', "privacy.mode", "anonymous"),
        ("special_categories = true", "privacy", "without legal_basis"),
        ("answers_months = 0", "privacy.answers_months", "1"),
    ],
)
def test_mistakes_are_told(settings: Settings, new: str, key: str, said: str) -> None:
    change(
        settings,
        "answers_months = 12\n" if "answers" in new else "[privacy]\n",
        f"{'' if 'answers' in new else '[privacy]'}\n{new}\n",
    )
    _, mistakes = inspect_survey(settings.surveys / "supplier")
    assert [each for each in mistakes if key in str(each) and said in str(each)], mistakes
