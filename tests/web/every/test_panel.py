"""Signed addresses of a panel: who comes by one, who is refused, who goes back with one, and that a name of the panel counts once."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.every import SLUG, every_question
from tests.web.every.people import Pages
from wtp.settings import Settings
from wtp.store import Database, panel_keys, respondents, studies, tables
from wtp.survey.editing import Place, edited
from wtp.survey.privacy import CUT_AT_END
from wtp.web import create_app, entry
from wtp.web.panel import signature, signed, wrong_with
from wtp.web.security import limiter

BASE = "http://127.0.0.1:8000"
NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
KEY = "the-key-that-the-panel-gave-us"
SIGNED = {("panel", "sign_back"): True, ("panel", "check_links"): True}
Make = Callable[..., Flask]


class Clock:
    """What the server believes the time to be."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    told = Clock()
    monkeypatch.setattr(entry, "now", told)
    return told


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("signing")
    every_question(place, SIGNED)
    return place


@pytest.fixture
def make(signing: Path, tmp_path: Path, clock: Clock) -> Iterator[Make]:
    """Gives an application with the study changed in what needs no other design; it has the panel's key."""
    opened = []

    def made(changes: Mapping[Place, Any] | None = None, *, database: str = "", key: str | None = KEY) -> Flask:
        surveys = tmp_path / "surveys"
        shutil.copytree(signing, surveys)
        file = surveys / SLUG / "survey.toml"
        file.write_text(edited(file.read_text(encoding="utf-8"), changes or {}), encoding="utf-8")
        app = create_app(Settings(instance=tmp_path / "instance", surveys=surveys, database=database))
        opened.append(app)
        with app.app_context():
            limiter.reset()
        if key:
            with database_of(app).begin() as connection:
                panel_keys.make(connection, SLUG, secret=secret(app), who="ann", now=clock(), given=key)
        return app

    yield made
    for app in opened:
        database_of(app).engine.dispose()
        app.extensions["wtp_queue"].close()


@pytest.fixture
def app(make: Make) -> Flask:
    return make()


def database_of(app: Flask) -> Database:
    found: Database = app.extensions["wtp_database"]
    return found


def secret(app: Flask) -> str:
    return app.secret_key if isinstance(app.secret_key, str) else bytes(app.secret_key or b"").hex()


def rows(app: Flask, table: sa.Table = tables.respondent) -> list[Any]:
    with database_of(app).read() as connection:
        return list(connection.execute(sa.select(table)).all())


def by_hand(key: str, text: str) -> str:
    """HMAC-SHA-256 as RFC 2104 writes it, of hashes alone."""
    block = key.encode().ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + text.encode()).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).hexdigest()


def link(clock: Clock, name: str = "A%26B", *, key: str = KEY, seconds: float = 0, before: str = "", base: str = BASE, slug: str = SLUG) -> str:  # fmt: skip
    """A link that the panel signed so many seconds from now."""
    stamp = int((clock() + timedelta(seconds=seconds)).timestamp())
    address = f"{base}/s/{slug}?{before}pid={name}&ts={stamp}"
    return f"{address}&sig={by_hand(key, address)}"


def path(address: str) -> str:
    """What the browser asks the server for."""
    return "/" + address.partition("://")[2].partition("/")[2]


def comes(app: Flask, address: str, *, language: str = "en") -> tuple[FlaskClient, TestResponse]:
    client = app.test_client()
    return client, client.get(path(address), headers={"Accept-Language": language})


def heading(reply: TestResponse) -> str:
    found = BeautifulSoup(reply.text, "html.parser").select_one("h1")
    assert found is not None
    return found.get_text(strip=True)


def goes_back(client: FlaskClient, text: str) -> str:
    """Press the button back to the panel."""
    button = BeautifulSoup(text, "html.parser").select_one("main a.button")
    assert button is not None
    assert button["href"] == f"/s/{SLUG}/e/panel", "signed when it is clicked, not before"
    reply = client.get(str(button["href"]))
    assert reply.status_code == 303
    return reply.location


