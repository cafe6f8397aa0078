"""An installation in which whatever somebody stored is a payload: every text of the studies, contacts, measures, names of files and of people."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from tests.abuse.conftest import House, furnish, surveys_of_its_own
from tests.abuse.hostile import XSS
from wtp.settings import Settings
from wtp.store import contacts, measures, tables
from wtp.survey.editing import edited
from wtp.survey.texts import texts_of
from wtp.web.security import limiter

# What people type that no form of these tests typed: table -> columns.
TYPED = {"imported_file": ("name", "made_by"), "api_token": ("name",), "background_job": ("started_by",)}


def poison(file: Path) -> int:
    """Put a payload into every text of a study; how many texts there are."""
    source = file.read_text(encoding="utf-8")
    found = texts_of(tomllib.loads(source))
    changes = {
        (*text.place, language): f"{XSS[number % len(XSS)]} {number}"
        for number, text in enumerate(found)
        for language in text.texts
    }
    file.write_text(edited(source, changes), encoding="utf-8")
    return len(found)


@contextmanager
def poisoned_house(place: Path) -> Iterator[House]:
    """Furnished in this folder, without limits of how often one may ask."""
    surveys = surveys_of_its_own(place / "surveys")
    assert sum(poison(surveys / slug / "survey.toml") for slug in ("supplier", "every", "earlier")) > 3 * len(XSS)
    house = furnish(Settings(instance=place / "instance", surveys=surveys))
    now, payloads, numbers = datetime.now(UTC), iter(XSS * 9), count(1_000)
    with house.app.extensions["wtp_database"].begin() as connection:
        for payload in XSS:
            call = contacts.Contact(now, "phone", "fault", payload, customer=payload)
            contacts.record(connection, "supplier", call, submission=str(next(numbers)), who=payload[:80], now=now, secret="s")  # fmt: skip
            plan = measures.Plan("offer", payload, None, payload, None, payload)
            grounds = measures.Grounds("worth", "all", payload, "en")
            measures.add(connection, "supplier", plan, grounds, submission=str(next(numbers)), who=payload, now=now)
        for table, columns in TYPED.items():
            kept = tables.metadata.tables[table]
            for column in columns:
                connection.execute(sa.update(kept).values({column: next(payloads)}))
    limiter.enabled = False
    yield house
    limiter.enabled = True
    house.app.extensions["wtp_database"].engine.dispose()
