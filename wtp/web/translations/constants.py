"""Finds the texts that are constants: titles of charts and templates of notes, which are translated where they are shown.

Babel's own extractor sees only literals inside gettext calls; this one also takes module-level text constants, the values of constant tables,
and literals given to `words`, in the packages that `babel.cfg` names.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any


def extract(
    source: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: Mapping[str, Any]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """(line, function, text, comments) of every sentence, as Babel wants it."""
    tree = ast.parse(source.read())
    for node in tree.body:
        if isinstance(node, ast.Assign) and all(_is_constant(target) for target in node.targets):
            for text in _texts(node.value):
                yield node.lineno, "gettext", text, []
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "words":
            for literal in (argument for argument in call.args[:1] if isinstance(argument, ast.Constant)):
                yield call.lineno, "gettext", str(literal.value), []


def _is_constant(target: ast.expr) -> bool:
    """Whether a name, or each of several, is written in capitals."""
    names = target.elts if isinstance(target, ast.Tuple) else [target]
    return all(isinstance(name, ast.Name) and name.id.isupper() for name in names)


def _texts(value: ast.expr) -> Iterator[str]:
    values = value.values if isinstance(value, ast.Dict) else value.elts if isinstance(value, ast.Tuple) else [value]
    for part in values:
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and _is_sentence(part.value):
            yield part.value


def _is_sentence(text: str) -> bool:
    """Words for people begin with a capital letter, a name or a quotation; identifiers, colours and columns do not."""
    return len(text) > 3 and (text[0].isupper() or text[0] in "{“") and not text.isupper()
