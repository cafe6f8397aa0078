"""What a respondent and an analysis cost, measured, and what a million completes a day need by that.

    python -m benchmarks.sizing [--database sqlite|postgresql] [--interviews 200] [--sweeps 60]

A respondent: whole interviews of the default study through the shipped server, in two halves, so that what is constant falls out: requests, bytes sent, rows and bytes of each table,
processor ms of server and database, transactions that reach the disk (PostgreSQL: syncs of its log). An analysis: hierarchical fits of growing size on one thread; the slope of processor
time per sweep and choice task, linear in the parameters of a task's rows, and memory a respondent. Then the model: peak factor, cores, disk, network. Processor time counts,
not the clock, so a busy machine tells nearly the same.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import signal
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import sqlalchemy as sa

from benchmarks.hierarchical import simulate
from benchmarks.load import SLUG, Meter, database, served
from tests.load.generator import Crowd
from tests.load.kept import kept
from wtp.estimation import HierarchicalLogit
from wtp.store import open_database, tables

TABLES = ("respondent", "answer", "choice", "page_draft")
# What the model assumes; everything else is measured.
COMPLETES, PEAK, BUSY, INCOMPLETE = 1_000_000, 3.0, 0.6, 0.25
DAYS_KEPT, STEP_SECONDS = 30, 30


def main() -> None:
    """Measure, print the slopes, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--interviews", type=int, default=200)
    parser.add_argument("--sweeps", type=int, default=60)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end as well
    cost = respondent(given.database, given.interviews)
    sweep, memory = analysis(given.sweeps)
    model(cost, sweep, memory)


