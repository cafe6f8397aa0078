"""Who may open what: every route of the program against nobody, manager, analyst, administrator and field staff. A new route fails until it is entered."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.imports.make_files import content
from tests.web.conftest import SURVEYS
from tests.web.figures import planned
from tests.web.staff import ROLES, Staff, hidden
from wtp.analysis import HIERARCHICAL, Analysis, Request
from wtp.export import FORMATS
from wtp.imports import guess, read_file
from wtp.settings import Settings
from wtp.store import background_jobs, contacts, imports, measures, results, staff, tables
from wtp.store.measures import Grounds, Plan
from wtp.web.security import limiter

LogIn = Callable[[str], Staff]
Show = Callable[..., Analysis]

EVERYBODY = ("nobody", *ROLES)
READERS = ("manager", "analyst", "administrator")
ANALYSTS = ("analyst", "administrator")
ADMINISTRATORS = ("administrator",)
RECORDERS = ("field", "analyst", "administrator")
PROGRAMS = ("program",)  # by a token alone, whoever is logged in: tests/web/api/test_rights.py
# (rule, method) -> who may. `FILLED` says what stands in the places of a rule.
RIGHTS = {
    ("/static/<path:filename>", "GET"): EVERYBODY,
    ("/plotly-<version>.min.js", "GET"): EVERYBODY,
    ("/healthz", "GET"): EVERYBODY,
    ("/readyz", "GET"): EVERYBODY,
    ("/metrics", "GET"): PROGRAMS,
    ("/s/<slug>", "GET"): EVERYBODY,
    ("/s/<slug>/r/<token>", "GET"): EVERYBODY,
    ("/s/<slug>/e/end", "GET"): EVERYBODY,
    ("/s/<slug>/e/my-data", "GET"): EVERYBODY,  # of nobody but who asks, by the token in the session
    ("/s/<slug>/e/my-data", "POST"): EVERYBODY,
    ("/s/<slug>/e/my-data.json", "GET"): EVERYBODY,
    ("/s/<slug>/e/deleted", "GET"): EVERYBODY,
    ("/s/<slug>/e/done", "GET"): EVERYBODY,
    ("/s/<slug>/e/panel", "GET"): EVERYBODY,  # on to the panel, for who came from there
    ("/s/<slug>/pictures/<name>", "GET"): EVERYBODY,
    ("/s/<slug>/<step_id>", "GET"): EVERYBODY,
    ("/s/<slug>/<step_id>", "POST"): EVERYBODY,
    ("/s/<slug>/<step_id>/draft", "POST"): EVERYBODY,
    ("/s/<slug>/e/look.css", "GET"): EVERYBODY,
    ("/login", "GET"): EVERYBODY,
    ("/login", "POST"): EVERYBODY,
    ("/logout", "POST"): EVERYBODY,
    ("/login/code", "GET"): EVERYBODY,
    ("/login/code", "POST"): EVERYBODY,
    ("/<any(invitation, reset):purpose>/<token>", "GET"): EVERYBODY,
    ("/<any(invitation, reset):purpose>", "GET"): EVERYBODY,
    ("/<any(invitation, reset):purpose>", "POST"): EVERYBODY,
    ("/account", "GET"): ROLES,
    ("/account/password", "POST"): ROLES,
    ("/account/sessions", "POST"): ROLES,
    ("/account/factor", "GET"): ROLES,
    ("/account/factor", "POST"): ROLES,
    ("/account/factor/off", "POST"): ROLES,
    ("/account/factor/codes", "POST"): ROLES,
    ("/staff", "GET"): ADMINISTRATORS,
    ("/staff", "POST"): ADMINISTRATORS,
    ("/staff/<int:member>", "GET"): ADMINISTRATORS,
    ("/staff/<int:member>", "POST"): ADMINISTRATORS,
    ("/staff/<int:member>/link", "POST"): ADMINISTRATORS,
    ("/staff/<int:member>/sessions", "POST"): ADMINISTRATORS,
    ("/staff/<int:member>/active", "POST"): ADMINISTRATORS,
    ("/staff/log", "GET"): ADMINISTRATORS,
    ("/staff/log.csv", "GET"): ADMINISTRATORS,
    ("/", "GET"): READERS,
    ("/results", "GET"): READERS,
    ("/manage/<slug>/field", "GET"): ANALYSTS,
    ("/manage/<slug>/state", "POST"): ANALYSTS,
    ("/manage/<slug>/refresh", "POST"): ANALYSTS,
    ("/manage/<slug>/panel", "GET"): ANALYSTS,
    ("/manage/<slug>/panel", "POST"): ANALYSTS,
    ("/manage/<slug>/panel/key", "POST"): ANALYSTS,
    ("/manage/<slug>/panel.txt", "GET"): ANALYSTS,
    ("/manage/<slug>/quality", "GET"): ANALYSTS,
    ("/manage/<slug>/quality", "POST"): ANALYSTS,
    ("/manage/<slug>/influence", "POST"): ANALYSTS,
    ("/results/<slug>/open", "POST"): ANALYSTS,
    ("/manage/<slug>/invitations", "POST"): ANALYSTS,
    ("/manage/<slug>/<any(links, reminders):part>.csv", "GET"): ANALYSTS,
    ("/manage/<slug>/link.svg", "GET"): ANALYSTS,
    ("/manage/<slug>/design", "GET"): ANALYSTS,
    ("/manage/<slug>/design/<any(wtp, limit):quantity>.json", "GET"): ANALYSTS,
    ("/manage/<slug>/design/plan-<any(needed, forecast, check, final):plan_table>.csv", "GET"): ANALYSTS,
    ("/results/<slug>", "GET"): READERS,
    (
        "/results/<slug>/<any(importance, said, worth, price, invest, market, segments, purchases, process, expectations, answers, contacts, model):page>",
        "GET",
    ): READERS,
    ("/results/<slug>/<chart>.json", "GET"): READERS,
    ("/results/<slug>/report.<any(pdf, pptx):kind>", "GET"): READERS,
    ("/results/<slug>/final", "GET"): READERS,
    ("/results/<slug>/final", "POST"): ANALYSTS,
    ("/results/<slug>/final/<int:job>", "GET"): READERS,
    ("/results/<slug>/final/<int:job>.json", "GET"): READERS,
    ("/results/<slug>/final/<int:job>/cancel", "POST"): ANALYSTS,
    ("/results/<slug>/changed", "GET"): READERS,
    ("/results/<slug>/what-if", "GET"): READERS,
    ("/results/<slug>/what-if/scenarios", "GET"): READERS,
    ("/results/<slug>/what-if/scenarios", "POST"): READERS,
    ("/results/<slug>/what-if/scenarios/<int:number>/delete", "POST"): READERS,
    ("/results/<slug>/<table>.csv", "GET"): READERS,
    ("/results/<slug>/measures", "GET"): READERS,
    ("/results/<slug>/measures/measures.csv", "GET"): READERS,
    ("/results/<slug>/measures/new/<chart>", "GET"): READERS,
    ("/results/<slug>/measures/new/<chart>", "POST"): READERS,
    ("/results/<slug>/measures/<int:number>", "GET"): READERS,
    ("/results/<slug>/measures/<int:number>", "POST"): READERS,
    ("/results/<slug>/since-before", "GET"): READERS,
    ("/results/<slug>/since-before/<wave_chart>.json", "GET"): READERS,
    ("/results/<slug>/since-before/<wave_table>.csv", "GET"): READERS,
    ("/manage", "GET"): ANALYSTS,
    ("/s/<slug>/t/<key>", "GET"): EVERYBODY,
    ("/manage/new", "GET"): ANALYSTS,
    ("/manage/new", "POST"): ANALYSTS,
    ("/manage/<slug>/edit", "GET"): ANALYSTS,
    ("/manage/<slug>/edit/<node>", "GET"): ANALYSTS,
    ("/manage/<slug>/edit/<node>", "POST"): ANALYSTS,
    ("/manage/<slug>/check/<node>", "POST"): ANALYSTS,
    ("/manage/<slug>/texts", "GET"): ANALYSTS,
    ("/manage/<slug>/texts", "POST"): ANALYSTS,
    ("/manage/<slug>/source", "GET"): ANALYSTS,
    ("/manage/<slug>/source", "POST"): ANALYSTS,
    ("/manage/<slug>/pictures/<picture>", "GET"): ANALYSTS,
    ("/manage/<slug>/pictures", "POST"): ANALYSTS,
    ("/manage/<slug>/preview", "GET"): ANALYSTS,
    ("/manage/<slug>/preview/<language>/<step_id>", "GET"): ANALYSTS,
    ("/manage/<slug>/preview/<language>/<step_id>", "POST"): ANALYSTS,
    ("/manage/<slug>/publish", "GET"): ANALYSTS,
    ("/manage/<slug>/publish", "POST"): ANALYSTS,
    ("/manage/<slug>/discard", "POST"): ANALYSTS,
    ("/manage/<slug>/versions", "GET"): ANALYSTS,
    ("/manage/<slug>/versions/<int:number>", "POST"): ANALYSTS,
    ("/manage/<slug>/tests", "GET"): ANALYSTS,
    ("/manage/<slug>/tests", "POST"): ANALYSTS,
    ("/manage/<slug>/delete", "GET"): ANALYSTS,
    ("/manage/<slug>/delete", "POST"): ANALYSTS,
    ("/manage/<slug>", "GET"): ANALYSTS,
    ("/manage/tokens", "GET"): ANALYSTS,
    ("/manage/tokens", "POST"): ANALYSTS,
    ("/manage/tokens/revoke", "POST"): ANALYSTS,
    ("/api/v1/", "GET"): EVERYBODY,
    ("/api/v1/openapi.json", "GET"): EVERYBODY,
    ("/api/v1/studies", "GET"): PROGRAMS,
    ("/api/v1/studies/<slug>", "GET"): PROGRAMS,
    ("/api/v1/studies/<slug>/tables", "GET"): PROGRAMS,
    ("/api/v1/studies/<slug>/tables/<table>", "GET"): PROGRAMS,
    ("/api/v1/studies/<slug>/tables/<table>.csv", "GET"): PROGRAMS,
    ("/api/v1/studies/<slug>/respondents", "GET"): PROGRAMS,
    ("/api/v1/studies/<slug>/respondents.csv", "GET"): PROGRAMS,
    ("/api/v1/studies/<slug>/choices", "GET"): PROGRAMS,
    ("/api/v1/studies/<slug>/choices.csv", "GET"): PROGRAMS,
    ("/api/v1/studies/<slug>/analyses", "POST"): PROGRAMS,
    ("/api/v1/studies/<slug>/analyses/<analysis>", "GET"): PROGRAMS,
    ("/manage/<slug>/import", "GET"): ANALYSTS,
    ("/manage/<slug>/import", "POST"): ANALYSTS,
    ("/manage/<slug>/import/<int:import_number>", "GET"): ANALYSTS,
    ("/manage/<slug>/import/<int:import_number>", "POST"): ANALYSTS,
    ("/manage/<slug>/import/<int:import_number>/problems.csv", "GET"): ANALYSTS,
    ("/manage/<slug>/import/<int:import_number>/mapping.toml", "GET"): ANALYSTS,
    ("/manage/<slug>/import/<int:import_number>/commit", "POST"): ANALYSTS,
    ("/manage/<slug>/import/<int:import_number>/take-back", "POST"): ANALYSTS,
    ("/manage/<slug>/import/<int:import_number>/discard", "POST"): ANALYSTS,
    ("/manage/<slug>/purchases", "GET"): ANALYSTS,
    ("/manage/<slug>/purchases", "POST"): ANALYSTS,
    ("/manage/<slug>/purchases/<int:import_number>/take-back", "POST"): ANALYSTS,
    ("/manage/<slug>/purchases/bring-in", "POST"): ANALYSTS,
    ("/results/<slug>/customer", "GET"): READERS,
    ("/results/<slug>/customer", "POST"): READERS,
    ("/contacts", "GET"): RECORDERS,
    ("/contacts/<slug>", "GET"): RECORDERS,
    ("/contacts/<slug>", "POST"): RECORDERS,
    ("/contacts/<slug>/coding", "GET"): RECORDERS,
    ("/contacts/<slug>/coding", "POST"): RECORDERS,
    ("/manage/<slug>/contacts", "GET"): ANALYSTS,
    ("/manage/<slug>/contacts", "POST"): ANALYSTS,
    ("/manage/<slug>/contacts/<int:import_number>/take-back", "POST"): ANALYSTS,
    ("/manage/<slug>/contacts/links", "POST"): ANALYSTS,
    ("/manage/<slug>/contacts/forget", "POST"): ANALYSTS,
    ("/manage/<slug>/contacts.csv", "GET"): ANALYSTS,
    ("/manage/<slug>/exports", "GET"): ANALYSTS,
    ("/manage/<slug>/exports/<export>", "GET"): ANALYSTS,
}
FILLED = {
    "filename": ("wtp.css",),
    "version": ("0.0.0",),
    "slug": ("supplier",),
    "token": ("guess",),
    "purpose": ("invitation", "reset"),
    "member": ("5",),
    "name": ("logo.png",),
    "step_id": ("consent",),
    "page": (
        "importance",
        "said",
        "worth",
        "price",
        "invest",
        "market",
        "segments",
        "purchases",
        "answers",
        "contacts",
        "model",
    ),
    "chart": ("contact_reasons", "importance", "worth", "demand", "van_westendorp", "invest"),
    "table": ("contact_reasons", "segments", "willingness_to_pay"),
    "export": tuple(FORMATS),
    "kind": ("pptx",),  # a PDF takes a browser
    "part": ("links", "reminders"),
    "quantity": ("wtp", "limit"),
    "plan_table": ("needed", "forecast", "check"),
    "key": ("guess",),
    "node": ("basics", "attributes", "attributes.0", "pages.1.questions.0", "costs"),
    "language": ("en", "de"),
    "picture": ("level.png",),
    "number": ("1",),
    "analysis": ("guess",),
    "job": ("1",),
    "import_number": ("1",),
    "wave_chart": ("since_mix",),
    "wave_table": ("waves", "wave_effects", "wave_mix", "wave_measures", "wave_left_out"),
}
_STAFF = {key: roles for key, roles in RIGHTS.items() if roles not in {EVERYBODY, PROGRAMS}}
CLOSED = [key for key in _STAFF if key[1] == "GET"]
CHANGING = [key for key in _STAFF if key[1] == "POST"]


def paths(rule: str, **fixed: str) -> Iterator[str]:
    """Every address of a rule."""
    place = re.search(r"<(?:[^<>]*:)?(\w+)>", rule)
    if place is None:
        yield rule
        return
    for value in (fixed[place[1]],) if place[1] in fixed else FILLED[place[1]]:
        yield from paths(rule.replace(place[0], value, 1), **fixed)


def methods(rule: Rule) -> set[str]:
    return (rule.methods or set()) - {"HEAD", "OPTIONS"}


def without_token(reply: TestResponse) -> str:
    return re.sub(r'name="csrf_token" value="[^"]*"', "", reply.text)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Surveys of its own, since some of these changes write files; with a picture to look at, and an earlier wave."""
    shutil.copytree(SURVEYS, tmp_path / "surveys")
    shutil.copytree(SURVEYS / "supplier", tmp_path / "surveys/earlier")
    survey = tmp_path / "surveys/supplier/survey.toml"
    survey.write_text(f'follows = "earlier"\n{survey.read_text(encoding="utf-8")}', encoding="utf-8")
    (tmp_path / "surveys/supplier/pictures").mkdir()
    (tmp_path / "surveys/supplier/pictures/level.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return Settings(instance=tmp_path / "instance", surveys=tmp_path / "surveys")


@pytest.fixture
def clients(app: Flask, staffed: LogIn, shown: Show) -> dict[str, FlaskClient]:
    shown()
    lighthouse = content("lighthouse.csv")
    plan, grounds = Plan("offer", "Same day", None, "Bo", None, ""), Grounds("worth", "all", "Speed", "en")
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "somebody else", None, "manager")
        measures.add(connection, "supplier", plan, grounds, submission="a", who="Bo", now=datetime.now(UTC))
        results.save_plan(connection, "supplier", planned().to_json(), datetime.now(UTC))
        imports.keep(
            connection,
            "supplier",
            name="lighthouse.csv",
            digest="d" * 64,
            content=lighthouse,
            mapping=guess(
                read_file(lighthouse, "x.csv"), app.extensions["wtp_surveys"]["supplier"].definition
            ).to_toml(),
            made_by="analyst",
            now=datetime.now(UTC),
        )
        for number in range(12):
            call = contacts.Contact(datetime.now(UTC), "phone", "fault", "words", customer=str(number))
            contacts.record(connection, "supplier", call, submission=str(number), who="somebody", now=datetime.now(UTC), secret="s")  # fmt: skip
        background_jobs.start(
            connection,
            "supplier",
            fingerprint="f",
            basis="b",
            kind=results.ANALYSIS,
            request=asdict(Request(model=HIERARCHICAL)),
            definition_hash="d",
            answers_hash="a",
            respondents=90,
            answers_copy=b"",
            started_by="analyst",
            now=datetime.now(UTC),
        )
    return {"nobody": app.test_client()} | {role: staffed(role).client for role in ROLES}


