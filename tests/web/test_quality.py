"""Data quality on pages: a row a respondent, decisions with a reason that are only added to, and results with and without."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask

from tests.fielded import fielded
from tests.unguarded import unguarded
from tests.web.staff import Staff, hidden
from wtp.store import audit, decisions, tables
from wtp.survey.stopping import Stopping
from wtp.web import create_app
from wtp.web.security import limiter

QUALITY = "/manage/supplier/quality"


@pytest.fixture(scope="module")
def field_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """90 simulated respondents; of the first one the hidden field was filled, and a text pasted."""
    app = create_app(fielded(tmp_path_factory.mktemp("instance")))
    with app.extensions["wtp_database"].begin() as connection:
        unguarded(connection)  # so that each test begins with an empty log
        marked = sa.update(tables.respondent).where(tables.respondent.c.number.in_([1, 2]))
        connection.execute(marked.values(signs=["honeypot"]))
        every = sa.update(tables.choice).where(tables.choice.c.respondent_id == 1)
        connection.execute(every.values(chosen=sa.literal(1)))
    return app


@pytest.fixture
def app(field_app: Flask) -> Iterator[Flask]:
    """The same installation for every test, without the decisions and the log of the one before."""
    yield field_app
    with field_app.extensions["wtp_database"].begin() as connection:
        connection.execute(sa.delete(tables.decision))
        connection.execute(sa.delete(tables.audit))
        connection.execute(sa.update(tables.respondent).values(simulated=True))
    surveys = field_app.extensions["wtp_surveys"]
    surveys["supplier"] = with_rule(field_app, None)


def with_rule(app: Flask, rule: Stopping | None):  # type: ignore[no-untyped-def]
    survey = app.extensions["wtp_surveys"]["supplier"]
    return replace(survey, definition=survey.definition.model_copy(update={"stopping": rule}))


def somebody(app: Flask, role: str) -> Staff:
    with app.app_context():
        limiter.reset()
    person = Staff(app.test_client(), role)
    assert person.log_in().status_code == 303
    return person


@pytest.fixture
def analyst(app: Flask) -> Staff:
    return somebody(app, "analyst")


def decide(analyst: Staff, decision: str, numbers: list[int], reason: str = "clicked through") -> tuple[int, str]:
    token = hidden(analyst.open(QUALITY))["csrf_token"]
    data = {"csrf_token": token, "decision": decision, "respondent": [str(n) for n in numbers], "reason": reason}
    reply = analyst.client.post(f"{QUALITY}?lang=en", data=data)
    return reply.status_code, reply.text


def row_of(page: BeautifulSoup, number: int) -> str:
    rows = [row for row in page.select("table.people tbody tr") if row.select(f'input[value="{number}"]')]
    assert len(rows) == 1, number
    return re.sub(r"\s+", " ", rows[0].get_text(" ", strip=True))


def facts(page: BeautifulSoup) -> int:
    """Respondents that the page's figures rest on."""
    found = re.search(r"([\d,]+) respondents", page.select(".card .soft")[0].get_text())
    assert found is not None
    return int(found[1].replace(",", ""))


def test_one_row_a_respondent_with_value_limit_and_flags(analyst: Staff) -> None:
    page = analyst.open(f"{QUALITY}?lang=en")
    assert len(page.select("table.people tbody tr")) == 50
    first = row_of(page, 1)
    assert "⚑ flag: yes" in first
    assert "limit 11" in first, "of one position, in 13 choice tasks"
    assert "simulated" in first
    assert len(analyst.open(f"{QUALITY}?page=2").select("table.people tbody tr")) == 40
    text = page.get_text(" ", strip=True)
    assert "No signal can prove that a human answered" in text
    assert "by the open link (90)" in text
    assert [cell.get_text(strip=True) for cell in page.select("#cutoffs tbody td")][1::2] == ["1%", "2%", "5%", "10%"]
    assert "of 90 respondents chose the same offer again" in text


def test_no_token_is_shown(app: Flask, analyst: Staff) -> None:
    with app.extensions["wtp_database"].read() as connection:
        marks = [row.token_hash for row in connection.execute(sa.select(tables.respondent.c.token_hash))]
    text = analyst.client.get(QUALITY).text
    assert len(marks) == 90
    assert not [mark for mark in marks if mark in text]


