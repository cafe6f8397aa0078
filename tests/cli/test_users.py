"""`wtp user`: invited, reset, given other rights, without a second factor; each in the log of the installation."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from click.testing import CliRunner, Result

from wtp.cli import main
from wtp.settings import load_settings
from wtp.store import audit, open_database, second_factor, staff, staff_links

SURVEYS = Path(__file__).parents[2] / "surveys"
PASSWORD = "four quiet green words"
BASE = "https://survey.example/wtp"


@pytest.fixture(autouse=True)
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WTP_INSTANCE", str(tmp_path))
    monkeypatch.setenv("WTP_SURVEYS", str(SURVEYS))
    (tmp_path / "settings.toml").write_text(f'base_url = "{BASE}/"\n', encoding="utf-8")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["user", *arguments])


def log() -> list[tuple[str, str, str]]:
    with open_database(load_settings().database_url) as database, database.read() as connection:
        return [(each.who, each.action, each.reason) for each in audit.entries(connection, audit.INSTALLATION)]


def test_an_invitation_prints_a_link_to_the_configured_address() -> None:
    made = run("invite", "anna", "--role", "manager", "--study", "workshop")
    assert made.exit_code == 0, made.output
    prefix, _, token = made.stdout.strip().rpartition("/")
    assert prefix == f"{BASE}/invitation"
    with open_database(load_settings().database_url) as database, database.begin() as connection:
        assert staff_links.use(connection, "invitation", token, PASSWORD, now=datetime.now(UTC))
        assert staff.verify(connection, "anna", PASSWORD)
    assert run("list").stdout == "anna\tmanager\tactive\tworkshop\tpassword alone\n"
    again = run("reset", "anna")
    assert again.stdout.startswith(f"{BASE}/reset/")
    who = getpass.getuser()
    assert log()[:3] == [
        (who, staff.ADDED, "anna: manager"),
        (who, staff.STUDIES, "anna: workshop"),
        (who, staff_links.MADE, "anna: invitation"),
    ]
    assert not any(token in part for entry in log() for part in entry)


def test_rights_are_given_and_taken() -> None:
    run("add", "anna", "--role", "analyst", "--password", PASSWORD)
    assert "anna\tanalyst\tactive\tall studies" in run("list").stdout
    assert run("studies", "anna", "supplier", "workshop").exit_code == 0
    assert "\tsupplier,workshop\t" in run("list").stdout
    assert run("studies", "anna", "--all").exit_code == 0
    assert "\tall studies\t" in run("list").stdout
    assert run("role", "anna", "field").exit_code == 0
    assert run("disable", "anna").exit_code == 0
    assert "anna\tfield\tdisabled" in run("list").stdout
    assert "is disabled" in run("reset", "anna").output
    assert run("enable", "anna").exit_code == 0
    assert "anna\tfield\tactive" in run("list").stdout
    assert [action for _who, action, _said in log()] == [
        staff.ADDED, staff.STUDIES, staff.STUDIES, staff.ROLE, staff.DISABLED, staff.ENABLED,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("studies", "anna"), 2, "Name one or more studies, or give --all."),
        (("studies", "anna", "supplier", "--all"), 2, "Name one or more studies"),
        (("studies", "anna", "nowhere"), 1, "study: nowhere; allowed: supplier, workshop"),
        (("studies", "bert", "supplier"), 1, "name 'bert' is unknown; allowed: anna"),
        (("role", "bert", "field"), 1, "name 'bert' is unknown"),
        (("role", "anna", "king"), 2, "'king' is not one of"),
        (("reset", "bert"), 1, "name 'bert' is unknown"),
        (("invite", "anna", "--role", "manager"), 1, "name 'anna' is taken"),
        (("invite", "bert", "--role", "manager", "--study", "../x"), 1, "study: ../x; allowed"),
        (("factor", "anna"), 2, "Missing option '--off'"),
        (("factor", "anna", "--off"), 1, "has no second factor"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(arguments: tuple[str, ...], status: int, says: str) -> None:
    run("add", "anna", "--role", "analyst", "--password", PASSWORD)
    before = run("list").stdout
    found = run(*arguments)
    assert (found.exit_code, says in found.output) == (status, True), found.output
    assert run("list").stdout == before


def test_a_lost_second_factor_is_switched_off() -> None:
    run("add", "anna", "--role", "analyst", "--password", PASSWORD)
    now = datetime.now(UTC)
    with open_database(load_settings().database_url) as database, database.begin() as connection:
        anna = staff.named(connection, "anna")
        code = pyotp.TOTP(second_factor.secret_of(anna, "ab", "secret")).at(now)
        assert second_factor.switch_on(connection, anna, "ab", code, secret="secret", now=now)
    assert "\tsecond factor\n" in run("list").stdout
    assert run("factor", "anna", "--off").stdout == "second factor off: anna\n"
    assert "\tpassword alone\n" in run("list").stdout
    assert log()[-1] == (getpass.getuser(), second_factor.OFF, "anna")
