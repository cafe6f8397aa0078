"""Contacts as they are taken away: no customer number, no pseudonym, no words unless they are asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from wtp.export import contacts_frame

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def row(customer: int | None, **said: Any) -> dict[str, Any]:
    return {"id": 9, "customer_id": customer, "happened_at": NOW, "channel": "phone", "reason": "fault", "reported": "Mr Smith called", "simulated": False} | said  # fmt: skip


def test_customers_are_numbered_anew_and_words_stay_here() -> None:
    rows = [row(77, minutes=5, solved=True), row(None), row(12, impression=4, solved=False), row(77)]
    frame = contacts_frame(rows)
    assert frame["customer"].fillna(0).tolist() == [1, 0, 2, 1]
    assert frame["minutes"].tolist()[0] == 5
    assert frame["solved"].isna().tolist() == [False, True, False, True]
    assert not {"id", "customer_id", "reported"} & set(frame)
    assert contacts_frame(rows, words=True)["reported"].tolist() == ["Mr Smith called"] * 4


def test_no_contacts_are_an_empty_table_with_the_same_columns() -> None:
    assert contacts_frame([]).columns.tolist() == contacts_frame([row(1)]).columns.tolist()
    assert contacts_frame([]).empty
