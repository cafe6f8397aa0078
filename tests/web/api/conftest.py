"""The supplier study after 12 simulated respondents, its analysis made by hand, beside a study that nobody answered; and a program with a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.figures import handmade
from tests.web.staff import PASSWORD, ROLES
from wtp.analysis import HIERARCHICAL, Analysis, Request
from wtp.cli.simulation import simulate_through_store
from wtp.estimation.diagnostics import Note
from wtp.jobs import keys_of
from wtp.settings import Settings
from wtp.store import Database, api_tokens, results, staff
from wtp.store.api_tokens import SCOPES
from wtp.survey import load_survey
from wtp.web import create_app
from wtp.web.security import limiter

SURVEYS = Path(__file__).parents[3] / "surveys"
STUDY, OTHER = "/api/v1/studies/supplier", "/api/v1/studies/workshop"
TABLE = f"{STUDY}/tables/willingness_to_pay"


@dataclass
class Program:
    """A program that has a token."""

    client: FlaskClient
    text: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.text}"}

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers=self.headers | {n.replace("_", "-"): v for n, v in headers.items()})

    def post(self, path: str, **more: Any) -> TestResponse:
        return self.client.post(path, headers=self.headers, **more)


Hold = Callable[..., Program]


@pytest.fixture(scope="package")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    settings = Settings(instance=tmp_path_factory.mktemp("instance"), surveys=SURVEYS)
    simulate_through_store(settings, load_survey(SURVEYS / "supplier"), 12, seed=4)
    app = create_app(settings)
    survey = app.extensions["wtp_surveys"]["supplier"]
    note = Note("few", "warning", "Only {count} respondents.", {"count": 12}, "cost")
    with app.extensions["wtp_database"].begin() as connection:
        for role in ROLES:
            staff.add(connection, role, PASSWORD, role)
        content = handmade(survey, simulated=12, notes=[note]).to_json()
        key, basis = keys_of(connection, survey, Request(model=HIERARCHICAL))
        results.save(
            connection, key, "supplier", content, datetime.now(UTC), basis=basis, made={"estimator": HIERARCHICAL}
        )
    return app


@pytest.fixture
def app(installed: Flask) -> Flask:
    """Nobody asked for anything before."""
    with installed.app_context():
        limiter.reset()
    return installed


@pytest.fixture
def database(app: Flask) -> Database:
    kept: Database = app.extensions["wtp_database"]
    return kept


@pytest.fixture
def hold(app: Flask, database: Database) -> Hold:
    """Gives a program with a new token: of all scopes and studies, unless others are named."""

    def held(*scopes: str, **more: Any) -> Program:
        asked = {"maker": None, "scopes": scopes or SCOPES, "now": datetime.now(UTC), **more}
        with database.begin() as connection:
            _, text = api_tokens.add(connection, "a test", **asked)
        return Program(app.test_client(), text)

    return held


@pytest.fixture
def program(hold: Hold) -> Program:
    return hold()


@pytest.fixture
def shown(app: Flask) -> Analysis:
    """The analysis that pages and programs show."""
    return handmade(app.extensions["wtp_surveys"]["supplier"], simulated=12)
