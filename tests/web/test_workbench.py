"""The author's workbench: a study is written, checked, published and tried out in the browser, and no file is touched by hand."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from werkzeug.test import TestResponse

from tests.web.staff import PASSWORD, Staff
from wtp.settings import Settings
from wtp.store import staff
from wtp.web import create_app
from wtp.web.security import limiter

ROOT = Path(__file__).parents[2]


@pytest.fixture
def surveys(tmp_path: Path) -> Path:
    folder = tmp_path / "surveys"
    folder.mkdir()
    shutil.copytree(ROOT / "surveys" / "supplier", folder / "supplier")
    shutil.copytree(ROOT / "tests" / "every_question", folder / "every_question")
    return folder


@pytest.fixture
def app(surveys: Path, tmp_path: Path) -> Flask:
    return create_app(Settings(instance=tmp_path / "instance", surveys=surveys))


@pytest.fixture
def author(app: Flask) -> Author:
    return log_in(app, "author")


def log_in(app: Flask, name: str) -> Author:
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, name, PASSWORD, "analyst")
    with app.app_context():
        limiter.reset()
    person = Author(app.test_client(), name)
    assert person.log_in().status_code == 303
    return person


class Author(Staff):
    """Somebody who writes a study: reads a page, types into its form, presses a button."""

    page: BeautifulSoup
    path: str = ""

    def go(self, path: str) -> BeautifulSoup:
        self.path = path
        self.page = self.open(path)
        return self.page

    def fields(self, form: Tag) -> dict[str, Any]:
        """What the browser would send of a form."""
        data: dict[str, Any] = {}

        def add(name: str, value: str) -> None:
            data.setdefault(name, []).append(value)

        for field in form.select("input[name], select[name], textarea[name]"):
            name, kind = str(field["name"]), str(field.get("type", ""))
            if field.name == "textarea":
                add(name, field.get_text().removeprefix("\n").replace("\n", "\r\n"))
            elif field.name == "select":
                option = field.select_one("option[selected]") or field.select_one("option")
                if option is not None:
                    add(name, str(option.get("value", option.get_text())))
            elif kind not in {"checkbox", "radio"} or field.has_attr("checked"):
                add(name, str(field.get("value", "")))
        return data

    def press(self, button: str = "save", typed: dict[str, Any] | None = None, form: str = "form.edit") -> TestResponse:
        """Press a button of the open page's form and follow to where it leads."""
        found = next(one for one in self.page.select(form) if one.select_one(f'button[value="{button}"]') or button == "")
        data = self.fields(found) | (typed or {}) | ({"do": button} if button else {})
        reply = self.client.post(str(found.get("action") or self.path), data=data)
        if reply.status_code == 303:
            self.go(str(reply.location).partition("#")[0])
        else:
            self.page = BeautifulSoup(reply.text, "html.parser")
        return reply


def draft_of(surveys: Path, slug: str = "supplier") -> dict[str, Any]:
    return tomllib.loads((surveys / slug / "survey.draft.toml").read_text(encoding="utf-8"))


NODES = ("basics", "attributes", "price", "choice_tasks", "pages", "segments", "participants", "competitors", "costs", "access", "simulation")


def every_page(slug: str, content: dict[str, Any]) -> Iterator[str]:
    yield f"/manage/{slug}/edit"
    yield from (f"/manage/{slug}/{name}" for name in ("texts", "source", "preview", "publish", "versions", "tests", "delete"))
    yield from (f"/manage/{slug}/edit/{node}" for node in NODES)
    for name in ("attributes", "segments", "screen_outs", "quotas", "competitors", "pages"):
        for n, one in enumerate(content.get(name, [])):
            yield f"/manage/{slug}/edit/{name}.{n}"
            for q in range(len(one.get("questions", ()))):
                yield f"/manage/{slug}/edit/{name}.{n}.questions.{q}"


@pytest.mark.parametrize("slug", ["supplier", "every_question"])
def test_saving_a_page_as_it_is_changes_nothing(author: Author, surveys: Path, slug: str) -> None:
    """Every page of every part can be opened, holds everything that the file says there, and gives it back unchanged."""
    text = (surveys / slug / "survey.toml").read_text(encoding="utf-8")
    for language in ("en", "de"):
        author.client.get(f"/manage?lang={language}")
        for path in every_page(slug, tomllib.loads(text)):
            page = author.go(path)
            assert page.select_one("h1"), path
            if page.select_one("form.edit"):
                assert author.press().status_code == 303, path
                assert not (surveys / slug / "survey.draft.toml").exists(), path
