"""The one reader of JSON that programs send: what is deep, long, doubled or no text is refused before anything is made of it."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from wtp.web.api.problems import ProblemError
from wtp.web.security import MAX_FIELD

MAX_DEPTH = 50


def read_body(sent: bytes) -> Any:
    """The content of a body: UTF-8, at most MAX_DEPTH lists and objects within each other, texts of at most MAX_FIELD characters, every key once. Raises ProblemError."""
    try:
        content = json.loads(sent.decode(), object_pairs_hook=_once_each, parse_constant=_no_number)
    except RecursionError:
        _refuse("lists and objects too deep within each other", f"{MAX_DEPTH} of them")
    except ValueError as error:  # also what is no UTF-8, and numbers of thousands of digits
        _refuse(str(error)[:200], "JSON in UTF-8")
    level, depth = [content], 0
    while level:
        for text in level:
            if isinstance(text, str):
                _judge(text)
        inner = [value for value in level if isinstance(value, dict | list)]
        depth += bool(inner)
        if depth > MAX_DEPTH:
            _refuse("lists and objects too deep within each other", f"{MAX_DEPTH} of them")
        level = [part for value in inner for part in (value if isinstance(value, list) else [*value, *value.values()])]
    return content


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key that is there twice")
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _judge(text: str) -> None:
    if len(text) > MAX_FIELD:
        _refuse(f"a text of {len(text)} characters", f"texts of at most {MAX_FIELD} characters", kind="too-large")
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        _refuse("a character that is no text", "Unicode text")


def _refuse(found: str, allowed: str, kind: str = "body") -> NoReturn:
    raise ProblemError(kind, place="body", found=found, allowed=allowed, remedy="mend it, and send it again") from None
