"""`wtp token`: made, listed, revoked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wtp.cli import main
from wtp.settings import load_settings
from wtp.store import api_tokens, open_database, studies
from wtp.survey import load_survey

SURVEYS = Path(__file__).parents[2] / "surveys"


@pytest.fixture(autouse=True)
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WTP_INSTANCE", str(tmp_path))
    monkeypatch.setenv("WTP_SURVEYS", str(SURVEYS))
    with open_database(load_settings().database_url) as database:
        database.migrate()
        with database.begin() as connection:
            studies.register(connection, load_survey(SURVEYS / "supplier"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["token", *arguments])


def is_valid(text: str) -> bool:
    with open_database(load_settings().database_url) as database, database.read() as connection:
        return api_tokens.find(connection, text, datetime.now(UTC)) is not None


def test_a_token_is_printed_listed_and_revoked() -> None:
    made = run("add", "weekly report", "--study", "supplier", "--scope", "answers:read", "--until", "2100-01-01")
    assert made.exit_code == 0, made.output
    text = made.stdout.strip()
    assert is_valid(text)
    listed = run("list").stdout
    mark = text[4:12]
    assert listed == f"{mark}\tweekly report\tanswers:read\tsupplier\tuntil 2100-01-01\tby wtp\tnever used\n"
    assert text[13:] not in listed
    assert run("revoke", mark).stdout == f"revoked: weekly report ({mark})\n"
    assert not is_valid(text)
    assert "\trevoked\t" in run("list").stdout


def test_by_itself_a_token_reads_results_of_all_studies() -> None:
    run("add", "report")
    assert "\tresults:read\tall studies\tvalid\t" in run("list").stdout


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("add", "report", "--study", "nowhere"), 1, "study: nowhere; allowed: one or more of supplier"),
        (("add", "report", "--until", "2001-01-01"), 1, "end: 2001-01-01; allowed: a day to come"),
        (("add", "report", "--scope", "everything"), 2, "everything"),
        (("revoke", "00000000"), 1, "token: '00000000'; allowed: none yet"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(arguments: tuple[str, ...], status: int, says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == status
    assert says in result.stderr
    assert run("list").stdout == ""
