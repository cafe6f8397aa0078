"""200 respondents at once, on the shipped server with two worker processes: quotas hold, nobody is stuck, every acknowledged answer is kept."""

from __future__ import annotations

import re
import shutil
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener

import numpy as np
import pytest
import sqlalchemy as sa
import tomlkit
from werkzeug.test import Client

from tests.faults.conftest import SURVEYS, Start
from tests.load.kept import flat, typed
from wtp.design import search
from wtp.estimation.synthetic import choose, draw_respondents
from wtp.store import Database, answers, open_database, quotas, respondents
from wtp.survey import Survey, load_survey
from wtp.survey.answers import Answers
from wtp.survey.design_file import format_design
from wtp.web import Bot

SLUG = "supplier"
# People at once, and the places of each quota. SQLite, which ships, has the full crowd; PostgreSQL proves the same with half of it.
CROWDS = {"sqlite": (200, 50), "postgresql": (100, 25)}


class Browser:
    """Pages over real connections, as the bot reads them; notes each page that the server took."""

    def __init__(self, port: int, everybody_is_here: threading.Barrier) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))
        self._barrier: threading.Barrier | None = everybody_is_here
        self.token = ""
        self.acknowledged: list[tuple[str, dict[str, Any]]] = []

    def get(self, path: str, **_: Any) -> SimpleNamespace:
        return self._open(path, None)

    def post(self, path: str, *, data: dict[str, Any], **_: Any) -> SimpleNamespace:
        if path.endswith("/consent") and self._barrier is not None:
            self._barrier.wait(300)  # once: who is put off by a busy server comes back by himself
            self._barrier = None
        reply = self._open(path, urlencode(data, doseq=True).encode())
        if reply.status_code != 503 and reply.request.path != path:
            self.acknowledged.append((path.rpartition("/")[2], data))
        return reply

    def _open(self, path: str, body: bytes | None) -> SimpleNamespace:
        try:
            opened = self._opener.open(Request(self._address + path, body, {"Accept-Language": "en"}), timeout=300)
        except HTTPError as asked_again:  # prices that do not rise, or a server that is busy
            if asked_again.code not in (422, 503):
                raise
            opened = asked_again
        with opened as reply:
            where, text = urlsplit(reply.geturl()).path, reply.read().decode()
            found = SimpleNamespace(status_code=reply.status, text=text, headers=reply.headers)
            found.request = SimpleNamespace(path=where)
        if not self.token and (link := re.search(r"/r/([\w-]+)", text)):
            self.token = link[1]
        return found


def short_survey(place: Path, limit: int) -> Path:
    """Put the supplier study with four choice tasks and a quota for each segment into a folder."""
    shutil.copytree(SURVEYS / SLUG, place / SLUG, ignore=shutil.ignore_patterns("design.csv"))
    file = place / SLUG / "survey.toml"
    written = tomlkit.parse(file.read_text(encoding="utf-8"))
    written["choice_tasks"].update(tasks=4, holdouts=0, repeated=0, versions=20)  # type: ignore[union-attr]
    words = {"en": "Enough", "de": "Genug"}
    written["quotas"] = [
        {"id": f"{segment}_full", "label": words, "title": words, "text": words, "limit": limit, "when": segment_when}
        for segment, segment_when in ((str(s["id"]), s["when"]) for s in written["segments"])  # type: ignore[union-attr]
    ]
    file.write_text(tomlkit.dumps(written), encoding="utf-8")
    survey = load_survey(place / SLUG)
    (place / SLUG / "design.csv").write_text(
        format_design(search(survey.definition, 1), survey.definition), encoding="utf-8"
    )
    return place


@pytest.mark.slow
def test_all_at_once_fill_each_quota_to_its_last_place(start: Start, database_url: str, tmp_path: Path) -> None:
    crowd, limit = CROWDS[sa.make_url(database_url).get_backend_name()]
    surveys = short_survey(tmp_path / "surveys", limit)
    server = start(workers=2, surveys=surveys, database=database_url)
    survey = load_survey(surveys / SLUG)
    people = draw_respondents(survey.definition, crowd, 7)
    problems = [("downtime", "cost", "growth")[number % 3] for number in range(crowd)]
    barrier = threading.Barrier(crowd)
    browsers = [Browser(server.port, barrier) for _ in people]

    def play(number: int) -> str:
        person, rng = people[number], np.random.default_rng(number)
        client = cast("Client", browsers[number])
        own = {**person.answers, "core_problem": problems[number]}
        return Bot(client, survey, None, answers=own, choose=lambda task: choose(person, task, rng)).play()

    with ThreadPoolExecutor(crowd) as pool:
        ends = Counter(zip(problems, pool.map(play, range(crowd)), strict=True))
    for problem, arrived in Counter(problems).items():
        assert arrived > limit
        assert (ends[problem, "thanks"], ends[problem, "end"]) == (limit, arrived - limit)
    with open_database(database_url) as database:
        _is_kept(database, survey, browsers, limit)


def _is_kept(database: Database, survey: Survey, browsers: list[Browser], limit: int) -> None:
    with database.read() as connection:
        assert set(quotas.taken(connection, SLUG).values()) == {limit}
        everything: Answers = answers.read_answers(connection, SLUG)
        outcomes = Counter(person.outcome for person in everything.respondents)
        assert outcomes == {"completed": 3 * limit, "over_quota": len(browsers) - 3 * limit}
        for browser in browsers:
            interview = respondents.find(connection, SLUG, browser.token)
            assert interview is not None
            kept = answers.current(connection, interview.respondent_id)
            for step, sent in browser.acknowledged:
                if step.startswith("choice-"):
                    stored = kept.choices[int(step.removeprefix("choice-"))]
                    assert stored == (1, int(sent["chosen"]), sent["buys"] == "yes")
                elif step != "consent":
                    revision, content = kept.pages[step]
                    assert revision == 1, "written once"
                    assert flat(content) == typed(sent)
    assert sum(len(browser.acknowledged) for browser in browsers) > 3 * limit * 6
