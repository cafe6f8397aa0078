"""What a study promised to delete is deleted when its time is over, once, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, SLUG, Study, together
from tests.store.test_erasure import MARK, SECRET, everything, held, job, whole
from wtp.store import audit, invitations, results, retention, studies, tables
from wtp.store.retention import Time, months_after
from wtp.survey import inspect_survey
from wtp.survey.load import inspect_text


def close(study: Study, at: datetime = NOW) -> None:
    with study.database.begin() as connection:
        studies.set_state(connection, SLUG, "closed")
        connection.execute(sa.update(tables.study).values(closed_at=at))


def run(study: Study, now: datetime) -> list[tuple[str, int]]:
    with study.database.begin() as connection:
        return [(each.what, each.count) for each in retention.run(connection, now)]


@pytest.fixture
def asked(study: Study) -> Study:
    """Two persons with everything, one of them invited, and another who was invited and never came."""
    with study.database.begin() as connection:
        people = [(name, {"mail": f"{MARK}@example.com"}) for name in ("C-1", "C-2")]
        invitations.add(connection, SLUG, people, secret=SECRET, now=NOW)
    whole(study, invitations.token_of(SECRET, SLUG, 1))
    whole(study, "by the open link")
    held(study, results.PEOPLE, "p")
    held(study, results.ANALYSIS, "many")
    job(study, "f")
    return study


def test_nothing_goes_before_its_time_or_while_the_study_is_open(asked: Study) -> None:
    before = everything(asked.database)
    assert run(asked, NOW + timedelta(days=10_000)) == []
    assert everything(asked.database) == before
    close(asked)
    assert run(asked, NOW + timedelta(days=30) - timedelta(seconds=1)) == []
    assert asked.rows(tables.invitation) == 2


def test_first_what_leads_to_persons_then_single_answers(asked: Study) -> None:
    close(asked)
    assert run(asked, NOW + timedelta(days=30)) == [("contacts", 3)]
    assert f"{MARK}@example.com" not in everything(asked.database)
    assert asked.rows(tables.customer_respondent) == 0
    assert asked.rows(tables.respondent) == 2
    assert run(asked, months_after(NOW, 12)) == [("answers", 2)]
    assert [asked.rows(t) for t in (tables.respondent, tables.answer, tables.choice, tables.page_draft)] == [0] * 4
    assert asked.rows(tables.result) == 1  # figures of many stay
    assert everything(asked.database).count(MARK) == 1
    assert run(asked, months_after(NOW, 13)) == []
    with asked.database.read() as connection:
        log = audit.entries(connection, SLUG)
    assert [entry.action for entry in log] == [audit.DELETED] * 2
    assert "3, 30 days" in log[0].reason


def test_a_study_that_is_opened_again_keeps_everything(asked: Study) -> None:
    close(asked)
    with asked.database.begin() as connection:
        studies.set_state(connection, SLUG, "open")
        assert connection.execute(sa.select(tables.study.c.closed_at)).scalar_one() is None
    assert run(asked, NOW + timedelta(days=10_000)) == []


def test_closed_twice_counts_from_the_first_time(study: Study) -> None:
    close(study)
    with study.database.begin() as connection:
        studies.set_state(connection, SLUG, "closed")
        assert connection.execute(sa.select(tables.study.c.closed_at)).scalar_one() == NOW


def test_a_study_closed_by_an_earlier_release_counts_from_the_first_run(asked: Study) -> None:
    close(asked)
    with asked.database.begin() as connection:
        connection.execute(sa.update(tables.study).values(closed_at=None))
    late = NOW + timedelta(days=1_000)
    assert run(asked, late) == []
    assert run(asked, late + timedelta(days=30)) == [("contacts", 3)]


def test_a_study_that_promises_nothing_loses_nothing(asked: Study, tmp_path: Path) -> None:
    text = asked.survey.source
    start = text.index("[privacy]")
    silent = text[:start] + text[text.index("[[pages]]") :]
    definition, _ = inspect_text(silent, tmp_path / "survey.toml")
    assert definition is not None
    survey = replace(asked.survey, definition=definition, source=silent)
    with asked.database.begin() as connection:
        studies.publish(connection, survey, "ana")
        assert retention.times(connection) == ()
    close(asked)
    assert run(asked, NOW + timedelta(days=10_000)) == []


def test_a_promise_that_is_made_longer_counts(asked: Study, tmp_path: Path) -> None:
    """The newest version counts, though [privacy] alone makes no other definition of what is asked."""
    longer = asked.survey.source.replace("contacts_days = 30", "contacts_days = 90")
    definition, _ = inspect_text(longer, tmp_path / "survey.toml")
    assert definition is not None
    assert definition.hash == asked.survey.definition_hash
    with asked.database.begin() as connection:
        studies.publish(connection, replace(asked.survey, definition=definition, source=longer), "ana")
    close(asked)
    assert run(asked, NOW + timedelta(days=89)) == []
    assert run(asked, NOW + timedelta(days=90)) == [("contacts", 3)]


def test_of_many_workers_one_does_it_and_once_a_day(asked: Study) -> None:
    close(asked)
    late = NOW + timedelta(days=31)

    def work(_: int) -> tuple[Time, ...] | None:
        with asked.database.begin() as connection:
            return retention.run_daily(connection, late)

    made = together(6, work)
    assert sum(each is not None for each in made) == 1
    assert [len(each) for each in made if each is not None] == [1]
    with asked.database.begin() as connection:
        assert retention.run_daily(connection, late + timedelta(days=1)) == ()


@pytest.mark.parametrize(
    ("closed", "months", "due"),
    [((2026, 1, 31), 1, (2026, 2, 28)), ((2024, 2, 29), 12, (2025, 2, 28)), ((2026, 11, 1), 2, (2027, 1, 1))],
)
def test_months_are_those_of_the_calendar(closed: tuple[int, int, int], months: int, due: tuple[int, int, int]) -> None:
    assert months_after(datetime(*closed, 12, tzinfo=UTC), months) == datetime(*due, 12, tzinfo=UTC)


@pytest.mark.parametrize("slug", ["supplier", "workshop"])
def test_the_shipped_studies_keep_what_their_consent_says(survey: object, slug: str) -> None:
    found, _ = inspect_survey(Path(__file__).parents[2] / "surveys" / slug)
    assert found is not None
    assert found.definition.privacy is not None
    assert f"{found.definition.privacy.answers_months} months" in found.definition.pages[0].text["en"]
