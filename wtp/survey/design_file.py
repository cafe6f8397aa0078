"""`design.csv`: read with every mistake named, written in one fixed form.

One row an alternative: `version, choice_task, kind, repeats, alternative`, a column an attribute with the level's id, `price`.
`repeats` is the number of the choice task that a repeat asks again, else empty.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

from wtp.survey.definition import Definition
from wtp.survey.mistakes import Mistake
from wtp.survey.tasks import KINDS, Alternative, ChoiceTask, Design

_KEYS = ("version", "choice_task", "kind", "repeats", "alternative")
_MAX_MISTAKES = 100


def columns(definition: Definition) -> tuple[str, ...]:
    """The columns of design.csv for this survey."""
    return (*_KEYS, *(attribute.id for attribute in definition.attributes), "price")


def format_design(design: Design, definition: Definition) -> str:
    """The text of design.csv."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns(definition))
    for version, tasks in design.versions.items():
        for task in tasks:
            for alternative in task.alternatives:
                levels = [alternative.levels[attribute.id] for attribute in definition.attributes]
                keys = [version, task.number, task.kind, task.repeats or "", alternative.number]
                writer.writerow([*keys, *levels, f"{alternative.price:g}"])
    return out.getvalue()


def design_hash(text: str) -> str:
    """Identifies the content of design.csv."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_design(path: Path, definition: Definition) -> tuple[Design | None, tuple[Mistake, ...]]:
    """Read and check design.csv; the design is None if there is any mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        wrong = f"byte {error.start} is not UTF-8"
        return None, (Mistake(str(path), "(file)", wrong, "text in UTF-8", "run wtp design again"),)
    reader = csv.DictReader(io.StringIO(text), strict=True)
    expected = columns(definition)
    if tuple(reader.fieldnames or ()) != expected:
        found = ",".join(reader.fieldnames or ()) or "nothing"
        return None, (Mistake(str(path), "line 1", found, ",".join(expected), "run wtp design again"),)
    mistakes: list[Mistake] = []
    versions: dict[int, dict[int, list[tuple[str, int | None, Alternative]]]] = {}
    try:
        for line, row in enumerate(reader, start=2):
            wrong_cells = list(_wrong_cells(row, definition))
            if wrong_cells:
                mistakes += [
                    Mistake(str(path), f"line {line}, {k}", f, a, "run wtp design again") for k, f, a in wrong_cells
                ]
                continue
            levels = {attribute.id: row[attribute.id] for attribute in definition.attributes}
            alternative = Alternative(int(row["alternative"]), levels, float(row["price"]))
            tasks = versions.setdefault(int(row["version"]), {})
            repeats = int(row["repeats"]) if row["repeats"] else None
            tasks.setdefault(int(row["choice_task"]), []).append((row["kind"], repeats, alternative))
    except csv.Error as error:
        mistakes.append(Mistake(str(path), f"line {reader.line_num}", str(error), "a CSV file", "run wtp design again"))
    built = {
        version: tuple(_task(number, rows) for number, rows in tasks.items()) for version, tasks in versions.items()
    }
    if not mistakes:
        mistakes.extend(_incomplete(path, built, definition))
    if mistakes:
        return None, tuple(mistakes[:_MAX_MISTAKES])
    return Design(built, design_hash(text)), ()


def _task(number: int, rows: list[tuple[str, int | None, Alternative]]) -> ChoiceTask:
    kind = next(k for k in KINDS if k == rows[0][0])
    return ChoiceTask(number, kind, tuple(alternative for _, _, alternative in rows), rows[0][1])


def _wrong_cells(row: dict[str, str], definition: Definition) -> Iterator[tuple[str, str, str]]:
    for key in ("version", "choice_task", "alternative"):
        if not (row[key] or "").isdecimal() or int(row[key]) < 1:
            yield key, repr(row[key]), "a whole number from 1"
    if row["kind"] not in KINDS:
        yield "kind", repr(row["kind"]), ", ".join(KINDS)
    if row["repeats"] and not row["repeats"].isdecimal():
        yield "repeats", repr(row["repeats"]), "empty or the number of a choice task"
    for attribute in definition.attributes:
        if row[attribute.id] not in attribute.level_ids:
            yield attribute.id, repr(row[attribute.id]), ", ".join(attribute.level_ids)
    prices = {f"{price:g}" for price in definition.price.levels}
    if row["price"] not in prices:
        yield "price", repr(row["price"]), ", ".join(f"{price:g}" for price in definition.price.levels)


def _incomplete(path: Path, versions: dict[int, tuple[ChoiceTask, ...]], definition: Definition) -> Iterator[Mistake]:
    plan = definition.choice_tasks
    remedy = "run wtp design again"
    if not versions:
        yield Mistake(str(path), "(file)", "no row", "one row an alternative", remedy)
    wanted = {"estimation": plan.tasks, "holdout": plan.holdouts, "repeat": plan.repeated}
    for version, tasks in versions.items():
        counts = {kind: sum(task.kind == kind for task in tasks) for kind in KINDS}
        if counts != wanted:
            yield Mistake(str(path), f"version {version}", f"tasks {counts}", f"{wanted}", remedy)
        for task in tasks:
            if len(task.alternatives) != plan.alternatives:
                key = f"version {version}, choice task {task.number}"
                yield Mistake(str(path), key, f"{len(task.alternatives)} alternatives", str(plan.alternatives), remedy)
