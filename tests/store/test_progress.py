"""One question tells of a respondent what four told: the interview, the study's state, the last revisions, the drafts."""

from __future__ import annotations

import pytest

from tests.store.conftest import NOW, SLUG, Study
from wtp.store import answers, drafts, progress, respondents, studies
from wtp.store.respondents import token_hash

CONTENT = {"q": 'Ä"\\\n€', "n": 0.1, "nothing": None, "several": [1, {"a": True}]}


def test_progress_is_what_the_parts_are(study: Study) -> None:
    person = study.begin("token")
    study.answer(person, "profile", {"q": "first"})
    study.answer(person, "profile", dict(CONTENT), revision=1)
    study.answer(person, "empty", {})
    study.choose(person, 2, 1, False)
    study.choose(person, 3, 2, None)
    study.choose(person, 2, 3, True, revision=1)
    with study.database.begin() as connection:
        answers.lock(connection, person.respondent_id)
        drafts.keep(connection, person.respondent_id, "open", {"q-a": ["Ä", ""]}, revision=0, now=NOW)
    with study.database.look() as connection:
        found = progress.of(connection, SLUG, token_hash(SLUG, "token"))
    with study.database.read() as connection:
        assert found.interview == respondents.find(connection, SLUG, "token")
        assert found.current == answers.current(connection, person.respondent_id)
        assert found.drafts == drafts.of(connection, person.respondent_id)
        assert found.state == studies.state(connection, SLUG) == "open"
    assert found.current.pages["profile"] == (2, CONTENT)
    assert found.current.choices == {2: (2, 3, True), 3: (1, 2, None)}


def test_of_a_stranger_only_the_state_is_told(study: Study) -> None:
    study.begin("somebody else")
    with study.database.begin() as connection:
        studies.set_state(connection, SLUG, "paused")
    with study.database.look() as connection:
        found = progress.of(connection, SLUG, token_hash(SLUG, "token"))
        nowhere = progress.of(connection, "no study", token_hash("no study", "token"))
    assert (found.state, found.interview, found.current.pages, found.drafts) == ("paused", None, {}, {})
    assert (nowhere.state, nowhere.interview) == ("open", None)


def test_nobody_else_is_looked_at_on_the_way_to_a_respondent(study: Study) -> None:
    """However many there are: a database that has not counted them yet must not read all of the study."""
    if study.database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite looks for what is unique by itself")
    study.begin("token")
    names = {"slug": SLUG, "key": token_hash(SLUG, "token")}
    with study.database.read() as connection:
        for question in (progress._question("postgresql"), progress._HOLD):
            text = str(question.compile(study.database.engine, compile_kwargs={"render_postcompile": True}))
            wanted = {name: value for name, value in names.items() if f"%({name})s" in text}
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {text}", wanted).scalars())
            indexes = {line.split(" using ")[1].split()[0] for line in plan.splitlines() if " on respondent" in line}
            assert indexes == {"uq_respondent_token_hash"}, plan
