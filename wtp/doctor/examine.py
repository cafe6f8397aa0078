"""All checks in the order in which they are read; a check that cannot be made says so and keeps none of the others from being made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from wtp.doctor import address, kept, place, work
from wtp.doctor.finding import ERROR, OK, WARNING, Finding, Size
from wtp.errors import WtpError
from wtp.settings import Settings
from wtp.store import open_database


def examine(settings: Settings, size: Size) -> tuple[Finding, ...]:
    """Look at everything."""
    return tuple(_findings(settings, size))


def _findings(settings: Settings, size: Size) -> Iterator[Finding]:
    yield from place.checks(settings)
    yield from address.checks(settings)
    try:
        yield from _database(settings, size)
    except WtpError as error:
        yield Finding("database", ERROR, str(error), "one that can be read and is current", "mend what it names")


def _database(settings: Settings, size: Size) -> Iterator[Finding]:
    url = sa.make_url(settings.database_url) if settings.database else None
    if url is None or url.get_backend_name() == "sqlite":
        path = Path(str(url.database)) if url else settings.instance / "wtp.sqlite"
        if not path.exists():  # opening it would make it
            yield Finding("database", WARNING, f"{path}: missing", "there", "wtp serve makes it at its first start")
            return
    now = datetime.now(UTC)
    with open_database(*settings.kept_in) as database:
        database.check()
        yield Finding("schema", OK, "current")
        with database.read() as connection:
            yield from kept.checks(connection, settings, size, now)
            yield from work.checks(connection, now)
    yield from work.queue(settings)
