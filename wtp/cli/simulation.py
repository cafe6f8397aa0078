"""Simulated respondents answer a study, either by the store's own functions or through the pages as a person would.

Both label them as simulated in the database; tastes come from `[simulation]` of the survey, so results can be checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
import numpy as np

from wtp.design.assignment import assign
from wtp.errors import DesignError
from wtp.estimation.synthetic import SimulatedRespondent, choose, draw_respondents, rate, sort_items
from wtp.settings import Settings
from wtp.store import Database, answers, open_database, respondents, studies
from wtp.store.outcomes import settle
from wtp.survey import Alternative, ChoiceTask, Design, Step, Survey, steps
from wtp.survey.pages import BestWorstPage, ChoiceTaskPage, ConsentPage, ProfileRatingPage, QuestionPage, ThanksPage
from wtp.survey.questions import GaborGranger, Scale
from wtp.web import Bot, create_app


def simulate_through_store(settings: Settings, survey: Survey, count: int, seed: int) -> None:
    """One transaction a respondent; the same functions that the pages call."""
    design = _design(survey)
    with open_database(*settings.kept_in) as database:
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
    with open_database(*settings.kept_in) as database, _crowd(survey, count, seed) as crowd:
        for respondent, rng in crowd:
            token = respondents.new_token()
            with database.begin() as connection:
                respondents.invite(connection, survey.slug, token, simulated=True, now=datetime.now(UTC))

            def pick(
                task: ChoiceTask, person: SimulatedRespondent = respondent, rng: np.random.Generator = rng
            ) -> tuple[int, bool]:
                return choose(person, task, rng)

            def rated(
                offer: Alternative,
                scale: Scale,
                person: SimulatedRespondent = respondent,
                rng: np.random.Generator = rng,
            ) -> int:
                return rate(person, offer, scale, rng)

            def sorted_items(
                page: BestWorstPage,
                shown: list[str],
                person: SimulatedRespondent = respondent,
                rng: np.random.Generator = rng,
            ) -> dict[str, str]:
                return sort_items(person, page, shown, rng)

            Bot(
                app.test_client(), survey, token, answers=respondent.answers, choose=pick, rate=rated, sort=sorted_items
            ).play()


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
            lot=rng.bytes(16).hex(),
            source="link",
        )
        given: dict[str, Any] = {}
        done: set[str] = set()
        while True:
            route = steps(survey.definition, given, interview.lot)
            step = next(step for step in route if step.id not in done and not isinstance(step.page, ConsentPage))
            finished = isinstance(step.page, ThanksPage)
            if settle(connection, survey.definition, interview, given, route, finished=finished, now=now):
                return
            done.add(step.id)
            if step.order is not None and isinstance(step.page, ChoiceTaskPage):
                chosen, buys = choose(person, interview.tasks[step.order - 1], rng)
                purchase = buys if step.page.purchase_question else None
                answers.record_choice(
                    connection, interview.respondent_id, step.order, chosen, purchase, revision=0, now=now
                )
                continue
            values = _values(step, person, rng)
            answers.record_answers(connection, interview.respondent_id, step.id, values, revision=0, now=now)
            given = answers.merged([given, values])


def _values(step: Step, person: SimulatedRespondent, rng: np.random.Generator) -> dict[str, Any]:
    """What the person answers on this page, as the pages would store it."""
    page = step.page
    if isinstance(page, QuestionPage):
        values = {question.id: person.answers.get(question.id) for question in page.questions}
        ladders = [q for q in page.questions if isinstance(q, GaborGranger) and q.ladder]
        for question in ladders:
            values[question.id] = {name: person.answers[question.id][name] for name in question.items}
        return values
    if isinstance(page, BestWorstPage):
        shown = [item.id for item in page.items]
        return {step.id: {"shown": shown, **sort_items(person, page, shown, rng)}}
    if isinstance(page, ProfileRatingPage) and step.profile is not None:
        offer = {**step.profile.levels, "price": step.profile.price}
        return {step.id: {"shown": offer, "rating": rate(person, step.profile, page.scale, rng)}}
    return {}