# The signature itself


def test_a_signature_is_what_the_rfc_says() -> None:
    """RFC 4231, test case 2."""
    assert signature(b"what do ya want for nothing?", "Jefe") == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"  # fmt: skip
    assert by_hand("Jefe", "what do ya want for nothing?") == signature(b"what do ya want for nothing?", "Jefe")


@pytest.mark.parametrize(
    ("address", "stamped"),
    [
        ("https://panel.example/back?id=1", "https://panel.example/back?id=1&ts=1795694400"),
        ("https://panel.example/back", "https://panel.example/back?ts=1795694400"),
        ("https://panel.example/back?", "https://panel.example/back?ts=1795694400"),
        ("https://panel.example/back?id=1&", "https://panel.example/back?id=1&ts=1795694400"),
    ],
)
def test_an_address_gets_time_and_signature_at_its_end(app: Flask, address: str, stamped: str) -> None:
    panel = app.extensions["wtp_surveys"][SLUG].definition.panel
    whole = signed(address, panel, KEY, NOON)
    assert whole == f"{stamped}&sig={by_hand(KEY, stamped)}"
    assert wrong_with(whole.encode(), panel, [KEY], NOON) is None


# Back to the panel


def test_each_end_is_signed_at_the_click(make: Make, clock: Clock) -> None:
    app = make({("quotas", 0, "limit"): 1})
    for car, name, status in (("private", "1", "complete"), ("no", "2", "out"), ("company", "4", "full")):
        if status == "full":
            first = Pages(comes(app, link(clock, "3"))[0])
            first.walk("about")
            first.send(**{"q-has_car": "company", "q-brands": "nothing", "q-age": "3"})
            assert first.step == "fleet"
        client, _ = comes(app, link(clock, name))
        person = Pages(client)
        person.walk("about")
        person.send(**{"q-has_car": car, "q-brands": "nothing", "q-age": "3"})
        if status == "complete":
            person.finish()
        clock.pass_(hours=2)
        went = goes_back(client, person.text)
        address = f"https://panel.example.com/back?status={status}&id={name}&ts={int(clock().timestamp())}"
        assert went == f"{address}&sig={by_hand(KEY, address)}"
        clock.pass_(seconds=1)
        assert goes_back(client, person.text) != went, "each click has its own time"


def test_a_study_that_signs_nothing_gives_the_address_itself(make: Make) -> None:
    app = make({("panel", "sign_back"): None, ("panel", "check_links"): None}, key=None)
    client, _ = comes(app, f"{BASE}/s/{SLUG}?pid=1")
    person = Pages(client)
    person.walk("about")
    person.send(**{"q-has_car": "no", "q-brands": "nothing", "q-age": "3"})
    button = person.soup.select_one("main a.button")
    assert button is not None
    assert button["href"] == "https://panel.example.com/back?status=out&id=1"
    assert client.get(f"/s/{SLUG}/e/panel").location == button["href"]
    assert rows(app, tables.panel_key) == []


def test_a_study_without_a_key_gets_one_before_it_signs(make: Make, clock: Clock) -> None:
    app = make({("panel", "check_links"): None}, key=None)
    client, _ = comes(app, f"{BASE}/s/{SLUG}?pid=1")
    person = Pages(client)
    person.walk("about")
    person.send(**{"q-has_car": "no", "q-brands": "nothing", "q-age": "3"})
    went = goes_back(client, person.text)
    with database_of(app).read() as connection:
        key = panel_keys.current(connection, SLUG, secret=secret(app))
    assert key is not None
    assert went.endswith(f"&sig={by_hand(key.key, went.rpartition('&sig=')[0])}")
    goes_back(client, person.text)
    assert len(rows(app, tables.panel_key)) == 1


