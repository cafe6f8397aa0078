"""Two questions of whoever runs the server: does the process live, and could it keep an answer now?

What makes an answer impossible is a 503, so that a proxy asks another host. What can wait is only said, with 200: a host whose background analyses are not made, or whose disk is filling
up, still takes answers, and taking it out of service would lose them. Anybody may ask, so reasons name no place; the log and `wtp doctor` do.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from flask import Blueprint, current_app

from wtp.disk import space
from wtp.errors import StoreError
from wtp.settings import Settings
from wtp.store import Database, heartbeats
from wtp.web import running

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> str:
    """The process answers."""
    return "ok\n"


@blueprint.get("/readyz")
def ready() -> tuple[str, int]:
    """The database can be written, durably: ok, and below what is degraded meanwhile; else 503."""
    database = running.database()
    try:
        database.check()
        with database.begin():
            pass
        return "".join(f"{line}\n" for line in ["ok", *_degraded(database)]), 200
    except StoreError as error:
        current_app.logger.error("not ready: %s", error)  # noqa: TRY400  # in words already
        return "not ready: no answer can be kept; the log says why\n", 503


def _degraded(database: Database) -> Iterator[str]:
    now = datetime.now(UTC)
    with database.read() as connection:
        silent = heartbeats.silent_for(connection, now)
    if silent is None or silent > heartbeats.LATE:
        yield "degraded: no worker of background analyses is alive; answers are kept, analyses wait"
    settings: Settings = current_app.extensions["wtp_settings"]
    if space(settings.instance).is_low:
        yield "degraded: less than 1 GB or 5 % of the disk is free"
