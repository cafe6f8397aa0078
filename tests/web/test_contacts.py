"""Recording contacts: nothing typed is lost, nothing is kept twice, field staff see this and nothing else; coding blind; files that come whole."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.web.staff import PASSWORD, Staff
from wtp.errors import StoreError
from wtp.store import Database, contacts, customers, staff, tables
from wtp.survey.contacts import ContactCodes, contact_codes
from wtp.web import accounts
from wtp.web.contact_form import contact_form, contact_of

LogIn = Callable[[str], Staff]
PAGE, FILES = "/contacts/supplier", "/manage/supplier/contacts"
CALL = {
    "reason": "fault",
    "channel": "phone",
    "question": "when_here",
    "reported": "The press stands still.\r\nSince Monday.",
    "mattered_most": "speed",
    "core_problem": "downtime",
    "impression": "2",
    "remedy": "technician",
    "solved": "no",
    "customer": "K-17",
    "minutes": "12",
}
HEADING = "happened_at;channel;reason;mattered_most;customer;minutes;solved\n"
ROWS = "31.05.2026 14:30;Telefon;fault;Preis;K-17;5;ja\n2026-06-01;Phone;A complaint;speed;;;no\n"


@pytest.fixture
def caller(staffed: LogIn) -> Staff:
    return staffed("field")


@pytest.fixture
def analyst(staffed: LogIn) -> Staff:
    return staffed("analyst")


@pytest.fixture
def codes(app: Flask) -> ContactCodes:
    found = contact_codes(app.extensions["wtp_surveys"]["supplier"].definition)
    assert found is not None
    return found


def send(person: Staff, call: dict[str, Any] | None = None, path: str = PAGE, **changes: Any) -> TestResponse:
    """Fill in the open form and press the button."""
    return person.client.post(path, data=hidden(person.open(f"{path}?lang=en")) | (call or CALL) | changes)


def hidden(page: BeautifulSoup) -> dict[str, str]:
    """The hidden fields of the page's own form, which is not the one to log out."""
    form = page.select_one("main form[method=post]") or page.select_one("form[method=post]")
    assert form is not None
    return {str(field["name"]): str(field["value"]) for field in form.select("input[type=hidden]")}


def kept(database: Database) -> list[dict[str, Any]]:
    with database.read() as connection:
        return contacts.rows(connection, "supplier")


def typed(page: BeautifulSoup) -> dict[str, str]:
    """What stands in the form of a page."""
    found = {str(f["name"]): str(f.get("value", "")) for f in page.select("form.contact input:not([type=hidden], [type=radio])")}  # fmt: skip
    found |= {str(f["name"]): str(f["value"]) for f in page.select("form.contact input[type=radio][checked]")}
    found |= {str(s["name"]): str(o["value"]) for s in page.select("form.contact select") for o in s.select("option[selected]")}  # fmt: skip
    return found | {str(f["name"]): f.get_text().removeprefix("\n") for f in page.select("form.contact textarea")}


def upload(person: Staff, text: str, do: str = "import", **fields: str) -> TestResponse:
    data: dict[str, Any] = hidden(person.open(f"{FILES}?lang=en")) | {"do": do} | fields
    data["file"] = (io.BytesIO(text.encode()), "calls.csv")
    return person.client.post(FILES, data=data, content_type="multipart/form-data")


# The form


def test_a_contact_is_kept_as_it_was_typed_and_the_next_form_is_ready(caller: Staff, database: Database) -> None:
    before = datetime.now(UTC)
    reply = send(caller)
    assert (reply.status_code, reply.location) == (303, f"{PAGE}?saved=yes")
    (row,) = kept(database)
    assert before - timedelta(seconds=1) <= row["happened_at"] <= datetime.now(UTC)
    said = {name: row[name] for name in ("reason", "channel", "question", "mattered_most", "core_problem", "remedy")}
    assert said == {name: CALL[name] for name in said}
    assert (row["impression"], row["solved"], row["minutes"], row["simulated"]) == (2, False, 12, False)
    assert row["reported"] == "The press stands still.\nSince Monday."
    page = caller.open(reply.location)
    assert "Saved" in page.select_one("[role=status]").get_text()  # type: ignore[union-attr]
    assert typed(page) | {"channel": ""} == dict.fromkeys(typed(page), "") | {"channel": ""}
    assert typed(page)["channel"] == "phone", "most calls come by the same channel as the last one"
    assert [field["name"] for field in page.select("[autofocus]")] == ["reason"]
    assert "The press stands still" in page.select_one("aside").get_text()  # type: ignore[union-attr]
    assert not page.select("script"), "nothing here needs one"


