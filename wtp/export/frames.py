"""Answers as tidy frames: one row a respondent, and one row an alternative shown. Each row says whether its respondent is simulated.

A frame is made of some respondents at a time; its column types come from the survey, not from the rows, so parts of one table fit together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from wtp.export.question_columns import answer_columns, with_choices
from wtp.survey.answers import Answers, Respondent
from wtp.survey.definition import Definition
from wtp.survey.tasks import ChoiceTask, Design

# Type of a column in the codebook -> type of the frame's column.
DTYPES: dict[str, Any] = {
    "whole number": "Int64",
    "0 or 1": "Int64",
    "number": "Float64",
    "money": "Float64",
    "share": "Float64",
    "per cent": "Float64",
    "true or false": "boolean",
    "time": "datetime64[s, UTC]",
}
_TEXT: Any = "str"
_RESPONDENT = {
    "respondent": "whole number", "simulated": "true or false", "left_out": "true or false", "language": "code",
    "design_version": "whole number", "started_at": "time", "completed_at": "time", "outcome": "code", "source": "code",
    "imported": "text",
}  # fmt: skip


class AnswerFrames:
    """The three tables of answers, made of some respondents at a time."""

    def __init__(self, definition: Definition, left_out: Collection[int] = ()) -> None:
        self.definition = definition
        self.left_out = frozenset(left_out)
        self.columns = answer_columns(definition)
        self.attributes = [attribute.id for attribute in definition.attributes]

    def table(self, name: str, people: Sequence[Respondent]) -> pd.DataFrame:
        """respondents, choices or times of some respondents."""
        made: dict[str, Callable[[Sequence[Respondent]], pd.DataFrame]] = {
            "respondents": self.respondents,
            "choices": self.choices,
            "times": self.times,
        }
        return made[name](people)

    def respondents(self, people: Sequence[Respondent]) -> pd.DataFrame:
        """One row a respondent: number, simulated, language, design version, times, how it ended, and a column an answer: ratings, best-worst tasks, prices and choices of one person side by side."""
        said = [with_choices(self.definition, r) for r in people]
        cells: dict[str, list[Any]] = {
            "respondent": [r.number for r in people],
            "simulated": [r.simulated for r in people],
            "left_out": [r.number in self.left_out for r in people],
            "language": [r.language for r in people],
            "design_version": [r.design_version for r in people],
            "started_at": [r.started_at for r in people],
            "completed_at": [r.completed_at for r in people],
            "outcome": [r.outcome for r in people],
            "source": [r.source for r in people],
            "imported": [r.imported or None for r in people],
        }
        series = {name: _typed(values, _RESPONDENT[name]) for name, values in cells.items()}
        series |= {column.name: _typed([column.read(one) for one in said], column.kind) for column in self.columns}
        return pd.DataFrame(series)

    def times(self, people: Sequence[Respondent]) -> pd.DataFrame:
        """One row a respondent and page: seconds from first shown to first saved, the time out of sight taken off."""
        rows = [(r, step, seconds) for r in people for step, seconds in r.seconds.items()]
        steps = _words([step for _, step, _ in rows], np.arange(len(rows)))
        cells = {
            "respondent": np.fromiter((r.number for r, *_ in rows), np.int64, len(rows)),
            "step": steps,
            "seconds": np.fromiter((seconds for *_, seconds in rows), float, len(rows)),
            "simulated": np.fromiter((r.simulated for r, *_ in rows), bool, len(rows)),
        }
        return pd.DataFrame(cells)

    def choices(self, people: Sequence[Respondent]) -> pd.DataFrame:
        """Long choice data, one row an alternative as shown; `wtp estimate` reads it.

        chosen is 1 for the chosen alternative; buys is the answer to the purchase question about it, the same on all rows of the task.
        """
        made = [c for r in people for c in r.choices]
        tasks: list[ChoiceTask] = []  # those that differ: many respondents share one, and each is taken apart once
        places: dict[int, int] = {}
        for choice in made:
            if places.setdefault(id(choice.task), len(tasks)) == len(tasks):
                tasks.append(choice.task)
        alternatives = [a for task in tasks for a in task.alternatives]
        sizes = np.array([len(task.alternatives) for task in tasks], dtype=np.int64)
        shown = np.fromiter((places[id(c.task)] for c in made), np.int64, len(made))
        each = sizes[shown]
        row = np.repeat(np.arange(len(made)), each)  # choice of each row
        position = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
        place = (
            np.repeat((np.cumsum(sizes) - sizes)[shown], each) + position
        )  # row of each alternative in `alternatives`
        person = np.repeat(np.arange(len(people)), [len(r.choices) for r in people])[row]
        task = shown[row]

        def number(values: Iterable[int]) -> np.ndarray:
            return np.fromiter(values, np.int64)

        of = number(a.number for a in alternatives)[place]
        buys = np.fromiter((np.nan if c.buys is None else c.buys for c in made), float, len(made))
        cells = {
            "respondent": number(r.number for r in people)[person],
            "choice_task": number(t.number for t in tasks)[task],
            "kind": _words([t.kind for t in tasks], task),
            "order": number(c.order for c in made)[row],
            "position": position + 1,
            "alternative": of,
            **{x: _words([a.levels.get(x) for a in alternatives], place) for x in self.attributes},
            "price": np.fromiter((np.nan if a.is_none else a.price for a in alternatives), float)[place],
            "chosen": (of == number(c.chosen for c in made)[row]).astype(np.int64),
            "buys": pd.array(buys[row], dtype="Int64"),
            "design_version": number(c.design_version for c in made)[row],
            "definition_hash": _words([c.definition_hash for c in made], row),
            "simulated": np.fromiter((r.simulated for r in people), bool)[person],
        }
        return pd.DataFrame(cells)

    def skipped(self, people: Sequence[Respondent]) -> pd.DataFrame:
        """Of the table of respondents, the cells of answers whose question was asked and left open: true; the others of an empty cell were not asked."""
        said = [with_choices(self.definition, r) for r in people]
        open_ = {
            column.name: [column.name.partition(".")[0] in one and column.read(one) is None for one in said]
            for column in self.columns
        }
        return pd.DataFrame(open_, dtype=bool)


def respondents_frame(definition: Definition, answers: Answers) -> pd.DataFrame:
    """The table of respondents of all answers."""
    return AnswerFrames(definition).respondents(answers.respondents)


def choices_frame(definition: Definition, answers: Answers) -> pd.DataFrame:
    """The long choice data of all answers."""
    return AnswerFrames(definition).choices(answers.respondents)


def design_frame(design: Design, definition: Definition) -> pd.DataFrame:
    """The rows of design.csv: version, choice_task, kind, repeats, alternative, a column an attribute, price."""
    rows = [
        (version, task.number, task.kind, task.repeats, a.number, *(a.levels.get(x.id) for x in definition.attributes), a.price)
        for version, tasks in design.versions.items()
        for task in tasks
        for a in task.alternatives
    ]  # fmt: skip
    columns = [
        "version",
        "choice_task",
        "kind",
        "repeats",
        "alternative",
        *(x.id for x in definition.attributes),
        "price",
    ]
    return pd.DataFrame(rows, columns=columns).astype({"repeats": "Int64"})


def levels_frame(definition: Definition) -> pd.DataFrame:
    """What an offer is made of, for a simulator: attribute, level, column of its part-worth, price, whether it is today's, what it costs, a column of text a language."""
    rows: list[dict[str, Any]] = []
    for attribute in definition.attributes:
        for level in attribute.levels:
            row = {
                "attribute": attribute.id,
                "level": level.id,
                "column": f"{attribute.id}.{level.id}",
                "price": None,
                "current": level.id == attribute.current,
                "unit_cost": level.unit_cost,
                "investment": level.investment,
            }
            rows.append(row | {language: level.label[language] for language in definition.languages})
    for price in definition.price.levels:
        row = {
            "attribute": "price",
            "level": f"{price:.15g}",
            "column": "price_coefficient",
            "price": price,
            "current": price == definition.price.current,
            "unit_cost": None,
            "investment": None,
        }
        rows.append(
            row | {x: f"{price:.15g} {definition.currency} {definition.price.unit[x]}" for x in definition.languages}
        )
    return pd.DataFrame(rows).astype({"price": "Float64", "unit_cost": "Float64", "investment": "Float64"})


def _typed(values: list[Any], kind: str) -> pd.Series:
    series: pd.Series
    if kind == "time":
        series = pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True), dtype=DTYPES[kind])
    elif kind in DTYPES:
        series = pd.Series(values, dtype=DTYPES[kind])
    else:
        series = pd.Series([None if value is None else str(value) for value in values], dtype=_TEXT)
    return series


def _words(values: list[str | None], row: np.ndarray) -> pd.Categorical:
    """Text that repeats, of these values in these rows."""
    whole = pd.Categorical(pd.Series(values, dtype=_TEXT))
    return pd.Categorical.from_codes(whole.codes[row], whole.categories)
