"""The server that ships: W worker processes with waitress on one listening socket, one that makes background analyses, and a parent that replaces a dead one.

The parent holds no database and no application, so a worker can die at any moment and the next one starts clean. SIGTERM and SIGINT end
all of them; workers also end when their parent vanishes. A worker that refuses to start (a setting, a survey, the database) ends the server.
"""

from __future__ import annotations

import errno
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback

from waitress import create_server
from waitress.server import BaseWSGIServer

from wtp.errors import SettingsError, WtpError
from wtp.jobs import name_process, work
from wtp.settings import Settings
from wtp.web.app import create_app, place_of
from wtp.web.security import MAX_UPLOAD

THREADS = 8
CONNECTIONS = 2_000  # slow and idle clients cost a file handle each, never a thread
_REFUSED = 3
_PORTS_TRIED = 100
_PAUSE_SECONDS = 0.5
_LAST_SECONDS = 5
_FLUSH_SECONDS = 0.1
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}


def free_port(port: int, host: str = "127.0.0.1") -> int:
    """The port, or the next one that nobody listens on."""
    for candidate in range(port, port + _PORTS_TRIED):
        try:
            _listen(host, candidate).close()
        except SettingsError:
            continue
        return candidate
    raise SettingsError(f"ports {port} to {port + _PORTS_TRIED - 1}: all in use; allowed: a free one; name another.")


def serve(settings: Settings, host: str, port: int, workers: int, analysts: int = 1) -> None:
    """Serve until SIGTERM or SIGINT. analysts: processes that make background analyses, one analysis at a time each. Raises SettingsError if the port is taken or a worker refuses to start."""
    listener = _listen(host, port)
    lifeline, held = os.pipe()
    # Signals wait until they are asked for: a handler that raises could do so anywhere, even in a worker just begun.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    running: dict[int, float] = {}
    analysing: set[int] = set()
    try:
        while True:
            while len(running) < workers + analysts:
                live = _analyse if len(analysing & running.keys()) < analysts else _work
                if (pid := os.fork()) == 0:
                    os.close(held)
                    live(settings, listener, lifeline)
                running[pid] = time.monotonic()
                analysing |= {pid} if live is _analyse else set()
            if signal.sigwait(_SIGNALS) != signal.SIGCHLD:
                return
            for pid in _ended(running):
                if time.monotonic() - running.pop(pid) < _PAUSE_SECONDS:
                    time.sleep(_PAUSE_SECONDS)  # one that dies at once must not be replaced in a frenzy
    finally:
        for pid in running:
            os.kill(pid, signal.SIGTERM)
        for pid in running:
            os.waitpid(pid, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        listener.close()
        os.close(lifeline)
        os.close(held)


def _ended(running: dict[int, float]) -> list[int]:
    """The workers that have ended, since one SIGCHLD can stand for several. Raises SettingsError if one refused to start."""
    ended, refused = [], False
    for pid in running:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            ended.append(pid)
            refused = refused or os.waitstatus_to_exitcode(status) == _REFUSED
    if refused:
        for pid in ended:
            del running[pid]
        raise SettingsError("the server did not start; the reason is in the line above; mend it and start again.")
    return ended


def _work(settings: Settings, listener: socket.socket, lifeline: int) -> None:
    """Life of a worker; never returns, so that nothing of the parent runs twice."""
    try:
        name_process("wtp-web")
        threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
        # A line for every request that waits helps nobody, and whoever does not read the log would stop the server by it.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        app = create_app(settings)
        gc.collect()
        gc.freeze()  # what stays is not looked through again and again: that was a tenth of a page's time
        server = create_server(
            app,
            sockets=[listener],
            threads=THREADS,
            connection_limit=CONNECTIONS,
            channel_timeout=60,
            max_request_body_size=MAX_UPLOAD + 1_000_000,  # the application refuses less with a page of its own
            asyncore_use_poll=True,
            # X-Forwarded-* is judged in one place, `security.protect`, with the number of proxies from the settings.
            clear_untrusted_proxy_headers=False,
            ident="wtp",
        )
        threading.Thread(target=_end_with_signal, args=(server,), daemon=True).start()
        server.run()
    except WtpError as error:
        print(f"wtp: {error}", file=sys.stderr, flush=True)
        os._exit(_REFUSED)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _analyse(settings: Settings, listener: socket.socket, lifeline: int) -> None:
    """Life of the worker that makes background analyses; never returns either."""
    try:
        listener.close()
        work(place_of(settings), lifeline)
    except SettingsError as error:
        print(f"wtp: {error}", file=sys.stderr, flush=True)
        os._exit(_REFUSED)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _end_with_signal(server: BaseWSGIServer) -> None:
    """On SIGTERM finish what has begun, then end; Ctrl-C reaches the whole group, but the parent decides."""
    while signal.sigwait(_SIGNALS) != signal.SIGTERM:
        pass
    server.task_dispatcher.shutdown(cancel_pending=False, timeout=_LAST_SECONDS)
    time.sleep(_FLUSH_SECONDS)
    os._exit(0)


def _end_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)  # returns when the other end, which the parent alone holds, is closed
    os._exit(0)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1024)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "in use" if taken else error.strerror
        raise SettingsError(
            f"{host}, port {port}: {reason}; allowed: a free port of this machine; name another."
        ) from error
    listener.setblocking(False)
    return listener
