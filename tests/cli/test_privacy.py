"""`wtp erase`, `access`, `retention`, `privacy`: what a person asks for, and the papers of data protection."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from wtp.cli import main
from wtp.settings import load_settings
from wtp.store import Database, answers, erasure, invitations, open_database, respondents, staff, studies, tables
from wtp.survey import load_survey

SURVEYS = Path(__file__).parents[2] / "surveys"
TOKEN = "a-token_of.a=person"
NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with one person who answered, and one who was invited."""
    monkeypatch.setenv("WTP_INSTANCE", str(tmp_path))
    monkeypatch.setenv("WTP_SURVEYS", str(SURVEYS))
    survey = load_survey(SURVEYS / "supplier")
    assert survey.design is not None
    with opened() as database:
        database.migrate()
        with database.begin() as connection:
            studies.register(connection, survey)
            person = respondents.begin(
                connection, "supplier", TOKEN, definition_hash=survey.definition_hash, design_version=1,
                tasks=survey.design.versions[1], language="en", consent_hash="c", now=NOW,
            )  # fmt: skip
            values = {"core_problem": "cost"}
            answers.record_answers(connection, person.respondent_id, "profile", values, revision=0, now=NOW)
            invitations.add(connection, "supplier", [("C-17", {"name": "Ada Example"})], secret="s", now=NOW)
            staff.add(connection, "bo", "a long pass phrase for the tests", "analyst")
    return tmp_path


def opened() -> Database:
    return open_database(load_settings().database_url)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def rows(table: sa.Table) -> int:
    with opened() as database, database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


@pytest.mark.parametrize(
    "who", [TOKEN, f"https://survey.example.com/s/supplier/r/{TOKEN}", f"http://localhost/s/supplier/r/{TOKEN}?lang=de"]
)
def test_a_token_or_a_link_erases_the_person(who: str, instance: Path) -> None:
    done = run("erase", who, "--yes")
    assert done.exit_code == 0, done.output
    assert "erased: 1 person in supplier" in done.stdout
    assert "Delete respondent 1 in files that you exported before." in done.stdout
    assert rows(tables.respondent) == 0
    assert rows(tables.answer) == 0
    assert rows(tables.invitation) == 1
    assert TOKEN not in (instance / erasure.LIST_FILE).read_text()
    again = run("erase", who, "--yes")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "nothing is stored of this person" in again.stderr


def test_a_reference_erases_the_invitation() -> None:
    done = run("erase", "C-17", "--reference", "--study", "supplier", "--yes")
    assert done.exit_code == 0, done.output
    assert rows(tables.invitation) == 0
    assert rows(tables.respondent) == 1


def test_without_a_yes_nothing_is_deleted() -> None:
    assert run("erase", TOKEN).exit_code == 1
    assert rows(tables.respondent) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("erase", "nobody", "--yes"), "nothing is stored"),
        (("erase", TOKEN, "--study", "workshop", "--yes"), "nothing is stored"),
        (("erase", "C-17", "--reference", "--yes"), "--study SLUG"),
        (("access", TOKEN, "--out", "my.txt"), ".json or .html"),
        (("access", "nobody", "--out", "my.json"), "nothing is stored"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 1
    assert done.stderr.startswith("wtp: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert rows(tables.respondent) == 1


def test_access_writes_everything(tmp_path: Path) -> None:
    out = tmp_path / "my.json"
    assert run("access", TOKEN, "--out", str(out)).exit_code == 0
    record = json.loads(out.read_text(encoding="utf-8"))
    assert record["answer"][0]["content"] == {"core_problem": "cost"}
    assert run("access", "C-17", "--reference", "--study", "supplier", "--out", str(out)).exit_code == 0
    assert json.loads(out.read_text(encoding="utf-8"))["invitation"]["contact"] == {"name": "Ada Example"}
    page = tmp_path / "my.html"
    assert run("access", TOKEN, "--lang", "de", "--out", str(page)).exit_code == 0
    assert "Ihre Antworten" in page.read_text(encoding="utf-8")


def close(days: int) -> None:
    with opened() as database, database.begin() as connection:
        studies.set_state(connection, "supplier", "closed")
        connection.execute(sa.update(tables.study).values(closed_at=datetime.now(UTC) - timedelta(days=days)))


def test_retention_tells_and_then_deletes() -> None:
    assert "contacts: 30 days after the study is closed; it is not closed" in run("retention").stdout
    close(40)
    tried = run("retention", "--dry-run").stdout
    assert "supplier: contacts: 1 person would be deleted, due since" in tried
    assert "supplier: answers: 1 person, due on" in tried
    assert rows(tables.invitation) == 1
    assert "supplier: contacts: 1 person deleted" in run("retention").stdout
    assert rows(tables.invitation) == 0
    assert rows(tables.respondent) == 1
    close(400)
    assert "supplier: answers: 1 person deleted" in run("retention").stdout
    assert rows(tables.respondent) == 0
    assert "answers: nothing left since" in run("retention", "--dry-run").stdout


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Record of processing", "1 persons", "1 invitations", "analyst: 1")),
        ("de", ("Verzeichnis", "analyst: 1")),
    ],
)
def test_the_record_is_made_of_what_is_there(language: str, said: tuple[str, ...], instance: Path) -> None:
    done = run("privacy", "record", "--lang", language)
    assert done.exit_code == 0, done.output
    for words in (*said, "wtp.sqlite", "(supplier)", "600"):
        assert words in done.stdout
    assert "Ada Example" not in done.stdout
    assert TOKEN not in done.stdout
    (instance / "settings.toml").write_text(
        'base_url = "https://survey.example.com"\nqueue = "redis://:hidden@localhost:6379/1"\nproxies = 1\n'
    )
    other = run("privacy", "record").stdout
    assert "https://survey.example.com" in other
    assert "not https" not in other
    assert "redis://localhost" in other
    assert "hidden" not in other


@pytest.mark.parametrize(("language", "voluntary"), [("en", "voluntary"), ("de", "freiwillig")])
def test_the_text_of_consent_has_the_facts_of_the_study(
    language: str, voluntary: str, tmp_path: Path, write: Callable[[str], Path]
) -> None:
    plain = run("privacy", "consent", str(SURVEYS / "supplier"), "--lang", language).stdout
    assert voluntary in plain
    assert "[privacy]" in plain  # who is responsible is still to be said
    told = run(
        "privacy", "consent", str(write('controller = { en = "Acme Ltd", de = "Acme GmbH" }')), "--lang", language
    )
    assert ("Acme Ltd" if language == "en" else "Acme GmbH") in told.stdout
    assert told.stdout.count("[privacy]") == plain.count("[privacy]") - 1


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(line: str) -> Path:
        folder = tmp_path / "other/supplier"
        folder.mkdir(parents=True)
        for name in ("survey.toml", "design.csv"):
            text = (SURVEYS / "supplier" / name).read_text(encoding="utf-8")
            (folder / name).write_text(text.replace("[privacy]\n", f"[privacy]\n{line}\n"), encoding="utf-8")
        return folder

    return write
