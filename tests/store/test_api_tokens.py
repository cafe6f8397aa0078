"""Tokens of programs: kept as hashes, found in constant time, ended by revoking, time, or the loss of their maker's rights."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, SLUG, Study
from wtp.errors import DataError
from wtp.store import api_tokens, audit, staff, tables
from wtp.store.api_tokens import ANALYSES, ANSWERS, MADE, RESULTS, REVOKED, ApiToken
from wtp.store.staff import StaffMember

LATER = NOW + timedelta(days=30)


def member(study: Study, name: str = "anna", role: str = "analyst") -> StaffMember:
    with study.database.begin() as connection:
        staff.add(connection, name, "a long pass phrase for the tests", role)
        return next(each for each in staff.members(connection) if each.name == name)


def made(study: Study, maker: StaffMember | None = None, **changes: object) -> tuple[ApiToken, str]:
    asked = {"scopes": (RESULTS,), "studies": (SLUG,), "expires_at": LATER, **changes}
    with study.database.begin() as connection:
        return api_tokens.add(connection, "the report", maker=maker, now=NOW, **asked)  # type: ignore[arg-type]


def found(study: Study, text: str, now: object = NOW) -> ApiToken | None:
    with study.database.read() as connection:
        return api_tokens.find(connection, text, now)  # type: ignore[arg-type]


def test_the_text_finds_what_was_made_and_the_database_does_not_hold_it(study: Study) -> None:
    token, text = made(study, member(study), scopes=(ANSWERS, RESULTS))
    assert found(study, text) == token
    assert (token.name, token.scopes, token.studies) == ("the report", (RESULTS, ANSWERS), (SLUG,))
    assert (token.made_by, token.created_at, token.expires_at, token.used_at) == ("anna", NOW, LATER, None)
    secret = text.removeprefix(f"wtp_{token.mark}_")
    assert len(secret) == 43
    with study.database.read() as connection:
        row = connection.execute(sa.select(tables.api_token)).mappings().one()
    assert row["token_hash"] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(dict(row))


def test_every_token_is_another_one(study: Study) -> None:
    assert len({made(study)[1] for _ in range(20)}) == 20


def test_nothing_but_the_very_text_is_a_token(study: Study) -> None:
    token, text = made(study)
    _, other = made(study)
    swapped = f"wtp_{token.mark}_{other[13:]}"
    for wrong in (
        "",
        "wtp_",
        text[:-1],
        text + "x",
        text.upper(),
        text[4:],
        swapped,
        f"wtp_00000000_{text[13:]}",
        "wtp_\0",
    ):
        assert found(study, wrong) is None, wrong


def test_a_token_ends_at_its_time_to_the_second(study: Study) -> None:
    _, text = made(study)
    assert found(study, text, LATER - timedelta(seconds=1))
    assert found(study, text, LATER) is None


def test_a_token_without_end_stays(study: Study) -> None:
    _, text = made(study, expires_at=None)
    assert found(study, text, NOW + timedelta(days=5_000))


def test_a_revoked_token_is_none_and_twice_changes_nothing(study: Study) -> None:
    token, text = made(study)
    with study.database.begin() as connection:
        for minute in range(2):
            api_tokens.revoke(connection, token.mark, who="bert", now=NOW + timedelta(minutes=minute))
    assert found(study, text) is None
    with study.database.read() as connection:
        assert [each.revoked_at for each in api_tokens.everything(connection)] == [NOW]
        log = [(entry.who, entry.action) for entry in audit.entries(connection, SLUG)]
    assert log == [("wtp", MADE), ("bert", REVOKED)]


@pytest.mark.parametrize("role", ["analyst", "administrator"])
def test_a_token_ends_with_its_makers_rights(study: Study, role: str) -> None:
    _, text = made(study, member(study, role=role))
    assert found(study, text)
    with study.database.begin() as connection:
        connection.execute(sa.update(tables.staff).values(role="manager"))
    assert found(study, text) is None
    with study.database.begin() as connection:
        connection.execute(sa.update(tables.staff).values(role=role))
        staff.disable(connection, "anna")
    assert found(study, text) is None


def test_a_token_of_the_command_has_no_maker_to_lose(study: Study) -> None:
    token, text = made(study)
    member(study)
    with study.database.begin() as connection:
        staff.disable(connection, "anna")
    assert (token.made_by, found(study, text)) == ("wtp", token)


def test_studies_are_those_named_or_all(study: Study) -> None:
    one, every = made(study)[0], made(study, studies=None)[0]
    assert (one.may_see(SLUG), one.may_see("other")) == (True, False)
    assert (every.may_see(SLUG), every.may_see("other"), every.studies) == (True, True, None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scopes": ()}, "scope: none"),
        ({"scopes": ("results:write",)}, "scope: results:write"),
        ({"studies": ()}, "study: none"),
        ({"studies": (SLUG, "other")}, "study: other"),
        ({"expires_at": NOW}, "end: 2026-11-01"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(study: Study, changes: dict[str, object], says: str) -> None:
    with pytest.raises(DataError, match=says):
        made(study, **changes)
    assert study.rows(tables.api_token) == 0


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "bell\a"])
def test_a_name_is_some_words(study: Study, name: str) -> None:
    with study.database.begin() as connection, pytest.raises(DataError, match="name"):
        api_tokens.add(connection, name, maker=None, scopes=(ANALYSES,), now=NOW)


def test_an_unknown_mark_cannot_be_revoked(study: Study) -> None:
    token, _ = made(study)
    with study.database.begin() as connection, pytest.raises(DataError, match=f"allowed: {token.mark}"):
        api_tokens.revoke(connection, "00000000", who="anna", now=NOW)


def test_the_log_names_the_token_and_not_its_secret(study: Study) -> None:
    token, text = made(study, member(study))
    with study.database.read() as connection:
        entry = audit.entries(connection, SLUG)[-1]
    assert (entry.who, entry.action) == ("anna", MADE)
    assert entry.reason == f"the report ({token.mark}): results:read, until 2026-12-01 12:30 UTC"
    assert text[13:] not in entry.reason


def test_use_is_written_down_once_a_minute(study: Study) -> None:
    token, text = made(study)
    assert api_tokens.use_is_old(token, NOW)
    with study.database.begin() as connection:
        api_tokens.note_use(connection, token, NOW)
    used = found(study, text)
    assert used is not None
    assert used.used_at == NOW
    assert not api_tokens.use_is_old(used, NOW + timedelta(seconds=59))
    assert api_tokens.use_is_old(used, NOW + timedelta(seconds=60))


def test_a_token_never_reaches_further_than_its_maker(study: Study) -> None:
    with study.database.begin() as connection:
        connection.execute(sa.insert(tables.study).values(slug="other", definition_hash="a", design_hash="b"))
    anna = member(study)
    every, named = made(study, anna, studies=None), made(study, anna, studies=(SLUG, "other"))

    def reach(text: str) -> list[str]:
        token = found(study, text)
        return [slug for slug in (SLUG, "other") if token and token.may_see(slug)]

    assert (reach(every[1]), reach(named[1])) == ([SLUG, "other"], [SLUG, "other"])
    for studies, seen in (([SLUG], [SLUG]), ([], []), (["other"], ["other"]), (None, [SLUG, "other"])):
        with study.database.begin() as connection:
            staff.set_studies(connection, "anna", studies)
        assert (reach(every[1]), reach(named[1])) == (seen, seen)
    with study.database.begin() as connection:
        staff.set_studies(connection, "anna", [SLUG])
        staff.set_role(connection, "anna", "administrator")
    assert reach(every[1]) == [SLUG, "other"], "administrators see all"


def test_with_named_studies_one_makes_sees_and_ends_ones_own_tokens(study: Study) -> None:
    with study.database.begin() as connection:
        connection.execute(sa.insert(tables.study).values(slug="other", definition_hash="a", design_hash="b"))
        staff.add(connection, "anna", "a long pass phrase for the tests", "analyst", studies=[SLUG])
        anna = staff.named(connection, "anna")
    foreign = made(study)[0]
    with pytest.raises(DataError, match="study: other; allowed: one or more of supplier;"):
        made(study, anna, studies=("other",))
    own = made(study, anna)[0]
    with study.database.begin() as connection:
        assert [token.mark for token in api_tokens.known_to(connection, anna)] == [own.mark]
        with pytest.raises(DataError, match=f"allowed: {own.mark}"):
            api_tokens.revoke(connection, foreign.mark, who="anna", now=NOW, member=anna)
        api_tokens.revoke(connection, own.mark, who="anna", now=NOW, member=anna)
    bert = member(study, "bert")
    with study.database.read() as connection:
        assert {token.mark for token in api_tokens.known_to(connection, bert)} == {own.mark, foreign.mark}
