"""The survey with every type of question, served to people who open its pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.every import every_question
from wtp.settings import Settings
from wtp.store import Database
from wtp.web import create_app


@pytest.fixture(scope="module")
def surveys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("surveys")
    every_question(place)
    return place


@pytest.fixture
def app(surveys: Path, tmp_path: Path) -> Iterator[Flask]:
    app = create_app(Settings(instance=tmp_path, surveys=surveys))
    with app.extensions["wtp_database"]:
        yield app


@pytest.fixture
def database(app: Flask) -> Database:
    found: Database = app.extensions["wtp_database"]
    return found
