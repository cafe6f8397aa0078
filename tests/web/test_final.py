"""Final figures: started, joined, watched, cancelled and compared on the pages; what the worker does is in tests/jobs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from werkzeug.test import TestResponse

from tests.fielded import fielded
from tests.web.figures import handmade
from tests.web.staff import Staff, hidden
from wtp.analysis import Analysis, Request
from wtp.jobs import keep_analysis, keys_of, start
from wtp.settings import Settings
from wtp.store import Database, answers, background_jobs, decisions, results, tables
from wtp.survey import Survey
from wtp.web import analyses, create_app
from wtp.web.final_words import duration
from wtp.web.stopping import gate_of

FINAL = "/results/supplier/final"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The study after 90 simulated respondents, made once."""
    return fielded(tmp_path_factory.mktemp("fielded"))


@pytest.fixture
def settings(filled: Settings, tmp_path: Path) -> Settings:
    """An own copy of it."""
    shutil.copytree(filled.instance, tmp_path / "instance")
    return replace(filled, instance=tmp_path / "instance")


@pytest.fixture
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def analyst(app: Flask) -> Staff:
    person = Staff(app.test_client(), "analyst")
    assert person.log_in().status_code == 303
    return person


@pytest.fixture
def survey(app: Flask) -> Survey:
    found: Survey = app.extensions["wtp_surveys"]["supplier"]
    return found


def send(person: Staff, **fields: Any) -> TestResponse:
    """Press Start."""
    given = {"model": "hierarchical", "answers": "left-out", "versions": "same", "seed": "1"}
    return person.client.post(FINAL, data=hidden(person.open(f"{FINAL}?lang=en")) | given | fields)


def number_of(reply: TestResponse) -> int:
    assert reply.status_code == 303
    return int(str(reply.location).rpartition("/")[2])


def change(database: Database, step: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    with database.begin() as connection:
        return step(connection, *arguments, **named)


def job(database: Database, number: int) -> background_jobs.BackgroundJob:
    with database.read() as connection:
        found = background_jobs.get(connection, number)
    assert found is not None
    return found


def keep(database: Database, survey: Survey, *, of: str = "now", minute: int = 0, **changes: Any) -> str:
    """Keep an analysis made by hand as the worker would; returns its fingerprint."""
    request = changes.pop("request", Request(model="hierarchical"))
    estimator = changes.pop("estimator", "hierarchical")
    analysis = replace(handmade(survey), request=request, answers_hash=f"answers {of}", **changes)
    analysis.tables["segments"]["estimator"] = estimator
    with database.begin() as connection:
        fingerprint, basis = keys_of(connection, survey, request)
        if of != "now":
            fingerprint, basis = (f"{minute:064d}", "another")
        keep_analysis(connection, analysis, survey.definition, fingerprint=fingerprint, basis=basis, kind=results.ANALYSIS, made_by="ada", seconds=83)  # fmt: skip
        at = datetime.now(UTC) + timedelta(minutes=minute)
        this = tables.result.c.fingerprint == fingerprint
        connection.execute(tables.result.update().where(this).values(created_at=at))
    return fingerprint


def texts(page: BeautifulSoup, selector: str) -> list[str]:
    return [" ".join(found.get_text(" ", strip=True).split()) for found in page.select(selector)]


def test_a_start_is_a_job_with_a_copy_of_the_answers_and_a_message(
    analyst: Staff, app: Flask, database: Database, survey: Survey
) -> None:
    number = number_of(send(analyst, seed="7"))
    started = job(database, number)
    assert (started.state, started.started_by, started.respondents) == ("queued", "analyst", 90)
    assert started.request == {"seed": 7, "confidence": 0.9, "model": "hierarchical", "versions": "same", "without": []}
    assert started.kind == results.ANALYSIS
    with database.read() as connection:
        stored = answers.read_answers(connection, "supplier")
        assert (started.fingerprint, started.basis) == keys_of(
            connection, survey, Request(seed=7, model="hierarchical")
        )
    assert (started.answers_hash, started.definition_hash) == (stored.hash, survey.definition_hash)
    assert app.extensions["wtp_queue"].take() == number
    page = analyst.open(f"{FINAL}/{number}?lang=en")
    assert texts(page, "h1, [data-said]") == ["Hierarchical Bayes", "Waiting for a worker"]
    assert page.select_one("noscript meta[http-equiv=refresh]")
    assert page.select_one(f'[data-progress="{FINAL}/{number}.json"]')
    assert "Hierarchical Bayes" in " ".join(texts(analyst.open(f"{FINAL}?lang=en"), ".plain li"))


def test_the_same_start_joins_what_is_under_way_and_another_does_not(analyst: Staff, database: Database) -> None:
    first = number_of(send(analyst))
    assert number_of(send(analyst)) == first
    others = {number_of(send(analyst, **changed)) for changed in ({"seed": "2"}, {"model": "mixed"}, {"versions": "current"})}  # fmt: skip
    assert len(others) == 3
    assert first not in others
    with database.begin() as connection:
        decisions.decide(connection, "supplier", [1], "leave_out", reason="test", made_by="ada", now=datetime.now(UTC))
    fewer = number_of(send(analyst))
    assert fewer != first
    assert job(database, fewer).request["without"] == [1]
    assert job(database, fewer).respondents == 89
    everybody = number_of(send(analyst, answers="none"))
    assert everybody == first, "nobody left out is what the first one was, too"


def test_what_was_made_already_is_not_made_again(analyst: Staff, database: Database, survey: Survey) -> None:
    fingerprint = keep(database, survey)
    reply = send(analyst)
    assert reply.location == f"{FINAL}?made={fingerprint}#made"
    with database.read() as connection:
        assert background_jobs.of_study(connection, "supplier") == ()
    assert "it was made before" in analyst.open(f"{FINAL}?made={fingerprint}&lang=en").get_text()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": "latent"}, "Too few answers for this model"),
        ({"model": "magic"}, ""),
        ({"answers": "magic"}, ""),
        ({"seed": "0"}, "A whole number from 1 on"),
        ({"seed": "one"}, "A whole number from 1 on"),
        ({"seed": ""}, "A whole number from 1 on"),
        ({"seed": "9" * 30}, "A whole number from 1 on"),
    ],
)
def test_a_mistake_starts_nothing_and_keeps_what_was_typed(
    analyst: Staff, database: Database, fields: dict[str, str], said: str
) -> None:
    reply = send(analyst, **fields)
    assert reply.status_code == 422
    assert said in reply.text
    page = BeautifulSoup(reply.text, "html.parser")
    assert page.select_one("#seed")["value"] == fields.get("seed", "1")  # type: ignore[index]
    with database.read() as connection:
        assert background_jobs.of_study(connection, "supplier") == ()


