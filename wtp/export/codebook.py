"""The codebook: every column of the exported answers, what its codes mean in every language, and how a missing value looks."""

from __future__ import annotations

import pandas as pd

from wtp.export.frames import question_columns
from wtp.survey.definition import Definition
from wtp.survey.questions import Rating, SingleChoice, VanWestendorp

_FIXED = (
    ("respondents", "respondent", "pseudonym, counts from 1 within the study"),
    ("respondents", "simulated", "true: not a person's answers"),
    ("respondents", "language", "language of the interview"),
    ("respondents", "design_version", "version of the design that the respondent saw"),
    ("respondents", "started_at", "consent given, UTC"),
    ("respondents", "completed_at", "last page saved, UTC; empty: not finished"),
    ("choices", "respondent", "as in respondents"),
    ("choices", "choice_task", "number of the choice task in the design version"),
    ("choices", "kind", "estimation, holdout (equal for all, not estimated) or repeat (an estimation task again)"),
    ("choices", "order", "place of the task in the interview, from 1"),
    ("choices", "position", "place of the alternative on the page, from 1"),
    ("choices", "alternative", "number of the alternative in the design"),
    ("choices", "chosen", "1: chosen, 0: not"),
    ("choices", "buys", "would the chosen one really be bought? 1 yes, 0 no, empty: not asked"),
    ("choices", "design_version", "as in respondents"),
    ("choices", "simulated", "as in respondents"),
    ("choices", "definition_hash", "version of the survey's wording that was shown"),
)


def codebook(definition: Definition) -> pd.DataFrame:
    """table, column, code, and one column of text a language; an empty code describes the column itself. Empty cells are missing values."""
    languages = definition.languages
    rows: list[dict[str, str]] = []

    def add(table: str, column: str, code: str, texts: dict[str, str]) -> None:
        rows.append({"table": table, "column": column, "code": code, **{x: texts[x] for x in languages}})

    for table, column, text in _FIXED:
        add(table, column, "", dict.fromkeys(languages, text))
    for question in definition.questions:
        for column, item in question_columns(question):
            add("respondents", column, "", question.label)
            if isinstance(question, SingleChoice):
                for option in question.options:
                    add("respondents", column, option.id, option.label)
            elif isinstance(question, Rating):
                add("respondents", column, "", next(i.label for i in question.items if i.id == item))
                add("respondents", column, str(question.scale.low), question.scale.low_label)
                add("respondents", column, str(question.scale.high), question.scale.high_label)
            elif isinstance(question, VanWestendorp):
                add("respondents", column, "", getattr(question, str(item)))
    for attribute in definition.attributes:
        add("choices", attribute.id, "", attribute.label)
        for level in attribute.levels:
            add("choices", attribute.id, level.id, level.label)
    price = {x: f"{definition.price.label[x]}, {definition.currency} {definition.price.unit[x]}" for x in languages}
    add("choices", "price", "", price)
    return pd.DataFrame(rows)
