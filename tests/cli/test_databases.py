"""`wtp migrate`, `backup`, `restore` and `move`: each one command, from a fresh installation to another machine and another database."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.store.filled import all_but_staff, filled, states
from wtp.cli import main
from wtp.settings import Settings, load_settings, secret_key
from wtp.store import backup as backups
from wtp.store import open_database
from wtp.store.archive import Archive
from wtp.store.database import head, revisions
from wtp.store.transfer import TableState


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def state(settings: Settings | None = None, revision: str | None = None) -> dict[str, TableState]:
    with open_database((settings or load_settings()).database_url) as database:
        return states(database, revision)


def fill(revision: str, rows: int = 5) -> None:
    with open_database(load_settings().database_url) as database:
        filled(database, revision, rows)


@pytest.fixture(autouse=True)
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with a study and a secret key, and nothing in its database yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WTP_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("WTP_SURVEYS", str(tmp_path / "surveys"))
    (tmp_path / "surveys" / "study").mkdir(parents=True)
    (tmp_path / "surveys" / "study" / "survey.toml").write_text("# a study\n")
    secret_key(load_settings())
    return tmp_path / "instance"


def test_migrate_makes_a_backup_first_and_says_where(instance: Path) -> None:
    assert run("migrate").stdout == f"the database is up to date: schema {head()}\n"  # fresh: there was nothing to keep
    assert not (instance / "backups").exists()
    (instance / "wtp.sqlite").unlink()
    fill(revisions()[-1])
    before = state()
    said = run("migrate")
    assert said.exit_code == 0, said.output
    (kept,) = (instance / "backups").iterdir()
    assert f"as it was before: {kept}" in said.stdout
    assert f"schema {head()}, before 0001" in said.stdout
    assert state(revision=revisions()[-1]) == before
    with Archive(kept) as opened:
        assert opened.manifest.tables == before
    assert run("migrate").stdout == f"the database is up to date: schema {head()}\n"
    assert len(list((instance / "backups").iterdir())) == 1


def test_migrate_without_a_backup(instance: Path) -> None:
    fill(revisions()[1])
    assert run("migrate", "--no-backup").stdout == "the database was brought up to date\n"
    assert run("migrate", "--no-backup").stdout == "the database is up to date\n"
    assert not (instance / "backups").exists()


def test_the_server_brings_an_older_database_up_to_date_when_it_starts(
    instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[object] = []
    monkeypatch.setattr("wtp.cli.operate.serve_forever", lambda *settings: served.append(settings))
    fill(revisions()[2])
    before = state()
    said = run("serve")
    assert said.exit_code == 0, said.output
    (kept,) = (instance / "backups").iterdir()
    assert f"as it was before: {kept}" in said.stdout
    assert state(revision=revisions()[2]) == before
    assert len(served) == 1
    assert "as it was before" not in run("serve").stdout


def test_other_commands_leave_an_older_database_alone() -> None:
    fill(revisions()[1])
    before = state()
    refused = run("user", "list")
    assert refused.exit_code == 1
    assert "of an earlier version; allowed" in refused.stderr
    assert "run wtp migrate" in refused.stderr
    assert state() == before


def test_an_installation_is_backed_up_and_restored_on_another_machine(
    tmp_path: Path, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(head())
    made = run("backup", "safe.zip")
    assert made.exit_code == 0, made.output
    assert re.fullmatch(r"backup: safe\.zip \(\d+\.\d MB; \d+ rows, 2 files, schema \d{4}\)\n", made.stdout)
    (instance / "jobs" / "7" / "fit").mkdir(parents=True)
    refused = run("backup", "safe.zip")
    assert refused.exit_code == 1
    assert "is there already" in refused.stderr
    assert run("backup", "safe.zip", "--force").exit_code == 0
    before, key = all_but_staff(state()), (instance / "secret_key").read_bytes()
    monkeypatch.setenv("WTP_INSTANCE", str(tmp_path / "new" / "instance"))
    monkeypatch.setenv("WTP_SURVEYS", str(tmp_path / "new" / "surveys"))
    done = run("restore", "safe.zip")
    assert done.exit_code == 0, done.output
    assert "every table was compared with the backup" in done.stdout
    assert "The passwords, roles, rights to studies and second factors of staff are those of that day." in done.stdout
    assert "staff: everybody logs in anew" in done.stdout
    assert f"written: {tmp_path / 'new' / 'surveys' / 'study' / 'survey.toml'}" in done.stdout
    assert all_but_staff(state()) == before
    assert secret_key(load_settings()) == key
    again = run("restore", "safe.zip")
    assert again.exit_code == 1
    assert "--replace" in again.stderr
    (tmp_path / "new" / "instance" / "jobs" / "7").mkdir(parents=True)
    replaced = run("restore", "safe.zip", "--replace")
    assert replaced.exit_code == 0
    (kept,) = (tmp_path / "new" / "instance" / "backups").iterdir()
    assert f"as it was before: {kept}" in replaced.stdout
    assert all_but_staff(state()) == before
    assert not (tmp_path / "new" / "instance" / "jobs").exists()  # of answers that are gone
    assert (instance / "jobs" / "7" / "fit").exists()


def test_daily_backups_keep_their_days(instance: Path, tmp_path: Path) -> None:
    fill(head(), 1)
    folder = tmp_path / "daily"
    folder.mkdir()
    old = backups.stamped(folder, "wtp", datetime.now(UTC) - timedelta(days=31))
    young = backups.stamped(folder, "wtp", datetime.now(UTC) - timedelta(days=29))
    for path in (old, young):
        path.touch()
    done = run("backup", folder, "--keep", 30)
    assert done.exit_code == 0, done.output
    assert f"deleted: {old}\n" in done.stdout
    assert len(list(folder.iterdir())) == 2
    assert young.exists()
    assert run("backup").exit_code == 0
    assert len(list((instance / "backups").iterdir())) == 1
    assert run("backup", "file.zip", "--keep", 30).exit_code == 2


def test_move_to_postgresql_and_back(new_postgresql: Callable[[], str], instance: Path, tmp_path: Path) -> None:
    fill(head())
    before = state()
    url = new_postgresql()
    moved = run("move", url)
    assert moved.exit_code == 0, moved.output
    assert "read again and compared, all are equal" in moved.stdout
    line = moved.stdout.splitlines()[-1]
    assert tomllib.loads(line) == {"database": url}
    refused = run("user", "add", "anna", "--role", "manager", "--password", "long enough for this")
    assert refused.exit_code == 1
    assert "moved to another one" in refused.stderr
    (instance / "settings.toml").write_text(line + "\n")
    assert state() == before
    assert run("user", "add", "anna", "--role", "manager", "--password", "long enough for this").exit_code == 0
    later = state()
    back = f"sqlite:///{tmp_path / 'back' / 'wtp.sqlite'}"
    assert run("move", back).exit_code == 0
    assert run("move", back).exit_code == 1  # it holds something now
    (instance / "settings.toml").write_text(f'database = "{back}"\n')
    assert state() == later


def test_a_move_is_taken_back(tmp_path: Path) -> None:
    fill(head(), 1)
    assert run("move", f"sqlite:///{tmp_path / 'x.sqlite'}").exit_code == 0
    assert run("migrate").exit_code == 0
    assert "wtp move --cancel" in run("serve").stderr
    assert "in use as before" in run("move", "--cancel").stdout
    with open_database(load_settings().database_url) as database:
        database.check()
    for wrong in (("move",), ("move", "sqlite:///x", "--cancel")):
        assert run(*wrong).exit_code == 2


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("restore", "nowhere.zip"), "nowhere.zip: no such file"),
        (("move", "mysql://x/y"), "mysql; allowed: sqlite or postgresql"),
        (("backup", "x.zip"), "database: empty"),
        (("backup", "/proc/x.zip"), "allowed: a file in a folder"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(command: tuple[str, ...], says: str) -> None:
    if "/proc" in command[1]:
        fill(head(), 1)
    result = run(*command)
    assert result.exit_code == 1
    assert says in result.stderr
    assert len([line for line in result.stderr.splitlines() if line.startswith("wtp: ")]) == 1
    assert not os.path.exists("x.zip")
