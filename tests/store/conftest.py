"""A study in the database, people who begin it, and many hands at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import pytest
import sqlalchemy as sa

from wtp.store import Database, answers, respondents, studies
from wtp.store.respondents import Interview
from wtp.survey import Answers, Survey

NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
SLUG = "supplier"
T = TypeVar("T")


@dataclass(frozen=True)
class Study:
    """The supplier study, registered in a database."""

    database: Database
    survey: Survey

    def begin_in(
        self,
        connection: sa.Connection,
        token: str,
        *,
        version: int = 1,
        simulated: bool = False,
        now: datetime = NOW,
    ) -> Interview:
        assert self.survey.design is not None
        return respondents.begin(
            connection,
            SLUG,
            token,
            definition_hash=self.survey.definition_hash,
            design_version=version,
            tasks=self.survey.design.versions[version],
            language="en",
            consent_hash=self.survey.definition.consent_hash,
            now=now,
            simulated=simulated,
        )

    def begin(self, token: str, *, version: int = 1, simulated: bool = False, now: datetime = NOW) -> Interview:
        with self.database.begin() as connection:
            return self.begin_in(connection, token, version=version, simulated=simulated, now=now)

    def find(self, token: str) -> Interview | None:
        with self.database.read() as connection:
            return respondents.find(connection, SLUG, token)

    def answer(self, person: Interview, page: str, values: dict[str, object], *, revision: int = 0) -> int:
        with self.database.begin() as connection:
            return answers.record_answers(connection, person.respondent_id, page, values, revision=revision, now=NOW)

    def choose(self, person: Interview, order: int, chosen: int, buys: bool | None = True, *, revision: int = 0) -> int:
        with self.database.begin() as connection:
            return answers.record_choice(
                connection, person.respondent_id, order, chosen, buys, revision=revision, now=NOW
            )

    def read(self) -> Answers:
        with self.database.read() as connection:
            return answers.read_answers(connection, SLUG)

    def state(self) -> str:
        with self.database.read() as connection:
            return answers.state(connection, SLUG)

    def rows(self, table: sa.Table) -> int:
        with self.database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


@pytest.fixture
def study(database: Database, survey: Survey) -> Study:
    with database.begin() as connection:
        studies.register(connection, survey)
    return Study(database, survey)


def together(hands: int, work: Callable[[int], T]) -> list[T]:
    """What every hand gets when all of them start at the same moment."""
    barrier = threading.Barrier(hands)

    def start(hand: int) -> T:
        barrier.wait(timeout=30)
        return work(hand)

    with ThreadPoolExecutor(hands) as pool:
        return list(pool.map(start, range(hands)))
