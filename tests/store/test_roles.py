"""P2: contact data, links and answers are apart, and the analysts' role of PostgreSQL reads answers alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from tests.store.filled import filled
from wtp.cli import main
from wtp.doctor import ERROR, OK, WARNING, Finding, Size, examine
from wtp.errors import StoreError
from wtp.settings import Settings
from wtp.store import Database, answers, database, invitations, open_database, respondents, roles, studies, tables
from wtp.survey import Survey

NAME = "postgres_analyst"
MEMBER = "analyst_anna"
INSUFFICIENT_PRIVILEGE = "42501"
NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
SURVEYS = Path(__file__).parents[2] / "surveys"


def _columns(table: str) -> set[str]:
    return set(tables.metadata.tables[table].c.keys())


def test_every_table_is_seen_or_kept_from_analysts() -> None:
    assert roles.SEEN.keys() | roles.KEPT_FROM == tables.metadata.tables.keys()
    assert not roles.SEEN.keys() & roles.KEPT_FROM
    for table, hidden in roles.SEEN.items():
        assert hidden < _columns(table)


def test_no_column_that_names_somebody_is_seen() -> None:
    """A column that is added to a table which is seen is open at once, so its name must not promise a person."""
    naming = (
        "token",
        "panel",
        "external",
        "contact",
        "reference",
        "author",
        "made_by",
        "saved_by",
        "password",
        "email",
        "name",
    )
    seen = {
        f"{table}.{column}"
        for table, hidden in roles.SEEN.items()
        for column in _columns(table) - hidden
        if any(part in column for part in naming)
    }
    assert seen == {"scenario.name"}


@pytest.fixture
def server(new_postgresql: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A PostgreSQL database with rows in every table, and no analysts' role: roles are of the whole server."""
    url = new_postgresql()
    (tmp_path / "settings.toml").write_text(f'database = "{url}"\n')
    monkeypatch.setenv("WTP_INSTANCE", str(tmp_path))
    monkeypatch.setenv("WTP_SURVEYS", str(SURVEYS))
    with open_database(url) as opened:
        filled(opened, database.head(), 2)
        _drop(opened)
        yield opened
        _drop(opened)


def _drop(opened: Database) -> None:
    with opened.begin() as connection:
        for name in (MEMBER, NAME):
            if connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).first():
                connection.exec_driver_sql(f"DROP OWNED BY {name}")
                connection.exec_driver_sql(f"DROP ROLE {name}")


def run() -> Result:
    return CliRunner().invoke(main, ["privacy", "role"])


def refused(opened: Database, statement: str, role: str = NAME) -> bool:
    """Whether PostgreSQL keeps the role from a statement."""
    with opened.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(f"SET LOCAL ROLE {role}")
        try:
            connection.exec_driver_sql(statement)
        except sa.exc.ProgrammingError as error:
            if getattr(error.orig, "sqlstate", "") != INSUFFICIENT_PRIVILEGE:
                raise
            return True
        finally:
            connection.rollback()
    return False


def test_the_role_reads_answers_and_is_refused_on_persons(server: Database) -> None:
    made = run()
    assert made.exit_code == 0, made.output
    assert f"role {NAME}: made" in made.output
    for table, hidden in roles.SEEN.items():
        columns = _columns(table) - hidden
        assert not refused(server, f"SELECT {', '.join(sorted(columns))} FROM {table}"), table
        assert all(refused(server, f"SELECT {column} FROM {table}") for column in hidden), table
    for table in roles.KEPT_FROM:
        assert refused(server, f"SELECT 1 FROM {table}"), table
    for table in tables.metadata.tables:
        column = min(_columns(table))
        assert refused(server, f"DELETE FROM {table}"), table
        assert refused(server, f"UPDATE {table} SET {column} = NULL"), table
        assert refused(server, f"INSERT INTO {table} ({column}) VALUES (NULL)"), table
    assert refused(server, "CREATE TABLE mine (x int)")
    assert refused(server, "ALTER TABLE answer ADD COLUMN x int")


def test_without_the_columns_kept_back_tokens_could_be_read(server: Database) -> None:
    """The control: the refusals above are of the role, not of the statements."""
    assert run().exit_code == 0
    with server.begin() as connection:
        connection.exec_driver_sql(f"GRANT SELECT ON respondent, invitation TO {NAME}")
    assert not refused(server, "SELECT token_hash FROM respondent")
    assert not refused(server, "SELECT contact FROM invitation")


def test_again_it_is_exactly_the_same(server: Database) -> None:
    assert run().exit_code == 0
    with server.begin() as connection:
        connection.exec_driver_sql(f"GRANT ALL ON invitation TO {NAME}")
        connection.exec_driver_sql(f"GRANT SELECT (token_hash) ON respondent TO {NAME}")
        connection.exec_driver_sql(f"REVOKE SELECT ON answer FROM {NAME}")
    again = run()
    assert again.exit_code == 0, again.output
    assert "renewed" in again.output
    with server.read() as connection:
        assert roles.look(connection) == roles.Role(NAME, there=True)


