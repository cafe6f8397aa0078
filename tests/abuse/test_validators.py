"""No text that anybody sends makes minutes of work: every pattern of the program, every reader of numbers and words, and every kind of question, against 50,000 signs of each bad kind.

What is measured is this process's own time, the best of three, so that a busy machine fails nothing.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

import wtp
from tests.abuse.conftest import watched
from tests.abuse.hostile import BAIT
from tests.every import every_question
from wtp.errors import DataError
from wtp.imports import mapping_of
from wtp.imports.values import number_of
from wtp.settings import Settings
from wtp.survey import Definition, steps
from wtp.survey.load import parse_source
from wtp.survey.pages import ChoiceTaskPage
from wtp.survey.piping import literal, named_in
from wtp.web import create_app, forms, panel
from wtp.web.accounts import _local
from wtp.web.i18n import parse_amount
from wtp.web.markdown import markdown
from wtp.web.question_kinds import plain

MOST_SECONDS = 0.1
LONGEST_TEXT = 4_000  # of an author, see `survey.wording`


def took(work: Callable[[], object]) -> float:
    """Seconds of processor time; far too many are not waited for."""
    best = float("inf")
    for _ in range(3):
        before = time.process_time()
        try:
            with watched(10 * MOST_SECONDS):
                work()
        except TimeoutError:
            return best
        best = min(best, time.process_time() - before)
        if best < MOST_SECONDS:
            break
    return best


def patterns() -> Iterator[tuple[str, Callable[[str], object]]]:
    """Every pattern that a module of the program keeps, in each way in which it is used there."""
    for info in pkgutil.walk_packages(wtp.__path__, "wtp."):
        if ".migrations." in info.name or info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for name, kept in vars(module).items():
            if isinstance(kept, re.Pattern) and isinstance(kept.pattern, str):
                uses = set(re.findall(rf"\b{name}\.(\w+)\(", inspect.getsource(module)))
                for use in sorted(uses):
                    yield f"{info.name}.{name}.{use}", partial(_used, kept, use)


def _used(pattern: re.Pattern[str], use: str, text: str) -> object:
    found = pattern.sub("", text) if use in {"sub", "subn"} else getattr(pattern, use)(text)
    return list(found) if use == "finditer" else found


def test_every_pattern_is_quick() -> None:
    found = dict(patterns())
    assert len(found) > 30
    assert not [(n, bait[:8]) for n, use in found.items() for bait in BAIT if took(partial(use, bait)) > MOST_SECONDS]


def _refused(read: Callable[..., object], *given: str) -> None:
    """A text that is read, or refused in words."""
    with suppress(DataError):
        read(*given)


READERS: dict[str, Callable[[str], object]] = {
    "an amount": lambda text: parse_amount(text, "de"),
    "a number of a file": lambda text: number_of(text, ","),
    "an open answer": plain,
    "what a panel calls its respondent": panel.panel_id,
    "an address to go on to": _local,
    "answers within a text": named_in,
    "an answer in Markdown": literal,
    "the text of a survey": lambda text: parse_source(text, Path("survey.toml")),
    "a mapping": lambda text: _refused(mapping_of, text, "mapping.toml"),
    "an author's text": lambda text: markdown.__wrapped__(text[:LONGEST_TEXT]),
}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_is_quick(name: str) -> None:
    assert not [bait[:8] for bait in BAIT if took(lambda: READERS[name](bait)) > MOST_SECONDS]  # noqa: B023


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> tuple[Flask, Definition]:
    place = tmp_path_factory.mktemp("quick")
    every_question(place / "surveys")
    app = create_app(Settings(instance=place / "instance", surveys=place / "surveys"))
    return app, app.extensions["wtp_surveys"]["every"].definition


def test_every_kind_of_question_judges_quickly(every: tuple[Flask, Definition]) -> None:
    app, definition = every
    judged = 0
    with app.test_request_context():
        for step in steps(definition):
            if isinstance(step.page, ChoiceTaskPage):
                continue
            form = forms.page_form(step.page)
            for bait in BAIT:
                data = MultiDict([(field.name, bait) for field in form])

                def judge(form: forms.BaseForm = form, data: MultiDict[str, str] = data) -> None:
                    form.process(data)
                    form.validate()

                assert took(judge) < MOST_SECONDS * max(1, forms.items(form)), (step.id, bait[:8])
                judged += 1
    assert judged > 5 * len(BAIT)


def test_a_pattern_that_is_slow_would_be_seen() -> None:
    bad = re.compile(r"(1+)+x")
    assert took(lambda: bad.fullmatch("1" * 40)) > MOST_SECONDS
