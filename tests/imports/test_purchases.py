"""Purchases from a file: what each cell means, and every problem by its row."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from wtp.imports import Purchases, read_file, read_purchases
from wtp.survey import load_survey

DEFINITION = load_survey(Path(__file__).parents[2] / "surveys" / "supplier").definition
TODAY = date(2026, 11, 1)
HEAD = "customer,date,product,family,amount,list_price,attribute,offered_up,stepped_up,surcharge\n"
GOOD = "K-1,2026-03-31,Drill,Tools,90.50,100,speed,1,0,4.5\n"


def read(text: str) -> Purchases:
    return read_purchases(read_file(text.encode(), "purchases.csv"), DEFINITION, TODAY)


def test_a_row_is_a_purchase() -> None:
    found = read(HEAD + GOOD + "K-2,01.04.2026,Drill,Tools,80,,,,,\n")
    assert not found.errors
    assert not found.problems
    first, second = found.rows
    assert first == {
        "customer": "K-1", "bought_on": date(2026, 3, 31), "product": "Drill", "family": "Tools", "amount": 90.5, "list_price": 100.0,
        "attribute": "speed", "offered_up": True, "stepped_up": False, "surcharge": 4.5,
    }  # fmt: skip
    assert second["bought_on"] == date(2026, 4, 1)
    assert second["offered_up"] is None
    assert second["list_price"] is None


def test_german_headings_and_commas_are_read() -> None:
    found = read("Kundennummer;Kaufdatum;Produkt;Warengruppe;Betrag;Merkmal;Angeboten;Angenommen\nK-1;31.03.2026;Bohrer;Werkzeug;1.090,50;Schnelle Problemlösung;ja;nein\n")  # fmt: skip
    assert not found.errors
    assert found.rows[0]["amount"] == 1090.5
    assert (found.rows[0]["attribute"], found.rows[0]["stepped_up"]) == ("speed", False)


@pytest.mark.parametrize(
    ("cell", "bad", "code"),
    [
        ("K-1", "", "purchase_text"),
        ("K-1", "x" * 201, "purchase_text"),
        ("2026-03-31", "03/31/2026", "purchase_date"),
        ("2026-03-31", "2026-11-02", "purchase_date"),
        ("2026-03-31", "1989-12-31", "purchase_date"),
        ("90.50", "a lot", "purchase_amount"),
        ("90.50", "-1", "purchase_amount"),
        ("90.50", "", "purchase_amount"),
        ("speed", "colour", "purchase_attribute"),
        (",1,0,", ",maybe,0,", "purchase_truth"),
        (",1,0,", ",0,1,", "purchase_step"),
    ],
)
def test_each_mistake_is_named_by_its_row(cell: str, bad: str, code: str) -> None:
    found = read(HEAD + GOOD + GOOD.replace(cell, bad, 1))
    assert [(problem.code, problem.row) for problem in found.problems] == [(code, 3)]
    assert found.errors
    assert str(found.problems[0]).startswith("row 3, ")


def test_a_day_of_a_workbook_is_a_day() -> None:
    assert read(HEAD + GOOD.replace("2026-03-31", "2026-03-31T00:00:00")).rows[0]["bought_on"] == date(2026, 3, 31)


def test_amounts_that_can_be_read_in_two_ways_are_refused() -> None:
    found = read("customer,date,product,family,amount\nK-1,2026-03-31,Drill,Tools,1.500\n")
    assert [problem.code for problem in found.problems] == ["purchase_ambiguous"]
    assert (
        read('customer,date,product,family,amount,list_price\nK-1,2026-03-31,Drill,Tools,1.500,"1.600,50"\n').rows[0][
            "amount"
        ]
        == 1500
    )


def test_a_missing_column_is_named() -> None:
    found = read("customer,product\nK-1,Drill\n")
    assert [(problem.code, problem.column) for problem in found.problems] == [
        ("missing_column", "date"), ("missing_column", "family"), ("missing_column", "amount"),
    ]  # fmt: skip
    assert not found.rows