def test_a_migration_renews_it(new_postgresql: Callable[[], str], server: Database) -> None:
    assert run().exit_code == 0
    with open_database(new_postgresql()) as older:
        filled(older, database.revisions()[1], 1)
        with older.read() as connection:
            assert roles.look(connection).too_little
        older.migrate(before=lambda _: None)
        with older.read() as connection:
            assert roles.look(connection) == roles.Role(NAME, there=True)


def the_finding(server: Database, tmp_path: Path) -> Finding:
    url = server.engine.url.render_as_string(hide_password=False)
    found = examine(Settings(instance=tmp_path, surveys=SURVEYS, database=url), Size())
    return next(each for each in found if each.check == "analysts' role")


def test_doctor_says_what_the_role_and_its_members_can_do(server: Database, tmp_path: Path) -> None:
    def change(statement: str) -> Finding:
        with server.begin() as connection:
            connection.exec_driver_sql(statement)
        return the_finding(server, tmp_path)

    assert (the_finding(server, tmp_path).state, "none" in the_finding(server, tmp_path).found) == (OK, True)
    assert run().exit_code == 0
    assert the_finding(server, tmp_path) == Finding("analysts' role", OK, f"{NAME} reads answers alone")
    assert change(f"REVOKE SELECT ON choice FROM {NAME}").state == WARNING
    assert change(f"GRANT SELECT ON choice TO {NAME}").state == OK
    found = change("GRANT SELECT (contact) ON invitation TO PUBLIC")
    assert (found.state, found.found) == (ERROR, f"{NAME}: can read invitation")
    assert change("REVOKE SELECT (contact) ON invitation FROM PUBLIC").state == OK
    assert change(f"CREATE ROLE {MEMBER} LOGIN IN ROLE {NAME}").state == OK
    found = change(f"GRANT UPDATE ON answer TO {MEMBER}")
    assert (found.state, found.found) == (ERROR, f"{MEMBER}: can write answer")
    assert "can read respondent.token_hash" in change(f"GRANT SELECT ON respondent TO {NAME}").found
    assert f"{NAME}: can make roles" in change(f"ALTER ROLE {NAME} CREATEROLE").found
    assert run().exit_code == 1  # it says so, and does not take from members what somebody gave them


def test_whoever_may_not_make_roles_hears_what_to_do(server: Database) -> None:
    with server.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {MEMBER}")
        connection.exec_driver_sql(f"SET LOCAL ROLE {MEMBER}")
        with pytest.raises(StoreError, match=f'CREATE ROLE "{NAME}" NOLOGIN, then run this again'):
            roles.make(connection)


def test_a_file_has_no_roles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WTP_INSTANCE", str(tmp_path))
    monkeypatch.setenv("WTP_SURVEYS", str(SURVEYS))
    said = run()
    assert said.exit_code == 1
    assert "SQLite, where whoever can open the file reads everything" in said.output
    assert "wtp export" in said.output


def test_contacts_tokens_and_answers_are_in_tables_apart(database: Database, survey: Survey) -> None:
    """A whole interview by invitation: the contact's marks are in one table, the token in none, the hash of it where links are looked up, the answers in theirs."""
    secret, contact, said = "s", "ada@mark-of-contact.example", "mark of an answer"
    with database.begin() as connection:
        studies.register(connection, survey)
        invitations.add(connection, survey.slug, [("C-17", {"email": contact})], secret=secret, now=NOW)
        token = invitations.token_of(secret, survey.slug, 1)
        assert survey.design is not None
        person = respondents.begin(
            connection, survey.slug, token, definition_hash=survey.definition_hash, design_version=1,
            tasks=survey.design.versions[1], language="en", consent_hash="c", now=NOW,
        )  # fmt: skip
        answers.record_answers(connection, person.respondent_id, "profile", {"core_problem": said}, revision=0, now=NOW)
        answers.record_choice(connection, person.respondent_id, 1, 1, True, revision=0, now=NOW)
    marks = {contact: "contact", token: "token", respondents.token_hash(survey.slug, token): "hash", said: "answer"}
    found: dict[str, set[str]] = {kind: set() for kind in marks.values()}
    with database.read() as connection:
        for name, table in tables.metadata.tables.items():
            text = repr(connection.execute(sa.select(table)).all())
            for mark, kind in marks.items():
                if mark in text:
                    found[kind].add(name)
    assert found == {
        "contact": {"invitation"},
        "token": set(),
        "hash": {"invitation", "respondent"},
        "answer": {"answer"},
    }