def test_every_route_is_entered(app: Flask) -> None:
    assert {(rule.rule, method) for rule in app.url_map.iter_rules() for method in methods(rule)} == set(RIGHTS)


def test_every_role_gets_what_it_may_and_nothing_else(clients: dict[str, FlaskClient]) -> None:
    unknown = {role: without_token(client.get("/manage/nothing/at/all")) for role, client in clients.items()}
    for rule, method in CLOSED:
        for path in paths(rule):
            for role, client in clients.items():
                reply = client.open(path, method=method)
                if role in RIGHTS[rule, method]:
                    assert reply.status_code == 200, f"{role} {path}"
                elif role == "nobody":
                    assert (reply.status_code, reply.location) == (303, f"/login?next={path}"), path
                else:
                    assert (reply.status_code, without_token(reply)) == (404, unknown[role]), f"{role} {path}"


def test_every_change_is_made_only_by_who_may(clients: dict[str, FlaskClient]) -> None:
    for rule, method in CHANGING:
        for path in paths(rule):
            for role, client in clients.items():
                token = hidden(BeautifulSoup(client.get("/login").text, "html.parser"))["csrf_token"]
                reply = client.open(path, method=method, data={"csrf_token": token})
                if role in RIGHTS[rule, method]:
                    shown = {200} if path.endswith(("/link", "/panel/key")) else set()  # shown where it was asked for
                    assert reply.status_code in {303, 400, 422} | shown, f"{role} {path}"
                elif role == "nobody":
                    assert reply.status_code == 303
                    assert reply.location.startswith("/login"), path
                else:
                    assert reply.status_code == 404, f"{role} {path}"
                assert client.open(path, method=method).status_code == 400, "a change without the token"


