"""Imports in the store: all or nothing, once, from two sides at the same moment, killed in between, taken back; on both databases."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.imports.make_files import HERE, PEOPLE, TASKS
from tests.store.conftest import NOW, SLUG, Study, together
from wtp.errors import ConflictError, DataError, StoreError
from wtp.imports import Checked, check, guess, read_path
from wtp.store import Database, audit, decisions, deletion, imports, open_database, studies, tables
from wtp.store.database import upgrade
from wtp.store.imports import Imported
from wtp.survey import Survey, load_survey

WHO = "anna"
NAME = "row_a_respondent.csv"
KILLED = """
import os, signal, sys
from tests.store.test_imports import dry_run, load
from wtp.store import imports, open_database, tables
from datetime import UTC, datetime

survey = load()
once = imports._insert

def insert(connection, table, rows):
    if table is tables.choice:
        once(connection, table, rows[:3])
        os.kill(os.getpid(), signal.SIGKILL)
    once(connection, table, rows)

imports._insert = insert
with open_database(sys.argv[1]) as database, database.begin() as connection:
    imports.commit(connection, survey, int(sys.argv[2]), dry_run(survey).people, who="anna", now=datetime.now(UTC))
"""


def load() -> Survey:
    return load_survey(HERE.parents[1] / "surveys" / SLUG)


def dry_run(survey: Survey) -> Checked:
    file = read_path(HERE / NAME)
    return check(survey, file, guess(file, survey.definition))


@pytest.fixture(scope="module")
def found() -> Checked:
    checked = dry_run(load())
    assert not checked.errors
    return checked


def keep(
    study: Study, *, content: bytes = b"bytes", digest: str = "d" * 64, name: str = NAME, after: timedelta = timedelta()
) -> int:
    with study.database.begin() as connection:
        return imports.keep(
            connection, SLUG, name=name, digest=digest, content=content, mapping="", made_by=WHO, now=NOW + after
        )


def commit(study: Study, number: int, found: Checked) -> Imported:
    with study.database.begin() as connection:
        return imports.commit(connection, study.survey, number, found.people, who=WHO, now=NOW)


def entries(study: Study) -> tuple[Imported, ...]:
    with study.database.read() as connection:
        return imports.everything(connection, SLUG)


def test_a_file_is_imported_whole_and_says_where_it_is_from(study: Study, found: Checked) -> None:
    study.begin("somebody of our own")
    before = study.state()
    made = commit(study, keep(study), found)
    assert (made.respondents, made.choices, made.answers, made.simulated) == (PEOPLE, PEOPLE * TASKS, PEOPLE, 0)
    assert study.state() != before
    people = study.read().respondents[1:]
    assert [person.number for person in people] == list(range(2, PEOPLE + 2))
    assert {(p.source, p.outcome, p.imported) for p in people} == {
        ("import", "completed", f"{NAME} (dddddddd), 2026-11-01")
    }
    for (_, wanted), person in zip(found.people, people, strict=True):
        assert person.answers == wanted.answers
        assert [replace(c, answered_at=NOW) for c in person.choices] == [
            replace(c, answered_at=NOW) for c in wanted.choices
        ]
    with study.database.read() as connection:
        log = audit.entries(connection, SLUG)
        content = connection.execute(sa.select(tables.imported_file.c.content)).scalar_one()
    assert [(entry.action, entry.who) for entry in log] == [(audit.IMPORTED, WHO)]
    assert content is None, "the file itself is kept no longer"


def test_the_same_file_or_people_again_add_nothing(study: Study, found: Checked) -> None:
    first = keep(study)
    commit(study, first, found)
    rows = study.rows(tables.choice)
    with pytest.raises(ConflictError, match="imported already"):
        keep(study)
    with pytest.raises(ConflictError, match="imported already"):
        commit(study, first, found)
    other = keep(study, digest="e" * 64)
    with pytest.raises(DataError, match="in the study already"):
        commit(study, other, found)
    more = replace(found, people=(*found.people, ("somebody new", found.people[0][1])))
    assert commit(study, other, more).respondents == 1
    assert study.rows(tables.choice) == rows + TASKS


def test_two_imports_at_once_add_everybody_once(study: Study, found: Checked) -> None:
    numbers = [keep(study, digest=sign * 64) for sign in "abcd"]

    def hand(at: int) -> str:
        try:
            commit(study, numbers[at % 4], found)
        except (ConflictError, DataError) as error:
            return type(error).__name__
        return "made"

    said = together(8, hand)
    assert said.count("made") == 1
    assert study.rows(tables.respondent) == PEOPLE
    assert study.rows(tables.choice) == PEOPLE * TASKS


def test_one_file_given_twice_counts_once_by_the_database_itself(study: Study) -> None:
    counts = dict.fromkeys(("respondents", "simulated", "choices", "answers"), 0)
    row = {"study": SLUG, "name": "x", "digest": "f" * 64, "mapping": "", "made_by": WHO, "given_at": NOW, **counts}
    query = sa.insert(tables.imported_file).values(**row, imported_at=NOW)
    with study.database.begin() as connection:
        connection.execute(query)
    with pytest.raises(sa.exc.IntegrityError), study.database.begin() as connection:
        connection.execute(query)


def test_a_process_killed_within_leaves_nothing(study: Study, database_url: str, found: Checked) -> None:
    number = keep(study)
    arguments = [sys.executable, "-c", KILLED, database_url, str(number)]
    killed = subprocess.run(arguments, cwd=HERE.parents[1], capture_output=True, text=True, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [study.rows(t) for t in (tables.respondent, tables.answer, tables.choice, tables.audit)] == [0, 0, 0, 0]
    assert [entry.imported_at for entry in entries(study)] == [None], "the file still waits"
    assert commit(study, number, found).respondents == PEOPLE


def test_an_error_within_leaves_nothing(study: Study, found: Checked) -> None:
    number = keep(study)
    broken = replace(found.people[-1][1], answers={"core_problem": float("nan")})
    with pytest.raises((ValueError, StoreError, sa.exc.StatementError)):
        commit(study, number, replace(found, people=(*found.people[:-1], ("last", broken))))
    assert study.rows(tables.respondent) == 0


def test_an_import_is_taken_back_whole_and_can_come_again(study: Study, found: Checked) -> None:
    study.begin("somebody of our own")
    number = keep(study)
    commit(study, number, found)
    state, answers = study.state(), study.read().hash
    with study.database.begin() as connection:
        decisions.decide(connection, SLUG, [2], decisions.LEAVE_OUT, reason="strange", made_by=WHO, now=NOW)
    with study.database.begin() as connection:
        gone = imports.take_back(connection, SLUG, number, who="berta", now=NOW)
        assert imports.take_back(connection, SLUG, number, who="berta", now=NOW) is None
    assert gone is not None
    assert (gone.taken_back_by, study.rows(tables.respondent), study.rows(tables.choice)) == ("berta", 1, 0)
    assert study.rows(tables.decision) == 0
    with study.database.read() as connection:
        assert [entry.action for entry in audit.entries(connection, SLUG)] == [audit.IMPORTED, audit.TAKEN_BACK]
        assert audit.first_broken(SLUG, audit.entries(connection, SLUG)) is None
    commit(study, keep(study), found)
    assert study.read().hash == answers, "the same people, with the same numbers"
    assert study.state() != state, "but nothing that was kept of the first import passes for one of the second"


def test_files_wait_for_a_day_and_not_in_heaps(study: Study) -> None:
    numbers = [keep(study, digest=f"{n:064}", after=timedelta(minutes=n)) for n in range(imports.MOST_WAITING + 2)]
    assert [entry.id for entry in entries(study)] == numbers[: -imports.MOST_WAITING - 1 : -1]
    again = keep(study, digest=f"{6:064}", after=timedelta(hours=1))
    assert len(entries(study)) == imports.MOST_WAITING
    with study.database.read() as connection:
        kept = imports.get(connection, SLUG, again, NOW + timedelta(hours=2))
        assert kept is not None
        assert kept[1] == b"bytes"
        assert imports.get(connection, SLUG, again, NOW + timedelta(hours=26)) is None
        assert imports.get(connection, "other", again, NOW + timedelta(hours=2)) is None
    with study.database.begin() as connection:
        imports.tidy(connection, NOW + timedelta(hours=26))
    assert entries(study) == ()


def test_a_deleted_study_takes_its_imports_with_it(study: Study, found: Checked) -> None:
    commit(study, keep(study), found)
    keep(study, digest="e" * 64)
    with study.database.begin() as connection:
        deletion.delete_study(connection, SLUG)
    assert [study.rows(table) for table in (tables.imported_file, tables.respondent, tables.choice)] == [0, 0, 0]


def test_imports_do_not_freeze_the_design(study: Study, found: Checked) -> None:
    commit(study, keep(study), found)
    with study.database.read() as connection:
        assert not studies.fielding_began(connection, SLUG)
    study.begin("somebody of our own")
    with study.database.read() as connection:
        assert studies.fielding_began(connection, SLUG)


def test_the_migration_keeps_what_was_answered_before(database_url: str) -> None:
    with open_database(database_url) as database:
        with database.engine.begin() as connection:
            upgrade(connection, "0008")
            connection.execute(sa.text("INSERT INTO study (slug, definition_hash, design_hash) VALUES ('s', 'd', 'e')"))
            connection.execute(
                sa.text(
                    "INSERT INTO respondent (study, number, token_hash, simulated, created_at, test) VALUES ('s', 1, 't', false, '2026-11-01', false)"
                )
            )
        database.migrate(before=lambda _: None)
        _whole(database)


def _whole(database: Database) -> None:
    database.check()
    r = tables.respondent.c
    with database.read() as connection:
        rows = connection.execute(sa.select(r.number, r.token_hash, r.import_id, r.external_id)).all()
        assert [tuple(row) for row in rows] == [(1, "t", None, None)]
    with pytest.raises(sa.exc.IntegrityError), database.begin() as connection:
        connection.execute(sa.update(tables.respondent).values(import_id=77))


def test_without_imports_the_state_of_answers_is_that_of_earlier_releases(study: Study) -> None:
    assert study.state().count("/") == 3
