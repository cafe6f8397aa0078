"""The bot answers whole surveys by what it sees, in both languages, and says so when a page does not take its answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

import numpy as np
import pytest
from flask import Flask

from tests.web.conftest import stored
from wtp.errors import DataError
from wtp.estimation.synthetic import choose, draw_respondents
from wtp.store import Database, respondents
from wtp.survey import ChoiceTask, Survey
from wtp.web import Bot


def play(app: Flask, database: Database, language: str, answers: Mapping[str, Any], pick: Any) -> None:
    survey: Survey = app.extensions["wtp_surveys"]["supplier"]
    token = respondents.new_token()
    with database.begin() as connection:
        respondents.invite(connection, "supplier", token, simulated=True, now=datetime.now(UTC))
    client = app.test_client()
    client.get(f"/s/supplier/consent?lang={language}")
    Bot(client, survey, token, answers=answers, choose=pick).play()


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_the_bot_means_is_what_is_stored(app: Flask, database: Database, language: str) -> None:
    survey: Survey = app.extensions["wtp_surveys"]["supplier"]
    for person in draw_respondents(survey.definition, 2, seed=4):
        rng = np.random.default_rng(4)
        made: list[tuple[ChoiceTask, int, bool]] = []

        def pick(task: ChoiceTask, who: Any = person, dice: Any = rng, log: Any = made) -> tuple[int, bool]:
            number, buys = choose(who, task, dice)
            log.append((task, number, buys))
            return number, buys

        play(app, database, language, person.answers, pick)
        respondent = stored(database).respondents[-1]
        assert respondent.answers == dict(person.answers)
        assert (respondent.language, respondent.simulated) == (language, True)
        assert respondent.completed_at is not None
        for choice, (seen, number, buys) in zip(respondent.choices, made, strict=True):
            assert choice.task.alternatives == seen.alternatives
            assert (choice.chosen, choice.buys) == (number, buys)


def test_a_page_that_does_not_take_the_answers_is_named(app: Flask, database: Database) -> None:
    with pytest.raises(DataError, match=r"/s/supplier/profile did not take .*Choose an answer"):
        play(app, database, "en", {}, lambda task: (1, True))


def test_a_busy_server_is_asked_again(
    app: Flask, database: Database, survey: Survey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every third request finds the server busy, before and after an answer is saved."""
    waits: list[float] = []
    monkeypatch.setattr("wtp.web.bot.time.sleep", waits.append)
    asked = count(1)

    @app.before_request
    def busy() -> tuple[str, int, dict[str, str]] | None:
        return ("busy", 503, {"Retry-After": "5"}) if next(asked) % 3 == 0 else None

    person = draw_respondents(survey.definition, 1, seed=4)[0]
    play(app, database, "en", person.answers, lambda task: choose(person, task, np.random.default_rng(1)))
    assert len(waits) > 5
    assert set(waits) == {5.0}
    assert stored(database).respondents[-1].completed_at is not None
