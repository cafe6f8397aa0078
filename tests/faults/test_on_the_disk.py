"""What is on the disk when the reply goes out: syncs are counted, and database and log are copied at random moments and cut as a power cut would.

Counting syncs shows durability; copies show consistency. Each has its control: the same count with synchronous=NORMAL, and a database of which a part is missing.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.conftest import SURVEYS, WTP
from wtp.settings import Settings
from wtp.store import open_database, tables
from wtp.web import create_app, running

ROOT = Path(__file__).parents[2]
# Two rows a transaction, and a line when it is committed; rows as large as answers, so that the log is written back now and then.
WRITER = """
import sys
from datetime import UTC, datetime
from itertools import count
from wtp.store import open_database, results
with open_database(sys.argv[1]) as database:
    database.migrate()
    for number in count():
        with database.begin() as connection:
            for half in "ab":
                results.save(connection, f"{number} {half}", "supplier", f"{number} " * 900, datetime.now(UTC))
        print(number, flush=True)
"""
# What the command does, after the check at the start has found everything well.
LAX = """
import sqlalchemy as sa
from wtp.cli import main
from wtp.store import Database
check = Database.check
def checked(self):
    check(self)
    sa.event.listen(self.engine, "checkout", lambda connection, *_: connection.execute("PRAGMA synchronous=NORMAL"))
