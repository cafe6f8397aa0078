"""The shipped server under watch: its log is JSON without personal data whatever is sent to it, its figures are those of all its processes, and nothing of them is left when it ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.faults.conftest import Start
from tests.jobs.conftest import until
from wtp.store import api_tokens, open_database
from wtp.store.api_tokens import METRICS

MARK = "planted7"


def test_its_log_and_its_figures(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(memory))
    (tmp_path / "instance").mkdir()
    settings = 'log = "json"\naccess_log = "on"\n'
    (tmp_path / "instance" / "settings.toml").write_text(settings, encoding="utf-8")
    server = start()
    said, token = _send_marks(server.port)
    os.kill(server.workers()[0], signal.SIGKILL)
    until(lambda: len(server.workers()) == 2)
    with open_database(f"sqlite:///{server.instance / 'wtp.sqlite'}") as database, database.begin() as connection:
        _, bearer = api_tokens.add(connection, "prometheus", maker=None, scopes=[METRICS], now=datetime.now(UTC))
    asked = urllib.request.Request(f"http://127.0.0.1:{server.port}/metrics", headers={"Authorization": f"Bearer {bearer}"})  # fmt: skip
    with urllib.request.urlopen(asked, timeout=30) as reply:
        figures = reply.read().decode()
    counted = re.findall(r'wtp_requests_total\{method="POST",route="/s/<slug>/<step_id>",status="303"\} (\S+)', figures)
    assert [float(number) for number in counted] == [said], "of both processes, also of one that was killed"
    assert MARK not in figures
    assert list(memory.glob("wtp-metrics-*/*.db"))
    server.process.send_signal(signal.SIGTERM)
    out, log = server.process.communicate(timeout=30)
    lines = [json.loads(line) for line in log.splitlines()]
    assert sum(line.get("route") == "/s/<slug>/<step_id>" for line in lines) > said
    assert any(line["event"] == "a worker ended: signal 9" for line in lines)
    for secret in (MARK, token, bearer, "127.0.0.1"):
        assert secret not in log
    assert MARK not in out
    assert not list(memory.iterdir())


def _send_marks(port: int) -> tuple[int, str]:
    """Part of an interview, and what is no proper request; returns the pages that were saved, and the personal token."""
    headers = {"User-Agent": MARK, "X-Forwarded-For": MARK, "Referer": f"http://{MARK}.example"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(method: str, path: str, body: str | None = None) -> tuple[http.client.HTTPResponse, str]:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return reply, reply.read().decode()

    reply, page = ask("GET", f"/s/supplier/consent?{MARK}")
    headers["Cookie"] = (reply.getheader("Set-Cookie") or "").partition(";")[0]
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    for step, data in (
        ("consent", {"agree": "yes"}),
        ("profile", {"q-core_problem": "cost", "q-employees": "to_9", "company_address": MARK}),
    ):
        reply, _ = ask(
            "POST", f"/s/supplier/{step}?{MARK}", urlencode(data | {"csrf_token": found[1], "revision": "0"})
        )
        assert reply.status == 303
        if cookie := reply.getheader("Set-Cookie"):
            headers["Cookie"] = cookie.partition(";")[0]
    _, page = ask("GET", "/s/supplier/profile")
    link = re.search(r"/r/([\w-]+)", page)
    assert link is not None
    for path in (f"/s/supplier/r/{link[1]}", f"/s/supplier/r/{MARK}", f"/{MARK}"):
        ask("GET", path)
    ask("POST", "/login", urlencode({"name": MARK, "password": MARK}))
    connection.close()
    for raw in (f"{MARK} /{MARK}\r\n\r\n", f"GET /{MARK}", f"POST /s/{MARK}/x HTTP/1.1\r\nContent-Length: 9\r\n\r\n{MARK[:3]}"):  # fmt: skip
        with socket.create_connection(("127.0.0.1", port), timeout=10) as half:
            half.sendall(raw.encode())
    return 2, link[1]
