"""The database and what is in it: durability, connections, clock, staff, logs that must not change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from wtp.doctor.finding import ERROR, OK, WARNING, Finding, Size, judged
from wtp.settings import Settings
from wtp.store import audit, backup, roles, staff, tables, versions
from wtp.survey import inspect_survey
from wtp.survey.load import DEFINITION_FILE

_LARGE_WAL = 64_000_000
_CLOCK = timedelta(seconds=5)
_BACKUP_DAYS = 2
_RESERVED = 3  # connections that PostgreSQL keeps for its administrator
_ANALYST_CONNECTIONS = 3  # the worker, its fit, the queue
_MOST_SAID = 5  # of what a role can do
_SYNCHRONOUS = {0: "off", 1: "normal", 2: "full", 3: "extra"}


def checks(connection: sa.Connection, settings: Settings, size: Size, now: datetime) -> Iterator[Finding]:
    """Everything about a database whose schema is current."""
    if connection.dialect.name == "sqlite":
        yield from _sqlite(connection, settings)
    else:
        yield from _postgresql(connection, size, now)
    yield _answers_in_the_future(connection, now)
    yield from _staff(connection)
    yield _audit(connection)
    yield from _studies(connection, settings.surveys)


def _sqlite(connection: sa.Connection, settings: Settings) -> Iterator[Finding]:
    version = connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    level = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    yield judged(
        "durability",
        f"SQLite {version}, journal {mode}, synchronous {_SYNCHRONOUS.get(level, level)}",
        state=OK if (mode, level) == ("wal", 2) else ERROR,
        allowed="journal wal, synchronous full",
        remedy="remove what changes it, or use a local disk",
    )
    path = Path(str(sa.make_url(settings.database_url).database))
    log = path.with_name(path.name + "-wal")
    length = log.stat().st_size if log.exists() else 0
    yield judged(
        "write-ahead log",
        f"{length / 1e6:.0f} MB",
        state=OK if length < _LARGE_WAL else WARNING,
        allowed=f"less than {_LARGE_WAL / 1e6:.0f} MB",
        remedy="something reads for very long: end it, or start the server again; nothing is lost",
    )


def _postgresql(connection: sa.Connection, size: Size, now: datetime) -> Iterator[Finding]:
    def shown(setting: str) -> str:
        return str(connection.exec_driver_sql(f"SHOW {setting}").scalar_one())

    said = {name: shown(name) for name in ("synchronous_commit", "fsync", "full_page_writes")}
    yield judged(
        "durability",
        f"PostgreSQL {shown('server_version')}, " + ", ".join(f"{name} {value}" for name, value in said.items()),
        state=ERROR if "off" in said.values() else OK,
        allowed="none of them off",
        remedy="change it in postgresql.conf",
    )
    needed = size.hosts * (size.workers * (size.threads + 1) + size.analysts * _ANALYST_CONNECTIONS) + _RESERVED
    most = int(shown("max_connections"))
    yield judged(
        "connections",
        f"max_connections {most}, needed up to {needed} ({size.hosts} x ({size.workers} workers x {size.threads} threads + {size.analysts} analysts))",
        state=OK if needed <= most else WARNING,
        allowed=f"at least {needed}",
        remedy="raise max_connections in postgresql.conf, or start fewer workers",
    )
    apart = abs(connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one() - now)
    yield judged(
        "clock",
        f"{apart.total_seconds():.1f} seconds from the database's",
        state=OK if apart <= _CLOCK else WARNING,
        allowed=f"at most {_CLOCK.seconds} seconds",
        remedy="let both machines take their time from a time server",
    )
    ssl, local = connection.exec_driver_sql(
        "SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),"
        " coalesce(inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1', true)"
    ).one()
    yield judged(
        "way to the database",
        "this machine" if local else "encrypted" if ssl else "in the clear",
        state=OK if local or ssl else WARNING,
        allowed="encrypted, or a network of its own",
        remedy="add ?sslmode=verify-full to the setting database, unless nobody else is on that network",
    )
    yield _analysts_role(connection)


def _analysts_role(connection: sa.Connection) -> Finding:
    """Nobody needs it; but one that is there must not open what it was made to keep closed."""
    role = roles.look(connection)
    if not role.there:
        return Finding(
            "analysts' role", OK, "none; wtp privacy role makes one that reads answers and nothing of persons"
        )
    if role.too_much:
        return Finding(
            "analysts' role",
            ERROR,
            "; ".join(role.too_much[:_MOST_SAID]) + (" and more" if len(role.too_much) > _MOST_SAID else ""),
            f"{role.name} and its members read answers alone",
            "take from them what they have from elsewhere (REVOKE ... FROM, also FROM PUBLIC), then wtp privacy role",
        )
    return judged(
        "analysts' role",
        f"{role.name} cannot read {', '.join(role.too_little)}"
        if role.too_little
        else f"{role.name} reads answers alone",
        state=WARNING if role.too_little else OK,
        allowed="reading all answers",
        remedy="wtp privacy role renews it",
    )


def _answers_in_the_future(connection: sa.Connection, now: datetime) -> Finding:
    a = tables.answer.c
    last = connection.execute(sa.select(a.answered_at).order_by(a.id.desc()).limit(1)).scalar_one_or_none()
    ahead = last is not None and last - now > _CLOCK
    return judged(
        "clock and answers",
        f"the last answer is {last - now} ahead" if last and ahead else "no answer lies ahead",
        state=WARNING if ahead else OK,
        allowed="none",
        remedy="the clock was set back: let it follow a time server; order is kept, but durations may be flagged",
    )


def _staff(connection: sa.Connection) -> Iterator[Finding]:
    active = [member for member in staff.members(connection) if member.active]
    rulers = [member for member in active if member.role == "administrator"]
    yield judged(
        "staff",
        f"{len(active)} active, {len(rulers)} administrators",
        state=OK if rulers else WARNING,
        allowed="at least one administrator",
        remedy="wtp user add NAME --role administrator",
    )
    without = [member.name for member in rulers if member.factor is None]
    yield judged(
        "second factors",
        f"administrators without: {', '.join(without)}" if without else "all administrators have one",
        state=WARNING if without else OK,
        allowed="one for each administrator",
        remedy="each sets it up on the page of his own account",
    )
    demo = [member.name for member in active if member.name.startswith("demo-")]
    if demo:
        yield Finding("demo logins", WARNING, ", ".join(demo), "none in the field", "wtp user disable NAME for each")


def _audit(connection: sa.Connection) -> Finding:
    logs = {slug: audit.entries(connection, slug) for slug in (audit.INSTALLATION, *audit.studies(connection))}
    broken = {slug: number for slug, log in logs.items() if (number := audit.first_broken(slug, log)) is not None}
    return judged(
        "audit logs",
        ", ".join(f"{slug or 'installation'} broken from entry {number} on" for slug, number in broken.items())
        or f"{sum(map(len, logs.values()))} entries in the logs of {len(logs) - 1} studies and the installation, unbroken",
        state=ERROR if broken else OK,
        allowed="unbroken",
        remedy="somebody changed the database past the program: find out who, and compare with a backup",
    )


def _studies(connection: sa.Connection, folder: Path) -> Iterator[Finding]:
    """Whether this machine has the studies that are in use: on several hosts a folder of its own on each would not."""
    for place in sorted(path.parent for path in folder.glob(f"*/{DEFINITION_FILE}")):
        survey, mistakes = inspect_survey(place)
        newest = versions.last(connection, place.name)
        if survey is None or mistakes or newest is None:
            continue
        if survey.definition.fingerprint != newest.fingerprint:
            yield Finding(
                f"study {place.name}",
                WARNING,
                f"{place} is not its version in use, number {newest.number}",
                "the same",
                "let all hosts share one folder of surveys; a file that was just changed is taken over with the next request",
            )


def backups(folder: Path, now: datetime) -> Finding:
    """How old the newest backup is, and whether older ones are there than erased people may lie in."""
    made = backup.times(folder)
    days = (now - made[-1]).days if made else None
    late, long = days is None or days >= _BACKUP_DAYS, bool(made) and (now - made[0]).days > backup.KEPT_DAYS + 1
    found = f"{folder}: " + (
        f"{len(made)}, the newest {days} days old, the oldest {(now - made[0]).days}" if made else "none"
    )
    return judged(
        "backups",
        found,
        state=WARNING if late or long else OK,
        allowed=f"one of less than {_BACKUP_DAYS} days, none of more than {backup.KEPT_DAYS}",
        remedy=f"wtp backup {folder} --keep {backup.KEPT_DAYS} every night (wtp deploy systemd has a timer); --backups names another folder",
    )
