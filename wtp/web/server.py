"""The server that ships: W worker processes with waitress on one listening socket, others that make background analyses, and a parent that replaces dead ones.

The parent holds no database and no application, so a worker can die at any moment and the next one starts clean. SIGTERM and SIGINT end all of them; workers also end when their
parent vanishes. A worker that refuses to start (a setting, a survey, the database) ends the server; one that takes the place of another waits for a database that is away.

SIGHUP loads program and settings anew without a failed request: the parent first lets a new process rehearse the start, then becomes the new program (exec) with the listening socket
and the old workers in its hands, and replaces them one by one, each when its successor is ready; each finishes what it began. A start that fails leaves all as it was. From a terminal
SIGHUP means that the terminal is gone, and ends the server as ever.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import logging
import math
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from waitress.server import BaseWSGIServer

from wtp.disk import space
from wtp.errors import SettingsError, StoreError, WtpError
from wtp.jobs import name_process, work
from wtp.settings import Settings
from wtp.web import logs, metrics, polling
from wtp.web.app import create_app, place_of
from wtp.web.traffic import finish, server_of

_REFUSED = 3
_PORTS_TRIED = 100
_PAUSE_SECONDS = 0.5
_READY_SECONDS = 120
_LOOK_SECONDS = 60  # between two looks at the disk
_WARN_SECONDS = 3600
_FLUSH_SECONDS = 0.1
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP}
_HANDED_OVER, _REHEARSAL = "WTP_HANDED_OVER", "WTP_REHEARSAL"
_Life = Callable[[Settings, socket.socket, int, int, bool], None]
_log = logging.getLogger("wtp.server")


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
    if _REHEARSAL in os.environ:  # of the parent that is about to load this program anew
        create_app(settings)
        return
    parent = _Parent(settings, workers, analysts)
    if _HANDED_OVER in os.environ:
        parent.take_over(json.loads(os.environ.pop(_HANDED_OVER)))
    else:
        parent.listener = _listen(host, port)
        metrics.make_folder(f"{settings.instance} {port}")
    logs.begin(settings.log)
    ends_with_terminal = (sys.stdin and sys.stdin.isatty()) or signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    asked = _SIGNALS - ({signal.SIGHUP} if ends_with_terminal else set())
    # Signals wait until they are asked for: a handler that raises could do so anywhere, even in a worker just begun.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, asked)
    try:
        parent.run(asked)
    finally:
        parent.end()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass
class _Parent:
    """Whose children are what: `pages` and `analysts` by process id with the time they began, `old` those of the program before with what they do, `ending` those told to end."""

    settings: Settings
    workers: int
    most_analysts: int
    listener: socket.socket = field(init=False)
    pages: dict[int, float] = field(default_factory=dict)
    analysts: dict[int, float] = field(default_factory=dict)
    old: dict[int, _Life] = field(default_factory=dict)
    ending: set[int] = field(default_factory=set)
    held_before: list[int] = field(default_factory=list)
    stays_old: bool = False
    begun: int = 0
    warned: float = -math.inf

    def __post_init__(self) -> None:
        self.lifeline, self.held = os.pipe()

    def run(self, signals: set[signal.Signals]) -> None:
        """Keep everybody alive until it is time to end."""
        while True:
            if not self.stays_old:
                self._replace_old()
            for life, among, most in self._kinds():
                while len(among) + sum(each is life for each in self.old.values()) < most:
                    os.close(self._begin(life, among))
            received = signal.sigtimedwait(signals, _LOOK_SECONDS)
            if received is None:
                self._look_at_disk()
            elif received.si_signo == signal.SIGCHLD:
                self._bury()
            elif received.si_signo == signal.SIGHUP:
                self._become_anew()
            else:
                return

    def end(self) -> None:
        """End all children, each after what it has begun."""
        for pid in self._everybody():
            os.kill(pid, signal.SIGTERM)
        for pid in self._everybody():
            os.waitpid(pid, 0)
        self.listener.close()
        metrics.remove_folder()
        for handle in (self.lifeline, self.held, *self.held_before):
            os.close(handle)

    def take_over(self, handed: dict[str, list[int]]) -> None:
        """What the program before left: the socket, its workers, and the pipes by which they see that somebody holds them."""
        self.listener = socket.socket(fileno=handed["listener"][0])
        self.held_before = handed["held"]
        for handle in (self.listener.fileno(), *self.held_before):
            os.set_inheritable(handle, False)
        self.old.update(dict.fromkeys(handed["pages"], _work))
        self.old.update(dict.fromkeys(handed["analysts"], _analyse))
        self.ending = set(handed["ending"])
        self.begun = self.workers + self.most_analysts

    def _kinds(self) -> tuple[tuple[_Life, dict[int, float], int], ...]:
        return (_work, self.pages, self.workers), (_analyse, self.analysts, self.most_analysts)

    def _everybody(self) -> list[int]:
        return [*self.pages, *self.analysts, *self.old, *self.ending]

    def _begin(self, life: _Life, among: dict[int, float]) -> int:
        """Start a child; returns the file handle through which it says that it is ready."""
        said, says = os.pipe()
        if (pid := os.fork()) == 0:
            for handle in (said, self.held, *self.held_before):
                os.close(handle)
            life(self.settings, self.listener, self.lifeline, says, self.begun >= self.workers + self.most_analysts)
        os.close(says)
        self.begun += 1
        among[pid] = time.monotonic()
        return said

    def _replace_old(self) -> None:
        """One successor after the other; as soon as it is ready, one of the old ends. If it does not get ready, the old go on."""
        for life, among, most in self._kinds():
            for pid in [pid for pid, each in self.old.items() if each is life]:
                if len(among) < most and not _is_ready(self._begin(life, among)):
                    self.stays_old = True
                    _log.error("a new worker did not get ready; the old ones go on; mend it and send SIGHUP again")
                    return
                del self.old[pid]
                self.ending.add(pid)
                os.kill(pid, signal.SIGTERM)

    def _bury(self) -> None:
        """Forget the children that have ended, since one SIGCHLD can stand for several. Raises SettingsError if one refused to start and nobody else goes on."""
        refused = False
        for pid in self._everybody():
            done, status = os.waitpid(pid, os.WNOHANG)
            if not done:
                continue
            code = os.waitstatus_to_exitcode(status)
            refused = refused or code == _REFUSED
            if pid not in self.ending:
                _log.error("a worker ended: %s", f"signal {-code}" if code < 0 else f"exit status {code}")
            metrics.forget(pid)
            begun = self.pages.pop(pid, None) or self.analysts.pop(pid, None)
            self.old.pop(pid, None)
            self.ending.discard(pid)
            if begun and time.monotonic() - begun < _PAUSE_SECONDS:
                time.sleep(_PAUSE_SECONDS)  # one that dies at once must not be replaced in a frenzy
        if not self.old and not self.ending:
            while self.held_before:
                os.close(self.held_before.pop())
        if refused and not self.old:
            raise SettingsError("the server did not start; the reason is in the line above; mend it and start again.")

    def _look_at_disk(self) -> None:
        here = space(self.settings.instance)
        if here.is_low and time.monotonic() - self.warned > _WARN_SECONDS:
            _log.warning("the disk is filling up: %s; free space before answers have to be refused", here.words)
            self.warned = time.monotonic()

    def _become_anew(self) -> None:
        """Load program and settings anew, if a rehearsal of the start goes well."""
        command = [sys.executable, *sys.orig_argv[1:]]
        try:
            subprocess.run(command, env={**os.environ, _REHEARSAL: "yes"}, check=True, timeout=_READY_SECONDS)  # noqa: S603  # our own
        except (OSError, subprocess.SubprocessError):  # it said why
            _log.error("SIGHUP: the start was rehearsed and failed; all goes on as it was")
            return
        _log.warning("SIGHUP: program and settings are loaded anew")
        handed = {
            "listener": [self.listener.fileno()],
            "held": [self.held, *self.held_before],
            "pages": [*self.pages, *(pid for pid, life in self.old.items() if life is _work)],
            "analysts": [*self.analysts, *(pid for pid, life in self.old.items() if life is _analyse)],
            "ending": [*self.ending],
        }
        for handle in handed["listener"] + handed["held"]:
            os.set_inheritable(handle, True)
        os.execve(sys.executable, command, {**os.environ, _HANDED_OVER: json.dumps(handed)})  # noqa: S606  # our own


def _is_ready(said: int) -> bool:
    """Whether a child says so in time; one that dies closes the handle without a word."""
    try:
        return bool(select.select([said], [], [], _READY_SECONDS)[0]) and bool(os.read(said, 1))
    finally:
        os.close(said)


def _say_ready(says: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it
        os.write(says, b".")
    os.close(says)


def _work(settings: Settings, listener: socket.socket, lifeline: int, says: int, replaces: bool) -> None:
    """Life of a worker; never returns, so that nothing of the parent runs twice."""
    try:
        name_process("wtp-web")
        threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
        # A line for every request that waits helps nobody, and whoever does not read the log would stop the server by it.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        metrics.share()
        app = create_app(settings)
        gc.collect()
        gc.freeze()  # what stays is not looked through again and again: that was a tenth of a page's time
        server = server_of(app, settings.base_url, listener, metrics.of(app).refused.inc)
        threading.Thread(target=_end_with_signal, args=(server,), daemon=True).start()
        _say_ready(says)
        polling.run(server)
    except WtpError as error:
        _refuse(error, replaces)
    except BaseException:
        _log.critical("a worker ended by an error", exc_info=True)
        os._exit(1)
    os._exit(0)


def _analyse(settings: Settings, listener: socket.socket, lifeline: int, says: int, replaces: bool) -> None:
    """Life of the worker that makes background analyses; never returns either."""
    try:
        listener.close()
        _say_ready(says)
        work(place_of(settings), lifeline)
    except WtpError as error:
        _refuse(error, replaces)
    except BaseException:
        _log.critical("a worker ended by an error", exc_info=True)
        os._exit(1)
    os._exit(0)


def _refuse(error: WtpError, replaces: bool) -> None:
    _log.critical("%s", error)
    os._exit(1 if replaces and isinstance(error, StoreError) else _REFUSED)


def _end_with_signal(server: BaseWSGIServer) -> None:
    """On SIGTERM finish what has begun, then end; Ctrl-C reaches the whole group, but the parent decides."""
    while signal.sigwait(_SIGNALS) != signal.SIGTERM:
        pass
    finish(server)
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
