"""Every answer is kept as it is given: half-filled pages come back on any device, and count for nothing until they are confirmed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.every import SLUG, every_question
from tests.web.every.people import Pages, everybody
from wtp.settings import Settings
from wtp.store import Database, answers, respondents, studies, tables
from wtp.store.drafts import LONGEST
from wtp.web import create_app, timing
from wtp.web.security import limiter

ABOUT = {"q-has_car": "private", "q-brands": ["chain", "free"], "q-age": "7"}


@pytest.fixture
def person(app: Flask) -> Pages:
    return Pages(app.test_client())


def kept(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(sa.select(tables.page_draft.c.page).order_by("page")).scalars())


def draft(person: Pages, *, step: str = "", number: int = 1, sender: str = "w", **typed: Any) -> TestResponse:
    """What the browser sends in the background after these fields changed."""
    hidden = {str(i["name"]): str(i.get("value", "")) for i in person.soup.select("main input[type=hidden]")}
    data = {**hidden, "sender": sender, "number": str(number), "changed": ",".join(typed), **typed}
    return person.client.post(f"/s/{SLUG}/{step or person.step}/draft", data=data)


def on_another_device(app: Flask, person: Pages) -> Pages:
    """The personal link of the open page, opened elsewhere."""
    other = Pages(app.test_client())
    link = person.soup.select(".link")[0].text
    reply = other.client.get("/s/" + link.partition("/s/")[2], follow_redirects=True, headers={"Accept-Language": "en"})
    other._keep(reply)
    return other


def filled(soup: BeautifulSoup) -> dict[str, list[str]]:
    """What stands in the fields of a page."""
    found: dict[str, list[str]] = {}
    for box in soup.select("main input:not([type=hidden]):not([tabindex])"):
        if box["type"] == "text" or box.has_attr("checked"):
            found.setdefault(str(box["name"]), []).append(str(box.get("value", "")))
    for area in soup.select("main textarea"):
        found[str(area["name"])] = [area.text.strip()]
    for chosen in soup.select("main select"):
        found[str(chosen["name"])] = [str(o["value"]) for o in chosen.select("option[selected]")]
    return {name: values for name, values in found.items() if any(values)}


def shown(soup: BeautifulSoup) -> str:
    """The page without what is another one each time it is made: the token against forgery and the time."""
    for mark in soup.select("input[name=csrf_token], input[name=shown]"):
        mark.decompose()
    return str(soup.select_one("main"))


def test_a_half_filled_page_comes_back_on_another_device_and_counts_for_nothing(
    app: Flask, database: Database, person: Pages
) -> None:
    person.walk("about")
    with database.read() as connection:
        before = answers.state(connection, SLUG)
    typed: dict[str, Any] = {"q-brands": ["free", "chain"], "q-age": "sev"}
    assert draft(person, **typed).status_code == 204
    other = on_another_device(app, person)
    assert other.step == "about"
    found = filled(other.soup)
    assert (sorted(found["q-brands"]), found["q-age"], len(found)) == (["chain", "free"], ["sev"], 2)
    assert not other.soup.select(".mistakes")
    assert other.get("times").location == f"/s/{SLUG}/about"
    with database.read() as connection:
        assert answers.state(connection, SLUG) == before
    assert everybody(database)[0].answers == {}


def test_fields_that_are_sent_one_by_one_come_together_and_can_be_emptied(person: Pages) -> None:
    person.walk("about")
    for number, typed in enumerate(({"q-has_car": "private"}, {"q-brands": "chain"}, {"q-age": "7"}, {"q-brands": []})):
        assert draft(person, number=number, **typed).status_code == 204
    person.get("about")
    assert filled(person.soup) == {"q-has_car": ["private"], "q-age": ["7"]}


def test_a_confirmed_page_drops_its_draft_and_a_late_one_changes_nothing(database: Database, person: Pages) -> None:
    person.walk("about")
    first_window = person.soup
    assert draft(person, **{"q-age": "3"}).status_code == 204
    person.send(**ABOUT)
    assert kept(database) == []
    step, person.soup = person.step, first_window
    late = draft(person, step="about", number=2, **{"q-age": "99"})
    assert late.status_code == 409
    assert kept(database) == []
    person.get("about")
    assert filled(person.soup)["q-age"] == ["7"]
    assert step != "about"


def test_a_change_of_a_confirmed_page_waits_to_be_confirmed(app: Flask, database: Database, person: Pages) -> None:
    person.walk("about")
    person.send(**ABOUT)
    person.walk("choice-2")
    person.get("about")
    assert draft(person, **{"q-age": "8"}).status_code == 204
    assert everybody(database)[0].answers["age"] == 7, "what was confirmed stands"
    person.get("choice-2")
    assert person.step == "choice-2", "nobody is held up"
    other = on_another_device(app, person)
    assert other.step == "about"
    assert filled(other.soup)["q-age"] == ["8"]
    for _ in range(60):
        person.send(**person.first())
        if person.step == "about":
            break
    assert everybody(database)[0].completed_at is None, "the end waits for what is not confirmed"
    person.send(**ABOUT | {"q-age": "8"})
    person.finish()
    assert everybody(database)[0].answers["age"] == 8
    assert kept(database) == []


def test_the_end_forgets_every_draft(database: Database, person: Pages) -> None:
    person.walk("about")
    person.send(**ABOUT)
    assert draft(person, **dict.fromkeys(person.first(), "1")).status_code == 204
    person.get("about")
    person.send(**ABOUT | {"q-has_car": "no"})
    assert person.path.endswith("/e/end")
    assert kept(database) == []


def test_a_page_that_could_not_be_taken_is_kept_without_script(app: Flask, person: Pages) -> None:
    person.walk("times")
    wrong = {"q-slots-mon": ["early", "late"], "q-weekend-with": "2", "q-words": "x" * 201}
    assert person.post(**wrong).status_code == 422
    other = on_another_device(app, person)
    assert other.step == "times"
    assert filled(other.soup) == {
        "q-slots-mon": ["early", "late"],
        "q-weekend-with": ["2"],
        "q-words": ["x" * 201],
    }


def test_drafts_stay_with_their_person_and_study(app: Flask, database: Database, person: Pages) -> None:
    person.walk("about")
    assert draft(person, **{"q-age": "7"}).status_code == 204
    stranger = Pages(app.test_client())
    assert draft(stranger, step="about", **{"q-age": "8"}).status_code == 404, (
        "nothing is kept of anybody before consent"
    )
    stranger.walk("about")
    assert filled(stranger.soup) == {}
    assert (
        person.soup.select_one("[data-keeps]")["data-keeps"] != stranger.soup.select_one("[data-keeps]")["data-keeps"]
    )  # type: ignore[index]
    token = person.soup.select(".link")[0].text.rpartition("/")[2]
    assert token not in str(person.soup.select_one("form"))
    assert respondents.token_hash(SLUG, token)[:16] not in person.text
    assert kept(database) == ["about"]


@pytest.mark.parametrize(
    ("step", "changed", "status"),
    [
        ("times", {}, 404),
        ("consent", {}, 404),
        ("nothing", {}, 404),
        ("about", {"csrf_token": "forged"}, 400),
        ("about", {"revision": "-1"}, 400),
        ("about", {"revision": "1"}, 409),
        ("about", {"sender": "<script>"}, 400),
        ("about", {"number": "1.5"}, 400),
    ],
)
def test_what_is_no_draft_of_an_open_page_is_refused(
    database: Database, app: Flask, person: Pages, step: str, changed: dict[str, str], status: int
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    person.walk("about")
    hidden = {str(i["name"]): str(i.get("value", "")) for i in person.soup.select("main input[type=hidden]")}
    data = {**hidden, "sender": "w", "number": "1", "changed": "q-age", "q-age": "7", **changed}
    assert person.client.post(f"/s/{SLUG}/{step}/draft", data=data).status_code == status
    assert kept(database) == []


@pytest.mark.parametrize("state", ["open", "paused", "closed"])
def test_a_closed_study_keeps_no_more_drafts(database: Database, person: Pages, state: str) -> None:
    person.walk("about")
    with database.begin() as connection:
        studies.set_state(connection, SLUG, state)
    assert draft(person, **{"q-age": "7"}).status_code == (403 if state == "closed" else 204)


def test_after_the_end_there_are_no_drafts(database: Database, person: Pages) -> None:
    person.walk("check")
    last = person.soup
    person.finish()
    person.soup = last
    assert draft(person, step="prices", **{"q-most": "7"}).status_code == 404
    assert kept(database) == []


def test_only_fields_of_the_page_are_kept_as_plain_text(database: Database, person: Pages) -> None:
    person.walk("times")
    typed = {"q-words": "a\0b\r\nc", "q-age": "7", "revision": "0", "price": "1", "csrf": "x", "asked": "yes"}
    changed = {**typed, "changed": ",".join(typed)}
    assert draft(person, **changed).status_code == 204
    with database.read() as connection:
        assert connection.execute(sa.select(tables.page_draft.c.fields)).scalars().all() == [{"q-words": ["ab\nc"]}]


def test_a_draft_that_is_too_long_is_refused(database: Database, person: Pages) -> None:
    person.walk("times")
    half = "x" * (LONGEST // 2 + 1)
    assert draft(person, number=1, **{"q-words": half}).status_code == 204
    assert draft(person, number=2, **{"q-slots-mon": half}).status_code == 413
    assert kept(database) == ["times"]


def test_too_many_drafts_of_one_person_slow_down_nobody_else(app: Flask, person: Pages) -> None:
    person.walk("about")
    other = Pages(app.test_client())
    other.walk("about")
    with app.app_context():
        limiter.reset()
    statuses = [draft(person, number=n, **{"q-age": "7"}).status_code for n in range(241)]
    assert statuses == [204] * 240 + [429]
    assert draft(other, **{"q-age": "7"}).status_code == 204


def test_killed_at_each_page_and_resumed_elsewhere_everything_is_the_same(app: Flask, database: Database) -> None:
    """Every page is half filled, the browser dies, and the personal link opens the same page elsewhere, until the end."""
    person = Pages(app.test_client())
    person.send(agree="yes")
    visited, tasks = [], set()
    while person.step != "thanks":
        visited.append(person.step)
        typed = {name: value for name, value in person.first().items() if value}
        half = dict(list(typed.items())[: max(1, len(typed) // 2)])
        if typed:
            assert draft(person, **half).status_code == 204
            person.get(person.step)
            assert filled(person.soup) == {name: [value] for name, value in half.items()}
        other = on_another_device(app, person)
        assert other.step == person.step
        assert shown(BeautifulSoup(other.text, "html.parser")) == shown(BeautifulSoup(person.text, "html.parser"))
        with database.read() as connection:
            tasks |= set(connection.execute(sa.select(sa.cast(tables.respondent.c.tasks, sa.Text))).scalars())
        other.send(**other.first())
        person = other
    assert len(tasks) == 1, "drawn once"
    assert {"about", "wishes", "times", "matters-3", "introduction", "choice-5", "offer-4", "prices"} <= set(visited)
    assert visited[-1] == "check"
    found = everybody(database)[0]
    assert found.outcome == "completed"
    assert kept(database) == []


# the overview of answers, why a question is asked, a word to the hurried


def test_answers_can_be_read_again_and_changed_before_they_are_sent(database: Database, person: Pages) -> None:
    person.walk("about")
    person.send(**ABOUT)
    person.walk("check")
    rows = {
        row.select("dt")[0].text: [line.get_text(" ", strip=True) for line in row.select("dd p")]
        for row in person.soup.select(".told > div")
    }
    assert rows["Do you have a car?"] == ["Yes, a private one"]
    assert sorted(rows["Which garages do you know?"]) == ["A chain", "A free garage"]
    assert rows["How old is your car?"] == ["7 years"]
    assert rows["Divide 100 points."] == ["Quality of the work: 100", "Service around it: 0"]
    assert rows["How satisfied are you with …"] == ["Opening hours: 1 of 5", "Advice: 1 of 5"]
    assert rows["When does an appointment suit you?"] == ["Monday: before 8", "Saturday: before 8"]
    assert rows["What is the most that you would pay?"] == ["€5"]
    assert rows["At which price is it …"][0] == "too cheap to be good? €5"
    assert rows["Inspection at the weekend"][0] == "What if your garage works at the weekend? I like it"
    assert not any("offer" in question.lower() and "choose" in question.lower() for question in rows)
    change = next(a for a in person.soup.select(".told a") if "How old is your car?" in a.text)
    assert change.text == "Change How old is your car?"
    reply = person.client.get(str(change["href"]))
    person._keep(reply)
    assert filled(person.soup)["q-age"] == ["7"]
    action = str(person.soup.select_one("form")["action"])  # type: ignore[index]
    hidden = {str(i["name"]): str(i.get("value", "")) for i in person.soup.select("main input[type=hidden]")}
    saved = person.client.post(action, data={**hidden, **ABOUT, "q-age": "8"})
    assert saved.location == f"/s/{SLUG}/check", "back to the overview, not through all pages again"
    person.get("check")
    assert "8 years" in person.text
    person.finish()
    assert everybody(database)[0].answers["age"] == 8


@pytest.mark.parametrize("then", ["check", "thanks", "choice-1", "nothing"])
def test_nobody_jumps_ahead_by_the_address(person: Pages, then: str) -> None:
    person.walk("about")
    hidden = {str(i["name"]): str(i.get("value", "")) for i in person.soup.select("main input[type=hidden]")}
    reply = person.client.post(f"/s/{SLUG}/about?then={then}", data={**hidden, **ABOUT})
    person._keep(person.client.get(reply.location))
    assert person.step in {"wishes", "times"}


def test_why_a_question_is_asked_is_one_press_away(person: Pages) -> None:
    person.walk("prices")
    reason = person.soup.select_one("details.why")
    assert reason is not None
    assert "Why do we ask this?" in reason.text
    assert "how well your choices fit" in reason.text
    field = person.soup.select_one("#q-most")
    assert field is not None
    assert person.soup.select_one("#" + str(field["aria-describedby"])).text.startswith("0 if you would not")  # type: ignore[union-attr]


@pytest.mark.parametrize(("pace", "prompted"), [(0.0, True), (60.0, False)])
def test_the_hurried_are_asked_once_to_take_their_time(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch, pace: float, prompted: bool
) -> None:
    clock = [1_000_000.0]
    monkeypatch.setattr(timing.time, "time", lambda: clock[0])
    person = Pages(app.test_client())
    said = []
    while person.step != "thanks":
        if person.soup.select(".note"):
            said.append(person.step)
        clock[0] += pace
        person.send(**person.first())
    assert len(said) == (1 if prompted else 0)
    assert ("speed_prompt" in everybody(database)[0].signs) is prompted


def test_the_author_may_leave_the_word_to_the_hurried_out(surveys: Path, tmp_path: Path) -> None:
    place = tmp_path / "surveys"
    every_question(place)
    text = (place / SLUG / "survey.toml").read_text(encoding="utf-8")
    (place / SLUG / "survey.toml").write_text(text.replace("minutes = 8\n", "minutes = 8\nspeed_prompt = false\n"))
    app = create_app(Settings(instance=tmp_path, surveys=place))
    person = Pages(app.test_client())
    person.finish()
    assert everybody(app.extensions["wtp_database"])[0].signs == ()


def test_simulated_respondents_are_not_asked(app: Flask, database: Database) -> None:
    token = respondents.new_token()
    with database.begin() as connection:
        respondents.invite(connection, SLUG, token, simulated=True, now=datetime.now(UTC))
    client: FlaskClient = app.test_client()
    client.get(f"/s/{SLUG}/r/{token}")
    Pages(client).finish()
    assert everybody(database)[0].signs == ()