def test_filters(analyst: Staff) -> None:
    caught = analyst.open(f"{QUALITY}?signal=honeypot")
    assert [box["value"] for box in caught.select("table.people input")] == ["1", "2"]
    assert not analyst.open(f"{QUALITY}?show=people").select("table.people")
    assert len(analyst.open(f"{QUALITY}?show=simulated").select("table.people tbody tr")) == 50
    for wrong in ("signal=nothing", "show=nobody"):
        assert analyst.client.get(f"{QUALITY}?{wrong}").status_code == 404
    for odd in ("page=99", "page=-1", "page=x", f"page={'9' * 30}"):
        assert analyst.client.get(f"{QUALITY}?{odd}").status_code == 200


def test_leave_out_keep_and_take_back(app: Flask, analyst: Staff) -> None:
    assert decide(analyst, "leave_out", [1, 2])[0] == 303
    page = analyst.open(f"{QUALITY}?lang=en&show=left_out")
    assert [box["value"] for box in page.select("table.people input")] == ["1", "2"]
    assert "leave out clicked through (analyst," in row_of(page, 1)
    assert decide(analyst, "undecided", [1], "")[0] == 303
    assert decide(analyst, "keep", [2], "called him")[0] == 303
    page = analyst.open(f"{QUALITY}?lang=en&show=decided")
    assert "keep called him" in row_of(page, 2)
    assert len(page.select("table.people tbody tr")) == 1
    with app.extensions["wtp_database"].read() as connection:
        assert len(decisions.history(connection, "supplier")) == 4
        log = audit.entries(connection, "supplier")
    assert [entry.reason for entry in log if entry.action == audit.DECIDED] == [
        "leave_out: 2 respondents. clicked through", "undecided: 1 respondents.", "keep: 1 respondents. called him",
    ]  # fmt: skip
    assert audit.first_broken("supplier", log) is None
    assert "called him" in analyst.open("/manage/supplier/field").get_text()


def test_a_decision_needs_somebody_and_a_reason_and_nothing_typed_is_lost(analyst: Staff) -> None:
    status, text = decide(analyst, "leave_out", [1], "  ")
    page = BeautifulSoup(text, "html.parser")
    assert status == 422
    assert "Say why" in page.select(".mistakes")[0].get_text()
    assert [box["value"] for box in page.select("table.people input[checked]")] == ["1"]
    status, text = decide(analyst, "keep", [], "looked at it")
    assert status == 422
    assert BeautifulSoup(text, "html.parser").select("#reason")[0]["value"] == "looked at it"
    assert decide(analyst, "keep", [4711])[0] == 422
    assert decide(analyst, "keep", [1], "x" * 501)[0] == 422
    assert decide(analyst, "delete", [1])[0] == 400
    assert not analyst.open(f"{QUALITY}?show=decided").select("table.people")


def test_the_toggle_changes_every_figure_chart_and_download_and_says_so(analyst: Staff) -> None:
    left = list(range(10, 22))
    assert decide(analyst, "leave_out", left)[0] == 303
    ways = {"": 78, "&without=none": 90, "&without=flagged": None}
    pages = {way: analyst.open(f"/results/supplier?lang=en{way}") for way in ways}
    assert facts(pages[""]) == 78
    assert facts(pages["&without=none"]) == 90
    assert "Without 12 respondents whom analysts left out." in pages[""].get_text()
    assert "Answers of everybody, nobody left out." in pages["&without=none"].get_text()
    assert re.search(r"Without \d+ respondents? with two or more quality flags", pages["&without=flagged"].get_text())
    for chart in ("importance", "worth", "demand", "van_westendorp", "invest"):
        one, other = (analyst.client.get(f"/results/supplier/{chart}.json?lang=en{way}") for way in list(ways)[:2])
        assert one.status_code == other.status_code == 200, chart
        assert one.get_json()["data"] != other.get_json()["data"], chart
        assert "Without 12 respondents" in json.dumps(one.get_json()["layout"]["meta"]), chart
    for name in ("willingness_to_pay", "investment", "price_limit"):
        one, other = (analyst.client.get(f"/results/supplier/{name}.csv?lang=en{way}") for way in list(ways)[:2])
        assert one.text != other.text
        assert "-without-left-out" in one.headers["Content-Disposition"]
        assert one.text.splitlines()[1].endswith(",12,78")
        assert other.text.splitlines()[1].endswith(",0,90")
    for path in ("importance", "worth", "price", "invest"):
        page = analyst.open(f"/results/supplier/{path}?lang=en&without=none")
        addresses = [str(link["href"]) for link in page.select(".tabs a")[:5]]
        addresses += [str(link["href"]) for link in page.select(".downloads a")]
        addresses += [str(chart["data-chart"]) for chart in page.select("[data-chart]")]
        assert len(addresses) > 5
        assert all("without=none" in address for address in addresses), path
        assert "everybody, nobody left out" in page.get_text()
    assert analyst.client.get("/results/supplier?without=somebody").status_code == 404


