"""The second factor: codes by time, each once; recovery codes, each once; and nothing in the database from which one could be made."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, together
from wtp.store import Database, audit, second_factor, staff, tables
from wtp.store.staff import StaffMember

SECRET = "5e" * 32
STEP = timedelta(seconds=30)


def member(database: Database, name: str = "anna") -> StaffMember:
    with database.read() as connection:
        return staff.named(connection, name)


@pytest.fixture
def anna(database: Database) -> StaffMember:
    with database.begin() as connection:
        staff.add(connection, "anna", "four plain words here", "analyst")
    return member(database)


def code_of(person: StaffMember, nonce: str, at: datetime) -> str:
    """What the person's device shows."""
    return pyotp.TOTP(second_factor.secret_of(person, nonce, SECRET)).at(at)


def switch_on(database: Database, person: StaffMember, nonce: str = "ab" * 16, at: datetime = NOW) -> tuple[str, ...]:
    with database.begin() as connection:
        code = code_of(person, nonce, at)
        codes = second_factor.switch_on(connection, person, nonce, code, secret=SECRET, now=at)
    assert codes is not None
    return codes


def proves(database: Database, person: StaffMember, typed: str, at: datetime) -> bool:
    with database.begin() as connection:
        return second_factor.proves(connection, person, typed, secret=SECRET, now=at)


def test_a_first_code_switches_it_on_and_ends_all_sessions(database: Database, anna: StaffMember) -> None:
    codes = switch_on(database, anna)
    assert len(set(codes)) == second_factor.RECOVERY_CODES == 10
    after = member(database)
    assert (after.factor, after.session_version) == ("ab" * 16, anna.session_version + 1)
    with database.read() as connection:
        assert second_factor.recovery_codes_left(connection, after) == 10
        log = audit.entries(connection, audit.INSTALLATION)
    assert (log[-1].action, log[-1].who) == (second_factor.ON, "anna")


@pytest.mark.parametrize("wrong", ["", "000000x", "12345", "1234567", "１２３４５６", "\0" * 6, "\ud800"], ids=ascii)
def test_without_the_right_code_nothing_is_switched_on(database: Database, anna: StaffMember, wrong: str) -> None:
    with database.begin() as connection:
        assert second_factor.switch_on(connection, anna, "n", wrong, secret=SECRET, now=NOW) is None
    assert member(database) == anna


def test_a_code_counts_once_and_none_from_before_it(database: Database, anna: StaffMember) -> None:
    switch_on(database, anna)
    on = member(database)
    later = NOW + 5 * STEP
    assert not proves(database, on, code_of(on, "ab" * 16, NOW), NOW), "the one that switched it on was used by that"
    assert proves(database, on, code_of(on, "ab" * 16, later), later)
    assert not proves(database, on, code_of(on, "ab" * 16, later), later), "replayed"
    assert not proves(database, on, code_of(on, "ab" * 16, later - STEP), later), "an older one"
    assert proves(database, on, code_of(on, "ab" * 16, later + STEP), later), "a clock that is ahead"


def test_clocks_may_differ_by_one_step_and_no_more(database: Database, anna: StaffMember) -> None:
    switch_on(database, anna)
    on, later = member(database), NOW + 100 * STEP
    for steps, fits in ((-2, False), (2, False), (-1, True)):
        assert proves(database, on, code_of(on, "ab" * 16, later + steps * STEP), later) is fits, steps
    spaced = code_of(on, "ab" * 16, later)
    assert proves(database, on, f" {spaced[:3]} {spaced[3:]}", later)


def test_of_two_who_use_a_code_at_once_one_gets_in(database: Database, anna: StaffMember) -> None:
    codes = switch_on(database, anna)
    on, later = member(database), NOW + 9 * STEP
    for typed in (code_of(on, "ab" * 16, later), codes[0]):
        assert sorted(together(4, lambda _, typed=typed: proves(database, on, typed, later))) == [False] * 3 + [True]


def test_a_recovery_code_counts_once_and_for_its_owner(database: Database, anna: StaffMember) -> None:
    codes = switch_on(database, anna)
    with database.begin() as connection:
        staff.add(connection, "bert", "four plain words here", "analyst")
    bert = member(database, "bert")
    switch_on(database, bert)
    on = member(database)
    assert not proves(database, member(database, "bert"), codes[0], NOW)
    assert proves(database, on, codes[0].upper().replace("-", " "), NOW)
    assert not proves(database, on, codes[0], NOW)
    assert proves(database, on, codes[9], NOW)
    with database.begin() as connection:
        assert second_factor.recovery_codes_left(connection, on) == 8
        fresh = second_factor.renew_recovery_codes(connection, on, secret=SECRET, now=NOW)
    assert not proves(database, on, codes[1], NOW)
    assert proves(database, on, fresh[0], NOW)


def test_a_stolen_database_gives_no_code(database: Database, anna: StaffMember) -> None:
    codes = switch_on(database, anna)
    secret = second_factor.secret_of(anna, "ab" * 16, SECRET)
    with database.read() as connection:
        rows = str([connection.execute(sa.select(table)).all() for table in (tables.staff, tables.recovery_code)])
    assert secret not in rows
    assert not any(code in rows or code.replace("-", "") in rows for code in codes)
    # The same rows under another instance's secret are worth nothing.
    on, later = member(database), NOW + 5 * STEP
    guess = pyotp.TOTP(second_factor.secret_of(on, "ab" * 16, "another secret")).at(later)
    assert not proves(database, on, guess, later)
    with database.begin() as connection:
        assert not second_factor.proves(connection, on, codes[0], secret="another secret", now=later)


def test_a_new_secret_ends_the_old_one_and_off_ends_both(database: Database, anna: StaffMember) -> None:
    old = switch_on(database, anna)
    first, later = member(database), NOW + 5 * STEP
    switch_on(database, first, "cd" * 16, later)
    second, last = member(database), NOW + 10 * STEP
    assert not proves(database, second, code_of(second, "ab" * 16, last), last)
    assert not proves(database, first, code_of(first, "ab" * 16, last), last), "nor for whoever read the row before"
    assert not proves(database, second, old[0], last)
    assert proves(database, second, code_of(second, "cd" * 16, last), last)
    with database.begin() as connection:
        second_factor.switch_off(connection, second, who="wtp", now=last)
    off = member(database)
    assert (off.factor, off.session_version) == (None, second.session_version + 1)
    assert not proves(database, off, code_of(off, "cd" * 16, last + 2 * STEP), last + 2 * STEP)


def test_every_member_and_nonce_has_a_secret_of_its_own_as_long_as_it_should_be(
    database: Database, anna: StaffMember
) -> None:
    with database.begin() as connection:
        staff.add(connection, "bert", "four plain words here", "analyst")
    secrets = {
        second_factor.secret_of(person, nonce, instance)
        for person in (anna, member(database, "bert"))
        for nonce in ("a", "b")
        for instance in ("x", "y")
    }
    assert len(secrets) == 8
    assert {len(secret) for secret in secrets} == {32}  # 160 bits (RFC 4226)
    assert second_factor.new_nonce() != second_factor.new_nonce()
    address = second_factor.address_of(anna, "a", "x", "wtp example")
    found = pyotp.parse_uri(address)
    assert (found.name, found.issuer, found.secret) == ("anna", "wtp example", second_factor.secret_of(anna, "a", "x"))
