"""Keys of panels, sealed and replaced; a name of the panel counts once by a key of the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, SLUG, Study, together
from wtp.errors import ConflictError, DataError, StoreError
from wtp.store import audit, deletion, erasure, panel_keys, respondents, retention, rules, studies, tables
from wtp.store.panel_keys import PanelKey
from wtp.survey.privacy import Privacy

SECRET = "ab" * 32
GIVEN = "a-key-of-the-panel"


def make(study: Study, **given: Any) -> PanelKey:
    with study.database.begin() as connection:
        return panel_keys.make(connection, SLUG, **{"secret": SECRET, "who": "ann", "now": NOW} | given)


def current(study: Study, secret: str = SECRET) -> PanelKey | None:
    with study.database.read() as connection:
        return panel_keys.current(connection, SLUG, secret=secret)


def everything(study: Study) -> str:
    """Every row of every table, as text."""
    with study.database.read() as connection:
        return "\n".join(str(row) for table in tables.metadata.sorted_tables for row in connection.execute(sa.select(table)))  # fmt: skip


def begin(study: Study, token: str, name: str, *, marked: bool = True) -> int:
    assert study.survey.design is not None
    with study.database.begin() as connection:
        return respondents.begin(
            connection,
            SLUG,
            token,
            definition_hash=study.survey.definition_hash,
            design_version=1,
            tasks=study.survey.design.versions[1],
            language="en",
            consent_hash=study.survey.definition.consent_hash,
            now=NOW,
            panel_id=name,
            panel_mark=respondents.panel_mark(SECRET, SLUG, name) if marked else None,
        ).number


# Keys


def test_the_database_alone_gives_no_key(study: Study) -> None:
    keys = [make(study).key, make(study, given=GIVEN).key, make(study, given="x" * 128).key]
    kept = everything(study)
    for key in keys:
        assert key not in kept
        assert key.encode().hex() not in kept
    assert len({row.sealed for row in sealed(study)}) == 3
    assert current(study) == PanelKey(3, keys[-1], "ann", NOW, None)
    assert keys[-1] not in repr(current(study))


def sealed(study: Study) -> list[Any]:
    with study.database.read() as connection:
        return list(connection.execute(sa.select(tables.panel_key).order_by(tables.panel_key.c.number)))


def test_random_keys_have_256_bits_and_never_repeat(study: Study) -> None:
    keys = {make(study).key for _ in range(8)}
    assert len(keys) == 8
    assert {len(bytes.fromhex(key)) for key in keys} == {32}


def test_another_secret_or_a_changed_row_opens_nothing(study: Study) -> None:
    make(study)
    with pytest.raises(StoreError, match=f"another secret_key.*wtp panel key {SLUG} --new"):
        current(study, "cd" * 32)
    [row] = sealed(study)
    for place in (0, 40, len(row.sealed) - 1):
        digit = "0" if row.sealed[place] != "0" else "1"
        changed = row.sealed[:place] + digit + row.sealed[place + 1 :]
        with study.database.begin() as connection:
            connection.execute(sa.update(tables.panel_key).values(sealed=changed))
        with pytest.raises(StoreError, match="another secret_key"):
            current(study)


def test_a_key_of_another_study_opens_nothing_here(study: Study) -> None:
    make(study)
    with study.database.begin() as connection:
        connection.execute(sa.insert(tables.study).values(slug="other", definition_hash="d", design_hash="d"))
        row = {"study": "other", "number": 1, "made_by": "x", "created_at": NOW}
        connection.execute(sa.insert(tables.panel_key).values(sealed=sealed(study)[0].sealed, **row))
        with pytest.raises(StoreError):
            panel_keys.current(connection, "other", secret=SECRET)


@pytest.mark.parametrize("given", ["", "short", "x" * 15, "x" * 129, "with a space in it", "käse-käse-käse-käse", "line\nbreak-line-break"])  # fmt: skip
def test_a_given_key_is_plain_text_of_some_length(study: Study, given: str) -> None:
    with pytest.raises(DataError, match="allowed: 16 to 128"):
        make(study, given=given)
    assert sealed(study) == []


def test_the_key_of_before_is_no_new_one(study: Study) -> None:
    make(study, given=GIVEN)
    with pytest.raises(DataError, match="that of before"):
        make(study, given=GIVEN)
    assert len(sealed(study)) == 1


def test_a_study_that_is_not_there_gets_none(study: Study) -> None:
    with study.database.begin() as connection, pytest.raises(DataError, match="no such study"):
        panel_keys.make(connection, "nothing", secret=SECRET, who="ann", now=NOW)


@pytest.mark.parametrize("at_once", [False, True])
def test_the_old_key_counts_a_day_more_or_ends_at_once(study: Study, at_once: bool) -> None:
    first = make(study)
    second = make(study, at_once=at_once)
    third = make(study, now=NOW + timedelta(hours=1))
    expected = {
        0.0: [third, second] if at_once else [third, second, first],
        23.9: [third, second] if at_once else [third, second, first],
        24.0: [third, second],
        25.0: [third],
    }
    for hours, keys in expected.items():
        with study.database.read() as connection:
            found = panel_keys.valid(connection, SLUG, secret=SECRET, now=NOW + timedelta(hours=hours))
        assert [key.key for key in found] == [key.key for key in keys], hours
    assert [entry.action for entry in log(study)] == [panel_keys.MADE] * 3
    assert not [entry for entry in log(study) if first.key in entry.reason]


def log(study: Study) -> list[Any]:
    with study.database.read() as connection:
        return list(audit.entries(connection, SLUG))


def test_of_many_who_need_the_first_key_at_once_one_makes_it(study: Study) -> None:
    def first(_: int) -> str:
        with study.database.begin() as connection:
            return panel_keys.first(connection, SLUG, secret=SECRET, who="wtp", now=NOW).key

    assert len(set(together(6, first))) == 1
    assert len(sealed(study)) == 1


# Once a name


def test_of_many_at_once_one_takes_part(study: Study) -> None:
    def hand(number: int) -> bool:
        try:
            begin(study, f"token {number}", "A")
        except ConflictError:
            return False
        return True

    assert sorted(together(8, hand)) == [*[False] * 7, True]
    assert study.rows(tables.respondent) == study.rows(tables.panel_entry) == 1


def test_without_the_look_before_the_key_of_the_database_holds(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is looked up and nobody waits for another: the primary key alone lets one through."""
    monkeypatch.setattr(respondents, "panel_known", lambda *_: False)
    monkeypatch.setattr(rules, "locked_state", lambda *_: "open")
    refused = []

    def hand(number: int) -> None:
        try:
            begin(study, f"token {number}", "A")
        except (ConflictError, sa.exc.IntegrityError):  # the number of the respondent is a key too
            refused.append(number)

    together(6, hand)
    assert len(refused) == 5
    assert study.rows(tables.respondent) == study.rows(tables.panel_entry) == 1
    with pytest.raises(ConflictError):
        begin(study, "later", "A")
    with pytest.raises(sa.exc.IntegrityError):  # names of before the marks, by their own key
        begin(study, "later", "A", marked=False)