def test_a_study_that_is_not_there_looks_like_a_page_that_is_not_there(clients: dict[str, FlaskClient]) -> None:
    for rule, method in CLOSED:
        if "<slug>" not in rule:
            continue
        for path in paths(rule, slug="other"):
            for role in RIGHTS[rule, method]:
                reply, unknown = clients[role].open(path, method=method), clients[role].get("/manage/nothing/at/all")
                assert (reply.status_code, without_token(reply)) == (404, without_token(unknown)), f"{role} {path}"


def test_nothing_of_a_study_is_told_to_a_stranger(clients: dict[str, FlaskClient]) -> None:
    for rule, method in CLOSED:
        here, there = (
            clients["nobody"].open(next(paths(rule, slug=slug)), method=method) for slug in ("supplier", "other")
        )
        assert here.status_code == there.status_code == 303
        assert here.text.replace("supplier", "other") == there.text


def test_heads_and_options_tell_no_more(clients: dict[str, FlaskClient]) -> None:
    for rule, method in CLOSED:
        for path in paths(rule):
            assert clients["nobody"].head(path).status_code == 303, path
            for role in set(ROLES) - set(RIGHTS[rule, method]):
                assert clients[role].head(path).status_code == 404, path


def test_no_route_answers_to_another_method(app: Flask, clients: dict[str, FlaskClient]) -> None:
    for rule in app.url_map.iter_rules():
        known = {method for other in app.url_map.iter_rules() if other.rule == rule.rule for method in methods(other)}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - known:
            path = next(paths(rule.rule))
            assert clients["administrator"].open(path, method=method).status_code == 405, f"{method} {path}"


