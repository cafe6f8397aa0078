"""SIGHUP loads program and settings anew: under load no request fails, and a start that would fail changes nothing.

Control: the same crowd notices a worker that is killed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import Fork, Serving
from tests.faults.crowd import Crowd, lost_and_doubled

_PATIENCE = 240  # seconds; the program starts twice, for the rehearsal and in earnest


def until(condition: Callable[[], object]) -> None:
    """Wait for something that must happen."""
    end = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def reload(server: Serving, wait: bool = True) -> None:
    """Load all anew, and wait until every process is a new one."""
    before = {*server.workers(), *server.workers("wtp-jobs")}
    assert len(before) == 3
    os.kill(server.pid, signal.SIGHUP)

    def replaced() -> bool:
        now = [*server.workers(), *server.workers("wtp-jobs")]
        return len(now) == 3 and not before & {*now}

    if wait:
        until(replaced)


@pytest.mark.slow
def test_no_request_fails_while_all_is_loaded_anew_and_wrong_settings_change_nothing(
    fork: Fork, rounds: Callable[[int], int]
) -> None:
    server = fork(workers=2)
    settings = server.instance / "settings.toml"
    assert b'<html lang="en">' in server.get("/login")
    settings.write_text('staff_language = "de"\n', encoding="utf-8")
    crowd = Crowd(server.port, pause=0.1)  # or the new processes wait for it more than it for them
    with crowd.answering():
        for _ in range(rounds(10)):
            reload(server)
            crowd.gets_on(10)
    lost, doubled = lost_and_doubled(crowd, server.database_url)
    # A machine without a free processor may put somebody off for a moment; that is a reply, and no broken connection.
    print(f"{len(crowd.acknowledged)} acknowledged, {crowd.put_off} put off")
    assert (crowd.faults, crowd.unanswered, lost, doubled) == ([], 0, [], 0)
    assert b'<html lang="de">' in server.get("/login")
    settings.write_text('staff_language = "en"\nnonsense = 1\n', encoding="utf-8")
    before = server.workers()
    reload(server, wait=False)
    until(lambda: "failed; all goes on as it was" in server.said())
    assert sorted(server.workers()) == sorted(before)
    assert b'<html lang="de">' in server.get("/login")
    workers = [*server.workers(), *server.workers("wtp-jobs")]
    os.kill(server.pid, signal.SIGTERM)
    assert server.exit_code(20) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


@pytest.mark.slow
def test_the_crowd_would_notice(fork: Fork) -> None:
    server = fork(workers=1)
    crowd = Crowd(server.port)
    with crowd.answering():
        while not crowd.unanswered:
            crowd.gets_on()
            until(server.workers)
            os.kill(server.workers()[0], signal.SIGKILL)