def test_nobody_goes_to_the_panel_before_the_end_or_without_one(app: Flask, clock: Clock) -> None:
    client, _ = comes(app, link(clock))
    person = Pages(client)
    person.walk("about")
    for somebody in (client, app.test_client()):
        assert somebody.get(f"/s/{SLUG}/e/panel").location == f"/s/{SLUG}"


@pytest.mark.parametrize("checked", [True, None])
def test_tests_and_simulated_respondents_are_never_signed(make: Make, clock: Clock, checked: bool | None) -> None:
    app = make({("panel", "check_links"): checked})
    invited = respondents.new_token()
    with database_of(app).begin() as connection:
        respondents.invite(connection, SLUG, invited, simulated=True, now=clock())
    for token in (respondents.new_token(test=True), invited):
        client = app.test_client()
        with client.session_transaction() as session:
            session[entry.token_key(SLUG)], session[entry.panel_key(SLUG)] = token, "A"
        person = Pages(client)
        person.walk("about")
        person.send(**{"q-has_car": "no", "q-brands": "nothing", "q-age": "3"})
        assert person.path == f"/s/{SLUG}/e/end"
        key = respondents.token_hash(SLUG, token)
        assert [one.panel_id for one in rows(app) if one.token_hash == key] == [None]
        with database_of(app).begin() as connection:  # even if a row of theirs had a name of the panel
            connection.execute(sa.update(tables.respondent).where(tables.respondent.c.token_hash == key).values(panel_id=token[:9]))  # fmt: skip
        assert "/e/panel" not in person.get("e/end").text
        assert client.get(f"/s/{SLUG}/e/panel").location == f"/s/{SLUG}"
    assert rows(app, tables.panel_entry) == []


# Links that come in


def test_a_signed_link_opens_the_survey(app: Flask, clock: Clock) -> None:
    client, reply = comes(app, link(clock, before="lang=de&source=x%20y&"))
    assert (reply.status_code, reply.location) == (303, f"/s/{SLUG}/consent")
    person = Pages(client)
    assert rows(app) == [], "nothing before consent"
    person.walk("about")
    [found] = rows(app)
    assert (found.panel_id, found.source) == ("A&B", "panel")
    assert "A&B" not in str(rows(app, tables.panel_entry))


def _parted(address: str) -> tuple[str, str, str]:
    """Where it leads, its signature, and its other parameters."""
    before, _, digits = address.partition("&sig=")
    where, _, parameters = before.partition("?")
    return where, digits, parameters


