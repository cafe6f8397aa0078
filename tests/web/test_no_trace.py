"""P6 and P7: after whole interviews neither tables nor logs hold the address or the browser of anybody, nor a token or an answer in a log."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy as sa

from tests.web.conftest import Person
from tests.web.test_my_data import delete, token_of
from wtp.store import Database, tables

ADDRESS = "203.0.113.77"
BROWSER = "PlantedBrowser/7.7 (tell-tale)"
HEADERS = {
    "User-Agent": BROWSER,
    "X-Forwarded-For": "198.51.100.99",
    "X-Real-IP": "198.51.100.99",
    "Sec-CH-UA": '"PlantedBrand";v="1"',
    "Referer": "https://planted.example/where-from",
    "DNT": "1",
}
PLANTED = (ADDRESS, "203.0.113", "198.51.100", "PlantedBrowser", "tell-tale", "PlantedBrand", "planted.example")


class Device(Person):
    """A person on a device that says who it is in every way that browsers have."""

    def __init__(self, person: Person, environ: dict[str, str]) -> None:
        super().__init__(person.client)
        names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in HEADERS.items()}
        self.client.environ_base |= {"REMOTE_ADDR": ADDRESS, **names, **environ}


def dump(database: Database) -> str:
    with database.read() as connection:
        return repr([connection.execute(sa.select(table)).all() for table in tables.metadata.sorted_tables])


@pytest.mark.parametrize("environ", [{}, {"HTTP_COOKIE2": "fingerprint=planted.example"}])
def test_a_whole_interview_leaves_no_trace_of_the_device(
    person: Person,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    environ: dict[str, str],
) -> None:
    caplog.set_level(logging.DEBUG)
    device = Device(person, environ)
    device.walk("thanks")
    token = token_of(device)
    device.client.get("/s/supplier/nowhere")
    device.client.post("/s/supplier/prices", data={"revision": "x"})
    device.client.get(f"/s/supplier/r/{token}x")
    held = dump(database)
    assert held.count("core_problem") > 0  # the search can find what is there
    assert not [mark for mark in (*PLANTED, token) if mark in held]
    delete(device)
    said = "\n".join([caplog.text, *(repr(record.args) for record in caplog.records), *capfd.readouterr()])
    assert not [mark for mark in (*PLANTED, token) if mark in said]
    assert not [mark for mark in (*PLANTED, token) if mark in dump(database)]


def test_no_table_has_a_place_for_it() -> None:
    names = {f"{table.name}.{column.name}" for table in tables.metadata.sorted_tables for column in table.columns}
    telling = ("ip", "ip_address", "address", "user_agent", "agent", "fingerprint_of_device", "location", "referer")
    assert not [name for name in names if name.partition(".")[2] in telling]


def test_the_search_would_find_a_trace(person: Person, database: Database) -> None:
    """The control: one stored address is found."""
    Device(person, {}).open()
    person.open()
    person.send(person.filled())
    with database.begin() as connection:
        connection.execute(sa.update(tables.respondent).values(signs=[ADDRESS]))
    assert [mark for mark in PLANTED if mark in dump(database)] == [ADDRESS, "203.0.113"]
