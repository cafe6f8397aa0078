"""The page "Contacts" for managers: there only where there are contacts, findings first, the same figures in chart and CSV, small groups withheld."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from flask import Flask

from tests.web.conftest import Person
from tests.web.staff import Staff
from wtp.analysis import Analysis
from wtp.customers.simulated_contacts import simulated_codings, simulated_contacts
from wtp.store import Database, answers, contacts, customers, invitations, respondents
from wtp.store.contacts import Coding, Contact
from wtp.survey import Survey
from wtp.survey.stopping import Stopping
from wtp.web import running

LogIn, Show = Callable[[str], Staff], Callable[..., Analysis]
PAGE = "/results/supplier/contacts"
DRAWN = ("reasons", "months", "mattered", "questions", "remedies", "effort")
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def manager(staffed: LogIn, shown: Show) -> Staff:
    shown()
    return staffed("manager")


def fill(app: Flask, database: Database, per_segment: int = 300) -> pd.DataFrame:
    """Simulated contacts of a year and 40 second codings."""
    survey = app.extensions["wtp_surveys"]["supplier"]
    people = {f"{s.id} {n}": s.id for s in survey.definition.segments for n in range(per_segment)}
    frame = simulated_contacts(survey.definition, people, months=10, seed=3)
    calls = [Contact(**{str(name): value for name, value in row.items()}) for row in frame.to_dict("records")]
    with database.begin() as connection:
        contacts.import_file(connection, "supplier", calls, name="calls", digest="d" * 64, who="demo", now=NOW, secret="s", simulated=True)  # fmt: skip
        stored = pd.DataFrame(contacts.rows(connection, "supplier")).set_index("id")
        second = simulated_codings(survey.definition, stored, agreement=0.85, seed=1, most=40)
        for row in second.to_dict("records"):
            coding = Coding(row["reason"], row["mattered_most"], row["core_problem"])
            assert contacts.code(connection, "supplier", int(row["contact"]), coding, who="second", now=NOW)
    return frame


def record(database: Database, count: int, **said: object) -> None:
    """Contacts of as many customers, an hour apart."""
    with database.begin() as connection:
        for n in range(count):
            call = replace(Contact(NOW + timedelta(hours=n), "phone", "fault", customer=str(n)), **said)  # type: ignore[arg-type]
            contacts.record(connection, "supplier", call, submission=f"{said} {n}", who="a", now=NOW, secret="s")


def tabs(page: BeautifulSoup) -> list[str]:
    return [link.get_text() for link in page.select(".tabs a")]


def test_the_page_is_there_only_where_there_are_contacts(manager: Staff, database: Database) -> None:
    assert "Contacts" not in tabs(manager.open("/results/supplier?lang=en"))
    for path in (PAGE, "/results/supplier/contact_reasons.json", "/results/supplier/contact_reasons.csv"):
        assert manager.client.get(path).status_code == 404
    record(database, 1)
    assert "Contacts" in tabs(manager.open("/results/supplier?lang=en"))
    text = manager.open(PAGE).get_text()
    assert "fewer than 10 customers so far" in text
    assert manager.client.get("/results/supplier/contact_reasons.json").status_code == 404, "nothing is told of one"
    assert manager.client.get("/results/workshop/contacts").status_code == 404


def test_findings_come_first_and_everything_says_it_is_simulated(
    app: Flask, manager: Staff, database: Database
) -> None:
    frame = fill(app, database)
    page = manager.open(f"{PAGE}?lang=en")
    headings = [heading.get_text() for heading in page.select(".chart-section h2")]
    assert len(headings) == len(DRAWN) + 1
    assert headings[0].startswith("Most often")
    assert headings[4].startswith("“Explained at once” solves most often: ")
    assert headings[6].startswith("Two members of staff agree on the reason: at least “")
    text = page.get_text()
    assert f"{len(frame):,} of {len(frame):,} contacts are simulated" in text
    assert "not all customers" in text
    assert "Report as PDF" not in text
    assert "Whose answers" not in str(page.select_one("main"))
    assert [str(c["data-chart"]).split("/")[-1].split(".")[0] for c in page.select("[data-chart]")] == [f"contact_{name}" for name in DRAWN]  # fmt: skip
    german = manager.open(f"{PAGE}?lang=de&segment=cost")
    assert "Kontakte je 100 Kunden" in german.get_text()
    assert "nur für alle zusammen" in german.get_text(), "agreement is that of everybody"
    assert [str(a["href"]) for a in german.select("nav.segments [aria-current]")] == [f"{PAGE}?segment=cost"]


def test_page_chart_and_download_show_the_same_figures(app: Flask, manager: Staff, database: Database) -> None:
    frame = fill(app, database)
    page = manager.open(f"{PAGE}?lang=en")
    for name in DRAWN:
        drawn = manager.client.get(f"/results/supplier/contact_{name}.json?lang=en").get_json()
        assert drawn["layout"]["meta"]["finding"], name
        assert "Simulated contacts" in drawn["layout"]["meta"]["label"]
        reply = manager.client.get(f"/results/supplier/contact_{name}.csv")
        assert f"contact_{name}-simulated.csv" in reply.headers["Content-Disposition"]
        rows = list(csv.DictReader(io.StringIO(reply.text.removeprefix("\ufeff"))))
        assert {row["segment"] for row in rows} == {"all", "uptime", "cost", "growth"}
        assert {row["simulated_contacts"] for row in rows} == {str(len(frame))}
    reasons = manager.client.get("/results/supplier/contact_reasons.json?lang=en").get_json()["data"][0]
    table = {row.th.get_text(): row.td.get_text() for row in page.select_one(".chart-section").select("tbody tr")}  # type: ignore[union-attr]
    counts = frame["reason"].value_counts()
    assert table["A fault to be mended"] == str(counts["fault"])
    fault = reasons["x"]["bdata"] if isinstance(reasons["x"], dict) else reasons["x"]
    assert fault
    assert manager.client.get("/results/supplier/contact_agreement.json").status_code == 404, "it is no chart"


def test_a_few_customers_are_withheld_and_so_is_what_tells_of_them(manager: Staff, database: Database) -> None:
    record(database, 40, core_problem="cost", mattered_most="speed")
    record(database, 4, core_problem="cost", reason="order", mattered_most="price")
    record(database, 15, core_problem="growth", reason="invoice", mattered_most="brand")
    page = manager.open(f"{PAGE}?lang=en&segment=growth")
    assert "Invoice, price, financing 15" not in page.get_text(" ", strip=True), "with it the four could be worked out"
    page = manager.open(f"{PAGE}?lang=en&segment=cost")
    rows = {row.th.get_text(): row.get_text(" ", strip=True) for row in page.select("tbody tr")}
    assert "fewer than 10 customers" in rows["An order or its delivery"]
    content = manager.client.get("/results/supplier/contact_reasons.csv").text
    assert ",order,4," not in content
    assert "no figures are shown" in manager.open(f"{PAGE}?lang=en&segment=uptime").get_text()


def test_a_new_contact_a_coding_and_a_forgotten_customer_change_the_page_at_once(
    manager: Staff, database: Database
) -> None:
    record(database, 30)
    assert "30 contacts of 30 customers" in manager.open(f"{PAGE}?lang=en").get_text()
    record(database, 1, reason="order", customer="another")
    assert "31 contacts of 31 customers" in manager.open(f"{PAGE}?lang=en").get_text()
    with database.begin() as connection:
        first = contacts.rows(connection, "supplier")[0]["id"]
        assert contacts.code(connection, "supplier", first, Coding("fault", None, None), who="b", now=NOW)
    assert "Coded twice" in manager.open(f"{PAGE}?lang=en").get_text()
    with database.begin() as connection:
        before = contacts.state(connection, "supplier")
        assert customers.forget(connection, "supplier", "another", secret="s")
        assert contacts.state(connection, "supplier") != before
    assert "31 contacts of 31 customers" in manager.open(f"{PAGE}?lang=en").get_text()


def test_closed_results_close_contacts_too(app: Flask, manager: Staff, person: Person, database: Database) -> None:
    record(database, 30)
    person.walk("profile")
    survey = app.extensions["wtp_surveys"]["supplier"]
    rule = {"stopping": Stopping(respondents=300)}
    with app.app_context():
        app.extensions["wtp_surveys"]["supplier"] = replace(
            survey, definition=survey.definition.model_copy(update=rule)
        )
    assert manager.client.get(PAGE).status_code == 403
    assert manager.client.get("/results/supplier/contact_reasons.csv").status_code == 403


def test_every_section_can_be_made_of_nothing(app: Flask, manager: Staff, database: Database) -> None:
    """A segment without figures has words instead, in every section."""
    record(database, 3)
    page = manager.open(f"{PAGE}?lang=en&segment=growth")
    sections = page.select(".chart-section")
    assert len(sections) == len(DRAWN) + 1
    assert all(one.select_one(".withheld") for one in sections)
    assert not page.select("[data-chart]")


def test_linked_customers_are_in_the_segment_of_their_answers(app: Flask, manager: Staff, database: Database) -> None:
    """An analyst links invited customers by their number; without the study's leave, and after the links are dropped, the noted problem counts again."""
    surveys = app.extensions["wtp_surveys"]
    survey = surveys["supplier"]
    with app.app_context():
        secret = running.secret()
    record_linked(database, survey, secret)
    with database.begin() as connection:
        for n in range(24):
            call = Contact(NOW + timedelta(hours=n), "phone", "fault", core_problem="cost", customer=f"k-{n}")
            contacts.record(connection, "supplier", call, submission=str(n), who="a", now=NOW, secret=secret)
    assert "24 contacts of 24 customers" in manager.open(f"{PAGE}?lang=en&segment=cost").get_text()
    allowed = survey.definition.contacts.model_copy(update={"linked": True})
    with app.app_context():
        surveys["supplier"] = replace(survey, definition=survey.definition.model_copy(update={"contacts": allowed}))
    analyst = Staff(app.test_client(), "analyst")
    analyst.log_in()
    files = "/manage/supplier/contacts"
    page = analyst.open(f"{files}?lang=en")
    token = {"csrf_token": str(page.select_one("main input[name=csrf_token]")["value"])}  # type: ignore[index]
    assert analyst.client.post(f"{files}/links", data=token | {"do": "link"}).status_code == 303
    assert "12 customers are linked" in analyst.open(files).get_text()
    assert "12 contacts of 12 customers" in manager.open(f"{PAGE}?lang=en&segment=cost").get_text()
    assert "12 contacts of 12 customers" in manager.open(f"{PAGE}?lang=en&segment=uptime").get_text()
    assert analyst.client.post(f"{files}/links", data=token | {"do": "drop"}).status_code == 303
    assert "24 contacts of 24 customers" in manager.open(f"{PAGE}?lang=en&segment=cost").get_text()


def record_linked(database: Database, survey: Survey, secret: str) -> None:
    """Twelve invited customers, K-0 to K-11, who began and said that standing still is their problem."""
    assert survey.design is not None
    with database.begin() as connection:
        invitations.add(connection, "supplier", [(f"K-{n}", {}) for n in range(12)], secret=secret, now=NOW)
        for number in range(1, 13):
            person = respondents.begin(
                connection,
                "supplier",
                invitations.token_of(secret, "supplier", number),
                definition_hash=survey.definition_hash,
                design_version=1,
                tasks=survey.design.versions[1],
                language="en",
                consent_hash=survey.definition.consent_hash,
                now=NOW,
            )
            answers.record_answers(
                connection, person.respondent_id, "profile", {"core_problem": "downtime"}, revision=0, now=NOW
            )
