"""How replies are made: JSON or CSV as asked, rows in parts, and nothing sent again that the program has already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import pandas as pd
from flask import Response, request
from pydantic import BaseModel

from wtp.export import table_csv
from wtp.export.codebook import codebook
from wtp.survey import Definition
from wtp.web.api import shapes
from wtp.web.api.problems import ProblemError

JSON, CSV = "application/json", "text/csv"
TIME = "%Y-%m-%dT%H:%M:%S+00:00"
_AT_A_TIME = 500


def as_json(shape: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A shape as JSON; with status 200 a program that has it already is told so."""
    body = json.dumps(shape.model_dump(mode="json"), ensure_ascii=False, allow_nan=False) + "\n"
    reply = Response(body, status=status, mimetype=JSON, headers=dict(headers or {}))
    if status == 200:
        reply.add_etag()
        _may_be_kept(reply)
        reply.make_conditional(request)
    return reply


def format_asked() -> str:
    """JSON or CSV, by the Accept header; JSON if it is all the same."""
    accepted = request.accept_mimetypes
    best = accepted.best_match([JSON, CSV]) if accepted else JSON
    if best is None:
        raise ProblemError(
            "media",
            place="header Accept",
            found=request.headers.get("Accept", "")[:80],
            allowed=f"{JSON} or {CSV}",
            remedy="ask for one of them, or leave the header out",
        )
    return best


def tag_of(*parts: object) -> str:
    """ETag of what is identified by these parts."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:32]


def unchanged(tag: str) -> Response | None:
    """The reply 304 if the program has what this tag stands for."""
    if not request.if_none_match.contains_weak(tag):
        return None
    return _tagged(Response(status=304), tag)


def send_rows(
    frame: pd.DataFrame, part: shapes.Part, form: str, about: Mapping[str, Any], *, tag: str, name: str
) -> Response:
    """Some rows of a table, sent as they are written; Link names the parts before and behind (RFC 8288).

    about: what JSON says beside the rows. name: of the file.
    """
    last = len(frame) if part.limit is None else part.offset + part.limit
    rows = frame.iloc[part.offset : last]
    written = _csv(rows) if form == CSV else _json(rows, {**about, "total": len(frame), "offset": part.offset})
    reply = _tagged(Response(written, mimetype=form), tag)
    if form == CSV:
        reply.headers["Content-Disposition"] = f"attachment; filename={name}.csv"
    if links := _links(part, len(frame)):
        reply.headers["Link"] = links
    return reply


def columns_of(definition: Definition, table: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Columns with their types and meanings; table: respondents, choices, or results for all tables of figures."""
    languages = definition.languages
    book: dict[str, list[dict[Hashable, Any]]] = {}
    for row in codebook(definition).to_dict("records"):
        if row["table"] == table:
            book.setdefault(row["column"], []).append(row)
    found = []
    for name in names:
        own = book.get(f"{name.partition('[')[0]}[from -> to]" if "[" in name else name, [])
        column: dict[str, Any] = {"name": name, "type": "", "meaning": {}, "codes": {}}
        for row in own:
            words: dict[str, str] = {each: row[each] for each in languages}
            if row["code"]:
                column["codes"][row["code"]] = words
            else:
                column |= {"type": row["type"], "meaning": words}
        found.append(column)
    return found


def _csv(rows: pd.DataFrame) -> Iterator[bytes]:
    """The bytes of the page's download, some rows at a time."""
    yield table_csv(rows.iloc[:_AT_A_TIME])
    for first in range(_AT_A_TIME, len(rows), _AT_A_TIME):
        some = table_csv(rows.iloc[first : first + _AT_A_TIME])
        yield some.partition(b"\n")[2]


def _json(rows: pd.DataFrame, about: Mapping[str, Any]) -> Iterator[str]:
    head = json.dumps(dict(about), ensure_ascii=False, allow_nan=False)
    yield f'{head[:-1]}, "rows": ['
    for first in range(0, len(rows), _AT_A_TIME):
        some = rows.iloc[first : first + _AT_A_TIME]
        times = {name: some[name].dt.strftime(TIME) for name in map(str, some.select_dtypes("datetimetz"))}
        some = some.assign(**times)
        plain = some.astype(object).where(some.notna(), None).to_dict("records")
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False)[1:-1]
        yield f", {text}" if first else text
    yield "]}\n"


def _links(part: shapes.Part, total: int) -> str:
    if part.limit is None:
        return ""
    places = {"first": 0, "last": max(0, (total - 1) // part.limit * part.limit)}
    if part.offset > 0:
        places["prev"] = max(0, part.offset - part.limit)
    if part.offset + part.limit < total:
        places["next"] = part.offset + part.limit
    kept = {key: value for key, value in request.args.items() if key != "offset"}
    address = {name: f"{request.path}?{urlencode({**kept, 'offset': offset})}" for name, offset in places.items()}
    return ", ".join(f'<{target}>; rel="{name}"' for name, target in address.items())


def _tagged(reply: Response, tag: str) -> Response:
    reply.set_etag(tag)
    _may_be_kept(reply)
    return reply


def _may_be_kept(reply: Response) -> None:
    """By the program itself, which asks each time whether it is still true."""
    reply.headers["Cache-Control"] = "private, no-cache"
    reply.headers["Vary"] = "Authorization, Accept"
