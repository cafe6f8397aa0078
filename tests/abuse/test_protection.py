"""Protections that hold for all of the program: headers on every route, addresses that lead elsewhere, hosts and proxies, sizes, and what the code may not do."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage

from tests.every import every_question
from tests.web.conftest import Person
from tests.web.staff import PASSWORD, ROLES, Staff, hidden
from tests.web.test_rights import EVERYBODY, PROGRAMS, RIGHTS, paths
from wtp.errors import WtpError
from wtp.settings import Settings
from wtp.store import api_tokens, invitations, staff
from wtp.survey import load_survey
from wtp.web import create_app, security
from wtp.web.security import MAX_ADDRESS, MAX_FIELD, PAGES_A_MINUTE, limiter

ROOT = Path(__file__).parents[2]
SURVEYS = ROOT / "surveys"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    place = tmp_path_factory.mktemp("protected")
    shutil.copytree(SURVEYS, place / "surveys")
    every_question(place / "surveys")
    return Settings(instance=place / "instance", surveys=place / "surveys", base_url="http://study.example")


@pytest.fixture(scope="module")
def app(own: Settings) -> Iterator[Flask]:
    app = create_app(own)
    with app.extensions["wtp_database"] as database:
        with database.begin() as connection:
            for role in ROLES:
                staff.add(connection, role, PASSWORD, role)
        yield app


@pytest.fixture(autouse=True)
def nobody_asked_before(app: Flask) -> None:
    with app.app_context():
        limiter.reset()


def log_in(app: Flask, role: str) -> Staff:
    person = Staff(app.test_client(), role)
    assert person.log_in().status_code == 303
    return person


def test_every_route_carries_the_headers(app: Flask) -> None:
    """Of everything that is answered, by whatever status, to those who may and to those who may not."""
    clients = {role: log_in(app, role).client for role in ("administrator", "field")} | {"nobody": app.test_client()}
    seen = 0
    for rule, method in RIGHTS:
        path = next(paths(rule))
        for client in clients.values():
            with app.app_context():
                limiter.reset()
            reply = client.open(path, method=method, base_url="https://localhost", buffered=True)
            headers, place = reply.headers, f"{method} {path}"
            policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
            assert policy["default-src"] == "'self'", place
            assert policy["object-src"] == policy["base-uri"] == "'none'", place
            within = "'self'" if rule.startswith("/manage/<slug>/preview/") and reply.status_code == 200 else "'none'"
            assert policy["frame-ancestors"] == within, place
            assert policy["form-action"] == "'self'", place
            assert "unsafe" not in policy.get("script-src", ""), place
            assert "unsafe" not in policy["default-src"], place
            assert headers["X-Content-Type-Options"] == "nosniff", place
            assert headers["Referrer-Policy"] == "no-referrer", place
            assert "geolocation=()" in headers["Permissions-Policy"], place
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin", place
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin", place
            assert "max-age" in headers["Strict-Transport-Security"], place
            assert "Access-Control-Allow-Origin" not in headers, place
            assert "csrf" not in headers.get("Location", ""), place
            seen += 1
    assert seen == 3 * len(RIGHTS)


def test_frames_are_for_those_whom_the_study_names(own: Settings, tmp_path: Path) -> None:
    shutil.copytree(own.surveys / "supplier", tmp_path / "surveys/framed")
    file = tmp_path / "surveys/framed/survey.toml"
    file.write_text('embed_in = ["https://www.example.com"]\n' + file.read_text(encoding="utf-8"), encoding="utf-8")
    client = create_app(replace(own, surveys=tmp_path / "surveys", instance=tmp_path / "own")).test_client()
    policy = client.get("/s/framed/consent").headers["Content-Security-Policy"]
    assert "frame-ancestors https://www.example.com;" in policy
    assert "frame-ancestors 'none'" in client.get("/login").headers["Content-Security-Policy"]


def test_no_page_has_anything_inline_or_from_elsewhere(app: Flask) -> None:
    """Script in files alone, no handler in an attribute, no other host, and no token of a form in an address."""
    person, looked = log_in(app, "administrator"), 0
    for (rule, method), roles in RIGHTS.items():
        if method != "GET" or roles == PROGRAMS or ("administrator" not in roles and roles != EVERYBODY):
            continue
        reply = person.client.get(next(paths(rule)), buffered=True)
        if reply.mimetype != "text/html":
            continue
        looked += 1
        text = re.sub(r"<textarea.*?</textarea>", "", reply.text, flags=re.DOTALL)
        assert not re.search(r"<script(?![^>]*\bsrc=\"/)[^>]*>(?!\s*</script>)", text.replace('type="application/json"', 'src="/data"')), rule  # fmt: skip
        assert not re.search(r"<[^>]*\son[a-z]+\s*=", text), rule
        assert not re.search(r"<(?:script|img|link|iframe|form)[^>]*(?:src|href|action)=\"(?:https?:)?//", text), rule
        assert not re.search(r"(?:href|action)=\"[^\"]*csrf_token=", text), rule
    assert looked > 30


TRICKS = [
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example", "https://evil.example",
    "http:evil.example", "https:/evil.example", "javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)",
    "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "/\t/evil.example", "/\n/evil.example", "\t//evil.example",
    "/\r\nLocation: https://evil.example", "https://user@evil.example", "//study.example@evil.example",
    "http://study.example.evil.example", "http://study.example\\@evil.example", "http://study.example#@evil.example",
    "//evil%E3%80%82example", "//evil。example", "//еxample.com", "//[::1]", "//0x7f.1", "evil.example", "",
]  # fmt: skip


def test_thirty_tricks_lead_nobody_to_another_host(app: Flask) -> None:
    """After a login one goes on within the site."""
    assert len(TRICKS) == 30
    for trick in TRICKS:
        person = Staff(app.test_client(), "manager")
        token = hidden(person.open("/login"))["csrf_token"]
        with app.app_context():
            limiter.reset()
        data = {"csrf_token": token, "name": "manager", "password": PASSWORD}
        reply = person.client.post("/login", query_string={"next": trick}, data=data)
        assert (reply.status_code, reply.location) == (303, "/results"), trick
    data["csrf_token"] = hidden(Staff(client := app.test_client(), "manager").open("/login"))["csrf_token"]
    assert client.post("/login?next=/manage", data=data).location == "/manage", "an address of this site is followed"


PANEL = '\n[panel]\nparameter = "pid"\ncompleted = "{address}"\nscreened_out = "https://panel.example/out"\nover_quota = "https://panel.example/full"\n'


@pytest.mark.parametrize(
    "address",
    [
        *(trick for trick in TRICKS[:26] if trick != "https://evil.example"),
        "https://{id}.panel.example/",
        "https://{id}/",
        "https://panel.example{id}",
        "https://panel.example:{id}/",
        "https://user:{id}@panel.example/",
        "https://panel.example/\\n",
        "http://panel.example/",
        "https://panel.example/ x",
        "https://pаnel.example/",
    ],
)
def test_a_panels_addresses_are_of_a_host_that_stands_in_the_study(own: Settings, tmp_path: Path, address: str) -> None:
    shutil.copytree(own.surveys / "supplier", tmp_path / "supplier")
    file = tmp_path / "supplier/survey.toml"
    escaped = address.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    file.write_text(file.read_text(encoding="utf-8") + PANEL.replace("{address}", escaped), encoding="utf-8")
    with pytest.raises(WtpError, match=r"panel\.completed"):
        load_survey(tmp_path / "supplier")


def test_a_forged_host_or_proxy_changes_no_link_and_no_limit(app: Flask) -> None:
    client = app.test_client()
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}  # fmt: skip
    for path in ("/s/supplier", "/s/supplier/consent", "/login", "/results", "/api/v1/openapi.json", "/nothing"):
        reply = client.get(path, headers=forged)
        assert "evil.example" not in reply.text, path
        assert "evil.example" not in str(reply.headers), path
    guesses = [
        client.get("/s/supplier/r/guess", headers={"X-Forwarded-For": f"10.0.0.{n}", "Forwarded": f"for=10.0.0.{n}"})
        for n in range(12)
    ]
    assert [reply.status_code for reply in guesses] == [404] * 10 + [429] * 2


def test_an_address_is_not_longer_than_any_of_ours(app: Flask) -> None:
    client = app.test_client()
    for path in ("/s/supplier/consent", "/login", "/api/v1/studies", "/nothing"):
        assert client.get(f"{path}?x={'x' * (MAX_ADDRESS - 200)}").status_code != 414
        assert client.get(f"{path}?x={'x' * MAX_ADDRESS}").status_code in {400, 414}, path
        assert client.get(f"{path}/{'x' * MAX_ADDRESS}").status_code in {400, 414}, path


def test_pages_are_sent_forms_and_files_only_where_they_ask_for_them(app: Flask) -> None:
    person = log_in(app, "administrator")
    token = hidden(person.open("/results"))["csrf_token"]
    for path in ("/login", "/manage/tokens", "/contacts/supplier", "/s/supplier/consent"):
        with app.app_context():
            limiter.reset()
        as_json = person.client.post(path, json=[[]], headers={"X-CSRFToken": token})
        assert as_json.status_code == 400, path
        data = {"csrf_token": token, "name": FileStorage(filename="x", name="x")}
        assert person.client.post(path, data=data, content_type="multipart/form-data").status_code == 400, path


def test_no_field_is_longer_than_anybody_types(app: Flask) -> None:
    """On every page that takes a form, but for the named fields, in which whole files are pasted, and questions, which judge their own text."""
    person, tried = log_in(app, "administrator"), 0
    token = hidden(person.open("/results"))["csrf_token"]
    for rule, method in RIGHTS:
        if method != "POST" or rule.startswith("/api/"):
            continue
        path = next(paths(rule))
        for data in ({"x": "x" * (MAX_FIELD + 1)}, {"x" * (MAX_FIELD + 1): "x"}):
            with app.app_context():
                limiter.reset()
            reply = person.client.post(path, data=data | {"csrf_token": token}, headers={"Accept-Language": "en"})
            assert reply.status_code == 413, path
            assert "a field takes at most 10,000 characters" in reply.text, path
            tried += 1
    assert tried > 100
    for path, name, status in (
        ("/manage/supplier/source", "text", 422),
        ("/manage/supplier/invitations", "people", 422),
        ("/s/supplier/consent", "q-x", 422),
    ):
        reply = person.client.post(path, data={"csrf_token": token, "revision": "0", name: "x" * 2 * MAX_FIELD})
        assert reply.status_code == status, path
    lines = {"csrf_token": token, "name": "x\r\n" * (MAX_FIELD // 2)}
    assert person.client.post("/manage/tokens", data=lines).status_code == 422, "line breaks count once"


def test_a_flood_of_new_interviews_is_slowed_and_keeps_nobody_out_who_has_a_link(own: Settings, tmp_path: Path) -> None:
    app = create_app(replace(own, instance=tmp_path, starts_per_minute=5))

    def begin(token: str = "") -> int:
        client = app.test_client()
        if token:
            assert client.get(f"/s/supplier/r/{token}").status_code == 303
        page = client.get("/s/supplier/consent").text
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert csrf
        return client.post("/s/supplier/consent", data={"csrf_token": csrf[1], "agree": "yes", "revision": "0"}).status_code  # fmt: skip

    assert [begin() for _ in range(7)] == [303] * 5 + [429] * 2
    secret = "a secret of this test"
    with app.extensions["wtp_database"].begin() as connection:
        invitations.add(connection, "supplier", [("Bo", {})], secret=secret, now=datetime.now(UTC))
    assert begin(invitations.token_of(secret, "supplier", 1)) == 303, "from the same address"
    app.extensions["wtp_database"].engine.dispose()


def test_who_sends_pages_faster_than_anybody_reads_waits_and_nobody_else(
    own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [75.0]
    monkeypatch.setattr(security, "time", SimpleNamespace(time=lambda: seconds[0]))
    app = create_app(replace(own, instance=tmp_path))
    program, other = Person(app.test_client()), Person(app.test_client())
    for person in (program, other):
        person.walk("profile")
    with app.app_context():
        limiter.reset()
    data = program.filled()
    replies = [program.send(data, step="profile", follow=False) for _ in range(PAGES_A_MINUTE + 1)]
    assert [reply.status_code for reply in replies] == [303] * PAGES_A_MINUTE + [429]
    assert replies[-1].headers["Retry-After"] == "45"
    assert "Wait a minute" in replies[-1].text
    assert other.send(other.filled(), step="profile", follow=False).status_code == 303
    seconds[0] = 120.0
    assert program.send(data, step="profile", follow=False).status_code == 303
    app.extensions["wtp_database"].engine.dispose()


def test_there_is_no_list_of_studies_for_strangers(app: Flask) -> None:
    client = app.test_client()
    for path in ("/", "/s", "/s/", "/results", "/manage", "/api/v1/studies", "/static/", "/contacts"):
        reply = client.get(path)
        assert reply.status_code in {303, 308, 401, 404}, path
        assert "supplier" not in reply.text, path


@cache
def modules() -> list[tuple[Path, str]]:
    return [(path, path.read_text(encoding="utf-8")) for path in sorted((ROOT / "wtp").rglob("*.py"))]


RISKY = re.compile(r"pickle|dill|shelve|marshal|yaml|\bcode\b|subprocess|eval|exec|compile|__import__|system|popen|shell|template_string")  # fmt: skip


def test_the_code_runs_nothing_that_is_given_to_it() -> None:
    """No pickle, no YAML, no eval, no shell, no template made of data; what may run a program is named here."""
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "yaml", "code", "jsonpickle"}
    runs = set()
    for path, source in modules():
        for node in ast.walk(ast.parse(source)) if RISKY.search(source) else ():
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {a.name for a in node.names} if isinstance(node, ast.Import) else {node.module or ""}
                tops = {name.partition(".")[0] for name in names}
                assert not tops & forbidden, path
                runs |= {path.name} if tops & {"subprocess"} else set()
            if isinstance(node, ast.Call):
                called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""  # fmt: skip
                assert called not in {"render_template_string", "system", "popen", "read_pickle", "to_pickle"}, path
                if isinstance(node.func, ast.Name):
                    assert called not in {"eval", "exec", "compile", "__import__"}, path
                assert not any(k.arg == "shell" and getattr(k.value, "value", None) for k in node.keywords), path
                assert not any(k.arg == "allow_pickle" and getattr(k.value, "value", None) for k in node.keywords), path
    text = "\n".join(source for _, source in modules())
    for template in (ROOT / "wtp/web/templates").rglob("*.*"):
        if template.name != "explorer.html":  # whose marked words are its own
            assert not re.search(r"\|\s*safe\b|autoescape", template.read_text(encoding="utf-8")), template
    assert len(re.findall(r"(?<![\w.])Markup\(", text)) <= MARKUP, "what is marked as safe is looked at by a person"


MARKUP = 3  # Markdown without HTML, the picture of a second factor, our own translated words


def test_no_default_secret_no_debug_and_no_short_secret(own: Settings, tmp_path: Path, app: Flask) -> None:
    assert not app.debug
    assert not app.testing
    assert len(app.secret_key) >= 32
    (tmp_path / "secret_key").write_bytes(b"x" * 31)
    with pytest.raises(WtpError, match="31 bytes"):
        create_app(replace(own, instance=tmp_path))
    for path, source in modules():
        assert not re.search(r"debug\s*=\s*True|DEBUG\"?\]?\s*=\s*True", source), path


def test_a_token_of_a_program_is_kept_as_a_hash_alone(app: Flask) -> None:
    with app.extensions["wtp_database"].begin() as connection:
        _, text = api_tokens.add(connection, "a test", maker=None, scopes=api_tokens.SCOPES, now=datetime.now(UTC))
        dump = "\n".join(str(row) for row in connection.exec_driver_sql("SELECT * FROM api_token").all())
    assert text[13:] not in dump