def test_progress_and_convergence_are_shown_and_told_to_the_script(analyst: Staff, database: Database) -> None:
    number = number_of(send(analyst))
    change(database, background_jobs.claim, number, "w", datetime.now(UTC))
    progress = {"share": 0.43, "seconds_left": 130.0, "fit": 1, "fits": 3, "sweeps": 1200, "most": 8500, "warming_up": False, "r_hat": 1.034, "ess": 212.0, "fitted": False}  # fmt: skip
    change(database, background_jobs.report, number, "w", progress)
    told = analyst.client.get(f"{FINAL}/{number}.json?lang=en").get_json()
    assert (told["ended"], told["state"], told["said"]) == (False, "running", "Running: about 40% done")
    assert told["progress"] == progress
    part = BeautifulSoup(told["html"], "html.parser")
    assert part.progress is not None
    assert part.progress["value"] == "43.0"
    assert "43% about 2 minutes left" in " ".join(part.get_text(" ", strip=True).split())
    assert texts(part, "tbody tr") == ["R-hat 1.034 at most 1.01", "Effective draws 212 at least 400", "Sweeps a chain 1,200 8,500 at most"]  # fmt: skip
    page = analyst.open(f"{FINAL}/{number}?lang=de")
    assert texts(page, "[data-said]") == ["Läuft: etwa 40\xa0% fertig".replace("\xa0", " ")]
    assert "Effektive Ziehungen" in page.get_text()
    change(database, background_jobs.report, number, "w", progress | {"fitted": True, "r_hat": None, "ess": None, "seconds_left": None})  # fmt: skip
    assert "The model is fitted" in analyst.open(f"{FINAL}/{number}?lang=en").get_text()


def test_a_job_that_waits_says_for_what(analyst: Staff, database: Database) -> None:
    first, second = number_of(send(analyst)), number_of(send(analyst, seed="2"))
    page = analyst.open(f"{FINAL}/{second}?lang=en")
    assert texts(page, "[data-said]") == ["Waiting: 1 analysis is before it"]
    assert "No worker has taken it" not in analyst.open(f"{FINAL}/{first}").get_text()
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    with database.begin() as connection:
        connection.execute(tables.background_job.update().values(beat_at=long_ago))
    assert "No worker has taken it yet" in analyst.open(f"{FINAL}/{first}?lang=en").get_text()
    change(database, background_jobs.claim, first, "w", long_ago)
    assert "another one goes on" in analyst.open(f"{FINAL}/{first}?lang=en").get_text()


