"""Whole surveys answered over raw connections, cheaply enough to share the processor with the server that is measured.

Each respondent reads a page, fills its form as it stands, sends it and opens the page that it is led to: that is one submission. Submissions arrive
at a rate of their own, whether the server keeps up or not, and each counts from the moment when it was to begin (no coordinated omission). Without a
rate as many hands as there are connections answer as fast as they are served. Nothing here knows a survey: the forms say what they want.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode, urlsplit

_FIELD = re.compile(r"<(input|textarea|select)\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_OPTION = re.compile(r'<option value="([^"]+)"')
_LINK = re.compile(r"/r/([\w-]{20,})")
_REDIRECTS = {301, 302, 303, 307, 308}
_IDLE = 20.0
_BUSY = 503


@dataclass(slots=True)
class Reply:
    """What came back: status, headers by lower-case name, body; `cookies` are name=value."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes


class Connection(asyncio.Protocol):
    """One connection that is kept alive; one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.used = time.monotonic()
        self._buffer = bytearray()
        self._waiting: asyncio.Future[Reply] | None = None
        self._head: tuple[int, dict[str, str], list[str], int] | None = None

    @property
    def alive(self) -> bool:
        """Whether it can be used again."""
        return self.transport is not None and not self.transport.is_closing() and time.monotonic() - self.used < _IDLE

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, request: bytes) -> asyncio.Future[Reply]:
        """Send a request; the reply comes with the future."""
        assert self.transport is not None
        assert self._waiting is None or self._waiting.done()
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._head = self._read_head(bytes(self._buffer[:end]).decode("latin-1"))
            del self._buffer[: end + 4]
        status, headers, cookies, length = self._head
        if length < 0:  # chunked: whole when the last chunk is there
            if not self._buffer.endswith(b"0\r\n\r\n"):
                return
            body = _unchunked(bytes(self._buffer))
        elif len(self._buffer) < length:
            return
        else:
            body = bytes(self._buffer[:length])
        self._buffer.clear()
        self._head = None
        self.used = time.monotonic()
        if headers.get("connection", "").lower() == "close" and self.transport is not None:
            self.transport.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Reply(status, headers, cookies, body))

    def _read_head(self, text: str) -> tuple[int, dict[str, str], list[str], int]:
        first, *lines = text.split("\r\n")
        headers, cookies = {}, []
        for line in lines:
            name, _, value = line.partition(": ")
            if name.lower() == "set-cookie":
                cookies.append(value.partition(";")[0])
            else:
                headers[name.lower()] = value
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        return int(first.split(" ", 2)[1]), headers, cookies, -1 if chunked else int(headers.get("content-length", 0))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError("the server closed the connection"))


def _unchunked(data: bytes) -> bytes:
    parts, place = [], 0
    while True:
        end = data.index(b"\r\n", place)
        size = int(data[place:end].split(b";")[0], 16)
        if not size:
            return b"".join(parts)
        parts.append(data[end + 2 : end + 2 + size])
        place = end + 4 + size


@dataclass(slots=True)
class Respondent:
    """Somebody on the way: cookies, the page that is open, what to send from it, and what the server said it has."""

    start: str
    cookies: dict[str, str] = field(default_factory=dict)
    path: str = ""
    body: bytes = b""
    form: dict[str, str] = field(default_factory=dict)
    token: str = ""
    acknowledged: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent: tuple[str, dict[str, str]] | None = None
    done: bool = False


@dataclass(slots=True)
class Run:
    """What was measured: seconds a submission took from when it was planned, in the order of their ends; whatever went wrong, counted; who answered."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    busy: int = 0
    respondents: list[Respondent] = field(default_factory=list)
    bytes_received: int = 0
    requests: int = 0

    def quantile(self, share: float) -> float:
        """Seconds within which this share of the submissions ended."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    @property
    def rate(self) -> float:
        """Submissions a second that ended."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0


