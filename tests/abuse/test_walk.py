"""Who reaches whose data: every route, walked by a respondent and by staff and a program of another study, with every id there is. Marks were planted in the data of others; none may come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tests.abuse.conftest import House, furnish, surveys_of_its_own
from tests.abuse.walk import is_page
from tests.web.staff import PASSWORD, Staff, hidden
from tests.web.test_rights import EVERYBODY, FILLED, PROGRAMS, RIGHTS, paths
from wtp.settings import Settings
from wtp.store import api_tokens, contacts, measures, staff, tables
from wtp.web.security import limiter

MARK = "m4rkof0thers"
THEIRS = "workshop"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    place = tmp_path_factory.mktemp("walk")
    house = furnish(Settings(instance=place / "instance", surveys=surveys_of_its_own(place / "surveys")))
    now = datetime.now(UTC)
    limiter.enabled = False
    with house.app.extensions["wtp_database"].begin() as connection:
        call = contacts.Contact(now, "phone", "fault", MARK, customer=MARK)
        contacts.record(connection, "supplier", call, submission="m", who=MARK, now=now, secret="s")
        grounds = measures.Grounds("worth", "all", "Speed", "en")
        measures.add(connection, "supplier", measures.Plan("offer", MARK, None, MARK, None, MARK), grounds, submission="m", who=MARK, now=now)  # fmt: skip
        connection.execute(sa.update(tables.imported_file).values(name=MARK))
        for role in ("manager", "analyst", "field"):
            staff.add(connection, f"other-{role}", PASSWORD, role)
            staff.set_studies(connection, f"other-{role}", [THEIRS])
        _, house.token = api_tokens.add(connection, "x", maker=None, scopes=api_tokens.SCOPES, studies=[THEIRS], now=now)  # fmt: skip
    yield house
    limiter.enabled = True
    house.app.extensions["wtp_database"].engine.dispose()


def ids(house: House) -> list[str]:
    """Ids that stand for something of the other study: of analyses, people, measures, imports, jobs."""
    with house.app.extensions["wtp_database"].read() as connection:
        kept = connection.execute(sa.select(tables.result.c.fingerprint).where(tables.result.c.study == "supplier"))
        return ["1", "2", "supplier", *kept.scalars().all()[:2]]


def begin(house: House, words: str) -> FlaskClient:
    """A respondent who typed something: into the draft of a page of the study with every kind of question."""
    client = house.app.test_client()
    page = client.get("/s/every/consent").text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert csrf
    token = {"csrf_token": csrf[1], "revision": "0"}
    assert client.post("/s/every/consent", data=token | {"agree": "yes"}).status_code == 303
    typed = {"sender": "a", "number": "1", "changed": "q-age", "q-age": words}
    assert client.post("/s/every/about/draft", data=token | typed).status_code == 204
    assert words in client.get("/s/every/about").text
    return client


def test_a_respondent_reaches_nobody_elses_answers_by_any_address(house: House) -> None:
    begin(house, MARK)
    mine = begin(house, "mine")
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', mine.get("/s/every/about").text)
    assert csrf
    seen = 0
    for rule, method in RIGHTS:
        for slug, number in product(("every", "supplier"), ids(house)):
            filled = {"slug": slug, **dict.fromkeys(("number", "job", "import_number", "analysis", "member"), number)}
            filled |= {"token": number, "step_id": "about", "key": number}
            for path in list(paths(rule, **{name: value for name, value in filled.items() if name in FILLED}))[:2]:
                data = {"csrf_token": csrf[1], "respondent": number, "token": number} if method == "POST" else None
                query = {"respondent": number, "token": number, "id": number, "analysis": number}
                if "/consent" in path or path.endswith("/logout") or (method == "POST" and path.startswith("/s/")):
                    continue
                reply = mine.open(path, method=method, data=data, query_string=query, buffered=True)
                assert MARK.encode() not in reply.data, path
                seen += 1
            if "<slug>" not in rule and "<int:" not in rule:
                break
    assert seen > 300
    assert "mine" in mine.get("/s/every/about").text


@pytest.mark.parametrize("role", ["manager", "analyst", "field"])
def test_staff_reach_no_other_study_by_any_address(house: House, role: str) -> None:
    person = Staff(house.app.test_client(), f"other-{role}")
    assert person.log_in().status_code == 303
    token, seen = hidden(person.open("/account"))["csrf_token"], 0
    for (rule, method), roles in RIGHTS.items():
        if roles in {PROGRAMS, EVERYBODY} or rule.startswith(("/account", "/static")) or rule.endswith("/delete"):
            continue
        for slug, number in product((THEIRS, "supplier"), ids(house)):
            if "<slug>" not in rule and slug == "supplier":
                continue
            filled = {"slug": slug, **dict.fromkeys(("number", "job", "import_number"), number)}
            known = {name: value for name, value in filled.items() if f":{name}>" in rule or f"<{name}>" in rule}
            for path in list(paths(rule, **known))[: 2 if is_page(rule) else 1]:
                data = {"csrf_token": token, "id": number, "of": number, "analysis": number, "number": number, "do": "x"} if method == "POST" else None  # fmt: skip
                query = {"analysis": number, "of": number, "id": number, "study": "supplier", "slug": "supplier"}
                reply = person.client.open(path, method=method, data=data, query_string=query, buffered=True)
                assert MARK.encode() not in reply.data, (path, number)
                if slug == "supplier":
                    assert reply.status_code == 404, (path, method)
                seen += 1
            if "<int:" not in rule and number == "2":
                break
    assert seen > 100


def test_a_program_reaches_no_other_study_by_any_address(house: House) -> None:
    client, headers = house.app.test_client(), {"Authorization": f"Bearer {house.token}"}
    for (rule, method), roles in RIGHTS.items():
        if roles != PROGRAMS:
            continue
        for slug, number in product((THEIRS, "supplier"), ids(house)):
            known = {n: v for n, v in {"slug": slug, "analysis": number}.items() if f"<{n}>" in rule}
            path = next(paths(rule, **known))
            body = {"json": {"model": "conditional"}} if method == "POST" else {"query_string": {"analysis": number}}
            reply = client.open(path, method=method, headers=headers, **body)
            assert MARK.encode() not in reply.data
            if slug == "supplier" and "<slug>" in rule:
                assert reply.status_code == 404 or (reply.status_code == 400 and method == "GET"), path
                assert "core_problem" not in reply.text


def test_what_was_planted_is_seen_by_those_who_may(house: House) -> None:
    """Else its absence would say nothing."""
    client = house.client("administrator")
    for path in ("/results/supplier/measures", "/manage/supplier/import"):
        assert MARK in client.get(path).text, path
