"""Named what-ifs: one name once, of one study, gone with it; on both databases."""

from __future__ import annotations

import pytest

from tests.store.conftest import NOW, SLUG, Study
from wtp.errors import DataError
from wtp.store import scenarios, tables
from wtp.store.deletion import delete_study
from wtp.store.scenarios import LONGEST_NAME, MOST


def save(study: Study, name: str, query: str = "own-price=105") -> None:
    with study.database.begin() as connection:
        scenarios.save(connection, SLUG, name, query, who="ann", now=NOW)


def test_scenarios_are_kept_by_name_and_deleted_one_by_one(study: Study) -> None:
    save(study, "  Faster   and dearer ")
    save(study, "Cheaper", "own-price=90")
    with study.database.read() as connection:
        found = scenarios.of_study(connection, SLUG)
    assert [(each.name, each.query, each.saved_by, each.saved_at) for each in found] == [
        ("Cheaper", "own-price=90", "ann", NOW), ("Faster and dearer", "own-price=105", "ann", NOW),
    ]  # fmt: skip
    with study.database.begin() as connection:
        assert not scenarios.delete(connection, "another", found[0].id), "of another study"
        assert scenarios.delete(connection, SLUG, found[0].id)
        assert not scenarios.delete(connection, SLUG, found[0].id)
    assert study.rows(tables.scenario) == 1
    with study.database.begin() as connection:
        delete_study(connection, SLUG)
    assert study.rows(tables.scenario) == 0


def test_a_name_is_needed_and_its_own(study: Study) -> None:
    save(study, "Cheaper")
    for name, said in (("Cheaper", "is taken"), ("  ", "0 characters"), ("x" * (LONGEST_NAME + 1), "81 characters"), ("a\0b", "characters")):  # fmt: skip
        with pytest.raises(DataError, match=said):
            save(study, name)
    assert study.rows(tables.scenario) == 1


def test_there_is_an_end(study: Study) -> None:
    with study.database.begin() as connection:
        for number in range(MOST):
            scenarios.save(connection, SLUG, f"scenario {number}", "", who="ann", now=NOW)
    with pytest.raises(DataError, match="200 of supplier are kept"):
        save(study, "one more")
