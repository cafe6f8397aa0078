"""Two real respondents and one simulated, with gaps and hostile words, and a small analysis of them."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from wtp.analysis import Analysis, Request
from wtp.design import assign
from wtp.export import FORMATS, Source
from wtp.survey import Answers, Choice, Respondent, Survey

STARTED = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
FINISHED = datetime(2026, 11, 1, 9, 12, 30, tzinfo=UTC)


def taken(name: str, survey: Survey, answers: Answers, analysis: Analysis | None = None) -> bytes:
    """The file of one format."""
    file = io.BytesIO()
    FORMATS[name].write(Source.of(survey, answers, analysis), file, None)
    return file.getvalue()


@pytest.fixture(scope="session")
def answers(survey: Survey) -> Answers:
    assert survey.design is not None
    tasks = assign(survey.design.versions[1], np.random.default_rng(2))  # neither tasks nor alternatives in order
    prices = {"too_cheap": 60.0, "cheap": 79.5, "expensive": 110.0, "too_expensive": 140.0}
    ratings = {item.id: 5 for item in survey.definition.importance_rating.items}  # type: ignore[union-attr]

    def respondent(number: int, buys: tuple[bool | None, ...], *, simulated: bool = False) -> Respondent:
        choices = tuple(
            Choice(tasks[place], place + 1, place % 3 + 1, answer, 1, survey.definition_hash, FINISHED)
            for place, answer in enumerate(buys)
        )
        values = {
            "core_problem": "cost",
            "employees": "to_9",
            "role": None,
            "importance": ratings,
            "price_sense": prices,
        }
        finished = FINISHED if len(buys) == len(tasks) else None
        return Respondent(number, simulated, "de", 1, STARTED, finished, values if number > 1 else {}, choices)

    return Answers(
        survey.slug,
        (
            respondent(1, (True, None)),
            respondent(2, (False,) * len(tasks)),
            respondent(3, (True,) * len(tasks), simulated=True),
        ),
        "hash of three",
    )


@pytest.fixture(scope="session")
def analysis(survey: Survey, answers: Answers) -> Analysis:
    worth = pd.DataFrame(
        {"segment": ["all", "cost"], "estimate": [-6.4, float("nan")], "note": ["", "=too few; the interval is wide"]}
    )
    return Analysis(
        survey.slug, survey.definition_hash, answers.hash, Request(), 3, 2, 1, "EUR", {"willingness_to_pay": worth}
    )
