"""Purchases on the pages: an analyst imports them and brings them in, a manager reads them, and one customer is looked up without a price."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from tests.web.staff import Staff, hidden
from wtp.analysis import upgrades_of
from wtp.store import Database, audit, contacts, customer_files, customers, known, purchases
from wtp.web import customer as module
from wtp.web.customer import CustomerForm

PAGE = "/manage/supplier/purchases"
HEAD = "customer,date,product,family,amount,list_price,attribute,offered_up,stepped_up,surcharge\n"


def rows(customers_: int) -> str:
    """Everybody buys a drill; every second one service too; a step up is offered to all and every fourth takes it."""
    made = []
    for n in range(customers_):
        made.append(f"K-{n},2026-03-31,Drill,Tools,90,100,speed,1,{int(n % 4 == 0)},4\n")
        if n % 2:
            made.append(f"K-{n},2026-04-30,Visit,Service,50,,,,,\n")
    return HEAD + "".join(made)


def give(person: Staff, text: str, do: str = "import", **more: str) -> TestResponse:
    data: dict[str, Any] = {"csrf_token": hidden(person.open(PAGE))["csrf_token"], "do": do, **more}
    data["file"] = FileStorage(io.BytesIO(text.encode()), "purchases.csv")
    boundary, body = encode_multipart(data)
    return person.client.post(PAGE, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def text_of(reply: TestResponse) -> str:
    return BeautifulSoup(reply.text, "html.parser").get_text(" ", strip=True)


@pytest.fixture
def analyst(staffed: Callable[[str], Staff]) -> Staff:
    return staffed("analyst")


def test_a_file_is_tried_then_imported_then_taken_back(analyst: Staff, database: Database) -> None:
    tried = give(analyst, rows(12), "check")
    assert tried.status_code == 200
    assert "This file can be imported" in text_of(tried)
    with database.read() as connection:
        assert purchases.count(connection, "supplier") == (0, 0)
    done = give(analyst, rows(12))
    assert done.status_code == 303
    assert "18 purchases were added" in analyst.open(done.location).get_text(" ", strip=True)
    assert give(analyst, rows(12)).status_code == 409
    with database.read() as connection:
        assert purchases.count(connection, "supplier") == (18, 12)
        number = customer_files.everything(connection, "supplier", customer_files.PURCHASES)[0].id
    token = hidden(analyst.open(PAGE))["csrf_token"]
    unsure = analyst.client.post(f"{PAGE}/{number}/take-back", data={"csrf_token": token})
    assert unsure.status_code == 422
    analyst.client.post(f"{PAGE}/{number}/take-back", data={"csrf_token": token, "sure": "yes"})
    with database.read() as connection:
        assert purchases.count(connection, "supplier") == (0, 0)


def test_what_is_wrong_is_shown_by_row_and_nothing_is_added(analyst: Staff, database: Database) -> None:
    refused = give(analyst, rows(2) + "K-9,tomorrow,Drill,Tools,90,,,,,\n")
    assert refused.status_code == 422
    assert "row 5, date" in text_of(refused)
    assert "tomorrow" in text_of(refused)
    assert give(analyst, "").status_code == 422
    with database.read() as connection:
        assert purchases.count(connection, "supplier") == (0, 0)


def test_a_manager_reads_cross_and_up_selling(
    analyst: Staff, staffed: Callable[[str], Staff], shown: Callable[..., object]
) -> None:
    shown()
    give(analyst, rows(40))
    manager = staffed("manager")
    page = manager.open("/results/supplier/purchases?lang=en")
    title = page.select_one("#title-selling")
    assert title is not None
    assert title.get_text() == "50% of the customers buy of several families; steps up are taken in 25% of the offers"
    assert "Purchases" in [link.get_text() for link in page.select(".tabs a")]
    assert page.select("#title-purchase_families")
    assert "are simulated" not in "".join(item.get_text() for item in page.select(".findings"))
    table = manager.client.get("/results/supplier/selling.csv").text
    assert "cross_selling" in table
    chart = manager.client.get("/results/supplier/selling.json").get_json()
    assert [trace["name"] for trace in chart["data"]] == ["Buy of several families", "Steps up taken of those offered"]
    german = manager.open("/results/supplier/purchases?lang=de").select_one("#title-selling")
    assert german is not None
    assert german.get_text() != title.get_text()


def test_nine_customers_are_not_told_of(
    analyst: Staff, staffed: Callable[[str], Staff], shown: Callable[..., object]
) -> None:
    shown()
    give(analyst, rows(9))
    page = staffed("manager").open("/results/supplier/purchases?lang=en")
    assert not page.select("#title-selling")
    assert "Purchases" not in [link.get_text() for link in page.select(".tabs a")]


def test_what_is_known_is_brought_in(analyst: Staff, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    give(analyst, rows(3))
    taken: dict[int, dict[str, object]] = {}

    def take(connection: object, survey: object, what: dict[int, dict[str, object]], now: object) -> int:
        taken.update(what)
        return 2

    monkeypatch.setattr(known, "take", take)
    token = hidden(analyst.open(PAGE))["csrf_token"]
    reply = analyst.client.post(f"{PAGE}/bring-in", data={"csrf_token": token})
    assert reply.status_code == 303
    assert "was brought in" in analyst.open(reply.location).get_text(" ", strip=True)
    assert sorted((what["families"], what["taken"]) for what in taken.values()) == [(1, 0), (1, 1), (2, 0)]
    with database.read() as connection:
        log = audit.entries(connection, "supplier")
        assert contacts.count(connection, "supplier") == 0
    assert (log[-1].action, log[-1].reason) == (audit.BROUGHT_IN, "2 customers")


DRAWS = pd.DataFrame(
    {
        "respondent": 7, "price_coefficient": -0.1,
        **{f"speed.{level}": value for level, value in (("two_days", 0.0), ("same_day", 1.0))},
        **{f"brand.{level}": value for level, value in (("known", 0.0), ("leading", 0.0))},
        "design.modern": np.zeros(100), "design.state_of_the_art": np.linspace(0, 0.7, 100),
    }
)  # fmt: skip


def test_upgrades_are_held_against_what_they_cost(database: Database, app: Any) -> None:
    definition = app.extensions["wtp_surveys"]["supplier"].definition
    table = upgrades_of(DRAWS, definition, 7).set_index("attribute")
    assert list(table.index) == ["speed", "design", "brand"]
    assert table["honours"].tolist() == ["probably", "open", "probably_not"]
    assert table["probability"].tolist() == pytest.approx(
        [1.0, 0.5, 0.0], abs=0.01
    )  # 10 for 3, 0 to 7 for 3.5, 0 for 3
    assert upgrades_of(DRAWS, definition, 8).empty
    assert upgrades_of(DRAWS.drop(columns="price_coefficient"), definition, 7).empty


def test_one_customer_is_looked_up_and_no_price_is_told(
    staffed: Callable[[str], Staff], shown: Callable[..., object], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    analysis = shown()
    manager = staffed("manager")
    monkeypatch.setattr(module, "with_people", lambda *_: type(analysis)(**{**_fields(analysis), "people": {"draws": DRAWS}}))  # fmt: skip
    monkeypatch.setattr(customers, "respondent_of", lambda *_, **__: 7)
    path = "/results/supplier/customer"
    token = hidden(manager.open(f"{path}?lang=en"))["csrf_token"]
    page = BeautifulSoup(
        manager.client.post(path, data={"csrf_token": token, "customer": " K-17 "}).text, "html.parser"
    )
    found = [[cell.get_text() for cell in row.select("td")] for row in page.select("tbody tr")]
    assert [(cells[2], cells[3]) for cells in found] == [
        ("probably yes", "over 99%"),
        ("open", "50%"),
        ("probably not", "under 1%"),
    ]
    main = page.select_one("main")
    assert main is not None
    assert "EUR" not in main.get_text()
    assert "€" not in main.get_text()
    assert "K-17" not in page.get_text()
    with database.read() as connection:
        last = audit.entries(connection, "supplier")[-1]
    assert (last.action, last.who, last.reason) == (audit.LOOKED_UP, "manager", "linked")
    assert manager.client.post(path, data={"csrf_token": token, "customer": " "}).status_code == 422


def _fields(analysis: Any) -> dict[str, Any]:
    return {name: getattr(analysis, name) for name in analysis.__slots__}


def test_a_customer_without_link_is_not_guessed_at(
    staffed: Callable[[str], Staff], shown: Callable[..., object]
) -> None:
    shown()
    manager = staffed("manager")
    token = hidden(manager.open("/results/supplier/customer?lang=en"))["csrf_token"]
    reply = manager.client.post("/results/supplier/customer", data={"csrf_token": token, "customer": "K-1"})
    assert "no answers that are linked" in text_of(reply)


@pytest.mark.parametrize(("typed", "valid"), [("K-17", True), ("", False), ("  ", False), ("x" * 81, False)])
def test_the_form_takes_a_number(app: Any, typed: str, valid: bool) -> None:
    with app.test_request_context(method="POST"):
        assert CustomerForm(MultiDict({"customer": typed}), meta={"csrf": False}).validate() is valid
