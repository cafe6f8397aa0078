"""Staff accounts: argon2id passwords, four roles (field staff record contacts and see nothing else), and a session version that ends all sessions when it rises.

A password is refused if it is short, if it is one of the common ones (`common_passwords.txt`), whatever figures and signs stand behind it,
or if it is built on the member's name. There are no rules about kinds of characters, which make passwords worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from wtp.errors import DataError
from wtp.store import tables
from wtp.store.upsert import insert_if_absent

Role = Literal["manager", "analyst", "administrator", "field"]
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1_000
LONGEST_NAME = 120
_COMMON = frozenset(Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").split())
_SHORTEST_NAME = 4
_DIFFERENT_CHARACTERS = 5
_hasher = PasswordHasher()
_S = tables.staff.c


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who may log in."""

    id: int
    name: str
    role: str
    active: bool
    session_version: int


def add(connection: sa.Connection, name: str, password: str, role: str) -> None:
    """Add a member. Raises DataError for a taken name, an unknown role or a weak password."""
    if role not in get_args(Role):
        raise DataError(f"role {role!r}; allowed: {', '.join(get_args(Role))}; choose one of them.")
    if not _is_name(name):
        raise DataError(f"name {name[:40]!r}; allowed: 1 to {LONGEST_NAME} printable characters; choose another name.")
    values = {
        "name": name,
        "role": role,
        "password_hash": _checked_hash(name, password),
        "active": True,
        "session_version": 1,
    }
    if not insert_if_absent(connection, tables.staff, **values):
        raise DataError(f"name {name!r} is taken; allowed: a name of its own; choose another one.")


def verify(connection: sa.Connection, name: str, password: str) -> StaffMember | None:
    """The active member with this name and password, else None; an unknown name takes as long as a wrong password."""
    known = name if _is_name(name) else ""  # a NUL would be an error of PostgreSQL
    row = connection.execute(sa.select(tables.staff).where(_S.name == known)).first()
    given = password[: LONGEST_PASSWORD + 1].encode(errors="surrogatepass")
    try:
        _hasher.verify(row.password_hash if row else _nobody(), given)
    except VerifyMismatchError:
        return None
    return _member(row) if row and row.active else None


@cache
def _nobody() -> str:
    return _hasher.hash("nobody has this password")


def get(connection: sa.Connection, staff_id: int) -> StaffMember | None:
    """The active member with this id, else None."""
    row = connection.execute(sa.select(tables.staff).where(_S.id == staff_id)).first()
    return _member(row) if row and row.active else None


def members(connection: sa.Connection) -> tuple[StaffMember, ...]:
    """Everybody, by name."""
    return tuple(_member(row) for row in connection.execute(sa.select(tables.staff).order_by(_S.name)))


def disable(connection: sa.Connection, name: str) -> None:
    """Let a member in no more and end all sessions. Raises DataError for an unknown name."""
    _update(connection, name, active=False)


def set_password(connection: sa.Connection, name: str, password: str) -> None:
    """A new password, which lets a disabled member in again and ends all sessions. Raises DataError for an unknown name or weak password."""
    _update(connection, name, active=True, password_hash=_checked_hash(name, password))


def _update(connection: sa.Connection, name: str, **values: object) -> None:
    done = connection.execute(
        sa.update(tables.staff).where(_S.name == name).values(session_version=_S.session_version + 1, **values)
    )
    if not done.rowcount:
        known = ", ".join(member.name for member in members(connection)) or "nobody yet"
        raise DataError(f"name {name!r} is unknown; allowed: {known}; wtp user list shows them.")


def _is_name(name: str) -> bool:
    return bool(name.strip()) and len(name) <= LONGEST_NAME and name.isprintable()


def _checked_hash(name: str, password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise DataError(
            f"password: {len(password)} characters; allowed: {SHORTEST_PASSWORD} to {LONGEST_PASSWORD}; choose four words."
        )
    if not password.isprintable():
        raise DataError("password: characters that cannot be typed; allowed: printable characters; choose four words.")
    plain, owner = password.casefold(), name.casefold()
    stem = plain.rstrip("0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~§€")
    named = stem == owner or (len(owner) >= _SHORTEST_NAME and owner in plain)
    if {plain, stem} & _COMMON or named or len(set(plain)) < _DIFFERENT_CHARACTERS:
        raise DataError(
            "password: too easy to guess; allowed: no common password, no repetition, not the name; choose four words."
        )
    return _hasher.hash(password)


def _member(row: sa.Row[tuple[object, ...]]) -> StaffMember:
    return StaffMember(row.id, row.name, row.role, row.active, row.session_version)
