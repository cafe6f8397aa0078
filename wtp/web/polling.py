"""The loop that waits for what happens on the connections of a process.

The server library's own loop asks every connection before every wait what it waits for, so that each page costs more the more people are connected: a tenth of a
page's time with fifty, all of it with thousands who only read. Here the system remembers (Linux: epoll), and a turn looks at the connections to which something
happened, and at those with a request or a reply under way, which threads change meanwhile. Once a second all are looked at, for what only time brings about.
"""

from __future__ import annotations

import select
import time
from typing import Any

from waitress.server import BaseWSGIServer
from waitress.wasyncore import readwrite

_ALL_SECONDS = 1.0
_LEFT_TO_OTHERS = 0.02  # seconds for which a process with requests that wait leaves new connections to those that have time; then all are busy
_LOOK_AGAIN = 0.01


def run(server: BaseWSGIServer) -> None:
    """Serve until the server has nothing left to wait for; `server.watched` takes the number of each new connection. Where the system has no epoll, as the library does."""
    if hasattr(select, "epoll"):
        _Loop(server).run()
    else:
        server.run()


class _Loop:
    def __init__(self, server: BaseWSGIServer) -> None:
        self._server = server
        self._all: dict[int, Any] = server._map  # the library's own list of what it waits for
        self._poll = select.epoll()
        self._asked: dict[int, tuple[Any, int]] = {}  # what the system was told to wait for
        self._takes_new = True

    def run(self) -> None:
        server, everything = self._server, self._all
        looked_at = had_time_at = 0.0
        watched: set[int] = server.watched
        while everything:
            if (now := time.monotonic()) - looked_at >= _ALL_SECONDS:
                looked_at = now
                watched.update(everything)
            if not (busy := bool(server.task_dispatcher.queue)):
                had_time_at = now
            self._takes_new = not busy or now - had_time_at > _LEFT_TO_OTHERS
            watched.add(server._fileno)
            for fd in list(watched):
                if not self._look(fd):
                    watched.discard(fd)
            for fd, happened in self._poll.poll(_ALL_SECONDS if self._takes_new else _LOOK_AGAIN):
                if (found := everything.get(fd)) is not None:
                    watched.add(fd)
                    readwrite(found, happened)
        self._poll.close()

    def _look(self, fd: int) -> bool:
        """Tell the system what this one waits for now; whether a thread may change that."""
        found = self._all.get(fd)
        known, before = self._asked.pop(fd, (None, 0))
        if found is None:  # closed, and forgotten by the system with that
            return False
        busy = bool(
            getattr(found, "requests", None)
        )  # asked first: what a thread does to a connection is done when its request is taken away
        flags = (select.EPOLLIN | select.EPOLLPRI) if found.readable() else 0
        if found is self._server and not self._takes_new:
            flags = 0
        if found.writable() and not found.accepting:
            flags |= select.EPOLLOUT
        self._tell(fd, before if known is found else 0, flags)
        if flags:
            self._asked[fd] = found, flags
        return busy or bool(flags & select.EPOLLOUT)

    def _tell(self, fd: int, before: int, flags: int) -> None:
        if flags and before and flags != before:
            self._poll.modify(fd, flags)
        elif flags and not before:
            self._poll.register(fd, flags)
        elif before and not flags:
            self._poll.unregister(fd)
