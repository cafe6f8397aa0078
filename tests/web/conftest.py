"""An installation of its own for every test, and a person who reads pages and fills in forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from wtp.settings import Settings
from wtp.store import Database, answers
from wtp.survey import Answers
from wtp.web import create_app

SURVEYS = Path(__file__).parents[2] / "surveys"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(instance=tmp_path / "instance", surveys=SURVEYS)


@pytest.fixture
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def database(app: Flask) -> Database:
    kept: Database = app.extensions["wtp_database"]
    return kept


@pytest.fixture
def person(app: Flask) -> Person:
    return Person(app.test_client())


def stored(database: Database) -> Answers:
    with database.read() as connection:
        return answers.read_answers(connection, "supplier")


@dataclass
class Person:
    """Somebody with a browser: remembers the page that is open."""

    client: FlaskClient
    language: str = "en"
    reply: TestResponse = field(init=False)

    def open(self, path: str = "/s/supplier") -> BeautifulSoup:
        headers = {"Accept-Language": self.language}
        self.reply = self.client.get(path, follow_redirects=True, headers=headers)
        return self.page

    @property
    def page(self) -> BeautifulSoup:
        return BeautifulSoup(self.reply.text, "html.parser")

    @property
    def step(self) -> str:
        return self.reply.request.path.rpartition("/")[2]

    def filled(self, pick: int = 0) -> dict[str, Any]:
        """The form of the open page, answered: the pick-th of each group, prices that rise."""
        form = self.page.select_one("main form[method=post]")
        assert form is not None
        data = {str(i["name"]): str(i.get("value", "")) for i in form.select("input[type=hidden]")}
        data |= {str(i["name"]): str(i["value"]) for i in form.select("input[type=checkbox]")}
        groups: dict[str, list[str]] = {}
        for box in form.select("input[type=radio]"):
            groups.setdefault(str(box["name"]), []).append(str(box["value"]))
        data |= {name: values[min(pick, len(values) - 1)] for name, values in groups.items()}
        prices = [str(60 + 20 * i + pick) for i in range(4)]
        return data | dict(zip([str(i["name"]) for i in form.select("input[type=text]")], prices, strict=False))

    def send(self, data: dict[str, Any], *, step: str = "", follow: bool = True) -> TestResponse:
        path = f"/s/supplier/{step or self.step}"
        self.reply = self.client.post(
            path, data=data, follow_redirects=follow, headers={"Accept-Language": self.language}
        )
        return self.reply

    def walk(self, to: str) -> BeautifulSoup:
        """Answer every page until this one is open."""
        self.open()
        while self.step != to:
            before = self.step
            assert self.send(self.filled()).status_code == 200
            assert self.step != before
        return self.page
