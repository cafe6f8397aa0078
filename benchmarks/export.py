"""How long an export of many simulated respondents takes, and in how much memory.

    python benchmarks/export.py [RESPONDENTS] [FORMAT ...]        default: 100000 csv parquet choices

Fills a SQLite database with a study of 12 choice tasks of 3 alternatives, then writes each format in a process of its own, without figures. Prints seconds, processor seconds (on a machine that does other work too,
these tell more), size of the file, and the largest memory of the process; and the memory that a tenth of the respondents takes, which should be nearly the same.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from wtp.design import assign
from wtp.export import FORMATS
from wtp.store import open_database, tables
from wtp.store.respondents import pack_task
from wtp.survey import Survey, load_survey
from wtp.web import source_of

SURVEY = Path(__file__).parents[1] / "surveys" / "supplier"
TASKS = 12
_PART = 5_000
_NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)


def fill(survey: Survey, path: Path, count: int) -> None:
    """Random choices, equal answers: what matters here is how many there are."""
    assert survey.design is not None
    rng = np.random.default_rng(1)
    versions = sorted(survey.design.versions)
    rating = survey.definition.importance_rating
    said: dict[str, dict[str, Any]] = {
        "you": {"core_problem": "cost", "employees": "to_9", "role": "uses"},
        "importance": {"importance": {item.id: 5 for item in rating.items}} if rating else {},
        "price": {"price_sense": {"too_cheap": 60.0, "cheap": 79.5, "expensive": 110.0, "too_expensive": 140.0}},
    }
    with open_database(f"sqlite:///{path}") as database:
        database.migrate()
        with database.begin() as connection:
            study = {"slug": survey.slug, "definition_hash": survey.definition_hash, "design_hash": survey.design.hash}
            connection.execute(sa.insert(tables.study).values(**study))
            for start in range(1, count + 1, _PART):
                people, pages, choices = [], [], []
                for number in range(start, min(start + _PART, count + 1)):
                    version = versions[number % len(versions)]
                    shown = assign(survey.design.versions[version], rng)[:TASKS]
                    same = {"definition_hash": survey.definition_hash, "design_version": version}
                    when = {"created_at": _NOW, "consented_at": _NOW, "completed_at": _NOW}
                    people.append({"id": number, "study": survey.slug, "number": number, "token_hash": f"{number:064d}", "simulated": True, "language": "de", "outcome": "completed", "source": "link", "test": False, **same, **when})  # fmt: skip
                    pages += [{"respondent_id": number, "page": page, "revision": 1, "content": content, "answered_at": _NOW, "seconds": 4.5} for page, content in said.items()]  # fmt: skip
                    picks, buys = rng.integers(1, 4, TASKS).tolist(), rng.random(TASKS) < 0.5
                    choices += [
                        {"respondent_id": number, "choice_order": order, "revision": 1, "choice_task": task.number, "kind": task.kind, "shown": pack_task(task), "chosen": picks[order - 1], "buys": bool(buys[order - 1]), "answered_at": _NOW, "seconds": 6.0, **same}
                        for order, task in enumerate(shown, 1)
                    ]  # fmt: skip
                connection.execute(sa.insert(tables.respondent), people)
                connection.execute(sa.insert(tables.answer), pages)
                connection.execute(sa.insert(tables.choice), choices)


def write(path: Path, name: str) -> None:
    """One format, in this process; prints what it took."""
    survey = load_survey(SURVEY)
    began = time.perf_counter()
    with open_database(f"sqlite:///{path}") as database, tempfile.TemporaryFile() as file:
        with source_of(database, survey, figures=False) as source:
            FORMATS[name].write(source, file, None)
        size, people = file.seek(0, os.SEEK_END), source.respondents
    taken = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:10} {people:8,} respondents {taken:7.1f} s {time.process_time():7.1f} s of a processor {size / 1e6:8.1f} MB {memory:6.0f} MB of memory")  # fmt: skip


def main(count: int, names: list[str]) -> None:
    """Fill, then a process a format."""
    with tempfile.TemporaryDirectory() as folder:
        for people in (count // 10, count):
            path = Path(folder) / f"{people}.db"
            fill(load_survey(SURVEY), path, people)
            for name in names:
                subprocess.run([sys.executable, __file__, "--write", str(path), name], check=True)
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(Path(sys.argv[2]), sys.argv[3])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 100_000, sys.argv[2:] or ["csv", "parquet", "choices"])
