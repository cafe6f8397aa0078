"""Logs without personal data: a line an event on standard error, as JSON or as text.

A line has time, level, process, event and, of a request, its route (`/s/<slug>/r/<token>`, never what stood in the places), method, status, milliseconds and an id, which the reply
and the page of an error have too. It never has an answer, a token, an address, a query or a user agent. That holds by construction: only what our own loggers (`wtp...`) write is
written out, and they write none of these; of other libraries' lines, and of every error, only kind and place in the program are kept, since their texts may quote anything.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import sys
import threading
import time
import traceback
import types
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request

from wtp.settings import Settings
from wtp.web.running import asked_now

ID_HEADER = "X-Request-ID"
_OURS = "wtp"
_CUT = {4: 24, 6: 48}
_log = logging.getLogger("wtp.web")


def begin(form: str) -> None:
    """Let this process, and those that it starts, log in this form ("json" or "text"), also what nobody catches."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(as_json=form == "json"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(logging.INFO)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)
    sys.unraisablehook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: types.TracebackType | None) -> None:
    if error is not None and not issubclass(kind, KeyboardInterrupt | SystemExit):
        _log.error("an error that nobody caught", exc_info=(kind, error, trace))


class _Lines(logging.Formatter):
    """One record, one line."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The record with what may be told of it."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": record.process,
        }
        if record.name.split(".")[0] == _OURS:
            line["event"] = record.getMessage()
            line |= getattr(record, "about", {})
        else:
            line |= {"event": f"{record.name}: {record.funcName}", "place": f"{record.filename}:{record.lineno}"}
        if record.exc_info and record.exc_info[1] is not None:
            line |= {"errors": [*_errors(record.exc_info[1])]}
        if self._as_json:
            return json.dumps(line, ensure_ascii=False)
        head = f"{line.pop('time')} {line.pop('level')} {line.pop('process')} {line.pop('event')}"
        return " ".join([head, *(f"{name}={value}" for name, value in line.items())])


def _errors(error: BaseException) -> Iterator[dict[str, Any]]:
    """Kind and places of an error and of what caused it; no text, no values."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        frames = traceback.extract_tb(following.__traceback__)
        yield {
            "kind": f"{type(following).__module__}.{type(following).__qualname__}",
            "places": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        }
        following = following.__cause__ or following.__context__


def init_app(app: Flask, settings: Settings) -> None:
    """Give each request an id, and log those that failed; all of them if the settings say so."""
    app.before_request(_number)
    app.after_request(lambda response: _tell(response, settings.access_log))
    app.log_exception = _fault  # type: ignore[method-assign]  # Flask's own line has the address and the error's text


def request_id() -> str:
    """The id of the request that is being answered."""
    return str(g.get("request_id", ""))


def _number() -> None:
    g.request_id, g.began = os.urandom(8).hex(), time.perf_counter()


def _tell(response: Response, access_log: str) -> Response:
    response.headers[ID_HEADER] = request_id()
    if access_log != "off" or response.status_code >= 500:
        about: dict[str, Any] = {
            "method": request.method if request.url_rule else "-",
            "route": route(),
            "status": response.status_code,
            "milliseconds": round((time.perf_counter() - g.get("began", time.perf_counter())) * 1e3),
            "request": request_id(),
        }
        if access_log == "cut":
            about["network"] = network(request.remote_addr)
        level = logging.ERROR if response.status_code >= 500 else logging.INFO
        _log.log(level, "request", extra={"about": about})
    return response


def _fault(exc_info: Any) -> None:
    _log.error("fault", exc_info=exc_info, extra={"about": {"route": route(), "request": request_id()}})


def route() -> str:
    """The rule of the request that is being answered, without what stands in its places."""
    rule = asked_now().url_rule
    return rule.rule if rule else "-"


def network(address: str | None) -> str:
    """An address without the part that tells who it is: the first 24 bits of four bytes, the first 48 of sixteen."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "-"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ipaddress.ip_network(f"{found}/{_CUT[found.version]}", strict=False))
