"""`wtp doctor`: quiet where all is well, and one thing that is wrong is named, alone, with what to do."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from wtp import disk
from wtp.cli import main
from wtp.disk import Space
from wtp.doctor import ERROR, OK, WARNING, Finding, Size, address, examine
from wtp.settings import Settings, secret_key
from wtp.store import audit, background_jobs, backup, heartbeats, open_database, staff, studies, tables
from wtp.survey import Survey

SURVEYS = Path(__file__).parents[2] / "surveys"


@pytest.fixture
def sound(database_url: str, tmp_path: Path, survey: Survey, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with nothing to mend, on each database."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "chromium").touch(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 5 * 10**11, 5 * 10**11))  # type: ignore[attr-defined]
    own = database_url if database_url.startswith("postgresql") else ""
    settings = Settings(instance=tmp_path / "instance", surveys=SURVEYS, database=own)
    settings.instance.mkdir(0o750, exist_ok=True)
    settings.instance.chmod(0o750)
    secret_key(settings)
    now = datetime.now(UTC)
    with open_database(settings.database_url) as database:
        database.migrate()
        with database.begin() as connection:
            studies.register(connection, survey)
            staff.add(connection, "ada", "four words are enough", "administrator")
            connection.execute(sa.update(tables.staff).values(factor_nonce="nonce"))
            heartbeats.beat(connection, "host 1 a", "0.1.0", now)
            audit.add(connection, "supplier", audit.STATE, who="ada", reason="opened", now=now)
    (settings.instance / "backups").mkdir()
    backup.stamped(settings.instance / "backups", "wtp", now).touch()
    return settings


def wrong(settings: Settings, size: Size | None = None) -> dict[str, Finding]:
    """What is not as it should be, by check."""
    return {found.check: found for found in examine(settings, size or Size()) if found.state != OK}


def test_nothing_to_mend(sound: Settings) -> None:
    assert wrong(sound) == {}
    checks = [found.check for found in examine(sound, Size())]
    assert len(checks) == len(set(checks)) >= 16


Break = Callable[[Settings], Settings | None]


def _short(settings: Settings) -> None:
    (settings.instance / "secret_key").write_bytes(b"short")


def _open_secret(settings: Settings) -> None:
    (settings.instance / "secret_key").chmod(0o644)


def _open_folder(settings: Settings) -> None:
    settings.instance.chmod(0o755)
    if (file := settings.instance / "wtp.sqlite").exists():
        file.chmod(0o640)


def _open_password(settings: Settings) -> Settings:
    file = settings.instance / "settings.toml"
    file.touch()
    file.chmod(0o644)
    return replace(settings, queue="redis://:word@127.0.0.1:1/1")


def _in_the_clear(settings: Settings) -> Settings:
    return replace(settings, base_url="http://study.example")


def _no_proxy(settings: Settings) -> Settings:
    return replace(settings, base_url="https://study.example")


def _false_proxy(settings: Settings) -> Settings:
    return replace(settings, proxies=1)


def _path(settings: Settings) -> Settings:
    return replace(settings, base_url="https://study.example/wtp")


def _no_surveys(settings: Settings) -> Settings:
    return replace(settings, surveys=settings.instance / "none")


def _broken_survey(settings: Settings) -> Settings:
    folder = settings.instance / "surveys"
    shutil.copytree(SURVEYS / "supplier", folder / "supplier")
    file = folder / "supplier" / "survey.toml"
    file.write_text(file.read_text(encoding="utf-8") + "\n[nonsense]\n", encoding="utf-8")
    return replace(settings, surveys=folder)


def _redis_away(settings: Settings) -> Settings:
    return replace(settings, queue="redis://127.0.0.1:1/1")


SETTINGS: dict[Break, dict[str, str]] = {
    _short: {"secret key": ERROR},
    _open_secret: {"secret key": ERROR},
    _open_folder: {"instance folder": WARNING},
    _open_password: {"settings file": ERROR, "queue": ERROR},
    _in_the_clear: {"address": ERROR, "cookies": ERROR, "reached at its address": WARNING},
    _no_proxy: {"proxies": ERROR, "reached at its address": WARNING},
    _false_proxy: {"proxies": WARNING},
    _path: {"address": ERROR},
    _no_surveys: {"surveys": ERROR},
    _broken_survey: {"survey supplier": ERROR},
    _redis_away: {"queue": ERROR},
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("change", SETTINGS, ids=lambda change: change.__name__)
def test_what_is_wrong_with_the_place_is_named(sound: Settings, change: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise OSError("no such host")

    monkeypatch.setattr(address.urllib.request, "urlopen", nobody)
    settings = change(sound) or sound
    found = wrong(settings)
    assert {check: each.state for check, each in found.items()} == SETTINGS[change]
    assert all(each.found and each.allowed and each.remedy for each in found.values())


def _added_past_the_program(connection: sa.Connection) -> None:
    row = {
        "study": "supplier",
        "number": 2,
        "happened_at": datetime.now(UTC),
        "who": "ada",
        "action": "a",
        "reason": "r",
    }
    connection.execute(sa.insert(tables.audit).values(**row, chain="made up"))


def _nobody(connection: sa.Connection) -> None:
    staff.disable(connection, "ada")


def _demo(connection: sa.Connection) -> None:
    staff.add(connection, "demo-manager", "four words are enough", "manager")


def _one_factor(connection: sa.Connection) -> None:
    connection.execute(sa.update(tables.staff).values(factor_nonce=None))


def _another_version(connection: sa.Connection) -> None:
    connection.execute(sa.update(tables.version).values(fingerprint="another"))


def _silent(connection: sa.Connection) -> None:
    connection.execute(sa.update(tables.heartbeat).values(beat_at=datetime.now(UTC) - timedelta(minutes=3)))


def _older(connection: sa.Connection) -> None:
    connection.execute(sa.update(tables.heartbeat).values(version="0.0.1"))


def _ahead(connection: sa.Connection) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    row = {"study": "supplier", "number": 1, "token_hash": "x", "simulated": True, "created_at": later}
    person = connection.execute(sa.insert(tables.respondent).values(**row).returning(tables.respondent.c.id)).scalar_one()  # fmt: skip
    connection.execute(
        sa.insert(tables.answer).values(respondent_id=person, page="p", revision=1, content={}, answered_at=later)
    )


def _job(connection: sa.Connection, state: str) -> None:
    past = datetime.now(UTC) - timedelta(hours=2)
    job = background_jobs.start(
        connection, "supplier", fingerprint="f", basis="b", kind="analysis", request={}, definition_hash="d",
        answers_hash="a", respondents=1, answers_copy=b"", started_by="ada", now=past,
    )  # fmt: skip
    if state == "failed":
        background_jobs.claim(connection, job.id, "w", past)
        background_jobs.fail(connection, job.id, "w", datetime.now(UTC), reason="died", detail="")


def _waiting(connection: sa.Connection) -> None:
    _job(connection, "queued")


def _failed(connection: sa.Connection) -> None:
    _job(connection, "failed")


KEPT: dict[Callable[[sa.Connection], None], dict[str, str]] = {
    _added_past_the_program: {"audit logs": ERROR},
    _nobody: {"staff": WARNING},
    _one_factor: {"second factors": WARNING},
    _another_version: {"study supplier": WARNING},
    _demo: {"demo logins": WARNING},
    _silent: {"workers of analyses": WARNING},
    _older: {"versions of workers": WARNING},
    _ahead: {"clock and answers": WARNING},
    _waiting: {"analyses under way": WARNING},
    _failed: {"failed analyses of a week": WARNING},
}


@pytest.mark.parametrize("change", KEPT, ids=lambda change: change.__name__)
def test_what_is_wrong_in_the_database_is_named(sound: Settings, change: Callable[[sa.Connection], None]) -> None:
    with open_database(sound.database_url) as database, database.begin() as connection:
        change(connection)
    assert {check: each.state for check, each in wrong(sound).items()} == KEPT[change]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_connections_and_durability_of_postgresql(sound: Settings) -> None:
    found = wrong(sound, Size(hosts=10, workers=8, threads=8))
    assert found["connections"].state == WARNING
    assert "needed up to 753" in found["connections"].found
    url = sa.make_url(sound.database)
    options = str(url.query["options"]) + " -csynchronous_commit=off"
    lazy = url.update_query_dict({"options": options}).render_as_string(hide_password=False)
    assert wrong(replace(sound, database=lazy))["database"].state == ERROR


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_and_an_old_schema(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 0, 4 * 10**10))  # type: ignore[attr-defined]
    assert {found.state for check, found in wrong(sound).items() if "disk" in check} == {WARNING}
    assert Space(2 * 10**9, 10**10).is_low is False
    assert Space(9 * 10**8, 10**10).is_low is True
    with open_database(sound.database_url) as database, database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    assert "schema 0001" in wrong(sound)["database"].found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_backups_that_are_missing_or_kept_too_long(sound: Settings, tmp_path: Path) -> None:
    folder, now = tmp_path / "kept", datetime.now(UTC)
    folder.mkdir()
    states = []
    for days in (3, 1, 40):
        backup.stamped(folder, "wtp", now - timedelta(days=days)).touch()
        states += [found.state for found in examine(sound, Size(), folder) if found.check == "backups"]
    assert states == [WARNING, OK, WARNING]


@pytest.fixture
def site() -> Iterator[Callable[[dict[str, str]], str]]:
    """A server at an address that says ok, with the headers that are given."""
    headers: dict[str, str] = {}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"ok\n")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def at(given: dict[str, str]) -> str:
        headers.clear()
        headers.update(given)
        return f"http://127.0.0.1:{server.server_port}"

    yield at
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_address_is_asked_for_its_header(site: Callable[[dict[str, str]], str]) -> None:
    assert address._reached(site({}), secure=True).state == ERROR
    assert address._reached(site({}), secure=False).state == OK
    assert address._reached(site({"Strict-Transport-Security": "max-age=1"}), secure=True).state == OK


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_command(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WTP_INSTANCE", str(sound.instance))
    monkeypatch.setenv("WTP_SURVEYS", str(SURVEYS))
    said = CliRunner().invoke(main, ["doctor"])
    assert said.exit_code == 0, said.output
    assert "0 errors, 0 warnings" in said.output
    (sound.instance / "secret_key").chmod(0o604)
    said = CliRunner().invoke(main, ["doctor"])
    assert said.exit_code == 1
    assert (
        f"ERROR    secret key: {sound.instance}/secret_key: 32 bytes, 0604; allowed: at least 32 bytes" in said.output
    )
    told = CliRunner().invoke(main, ["doctor", "--json"])
    assert told.exit_code == 1
    assert [each["check"] for each in json.loads(told.output) if each["state"] == "error"] == ["secret key"]


def test_looking_makes_nothing(tmp_path: Path) -> None:
    settings = Settings(instance=tmp_path / "none", surveys=SURVEYS)
    assert wrong(settings)["instance folder"].state == ERROR
    assert not settings.instance.exists()
