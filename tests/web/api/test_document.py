"""The OpenAPI document: valid, of exactly the routes that there are, and true: what it does not name never comes."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product
from typing import get_args

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from jsonschema_rs import Draft202012Validator, meta
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.web.api.conftest import STUDY, TABLE, Hold, Program
from tests.web.test_rights import methods
from wtp.analysis import VERSIONS
from wtp.web.analyses import SETS
from wtp.web.api import shapes
from wtp.web.api.problems import KINDS
from wtp.web.api.routes import ROUTES
from wtp.web.security import limiter


@pytest.fixture
def described(app: Flask) -> dict[str, object]:
    """The document as anybody gets it."""
    reply = app.test_client().get("/api/v1/openapi.json", headers={"Accept-Language": "de"})
    assert (reply.status_code, reply.mimetype) == (200, "application/json")
    found: dict[str, object] = reply.json
    return found


def test_it_names_every_route_and_no_other(app: Flask, described: dict[str, dict[str, dict[str, object]]]) -> None:
    there = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1")), method.lower())
        for rule in app.url_map.iter_rules()
        for method in methods(rule)
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.openapi"
    }
    assert {(path, method) for path, operations in described["paths"].items() for method in operations} == there
    assert len(there) == len(ROUTES)


def test_every_schema_is_valid_and_every_reference_leads_somewhere(described: dict[str, dict[str, object]]) -> None:
    schemas = described["components"]["schemas"]
    for schema in schemas.values():  # type: ignore[attr-defined]
        meta.validate(schema)
    references = set(re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(described)))
    assert references <= set(schemas)  # type: ignore[call-overload]
    assert {"Problem", "Table", "Analysis", "Start"} <= references


def test_every_place_in_a_path_is_a_parameter_and_every_operation_has_a_name(
    described: dict[str, dict[str, dict[str, dict[str, object]]]],
) -> None:
    names = []
    for path, operations in described["paths"].items():
        for operation in operations.values():
            places = {p["name"] for p in operation["parameters"] if p["in"] == "path" and p["required"]}  # type: ignore[attr-defined]
            assert places == set(re.findall(r"{(\w+)}", path))
            assert all(p["description"] and p["schema"] for p in operation["parameters"])  # type: ignore[attr-defined]
            names.append(operation["operationId"])
    assert len(names) == len(set(names))


def test_it_speaks_english_whoever_asks(app: Flask, described: dict[str, object]) -> None:
    client = app.test_client()
    client.get("/api/v1/?lang=de")
    assert client.get("/api/v1/openapi.json").json == described
    assert described["info"]["description"].startswith("Results, answers and analyses of studies")  # type: ignore[index]
    assert client.get("/api/v1/studies").json["title"] == "A valid token is needed"


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/api/v1/studies", "StudyList"),
        (STUDY, "Study"),
        (f"{STUDY}/tables", "TableList"),
        (TABLE, "Table"),
        (f"{STUDY}/respondents", "AnswerRows"),
        (f"{STUDY}/nothing", "Problem"),
        (f"{STUDY}/analyses/nothing", "Problem"),
    ],
)
def test_replies_are_as_described(program: Program, described: dict[str, object], path: str, shape: str) -> None:
    schema = {"$ref": f"#/components/schemas/{shape}", "components": described["components"]}
    Draft202012Validator(schema).validate(program.get(path).json)


def test_sets_of_answers_and_of_versions_are_those_of_the_pages() -> None:
    assert get_args(shapes.Whose) == SETS
    assert set(get_args(shapes.Counted)) == set(VERSIONS)


def test_every_problem_is_explained_on_the_page(app: Flask) -> None:
    page = app.test_client().get("/api/v1/?lang=en").text
    for kind, (_status, title) in KINDS.items():
        assert f'id="problem-{kind}"' in page
        with app.test_request_context():
            assert str(title) in page


CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
PLACES = ({"slug": "supplier", "table": "willingness_to_pay", "analysis": "guess"}, None)


def test_some_hundred_requests_find_no_fault_and_nothing_undocumented(app: Flask, hold: Hold) -> None:
    """Right and wrong requests by the document itself: statuses, formats and shapes of all replies are those that it names."""
    program, seen = hold(), Counter[int]()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    for operation, mode, places in product(
        (found.ok() for found in schema.get_all_operations()), GenerationMode, PLACES
    ):
        known = {name: value for name, value in (places or {}).items() if f"{{{name}}}" in operation.path}

        @seed(1)
        @settings(
            max_examples=5,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(mode, path_parameters=known or None))
        def ask(case: schemathesis.Case) -> None:
            with app.app_context():
                limiter.reset()
            reply = case.call(headers=program.headers)
            case.validate_response(reply, checks=CHECKS)
            seen[reply.status_code] += 1

        ask()
    assert seen.total() > 200
    assert {200, 400, 404} <= set(seen)
    assert not {status for status in seen if status >= 500}
