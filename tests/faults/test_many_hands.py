"""Many who do the same thing at the same moment: one page, one place of a quota.

Controls: looking first and writing afterwards overfills a quota; without the row's lock and the key's word the page fails.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from tests.faults.conftest import Fork, Serving
from tests.faults.crowd import Reply, answers_of, csrf_token_of, form, once, route
from tests.store.conftest import together
from wtp.store import Database, answers, open_database, progress, quotas, respondents, studies, tables
from wtp.survey import Survey
from wtp.survey.pages import Quota

HANDS, EACH, LIMIT, WINDOWS = 16, 25, 100, 50
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
WORDS = {"en": "Enough", "de": "Genug"}
QUOTA = Quota.model_validate(
    {
        "id": "full",
        "label": WORDS,
        "title": WORDS,
        "text": WORDS,
        "limit": LIMIT,
        "when": {"core_problem": ["downtime"]},
    }
)


@dataclass(frozen=True)
class Queue:
    """Respondents of a study who come to the end of their interviews."""

    database: Database
    people: list[int]

    def let_in(self, take: Callable[[Database, int], bool]) -> int:
        """How many get a place when so many hands finish theirs at once."""

        def finish(hand: int) -> int:
            return sum(take(self.database, person) for person in self.people[hand * EACH : (hand + 1) * EACH])

        return sum(together(HANDS, finish))

    def places(self) -> int:
        with self.database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(tables.quota_place)).scalar_one()

    def empty(self) -> None:
        with self.database.begin() as connection:
            connection.execute(sa.delete(tables.quota_place))
            connection.execute(sa.delete(tables.quota))


@pytest.fixture
def queue(database: Database, survey: Survey) -> Queue:
    tokens = [f"token-{number:03}-{'x' * 20}" for number in range(HANDS * EACH)]
    with database.begin() as connection:
        studies.register(connection, survey)
        for token in tokens:
            respondents.invite(connection, survey.slug, token, simulated=False, now=NOW)
        people = list(connection.execute(sa.select(tables.respondent.c.id)).scalars())
    return Queue(database, people)


def _reserve(database: Database, person: int) -> bool:
    with database.begin() as connection:
        return quotas.reserve(connection, "supplier", person, [QUOTA], simulated=False, now=NOW) is None


def _count_then_insert(database: Database, person: int) -> bool:
    with database.read() as connection:
        taken = connection.execute(sa.select(sa.func.count()).select_from(tables.quota_place)).scalar_one()
    if taken >= LIMIT:
        return False
    with database.begin() as connection:
        connection.execute(sa.insert(tables.quota_place).values(respondent_id=person, quota="full", active_at=NOW))
    return True


def test_four_hundred_who_finish_at_once_fill_a_quota_of_a_hundred(queue: Queue, rounds: Callable[[int], int]) -> None:
    filled = Counter[int]()
    for _ in range(rounds(20)):
        queue.empty()
        filled[queue.let_in(_reserve)] += 1
        assert queue.places() == LIMIT
    print(f"let in, by how often: {dict(filled)}")
    assert set(filled) == {LIMIT}


def test_counting_first_and_taking_the_place_afterwards_overfills_it(queue: Queue) -> None:
    for _ in range(10):
        queue.empty()
        if (let_in := queue.let_in(_count_then_insert)) > LIMIT:
            break
    print(f"let in: {let_in}")
    assert let_in == queue.places() > LIMIT


@dataclass(frozen=True)
class Finishing:
    """Somebody whose last page lies before him, filled in."""

    serving: Serving
    cookie: str
    token: str
    path: str
    body: str

    @classmethod
    def arrived(cls, serving: Serving, dice: random.Random) -> Finishing:
        _, headers, page = once(serving.port, "GET", "/s/supplier/consent")
        cookie, token = (headers.get("Set-Cookie") or "").partition(";")[0], csrf_token_of(page)
        for step in route():
            path, body = f"/s/supplier/{step}", form(answers_of(step, dice), token)
            if step == route()[-1]:
                break
            status, _, page = once(serving.port, "POST", path, body, cookie)
            assert status == 303, page[:300]
        _, _, page = once(serving.port, "GET", path, cookie=cookie)
        link = page.partition(b"/r/")[2].partition(b"<")[0].partition(b'"')[0].decode()
        return cls(serving, cookie, link, path, body)

    def send(self, _: int = 0) -> Reply:
        return once(self.serving.port, "POST", self.path, self.body, self.cookie)


def test_fifty_windows_that_send_the_last_page_at_once_end_one_interview(
    fork: Fork, database_url: str, rounds: Callable[[int], int]
) -> None:
    serving, dice, times = fork(analysts=0, database=database_url), random.Random(1), rounds(20)
    for _ in range(times):
        person = Finishing.arrived(serving, dice)
        replies = together(WINDOWS, person.send)
        assert {(status, headers["Location"]) for status, headers, _ in replies} == {(303, "/s/supplier/thanks")}
        with open_database(database_url) as database, database.read() as connection:
            interview = respondents.find(connection, "supplier", person.token)
            assert interview is not None
            assert interview.outcome == "completed"
            a = tables.answer.c
            rows = sa.select(a.page, a.revision).where(a.respondent_id == interview.respondent_id)
            assert {revision for _, revision in connection.execute(rows).all()} == {1}
    with open_database(database_url) as database, database.read() as connection:
        assert respondents.counts(connection, "supplier").completed == times


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite lets nobody write beside another one
def test_without_the_lock_and_the_key_fifty_windows_fail(fork: Fork, database_url: str) -> None:
    def change() -> None:
        def insert(connection: sa.Connection, table: sa.Table, **values: object) -> bool:
            connection.execute(sa.insert(table).values(**values))
            return True

        progress.locked, answers.insert_if_absent = progress.of, insert

    serving, dice = fork(analysts=0, database=database_url, change=change), random.Random(1)
    for _ in range(10):
        failed = [status for status, _, _ in together(WINDOWS, Finishing.arrived(serving, dice).send) if status == 500]
        if failed:
            break
    assert failed
