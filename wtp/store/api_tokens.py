"""Tokens of programs: who may read which studies without a person at the keyboard.

A token is `wtp_MARK_SECRET`: the mark finds its row and is shown in lists, the secret (256 random bits) is kept as its SHA-256 alone and compared in constant time.
A token ends when it is revoked, when its time is over, and as soon as the member of staff who made it may not make one any more; it never sees a study that he does not see.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from wtp.errors import DataError
from wtp.store import audit, tables
from wtp.store.staff import StaffMember

RESULTS, ANSWERS, ANALYSES = "results:read", "answers:read", "analyses:write"
SCOPES = (RESULTS, ANSWERS, ANALYSES)
METRICS = "metrics"  # of the whole installation, so only whoever runs it makes such a token
ALL_SCOPES = (*SCOPES, METRICS)
MAKERS = ("analyst", "administrator")
LONGEST_NAME = 120
MADE, REVOKED = "API token made", "API token revoked"
_SHAPE = re.compile(r"wtp_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_USED_STEP = timedelta(minutes=1)
_T = tables.api_token.c


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret; `studies` is None for all, `used_at` is right to a minute. made_by is kept as it was, whatever the member is called later.

    staff_id: who made it, None for the command line; maker_studies: which studies he sees now, None for all.
    """

    id: int
    name: str
    mark: str
    scopes: tuple[str, ...]
    studies: tuple[str, ...] | None
    made_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None
    staff_id: int | None = None
    maker_may: bool = True
    maker_studies: tuple[str, ...] | None = None

    def may_see(self, slug: str) -> bool:
        """Whether a study is among those of the token, and of whoever made it."""
        return all(studies is None or slug in studies for studies in (self.studies, self.maker_studies))

    def is_valid(self, now: datetime) -> bool:
        """Whether it lets anybody in."""
        over = self.expires_at is not None and self.expires_at <= now
        return self.revoked_at is None and not over and self.maker_may


