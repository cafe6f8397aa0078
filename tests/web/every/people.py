"""Who answers the survey with every type of question: bots, and people who open pages and type."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.every import SLUG
from wtp.estimation.synthetic import choose, draw_respondents, rate
from wtp.store import Database, answers, respondents
from wtp.survey import Respondent, Survey
from wtp.web import Bot


def bot(app: Flask, seed: int, *, language: str = "en", simulated: bool = False, **own: Any) -> str:
    """One bot answers everything, with some answers of its own; real people come by the open link."""
    survey: Survey = app.extensions["wtp_surveys"][SLUG]
    person = draw_respondents(survey.definition, 1, seed)[0]
    rng = np.random.default_rng(seed)
    client = app.test_client()
    client.get(f"/s/{SLUG}/consent?lang={language}")
    token = None
    if simulated:
        token = respondents.new_token()
        with app.extensions["wtp_database"].begin() as connection:
            respondents.invite(connection, SLUG, token, simulated=True, now=datetime.now(UTC))
    return Bot(
        client,
        survey,
        token,
        answers={**person.answers, **own},
        choose=lambda task: choose(person, task, rng),
        rate=lambda offer, scale: rate(person, offer, scale, rng),
    ).play()


def everybody(database: Database) -> tuple[Respondent, ...]:
    with database.read() as connection:
        return answers.read_answers(connection, SLUG).respondents


class Pages:
    """A person who opens pages and types; what is not said is answered with the first possibility."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.get("consent")

    def get(self, step: str) -> TestResponse:
        return self._keep(self.client.get(f"/s/{SLUG}/{step}", headers={"Accept-Language": "en"}))

    open = get

    def _keep(self, reply: TestResponse) -> TestResponse:
        self.path, self.text = reply.request.path, reply.text
        self.soup = BeautifulSoup(reply.text, "html.parser")
        return reply

    @property
    def step(self) -> str:
        return self.path.rpartition("/")[2]

    def radio(self, name: str) -> list[str]:
        return [str(box["value"]) for box in self.soup.select(f"input[name={name}]")]

    def post(self, **typed: Any) -> TestResponse:
        hidden = {str(i["name"]): str(i.get("value", "")) for i in self.soup.select("main input[type=hidden]")}
        reply = self.client.post(f"/s/{SLUG}/{self.step}", data={**hidden, **typed})
        return self._keep(reply) if reply.status_code == 422 else reply

    def send(self, **typed: Any) -> None:
        reply = self.post(**typed)
        assert reply.status_code == 303, self.soup.select(".mistakes")
        self._keep(self.client.get(reply.location))

    def first(self) -> dict[str, Any]:
        """A full answer to the open page."""
        typed: dict[str, Any] = {}
        for box in self.soup.select("main input[type=radio], main input[type=checkbox]"):
            typed.setdefault(str(box["name"]), str(box["value"]))
        if "worst" in typed:
            typed["worst"] = self.radio("worst")[1]
        typed = {name: value for name, value in typed.items() if not name.endswith("-unsure")}
        for name in [str(i["name"]) for i in self.soup.select("main input[type=text]:not([tabindex]), main textarea")]:
            typed[name] = {"q-points-quality": "100", "q-points-service": "0", "q-words": "ok"}.get(name, "5")
        for rank, box in enumerate(self.soup.select("main select"), 1):
            typed[str(box["name"])] = str(rank) if rank < 3 else ""
        return typed

    def walk(self, to: str) -> None:
        for _ in range(40):
            if self.step == to:
                return
            self.send(**self.first())
        raise AssertionError(f"{to} was not reached")

    def finish(self) -> None:
        self.walk("thanks")
