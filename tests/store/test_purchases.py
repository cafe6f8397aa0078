"""Files of purchases that come and go whole, and what is known of linked respondents: a snapshot that changes only when it is taken again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.store.conftest import NOW, SLUG, Study
from tests.store.test_contacts import SECRET, invite, link, linked
from wtp.errors import ConflictError
from wtp.store import copies, customer_files, customers, deletion, known, purchases, tables
from wtp.store.purchases import Purchase
from wtp.survey import Survey

__all__ = ["linked"]  # a fixture
DRILL = Purchase("K-1", date(2026, 3, 31), "Drill", "Tools", 90.5, 100.0, "speed", True, False, 4.5)


def give(study: Study, *rows: Purchase, digest: str = "d" * 64) -> customer_files.Imported:
    with study.database.begin() as connection:
        return purchases.import_file(
            connection, SLUG, rows, name="purchases.csv", digest=digest, who="Ada", now=NOW, secret=SECRET, simulated=True
        )  # fmt: skip


def take(study: Study, survey: Survey, what: dict[int, dict[str, object]], later: int = 0) -> int:
    with study.database.begin() as connection:
        return known.take(connection, survey, what, NOW + timedelta(hours=later))


def test_a_file_is_kept_whole_and_once(study: Study) -> None:
    made = give(study, DRILL, replace(DRILL, customer="k - 1", product="Bits"), replace(DRILL, customer="K-2"))
    with study.database.read() as connection:
        rows = purchases.rows(connection, SLUG)
        assert purchases.count(connection, SLUG) == (3, 2)
        assert [one.id for one in customer_files.everything(connection, SLUG, customer_files.PURCHASES)] == [made.id]
    assert rows[0]["customer"] == rows[1]["customer"] != rows[2]["customer"]
    assert {key: rows[0][key] for key in ("family", "amount", "attribute", "offered_up", "stepped_up", "surcharge", "simulated")} == {
        "family": "Tools", "amount": 90.5, "attribute": "speed", "offered_up": True, "stepped_up": False, "surcharge": 4.5, "simulated": True,
    }  # fmt: skip
    with pytest.raises(ConflictError, match="imported already"):
        give(study, DRILL)
    assert study.rows(tables.purchase) == 3


def test_no_customer_number_is_stored(study: Study) -> None:
    give(study, DRILL)
    with study.database.read() as connection:
        kept = [connection.execute(table.select()).all() for table in tables.metadata.sorted_tables]
    assert "K-1" not in str(kept)


def test_taking_back_takes_customers_whom_nothing_knows(study: Study) -> None:
    made = give(study, DRILL)
    with study.database.begin() as connection:
        assert customer_files.take_back(connection, SLUG, customer_files.PURCHASES, made.id, who="Ada", now=NOW) == 1
        assert customer_files.take_back(connection, SLUG, customer_files.PURCHASES, made.id, who="Ada", now=NOW) is None
    assert (study.rows(tables.purchase), study.rows(tables.customer)) == (0, 0)
    give(study, DRILL)


def test_what_is_known_is_part_of_the_answers_until_the_link_goes(study: Study, linked: Survey) -> None:
    invite(study, "K-1", "K-2")
    before = study.state(), study.read().hash
    assert link(study, linked) == 2
    assert (study.state(), study.read().hash) == before, "a link alone changes no figure"
    with study.database.read() as connection:
        links = customers.links(connection, SLUG)
        assert customers.respondent_of(connection, linked, "k-1", secret=SECRET) in links.values()
        assert customers.respondent_of(connection, linked, "K-3", secret=SECRET) is None
    customer = next(iter(links))
    assert take(study, linked, {customer: {"families": 2}, 999: {"families": 7}}) == 1
    answers = study.read()
    assert [dict(r.known) for r in answers.respondents if r.number == links[customer]] == [{"families": 2}]
    assert sum(bool(r.known) for r in answers.respondents) == 1
    assert study.state() != before[0]
    assert answers.hash != before[1]
    assert copies.unpack(copies.pack(linked, answers))[1].respondents == answers.respondents
    give(study, DRILL)
    assert study.read().hash == answers.hash, "a new purchase changes nothing until it is brought in"
    assert take(study, linked, {}, later=1) == 0
    assert study.read().hash == before[1]
    take(study, linked, {customer: {"families": 2}}, later=2)
    with study.database.begin() as connection:
        assert customers.drop_links(connection, SLUG) == 2
    assert (study.state(), study.read().hash) == before
    assert study.rows(tables.purchase) == 1


def test_a_study_goes_with_its_purchases(study: Study) -> None:
    give(study, DRILL)
    with study.database.begin() as connection:
        deletion.delete_study(connection, SLUG)
    assert [study.rows(table) for table in (tables.purchase, tables.customer, tables.customer_file)] == [0, 0, 0]
