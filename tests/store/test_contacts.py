"""Customers as pseudonyms, contacts that are kept once, second codings, files that come whole and go whole, and links that can be dropped."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.store.conftest import NOW, SLUG, Study, together
from wtp.errors import ConflictError, DataError
from wtp.store import audit, contacts, customer_files, customers, deletion, invitations, tables
from wtp.store.contacts import Coding, Contact
from wtp.survey import Survey

SECRET = "the secret of this installation"
CALL = Contact(NOW, "phone", "fault", "The press stands still.", mattered_most="speed", impression=2, customer="K-17")
DIGEST = "d" * 64


def record(study: Study, contact: Contact = CALL, submission: str = "one", who: str = "Ada") -> bool:
    with study.database.begin() as connection:
        return contacts.record(
            connection, SLUG, contact, submission=submission, who=who, now=NOW, secret=SECRET, simulated=False
        )


def give(study: Study, calls: int = 3, digest: str = DIGEST, customer: str = "K-{}") -> customer_files.Imported:
    made = [replace(CALL, customer=customer.format(n) if customer else "") for n in range(calls)]
    with study.database.begin() as connection:
        return contacts.import_file(
            connection, SLUG, made, name="calls.csv", digest=digest, who="Ada", now=NOW, secret=SECRET
        )


@pytest.fixture
def linked(survey: Survey) -> Survey:
    assert survey.definition.contacts is not None
    allowed = survey.definition.contacts.model_copy(update={"linked": True})
    return replace(survey, definition=survey.definition.model_copy(update={"contacts": allowed}))


def invite(study: Study, *references: str, begin: bool = True) -> None:
    with study.database.begin() as connection:
        invitations.add(connection, SLUG, [(one, {}) for one in references], secret=SECRET, now=NOW)
    for number in range(1, len(references) + 1):
        if begin:
            study.begin(invitations.token_of(SECRET, SLUG, number))


def link(study: Study, survey: Survey) -> int:
    with study.database.begin() as connection:
        return customers.link(connection, survey, secret=SECRET)


def links(study: Study) -> dict[int, int]:
    with study.database.read() as connection:
        return customers.links(connection, SLUG)


def test_a_contact_is_kept_once_however_often_it_is_sent(study: Study) -> None:
    assert sorted(together(6, lambda _: record(study))) == [False] * 5 + [True]
    assert record(study, replace(CALL, reported="Something else"), "two")
    with study.database.read() as connection:
        first, second = contacts.rows(connection, SLUG)
        assert contacts.count(connection, SLUG) == 2
    assert first["reported"] == CALL.reported, "the first sending counts"
    assert first["customer_id"] == second["customer_id"]
    assert first["happened_at"] == NOW
    assert "recorded_by" not in first, "who recorded it is no part of any analysis"


def test_the_number_of_a_customer_is_stored_nowhere(study: Study) -> None:
    record(study, replace(CALL, customer=" k-17\u00a0"))
    record(study, submission="two")
    assert study.rows(tables.customer) == 1, "case and blanks do not matter"
    with study.database.read() as connection:
        row = connection.execute(sa.select(tables.customer)).mappings().one()
        everything = repr([connection.execute(sa.select(table)).all() for table in tables.metadata.tables.values()])
    assert len(row["key"]) == 32
    assert "k-17" not in everything.casefold()
    other = {
        customers.key_of(SECRET, "workshop", "K-17"),
        customers.key_of("another secret", SLUG, "K-17"),
        customers.key_of(SECRET, SLUG, "K-18"),
    }
    assert row["key"] not in other


def test_the_last_five_of_ones_own_are_shown_the_newest_first(study: Study) -> None:
    for number in range(7):
        record(study, replace(CALL, reported=str(number)), f"s{number}")
    record(study, submission="not hers", who="Bob")
    give(study)
    with study.database.read() as connection:
        assert [row["reported"] for row in contacts.recent(connection, SLUG, "Ada")] == ["6", "5", "4", "3", "2"]


def test_a_second_coder_gets_others_contacts_once_each_and_never_the_first_coding(study: Study) -> None:
    for number in range(60):
        record(study, submission=f"s{number:02}")
    record(study, replace(CALL, reported=""), "nothing to read")
    coding = Coding("question", None, "cost")
    with study.database.begin() as connection:
        assert contacts.to_code(connection, SLUG, "Ada") == (None, 0, 0)
        seen = []
        while (found := contacts.to_code(connection, SLUG, "Bob"))[0] is not None:
            contact, done, of = found
            assert (done, of) == (len(seen), 50)
            assert set(contact) == {"id", "submission", "channel", "reported"}
            seen.append(contact["id"])
            assert contacts.code(connection, SLUG, contact["id"], coding, who="Bob", now=NOW)
            assert not contacts.code(connection, SLUG, contact["id"], coding, who="Bob", now=NOW), "twice"
        assert len(set(seen)) == 50
        assert not contacts.code(connection, SLUG, seen[0], coding, who="Ada", now=NOW), "her own"
        assert not contacts.code(connection, "workshop", seen[0], coding, who="Cem", now=NOW), "of another study"
        later = replace(coding, reason="order")
        assert contacts.code(connection, SLUG, seen[0], later, who="Cem", now=NOW + timedelta(1))
        read = contacts.codings(connection, SLUG)
    assert len(read) == 50
    assert {row["reason"] for row in read} == {"question"}, "the first second coding counts"


def test_a_file_comes_whole_once_and_goes_whole(study: Study) -> None:
    record(study, replace(CALL, customer="K-1"))
    made = give(study)
    with pytest.raises(ConflictError, match=r"imported already: calls\.csv"):
        give(study)
    with study.database.begin() as connection:
        new = [row["id"] for row in contacts.rows(connection, SLUG)][1:]
        assert contacts.code(connection, SLUG, new[0], Coding("order", None, None), who="Bob", now=NOW)
    assert (study.rows(tables.contact), study.rows(tables.customer)) == (4, 3)
    with study.database.begin() as connection:
        assert customer_files.take_back(connection, SLUG, customer_files.CONTACTS, made.id, who="Bob", now=NOW) == 3
        assert customer_files.take_back(connection, SLUG, customer_files.CONTACTS, made.id, who="Bob", now=NOW) is None
        assert (
            customer_files.take_back(connection, "workshop", customer_files.CONTACTS, made.id, who="Bob", now=NOW)
            is None
        )
        (file,) = customer_files.everything(connection, SLUG, customer_files.CONTACTS)
        assert (file.rows, file.taken_back_by) == (3, "Bob")
        log = [(entry.action, entry.who) for entry in audit.entries(connection, SLUG)]
    assert log == [(audit.CONTACTS_IMPORTED, "Ada"), (audit.CONTACTS_TAKEN_BACK, "Bob")]
    assert (study.rows(tables.contact), study.rows(tables.contact_coding), study.rows(tables.customer)) == (1, 0, 1)
    assert give(study).id != made.id, "taken back, it may come again"


def test_nothing_of_a_file_stays_if_one_row_fails(study: Study) -> None:
    broken = [CALL, replace(CALL, channel=None)]  # type: ignore[arg-type]
    with pytest.raises(sa.exc.IntegrityError), study.database.begin() as connection:
        contacts.import_file(
            connection, SLUG, broken, name="a", digest=DIGEST, who="Ada", now=NOW, secret=SECRET, simulated=False
        )
    found = [study.rows(one) for one in (tables.contact, tables.customer, tables.customer_file, tables.audit)]
    assert found == [0, 0, 0, 0]


def test_two_who_import_the_same_file_add_it_once(study: Study) -> None:
    def one(_: int) -> bool:
        try:
            give(study)
        except (ConflictError, sa.exc.IntegrityError):
            return False
        return True

    assert sum(together(4, one)) == 1
    assert study.rows(tables.contact) == 3


def test_links_are_made_on_purpose_and_only_where_the_survey_allows_it(study: Study, linked: Survey) -> None:
    invite(study, "K-17", "K-18")
    record(study)
    with pytest.raises(DataError, match=r"contacts\.linked: false; allowed: true"):
        link(study, study.survey)
    assert links(study) == {}
    assert link(study, linked) == 2
    assert link(study, linked) == 0, "again adds nothing"
    with study.database.read() as connection:
        caller = contacts.rows(connection, SLUG)[0]["customer_id"]
    assert links(study)[caller] == 1, "K-17 was invited first"
    with study.database.begin() as connection:
        assert customers.drop_links(connection, "workshop") == 0
        assert customers.drop_links(connection, SLUG) == 2
    assert (links(study), study.rows(tables.contact), study.rows(tables.respondent)) == ({}, 1, 2)


def test_who_agreed_to_another_text_or_has_not_begun_is_not_linked(study: Study, linked: Survey) -> None:
    invite(study, "K-17", "K-18")
    with study.database.begin() as connection:
        earlier = sa.update(tables.respondent).where(tables.respondent.c.number == 1)
        connection.execute(earlier.values(consent_hash="an earlier text"))
        invitations.add(connection, SLUG, [("K-19", {})], secret=SECRET, now=NOW)
    assert link(study, linked) == 1
    assert list(links(study).values()) == [2]


def test_a_customer_who_is_forgotten_leaves_contacts_of_nobody(study: Study, linked: Survey) -> None:
    invite(study, "K-17", "K-18")
    record(study)
    record(study, replace(CALL, customer="K-18"), "two")
    link(study, linked)
    before = now = ""
    with study.database.begin() as connection:
        before = contacts.state(connection, SLUG)
        assert not customers.forget(connection, SLUG, "K-99", secret=SECRET)
        assert customers.forget(connection, SLUG, "k-17 ", secret=SECRET)
        assert not customers.forget(connection, SLUG, "K-17", secret=SECRET)
        now = contacts.state(connection, SLUG)
        assert customers.forget(connection, SLUG, "K-18", secret=SECRET)
        first, second = contacts.rows(connection, SLUG)
        keys = connection.execute(sa.select(tables.customer.c.key)).scalars().all()
    assert first["customer_id"] == second["customer_id"], "all who are forgotten count as one"
    assert keys == [customers.FORGOTTEN]
    assert before != now
    assert [study.rows(one) for one in (tables.customer_respondent, tables.respondent)] == [0, 2]
    assert link(study, linked) == 2, "their answers are those of people of whom nothing is known"
    with study.database.read() as connection:
        assert customers.respondent_of(connection, linked, "K-17", secret=SECRET) is None


def test_a_deleted_study_leaves_nothing_of_its_customers(study: Study, linked: Survey) -> None:
    invite(study, "K-17")
    give(study)
    record(study)
    link(study, linked)
    with study.database.begin() as connection:
        (contact, *_) = [row["id"] for row in contacts.rows(connection, SLUG)]
        assert contacts.code(connection, SLUG, contact, Coding("order", None, None), who="Bob", now=NOW)
        connection.execute(sa.insert(tables.study).values(slug="other", definition_hash="a", design_hash="b"))
        contacts.record(connection, "other", CALL, submission="one", who="Ada", now=NOW, secret=SECRET)
        deletion.delete_study(connection, SLUG)
    with study.database.read() as connection:
        rows = {table.name: connection.execute(sa.select(table)).all() for table in tables.metadata.sorted_tables}
    assert rows.pop("audit"), "the log alone is left"
    left = {name for name, found in rows.items() if found}
    assert left == {"study", "customer", "contact"}
    assert all("other" in row for found in rows.values() for row in found), "all that is left is the other study's"


def test_times_of_other_zones_are_kept_in_utc(study: Study) -> None:
    record(study, replace(CALL, happened_at=datetime.fromisoformat("2026-11-01T14:30+02:00")))
    with study.database.read() as connection:
        assert contacts.rows(connection, SLUG)[0]["happened_at"] == datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
