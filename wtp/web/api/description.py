"""The OpenAPI 3.1 document, made of the table of routes and the shapes."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from wtp import __version__
from wtp.analysis import CONDITIONAL
from wtp.store.api_tokens import SCOPES
from wtp.web.api import final, shapes
from wtp.web.api.problems import KINDS, PREFIX
from wtp.web.api.replies import CSV, JSON
from wtp.web.api.routes import EVERYWHERE, PARAMETERS, ROUTES, Route

_REFERENCE = "#/components/schemas/{model}"
_ABOUT = (
    "Results, answers and analyses of studies, for programs. Figures are those of the pages, to the last digit; what would mislead is null, and its note says why. "
    "Segments of fewer than 30 respondents are withheld. Simulated respondents are counted in simulated_respondents: do not decide anything on them. "
    f"A token has one or more of the scopes {', '.join(SCOPES)}; pages /manage/tokens and the command wtp token make one. Cookies are not accepted."
)
_KEPT = {
    "ETag": {"description": "send it back as If-None-Match: 304 means that nothing has changed", "schema": {"type": "string"}},
}  # fmt: skip
_LINK = {"Link": {"description": "first, prev, next and last part (RFC 8288)", "schema": {"type": "string"}}}
_NEXT = {"Location": {"description": "ask here how far it is", "schema": {"type": "string", "format": "uri-reference"}}}


@cache
def document() -> dict[str, Any]:
    """The whole document."""
    shown: set[type[BaseModel]] = {shapes.Problem}
    for route in ROUTES:
        shown |= {shape for shape in route.replies.values() if shape} | ({route.body} if route.body else set())
    wanted = [(each, "serialization") for each in sorted(shown, key=lambda each: each.__name__)]
    _, made = models_json_schema(wanted, ref_template=_REFERENCE)  # type: ignore[arg-type]
    schemas = made["$defs"]
    schemas["Start"]["properties"]["model"]["enum"] = [CONDITIONAL, *final.MODELS]
    schemas["Start"].pop("required", None)  # every field has a default
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "wtp",
            "version": "1",
            "description": f"{_ABOUT} Made by wtp {__version__}.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "wtp_MARK_SECRET"}},
        },
    }


def kinds_of(route: Route) -> list[str]:
    """What can go wrong with a route, in the order of its statuses."""
    return [kind for kind in KINDS if kind in {*route.problems, *EVERYWHERE}]


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": str(route.says),
        "description": f"Needs the scope {route.scope}.",
        "security": [{"token": [route.scope]}],
        "parameters": [*map(_place, route.places), *_query(route)],
        "responses": _replies(route),
    }
    if route.body:
        schema = {"$ref": _REFERENCE.format(model=route.body.__name__)}
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return operation


def _place(name: str) -> dict[str, Any]:
    meaning = str(PARAMETERS[name][1])
    return {"name": name, "in": "path", "required": True, "description": meaning, "schema": {"type": "string", "minLength": 1}}  # fmt: skip


def _query(route: Route) -> list[dict[str, Any]]:
    schema = route.query.model_json_schema()
    found = []
    for name, about in schema.get("properties", {}).items():
        kept = {key: value for key, value in about.items() if key not in {"title", "anyOf"} and value is not None}
        # None stands for a parameter that is left out, which is no value that can be sent.
        kept |= next((each for each in about.get("anyOf", ()) if each.get("type") != "null"), {})
        meaning = f"{PARAMETERS[name][0]}: {PARAMETERS[name][1]}"
        found.append({"name": name, "in": "query", "description": meaning, "schema": kept})
    return found


def _replies(route: Route) -> dict[str, Any]:
    replies: dict[str, Any] = {}
    for status, shape in route.replies.items():
        if shape is None:
            replies[str(status)] = {"description": "nothing has changed since the ETag that was sent"}
            continue
        schemas: dict[str, Any] = {JSON: {"$ref": _REFERENCE.format(model=shape.__name__)}, CSV: {"type": "string"}}
        headers = {**(_KEPT if status == 200 else _NEXT), **(_LINK if issubclass(shape, shapes.Rows) else {})}
        replies[str(status)] = {
            "description": {200: "found", 201: "made", 202: "started"}[status],
            "headers": headers,
            "content": {form: {"schema": schemas[form]} for form in route.formats},
        }
    for kind in kinds_of(route):
        status, title = KINDS[kind]
        reply = replies.setdefault(
            str(status),
            {
                "description": "",
                "content": {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}},
            },
        )
        reply["description"] = "; or: ".join(filter(None, (reply["description"], str(title))))
    return replies
