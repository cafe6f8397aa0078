"""A member of staff with a browser: logs in through the form as a person does, and sends what forms hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "a long pass phrase for the tests"
ROLES = ("manager", "analyst", "administrator", "field")


@dataclass
class Staff:
    """Somebody who may log in by the name of the role."""

    client: FlaskClient
    name: str = "manager"

    def log_in(self, password: str = PASSWORD, *, query: str = "", name: str = "") -> TestResponse:
        """Fill in the login form."""
        page = BeautifulSoup(self.client.get("/login?lang=en").text, "html.parser")
        return self.client.post(f"/login{query}", data=hidden(page) | {"name": name or self.name, "password": password})

    def log_out(self) -> TestResponse:
        """Press the button on an open page."""
        return self.client.post("/logout", data=hidden(self.open("/contacts" if self.name == "field" else "/results")))

    def open(self, path: str) -> BeautifulSoup:
        """Open a page, which must be there."""
        reply = self.client.get(path)
        assert reply.status_code == 200, f"{path}: {reply.status}"
        return BeautifulSoup(reply.text, "html.parser")


def hidden(page: BeautifulSoup) -> dict[str, Any]:
    """The hidden fields of a page's first form."""
    form = page.select_one("form[method=post]")
    assert form is not None
    return {str(field["name"]): str(field["value"]) for field in form.select("input[type=hidden]")}
