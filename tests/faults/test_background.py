"""Background analyses on the shipped server: its worker killed, the whole server killed and started again, cancelled; the pages answer all the while."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import Server, Start
from tests.jobs.conftest import Office, children, until
from tests.jobs.test_worker import ENDLESS, HELD, steps_of
from wtp.jobs import Place, cancel_analysis
from wtp.store import open_database
from wtp.store.background_jobs import CANCELLED, FINISHED, QUEUED, RUNNING
from wtp.survey import Survey

ROOT = Path(__file__).parents[2]
# The server with analyses that count steps, and with leases of seconds, on code that is otherwise what ships.
CODE = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests.jobs.test_worker import made_of_steps
from wtp.jobs import fit, worker
from wtp.settings import load_settings
from wtp.store import background_jobs
from wtp.web import serve
fit.analyse, fit._REPORT_SECONDS = made_of_steps, 0.0
background_jobs.LEASE_SECONDS, worker._SWEEP_SECONDS, worker._BEAT_SECONDS = 3, 0.2, 0.1
serve(load_settings(), "127.0.0.1", int(sys.argv[1]), int(sys.argv[2]))
"""


def office_of(server: Server, database_url: str, survey: Survey) -> Office:
    return Office(open_database(database_url), Place(database_url, "", server.instance), survey)


def begun(office: Office, number: int) -> bool:
    return office.job(number).state == RUNNING and (office.job(number).progress or {}).get("sweeps", 0) >= 3


@pytest.fixture
def running(start: Start, database_url: str) -> Callable[[], Server]:
    postgresql = database_url if database_url.startswith("postgresql") else ""
    return lambda: start(workers=1, code=CODE, database=postgresql)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # tests/jobs has both
def test_a_job_outlives_its_worker_and_the_whole_server(
    running: Callable[[], Server], database_url: str, survey: Survey
) -> None:
    server = running()
    office = office_of(server, database_url, survey)
    number = office.order(HELD)
    until(lambda: begun(office, number))
    (worker,) = server.workers("wtp-jobs")
    os.kill(worker, signal.SIGKILL)
    until(lambda: server.workers("wtp-jobs") not in ([], [worker]))
    until(lambda: office.job(number).attempts == 2)
    assert server.get("/healthz") == b"ok\n"
    server.process.kill()  # as the machine does when it loses its power
    server.process.wait(20)
    until(lambda: not server.port_is_open())
    until(lambda: office.job(number).state == QUEUED)  # the worker noticed, and gave it back
    running()
    until(lambda: office.job(number).state == RUNNING)
    (server.instance / "go on").touch()
    ended = office.ended(number)
    assert (ended.state, ended.attempts) == (FINISHED, 2)
    assert steps_of(office, number) == 40
    office.database.engine.dispose()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_server_that_is_told_to_end_gives_its_job_back_and_cancelling_stops_it(
    running: Callable[[], Server], database_url: str, survey: Survey
) -> None:
    server = running()
    office = office_of(server, database_url, survey)
    number = office.order(ENDLESS)
    until(lambda: begun(office, number))
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == 0
    assert office.job(number).attempts == 0
    server = running()
    until(lambda: begun(office, number))
    (worker,) = server.workers("wtp-jobs")
    assert len(children(worker, "wtp-fit")) == 1
    assert cancel_analysis(office.database, number)
    until(lambda: not children(worker, "wtp-fit"))
    assert office.job(number).state == CANCELLED
    assert office.result(number) is None
    assert server.workers("wtp-jobs") == [worker]
    office.database.engine.dispose()
