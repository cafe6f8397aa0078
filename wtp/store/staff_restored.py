"""After a backup is restored: what had ended since it was made does not begin again with it.

Cookies, links and tokens are with people, and a backup knows of their ends no more than of those who were erased. So nobody stays logged in, links that wait are none, and members,
tokens and recovery codes that the replaced database knew as ended stay so. Passwords are those of the backup's day.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from wtp.store import audit, tables

RESTORED = "backup restored"
_VERSIONS = 2**30
_S, _T, _C = tables.staff.c, tables.api_token.c, tables.recovery_code.c


@dataclass(frozen=True, slots=True)
class Ended:
    """Names of disabled members, hashes of revoked tokens and of used recovery codes."""

    members: tuple[str, ...]
    tokens: tuple[str, ...]
    codes: tuple[str, ...]


def ended(connection: sa.Connection) -> Ended:
    """What has ended in a database, whatever its schema; nothing in an empty one."""
    members = _values(connection, _S.name, _S.active.is_(False))
    tokens = _values(connection, _T.token_hash, _T.revoked_at.is_not(None))
    codes = _values(connection, _C.code_hash, _C.used_at.is_not(None))
    return Ended(members, tokens, codes)


def end_again(connection: sa.Connection, before: Ended, *, made_at: datetime, now: datetime) -> None:
    """End all sessions and all links that wait, and what had ended in the database that was replaced; written to the log of the installation."""
    for number in connection.execute(sa.select(_S.id)).scalars().all():
        # By chance: the version after the backup's may be that of a session from between.
        version = 1 + secrets.randbelow(_VERSIONS)
        connection.execute(sa.update(tables.staff).where(_S.id == number).values(session_version=version))
    connection.execute(sa.delete(tables.staff_link).where(tables.staff_link.c.used_at.is_(None)))
    for name in before.members:
        connection.execute(sa.update(tables.staff).where(_S.name == name).values(active=False))
    for token in before.tokens:
        open_one = sa.and_(_T.token_hash == token, _T.revoked_at.is_(None))
        connection.execute(sa.update(tables.api_token).where(open_one).values(revoked_at=now))
    for code in before.codes:
        unused = sa.and_(_C.code_hash == code, _C.used_at.is_(None))
        connection.execute(sa.update(tables.recovery_code).where(unused).values(used_at=now))
    said = f"as of {made_at:%Y-%m-%d %H:%M} UTC; all sessions and links ended"
    audit.add(connection, audit.INSTALLATION, RESTORED, who="wtp", reason=said, now=now)


def _values(connection: sa.Connection, wanted: sa.Column[str], where: sa.ColumnElement[bool]) -> tuple[str, ...]:
    """The values of a column; none where the schema is older than its table."""
    if not sa.inspect(connection).has_table(wanted.table.name):
        return ()
    return tuple(connection.execute(sa.select(wanted).where(where)).scalars())