def test_cancelling_ends_it(analyst: Staff, database: Database) -> None:
    number = number_of(send(analyst))
    form = hidden(analyst.open(f"{FINAL}/{number}"))
    assert analyst.client.post(f"{FINAL}/{number}/cancel", data=form).location == f"{FINAL}/{number}"
    assert job(database, number).state == "cancelled"
    page = analyst.open(f"{FINAL}/{number}?lang=en")
    assert texts(page, "[data-said]") == ["Cancelled"]
    assert "Nothing was kept of it." in page.get_text()
    assert not page.select("[data-progress], script, form[action$=cancel]")
    assert analyst.client.get(f"{FINAL}/{number}.json").get_json()["ended"] is True


@pytest.mark.parametrize(
    ("reason", "detail", "said"),
    [
        ("died", "signal 9", "killed in each of 3 attempts"),
        ("refused", "price: all alike.", "price: all alike."),
        ("fault", "ZeroDivisionError: x", "The program made a mistake (ZeroDivisionError: x)"),
    ],
)
def test_what_failed_says_why(analyst: Staff, database: Database, reason: str, detail: str, said: str) -> None:
    number = number_of(send(analyst))
    now = datetime.now(UTC)
    change(database, background_jobs.claim, number, "w", now)
    change(database, background_jobs.fail, number, "w", now, reason=reason, detail=detail)
    page = analyst.open(f"{FINAL}/{number}?lang=en")
    assert said in page.get_text()
    assert texts(page, "[data-said]") == ["Failed"]


def test_managers_see_and_do_not_start_or_cancel(app: Flask, analyst: Staff, database: Database) -> None:
    number = number_of(send(analyst))
    manager = Staff(app.test_client(), "manager")
    manager.log_in()
    assert not manager.open(FINAL).select("form[method=post][action$=final]")
    page = manager.open(f"{FINAL}/{number}")
    assert page.select("[data-progress]")
    assert not page.select("form[action$=cancel]")
    token = hidden(page)
    assert manager.client.post(FINAL, data=token).status_code == 404
    assert manager.client.post(f"{FINAL}/{number}/cancel", data=token).status_code == 404
    assert job(database, number).state == "queued"


@pytest.mark.parametrize("path", [f"{FINAL}/99", f"{FINAL}/{2**70}", f"{FINAL}/99.json", "/results/workshop/final/1", "/results/supplier?analysis=nothing"])  # fmt: skip
def test_what_is_not_there_is_not_found(analyst: Staff, path: str) -> None:
    number_of(send(analyst))
    assert analyst.client.get(path).status_code == 404


def test_the_results_show_the_newest_final_analysis_of_the_answers_that_are_there(
    analyst: Staff, database: Database, survey: Survey
) -> None:
    def shown() -> Analysis:
        return analyses.analysis_of(database, survey)

    keep(database, survey, respondents=401)
    assert shown().respondents == 401
    keep(database, survey, respondents=402, request=Request(model="mixed", seed=3), estimator="mixed", minute=1)
    assert shown().respondents == 402, "another model and seed of the same answers"
    keep(database, survey, respondents=403, of="before", minute=2)
    assert shown().respondents == 402, "of other answers"
    keep(database, survey, respondents=404, request=Request(model="conditional"), estimator="conditional", minute=3)
    assert shown().respondents == 402, "quick figures do not take the place of final ones"
    stored = analyses.stored_analysis(database, survey)
    assert stored is not None
    assert (stored[0].respondents, stored[1]) == (402, True)


def test_the_list_says_what_each_analysis_rests_on(analyst: Staff, database: Database, survey: Survey) -> None:
    keep(database, survey, of="before", minute=-5, respondents=70)
    keep(database, survey, respondents=90, simulated=90)
    rows = texts(analyst.open(f"{FINAL}?lang=en"), "section:last-of-type tbody tr")
    assert len(rows) == 2
    definition = survey.definition.fingerprint
    assert "shown in the results ada Hierarchical Bayes 90 90 simulated 1 answers" in rows[0]
    assert f"{definition[:8]} 1 minute" in rows[0]
    assert "shown" not in rows[1]
    everything = texts(analyst.open(f"{FINAL}?lang=en"), "details p")[0]
    for part in ("answers now", survey.definition_hash, definition, "numpy ", "python 3."):
        assert part in everything


def test_a_kept_analysis_can_be_read_on_every_page(analyst: Staff, database: Database, survey: Survey) -> None:
    fingerprint = keep(database, survey, of="before", minute=1, respondents=321)
    for path in ("", "/worth", "/price", "/invest"):
        page = analyst.open(f"/results/supplier{path}?analysis={fingerprint}&lang=en")
        assert "Figures that were kept: 321 respondents" in page.get_text()
        tabs = [str(link["href"]) for link in page.select(".tabs a")]
        assert sum(f"analysis={fingerprint}" in tab for tab in tabs) >= 5
    assert analyst.client.get(f"/results/supplier/worth.json?analysis={fingerprint}").status_code == 200
    assert analyst.client.get(f"/results/workshop?analysis={fingerprint}").status_code == 404