def test_no_cookie_opens_what_is_for_programs(clients: dict[str, FlaskClient]) -> None:
    for (rule, method), roles in RIGHTS.items():
        if roles == PROGRAMS:
            for path in paths(rule):
                assert [client.open(path, method=method).status_code for client in clients.values()] == [401] * (
                    1 + len(ROLES)
                ), path
                with clients["nobody"].application.app_context():
                    limiter.reset()


@pytest.mark.parametrize(("rule", "method"), [key for key in RIGHTS if key[1] != "GET" and RIGHTS[key] != PROGRAMS])
def test_whatever_changes_something_needs_the_token(app: Flask, staffed: LogIn, rule: str, method: str) -> None:
    person = staffed("administrator")
    token = hidden(person.open("/results"))["csrf_token"]
    path = next(paths(rule))
    for forged in ({}, {"csrf_token": ""}, {"csrf_token": token[:-1]}, {"csrf_token": "x" * 90}):
        assert person.client.open(path, method=method, data=forged).status_code == 400
        assert person.client.open(path, method=method, query_string=forged).status_code == 400
    stranger = app.test_client()
    assert stranger.open(path, method=method, data={"csrf_token": token}).status_code == 400, "of another session"
    assert person.client.get("/results").status_code == 200, "still logged in"


