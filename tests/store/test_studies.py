"""A study keeps every definition that was answered, and its design once real people have begun."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, SLUG, Study
from wtp.errors import StoreError
from wtp.store import respondents, results, studies, tables
from wtp.survey import Definition, Design, Survey


def register(study: Study, survey: Survey) -> None:
    with study.database.begin() as connection:
        studies.register(connection, survey)


def kept(study: Study) -> str:
    with study.database.read() as connection:
        return str(connection.execute(sa.select(tables.study.c.design_hash)).scalar_one())


def began(study: Study) -> bool:
    with study.database.read() as connection:
        return studies.fielding_began(connection, SLUG)


def with_design(survey: Survey, design_hash: str) -> Survey:
    assert survey.design is not None
    return dataclasses.replace(survey, design=Design(survey.design.versions, design_hash))


def reworded(survey: Survey) -> Survey:
    definition = Definition.model_validate(survey.definition.model_dump() | {"title": {"en": "New", "de": "Neu"}})
    return dataclasses.replace(survey, definition=definition, definition_hash=definition.hash)


def test_a_definition_comes_back_as_it_was_after_the_file_has_changed(study: Study) -> None:
    register(study, reworded(study.survey))
    with study.database.read() as connection:
        old = studies.definition(connection, study.survey.definition_hash)
        new = studies.definition(connection, reworded(study.survey).definition_hash)
    assert old == study.survey.definition
    assert old.hash == study.survey.definition_hash
    assert new.title["en"] == "New"


def test_registering_again_changes_nothing(study: Study) -> None:
    register(study, study.survey)
    assert (study.rows(tables.study), study.rows(tables.definition)) == (1, 1)


def test_fielding_begins_with_the_first_real_consent(study: Study) -> None:
    study.begin("bot", simulated=True)
    with study.database.begin() as connection:
        respondents.invite(connection, SLUG, "invited", simulated=False, now=NOW)
    assert not began(study)
    study.begin("invited")
    assert began(study)


def test_a_study_in_the_field_keeps_its_design(study: Study) -> None:
    study.begin("a")
    with pytest.raises(StoreError, match=r"design\.csv: changed after real respondents began; allowed: .*; put"):
        register(study, with_design(study.survey, "another"))
    with pytest.raises(StoreError, match="changed after real respondents began"):
        register(study, dataclasses.replace(study.survey, design=None))
    assert study.survey.design is not None
    assert kept(study) == study.survey.design.hash
    register(study, reworded(study.survey))


def test_simulated_respondents_do_not_hold_a_design(study: Study) -> None:
    study.begin("bot", simulated=True)
    register(study, with_design(study.survey, "another"))
    assert kept(study) == "another"


def test_a_study_may_be_registered_before_it_has_a_design(study: Study) -> None:
    other = dataclasses.replace(study.survey, slug="other", design=None)
    register(study, other)
    register(study, dataclasses.replace(study.survey, slug="other"))


def test_the_first_result_of_a_fingerprint_stays(study: Study) -> None:
    def save(content: str, now: datetime = NOW) -> None:
        with study.database.begin() as connection:
            results.save(connection, "f" * 64, SLUG, content, now)

    with study.database.read() as connection:
        assert results.load(connection, "f" * 64) is None
    save('{"figure": 0.1, "text": "für 10 €"}')
    save("another")
    with study.database.read() as connection:
        assert results.load(connection, "f" * 64) == '{"figure": 0.1, "text": "für 10 €"}'


def test_a_plan_takes_the_place_of_the_one_before(study: Study) -> None:
    with study.database.begin() as connection:
        results.save_plan(connection, SLUG, "first", NOW)
        results.save_plan(connection, "other", "of another study", NOW)
        results.save_plan(connection, SLUG, '{"precision": 2.0, "text": "±2 €"}', NOW)
    with study.database.read() as connection:
        assert results.load_plan(connection, SLUG) == '{"precision": 2.0, "text": "±2 €"}'
        assert results.load_plan(connection, "other") == "of another study"
        assert results.load_plan(connection, "third") is None
