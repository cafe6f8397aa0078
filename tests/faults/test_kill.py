"""Killing worker processes at random moments loses no answer that was acknowledged, and doubles none.

Control: the same test against an application that replies before it commits must find losses, or the test could not see any.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable

import pytest

from tests.faults.conftest import Fork, Serving
from tests.faults.crowd import EARLY, Crowd, lost_and_doubled, reply_before_commit

_MOST = 20  # kills until the control must have found a loss


def _kill(serving: Serving, crowd: Crowd, dice: random.Random) -> None:
    """Kill a random worker at a random moment, after the crowd has got on, however slow the machine is."""
    crowd.gets_on()
    time.sleep(dice.uniform(0.0, 0.3))
    while True:
        with contextlib.suppress(IndexError, ProcessLookupError):  # none is there, or the one of before is just going
            return os.kill(dice.choice(serving.workers()), signal.SIGKILL)
        time.sleep(0.005)


@pytest.mark.slow
def test_workers_killed_at_any_moment_lose_and_double_nothing(
    fork: Fork, database_url: str, rounds: Callable[[int], int], dice: random.Random
) -> None:
    serving, kills = fork(workers=3, analysts=0, database=database_url), rounds(100)
    crowd = Crowd(serving.port)
    with crowd.answering():
        for _ in range(kills):
            _kill(serving, crowd, dice)
    lost, doubled = lost_and_doubled(crowd, database_url)
    print(f"{kills} kills, {len(crowd.acknowledged)} acknowledged, {len(lost)} lost, {doubled} doubled, {crowd.unanswered} unanswered")  # fmt: skip
    assert crowd.faults == []
    assert len(crowd.acknowledged) >= 2 * kills
    assert crowd.unanswered > 0, "no request was cut off by a kill"
    assert lost == []
    assert doubled == 0


def test_a_reply_before_the_commit_is_found_out(fork: Fork) -> None:
    serving = fork(workers=3, analysts=0, change=reply_before_commit)
    crowd, dice = Crowd(serving.port, pause=2 * EARLY), random.Random(1)
    lost: list[str] = []
    with crowd.answering():
        for _ in range(_MOST):
            _kill(serving, crowd, dice)
            time.sleep(2 * EARLY)  # until what is not lost is there
            lost, _ = lost_and_doubled(crowd, serving.database_url)
            if lost:
                break
    print(f"{len(crowd.acknowledged)} acknowledged, {len(lost)} lost", crowd.faults[:3])
    assert lost
