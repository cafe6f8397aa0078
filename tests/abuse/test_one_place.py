"""Rules of a study are held in one place, whichever door somebody comes by: page, draft, import page, import command, simulating command, and the store itself.

Pages look before they save, so as to say it kindly; here they do not look, and the rule holds all the same. Programs have no door for answers: the interface takes none.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.typing import ResponseReturnValue

from tests.imports.make_files import HERE
from tests.web.conftest import SURVEYS, Person
from tests.web.staff import PASSWORD, Staff, hidden
from wtp.cli import main
from wtp.errors import ConflictError, RefusedError
from wtp.imports import check, guess, read_path
from wtp.settings import Settings
from wtp.store import (
    Database,
    answers,
    api_tokens,
    imports,
    respondents,
    staff,
    studies,
    tables,
)
from wtp.survey import Survey
from wtp.web import create_app, entry
from wtp.web.api.routes import ROUTES
from wtp.web.security import limiter
from wtp.web.visit import Visit

NOW = datetime(2026, 11, 1, tzinfo=UTC)
FILE = HERE / "row_a_respondent.csv"
QUOTA = """
[[quotas]]
id = "everybody"
label = { en = "Everybody", de = "Alle" }
when = { core_problem = ["downtime", "cost", "growth"] }
limit = 1
title = { en = "Enough", de = "Genug" }
text = { en = "Enough", de = "Genug" }
"""
Told = list[str]


@dataclass
class Site:
    """A study with one place for everybody, somebody on the way, and what was refused in the store."""

    app: Flask
    folder: Path
    database: Database
    survey: Survey
    told: Told

    def closed(self, state: str) -> None:
        with self.database.begin() as connection:
            studies.set_state(connection, "supplier", state)

    def everything(self) -> dict[str, int]:
        """How many rows there are of answers and of whom they are."""
        kept = (tables.respondent, tables.answer, tables.choice, tables.page_draft, tables.quota_place)
        with self.database.read() as connection:
            return {t.name: connection.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in kept}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = Path(shutil.copytree(SURVEYS / "supplier", tmp_path / "surveys/supplier"))
    shutil.copytree(SURVEYS / "workshop", tmp_path / "surveys/workshop")
    file = folder / "survey.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("\n[[segments]]", f"{QUOTA}\n[[segments]]", 1), encoding="utf-8")
    settings = Settings(instance=tmp_path / "instance", surveys=tmp_path / "surveys")
    monkeypatch.setenv("WTP_INSTANCE", str(settings.instance))
    monkeypatch.setenv("WTP_SURVEYS", str(settings.surveys))
    app = create_app(settings)
    told: Told = []
    made = RefusedError.__init__

    def note(error: RefusedError, rule: str, message: str) -> None:
        told.append(rule)
        made(error, rule, message)

    monkeypatch.setattr(RefusedError, "__init__", note)
    with app.extensions["wtp_database"] as database:
        with app.app_context():
            limiter.reset()
        with database.begin() as connection:
            staff.add(connection, "analyst", PASSWORD, "analyst")
        yield Site(app, folder, database, app.extensions["wtp_surveys"]["supplier"], told)


Door = Callable[[Site, pytest.MonkeyPatch, Callable[[], None]], None]


def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next page does not look whether it may be saved."""
    elsewhere, passed = entry.elsewhere, []

    def look(visit: Visit, connection: sa.Connection | None = None) -> ResponseReturnValue | None:
        if passed:
            return elsewhere(visit, connection)
        passed.append(visit)
        return None

    monkeypatch.setattr(entry, "elsewhere", look)
    monkeypatch.setattr(Visit, "completed", property(lambda _: False))


def by_page(site: Site, monkeypatch: pytest.MonkeyPatch, rule: Callable[[], None]) -> None:
    person = Person(site.app.test_client())
    person.walk("profile")
    page = person.filled(1)
    rule()
    blind(monkeypatch)
    assert person.send(page, follow=False, step=person.step).status_code in {303, 403}


