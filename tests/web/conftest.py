"""An installation of its own for every test, and a person who reads pages and fills in forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.figures import handmade
from tests.web.staff import PASSWORD, ROLES, Staff
from wtp.analysis import Analysis
from wtp.settings import Settings
from wtp.store import Database, answers, staff
from wtp.survey import Answers
from wtp.web import create_app, manage, results, waves
from wtp.web.security import limiter

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


@pytest.fixture
def staffed(app: Flask, database: Database) -> Callable[[str], Staff]:
    """Gives somebody of a role, logged in; nobody has tried to log in before."""
    with database.begin() as connection:
        for role in ROLES:
            staff.add(connection, role, PASSWORD, role)

    def logged_in(role: str) -> Staff:
        person = Staff(app.test_client(), role)
        assert person.log_in().status_code == 303
        return person

    with app.app_context():
        limiter.reset()
    return logged_in


@pytest.fixture
def shown(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Analysis]:
    """Lets the pages show an analysis made by hand."""

    def show(**changes: Any) -> Analysis:
        analysis = handmade(app.extensions["wtp_surveys"]["supplier"], **changes)
        for module in (results, manage, waves):
            monkeypatch.setattr(module, "analysis_of", lambda database, survey, *_: analysis)
        return analysis

    return show


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
        return data | dict(
            zip([str(i["name"]) for i in form.select("input[type=text]:not([tabindex])")], prices, strict=False)
        )

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
