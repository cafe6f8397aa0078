"""No log line has personal data: marks are planted in whole interviews, logins, imports, programs' requests and errors, and looked for in everything that any library logs."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import Person
from tests.web.staff import Staff, hidden
from wtp.errors import SettingsError, StoreError
from wtp.settings import Settings, load_settings
from wtp.store import Database
from wtp.web import create_app, logs

MARK = "planted7"
ADDRESS, AGENT = "203.0.113.77", f"Agent {MARK}"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, by us at the usual level, by libraries down to the last detail."""
    root, stream = logging.getLogger(), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs._Lines(as_json=True))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture
def app(settings: Settings) -> Flask:
    return create_app(replace(settings, access_log="on", proxies=1))


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def marked(client: FlaskClient) -> FlaskClient:
    client.environ_base |= {"REMOTE_ADDR": ADDRESS, "HTTP_USER_AGENT": AGENT, "HTTP_X_FORWARDED_FOR": ADDRESS}
    return client


def test_no_mark_reaches_the_log(
    app: Flask, database: Database, log: io.StringIO, staffed: Callable[[str], Staff]
) -> None:
    person = Person(marked(app.test_client()))
    person.open(f"/s/supplier?source={MARK}")
    token = ""
    while person.step != "thanks":
        filled = person.filled() | {"company_address": MARK, f"q-{MARK}": MARK, "pasted": MARK}
        person.client.post(f"{person.reply.request.path}/draft", data=filled | {"sender": MARK, "number": "1"})
        person.send(filled)
        token = token or person.page.text.partition("/s/supplier/r/")[2].partition("\n")[0].strip()
    assert token
    client = person.client
    for path in (f"/s/supplier/r/{token}", f"/s/supplier/r/{MARK}", f"/{MARK}", f"/s/{MARK}/x?{MARK}"):
        client.get(path)
    client.open("/healthz", method="POST", data={MARK: MARK})
    client.get("/api/v1/studies", headers={"Authorization": f"Bearer wtp_{MARK}"})
    member = staffed("analyst")
    marked(member.client)
    Staff(marked(app.test_client()), MARK).log_in(MARK)
    page = member.open("/manage/supplier/import")
    given = hidden(page) | {"file": (io.BytesIO(f"respondent;{MARK}\n{MARK};{MARK}\n".encode()), f"{MARK}.csv")}
    member.client.post("/manage/supplier/import", data=given, content_type="multipart/form-data")
    said = lines(log)
    assert len(said) > 60
    routes = {line["route"] for line in said if line["event"] == "request"}
    assert {"/s/<slug>/<step_id>", "/s/<slug>/r/<token>", "/login", "/manage/<slug>/import", "-"} <= routes
    for secret in (MARK, ADDRESS, "203.0.113", token, "Agent"):
        assert secret not in log.getvalue()


def test_errors_tell_their_places_and_nothing_else(
    app: Flask, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        answer = MARK
        try:
            int(answer)
        except ValueError as error:
            raise KeyError(answer) from error
        return ""

    monkeypatch.setitem(app.view_functions, "health.alive", broken)
    reply = marked(app.test_client()).get(f"/healthz?{MARK}")
    assert reply.status_code == 500
    fault, request = (line for line in lines(log) if line["level"] == "error")
    assert fault["event"] == "fault"
    assert [each["kind"] for each in fault["errors"]] == ["builtins.KeyError", "builtins.ValueError"]
    assert fault["errors"][0]["places"][-1].endswith(" broken")
    assert (request["route"], request["status"]) == ("/healthz", 500)
    assert fault["request"] == request["request"] == reply.headers["X-Request-ID"]
    assert MARK not in log.getvalue()
    assert ADDRESS not in log.getvalue()


def test_what_nobody_catches_and_what_libraries_say(log: io.StringIO) -> None:
    logging.getLogger("waitress").error("Exception while serving /s/supplier/r/%s", MARK)
    try:
        raise ValueError(MARK)
    except ValueError as error:
        logs._uncaught(ValueError, error, error.__traceback__)
    library, own = lines(log)
    assert library["event"].startswith("waitress: ")
    assert library["place"].startswith("test_logs.py:")
    assert own["errors"][0]["kind"] == "builtins.ValueError"
    assert MARK not in log.getvalue()


@pytest.mark.parametrize(("access_log", "told"), [("off", None), ("on", "no network"), ("cut", "203.0.113.0/24")])
def test_how_much_of_a_request_is_told(settings: Settings, log: io.StringIO, access_log: str, told: str | None) -> None:
    app = create_app(replace(settings, access_log=access_log))
    client = marked(app.test_client())
    client.get("/login")
    requests = [line for line in lines(log) if line["event"] == "request"]
    assert [line.get("network", "no network") for line in requests] == ([told] if told else [])

    def away() -> str:
        raise StoreError("database: locked; allowed: not; wait.")

    app.view_functions["health.alive"] = away
    client.get("/healthz")
    failed = [line for line in lines(log) if line["event"] == "request" and line["status"] == 503]
    assert len(failed) == 1, "those that failed are told whatever the settings say"
    assert ADDRESS not in log.getvalue()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        (None, "-"),
        ("unix:", "-"),
    ],
)
def test_an_address_is_cut(address: str | None, network: str) -> None:
    assert logs.network(address) == network


def test_text_and_json_tell_the_same(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("wtp").level
    hooks = sys.excepthook, sys.unraisablehook, logs.threading.excepthook
    try:
        for form in ("json", "text"):
            logs.begin(form)
            logging.getLogger("wtp.server").warning("the disk is filling up", extra={"about": {"route": "-"}})
    finally:
        logging.captureWarnings(False)
        root.handlers[:], root.level = before[:2]
        logging.getLogger("wtp").setLevel(before[2])
        sys.excepthook, sys.unraisablehook, logs.threading.excepthook = hooks
    first, second = capsys.readouterr().err.splitlines()
    assert json.loads(first)["event"] == "the disk is filling up"
    assert "warning" in second
    assert second.endswith("the disk is filling up route=-")


def test_settings_of_the_log(tmp_path: Any) -> None:
    (tmp_path / "settings.toml").write_text('log = "xml"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match="log: found 'xml'; allowed: text, json"):
        load_settings(tmp_path)