def respondent(kind: str, interviews: int) -> dict[str, float]:
    """The cost of a whole interview, by name; printed."""
    with tempfile.TemporaryDirectory() as name, database(kind, Path(name)) as place:
        with served(Path(name), place.url, 2) as server:
            crowd = Crowd(server.port, [f"/s/{SLUG}"], end="/thanks", seed=1, again=True)
            meter = Meter(server.pid, place.process)

            async def play(number: int) -> None:
                """So many whole interviews, four at a time."""
                left = number

                async def one_after_the_other() -> None:
                    nonlocal left
                    while left > 0:
                        left -= 1
                        await crowd.whole()

                await asyncio.gather(*(one_after_the_other() for _ in range(4)))

            async def halves() -> list[dict[str, float]]:
                found = []
                for half in (20, interviews // 2, interviews - interviews // 2):
                    await play(half)
                    found.append(_now(place.url, crowd, meter, len(crowd.run.respondents)))
                crowd.close()
                return found

            begun, middle, end = asyncio.run(halves())
        acknowledged, lost, doubled = kept(place.url, SLUG, crowd.run.respondents)
        if crowd.run.errors or lost or doubled:
            raise RuntimeError(f"{dict(crowd.run.errors)}, {lost} lost, {doubled} too many of {acknowledged}")
    print(f"a respondent ({kind}; {interviews} whole interviews; first half and second half, a slope needs both alike)")
    cost = {}
    for what in end:
        if what == "people":
            continue
        first = (middle[what] - begun[what]) / (middle["people"] - begun["people"])
        second = (end[what] - middle[what]) / (end["people"] - middle["people"])
        cost[what] = (end[what] - begun[what]) / (end["people"] - begun["people"])
        print(f"  {what:44} {cost[what]:12.2f}   {first:10.2f} {second:10.2f}")
    return cost


def _now(url: str, crowd: Crowd, meter: Meter, people: int) -> dict[str, float]:
    """What was spent and stored so far."""
    found: dict[str, float] = {"people": people}
    shares = meter.read()
    found["requests"] = crowd.run.requests
    found["pages sent, bytes (not compressed)"] = crowd.run.bytes_received
    found["processor ms, server"] = 1000 * shares.server
    found["processor ms, database"] = 1000 * shares.database
    with open_database(url) as opened, opened.engine.connect() as connection:
        postgresql = connection.dialect.name == "postgresql"
        for table in TABLES:
            count = sa.select(sa.func.count()).select_from(tables.metadata.tables[table])
            found[f"rows, {table}"] = connection.execute(count).scalar_one()
        if postgresql:
            for table in TABLES:
                size = connection.exec_driver_sql(f"SELECT pg_total_relation_size('{table}')").scalar_one()
                found[f"bytes with indexes, {table}"] = size
            found["bytes of log (WAL)"] = connection.exec_driver_sql("SELECT wal_bytes FROM pg_stat_wal").scalar_one()
            syncs = "SELECT coalesce(sum(fsyncs), 0) FROM pg_stat_io WHERE object = 'wal'"
            found["syncs of the log"] = connection.exec_driver_sql(syncs).scalar_one()
        else:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            found["bytes, whole file"] = Path(str(opened.engine.url.database)).stat().st_size
    return {name: float(value) for name, value in found.items()}


def analysis(sweeps: int) -> tuple[float, float]:
    """(processor ns a sweep, choice task, other offer and parameter; bytes of memory a respondent), printed."""
    print(f"an analysis: hierarchical fits, one thread, one chain, {sweeps} sweeps")
    rows = []
    for respondents, tasks, k in ((1_000, 10, 6), (2_000, 10, 6), (4_000, 10, 6), (2_000, 20, 6), (2_000, 10, 12)):
        with get_context("spawn").Pool(1) as pool:
            seconds, memory = pool.apply(_fit, (respondents, tasks, 4, k, sweeps))
        cells = respondents * tasks * 3 * k
        rows.append((respondents, seconds, cells, memory))
        print(
            f"  {respondents:6,} x {tasks:2} tasks x 4 offers x {k:2}: {1000 * seconds / sweeps:8.2f} processor ms a sweep, "
            f"{1e9 * seconds / sweeps / cells:6.2f} ns a sweep and cell, {memory / 1e6:6.1f} MB more"
        )
    (small, _, _, less), (large, _, _, more) = rows[0], rows[2]
    each = max(1e9 * seconds / sweeps / cells for _, seconds, cells, _ in rows)
    return each, (more - less) / (large - small)


def _fit(respondents: int, tasks: int, alternatives: int, k: int, sweeps: int) -> tuple[float, float]:
    small = HierarchicalLogit(simulate(50, 4, alternatives, k, 0.8))
    small.fit(draws=4, warmup=4, stop=None, chains=1)  # compiles
    model_ = HierarchicalLogit(simulate(respondents, tasks, alternatives, k, 0.8))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    model_.fit(seed=1, chains=1, draws=4, warmup=4, stop=None)
    fixed = time.process_time() - begun
    begun = time.process_time()
    model_.fit(seed=1, chains=1, draws=sweeps // 2, warmup=sweeps - sweeps // 2, stop=None)
    seconds = time.process_time() - begun - fixed
    return seconds, 1024.0 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)


def model(cost: dict[str, float], sweep: float, memory: float) -> None:
    """What a million completes a day need."""
    begun = COMPLETES * (1 + INCOMPLETE / 2)  # who breaks off costs half an interview, on average
    mean, submissions = begun / 86_400, (cost["requests"] - 2) / 2
    peak = PEAK * mean
    web, data = cost["processor ms, server"] / 1000, cost["processor ms, database"] / 1000
    size = sum(value for name, value in cost.items() if name.startswith("bytes") and "log" not in name)
    print(
        f"{COMPLETES:,} completes a day; assumed: {INCOMPLETE:.0%} begin and break off half way, the busiest hour is {PEAK:g} times the mean, processors {BUSY:.0%} busy then"
    )
    for what, value, unit in (
        ("interviews a second, mean / busiest", f"{mean:.1f} / {peak:.1f}", ""),
        ("page submissions a second, busiest", f"{peak * submissions:.0f}", ""),
        ("people answering at once, busiest", f"{peak * submissions * STEP_SECONDS:,.0f}", f"at {STEP_SECONDS} s a page"),
        ("processors for pages, busiest", f"{peak * web / BUSY:.1f}", f"{1000 * web:.0f} ms an interview"),
        ("processors for the database, busiest", f"{peak * data / BUSY:.1f}", f"{1000 * data:.0f} ms an interview"),
        ("database grows a day", f"{begun * size / 1e9:.1f} GB", f"{size / 1000:.1f} kB an interview; {DAYS_KEPT} days: {DAYS_KEPT * begun * size / 1e12:.2f} TB"),
        ("log of the database, busiest", f"{peak * cost.get('bytes of log (WAL)', 0) / 1e6:.1f} MB/s", ""),
        ("syncs a second, busiest, at most", f"{peak * submissions:.0f}", "one a submission; PostgreSQL makes fewer, several share one"),
        ("network out, busiest", f"{8 * peak * cost['pages sent, bytes (not compressed)'] / 1e6:.0f} Mbit/s", "not compressed"),
    ):  # fmt: skip
        print(f"  {what:40} {value:>16}  {unit}")
    print(
        f"an analysis of 13 tasks, 3 offers, 19 parameters, 3,000 sweeps, 2 chains; {sweep:.1f} ns a sweep and cell, {memory / 1000:.1f} kB a respondent and chain"
    )
    for people in (1_000, 10_000, 100_000, 1_000_000):
        hours = 2 * 3_000 * people * 13 * 3 * 19 * sweep / 1e9 / 3600
        print(
            f"  {people:9,} respondents: {hours:8.2f} processor hours, {2 * people * memory / 1e9:6.2f} GB beside the program"
        )


if __name__ == "__main__":
    main()
