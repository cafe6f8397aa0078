"""Authors' texts as HTML: paragraphs, emphasis, strong words, lists and links; whatever else is written shows as it was typed.

Rendering is the last step, after earlier answers were put into a text (`survey.piping` makes them literal), and nothing in it comes from a
template. Links lead to http, https and mailto alone and open beside the page, so that nobody loses what was typed.
"""

from __future__ import annotations

import re
from functools import lru_cache

from flask import Flask
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.list import list_block
from markdown_it.rules_core import StateCore
from markupsafe import Markup

_LINK = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f]+", re.IGNORECASE)
_OTHER_NUMBER = re.compile(r"(?!1[.)])[0-9]{1,9}[.)]")


def init_app(app: Flask) -> None:
    """Give templates the filter `markdown`."""
    app.add_template_filter(markdown)


@lru_cache(maxsize=4_096)
def markdown(text: str) -> Markup:
    """The HTML of an author's text; equal texts are rendered once."""
    return Markup(_parser.render(text))  # noqa: S704  the parser knows no raw HTML


def _lists(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Lists, of which a numbered one begins with 1: a paragraph may begin with a date such as `31. December`."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    return (silent or not _OTHER_NUMBER.match(line)) and list_block(state, start, end, silent)


def _links(state: StateCore) -> None:
    """What links carry; one that leads nowhere is none."""
    for block in state.tokens:
        nowhere, kept = False, []
        for token in block.children or ():
            if token.type == "link_open":
                address = str(token.attrGet("href"))
                nowhere = not address
                if address.casefold().startswith("http"):
                    token.attrSet("target", "_blank")
                token.attrSet("rel", "noopener noreferrer")
            if not (nowhere and token.type in {"link_open", "link_close"}):
                kept.append(token)
        if block.children:
            block.children = kept


def _made() -> MarkdownIt:
    parser = MarkdownIt("zero").enable(["list", "emphasis", "link", "escape"])
    parser.validateLink = lambda url: bool(_LINK.fullmatch(url))  # type: ignore[method-assign]
    parser.block.ruler.at("list", _lists, {"alt": ["paragraph"]})
    parser.core.ruler.push("links", _links)
    return parser


_parser = _made()
