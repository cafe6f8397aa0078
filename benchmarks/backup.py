"""What a backup, a restore and a move cost, beside SQLite's own copy of its file.

python benchmarks/backup.py [--respondents N] [--postgresql URL of an empty database]

200 simulated respondents answer the supplier survey by the store's functions; their rows are then multiplied. A copy by SQLite's backup interface, compressed by gzip at
the same level, is the peer: it is for SQLite alone, and is not compared with what it came from. Processor seconds are those of this process.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from wtp import __version__
from wtp.cli.simulation import simulate_through_store
from wtp.settings import Settings
from wtp.store import Database, backup, moving, open_database
from wtp.store.archive import Archive, Place
from wtp.store.database import head
from wtp.store.transfer import tables_of
from wtp.survey import load_survey

SURVEYS = Path(__file__).parents[1] / "surveys"
FIRST = 200
LEVEL = 3


def multiply(database: Database, times: int) -> None:
    """Let every respondent be there so often, with answers and choices."""
    for copy in range(1, times):
        more = copy * FIRST
        with database.begin() as connection:
            for table in tables_of(head()):
                columns = [column.name for column in table.columns]
                if table.name == "respondent":
                    changed = {
                        "id": f"id + {more}", "number": f"number + {more}", "token_hash": f"substr(token_hash, 1, 58) || '{copy:06}'",
                    }  # fmt: skip
                    first = f"id <= {FIRST}"
                elif table.name in ("answer", "choice"):
                    columns.remove("id")
                    changed, first = {"respondent_id": f"respondent_id + {more}"}, f"respondent_id <= {FIRST}"
                else:
                    continue
                taken = ", ".join(changed.get(name, name) for name in columns)
                connection.exec_driver_sql(
                    f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {taken} FROM {table.name} WHERE {first}"
                )


def copy_of_sqlite(source: Path, target: Path) -> None:
    """The peer."""
    with sqlite3.connect(source) as here, sqlite3.connect(target.with_suffix(".copy")) as there:
        here.backup(there)
    here.close()
    there.close()
    with target.with_suffix(".copy").open("rb") as file, gzip.open(target, "wb", compresslevel=LEVEL) as written:
        shutil.copyfileobj(file, written)


def timed(label: str, work: Callable[[], object]) -> None:
    """Do it and print what it cost."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before, processor, wall = _memory("VmRSS"), time.process_time(), time.perf_counter()
    work()
    processor, wall = time.process_time() - processor, time.perf_counter() - wall
    more = max(0, _memory("VmHWM") - before)
    print(f"  {label:24} {processor:6.1f} s processor {wall:7.1f} s in all {more:5.0f} MB of memory", flush=True)


def _memory(which: str) -> float:
    """Megabytes."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(which))) / 1024


def main() -> None:
    """Make the respondents, then measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--respondents", type=int, default=10_000)
    parser.add_argument("--postgresql", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = Place(instance=folder, surveys=SURVEYS, program=__version__)
        settings = Settings(instance=folder, surveys=SURVEYS)
        simulate_through_store(settings, load_survey(SURVEYS / "supplier"), FIRST, seed=1)
        file, other = folder / "backup.zip", folder / "other.sqlite"
        with open_database(settings.database_url) as database:
            multiply(database, options.respondents // FIRST)
            print(f"{options.respondents} respondents")
            timed("backup", lambda: backup.back_up(database, file, place))
            timed("SQLite's copy and gzip", lambda: copy_of_sqlite(folder / "wtp.sqlite", folder / "copy.gz"))
            with Archive(file) as archive, open_database(f"sqlite:///{other}") as restored:
                timed("restore", lambda: backup.restore(restored, archive, place))
                print(
                    f"  {archive.manifest.rows} rows; {_size(folder / 'wtp.sqlite')} as SQLite, {_size(file)} as backup, {_size(folder / 'copy.gz')} as gzip"
                )
            if options.postgresql:
                with open_database(options.postgresql) as arriving:
                    timed("move to PostgreSQL", lambda: moving.move(database, arriving))
                    timed("backup of PostgreSQL", lambda: backup.back_up(arriving, file, place, replace=True))


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f} MB"


if __name__ == "__main__":
    main()
