"""Several web processes on one database: what one of them changes, every other one shows at once, for whatever they remember they name by what it is made of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from wtp.analysis import ALL, CONDITIONAL, Analysis
from wtp.cli.simulation import simulate_through_store
from wtp.jobs import key_of_simulator, keys_of
from wtp.settings import Settings
from wtp.store import answers, contacts, customer_files, decisions, erasure, purchases, results, tables
from wtp.store.contacts import Contact
from wtp.store.purchases import Purchase
from wtp.survey import load_survey
from wtp.web import create_app
from wtp.web.analyses import analysis_of, kept_analysis, quality_of, simulator_of, stored_analysis
from wtp.web.beside import with_purchases
from wtp.web.contact_results import contact_reading
from wtp.web.reading import Reading, labels_of

SURVEYS = Path(__file__).parents[2] / "surveys"
NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
SLUG = "supplier"
PEOPLE = 36


@dataclass(frozen=True)
class Processes:
    """Two applications on one database, as two processes or hosts have them."""

    settings: Settings
    apps: tuple[Flask, Flask]

    def of(self, app: Flask) -> Analysis:
        with app.test_request_context():
            return analysis_of(app.extensions["wtp_database"], app.extensions["wtp_surveys"][SLUG])

    def both(self) -> Analysis:
        """What the second one shows, which must be what the first one shows."""
        first, second = map(self.of, self.apps)
        assert first.to_json() == second.to_json()
        return second

    def answer(self, count: int, seed: int) -> None:
        simulate_through_store(self.settings, load_survey(self.settings.surveys / SLUG), count, seed)

    def state(self) -> str:
        with self.apps[0].extensions["wtp_database"].read() as connection:
            return answers.state(connection, SLUG)


@pytest.fixture
def processes(tmp_path: Path, database_url: str) -> Iterator[Processes]:
    shutil.copytree(SURVEYS / SLUG, tmp_path / "surveys" / SLUG)
    settings = Settings(
        instance=tmp_path / "instance", surveys=tmp_path / "surveys", database=database_url, results="kept"
    )
    made = Processes(settings, (create_app(settings), create_app(settings)))
    made.answer(PEOPLE, 1)
    yield made
    for app in made.apps:
        app.extensions["wtp_database"].engine.dispose()


def test_answers_decisions_costs_and_erasures_are_shown_by_every_process_at_once(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = processes.apps
    database = app.extensions["wtp_database"]
    before = processes.both()
    assert before.respondents == PEOPLE

    processes.answer(1, 2)
    assert processes.both().respondents == PEOPLE + 1, "a new answer"

    with database.begin() as connection:
        decisions.decide(connection, SLUG, [3], decisions.LEAVE_OUT, reason="too fast", made_by="Ada", now=NOW)
    left_out = processes.both()
    assert (left_out.respondents, left_out.request.without) == (PEOPLE, (3,))

    file = processes.settings.surveys / SLUG / "survey.toml"
    file.write_text(file.read_text().replace("unit_cost = 5.5", "unit_cost = 9.5"))
    dearer = processes.both()
    assert not dearer.tables["investment"].equals(left_out.tables["investment"]), "a changed cost"

    full = processes.state()
    with database.begin() as connection:
        person = sa.select(tables.respondent.c.token_hash).where(tables.respondent.c.number == 5)
        assert erasure.erase_hash(
            connection, SLUG, connection.execute(person).scalar_one(), who="Ada", reason="asked", now=NOW
        )
    assert processes.both().respondents == PEOPLE - 1, "an erased person"
    processes.answer(1, 3)
    assert processes.state() != full, "as many answers as once before, of others"
    assert processes.both().answers_hash not in {before.answers_hash, left_out.answers_hash, dearer.answers_hash}

    with database.read() as connection:
        kept = len(results.made(connection, SLUG))
    monkeypatch.setattr("wtp.jobs.start.__version__", "99")
    assert processes.both().respondents == PEOPLE
    with database.read() as connection:
        assert len(results.made(connection, SLUG)) == kept + 1, "another version of the program makes its own"


def test_contacts_and_purchases_are_shown_by_every_process_at_once(processes: Processes) -> None:
    def seen(app: Flask) -> tuple[int, set[str]]:
        with app.test_request_context():
            survey = app.extensions["wtp_surveys"][SLUG]
            reading = Reading(survey, processes.of(app), ALL, labels_of(survey.definition))
            called = contact_reading(reading)
            tables_ = with_purchases(app.extensions["wtp_database"], survey, reading.analysis).tables
            return called.analysis.respondents if called else 0, set(tables_) - set(reading.analysis.tables)

    first, second = processes.apps
    database = first.extensions["wtp_database"]
    assert seen(first) == seen(second) == (0, set())
    for number in range(2):
        with database.begin() as connection:
            call = Contact(NOW, "phone", "fault", customer=f"K-{number}")
            contacts.record(connection, SLUG, call, submission=str(number), who="a", now=NOW, secret="s")
        assert seen(second)[0] == seen(first)[0] == number + 1, "a contact"
    drill = Purchase(
        "", NOW.date(), "Drill", "Tools", 90.0, list_price=100.0, attribute="speed", offered_up=True, stepped_up=False
    )
    with database.begin() as connection:
        imported = purchases.import_file(
            connection, SLUG, [replace(drill, customer=f"K-{n}", family=family) for n in range(12) for family in ("Tools", "Service")],
            name="purchases.csv", digest="d" * 64, who="Ada", now=NOW, secret="s",
        )  # fmt: skip
    assert seen(second)[1] == seen(first)[1] != set(), "an import"
    with database.begin() as connection:
        customer_files.take_back(connection, SLUG, customer_files.PURCHASES, imported.id, who="Ada", now=NOW)
    assert seen(second)[1] == seen(first)[1] == set(), "an import that was taken back"


def test_a_lost_content_is_made_again(processes: Processes) -> None:
    """The content of an analysis is gone from the folder, for instance after a restore without it: nothing breaks, and the figures come back."""
    app = processes.apps[0]
    database, survey = app.extensions["wtp_database"], app.extensions["wtp_surveys"][SLUG]
    before = processes.both()
    quality = quality_of(database, survey).to_json()
    for file in Path(processes.settings.kept_in[1]).iterdir():
        file.unlink()
    with database.read() as connection:
        fingerprint = keys_of(connection, survey, replace(before.request, model=CONDITIONAL))[0]
    assert kept_analysis(database, survey, fingerprint) is None
    assert stored_analysis(database, survey) is None
    assert quality_of(database, survey).to_json() == quality
    assert processes.both().to_json() == before.to_json()
    assert kept_analysis(database, survey, fingerprint) is not None


def test_what_answers_what_ifs_comes_and_goes_in_every_process_at_once(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wtp.web.analyses.unpack_simulator", lambda content: f"simulator of {content}")
    analysis, survey = processes.both(), processes.apps[0].extensions["wtp_surveys"][SLUG]
    databases = [app.extensions["wtp_database"] for app in processes.apps]
    key = key_of_simulator("f" * 64)

    def seen() -> set[object]:
        return {simulator_of(database, survey, analysis, "f" * 64) for database in databases}

    assert seen() == {None}
    with databases[0].begin() as connection:
        results.save(connection, key, SLUG, "everybody", NOW, results.PEOPLE)
    assert seen() == {"simulator of everybody"}, "that there was none is not remembered"
    with databases[0].begin() as connection:
        results.drop_people(connection, SLUG)
    assert seen() == {None}, "as when somebody is erased"
