"""The server behind `wtp serve`: waitress in several processes that share one listening socket, and a parent that replaces the dead.

Waitress reads and writes in one asynchronous loop and hands only whole requests to its threads, so slow or idle clients keep no worker
busy. A worker that is killed takes no answer with it that was acknowledged, since each was committed before its reply.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from multiprocessing.process import BaseProcess
from types import FrameType

import waitress

from wtp.errors import SettingsError
from wtp.settings import Settings
from wtp.web.app import create_app

_THREADS = 8
_CONNECTIONS = 2_000
_BACKLOG = 1_024
_CHECK_SECONDS = 0.05
_PORTS_TRIED = 100
log = logging.getLogger("wtp")


def free_port(first: int, host: str = "127.0.0.1") -> int:
    """The first free port from `first` on."""
    for port in range(first, first + _PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise SettingsError(
        f"ports {first} to {first + _PORTS_TRIED - 1} are taken; allowed: a free port; choose another --port."
    )


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until SIGINT or SIGTERM. Raises SettingsError if the address cannot be used."""
    listener = _listen(host, port)
    create_app(settings)  # a mistake in settings or surveys stops here, once, not in every worker
    spawn = multiprocessing.get_context("spawn")
    stopping = False

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, stop)

    def start() -> BaseProcess:
        process = spawn.Process(target=_work, args=(settings, listener, os.getpid()), daemon=True)
        process.start()
        return process

    crew = [start() for _ in range(workers)]
    while not stopping:
        time.sleep(_CHECK_SECONDS)
        for place, worker in enumerate(crew):
            if not worker.is_alive() and not stopping:
                log.warning("worker %s ended (%s); a new one starts", worker.pid, worker.exitcode)
                crew[place] = start()
    for worker in crew:
        worker.terminate()
    for worker in crew:
        worker.join(timeout=5)
    listener.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise SettingsError(
            f"{host}:{port}: {error}; allowed: a free port from 1024; choose another --host or --port."
        ) from error
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _work(settings: Settings, listener: socket.socket, parent: int) -> None:
    """One worker: ends by SIGTERM, and with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    server = waitress.create_server(
        create_app(settings),
        sockets=[listener],
        threads=_THREADS,
        connection_limit=_CONNECTIONS,
        channel_timeout=60,
        max_request_body_size=2_000_000,
        clear_untrusted_proxy_headers=not settings.proxies,
        ident="wtp",
    )
    server.run()


def _end_with(parent: int) -> None:
    """A worker whose parent was killed would keep the port for ever."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)
