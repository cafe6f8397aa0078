"""A restore brings back answers, not what staff got in with: sessions, links, tokens and codes that had ended stay ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store.filled import states
from tests.store.test_backup import place_in
from wtp.errors import StoreError
from wtp.store import Database, api_tokens, audit, backup, open_database, staff, staff_links, staff_restored, tables
from wtp.store.archive import Archive
from wtp.store.database import revisions, upgrade

NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
PASSWORD = "a long pass phrase for the test"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "here"


def kept(database: Database, folder: Path) -> Path:
    file = folder / "wtp.zip"
    backup.back_up(database, file, place_in(folder))
    return file


def put_back(database: Database, file: Path) -> None:
    with Archive(file) as opened:
        backup.restore(database, opened, place_in(file.parent), replace=True)


def test_nobody_stays_logged_in_and_links_that_wait_are_none(database: Database, place: Path) -> None:
    with database.begin() as connection:
        for name in ("anna", "ben"):
            staff.add(connection, name, PASSWORD, "manager")
        staff.add(connection, "carl", None, "analyst")
        links = [staff_links.make(connection, name, who="anna", now=NOW) for name in ("ben", "carl")]
    assert [purpose for purpose, _ in links] == [staff_links.RESET, staff_links.INVITATION]
    file = kept(database, place)
    with database.begin() as connection:
        seen = {member.session_version for member in staff.members(connection)}
        for _ in range(5):  # a session from between
            staff.end_sessions(connection, "anna", who="anna")
            seen.add(staff.named(connection, "anna").session_version)
    put_back(database, file)
    with database.read() as connection:
        now = {member.name: member.session_version for member in staff.members(connection)}
        assert set(now) == {"anna", "ben", "carl"}
        assert not seen & set(now.values())
        assert [staff_links.find(connection, *link, NOW) for link in links] == [None, None]
        assert staff.verify(connection, "anna", PASSWORD) is not None
        log = audit.entries(connection, audit.INSTALLATION)
    assert log[-1].action == staff_restored.RESTORED
    assert audit.first_broken(audit.INSTALLATION, log) is None


def test_what_had_ended_since_stays_so(database: Database, place: Path) -> None:
    with database.begin() as connection:
        for name in ("anna", "ben"):
            staff.add(connection, name, PASSWORD, "analyst")
        texts = [
            api_tokens.add(connection, name, maker=None, scopes=api_tokens.SCOPES, now=NOW)[1]
            for name in ("goes", "stays", "gone before")
        ]
        api_tokens.revoke(connection, texts[2].split("_")[1], who="anna", now=NOW)
        rows = [{"staff_id": 1, "code_hash": code} for code in ("used later", "not used")]
        connection.execute(sa.insert(tables.recovery_code), rows)
    file = kept(database, place)
    with database.begin() as connection:
        staff.disable(connection, "ben", who="anna")
        api_tokens.revoke(connection, texts[0].split("_")[1], who="anna", now=NOW)
        used = tables.recovery_code.c
        connection.execute(sa.update(tables.recovery_code).where(used.code_hash == "used later").values(used_at=NOW))
    put_back(database, file)
    with database.read() as connection:
        assert [member.active for member in staff.members(connection)] == [True, False]
        later = NOW + timedelta(minutes=1)
        assert [api_tokens.find(connection, text, later) is not None for text in texts] == [False, True, False]
        gone = next(token for token in api_tokens.everything(connection) if token.name == "gone before")
        assert gone.revoked_at == NOW, "when it ended stays as it was"
        unused = connection.execute(sa.select(used.code_hash).where(used.used_at.is_(None))).scalars().all()
    assert unused == ["not used"]


def test_what_had_ended_in_an_older_schema_stays_so_too(database_url: str, place: Path) -> None:
    S = tables.staff.c
    with open_database(database_url) as database:
        with database.begin() as connection:
            upgrade(connection, revisions()[-1])
            row = {"role": "analyst", "password_hash": "x", "active": True, "session_version": 1}
            connection.execute(sa.insert(tables.staff), [row | {"name": name} for name in ("anna", "ben")])
        file = kept(database, place)
        with database.begin() as connection:
            connection.execute(sa.update(tables.staff).where(S.name == "ben").values(active=False))
        put_back(database, file)
        with database.read() as connection:
            assert {member.name: member.active for member in staff.members(connection)} == {"anna": True, "ben": False}


def test_a_restore_that_is_refused_ends_nothing(database: Database, place: Path) -> None:
    with database.begin() as connection:
        staff.add(connection, "anna", PASSWORD, "manager")
    file = kept(database, place)
    with Archive(file) as opened, pytest.raises(StoreError, match="holds something already"):
        backup.restore(database, opened, place_in(place))
    with database.read() as connection:
        assert staff.named(connection, "anna").session_version == 1


def test_a_restore_that_fails_at_its_last_step_changes_nothing(
    database: Database, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.begin() as connection:
        staff.add(connection, "anna", PASSWORD, "manager")
        staff_links.make(connection, "anna", who="anna", now=NOW)
    file = kept(database, place)
    with database.begin() as connection:
        staff.add(connection, "ben", PASSWORD, "manager")
    before = states(database)

    def full_disk(*_: object, **__: object) -> None:
        raise StoreError("no room for the log's entry")

    monkeypatch.setattr(audit, "add", full_disk)
    with pytest.raises(StoreError, match="no room"):
        put_back(database, file)
    assert states(database) == before
