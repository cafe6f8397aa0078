"""Killing worker processes at random moments loses no answer that was acknowledged, and doubles none.

Control: the same test against an application that replies before it commits must find losses, or the test could not see any.
"""

from __future__ import annotations

import http.client
import os
import random
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from tests.faults.conftest import SURVEYS, Server, Start
from wtp.store import open_database, respondents, tables
from wtp.survey import load_survey, steps

THREADS = 8
PATIENCE = 200

CARELESS = """
import sys, threading
from contextlib import contextmanager
from wtp.settings import load_settings
from wtp.store import Database
from wtp.web import serve

durable = Database.begin

@contextmanager
def begin(self):
    from flask import has_request_context
    if not has_request_context():
        with durable(self) as connection:
            yield connection
        return
    connection = self.engine.connect()
    transaction = connection.begin()
    yield connection
    def commit():
        transaction.commit()
        connection.close()
    threading.Timer(0.03, commit).start()

Database.begin = begin
serve(load_settings(), "127.0.0.1", int(sys.argv[1]), int(sys.argv[2]))
"""


@dataclass
class Crowd:
    """Client threads that answer interview after interview and note every answer that the server acknowledged."""

    port: int
    pause: float
    acknowledged: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def answering(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._work, args=(seed,)) for seed in range(THREADS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join()

    def _work(self, seed: int) -> None:
        dice = random.Random(seed)
        while not self.stopping.is_set():
            try:
                self._interview(dice)
            except Exception as error:  # a thread's errors would be lost
                self.faults.append(repr(error))
                return

    def _interview(self, dice: random.Random) -> None:
        reply, page = self._request("GET", "/s/supplier/consent", "")
        cookie = (reply.getheader("Set-Cookie") or "").partition(";")[0]
        found = re.search(rb'name="csrf_token" value="([^"]+)"', page)
        assert found is not None
        token = ""
        for step in _route():
            data = _answers(step, dice)
            body = urlencode(data | {"csrf_token": found[1].decode(), "revision": "0"})
            reply, page = self._request("POST", f"/s/supplier/{step}", body, cookie)
            if reply.status != 303:
                raise AssertionError(f"{step}: {reply.status} {page[:300]!r}")
            if not token:
                _, page = self._request("GET", "/s/supplier/profile", "", cookie)
                link = re.search(rb"/r/([\w-]+)", page)
                if link is None:
                    return  # the control lost the consent itself; there is nobody to ask about
                token = link[1].decode()
            self.acknowledged.append((token, step, data))
            time.sleep(self.pause)
            if self.stopping.is_set():
                return

    def _request(self, method: str, path: str, body: str, cookie: str = "") -> tuple[http.client.HTTPResponse, bytes]:
        """Ask until there is a reply, as a person who presses the button again."""
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded", "Accept-Language": "en"}
        for _ in range(PATIENCE):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.request(method, path, body or None, headers)
                reply = connection.getresponse()
                return reply, reply.read()
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
            finally:
                connection.close()
        raise TimeoutError(f"{method} {path}")


def _route() -> list[str]:
    return [step.id for step in steps(load_survey(SURVEYS / "supplier").definition)][:-1]


def _answers(step: str, dice: random.Random) -> dict[str, str]:
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


def _kill(server: Server, crowd: Crowd, kills: int) -> None:
    """Kill a random worker again and again, each time after the crowd has got on, however slow the machine is."""
    dice = random.Random(1)
    for _ in range(kills):
        time.sleep(dice.uniform(0.2, 0.5))
        before = len(crowd.acknowledged)
        while len(crowd.acknowledged) < before + 2 and not crowd.faults:
            time.sleep(0.01)
        while not (workers := server.workers()):
            time.sleep(0.01)
        os.kill(dice.choice(workers), signal.SIGKILL)


def _stored(connection: sa.Connection, respondent_id: int) -> dict[str, Any]:
    """Everything that is kept of one respondent, by step, as a form would send it."""
    a, c = tables.answer.c, tables.choice.c
    answers = connection.execute(sa.select(a.page, a.content).where(a.respondent_id == respondent_id))
    kept: dict[str, Any] = {row.page: {k: v for k, v in row.content.items() if v is not None} for row in answers}
    kept["consent"] = {"agree": "yes"}
    choices = connection.execute(sa.select(c.choice_order, c.chosen, c.buys).where(c.respondent_id == respondent_id))
    for row in choices:
        kept[f"choice-{row.choice_order}"] = {"chosen": str(row.chosen), "buys": "yes" if row.buys else "no"}
    return kept


def _typed(values: dict[str, str]) -> dict[str, Any]:
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


def _lost_and_doubled(crowd: Crowd, server: Server) -> tuple[list[str], int]:
    """Acknowledged answers that are not kept as they were sent, and rows that were written twice."""
    lost: list[str] = []
    people: dict[str, dict[str, Any]] = {}
    with open_database(f"sqlite:///{server.instance / 'wtp.sqlite'}") as database, database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        for token, step, data in crowd.acknowledged:
            if token not in people:
                interview = respondents.find(connection, "supplier", token)
                people[token] = _stored(connection, interview.respondent_id) if interview else {}
            if people[token].get(step) != _typed(data):
                lost.append(f"{token} {step}")
        doubled = 0
        for table in (tables.answer, tables.choice):
            later = sa.select(sa.func.count()).select_from(table).where(table.c.revision > 1)
            doubled += connection.execute(later).scalar_one()
    return lost, doubled


@pytest.mark.slow
def test_fifty_killed_workers_lose_and_double_nothing(start: Start) -> None:
    server = start(workers=3)
    crowd = Crowd(server.port, pause=0)
    with crowd.answering():
        _kill(server, crowd, 50)
    lost, doubled = _lost_and_doubled(crowd, server)
    assert crowd.faults == []
    assert len(crowd.acknowledged) > 100
    print(f"{len(crowd.acknowledged)} acknowledged, {len(lost)} lost, {doubled} doubled")
    assert lost == []
    assert doubled == 0


@pytest.mark.slow
def test_a_reply_before_the_commit_is_found_out(start: Start) -> None:
    server = start(workers=3, code=CARELESS)
    crowd = Crowd(server.port, pause=0.05)
    with crowd.answering():
        _kill(server, crowd, 12)
    lost, _ = _lost_and_doubled(crowd, server)
    print(f"{len(crowd.acknowledged)} acknowledged, {len(lost)} lost", crowd.faults[:3])
    assert lost
