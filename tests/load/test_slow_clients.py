"""Clients that send nothing, half a head, half a body, or never read: the others' next pages come all the same. A server with one thread is the control that must fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import plotly
import pytest

from tests.faults.conftest import Fork, Serving, Start

PATIENCE = 20.0
ASKED = 10
HEAD = b"GET /s/supplier HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: en\r\n"
BODY = b"POST /s/supplier/consent HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nagree="
LARGE = f"GET /plotly-{plotly.__version__}.min.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()  # nearly 5 MB
KINDS = {"idle": (24, b""), "half a head": (200, HEAD), "half a body": (200, BODY), "never read": (100, LARGE)}
ONE_THREAD = """
import os, sys
from pathlib import Path
from wsgiref.simple_server import make_server
from wtp.settings import Settings
from wtp.web import create_app
app = create_app(Settings(instance=Path(os.environ["WTP_INSTANCE"]), surveys=Path(os.environ["WTP_SURVEYS"])))
make_server("127.0.0.1", int(sys.argv[1]), app).serve_forever()
"""


@contextmanager
def slow_clients(server: Serving, number: int, sent: bytes) -> Iterator[None]:
    with ExitStack() as opened:
        for _ in range(number):
            client = opened.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.settimeout(PATIENCE)
            client.connect(("127.0.0.1", server.port))
            client.sendall(sent)
            if sent == LARGE:
                client.recv(1, socket.MSG_PEEK)  # the reply is on its way, and stays there
        yield


def failures(server: Serving, seconds: float) -> int:
    """How many of ten pages did not come in time."""
    failed = 0
    for _ in range(ASKED):
        try:
            assert b"<form" in server.get("/s/supplier", seconds)
        except OSError:
            failed += 1
    return failed


@pytest.mark.slow
def test_slow_clients_hold_nobody_up(fork: Fork) -> None:
    server = fork(workers=2)
    found = {}
    for kind, (number, sent) in KINDS.items():
        with slow_clients(server, number, sent):
            found[kind] = failures(server, PATIENCE)
    assert found == dict.fromkeys(KINDS, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["half a head", *(pytest.param(kind, marks=pytest.mark.release) for kind in ("idle", "half a body"))]
)
def test_a_server_with_one_thread_is_held_up(start: Start, kind: str) -> None:
    server = start(code=ONE_THREAD)
    with slow_clients(server, 1, KINDS[kind][1]):
        assert failures(server, 0.5) == ASKED
