"""A program with everything in it that pages can show, on each kind of database, and what watches over every request."""

from __future__ import annotations

import ctypes
import gc
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from tests.every import every_question
from tests.imports.make_files import content
from tests.web.figures import planned
from tests.web.staff import PASSWORD, ROLES, Staff, hidden
from wtp.analysis import HIERARCHICAL, Request
from wtp.cli.simulation import simulate_through_store
from wtp.imports import guess, read_file
from wtp.settings import Settings
from wtp.store import api_tokens, background_jobs, contacts, imports, measures, results, staff
from wtp.store.measures import Grounds, Plan
from wtp.survey import load_survey
from wtp.web import create_app
from wtp.web.security import limiter

SURVEYS = Path(__file__).parents[2] / "surveys"
HANG_SECONDS = 2  # of this process's own time, whatever else the machine does
PEOPLE = 40
MOST_GROWTH = 100_000_000


@dataclass
class House:
    """An installation with staff, answers, contacts, a measure, a waiting import, a job and a program's token."""

    app: Flask
    token: str
    clients: dict[str, FlaskClient] = field(default_factory=dict)

    def client(self, role: str) -> FlaskClient:
        """Somebody of a role, logged in, whatever was done before."""
        client = self.clients.get(role)
        if client is None or (role != "nobody" and not self._logged_in(client)):
            client = self.clients[role] = self.app.test_client()
            if role != "nobody":
                assert Staff(client, role).log_in().status_code == 303, f"{role} cannot log in any more"
        return client

    @staticmethod
    def _logged_in(client: FlaskClient) -> bool:
        with client.session_transaction() as kept:
            return "_user_id" in kept

    def csrf(self, client: FlaskClient) -> str:
        """The token of its session."""
        return str(hidden(BeautifulSoup(client.get("/login").text, "html.parser"))["csrf_token"])


def furnish(settings: Settings) -> House:
    """Put something into everything."""
    simulate_through_store(settings, load_survey(settings.surveys / "supplier"), PEOPLE, seed=4)
    app = create_app(settings)
    app.config["PROPAGATE_EXCEPTIONS"] = True  # a fault of ours is seen with its lines
    survey, now = app.extensions["wtp_surveys"]["supplier"], datetime.now(UTC)
    lighthouse = content("lighthouse.csv")
    with app.extensions["wtp_database"].begin() as connection:
        for role in ROLES:
            staff.add(connection, role, PASSWORD, role)
        results.save_plan(connection, "supplier", planned().to_json(), now)
        plan, grounds = Plan("offer", "Same day", None, "Bo", None, ""), Grounds("worth", "all", "Speed", "en")
        measures.add(connection, "supplier", plan, grounds, submission="a", who="Bo", now=now)
        mapping = guess(read_file(lighthouse, "x.csv"), survey.definition).to_toml()
        imports.keep(connection, "supplier", name="lighthouse.csv", digest="d" * 64, content=lighthouse, mapping=mapping, made_by="analyst", now=now)  # fmt: skip
        for number in range(12):
            call = contacts.Contact(now, "phone", "fault", "words", customer=str(number))
            contacts.record(connection, "supplier", call, submission=str(number), who="somebody", now=now, secret="s")
        background_jobs.start(
            connection, "supplier", fingerprint="f", basis="b", kind=results.ANALYSIS,
            request=asdict(Request(model=HIERARCHICAL)), definition_hash="d", answers_hash="a", respondents=90,
            answers_copy=b"", started_by="analyst", now=now,
        )  # fmt: skip
        _, token = api_tokens.add(connection, "a test", maker=None, scopes=api_tokens.SCOPES, now=now)
    return House(app, token)


def surveys_of_its_own(place: Path) -> Path:
    """The two studies, an earlier wave of one, a picture, and the study with every kind of question."""
    shutil.copytree(SURVEYS, place)
    shutil.copytree(SURVEYS / "supplier", place / "earlier")
    survey = place / "supplier/survey.toml"
    survey.write_text(f'follows = "earlier"\n{survey.read_text(encoding="utf-8")}', encoding="utf-8")
    (place / "supplier/pictures").mkdir()
    (place / "supplier/pictures/level.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    every_question(place)
    return place


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    place = tmp_path_factory.mktemp("house")
    url = request.getfixturevalue("new_postgresql")() if request.param == "postgresql" else ""
    settings = Settings(instance=place / "instance", surveys=surveys_of_its_own(place / "surveys"), database=url)
    made = furnish(settings)
    limiter.enabled = False  # otherwise the many requests of these tests meet nothing but the limits
    yield made
    limiter.enabled = True
    made.app.extensions["wtp_database"].engine.dispose()


def _hangs(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError("too much processor time")


@contextmanager
def watched(seconds: float = HANG_SECONDS) -> Iterator[None]:
    """Whatever happens within takes no more of this process's own time. Raises TimeoutError."""
    before = signal.signal(signal.SIGPROF, _hangs)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def memory() -> int:
    """Bytes that this process holds now, without what nobody refers to any more and what the allocator keeps for the next time."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


@pytest.fixture
def grows_little() -> Callable[[int], None]:
    """Holds that little memory was taken since some moment."""

    def check(before: int) -> None:
        grown = memory() - before
        assert grown < MOST_GROWTH, f"{grown / 1e6:.0f} MB more than before"

    return check
