"""Respondents who answer over real connections, and what must be true of their answers afterwards; a server that replies too early, for controls."""

from __future__ import annotations

import functools
import html
import http.client
import random
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import has_request_context

from tests.conftest import SURVEYS
from wtp.store import Database, open_database, respondents, tables
from wtp.survey import load_survey, steps

PATIENCE = 120  # seconds until somebody gives up
EARLY = 0.05  # seconds by which the careless server replies too early
_PAUSE, _LONGER = 0.02, 0.2  # seconds until it is tried again after no reply, and after a reply that asks for more time
Reply = tuple[int, http.client.HTTPMessage, bytes]


@dataclass(frozen=True)
class Sent:
    """A page that the server acknowledged, and whose it was."""

    token: str
    step: str
    data: dict[str, str]


@dataclass
class Crowd:
    """Client threads that answer interview after interview and note every page that the server acknowledged.

    They press the button again when there is no reply, or 503 with a time to wait and with what was typed. Every other reply is a fault.
    """

    port: int
    hands: int = 8
    pause: float = 0.0
    acknowledged: list[Sent] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    begun: int = 0
    unanswered: int = 0
    put_off: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """The crowd at work; at the end everybody comes to the end of the page."""
        threads = [threading.Thread(target=self._work, args=(seed,)) for seed in range(self.hands)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join()

    def gets_on(self, pages: int = 2) -> float:
        """Wait until so many more pages are acknowledged, or somebody met a fault; returns the seconds that it took."""
        began, before = time.monotonic(), len(self.acknowledged)
        while len(self.acknowledged) < before + pages and not self.faults:
            assert time.monotonic() < began + PATIENCE, "nothing is acknowledged any more"
            time.sleep(0.005)
        return time.monotonic() - began

    def _work(self, seed: int) -> None:
        dice = random.Random(seed)
        while not self.stopping.is_set():
            try:
                self._interview(dice)
            except Exception as error:  # a thread's errors would be lost
                self.faults.append(repr(error))
                return

    def _interview(self, dice: random.Random) -> None:
        status, headers, page = self.ask("GET", "/s/supplier/consent")
        cookie = (headers.get("Set-Cookie") or "").partition(";")[0]
        csrf_token = csrf_token_of(page)
        self.begun += 1
        token = ""
        for step in route():
            data = answers_of(step, dice)
            status, _, page = self.ask("POST", f"/s/supplier/{step}", form(data, csrf_token), cookie)
            if status != 303:
                raise AssertionError(f"{step}: {status} {page[:300]!r}")
            time.sleep(self.pause)
            if not token:
                _, _, page = self.ask("GET", "/s/supplier/profile", cookie=cookie)
                link = re.search(rb"/r/([\w-]+)", page)
                if link is None:
                    return  # a careless server lost the consent itself; there is nobody to ask about
                token = link[1].decode()
            self.acknowledged.append(Sent(token, step, data))
            if self.stopping.is_set():
                return

    def ask(self, method: str, path: str, body: str = "", cookie: str = "") -> Reply:
        """Ask until there is a reply that settles the matter."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                status, headers, page = once(self.port, method, path, body, cookie)
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
                time.sleep(_PAUSE)
            else:
                if status != 503:
                    return status, headers, page
                self._check_put_off(headers, body, page)
                self.put_off += 1
                time.sleep(_LONGER)
        raise TimeoutError(f"{method} {path}")

    def _check_put_off(self, headers: http.client.HTTPMessage, body: str, page: bytes) -> None:
        """A sentence, a time to wait, and everything that was typed."""
        text = html.unescape(page.decode())
        kept = set(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text))
        typed = {(name, value) for name, value in fields(body) if name != "csrf_token"}
        if not (headers.get("Retry-After", "").isdecimal() and "<h1>" in text and typed <= kept):
            raise AssertionError(f"503 without time to wait, sentence or typed text: {headers} {text[:500]}")


def once(port: int, method: str, path: str, body: str = "", cookie: str = "") -> Reply:
    """One request on a connection of its own."""
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded", "Accept-Language": "en"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body or None, headers)
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()
    finally:
        connection.close()


def csrf_token_of(page: bytes) -> str:
    """What a form needs to be taken."""
    found = re.search(rb'name="csrf_token" value="([^"]+)"', page)
    assert found is not None, page[:300]
    return found[1].decode()


def form(data: dict[str, str], csrf_token: str) -> str:
    """The body of a page that is sent for the first time."""
    return urlencode(data | {"csrf_token": csrf_token, "revision": "0"})


def fields(body: str) -> list[tuple[str, str]]:
    """Names and values of a body; nothing in these is escaped."""
    return [(name, value) for name, _, value in (part.partition("=") for part in body.split("&")) if name]


@functools.cache
def route() -> tuple[str, ...]:
    """The steps of the supplier study that are answered."""
    return tuple(step.id for step in steps(load_survey(SURVEYS / "supplier").definition))[:-1]


def answers_of(step: str, dice: random.Random) -> dict[str, str]:
    """Somebody's answers to a step, as its form sends them."""
    if step == "consent":
        return {"agree": "yes"}
    if step.startswith("choice"):
        return {"chosen": str(dice.randint(1, 3)), "buys": dice.choice(["yes", "no"])}
    if step == "profile":
        problem, size = dice.choice(["downtime", "cost", "growth"]), dice.choice(["to_9", "to_49"])
        return {"q-core_problem": problem, "q-employees": size}
    if step == "prices":
        first = dice.randint(1, 10_000)
        names = ("too_cheap", "cheap", "expensive", "too_expensive")
        return {f"q-price_sense-{name}": str(first + i) for i, name in enumerate(names)}
    if step == "importance":
        items = ("range", "speed", "price", "financing", "competence", "brand", "design")
        return {f"q-importance-{item}": str(dice.randint(1, 7)) for item in items}
    return {}


def lost_and_doubled(crowd: Crowd, database_url: str) -> tuple[list[str], int]:
    """Acknowledged pages that are not kept exactly as they were sent, and rows or people that are there twice."""
    lost: list[str] = []
    people: dict[str, dict[str, Any]] = {}
    with open_database(database_url) as database, database.read() as connection:
        if database.engine.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        for sent in list(crowd.acknowledged):
            if sent.token not in people:
                interview = respondents.find(connection, "supplier", sent.token)
                people[sent.token] = stored(connection, interview.respondent_id) if interview else {}
            if people[sent.token].get(sent.step) != typed(sent.data):
                lost.append(f"{sent.token} {sent.step}")
        doubled = 0
        for table in (tables.answer, tables.choice):
            later = sa.select(sa.func.count()).select_from(table).where(table.c.revision > 1)
            doubled += connection.execute(later).scalar_one()
        everybody = connection.execute(sa.select(sa.func.count()).select_from(tables.respondent)).scalar_one()
    return lost, doubled + max(0, everybody - crowd.begun)


def stored(connection: sa.Connection, respondent_id: int) -> dict[str, Any]:
    """Everything that is kept of one respondent, by step, as a form would send it."""
    a, c = tables.answer.c, tables.choice.c
    answers = connection.execute(sa.select(a.page, a.content).where(a.respondent_id == respondent_id))
    kept: dict[str, Any] = {row.page: {k: v for k, v in row.content.items() if v is not None} for row in answers}
    kept["consent"] = {"agree": "yes"}
    choices = connection.execute(sa.select(c.choice_order, c.chosen, c.buys).where(c.respondent_id == respondent_id))
    for row in choices:
        kept[f"choice-{row.choice_order}"] = {"chosen": str(row.chosen), "buys": "yes" if row.buys else "no"}
    return kept


def typed(values: dict[str, str]) -> dict[str, Any]:
    """A form's fields as the store keeps them."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        parts = name.removeprefix("q-").split("-")
        if not name.startswith("q-"):
            kept[name] = value
        elif len(parts) == 1:
            kept[parts[0]] = value
        else:
            kept.setdefault(parts[0], {})[parts[1]] = float(value)
    return kept


def reply_before_commit() -> None:
    """Make the server careless: what it is sent is committed only after the reply, or never. For controls, which must find losses."""
    durable = Database.begin

    @contextmanager
    def begin(self: Database) -> Iterator[sa.Connection]:
        if not has_request_context():
            with durable(self) as connection:
                yield connection
            return
        within = durable(self)
        connection = within.__enter__()
        try:
            yield connection
        except BaseException:
            if not within.__exit__(*sys.exc_info()):
                raise

        def commit() -> None:
            try:
                within.__exit__(None, None, None)
            except Exception as error:
                print(f"careless: {error}", flush=True)

        threading.Timer(EARLY, commit).start()

    Database.begin = begin  # type: ignore[method-assign]


def nobody_is_served(crowd: Crowd) -> None:
    """Wait until somebody was put off."""
    before, end = crowd.put_off, time.monotonic() + PATIENCE
    while crowd.put_off <= before and not crowd.faults:
        assert time.monotonic() < end, "nobody hears that nothing can be saved"
        time.sleep(0.005)


def judge(crowd: Crowd, database_url: str, what: str) -> None:
    lost, doubled = lost_and_doubled(crowd, database_url)
    print(
        f"{what}, {len(crowd.acknowledged)} acknowledged, {len(lost)} lost, {doubled} doubled, {crowd.put_off} put off"
    )
    assert crowd.faults == []
    assert crowd.unanswered == 0
    assert lost == []
    assert doubled == 0
