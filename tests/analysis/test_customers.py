"""The analysis of contacts: whose segment a contact is, what is never told, and that the record holds what it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from wtp.analysis import ALL, Analysis, analyse_contacts
from wtp.analysis.customers import FEW, NUMBERLESS, PART_KNOWN, _without_few, told_segments
from wtp.customers.simulated_contacts import simulated_codings, simulated_contacts
from wtp.errors import DataError
from wtp.survey import Respondent, Survey

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def call(number: int, customer: int | None = None, problem: str | None = "cost", **said: Any) -> dict[str, Any]:
    """A contact as the store gives it."""
    row = {"id": number, "customer_id": customer, "happened_at": NOON + timedelta(hours=number), "channel": "phone", "reason": "fault", "core_problem": problem, "simulated": False}  # fmt: skip
    return row | said


def many(survey: Survey, *, months: int = 8, customers: int = 300) -> list[dict[str, Any]]:
    """Simulated contacts as the store gives them."""
    people = {f"{s.id} {n}": s.id for s in survey.definition.segments for n in range(customers)}
    frame = simulated_contacts(survey.definition, people, months=months, seed=1)
    known = {name: number for number, name in enumerate(people, 1)}
    frame["customer_id"] = frame["customer"].map(known)
    return [row | {"id": number, "simulated": True} for number, row in enumerate(frame.to_dict("records"), 1)]


@pytest.fixture(scope="module")
def analysis(survey: Survey) -> Analysis:
    rows = many(survey)
    frame = pd.DataFrame(rows).set_index("id")
    second = simulated_codings(survey.definition, frame, agreement=0.8, seed=1)
    return analyse_contacts(survey, rows, second.to_dict("records"))


def answered(number: int, problem: str) -> Respondent:
    return Respondent(
        number=number,
        simulated=False,
        language="en",
        design_version=1,
        started_at=NOON,
        completed_at=NOON,
        answers={"core_problem": problem},
        choices=(),
    )


def groups(analysis: Analysis) -> set[str]:
    return set(analysis.tables["contact_segments"]["segment"])


def sizes(analysis: Analysis) -> dict[str, int]:
    rows = analysis.tables["contact_segments"]
    return dict(zip(rows["segment"], rows["customers"], strict=True))


def test_every_table_has_its_segments_and_counts(analysis: Analysis) -> None:
    assert set(analysis.tables) == {f"contact_{name}" for name in ("agreement", "difference", "effort", "mattered", "months", "questions", "reasons", "remedies", "segments", "unseen")}  # fmt: skip
    assert groups(analysis) == {ALL, "uptime", "cost", "growth"}
    assert analysis.respondents == analysis.simulated == analysis.tables["contact_segments"]["contacts"].iloc[0]
    rates = analysis.table("contact_reasons", "uptime")
    assert rates["reason"].tolist() == ["any", "fault", "question", "order", "invoice", "complaint", "advice"]
    assert Analysis.from_json(analysis.to_json()).answers_hash == analysis.answers_hash
    agreement = analysis.table("contact_agreement", ALL).set_index("field")
    assert agreement["contacts"].tolist() == [50, 50, 50]
    assert agreement.loc["reason", "low"] > 0.4


def test_rates_are_per_hundred_of_the_companys_customers(survey: Survey, analysis: Analysis) -> None:
    """Segments whose contacts are partly unknown are scaled, so that segments together give everybody."""
    rates = {name: analysis.table("contact_reasons", name).iloc[0]["rate"] for name in groups(analysis)}
    sizes_ = {segment.id: segment.customers for segment in survey.definition.segments}
    total = sum(sizes_.values())
    mean = sum(rates[name] * size for name, size in sizes_.items()) / total
    assert mean == pytest.approx(rates[ALL])
    rows = [row | ({"core_problem": None} if row["id"] % 3 == 0 else {}) for row in many(survey)]
    part = analyse_contacts(survey, rows)
    known = {name: part.table("contact_reasons", name).iloc[0]["rate"] for name in groups(part)}
    assert known["uptime"] == pytest.approx(rates["uptime"], rel=0.1)
    assert [note.template for note in part.notes] == [PART_KNOWN]
    contacts = survey.definition.contacts
    assert contacts is not None
    fewer = survey.definition.model_copy(update={"contacts": contacts.model_copy(update={"customers": 1200})})
    tenth = analyse_contacts(replace(survey, definition=fewer), many(survey))
    assert tenth.table("contact_reasons", ALL).iloc[0]["rate"] == pytest.approx(10 * rates[ALL])
    assert tenth.table("contact_reasons", "cost").iloc[0]["rate"] == pytest.approx(10 * rates["cost"])


def test_a_segment_is_that_of_the_answers_else_that_of_the_core_problem(survey: Survey) -> None:
    rows = [call(n, n, "cost") for n in range(1, 21)] + [call(n, n, None) for n in range(21, 41)]
    found = analyse_contacts(survey, rows)
    assert sizes(found) == {ALL: 40, "cost": 20}
    links = {n: n for n in range(11, 31)}
    people = [answered(n, "downtime") for n in links]
    linked = analyse_contacts(survey, rows, links=links, respondents=people)
    assert sizes(linked) == {ALL: 40, "uptime": 20, "cost": 10}
    unsaid = analyse_contacts(survey, rows, links=links, respondents=[replace(p, answers={}) for p in people])
    assert sizes(unsaid) == {ALL: 40, "cost": 20}


@pytest.mark.parametrize(
    ("people", "shown"),
    [
        ({"a": 10, "b": 10}, {"a", "b"}),
        ({"a": 9, "b": 30, "c": 30}, {"c"}),  # without b, whose going makes 9 and 30 the rest
        ({"a": 9, "b": 9, "c": 30}, {"c"}),  # 18 are left, of whom nothing of 9 can be worked out
        ({"a": 30, "b": 30, None: 5}, {"b"}),
        ({"a": 30, "b": 30, None: 10}, {"a", "b"}),
        ({"a": 12, None: 3}, set()),
    ],
)
def test_no_segment_and_no_rest_of_fewer_than_ten_customers(people: dict[str | None, int], shown: set[str]) -> None:
    rows = [(name, f"{name} {n}") for name, size in people.items() for n in range(size) for _ in range(3)]
    frame = pd.DataFrame(rows, columns=["segment", "person"]).astype("object")
    frame["segment"] = frame["segment"].where(frame["segment"].notna(), None)
    told = told_segments(frame, ["a", "b", "c"])
    assert told[0] == ALL
    assert set(told[1:]) == shown


def _rows(customers: Iterable[int], name: str = "contact_mattered") -> pd.DataFrame:
    rows = [{"segment": ALL, "item": f"i{n}", "customers": c, "share": 0.1, "low": 0.0, "high": 0.2} for n, c in enumerate(customers)]  # fmt: skip
    return _without_few(pd.DataFrame(rows), name)


def test_nothing_is_told_of_fewer_than_ten_customers_nor_of_what_they_could_be_worked_out_from() -> None:
    assert _rows([40, 30, 0])["share"].notna().all(), "none at all is no small group"
    one = _rows([40, 12, 4, 0])
    assert one["share"].isna().tolist() == [False, True, True, False], "with the 12 the hidden are 16"
    assert one["customers"].isna().tolist() == one["share"].isna().tolist()
    two = _rows([40, 12, 4, 7])
    assert two["share"].isna().tolist() == [False, False, True, True], "eleven hidden are enough"
    assert _rows([3, 0])["share"].isna().tolist() == [True, True], (
        "the share of a row of nobody tells how many others there are"
    )


def test_of_nine_customers_no_figure_is_made_whatever_they_do(survey: Survey) -> None:
    rows = [call(n, n % 9) for n in range(200)]
    found = analyse_contacts(survey, rows)
    assert found.tables == {}
    assert [note.template for note in found.notes] == [FEW]
    ten = analyse_contacts(survey, [call(n, n % 10) for n in range(200)])
    assert groups(ten) == {ALL, "cost"}
    assert analyse_contacts(survey, []).tables == {}


def test_contacts_of_nobody_known_count_each_and_say_so(survey: Survey) -> None:
    found = analyse_contacts(survey, [call(n) for n in range(12)])
    assert sizes(found) == {ALL: 12, "cost": 12}
    assert NUMBERLESS in [note.template for note in found.notes]
    rates = found.table("contact_reasons", ALL)
    assert rates["trend"].isna().all(), "a day is no trend"


def test_codes_that_the_study_has_no_more_count_among_all_contacts_alone(survey: Survey) -> None:
    found = analyse_contacts(survey, [call(n, n, reason="gone", mattered_most="gone") for n in range(1, 31)])
    rates = found.table("contact_reasons", ALL).set_index("reason")
    assert rates.loc["any", "contacts"] == 30
    assert rates["contacts"].iloc[1:].sum() == 0


def test_a_study_without_codes_has_no_analysis_of_contacts(survey: Survey) -> None:
    bare = replace(survey, definition=survey.definition.model_copy(update={"contacts": None}))
    with pytest.raises(DataError, match=r"no \[contacts\]"):
        analyse_contacts(bare, [])
