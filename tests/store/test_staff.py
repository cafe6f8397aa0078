"""Staff: strong passwords kept as argon2id, one door, and sessions that end when they must."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher, extract_parameters

from tests.store.conftest import NOW
from wtp.errors import DataError
from wtp.store import Database, audit, deletion, staff, tables

PASSWORD = "four plain words here"


@pytest.fixture
def connection(database: Database) -> Iterator[sa.Connection]:
    with database.begin() as opened:
        yield opened


@pytest.fixture
def anna(connection: sa.Connection) -> staff.StaffMember:
    staff.add(connection, "anna", PASSWORD, "analyst")
    member = staff.verify(connection, "anna", PASSWORD)
    assert member is not None
    return member


def test_a_member_comes_in_with_name_and_password(connection: sa.Connection, anna: staff.StaffMember) -> None:
    assert (anna.name, anna.role, anna.active, anna.session_version) == ("anna", "analyst", True, 1)
    assert staff.get(connection, anna.id) == anna
    assert staff.members(connection) == (anna,)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("anna", "four plain words her"),
        ("anna", "four plain words here "),
        ("anna", "FOUR PLAIN WORDS HERE"),
        ("anna", ""),
        ("anna", "\0"),
        ("anna", "\ud800"),
        ("anna", "x" * 100_000),
        ("Anna", PASSWORD),
        ("anna ", PASSWORD),
        ("", PASSWORD),
        ("anna\0", PASSWORD),
        ("\ud800", PASSWORD),
        ("nobody", PASSWORD),
        ("nobody", "nobody has this password"),
        ("' OR 1=1 --", PASSWORD),
    ],
    ids=ascii,
)
def test_nobody_else_comes_in(connection: sa.Connection, anna: staff.StaffMember, name: str, password: str) -> None:
    assert staff.verify(connection, name, password) is None


def test_a_long_password_counts_to_its_last_character(connection: sa.Connection) -> None:
    longest = ("word " * 200)[: staff.LONGEST_PASSWORD]
    staff.add(connection, "anna", longest, "analyst")
    assert staff.verify(connection, "anna", longest)
    assert staff.verify(connection, "anna", longest + "x") is None
    assert staff.verify(connection, "anna", longest[:-1] + "x") is None


def test_the_password_is_kept_as_a_costly_argon2id(
    connection: sa.Connection, costly_passwords: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff, "_hasher", costly_passwords)
    staff.add(connection, "anna", PASSWORD, "analyst")
    kept = connection.execute(sa.select(tables.staff.c.password_hash)).scalar_one()
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept
    cost = extract_parameters(kept)
    assert (cost.memory_cost, cost.time_cost) >= (19 * 1024, 2)  # kibibytes and passes: OWASP's least
    assert staff.verify(connection, "anna", PASSWORD)


def test_an_unknown_or_disabled_name_costs_as_much_as_a_known_one(
    connection: sa.Connection, anna: staff.StaffMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff.verify(connection, "nobody", "the first hash of nobody's password")
    checked: list[str] = []
    real = staff._hasher

    class Counting:
        def verify(self, kept: str, given: Any) -> bool:
            checked.append("$".join(kept.split("$")[:4]))  # kind, version and cost of the hash
            return real.verify(kept, given)

    monkeypatch.setattr(staff, "_hasher", Counting())
    staff.verify(connection, "anna", "wrong")
    staff.verify(connection, "nobody", "wrong")
    staff.verify(connection, "an\0na", "wrong")
    staff.disable(connection, "anna")
    staff.verify(connection, "anna", PASSWORD)
    assert len(checked) == 4
    assert len(set(checked)) == 1


@pytest.mark.parametrize(
    "password",
    [
        "",
        "elevenchars",
        "x" * 1_001,
        "aaaaaaaaaaaaaaa",
        "abababababab",
        "Password1234!",
        "PASSWORT-2026",
        "passwordpassword",
        "willkommen123",
        "qwertzuiopasdf",
        "1q2w3e4r5t6y",
        "123456789012",
        "correcthorsebatterystaple",
        "anna.schmidt1",
        "i am Anna.Schmidt",
        "four words with\ttab",
        "four words \0 here",
        "four words \ud800 here",
    ],
    ids=lambda password: ascii(password[:30]),
)
def test_a_weak_password_is_refused(connection: sa.Connection, password: str) -> None:
    with pytest.raises(DataError, match=r"^password: .*; allowed: .*; choose four words\.$"):
        staff.add(connection, "anna.schmidt", password, "manager")
    assert staff.members(connection) == ()
    staff.add(connection, "anna.schmidt", PASSWORD, "manager")
    with pytest.raises(DataError, match=r"^password: .*; allowed: "):
        staff.set_password(connection, "anna.schmidt", password)
    assert staff.verify(connection, "anna.schmidt", PASSWORD)


@pytest.mark.parametrize(
    "password", ["horse lamp river seven", "Straßenbahn fährt nachts", "pässwörter sind länger", "kX9-2mQ:w7Lp"]
)
def test_a_good_password_is_taken_without_rules_about_its_characters(connection: sa.Connection, password: str) -> None:
    staff.add(connection, "jo", password, "manager")
    assert staff.verify(connection, "jo", password)


def test_a_short_name_may_occur_in_a_password_but_not_be_it(connection: sa.Connection) -> None:
    staff.add(connection, "a", "a password that has the letter", "manager")
    staff.add(connection, "ed", "the edge of the table", "manager")
    with pytest.raises(DataError, match="too easy to guess"):
        staff.add(connection, "Ed", "ed1234567890", "manager")


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\0b", "a\nb", "\u202eanna", "\ud800"], ids=ascii)
def test_an_unusable_name_is_refused(connection: sa.Connection, name: str) -> None:
    with pytest.raises(DataError, match=r"^name .*; allowed: 1 to 120 printable characters; "):
        staff.add(connection, name, PASSWORD, "manager")


def test_a_name_is_given_once_and_a_role_is_known(connection: sa.Connection, anna: staff.StaffMember) -> None:
    with pytest.raises(DataError, match="name 'anna' is taken"):
        staff.add(connection, "anna", "another four words here", "manager")
    with pytest.raises(DataError, match="role 'king'; allowed: manager, analyst, administrator"):
        staff.add(connection, "ben", PASSWORD, "king")
    assert staff.members(connection) == (anna,)


def test_disabling_closes_the_door_and_ends_all_sessions(connection: sa.Connection, anna: staff.StaffMember) -> None:
    staff.disable(connection, "anna")
    assert staff.verify(connection, "anna", PASSWORD) is None
    assert staff.get(connection, anna.id) is None
    (member,) = staff.members(connection)
    assert (member.active, member.session_version) == (False, 2)


def test_a_new_password_opens_again_and_ends_all_sessions(connection: sa.Connection, anna: staff.StaffMember) -> None:
    staff.add(connection, "ben", PASSWORD, "manager")
    staff.disable(connection, "anna")
    staff.set_password(connection, "anna", "another four words here")
    assert staff.verify(connection, "anna", PASSWORD) is None
    member = staff.verify(connection, "anna", "another four words here")
    assert member is not None
    assert (member.id, member.session_version) == (anna.id, 3)
    ben = staff.verify(connection, "ben", PASSWORD)
    assert ben is not None
    assert ben.session_version == 1


def test_an_unknown_name_is_said_with_the_known_ones(connection: sa.Connection, anna: staff.StaffMember) -> None:
    for change in (staff.disable, lambda c, n: staff.set_password(c, n, PASSWORD)):
        with pytest.raises(DataError, match="'ben' is unknown; allowed: anna; "):
            change(connection, "ben")
    assert staff.get(connection, anna.id + 1) is None


def test_everybody_sees_all_studies_until_some_are_named(connection: sa.Connection, anna: staff.StaffMember) -> None:
    assert (anna.studies, anna.may_see("supplier"), anna.may_see("")) == (None, True, True)
    staff.set_studies(connection, "anna", ["workshop", "supplier", "workshop"])
    limited = staff.get(connection, anna.id)
    assert limited is not None
    assert (limited.studies, limited.session_version) == (("supplier", "workshop"), anna.session_version + 1)
    assert [limited.may_see(slug) for slug in ("supplier", "other", "Supplier", "")] == [True, False, False, False]
    staff.set_studies(connection, "anna", [])
    assert staff.named(connection, "anna").studies == ()
    staff.set_studies(connection, "anna", None)
    assert staff.named(connection, "anna").studies is None


def test_a_new_study_is_its_makers_and_no_right_to_an_older_one_of_its_name_stays(
    connection: sa.Connection, anna: staff.StaffMember
) -> None:
    staff.add(connection, "bert", PASSWORD, "manager", studies=["mine"])
    staff.set_studies(connection, "anna", ["supplier"])
    limited = staff.named(connection, "anna")
    staff.own_new_study(connection, limited, "mine")
    after = staff.named(connection, "anna")
    assert (after.studies, after.session_version) == (("mine", "supplier"), limited.session_version)
    assert staff.named(connection, "bert").studies == ()
    staff.set_studies(connection, "anna", None)
    staff.own_new_study(connection, staff.named(connection, "anna"), "another")
    assert staff.named(connection, "anna").studies is None


def test_the_rights_to_a_study_go_with_it(connection: sa.Connection, anna: staff.StaffMember) -> None:
    staff.set_studies(connection, "anna", ["supplier", "workshop"])
    deletion.delete_study(connection, "supplier", who="anna")
    assert staff.named(connection, "anna").studies == ("workshop",)


def test_one_session_ends_and_is_forgotten_in_time(connection: sa.Connection, anna: staff.StaffMember) -> None:
    staff.end_session(connection, "mark", until=NOW, now=NOW)
    staff.end_session(connection, "mark", until=NOW, now=NOW)
    assert staff.get(connection, anna.id, session="mark") is None
    assert staff.get(connection, anna.id, session="other") == anna
    staff.end_session(connection, "other", until=NOW + timedelta(hours=2), now=NOW + timedelta(hours=1))
    marks = connection.execute(sa.select(tables.ended_session.c.mark)).scalars().all()
    assert marks == ["other"]


def test_everything_that_changes_an_account_is_logged(connection: sa.Connection, anna: staff.StaffMember) -> None:
    staff.set_role(connection, "anna", "manager", who="bo", now=NOW)
    staff.set_studies(connection, "anna", ["supplier"], who="bo", now=NOW)
    staff.disable(connection, "anna", who="bo", now=NOW)
    staff.enable(connection, "anna", who="bo", now=NOW)
    staff.set_password(connection, "anna", "quite other words there", who="bo", now=NOW)
    staff.end_sessions(connection, "anna", who="bo", now=NOW)
    log = audit.entries(connection, audit.INSTALLATION)
    assert [(entry.action, entry.reason) for entry in log] == [
        (staff.ADDED, "anna: analyst"),
        (staff.ROLE, "anna: manager"),
        (staff.STUDIES, "anna: supplier"),
        (staff.DISABLED, "anna"),
        (staff.ENABLED, "anna"),
        (staff.PASSWORD_SET, "anna"),
        (staff.ENDED, "anna"),
    ]
    assert {entry.who for entry in log[1:]} == {"bo"}
    assert audit.first_broken(audit.INSTALLATION, log) is None
