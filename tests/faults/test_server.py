"""The shipped server: ends cleanly, replaces its dead, outlives slow clients, says why it does not start."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.faults.conftest import SURVEYS, Fork, Serving, Start
from wtp.errors import SettingsError
from wtp.settings import Settings
from wtp.web import free_port, serve


def _gone(server: Serving, workers: list[int]) -> bool:
    """Whether all these processes end within ten seconds."""
    for _ in range(200):
        if not any(Path(f"/proc/{pid}").exists() for pid in workers) and not server.port_is_open():
            return True
        time.sleep(0.05)
    return False


def test_a_dead_worker_is_replaced(fork: Fork) -> None:
    server = fork()
    before = server.workers()
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    for _ in range(100):
        if len(set(server.workers()) - set(before)) == 1:
            break
        time.sleep(0.05)
    assert len(server.workers()) == 2
    assert b"ok" in server.get("/readyz")


def test_the_command_ends_with_all_its_workers(start: Start) -> None:
    server = start()
    workers = [*server.workers(), *server.workers("wtp-jobs")]
    assert len(workers) == 3
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=20) == 0
    assert _gone(server, workers)


def test_control_c_ends_all_its_workers(fork: Fork) -> None:
    server = fork()
    workers = [*server.workers(), *server.workers("wtp-jobs")]
    assert len(workers) == 3
    os.kill(server.pid, signal.SIGINT)
    assert server.exit_code(20) == 0
    assert _gone(server, workers)


def test_workers_end_when_their_parent_is_killed(fork: Fork) -> None:
    server = fork()
    workers = [*server.workers(), *server.workers("wtp-jobs")]
    assert len(workers) == 3
    os.kill(server.pid, signal.SIGKILL)
    assert server.exit_code(20) == -signal.SIGKILL
    assert _gone(server, workers)


def test_slow_clients_keep_nobody_waiting(fork: Fork) -> None:
    server = fork()
    slow = []
    try:
        for number in range(224):
            slow.append(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            if number >= 24:
                slow[-1].sendall(b"POST /s/supplier/consent HTTP/1.1\r\nHost: x\r\nContent-Le")
        for _ in range(10):
            assert b"<h1>" in server.get("/s/supplier/consent", seconds=5)
    finally:
        for connection in slow:
            connection.close()


def test_a_worker_that_refuses_ends_the_server_in_words(start: Start, tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    instance.mkdir()
    (instance / "secret_key").write_bytes(b"short")
    server = start(ready=False)
    _, said = server.process.communicate(timeout=30)
    assert server.process.returncode == 1
    assert "at least 32" in said
    assert "Traceback" not in said


def test_a_taken_port(tmp_path: Path) -> None:
    settings = Settings(instance=tmp_path, surveys=SURVEYS)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port
        with pytest.raises(SettingsError, match=f"port {port}: in use"):
            serve(settings, "127.0.0.1", port, 1)