def test_who_took_part_is_known_to_others_and_not_to_himself(study: Study) -> None:
    begin(study, "one", "A")
    mark = respondents.panel_mark(SECRET, SLUG, "A")
    with study.database.read() as connection:
        assert not respondents.panel_known(connection, SLUG, "A", "one", mark)
        assert respondents.panel_known(connection, SLUG, "A", "two", mark)
        assert not respondents.panel_known(connection, SLUG, "B", "two", respondents.panel_mark(SECRET, SLUG, "B"))


@pytest.mark.parametrize("end", ["cut", "erased"])
def test_a_name_counts_once_also_when_its_answers_are_nobodys_any_more(study: Study, end: str) -> None:
    begin(study, "one", "A")
    key = respondents.token_hash(SLUG, "one")
    with study.database.begin() as connection:
        if end == "cut":
            assert erasure.cut_off(connection, SLUG, key, now=NOW)
        else:
            assert erasure.erase_hash(connection, SLUG, key, who="x", reason="x", now=NOW)
    assert [row.panel_id for row in people(study)] == ([None] if end == "cut" else [])
    with pytest.raises(ConflictError):
        begin(study, "two", "A")
    assert begin(study, "two", "B") == 2


def people(study: Study) -> list[Any]:
    with study.database.read() as connection:
        return list(connection.execute(sa.select(tables.respondent)))


def test_a_mark_tells_no_name_and_is_of_one_study_and_installation(study: Study) -> None:
    begin(study, "one", "Ada-Lovelace")
    with study.database.begin() as connection:
        erasure.cut_off(connection, SLUG, respondents.token_hash(SLUG, "one"), now=NOW)
    assert "Ada-Lovelace" not in everything(study)
    marks = {respondents.panel_mark(secret, slug, name) for secret in ("a", "b") for slug in ("s", "t") for name in ("1", "2")}  # fmt: skip
    assert len(marks) == 8
    assert respondents.panel_token("a", "s", "1") not in marks


def test_marks_go_with_the_contacts_and_keys_with_the_study(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    make(study)
    begin(study, "one", "A")
    begin(study, "two", "B")
    with study.database.begin() as connection:
        erasure.cut_off(connection, SLUG, respondents.token_hash(SLUG, "one"), now=NOW)
        studies.set_state(connection, SLUG, "closed")
        monkeypatch.setattr(retention, "promised", lambda *_: Privacy(contacts_days=30))
        [time] = retention.times(connection)
        assert time.count == 2, "one by name, one by mark"
        retention.run(connection, datetime.now(UTC) + timedelta(days=31))
    assert study.rows(tables.panel_entry) == 0
    assert study.rows(tables.panel_key) == 1
    with study.database.begin() as connection:
        deletion.delete_study(connection, SLUG)
    assert study.rows(tables.panel_key) == 0
