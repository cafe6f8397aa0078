"""Results after somebody was erased: figures made before say so, and what held single persons is not answered from memory; after retention figures of many stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from tests.web.figures import handmade
from tests.web.staff import Staff
from wtp.analysis import Analysis, provenance
from wtp.jobs import key_of_simulator
from wtp.store import Database, audit, results, tombstones
from wtp.web import analyses

KEY = "f" * 64
NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def kept(app: Flask, database: Database) -> Analysis:
    """An analysis that was made at NOW."""
    analysis = replace(handmade(app.extensions["wtp_surveys"]["supplier"]), answers_hash="e" * 32)
    made = provenance(analysis, app.extensions["wtp_surveys"]["supplier"].definition, made_by="ana", seconds=1.0)
    with database.begin() as connection:
        results.save(connection, KEY, "supplier", analysis.to_json(), NOW, basis="b", made=made)
        results.save(connection, key_of_simulator(KEY), "supplier", "{}", NOW, results.PEOPLE)
    return analysis


def erase(database: Database, at: datetime, key: str) -> None:
    with database.begin() as connection:
        tombstones.add(connection, "supplier", key, tombstones.ERASED, at)
        results.drop_people(connection, "supplier")


def test_figures_that_were_made_before_say_how_many_were_erased_since(
    kept: Analysis, database: Database, staffed: Callable[[str], Staff]
) -> None:
    reader, path = staffed("analyst"), f"/results/supplier?lang=en&analysis={KEY}"
    erase(database, NOW - timedelta(days=1), "before")
    assert "had everything deleted since" not in reader.open(path).get_text()
    erase(database, NOW + timedelta(days=1), "after")
    assert "1 of them had everything deleted since" in reader.open(path).get_text()
    erase(database, NOW + timedelta(days=2), "later")
    assert "2 of them had everything deleted since" in reader.open(path).get_text()


def test_what_held_single_persons_is_not_answered_from_memory(
    app: Flask, kept: Analysis, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey, remembered = app.extensions["wtp_surveys"]["supplier"], object()
    monkeypatch.setattr(analyses, "_simulator", lambda *_: remembered)
    assert analyses.simulator_of(database, survey, kept, KEY) is remembered
    erase(database, NOW, "a")
    assert analyses.simulator_of(database, survey, kept, KEY) is None


def test_after_retention_figures_of_many_stay(app: Flask, kept: Analysis, database: Database) -> None:
    survey = app.extensions["wtp_surveys"]["supplier"]
    assert analyses.analysis_of(database, survey).answers_hash != kept.answers_hash  # of nobody, since nobody answered
    with database.begin() as connection:
        audit.add(connection, "supplier", audit.DELETED, who="wtp", reason="respondents: 145", now=NOW)
        results.save(connection, "g" * 64, "supplier", kept.to_json(), datetime.now(UTC) + timedelta(days=1))
    assert analyses.analysis_of(database, survey).answers_hash == kept.answers_hash