TAMPERED: dict[str, Callable[[str], str]] = {
    "no signature": lambda a: a.partition("&sig=")[0],
    "empty signature": lambda a: a.partition("&sig=")[0] + "&sig=",
    "no time": lambda a: a.partition("&ts=")[0] + "&sig=" + a.partition("&sig=")[2],
    "the name alone": lambda a: a.partition("&")[0],
    "another name": lambda a: a.replace("pid=A%26B", "pid=A%26C"),
    "the name written otherwise": lambda a: a.replace("pid=A%26B", "pid=%41%26B"),
    "no name": lambda a: a.replace("pid=A%26B", "pid="),
    "a second name in front": lambda a: a.replace("?", "?pid=other&"),
    "a name behind": lambda a: a + "&pid=other",
    "something behind": lambda a: a + "&utm_source=mail",
    "something in front": lambda a: a.replace("?", "?source=mail&"),
    "a later time": lambda a: a.replace("&ts=17", "&ts=18"),
    "a second time": lambda a: a.replace("&sig=", "&ts=1&sig="),
    "one digit": lambda a: a[:-1] + ("0" if a[-1] != "0" else "1"),
    "one digit less": lambda a: a[:-1],
    "one digit more": lambda a: a + "0",
    "signed twice": lambda a: a + "&sig=" + "0" * 64,
    "the order": lambda a: a.replace("pid=A%26B&", "").replace("&sig=", "&pid=A%26B&sig="),
    "the signature first": lambda a: "{}?sig={}&{}".format(*_parted(a)),
    "other digits": lambda a: a.partition("&sig=")[0] + "&sig=" + "\N{FULLWIDTH DIGIT ONE}" * 64,
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_link_that_was_changed_is_refused_and_nothing_is_stored(app: Flask, clock: Clock, how: str) -> None:
    good = link(clock)
    changed = TAMPERED[how](good)
    assert changed != good
    client, reply = comes(app, changed)
    assert (reply.status_code, heading(reply)) == (403, "This link is not valid")
    assert "Nothing was stored" in reply.text
    with client.session_transaction() as session:
        assert not {entry.token_key(SLUG), entry.panel_key(SLUG)} & set(session)
    assert rows(app) == rows(app, tables.panel_entry) == []
    assert comes(app, good)[1].status_code == 303, "the link itself is good"


def test_a_link_of_another_host_study_or_key_is_refused(app: Flask, clock: Clock) -> None:
    others = [link(clock, base=base) for base in ("https://127.0.0.1:8000", "http://127.0.0.1", "http://evil.example")]
    others += [link(clock, slug="other").replace("/s/other", f"/s/{SLUG}"), link(clock, key="another-key-of-a-panel")]
    for address in others:
        reply = app.test_client().get(path(address), headers={"Host": urlsplit(address).netloc})
        assert (reply.status_code, heading(reply)) == (403, "This link is not valid")
    good = app.test_client().get(path(link(clock)), headers={"Host": "evil.example"})
    assert good.status_code == 303, "what counts is the address that people are given, not the host that is asked"


@pytest.mark.parametrize(("seconds", "taken"), [(-300, True), (-301, False), (60, True), (61, False), (-86_400, False), (86_400, False)])  # fmt: skip
def test_a_link_counts_for_five_minutes(app: Flask, clock: Clock, seconds: int, taken: bool) -> None:
    _, reply = comes(app, link(clock, seconds=seconds))
    if taken:
        assert reply.status_code == 303
        return
    assert (reply.status_code, heading(reply)) == (403, "This link has expired")
    assert rows(app) == []


@pytest.mark.parametrize("stamp", ["", "&ts=", "&ts=noon", "&ts=-1", "&ts=1795694400000", "&ts=1795694400.5", "&ts=1795694400&ts=1795694400", "&ts=%D9%A1"])  # fmt: skip
def test_a_signed_link_without_a_time_does_not_count_for_ever(app: Flask, clock: Clock, stamp: str) -> None:
    assert int(clock().timestamp()) == 1795694400
    address = f"{BASE}/s/{SLUG}?pid=A{stamp}"
    _, reply = comes(app, f"{address}&sig={by_hand(KEY, address)}")
    assert (reply.status_code, heading(reply)) == (403, "This link is not valid")


def test_who_is_refused_reads_it_in_german_too(app: Flask, clock: Clock) -> None:
    assert heading(comes(app, link(clock)[:-1], language="de")[1]) == "Dieser Link ist nicht gültig"
    assert heading(comes(app, link(clock, seconds=-400), language="de")[1]) == "Dieser Link ist abgelaufen"


def test_big_hex_digits_are_digits(app: Flask, clock: Clock) -> None:
    before, _, digits = link(clock).rpartition("=")
    assert digits != digits.upper()
    assert comes(app, f"{before}={digits.upper()}")[1].status_code == 303


def test_who_names_nobody_comes_by_the_open_link_unless_the_panel_is_required(make: Make, app: Flask) -> None:
    assert app.test_client().get(f"/s/{SLUG}/consent").status_code == 200
    shutil.rmtree(app.extensions["wtp_surveys"].folder)
    only = make({("panel", "required"): True}, key=None)
    reply = only.test_client().get(f"/s/{SLUG}/consent", headers={"Accept-Language": "en"})
    assert (reply.status_code, heading(reply)) == (403, "Please use the link that you were sent")


def test_a_name_from_before_links_were_checked_does_not_count(app: Flask) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session[entry.panel_key(SLUG)] = "guessed"
    Pages(client).walk("about")
    [found] = rows(app)
    assert (found.panel_id, found.source) == (None, "link")


# Once a name


def test_the_same_link_goes_on_with_the_same_interview(app: Flask, clock: Clock) -> None:
    first = link(clock)
    client, _ = comes(app, first)
    person = Pages(client)
    person.walk("times")
    assert client.get(path(first)).location == f"/s/{SLUG}/times"
    phone, reply = comes(app, first)
    assert reply.location == f"/s/{SLUG}/times", "in another browser too"
    clock.pass_(minutes=10)
    assert client.get(path(first)).location == f"/s/{SLUG}/times", "an old link, in the browser that it was opened in"
    assert heading(comes(app, first)[1]) == "This link has expired"
    later = link(clock)
    assert phone.get(path(later)).location == f"/s/{SLUG}/times"
    assert len(rows(app)) == 1
    other = Pages(comes(app, link(clock, "other"))[0])
    other.walk("about")
    assert len(rows(app)) == 2
    assert other.client.get(path(later)).location == f"/s/{SLUG}/times", "two people at one device"
    assert len(rows(app)) == 2


@pytest.mark.parametrize("mode", [None, CUT_AT_END])
def test_who_has_finished_has_already_taken_part(make: Make, clock: Clock, mode: str | None) -> None:
    app = make({("privacy", "mode"): mode} if mode else None)
    first = link(clock)
    client, _ = comes(app, first)
    person = Pages(client)
    person.finish()
    assert (rows(app)[0].panel_id is None) == (mode is not None)
    done = goes_back(client, client.get(f"/s/{SLUG}/thanks", follow_redirects=True).text)
    clock.pass_(minutes=1)
    reply = client.get(path(first), headers={"Accept-Language": "en"})
    assert (reply.status_code, heading(reply)) == (403, "You have already taken part")
    assert goes_back(client, reply.text).partition("&ts=")[0] == done.partition("&ts=")[0]
    for address in (first, link(clock)):
        again, reply = comes(app, address)
        assert (reply.status_code, heading(reply)) == (403, "You have already taken part")
        assert again.post(f"/s/{SLUG}/consent", data={"revision": "0"}).status_code in {303, 400}
    assert len(rows(app)) == 1


def test_nobody_goes_back_in_the_name_of_who_sat_there_before(make: Make, clock: Clock) -> None:
    app = make({("privacy", "mode"): CUT_AT_END})
    people = {name: Pages(comes(app, link(clock, name))[0]) for name in ("ann", "ben")}
    for person in people.values():
        person.finish()
    assert "id=ann&" in people["ann"].client.get(f"/s/{SLUG}/e/panel").location
    reply = people["ann"].client.get(path(link(clock, "ben")), headers={"Accept-Language": "en"})
    assert heading(reply) == "You have already taken part"
    assert "/e/panel" not in reply.text
    assert people["ann"].client.get(f"/s/{SLUG}/e/panel").location == f"/s/{SLUG}"


@pytest.mark.parametrize("what", ["finished", "cut", "erased"])
def test_an_unsigned_name_counts_once_whatever_became_of_the_answers(make: Make, what: str) -> None:
    changes: dict[Place, Any] = {("panel", "check_links"): None}
    app = make(changes | ({("privacy", "mode"): CUT_AT_END} if what == "cut" else {}))
    client, _ = comes(app, f"{BASE}/s/{SLUG}?pid=77")
    person = Pages(client)
    person.finish()
    if what == "erased":
        page = BeautifulSoup(client.get(f"/s/{SLUG}/e/my-data").text, "html.parser")
        token = page.select_one("input[name=csrf_token]")
        assert token is not None
        assert (
            client.post(f"/s/{SLUG}/e/my-data", data={"csrf_token": token["value"], "sure": "yes"}).status_code == 303
        )
    assert "77" not in [one.panel_id for one in rows(app) if what != "finished"]
    again, _ = comes(app, f"{BASE}/s/{SLUG}?pid=77")
    assert "You have already taken part" in again.get(f"/s/{SLUG}/consent", headers={"Accept-Language": "en"}).text
    free, _ = comes(app, f"{BASE}/s/{SLUG}?pid=78")
    assert free.get(f"/s/{SLUG}/consent").status_code == 200


@pytest.mark.parametrize("checked", [True, False])
def test_two_at_once_are_one(make: Make, clock: Clock, database_url: str, checked: bool) -> None:
    """Six browsers agree at the same moment under one name: by signed links all of them are the same interview, by unsigned ones all but one have taken part already."""
    app = make(None if checked else {("panel", "check_links"): None}, database=database_url)
    address = link(clock) if checked else f"{BASE}/s/{SLUG}?pid=A%26B"
    people = [Pages(comes(app, address)[0]) for _ in range(6)]
    barrier = threading.Barrier(len(people))

    def agree(person: Pages) -> tuple[int, str]:
        barrier.wait(timeout=30)
        reply = person.post(**person.first())
        return reply.status_code, "" if reply.status_code == 303 else heading(reply)

    with ThreadPoolExecutor(len(people)) as pool:
        outcomes = sorted(pool.map(agree, people))
    refused = [(403, "You have already taken part")] * 5
    assert outcomes == ([(303, "")] * 6 if checked else [(303, ""), *refused])
    assert len(rows(app)) == len(rows(app, tables.panel_entry)) == 1


# A new key


def test_a_key_that_was_replaced_counts_another_day_for_links_that_come_in(app: Flask, clock: Clock) -> None:
    client, _ = comes(app, link(clock))
    person = Pages(client)
    person.walk("about")
    person.send(**{"q-has_car": "no", "q-brands": "nothing", "q-age": "3"})
    with database_of(app).begin() as connection:
        new = panel_keys.make(connection, SLUG, secret=secret(app), who="ann", now=clock()).key
    assert goes_back(client, person.text).endswith(by_hand(new, goes_back(client, person.text).rpartition("&sig=")[0]))
    clock.pass_(hours=23.9)
    for key in (KEY, new):
        assert comes(app, link(clock, "new", key=key))[1].status_code == 303
    clock.pass_(hours=0.2)
    assert comes(app, link(clock, "new", key=KEY))[1].status_code == 403
    assert comes(app, link(clock, "new", key=new))[1].status_code == 303
    with database_of(app).begin() as connection:
        panel_keys.make(connection, SLUG, secret=secret(app), who="ann", now=clock(), given=KEY, at_once=True)
    assert comes(app, link(clock, "new", key=new))[1].status_code == 403
    assert comes(app, link(clock, "new", key=KEY))[1].status_code == 303


def test_a_closed_study_takes_nobody_by_any_link(app: Flask, clock: Clock) -> None:
    with database_of(app).begin() as connection:
        studies.set_state(connection, SLUG, "closed")
    client, _ = comes(app, link(clock))
    reply = client.get(f"/s/{SLUG}/consent", headers={"Accept-Language": "en"})
    assert (reply.status_code, heading(reply)) == (403, "This survey is closed")


def test_a_name_of_the_panel_is_read_from_the_signed_part_alone(app: Flask, clock: Clock) -> None:
    """What the signature covers is what counts: of two names that the panel signed, the first."""
    client, reply = comes(app, link(clock, before="pid=one&", name="two"))
    assert reply.status_code == 303
    Pages(client).walk("about")
    assert [found.panel_id for found in rows(app)] == ["one"]
    assert parse_qs(urlsplit(link(clock)).query)["pid"] == ["A&B"]
