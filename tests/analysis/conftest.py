"""Answers of simulated respondents to the supplier study, without a database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from wtp.analysis import Analysis, Request, analyse
from wtp.design import assign
from wtp.estimation.synthetic import choose, draw_respondents
from wtp.survey import Answers, Choice, Respondent, Survey, load_survey

NOW = datetime(2026, 11, 1, tzinfo=UTC)
Answer = Callable[[int], Answers]


@pytest.fixture(scope="session")
def survey() -> Survey:
    return load_survey(Path(__file__).parents[2] / "surveys" / "supplier")


@pytest.fixture(scope="session")
def answer(survey: Survey) -> Answer:
    def respond(count: int) -> Answers:
        assert survey.design is not None
        people = []
        for number, person in enumerate(draw_respondents(survey.definition, count, 9), 1):
            rng = np.random.default_rng(number)
            version = number % 120 + 1
            tasks = assign(survey.design.versions[version], rng)
            choices = tuple(
                Choice(task, order, *choose(person, task, rng), version, survey.definition_hash, NOW)
                for order, task in enumerate(tasks, 1)
            )
            people.append(Respondent(number, True, "en", version, NOW, NOW, person.answers, choices))
        return Answers(survey.slug, tuple(people), f"hash of {count}")

    return respond


@pytest.fixture(scope="session")
def answers(answer: Answer) -> Answers:
    return answer(240)


@pytest.fixture(scope="session")
def quick(survey: Survey, answers: Answers) -> Analysis:
    """The pooled analysis of these answers, which several modules look at."""
    return analyse(survey, answers, Request(model="conditional"))
