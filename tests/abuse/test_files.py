"""Files that somebody gives: bent ones of every layout that is read, wild tables, mappings and definitions. Each is taken, or refused in words; no page stumbles over a draft, whatever stands in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import tomlkit
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.abuse import hostile
from tests.abuse.conftest import memory, surveys_of_its_own, watched
from tests.imports.make_files import FILES, content
from tests.web.author import Author, log_in
from wtp.errors import WtpError
from wtp.imports import check, check_contacts, guess, mapping_of, problems_frame, read_file, read_purchases
from wtp.settings import Settings
from wtp.survey import Survey, design_file, load_survey
from wtp.survey.contacts import ContactCodes, contact_codes
from wtp.survey.load import inspect_text
from wtp.web import create_app
from wtp.web.security import limiter

INPUTS = 2_500
QUIETLY: dict[str, Any] = {"phases": [Phase.generate], "deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}  # fmt: skip


@pytest.fixture(scope="module")
def supplier(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return load_survey(surveys_of_its_own(tmp_path_factory.mktemp("files") / "surveys") / "supplier")


def tried(survey: Survey, codes: ContactCodes, given_: bytes, name: str) -> bool:
    """Whether a file is read; every reader has its turn on it, and every refusal says what is allowed."""
    try:
        with watched():
            file = read_file(given_, name)
    except WtpError as error:
        in_words(error)
        return False
    for read in (
        lambda: problems_frame(check(survey, file, guess(file, survey.definition)).problems),
        lambda: check_contacts(codes, file),
        lambda: read_purchases(file, survey.definition, date(2026, 1, 1)),
    ):
        try:
            with watched():
                read()
        except WtpError as error:
            in_words(error)
    return True


def in_words(error: WtpError) -> None:
    """A refusal says what is allowed."""
    assert "allowed" in str(error)


@st.composite
def tables(draw: st.DrawFn, heads: list[str]) -> list[list[str]]:
    """A table under known and unknown headings, with wild cells."""
    names = draw(st.lists(st.one_of(st.sampled_from(heads), hostile.short), min_size=1, max_size=8))
    rows = draw(st.lists(st.lists(hostile.short, min_size=len(names), max_size=len(names)), max_size=4))
    return [names, *rows]


def as_csv(rows: list[list[str]], delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, escapechar="\\").writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


def as_workbook(rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        clean = [openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", cell).encode("utf-8", "replace").decode() for cell in row]  # fmt: skip
        book.active.append([cell[:30_000] for cell in clean])  # type: ignore[union-attr]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def heads_of(survey: Survey) -> list[str]:
    wanted = ["respondent", "choice_task", "alternative", "chosen", "price", "happened_at", "channel", "reason", "customer", "date", "amount", "article", "minutes", "solved"]  # fmt: skip
    return wanted + [attribute.id for attribute in survey.definition.attributes]


def test_no_file_makes_a_fault(supplier: Survey, rounds: Callable[[int], int], grows_little: Callable[[int], None]) -> None:  # fmt: skip
    codes = contact_codes(supplier.definition)
    assert codes is not None
    good = {name: content(name) for name in FILES}
    good["book.xlsx"] = as_workbook([["respondent", "price"], ["a", "1"]])
    read = 0

    @seed(1)
    @settings(max_examples=rounds(INPUTS), **QUIETLY)
    @given(st.data())
    def give(data: st.DataObject) -> None:
        nonlocal read
        kind = data.draw(st.sampled_from(("bent", "bent", "table", "book", "junk")))
        if kind == "bent":
            name = data.draw(st.sampled_from(sorted(good)))
            given_ = data.draw(hostile.bent(good[name]))
        elif kind == "junk":
            name, given_ = data.draw(hostile.short), data.draw(st.binary(max_size=400))
        else:
            rows = data.draw(tables(heads_of(supplier)))
            name = data.draw(st.sampled_from(("x.csv", "x.cho", "x.chs", "")))
            given_ = as_workbook(rows) if kind == "book" else as_csv(rows, data.draw(st.sampled_from(",;\t|")))
        read += tried(supplier, codes, given_, name)

    before = memory()
    give()
    assert read > rounds(INPUTS) / 10
    grows_little(before)


def test_no_mapping_and_no_definition_makes_a_fault(supplier: Survey, rounds: Callable[[int], int]) -> None:
    lighthouse = read_file(content("lighthouse.csv"), "x.csv")
    mapping = guess(lighthouse, supplier.definition).to_toml().encode()
    definition = (supplier.folder / "survey.toml").read_bytes()
    design = (supplier.folder / "design.csv").read_bytes()

    def judge(kind: str, text: str) -> None:
        with watched():
            if kind == "mapping":
                check(supplier, lighthouse, mapping_of(text, "x.toml"))
            elif kind == "definition":
                inspect_text(text, supplier.folder / "survey.toml")
            else:
                design_file.read_design_text(text, supplier.folder / "design.csv", supplier.definition)

    @seed(1)
    @settings(max_examples=rounds(1_000), **QUIETLY)
    @given(st.data())
    def give(data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from(("mapping", "definition", "design")))
        if data.draw(st.booleans()) and kind != "design":
            text = wild(data, mapping if kind == "mapping" else definition)
        else:
            good = {"mapping": mapping, "definition": definition, "design": design[:3_000]}[kind]
            text = data.draw(hostile.bent(good)).decode("utf-8", "replace")
        try:
            judge(kind, text)
        except WtpError as error:
            in_words(error)

    give()


def wild(data: st.DataObject, good: bytes) -> str:
    """A document that can be read, in which something is of another kind than it should be."""
    document = tomlkit.parse(good.decode())
    at: Any = document
    for _ in range(data.draw(st.integers(0, 4))):
        keys = list(range(len(at))) if isinstance(at, list) else list(at) if isinstance(at, dict) else []
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], list | dict) or data.draw(st.booleans()):
            break
        at = at[key]
    keys = list(range(len(at))) if isinstance(at, list) else list(at)
    if keys:
        key = data.draw(st.sampled_from(keys))
        scalars = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), hostile.short.filter(is_text))
        try:
            at[key] = data.draw(hostile.document(scalars))
        except (ValueError, TypeError, tomlkit.exceptions.TOMLKitError):
            del at[key]
    try:
        return tomlkit.dumps(document)
    except (
        ValueError,
        TypeError,
        AttributeError,
        tomlkit.exceptions.TOMLKitError,
    ):  # no document that its writer takes
        return good.decode()


def is_text(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    surveys = surveys_of_its_own(tmp_path / "surveys")
    app = create_app(Settings(instance=tmp_path / "instance", surveys=surveys))
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with app.extensions["wtp_database"]:
        yield app


PAGES = ("", "/edit", "/edit/basics", "/edit/attributes", "/edit/attributes.0", "/edit/pages", "/edit/pages.1", "/edit/pages.1.questions.0", "/edit/segments", "/edit/look", "/texts", "/source", "/preview", "/publish", "/versions")  # fmt: skip


def test_no_draft_makes_a_page_stumble(app: Flask, rounds: Callable[[int], int]) -> None:
    """A draft may say anything that TOML can say; its pages show what is wrong in it."""
    author: Author = log_in(app, "analyst")
    folder = app.extensions["wtp_surveys"]["supplier"].folder
    definition, saved = (folder / "survey.toml").read_bytes(), 0

    @seed(1)
    @settings(max_examples=rounds(300), **QUIETLY)
    @given(st.data())
    def write(data: st.DataObject) -> None:
        nonlocal saved
        with app.app_context():
            limiter.reset()
        text = wild(data, definition)
        form = author.open("/manage/supplier/source").select_one("form:has(textarea[name=text])")
        assert form is not None
        with watched():
            reply = author.client.post("/manage/supplier/source", data=author.fields(form) | {"text": text})
        assert reply.status_code in {303, 422}, reply.text[:300]
        saved += reply.status_code == 303
        for page in data.draw(st.lists(st.sampled_from(PAGES), min_size=3, max_size=3)):
            with watched():
                shown = author.client.get(f"/manage/supplier{page}")
            assert shown.status_code < 500, page

    write()
    assert saved > rounds(300) / 3
