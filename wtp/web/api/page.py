"""The page to try the API: every route with its parameters, an example and a form; the token stays in the page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, render_template

from wtp.analysis import CONDITIONAL
from wtp.web.api import final
from wtp.web.api.description import kinds_of
from wtp.web.api.problems import KINDS, PREFIX
from wtp.web.api.replies import CSV
from wtp.web.api.routes import PARAMETERS, ROUTES, Route

blueprint = Blueprint("api_page", __name__, url_prefix=PREFIX)
_EXAMPLES = {"slug": "supplier", "table": "willingness_to_pay", "analysis": "0" * 8}
_CURL = 'curl {more}-H "Authorization: Bearer $WTP_TOKEN" "{address}"'
_READ_JSON = """import json, os, urllib.request

request = urllib.request.Request(
    "{address}",{body}
    headers={{"Authorization": "Bearer " + os.environ["WTP_TOKEN"]{kind}}},
)
print(json.load(urllib.request.urlopen(request)))"""
_READ_CSV = """import os
import pandas as pd

headers = {{"Authorization": "Bearer " + os.environ["WTP_TOKEN"]}}
table = pd.read_csv("{address}", storage_options=headers)
print(table)"""


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter with what may be typed; `options` if it is one of few."""

    name: str
    where: str
    allowed: Any
    meaning: Any
    example: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A route as the page shows it."""

    route: Route
    address: str
    fields: tuple[Field, ...]
    problems: tuple[tuple[int, str, Any], ...]
    curl: str
    python: str


@blueprint.get("/")
def explorer() -> str:
    """All routes."""
    base = current_app.extensions["wtp_settings"].base_url.rstrip("/") + PREFIX
    return render_template(
        "api/explorer.html", routes=[_shown(route, base) for route in ROUTES], kinds=KINDS, base=base
    )


def _shown(route: Route, base: str) -> Shown:
    fields = [Field(name, "path", *PARAMETERS[name], _EXAMPLES[name]) for name in route.places]
    for where, shape in (("query", route.query), ("body", route.body)):
        properties = shape.model_json_schema().get("properties", {}) if shape else {}
        for name, about in properties.items():
            options = (CONDITIONAL, *final.MODELS) if name == "model" else tuple(about.get("enum", ()))
            usual = about.get("default")
            fields.append(Field(name, where, *PARAMETERS[name], "" if usual is None else str(usual), options))
    address = base + route.path.format(**_EXAMPLES)
    body = json.dumps({"model": CONDITIONAL}) if route.body else ""
    more = f"-H 'Content-Type: application/json' -d '{body}' " if body else ""
    python = _READ_CSV if route.formats == (CSV,) else _READ_JSON
    data = f"\n    data=b'{body}'," if body else ""
    kind = ', "Content-Type": "application/json"' if body else ""
    return Shown(
        route,
        PREFIX + route.path,
        tuple(fields),
        tuple((KINDS[name][0], name, KINDS[name][1]) for name in kinds_of(route)),
        _CURL.format(more=more, address=address),
        python.format(address=address, body=data, kind=kind),
    )
