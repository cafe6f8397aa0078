"""Two servers with instance folders of their own, one PostgreSQL, one secret key and one folder of surveys, behind a proxy that sends each request to either: one installation.

Control: with another secret key on one of them a login is not valid on both.
"""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar

import pytest
from bs4 import BeautifulSoup

from tests.faults.conftest import SURVEYS, WTP, Server
from tests.faults.crowd import answers_of, route
from wtp.store import answers, open_database, respondents, staff
from wtp.web import free_port

PASSWORD = "four words are enough"


class Visitor:
    """A browser whose requests go now to the one server, now to the other; cookies go to both, as behind a proxy."""

    def __init__(self, *servers: Server) -> None:
        self.ports = [server.port for server in servers]
        self.asked = 0
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def open(self, path: str, data: dict[str, str] | None = None) -> tuple[str, str]:
        """The address of the page that came, without its host, and its text; each request goes to the other server."""
        self.asked += 1
        address = f"http://127.0.0.1:{self.ports[self.asked % len(self.ports)]}{path}"
        body = urllib.parse.urlencode(data).encode() if data is not None else None
        request = urllib.request.Request(address, body, {"Accept-Language": "en"})
        try:
            with self.opener.open(request, timeout=60) as reply:
                return urllib.parse.urlsplit(reply.geturl()).path, reply.read().decode()
        except urllib.error.HTTPError as error:
            return path, f"{error.code}"


@pytest.fixture(scope="module")
def database_url(new_postgresql: object) -> str:
    assert callable(new_postgresql)
    url: str = new_postgresql()
    return url


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[tuple[Server, ...]]:
    """The two, and a third one with another secret key."""
    root = tmp_path_factory.mktemp("hosts")
    shutil.copytree(SURVEYS, root / "surveys")
    shared, running = secrets.token_bytes(32), []
    with open_database(database_url) as database:
        database.migrate()
        with database.begin() as connection:
            staff.add(connection, "ada", PASSWORD, "administrator")
    for number, secret in enumerate((shared, shared, secrets.token_bytes(32))):
        instance = root / f"host{number}"
        instance.mkdir()
        (instance / "secret_key").write_bytes(secret)
        (instance / "settings.toml").write_text(f"database = {json.dumps(database_url)}\n", encoding="utf-8")
        port = free_port(21_000 + os.getpid() % 5_000 + number)
        process = subprocess.Popen(
            [str(WTP), "serve", "--port", str(port), "--workers", "1", "--analysts", "0"],
            env={**os.environ, "WTP_INSTANCE": str(instance), "WTP_SURVEYS": str(root / "surveys")},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        running.append(Server(process.pid, port, instance, process))
    for server in running:
        server.wait_until_ready()
    yield tuple(running)
    for server in running:
        server.process.send_signal(signal.SIGTERM)
    for server in running:
        server.process.communicate(timeout=40)


def test_an_interview_goes_on_wherever_it_arrives(hosts: tuple[Server, ...], database_url: str) -> None:
    visitor, dice = Visitor(*hosts[:2]), random.Random(1)
    token = ""
    for step in route():
        at, page = visitor.open(f"/s/supplier/{step}")
        assert at.endswith(step)
        at, page = visitor.open(
            at, answers_of(step, dice) | {"csrf_token": _fields(page)["csrf_token"], "revision": "0"}
        )
        link = re.search(r"/r/([\w-]+)", page)
        token = token or (link[1] if link else "")
    assert at.endswith("/thanks")
    with open_database(database_url) as database, database.read() as connection:
        found = respondents.find(connection, "supplier", token)
        assert found is not None
        assert found.outcome == "completed"
        assert len(answers.current(connection, found.respondent_id).choices) == sum(
            s.startswith("choice") for s in route()
        )


def _fields(page: str) -> dict[str, str]:
    """Hidden fields of the form of a page that posts, and its text."""
    form = BeautifulSoup(page, "html.parser").select_one("main form[method=post]")
    assert form is not None
    found = {str(field["name"]): str(field["value"]) for field in form.select("input[type=hidden]")}
    return found | {str(area["name"]): area.text.lstrip("\n") for area in form.select("textarea")}


def _log_in(visitor: Visitor) -> None:
    _, page = visitor.open("/login")
    visitor.open("/login", _fields(page) | {"name": "ada", "password": PASSWORD})


def test_a_login_and_a_published_study_hold_on_both(hosts: tuple[Server, ...]) -> None:
    visitor = Visitor(*hosts[:2])
    _log_in(visitor)
    assert [visitor.open("/manage")[0] for _ in range(4)] == ["/manage"] * 4
    given = _fields(visitor.open("/manage/workshop/source")[1])
    given["text"] = given["text"].replace("Before we start", "A title of the other host", 1)
    visitor.open("/manage/workshop/source", given)
    visitor.open("/manage/workshop/publish", _fields(visitor.open("/manage/workshop/publish")[1]))
    for server in hosts[:2]:
        assert "A title of the other host" in Visitor(server).open("/s/workshop/consent")[1]


def test_another_secret_key_is_found_out(hosts: tuple[Server, ...]) -> None:
    same, other = Visitor(hosts[0]), Visitor(hosts[0])
    for visitor in (same, other):
        _log_in(visitor)
    other.ports = [hosts[2].port]
    assert same.open("/manage")[0] == "/manage"
    assert other.open("/manage")[0] == "/login"
