"""The server's clock set forward and back, by an hour, a day, ten days and over the change to winter time, between any two requests: nobody is sent away, order and answers stay, and no time is below nothing.

Control: the cookie as Flask signs it by itself is refused as soon as the clock was set back.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient

from tests.faults.crowd import answers_of, csrf_token_of, route, stored, typed
from tests.web.staff import PASSWORD
from wtp.settings import Settings
from wtp.store import Database, background_jobs, respondents, staff, studies, tables
from wtp.store.background_jobs import LEASE_SECONDS, QUEUED, RUNNING
from wtp.survey import Survey
from wtp.web import create_app, entry
from wtp.web.security import limiter

SURVEYS = Path(__file__).parents[2] / "surveys"
HOUR, DAY = 3_600, 86_400
WRONG = (0, 0, HOUR, -HOUR, DAY, -DAY, 10 * DAY, -10 * DAY)
AUTUMN = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()  # half an hour before clocks on the wall are set back


@dataclass
class Clock:
    """What the server believes the time to be."""

    true: float = AUTUMN
    wrong: int = 0
    moves: list[int] = field(default_factory=list)

    def jump(self, dice: random.Random, seconds: float = 3.0) -> None:
        """A few seconds pass, and perhaps somebody sets the clock."""
        before, self.wrong = self.wrong, dice.choice(WRONG)
        self.moves.append(self.wrong - before)
        self.true += seconds

    def time(self) -> float:
        return self.true + self.wrong

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    told = Clock()
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        patch.setattr(time, "time", told.time)
        patch.setattr(entry, "now", told.moment)
        yield told
    time.tzset()


@pytest.fixture
def app(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    made = create_app(Settings(instance=tmp_path / "instance", surveys=SURVEYS, database=database_url))
    with made.app_context():
        limiter.reset()
    yield made
    made.extensions["wtp_database"].engine.dispose()
    made.extensions["wtp_queue"].close()


def _interview(client: FlaskClient, clock: Clock, dice: random.Random) -> tuple[str, dict[str, dict[str, str]]]:
    """Answer everything while the clock jumps; returns the personal token and what was sent, by step."""
    token, sent = "", {}
    for step in route():
        page = client.get(f"/s/supplier/{step}", headers={"Accept-Language": "en"})
        assert page.status_code == 200, f"{step}: {page.status_code} {page.headers.get('Location')}"
        token = token or page.text.partition("/r/")[2].partition("<")[0].partition('"')[0]
        clock.jump(dice)
        shown = page.text.partition('name="shown" value="')[2].partition('"')[0] or page.text.partition('name="shown" type="hidden" value="')[2].partition('"')[0]  # fmt: skip
        sent[step] = answers_of(step, dice)
        data = sent[step] | {"csrf_token": csrf_token_of(page.data), "revision": "0", "shown": shown, "away": "86400"}
        reply = client.post(f"/s/supplier/{step}", data=data | {"away": str(dice.choice([0, 1, 999_999]))})
        assert reply.status_code == 303, f"{step}: {reply.status_code}"
        clock.jump(dice)
    assert reply.headers["Location"] == "/s/supplier/thanks"
    return token, sent


def test_interviews_end_whole_and_in_order_however_the_clock_is_set(
    app: Flask, clock: Clock, rounds: Callable[[int], int]
) -> None:
    dice, times, flagged = random.Random(1), rounds(100), 0
    database: Database = app.extensions["wtp_database"]
    for number in range(1, times + 1):
        token, sent = _interview(app.test_client(), clock, dice)
        with database.read() as connection:
            found = respondents.find(connection, "supplier", token)
            assert found is not None
            assert (found.number, found.outcome) == (number, "completed")
            kept = stored(connection, found.respondent_id)
            assert {step: kept.get(step, {}) for step in sent} == {step: typed(data) for step, data in sent.items()}
            flagged += "clock_set_back" in found.signs
    with database.read() as connection:
        for table in (tables.answer, tables.choice):
            taken = list(connection.execute(sa.select(table.c.seconds)).scalars())
            assert all(seconds is None or 0 <= seconds <= DAY for seconds in taken)
            assert None in taken, "a time that nobody knows is not told"
    back = sum(move < 0 for move in clock.moves)
    print(f"{times} interviews, clock set {sum(map(bool, clock.moves))} times, {back} times back, {flagged} flagged")
    assert flagged >= times / 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_flasks_own_cookie_is_refused_after_the_clock_was_set_back(app: Flask, clock: Clock) -> None:
    app.session_interface = SecureCookieSessionInterface()
    with pytest.raises(AssertionError, match=r"40[03]|303"):
        _interview(app.test_client(), clock, random.Random(1))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_staff_can_always_log_in_and_a_clock_set_back_ends_no_session(app: Flask, clock: Clock) -> None:
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "ada", PASSWORD, "analyst")
    app.config["WTF_CSRF_ENABLED"] = False
    for jump in (DAY, -DAY, HOUR, -HOUR, -400 * DAY, 400 * DAY):
        client = app.test_client()
        reply = client.post("/login", data={"name": "ada", "password": PASSWORD})
        assert reply.status_code == 303, "at any time"
        clock.true += jump
        status = client.get("/manage").status_code
        assert status == (200 if jump < 0 else 303), "who was away for longer than half an hour logs in again"


def test_a_clock_set_back_holds_no_job(database: Database, survey: Survey) -> None:
    """A worker dies, and the clock is a day behind its last beat: its job is free after one lease all the same. One that lives keeps it."""
    now = datetime(2026, 11, 1, tzinfo=UTC)
    with database.begin() as connection:
        studies.register(connection, survey)
        numbers = [
            background_jobs.start(
                connection, survey.slug, fingerprint=str(n), basis="", kind="analysis", request={}, definition_hash="",
                answers_hash="", respondents=1, answers_copy=b"", started_by="ada", now=now + timedelta(days=1),
            ).id
            for n in range(3)
        ]  # fmt: skip
        dead, alive, waiting = numbers
        for number, owner in ((dead, "dead"), (alive, "alive")):
            background_jobs.claim(connection, number, owner, now + timedelta(days=1))

        def overdue(seconds: float) -> list[int]:
            moment = now + timedelta(seconds=seconds)
            background_jobs.beat(connection, alive, "alive", moment)
            return list(background_jobs.overdue(connection, moment))

        assert overdue(0) == []
        assert overdue(LEASE_SECONDS / 2) == []
        assert overdue(LEASE_SECONDS + 1) == [dead, waiting]
        found = {number: background_jobs.get(connection, number) for number in numbers}
        assert [found[n].state for n in numbers] == [QUEUED, RUNNING, QUEUED]  # type: ignore[union-attr]