def test_more_than_15_per_cent_left_out_is_a_red_note(analyst: Staff) -> None:
    decide(analyst, "leave_out", list(range(1, 14)))
    for path in (QUALITY, "/results/supplier"):
        assert not analyst.open(path).select(".many"), "13 of 90 are fewer"
    decide(analyst, "leave_out", [14])
    assert "14 of 90 respondents are left out: more than 15 %" in analyst.open(f"{QUALITY}?lang=en").get_text()
    assert "more than 15 % of all" in analyst.open("/results/supplier/worth?lang=en").select(".many")[0].get_text()
    assert not analyst.open("/results/supplier?without=none").select(".many")


def test_how_much_they_matter_is_compared_on_request(analyst: Staff) -> None:
    page = analyst.open(f"{QUALITY}?lang=en")
    form = page.select("#influence form")
    if form:  # another test may have made both analyses already
        token = hidden(page)["csrf_token"]
        assert analyst.client.post("/manage/supplier/influence", data={"csrf_token": token}).status_code == 303
    text = analyst.open(f"{QUALITY}?lang=en").select("#influence")[0].get_text(" ", strip=True)
    assert re.search(r"Without the \d+ respondents with two or more flags", text)


def test_slips_are_a_second_view_beside_the_raw_figures(analyst: Staff) -> None:
    token = hidden(analyst.open("/manage/supplier/field"))["csrf_token"]
    assert analyst.client.post("/manage/supplier/refresh", data={"csrf_token": token}).status_code == 303
    part = analyst.open(f"{QUALITY}?lang=en").select("#repeated")[0]
    heads = [head.get_text() for head in part.select("thead th")]
    assert heads[1:3] == ["Part-worth, raw", "Part-worth without slips"]
    raw, clean = (
        float(cell.get_text().split()[0].translate({ord("−"): "-", 0x2060: None}))
        for cell in part.select("tbody tr")[2].select("td")[:2]
    )
    assert abs(clean) > abs(raw)
    assert "second view, used nowhere else" in part.get_text()


def closed(app: Flask, rule: Stopping) -> None:
    """A study of people, not of simulated respondents, with a rule that is not met yet."""
    app.extensions["wtp_surveys"]["supplier"] = with_rule(app, rule)
    with app.extensions["wtp_database"].begin() as connection:
        connection.execute(sa.update(tables.respondent).values(simulated=False))


ADDRESSES = (
    "/results/supplier", "/results/supplier/worth", "/results/supplier/invest?without=none", "/results/supplier/worth.json",
    "/results/supplier/price_limit.csv", "/results/supplier/report.pptx?segment=cost",
)  # fmt: skip


def test_results_stay_closed_until_the_rule_is_met(app: Flask, analyst: Staff) -> None:
    closed(app, Stopping(respondents=91))
    manager = somebody(app, "manager")
    for address in (*ADDRESSES, "/results/supplier/report.pdf"):
        for person in (manager, analyst):
            reply = person.client.get(address, headers={"Accept-Language": "en"})
            assert reply.status_code == 403, address
            assert not re.search(r"€\d", reply.text)
    page = BeautifulSoup(manager.client.get("/results/supplier?lang=en").text, "html.parser")
    assert "90 of 91" in page.get_text()
    assert not page.select("main form"), "only an analyst may open them"
    assert "Conditional" not in analyst.client.get("/manage/supplier").text, "no model summary"
    assert analyst.client.get("/manage/supplier/exports/xlsx").status_code == 303
    app.extensions["wtp_surveys"]["supplier"] = with_rule(app, Stopping(respondents=90))
    for address in ADDRESSES:
        assert manager.client.get(address).status_code == 200, address


def test_closed_results_tell_exactness_and_not_what_they_say(app: Flask, analyst: Staff) -> None:
    token = hidden(analyst.open("/manage/supplier/field"))["csrf_token"]
    analyst.client.post("/manage/supplier/refresh", data={"csrf_token": token})
    told = analyst.open("/manage/supplier/field?lang=en").select("#certainty")[0].get_text(" ", strip=True)
    assert "Invest here" in told or "Keep, expected" in told
    closed(app, Stopping(half_width=0.5))
    token = hidden(analyst.open("/manage/supplier/field"))["csrf_token"]
    analyst.client.post("/manage/supplier/refresh", data={"csrf_token": token})
    told = analyst.open("/manage/supplier/field?lang=en").select("#certainty")[0].get_text(" ", strip=True)
    assert "Price upper limit ± €" in told
    assert not re.search("invest|save|keep|likely|certain", told.replace("How sure", ""), re.IGNORECASE)
    assert analyst.client.get("/results/supplier").status_code == 403


