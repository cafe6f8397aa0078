"""The loop over connections: it answers as the library's own, and costs nothing for those that only wait."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from flask import Flask, request
from waitress.server import BaseWSGIServer

from wtp.web import polling, traffic
from wtp.web.traffic import LONGEST_RETRY, RETRY_SECONDS, Channel, Dispatcher, Refusal, server_of

LARGE = 5_000_000


class Looks:
    """How often connections were asked what they wait for."""

    count = 0


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[BaseWSGIServer, int]]:
    """A small application behind the shipped loop, and its port."""
    app = Flask(__name__)
    app.add_url_rule("/large", "large", view_func=lambda: b"x" * LARGE)
    app.add_url_rule("/echo", "echo", view_func=_echo, methods=["POST"])
    monkeypatch.setattr(traffic, "refusals_of", lambda *_: None)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    server = server_of(app, "http://localhost", listener, lambda: None)
    thread = threading.Thread(target=polling.run, args=(server,))
    thread.start()
    try:
        yield server, listener.getsockname()[1]
    finally:
        server.trigger.pull_trigger(lambda: _close(server))  # in the loop's own thread
        thread.join(10)
        assert not thread.is_alive()
        server.task_dispatcher.shutdown()


def _echo() -> bytes:
    return request.get_data()


def _close(server: BaseWSGIServer) -> None:
    for channel in list(server.active_channels.values()):
        channel.handle_close()
    server.close()


def sent(connection: http.client.HTTPConnection, words: bytes) -> http.client.HTTPResponse:
    connection.request("POST", "/echo", words)
    reply = connection.getresponse()
    assert reply.read() == words
    return reply


def test_idle_connections_are_not_looked_at_for_every_page(served: tuple[BaseWSGIServer, int], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    _, port = served
    monkeypatch.setattr(polling, "_ALL_SECONDS", 60.0)
    with ExitStack() as open_ones:
        for _ in range(100):
            open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
        busy = http.client.HTTPConnection("127.0.0.1", port)
        sent(busy, b"all are accepted")
        looks, before = Looks(), Channel.readable

        def counted(self: Channel) -> bool:
            looks.count += 1
            return bool(before(self))

        monkeypatch.setattr(Channel, "readable", counted)
        for page in range(20):
            sent(busy, str(page).encode())
        seen = looks.count
        busy.close()
    assert 20 <= seen < 300  # the library's own: 100 a page and more


def test_a_large_reply_and_a_large_body_come_whole(served: tuple[BaseWSGIServer, int]) -> None:
    _, port = served
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/large")
    reply = connection.getresponse()
    assert len(reply.read()) == LARGE
    sent(connection, b"y" * 800_000)
    connection.close()


def test_requests_that_are_sent_at_once_are_answered_in_order(served: tuple[BaseWSGIServer, int]) -> None:
    _, port = served
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"".join(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n<%d>" % n for n in range(5)))
        found = b""
        while found.count(b"<") < 5:
            more = line.recv(10_000)
            assert more
            found += more
    assert [part[:1] for part in found.split(b"<")[1:]] == [b"0", b"1", b"2", b"3", b"4"]


def test_closed_connections_are_forgotten_and_their_numbers_used_again(served: tuple[BaseWSGIServer, int]) -> None:
    server, port = served
    for _ in range(30):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        sent(connection, b"once")
        connection.close()
    end = time.monotonic() + 10
    while server.active_channels and time.monotonic() < end:
        time.sleep(0.01)
    assert not server.active_channels


def test_a_client_that_hangs_up_while_its_page_is_made_costs_nothing(served: tuple[BaseWSGIServer, int], caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    server, port = served
    with caplog.at_level(logging.WARNING):
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        end = time.monotonic() + 10
        while server.active_channels and time.monotonic() < end:
            time.sleep(0.01)
    assert not server.active_channels
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    connection = http.client.HTTPConnection("127.0.0.1", port)
    sent(connection, b"goes on")
    connection.close()


def test_a_connection_that_rests_too_long_is_closed(served: tuple[BaseWSGIServer, int]) -> None:
    server, port = served
    server.adj.channel_timeout, server.adj.cleanup_interval, server.next_channel_cleanup = 0.1, 0.1, 0.0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        assert line.recv(1) == b""


def test_after_many_requests_a_connection_is_given_back(served: tuple[BaseWSGIServer, int], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    _, port = served
    monkeypatch.setattr(traffic, "REQUESTS_A_CONNECTION", 5)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    said = [sent(connection, b"page").getheader("Connection") for _ in range(5)]
    assert [word == "close" for word in said] == [False, False, False, False, True]
    sent(connection, b"by another one")
    connection.close()


@pytest.mark.parametrize(("rate", "most"), [(0.5, RETRY_SECONDS[1]), (40, 40), (1_000, LONGEST_RETRY)])
def test_the_more_are_refused_the_later_they_come_back(rate: float, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or those who come back would ask faster than anybody is answered. rate: refusals a second."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(threading.Thread, "start", lambda _: None)
    dispatcher, told = Dispatcher(lambda _: Refusal([], b""), lambda: None), []
    for _ in range(int(rate * 60)):
        now += 1 / rate
        told.append(dispatcher._pause())
    assert max(told) <= most + 1
    assert max(told) >= most - 1
    assert min(told) == RETRY_SECONDS[0]
