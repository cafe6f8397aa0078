"""Every type of question and page through the browser's door: conditions, piping, chance, screen-out, quotas, panel, and bots that answer it all."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask

from tests.every import SLUG
from tests.web.every.people import Pages, bot, everybody
from wtp.export.frames import respondents_frame
from wtp.store import Database, answers, invitations, quotas, studies, tables
from wtp.survey import Survey, load_survey
from wtp.survey.routing import ladder

OWN = {
    "has_car": "company",
    "brands": ["chain", "maker"],
    "age": 12.0,
    "cars": 30.0,
    "old_car": "The exhaust",
    "rank": ["trust", "time"],
    "points": {"quality": 70.0, "service": 30.0},
    "satisfied": {"opening": 4, "advice": None},
    "slots": {"sat": ["early", "late"]},
    "weekend": {"with": 1, "without": 4},
    "words": "Call me\nback",
}


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_is_answered_is_stored(app: Flask, database: Database, language: str) -> None:
    assert bot(app, 5, language=language, **OWN) == "thanks"
    person = everybody(database)[0]
    assert {name: person.answers[name] for name in OWN} == OWN
    assert (person.outcome, person.source, person.language) == ("completed", "link", language)
    assert len(person.choices) == 5
    for n in (1, 2, 3):
        found = person.answers[f"matters-{n}"]
        assert len(found["shown"]) == 3
        assert found["best"] != found["worst"]
        assert {found["best"], found["worst"]} <= set(found["shown"])
        assert found["anchor"] in {"all", "some", "none"}
    rated = [person.answers[f"offer-{n}"] for n in (1, 2, 3, 4)]
    assert {r["shown"]["price"] for r in rated} == {150, 200, 250, 300}
    assert all(0 <= r["rating"] <= 10 for r in rated)
    assert person.seconds.keys() >= {"about", "fleet", "wishes", "times", "choice task 1", "offer-1", "ladder-1"}
    assert all(0 <= seconds < 60 for seconds in person.seconds.values())
    survey = app.extensions["wtp_surveys"][SLUG]
    with database.read() as connection:
        row = respondents_frame(survey.definition, answers.read_answers(connection, SLUG)).iloc[0]
    assert row["brands.chain"] == 1
    assert row["brands.free"] == 0
    assert row["rank.trust"] == 1
    assert row["slots.sat"] == "early late"
    assert row["matters-1.best"] in {"fast", "clean", "fixed", "app", "coffee"}
    assert row["outcome"] == "completed"


def test_a_ladder_asks_few_prices_and_brackets_the_limit(app: Flask, database: Database) -> None:
    prices = [120, 160, 200, 240, 280, 320, 360]
    for seed, limit in enumerate((100, 170, 290, 400)):
        given = {f"{price}": int(price <= limit) for price in prices}
        assert bot(app, seed, has_car="private", would_buy=given) == "thanks"
        asked = everybody(database)[-1].answers["would_buy"]
        assert 1 <= len(asked) <= 4
        assert all(asked[name] == given[name] for name in asked)
        yes, no = [int(p) for p in asked if asked[p]], [int(p) for p in asked if not asked[p]]
        inside = [p for p in prices if (not yes or p > max(yes)) and (not no or p < min(no))]
        assert inside == []
    starts = {next(iter(person.answers["would_buy"])) for person in everybody(database)}
    assert len(starts) > 1


def test_conditions_lead_past_pages_and_a_change_of_mind_takes_answers_off_the_way(
    app: Flask, database: Database
) -> None:
    client = app.test_client()
    person = Pages(client)
    person.walk("about")
    person.send(**{"q-has_car": "company", "q-brands": "chain", "q-age": "3"})
    assert person.step == "fleet"
    assert "Yes, a company car" in person.text
    assert "What fails in old cars" not in person.text
    person.send(**{"q-cars": "7"})
    client.get(f"/s/{SLUG}/about")
    person.open("about")
    person.send(**{"q-has_car": "private", "q-brands": "chain", "q-age": "3"})
    assert person.step != "fleet"
    assert client.get(f"/s/{SLUG}/fleet").status_code == 404
    with database.read() as connection:
        assert quotas.taken(connection, SLUG)["firms", False] == 0
    person.finish()
    assert "cars" not in everybody(database)[0].answers
    assert everybody(database)[0].answers["has_car"] == "private"


def test_answers_in_texts_are_escaped(app: Flask) -> None:
    from wtp.survey.piping import piped
    from wtp.survey.questions import OpenText

    question = OpenText.model_validate({"type": "text", "id": "name", "label": {"en": "Name"}})
    found = piped({"en": "Dear {answer:name} {{7*7}}"}, [question], {"name": "<script>x</script>"})
    assert found == {"en": "Dear <script>x</script> {{7*7}}"}
    with app.test_request_context():
        from flask import render_template_string

        assert "&lt;script&gt;" in render_template_string("{{ words }}", words=found["en"])


@pytest.mark.parametrize(
    ("step", "typed", "said"),
    [
        ("about", {"q-brands": ["chain", "nothing"]}, "does not go with other answers"),
        ("about", {"q-brands": ["chain", "maker", "free", "unknown"]}, "Choose one of the answers shown"),
        ("about", {"q-age": "3.5"}, "Type a number in figures"),
        ("about", {"q-age": "61"}, "from 0 to 60"),
        ("about", {"q-age": "3", "q-age-unsure": "yes"}, "not both"),
        ("about", {"q-has_car": "plane"}, "Choose one of the answers shown"),
        ("wishes", {"q-rank-time": "1", "q-rank-money": "1"}, "Rank 1 is given twice"),
        ("wishes", {"q-rank-time": "1"}, "Give each of the ranks 1 to 2"),
        ("wishes", {"q-points-quality": "70", "q-points-service": "20"}, "Together it is 90 now; it must be 100"),
        ("wishes", {"q-satisfied-advice": "6"}, "Choose one of the answers shown"),
        ("times", {"q-words": "x" * 201}, "shorten it to 200 characters; it has 201"),
        ("times", {}, "Choose at least one time"),
        ("times", {"q-slots-mon": ["noon"]}, "Choose one of the answers shown"),
        ("times", {"q-weekend-with": "6"}, "Choose one of the answers shown"),
        ("matters-1", {"best": "same", "worst": "same"}, "Choose two different lines"),
    ],
)
def test_what_cannot_be_is_refused_and_kept(app: Flask, step: str, typed: dict[str, Any], said: str) -> None:
    person = Pages(app.test_client())
    person.walk(step)
    if step == "matters-1":
        typed = dict.fromkeys(typed, person.radio("best")[0])
    reply = person.post(**typed)
    assert reply.status_code == 422
    assert said in BeautifulSoup(reply.text, "html.parser").select_one(".mistakes").get_text(" ")  # type: ignore[union-attr]
    for name in typed.keys() & {"q-age", "q-points-quality", "q-points-service"}:
        assert f'value="{typed[name]}"' in reply.text


def test_a_soft_question_asks_once(app: Flask) -> None:
    person = Pages(app.test_client())
    person.walk("times")
    typed = {"q-slots-mon": "day", "q-weekend-with": "1", "q-weekend-without": "2"}
    assert "Write a few words" in person.post(**typed).text
    assert person.post(**typed).status_code == 303


def test_chance_is_drawn_once_for_each_person(app: Flask) -> None:
    orders = set()
    for _ in range(12):
        person = Pages(app.test_client())
        person.walk("choice-1")
        heads = [cell.get_text(" ", strip=True) for cell in person.soup.select(".offers thead th")][1:]
        again = BeautifulSoup(person.get("choice-1").text, "html.parser")
        assert [cell.get_text(" ", strip=True) for cell in again.select(".offers thead th")][1:] == heads
        assert heads[-1] == "Price"
        orders.add(tuple(heads))
    assert len(orders) == 2


def test_pictures_and_meanings(app: Flask) -> None:
    person = Pages(app.test_client())
    person.walk("choice-1")
    assert "At your door" in person.text or "van.png" not in person.text
    with app.test_client().get(f"/s/{SLUG}/pictures/van.png") as reply:
        assert reply.data.startswith(b"\x89PNG")
    for name in ("other.png", "../survey.toml"):
        assert app.test_client().get(f"/s/{SLUG}/pictures/{name}").status_code == 404


def test_who_does_not_belong_ends_early_and_goes_back_to_the_panel(app: Flask, database: Database) -> None:
    client = app.test_client()
    client.get(f"/s/{SLUG}?pid=A%26B")
    person = Pages(client)
    person.walk("about")
    person.send(**{"q-has_car": "no", "q-brands": "nothing", "q-age-unsure": "yes"})
    assert person.path == f"/s/{SLUG}/e/end"
    assert "This survey is for people with a car." in person.text
    link = person.soup.select_one("main a.button")
    assert link is not None
    assert link["href"] == "https://panel.example.com/back?status=out&id=A%26B"
    assert person.get("about").location.endswith("/e/end")
    found = everybody(database)[0]
    assert (found.outcome, found.source) == ("screened_out", "panel")
    again = app.test_client()
    again.get(f"/s/{SLUG}?pid=A%26B")
    assert "You have already taken part" in again.get(f"/s/{SLUG}/consent").text


def test_an_invitation_works_once_and_can_be_sent_again(app: Flask, database: Database) -> None:
    now = datetime.now(UTC)
    with database.begin() as connection:
        people = [("K-1", {"name": "Ann"}), ("K-2", {"name": "Ben"})]
        assert invitations.add(connection, SLUG, people, secret="s" * 32, now=now) == 2
        assert invitations.add(connection, SLUG, people, secret="s" * 32, now=now) == 0
        first, second = invitations.everyone(connection, SLUG, secret="s" * 32)
        stored = connection.execute(sa.select(tables.invitation)).all()
    assert first.token not in str(stored)
    client = app.test_client()
    assert client.get(f"/s/{SLUG}/r/{first.token}").status_code == 303
    person = Pages(client)
    person.walk("about")
    with database.read() as connection:
        states = [i.outcome for i in invitations.everyone(connection, SLUG, secret="s" * 32)]
    assert states == ["begun", None]
    assert everybody(database)[0].source == "invitation"
    assert app.test_client().get(f"/s/{SLUG}/r/{second.token[:-1]}x").status_code == 404


@pytest.mark.parametrize(("state", "new", "begun"), [("paused", 403, 200), ("closed", 403, 403), ("open", 200, 200)])
def test_a_paused_study_takes_nobody_new(app: Flask, database: Database, state: str, new: int, begun: int) -> None:
    person = Pages(app.test_client())
    person.walk("about")
    with database.begin() as connection:
        studies.set_state(connection, SLUG, state)
    assert app.test_client().get(f"/s/{SLUG}/consent").status_code == new
    assert person.get("about").status_code == begun


def test_a_trap_and_a_pasted_text_leave_signs(app: Flask, database: Database) -> None:
    person = Pages(app.test_client())
    person.walk("times")
    person.send(
        **{"q-slots-mon": "day", "q-weekend-with": "1", "q-weekend-without": "2", "q-words": "x"},
        company_address="1 Road", pasted="q-words,q-other",
    )  # fmt: skip
    assert {sign for sign in everybody(database)[0].signs if sign != "speed_prompt"} == {"honeypot", "pasted:words"}


def test_many_at_once_never_exceed_a_quota(app: Flask, database: Database) -> None:
    """40 bots of each kind at once, 3 company cars wanted: exactly 3 finish, nobody is stuck, everybody else is told."""
    outcomes: Counter[tuple[str, str]] = Counter()
    lock = threading.Lock()

    def play(number: int) -> None:
        kind = ("company", "private")[number % 2]
        end = bot(app, number, simulated=number % 4 < 2, has_car=kind, cars=5.0)
        with lock:
            outcomes[kind, end] += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(play, range(40)))
    assert outcomes["private", "thanks"] == 20
    assert outcomes["company", "thanks"] == 6  # three real ones and three simulated ones
    assert outcomes["company", "end"] == 14
    people = everybody(database)
    assert len(people) == 40
    assert all(person.outcome in {"completed", "over_quota"} for person in people)
    assert all(person.answers["has_car"] for person in people)


def test_a_place_that_was_given_up_is_free_again(app: Flask, database: Database) -> None:
    survey: Survey = app.extensions["wtp_surveys"][SLUG]
    for _ in range(3):
        person = Pages(app.test_client())
        person.walk("about")
        person.send(**{"q-has_car": "company", "q-brands": "chain", "q-age": "3"})
        assert person.step == "fleet"
    late = Pages(app.test_client())
    late.walk("about")
    with database.begin() as connection:
        ids = connection.execute(sa.select(tables.respondent.c.id).order_by(tables.respondent.c.id)).scalars().all()
        soon = datetime.now(UTC) + timedelta(minutes=29)
        wanted = survey.definition.quotas
        assert quotas.reserve(connection, SLUG, ids[-1], wanted, simulated=False, now=soon) == "firms"
        later = datetime.now(UTC) + timedelta(minutes=31)
        assert quotas.reserve(connection, SLUG, ids[-1], wanted, simulated=False, now=later) is None
        assert quotas.taken(connection, SLUG)["firms", False] == 1
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.quota_place)).scalar_one() == 1


def test_ladder_by_halves(surveys: Path) -> None:
    question = next(q for q in load_survey(surveys / SLUG).definition.questions if q.id == "would_buy")
    rungs, settled = ladder(question, {}, "lot")  # type: ignore[arg-type]
    assert len(rungs) == 1
    assert not settled
