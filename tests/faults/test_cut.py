"""Connections that are cut in mid-request: half a page is never kept, a page sent again gets the reply that was not read, and is kept once.

Control: a store that takes every page for a new one doubles it.
"""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from tests.faults.conftest import Fork, Serving
from tests.faults.crowd import (
    Crowd,
    Sent,
    answers_of,
    csrf_token_of,
    form,
    lost_and_doubled,
    once,
    route,
)
from wtp.store import answers, open_database, tables

HEADERS, HALF, UNREAD = "after the headers", "in half the body", "before the reply was read"
_MOST = 40


def _cut(port: int, path: str, body: str, cookie: str, where: str, *, hard: bool) -> None:
    """Send a part of a request, or all of it, and go; hard: without saying goodbye, as a phone in a tunnel."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\nAccept-Language: en\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    sent = {HEADERS: "", HALF: body[: len(body) // 2], UNREAD: body}[where]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall((head + sent).encode())
        if hard:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _rows(database_url: str) -> int:
    with open_database(database_url) as database, database.read() as connection:
        counts = (
            sa.select(sa.func.count()).select_from(table) for table in (tables.respondent, tables.answer, tables.choice)
        )
        return sum(connection.execute(count).scalar_one() for count in counts)


def _play(serving: Serving, database_url: str, times: int) -> tuple[Crowd, dict[str, int]]:
    """So many pages, each cut once and then sent again."""
    crowd, dice, cuts = Crowd(serving.port), random.Random(1), dict.fromkeys((HEADERS, HALF, UNREAD), 0)
    while sum(cuts.values()) < times:
        _, headers, page = once(serving.port, "GET", "/s/supplier/consent")
        cookie, csrf_token, token = (headers.get("Set-Cookie") or "").partition(";")[0], csrf_token_of(page), ""
        crowd.begun += 1
        for step in route():
            path, data = f"/s/supplier/{step}", answers_of(step, dice)
            body, where = form(data, csrf_token), dice.choice(list(cuts))
            before = _rows(database_url) if where != UNREAD else 0
            _cut(serving.port, path, body, cookie, where, hard=dice.random() < 0.5)
            cuts[where] += 1
            if where != UNREAD:
                time.sleep(0.02)
                assert _rows(database_url) == before, f"cut {where}, and something was kept"
            elif dice.random() < 0.5:
                time.sleep(dice.uniform(0.0, 0.1))
            status, found, page = crowd.ask("POST", path, body, cookie)
            again = crowd.ask("POST", path, body, cookie)
            assert (status, found["Location"]) == (303, again[1]["Location"]), page[:300]
            if not token:
                _, _, page = once(serving.port, "GET", "/s/supplier/profile", cookie=cookie)
                token = page.partition(b"/r/")[2].partition(b"<")[0].partition(b'"')[0].decode()
            crowd.acknowledged.append(Sent(token, step, data))
    return crowd, cuts


def test_cut_connections_lose_and_double_nothing(fork: Fork, database_url: str, rounds: Callable[[int], int]) -> None:
    crowd, cuts = _play(fork(analysts=0, database=database_url), database_url, rounds(100))
    lost, doubled = lost_and_doubled(crowd, database_url)
    print(f"cuts {cuts}, {len(crowd.acknowledged)} acknowledged, {len(lost)} lost, {doubled} doubled")
    assert min(cuts.values()) > 0
    assert lost == []
    assert doubled == 0
    assert crowd.unanswered == crowd.put_off == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_store_that_takes_every_page_for_a_new_one_is_found_out(fork: Fork, database_url: str) -> None:
    def change() -> None:
        write = answers._next_revision
        answers._as_text = lambda _: random.random()  # type: ignore[assignment, return-value]
        answers._next_revision = lambda connection, standing, table, row, current, sent: write(  # type: ignore[assignment]
            connection, standing, table, row, current, replace(sent, revision=current)
        )

    crowd, _ = _play(fork(analysts=0, database=database_url, change=change), database_url, 10)
    _, doubled = lost_and_doubled(crowd, database_url)
    assert doubled
