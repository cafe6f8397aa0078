"""`design.csv`: read with every mistake named, written in one fixed form.

One row an alternative: `version, choice_task, kind, repeats, alternative`, a column an attribute with the level's id, `price`.
`repeats` is the number of the choice task that a repeat asks again, else empty. The cell of an attribute that the row's label does not have is empty.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from wtp.survey.definition import Definition
from wtp.survey.labels import has
from wtp.survey.mistakes import Mistake
from wtp.survey.tasks import KINDS, Alternative, ChoiceTask, Design, Kind

_KEYS = ("version", "choice_task", "kind", "repeats", "alternative")
_MAX_MISTAKES = 100
_MAX_BYTES = 50_000_000
_REMEDY = "run wtp design again"
_WHOLE = re.compile("[1-9][0-9]{0,8}")

# One row of the file beyond its version and choice task: kind, what it repeats, the alternative.
_Row = tuple[Kind, int | None, Alternative]


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
                levels = [alternative.levels.get(attribute.id, "") for attribute in definition.attributes]
                keys = [version, task.number, task.kind, task.repeats or "", alternative.number]
                writer.writerow([*keys, *levels, f"{alternative.price:.15g}"])
    return out.getvalue()


def design_hash(text: str) -> str:
    """Identifies the content of design.csv."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_design(path: Path, definition: Definition) -> tuple[Design | None, tuple[Mistake, ...]]:
    """Read and check design.csv; the design is None if there is any mistake."""
    text = _read_text(path)
    return (None, (text,)) if isinstance(text, Mistake) else read_design_text(text, path, definition)


def read_design_text(text: str, path: Path, definition: Definition) -> tuple[Design | None, tuple[Mistake, ...]]:
    """Check the text of a design, which is or will be at `path`; the design is None if there is any mistake."""
    reader = csv.DictReader(io.StringIO(text), strict=True)
    expected = columns(definition)
    mistakes: list[Mistake] = []
    versions: dict[int, dict[int, list[_Row]]] = {}
    try:
        if tuple(reader.fieldnames or ()) != expected:
            found = ",".join(reader.fieldnames or ()) or "nothing"
            return None, (Mistake(str(path), "line 1", found, ",".join(expected), _REMEDY),)
        prices = {f"{price:.15g}": price for price in definition.price.levels}
        levels = {attribute.id: attribute.level_ids for attribute in definition.attributes}  # once, not once a row
        for row in reader:
            wrong = list(_wrong_cells(row, definition, levels, prices))
            mistakes += [Mistake(str(path), f"line {reader.line_num}, {k}", f, a, _REMEDY) for k, f, a in wrong]
            if not wrong:
                tasks = versions.setdefault(int(row["version"]), {})
                tasks.setdefault(int(row["choice_task"]), []).append(_read_row(row, definition, prices))
    except csv.Error as error:
        return None, (Mistake(str(path), f"after line {reader.line_num}", str(error), "a CSV file", _REMEDY),)
    if not mistakes:
        wrong = list(_wrong_tasks(versions, definition))
        mistakes += [Mistake(str(path), key, found, allowed, _REMEDY) for key, found, allowed in wrong]
    if mistakes:
        return None, tuple(mistakes[:_MAX_MISTAKES])
    built = {version: _tasks(rows) for version, rows in versions.items()}
    return Design({version: tuple(tasks.values()) for version, tasks in built.items()}, design_hash(text)), ()


def _read_text(path: Path) -> str | Mistake:
    try:
        size = path.stat().st_size
        if size <= _MAX_BYTES:
            return path.read_text(encoding="utf-8-sig")
        found, allowed = f"{size:,} bytes", f"at most {_MAX_BYTES:,} bytes"
    except UnicodeDecodeError as error:
        found, allowed = f"byte {error.start} is not UTF-8", "text in UTF-8"
    except OSError as error:
        found, allowed = (error.strerror or str(error)).lower(), "a file that can be read"
    return Mistake(str(path), "(file)", found, allowed, _REMEDY)