class Crowd:
    """Respondents of one server. `starts` gives the address at which the next one begins; `again` sends what a busy server (503) refused until it is taken."""

    def __init__(self, port: int, starts: list[str], *, end: str, seed: int, again: bool = False) -> None:
        self._port = port
        self._starts = starts
        self._end = end
        self._chance = random.Random(seed)
        self._again = again
        self._free: deque[Connection] = deque()
        self._idle: list[Respondent] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._host = f"Host: 127.0.0.1:{port}\r\nAccept-Language: en\r\n"
        self.run = Run()

    async def gather(self, people: int, hands: int = 8, *, within: int = 1) -> None:
        """Let so many begin and send pages, so that each has a form open, of the first so many by chance."""
        missing = people - len(self._idle)

        async def begin_some() -> None:
            nonlocal missing
            while missing > 0:
                missing -= 1
                if await self._begin():
                    person = self._idle.pop()
                    for _ in range(self._chance.randrange(within)):
                        await self._submit(person)
                    self._idle.append(person)

        await asyncio.gather(*(begin_some() for _ in range(hands)))

    async def arrive(self, rate: float, seconds: float) -> Run:
        """Submissions at random moments, on average so many a second, for so long; then wait for those that are under way."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        planned = begun
        while planned - begun < seconds:
            planned += self._chance.expovariate(rate)
            if (pause := planned - loop.time()) > 0:
                await asyncio.sleep(pause)
            self._spawn(self._planned(planned))
        self.run.seconds += loop.time() - begun
        while self._tasks:
            await asyncio.gather(*self._tasks)
        return self.run

    async def keep_busy(self, hands: int, seconds: float) -> Run:
        """As many submissions as so many hands get through."""
        loop = asyncio.get_running_loop()
        begun = loop.time()

        async def work() -> None:
            while (now := loop.time()) - begun < seconds:
                await self._planned(now)

        await asyncio.gather(*(work() for _ in range(hands)))
        self.run.seconds += loop.time() - begun
        while self._tasks:
            await asyncio.gather(*self._tasks)
        return self.run

    async def whole(self) -> None:
        """One interview from its first page to its last."""
        if await self._begin():
            person = self.run.respondents[-1]
            self._idle.remove(person)
            while not person.done:
                await self._submit(person)

    def close(self) -> None:
        """Close what is open."""
        for connection in self._free:
            if connection.transport is not None:
                connection.transport.close()

    def _spawn(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _planned(self, planned: float) -> None:
        while not self._idle:
            if not await self._begin():
                await asyncio.sleep(0.1)
        place = self._chance.randrange(len(self._idle))
        person, self._idle[place] = self._idle[place], self._idle[-1]
        self._idle.pop()
        try:
            taken = await self._submit(person)
        except (OSError, ValueError) as error:
            self.run.errors[f"{type(error).__name__}: {error}"] += 1
            return
        self.run.latencies.append(asyncio.get_running_loop().time() - planned)
        if taken and not person.done:
            self._idle.append(person)
        elif person.done:
            self._spawn(self._begin())

    async def _begin(self) -> bool:
        """Somebody new with a first form open, last in the list of respondents."""
        if not self._starts:
            raise RuntimeError("nobody is left to begin")
        start = self._starts[0] if len(self._starts) == 1 else self._starts.pop()
        person = Respondent(start)
        try:
            reply = await self._patiently(person, "GET", start)
            await self._follow(person, start, reply)
        except (OSError, ValueError) as error:
            self.run.errors[f"begin: {type(error).__name__}: {error}"] += 1
            return False
        self.run.respondents.append(person)
        self._idle.append(person)
        return True

    async def _submit(self, person: Respondent) -> bool:
        """POST the form and open the next page; whether the server has it."""
        path, person.sent = person.path, (person.path.rpartition("/")[2], person.form)
        reply = await self._patiently(person, "POST", path, person.body)
        if reply.status not in _REDIRECTS:
            raise ValueError(f"{reply.status} for {path.rpartition('/')[2]}")
        person.acknowledged.append(person.sent)
        person.sent = None
        await self._follow(person, path, reply)
        return True

    async def _follow(self, person: Respondent, path: str, reply: Reply) -> None:
        while reply.status in _REDIRECTS:
            parts = urlsplit(reply.headers["location"])
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            reply = await self._patiently(person, "GET", path)
        if reply.status != 200:
            raise ValueError(f"{reply.status} for a page")
        person.path = path
        page = reply.body.decode()
        if not person.token and (link := _LINK.search(page)):
            person.token = link[1]
        person.form = filled(page, self._chance)
        person.body = urlencode(person.form).encode()
        person.done = self._end in path

    async def _patiently(self, person: Respondent, method: str, path: str, body: bytes = b"") -> Reply:
        """As a browser's script asks: a server that is busy again, when it says so."""
        while (reply := await self._ask(person, method, path, body)).status == _BUSY and self._again:
            self.run.busy += 1
            await asyncio.sleep(float(reply.headers.get("retry-after", 1)))
        return reply

    async def _connection(self) -> Connection:
        while self._free:
            if (connection := self._free.popleft()).alive:  # each in turn, or one process would have most of them
                return connection
        _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self._port)
        return connection

    async def _ask(self, person: Respondent, method: str, path: str, body: bytes = b"") -> Reply:
        cookie = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
        head = f"{method} {path} HTTP/1.1\r\n{self._host}" + (f"Cookie: {cookie}\r\n" if cookie else "")
        if method == "POST":
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        connection = await self._connection()
        reply = await connection.ask(head.encode("latin-1") + b"\r\n" + body)
        self._free.append(connection)
        for cookie in reply.cookies:
            name, _, value = cookie.partition("=")
            person.cookies[name] = value
        self.run.requests += 1
        self.run.bytes_received += len(reply.body)
        return reply


def filled(page: str, chance: random.Random) -> dict[str, str]:
    """The page's form as somebody sends it who answers by chance: one button of each group, prices that rise, a word where words are wanted."""
    data: dict[str, str] = {}
    buttons: dict[str, list[str]] = {}
    price = 70 + chance.randrange(10)
    for match in _FIELD.finditer(page):
        found = dict(_ATTRIBUTE.findall(match[2]))
        name, kind = found.get("name"), found.get("type", match[1])
        if name is None or kind == "submit":
            continue
        if kind == "radio":
            buttons.setdefault(name, []).append(found["value"])
        elif kind == "hidden" or found.get("tabindex") == "-1":
            data[name] = unescape(found.get("value", ""))
        elif kind == "checkbox":
            data.setdefault(name, found.get("value", "on"))
        elif kind == "select":
            options = _OPTION.findall(page, match.end(), page.index("</select>", match.end()))
            data[name] = chance.choice(options)
        elif kind == "number" or "inputmode" in found:
            price += 5 + chance.randrange(20)
            data[name] = str(price)
        else:
            data[name] = "a word"
    return data | {name: unescape(chance.choice(values)) for name, values in buttons.items()}
