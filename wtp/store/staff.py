"""Staff accounts: argon2id passwords, four roles (field staff record contacts and see nothing else), the studies that each may see, and a session version that
ends all sessions when it rises. Everything that changes an account raises it and is written to the log of the installation.

A password is refused if it is short, if it is one of the common ones (`common_passwords.txt`), whatever figures and signs stand behind it,
or if it is built on the member's name. There are no rules about kinds of characters, which make passwords worse.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal, NoReturn, get_args

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from wtp.errors import DataError
from wtp.store import audit, tables
from wtp.store.upsert import insert_if_absent

Role = Literal["manager", "analyst", "administrator", "field"]
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1_000
LONGEST_NAME = 120
_COMMON = frozenset(Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").split())
_SHORTEST_NAME = 4
_DIFFERENT_CHARACTERS = 5
SHORT, UNPRINTABLE, EASY = "short", "unprintable", "easy"
ADDED, PASSWORD_SET, ROLE, STUDIES = "member added", "password set", "role changed", "studies changed"
DISABLED, ENABLED, ENDED = "member disabled", "member let in again", "sessions ended"
_hasher = PasswordHasher()
_S = tables.staff.c
_M = tables.staff_study.c
_E = tables.ended_session.c


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who may log in. studies: None for all, also later ones; invited: has no password yet; factor: what the second factor is derived from, None without one."""

    id: int
    name: str
    role: str
    active: bool
    session_version: int
    studies: tuple[str, ...] | None = None
    invited: bool = False
    factor: str | None = None

    def may_see(self, slug: str) -> bool:
        """Whether a study is among his; administrators see all."""
        return self.studies is None or slug in self.studies


def add(
    connection: sa.Connection,
    name: str,
    password: str | None,
    role: str,
    *,
    studies: Collection[str] | None = None,
    who: str = "wtp",
    now: datetime | None = None,
) -> None:
    """Add a member; without a password nobody gets in before one is set by a link. studies: None for all.

    Raises DataError for a taken name, an unknown role or a weak password.
    """
    _check_role(role)
    if not _is_name(name):
        raise DataError(f"name {name[:40]!r}; allowed: 1 to {LONGEST_NAME} printable characters; choose another name.")
    values = {
        "name": name,
        "role": role,
        "password_hash": "" if password is None else _checked_hash(name, password),
        "active": True,
        "session_version": 1,
    }
    if not insert_if_absent(connection, tables.staff, **values):
        raise DataError(f"name {name!r} is taken; allowed: a name of its own; choose another one.")
    _log(connection, ADDED, f"{name}: {role}", who, now)
    if studies is not None:
        set_studies(connection, name, studies, who=who, now=now)


def _check_role(role: str) -> None:
    if role not in get_args(Role):
        raise DataError(f"role {role!r}; allowed: {', '.join(get_args(Role))}; choose one of them.")


def verify(connection: sa.Connection, name: str, password: str) -> StaffMember | None:
    """The active member with this name and password, else None; an unknown name takes as long as a wrong password."""
    known = name if _is_name(name) else ""  # a NUL would be an error of PostgreSQL
    row = connection.execute(sa.select(tables.staff).where(_S.name == known)).first()
    given = password[: LONGEST_PASSWORD + 1].encode(errors="surrogatepass")
    try:
        _hasher.verify((row and row.password_hash) or _nobody(), given)
    except VerifyMismatchError:
        return None
    return _member(connection, row) if row and row.active and row.password_hash else None


@cache
def _nobody() -> str:
    return _hasher.hash("nobody has this password")


def get(connection: sa.Connection, staff_id: int, *, session: str = "") -> StaffMember | None:
    """The active member with this id, else None; nor if this session of his was ended."""
    ended = sa.select(_E.mark).where(_E.mark == session).exists()
    row = connection.execute(sa.select(tables.staff).where(_S.id == staff_id, _S.active, ~ended)).first()
    return _member(connection, row) if row else None


def named(connection: sa.Connection, name: str) -> StaffMember:
    """The member of this name, disabled or not. Raises DataError for an unknown one."""
    row = connection.execute(sa.select(tables.staff).where(_S.name == name)).first() if _is_name(name) else None
    return _member(connection, row) if row else _unknown(connection, name)


def members(connection: sa.Connection) -> tuple[StaffMember, ...]:
    """Everybody, by name."""
    rows = connection.execute(sa.select(tables.staff).order_by(_S.name)).all()
    return tuple(_member(connection, row) for row in rows)


def disable(connection: sa.Connection, name: str, *, who: str = "wtp", now: datetime | None = None) -> None:
    """Let a member in no more, end all sessions, and take back links that are on their way. Raises DataError for an unknown name."""
    _update(connection, name, active=False)
    L = tables.staff_link.c
    connection.execute(
        sa.delete(tables.staff_link).where(L.staff_id == named(connection, name).id, L.used_at.is_(None))
    )
    _log(connection, DISABLED, name, who, now)


