"""P9 on the pages: who reads results alone gets no figures from which, beside others of today or before, a few people could be worked out; analysts, who see single answers, do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.figures import handmade
from tests.web.staff import Staff
from wtp.analysis import Analysis, Request
from wtp.cli.simulation import simulate_through_store
from wtp.settings import Settings
from wtp.store import Database, api_tokens, decisions, erasure, respondents, results, tables, told
from wtp.survey import Answers, Survey
from wtp.web import analyses

PAGE = "/results/supplier"
COME = Callable[[int], None]


@pytest.fixture
def survey(app: Flask) -> Survey:
    found: Survey = app.extensions["wtp_surveys"]["supplier"]
    return found


@pytest.fixture
def come(app: Flask, settings: Settings, survey: Survey, monkeypatch: pytest.MonkeyPatch) -> COME:
    """So many more have answered. Who was counted is real, the figures are made by hand."""

    def quick(survey: Survey, answers: Answers, request: Request, *_: object) -> Analysis:
        count = len(answers.respondents) - len(request.without)
        facts = {"answers_hash": answers.hash, "definition_hash": survey.definition_hash}
        return replace(handmade(survey), request=request, respondents=count, completed=count, simulated=count, **facts)

    monkeypatch.setattr(analyses, "analyse", quick)
    seeds = iter(range(1, 100))
    return lambda count: simulate_through_store(settings, survey, count, seed=next(seeds))


def counted(client: FlaskClient, path: str = PAGE) -> int:
    """Of how many respondents the figures are, that are shown to whoever asks for this page."""
    reply = client.get(path, follow_redirects=True, query_string={"lang": "en"} if "?" not in path else None)
    assert reply.status_code == 200, path
    found = re.search(r"of (\d+) respondents are simulated", reply.text)
    assert found is not None, path
    return int(found[1])


def test_one_more_answer_a_day_is_not_worked_out(staffed: Callable[[str], Staff], come: COME) -> None:
    manager, other, analyst = staffed("manager").client, staffed("manager").client, staffed("analyst").client
    come(60)
    assert counted(manager) == 60
    come(1)
    assert counted(analyst) == 61
    for reader in (manager, other):
        assert [counted(reader, f"{PAGE}{page}") for page in ("", "/worth", "/price", "/invest")] == [60] * 4
        page = reader.get(f"{PAGE}?lang=en", follow_redirects=True)
        assert "New figures come with more answers" in page.text
        assert "analysis=" in page.request.query_string.decode()
    assert "analysis=" in manager.get(f"{PAGE}/worth.json?segment=cost").headers["Location"]
    table = manager.get(f"{PAGE}/willingness_to_pay.csv", follow_redirects=True)
    assert table.status_code == 200
    assert counted(manager) == 60
    come(60)
    assert counted(manager) == 121
    assert "New figures come" not in manager.get(PAGE).text


def test_without_the_rule_a_day_is_worked_out(
    staffed: Callable[[str], Staff], come: COME, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same two looks."""
    monkeypatch.setattr("wtp.web.few.tell", lambda memory, *_: memory)
    manager = staffed("manager").client
    come(60)
    before = counted(manager)
    come(1)
    assert counted(manager) == before + 1


def test_an_analysts_figures_of_a_moment_between_stay_closed(
    staffed: Callable[[str], Staff], come: COME, database: Database
) -> None:
    manager, analyst = staffed("manager").client, staffed("analyst").client
    come(60)
    assert counted(manager) == 60
    come(1)
    assert counted(analyst) == 61
    with database.read() as connection:
        between, first = (kept.fingerprint for kept in results.made(connection, "supplier"))
    assert manager.get(f"{PAGE}?analysis={first}").status_code == 200
    for path in (
        f"{PAGE}?analysis={between}",
        f"{PAGE}/worth.json?analysis={between}",
        f"{PAGE}/changed?of={first}&of={between}",
    ):
        assert manager.get(path).status_code == 403, path
        assert analyst.get(path).status_code == 200, path
    come(60)  # nobody can judge any more what was told then
    assert counted(manager) == 121
    assert manager.get(f"{PAGE}?analysis={between}").status_code == 403


def test_other_sets_are_held_against_the_usual_one_whoever_asks_first(
    staffed: Callable[[str], Staff], come: COME, database: Database
) -> None:
    come(60)
    with database.begin() as connection:
        said = {"reason": "copied", "made_by": "ana", "now": datetime.now(UTC)}
        decisions.decide(connection, "supplier", [1, 2, 3], decisions.LEAVE_OUT, **said)
    manager, analyst = staffed("manager").client, staffed("analyst").client
    reply = manager.get(f"{PAGE}?without=none&lang=en")
    assert reply.status_code == 403
    assert "fewer than 10 respondents" in reply.text
    assert manager.get(f"{PAGE}/worth.json?without=none").status_code == 403
    assert analyst.get(f"{PAGE}?without=none").status_code == 200
    assert counted(manager) == 57


def test_programs_are_told_no_more_than_people(
    staffed: Callable[[str], Staff], come: COME, database: Database, app: Flask
) -> None:
    come(60)
    now = datetime.now(UTC)
    with database.begin() as connection:
        keys = [
            api_tokens.add(connection, "p", maker=None, scopes=scopes, now=now)[1]
            for scopes in ([api_tokens.RESULTS], [api_tokens.RESULTS, api_tokens.ANSWERS])
        ]  # fmt: skip

    def facts(key: str, path: str = "tables") -> dict[str, object]:
        headers = {"Authorization": f"Bearer {key}"}
        reply = app.test_client().get(f"/api/v1/studies/supplier/{path}", headers=headers)
        return {"status": reply.status_code, **(reply.get_json().get("analysis") or {})}

    assert facts(keys[0])["respondents"] == 60
    come(1)
    assert facts(keys[1])["respondents"] == 61
    assert facts(keys[0])["respondents"] == 60
    with database.read() as connection:
        between = results.made(connection, "supplier")[0].fingerprint
    assert [facts(key, f"tables?analysis={between}")["status"] for key in keys] == [422, 200]
    assert counted(staffed("manager").client) == 60  # whoever asked


def test_who_is_erased_is_forgotten_and_not_worked_out(
    staffed: Callable[[str], Staff], come: COME, database: Database
) -> None:
    come(60)
    manager = staffed("manager").client
    assert counted(manager) == 60
    with database.begin() as connection:
        row = connection.execute(tables.respondent.select().where(tables.respondent.c.number == 7)).one()
        erasure.erase_hash(
            connection, "supplier", row.token_hash, who="ana", reason="asked for it", now=datetime.now(UTC)
        )
    with database.read() as connection:
        memory = told.memory(connection, "supplier")
        assert respondents.counts(connection, "supplier").begun == 59
    for part in memory.values():
        assert len(part["keys"]) == 60
        assert 7 not in {key >> told.KEY_BITS for key in part["keys"]}
    assert counted(manager) == 60
    assert "had everything deleted since" in manager.get(f"{PAGE}?lang=en", follow_redirects=True).text
