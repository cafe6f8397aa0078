"""Answers are kept once, whole, as they were given, with everything that was shown; nothing is overwritten."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.conftest import NOW, SLUG, Study, together
from wtp.design import assign
from wtp.errors import ConflictError, DataError
from wtp.store import answers, respondents, studies, tables


def test_a_changed_page_is_a_new_revision_and_the_old_one_stays(study: Study) -> None:
    person = study.begin("a")
    assert study.answer(person, "profile", {"q": "first"}) == 1
    assert study.answer(person, "profile", {"q": "second"}, revision=1) == 2
    assert study.answer(person, "profile", {"q": "first"}, revision=2) == 3
    assert study.read().respondents[0].answers == {"q": "first"}
    assert study.rows(tables.answer) == 3
    with study.database.read() as connection:
        assert answers.current(connection, person.respondent_id).pages == {"profile": (3, {"q": "first"})}


def test_a_changed_choice_is_a_new_revision_and_the_old_one_stays(study: Study) -> None:
    person = study.begin("a")
    assert study.choose(person, 2, 1, True) == 1
    assert study.choose(person, 2, 1, False, revision=1) == 2
    assert study.choose(person, 2, 3, False, revision=2) == 3
    (choice,) = study.read().respondents[0].choices
    assert (choice.order, choice.chosen, choice.buys) == (2, 3, False)
    assert study.rows(tables.choice) == 3
    with study.database.read() as connection:
        assert answers.current(connection, person.respondent_id).choices == {2: (3, 3, False)}


@pytest.mark.parametrize("revision", [0, 1, 2, 7])
def test_the_same_content_again_changes_nothing_whatever_window_it_comes_from(study: Study, revision: int) -> None:
    person = study.begin("a")
    study.answer(person, "profile", {"q": {"x": 1, "y": None}})
    study.choose(person, 1, 2)
    assert study.answer(person, "profile", {"q": {"y": None, "x": 1}}, revision=revision) == 1
    assert study.choose(person, 1, 2, revision=revision) == 1
    assert (study.rows(tables.answer), study.rows(tables.choice)) == (1, 1)


@pytest.mark.parametrize("revision", [0, 1, 3])
def test_other_content_from_a_stale_window_is_refused_and_nothing_is_written(study: Study, revision: int) -> None:
    person = study.begin("a")
    study.answer(person, "profile", {"q": 1})
    study.answer(person, "profile", {"q": 2}, revision=1)
    study.choose(person, 1, 1)
    study.choose(person, 1, 2, revision=1)
    with pytest.raises(ConflictError, match="another window"):
        study.answer(person, "profile", {"q": 3}, revision=revision)
    with pytest.raises(ConflictError, match="another window"):
        study.choose(person, 1, 3, revision=revision)
    found = study.read().respondents[0]
    assert (found.answers, found.choices[0].chosen) == ({"q": 2}, 2)
    assert (study.rows(tables.answer), study.rows(tables.choice)) == (2, 2)


def test_true_and_1_are_different_answers(study: Study) -> None:
    person = study.begin("a")
    study.answer(person, "page", {"q": 1})
    assert study.answer(person, "page", {"q": True}, revision=1) == 2


def test_fifty_equal_posts_at_once_make_one_row_and_equal_replies(study: Study) -> None:
    person = study.begin("a")
    assert together(50, lambda _: study.answer(person, "last", {"q": "same"})) == [1] * 50
    assert together(50, lambda _: study.choose(person, 5, 2)) == [1] * 50
    assert (study.rows(tables.answer), study.rows(tables.choice)) == (1, 1)


def test_of_many_different_posts_at_once_one_is_kept_and_the_others_hear_of_it(study: Study) -> None:
    person = study.begin("a")

    def post(hand: int) -> int | None:
        try:
            return study.answer(person, "last", {"q": hand})
        except ConflictError:
            return None

    replies = together(20, post)
    assert sorted(reply for reply in replies if reply) == [1]
    assert study.read().respondents[0].answers == {"q": replies.index(1)}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_control_looking_and_then_inserting_doubles_without_a_lock(study: Study) -> None:
    with study.database.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE naive (page integer)")
    with study.database.begin() as one, study.database.begin() as two:
        for connection in (one, two):
            assert connection.exec_driver_sql("SELECT count(*) FROM naive").scalar_one() == 0
        for connection in (one, two):
            connection.exec_driver_sql("INSERT INTO naive VALUES (1)")
    with study.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM naive").scalar_one() == 2


def test_a_choice_holds_what_was_shown(study: Study) -> None:
    assert study.survey.design is not None
    tasks = assign(study.survey.design.versions[7], np.random.default_rng(3))
    with study.database.begin() as connection:
        person = respondents.begin(
            connection,
            SLUG,
            "a",
            definition_hash=study.survey.definition_hash,
            design_version=7,
            tasks=tasks,
            language="de",
            consent_hash="",
            now=NOW,
        )
    for order, task in enumerate(tasks, 1):
        study.choose(person, order, task.alternatives[order % 3].number, buys=order % 2 == 0)
    (found,) = study.read().respondents
    assert tuple(choice.task for choice in found.choices) == tasks
    assert [choice.order for choice in found.choices] == list(range(1, len(tasks) + 1))
    assert [c.chosen for c in found.choices] == [t.alternatives[o % 3].number for o, t in enumerate(tasks, 1)]
    assert {(c.design_version, c.definition_hash, c.answered_at) for c in found.choices} == {
        (7, study.survey.definition_hash, NOW)
    }
    assert {type(choice.buys) for choice in found.choices} == {bool}


def test_a_purchase_question_that_is_not_asked_stays_open(study: Study) -> None:
    person = study.begin("a")
    study.choose(person, 1, 1, buys=None)
    assert study.read().respondents[0].choices[0].buys is None


@pytest.mark.parametrize(("order", "chosen"), [(0, 1), (14, 1), (-1, 1), (1, 0), (1, 4)])
def test_only_what_was_shown_can_be_chosen(study: Study, order: int, chosen: int) -> None:
    person = study.begin("a")
    with pytest.raises(DataError, match=r"choice task .*; allowed: "):
        study.choose(person, order, chosen)
    assert study.rows(tables.choice) == 0


def test_before_consent_no_choice_can_be_made(study: Study) -> None:
    with study.database.begin() as connection:
        respondents.invite(connection, SLUG, "a", simulated=False, now=NOW)
    person = study.find("a")
    assert person is not None
    with pytest.raises(DataError, match="not shown to this respondent"):
        study.choose(person, 1, 1)
    assert study.read().respondents == ()


BAD = [float("nan"), float("inf"), -float("inf"), "a\0b", "half \ud800", {"x": "\udfff"}, ["a", "\0"], {"\0": 1}]


@pytest.mark.parametrize("value", BAD, ids=ascii)
def test_what_the_databases_keep_differently_is_refused_before_they_see_it(study: Study, value: Any) -> None:
    person = study.begin("a")
    with pytest.raises(DataError, match=r"page free: .*; allowed: "):
        study.answer(person, "free", {"q": value})
    assert study.rows(tables.answer) == 0


texts = st.text(max_size=30)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.dictionaries(texts, inner, max_size=4) | st.lists(inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.dictionaries(texts, values, max_size=4))
def test_what_is_not_refused_comes_back_as_it_was(study: Study, content: dict[str, Any]) -> None:
    person = study.begin("the same in every example")
    page = respondents.new_token()
    try:
        study.answer(person, page, content)
    except DataError:
        assert any(c == "\0" or "\ud800" <= c <= "\udfff" for c in str(content)) or "\\x00" in str(content)
        return
    with study.database.read() as connection:
        assert answers.current(connection, person.respondent_id).pages[page] == (1, content)


def test_the_hash_is_of_the_content_and_not_of_the_times(study: Study) -> None:
    person = study.begin("a")
    study.answer(person, "page", {"q": 1})
    study.choose(person, 1, 1)
    seen = [study.read().hash]
    assert study.read().hash == seen[0]

    study.answer(person, "page", {"q": 2}, revision=1)
    seen.append(study.read().hash)
    study.choose(person, 1, 2, revision=1)
    seen.append(study.read().hash)
    study.choose(person, 1, 2, buys=False, revision=2)
    seen.append(study.read().hash)
    study.begin("b")
    seen.append(study.read().hash)
    with study.database.begin() as connection:
        respondents.complete(connection, person.respondent_id, NOW)
    seen.append(study.read().hash)
    with study.database.begin() as connection:
        shown = connection.execute(sa.select(tables.choice.c.shown).limit(1)).scalar_one()
        shown["alternatives"][0]["price"] += 1
        connection.execute(sa.update(tables.choice).values(shown=shown))
    seen.append(study.read().hash)
    assert len(set(seen)) == len(seen)

    with study.database.begin() as connection:
        connection.execute(sa.update(tables.choice).values(answered_at=NOW + timedelta(days=1)))
        connection.execute(sa.update(tables.answer).values(answered_at=NOW + timedelta(days=1)))
    assert study.read().hash == seen[-1]


def test_the_state_changes_with_every_answer(study: Study) -> None:
    seen = [study.state()]
    person = study.begin("a")
    seen.append(study.state())
    study.answer(person, "page", {"q": 1})
    seen.append(study.state())
    study.answer(person, "page", {"q": 2}, revision=1)
    seen.append(study.state())
    study.choose(person, 1, 1)
    seen.append(study.state())
    with study.database.begin() as connection:
        respondents.complete(connection, person.respondent_id, NOW)
    seen.append(study.state())
    assert len(set(seen)) == len(seen)
    study.answer(person, "page", {"q": 2}, revision=2)
    assert study.state() == seen[-1]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_state_changes_when_the_earlier_answer_is_committed_later(study: Study) -> None:
    early, late = study.begin("a"), study.begin("b")
    with study.database.begin() as connection:
        answers.record_answers(connection, early.respondent_id, "page", {"q": 1}, revision=0, now=NOW)
        study.answer(late, "page", {"q": 1})
        between = study.state()
    assert study.state() != between


def test_answers_of_other_studies_stay_apart(study: Study) -> None:
    other = dataclasses.replace(study.survey, slug="other")
    with study.database.begin() as connection:
        studies.register(connection, other)
        tasks = study.survey.design.versions[1] if study.survey.design else ()
        hers = respondents.begin(
            connection,
            "other",
            "a",
            definition_hash=other.definition_hash,
            design_version=1,
            tasks=tasks,
            language="en",
            consent_hash="",
            now=NOW,
        )
    mine = study.begin("a")
    assert (hers.number, mine.number) == (1, 1)
    study.answer(hers, "page", {"q": "hers"})
    before = study.state()
    study.answer(hers, "page", {"q": "still hers"}, revision=1)
    assert study.state() == before
    assert [r.answers for r in study.read().respondents] == [{}]


def test_times_are_aware_and_in_utc_whatever_zone_they_came_in(study: Study) -> None:
    there = NOW.astimezone(ZoneInfo("Asia/Tokyo"))
    person = study.begin("a", now=there)
    with study.database.begin() as connection:
        answers.record_choice(connection, person.respondent_id, 1, 1, True, revision=0, now=there)
        respondents.complete(connection, person.respondent_id, there)
    (found,) = study.read().respondents
    assert found.completed_at is not None
    for time in (found.started_at, found.completed_at, found.choices[0].answered_at):
        assert time == NOW
        assert time.utcoffset() == timedelta(0)
    with pytest.raises(sa.exc.StatementError, match="without time zone"):
        study.begin("b", now=datetime(2026, 11, 1))


def test_reading_asks_as_many_questions_of_the_database_for_many_as_for_few(study: Study) -> None:
    asked: list[str] = []
    sa.event.listen(study.database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    for number in range(2):
        study.answer(study.begin(f"few {number}"), "page", {"q": number})
    asked.clear()
    study.read()
    few = len(asked)
    for number in range(20):
        study.choose(study.begin(f"many {number}"), 1, 1)
    asked.clear()
    assert len(study.read().respondents) == 22
    assert len(asked) == few


def test_respondents_come_in_the_order_of_their_numbers_and_unfinished_ones_too(study: Study) -> None:
    for token in "abc":
        study.begin(token, simulated=token == "b")
    found = study.read()
    assert [(r.number, r.simulated, r.completed_at) for r in found.respondents] == [
        (1, False, None),
        (2, True, None),
        (3, False, None),
    ]
    assert found.simulated == 1
    assert (UTC, {r.started_at for r in found.respondents}) == (NOW.tzinfo, {NOW})


def test_answers_come_with_the_versions_that_were_answered(study: Study) -> None:
    study.begin("a")
    with study.database.read() as connection:
        found = answers.read_answers(connection, SLUG)
    assert {r.definition_hash for r in found.respondents} == {study.survey.definition_hash}
    assert dict(found.definitions) == {study.survey.definition_hash: study.survey.definition}
    with study.database.begin() as connection:
        connection.execute(sa.update(tables.definition).values(content='{"format": 99}'))
        assert dict(answers.read_answers(connection, SLUG).definitions) == {}, "one that cannot be read any more"


def test_batches_are_the_same_answers_of_one_state_whatever_comes_meanwhile(study: Study) -> None:
    for number in range(5):
        person = study.begin(f"token {number}")
        study.answer(person, "about", {"core_problem": "cost"})
        study.choose(person, 1, 1)
        study.choose(person, 1, 2, revision=1)
    study.begin(respondents.new_token(test=True))
    before = study.read()
    with study.database.read() as connection:
        parts = answers.batches(connection, SLUG, 2)
        found = [next(parts)]
        study.choose(study.begin("comes meanwhile"), 1, 1)
        study.choose(person, 1, 3, revision=2)
        found += parts
    assert [len(part) for part in found] == [2, 2, 1]
    assert tuple(person for part in found for person in part) == before.respondents
    assert len(study.read().respondents) == 6
