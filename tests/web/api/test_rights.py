"""Who gets in: every route with every scope, without one, by cookie, with another study's token, an expired and a revoked one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from werkzeug.test import TestResponse

from tests.web.api.conftest import STUDY, TABLE, Hold, Program
from tests.web.staff import ROLES, Staff, hidden
from wtp.errors import StoreError
from wtp.store import Database, api_tokens, audit, staff, tables
from wtp.store.api_tokens import SCOPES
from wtp.web.api import access
from wtp.web.api.body import MAX_DEPTH
from wtp.web.api.routes import ROUTES, Route
from wtp.web.security import MAX_FIELD, limiter

BY_NAME = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
SAME = ("type", "title", "status", "detail", "place", "found", "allowed", "remedy")


def address(app: Flask, route: Route, slug: str = "supplier") -> str:
    with app.extensions["wtp_database"].read() as connection:
        kept = connection.execute(sa.select(tables.result.c.fingerprint).where(tables.result.c.study == slug)).scalars()
        key = kept.first() or "none"
    return "/api/v1" + route.path.format(slug=slug, table="willingness_to_pay", analysis=key)


def ask(program: Program, route: Route, path: str) -> TestResponse:
    return program.post(path, json={}) if route.body else program.get(path)


def problem(reply: TestResponse, status: int, kind: str) -> None:
    assert (reply.status_code, reply.mimetype) == (status, "application/problem+json"), reply.text
    assert tuple(reply.json) == SAME
    assert reply.json["type"] == f"/api/v1/#problem-{kind}"
    assert reply.json["status"] == status
    assert all(reply.json.values())


@BY_NAME
def test_each_scope_opens_its_routes_and_no_other(app: Flask, hold: Hold, route: Route) -> None:
    path = address(app, route)
    for scope in SCOPES:
        reply = ask(hold(scope), route, path)
        if scope == route.scope:
            assert reply.status_code in route.replies, reply.text
        else:
            problem(reply, 403, "scope")
            assert f'scope="{route.scope}"' in reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize("route", [r for r in ROUTES if "slug" in r.places], ids=lambda route: route.name)
def test_another_studys_token_sees_no_more_than_a_study_that_is_not_there(app: Flask, hold: Hold, route: Route) -> None:
    foreign = hold(studies=("workshop",))
    reply = ask(foreign, route, address(app, route))
    problem(reply, 404, "not-found")
    unknown = ask(foreign, route, address(app, route).replace("supplier", "nowhere"))
    assert reply.text.replace("supplier", "nowhere") == unknown.text


def invalid(app: Flask, database: Database, hold: Hold) -> Iterator[str]:
    """Authorization headers that open nothing."""
    now = datetime.now(UTC)
    good = hold()
    yield from (
        "",
        "Bearer",
        "Bearer ",
        "Bearer wtp_00000000_" + "x" * 43,
        f"bearer {good.text}",
        f"Basic {good.text}",
        good.text,
    )
    yield f"Bearer {good.text[:-1]}"
    yield f"Bearer {good.text}, Bearer {good.text}"
    expired = hold(now=now - timedelta(days=2), expires_at=now - timedelta(seconds=1))
    revoked = hold()
    with database.begin() as connection:
        api_tokens.revoke(connection, revoked.text[4:12], who="a test", now=now)
    yield from (f"Bearer {expired.text}", f"Bearer {revoked.text}")


def test_no_unknown_expired_or_revoked_token_opens_anything_and_all_read_alike(
    app: Flask, database: Database, hold: Hold
) -> None:
    client, seen = app.test_client(), set()
    for given in invalid(app, database, hold):
        for route in ROUTES:
            with app.app_context():
                limiter.reset()
            reply = client.open(address(app, route), method=route.method, headers={"Authorization": given})
            problem(reply, 401, "token")
            assert reply.headers["WWW-Authenticate"] == 'Bearer realm="wtp"'
            seen.add(reply.text)
    assert len(seen) == 1


def test_nobody_gets_in_by_cookie_or_address(app: Flask, hold: Hold) -> None:
    text = hold().text
    people = [app.test_client()]
    for role in ROLES:
        person = Staff(app.test_client(), role)
        person.log_in()
        people.append(person.client)
    for client in people:
        token = hidden(BeautifulSoup(client.get("/login").text, "html.parser"))["csrf_token"]
        for route in ROUTES:
            with app.app_context():
                limiter.reset()
            path = address(app, route)
            data = {"csrf_token": token} if route.body else None
            problem(client.open(path, method=route.method, data=data), 401, "token")
            for name in ("token", "access_token"):
                problem(client.open(f"{path}?{name}={text}", method=route.method), 401, "token")


def test_replies_set_no_cookie_and_carry_the_headers_of_the_house(program: Program) -> None:
    for path in (
        "/api/v1/studies",
        TABLE,
        f"{TABLE}.csv",
        f"{STUDY}/nothing",
        f"{STUDY}?lang=de",
        "/api/v1/openapi.json",
    ):
        reply = program.get(path)
        assert "Set-Cookie" not in reply.headers, path
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'self'" in reply.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in reply.headers


def test_a_start_needs_no_csrf_token_and_a_page_still_does(app: Flask, program: Program) -> None:
    assert program.post(f"{STUDY}/analyses", json={}).status_code in {200, 201}
    assert app.test_client().post("/manage/tokens", headers=program.headers).status_code == 400


def test_guessing_slows_down_and_keeps_nobody_out(app: Flask, program: Program) -> None:
    stranger = app.test_client()
    guesses = [
        stranger.get("/api/v1/studies", headers={"Authorization": f"Bearer wtp_{n:08d}_{'x' * 43}"}) for n in range(12)
    ]
    assert [reply.status_code for reply in guesses] == [401] * 10 + [429] * 2
    problem(guesses[-1], 429, "too-many")
    assert guesses[-1].headers["Retry-After"] == "60"
    assert program.get("/api/v1/studies").status_code == 200, "from the same address"


def test_analyses_are_started_at_most_ten_times_a_minute_by_one_token(program: Program, hold: Hold) -> None:
    replies = [program.post(f"{STUDY}/analyses", data="no JSON").status_code for _ in range(11)]
    assert replies == [415] * 10 + [429]
    assert hold().post(f"{STUDY}/analyses", data="no JSON").status_code == 415, "another token"


def test_a_token_ends_with_its_maker(app: Flask, database: Database, hold: Hold) -> None:
    with database.begin() as connection:
        staff.add(connection, "leaving", "a long pass phrase for the tests", "analyst")
        maker = next(each for each in staff.members(connection) if each.name == "leaving")
    program = hold(maker=maker)
    assert program.get("/api/v1/studies").status_code == 200
    with database.begin() as connection:
        staff.disable(connection, "leaving")
    problem(program.get("/api/v1/studies"), 401, "token")


def test_the_last_use_is_kept_and_a_full_disk_keeps_nobody_from_reading(
    database: Database, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, unused = hold(), hold()
    assert used.get("/api/v1/studies").status_code == 200

    def full(*_: object) -> None:
        raise StoreError("database: full; allowed: free space; free some")

    monkeypatch.setattr(access.api_tokens, "note_use", full)
    assert unused.get("/api/v1/studies").status_code == 200
    with database.read() as connection:
        known = {each.mark: each.used_at for each in api_tokens.everything(connection)}
    assert known[used.text[4:12]] is not None
    assert known[unused.text[4:12]] is None


@pytest.mark.parametrize(
    ("query", "place", "found"),
    [
        ("limit=0", "limit", "'0'"),
        ("limit=many", "limit", "'many'"),
        ("offset=-1", "offset", "'-1'"),
        ("limit=2&limit=3", "limit", "given 2 times"),
        ("segment=nobody", "segment", "nobody"),
        ("without=me", "without", "'me'"),
        ("versions=old", "versions", "'old'"),
        ("colour=red", "colour", "unknown"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_allowed(program: Program, query: str, place: str, found: str) -> None:
    reply = program.get(f"{TABLE}?{query}")
    problem(reply, 400, "parameter")
    assert (reply.json["place"], reply.json["found"]) == (place, found)
    assert reply.json["allowed"] in reply.json["detail"]


@pytest.mark.parametrize(
    ("sent", "status", "kind", "place"),
    [
        ({"data": "{}"}, 415, "media-type", "header Content-Type"),
        ({"data": "{", "content_type": "application/json"}, 400, "body", "body"),
        ({"json": []}, 422, "value", "body"),
        ({"json": {"model": "magic"}}, 422, "value", "model"),
        ({"json": {"seed": "1"}}, 422, "value", "seed"),
        ({"json": {"seed": 0}}, 422, "value", "seed"),
        ({"json": {"sede": 1}}, 422, "value", "sede"),
        ({"json": {"without": None}}, 422, "value", "without"),
    ],
)
def test_a_wrong_body_is_named_with_what_is_allowed(
    program: Program, sent: dict[str, object], status: int, kind: str, place: str
) -> None:
    reply = program.post(f"{STUDY}/analyses", **sent)
    problem(reply, status, kind)
    assert reply.json["place"] == place


def test_a_body_that_is_too_large_is_refused(program: Program) -> None:
    problem(
        program.post(f"{STUDY}/analyses", data=b"[" + b"1," * 600_000, content_type="application/json"),
        413,
        "too-large",
    )


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        (b'{"model": ' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}", 422, "value"),
        (b'{"model": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", 400, "body"),
        (b'{"model": ' + b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH + b"}", 400, "body"),
        (b"[" * 100_000 + b"]" * 100_000, 400, "body"),
        (b'{"model": "' + b"x" * MAX_FIELD + b'"}', 422, "value"),
        (b'{"model": "' + b"x" * (MAX_FIELD + 1) + b'"}', 413, "too-large"),
        (b'{"' + b"x" * (MAX_FIELD + 1) + b'": 1}', 413, "too-large"),
        (b'{"seed": [["' + b"x" * (MAX_FIELD + 1) + b'"]]}', 413, "too-large"),
        (b'{"seed": 1, "seed": 1}', 400, "body"),
        (b'{"seed": NaN}', 400, "body"),
        (b'{"seed": -Infinity}', 400, "body"),
        (b'{"seed": 1e400}', 422, "value"),
        (b'{"seed": ' + b"9" * 5_000 + b"}", 400, "body"),
        (b'{"model": "\\ud800"}', 400, "body"),
        (b'{"model": "a\\u0000b"}', 400, "body"),
        (b'{"model": "\xff"}', 400, "body"),
        ("{}".encode("utf-16"), 400, "body"),
        (b"", 400, "body"),
    ],
)
def test_json_that_is_deep_long_doubled_or_no_text_is_refused(
    program: Program, sent: bytes, status: int, kind: str
) -> None:
    reply = program.post(f"{STUDY}/analyses", data=sent, content_type="application/json")
    problem(reply, status, kind)
    assert len(reply.json["detail"]) < 400


def test_what_is_not_there_and_what_cannot_be_done_are_problems_too(program: Program) -> None:
    for path in (
        f"{STUDY}/tables/nothing",
        f"{STUDY}/tables/nothing.csv",
        f"{STUDY}/analyses/nothing",
        "/api/v1/nothing",
    ):
        problem(program.get(path), 404, "not-found")
    reply = program.client.delete(STUDY, headers=program.headers)
    problem(reply, 405, "method")
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"
    problem(program.get(TABLE, Accept="image/png"), 406, "media")


def test_a_database_that_is_away_and_a_fault_are_problems_too(
    app: Flask, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreError("database: away; nothing was saved; allowed: a database; bring it back")

    monkeypatch.setattr("wtp.web.api.figures.analysis_of", away)
    reply = program.get(TABLE)
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")
    monkeypatch.setattr("wtp.web.api.figures.analysis_of", lambda *_: 1 / 0)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    problem(program.get(TABLE), 500, "fault")


def test_no_reply_and_no_log_entry_holds_a_secret(app: Flask, database: Database, hold: Hold) -> None:
    program = hold()
    secret = program.text[13:]
    for path in ("/api/v1/studies", f"{STUDY}/nothing", "/api/v1/openapi.json"):
        assert secret not in program.get(path).text
    with database.read() as connection:
        log = json.dumps([entry.reason for entry in audit.entries(connection, "supplier")])
    assert program.text[4:12] in log
    assert secret not in log
