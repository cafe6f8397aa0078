"""The server that ships: W worker processes with waitress on one listening socket, and a parent that replaces a dead one.

The parent holds no database and no application, so a worker can die at any moment and the next one starts clean. SIGTERM and SIGINT end
all of them; workers also end when their parent vanishes. A worker that refuses to start (a setting, a survey, the database) ends the server.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from types import FrameType

from waitress import create_server

from wtp.errors import SettingsError, WtpError
from wtp.settings import Settings
from wtp.web.app import create_app
from wtp.web.security import MAX_BODY

THREADS = 8
CONNECTIONS = 2_000  # slow and idle clients cost a file handle each, never a thread
_REFUSED = 3
_PORTS_TRIED = 100
_PAUSE_SECONDS = 0.5


def free_port(port: int, host: str = "127.0.0.1") -> int:
    """The port, or the next one that nobody listens on."""
    for candidate in range(port, port + _PORTS_TRIED):
        try:
            _listen(host, candidate).close()
        except SettingsError:
            continue
        return candidate
    raise SettingsError(f"ports {port} to {port + _PORTS_TRIED - 1}: all in use; allowed: a free one; name another.")


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until SIGTERM or SIGINT. Raises SettingsError if the port is taken or a worker refuses to start."""
    listener = _listen(host, port)
    lifeline, held = os.pipe()

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    running: dict[int, float] = {}
    try:
        while True:
            while len(running) < workers:
                pid = os.fork()
                if pid == 0:
                    os.close(held)
                    _work(settings, listener, lifeline)
                running[pid] = time.monotonic()
            pid, status = os.wait()
            begun = running.pop(pid)
            if os.waitstatus_to_exitcode(status) == _REFUSED:
                raise SettingsError(
                    "the server did not start; the reason is in the line above; mend it and start again."
                )
            if time.monotonic() - begun < _PAUSE_SECONDS:
                time.sleep(_PAUSE_SECONDS)  # one that dies at once must not be replaced in a frenzy
    except SystemExit:
        pass
    finally:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        for pid in running:
            with suppress(ProcessLookupError):  # one that a signal to the whole group has ended
                os.kill(pid, signal.SIGTERM)
        for pid in running:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
        listener.close()
        os.close(lifeline)
        os.close(held)


def _work(settings: Settings, listener: socket.socket, lifeline: int) -> None:
    """Life of a worker; never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent tells the workers
    try:
        app = create_app(settings)
    except WtpError as error:
        print(f"wtp: {error}", file=sys.stderr, flush=True)
        os._exit(_REFUSED)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    # X-Forwarded-* is judged in one place, `security.protect`, with the number of proxies from the settings.
    server = create_server(
        app,
        sockets=[listener],
        threads=THREADS,
        connection_limit=CONNECTIONS,
        channel_timeout=60,
        max_request_body_size=2 * MAX_BODY,  # the application refuses less with a page of its own
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=False,
        ident="wtp",
    )
    server.run()
    os._exit(0)


def _end_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)  # returns when the other end, which the parent alone holds, is closed
    os.kill(os.getpid(), signal.SIGTERM)


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
