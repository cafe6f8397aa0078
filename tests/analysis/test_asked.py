"""Everything that a survey asks is analysed: figures by hand, small groups hidden, and one comparison of all ways of asking what matters."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.export.conftest import taken
from tests.simulated import every_question, one_record, simulated
from wtp.analysis import Analysis, Request, analyse
from wtp.analysis.choice_frame import choice_frame, formula
from wtp.analysis.disclosure import told
from wtp.analysis.methods import method_tables
from wtp.analysis.page_tasks import best_worst_tables, rated_offer_tables
from wtp.analysis.questions import question_tables
from wtp.estimation import ChoiceData, ConditionalLogit
from wtp.estimation.diagnostics import Note
from wtp.export.codebook import codebook
from wtp.export.frames import respondents_frame
from wtp.segments import declared
from wtp.survey import Answers, Respondent, Survey

QUICK = Request(model="conditional")
Z90 = 1.6448536
Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return every_question(tmp_path_factory.mktemp("every"))


@pytest.fixture(scope="module")
def everything(every: Survey) -> Answers:
    return simulated(every, 150)


@pytest.fixture(scope="module")
def analysis(every: Survey, everything: Answers) -> Analysis:
    return analyse(every, everything, QUICK)


@pytest.fixture(scope="module")
def tables(analysis: Analysis) -> Tables:
    return dict(analysis.tables)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return one_record(tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def record(one: Survey) -> Answers:
    return simulated(one, 150)


def tables_of(survey: Survey, answers: Answers) -> tuple[Tables, tuple[Note, ...]]:
    """What was asked beside choices and prices, without the rest of an analysis."""
    definition = survey.definition
    membership = declared(definition, answers.respondents)
    groups = {"all": answers.respondents} | {
        s.id: tuple(r for r in answers.respondents if membership[r.number] == s.id) for s in definition.segments
    }
    questions, notes = question_tables(definition, groups, QUICK)
    items, _, more = best_worst_tables(definition, groups, QUICK)
    offers, _, others = rated_offer_tables(definition, groups, QUICK)
    return {**questions, **items, **offers}, (*notes, *more, *others)


def compared(survey: Survey, answers: Answers) -> Tables:
    """All ways of asking what matters side by side, of everybody."""
    definition, groups = survey.definition, {"all": answers.respondents}
    data = ChoiceData.from_long(choice_frame(definition, answers.respondents), formula(definition))
    return method_tables(
        definition,
        groups,
        QUICK,
        choices={"all": ConditionalLogit(data).fit()},
        best_worst=best_worst_tables(definition, groups, QUICK)[1],
        rated=rated_offer_tables(definition, groups, QUICK)[1],
    )


def of(tables: Tables, table: str, question: str, segment: str = "all") -> pd.DataFrame:
    rows = tables[table]
    return rows[(rows["question"] == question) & (rows["segment"] == segment)].reset_index(drop=True)


def edited(answers: Answers, edit: Mapping[str, Any] | Any) -> Answers:
    """The same people with some answers changed by a function of them."""
    people = tuple(replace(r, answers={**r.answers, **edit(r)}) for r in answers.respondents)
    return replace(answers, respondents=people, hash=f"{answers.hash} edited")


def test_each_question_has_its_table(tables: Tables) -> None:
    asked = {
        "answer_shares": {"has_car", "brands", "slots"}, "answer_numbers": {"age", "cars"}, "answer_ratings": {"satisfied"},
        "answer_texts": {"words", "old_car"}, "rankings": {"rank"}, "constant_sums": {"points"}, "kano": {"weekend"}, "best_worst": {"matters"},
        "rated_offers": {"offer"},
    }  # fmt: skip
    for table, questions in asked.items():
        assert set(tables[table]["question"]) == questions, table
        assert set(tables[table]["segment"]) <= {"all", "private", "company"}
        assert (tables[table]["respondents"] >= 30).all()


def test_a_study_that_asks_no_such_question_has_no_such_table(survey: Survey, answers: Answers) -> None:
    tables = analyse(survey, answers, QUICK).tables
    assert not {"kano", "rankings", "constant_sums", "best_worst", "rated_offers", "answer_numbers"} & set(tables)
    assert {"answer_shares", "answer_ratings", "methods", "method_agreement"} <= set(tables)
    assert "versions" not in tables


def test_shares_are_counted_and_have_wilsons_interval(tables: Tables, everything: Answers) -> None:
    picked = sum("chain" in r.answers["brands"] for r in everything.respondents)
    n = len(everything.respondents)
    row = of(tables, "answer_shares", "brands").set_index("answer").loc["chain"]
    assert (row["count"], row["respondents"], row["share"]) == (picked, n, picked / n)
    middle = (picked + Z90**2 / 2) / (n + Z90**2)
    half = Z90 * np.sqrt(picked * (n - picked) / n + Z90**2 / 4) / (n + Z90**2)
    assert (row["low"], row["high"]) == pytest.approx((middle - half, middle + half), rel=1e-6)
    slots = of(tables, "answer_shares", "slots").set_index(["item", "answer"])
    late = sum("late" in r.answers["slots"].get("sat", ()) for r in everything.respondents)
    assert slots.loc[("sat", "late"), "count"] == late


def test_medians_lie_in_their_bootstrap_intervals_and_unsure_is_counted(every: Survey, everything: Answers) -> None:
    def forget(person: Respondent) -> dict[str, Any]:
        return {"age": "unsure"} if person.number % 3 == 0 else {"age": float(person.number)}

    row = of(tables_of(every, edited(everything, forget))[0], "answer_numbers", "age").iloc[0]
    ages = [n for n in range(1, 151) if n % 3]
    assert (row["middle"], row["mean"], row["unsure"]) == (np.median(ages), np.mean(ages), 50)
    assert row["low"] < row["middle"] < row["high"]
    # The binomial interval of the median (Thompson 1936) is an independent yardstick.
    assert (row["low"], row["high"]) == pytest.approx((ages[41], ages[58]), abs=5)


def test_ratings_leave_out_who_does_not_know(every: Survey, everything: Answers) -> None:
    def rate(person: Respondent) -> dict[str, Any]:
        return {"satisfied": {"opening": 1 + person.number % 5, "advice": None if person.number > 20 else 3}}

    rows = of(tables_of(every, edited(everything, rate))[0], "answer_ratings", "satisfied").set_index("item")
    assert rows.loc["opening", "mean"] == pytest.approx(3)
    assert rows.loc["advice", ["mean", "low", "high"]].isna().all(), "20 answers are too few"
    assert rows["unsure"].to_dict() == {"opening": 0, "advice": 130}


def test_open_texts_are_counted_and_nowhere_repeated(every: Survey, everything: Answers) -> None:
    def write(person: Respondent) -> dict[str, Any]:
        return {"words": "My name is Ann" if person.number <= 40 else "" if person.number <= 60 else None}

    tables, notes = tables_of(every, edited(everything, write))
    row = of(tables, "answer_texts", "words").iloc[0]
    assert (row["count"], row["respondents"]) == (40, 150)
    assert not any("Ann" in text for text in (*(t.to_string() for t in tables.values()), *map(str, notes)))


def test_who_was_screened_out_does_not_count(every: Survey, everything: Answers) -> None:
    people = tuple(
        replace(r, outcome="screened_out") if r.number <= 50 else r for r in everything.respondents
    )  # fmt: skip
    tables = tables_of(every, replace(everything, respondents=people, hash="screened"))[0]
    for table, question in (("answer_shares", "has_car"), ("best_worst", "matters"), ("rated_offers", "offer")):
        assert (of(tables, table, question)["respondents"] == 100).all(), table


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ({"all": 29, "a": 29}, []),
        ({"all": 100, "a": 60, "b": 40}, ["all", "a", "b"]),
        ({"all": 100, "a": 60, "b": 29}, ["all", "a"]),
        ({"all": 100, "a": 60, "b": 35}, ["all", "a"]),  # the five others could be worked out
        ({"all": 95, "a": 60, "b": 30}, ["all", "a"]),
        ({"all": 34, "a": 30}, ["all"]),
    ],
)
def test_nobody_can_work_out_a_small_group(sizes: dict[str, int], shown: list[str]) -> None:
    assert told(sizes) == shown


def test_hidden_segments_are_in_no_table_of_questions(every: Survey, everything: Answers) -> None:
    def drive(person: Respondent) -> dict[str, Any]:
        return {"has_car": "private" if person.number > 5 else "company"}

    tables = tables_of(every, edited(everything, drive))[0]
    for table in ("answer_shares", "answer_numbers", "kano", "best_worst", "rated_offers", "rankings"):
        assert set(tables[table]["segment"]) == {"all"}, table


def test_rated_offers_are_relative_and_never_give_a_price_limit(every: Survey, everything: Answers) -> None:
    nothing = replace(
        everything, respondents=tuple(replace(r, choices=()) for r in everything.respondents), hash="no choices"
    )
    tables = analyse(every, nothing, QUICK).tables
    rows = tables["rated_offers"]
    steps = rows[rows["attribute"] != "price"]
    assert steps["note"].str.startswith("Relative").all()
    assert (steps["points_low"] < steps["points"]).all()
    assert rows.loc[rows["attribute"] == "price", "estimate"].isna().all()
    assert rows.loc[rows["attribute"] == "price", "points_high"].lt(0).all()
    assert tables["price_limit"].empty if "price_limit" in tables else True
    assert tables["willingness_to_pay"].empty


def test_one_row_a_respondent_joins_ratings_choices_best_worst_and_price_answers(one: Survey, record: Answers) -> None:
    frame = respondents_frame(one.definition, record)
    assert len(frame) == 150
    wanted = ["importance.speed", "sorting-1.best", "sorting-7.worst", "rated-1.rating", "budget.price", "price_sense.cheap", "would_buy.100", "choice-1.chosen", "choice-13.buys", "hotline.with"]  # fmt: skip
    ids = [page.id for page in one.definition.pages if page.type == "choice_tasks"]
    assert ids == ["choice"]
    assert frame[wanted].notna().all().all()
    person = record.respondents[7]
    row = frame[frame["respondent"] == person.number].iloc[0]
    third = next(c for c in person.choices if c.order == 3)
    assert (row["choice-3.choice_task"], row["choice-3.chosen"], row["choice-3.buys"]) == (third.task.number, third.chosen, int(third.buys))  # type: ignore[arg-type]  # fmt: skip


def test_honest_respondents_say_what_they_choose(one: Survey, record: Answers) -> None:
    tables = compared(one, record)
    methods = tables["methods"]
    assert set(methods["method"]) == {"choices", "ratings", "best_worst", "points", "places", "rated_offers"}
    assert not set(methods["verdict"]) & {"said_more", "chosen_more"}
    pairs = tables["method_agreement"].set_index(["one", "other"])
    assert pairs.loc[("choices", "ratings"), "correlation"] > 0.7
    assert pairs.loc[("choices", "best_worst"), "correlation"] > 0.7
    assert pairs.loc[("choices", "places"), "shared"] == 4


def test_yea_sayers_are_exposed(one: Survey, record: Answers) -> None:
    """Everybody says that the design, which hardly moves a choice, matters most, and speaks of the speed, which does, as of little."""

    def praise(person: Respondent) -> dict[str, Any]:
        return {"importance": {**person.answers["importance"], "design": 7, "speed": 2}}

    methods = compared(one, edited(record, praise))["methods"]
    said = methods[methods["method"] == "ratings"].set_index("attribute")["verdict"]
    assert said["design"] == "said_more"
    assert said["speed"] == "chosen_more"
    others = methods[~methods["method"].isin(["ratings", "choices"])]
    assert not set(others["verdict"]) & {"said_more", "chosen_more"}


def test_equal_answers_give_equal_figures(every: Survey, everything: Answers, analysis: Analysis) -> None:
    again = tables_of(every, everything)[0]
    for name, table in again.items():
        pd.testing.assert_frame_equal(table, analysis.tables[name])
    assert Analysis.from_json(analysis.to_json()).to_json() == analysis.to_json()


def test_a_best_worst_page_that_cannot_be_estimated_says_so(every: Survey, everything: Answers) -> None:
    def alike(person: Respondent) -> dict[str, Any]:
        return {key: {**value, "anchor": "all"} for key, value in person.answers.items() if key.startswith("matters-")}

    tables, notes = tables_of(every, edited(everything, alike))
    assert "best_worst" not in tables
    note = next(note for note in notes if note.code == "page" and note.segment == "all")
    assert "threshold" in str(note)


def test_every_column_is_in_the_codebook_and_every_table_in_the_workbook(
    every: Survey, everything: Answers, analysis: Analysis
) -> None:
    book = codebook(every.definition)
    named = set(book.loc[book["table"] == "results", "column"])
    asked = ("answer_shares", "answer_numbers", "answer_ratings", "answer_texts", "rankings", "constant_sums", "kano", "best_worst", "rated_offers", "methods", "method_agreement")  # fmt: skip
    for table in asked:
        assert set(analysis.tables[table].columns) <= named, table
    assert {"version", "use", "changes", "price_ratio", "low", "high", "p_value", "respondents"} <= named
    sheets = pd.read_excel(io.BytesIO(taken("xlsx", every, everything, analysis)), sheet_name=None)
    assert set(asked) < set(sheets)
    assert (sheets["kano"]["simulated_respondents"] == 150).all()
    people = set(sheets["respondents"].columns)
    assert people <= set(book.loc[book["table"] == "respondents", "column"])