def enable(connection: sa.Connection, name: str, *, who: str = "wtp", now: datetime | None = None) -> None:
    """Let a disabled member in again, with the password he had. Raises DataError for an unknown name."""
    _update(connection, name, active=True)
    _log(connection, ENABLED, name, who, now)


def set_password(
    connection: sa.Connection, name: str, password: str, *, who: str = "wtp", now: datetime | None = None
) -> None:
    """A new password, which lets a disabled member in again and ends all sessions. Raises DataError for an unknown name or weak password."""
    _update(connection, name, active=True, password_hash=_checked_hash(name, password))
    _log(connection, PASSWORD_SET, name, who, now)


def set_role(connection: sa.Connection, name: str, role: str, *, who: str = "wtp", now: datetime | None = None) -> None:
    """Another role, which ends all sessions. Raises DataError for an unknown name or role."""
    _check_role(role)
    _update(connection, name, role=role)
    _log(connection, ROLE, f"{name}: {role}", who, now)


def set_studies(
    connection: sa.Connection,
    name: str,
    studies: Collection[str] | None,
    *,
    who: str = "wtp",
    now: datetime | None = None,
) -> None:
    """Which studies a member sees, None for all, which ends all sessions. Raises DataError for an unknown name."""
    _update(connection, name, all_studies=studies is None)
    member = named(connection, name)
    connection.execute(sa.delete(tables.staff_study).where(_M.staff_id == member.id))
    rows = [{"staff_id": member.id, "study": slug} for slug in sorted(set(studies or ()))]
    if rows:
        connection.execute(sa.insert(tables.staff_study), rows)
    said = "all" if studies is None else ", ".join(row["study"] for row in rows) or "none"  # type: ignore[misc]
    _log(connection, STUDIES, f"{name}: {said}"[: audit.LONGEST_REASON], who, now)


def own_new_study(connection: sa.Connection, member: StaffMember, slug: str) -> None:
    """A study that has just been made belongs to whoever made it, and to nobody who had a right to an earlier one of that name."""
    connection.execute(sa.delete(tables.staff_study).where(_M.study == slug))
    if member.studies is not None:
        connection.execute(sa.insert(tables.staff_study).values(staff_id=member.id, study=slug))


def end_sessions(connection: sa.Connection, name: str, *, who: str, now: datetime | None = None) -> None:
    """Log a member out everywhere. Raises DataError for an unknown name."""
    _update(connection, name)
    _log(connection, ENDED, name, who, now)


def end_session(connection: sa.Connection, mark: str, *, until: datetime, now: datetime) -> None:
    """One session ends, whoever kept its cookie; it is forgotten when it would have ended by itself."""
    connection.execute(sa.delete(tables.ended_session).where(_E.expires_at < now))
    insert_if_absent(connection, tables.ended_session, mark=mark, expires_at=until)


def _update(connection: sa.Connection, name: str, **values: object) -> None:
    done = connection.execute(
        sa.update(tables.staff).where(_S.name == name).values(session_version=_S.session_version + 1, **values)
    )
    if not done.rowcount:
        _unknown(connection, name)


def _unknown(connection: sa.Connection, name: str) -> NoReturn:
    known = ", ".join(member.name for member in members(connection)) or "nobody yet"
    raise DataError(f"name {name!r} is unknown; allowed: {known}; wtp user list shows them.")


def _log(connection: sa.Connection, action: str, said: str, who: str, now: datetime | None) -> None:
    audit.add(connection, audit.INSTALLATION, action, who=who, reason=said, now=now or datetime.now(UTC))


def _is_name(name: str) -> bool:
    return bool(name.strip()) and len(name) <= LONGEST_NAME and name.isprintable()


def weakness(name: str, password: str) -> str | None:
    """Why a password is refused: SHORT (or too long), UNPRINTABLE or EASY; None for one that is good."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return SHORT
    if not password.isprintable():
        return UNPRINTABLE
    plain, owner = password.casefold(), name.casefold()
    stem = plain.rstrip("0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~§€")
    built_on_name = stem == owner or (len(owner) >= _SHORTEST_NAME and owner in plain)
    easy = {plain, stem} & _COMMON or built_on_name or len(set(plain)) < _DIFFERENT_CHARACTERS
    return EASY if easy else None


def _checked_hash(name: str, password: str) -> str:
    wrong = weakness(name, password)
    if wrong == SHORT:
        raise DataError(
            f"password: {len(password)} characters; allowed: {SHORTEST_PASSWORD} to {LONGEST_PASSWORD}; choose four words."
        )
    if wrong == UNPRINTABLE:
        raise DataError("password: characters that cannot be typed; allowed: printable characters; choose four words.")
    if wrong == EASY:
        raise DataError(
            "password: too easy to guess; allowed: no common password, no repetition, not the name; choose four words."
        )
    return _hasher.hash(password)


def _member(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> StaffMember:
    studies = None
    if not row.all_studies and row.role != "administrator":
        query = sa.select(_M.study).where(_M.staff_id == row.id).order_by(_M.study)
        studies = tuple(connection.execute(query).scalars())
    return StaffMember(
        row.id, row.name, row.role, row.active, row.session_version, studies, not row.password_hash, row.factor_nonce
    )