def test_opening_early_needs_an_analyst_and_a_reason_and_is_logged(app: Flask, analyst: Staff) -> None:
    closed(app, Stopping(respondents=500))
    manager = somebody(app, "manager")
    page = BeautifulSoup(analyst.client.get("/results/supplier?lang=en").text, "html.parser")
    token = {"csrf_token": page.select("main input[name=csrf_token]")[0]["value"]}
    refused = analyst.client.post("/results/supplier/open", data=token | {"reason": " "})
    assert refused.status_code == 422
    assert "Say why" in refused.text
    theirs = hidden(manager.open("/results"))
    assert manager.client.post("/results/supplier/open", data=theirs | {"reason": "curious"}).status_code == 404
    assert manager.client.get("/results/supplier").status_code == 403
    assert analyst.client.post("/results/supplier/open", data=token | {"reason": "board meets"}).status_code == 303
    assert manager.client.get("/results/supplier").status_code == 200
    with app.extensions["wtp_database"].read() as connection:
        log = audit.entries(connection, "supplier")
    assert [(entry.who, entry.action, entry.reason) for entry in log] == [
        ("analyst", audit.OPENED_EARLY, "board meets")
    ]
    assert "by analyst: board meets" in analyst.open("/manage/supplier/field?lang=en").get_text()


def test_pausing_is_logged_and_a_closed_study_has_open_results(app: Flask, analyst: Staff) -> None:
    closed(app, Stopping(respondents=500))
    for state in ("closed", "open"):
        token = hidden(analyst.open("/manage/supplier/field"))["csrf_token"]
        analyst.client.post("/manage/supplier/state", data={"csrf_token": token, "state": state})
        assert analyst.client.get("/results/supplier").status_code == {"closed": 200, "open": 403}[state]
    with app.extensions["wtp_database"].read() as connection:
        assert [entry.reason for entry in audit.entries(connection, "supplier")] == ["open → closed", "closed → open"]


def test_a_changed_log_is_shown(app: Flask, analyst: Staff) -> None:
    decide(analyst, "keep", [1], "first")
    assert "was changed" not in analyst.open("/manage/supplier/field?lang=en").get_text()
    with app.extensions["wtp_database"].begin() as connection:
        connection.execute(sa.update(tables.audit).values(who="nobody"))
    assert "Entry 1 was changed" in analyst.open("/manage/supplier/field?lang=en").get_text()


def test_the_target_is_settable_and_a_wrong_one_is_named(analyst: Staff) -> None:
    token = hidden(analyst.open("/manage/supplier/field"))["csrf_token"]
    analyst.client.post("/manage/supplier/refresh", data={"csrf_token": token})
    page = analyst.open("/manage/supplier/field?lang=en&half_width=3")
    assert page.select("#half_width")[0]["value"] == "3"
    assert re.search(r"about [\d,]+ more answers", page.select("#certainty tbody tr")[0].get_text())
    first = page.select("#certainty .card p")[0].get_text()
    assert first.startswith("About")
    assert "price upper limit to ± €3.00" in first, "as long as the target is not reached nobody is told to stop"
    wrong = analyst.open("/manage/supplier/field?lang=en&half_width=soon")
    assert "“soon” is not an amount" in wrong.get_text()
    assert wrong.select("#half_width")[0]["value"] == "5"
    few = [p.get_text() for p in page.select("#certainty .card p")]
    assert any("Too few to say" in text for text in few)


def test_in_the_field_nothing_is_computed_by_looking(
    app: Flask, analyst: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("looking at the field page started an estimation")

    monkeypatch.setattr("wtp.web.analyses.analyse", never)
    monkeypatch.setattr("wtp.web.analyses.quality_report", never)
    with app.extensions["wtp_database"].begin() as connection:
        connection.execute(sa.delete(tables.result))
    assert "Nothing was analysed yet" in analyst.open("/manage/supplier/field?lang=en").get_text()


def test_the_survey_folder_is_untouched() -> None:
    text = (Path(__file__).parents[2] / "surveys" / "supplier" / "survey.toml").read_text(encoding="utf-8")
    assert "[stopping]" not in text
