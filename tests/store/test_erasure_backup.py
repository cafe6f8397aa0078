"""T10: a backup that is taken while people answer restores everything but those who were erased since; of them nothing is left in any file.

2,000 respondents with --release, else 200.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, SLUG, Study
from wtp.store import background_jobs, backup, erasure, results, staff_restored, tables
from wtp.store.archive import Archive, Place

ERASED = 20


def mark(person: int) -> str:
    return f"mark-of-{person:06}-"


def answer_all(study: Study, people: range) -> None:
    """Every one with a page that holds his mark twice, and a choice."""
    for person in people:
        begun = study.begin(f"token {person}")
        study.answer(begun, "first", {"words": f"{mark(person)}a"})
        study.answer(begun, "first", {"words": f"{mark(person)}b"}, revision=1)
        study.choose(begun, 1, 1)


def rows(study: Study) -> dict[str, set[str]]:
    with study.database.read() as connection:
        return {
            table.name: {repr(tuple(row)) for row in connection.execute(sa.select(table))}
            for table in tables.metadata.sorted_tables
        }


def files(study: Study, folder: Path) -> bytes:
    """Every byte of the installation but of its backups, which keep what they hold for 30 days."""
    places = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".zip"]
    if study.database.engine.dialect.name == "sqlite":
        database = Path(str(study.database.engine.url.database))
        places += [path for path in database.parent.glob(f"{database.name}*") if path not in places]
    return b"".join(path.read_bytes() for path in places)


def restore(study: Study, file: Path, place: Place) -> int:
    with Archive(file) as archive:
        return backup.restore(study.database, archive, place, replace=True).erased


def test_erased_stays_erased_whatever_is_restored(
    study: Study, tmp_path: Path, rounds: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = rounds(2_000)
    gone = range(0, everybody, everybody // ERASED)
    place = Place(instance=tmp_path / "instance", surveys=tmp_path / "surveys", program="1")
    answer_all(study, range(everybody))
    stored: dict[str, Any] = {
        "basis": "b",
        "kind": "analysis",
        "request": {},
        "definition_hash": "d",
        "answers_hash": "a",
    }
    marks = " ".join(map(mark, range(everybody)))
    with study.database.begin() as connection:
        results.save(connection, "draws", SLUG, marks, NOW, results.PEOPLE)
        background_jobs.start(
            connection, SLUG, fingerprint="f", respondents=1, answers_copy=marks.encode(), started_by="a", now=NOW, **stored
        )  # fmt: skip

    # A backup while people go on answering.
    go_on, late = threading.Event(), []

    def answer_on() -> None:
        for person in range(everybody, 10 * everybody):
            if go_on.is_set():
                return
            answer_all(study, range(person, person + 1))
            late.append(person)

    posting = threading.Thread(target=answer_on)
    posting.start()
    file = tmp_path / "old.zip"
    backup.back_up(study.database, file, place)
    go_on.set()
    posting.join()
    assert late

    for person in gone:
        with study.database.begin() as connection:
            done = erasure.erase(connection, SLUG, f"token {person}", who="x", reason="asked for it", now=NOW)
        assert done is not None
    with study.database.read() as connection:
        assert erasure.keep_list(connection, place.instance) == ERASED
    assert study.database.empty_log()

    def left(text: str) -> int:
        return sum(mark(person) in text for person in gone)

    def stays(text: str) -> int:
        return sum(mark(person) in text for person in range(everybody) if person not in gone)

    now = repr(rows(study))
    assert left(now) == 0
    assert stays(now) == everybody - ERASED
    if study.database.engine.dialect.name == "sqlite":
        raw = files(study, tmp_path).decode("latin-1")
        assert left(raw) == 0
        assert stays(raw) == everybody - ERASED  # the search can find what is there

    # The control: a restore that applies no erasure brings all of them back.
    with monkeypatch.context() as patch:
        patch.setattr(erasure, "apply_again", lambda *_: 0)
        assert restore(study, file, place) == 0
    back = rows(study)
    assert left(repr(back)) == ERASED
    assert stays(repr(back)) == everybody - ERASED

    # By the file of the instance folder alone: the database has just lost its list.
    assert not back["erasure"]
    assert restore(study, file, place) == ERASED
    again = rows(study)
    assert left(repr(again)) == 0
    if study.database.engine.dialect.name == "sqlite":
        assert left(files(study, tmp_path).decode("latin-1")) == 0
    for each in (back, again):  # the entry of the restore itself is another one, or not, as the clock goes
        each["audit"] = {row for row in each["audit"] if staff_restored.RESTORED not in row}
    lost = {name: back[name] - again[name] for name in back}
    assert {name: len(each) for name, each in lost.items() if each} == {
        "respondent": ERASED, "answer": 2 * ERASED, "choice": ERASED, "result": 1, "background_job": 1,
    }  # fmt: skip
    came = {name: len(again[name] - back[name]) for name in back if again[name] - back[name]}
    assert came == {"erasure": ERASED, "audit": ERASED, "background_job": 1}  # the job's copy of the answers went