def test_a_role_that_changes_takes_its_rights_at_once(app: Flask, staffed: LogIn, shown: Show) -> None:

    shown()
    person = staffed("analyst")
    assert person.client.get("/manage").status_code == 200
    with app.extensions["wtp_database"].begin() as connection:
        connection.execute(sa.update(tables.staff).where(tables.staff.c.name == "analyst").values(role="manager"))
    assert person.client.get("/manage").status_code == 404


def test_a_study_without_right_looks_like_one_that_is_not_there(
    app: Flask, clients: dict[str, FlaskClient], staffed: LogIn
) -> None:
    with app.extensions["wtp_database"].begin() as connection:
        for role in ("manager", "analyst", "field"):
            staff.set_studies(connection, role, ["workshop"])
    limited = {role: Staff(app.test_client(), role) for role in ("manager", "analyst", "field")}
    tokens = {}
    for role, person in limited.items():
        person.log_in()
        tokens[role] = hidden(person.open("/account"))["csrf_token"]
    for rule, method in _STAFF:
        if "<slug>" not in rule:
            continue
        for role, person in limited.items():
            data = {"csrf_token": tokens[role]} if method == "POST" else None
            for there, nowhere in zip(paths(rule), paths(rule, slug="nowhere"), strict=True):
                mine, unknown = (person.client.open(path, method=method, data=data) for path in (there, nowhere))
                assert (mine.status_code, without_token(mine)) == (404, without_token(unknown)), f"{role} {there}"
                assert list(mine.headers.keys()) == list(unknown.headers.keys())
                if method == "GET":
                    assert person.client.head(there).status_code == 404
        assert clients["administrator"].get("/results/supplier").status_code == 200


