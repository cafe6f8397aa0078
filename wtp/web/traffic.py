"""The connections of a process for pages: what happens when too many wait, and when the process ends.

Too many: a reply that comes too late helps nobody; people press again, proxies give up, and the work is done for nobody. So a request that no thread took up within `LONGEST_WAIT`
gets 503 with Retry-After, made beforehand: the respondent's browser keeps what was typed and sends it again by itself, programs read when to come back, and without script the page
tells to load it again. The usher, a thread of its own, does it, so it holds as well while all threads wait for a locked database. /healthz it lets through: a busy process is not dead.

The end: the process takes no new connection (the listening socket is shared, so the others do), answers what has begun, and closes each connection behind its last reply.
"""

from __future__ import annotations

import html
import json
import logging
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from flask import Flask, render_template
from flask_babel import lazy_gettext as _l
from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer
from waitress.task import ThreadedTaskDispatcher

from wtp.web import polling
from wtp.web.api.problems import PREFIX
from wtp.web.i18n import INTERFACE_LANGUAGES, preferred, spoken
from wtp.web.logs import ID_HEADER
from wtp.web.security import MAX_FORM, MAX_FORM_PARTS, MAX_UPLOAD

WORKERS = 3  # processes, for two processors: Python keeps each to one, and people are spread over them unevenly, so that one more leaves no processor idle
# Threads of a process, more of which only disturb one another: Python runs one at a time, and answers that are interleaved cost more and all come late. Whoever
# answers has threads of his own, so that a report that takes seconds keeps no respondent waiting.
FOR_RESPONDENTS, FOR_OTHERS = 2, 2
THREADS = FOR_RESPONDENTS + FOR_OTHERS
CONNECTIONS = 2_000  # slow and idle clients cost a file handle each, never a thread
LONGEST_WAIT = 0.8  # seconds until a request that no thread took up is refused
REQUESTS_A_CONNECTION = 50  # then the next one needs another, which the process takes that has more time
RETRY_SECONDS = (1, 5)  # between them by chance, so that those who were refused together do not come back together
LONGEST_RETRY = 60  # where so many are refused that those who come back would keep out everybody else
_LATELY = 10.0  # seconds
LONGEST_END = 30  # seconds for what has begun, such as a long export, when the process ends
_QUIET = 1.0  # seconds without a sign, after which an ending process closes a connection with nothing under way
_LOOK_SECONDS = 0.1
_LET_THROUGH = {"/healthz"}
_PLACE = b"<!-- what was sent -->"
_RESPONDENTS_AT = "/s/"
_TYPED_AT = (_RESPONDENTS_AT, "/contacts/")
_log = logging.getLogger("wtp.server")
_HEADING = _l("Very many people are here at the moment")
_SECONDS = "{s}"  # until who is refused may come back
_ADVICE = _l(
    "Nothing that you typed is lost. Load this page again in %(seconds)s s; if your browser asks whether to send it again, say yes.",
    seconds=_SECONDS,
)


