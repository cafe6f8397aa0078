"""The respondents' pages: nothing before consent, nothing lost, nothing doubled, nothing seen that is not one's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.web.conftest import Person, stored
from wtp.errors import StoreError
from wtp.store import Database, respondents, tables
from wtp.survey import Definition, steps
from wtp.web import forms


def definition(app: Flask) -> Definition:
    found: Definition = app.extensions["wtp_surveys"]["supplier"].definition
    return found


def rows(database: Database, table: sa.Table) -> int:
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def link(person: Person) -> str:
    """The personal link on the page, without the host."""
    return "/s/" + person.page.select(".link")[0].text.partition("/s/")[2]


def checked(person: Person) -> dict[str, str]:
    return {str(i["name"]): str(i["value"]) for i in person.page.select("main input[checked]")}


# consent


def test_nothing_is_kept_before_consent(person: Person, database: Database) -> None:
    person.open()
    person.open("/s/supplier/consent?lang=de")
    assert person.send(person.filled() | {"agree": ""}).status_code == 422
    assert rows(database, tables.respondent) == 0
    person.send(person.filled())
    assert rows(database, tables.respondent) == 1


def test_consent_sent_twice_is_one_respondent(person: Person, database: Database) -> None:
    person.open()
    consent = person.filled()
    first, second = (person.send(consent, step="consent", follow=False) for _ in range(2))
    assert (first.status_code, first.location) == (second.status_code, second.location) == (303, "/s/supplier/profile")
    assert rows(database, tables.respondent) == 1
    assert stored(database).respondents[0].design_version == 1


def test_the_next_respondent_gets_the_next_version(app: Flask, database: Database) -> None:
    for _ in range(3):
        Person(app.test_client()).walk("profile")
    assert [r.design_version for r in stored(database).respondents] == [1, 2, 3]


# the way


def test_a_whole_survey_step_by_step(person: Person, app: Flask, database: Database) -> None:
    route = [step.id for step in steps(definition(app))]
    person.open()
    for number, step in enumerate(route[:-1], start=1):
        assert person.step == step
        assert f"Step {number} of {len(route) - 1}" in person.page.text
        assert checked(person) == {}, "nothing is preselected"
        assert not [i for i in person.page.select("input[type=text]") if i["value"]]
        person.send(person.filled())
    assert person.step == "thanks"
    (respondent,) = stored(database).respondents
    assert respondent.completed_at is not None
    assert not respondent.simulated
    assert respondent.answers == {
        "core_problem": "downtime",
        "employees": "to_9",
        "role": "decides",
        "price_sense": {"too_cheap": 60, "cheap": 80, "expensive": 100, "too_expensive": 120},
        "importance": dict.fromkeys(["range", "speed", "price", "financing", "competence", "brand", "design"], 1),
    }
    assert [choice.order for choice in respondent.choices] == list(range(1, 14))


def test_a_choice_is_stored_as_it_was_shown(person: Person, app: Flask, database: Database) -> None:
    page = person.walk("choice-1")
    assert "Choice 1 of 13" in page.text
    shown = [[cell.text for cell in row.select(".level")] for row in page.select("tbody tr")]
    names = [heading.text for heading in page.select("thead th")]
    person.send(person.filled(pick=1))
    (choice,) = stored(database).respondents[0].choices
    wordings = definition(app)
    kept = [
        [wordings.attribute(a).level(level).label["en"] for a, level in alternative.levels.items()]
        + [f"€{alternative.price:.0f} per month"]
        for alternative in choice.task.alternatives
    ]
    assert kept == shown
    assert names[1:] == [a.label["en"] for a in wordings.attributes] + ["Price"]
    assert choice.chosen == choice.task.alternatives[1].number
    assert choice.buys is False
    assert (choice.design_version, choice.definition_hash) == (1, wordings.hash)


def test_going_ahead_leads_to_the_first_open_step(person: Person, database: Database) -> None:
    person.walk("profile")
    for step in ("choice-5", "prices", "thanks"):
        person.open(f"/s/supplier/{step}")
        assert person.step == "profile"
    data = person.filled()
    assert person.send(data, step="prices", follow=False).location == "/s/supplier/profile"
    assert rows(database, tables.answer) == 0


def test_back_shows_what_was_saved_and_another_answer_replaces_it(person: Person, database: Database) -> None:
    person.walk("choice-2")
    person.open("/s/supplier/profile")
    assert checked(person) == {"q-core_problem": "downtime", "q-employees": "to_9", "q-role": "decides"}
    person.send(person.filled(pick=1))
    assert person.step == "introduction"
    person.open("/s/supplier")
    assert person.step == "choice-2"
    assert stored(database).respondents[0].answers["core_problem"] == "cost"
    back = person.page.select(".back")[0]["href"]
    person.open(str(back))
    assert set(checked(person)) == {"chosen", "buys"}


def test_an_optional_question_may_stay_open(person: Person, database: Database) -> None:
    person.walk("profile")
    data = person.filled()
    del data["q-role"]
    person.send(data)
    assert person.step == "introduction"
    assert stored(database).respondents[0].answers["role"] is None


def test_after_the_end_nothing_changes(person: Person, database: Database) -> None:
    person.walk("choice-3")
    stale = person.filled(pick=2)
    last = person.walk("importance").select("button")[0]
    assert last.text == "Finish"
    data = person.filled()
    person.send(data)
    assert person.step == "thanks"
    before = stored(database)
    for step, form in (("importance", data), ("choice-3", stale), ("thanks", stale), ("consent", stale)):
        assert person.send(form, step=step, follow=False).location == "/s/supplier/thanks"
    person.open("/s/supplier/choice-3")
    assert person.step == "thanks"
    assert stored(database) == before


# double, stale, elsewhere


@pytest.mark.parametrize("step", ["profile", "introduction", "choice-1", "importance"])
def test_a_double_click_saves_once(person: Person, database: Database, step: str) -> None:
    person.walk(step)
    data = person.filled()
    first = person.send(data, step=step, follow=False)
    second = person.send(data, step=step, follow=False)
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    kept = stored(database)
    table = tables.choice if step.startswith("choice") else tables.answer
    with database.read() as connection:
        assert set(connection.execute(sa.select(table.c.revision)).scalars()) == {1}
    assert len(kept.respondents) == 1


def test_a_stale_window_overwrites_nothing_and_loses_nothing(person: Person, database: Database) -> None:
    person.walk("prices")
    one, other = person.filled(), person.filled(pick=5)
    person.send(one, step="prices")
    reply = person.send(other, step="prices")
    assert reply.status_code == 409
    assert "changed in another window" in person.page.select(".mistakes")[0].text
    assert person.page.title is not None
    assert person.page.title.text.startswith("Error:")
    assert [i["value"] for i in person.page.select("input[type=text]:not([tabindex])")] == ["65", "85", "105", "125"]
    assert stored(database).respondents[0].answers["price_sense"]["cheap"] == 80
    again = {str(i["name"]): str(i["value"]) for i in person.page.select("main form input[value]")}
    person.send(again, step="prices")
    assert person.step == "importance"
    assert stored(database).respondents[0].answers["price_sense"]["cheap"] == 85
    assert rows(database, tables.answer) == 4, "profile, introduction and two revisions of the prices"


def test_the_personal_link_goes_on_elsewhere_with_the_same_tasks(person: Person, app: Flask) -> None:
    person.language = "de"
    table = person.walk("choice-4").select("table")[0]
    elsewhere = Person(app.test_client(), "en")
    assert elsewhere.client.get(link(person)).location == "/s/supplier", "the token has left the address"
    elsewhere.open(link(person))
    assert elsewhere.step == "choice-4"
    assert elsewhere.page.select("table")[0] == table, "same offers in the same order, in German too"
    elsewhere.send(elsewhere.filled())
    person.open()
    assert person.step == "choice-5"


def test_an_invited_respondent_is_asked_for_consent_first(app: Flask, person: Person, database: Database) -> None:
    token = respondents.new_token()
    with database.begin() as connection:
        respondents.invite(connection, "supplier", token, simulated=True, now=datetime.now(UTC))
    person.open(f"/s/supplier/r/{token}")
    assert person.step == "consent"
    assert "Simulated respondent" in person.page.select(".banner")[0].text
    person.send(person.filled())
    assert stored(database).respondents[0].simulated


def test_a_person_is_not_called_simulated(person: Person) -> None:
    assert not person.walk("introduction").select(".banner")


# what is not there, what was forged


def test_unknown_link_and_unknown_study_look_alike(app: Flask) -> None:
    pages = []
    for path in ("/s/supplier/r/nobody", "/s/nothing", "/s/nothing/r/x", "/s/nothing/consent", "/s/supplier/nothing"):
        reply = app.test_client().get(path, headers={"Accept-Language": "en"})
        assert reply.status_code == 404
        pages.append(reply.text)
    assert set(pages) == {pages[0]}


def test_guessing_links_slows_down_and_disturbs_nobody_who_answers(person: Person, app: Flask) -> None:
    person.walk("introduction")
    stranger = app.test_client()
    replies = [stranger.get(f"/s/supplier/r/guess{i}").status_code for i in range(12)]
    assert replies == [404] * 10 + [429] * 2
    assert person.send(person.filled()).status_code == 200


def test_forged_fields_change_nothing(person: Person, database: Database) -> None:
    person.walk("choice-1")
    data = person.filled()
    forged = {"price": "1", "design_version": "9", "simulated": "1", "order": "3", "respondent_id": "1", "kind": "x"}
    person.send(data | forged)
    (respondent,) = stored(database).respondents
    assert (respondent.design_version, respondent.simulated) == (1, False)
    assert [choice.order for choice in respondent.choices] == [1]


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "99",
        "-1",
        "1.0",
        "nan",
        "1e400",
        "9" * 5000,
        "\0",
        "\ud800",
        "' OR 1=1 --",
        "<script>x</script>",
        "{{7*7}}",
        "x" * 50_000,
    ],
    ids=str,
)
@pytest.mark.parametrize("step", ["consent", "profile", "choice-1", "prices", "importance"])
def test_hostile_values_are_refused_in_words(person: Person, database: Database, step: str, hostile: str) -> None:
    person.walk(step)
    data = person.filled()
    # as a browser could never send it: a lone half of a character
    sent = hostile.encode("utf-8", "surrogatepass")
    for name in data:
        if name in ("csrf_token", *forms.BESIDE) or name.endswith("-checked"):
            continue
        before = rows(database, tables.answer) + rows(database, tables.choice)
        reply = person.send(data | {name: sent}, step=step, follow=False)
        if not (hostile == "" and name == "q-role") and not (hostile in ("99", "1.0") and step == "prices"):
            assert reply.status_code in {422, 413}
            assert rows(database, tables.answer) + rows(database, tables.choice) == before
    assert person.send(data | {"revision": sent}, step=step, follow=False).status_code in {303, 400, 409, 413}


def test_the_authors_texts_are_data(app: Flask, person: Person) -> None:
    surveys = app.extensions["wtp_surveys"]
    consent, *others = definition(app).pages
    changed = consent.model_copy(update={"text": {"en": "{{7*7}} <b>bold</b>\n\nnext", "de": "-"}})
    texts = definition(app).model_copy(update={"pages": (changed, *others)})
    surveys["supplier"] = replace(surveys["supplier"], definition=texts)
    page = person.open()
    assert [p.text for p in page.select(".prose p")] == ["{{7*7}} <b>bold</b>", "next"]
    assert not page.select("main b")


# errors and languages


@pytest.mark.parametrize(("language", "prefix"), [("en", "Error: "), ("de", "Fehler: ")])
def test_a_mistake_is_named_on_top_beside_the_field_and_in_the_title(
    person: Person, language: str, prefix: str
) -> None:
    person.language = language
    page = person.walk("profile")
    assert page.title is not None
    assert not page.title.text.startswith(prefix)
    data = person.filled(pick=1)
    del data["q-core_problem"]
    assert person.send(data).status_code == 422
    page = person.page
    assert page.title is not None
    assert page.title.text.startswith(prefix)
    (summary,) = page.select(".mistakes a")
    target = page.select_one(str(summary["href"]))
    assert target is not None
    assert target.name == "input"
    fieldset = target.find_parent("fieldset")
    assert fieldset is not None
    message = page.select_one("#" + str(fieldset["aria-describedby"]).split()[-1])
    assert message is not None
    assert message.text in summary.text
    assert checked(person) == {"q-employees": "to_49", "q-role": "prepares"}, "nothing typed is lost"


def test_languages_by_browser_by_choice_and_unknown_ones(person: Person, app: Flask) -> None:
    assert person.open().html["lang"] == "en"  # type: ignore[index]
    german = Person(app.test_client(), "fr, de;q=0.8, en;q=0.5")
    assert german.open().html["lang"] == "de"  # type: ignore[index]
    assert Person(app.test_client(), "fr").open().html["lang"] == "en"  # type: ignore[index]
    assert person.open("/s/supplier/consent?lang=de").html["lang"] == "de"  # type: ignore[index]
    assert person.open("/s/supplier/consent?lang=xx").html["lang"] == "de"  # type: ignore[index]
    links = [(a["href"], a.get("aria-current")) for a in person.page.select(".languages a")]
    assert links == [("?lang=de", "true"), ("?lang=en", None)]


def test_the_language_of_the_answers_is_kept(person: Person, database: Database) -> None:
    person.walk("introduction")
    assert stored(database).respondents[0].language == "en"
    person.open("/s/supplier/introduction?lang=de")
    person.send(person.filled())
    assert stored(database).respondents[0].language == "de"


def test_a_database_that_is_away_costs_no_typed_text(
    person: Person, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.walk("prices")
    data = person.filled()

    @contextmanager
    def away(_: Database) -> Iterator[sa.Connection]:
        raise StoreError("database: away; nothing was saved")
        yield

    with monkeypatch.context() as patched:
        patched.setattr(Database, "begin", away)
        reply = person.send(data)
    assert reply.status_code == 503
    assert int(reply.headers["Retry-After"]) > 0
    kept = {str(i["name"]): str(i["value"]) for i in person.page.select("main form input")}
    assert {k: v for k, v in kept.items() if k != "csrf_token"} == {k: v for k, v in data.items() if k != "csrf_token"}
    assert person.page.select("main form button")[0].text == "Try again"
    person.send(kept, step="prices")
    assert person.step == "importance"
    assert stored(database).respondents[0].answers["price_sense"]["cheap"] == 80
