"""Links by which a member of staff sets a password: the invitation of a new one, the reset for one who forgot his.

A link holds 256 random bits and is kept as a hash with its purpose; it ends by being used, by time, by a newer one, and with the account. For another purpose it is none.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa

from wtp.errors import DataError
from wtp.store import audit, staff, tables
from wtp.store.staff import StaffMember

INVITATION, RESET = "invitation", "reset"
LASTS = {INVITATION: timedelta(days=7), RESET: timedelta(days=1)}
MADE, USED = "link made", "link used"
_L = tables.staff_link.c


def make(connection: sa.Connection, name: str, *, who: str, now: datetime) -> tuple[str, str]:
    """(purpose, token) of a new link, shown this once: an invitation for whoever has no password yet, else a reset. Links from before end.

    Raises DataError for an unknown or a disabled member.
    """
    member = staff.named(connection, name)
    if not member.active:
        raise DataError(
            f"name {name!r} is disabled; allowed: a member who may log in; let him in first: wtp user enable."
        )
    purpose, token = INVITATION if member.invited else RESET, secrets.token_urlsafe(32)
    connection.execute(sa.delete(tables.staff_link).where(_L.staff_id == member.id, _L.used_at.is_(None)))
    row = {"token_hash": _hash(purpose, token), "staff_id": member.id, "purpose": purpose}
    connection.execute(sa.insert(tables.staff_link).values(**row, expires_at=now + LASTS[purpose]))
    _log(connection, MADE, f"{name}: {purpose}", who, now)
    return purpose, token


def find(connection: sa.Connection, purpose: str, token: str, now: datetime) -> StaffMember | None:
    """Whose link this is, if it is good for this purpose; none of the reasons against it can be told from outside."""
    row = connection.execute(sa.select(_L.staff_id).where(_is(purpose, token, now))).first()
    return staff.get(connection, row.staff_id) if row else None


def use(connection: sa.Connection, purpose: str, token: str, password: str, *, now: datetime) -> StaffMember | None:
    """Set the password, once: of two who use a link at the same moment the second one gets None. Raises DataError for a weak password."""
    member = find(connection, purpose, token, now)
    used = sa.update(tables.staff_link).where(_is(purpose, token, now)).values(used_at=now)
    if member is None or not connection.execute(used).rowcount:
        return None
    _log(connection, USED, f"{member.name}: {purpose}", member.name, now)
    staff.set_password(connection, member.name, password, who=member.name, now=now)
    return member


def _is(purpose: str, token: str, now: datetime) -> sa.ColumnElement[bool]:
    good = sa.and_(_L.used_at.is_(None), _L.expires_at > now)
    return sa.and_(_L.token_hash == _hash(purpose, token), _L.purpose == purpose, good)


def _hash(purpose: str, token: str) -> str:
    """Random bits cannot be guessed, so that a slow hash of passwords would protect nothing."""
    return hashlib.sha256(f"{purpose}\0{token}".encode(errors="surrogatepass")).hexdigest()


def _log(connection: sa.Connection, action: str, said: str, who: str, now: datetime) -> None:
    audit.add(connection, audit.INSTALLATION, action, who=who, reason=said, now=now)
