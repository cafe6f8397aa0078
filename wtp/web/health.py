"""Two questions of whoever runs the server: does the process live, and could it keep an answer now?"""

from __future__ import annotations

from flask import Blueprint

from wtp.errors import StoreError
from wtp.web import running

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> str:
    """The process answers."""
    return "ok\n"


@blueprint.get("/readyz")
def ready() -> tuple[str, int]:
    """The database can be written, durably. 503 with the reason if not."""
    database = running.database()
    try:
        database.check()
        with database.begin():
            pass
    except StoreError as error:
        return f"{error}\n", 503
    return "ok\n", 200