def test_a_mistake_loses_nothing_and_keeps_nothing(caller: Staff, database: Database) -> None:
    wrong = {"reason": "", "minutes": "12.5", "happened_at": "2999-01-01T10:00", "reported": "x" * 2001}
    reply = send(caller, **wrong)
    page = BeautifulSoup(reply.text, "html.parser")
    assert reply.status_code == 422
    assert kept(database) == []
    stands = typed(page)
    assert {name: text.replace("\n", "\r\n") for name, text in stands.items() if text} == {
        name: text for name, text in {**CALL, **wrong}.items() if text
    }
    summary = page.select_one(".mistakes")
    assert summary is not None
    assert {str(link["href"]) for link in summary.select("a")} == {f"#{name}" for name in wrong}
    for name in wrong:
        field = page.select_one(f"#{name}")
        assert field is not None
        assert field["aria-invalid"] == "true"
        assert page.select_one(f"#{str(field['aria-describedby']).split()[0]}") is not None
    assert page.select_one("details[open] #happened_at")
    again = caller.client.post(PAGE, data=hidden(page) | CALL)
    assert again.status_code == 303
    assert len(kept(database)) == 1


def test_a_double_click_records_once_and_another_contact_of_the_same_form_is_told(
    caller: Staff, database: Database
) -> None:
    form = hidden(caller.open(f"{PAGE}?lang=en"))
    replies = [caller.client.post(PAGE, data=form | CALL) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [303, 303]
    assert len(kept(database)) == 1
    other = caller.client.post(PAGE, data=form | CALL | {"reported": "Another customer"})
    assert other.status_code == 409
    page = BeautifulSoup(other.text, "html.parser")
    assert typed(page)["reported"] == "Another customer"
    assert caller.client.post(PAGE, data=hidden(page) | CALL | {"reported": "Another customer"}).status_code == 303
    assert [row["reported"][:7] for row in kept(database)] == ["The pre", "Another"]


def test_a_form_that_is_none_of_ours_is_refused(caller: Staff, database: Database) -> None:
    for forged in ({"submission": None}, {"submission": ""}, {"submission": "x" * 32}, {"submission": "a" * 33}):
        assert send(caller, **forged).status_code == 400
    for forged in ({"reason": "none of them"}, {"channel": "smoke"}, {"core_problem": "x"}, {"impression": "6"}):
        assert send(caller, **forged).status_code == 422, forged
    assert kept(database) == []


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("minutes", ["", "0", "1440", " 7 "], ["-1", "1441", "7,5", "seven", "٣"]),
        ("happened_at", ["", "2026-05-31T14:30"], ["31.5.", "1999-12-31T23:00", "9999-12-31T23:59", "0001-01-01T00:00"]),
        ("impression", ["", "1", "5"], ["0", "6", "one"]),
        ("customer", ["", "K 17", "x" * 80], ["x" * 81]),
        ("reason", ["fault"], ["", "x"]),
        ("channel", ["mail"], ["", "x"]),
    ],
)  # fmt: skip
def test_each_field_takes_what_it_should(
    app: Flask, codes: ContactCodes, field: str, good: list[str], bad: list[str]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    for value in good + bad:
        sent = MultiDict(CALL | {"submission": "0" * 32, field: value})
        with app.test_request_context(PAGE, method="POST", data=sent):
            form = contact_form(codes)
            assert form.validate() == (value in good), (value, form.errors)
            assert set(form.errors) <= {field}


def test_a_time_is_that_of_the_clock_on_the_wall(app: Flask, codes: ContactCodes) -> None:
    with app.test_request_context(PAGE, method="POST", data=CALL | {"happened_at": "2026-05-31T14:30"}):
        contact = contact_of(contact_form(codes), datetime.now(UTC))
    assert contact.happened_at == datetime(2026, 5, 31, 14, 30).astimezone()
    assert contact.happened_at.tzinfo is not None


def test_the_form_speaks_german_and_a_study_without_codes_has_none(app: Flask, caller: Staff) -> None:
    page = caller.open(f"{PAGE}?lang=de")
    assert "Keine Namen" in page.get_text()
    assert "Eine Störung ist zu beheben" in page.get_text()
    surveys = app.extensions["wtp_surveys"]
    survey = surveys["supplier"]
    with app.app_context():
        surveys["supplier"] = type(survey)(
            survey.slug,
            survey.folder,
            survey.definition.model_copy(update={"contacts": None}),
            survey.definition_hash,
            survey.design,
            survey.source,
        )
    assert caller.client.get(PAGE).status_code == 404
    assert caller.client.get("/contacts").location == "/contacts/workshop", "the only one left"


# Field staff


def test_field_staff_begin_at_their_contacts_and_see_nothing_else(app: Flask, caller: Staff) -> None:
    page = caller.open("/contacts")
    assert [str(link["href"]) for link in page.select("main a")] == ["/contacts/supplier", "/contacts/workshop"]
    for path in ("/", "/results", "/results/supplier", "/results/supplier/contacts", "/manage", FILES):
        assert caller.client.get(path).status_code == 404, path
    assert str(page.select_one(".site-name a")["href"]) == "/contacts"  # type: ignore[index]
    again = Staff(app.test_client(), "field")
    assert again.log_in().location == "/contacts"
    assert Staff(app.test_client(), "field").log_in(query="?next=/results/supplier").location == "/contacts"
    assert Staff(app.test_client(), "field").log_in(query="?next=/contacts/workshop").location == "/contacts/workshop"
    assert Staff(app.test_client(), "manager").log_in().location == "/results"


def test_a_long_wait_for_the_next_call_loses_nothing(
    caller: Staff, analyst: Staff, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    forms = {person.name: hidden(person.open(f"{PAGE}?lang=en")) for person in (caller, analyst)}
    monkeypatch.setattr(accounts.time, "time", lambda: now + 3 * 60 * 60)
    assert caller.client.post(PAGE, data=forms["field"] | CALL).location == f"{PAGE}?saved=yes"
    assert analyst.client.post(PAGE, data=forms["analyst"] | CALL).location.startswith("/login")
    monkeypatch.setattr(accounts.time, "time", lambda: now + 13 * 60 * 60)
    assert caller.client.get(PAGE).status_code == 303, "thirteen hours are no shift"
    assert len(kept(database)) == 1


# A second coding


def test_a_second_member_codes_without_seeing_the_first_coding(
    app: Flask, caller: Staff, analyst: Staff, database: Database
) -> None:
    send(caller)
    assert "nothing to code" in caller.open(f"{PAGE}/coding?lang=en").get_text(), "not one's own"
    page = analyst.open(f"{PAGE}/coding?lang=en")
    assert "Since Monday" in page.get_text()
    assert "0 of 1" in page.get_text()
    assert all(value == "" for value in typed(page).values())
    shown = page.get_text()
    assert "Technician sent" not in shown
    form = hidden(page)
    empty = analyst.client.post(f"{PAGE}/coding", data=form | {"reason": "", "mattered_most": "", "core_problem": ""})
    assert (empty.status_code, "Choose why" in empty.text) == (422, True)
    coding = {"reason": "question", "mattered_most": "price", "core_problem": ""}
    for _ in range(2):
        assert analyst.client.post(f"{PAGE}/coding", data=form | coding).status_code == 303
    assert "coded all of them" in analyst.open(f"{PAGE}/coding").get_text()
    with database.read() as connection:
        (found,) = contacts.codings(connection, "supplier")
    assert found == {"contact": int(form["contact"]), **coding, "core_problem": None}
    for number in ("", "x", "-1", "9" * 30, "77"):
        reply = analyst.client.post(f"{PAGE}/coding", data=form | coding | {"contact": number})
        assert reply.status_code == (303 if number == "77" else 400)


# Files


def test_a_file_is_checked_imported_once_and_taken_back(analyst: Staff, database: Database) -> None:
    tried = upload(analyst, HEADING + ROWS, "check")
    assert (tried.status_code, "This file can be imported" in tried.text, kept(database)) == (200, True, [])
    done = upload(analyst, HEADING + ROWS, simulated="yes")
    assert done.status_code == 303
    page = analyst.open(done.location)
    assert "2 contacts were added" in page.get_text()
    assert "simulated" in page.select_one(".card h3").get_text()  # type: ignore[union-attr]
    first, second = kept(database)
    assert (first["channel"], first["mattered_most"], first["solved"]) == ("phone", "price", True)
    assert (second["reason"], second["minutes"], second["customer_id"]) == ("complaint", None, None)
    assert first["simulated"]
    assert upload(analyst, HEADING + ROWS).status_code == 409
    back = f"{FILES}/1/take-back"
    form = hidden(analyst.open(FILES))
    assert analyst.client.post(back, data=form).status_code == 422
    assert len(kept(database)) == 2
    assert analyst.client.post(back, data=form | {"sure": "yes"}).status_code == 303
    assert kept(database) == []


def test_problems_keep_a_whole_file_out_each_with_its_row(analyst: Staff, database: Database) -> None:
    reply = upload(analyst, HEADING + ROWS + "05/06/2026;smoke;fault;speed;;1.5;maybe\n")
    page = BeautifulSoup(reply.text, "html.parser")
    assert (reply.status_code, kept(database)) == (422, [])
    rows = {row.get_text(" ", strip=True) for row in page.select(".problems tbody tr")}
    assert len(rows) == 4
    assert any("row 4, channel smoke phone, mail, visit, portal" in row for row in rows)
    assert upload(analyst, "when;what\n1;2\n").status_code == 422
    assert upload(analyst, "").status_code == 422


def test_contacts_are_taken_away_without_names_and_words(analyst: Staff) -> None:
    send(analyst)
    plain = analyst.client.get(f"{FILES}.csv").text
    assert plain.splitlines()[1].startswith("1,")
    assert "stands still" not in plain
    assert "K-17" not in plain
    assert "The press stands still" in analyst.client.get(f"{FILES}.csv?words=yes").text


def test_links_need_the_study_to_allow_them_and_a_customer_can_be_forgotten(analyst: Staff, database: Database) -> None:
    send(analyst)
    form = hidden(analyst.open(f"{FILES}?lang=en"))
    refused = analyst.client.post(f"{FILES}/links", data=form | {"do": "link"})
    assert (refused.status_code, "does not allow it" in refused.text) == (422, True)
    assert analyst.client.post(f"{FILES}/links", data=form | {"do": "drop"}).status_code == 303
    unknown = analyst.client.post(f"{FILES}/forget", data=form | {"customer": "K-99"})
    assert (unknown.status_code, "no customer of this number" in unknown.text) == (422, True)
    assert analyst.client.post(f"{FILES}/forget", data=form | {"customer": " k-17"}).status_code == 303
    with database.read() as connection:
        assert connection.execute(sa.select(tables.customer.c.key)).scalars().all() == [customers.FORGOTTEN]
        assert customers.links(connection, "supplier") == {}


def test_a_member_can_be_added_for_the_field(database: Database) -> None:
    with database.begin() as connection:
        staff.add(connection, "hotline", PASSWORD, "field")
        assert staff.verify(connection, "hotline", PASSWORD).role == "field"  # type: ignore[union-attr]


def test_the_form_stays_when_the_database_is_away(app: Flask, caller: Staff) -> None:
    form = hidden(caller.open(f"{PAGE}?lang=en"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contacts, "record", _away)
        reply = caller.client.post(PAGE, data=form | CALL)
    page = BeautifulSoup(reply.text, "html.parser")
    assert reply.status_code == 503
    assert "Since Monday" in str(page.select_one("input[name=reported]"))


def _away(*_: object, **__: object) -> bool:
    raise StoreError("the disk is full")
