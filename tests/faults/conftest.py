"""The shipped server as a process of its own, on an instance of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from wtp.web import free_port

SURVEYS = Path(__file__).parents[2] / "surveys"
WTP = Path(sys.executable).parent / "wtp"


@dataclass(frozen=True)
class Server:
    """A running server: its process, its port, its instance folder."""

    process: subprocess.Popen[str]
    port: int
    instance: Path

    def workers(self, name: str = "wtp-web") -> list[int]:
        """Ids of the worker processes of a kind that live now: those for pages, or wtp-jobs."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    stat = (entry / "stat").read_text()
                    state, parent = stat.rpartition(")")[2].split()[:2]
                except OSError:
                    continue
                if int(parent) == self.process.pid and state != "Z" and f"({name})" in stat:
                    found.append(int(entry.name))
        return found

    def get(self, path: str, seconds: float = 10) -> bytes:
        """Body of a page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=seconds) as reply:
            body: bytes = reply.read()
            return body

    def wait_until_ready(self) -> None:
        """Until it answers; a server that ended says why."""
        for _ in range(1200):
            if self.process.poll() is not None:
                raise RuntimeError(self.process.communicate()[1])
            try:
                self.get("/readyz")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("the server does not answer")

    def port_is_open(self) -> bool:
        """Whether somebody still listens."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server: by the command, or by the code that is given."""
    running: list[Server] = []

    def starts(
        *, workers: int = 2, code: str | None = None, ready: bool = True, surveys: Path = SURVEYS, database: str = ""
    ) -> Server:
        instance = tmp_path / "instance"
        if database:
            instance.mkdir(exist_ok=True)
            (instance / "settings.toml").write_text(f"database = {json.dumps(database)}\n", encoding="utf-8")
        port = free_port(18_000 + os.getpid() % 10_000)
        command = [str(WTP), "serve", "--port", str(port), "--workers", str(workers)]
        if code is not None:
            command = [sys.executable, "-c", code, str(port), str(workers)]
        process = subprocess.Popen(
            command,
            env={**os.environ, "WTP_INSTANCE": str(instance), "WTP_SURVEYS": str(surveys)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        server = Server(process, port, instance)
        running.append(server)
        if ready:
            server.wait_until_ready()
        return server

    yield starts
    for server in running:
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGTERM)
        try:
            server.process.communicate(timeout=20)
        finally:
            server.process.kill()
