"""More requests than the server can take: they are refused at once with a page and Retry-After, nothing that was sent is lost, and the process neither dies nor grows."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from tests.faults.conftest import Start
from tests.faults.crowd import Crowd, lost_and_doubled
from tests.jobs.conftest import until
from wtp.web.traffic import FOR_OTHERS, FOR_RESPONDENTS, RETRY_SECONDS, THREADS

CROWD = 150
# Pages that take a tenth of a second or, of the study `held`, until a file is there, as `/held`; all else is what ships.
SLOW = """
import sys, time
from pathlib import Path
from flask import request
from wtp.settings import load_settings
from wtp.web import serve, app as factory

made = factory.create_app

def create_app(settings):
    app = made(settings)
    (settings.instance / "begun").mkdir(exist_ok=True)
    def slow():
        if request.path.startswith("/s/"):
            time.sleep(0.1)
        if request.path.endswith("/held"):
            (settings.instance / "begun" / str(time.monotonic_ns())).touch()
            while not (settings.instance / "go on").exists():
                time.sleep(0.02)
    app.before_request(slow)
    return app

from wtp.web import server
server.create_app = create_app
serve(load_settings(), "127.0.0.1", int(sys.argv[1]), int(sys.argv[2]))
"""


def ask(port: int, path: str, method: str = "GET", language: str = "en") -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, headers={"Accept-Language": language})
        reply = connection.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read().decode()
    finally:
        connection.close()


def unreadable(port: int) -> str:
    """The first line of the reply to what is no request."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nno header\r\n\r\n")
        return connection.recv(1_000).partition(b"\r\n")[0].decode()


def test_respondents_wait_for_nobody_else(start: Start) -> None:
    """Such as a report that takes seconds, or several of them."""
    server = start(workers=1, code=SLOW)
    with ThreadPoolExecutor(FOR_OTHERS + 1) as pool:
        busy = [pool.submit(ask, server.port, "/held") for _ in range(FOR_OTHERS)]
        until(lambda: len(list((server.instance / "begun").iterdir())) == FOR_OTHERS)
        refused = pool.submit(ask, server.port, "/staff")
        assert ask(server.port, "/s/supplier/consent")[0] == 200
        assert refused.result()[0] == 503
        assert not any(each.done() for each in busy)
        (server.instance / "go on").touch()


def test_who_waits_too_long_is_told_while_all_threads_are_busy(start: Start) -> None:
    server = start(workers=1, code=SLOW)
    with ThreadPoolExecutor(THREADS + 4) as pool:
        busy = [pool.submit(ask, server.port, "/s/held") for _ in range(FOR_RESPONDENTS)]
        busy += [pool.submit(ask, server.port, "/held") for _ in range(FOR_OTHERS)]
        until(lambda: len(list((server.instance / "begun").iterdir())) == THREADS)
        assert " 400 " in unreadable(server.port)
        asked = {
            "page": pool.submit(ask, server.port, "/s/supplier/consent"),
            "German": pool.submit(ask, server.port, "/s/supplier/consent", "GET", "de-AT, de;q=0.9"),
            "draft": pool.submit(ask, server.port, "/s/supplier/profile/draft", "POST"),
            "program": pool.submit(ask, server.port, "/api/v1/studies"),
        }
        wait(asked.values())
        assert ask(server.port, "/healthz")[0] == 200, "a busy process is not dead"
        assert not any(each.done() for each in busy), "all of this while nobody was free"
        (server.instance / "go on").touch()
        assert {each.result()[0] for each in busy} == {404}
    for status, headers, _ in (each.result() for each in asked.values()):
        assert status == 503
        assert RETRY_SECONDS[0] <= int(headers["Retry-After"]) <= RETRY_SECONDS[1]
    _, headers, page = asked["page"].result()
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "Set-Cookie" not in headers
    assert "Very many people are here" in page
    assert f"Load this page again in {headers['Retry-After']} s;" in page
    assert '<html lang="de">' in asked["German"].result()[2]
    assert 'hreflang="en"' in asked["German"].result()[2]
    assert json.loads(asked["program"].result()[2])["status"] == 503
    assert ask(server.port, "/s/supplier/consent")[0] == 200


@pytest.mark.slow
def test_a_crowd_beyond_what_can_be_served_loses_nothing(start: Start, rounds: Callable[[int], int]) -> None:
    server = start(workers=1, code=SLOW)
    (worker,) = server.workers()
    crowd = Crowd(server.port, hands=CROWD)
    with crowd.answering():
        until(lambda: crowd.put_off > 200 * rounds(10) or crowd.faults)
    assert crowd.faults == [], "a refusal brings back what was typed, with a sentence and a time to wait"
    lost, doubled = lost_and_doubled(crowd, server.database_url)
    print(f"{len(crowd.acknowledged)} acknowledged, {crowd.put_off} refused, {_megabytes(worker):.0f} MB")
    assert (crowd.unanswered, lost, doubled) == (0, [], 0)
    assert server.workers() == [worker]
    assert _megabytes(worker) < 600


def _megabytes(pid: int) -> float:
    """Most memory that a process ever had."""
    said = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(said.split("VmHWM:")[1].split()[0]) / 1e3
