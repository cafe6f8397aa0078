"""A choice task to warm up with: shown as such, kept, and counted nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.every import SLUG, every_question
from tests.web.every.people import Pages, bot
from wtp.analysis.choice_frame import choice_frame
from wtp.export.frames import choices_frame
from wtp.store import answers
from wtp.survey import Survey


@pytest.fixture(scope="module")
def surveys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("surveys")
    every_question(place, {("choice_tasks", "warm_up"): 1})
    return place


def test_it_comes_first_and_the_choices_that_count_are_counted(app: Flask) -> None:
    survey: Survey = app.extensions["wtp_surveys"][SLUG]
    counted = survey.definition.choice_tasks.counted
    person = Pages(app.test_client())
    person.walk("choice-1")
    assert person.soup.select_one(".count").text == "A first one to try"  # type: ignore[union-attr]
    assert "does not count" in person.soup.select_one(".count + p").text  # type: ignore[union-attr]
    person.send(**person.first())
    assert person.soup.select_one(".count").text == f"Choice 1 of {counted}"  # type: ignore[union-attr]
    assert "does not count" not in person.soup.text


def test_it_is_kept_with_its_kind_and_not_estimated(app: Flask) -> None:
    survey: Survey = app.extensions["wtp_surveys"][SLUG]
    assert bot(app, 3) == "thanks"
    with app.extensions["wtp_database"].read() as connection:
        found = answers.read_answers(connection, SLUG)
    people = found.respondents
    first, *others = people[0].choices
    assert (first.order, first.task.kind) == (1, "warm_up")
    assert "warm_up" not in {choice.task.kind for choice in others}
    assert "choice task 1" not in people[0].without_warm_up.seconds
    estimated = choice_frame(survey.definition, people)["choice_task"].str.split().str[0]
    assert str(first.task.number) not in set(estimated)
    assert set(estimated) == {str(c.task.number) for c in others if c.task.kind == "estimation"}
    assert list(choices_frame(survey.definition, found).query("order == 1")["kind"].unique()) == ["warm_up"]
