"""Answers as tidy frames: one row a respondent, and one row an alternative shown. Each row says whether its respondent is simulated."""

from __future__ import annotations

import pandas as pd

from wtp.survey.answers import Answers
from wtp.survey.definition import Definition
from wtp.survey.questions import VAN_WESTENDORP_ITEMS, GaborGranger, Question, Rating, VanWestendorp


def question_columns(question: Question) -> list[tuple[str, str | None]]:
    """(column, item) of a question: one column, or one an item."""
    if isinstance(question, Rating):
        return [(f"{question.id}.{item.id}", item.id) for item in question.items]
    if isinstance(question, GaborGranger):
        return [(f"{question.id}.{item}", item) for item in question.items]
    if isinstance(question, VanWestendorp):
        return [(f"{question.id}.{item}", item) for item in VAN_WESTENDORP_ITEMS]
    return [(question.id, None)]


def respondents_frame(definition: Definition, answers: Answers) -> pd.DataFrame:
    """One row a respondent: number, simulated, language, design version, times, and a column an answer."""
    asked = [
        (question.id, column, item) for question in definition.questions for column, item in question_columns(question)
    ]
    rows = []
    for r in answers.respondents:
        values = [r.answers.get(question) for question, _, _ in asked]
        rows.append(
            (
                r.number, r.simulated, r.language, r.design_version, r.started_at.isoformat(timespec="seconds"),
                r.completed_at.isoformat(timespec="seconds") if r.completed_at else None,
                *(v if item is None else (v or {}).get(item) for v, (_, _, item) in zip(values, asked, strict=True)),
            )
        )  # fmt: skip
    columns = [
        "respondent", "simulated", "language", "design_version", "started_at", "completed_at",
        *(column for _, column, _ in asked),
    ]  # fmt: skip
    return _whole(pd.DataFrame(rows, columns=columns))


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
