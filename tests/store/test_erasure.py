"""Everything of one person goes, whatever holds it, and does not come back: not by an old page, not by an old backup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, SLUG, Study, together
from wtp.errors import ErasedError
from wtp.store import (
    Database,
    answers,
    audit,
    background_jobs,
    drafts,
    erasure,
    invitations,
    quotas,
    respondents,
    results,
    tables,
    tombstones,
)
from wtp.store.database import head, upgrade
from wtp.store.erasure import Erased
from wtp.store.respondents import Interview, token_hash
from wtp.store.transfer import drop
from wtp.survey.pages import Quota

MARK = "unique-mark-4711"
SECRET = "secret"


def everything(database: Database) -> str:
    """All rows of all tables as text."""
    with database.read() as connection:
        rows = {t.name: connection.execute(sa.select(t)).all() for t in tables.metadata.sorted_tables}
    return repr(rows)


def erase(study: Study, token: str) -> Erased | None:
    with study.database.begin() as connection:
        return erasure.erase(connection, SLUG, token, who="respondent", reason="asked for it", now=NOW)


def invite(study: Study, *references: str) -> list[str]:
    """Invites people; their tokens."""
    with study.database.begin() as connection:
        people = [(reference, {"name": f"{MARK} {reference}"}) for reference in references]
        invitations.add(connection, SLUG, people, secret=SECRET, now=NOW)
        there = {each.reference: each.token for each in invitations.everyone(connection, SLUG, secret=SECRET)}
    return [there[reference] for reference in references]


def whole(study: Study, token: str) -> Interview:
    """An interview that left something in every table that a respondent can be in."""
    person = study.begin(token)
    study.answer(person, "current", {"words": MARK})
    study.answer(person, "current", {"words": f"{MARK} again"}, revision=1)
    study.choose(person, 1, 1)
    with study.database.begin() as connection:
        drafts.keep(connection, person.respondent_id, "later", {"q": [MARK]}, revision=0, now=NOW)
        quotas.reserve(connection, SLUG, person.respondent_id, [place()], simulated=False, now=NOW)
        decision = {"decision": "keep", "reason": MARK, "made_by": "ana", "made_at": NOW}
        connection.execute(sa.insert(tables.decision).values(respondent_id=person.respondent_id, **decision))
        customer = {"study": SLUG, "key": f"key of {token}"[:64], "simulated": False}
        made = connection.execute(sa.insert(tables.customer).values(**customer)).inserted_primary_key
        assert made is not None
        known = {"respondent_id": person.respondent_id, "customer_id": made[0], "known": {"m": MARK}, "known_at": NOW}
        connection.execute(sa.insert(tables.customer_respondent).values(**known))
    return person


def place() -> Quota:
    words = {"en": "x", "de": "x"}
    return Quota.model_validate(
        {"id": "full", "label": words, "title": words, "text": words, "limit": 5, "when": {"q": ("a",)}}
    )


def held(study: Study, kind: str, key: str) -> None:
    with study.database.begin() as connection:
        results.save(connection, key, SLUG, json.dumps({"row": MARK}), NOW, kind)


def job(study: Study, key: str) -> int:
    values: dict[str, Any] = {
        "basis": "b",
        "kind": "analysis",
        "request": {},
        "definition_hash": "d",
        "answers_hash": "a",
    }
    with study.database.begin() as connection:
        made = background_jobs.start(
            connection, SLUG, fingerprint=key, respondents=1, answers_copy=MARK.encode(), started_by="ana", now=NOW, **values
        )  # fmt: skip
    return made.id


def test_nothing_of_the_person_is_left_in_any_table(study: Study) -> None:
    (token,) = invite(study, "C-1")
    person = whole(study, token)
    held(study, results.PEOPLE, "p")
    held(study, results.QUALITY, "q")
    started = job(study, "f")
    before = everything(study.database)
    assert before.count(MARK) > 8
    assert MARK.encode().hex() in before or repr(MARK.encode())[2:-1] in before

    gone = erase(study, token)

    assert gone == Erased(SLUG, person.number, (started,))
    after = everything(study.database)
    assert MARK not in after
    assert "C-1" not in after
    with study.database.read() as connection:
        assert quotas.taken(connection, SLUG) == {("full", False): 0}  # the study may ask somebody else
        ended = background_jobs.get(connection, started)
        assert ended is not None
        assert (ended.state, ended.reason) == (background_jobs.CANCELLED, background_jobs.ERASED)
        assert [entry.action for entry in audit.entries(connection, SLUG)] == [audit.ERASED]


def test_others_keep_everything_and_figures_of_many_stay(study: Study) -> None:
    whole(study, "stays")
    whole(study, "goes")
    held(study, results.ANALYSIS, "many")
    rest = {table: study.rows(table) for table in (tables.answer, tables.choice, tables.page_draft)}
    erase(study, "goes")
    assert {table: 2 * study.rows(table) for table in rest} == rest
    assert [person.number for person in study.read().respondents] == [1]
    assert study.rows(tables.result) == 1


def test_the_fingerprint_of_the_answers_changes_even_if_somebody_alike_follows(study: Study) -> None:
    study.choose(study.begin("a"), 1, 1)
    before = study.state()
    erase(study, "a")
    study.choose(study.begin("b"), 1, 1)
    assert study.state() != before


def test_nobody_gets_the_number_of_an_erased_person(study: Study) -> None:
    study.begin("a")
    erase(study, "a")
    assert study.begin("b").number == 2


def test_nobody_gets_the_link_of_an_erased_invitation(study: Study) -> None:
    one, two = invite(study, "C-1", "C-2")
    erase(study, two)
    (three,) = invite(study, "C-3")
    assert len({one, two, three}) == 3
    assert study.begin(three).number == 1


def test_an_old_page_brings_nothing_back(study: Study) -> None:
    person = study.begin("a")
    erase(study, "a")
    with pytest.raises(ErasedError):
        study.answer(person, "current", {"words": MARK})
    with pytest.raises(ErasedError):
        study.choose(person, 1, 1)
    with pytest.raises(ErasedError):
        study.begin("a")
    with pytest.raises(ErasedError), study.database.begin() as connection:
        respondents.invite(connection, SLUG, "a", simulated=False, now=NOW)
    assert study.rows(tables.respondent) == 0


def test_erasing_again_or_a_stranger_does_no_harm(study: Study) -> None:
    study.begin("a")
    assert erase(study, "a") is not None
    assert erase(study, "a") is None
    assert erase(study, "nobody") is None
    assert study.rows(tables.erasure) == 1  # whoever makes tokens up fills no table


def test_pages_saved_and_erased_at_once_leave_nothing(study: Study) -> None:
    """Whoever saves comes before the erasure, or hears that he is erased."""
    person = study.begin("a")

    def work(hand: int) -> str:
        try:
            if hand == 3:
                erase(study, "a")
            else:
                study.answer(person, f"page-{hand}", {"words": MARK})
        except ErasedError:
            return "erased"
        return "done"

    made = together(8, work)
    assert made[3] == "done"
    assert MARK not in everything(study.database)
    assert study.rows(tables.respondent) == 0


def test_a_reference_erases_whoever_has_it(study: Study) -> None:
    invite(study, "C-1", "C-2")
    study.begin("imported")
    with study.database.begin() as connection:
        connection.execute(sa.update(tables.respondent).values(external_id="row 7"))
        gone = [
            erasure.erase_reference(connection, SLUG, name, who="ana", reason="by mail", now=NOW)
            for name in ("C-1", "row 7", "nobody")
        ]
    assert [[each.number for each in one] for one in gone] == [[None], [1], []]
    assert study.rows(tables.invitation) == 1
    assert study.rows(tables.respondent) == 0


def copied(study: Study) -> dict[sa.Table, list[dict[str, Any]]]:
    with study.database.read() as connection:
        return {
            t: [dict(r) for r in connection.execute(sa.select(t)).mappings()] for t in tables.metadata.sorted_tables
        }


def put_back(study: Study, rows: dict[sa.Table, list[dict[str, Any]]]) -> None:
    with study.database.begin() as connection:
        drop(connection, head())  # as a restore does: the log lets nobody delete from it
        upgrade(connection, head())
        for table in tables.metadata.sorted_tables:
            if rows[table]:
                connection.execute(sa.insert(table), rows[table])


def test_an_old_backup_is_erased_again_by_the_file_alone(study: Study, tmp_path: Path) -> None:
    (invited,) = invite(study, "C-9")
    whole(study, invited)
    whole(study, "stays")
    backup = copied(study)
    erase(study, invited)
    with study.database.read() as connection:
        assert erasure.keep_list(connection, tmp_path) == 1
        assert erasure.keep_list(connection, tmp_path) == 0
    assert invited not in (tmp_path / erasure.LIST_FILE).read_text()
    stays = copied(study)

    put_back(study, backup)
    assert len(study.read().respondents) == 2  # the control: a restore alone brings the person back
    with study.database.begin() as connection:
        assert erasure.apply_again(connection, tmp_path) == 1
    with study.database.begin() as connection:
        assert erasure.apply_again(connection, tmp_path) == 0

    now = copied(study)
    assert now.pop(tables.audit) != stays.pop(tables.audit)  # it is logged as what it is
    assert now == stays
    with pytest.raises(ErasedError):
        study.begin(invited)


def test_a_list_that_was_cut_short_is_read_as_far_as_it_goes(study: Study, tmp_path: Path) -> None:
    study.begin("a")
    key = token_hash(SLUG, "a")
    (tmp_path / erasure.LIST_FILE).write_text(f"erased {SLUG} {key} {NOW.isoformat()}\nerased {SLUG} 00ab\nnonsense")
    with study.database.begin() as connection:
        assert erasure.apply_again(connection, tmp_path) == 1
        assert tombstones.numbers(connection, SLUG) == (1,)


def test_cut_off_keeps_the_answers_and_no_way_to_the_person(study: Study, tmp_path: Path) -> None:
    (token,) = invite(study, "C-1")
    person = whole(study, token)
    backup = copied(study)
    key = token_hash(SLUG, token)
    with study.database.begin() as connection:
        respondents.complete(connection, person.respondent_id, NOW)
        assert erasure.cut_off(connection, SLUG, key, now=NOW)
        erasure.keep_list(connection, tmp_path)
    with study.database.read() as connection:
        there = connection.execute(sa.select(tables.respondent)).mappings().one()
        invited = connection.execute(sa.select(tables.invitation)).mappings().one()
    assert study.find(token) is None
    assert there["token_hash"] not in repr(dict(invited))
    assert invited["done"]
    assert study.rows(tables.customer_respondent) == 0
    assert len(study.read().respondents) == 1
    with pytest.raises(ErasedError):
        study.begin(token)  # and nobody answers twice
    put_back(study, backup)
    with study.database.begin() as connection:
        assert erasure.apply_again(connection, tmp_path) == 1
    assert study.find(token) is None


def test_the_file_of_the_database_holds_nothing_either(study: Study, tmp_path: Path) -> None:
    if study.database.engine.dialect.name != "sqlite":
        pytest.skip("of a file of SQLite")
    path = Path(str(study.database.engine.url.database))
    whole(study, "a")
    held(study, results.PEOPLE, "p")
    files = lambda: b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))  # noqa: E731
    assert MARK.encode() in files()
    erase(study, "a")
    assert study.database.empty_log()
    assert MARK.encode() not in files()
    with study.database.read() as connection:
        assert answers.read_answers(connection, SLUG).respondents == ()