def _read_row(row: Mapping[str, str], definition: Definition, prices: Mapping[str, float]) -> _Row:
    levels = {attribute.id: row[attribute.id] for attribute in definition.attributes if row[attribute.id]}
    kind = next(kind for kind in KINDS if kind == row["kind"])
    repeats = int(row["repeats"]) if row["repeats"] else None
    return kind, repeats, Alternative(int(row["alternative"]), levels, prices[row["price"]])


def _tasks(rows: Mapping[int, list[_Row]]) -> dict[int, ChoiceTask]:
    return {
        number: ChoiceTask(number, same[0][0], tuple(alternative for _, _, alternative in same), same[0][1])
        for number, same in rows.items()
    }


def _wrong_cells(
    row: Mapping[str | None, str],
    definition: Definition,
    levels: Mapping[str, tuple[str, ...]],
    prices: Mapping[str, float],
) -> Iterator[tuple[str, str, str]]:
    """(column, found, allowed) of one row; cells that are missing are None, those too many stand under None."""
    if None in row:
        yield "(end)", f"a row too long by {len(row[None])}", f"{len(row) - 1} cells"
    for key in ("version", "choice_task", "alternative"):
        if not _WHOLE.fullmatch(row[key] or ""):
            yield key, _short(row[key]), "a whole number from 1"
    if row["kind"] not in KINDS:
        yield "kind", _short(row["kind"]), ", ".join(KINDS)
    if row["repeats"] and not _WHOLE.fullmatch(row["repeats"]):
        yield "repeats", _short(row["repeats"]), "empty or the number of a choice task"
    labels = definition.choice_tasks.labels or ""
    label = row.get(labels) or ""
    for attribute in definition.attributes:
        there, cell = has(attribute, label), row[attribute.id]
        if there and cell not in levels[attribute.id]:
            yield attribute.id, _short(cell), ", ".join(levels[attribute.id])
        elif not there and cell and label in levels[labels]:
            yield attribute.id, _short(cell), f"an empty cell, for {label} has no {attribute.id}"
    if row["price"] not in prices:
        yield "price", _short(row["price"]), ", ".join(prices)


def _wrong_tasks(
    versions: Mapping[int, Mapping[int, list[_Row]]], definition: Definition
) -> Iterator[tuple[str, str, str]]:
    """(place, found, allowed): every version has all of its choice tasks, each of one kind, each complete."""
    plan = definition.choice_tasks
    if not versions:
        yield "(file)", "no row", "one row an alternative"
    wanted: dict[Kind, int] = {
        "estimation": plan.tasks,
        "holdout": plan.holdouts,
        "repeat": plan.repeated,
        "warm_up": plan.warm_up,
    }
    for version, rows in versions.items():
        tasks = _tasks(rows)
        counts = {kind: sum(task.kind == kind for task in tasks.values()) for kind in KINDS}
        if counts != wanted:
            yield f"version {version}", f"tasks {_counted(counts)}", _counted(wanted)
        elif max(tasks) != plan.total:
            yield f"version {version}", f"choice task {max(tasks)}", f"the numbers 1 to {plan.total}"
        for number, task in tasks.items():
            place = f"version {version}, choice task {number}"
            numbers = sorted(alternative.number for alternative in task.alternatives)
            if len(numbers) != plan.alternatives:
                yield place, f"{len(numbers)} alternatives", str(plan.alternatives)
            elif numbers != list(range(1, plan.alternatives + 1)):
                yield place, f"alternatives {', '.join(map(str, numbers))}", f"1 to {plan.alternatives}"
            if len({(kind, repeats) for kind, repeats, _ in rows[number]}) > 1:
                yield place, "rows that differ in kind or repeats", "one kind a choice task"
            again = tasks.get(task.repeats or 0)
            if task.kind != "repeat" and task.repeats:
                yield place, f"repeats {task.repeats}", "empty, for only a repeat asks again"
            elif task.kind == "repeat" and not (again and again.kind == "estimation" and _same(task, again)):
                yield place, f"repeats {task.repeats or 'nothing'}", "an estimation task with the same alternatives"


def _same(one: ChoiceTask, other: ChoiceTask) -> bool:
    return all(alternative in other.alternatives for alternative in one.alternatives)


def _counted(counts: Mapping[Kind, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _short(cell: str | None) -> str:
    text = "nothing" if cell is None else repr(cell)
    return text if len(text) <= 60 else text[:57] + "..."
