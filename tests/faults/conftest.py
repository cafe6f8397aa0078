"""The shipped server: by its command as a process of its own, or forked from the tests, which saves the seconds that its imports take; on an instance of its own."""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from wtp.errors import WtpError
from wtp.settings import load_settings
from wtp.web import free_port, serve

SURVEYS = Path(__file__).parents[2] / "surveys"
WTP = Path(sys.executable).parent / "wtp"
_PATIENCE = 60
_FORK = multiprocessing.get_context("fork")
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG


@dataclass(frozen=True)
class Serving:
    """A running server: the id of its parent process, its port, its instance folder."""

    pid: int
    port: int
    instance: Path

    @property
    def database_url(self) -> str:
        """Of the database that it uses unless another one is set."""
        return f"sqlite:///{self.instance / 'wtp.sqlite'}"

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
                if int(parent) == self.pid and state != "Z" and f"({name})" in stat:
                    found.append(int(entry.name))
        return found

    def get(self, path: str, seconds: float = 10) -> bytes:
        """Body of a page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=seconds) as reply:
            body: bytes = reply.read()
            return body

    def said(self) -> str:
        """What a forked one wrote."""
        return (self.instance / "server.log").read_text(encoding="utf-8")

    def is_ready(self) -> bool:
        """Whether it could keep an answer now."""
        try:
            self.get("/readyz")
        except OSError:
            return False
        return True

    def port_is_open(self) -> bool:
        """Whether somebody still listens."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@dataclass(frozen=True)
class Server(Serving):
    """One that was started by its command."""

    process: subprocess.Popen[str]

    def wait_until_ready(self) -> None:
        """Until it answers; a server that ended says why."""
        for _ in range(20 * _PATIENCE):
            if self.process.poll() is not None:
                raise RuntimeError(self.process.communicate()[1])
            if self.is_ready():
                return
            time.sleep(0.05)
        raise TimeoutError("the server does not answer")


@dataclass(frozen=True)
class Forked(Serving):
    """One that was forked from the tests; SIGHUP makes the shipped command of it."""

    process: BaseProcess

    def exit_code(self, seconds: float) -> int | None:
        """How it ended within this time; None if it goes on."""
        end = time.monotonic() + seconds
        while self.process.exitcode is None and time.monotonic() < end:
            time.sleep(0.02)
        return self.process.exitcode


Start = Callable[..., Server]
Fork = Callable[..., Forked]


def _instance(tmp_path: Path, database: str) -> Path:
    instance = tmp_path / "instance"
    instance.mkdir(exist_ok=True)
    if database:
        (instance / "settings.toml").write_text(f"database = {json.dumps(database)}\n", encoding="utf-8")
    return instance


def _port() -> int:
    return free_port(18_000 + os.getpid() % 10_000)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server: by the command, or by the code that is given."""
    running: list[Server] = []

    def starts(
        *, workers: int = 2, code: str | None = None, ready: bool = True, surveys: Path = SURVEYS, database: str = ""
    ) -> Server:
        instance, port = _instance(tmp_path, database), _port()
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
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509  # the tests may be run by nohup
        )
        server = Server(process.pid, port, instance, process)
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


@pytest.fixture
def fork(tmp_path: Path) -> Iterator[Fork]:
    """Start what `wtp serve` starts, after a change of the code if there is one; it writes into server.log of its instance."""
    running: list[BaseProcess] = []

    def forks(
        *,
        workers: int = 2,
        analysts: int = 1,
        database: str = "",
        surveys: Path = SURVEYS,
        change: Callable[[], None] | None = None,
    ) -> Forked:
        instance, port = _instance(tmp_path, database), _port()
        process = _FORK.Process(target=_live, args=(instance, surveys, port, workers, analysts, change))
        with (
            warnings.catch_warnings()
        ):  # of threads of the tests, which are not there in the fork and hold no lock that it needs
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        running.append(process)
        assert process.pid is not None
        serving = Forked(process.pid, port, instance, process)
        end = time.monotonic() + _PATIENCE
        while not serving.is_ready():
            if not process.is_alive() or time.monotonic() > end:
                raise RuntimeError(_said(instance))
            time.sleep(0.02)
        return serving

    yield forks
    for process in running:
        process.terminate()
        process.join(20)
        process.kill()


def _said(instance: Path) -> str:
    log = instance / "server.log"
    return log.read_text(encoding="utf-8")[-5000:] if log.exists() else "the server does not answer"


def _live(
    instance: Path, surveys: Path, port: int, workers: int, analysts: int, change: Callable[[], None] | None
) -> None:
    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGTERM)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(instance / "server.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = sys.stderr = os.fdopen(log, "w", buffering=1, encoding="utf-8")  # those of the tests are captured
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may be run by nohup
    os.environ.update(WTP_INSTANCE=str(instance), WTP_SURVEYS=str(surveys))
    sys.orig_argv[:] = [sys.executable, str(WTP), "serve", "--port", str(port), "--workers", str(workers), "--analysts", str(analysts)]  # fmt: skip
    if change is not None:
        change()
    try:
        serve(load_settings(instance, surveys=surveys), "127.0.0.1", port, workers, analysts)
    except WtpError as error:
        print(f"wtp: {error}", flush=True)
        os._exit(1)
