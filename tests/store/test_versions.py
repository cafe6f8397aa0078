"""Versions of a study, respondents who only try it out, and what is deleted; on both databases."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, SLUG, Study
from tests.store.test_studies import register, reworded, with_design
from wtp.errors import StoreError
from wtp.store import Database, answers, deletion, quotas, respondents, studies, tables, versions
from wtp.store.field import field_of
from wtp.survey.design_file import format_design


def begin(study: Study, token: str, *, simulated: bool = False, panel_id: str | None = None) -> int:
    survey = study.survey
    assert survey.design is not None
    with study.database.begin() as connection:
        version = respondents.least_filled(connection, SLUG, tuple(survey.design.versions))
        return respondents.begin(
            connection,
            SLUG,
            token,
            definition_hash=survey.definition_hash,
            design_version=version,
            tasks=survey.design.versions[version],
            language="en",
            consent_hash="",
            now=NOW,
            simulated=simulated,
            panel_id=panel_id,
        ).respondent_id


def count(database: Database, table: sa.Table) -> int:
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_every_state_in_use_is_a_version(study: Study) -> None:
    survey = study.survey
    register(study, survey)
    register(study, survey)
    new = dataclasses.replace(reworded(survey), source="new text")
    with study.database.begin() as connection:
        studies.publish(connection, new, "anna")
    register(study, new)
    with study.database.read() as connection:
        found = versions.everything(connection, SLUG)
        assert versions.get(connection, SLUG, 1) == found[1]
        assert versions.get(connection, SLUG, 3) is None
        assert versions.get(connection, "other", 1) is None
        assert survey.design is not None
        assert versions.design_text(connection, survey.design.hash) == format_design(survey.design, survey.definition)
    assert [(v.number, v.author, v.content) for v in found] == [(2, "anna", "new text"), (1, None, survey.source)]
    assert found[0].definition_hash != found[1].definition_hash


def test_a_version_tells_how_many_people_began_on_what_it_asks(study: Study) -> None:
    register(study, study.survey)
    begin(study, "one")
    begin(study, "two", simulated=True)
    begin(study, respondents.new_token(test=True))
    with study.database.read() as connection:
        (version,) = versions.everything(connection, SLUG)
    assert version.real == 1


def test_a_published_design_is_taken_in_the_field_and_no_other(study: Study) -> None:
    register(study, study.survey)
    begin(study, "one")
    other = with_design(study.survey, "another")
    with pytest.raises(StoreError, match="changed after real respondents began"):
        register(study, other)
    with study.database.begin() as connection:
        studies.publish(connection, other, "anna")
    register(study, other)
    with pytest.raises(StoreError, match="changed after real respondents began"):
        register(study, study.survey)


def test_a_test_counts_nowhere(study: Study) -> None:
    register(study, study.survey)
    begin(study, "one")
    with study.database.read() as connection:
        before = answers.state(connection, SLUG), answers.read_answers(connection, SLUG)
    tests = [begin(study, respondents.new_token(test=True), panel_id="p1") for _ in range(3)]
    with study.database.begin() as connection:
        answers.record_answers(connection, tests[0], "profile", {"role": "uses"}, revision=0, now=NOW)
        answers.record_choice(connection, tests[0], 1, 1, True, revision=0, now=NOW)
        respondents.complete(connection, tests[1], NOW)
    assert not respondents.is_test(respondents.new_token())
    with study.database.read() as connection:
        assert (answers.state(connection, SLUG), answers.read_answers(connection, SLUG)) == before
        counts = respondents.counts(connection, SLUG)
        numbers = (
            connection.execute(sa.select(tables.respondent.c.number).order_by(tables.respondent.c.id)).scalars().all()
        )
        field = field_of(connection, SLUG, simulated=False, idle_since=NOW - timedelta(hours=1))
        assert quotas.taken(connection, SLUG) == {}
        assert not respondents.panel_known(connection, SLUG, "p1", "one")
    assert (counts.begun, counts.completed, counts.tests) == (1, 0, 3)
    assert (field.begun, [step.step for step in field.steps]) == (1, ["consent"])
    assert list(numbers) == [1, -1, -2, -3], "real numbers have no gap"
    begin(study, "two")
    with study.database.begin() as connection:
        assert connection.execute(sa.select(sa.func.max(tables.respondent.c.number))).scalar_one() == 2
        assert deletion.delete_tests(connection, SLUG) == 3
        assert deletion.delete_tests(connection, SLUG) == 0
        kept = answers.read_answers(connection, SLUG)
    assert [person.number for person in kept.respondents] == [1, 2]
    assert (count(study.database, tables.answer), count(study.database, tables.choice)) == (0, 0)


def test_tests_do_not_hold_a_design(study: Study) -> None:
    register(study, study.survey)
    begin(study, respondents.new_token(test=True))
    register(study, with_design(study.survey, "another"))


def test_a_deleted_study_leaves_nothing_and_takes_nothing_of_another(study: Study) -> None:
    twin = dataclasses.replace(study.survey, slug="twin")
    register(study, study.survey)
    register(study, twin)
    person = begin(study, "one")
    with study.database.begin() as connection:
        answers.record_choice(connection, person, 1, 1, True, revision=0, now=NOW)
        deletion.delete_study(connection, "twin")
    assert (count(study.database, tables.choice), count(study.database, tables.version)) == (1, 1)
    register(study, twin)
    with study.database.begin() as connection:
        deletion.delete_study(connection, SLUG)
        assert studies.definition(connection, twin.definition_hash) == twin.definition
        assert versions.design_text(connection, twin.design.hash) is not None  # type: ignore[union-attr]
    assert {
        table.name: count(study.database, table) for table in (tables.respondent, tables.choice, tables.answer)
    } == {"respondent": 0, "choice": 0, "answer": 0}
    with study.database.begin() as connection:
        deletion.delete_study(connection, "twin")
    kept = {table.name for table in tables.metadata.sorted_tables if count(study.database, table)}
    assert kept == {"audit"}, "what was done stays told"
