"""Simulated respondents answer a study, either by the store's own functions or through the pages as a person would.

Both label them as simulated in the database; tastes come from `[simulation]` of the survey, so results can be checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
import numpy as np

from wtp.design.assignment import assign
from wtp.errors import DesignError
from wtp.estimation.synthetic import SimulatedRespondent, choose, draw_respondents
from wtp.settings import Settings
from wtp.store import Database, answers, open_database, respondents, studies
from wtp.survey import ChoiceTask, Design, Survey, steps
from wtp.survey.questions import ChoiceTaskPage, QuestionPage
from wtp.web import Bot, create_app


def simulate_through_store(settings: Settings, survey: Survey, count: int, seed: int) -> None:
    """One transaction a respondent; the same functions that the pages call."""
    design = _design(survey)
    with open_database(settings.database_url) as database:
        database.migrate()
        with database.begin() as connection:
            studies.register(connection, survey)
        with _crowd(survey, count, seed) as crowd:
            for respondent, rng in crowd:
                _answer(database, survey, design, respondent, rng)


def simulate_through_pages(settings: Settings, survey: Survey, count: int, seed: int) -> None:
    """The bot opens a personal link and fills in every form that it is shown."""
    _design(survey)
    app = create_app(settings)
    with open_database(settings.database_url) as database, _crowd(survey, count, seed) as crowd:
        for respondent, rng in crowd:
            token = respondents.new_token()
            with database.begin() as connection:
                respondents.invite(connection, survey.slug, token, simulated=True, now=datetime.now(UTC))

            def pick(
                task: ChoiceTask, person: SimulatedRespondent = respondent, rng: np.random.Generator = rng
            ) -> tuple[int, bool]:
                return choose(person, task, rng)

            Bot(app.test_client(), survey, token, answers=respondent.answers, choose=pick).play()


def _design(survey: Survey) -> Design:
    if survey.design is None:
        raise DesignError(
            f"{survey.folder}: no design.csv; allowed: a survey with a design; run wtp design {survey.folder} first."
        )
    return survey.design


@contextmanager
def _crowd(
    survey: Survey, count: int, seed: int
) -> Iterator[Iterator[tuple[SimulatedRespondent, np.random.Generator]]]:
    """Simulated respondents behind a progress bar, each with a random stream of his own."""
    streams = np.random.SeedSequence(seed).spawn(count)
    people = draw_respondents(survey.definition, count, seed)
    with click.progressbar(
        zip(people, streams, strict=True), length=count, label="simulated respondents answer"
    ) as bar:
        yield ((person, np.random.default_rng(stream)) for person, stream in bar)


def _answer(
    database: Database, survey: Survey, design: Design, person: SimulatedRespondent, rng: np.random.Generator
) -> None:
    now = datetime.now(UTC)
    slug = survey.slug
    with database.begin() as connection:
        version = respondents.least_filled(connection, slug, tuple(design.versions))
        interview = respondents.begin(
            connection,
            slug,
            respondents.new_token(),
            definition_hash=survey.definition_hash,
            design_version=version,
            tasks=assign(design.versions[version], rng),
            language=survey.definition.languages[0],
            consent_hash=survey.definition.consent_hash,
            now=now,
            simulated=True,
        )
        for step in steps(survey.definition):
            if isinstance(step.page, QuestionPage):
                values = {question.id: person.answers.get(question.id) for question in step.page.questions}
                answers.record_answers(connection, interview.respondent_id, step.id, values, revision=0, now=now)
            elif isinstance(step.page, ChoiceTaskPage) and step.order is not None:
                chosen, buys = choose(person, interview.tasks[step.order - 1], rng)
                purchase = buys if step.page.purchase_question else None
                answers.record_choice(
                    connection, interview.respondent_id, step.order, chosen, purchase, revision=0, now=now
                )
        respondents.complete(connection, interview.respondent_id, now)