def by_first_page(site: Site, monkeypatch: pytest.MonkeyPatch, rule: Callable[[], None]) -> None:
    person = Person(site.app.test_client())
    person.open()
    page = person.filled()
    rule()
    blind(monkeypatch)
    assert person.send(page, follow=False, step="consent").status_code == 403


def by_draft(site: Site, monkeypatch: pytest.MonkeyPatch, rule: Callable[[], None]) -> None:
    person = Person(site.app.test_client())
    person.walk("profile")
    page = person.filled(1)
    rule()
    blind(monkeypatch)
    typed = page | {"sender": "w", "number": "1", "changed": ",".join(page)}
    assert person.client.post(f"/s/supplier/{person.step}/draft", data=typed).status_code == 403


def by_store(site: Site, monkeypatch: pytest.MonkeyPatch, rule: Callable[[], None]) -> None:
    Person(site.app.test_client()).walk("profile")
    with site.database.read() as connection:
        someone = connection.execute(sa.select(tables.respondent.c.id)).scalars().first()
    rule()
    with pytest.raises(RefusedError), site.database.begin() as connection:
        answers.record_answers(connection, someone, "profile", {"core_problem": "cost"}, revision=0, now=NOW)
    site.told.pop()
    with pytest.raises(RefusedError), site.database.begin() as connection:
        answers.record_choice(connection, someone, 1, 1, True, revision=0, now=NOW)


def by_import_page(site: Site, monkeypatch: pytest.MonkeyPatch, rule: Callable[[], None]) -> None:
    person = Staff(site.app.test_client(), "analyst")
    assert person.log_in().status_code == 303
    token = hidden(person.open("/manage/supplier/import"))["csrf_token"]
    given = {"csrf_token": token, "file": (FILE.open("rb"), "x.csv")}
    reply = person.client.post("/manage/supplier/import", data=given, content_type="multipart/form-data")
    assert reply.status_code == 303
    rule()
    reply = person.client.post(f"{reply.location}/commit", data={"csrf_token": token})
    assert reply.status_code == 409
    assert "nothing was added" in reply.text


