"""What holds for every page: rights by route, CSRF, headers, cookies, sizes, hosts."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask

from tests.web.conftest import Person
from tests.web.staff import Staff, hidden
from wtp.disk import Space
from wtp.settings import Settings
from wtp.store import heartbeats
from wtp.web import create_app, health
from wtp.web.security import MAX_BODY, MAX_FORM, MAX_FORM_PARTS

# Routes that need no login: (rule, methods) -> what a stranger gets.
OPEN = {
    ("/s/<slug>", "GET"): 303,
    ("/s/<slug>/<step_id>", "GET"): 200,
    ("/s/<slug>/<step_id>", "POST"): 303,
    ("/s/<slug>/<step_id>/draft", "POST"): 404,
    ("/s/<slug>/e/look.css", "GET"): 404,
    ("/s/<slug>/e/end", "GET"): 303,
    ("/s/<slug>/e/done", "GET"): 303,
    ("/s/<slug>/e/panel", "GET"): 303,
    ("/s/<slug>/e/my-data", "GET"): 200,
    ("/s/<slug>/e/my-data", "POST"): 422,
    ("/s/<slug>/e/my-data.json", "GET"): 200,
    ("/s/<slug>/e/deleted", "GET"): 303,
    ("/s/<slug>/pictures/<name>", "GET"): 404,
    ("/s/<slug>/r/<token>", "GET"): 404,
    ("/healthz", "GET"): 200,
    ("/readyz", "GET"): 200,
}
FILLED = {
    "purpose": "invitation",
    "member": "1",
    "slug": "supplier",
    "step_id": "consent",
    "token": "guess",
    "name": "logo.png",
    "number": "1",
    "job": "1",
    "import_number": "1",
}


def open_routes(app: Flask) -> set[tuple[str, str]]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.split(".")[0] in ("respond", "health")]
    return {(rule.rule, method) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}


def test_every_open_route_is_in_the_table(app: Flask) -> None:
    assert open_routes(app) == set(OPEN)


@pytest.mark.parametrize(("rule", "method"), OPEN)
def test_what_a_stranger_gets(person: Person, rule: str, method: str) -> None:
    person.open()
    path = re.sub(r"<(\w+)>", lambda match: FILLED[match[1]], rule)
    data = person.filled() if method == "POST" else None
    assert person.client.open(path, method=method, data=data).status_code == OPEN[rule, method]


def test_every_change_needs_the_token(app: Flask) -> None:
    client = app.test_client()
    changing = 0
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            changing += 1
            path = re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda match: FILLED.get(match[1], "x"), rule.rule)
            reply = client.open(path, method=method, headers={"Accept-Language": "en"})
            if path.startswith("/api/"):  # a token in a header is nothing that a browser sends by itself
                assert reply.status_code == 401, path
                continue
            assert reply.status_code == 400, path
            assert "Allow cookies" in reply.text
    assert changing >= 3
    assert "csrf" not in "".join(rule.rule for rule in app.url_map.iter_rules())


@pytest.mark.parametrize(
    "path", ["/s/supplier/consent", "/s/supplier/r/guess", "/healthz", "/nothing", "/static/wtp.css"]
)
def test_headers(person: Person, path: str) -> None:
    reply = person.client.get(path, buffered=True)
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert "Strict-Transport-Security" not in reply.headers
    assert (reply.headers["Cache-Control"] == "no-store") == (path != "/static/wtp.css")
    secure = person.client.get(path, base_url="https://localhost", buffered=True)
    assert "max-age" in secure.headers["Strict-Transport-Security"]


def test_a_form_can_be_sent_under_https_without_a_referer(settings: Settings) -> None:
    app = create_app(replace(settings, base_url="https://study.example"))
    person = Person(app.test_client())
    page = person.client.get("/s/supplier/consent", base_url="https://study.example")
    assert "Secure" in page.headers["Set-Cookie"]
    person.reply = page
    reply = person.client.post("/s/supplier/consent", data=person.filled(), base_url="https://study.example")
    assert reply.status_code == 303


def test_the_cookie(person: Person) -> None:
    person.open()
    (cookie,) = person.client.get("/s/supplier/consent?lang=de").headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_a_cookie_that_was_changed_is_nobodys_however_often_the_right_one_came(app: Flask, person: Person) -> None:
    page = person.walk("profile")
    kept = person.client.get_cookie("wtp")
    assert kept is not None
    address = "/s/supplier/profile"
    body, signature = kept.value.rsplit(".", 1)
    for value, status in (
        (kept.value, 200),
        (f"{body}.{signature[::-1]}", 303),
        (f"{body[::-1]}.{signature}", 303),
        (kept.value, 200),
    ):
        reply = app.test_client(use_cookies=False).get(address, headers={"Cookie": f"wtp={value}"})
        assert reply.status_code == status
        assert (status == 200) == (str(page.h1) in reply.text)


def test_a_page_is_there_under_a_part_of_an_address_too(app: Flask) -> None:
    for mount in ("", "/studies", "/others", ""):
        base = f"http://localhost{mount}"
        page = app.test_client().get("/s/supplier/consent", base_url=base).text
        assert f'href="{mount}/static/wtp.css"' in page
        assert f'action="{mount}/s/supplier/consent"' in page


def test_no_page_has_inline_script_or_another_host(person: Person) -> None:
    page = person.open()
    while True:
        assert not page.select("script:not([src]), style, [style], [onclick], [onsubmit]")
        addresses = [str(tag[name]) for name in ("src", "href", "action") for tag in page.select(f"[{name}]")]
        assert all(re.match(r"[/?#](?!/)", address) for address in addresses), addresses
        hosts = set(re.findall(r"https?://[^\s/<\"]+", person.reply.text))
        assert hosts <= {"http://127.0.0.1:8000"}, "the personal link alone names a host, the configured one"
        if person.step == "thanks":
            break
        person.send(person.filled())
        page = person.page


def test_a_forged_host_changes_no_link(person: Person) -> None:
    person.walk("profile")
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-For": "1.2.3.4"}
    reply = person.client.get("/s/supplier/profile", headers=headers)
    assert "http://127.0.0.1:8000/s/supplier/r/" in person.page.text
    assert "evil.example" not in reply.text
    reply = person.client.get("/s/supplier", headers=headers)
    assert "evil.example" not in str(reply.headers)


def test_only_configured_proxies_are_believed(settings: Settings, app: Flask) -> None:
    behind = create_app(replace(settings, proxies=1))
    for served, believed in ((app, False), (behind, True)):
        reply = served.test_client().get("/healthz", headers={"X-Forwarded-Proto": "https"})
        assert ("Strict-Transport-Security" in reply.headers) == believed


def test_too_much_at_once(person: Person) -> None:
    person.open()
    data = person.filled()
    reply = person.send(data | {"agree": "x" * MAX_BODY}, step="consent")
    assert reply.status_code == 413
    assert "That was too much at once" in reply.text
    for extra in ({"agree": "x" * 2 * MAX_FORM}, {f"extra{i}": "x" for i in range(MAX_FORM_PARTS)}):
        reply = person.client.post("/s/supplier/consent", data=data | extra, content_type="multipart/form-data")
        assert reply.status_code == 413


def test_a_wrong_method_has_a_page(person: Person) -> None:
    reply = person.client.put("/s/supplier/consent")
    assert reply.status_code in {400, 405}
    reply = person.client.get("/logout")
    assert reply.status_code == 405
    assert "POST" in reply.headers["Allow"]
    assert "<h1>" in reply.text


@pytest.mark.parametrize("digits", [19, 30, 3000])
def test_a_number_that_no_database_holds_has_no_page(app: Flask, staffed: Callable[[str], Staff], digits: int) -> None:
    analyst = staffed("analyst")
    token = hidden(analyst.open("/manage/supplier/import"))["csrf_token"]
    rules = [rule for rule in app.url_map.iter_rules() if "<int:" in rule.rule]
    assert rules
    for rule in rules:
        path = re.sub(r"<int:\w+>", "9" * digits, rule.rule).replace("<slug>", "supplier")
        assert "<" not in path
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            data = {"csrf_token": token, "sure": "yes"} if method == "POST" else {}
            reply = analyst.client.open(path, method=method, data=data)
            assert reply.status_code in {404, 405}, (path[:80], method)


def test_a_fault_has_a_page_too(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise RuntimeError("a secret detail")

    monkeypatch.setitem(app.view_functions, "health.alive", broken)
    reply = app.test_client().get("/healthz", headers={"Accept-Language": "en"})
    assert reply.status_code == 500
    assert "Something went wrong on our side" in reply.text
    assert "secret" not in reply.text
    number = reply.headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{16}", number)
    assert number in reply.text


def test_a_full_disk_is_said_in_words_and_other_errors_of_files_are_faults(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(number: int) -> Callable[[], str]:
        def view() -> str:
            raise OSError(number, "of the system")

        return view

    for number, status, said in (
        (errno.ENOSPC, 507, "the disk of the server is full"),
        (errno.EACCES, 500, "Something went wrong"),
    ):
        monkeypatch.setitem(app.view_functions, "health.alive", broken(number))
        reply = app.test_client().get("/healthz", headers={"Accept-Language": "en"})
        assert reply.status_code == status
        assert said in reply.text


def test_ready_means_that_an_answer_would_be_kept(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = app.test_client()
    lines = client.get("/readyz").text.splitlines()
    assert lines[0] == "ok"
    assert "no worker of background analyses is alive; answers are kept" in lines[1]
    with app.extensions["wtp_database"].begin() as connection:
        heartbeats.beat(connection, "host 1 a", "0.1.0", datetime.now(UTC))
    assert client.get("/readyz").text == "ok\n"
    monkeypatch.setattr(health, "space", lambda _: Space(free=10**8, total=10**9))
    lines = client.get("/readyz").text.splitlines()
    assert lines == ["ok", "degraded: less than 1 GB or 5 % of the disk is free"]
    with app.extensions["wtp_database"].begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    reply = client.get("/readyz")
    assert reply.status_code == 503
    assert "schema" not in reply.text, "what is wrong inside is no stranger's business"
    assert "not ready: database" in caplog.text
    assert client.get("/healthz").status_code == 200
