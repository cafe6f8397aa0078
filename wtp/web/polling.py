"""The loop that waits for what happens on the connections of a process.

The server library's own loop asks every connection before every wait what it waits for, so that each page costs more the more people are connected: a tenth of a
page's time with fifty, all of it with thousands who only read. Here the system remembers (Linux: epoll), and a turn looks at the connections to which something
happened, and at those of which a thread says that they wait for something else now (`Side`). Once a second all are looked at, for what only time brings about.

New connections stand before all processes at once. One whose threads all have work leaves them to the others for a moment, so that those with time take them.
"""

from __future__ import annotations

import select
import time
from typing import Any

from waitress.server import BaseWSGIServer
from waitress.wasyncore import readwrite

_READ = getattr(select, "EPOLLIN", 0) | getattr(select, "EPOLLPRI", 0)
_ALL_SECONDS = 1.0
_LEFT_TO_OTHERS = 0.02  # seconds for which a busy process leaves a new connection to those that have time; then all are busy, and for as long it takes what comes


class Side:
    """The server as one of its connections sees it: when a thread wakes the loop, the loop knows for which connection, and when that changes nothing, it sleeps on."""

    def __init__(self, server: BaseWSGIServer, channel: Any) -> None:
        self._server, self._channel = server, channel

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def pull_trigger(self) -> None:
        """Let the loop look at this connection."""
        fd = self._channel._fileno
        if self._server.asked.get(fd) == (self._channel, _READ) and self._channel.readable():
            return
        self._server.watched.add(fd)
        self._server.pull_trigger()


def run(server: BaseWSGIServer) -> None:
    """Serve until the server has nothing left to wait for. Where the system has no epoll, as the library does."""
    if hasattr(select, "epoll"):
        _Loop(server).run()
    else:
        server.run()


def prepare(server: BaseWSGIServer) -> None:
    """What the loop and the connections tell one another: `watched`, the numbers of those to look at, and `asked`, what the system was told to wait for."""
    server.watched = set()
    server.asked = {}


class _Loop:
    def __init__(self, server: BaseWSGIServer) -> None:
        self._server = server
        self._all: dict[int, Any] = server._map  # the library's own list of what it waits for
        self._poll = select.epoll()
        self._asked: dict[int, tuple[Any, int]] = server.asked
        self._open_from = 0.0  # when new connections are taken again

    def run(self) -> None:
        server, everything = self._server, self._all
        looked_at = 0.0
        watched: set[int] = server.watched
        while everything:
            if (now := time.monotonic()) - looked_at >= _ALL_SECONDS:
                looked_at = now
                watched.update(everything)
            closed_for = self._open_from - now
            if server._fileno not in self._asked and closed_for <= 0:
                watched.add(server._fileno)
            while watched:
                self._look(watched.pop())
            for fd, happened in self._poll.poll(closed_for if closed_for > 0 else _ALL_SECONDS):
                if (found := everything.get(fd)) is not None:
                    self._handle(fd, found, happened)
        self._poll.close()

    def _handle(self, fd: int, found: Any, happened: int) -> None:
        too_early = (
            happened & _READ and not found.readable()
        )  # more came before the first is answered; or no connection is wanted
        if too_early or (found is self._server and self._leaves_to_others()):
            self._look(fd)
        else:
            readwrite(found, happened)
            requests = getattr(found, "requests", None)
            if requests is not None and (not requests or found.writable()):
                self._look(fd)

    def _leaves_to_others(self) -> bool:
        if not self._server.task_dispatcher.is_behind or (now := time.monotonic()) < self._open_from + _LEFT_TO_OTHERS:
            return False
        self._open_from = now + _LEFT_TO_OTHERS
        return True

    def _look(self, fd: int) -> None:
        """Tell the system what this one waits for now."""
        found = self._all.get(fd)
        known, before = self._asked.pop(
            fd, (None, 0)
        )  # before the questions below: a thread that is done meanwhile says so
        if found is None:  # closed, and forgotten by the system with that
            return
        flags = _READ if found.readable() else 0
        if found is self._server and time.monotonic() < self._open_from:
            flags = 0
        if found.writable() and not found.accepting:
            flags |= select.EPOLLOUT
        self._tell(fd, before if known is found else 0, flags)
        if flags:
            self._asked[fd] = found, flags

    def _tell(self, fd: int, before: int, flags: int) -> None:
        if flags and before and flags != before:
            self._poll.modify(fd, flags)
        elif flags and not before:
            self._poll.register(fd, flags)
        elif before and not flags:
            self._poll.unregister(fd)