def run(*arguments: object) -> None:
    """A command that refuses in words."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 1, result.output
    assert "nothing was" in result.output
    assert "allowed" in result.output


def by_import_command(site: Site, monkeypatch: pytest.MonkeyPatch, rule: Callable[[], None]) -> None:
    rule()
    run("import", site.folder, FILE)


def by_simulating(site: Site, monkeypatch: pytest.MonkeyPatch, rule: Callable[[], None]) -> None:
    rule()
    run("simulate", site.folder, "-n", 1)


def end_everybody(site: Site) -> None:
    """The other window was faster."""
    with site.database.begin() as connection:
        for person in connection.execute(sa.select(tables.respondent.c.id)).scalars().all():
            respondents.complete(connection, person, NOW)


RULES: dict[str, Callable[[Site], None]] = {
    "closed": lambda site: site.closed("closed"),
    "paused": lambda site: site.closed("paused"),
    "ended": end_everybody,
    "quota": lambda site: None,
}
# Rule -> the doors that it stands at. A pause keeps nobody out who has begun; an imported interview was ended elsewhere and has no link.
# A full quota ends an interview and keeps its answers, so that it is an error for files alone: see the next test.
DOORS: dict[str, tuple[Door, ...]] = {
    "closed": (by_first_page, by_page, by_draft, by_store, by_import_page, by_import_command, by_simulating),
    "paused": (by_first_page, by_simulating),
    "ended": (by_page, by_draft, by_store),
    "quota": (by_import_page, by_import_command),
}


@pytest.mark.parametrize(("rule", "door"), [(rule, door) for rule, doors in DOORS.items() for door in doors])
def test_a_rule_holds_at_every_door(site: Site, monkeypatch: pytest.MonkeyPatch, rule: str, door: Door) -> None:
    """The same error of the store, and nothing more is there than before."""
    before: dict[str, int] = {}

    def stands() -> None:
        RULES[rule](site)
        before.update(site.everything())

    door(site, monkeypatch, stands)
    assert site.told == [rule]
    assert site.everything() == before


def test_a_quota_is_filled_by_whatever_door(site: Site) -> None:
    """The one place goes to whoever comes first; the next one is told by the page, and taking a file back frees what it took."""
    found = check(site.survey, file := read_path(FILE), guess(file, site.survey.definition))
    one = found.people[:1]

    def bring(people: Any, digest: str) -> int:
        with site.database.begin() as connection:
            number = imports.keep(connection, "supplier", name="x.csv", digest=digest, content=b"", mapping="", made_by="a", now=NOW)  # fmt: skip
            imports.commit(connection, site.survey, number, people, who="a", now=NOW)
        return number

    def end_of(person: Person) -> str | None:
        person.walk("profile")
        person.send(person.filled())
        with site.database.read() as connection:
            return connection.execute(sa.select(tables.respondent.c.outcome).order_by(tables.respondent.c.id.desc())).scalars().first()  # fmt: skip

    number = bring(one, "a")
    assert end_of(Person(site.app.test_client())) == "over_quota"
    with pytest.raises(RefusedError, match="quota everybody: 1 respondents for fewer places"):
        bring(found.people[1:2], "b")
    with site.database.begin() as connection:
        imports.take_back(connection, "supplier", number, who="a", now=NOW)
    assert end_of(Person(site.app.test_client())) is None
    with pytest.raises(RefusedError):
        bring(one, "c")
    assert site.told == ["quota", "quota"]


def test_what_was_used_is_used_at_every_door(site: Site) -> None:
    """A file by its bytes, by page and by command; a panel's name; a link of staff: ConflictError, or nothing there."""
    (site.folder / "survey.toml").write_text((SURVEYS / "supplier/survey.toml").read_text(encoding="utf-8"), encoding="utf-8")  # fmt: skip
    done = CliRunner().invoke(main, ["import", str(site.folder), str(FILE)])
    assert done.exit_code == 0, done.output
    before = site.everything()
    again = CliRunner().invoke(main, ["import", str(site.folder), str(FILE)])
    assert again.exit_code == 1
    person = Staff(site.app.test_client(), "analyst")
    person.log_in()
    token = hidden(person.open("/manage/supplier/import"))["csrf_token"]
    given = {"csrf_token": token, "file": (FILE.open("rb"), "x.csv")}
    reply = person.client.post("/manage/supplier/import", data=given, content_type="multipart/form-data")
    assert reply.status_code in {409, 422}
    file = read_path(FILE)
    with pytest.raises(ConflictError), site.database.begin() as connection:
        imports.keep(connection, "supplier", name="x", digest=file.digest, content=b"", mapping="", made_by="a", now=NOW)  # fmt: skip
    assert site.everything() == before


def test_rights_to_a_study_hold_at_every_door(site: Site) -> None:
    """Whoever sees the other study alone finds none here, by page, by import and as a program, and a program's token takes no answers at all."""
    with site.database.begin() as connection:
        staff.set_studies(connection, "analyst", ["workshop"])
        _, text = api_tokens.add(connection, "a test", maker=None, scopes=api_tokens.SCOPES, studies=("workshop",), now=datetime.now(UTC))  # fmt: skip
    before, person = site.everything(), Staff(site.app.test_client(), "analyst")
    person.log_in()
    token = hidden(person.open("/manage"))["csrf_token"]
    for path in ("state", "import", "import/1/commit", "edit/basics"):
        assert person.client.post(f"/manage/supplier/{path}", data={"csrf_token": token, "state": "closed"}).status_code == 404, path  # fmt: skip
    asked = site.app.test_client().post("/api/v1/studies/supplier/analyses", json={}, headers={"Authorization": f"Bearer {text}"})  # fmt: skip
    assert asked.status_code == 404
    with site.database.read() as connection:
        assert studies.state(connection, "supplier") == "open"
    assert site.everything() == before
    assert [route.path for route in ROUTES if route.method != "GET"] == ["/studies/{slug}/analyses"]