def add(
    connection: sa.Connection,
    name: str,
    *,
    maker: StaffMember | None,
    scopes: Collection[str],
    studies: Collection[str] | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> tuple[ApiToken, str]:
    """A new token with the text that is shown once and never again.

    maker: None for whoever runs the installation. studies: None for all that the maker sees, also later ones. Raises DataError for a name, scope, study or time that cannot be.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise DataError(f"name: {name[:40]!r}; allowed: 1 to {LONGEST_NAME} printable characters; say what reads.")
    wrong = sorted(set(scopes) - set(SCOPES if maker else ALL_SCOPES))
    if wrong or not scopes:
        found = ", ".join(wrong) or "none"
        raise DataError(
            f"scope: {found}; allowed: one or more of {', '.join(SCOPES if maker else ALL_SCOPES)}; choose what it may do."
        )
    there = {
        slug
        for slug in connection.execute(sa.select(tables.study.c.slug)).scalars()
        if not maker or maker.may_see(slug)
    }
    if studies is not None and (not studies or set(studies) - there):
        found = ", ".join(sorted(set(studies) - there)) or "none"
        raise DataError(
            f"study: {found}; allowed: one or more of {', '.join(sorted(there)) or 'none yet'}; choose among them."
        )
    if expires_at is not None and expires_at <= now:
        raise DataError(f"end: {expires_at:%Y-%m-%d}; allowed: a day to come; choose a later one.")
    mark, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    row = {
        "name": name,
        "mark": mark,
        "token_hash": _hash(secret),
        "scopes": [scope for scope in ALL_SCOPES if scope in scopes],
        "studies": None if studies is None else sorted(set(studies)),
        "staff_id": maker.id if maker else None,
        "made_by": maker.name if maker else "wtp",
        "created_at": now,
        "expires_at": expires_at,
    }
    connection.execute(sa.insert(tables.api_token).values(**row))
    token = _token(connection, connection.execute(_query().where(_T.mark == mark)).one())
    until = f", until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else ""
    _log(connection, token, MADE, token.made_by, f"{name[:80]} ({mark}): {', '.join(token.scopes)}{until}", now)
    return token, f"wtp_{mark}_{secret}"


def find(connection: sa.Connection, text: str, now: datetime) -> ApiToken | None:
    """The token of this text if it is valid; none of the reasons against it can be told from outside."""
    shape = _SHAPE.fullmatch(text)
    mark, secret = shape.groups() if shape else ("", "")
    kept = connection.execute(sa.select(_T.token_hash).where(_T.mark == mark)).scalar_one_or_none()
    same = hmac.compare_digest(_hash(secret), kept or _hash("nothing is kept"))
    token = _one(connection, _T.mark == mark) if same and kept else None
    return token if token and token.is_valid(now) else None


def note_use(connection: sa.Connection, token: ApiToken, now: datetime) -> None:
    """Keep when a token was last used."""
    connection.execute(sa.update(tables.api_token).where(_T.id == token.id).values(used_at=now))


def use_is_old(token: ApiToken, now: datetime) -> bool:
    """Whether its last use should be written down again: once a minute, so that reading rarely writes."""
    return token.used_at is None or now - token.used_at >= _USED_STEP


def everything(connection: sa.Connection) -> tuple[ApiToken, ...]:
    """All tokens that were ever made, the newest first."""
    return tuple(_token(connection, row) for row in connection.execute(_query().order_by(_T.id.desc())).all())


def known_to(connection: sa.Connection, member: StaffMember) -> tuple[ApiToken, ...]:
    """The tokens that a member may see and end: whoever sees named studies alone, his own."""
    return tuple(each for each in everything(connection) if member.studies is None or each.staff_id == member.id)


def revoke(
    connection: sa.Connection, mark: str, *, who: str, now: datetime, member: StaffMember | None = None
) -> ApiToken:
    """End a token for good; a second time changes nothing. Raises DataError for an unknown mark, or one that the member may not end."""
    there = everything(connection) if member is None else known_to(connection, member)
    token = next((each for each in there if each.mark == mark), None)
    if token is None:
        known = ", ".join(each.mark for each in there if each.is_valid(now)) or "none yet"
        raise DataError(f"token: {mark[:20]!r}; allowed: {known}; wtp token list shows them.")
    ended = sa.update(tables.api_token).where(_T.mark == mark, _T.revoked_at.is_(None)).values(revoked_at=now)
    if connection.execute(ended).rowcount:
        _log(connection, token, REVOKED, who, f"{token.name[:80]} ({mark})", now)
    return token


def _log(connection: sa.Connection, token: ApiToken, action: str, who: str, said: str, now: datetime) -> None:
    """In the log of the installation, and of every study that the token sees."""
    audit.add(connection, audit.INSTALLATION, action, who=who, reason=said, now=now)
    there = connection.execute(sa.select(tables.study.c.slug).order_by(tables.study.c.slug)).scalars().all()
    for slug in there:
        if token.may_see(slug):
            audit.add(connection, slug, action, who=who, reason=said, now=now)


def _hash(secret: str) -> str:
    """A random secret of 256 bits cannot be guessed, so that a slow hash of passwords would protect nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _query() -> sa.Select[tuple[object, ...]]:
    s = tables.staff.c
    may = sa.or_(_T.staff_id.is_(None), sa.and_(s.active, s.role.in_(MAKERS)))
    columns = [_T[name] for name in ApiToken.__slots__ if name not in {"maker_may", "maker_studies"}]
    limited = sa.and_(_T.staff_id.is_not(None), ~s.all_studies, s.role != "administrator")
    return sa.select(*columns, may.label("maker_may"), limited.label("limited")).outerjoin(
        tables.staff, _T.staff_id == s.id
    )


def _one(connection: sa.Connection, where: sa.ColumnElement[bool]) -> ApiToken | None:
    row = connection.execute(_query().where(where)).first()
    return _token(connection, row) if row else None


def _token(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> ApiToken:
    kept = dict(row._mapping)
    maker_studies = None
    if kept.pop("limited"):
        of = tables.staff_study.c
        maker_studies = tuple(connection.execute(sa.select(of.study).where(of.staff_id == row.staff_id)).scalars())
    kept |= {
        "scopes": tuple(row.scopes),
        "studies": None if row.studies is None else tuple(row.studies),
        "maker_may": bool(row.maker_may),
        "maker_studies": maker_studies,
    }
    return ApiToken(**kept)