@pytest.mark.parametrize("role", ["manager", "analyst", "field"])
def test_no_list_names_a_study_without_right(app: Flask, clients: dict[str, FlaskClient], role: str) -> None:
    del clients
    with app.extensions["wtp_database"].begin() as connection:
        staff.set_studies(connection, role, ["workshop"])
    (app.extensions["wtp_surveys"].folder / "secret").mkdir()
    shutil.copy(SURVEYS / "supplier/survey.toml", app.extensions["wtp_surveys"].folder / "secret/survey.draft.toml")
    person = Staff(app.test_client(), role)
    person.log_in()
    for path in ("/", "/results", "/manage", "/manage/new", "/manage/tokens", "/contacts", "/account"):
        reply = person.client.get(path, follow_redirects=True)
        assert not {"supplier", "earlier", "secret"} & set(re.findall(r"[a-z]+", reply.text.split("<main")[-1])), path
    assert "workshop" in person.client.get("/account").text


def test_an_earlier_wave_without_right_does_not_show(
    app: Flask, clients: dict[str, FlaskClient], staffed: LogIn
) -> None:
    assert clients["manager"].get("/results/supplier/since-before").status_code == 200
    assert "/since-before" in clients["manager"].get("/results/supplier").text
    with app.extensions["wtp_database"].begin() as connection:
        staff.set_studies(connection, "manager", ["supplier"])
    person = Staff(app.test_client(), "manager")
    person.log_in()
    assert "/since-before" not in person.client.get("/results/supplier").text
    for rule, method in CLOSED:
        if "since-before" in rule:
            for path in paths(rule):
                assert person.client.open(path, method=method).status_code == 404, path
    report = person.client.get("/results/supplier/measures")
    assert "earlier" not in report.text.split("<main")[-1]


