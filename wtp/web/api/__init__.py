"""The API of version 1, for programs: /api/v1/... with a token, described at /api/v1/openapi.json, tried out at /api/v1/.

`routes.py` is the table of what there is; `final.py` speaks of background jobs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

from flask import Blueprint, Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from wtp.errors import WtpError
from wtp.web.api import page, problems
from wtp.web.api.access import caller, required
from wtp.web.api.body import read_body
from wtp.web.api.description import document
from wtp.web.api.problems import ProblemError
from wtp.web.api.replies import JSON
from wtp.web.api.routes import PARAMETERS, ROUTES, Route
from wtp.web.security import limiter

__all__ = ["blueprint", "page", "problems"]

blueprint = Blueprint("api", __name__, url_prefix=problems.PREFIX)
blueprint.register_error_handler(WtpError, problems.of_error)
blueprint.register_error_handler(HTTPException, problems.of_http)
limiter.limit("300 per minute", key_func=caller)(blueprint)


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The description of all of it, for anybody: it tells nothing about studies."""
    return Response(json.dumps(document(), ensure_ascii=False), mimetype=JSON)


def _guarded(route: Route) -> Callable[..., Any]:
    def answer(**places: str) -> Any:
        found = required(route.scope)
        query = _checked_query(route.query)
        if route.body is None:
            return route.view(found, query, **places)
        return route.view(found, query, **places, body=_checked_body(route.body))

    answer.__name__ = route.name
    return limiter.limit("10 per minute", key_func=caller)(answer) if route.body else answer


def _checked_query(shape: type[BaseModel]) -> BaseModel:
    given = request.args.to_dict(flat=False)
    for name, values in given.items():
        if len(values) > 1:
            _refuse("parameter", name, f"given {len(values)} times", shape)
    try:
        return shape.model_validate({name: values[0] for name, values in given.items()})
    except ValidationError as error:
        first = error.errors()[0]
        _refuse("parameter", str(first["loc"][0]), repr(first["input"])[:80], shape)


def _checked_body(shape: type[BaseModel]) -> BaseModel:
    if not request.is_json:
        raise ProblemError(
            "media-type",
            place="header Content-Type",
            found=(request.content_type or "none")[:80],
            allowed=JSON,
            remedy="send JSON and say so in the header",
        )
    try:
        return shape.model_validate(read_body(request.get_data()))
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            raise ProblemError(
                "value", place="body", found=first["msg"], allowed=f"an object of JSON with {', '.join(shape.model_fields)}",
                remedy="mend it",
            ) from error  # fmt: skip
        _refuse("value", str(first["loc"][0]), repr(first["input"])[:80], shape)


def _refuse(kind: str, name: str, found: str, shape: type[BaseModel]) -> NoReturn:
    """Say what is wrong with a value."""
    if name in shape.model_fields:
        raise ProblemError(
            kind, place=name, found=found, allowed=str(PARAMETERS[name][0]), remedy="mend it, or leave it out"
        )
    allowed = ", ".join(shape.model_fields) or "none"
    raise ProblemError(kind, place=name[:80], found="unknown", allowed=allowed, remedy="leave it out")


for _route in ROUTES:
    _rule = _route.path.replace("{", "<").replace("}", ">")
    blueprint.add_url_rule(_rule, _route.name, _guarded(_route), methods=[_route.method])
