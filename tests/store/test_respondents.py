"""Who may answer and what each one sees: drawn once, whatever happens at the same time."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, SLUG, Study, together
from wtp.store import respondents, tables
from wtp.store.respondents import Counts, Interview


def counts(study: Study) -> Counts:
    with study.database.read() as connection:
        return respondents.counts(connection, SLUG)


def invite(study: Study, token: str, *, simulated: bool = False) -> None:
    with study.database.begin() as connection:
        respondents.invite(connection, SLUG, token, simulated=simulated, now=NOW)


def test_a_token_has_192_random_bits_and_is_its_own() -> None:
    tokens = {respondents.new_token() for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert {len(token) for token in tokens} == {32}  # 24 bytes in base 64


def test_the_database_file_does_not_hold_the_token(study: Study, tmp_path: Path) -> None:
    token = respondents.new_token()
    study.begin(token)
    files = list(tmp_path.rglob("wtp.sqlite*"))
    with study.database.read() as connection:
        rows = connection.execute(sa.select(tables.respondent)).all()
    held = b"".join(file.read_bytes() for file in files) + repr(rows).encode()
    assert study.survey.definition_hash.encode() in held  # the search can find what is there
    assert token.encode() not in held


@pytest.mark.parametrize("token", ["", "b", "A", "a ", "a\0", "\ud800", "%", "' OR 1=1 --", "x" * 100_000])
def test_any_other_token_opens_nothing(study: Study, token: str) -> None:
    study.begin("a")
    assert study.find(token) is None


def test_a_token_of_one_study_opens_no_other(study: Study) -> None:
    study.begin("a")
    with study.database.read() as connection:
        assert respondents.find(connection, "workshop", "a") is None


def test_an_invitation_holds_no_consent_and_shows_nothing(study: Study) -> None:
    invite(study, "a", simulated=True)
    person = study.find("a")
    assert person is not None
    assert (person.tasks, person.consented_at, person.language, person.design_version) == ((), None, None, None)
    assert counts(study) == Counts(0, 0, 0)
    begun = study.begin("a", simulated=False)
    assert (begun.number, begun.simulated, begun.consented_at) == (person.number, True, NOW)


def test_an_invitation_cannot_be_given_twice(study: Study) -> None:
    invite(study, "a")
    with pytest.raises(sa.exc.IntegrityError):
        invite(study, "a")


def test_beginning_again_changes_nothing(study: Study) -> None:
    first = study.begin("a", version=3)
    assert study.survey.design is not None
    assert first.tasks == study.survey.design.versions[3]
    assert (first.study, first.design_version, first.language) == (SLUG, 3, "en")
    assert (first.definition_hash, first.simulated) == (study.survey.definition_hash, False)
    assert study.begin("a", version=9, simulated=True, now=NOW + timedelta(hours=1)) == first
    assert study.find("a") == first
    assert study.rows(tables.respondent) == 1


def test_fifty_begin_with_one_token_at_once_and_are_one_person(study: Study) -> None:
    people = together(50, lambda hand: study.begin("a", version=hand + 1))
    assert len(set(map(repr, people))) == 1
    assert study.rows(tables.respondent) == 1


def test_fifty_people_at_once_get_numbers_from_1_and_evenly_filled_versions(study: Study) -> None:
    versions = tuple(range(1, 8))

    def begin(hand: int) -> Interview:
        with study.database.begin() as connection:
            version = respondents.least_filled(connection, SLUG, versions)
            return study.begin_in(connection, f"person {hand}", version=version)

    people = together(50, begin)
    assert sorted(person.number for person in people) == list(range(1, 51))
    filled = Counter(person.design_version for person in people)
    assert set(filled) == set(versions)
    assert max(filled.values()) - min(filled.values()) <= 1


def test_the_least_filled_version_is_filled_first(study: Study) -> None:
    def least(*versions: int) -> int:
        with study.database.begin() as connection:
            return respondents.least_filled(connection, SLUG, versions)

    assert least(4, 2, 3) == 2
    for token, version in (("a", 2), ("b", 3), ("c", 3), ("d", 4)):
        study.begin(token, version=version)
    invite(study, "e")
    assert least(2, 3, 4) == 2
    assert least(3, 4) == 4
    assert least(3, 5) == 5


def test_the_language_goes_with_the_person(study: Study) -> None:
    person, other = study.begin("a"), study.begin("b")
    with study.database.begin() as connection:
        respondents.set_language(connection, person.respondent_id, "de")
    again, untouched = study.find("a"), study.find("b")
    assert again is not None
    assert untouched == other
    assert (again.language, again.tasks) == ("de", person.tasks)


def test_an_interview_is_completed_once(study: Study) -> None:
    person = study.begin("a")
    study.begin("b")
    for hours in (1, 2):
        with study.database.begin() as connection:
            respondents.complete(connection, person.respondent_id, NOW + timedelta(hours=hours))
    done = study.find("a")
    assert done is not None
    assert done.completed_at == NOW + timedelta(hours=1)
    assert counts(study) == Counts(begun=2, completed=1, simulated=0)


def test_simulated_people_are_counted_apart(study: Study) -> None:
    study.begin("a", simulated=True)
    study.begin("b")
    invite(study, "c", simulated=True)
    assert counts(study) == Counts(begun=2, completed=0, simulated=1)
