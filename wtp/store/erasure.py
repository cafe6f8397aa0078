"""Erasure: everything of one person goes, in the caller's transaction, and what held it among others goes too; a hash of the token stays, so that nothing of it comes back.

What is erased: the respondent with answers, revisions, choices, drafts, times and decisions, the place in quotas (free again: the study needs somebody else), the invitation with the
contact data, the pseudonym as a customer and what was known of him (contacts and purchases stay, of nobody), the key under which `told` counts him, kept figures of single persons, the report on data quality, and copies of answers in analyses that are under way, which
are cancelled. Figures of many made before stay; `tombstones.count` says how many were erased since.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from wtp.store import access, audit, background_jobs, customers, quotas, results, tables, told, tombstones
from wtp.store.deletion import delete_person
from wtp.store.respondents import token_hash
from wtp.store.tombstones import CUT, ERASED

LIST_FILE = "erased.txt"
_LINE = re.compile(r"(erased|cut) ([a-z0-9_-]{1,80}) ([0-9a-f]{64}) (\S+)")
_R, _I, _E = tables.respondent.c, tables.invitation.c, tables.erasure.c


# Kind, study, hash of the token, and when.
Listed = tuple[str, str, str, datetime]


@dataclass(frozen=True, slots=True)
class Erased:
    """What was deleted. number: the respondent's, None for somebody who was only invited; jobs: analyses that were cancelled, whose checkpoints hold the answers too."""

    study: str
    number: int | None
    jobs: tuple[int, ...] = ()


def erase(connection: sa.Connection, slug: str, token: str, *, who: str, reason: str, now: datetime) -> Erased | None:
    """Delete everything of the person with this token; None if nothing was stored of him. A second call finds nothing and does no harm."""
    return erase_hash(connection, slug, token_hash(slug, token), who=who, reason=reason, now=now)


def erase_reference(
    connection: sa.Connection, slug: str, reference: str, *, who: str, reason: str, now: datetime
) -> tuple[Erased, ...]:
    """The same for whoever was invited, came from a panel, or was imported under this name."""
    found = access.reference(connection, slug, reference)
    made = (erase_hash(connection, slug, key, who=who, reason=reason, now=now) for key in found)
    return tuple(erased for erased in made if erased)


def find_token(connection: sa.Connection, token: str) -> tuple[str, ...]:
    """The studies in which something is stored under a token."""
    slugs = connection.execute(sa.select(tables.study.c.slug).order_by(tables.study.c.slug)).scalars().all()
    return tuple(slug for slug in slugs if _stored(connection, token_hash(slug, token)))


def listed(connection: sa.Connection) -> frozenset[Listed]:
    """The list of a database, whatever its schema; to be applied again to what takes its place."""
    return frozenset(_in_table(connection)) if sa.inspect(connection).has_table(tables.erasure.name) else frozenset()


def apply_again(connection: sa.Connection, instance: Path | None = None, also: Iterable[Listed] = ()) -> int:
    """After a restore: erase, or cut off, everybody again who is on the list of the database, in the file of the instance folder, or on a list of before. How many persons there was something of."""
    again = 0
    said = "erased before, and again after a backup was restored"
    for kind, slug, key, at in sorted({*_in_table(connection), *(_in_file(instance) if instance else ()), *also}):
        if not _stored(connection, key):
            tombstones.add(connection, slug, key, kind, at)
        elif kind == CUT:
            again += cut_off(connection, slug, key, now=at)
        else:
            again += erase_hash(connection, slug, key, who="wtp", reason=said, now=at) is not None
    return again


def keep_list(connection: sa.Connection, instance: Path) -> int:
    """Bring the file of the instance folder up to date with the list, so that it outlives the database; how many lines are new. Call it when the erasure is committed."""
    missing = sorted({*_in_table(connection)} - {*_in_file(instance)}, key=lambda line: (line[3], line))
    if missing:
        instance.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{kind} {slug} {key} {at.isoformat()}\n" for kind, slug, key, at in missing)
        descriptor = os.open(instance / LIST_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
    return len(missing)


def cut_off(connection: sa.Connection, slug: str, key: str, *, now: datetime) -> bool:
    """Cut an interview that is completed from its person: no token leads to it any more, and the invitation says no more than that it is done. Whether there was anything to cut."""
    found = connection.execute(sa.select(_R.id).where(_R.token_hash == key)).first()
    tombstones.add(connection, slug, key, CUT, now.replace(hour=0, minute=0, second=0, microsecond=0))
    if found is None:
        return False
    connection.execute(sa.update(tables.invitation).where(_I.token_hash == key).values(done=True))
    nobody = {"token_hash": os.urandom(32).hex(), "panel_id": None}
    connection.execute(
        sa.delete(tables.customer_respondent).where(tables.customer_respondent.c.respondent_id == found.id)
    )
    connection.execute(sa.update(tables.respondent).where(_R.id == found.id).values(**nobody))
    return True


def erase_hash(
    connection: sa.Connection, slug: str, key: str, *, who: str, reason: str, now: datetime
) -> Erased | None:
    """The same by the hash of the token."""
    # Nobody begins meanwhile, and whoever saves a page of this interview comes before or finds nothing.
    connection.execute(sa.select(tables.study.c.slug).where(tables.study.c.slug == slug).with_for_update())
    columns = (_R.id, _R.number, _R.simulated, _R.test, _R.consented_at)
    person = connection.execute(
        sa.select(*columns).where(_R.token_hash == key, _R.study == slug).with_for_update()
    ).first()
    gone = connection.execute(sa.delete(tables.invitation).where(_I.token_hash == key, _I.study == slug)).rowcount
    if person is None and not gone:
        return None
    jobs: tuple[int, ...] = ()
    if person is not None:
        quotas.release(connection, slug, person.id, simulated=person.simulated)
        customers.forget_linked(connection, slug, person.id)
        delete_person(connection, person.id)
        customers.tidy(connection, slug)
        if person.consented_at is not None and not person.test:
            told.forget(connection, slug, [person.number])
            results.drop_people(connection, slug)
            jobs = background_jobs.cancel_study(connection, slug, now, reason=background_jobs.ERASED)
    number = person.number if person is not None and not person.test else None
    tombstones.add(connection, slug, key, ERASED, now, number=number)
    audit.add(connection, slug, audit.ERASED, who=who, reason=reason, now=now)
    return Erased(slug, number, jobs)


def _stored(connection: sa.Connection, key: str) -> bool:
    query = sa.union(
        sa.select(_R.token_hash).where(_R.token_hash == key), sa.select(_I.token_hash).where(_I.token_hash == key)
    )
    return connection.execute(query).first() is not None


def _in_table(connection: sa.Connection) -> Iterator[Listed]:
    for row in connection.execute(sa.select(_E.kind, _E.study, _E.token_hash, _E.happened_at)):
        yield row.kind, row.study, row.token_hash, row.happened_at


def _in_file(instance: Path) -> Iterator[Listed]:
    """A line that was cut short, as when the disk was full, is left out: the list in the database has it."""
    path = instance / LIST_FILE
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    for line in text.splitlines():
        if found := _LINE.fullmatch(line):
            kind, slug, key, at = found.groups()
            yield kind, slug, key, datetime.fromisoformat(at).astimezone(UTC)
