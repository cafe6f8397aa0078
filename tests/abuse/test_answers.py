"""What respondents send, page after page of the study with every kind of question: nothing makes a fault, and nothing is stored that the page did not ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.abuse import hostile
from tests.abuse.conftest import watched
from tests.abuse.walk import fields_of
from tests.every import SLUG, every_question
from tests.web.every.people import Pages, everybody
from wtp.settings import Settings
from wtp.store import Database, tables
from wtp.web import create_app
from wtp.web.security import limiter

INPUTS = 2_000  # of both kinds of database together
PAGES = 20


@pytest.fixture(scope="module")
def surveys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("surveys")
    every_question(place)
    return place


@pytest.fixture
def app(surveys: Path, database_url: str, tmp_path: Path) -> Iterator[Flask]:
    app = create_app(Settings(instance=tmp_path / "own", surveys=surveys, database=database_url))
    app.config["PROPAGATE_EXCEPTIONS"] = True
    limiter.enabled = False
    with app.extensions["wtp_database"]:
        yield app
    limiter.enabled = True


def sent_by(page: Pages) -> dict[str, list[str]]:
    """What a browser would send of the open page, answered."""
    form = page.soup.select_one("main form")
    assert form is not None
    return fields_of(form) | {name: [str(value)] for name, value in page.first().items()}


def send_wrong(page: Pages, step: str, valid: dict[str, list[str]], draw: Callable[[st.SearchStrategy[Any]], Any]) -> int:  # fmt: skip
    """The form of a step with something wrong in it, or a draft of it."""
    draft = draw(st.sampled_from((False, False, False, True)))
    if draft:
        valid = valid | {"sender": ["abc"], "number": ["1"], "changed": [",".join(valid)]}
    pairs = draw(hostile.fields({name: values for name, values in valid.items() if name != "csrf_token"}))
    pairs = [("csrf_token", valid["csrf_token"][0]), *pairs]
    body = urlencode([(n.encode("utf-8", "surrogatepass"), v.encode("utf-8", "surrogatepass")) for n, v in pairs])
    with watched():
        reply = page.client.post(
            f"/s/{SLUG}/{step}{'/draft' if draft else ''}",
            data=body,
            content_type="application/x-www-form-urlencoded",
        )
    assert reply.status_code < 500, (step, body[:500], reply.text[:500])
    return reply.status_code


def test_no_answer_makes_a_fault(app: Flask, rounds: Callable[[int], int]) -> None:
    page, seen = Pages(app.test_client()), Counter[int]()
    each = -(-rounds(INPUTS) // 2 // PAGES)

    def answer_wrongly(step: str, valid: dict[str, list[str]]) -> None:
        @seed(1)
        @settings(max_examples=each, phases=[Phase.generate], deadline=None, database=None, suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(st.data())
        def ask(data: st.DataObject) -> None:
            if page.get(step).status_code == 200:  # else it was answered by chance, and is sent again as it was
                valid["revision"] = fields_of(page.soup.select_one("main form"))["revision"]
            seen[send_wrong(page, step, valid, data.draw)] += 1

        ask()

    steps = 0
    while page.step != "thanks":
        step = page.step
        answer_wrongly(step, sent_by(page))
        if page.get(step).status_code == 200:
            page.send(**page.first())
        else:
            page.get(page.client.get(f"/s/{SLUG}").location.rpartition("/")[2])
        steps += 1
    assert steps >= PAGES - 2
    assert {204, 303, 422} <= set(seen)
    for words in everything(app.extensions["wtp_database"]):
        assert "\0" not in words
        assert "\\u0000" not in words


def everything(database: Database) -> list[str]:
    """Whatever is stored, as text."""
    with database.read() as connection:
        return [str(row) for table in tables.metadata.sorted_tables for row in connection.execute(sa.select(table))]


def test_fields_that_a_page_does_not_have_are_never_stored(surveys: Path, tmp_path: Path) -> None:
    """A whole interview with forged fields on every page."""
    app = create_app(Settings(instance=tmp_path, surveys=surveys))
    forged = dict.fromkeys(hostile.FORGED, "31337") | {"token": "x31337", "lot": "31337", "language": "xx", "shown_at": "31337", "q-nothing": "31337", "test": "1"}  # fmt: skip
    del forged["csrf_token"]
    page = Pages(app.test_client())
    while page.step != "thanks":
        page.send(**forged, **page.first())
    database, definition = app.extensions["wtp_database"], app.extensions["wtp_surveys"][SLUG].definition
    with database.read() as connection:
        row = connection.execute(sa.select(tables.respondent)).one()
    kept = (row.number, row.simulated, row.test, row.language, row.outcome, row.ended_by, row.source, row.panel_id, row.import_id, row.external_id)  # fmt: skip
    assert kept == (1, False, False, "en", "completed", None, "link", None, None, None)
    assert not [words for words in everything(database) if "31337" in words]
    (person,) = everybody(database)
    prices = set(definition.price.levels)
    assert person.choices
    assert {offer.price for choice in person.choices for offer in choice.task.alternatives} <= prices
    database.engine.dispose()
