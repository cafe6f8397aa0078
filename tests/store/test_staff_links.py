"""Links by which staff set a password: once, in time, for their purpose, and for nobody who may not log in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, together
from wtp.errors import DataError
from wtp.store import Database, audit, staff, staff_links, tables
from wtp.store.staff_links import INVITATION, LASTS, RESET

PASSWORD = "four plain words here"
NEW = "quite other words there"


@pytest.fixture
def make(database: Database) -> Callable[[str], tuple[str, str]]:
    with database.begin() as connection:
        staff.add(connection, "anna", PASSWORD, "analyst")
        staff.add(connection, "bert", None, "manager")

    def made(name: str) -> tuple[str, str]:
        with database.begin() as connection:
            return staff_links.make(connection, name, who="root", now=NOW)

    return made


def owner(database: Database, purpose: str, token: str, now: object = NOW) -> str | None:
    with database.read() as connection:
        found = staff_links.find(connection, purpose, token, now)  # type: ignore[arg-type]
    return found.name if found else None


def use(database: Database, purpose: str, token: str, password: str = NEW) -> bool:
    with database.begin() as connection:
        return staff_links.use(connection, purpose, token, password, now=NOW) is not None


def lets_in(database: Database, name: str, password: str) -> bool:
    with database.read() as connection:
        return staff.verify(connection, name, password) is not None


def test_an_invitation_gives_its_first_password(database: Database, make: Callable[[str], tuple[str, str]]) -> None:
    assert not lets_in(database, "bert", "")
    assert not lets_in(database, "bert", "nobody has this password")
    purpose, token = make("bert")
    assert (purpose, owner(database, INVITATION, token)) == (INVITATION, "bert")
    assert len(token) == 43
    assert use(database, purpose, token)
    assert lets_in(database, "bert", NEW)
    with database.read() as connection:
        log = [(entry.who, entry.action) for entry in audit.entries(connection, audit.INSTALLATION)]
    assert log[-3:] == [("root", staff_links.MADE), ("bert", staff_links.USED), ("bert", staff.PASSWORD_SET)]


def test_a_reset_changes_the_password_and_ends_all_sessions(
    database: Database, make: Callable[[str], tuple[str, str]]
) -> None:
    purpose, token = make("anna")
    assert purpose == RESET
    with database.read() as connection:
        before = staff.named(connection, "anna")
    assert use(database, purpose, token)
    assert (lets_in(database, "anna", PASSWORD), lets_in(database, "anna", NEW)) == (False, True)
    with database.read() as connection:
        assert staff.named(connection, "anna").session_version == before.session_version + 1


def test_a_link_is_good_once_in_time_and_for_its_purpose(
    database: Database, make: Callable[[str], tuple[str, str]]
) -> None:
    purpose, token = make("anna")
    end = NOW + LASTS[RESET]
    assert owner(database, purpose, token, end - timedelta(seconds=1))
    assert owner(database, purpose, token, end) is None
    for other in (INVITATION, "", "login"):
        assert owner(database, other, token) is None
    for wrong in ("", token[:-1], token + "x", token.swapcase(), "\0", "\ud800", "' OR 1=1 --"):
        assert owner(database, purpose, wrong) is None
    assert use(database, purpose, token)
    assert owner(database, purpose, token) is None
    assert not use(database, purpose, token, "a third password, too late")
    assert lets_in(database, "anna", NEW)


def test_a_weak_password_leaves_the_link_good(database: Database, make: Callable[[str], tuple[str, str]]) -> None:
    purpose, token = make("anna")
    with pytest.raises(DataError, match="password: 5 characters"):
        use(database, purpose, token, "short")
    assert owner(database, purpose, token) == "anna"


def test_a_newer_link_ends_the_older_one(database: Database, make: Callable[[str], tuple[str, str]]) -> None:
    (purpose, old), (_, new) = make("anna"), make("anna")
    assert (owner(database, purpose, old), owner(database, purpose, new)) == (None, "anna")


def test_a_disabled_member_has_no_link_and_gets_none(
    database: Database, make: Callable[[str], tuple[str, str]]
) -> None:
    purpose, token = make("anna")
    with database.begin() as connection:
        staff.disable(connection, "anna")
    assert owner(database, purpose, token) is None
    with pytest.raises(DataError, match="'anna' is disabled"):
        make("anna")
    with database.begin() as connection:
        staff.enable(connection, "anna")
    assert owner(database, purpose, token) is None, "one from before does not come back"
    with pytest.raises(DataError, match="'carla' is unknown"):
        make("carla")


def test_of_those_who_use_a_link_at_once_one_sets_the_password(
    database: Database, make: Callable[[str], tuple[str, str]]
) -> None:
    purpose, token = make("anna")
    assert sorted(together(4, lambda _: use(database, purpose, token))) == [False] * 3 + [True]


def test_the_database_does_not_hold_the_link(database: Database, make: Callable[[str], tuple[str, str]]) -> None:
    tokens = [make(name)[1] for name in ("anna", "bert")]
    with database.read() as connection:
        rows = str([connection.execute(sa.select(table)).all() for table in (tables.staff_link, tables.audit)])
    assert not any(token in rows for token in tokens)