Database.check = checked
main()
"""
FRAME = 4096 + 24
HEADER = 32
BACKFILL_ATTEMPTED = 128  # in the log's index: up to which frame the log may have been written back into the database


# Syncs


def syncs(command: list[str], instance: Path, respondents: int) -> tuple[int, int]:
    """Let simulated respondents answer through the pages: how many pages were saved, and how often the disk was waited for meanwhile."""
    counted = instance.with_suffix(".strace")
    arguments = ["simulate", str(SURVEYS / "supplier"), "-n", str(respondents), "--through-pages"]
    done = subprocess.run(
        [
            "strace",
            "-f",
            "--seccomp-bpf",
            "-c",
            "-e",
            "trace=fsync,fdatasync",
            "-o",
            str(counted),
            *command,
            *arguments,
        ],
        env={**os.environ, "WTP_INSTANCE": str(instance), "WTP_SURVEYS": str(SURVEYS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) .*f(?:data)?sync$", counted.read_text(), re.MULTILINE)
    with open_database(f"sqlite:///{instance / 'wtp.sqlite'}") as database, database.read() as connection:
        pages = [
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (tables.respondent, tables.answer, tables.choice)
        ]
    return sum(pages), sum(map(int, lines))


@pytest.fixture
def strace() -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")


@pytest.mark.slow
@pytest.mark.usefixtures("strace")
def test_the_disk_is_waited_for_before_every_reply(tmp_path: Path) -> None:
    pages, waited = syncs([str(WTP)], tmp_path / "full", 12)
    print(f"{pages} pages, {waited} syncs")
    assert pages >= 200
    assert waited >= pages


@pytest.mark.slow
@pytest.mark.release
@pytest.mark.usefixtures("strace")
def test_control_without_waiting_there_are_hardly_any_syncs(tmp_path: Path) -> None:
    pages, waited = syncs([sys.executable, "-c", LAX], tmp_path / "normal", 4)
    print(f"{pages} pages, {waited} syncs")
    assert pages >= 60
    assert waited < pages / 2


def test_a_request_writes_with_the_settings_that_wait(database_url: str, tmp_path: Path) -> None:
    app = create_app(Settings(instance=tmp_path / "instance", surveys=SURVEYS, database=database_url))
    with app.test_request_context(), running.database().begin() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        else:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
            assert connection.exec_driver_sql("SHOW fsync").scalar_one() == "on"
    running_database = app.extensions["wtp_database"]
    running_database.engine.dispose()


# Copies of database and log


@contextmanager
def stopped(process: subprocess.Popen[str]) -> Iterator[None]:
    """Nothing is written meanwhile: what is on the disk is that of one moment."""
    process.send_signal(signal.SIGSTOP)
    while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.001)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def numbers_in(file: Path) -> list[int]:
    """The transactions in a database, each of which must be whole. Raises sqlite3.DatabaseError or AssertionError if the database is not consistent."""
    with closing(sqlite3.connect(file)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        migrated = raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'result'").fetchall()
        rows = raw.execute("SELECT fingerprint, content FROM result").fetchall() if migrated else []
    found: dict[int, set[str]] = {}
    for fingerprint, content in rows:
        number, half = fingerprint.split()
        assert content == f"{number} " * 900
        found.setdefault(int(number), set()).add(half)
    assert all(halves == {"a", "b"} for halves in found.values())
    return sorted(found)


def copied(source: Path, target: Path) -> int:
    """Copy database and log as they are; returns the first byte of the log that is not yet written back."""
    for ending in ("", "-wal"):
        shutil.copyfile(f"{source}{ending}", f"{target}{ending}")
    index = Path(f"{source}-shm").read_bytes()
    (frames,) = struct.unpack_from("=I", index, BACKFILL_ATTEMPTED)
    return HEADER + int(frames) * FRAME


def test_copies_at_random_moments_and_cut_logs_are_consistent(tmp_path: Path, rounds: Callable[[int], int]) -> None:
    source, dice = tmp_path / "wtp.sqlite", random.Random(1)
    cuts = shorter = 0
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, f"sqlite:///{source}"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            for moment in range(max(12, rounds(50))):
                for _ in range(dice.randint(1, 60)):
                    said = int(process.stdout.readline())
                target = tmp_path / f"{moment}.sqlite"
                with stopped(process):
                    begins = copied(source, target)
                log = Path(f"{target}-wal")
                content, database = log.read_bytes(), target.read_bytes()
                whole = numbers_in(target)
                assert whole == list(range(len(whole)))
                assert len(whole) > said  # everything that was told is there
                for _ in range(3):
                    if len(content) > begins:
                        target.write_bytes(database)
                        Path(f"{target}-shm").unlink(missing_ok=True)
                        log.write_bytes(content[: dice.randint(begins, len(content))])
                        cut = numbers_in(target)
                        assert cut == whole[: len(cut)]
                        cuts += 1
                        shorter += len(cut) < len(whole)
                for ending in ("", "-wal", "-shm"):
                    Path(f"{target}{ending}").unlink(missing_ok=True)
        finally:
            process.kill()
    print(f"{cuts} cuts, {shorter} of them lost transactions, none a part of one")
    assert shorter > 0


def test_control_a_log_that_is_cut_where_it_is_written_back_is_found(tmp_path: Path) -> None:
    """A power cut cannot do this, since the log is synced before it is written back; that the test sees it shows that it looks."""
    source = tmp_path / "wtp.sqlite"
    with open_database(f"sqlite:///{source}") as database:
        database.migrate()
    with closing(sqlite3.connect(source, isolation_level=None)) as raw:
        raw.execute("PRAGMA wal_autocheckpoint=0")
        insert = "INSERT INTO result (fingerprint, study, content, created_at, kind) VALUES (?, 's', ?, '2026-11-01 00:00:00.000000', 'analysis')"
        for number in range(300):
            raw.execute("BEGIN IMMEDIATE")
            for half in "ab":
                raw.execute(insert, (f"{number} {half}", f"{number} " * 900))
            raw.execute("COMMIT")
        raw.execute("PRAGMA wal_checkpoint(PASSIVE)")
        target = tmp_path / "copy.sqlite"
        copied(source, target)
    log = Path(f"{target}-wal")
    log.write_bytes(log.read_bytes()[: len(log.read_bytes()) // 2])
    with pytest.raises((sqlite3.DatabaseError, AssertionError)):
        assert numbers_in(target) == list(range(300))
