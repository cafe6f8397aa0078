"""Somebody who writes a study: reads a page, types into its form, presses a button."""

from __future__ import annotations

from typing import Any

from bs4 import BeautifulSoup, Tag
from flask import Flask
from werkzeug.test import TestResponse

from tests.web.staff import PASSWORD, Staff
from wtp.store import staff
from wtp.web.security import limiter


class Author(Staff):
    """An analyst with a browser."""

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
        found = next(
            one for one in self.page.select(form) if one.select_one(f'button[value="{button}"]') or button == ""
        )
        data = self.fields(found) | (typed or {}) | ({"do": button} if button else {})
        reply = self.client.post(str(found.get("action") or self.path), data=data)
        if reply.status_code == 303:
            self.go(str(reply.location).partition("#")[0])
        else:
            self.page = BeautifulSoup(reply.text, "html.parser")
        return reply


def log_in(app: Flask, name: str) -> Author:
    """Somebody new of this name, logged in."""
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, name, PASSWORD, "analyst")
    with app.app_context():
        limiter.reset()
    person = Author(app.test_client(), name)
    assert person.log_in().status_code == 303
    return person
