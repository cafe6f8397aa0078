"""The worker keeps the times of studies once a day, and clears away what erasures left outside the tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from wtp.jobs import Place, open_queue
from wtp.jobs.worker import Worker
from wtp.store import Database, erasure, invitations, retention, studies, tables, tombstones
from wtp.survey import Survey

NOW = datetime.now(UTC)


@pytest.fixture
def worker(database: Database, database_url: str, survey: Survey, tmp_path: Path) -> Worker:
    with database.begin() as connection:
        studies.register(connection, survey)
        invitations.add(connection, "supplier", [("C-1", {})], secret="s", now=NOW)
        studies.set_state(connection, "supplier", "closed")
        connection.execute(sa.update(tables.study).values(closed_at=NOW - timedelta(days=31)))
    return Worker(Place(database_url, "", tmp_path), database, open_queue("", database_url, tmp_path))


def invited(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(tables.invitation)).scalar_one()


def test_what_is_due_is_deleted_once_a_day(worker: Worker, database: Database) -> None:
    worker.keep_times()
    assert invited(database) == 0
    with database.begin() as connection:
        invitations.add(connection, "supplier", [("C-2", {})], secret="s", now=NOW)
    worker.keep_times()  # an hour has not passed
    worker._kept_until = 0
    worker.keep_times()  # and today it was done
    assert invited(database) == 1


def test_a_fault_of_it_keeps_no_analysis_waiting(
    worker: Worker, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(retention, "run_daily", broken)
    worker.keep_times()
    assert "retention: <class 'RuntimeError'>" in caplog.text, "told by its kind alone: words could hold an answer"
    assert invited(database) == 1


def test_a_sweep_clears_away_what_an_erasure_left(worker: Worker, database: Database, tmp_path: Path) -> None:
    left = tmp_path / "jobs" / "7"
    left.mkdir(parents=True)
    worker.sweep()
    assert not left.exists()
    assert not (tmp_path / erasure.LIST_FILE).exists()
    with database.begin() as connection:
        tombstones.add(connection, "supplier", "0" * 64, tombstones.ERASED, datetime.now(UTC))
    worker.sweep()
    assert len((tmp_path / erasure.LIST_FILE).read_text().splitlines()) == 1
