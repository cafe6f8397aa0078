"""Sawtooth Software: .cho and .chs text files, .att labels, and the design as CSV, as its online help describes them.

.cho: none is one more concept (none option 1). .chs: constant sum with one point, in which the purchase question is a task of its own, so nothing is lost.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import IO, NamedTuple

import pandas as pd

from wtp.export.archive import archive
from wtp.export.csv_files import table_csv
from wtp.export.layouts.coded import coded_batches, has_none, put_notes, with_single_none
from wtp.export.source import Source
from wtp.survey.definition import Definition
from wtp.survey.tasks import Alternative, Design


def write_sawtooth(source: Source, file: IO[bytes]) -> None:
    """study.cho, study.chs, study.att, design.csv."""
    definition = source.survey.definition
    codes = _codes(definition)
    with archive(file) as made, ExitStack() as stack:
        cho, chs = (stack.enter_context(tempfile.SpooledTemporaryFile(1_000_000)) for _ in range(2))
        for rows in coded_batches(source):
            levels = rows.assign(**{name: _numbers(rows, name, code) for name, code in codes.items()})
            cho.write("".join(_cho(with_single_none(levels, definition), definition, codes)).encode())
            chs.write("".join(_chs(levels, definition, codes)).encode())
        made.put_file("study.cho", cho)
        made.put_file("study.chs", chs)
        made.put("study.att", _labels(definition).encode())
        if source.survey.design:
            made.put("design.csv", _design(source.survey.design, codes))
        put_notes(made, source, "sawtooth")


def _codes(definition: Definition) -> dict[str, dict[object, int]]:
    """Attribute -> level -> its number from 1; the price is the last attribute."""
    codes: dict[str, dict[object, int]] = {
        attribute.id: {level: number for number, level in enumerate(attribute.level_ids, 1)}
        for attribute in definition.attributes
    }
    return codes | {"price": {price: number for number, price in enumerate(definition.price.levels, 1)}}


def _numbers(rows: pd.DataFrame, name: str, code: Mapping[object, int]) -> pd.Series:
    """0 where there is no level: the none option, and what an alternative does not have."""
    return rows[name].astype(object).map(code).where(rows["none"] == 0, 0).fillna(0).astype(int)


def _cho(rows: pd.DataFrame, definition: Definition, codes: Mapping[str, object]) -> Iterator[str]:
    """Respondent, extra variables, attributes, tasks, none option; the extra variable (simulated); then each task: concepts and depth 1, a line of levels a concept, the concept chosen and seconds (not told: 0)."""
    for tasks in _heads(rows, definition, codes):
        if isinstance(tasks, str):
            yield tasks
            continue
        offers = [row for row in tasks if not row.none]
        chosen = next(row.slot for row in tasks if row.chosen)
        yield f"{len(offers)} 1\n{''.join(row.line for row in offers)}{chosen} 0\n"


def _chs(rows: pd.DataFrame, definition: Definition, codes: Mapping[str, object]) -> Iterator[str]:
    """As .cho, but each concept's line ends with its points, and none is a line of zeros."""
    for tasks in _heads(rows.assign(points=rows["chosen"]), definition, codes, "points"):
        yield tasks if isinstance(tasks, str) else f"{len(tasks)}\n{''.join(row.line for row in tasks)}"


class _Row(NamedTuple):
    """One concept."""

    respondent: int
    simulated: int
    observation: int
    slot: int
    none: int
    chosen: int
    line: str


def _heads(
    rows: pd.DataFrame, definition: Definition, codes: Mapping[str, object], *more: str
) -> Iterator[str | list[_Row]]:
    """The two lines above each respondent, and then his tasks, one after the other."""
    lines = [" ".join(map(str, line)) + "\n" for line in rows[[*codes, *more]].to_numpy().tolist()]
    cells = (rows[name].tolist() for name in _Row._fields[:-1])
    tasks = rows.groupby("respondent", sort=False)["observation"].nunique().to_dict()
    every = (_Row(*row) for row in zip(*cells, lines, strict=True))
    for respondent, own in itertools.groupby(every, lambda row: row.respondent):
        first = next(own)
        yield f"{respondent} 1 {len(codes)} {tasks[respondent]} {int(has_none(definition))}\n{first.simulated}\n"
        for _, task in itertools.groupby(itertools.chain([first], own), lambda row: row.observation):
            yield list(task)


def _labels(definition: Definition) -> str:
    """Each attribute, a line a level, an empty line after it; in the survey's first language."""
    language = definition.languages[0]
    blocks = [
        [attribute.label[language], *(level.label[language] for level in attribute.levels)]
        for attribute in definition.attributes
    ]
    blocks.append([definition.price.label[language], *(f"{price:.15g}" for price in definition.price.levels)])
    return "\n".join("\n".join(" ".join(line.split()) for line in block) + "\n" for block in blocks)


def _design(design: Design, codes: Mapping[str, Mapping[object, int]]) -> bytes:
    """Version, Task, Concept and a column of level numbers an attribute, of the estimation tasks."""

    def levels(alternative: Alternative) -> list[int]:
        shown: Mapping[str, object] = {**alternative.levels, "price": alternative.price}
        return [code.get(shown.get(name), 0) for name, code in codes.items()]

    rows = [
        [version, number, alternative.number, *levels(alternative)]
        for version, tasks in design.versions.items()
        for number, task in enumerate((task for task in tasks if task.kind == "estimation"), 1)
        for alternative in task.alternatives
    ]
    return table_csv(pd.DataFrame(rows, columns=["Version", "Task", "Concept", *codes]))
