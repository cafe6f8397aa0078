"""The pages of an import, as an analyst uses them without script: give a file, map it, see what is wrong, import it, take it back."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from tests.imports.conftest import as_csv, plain_rows
from tests.imports.make_files import FILES, PEOPLE, TASKS, content
from tests.web.conftest import stored
from tests.web.staff import Staff, hidden
from wtp.imports import mapping_of
from wtp.imports.tables import MOST_BYTES
from wtp.store import Database
from wtp.web.security import MAX_UPLOAD

START = "/manage/supplier/import"
PAYLOAD = '<img src=x onerror="alert(1)">{{ 7 * 7 }}'


@pytest.fixture
def analyst(staffed: Callable[[str], Staff]) -> Staff:
    return staffed("analyst")


def give(person: Staff, sent: bytes, name: str = "x.csv", **more: FileStorage) -> TestResponse:
    token = hidden(person.open(START))["csrf_token"]
    data = {"csrf_token": token, "file": FileStorage(io.BytesIO(sent), name), **more}
    boundary, body = encode_multipart(data)
    return person.client.post(START, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def page_of(reply: TestResponse) -> BeautifulSoup:
    return BeautifulSoup(reply.text, "html.parser")


def filled(page: BeautifulSoup, action: str) -> dict[str, Any]:
    """What a form would send as it stands."""
    form = page.select_one(f'form[action$="{action}"]')
    assert form is not None, f"no form {action}"
    data: dict[str, Any] = {}
    for box in form.select("input[name], select[name]"):
        name = str(box["name"])
        if box.name == "select":
            options = box.select("option")
            chosen = next((o for o in options if o.has_attr("selected")), options[0])
            value = str(chosen.get("value", chosen.get_text()))
        elif box.get("type") == "checkbox" and not box.has_attr("checked"):
            continue
        else:
            value = str(box.get("value", ""))
        data.setdefault(name, []).append(value)
    return data


def press(person: Staff, page: BeautifulSoup, action: str, **changes: Any) -> TestResponse:
    form = page.select_one(f'form[action$="{action}"]')
    assert form is not None, f"no form {action}"
    return person.client.post(str(form["action"]), data=filled(page, action) | changes)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_each_layout_is_imported_as_it_is_guessed(name: str, analyst: Staff, database: Database) -> None:
    reply = give(analyst, content(name), name)
    assert reply.status_code == 303
    page = analyst.open(reply.location)
    assert "This file can be imported" in page.get_text()
    assert not stored(database).respondents, "nothing is written before it is said"
    again = press(analyst, page, reply.location)  # the mapping as it stands is the mapping
    page = analyst.open(again.location)
    done = press(analyst, page, "/commit")
    assert done.status_code == 303, page_of(done).get_text()
    page = analyst.open(done.location)
    assert f"{PEOPLE} respondents were added" in page.get_text()
    people = stored(database).respondents
    assert (len(people), sum(len(p.choices) for p in people)) == (PEOPLE, PEOPLE * TASKS)
    assert {p.imported.split(" (")[0] for p in people} == {name}
    assert not any(p.simulated for p in people)


def test_the_same_file_again_is_refused_and_nothing_is_added(analyst: Staff, database: Database) -> None:
    sent = content("lighthouse.csv")
    place = give(analyst, sent).location
    page = analyst.open(place)
    press(analyst, page, "/commit")
    assert press(analyst, page, "/commit").location.endswith(START), "a double click"
    reply = give(analyst, sent, "other name.csv")
    assert reply.status_code == 409
    assert "imported already" in page_of(reply).select_one(".mistakes").get_text()  # type: ignore[union-attr]
    other = analyst.open(give(analyst, sent + b"\n").location)
    assert "in the study already" in other.get_text()
    assert not other.select('form[action$="/commit"]')
    assert len(stored(database).respondents) == PEOPLE


def test_problems_are_named_and_values_are_given_a_meaning(analyst: Staff, database: Database) -> None:
    rows = plain_rows()
    for row in rows[1:]:
        row[4] = "tomorrow"
    rows[2][9] = "999"
    place = give(analyst, as_csv(rows)).location
    page = analyst.open(place)
    assert "13 problems keep this file out" in page.get_text()
    assert not page.select('form[action$="/commit"]')
    table = page.select_one("table.problems")
    assert table is not None
    cells = [[" ".join(cell.get_text().split()) for cell in row.select("th, td")] for row in table.select("tbody tr")]
    assert [(row[0], row[1], row[4]) for row in cells] == [
        ("row 2, speed", "tomorrow", "12"),
        ("row 3, price", "999", "1"),
    ]
    listed = list(csv.DictReader(io.StringIO(analyst.client.get(f"{place}/problems.csv").text.removeprefix("\ufeff"))))
    assert [(row["row"], row["column"]) for row in listed][:4] == [
        ("2", "speed"),
        ("3", "speed"),
        ("3", "price"),
        ("4", "speed"),
    ]
    forced = analyst.client.post(f"{place}/commit", data={"csrf_token": hidden(page)["csrf_token"]})
    assert forced.status_code == 422
    assert not stored(database).respondents
    changes = {"m-speed": ["same_day"], "m-price": [{"999": "130"}.get(v, v) for v in filled(page, place)["v-price"]]}
    page = analyst.open(press(analyst, page, place, **changes).location)
    assert "This file can be imported" in page.get_text()
    saved = mapping_of(analyst.client.get(f"{place}/mapping.toml").text, "map")
    assert (saved.levels["speed"], saved.levels["price"]["999"]) == ({"tomorrow": "same_day"}, "130")
    press(analyst, page, "/discard")
    assert not analyst.open(START).select("ul.waiting")
    given = {"mapping": FileStorage(io.BytesIO(saved.to_toml().encode()), "map.toml")}
    assert "This file can be imported" in analyst.open(give(analyst, as_csv(rows), **given).location).get_text()
    wrong = give(analyst, as_csv(rows), mapping=FileStorage(io.BytesIO(b'chosen = "nowhere"'), "map.toml"))
    assert wrong.status_code == 422
    assert "nowhere" in wrong.text


def test_columns_are_changed_by_hand(analyst: Staff) -> None:
    rows = plain_rows()
    rows[0][0], rows[0][9] = "Whom", "How much"
    place = give(analyst, as_csv(rows)).location
    page = analyst.open(place)
    assert "2 problems keep" in page.get_text(), "the respondent, the price"
    page = analyst.open(press(analyst, page, place, **{"c-respondent": "Whom", "a-price": "How much"}).location)
    assert "This file can be imported" in page.get_text()
    page = analyst.open(press(analyst, page, place, **{"c-respondent": "no such column", "c-chosen": ""}).location)
    assert "2 problems keep" in page.get_text()
    page = analyst.open(press(analyst, page, place, layout="respondents").location)
    assert page.select_one('select[name="layout"] option[selected]')["value"] == "respondents"  # type: ignore[index]


def test_an_import_is_taken_back_only_if_one_is_sure(analyst: Staff, database: Database) -> None:
    page = analyst.open(give(analyst, content("qualtrics.csv"), "qualtrics.csv").location)
    press(analyst, page, "/commit", simulated="yes")
    assert all(person.simulated for person in stored(database).respondents)
    page = analyst.open(START)
    assert "simulated" in page.select_one("section.card .tag").get_text()  # type: ignore[union-attr]
    unsure = press(analyst, page, "/take-back")
    assert unsure.status_code == 422
    assert page_of(unsure).select_one("section.card details[open]") is not None
    assert len(stored(database).respondents) == PEOPLE
    assert press(analyst, page, "/take-back", sure="yes").status_code == 303
    assert not stored(database).respondents
    page = analyst.open(START)
    assert "Taken back on" in page.get_text()
    assert not page.select('form[action$="/take-back"]')
    log = analyst.open("/manage/supplier/field").get_text()
    assert "answers imported – qualtrics.csv" in log
    assert "import taken back – qualtrics.csv" in log


def test_pages_and_exports_say_where_answers_are_from_and_no_name_is_shown(analyst: Staff) -> None:
    page = analyst.open(give(analyst, content("row_a_respondent.csv"), "wave 1.csv").location)
    press(analyst, page, "/commit")
    assert "by import of a file (5)" in analyst.open("/manage/supplier/quality").get_text()
    assert "By import" in analyst.open("/manage/supplier/field").get_text()
    pages = ["/manage/supplier", "/manage/supplier/field", "/manage/supplier/quality", START, "/results/supplier"]
    for path in pages:
        assert not re.search(r"p-0\d", analyst.client.get(path).text), path
    for name in ("choices", "csv", "json", "xlsx", "sawtooth"):
        assert b"p-01" not in analyst.client.get(f"/manage/supplier/exports/{name}?figures=no").data, name
    everything = analyst.client.get("/manage/supplier/exports/json?figures=no").get_data(as_text=True)
    assert "wave 1.csv (" in everything
    assert not re.search(r"wave 1\.csv \([0-9a-f]{8}\), [0-9-]{10},", everything), "who imported it is in the log alone"


def test_what_is_in_a_file_is_text_on_every_page(analyst: Staff) -> None:
    rows = plain_rows()
    rows[0].append(PAYLOAD)
    for row in rows[1:]:
        row.append(PAYLOAD)
        row[4] = PAYLOAD
    rows[1][0] = "=1+1"
    reply = give(analyst, as_csv(rows), f"{PAYLOAD}.csv")
    page = analyst.open(reply.location)
    assert not page.select("main img")
    assert PAYLOAD in page.get_text()
    assert "49" not in page.select_one("main h1").get_text()  # type: ignore[union-attr]
    listed = analyst.client.get(f"{reply.location}/problems.csv").text
    assert "'=1+1" in listed, "inert in a spreadsheet too"
    assert not analyst.open(START).select("main img")


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_cannot_be_read_is_said_in_the_language_of_the_page(language: str, analyst: Staff) -> None:
    analyst.client.get(f"{START}?lang={language}")
    words = {
        "en": ("Choose a file first", "row 2: quotation marks", "larger than 10 MB"),
        "de": ("Wählen Sie zuerst eine Datei", "Zeile 2: Anführungszeichen", "größer als 10 MB"),
    }[language]
    token = hidden(analyst.open(START))["csrf_token"]
    nothing = analyst.client.post(START, data={"csrf_token": token})
    quotes = give(analyst, b'a,b\n1,"2\n')
    large = give(analyst, b"x" * (MAX_UPLOAD + 1))
    assert [reply.status_code for reply in (nothing, quotes, large)] == [422, 422, 413]
    for reply, said in zip((nothing, quotes, large), words, strict=True):
        mistake = page_of(reply).select_one(".mistakes")
        assert mistake is not None
        assert said in mistake.get_text()
    between = give(analyst, b"x" * (MOST_BYTES + 1))
    assert (between.status_code, "10 MB" in between.text) == (422, True)


def test_only_who_is_logged_in_may_send_much(analyst: Staff) -> None:
    stranger = analyst.client.application.test_client()
    boundary, body = encode_multipart({"file": FileStorage(io.BytesIO(b"x" * 2_000_000), "x.csv")})
    reply = stranger.post(START, data=body, content_type=f"multipart/form-data; boundary={boundary}")
    assert reply.status_code == 413
    assert "Import answers" not in reply.text


def test_the_german_page_is_german(analyst: Staff) -> None:
    place = give(analyst, content("long_german.csv"), "long_german.csv").location
    page = analyst.open(f"{place}?lang=de")
    text = page.get_text()
    assert "Diese Datei kann importiert werden" in text
    for english in ("Layout", "Respondent", "not in the file", "First rows"):
        assert f"{english} " not in text.replace("Respondents", ""), english


def test_many_columns_are_typed_with_suggestions(analyst: Staff) -> None:
    rows = plain_rows()
    for at, row in enumerate(rows):
        row += [f"extra {n}" if at == 0 else "1" for n in range(200)]
    place = give(analyst, as_csv(rows)).location
    page = analyst.open(place)
    assert page.select_one('input[name="a-price"][list="columns"]')["value"] == "price"  # type: ignore[index]
    assert page.select_one('datalist#columns option[value="extra 7"]') is not None
    assert "This file can be imported" in analyst.open(press(analyst, page, place).location).get_text()
