"""The page of a study's panel: the key is made, shown and replaced there, and the instructions can be worked out by hand."""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import shutil
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from click.testing import CliRunner, Result
from flask import Flask

from tests.web.author import Author, log_in
from tests.web.conftest import SURVEYS
from wtp.cli import main
from wtp.settings import Settings
from wtp.store import audit, panel_keys, tables
from wtp.store.panel_keys import PanelKey
from wtp.web import running

PANEL = """
[panel]
parameter = "pid"
sign_back = true
check_links = true
signature = "hash"
completed = "https://panel.example/back?status=1&id={id}"
screened_out = "https://panel.example/back?status=2&id={id}"
over_quota = "https://panel.example/back?status=3&id={id}"
"""
PAGE = "/manage/supplier/panel?lang=en"
GIVEN = "a-key-of-the-panel"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    shutil.copytree(SURVEYS / "supplier", tmp_path / "surveys/supplier")
    file = tmp_path / "surveys/supplier/survey.toml"
    file.write_text(file.read_text(encoding="utf-8") + PANEL, encoding="utf-8")
    return Settings(instance=tmp_path / "instance", surveys=tmp_path / "surveys")


@pytest.fixture
def author(app: Flask) -> Author:
    return log_in(app, "ann")


def in_use(app: Flask) -> PanelKey | None:
    with app.app_context(), running.database().read() as connection:
        return panel_keys.current(connection, "supplier", secret=running.secret())


def log(app: Flask) -> list[tuple[str, str, str]]:
    with app.extensions["wtp_database"].read() as connection:
        return [(entry.who, entry.action, entry.reason) for entry in audit.entries(connection, "supplier")]


def press(author: Author, action: str, **typed: Any) -> BeautifulSoup:
    author.press("", typed, form=f'form[action="/manage/supplier/{action}"]')
    return author.page


def test_the_key_is_made_shown_and_replaced(author: Author, app: Flask) -> None:
    page = author.go(PAGE)
    assert "every link of the panel is refused" in page.select_one("main").text  # type: ignore[union-attr]
    assert "http://127.0.0.1:8000/s/supplier?pid=" in page.text
    made = press(author, "panel").select_one("code.secret, .secret")
    key = in_use(app)
    assert key is not None
    assert made is not None
    assert made.text == key.key
    page = author.go(PAGE)
    assert key.key not in str(page), "nobody sees it by the way"
    assert press(author, "panel/key").select_one(".secret").text == key.key  # type: ignore[union-attr]
    author.go(PAGE)
    page = press(author, "panel", source="given", key=GIVEN, before="at_once")
    assert GIVEN not in str(page), "who typed it has it"
    second = in_use(app)
    assert second is not None
    assert (second.number, second.key, second.made_by) == (2, GIVEN, "ann")
    assert [entry for entry in log(app) if entry[1] in {panel_keys.MADE, panel_keys.SHOWN}] == [
        ("ann", panel_keys.MADE, "key 1, random"),
        ("ann", panel_keys.SHOWN, "key 1"),
        ("ann", panel_keys.MADE, "key 2, given by the panel; the one before ends at once"),
    ]
    field = author.go("/manage/supplier/field?lang=de")
    assert "Schlüssel des Panels erzeugt" in field.text


def test_the_one_before_stays_another_day_unless_it_is_ended(author: Author) -> None:
    author.go(PAGE)
    press(author, "panel")
    author.go(PAGE)
    page = press(author, "panel")
    assert "counts for links that come in until" in page.text
    author.go(PAGE)
    page = press(author, "panel", before="at_once")
    listed = [item.get_text(" ", strip=True) for item in page.select("#key ~ ul li")]
    assert [item.partition(",")[0] for item in listed] == ["Key 3"], "whoever knows one may know them all"


@pytest.mark.parametrize(
    ("key", "said"),
    [("", "Please enter the key"), ("short", "16 to 128"), ("x" * 129, "16 to 128"), ("with a space in it", "without spaces"), ("käse" * 8, "without spaces")],
)  # fmt: skip
def test_a_given_key_that_is_none_is_refused_in_words(author: Author, app: Flask, key: str, said: str) -> None:
    author.go(PAGE)
    page = press(author, "panel", source="given", key=key)
    assert said in page.select_one(".message").text  # type: ignore[union-attr]
    assert "No key was made" in page.select_one(".mistakes").text  # type: ignore[union-attr]
    assert in_use(app) is None


def test_the_key_of_before_is_refused_in_words(author: Author, app: Flask) -> None:
    for _ in range(2):
        author.go(PAGE)
        page = press(author, "panel", source="given", key=GIVEN)
    assert "This is the key of before" in page.text
    key = in_use(app)
    assert key is not None
    assert key.number == 1


def test_no_file_of_the_study_holds_the_key(author: Author, app: Flask) -> None:
    author.go(PAGE)
    press(author, "panel")
    key = in_use(app)
    assert key is not None
    with app.extensions["wtp_database"].read() as connection:
        sealed = connection.execute(sa.select(tables.panel_key.c.sealed)).scalar_one()
    for name in ("panel.txt", "source", "field", "exports", "csv", "xlsx", "choices"):
        reply = author.client.get(f"/manage/supplier/{name}")
        if reply.status_code == 404:
            reply = author.client.get(f"/manage/supplier/export/{name}")
        whole = reply.data
        if whole[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(whole)) as opened:
                whole = b"".join(opened.read(part) for part in opened.namelist())
        assert key.key.encode() not in whole, name
        assert sealed.encode() not in whole, name
    for file in app.extensions["wtp_surveys"].folder.rglob("*"):
        assert not file.is_file() or key.key.encode() not in file.read_bytes(), file


