"""For analysts: a file in one of the usual layouts as one long frame."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from wtp.errors import DataError
from wtp.imports.checked import check
from wtp.imports.files import read_path
from wtp.imports.guess import guess
from wtp.imports.mapping import Mapping
from wtp.survey.load import Survey

_MOST_SHOWN = 20


def read_choices(file: str | Path, survey: Survey, mapping: Mapping | None = None) -> pd.DataFrame:
    """The choice data of a file, one row an alternative, as `ChoiceData.from_long` takes it; nothing is stored.

    file: CSV, XLSX, Sawtooth's .cho or .chs, or the zip of one of our exports. survey: whose attributes, levels and prices it holds (`load_survey`). mapping: what its columns
    mean (`guess`, or `mapping_of` a saved one); guessed without one.

    Columns: respondent (its name in the file), choice_task, kind, alternative, chosen (0 or 1), buys (0 or 1, missing where not asked), a category an attribute, price (in the survey's
    currency), none (1 on the row of the none option, which has the first level of every attribute and the price 0), simulated.

    Raises DataError naming every place that is wrong, by row.
    """
    read = read_path(Path(file))
    found = check(survey, read, mapping or guess(read, survey.definition))
    if found.errors:
        lines = [str(problem) for problem in found.gathered if problem.severity == "error"]
        more = [f"and {len(lines) - _MOST_SHOWN} more kinds"] if len(lines) > _MOST_SHOWN else []
        raise DataError("\n".join([f"{read.name}: {found.errors} problems", *lines[:_MOST_SHOWN], *more]))
    attributes = survey.definition.attributes
    rows = [
        (
            name,
            c.task.number,
            c.task.kind,
            a.number,
            int(a.number == c.chosen),
            c.buys,
            *(x.level_ids[0] if a.is_none else a.levels.get(x.id) for x in attributes),
            a.price,
            int(a.is_none),
            person.simulated,
        )
        for name, person in found.people
        for c in person.choices
        for a in c.task.alternatives
    ]
    columns = [
        "respondent",
        "choice_task",
        "kind",
        "alternative",
        "chosen",
        "buys",
        *(x.id for x in attributes),
        "price",
        "none",
        "simulated",
    ]
    frame = pd.DataFrame(rows, columns=columns).astype({"buys": "boolean"}).astype({"buys": "Int64"})
    for attribute in attributes:
        frame[attribute.id] = pd.Categorical(frame[attribute.id], categories=list(attribute.level_ids))
    return frame
