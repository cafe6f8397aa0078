"""The second factor of a login: a code by time (TOTP, RFC 6238), or one of ten recovery codes.

The secret that the member's device keeps is nowhere in the database: it is HMAC-SHA-256 of a random nonce in the member's row, keyed by the instance's secret, so that a stolen
database alone gives no code; recovery codes are kept as HMACs by the same key. A code counts once: the last time step that was used is kept, and none up to it is taken again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime

import pyotp
import sqlalchemy as sa

from wtp.store import audit, tables
from wtp.store.staff import StaffMember

RECOVERY_CODES = 10
ON, CHANGED, OFF, RENEWED = "second factor on", "second factor changed", "second factor off", "recovery codes made"
_SECONDS = 30
_SECRET_BYTES = 20  # as long as the HMAC-SHA-1 of the codes (RFC 4226)
_CODE_BYTES = 10  # 80 random bits in 16 characters
_DIGITS = re.compile(r"[0-9]{6}", re.ASCII)
_S = tables.staff.c
_R = tables.recovery_code.c


def new_nonce() -> str:
    """What a new secret is derived from; worth nothing without the instance's secret."""
    return secrets.token_hex(16)


def secret_of(member: StaffMember, nonce: str, secret: str) -> str:
    """The secret for the member's device, in base 32. secret: the instance's."""
    key = hmac.new(secret.encode(), f"second factor\0{member.id}\0{nonce}".encode(), hashlib.sha256).digest()
    return base64.b32encode(key[:_SECRET_BYTES]).decode()


def address_of(member: StaffMember, nonce: str, secret: str, issuer: str) -> str:
    """The address of kind otpauth that a device reads as a QR code."""
    return pyotp.TOTP(secret_of(member, nonce, secret)).provisioning_uri(name=member.name, issuer_name=issuer)


def fits(member: StaffMember, nonce: str, code: str, *, secret: str, now: datetime) -> bool:
    """Whether a device that was given the secret shows this code now; uses nothing up."""
    return _step(secret_of(member, nonce, secret), code, now) is not None


def switch_on(
    connection: sa.Connection, member: StaffMember, nonce: str, code: str, *, secret: str, now: datetime
) -> tuple[str, ...] | None:
    """Take a secret into use, confirmed by its first code; ends all sessions. Gives the recovery codes, this once; None if the code is wrong."""
    step = _step(secret_of(member, nonce, secret), code, now)
    if step is None:
        return None
    _set(connection, member, factor_nonce=nonce, factor_step=step)
    _log(connection, CHANGED if member.factor else ON, member.name, member.name, now)
    return _new_codes(connection, member, secret)


def proves(connection: sa.Connection, member: StaffMember, typed: str, *, secret: str, now: datetime) -> bool:
    """Whether a code or a recovery code is the member's and was not used before; from now on it was. To be called in a transaction that writes."""
    if member.factor is None:
        return False
    typed = re.sub(r"[\s-]", "", typed)
    step = _step(secret_of(member, member.factor, secret), typed, now)
    if step is not None:
        fresh = sa.or_(_S.factor_step.is_(None), _S.factor_step < step)
        mine = sa.and_(_S.id == member.id, _S.factor_nonce == member.factor, fresh)
        return bool(connection.execute(sa.update(tables.staff).where(mine).values(factor_step=step)).rowcount)
    unused = sa.and_(_R.staff_id == member.id, _R.code_hash == _hash(member, typed, secret), _R.used_at.is_(None))
    return bool(connection.execute(sa.update(tables.recovery_code).where(unused).values(used_at=now)).rowcount)


def switch_off(connection: sa.Connection, member: StaffMember, *, who: str, now: datetime) -> None:
    """The password alone lets in again; ends all sessions."""
    connection.execute(sa.delete(tables.recovery_code).where(_R.staff_id == member.id))
    _set(connection, member, factor_nonce=None, factor_step=None)
    _log(connection, OFF, member.name, who, now)


def renew_recovery_codes(
    connection: sa.Connection, member: StaffMember, *, secret: str, now: datetime
) -> tuple[str, ...]:
    """Ten new recovery codes, shown this once; the old ones are worth nothing any more."""
    _log(connection, RENEWED, member.name, member.name, now)
    return _new_codes(connection, member, secret)


def recovery_codes_left(connection: sa.Connection, member: StaffMember) -> int:
    """How many have not been used."""
    query = sa.select(sa.func.count()).where(_R.staff_id == member.id, _R.used_at.is_(None))
    return int(connection.execute(query.select_from(tables.recovery_code)).scalar_one())


def _step(secret: str, code: str, now: datetime) -> int | None:
    """The time step of a code: this one, or one on either side, for clocks that differ and people who type slowly."""
    code = re.sub(r"[\s-]", "", code)
    if not _DIGITS.fullmatch(code):
        return None
    totp, step = pyotp.TOTP(secret, interval=_SECONDS), int(now.timestamp()) // _SECONDS
    # Each of them is compared, so that the time tells nothing.
    found = [each for each in (step - 1, step, step + 1) if hmac.compare_digest(totp.generate_otp(each), code)]
    return found[-1] if found else None


def _new_codes(connection: sa.Connection, member: StaffMember, secret: str) -> tuple[str, ...]:
    connection.execute(sa.delete(tables.recovery_code).where(_R.staff_id == member.id))
    drawn = [base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    rows = [{"staff_id": member.id, "code_hash": _hash(member, code, secret)} for code in drawn]
    connection.execute(sa.insert(tables.recovery_code), rows)
    return tuple("-".join(code[n : n + 4] for n in range(0, len(code), 4)) for code in drawn)


def _hash(member: StaffMember, code: str, secret: str) -> str:
    said = f"recovery code\0{member.id}\0{code.lower()}".encode(errors="surrogatepass")
    return hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()


def _set(connection: sa.Connection, member: StaffMember, **values: object) -> None:
    changed = sa.update(tables.staff).where(_S.id == member.id)
    connection.execute(changed.values(session_version=_S.session_version + 1, **values))


def _log(connection: sa.Connection, action: str, said: str, who: str, now: datetime) -> None:
    audit.add(connection, audit.INSTALLATION, action, who=who, reason=said, now=now)