def test_a_study_without_a_panel_says_so(settings: Settings, author: Author) -> None:
    shutil.copytree(SURVEYS / "workshop", settings.surveys / "workshop")
    assert "This study names no panel" in author.go("/manage/workshop/panel?lang=en").text
    assert "This study names no panel" in author.client.get("/manage/workshop/panel.txt?lang=en").text
    assert "/manage/workshop/panel" not in str(author.go("/manage/workshop?lang=en"))
    assert "/manage/supplier/panel" in str(author.go("/manage/supplier?lang=en"))


# The instructions


def by_hand(key: str, text: str) -> str:
    """HMAC-SHA-256 of hashes alone (RFC 2104)."""
    block = key.encode().ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + text.encode()).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).hexdigest()


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_examples_can_be_worked_out_by_hand(author: Author, language: str) -> None:
    reply = author.client.get(f"/manage/supplier/panel.txt?lang={language}")
    assert reply.mimetype == "text/plain"
    text = reply.text
    words = {
        "en": ("address", "is signed", "key", "signature", "whole"),
        "de": ("Adresse", "signiert wird", "Schlüssel", "Signatur", "Ganzes"),
    }[language]
    found = [re.findall(rf"^  {word}: +(\S+)$", text, re.MULTILINE) for word in words]
    assert [len(values) for values in found] == [2] * 5
    for address, stamped, key, digest, whole in zip(*found, strict=True):
        assert stamped == f"{address}&ts=1767614400"
        assert digest == by_hand(key, stamped) == hmac.new(key.encode(), stamped.encode(), hashlib.sha256).hexdigest()
        assert whole == f"{stamped}&hash={digest}"
    assert datetime.fromisoformat("2026-01-05T12:00:00+00:00").timestamp() == 1767614400
    assert found[0] == [
        "https://panel.example/back?status=1&id=A-1%20b",
        "http://127.0.0.1:8000/s/supplier?pid=A-1%20b",
    ]
    assert found[3] == [
        "ec86ccbb22b982f8af0db27302e8d63ac6eece5bc07fda7d1d577936ed8b3eea",
        "3a475867054db977dea7a866dfb02ad1f7d8a3f4c94e391d295e8808445d0472",
    ]


def test_the_snippets_of_the_instructions_give_what_they_say(author: Author) -> None:
    text = author.client.get("/manage/supplier/panel.txt?lang=en").text
    snippet = next(line for line in text.splitlines() if "hexdigest()" in line)
    digest = re.findall(r"^  signature: +(\S+)$", text, re.MULTILINE)[0]
    space: dict[str, Any] = {}
    exec(f"import hashlib, hmac\nfound = {snippet.strip()}", space)
    assert space["found"] == digest
    assert "&amp;" not in text


# The command


@pytest.fixture
def command(settings: Settings, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Any:
    del app  # it registers the study
    monkeypatch.setenv("WTP_INSTANCE", str(settings.instance))
    monkeypatch.setenv("WTP_SURVEYS", str(settings.surveys))

    def run(*arguments: str, text: str | None = None) -> Result:
        return CliRunner().invoke(main, ["panel", *arguments], input=text)

    return run


def test_the_command_shows_and_replaces_the_key(command: Any, app: Flask) -> None:
    first = command("key", "supplier")
    assert first.exit_code == 0, first.output
    key = in_use(app)
    assert key is not None
    assert first.stdout == f"{key.key}\n"
    assert command("key", "surveys/supplier").stdout == first.stdout
    second = command("key", "supplier", "--new")
    assert second.stdout != first.stdout
    assert "counts for links that come in another 24 hours" in second.stderr
    given = command("key", "supplier", "--given", "--at-once", text=f"{GIVEN}\n")
    assert given.exit_code == 0, given.output
    assert GIVEN not in given.output, "no terminal keeps it"
    assert "ended now" in given.stderr
    key = in_use(app)
    assert key is not None
    assert (key.number, key.key) == (3, GIVEN)
    assert [action for _, action, _ in log(app)].count(panel_keys.SHOWN) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("key", "nothing"), "not there"),
        (("key", "supplier", "--at-once"), "without a new key"),
        (("key", "supplier", "--new", "--given"), "one of them"),
        (("instructions", "workshop"), "no panel"),
    ],
)
def test_the_command_says_what_is_wrong(
    command: Any, settings: Settings, arguments: tuple[str, ...], said: str
) -> None:
    shutil.copytree(SURVEYS / "workshop", settings.surveys / "workshop")
    reply = command(*arguments)
    assert reply.exit_code == 1
    assert said in reply.stderr


def test_the_command_prints_the_instructions(command: Any, author: Author) -> None:
    reply = command("instructions", "supplier", "--lang", "de")
    assert reply.exit_code == 0, reply.output
    assert reply.stdout == author.client.get("/manage/supplier/panel.txt?lang=de").text
