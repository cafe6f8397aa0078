"""Answers as tidy frames: one row a respondent, and one row an alternative shown. Each row says whether its respondent is simulated."""

from __future__ import annotations

import pandas as pd

from wtp.export.question_columns import answer_columns, with_choices
from wtp.survey.answers import Answers
from wtp.survey.definition import Definition


def respondents_frame(definition: Definition, answers: Answers) -> pd.DataFrame:
    """One row a respondent: number, simulated, language, design version, times, how it ended, and a column an answer: ratings, best-worst tasks, prices and choices of one person side by side."""
    asked = answer_columns(definition)
    rows = []
    for r in answers.respondents:
        said = with_choices(definition, r)
        rows.append((
            r.number, r.simulated, r.language, r.design_version, r.started_at.isoformat(timespec="seconds"),
            r.completed_at.isoformat(timespec="seconds") if r.completed_at else None,
            r.outcome, r.source, *(column.read(said) for column in asked),
        ))  # fmt: skip
    columns = [
        "respondent", "simulated", "language", "design_version", "started_at", "completed_at", "outcome", "source",
        *(column.name for column in asked),
    ]  # fmt: skip
    return _whole(pd.DataFrame(rows, columns=columns))


def times_frame(answers: Answers) -> pd.DataFrame:
    """One row a respondent and page: seconds from first shown to first saved, the time out of sight taken off."""
    rows = [(r.number, step, seconds, r.simulated) for r in answers.respondents for step, seconds in r.seconds.items()]
    return _whole(pd.DataFrame(rows, columns=["respondent", "step", "seconds", "simulated"]))


def choices_frame(definition: Definition, answers: Answers) -> pd.DataFrame:
    """Long choice data, one row an alternative as shown; `wtp estimate` reads it.

    chosen is 1 for the chosen alternative; buys is the answer to the purchase question about it, the same on all rows of the task.
    """
    attributes = [attribute.id for attribute in definition.attributes]
    rows = [
        (
            r.number, c.task.number, c.task.kind, c.order, position, a.number,
            *(a.levels.get(attribute) for attribute in attributes),
            a.price, int(a.number == c.chosen), None if c.buys is None else int(c.buys),
            c.design_version, c.definition_hash, r.simulated,
        )
        for r in answers.respondents
        for c in r.choices
        for position, a in enumerate(c.task.alternatives, 1)
    ]  # fmt: skip
    columns = [
        "respondent", "choice_task", "kind", "order", "position", "alternative", *attributes, "price", "chosen", "buys",
        "design_version", "definition_hash", "simulated",
    ]  # fmt: skip
    return _whole(pd.DataFrame(rows, columns=columns))


def _whole(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers stay whole beside empty cells: 1, not 1.0."""
    return frame.convert_dtypes()
