"""The text of a TOML file: how values are written, and where the tables of its arrays of tables begin and end.

Tables of an array (`[[pages]]`) are moved, removed and added as blocks of whole lines, each with the comments directly above it, so that every
other line of the file stays as its author wrote it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""+|\'\'\'.*?\'\'\'+|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]|\n', re.DOTALL
)
_HEADER = re.compile(r"(\[\[?)\s*([A-Za-z0-9_.\s-]+?)\s*\]")
_LONGEST_LINE = 110
_MOST_DOTS = 300


def read_toml(text: str) -> dict[str, Any]:
    """The content of a text that somebody gives. Raises ValueError or RecursionError for what is no TOML, and for a line with more dots than any text has: Python's reader takes minutes for a name of thousands of parts."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > _MOST_DOTS:
            raise ValueError(f"more than {_MOST_DOTS} dots (at line {number})")
    return tomllib.loads(text)


def written(value: Any) -> str:
    """A value as TOML; texts of several lines become multi-line strings, lists of tables one table a line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key_text(key)} = {written(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, Sequence):
        items = [written(item) for item in value]
        one_line = f"[{', '.join(items)}]"
        if not items or (not any(isinstance(item, Mapping) for item in value) and len(one_line) <= _LONGEST_LINE):
            return one_line
        return "[\n" + "".join(f"  {item},\n" for item in items) + "]"
    return repr(value)


def key_text(key: str) -> str:
    """A key, in quotes where it needs them."""
    return key if _BARE.fullmatch(key) else _basic(key)


def table_text(header: str, table: Mapping[str, Any]) -> str:
    """One table of an array of tables, with its header."""
    return f"[[{header}]]\n" + "".join(f"{key_text(key)} = {written(value)}\n" for key, value in table.items())


def _string(text: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    if "\n" not in text:
        return _basic(text)
    inner = "\n".join(_basic(line)[1:-1].replace('\\"', '"') for line in text.split("\n"))
    inner = re.sub(r'"{3,}', lambda quotes: '\\"' * len(quotes[0]), inner)
    return '"""\n' + re.sub(r'"+$', lambda quotes: '\\"' * len(quotes[0]), inner) + '"""'


def _basic(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@dataclass(frozen=True, slots=True)
class Header:
    """A line `[name]` or `[[name]]`: `start` is the offset of its line."""

    start: int
    name: tuple[str, ...]
    array: bool


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one table of an array: from the comments above its header to the line before the next table's."""

    start: int
    end: int


def blocks(source: str, place: Sequence[str | int]) -> list[Block] | None:
    """The tables of the array at `place`, such as ("pages",) or ("pages", 3, "questions"); None if it is not written that way."""
    headers = list(_headers(source))
    name = tuple(part for part in place if isinstance(part, str))
    first, last = 0, len(headers)
    if len(place) == 3 and isinstance(place[1], int):
        outer = [n for n, header in enumerate(headers) if header.array and header.name == name[:1]]
        if place[1] >= len(outer):
            return None
        first = outer[place[1]] + 1
        last = next((n for n in range(first, last) if headers[n].name[:1] != name[:1] or n in outer), last)
    elif len(place) > 1:
        first = next((n + 1 for n, header in enumerate(headers) if header.name == name[:-1]), last)
    found = []
    for n in range(first, last):
        if headers[n].array and headers[n].name == name:
            after = next(
                (
                    m
                    for m in range(n + 1, len(headers))
                    if headers[m].name[: len(name)] != name or headers[m].name == name
                ),
                None,
            )
            found.append(Block(_with_comments(source, headers[n].start), _end(source, headers, after)))
    return found or None


def end_of(source: str, place: tuple[str, int]) -> int | None:
    """Where the lines of the table `place` of an array end, its own arrays of tables included."""
    found = blocks(source, place[:1])
    return found[place[1]].end if found and place[1] < len(found) else None


def _end(source: str, headers: Sequence[Header], after: int | None) -> int:
    return len(source) if after is None else _with_comments(source, headers[after].start)


def _with_comments(source: str, start: int) -> int:
    """The offset of the first of the comment lines that stand directly above a line."""
    while start:
        before = source.rfind("\n", 0, start - 1) + 1
        if not source[before:start].lstrip().startswith("#"):
            return start
        start = before
    return start


def _headers(source: str) -> Iterator[Header]:
    depth, line = 0, 0
    for token in _TOKEN.finditer(source):
        text = token[0]
        if text == "\n":
            line = token.end()
        elif text == "[" and depth == 0 and not source[line : token.start()].strip():
            if match := _HEADER.match(source, token.start()):
                parts = tuple(part.strip() for part in match[2].split("."))
                yield Header(line, parts, match[1] == "[[")
            depth += 1
        elif text in "[{":
            depth += 1
        elif text in "]}":
            depth -= 1
        if "\n" in text[:-1]:
            line = source.rfind("\n", token.start(), token.end()) + 1
