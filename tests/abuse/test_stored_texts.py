"""Whatever stands in a text that somebody stored, pages show it and nothing comes of it: forty payloads in every text of a study, in answers, contacts, names and files, on every page, in charts, exports and reports."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag

from tests.abuse.conftest import House
from tests.abuse.hostile import FORMULAS, XSS
from tests.abuse.poisoned import poisoned_house
from tests.abuse.walk import is_page
from tests.web.every.people import Pages
from tests.web.test_rights import EVERYBODY, PROGRAMS, RIGHTS, paths
from wtp.export import table_csv

MARK = re.compile(r"alert|evil\.example|javascript:", re.IGNORECASE)
LEADS = {"href", "src", "action", "formaction", "srcdoc", "data", "xlink:href", "poster", "background", "style", "content"}  # fmt: skip
NEVER = {"object", "embed", "base", "math", "style", "video", "source", "mglyph", "animate", "x"}


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with poisoned_house(tmp_path_factory.mktemp("poisoned")) as house:
        yield house


def nothing_came_of_it(page: BeautifulSoup, place: str) -> None:
    """No element, handler or address on the page was written by a payload."""
    for tag in page.find_all():
        assert isinstance(tag, Tag)
        assert tag.name not in NEVER, (place, str(tag)[:200])
        for name, given in tag.attrs.items():
            assert not name.startswith("on"), (place, str(tag)[:200])
            assert name != "srcdoc", (place, str(tag)[:200])
            if name in LEADS and tag.name != "textarea":
                words = " ".join(given) if isinstance(given, list) else str(given)
                assert not re.match(r"\s*(javascript|data|vbscript):|\s*//", words, re.IGNORECASE), (place, str(tag)[:200])  # fmt: skip
                assert "evil.example" not in words.partition("?")[0], (place, str(tag)[:200])
        if tag.name == "script":
            assert tag.get("src") or tag.get("type") == "application/json", (place, str(tag)[:200])
            assert not tag.get("src") or re.match(r"/(?!/)", str(tag["src"])), (place, str(tag)[:200])
        if tag.name in {"meta", "link"}:
            assert tag.find_parent("head") or re.fullmatch("[0-9]+", str(tag.get("content"))), (place, str(tag)[:200])
        if tag.name == "form":
            assert tag.get("method", "get") in {"get", "post"}, (place, str(tag)[:200])


def test_no_page_makes_an_element_of_a_text(poisoned: House) -> None:
    shown = looked = 0
    for (rule, method), roles in RIGHTS.items():
        if method != "GET" or roles == PROGRAMS or not is_page(rule) or rule.startswith("/static"):
            continue
        client = poisoned.client("nobody" if roles == EVERYBODY else roles[-1])
        for path in paths(rule):
            reply = client.get(path, follow_redirects=True, buffered=True)
            if reply.mimetype == "text/html":
                page = BeautifulSoup(reply.text, "html.parser")
                nothing_came_of_it(page, path)
                looked += 1
                shown += bool(MARK.search(page.get_text()))
    assert shown > 20, "the payloads are on the pages"
    assert looked > 50


def test_no_page_of_an_interview_makes_an_element_of_a_text(poisoned: House) -> None:
    page, seen = Pages(poisoned.app.test_client()), ""
    while True:
        nothing_came_of_it(page.soup, page.step)
        seen += page.soup.get_text()
        if page.step == "thanks":
            break
        page.send(**page.first() | ({"q-words": XSS[9]} if "q-words" in page.text else {}))
    assert len(set(MARK.findall(seen))) >= 2


def test_no_chart_and_no_file_makes_markup_or_a_formula_of_a_text(poisoned: House) -> None:
    """Charts: the few elements that the chart library knows. Workbooks: text, no formula and no link. CSV: no cell that a program takes for one."""
    client, charts, files = poisoned.client("administrator"), 0, 0
    for path in paths("/results/<slug>/<chart>.json"):
        reply = client.get(path)
        for text in texts_in(json.loads(reply.text)) if reply.status_code == 200 else ():
            charts += 1
            assert {name.lower() for name in re.findall(r"<\s*/?\s*([a-zA-Z]\w*)", text)} <= {"br", "b", "i", "sub", "sup", "span", "extra"}, text  # fmt: skip
            assert not re.search(r"<[^>]*(?:\son\w+\s*=|javascript:|href)", text, re.IGNORECASE), text
    assert charts > 20
    for path in paths("/manage/<slug>/exports/<export>"):
        reply = client.get(path)
        assert reply.headers["Content-Disposition"].startswith("attachment"), path
        if reply.data.startswith(b"PK") and b"xl/workbook.xml" in reply.data:
            with zipfile.ZipFile(io.BytesIO(reply.data)) as archive:
                parts = "".join(archive.read(n).decode() for n in archive.namelist() if n.endswith((".xml", ".rels")))
            assert not re.search(r"<f[ >]|hyperlink.*evil\.example", parts), path
            files += 1
    report = client.get("/results/supplier/report.pptx")
    with zipfile.ZipFile(io.BytesIO(report.data)) as archive:
        links = "".join(archive.read(name).decode() for name in archive.namelist() if name.endswith(".rels"))
    assert "evil.example" not in links
    assert "javascript:" not in links
    assert files


def texts_in(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict | list):
        for part in content.values() if isinstance(content, dict) else content:
            yield from texts_in(part)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_table_for_a_spreadsheet_holds_no_formula(formula: str) -> None:
    made = table_csv(pd.DataFrame({"words": [formula], "number": [-1.5]})).decode("utf-8-sig")
    cell = made.splitlines()[1] if "\n" not in formula and "\r" not in formula else made.partition("\n")[2]
    assert cell.lstrip('"').startswith("'"), cell
    assert "-1.5" in made
    assert "'-1.5" not in made, "a number stays a number"
