"""Versions are published through the workbench while people answer, on the shipped server: what became of it, counted."""

from __future__ import annotations

import math
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import tomlkit
from bs4 import BeautifulSoup
from werkzeug.test import Client

from tests.load.test_crowd import SLUG, Browser
from tests.web.staff import PASSWORD
from wtp.design import search
from wtp.estimation.synthetic import choose, draw_respondents
from wtp.store import answers, open_database, respondents, staff, studies
from wtp.survey import load_survey
from wtp.survey.design_file import format_design
from wtp.survey.drafts import Draft
from wtp.web import Bot

_MARK = re.compile(r"«(\d+)»")
_ANOTHER_DESIGN = 25  # every so many versions ask another number of choice tasks


@dataclass(frozen=True, slots=True)
class Outcome:
    """published: versions; interviews: how many came to the end; errors: replies or endings that should not be; mixed: interviews that showed or stored two
    versions, or stored another one than they showed; lost: acknowledged pages that are not in the database; versions: how many were answered; seconds.
    """

    published: int
    interviews: int
    errors: tuple[str, ...]
    mixed: int
    lost: int
    versions: int
    seconds: float


def short_survey(source: Path, place: Path) -> str:
    """Put the supplier study with few choice tasks into a folder; its text, with «0» in the title of every page."""
    shutil.copytree(source / SLUG, place / SLUG, ignore=shutil.ignore_patterns("design.csv"))
    file = place / SLUG / "survey.toml"
    written = tomlkit.parse(file.read_text(encoding="utf-8"))
    written["choice_tasks"].update(tasks=4, holdouts=0, repeated=0, versions=5)  # type: ignore[union-attr]
    for page in written["pages"]:  # type: ignore[union-attr]
        page["title"]["en"] = f"«0» {page['title']['en']}"  # type: ignore[index]
    text = tomlkit.dumps(written)
    file.write_text(text, encoding="utf-8")
    definition = load_survey(place / SLUG).definition
    (place / SLUG / "design.csv").write_text(format_design(search(definition, 1), definition), encoding="utf-8")
    return text


class _Person(Browser):
    """Somebody who notes which versions the pages after consent are of."""

    def __init__(self, port: int) -> None:
        super().__init__(port, threading.Barrier(1))
        self.seen: set[str] = set()
        self.replies: Counter[int] = Counter()

    def _open(self, path: str, body: bytes | None) -> SimpleNamespace:
        reply = super()._open(path, body)
        self.replies[reply.status_code] += 1
        if any(step == "consent" for step, _ in self.acknowledged) or (path.endswith("/consent") and body):
            heading = BeautifulSoup(reply.text, "html.parser").select_one("h1")
            self.seen |= set(_MARK.findall(heading.text if heading else ""))
        return reply


def publish_while_asked(
    port: int,
    database_url: str,
    surveys: Path,
    text: str,
    *,
    publishes: int,
    people: int,
    seconds: float = math.inf,
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Publish so many versions one after the other, while so many people answer all the time, each interview by somebody new; `seconds` stop it earlier."""
    survey, began, stop = load_survey(surveys / SLUG), time.perf_counter(), threading.Event()
    errors: list[str] = []
    done: list[_Person] = []

    def answer(number: int) -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            person = draw_respondents(survey.definition, 1, 1_000 * number + turn)[0]
            rng, browser = np.random.default_rng([number, turn]), _Person(port)
            bot = Bot(
                cast("Client", browser),
                survey,
                None,
                answers=person.answers,
                choose=lambda task, person=person, rng=rng: choose(person, task, rng),  # type: ignore[misc]
            )
            try:
                if (end := bot.play()) != "thanks":
                    errors.append(end)
            except Exception as error:
                errors.append(repr(error))
            done.append(browser)

    with ThreadPoolExecutor(people) as pool:
        running = [pool.submit(answer, number) for number in range(people)]
        try:
            published = _publish_all(port, database_url, surveys / SLUG, text, publishes, seconds, progress)
        finally:
            stop.set()
        for one in running:
            one.result()
    mixed, lost, versions = _kept(database_url, done, errors)
    return Outcome(published, len(done), tuple(errors), mixed, lost, versions, time.perf_counter() - began)


def _publish_all(
    port: int,
    database_url: str,
    folder: Path,
    text: str,
    publishes: int,
    seconds: float,
    progress: Callable[[int], None],
) -> int:
    with open_database(database_url) as database, database.begin() as connection:
        staff.add(connection, "author", PASSWORD, "analyst")
    browser = Browser(port, threading.Barrier(1))
    token = _token(browser.get("/login"))
    browser.post("/login", data={"csrf_token": token, "name": "author", "password": PASSWORD})
    token = _token(browser.get(f"/manage/{SLUG}/source"))
    current, end = text, time.monotonic() + seconds
    for number in range(1, publishes + 1):
        new = text.replace("«0»", f"«{number}»")
        new = new.replace("tasks = 4\n", f"tasks = {4 + number // _ANOTHER_DESIGN % 2}\n")
        for path, draft, typed in (("source", current, {"text": new}), ("publish", new, {})):
            revision = Draft(folder, draft, path == "publish", True).revision
            data = {"csrf_token": token, "revision": revision, **typed}
            reply: Any = browser.post(f"/manage/{SLUG}/{path}", data=data)
            wanted = f"/manage/{SLUG}/{'source' if path == 'source' else 'versions'}"
            if (reply.status_code, reply.request.path) != (200, wanted):
                raise RuntimeError(f"version {number}, {path}: {reply.status_code} at {reply.request.path}")
        current = new
        progress(number)
        if time.monotonic() > end:
            return number
    return publishes


def _token(reply: SimpleNamespace) -> str:
    field = BeautifulSoup(reply.text, "html.parser").select_one("input[name=csrf_token]")
    return str(field["value"]) if field else ""


def _kept(database_url: str, done: list[_Person], errors: list[str]) -> tuple[int, int, int]:
    """(mixed, lost, versions answered), after looking at what the database has of everybody."""
    mixed = lost = 0
    answered = set()
    with open_database(database_url) as database, database.read() as connection:
        stored = {person.number: person for person in answers.read_answers(connection, SLUG).respondents}
        for browser in done:
            errors += [f"status {status}" for status in browser.replies if status not in {200, 422, 503}]
            interview = respondents.find(connection, SLUG, browser.token)
            if interview is None or interview.number not in stored:
                lost += len(browser.acknowledged)
                continue
            hashes = {choice.definition_hash for choice in stored[interview.number].choices}
            hashes.add(interview.definition_hash or "")
            begun_with = studies.definition(connection, interview.definition_hash or "")
            marks = set(_MARK.findall(begun_with.pages[0].title["en"]))
            mixed += len(hashes) != 1 or browser.seen != marks
            answered |= marks
            kept = answers.current(connection, interview.respondent_id)
            for step, _ in browser.acknowledged:
                place = int(step.removeprefix("choice-")) if step.startswith("choice-") else None
                lost += step != "consent" and (place not in kept.choices if place else step not in kept.pages)
    return mixed, lost, len(answered)