class Refusal:
    """A reply of waitress to a request that was not taken up."""

    def __init__(self, headers: list[tuple[str, str]], body: bytes) -> None:
        self._headers, self._body = headers, body

    def to_response(self, _: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status, headers and body."""
        return "503 Service Unavailable", self._headers, self._body

    def until(self, seconds: int) -> Refusal:
        """The same with the time to wait."""
        body = self._body.replace(_SECONDS.encode(), str(seconds).encode(), 1)
        return Refusal([*self._headers, ("Retry-After", str(seconds))], body)

    def with_typed(self, inputs: bytes) -> Refusal:
        """The same with what somebody typed."""
        return Refusal(self._headers, self._body.replace(_PLACE, inputs, 1))


class Channel(HTTPChannel):  # type: ignore[misc]  # the library has no types
    """A connection that knows since when its request waits, and tells its client, after many requests or once the process ends, that the next one needs another."""

    waits_since = 0.0
    _answered = 0

    def __init__(self, server: BaseWSGIServer, *given: Any, **named: Any) -> None:
        super().__init__(server, *given, **named)
        server.watched.add(self._fileno)
        self.server = polling.Side(server, self)

    def writable(self) -> bool:
        """Whether the loop can send something now; while a thread answers it sends itself, and the library's loop would turn round and round until it has."""
        if self.requests and not self.will_close and self.total_outbufs_len < self.adj.outbuf_high_watermark:
            return False
        return bool(super().writable())

    def service(self) -> None:
        """Answer one request."""
        self._answered += 1
        if not self.server.accepting or self._answered >= REQUESTS_A_CONNECTION:
            self.requests[0].headers["CONNECTION"] = "close"
        super().service()


class Dispatcher:
    """Threads that answer, and the usher, who refuses those that wait too long. refused: told of each refusal."""

    def __init__(self, refusal: Callable[[HTTPRequestParser], Refusal], refused: Callable[[], None]) -> None:
        self._refusal, self._refused = refusal, refused
        self._lately: deque[float] = deque()
        self._respondents, self._others = self._lines = ThreadedTaskDispatcher(), ThreadedTaskDispatcher()
        self._respondents.set_thread_count(FOR_RESPONDENTS)
        self._others.set_thread_count(FOR_OTHERS)
        threading.Thread(target=self._usher, daemon=True).start()

    @property
    def is_behind(self) -> bool:
        """Whether somebody waits for a thread."""
        return any(line.queue for line in self._lines)

    def add_task(self, task: Channel) -> None:
        """A connection with a request waits for a thread."""
        task.waits_since = time.monotonic()
        request = task.requests[0]
        answers = request.error is None and request.path.startswith(_RESPONDENTS_AT)
        (self._respondents if answers else self._others).add_task(task)

    def shutdown(self) -> None:
        """End the threads, each after what it does."""
        for line in self._lines:
            line.shutdown()

    def _usher(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            for channel in self._late():
                request = channel.requests[0]
                if request.error is None and request.path not in _LET_THROUGH:
                    request.error = self._refusal(request).until(self._pause())
                    self._refused()
                try:
                    channel.service()
                except Exception:
                    _log.exception("a refusal could not be sent")

    def _pause(self) -> int:
        """Seconds until who is refused now may come back: the more were refused lately, the longer, or they would come back faster than they can be answered."""
        now = time.monotonic()
        self._lately.append(now)
        while self._lately[0] < now - _LATELY:
            self._lately.popleft()
        shortest, longest = RETRY_SECONDS
        return random.randint(shortest, min(max(longest, round(len(self._lately) / _LATELY)), LONGEST_RETRY))  # noqa: S311  # no secret

    def _late(self) -> list[Channel]:
        """Take those out of the queue that wait too long; they stand in it in the order in which they came."""
        late: list[Channel] = []
        for line in self._lines:
            with line.lock:
                while line.queue and line.queue[0].waits_since < time.monotonic() - LONGEST_WAIT:
                    late.append(line.queue.popleft())
        return late


def server_of(app: Flask, base_url: str, listener: socket.socket, refused: Callable[[], None]) -> BaseWSGIServer:
    """The server of one process; `polling.run` lets it work."""
    server = create_server(
        app,
        sockets=[listener],
        _dispatcher=Dispatcher(refusals_of(app, base_url), refused),
        threads=THREADS,
        connection_limit=CONNECTIONS,
        channel_timeout=60,
        max_request_body_size=MAX_UPLOAD + 1_000_000,  # the application refuses less with a page of its own
        asyncore_use_poll=True,
        # X-Forwarded-* is judged in one place, `security.protect`, with the number of proxies from the settings.
        clear_untrusted_proxy_headers=False,
        ident="wtp",
    )
    server.channel_class = Channel
    polling.prepare(server)
    return server


def finish(server: BaseWSGIServer) -> None:
    """Take no new connection, and return when nothing is under way any more."""
    server.accepting = False
    server.watched.add(server._fileno)
    server.pull_trigger()
    end = time.monotonic() + LONGEST_END
    time.sleep(_LOOK_SECONDS)
    while time.monotonic() < end and any(_is_busy(channel) for channel in list(server.active_channels.values())):
        time.sleep(_LOOK_SECONDS)


def _is_busy(channel: Channel) -> bool:
    under_way = channel.requests or channel.total_outbufs_len
    return bool(under_way) or time.time() - channel.last_activity < _QUIET


def refusals_of(app: Flask, base_url: str) -> Callable[[HTTPRequestParser], Refusal]:
    """What to answer to which request: a page in each language, with all the headers that pages have, and JSON for programs.

    Where people type, the page brings it back with a button that sends it again.
    """
    pages = {language: _page(app, base_url, language, "error.html") for language in INTERFACE_LANGUAGES}
    forms = {language: _page(app, base_url, language, "busy.html") for language in INTERFACE_LANGUAGES}
    with app.test_request_context():
        title = str(_HEADING)
    problem = {"type": f"{PREFIX}/#problem-busy", "title": title, "status": 503, "detail": "Try again later."}
    for_programs = Refusal([("Content-Type", "application/problem+json")], json.dumps(problem).encode() + b"\n")

    def choose(request: HTTPRequestParser) -> Refusal:
        if request.path.startswith(f"{PREFIX}/"):
            return for_programs
        language = preferred(request.headers.get("ACCEPT_LANGUAGE"), INTERFACE_LANGUAGES) or INTERFACE_LANGUAGES[0]
        typed = _typed(request) if request.path.startswith(_TYPED_AT) else b""
        return forms[language].with_typed(typed) if typed else pages[language]

    return choose


def _page(app: Flask, base_url: str, language: str, template: str) -> Refusal:
    with app.test_request_context(base_url=base_url), spoken(language):
        reply = app.process_response(app.make_response(render_template(template, heading=_HEADING, advice=_ADVICE)))
        own = {"Content-Length", "Set-Cookie", ID_HEADER}
        return Refusal([(name, value) for name, value in reply.headers if name not in own], reply.get_data())


def _typed(request: HTTPRequestParser) -> bytes:
    """The fields of a form that was sent, as hidden ones; none of what is no form, or more than one may send."""
    kind = request.headers.get("CONTENT_TYPE", "").partition(";")[0]
    if request.command != "POST" or kind != "application/x-www-form-urlencoded" or request.content_length > MAX_FORM:
        return b""
    try:
        fields = parse_qsl(request.get_body_stream().read().decode(), True, max_num_fields=MAX_FORM_PARTS)
    except ValueError:
        return b""
    inputs = (
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">' for name, value in fields
    )
    return "\n".join(inputs).encode()