def test_a_file_that_is_too_large_tells_nothing_of_a_study_without_right(
    app: Flask, clients: dict[str, FlaskClient]
) -> None:
    del clients
    with app.extensions["wtp_database"].begin() as connection:
        staff.set_studies(connection, "analyst", ["workshop"])
    person = Staff(app.test_client(), "analyst")
    person.log_in()
    for page in ("import", "contacts", "purchases"):
        mine, unknown = (
            person.client.post(f"/manage/{slug}/{page}", data=b"x" * 11_500_000, content_type="multipart/form-data; boundary=x")
            for slug in ("supplier", "nowhere")
        )  # fmt: skip
        assert (mine.status_code, without_token(mine)) == (unknown.status_code, without_token(unknown)), page


def test_a_study_that_an_analyst_makes_is_his_and_nobody_elses(app: Flask, staffed: LogIn) -> None:
    with app.extensions["wtp_database"].begin() as connection:
        for role in ("manager", "analyst"):
            staff.set_studies(connection, role, ["workshop", "mine"])  # a right to an earlier study of that name
    person = staffed("analyst")
    token = hidden(person.open("/manage/new"))["csrf_token"]
    typed = {"csrf_token": token, "source": "product", "slug": "mine", "title": "Mine", "languages": "en", "currency": "EUR"}  # fmt: skip
    assert person.client.post("/manage/new", data=typed | {"source": "study supplier"}).status_code == 422
    assert person.client.post("/manage/new", data=typed).status_code == 303
    assert person.client.get("/manage/mine/edit").status_code == 200
    with app.extensions["wtp_database"].read() as connection:
        seen = {each.name: each.studies for each in staff.members(connection)}
    assert (seen["analyst"], seen["manager"]) == (("mine", "workshop"), ("workshop",))


def test_an_id_of_another_study_is_none(app: Flask, clients: dict[str, FlaskClient]) -> None:
    numbered = [key for key in _STAFF if "<slug>" in key[0] and re.search(r"<int:(number|job|import_number)>", key[0])]
    assert len(numbered) > 10
    administrator = Staff(clients["administrator"])
    token = hidden(administrator.open("/account"))["csrf_token"]
    kept = (tables.measure, tables.background_job, tables.imported_file)

    def rows() -> list[object]:
        with app.extensions["wtp_database"].read() as connection:
            return [connection.execute(sa.select(table)).all() for table in kept]

    before = rows()
    for rule, method in numbered:
        for path in paths(rule, slug="workshop"):
            data = {"csrf_token": token, "sure": "yes", "state": "done"} if method == "POST" else None
            reply = administrator.client.open(path, method=method, data=data)
            assert reply.status_code in ({404} if method == "GET" else {303, 400, 404, 409, 422}), path
    assert rows() == before