def test_two_analyses_side_by_side_with_what_moved_and_why(analyst: Staff, database: Database, survey: Survey) -> None:
    def dearer(analysis: Analysis) -> Analysis:
        found = analysis.tables["investment"]
        there = (found["segment"] == "all") & (found["attribute"] == "speed")
        found.loc[there, "label"], found.loc[there, "unit_cost"] = "undecided", 7.0
        limit = analysis.tables["price_limit"]
        limit.loc[limit["segment"] == "uptime", ["estimate", "low", "high"]] = [112.0, 110.0, 114.0]
        return analysis

    first = keep(database, survey, of="before", minute=-5, respondents=350)
    plain = handmade
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.web.test_final.handmade", lambda survey: dearer(plain(survey)))
        second = keep(database, survey, respondents=390, request=Request(seed=2, model="hierarchical", without=(1, 2)))
    for order in ((first, second), (second, first)):
        page = analyst.open("/results/supplier/changed?lang=en&" + "&".join(f"of={each}" for each in order))
        reasons = texts(page, "main > ul.plain li")
        assert reasons == [
            "42 more respondents have answered.",
            "Other exclusions: 2 more left out, 0 taken back in.",
            "Another seed (1, then 2): chance alone moves figures a little within their intervals.",
        ]
        tables_ = page.select("main table")
        assert texts(tables_[0], "tbody tr") == [
            "Speed of problem solving Everybody ▲ Invest here ○ Not decided yet The costs of “The same day” are others: €3.00, then €7.00. "
            "Probability that it pays: over 99%, then over 99%."
        ]
        limits = {row.split("Price upper limit ")[1] for row in texts(tables_[1], "tbody tr")}
        assert (
            "Uptime first €102.70 (€100.20 to €105.30) €112.00 (€110.00 to €114.00) +€9.30 apart: more than chance"
            in limits
        )
        assert "Everybody €102.70 (€100.20 to €105.30) €102.70 (€100.20 to €105.30) €0.00 overlap" in limits
        assert "Cost first withheld withheld –" in limits
    german = analyst.open(f"/results/supplier/changed?lang=de&of={first}&of={second}").get_text()
    assert "Urteile, die sich geändert haben" in german


@pytest.mark.parametrize("count", [0, 1, 3])
def test_only_two_can_be_compared(analyst: Staff, database: Database, survey: Survey, count: int) -> None:
    made = [keep(database, survey, of="before", minute=minute) for minute in range(3)]
    reply = analyst.client.get("/results/supplier/changed?lang=en&" + "&".join(f"of={each}" for each in made[:count]))
    assert reply.status_code == (422 if count else 200)
    assert "Tick exactly two" in reply.text


def test_figures_are_not_compared_while_results_are_closed(
    analyst: Staff, database: Database, survey: Survey, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [keep(database, survey, of="before", minute=minute) for minute in range(2)]
    gate = gate_of(database, survey)
    monkeypatch.setattr("wtp.web.results.gate_of", lambda *_: replace(gate, is_open=False))
    reply = analyst.client.get(f"/results/supplier/changed?of={made[0]}&of={made[1]}")
    assert reply.status_code == 403
    assert analyst.client.get(f"/results/supplier?analysis={made[0]}").status_code == 403


def test_answers_that_come_meanwhile_do_not_touch_a_job(analyst: Staff, database: Database, survey: Survey) -> None:
    number = number_of(send(analyst))
    before = job(database, number)
    with database.begin() as connection:
        person = connection.execute(tables.respondent.select().where(tables.respondent.c.number == 1)).mappings().one()
        connection.execute(
            tables.respondent.update().where(tables.respondent.c.id == person["id"]).values(outcome=None)
        )
        answers.record_answers(connection, person["id"], "later", {"x": 1}, revision=0, now=datetime.now(UTC))
    assert job(database, number) == before
    copied = change(database, background_jobs.claim, number, "w", datetime.now(UTC))
    _, found = start.copies.unpack(copied)
    assert found.hash == before.answers_hash
    with database.read() as connection:
        assert answers.state(connection, "supplier")
        assert keys_of(connection, survey, Request(model="hierarchical"))[0] != before.fingerprint


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 second"), (59.6, "60 seconds"), (61, "1 minute"), (600, "10 minutes"), (7300, "2 hours")])  # fmt: skip
def test_times_are_said_in_the_unit_that_suits_them(app: Flask, seconds: float, said: str) -> None:
    with app.test_request_context("/"):
        assert duration(seconds) == said
